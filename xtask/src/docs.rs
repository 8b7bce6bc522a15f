//! Documents that do not rot: links lead somewhere; files, tests and verbs that are named exist; the table of crates in
//! ARCHITECTURE.md is the one that `layers` holds the manifests against.

use std::collections::{BTreeSet, HashSet};
use std::fmt;
use std::path::{Path, PathBuf};

use crate::{Verb, workspace};

/// Something in a document that is not so.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fault {
    /// A link to a file that is not there.
    Link { place: String, target: String },
    /// A link to a heading that is not there.
    Heading { place: String, target: String },
    /// A file named in the text that is not there.
    File { place: String, named: String },
    /// A test or another function named in the text that is not there.
    Function { place: String, named: String },
    /// `cargo xtask` with a verb that does not exist.
    Verb { place: String, verb: String },
    /// A crate whose row in the table is missing or not what is checked.
    Row { krate: String, written: Option<String>, held: String },
}

impl fmt::Display for Fault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Link { place, target } => write!(out, "{place}: the link to {target} leads nowhere"),
            Self::Heading { place, target } => write!(out, "{place}: no heading {target}"),
            Self::File { place, named } => write!(out, "{place}: {named} does not exist"),
            Self::Function { place, named } => write!(out, "{place}: there is no function {named}"),
            Self::Verb { place, verb } => write!(out, "{place}: cargo xtask has no verb {verb}"),
            Self::Row { krate, written: Some(written), held } => {
                write!(
                    out,
                    "ARCHITECTURE.md: {krate} may depend on `{written}`, but the check holds `{held}`"
                )
            }
            Self::Row { krate, written: None, held } => {
                write!(out, "ARCHITECTURE.md: no row for {krate} (may depend on `{held}`)")
            }
        }
    }
}

/// One document.
#[derive(Debug)]
pub(crate) struct Document {
    /// Relative to the root.
    pub(crate) path: PathBuf,
    pub(crate) text: String,
}

/// Reads every Markdown file of the project: at the root, in `docs`, `fuzz`, and beside each crate.
pub(crate) fn load(root: &Path) -> std::io::Result<Vec<Document>> {
    let mut folders = vec![PathBuf::new(), PathBuf::from("docs"), PathBuf::from("fuzz")];
    for entry in std::fs::read_dir(root.join("crates"))? {
        folders.push(Path::new("crates").join(entry?.file_name()));
    }
    let mut paths = Vec::new();
    for folder in folders.iter().filter(|folder| root.join(folder).is_dir()) {
        for entry in std::fs::read_dir(root.join(folder))? {
            paths.push(folder.join(entry?.file_name()));
        }
    }
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "md"));
    paths.sort();
    let read = |path: PathBuf| std::fs::read_to_string(root.join(&path)).map(|text| Document { path, text });
    paths.into_iter().map(read).collect()
}

/// What the project has that a document can name.
pub(crate) struct Inventory<'a> {
    /// Whether a path relative to the root exists.
    pub(crate) exists: &'a dyn Fn(&Path) -> bool,
    /// Names of all functions.
    pub(crate) functions: HashSet<String>,
}

/// The names of all functions in the project's sources.
pub(crate) fn functions(root: &Path) -> std::io::Result<HashSet<String>> {
    let mut names = HashSet::new();
    for path in workspace::sources(root)? {
        let text = std::fs::read_to_string(root.join(path))?;
        let after = text.split("fn ").skip(1);
        let name = |rest: &str| {
            rest.split(|one: char| !one.is_ascii_alphanumeric() && one != '_').next().map(str::to_owned)
        };
        names.extend(after.filter_map(name));
    }
    Ok(names)
}

/// Looks for what is not so.
pub(crate) fn check(documents: &[Document], inventory: &Inventory<'_>) -> BTreeSet<Fault> {
    let mut faults = BTreeSet::new();
    for document in documents {
        for (number, line) in document.text.lines().enumerate() {
            let place = format!("{}:{}", document.path.display(), number + 1);
            faults.extend(check_line(document, documents, inventory, line, &place));
        }
    }
    faults
}

