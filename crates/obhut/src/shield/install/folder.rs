//! The folder that holds the versions: one folder each, and two links that say which counts and which counted before.

use super::CURRENT;
use super::archive::Member;
use crate::system::Problem;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// The link to the version that counted before.
pub(super) const PREVIOUS: &str = "previous";
/// Files that people write beside the rules of a release.
const OWN: [&str; 3] = [
    "crs-setup.conf",
    "rules/REQUEST-900-EXCLUSION-RULES-BEFORE-CRS.conf",
    "rules/RESPONSE-999-EXCLUSION-RULES-AFTER-CRS.conf",
];
/// Most files that are carried over, and the largest.
const CARRIED: usize = 500;
const CARRIED_BYTES: u64 = 4 << 20;

/// Makes what a folder lists outlast a loss of power.
type FolderSync = Box<dyn Fn(&Path) -> io::Result<()>>;

/// The folder.
pub(super) struct Folder {
    path: PathBuf,
    sync: FolderSync,
}

/// A version that does not count yet, and goes if it never does.
pub(super) struct Staged {
    path: PathBuf,
    kept: bool,
}

impl Staged {
    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        if !self.kept {
            // What cannot be removed is hidden, and no version.
            let _ = fs::remove_dir_all(&self.path);
        }
    }
}

fn cannot(what: &str, path: &Path) -> impl FnOnce(io::Error) -> Problem {
    let text = format!("cannot {what} {}", path.display());
    move |error| Problem::with_help(format!("{text}: {error}"), "is the folder writable, and is there room?")
}

impl Folder {
    pub(super) fn new(path: &Path) -> Self {
        Self::synced_by(path, Box::new(|folder| File::open(folder)?.sync_all()))
    }

