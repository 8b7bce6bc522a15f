//! `shield-exclusions.toml` in the data folder: what the console excludes. Rows are those of `[[shield.exclude]]`, with since
//! when and by whom. The file is written as a whole beside itself and then put in its place, so that it is always one of the
//! two; whoever edits it by hand does so while the server stands still, or sends it SIGHUP afterwards.

use crate::system::Problem;
use gateway::config::ExcludeTable;
use serde::{Deserialize, Serialize};
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// The file.
pub(crate) const FILE: &str = "shield-exclusions.toml";
/// Most rows.
pub(crate) const MOST: usize = 1_000;
/// Longest file in bytes.
const LONGEST: usize = 4 << 20;
/// Longest rules and longest target of a row that the console writes, in bytes.
pub(crate) const LONGEST_PART: usize = 1 << 10;

const HEAD: &str =
    "# Exclusions of the shield that the console wrote; it writes this file anew with each change.\n\n";

#[derive(Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Written {
    #[serde(default)]
    exclude: Vec<ExcludeTable>,
}

/// Where it lies.
pub(crate) fn path(data: &Path) -> PathBuf {
    data.join(FILE)
}

/// The rows of the file; none where there is no file.
pub(crate) fn read(data: &Path) -> Result<Vec<ExcludeTable>, Problem> {
    let path = path(data);
    let wrong = |what: String| {
        let help = "mend the file, or move it away: then nothing is excluded but by the configuration";
        Problem::with_help(format!("{}: {what}", path.display()), help)
    };
    let mut text = String::new();
    match File::open(&path) {
        Ok(file) => {
            file.take(LONGEST as u64 + 1)
                .read_to_string(&mut text)
                .map_err(|error| wrong(error.to_string()))?;
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(wrong(error.to_string())),
    }
    understood(&text).map_err(wrong)
}

/// The rows of a text, if it keeps to the limits of the file.
fn understood(text: &str) -> Result<Vec<ExcludeTable>, String> {
    if text.len() > LONGEST {
        return Err(format!("over {} MiB", LONGEST >> 20));
    }
    let written: Written = toml::from_str(text).map_err(|error| error.to_string().trim_end().to_owned())?;
    if written.exclude.len() > MOST {
        return Err(format!("over {MOST} exclusions"));
    }
    Ok(written.exclude)
}

/// The whole file for these rows; none where it would not be read again as they are.
pub(crate) fn whole(rows: &[ExcludeTable]) -> Option<String> {
    let whole = format!("{HEAD}{}", text(rows).ok()?);
    understood(&whole).is_ok_and(|read| read == rows).then_some(whole)
}

/// Rows as they stand in the file.
pub(crate) fn text(rows: &[ExcludeTable]) -> Result<String, toml::ser::Error> {
    toml::to_string(&Written { exclude: rows.to_vec() })
}

/// Why the file does not say for certain what it should.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unwritten {
    /// What stood in it stands.
    Nothing,
    /// The new rows stand in it, but a loss of power may bring the old ones back.
    Unsynced,
}

/// Makes what a folder lists outlast a loss of power.
pub(crate) type FolderSync = fn(&Path) -> io::Result<()>;

/// As the system does it.
pub(crate) fn sync(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Writes the file: when this succeeds, it outlasts a loss of power. What would not be read again is not written.
pub(crate) fn write(data: &Path, rows: &[ExcludeTable], sync: FolderSync) -> Result<(), Unwritten> {
    place(data, rows).map_err(|_| Unwritten::Nothing)?;
    sync(data).map_err(|_| Unwritten::Unsynced)
}

/// Puts a new file in the place of the one that stands.
pub(crate) fn place(data: &Path, rows: &[ExcludeTable]) -> io::Result<()> {
    let whole = whole(rows).ok_or(io::ErrorKind::FileTooLarge)?;
    let (path, fresh) = (path(data), data.join(format!("{FILE}.new")));
    // One that a crash left is in nobody's way.
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&fresh)?;
    file.write_all(whole.as_bytes())?;
    file.sync_all()?;
    std::fs::rename(&fresh, &path)
}

