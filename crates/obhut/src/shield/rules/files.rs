//! Files of rules on disk, read within limits and below their folders alone; and those that the program brings along.

use super::amended::{Amended, Amender};
use super::embedded;
use shield::Files;
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::fmt;
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// Largest file. The largest of CRS 4 has 100 KiB.
pub(super) const FILE_BYTES: u64 = 4 << 20;
/// Most bytes of all files together.
pub(super) const ALL_BYTES: u64 = 64 << 20;
/// Most files, data included.
pub(super) const FILES: usize = 1_000;
/// Most entries of a folder that are looked at.
const ENTRIES: usize = 10_000;
/// How the names of texts begin that come from no folder.
const OWN: &str = "obhut:";

/// Why a file was not read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Why {
    /// It is not there, or may not be read.
    Io(String),
    /// It lies outside of the folder, or a link leads out of it.
    Outside,
    /// A folder, a device, a pipe.
    NotAFile,
    /// Larger than the limit for one file.
    TooLarge,
    /// There are too many files, or they are too large together.
    TooMuch,
    /// Not UTF-8.
    NotText,
    /// A folder with too many entries.
    Crowded,
    /// A folder in which an entry has a name that is not UTF-8: this, as far as it can be shown.
    NoName(String),
}

impl fmt::Display for Why {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => out.write_str(error),
            Self::Outside => out.write_str("it lies outside of the folder of the rules"),
            Self::NotAFile => out.write_str("it is no regular file"),
            Self::TooLarge => write!(out, "it is larger than {} MiB", FILE_BYTES >> 20),
            Self::TooMuch => {
                write!(out, "there are more than {FILES} files, or more than {} MiB", ALL_BYTES >> 20)
            }
            Self::NotText => out.write_str("it is not UTF-8"),
            Self::Crowded => write!(out, "it is a folder of more than {ENTRIES} entries"),
            Self::NoName(shown) => write!(out, "it is a folder with a name in it that is not UTF-8: {shown}"),
        }
    }
}

/// Where rules and their data are read from.
pub(super) struct Library {
    /// The folders, without links.
    roots: Vec<PathBuf>,
    /// Texts of the program's own, by name.
    texts: BTreeMap<String, Vec<u8>>,
    files: Cell<usize>,
    bytes: Cell<u64>,
    refused: RefCell<BTreeMap<String, Why>>,
    /// For rule sets of which some rules are put in other words.
    amender: Option<RefCell<Amender>>,
}

impl Library {
    /// A library of these folders. A folder that is itself a link is followed; links below it may not lead out.
    pub(super) fn new(roots: &[PathBuf]) -> Self {
        Self {
            roots: roots.iter().filter_map(|root| root.canonicalize().ok()).collect(),
            texts: BTreeMap::new(),
            files: Cell::new(0),
            bytes: Cell::new(0),
            refused: RefCell::default(),
            amender: None,
        }
    }

    /// Amends the files that are read from now on, as rules of CRS 3 need it.
    pub(super) fn amending(&mut self) {
        self.amender = Some(RefCell::default());
    }

    /// Adds a text of the program's own, and says by which name it is known.
    pub(super) fn add(&mut self, name: &str, text: impl Into<Vec<u8>>) -> String {
        let name = format!("{OWN}{name}");
        self.texts.insert(name.clone(), text.into());
        name
    }

    /// Files that were read so far, and their bytes.
    pub(super) fn counted(&self) -> (usize, u64) {
        (self.files.get(), self.bytes.get())
    }