fn check_line(
    document: &Document,
    documents: &[Document],
    inventory: &Inventory<'_>,
    line: &str,
    place: &str,
) -> Vec<Fault> {
    let place = || place.to_owned();
    let near = document.path.parent().unwrap_or(Path::new(""));
    let is_there = |named: &&str| {
        let folders = [Path::new(""), Path::new("crates"), near];
        folders.iter().any(|folder| (inventory.exists)(&folder.join(named)))
    };
    let mut faults: Vec<Fault> =
        targets(line).filter_map(|to| follow(document, documents, to, inventory.exists, place())).collect();
    let files = named_files(line).filter(|named| !is_there(named));
    faults.extend(files.map(|named| Fault::File { place: place(), named: named.to_owned() }));
    let functions = named_functions(line).filter(|named| !inventory.functions.contains(*named));
    faults.extend(functions.map(|named| Fault::Function { place: place(), named: named.to_owned() }));
    let verbs = named_verbs(line).filter(|verb| Verb::parse(Some(verb)).is_none());
    faults.extend(verbs.map(|verb| Fault::Verb { place: place(), verb: verb.to_owned() }));
    faults
}

/// Targets of the inline links in a line.
fn targets(line: &str) -> impl Iterator<Item = &str> {
    line.split("](").skip(1).filter_map(|rest| rest.split(')').next())
}

fn follow(
    document: &Document,
    documents: &[Document],
    target: &str,
    exists: &dyn Fn(&Path) -> bool,
    place: String,
) -> Option<Fault> {
    if target.contains("://") || target.starts_with("mailto:") {
        return None;
    }
    let (file, heading) = target.split_once('#').unwrap_or((target, ""));
    let folder = document.path.parent().unwrap_or(Path::new(""));
    let path = if file.is_empty() { Some(document.path.clone()) } else { flatten(&folder.join(file)) };
    let Some(path) = path.filter(|path| exists(path)) else {
        return Some(Fault::Link { place, target: target.to_owned() });
    };
    let other = documents.iter().find(|other| other.path == path)?;
    let found = heading.is_empty() || headings(&other.text).any(|known| known == heading);
    (!found).then(|| Fault::Heading { place, target: target.to_owned() })
}

/// The path without `.` and `..`; `None` when it leaves the root.
fn flatten(path: &Path) -> Option<PathBuf> {
    let mut flat = PathBuf::new();
    for part in path.components() {
        match part {
            std::path::Component::ParentDir => flat.pop().then_some(())?,
            std::path::Component::CurDir => {}
            other => flat.push(other),
        }
    }
    Some(flat)
}

/// Anchors of the headings, as they are usually made: lower case, words joined by hyphens, the rest left out.
fn headings(text: &str) -> impl Iterator<Item = String> {
    let titles = text.lines().filter(|line| line.starts_with('#')).map(|line| line.trim_start_matches('#'));
    titles.map(|title| {
        let kept = title.trim().chars().filter(|one| one.is_alphanumeric() || matches!(one, ' ' | '-' | '_'));
        kept.map(|one| if one == ' ' { '-' } else { one.to_ascii_lowercase() }).collect()
    })
}

/// Source files and documents named in backticks, such as `seal/src/shred.rs`.
fn named_files(line: &str) -> impl Iterator<Item = &str> {
    let quoted = line.split('`').skip(1).step_by(2);
    quoted.filter(|text| {
        let plain = text.chars().all(|one| one.is_ascii_alphanumeric() || "/._-".contains(one));
        let kind = text.ends_with(".rs") || text.ends_with(".md") || text.ends_with(".toml");
        plain && kind && text.contains('/') && !text.starts_with('/')
    })
}

/// Functions named in backticks: five words or more joined by underscores, as only tests are called.
fn named_functions(line: &str) -> impl Iterator<Item = &str> {
    let quoted = line.split('`').skip(1).step_by(2);
    quoted.filter(|text| {
        let plain = text.chars().all(|one| one.is_ascii_lowercase() || one.is_ascii_digit() || one == '_');
        plain && text.split('_').filter(|word| !word.is_empty()).count() >= 5
    })
}

/// The word after each `cargo xtask`.
fn named_verbs(line: &str) -> impl Iterator<Item = &str> {
    let after = line.split("cargo xtask ").skip(1);
    after
        .filter_map(|rest| rest.split(|one: char| !one.is_ascii_alphanumeric()).next())
        .filter(|verb| !verb.is_empty())
}