/// What an exclusion is known by: the same for the same routes, rules and target, whoever made it.
pub(crate) fn id(row: &ExcludeTable) -> String {
    let mut routes = row.routes.clone();
    routes.sort_unstable();
    routes.dedup();
    // No part holds the end of a line: names and targets have none, and of hand-written ones it only matters that they differ.
    let whole = format!("{}\n{}\n{}", routes.join(","), row.rules, row.target.as_deref().unwrap_or_default());
    data_encoding::HEXLOWER.encode(&seal::sha256(whole.as_bytes())[..8])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(rules: &str) -> ExcludeTable {
        ExcludeTable {
            routes: vec!["workers".to_owned()],
            rules: rules.to_owned(),
            target: Some("ARGS:note".to_owned()),
            because: Some("\"prose\" = [x]\\ 'ä' # [[exclude]]".to_owned()),
            since: Some("2026-11-27T12:00:00Z".to_owned()),
            by: Some("pri_01kb2c3d4e5f6g7h8j9kamnpqr".to_owned()),
        }
    }

    #[test]
    fn what_was_written_is_read() {
        let folder = tempfile::tempdir().expect("a folder");
        assert_eq!(read(folder.path()).expect("no file"), Vec::new());
        for rows in [
            vec![
                row("1"),
                row("tag:attack-sqli"),
                ExcludeTable { rules: "2".into(), ..ExcludeTable::default() },
            ],
            Vec::new(),
        ] {
            write(folder.path(), &rows, sync).expect("written");
            assert_eq!(read(folder.path()).expect("read"), rows);
        }
        let mode = std::os::unix::fs::PermissionsExt::mode(
            &std::fs::metadata(path(folder.path())).expect("there").permissions(),
        );
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn a_write_that_fails_leaves_what_stood() {
        let folder = tempfile::tempdir().expect("a folder");
        write(folder.path(), &[row("1")], sync).expect("written");
        // A full disk, in the place where the new file is made.
        std::os::unix::fs::symlink("/dev/full", folder.path().join(format!("{FILE}.new"))).expect("a link");
        assert!(write(folder.path(), &[row("2")], sync).is_err());
        assert_eq!(read(folder.path()).expect("read"), [row("1")]);
        // What a crash left half written is not looked at, and goes with the next change.
        std::fs::remove_file(folder.path().join(format!("{FILE}.new"))).expect("removed");
        std::fs::write(folder.path().join(format!("{FILE}.new")), "[[exclude]]\nrul").expect("torn");
        assert_eq!(read(folder.path()).expect("read"), [row("1")]);
        write(folder.path(), &[row("3")], sync).expect("written");
        assert_eq!(read(folder.path()).expect("read"), [row("3")]);
    }

    #[test]
    fn a_file_that_is_none_is_named_and_nothing_is_guessed() {
        let folder = tempfile::tempdir().expect("a folder");
        for (text, said) in [
            ("[[exclude]]\nrule = \"1\"\n", "unknown field"),
            ("[[exclude]]\nroutes = [\"a\"]\n", "missing field"),
            ("[[exclud]]\nrules = \"1\"\n", "unknown field"),
            ("\u{0}", ""),
        ] {
            std::fs::write(path(folder.path()), text).expect("written");
            let problem = read(folder.path()).expect_err("refused");
            assert!(problem.what.contains(FILE) && problem.what.contains(said), "{}", problem.what);
        }
        std::fs::write(path(folder.path()), "[[exclude]]\nrules = \"1\"\n".repeat(MOST + 1))
            .expect("written");
        assert!(read(folder.path()).expect_err("too many").what.contains("1000"));
    }

    #[test]
    fn what_would_not_be_read_again_is_not_written() {
        let folder = tempfile::tempdir().expect("a folder");
        write(folder.path(), &[row("1")], sync).expect("written");
        let target = |length| Some(format!("ARGS:{}", "x".repeat(length)));
        let large = |length| ExcludeTable { target: target(length), ..row("2") };
        // Two that are fine by themselves and too long together; one whose escapes make it too long; too many.
        let escaped = ExcludeTable { target: Some("\u{1}".repeat(LONGEST / 5)), ..row("3") };
        let many: Vec<ExcludeTable> = (0..=MOST).map(|id| row(&id.to_string())).collect();
        for rows in [vec![large(LONGEST / 2), large(LONGEST / 2)], vec![escaped], many] {
            assert!(write(folder.path(), &rows, sync).is_err() && whole(&rows).is_none());
            assert_eq!(read(folder.path()).expect("read"), [row("1")], "what stood stands");
        }
        let most = [large(LONGEST - 1_000)];
        write(folder.path(), &most, sync).expect("written");
        assert_eq!(read(folder.path()).expect("read"), most);
    }

    #[test]
    fn an_id_is_that_of_what_is_excluded() {
        let other = ExcludeTable { because: None, since: None, by: None, ..row("1") };
        assert_eq!(id(&row("1")), id(&other), "whoever made it");
        assert_eq!(id(&row("1")).len(), 16);
        for different in [
            row("2"),
            ExcludeTable { target: None, ..row("1") },
            ExcludeTable { routes: Vec::new(), ..row("1") },
            ExcludeTable { routes: vec!["workers".into(), "a".into()], ..row("1") },
        ] {
            assert_ne!(id(&row("1")), id(&different));
        }
    }
}