    /// A text as it stands, without keeping in mind that it was asked for.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        match self.texts.get(name) {
            Some(text) => String::from_utf8(text.clone()).ok(),
            None => String::from_utf8(self.bytes_of(Path::new(name)).ok()?).ok(),
        }
    }

    /// What was not read, and why.
    pub(super) fn into_refused(self) -> BTreeMap<String, Why> {
        self.refused.into_inner()
    }

    /// Rules that were amended.
    pub(super) fn into_amended(self) -> Vec<Amended> {
        self.amender.map(|amender| amender.into_inner().into_amended()).unwrap_or_default()
    }

    fn note<T>(&self, name: &str, read: Result<T, Why>) -> Option<T> {
        match read {
            Ok(read) => Some(read),
            Err(why) => {
                self.refused.borrow_mut().insert(name.to_owned(), why);
                None
            }
        }
    }

    /// Whether a path, links followed, lies below one of the folders.
    fn within(&self, path: &Path) -> Result<PathBuf, Why> {
        let real = path.canonicalize().map_err(|error| Why::Io(error.to_string()))?;
        if self.roots.iter().any(|root| real.starts_with(root)) { Ok(real) } else { Err(Why::Outside) }
    }

    fn bytes_of(&self, path: &Path) -> Result<Vec<u8>, Why> {
        let io = |error: std::io::Error| Why::Io(error.to_string());
        let real = self.within(path)?;
        // Looked at before it is opened, since opening a pipe waits.
        if !std::fs::metadata(&real).map_err(io)?.is_file() {
            return Err(Why::NotAFile);
        }
        if self.files.get() >= FILES {
            return Err(Why::TooMuch);
        }
        let mut bytes = Vec::new();
        std::fs::File::open(&real).map_err(io)?.take(FILE_BYTES + 1).read_to_end(&mut bytes).map_err(io)?;
        let length = bytes.len() as u64;
        if length > FILE_BYTES {
            return Err(Why::TooLarge);
        }
        if self.bytes.get() + length > ALL_BYTES {
            return Err(Why::TooMuch);
        }
        self.files.set(self.files.get() + 1);
        self.bytes.set(self.bytes.get() + length);
        Ok(bytes)
    }

    /// A file of data: beside the rule that names it, or below one of the folders.
    fn found_data(&self, from: &str, name: &str) -> Result<Vec<u8>, Why> {
        let beside = Path::new(from).parent().unwrap_or(Path::new(""));
        let mut first = None;
        let folders = std::iter::once(beside).chain(self.roots.iter().map(PathBuf::as_path));
        for folder in folders {
            match self.bytes_of(&folder.join(name)) {
                Ok(bytes) => return Ok(bytes),
                Err(why) => first = first.or(Some(why)),
            }
        }
        Err(first.unwrap_or(Why::Outside))
    }
}

impl Files for Library {
    fn read(&self, name: &str) -> Option<Vec<u8>> {
        if let Some(text) = self.texts.get(name) {
            return Some(text.clone());
        }
        // A folder that could not be listed stands for what would have been found in it.
        if self.refused.borrow().contains_key(name) {
            return None;
        }
        let bytes = self.bytes_of(Path::new(name));
        let text = bytes.and_then(|bytes| String::from_utf8(bytes).map_err(|_| Why::NotText));
        let text = text.map(|text| match &self.amender {
            Some(amender) => amender.borrow_mut().amend(name, &text),
            None => text,
        });
        self.note(name, text.map(String::into_bytes))
    }

    fn data(&self, from: &str, name: &str) -> Option<Vec<u8>> {
        match from.strip_prefix(OWN) {
            Some(_) => embedded::data(name).map(<[u8]>::to_vec),
            None => self.note(name, self.found_data(from, name)),
        }
    }

    fn matching(&self, from: &str, pattern: &str) -> Vec<String> {
        if from.starts_with(OWN) {
            return Vec::new();
        }
        let path = Path::new(from).parent().unwrap_or(Path::new("")).join(pattern);
        if !pattern.contains(['*', '?']) {
            return match self.within(&path) {
                Ok(_) => vec![path.display().to_string()],
                Err(why) => self.note(pattern, Err(why)).unwrap_or_default(),
            };
        }
        let (Some(folder), Some(last)) = (path.parent(), path.file_name().and_then(|name| name.to_str()))
        else {
            return Vec::new();
        };
        match self.within(folder) {
            Ok(_) => listed(folder, |name| fits(last.as_bytes(), name)).unwrap_or_else(|why| {
                let folder = folder.display().to_string();
                self.refused.borrow_mut().insert(folder.clone(), why);
                vec![folder]
            }),
            Err(why) => self.note(pattern, Err(why)).unwrap_or_default(),
        }
    }
}

/// Paths of the entries of a folder whose names are wanted, in order of their names: all of them, or why not.
pub(super) fn listed(folder: &Path, wanted: impl Fn(&[u8]) -> bool) -> Result<Vec<String>, Why> {
    let io = |error: std::io::Error| Why::Io(error.to_string());
    let mut names = Vec::new();
    for (number, entry) in std::fs::read_dir(folder).map_err(io)?.enumerate() {
        if number == ENTRIES {
            return Err(Why::Crowded);
        }
        let name = entry.map_err(io)?.file_name();
        if wanted(name.as_bytes()) {
            names.push(name.into_string().map_err(|name| Why::NoName(name.to_string_lossy().into_owned()))?);
        }
    }
    names.sort();
    Ok(names.into_iter().map(|name| folder.join(name).display().to_string()).collect())
}