/// Holds the table of crates in `text` against what `layers` holds: each crate with what it may use.
pub(crate) fn check_table(text: &str, held: &[(String, String)]) -> Vec<Fault> {
    let rows: Vec<(&str, &str)> = text.lines().filter_map(row).collect();
    let wrong = |(krate, held): &(String, String)| {
        let written = rows.iter().find(|(name, _)| name == krate).map(|(_, uses)| (*uses).to_owned());
        let fault = Fault::Row { krate: krate.clone(), written: written.clone(), held: held.clone() };
        (written.as_deref() != Some(held)).then_some(fault)
    };
    held.iter().filter_map(wrong).collect()
}

/// Name and last cell of a row whose first cell is one name in backticks.
fn row(line: &str) -> Option<(&str, &str)> {
    let mut cells = line.strip_prefix('|')?.strip_suffix('|')?.split('|').map(str::trim);
    let name = cells.next()?.strip_prefix('`')?.strip_suffix('`').filter(|name| !name.contains('`'))?;
    Some((name, cells.next_back()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(text: &str) -> Vec<Fault> {
        let there = ["README.md", "docs/a.md", "docs/b.md", "crates/seal/src/shred.rs"];
        let documents = [
            Document { path: PathBuf::from("docs/a.md"), text: text.to_owned() },
            Document { path: PathBuf::from("docs/b.md"), text: "# One\n\n## Two words, *here*\n".to_owned() },
        ];
        let exists = |path: &Path| there.iter().any(|known| Path::new(known) == path);
        let functions = HashSet::from(["an_old_row_does_not_open".to_owned()]);
        check(&documents, &Inventory { exists: &exists, functions }).into_iter().collect()
    }

    #[test]
    fn links_that_lead_somewhere_pass() {
        let good = [
            "[b](b.md)",
            "[b](b.md#two-words-here) and [up](../README.md)",
            "# Here\n[self](#here)",
            "[out](https://example.org/x.md)",
            "`seal/src/shred.rs` and `crates/seal/src/shred.rs`, `obhut.toml`, `/etc/x/y.toml`, `a/b`",
            "`cargo xtask test` and cargo xtask fuzz id --seconds 5",
            "`an_old_row_does_not_open`, `no_permission`",
        ];
        for text in good {
            assert_eq!(faults(text), [], "{text}");
        }
    }

    #[test]
    fn links_that_lead_nowhere_are_found() {
        let place = || "docs/a.md:1".to_owned();
        let target = |target: &str| target.to_owned();
        let link = |to: &str| [Fault::Link { place: place(), target: target(to) }];
        assert_eq!(faults("[c](c.md)"), link("c.md"));
        assert_eq!(faults("[b](docs/b.md)"), link("docs/b.md"));
        assert_eq!(faults("[up](../../README.md)"), link("../../README.md"));
        let heading = [Fault::Heading { place: place(), target: target("b.md#three") }];
        assert_eq!(faults("[b](b.md#three)"), heading);
    }

    #[test]
    fn names_of_nothing_are_found() {
        let place = || "docs/a.md:1".to_owned();
        let file = [Fault::File { place: place(), named: "seal/src/gone.rs".to_owned() }];
        assert_eq!(faults("see `seal/src/gone.rs`"), file);
        let function = [Fault::Function { place: place(), named: "an_old_row_is_gone".to_owned() }];
        assert_eq!(faults("shown by `an_old_row_is_gone`"), function);
        let verb = [Fault::Verb { place: place(), verb: "tset".to_owned() }];
        assert_eq!(faults("run `cargo xtask tset`"), verb);
    }

    #[test]
    fn the_table_must_say_what_is_held() {
        let held = [("model".to_owned(), "–".to_owned()), ("seal".to_owned(), "model".to_owned())];
        let good =
            "| crate | x | y |\n|---|---|---|\n| `model` | nouns | – |\n| `seal` | ciphers | model |\n";
        assert_eq!(check_table(good, &held), []);
        let wrong = check_table(&good.replace("ciphers | model", "ciphers | model, store"), &held);
        assert!(matches!(wrong.as_slice(), [Fault::Row { written: Some(_), .. }]), "{wrong:?}");
        let missing = check_table("| `model` | nouns | – |\n", &held);
        assert!(matches!(missing.as_slice(), [Fault::Row { written: None, .. }]), "{missing:?}");
    }
}