    fn synced_by(path: &Path, sync: FolderSync) -> Self {
        Self { path: path.to_owned(), sync }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The version to which a link leads; none where it leads to no folder in here.
    pub(super) fn target(&self, link: &str) -> Option<String> {
        let target = fs::read_link(self.path.join(link)).ok()?;
        let name = target.to_str().filter(|name| !name.contains('/') && *name != "." && *name != "..")?;
        self.path.join(name).symlink_metadata().ok().filter(fs::Metadata::is_dir)?;
        Some(name.to_owned())
    }

    /// Makes the folder and those above it that are missing; each is entered where it lies.
    fn make(&self) -> Result<(), Problem> {
        let missing =
            self.path.ancestors().take_while(|folder| !folder.as_os_str().is_empty() && !folder.exists());
        let missing: Vec<&Path> = missing.collect();
        fs::create_dir_all(&self.path).map_err(cannot("make", &self.path))?;
        for made in missing {
            let above = made.parent().filter(|above| !above.as_os_str().is_empty());
            self.sync(above.unwrap_or(Path::new(".")))?;
        }
        Ok(())
    }

    fn sync(&self, folder: &Path) -> Result<(), Problem> {
        (self.sync)(folder).map_err(cannot("write", folder))
    }

    /// A version's folder and all in it. A file that was written is only found again if the folder that lists it was, too.
    fn sync_all(&self, version: &Path) -> Result<(), Problem> {
        let mut folders = vec![version.to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(&folder).map_err(cannot("read", &folder))? {
                let entry = entry.map_err(cannot("read", &folder))?;
                if entry.file_type().map_err(cannot("read", &entry.path()))?.is_dir() {
                    folders.push(entry.path());
                }
            }
            self.sync(&folder)?;
        }
        Ok(())
    }

    /// Writes files into a new folder beside the versions, each to the disk.
    pub(super) fn stage(&self, members: &[Member]) -> Result<Staged, Problem> {
        self.make()?;
        let path = self.path.join(format!(".new-{}", std::process::id()));
        fs::create_dir(&path).map_err(cannot("make", &path))?;
        let staged = Staged { path, kept: false };
        for (name, bytes) in members {
            write_new(&staged.path.join(name), bytes)?;
        }
        Ok(staged)
    }

    /// Copies what people wrote beside the rules that count now, where the new ones bring nothing of that name.
    pub(super) fn carry_over(&self, staged: &Staged) -> Result<Vec<String>, Problem> {
        let Some(current) = self.target(CURRENT).map(|name| self.path.join(name)) else {
            return Ok(Vec::new());
        };
        let mut names: Vec<String> = OWN.map(str::to_owned).to_vec();
        let plugins = fs::read_dir(current.join("plugins")).into_iter().flatten().flatten();
        let mut plugins: Vec<_> = plugins.filter_map(|entry| entry.file_name().into_string().ok()).collect();
        plugins.sort();
        names.extend(plugins.into_iter().take(CARRIED).map(|name| format!("plugins/{name}")));
        let mut carried = Vec::new();
        for name in names {
            let (from, to) = (current.join(&name), staged.path.join(&name));
            // Links are left where they are: who made one knows where it shall lead.
            let is_file = |found: &fs::Metadata| found.is_file() && found.len() <= CARRIED_BYTES;
            if !from.symlink_metadata().is_ok_and(|found| is_file(&found)) || to.symlink_metadata().is_ok() {
                continue;
            }
            write_new(&to, &fs::read(&from).map_err(cannot("read", &from))?)?;
            carried.push(name);
        }
        Ok(carried)
    }

    /// Gives a staged version its name. One that is there by that name was unpacked from the same archive; it is replaced,
    /// under another name, since settings may have been carried over into it.
    pub(super) fn keep(&self, mut staged: Staged, name: &str) -> Result<String, Problem> {
        let free = |name: &String| self.path.join(name).symlink_metadata().is_err();
        let mut names = std::iter::once(name.to_owned()).chain((2..100).map(|more| format!("{name}-{more}")));
        let name = names.find(free).ok_or_else(|| {
            Problem::with_help(
                format!("{} holds this version a hundred times", self.path.display()),
                "remove those that neither `current` nor `previous` leads to",
            )
        })?;
        let to = self.path.join(&name);
        self.sync_all(&staged.path)?;
        fs::rename(&staged.path, &to).map_err(cannot("make", &to))?;
        staged.kept = true;
        self.sync(&self.path)?;
        Ok(name)
    }

    /// Lets a version count; returns the one that did, which stands as the one before from now on.
    pub(super) fn switch(&self, name: &str) -> Result<Option<String>, Problem> {
        let before = self.target(CURRENT);
        self.link(CURRENT, name)?;
        if let Some(before) = before.as_deref().filter(|before| *before != name) {
            self.link(PREVIOUS, before)?;
        }
        self.sync(&self.path)?;
        Ok(before)
    }

    /// Points a link elsewhere, at once: whoever reads it finds the old or the new one.
    fn link(&self, link: &str, target: &str) -> Result<(), Problem> {
        let path = self.path.join(link);
        if path.symlink_metadata().is_ok_and(|found| !found.is_symlink()) {
            return Err(Problem::with_help(
                format!("{} is no link", path.display()),
                "move it away: `obhut rules install` makes a link there",
            ));
        }
        let new = self.path.join(format!(".{link}-{}", std::process::id()));
        let _ = fs::remove_file(&new);
        std::os::unix::fs::symlink(target, &new).map_err(cannot("make", &new))?;
        fs::rename(&new, &path).map_err(cannot("switch", &path))
    }
}

fn write_new(path: &Path, bytes: &[u8]) -> Result<(), Problem> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(cannot("make", folder))?;
    }
    let file = OpenOptions::new().write(true).create_new(true).open(path);
    let mut file = file.map_err(cannot("write", path))?;
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(cannot("write", path))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;
    use std::rc::Rc;

    const FILES: [&str; 3] = ["crs-setup.conf", "rules/a.conf", "util/deep/er/b.data"];

    fn members() -> Vec<Member> {
        FILES.iter().map(|name| ((*name).into(), b"#".to_vec())).collect()
    }

    #[test]
    fn every_folder_that_was_made_is_synced_before_the_version_counts() {
        let dir = tempfile::tempdir().expect("folder");
        let place = dir.path().join("not/there");
        let seen: Rc<RefCell<Vec<PathBuf>>> = Rc::default();
        let log = seen.clone();
        let note = move |folder: &Path| {
            log.borrow_mut().push(folder.to_owned());
            Ok(())
        };
        let folder = Folder::synced_by(&place, Box::new(note));
        let old = folder.stage(&members()).expect("staged");
        folder.switch(&folder.keep(old, "crs-1").expect("kept")).expect("switched");
        fs::create_dir(place.join("crs-1/plugins")).expect("made");
        fs::write(place.join("crs-1/plugins/own.conf"), "#").expect("written");
        for made in [dir.path().to_owned(), dir.path().join("not")] {
            assert!(seen.borrow().contains(&made), "the folder of versions is entered");
        }
        seen.borrow_mut().clear();
        let staged = folder.stage(&members()).expect("staged");
        folder.carry_over(&staged).expect("carried over");
        let path = staged.path().to_owned();
        let name = folder.keep(staged, "crs-2").expect("kept");
        let synced = seen.borrow().clone();
        for made in ["", "rules", "util", "util/deep", "util/deep/er", "plugins"] {
            assert!(synced.contains(&path.join(made)), "{made}: {synced:?}");
        }
        assert_eq!(synced.last(), Some(&place), "then the version gets its name");
        assert_eq!((folder.target(CURRENT).as_deref(), &*name), (Some("crs-1"), "crs-2"), "before it counts");
    }

    #[test]
    fn what_cannot_be_synced_does_not_count() {
        let dir = tempfile::tempdir().expect("folder");
        let failing = |folder: &Path| match folder.ends_with("rules") {
            true => Err(io::Error::other("the disk is gone")),
            false => Ok(()),
        };
        let folder = Folder::synced_by(dir.path(), Box::new(failing));
        let staged = folder.stage(&members()).expect("staged");
        let problem = folder.keep(staged, "crs-1").expect_err("not kept");
        assert!(problem.what.contains("rules: the disk is gone"), "{}", problem.what);
        assert_eq!(fs::read_dir(dir.path()).expect("a folder").count(), 0, "nothing is left of it");
    }
}