/// Whether a name fits a pattern in which `*` stands for any bytes and `?` for one. A dot at the beginning is no special.
fn fits(pattern: &[u8], name: &[u8]) -> bool {
    let (mut at, mut of) = (0, 0);
    // Where the last star stands, and up to where the name is its.
    let mut star: Option<(usize, usize)> = None;
    while let Some(&byte) = name.get(of) {
        match pattern.get(at) {
            Some(b'*') => {
                star = Some((at, of));
                at += 1;
            }
            Some(&wanted) if wanted == b'?' || wanted == byte => {
                at += 1;
                of += 1;
            }
            _ => match star {
                Some((from, taken)) => {
                    star = Some((from, taken + 1));
                    at = from + 1;
                    of = taken + 1;
                }
                None => return false,
            },
        }
    }
    pattern.get(at..).unwrap_or_default().iter().all(|&byte| byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    struct Place {
        dir: tempfile::TempDir,
    }

    impl Place {
        fn new() -> Self {
            let place = Self { dir: tempfile::tempdir().expect("folder") };
            std::fs::create_dir_all(place.path("rules/sub")).expect("folder");
            place
        }

        fn path(&self, name: &str) -> PathBuf {
            self.dir.path().join(name)
        }

        fn name(&self, name: &str) -> String {
            self.path(name).display().to_string()
        }

        fn file(&self, name: &str, bytes: &[u8]) {
            std::fs::write(self.path(name), bytes).expect("written");
        }

        fn opened(&self) -> Library {
            Library::new(&[self.path("rules")])
        }
    }

    fn why(library: Library, name: &str) -> Option<Why> {
        library.into_refused().remove(name)
    }

    #[test]
    fn what_lies_outside_is_not_read_by_whatever_way() {
        let place = Place::new();
        place.file("secret.conf", b"SecRuleEngine Off\n");
        place.file("rules/a.conf", b"SecRuleEngine On\n");
        symlink(place.path("secret.conf"), place.path("rules/out.conf")).expect("link");
        symlink(place.path(""), place.path("rules/up")).expect("link");
        symlink(place.path("rules/a.conf"), place.path("rules/sub/in.conf")).expect("link");
        let library = place.opened();
        assert!(library.read(&place.name("rules/a.conf")).is_some());
        assert!(library.read(&place.name("rules/sub/in.conf")).is_some(), "a link that stays within");
        for outside in ["rules/out.conf", "rules/up/secret.conf", "rules/../secret.conf", "secret.conf"] {
            let library = place.opened();
            assert_eq!(library.read(&place.name(outside)), None, "{outside}");
            assert_eq!(why(library, &place.name(outside)), Some(Why::Outside), "{outside}");
        }
        let from = place.name("rules/a.conf");
        for outside in ["out.conf", "../secret.conf", &place.name("secret.conf"), "/etc/passwd"] {
            assert_eq!(place.opened().data(&from, outside), None, "{outside}");
        }
        for outside in ["../*.conf", "up/*.conf", "/etc/*", "../secret.conf"] {
            let library = place.opened();
            assert_eq!(library.matching(&from, outside), Vec::<String>::new(), "{outside}");
            assert_eq!(why(library, outside), Some(Why::Outside), "{outside}");
        }
    }

    #[test]
    fn folders_pipes_and_what_is_no_text_are_refused() {
        let place = Place::new();
        place.file("rules/latin.conf", b"# \xFC\n");
        let pipe = place.path("rules/pipe.conf");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status().expect("mkfifo");
        assert!(made.success());
        for (name, expected) in [
            ("rules/sub", Why::NotAFile),
            ("rules/pipe.conf", Why::NotAFile),
            ("rules/latin.conf", Why::NotText),
        ] {
            let library = place.opened();
            assert_eq!(library.read(&place.name(name)), None, "{name}");
            assert_eq!(why(library, &place.name(name)), Some(expected), "{name}");
        }
        let library = place.opened();
        assert_eq!(library.read(&place.name("rules/none.conf")), None);
        assert!(matches!(why(library, &place.name("rules/none.conf")), Some(Why::Io(_))));
    }

    #[test]
    fn sizes_and_counts_are_limited() {
        let place = Place::new();
        let bytes = |count: u64| vec![b'#'; usize::try_from(count).expect("fits")];
        place.file("rules/most.conf", &bytes(FILE_BYTES));
        place.file("rules/over.conf", &bytes(FILE_BYTES + 1));
        let library = place.opened();
        assert_eq!(library.read(&place.name("rules/over.conf")), None);
        for _ in 0..ALL_BYTES / FILE_BYTES {
            assert!(library.read(&place.name("rules/most.conf")).is_some());
        }
        assert_eq!(library.read(&place.name("rules/most.conf")), None, "all together");
        let refused = library.into_refused();
        assert_eq!(refused[&place.name("rules/over.conf")], Why::TooLarge);
        assert_eq!(refused[&place.name("rules/most.conf")], Why::TooMuch);
        place.file("rules/small.conf", b"#");
        let library = place.opened();
        for _ in 0..FILES {
            assert!(library.read(&place.name("rules/small.conf")).is_some());
        }
        assert_eq!(library.read(&place.name("rules/small.conf")), None, "too many");
    }

    #[test]
    fn data_lie_beside_or_in_the_folder() {
        let place = Place::new();
        place.file("rules/top.data", b"top");
        place.file("rules/both.data", b"far");
        place.file("rules/sub/both.data", b"near");
        let from = place.name("rules/sub/x.conf");
        let library = place.opened();
        assert_eq!(library.data(&from, "top.data").as_deref(), Some(b"top".as_slice()));
        assert_eq!(library.data(&from, "both.data").as_deref(), Some(b"near".as_slice()));
        assert_eq!(library.data(&from, "none.data"), None);
    }

    #[test]
    fn includes_come_in_order_of_their_names() {
        let place = Place::new();
        for name in ["b.conf", "a.conf", "a.conf.example", "c.data", "sub/d.conf"] {
            place.file(&format!("rules/{name}"), b"");
        }
        let from = place.name("rules/all.conf");
        let found = |pattern: &str| {
            let all = place.opened().matching(&from, pattern);
            let base = place.name("rules/");
            all.into_iter().map(|name| name.replace(&base, "")).collect::<Vec<_>>()
        };
        assert_eq!(found("*.conf"), ["a.conf", "b.conf"]);
        assert_eq!(found("?.conf"), ["a.conf", "b.conf"]);
        assert_eq!(found("sub/*"), ["sub/d.conf"]);
        assert_eq!(found("*/d.conf"), [""; 0], "a star stands in the last piece alone");
        assert_eq!(found("a.conf"), ["a.conf"]);
        assert_eq!(found("none*"), [""; 0]);
    }

    #[test]
    fn a_folder_that_cannot_be_listed_whole_is_named() {
        let place = Place::new();
        for name in ["rules/a.conf", "rules/sub/b.conf"] {
            place.file(name, b"");
        }
        let folder = place.name("rules/sub");
        // What is not asked for may be called anything.
        let odd =
            |end: &[u8]| place.path("rules/sub").join(std::ffi::OsStr::from_bytes(&[b"c\xFC", end].concat()));
        std::fs::write(odd(b".txt"), b"").expect("written");
        let found = |library: &Library| library.matching(&place.name("rules/a.conf"), "sub/*.conf");
        assert_eq!(found(&place.opened()), [place.name("rules/sub/b.conf")]);
        std::fs::write(odd(b".conf"), b"").expect("written");
        let library = place.opened();
        assert_eq!(found(&library), std::slice::from_ref(&folder), "the folder stands for what is in it");
        assert_eq!(library.read(&folder), None);
        let refused = library.into_refused();
        assert!(refused[&folder].to_string().contains("c\u{FFFD}.conf"), "{}", refused[&folder]);
        std::fs::remove_file(odd(b".conf")).expect("removed");
        for number in 0..ENTRIES {
            place.file(&format!("rules/sub/{number}"), b"");
        }
        let library = place.opened();
        assert_eq!(found(&library), std::slice::from_ref(&folder));
        assert_eq!(why(library, &folder), Some(Why::Crowded));
        assert!(matches!(listed(&place.path("none"), |_| true), Err(Why::Io(_))));
        // And no engine is made of what is left.
        let library = place.opened();
        place.file("rules/a.conf", b"Include sub/*.conf\nSecAction \"id:1,phase:1,pass\"\n");
        let faults = shield::Engine::load(&library, &[place.name("rules/a.conf")], 1).expect_err("faults");
        assert!(faults.iter().any(|fault| fault.construct == folder), "{faults:?}");
    }

    #[test]
    fn patterns_fit_as_in_a_shell() {
        for (pattern, name, expected) in [
            ("*", "", true),
            ("?", "", false),
            ("*.conf", "a.conf", true),
            ("*.conf", "a.conf.example", false),
            ("REQUEST-9?1*", "REQUEST-901-INIT.conf", true),
            ("a*b*c", "aXbXbXc", true),
            ("a*b*c", "aXcXb", false),
            ("**", "x", true),
        ] {
            assert_eq!(fits(pattern.as_bytes(), name.as_bytes()), expected, "{pattern} {name}");
        }
        // The worst a pattern can do is to be tried at each place of the name.
        assert!(!fits("*a".repeat(30).as_bytes(), "b".repeat(100_000).as_bytes()));
    }
}
