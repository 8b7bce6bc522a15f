//! Reads an archive of a release whole, into memory and within limits, before anything of it is written anywhere.
//!
//! An archive is refused as a whole when any of its members is no file and no folder, or has a path that a careful
//! packer would not write, whether that member is wanted or not.

use std::collections::BTreeSet;
use std::fmt;
use std::io::{self, Cursor, Read};

/// Most bytes of an archive.
pub(super) const ARCHIVE: usize = 64 << 20;
/// Most bytes of its members together.
const ALL: u64 = 128 << 20;
/// Most bytes of one member that is kept; as for [`rules`](super::super::rules).
const FILE: u64 = 4 << 20;
/// Most members.
const MEMBERS: usize = 20_000;
/// Longest path, bytes.
const PATH: usize = 240;
/// Most pieces of a path.
const DEPTH: usize = 12;
/// An archive grows at most to this many times its size, and in any case to a mebibyte.
const RATIO: u64 = 100;
/// The file by which a Core Rule Set is known.
const INITIAL: &str = "rules/REQUEST-901-INITIALIZATION.conf";

/// A file that is kept: its path below the folder of the rule set, and what it holds.
pub(super) type Member = (String, Vec<u8>);

/// Why an archive is refused.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// Neither gzip nor zip.
    Kind,
    /// It breaks off, or is damaged.
    Damaged(String),
    /// It grows too large.
    TooLarge,
    /// It has too many members.
    TooMany,
    /// The path of a member leads out, or is one that nobody needs.
    Path(String, &'static str),
    /// A member is a link, a device or something else than a file and a folder.
    Special(String),
    /// Two members have one path.
    Twice(String),
    /// It holds no Core Rule Set, or more than one.
    NoRuleSet,
}

impl fmt::Display for Refused {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kind => out.write_str("it is neither a .tar.gz nor a .zip"),
            Self::Damaged(why) => write!(out, "it is damaged: {why}"),
            Self::TooLarge => write!(
                out,
                "it grows to more than {} MiB, to more than {RATIO} times its size, or holds a file of more than {} MiB",
                ALL >> 20,
                FILE >> 20
            ),
            Self::TooMany => write!(out, "it has more than {MEMBERS} members"),
            Self::Path(path, why) => write!(out, "the path `{path}` {why}"),
            Self::Special(path) => {
                write!(out, "`{path}` is a link, a device or something else that is no file")
            }
            Self::Twice(path) => write!(out, "`{path}` stands there twice"),
            Self::NoRuleSet => {
                write!(out, "it holds no Core Rule Set, or more than one: `{INITIAL}` is not there once")
            }
        }
    }
}

/// What is known so far.
struct Reading {
    seen: BTreeSet<String>,
    kept: Vec<Member>,
    /// Bytes that may still come.
    left: u64,
}

/// Reads a `.tar.gz` or a `.zip`, and keeps what belongs to the rule set.
pub(super) fn read(bytes: &[u8]) -> Result<Vec<Member>, Refused> {
    let most = ALL.min((bytes.len() as u64 * RATIO).max(1 << 20));
    let mut reading = Reading { seen: BTreeSet::new(), kept: Vec::new(), left: most };
    match bytes {
        [0x1F, 0x8B, ..] => reading.tar(bytes, most)?,
        [b'P', b'K', 3, 4, ..] => reading.zip(bytes)?,
        _ => return Err(Refused::Kind),
    }
    rule_set(reading.kept)
}

/// Of all that was kept, what lies in the folder of the rule set, by paths below it.
fn rule_set(kept: Vec<Member>) -> Result<Vec<Member>, Refused> {
    let mut tops = kept.iter().filter_map(|(path, _)| path.strip_suffix(INITIAL));
    let (Some(top), None) = (tops.next().map(str::to_owned), tops.next()) else {
        return Err(Refused::NoRuleSet);
    };
    let below =
        kept.into_iter().filter_map(|(path, bytes)| Some((path.strip_prefix(&top)?.to_owned(), bytes)));
    Ok(below.filter(|(path, _)| is_wanted(path)).collect())
}

/// Whether a file belongs to what runs: settings, rules, plugins, licence and notes.
fn is_wanted(path: &str) -> bool {
    match path.split_once('/') {
        Some((folder, rest)) => ["rules", "plugins"].contains(&folder) && !rest.contains('/'),
        None => path == "LICENSE" || [".md", ".conf", ".conf.example"].iter().any(|end| path.ends_with(end)),
    }
}

/// Whether it may be wanted: at the top, or in one folder at the top.
fn may_be_wanted(path: &str) -> bool {
    is_wanted(path) || path.split_once('/').is_some_and(|(_, rest)| is_wanted(rest))
}

fn damaged(error: impl fmt::Display) -> Refused {
    Refused::Damaged(error.to_string())
}

/// Reads at most so many bytes, then fails.
struct Capped<R> {
    inner: R,
    left: u64,
}

/// The message of the error by which [`Capped`] is known.
const CAP: &str = "larger than the limit";

impl<R: Read> Read for Capped<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(into)?;
        self.left = self.left.checked_sub(read as u64).ok_or_else(|| io::Error::other(CAP))?;
        Ok(read)
    }
}

fn of_tar(error: &io::Error) -> Refused {
    let text = error.to_string();
    if text.contains(CAP) { Refused::TooLarge } else { Refused::Damaged(text) }
}

impl Reading {
    fn tar(&mut self, bytes: &[u8], most: u64) -> Result<(), Refused> {
        let plain = Capped { inner: flate2::read::MultiGzDecoder::new(bytes), left: most };
        let mut archive = tar::Archive::new(plain);
        for member in archive.entries().map_err(|error| of_tar(&error))? {
            let mut member = member.map_err(|error| of_tar(&error))?;
            let kind = member.header().entry_type();
            // A comment of git, which names no file.
            if kind.is_pax_global_extensions() {
                continue;
            }
            let path = self.path(&member.path_bytes(), kind.is_dir())?;
            if kind.is_dir() {
                continue;
            }
            if !kind.is_file() {
                return Err(Refused::Special(path));
            }
            let size = member.size();
            self.take(path, size, &mut member).map_err(|error| match error {
                TakeError::Refused(why) => why,
                TakeError::Io(error) => of_tar(&error),
            })?;
        }
        // The end of the tar is not the end of the gzip, whose checksum stands there.
        io::copy(&mut archive.into_inner(), &mut io::sink()).map_err(|error| of_tar(&error))?;
        Ok(())
    }

    fn zip(&mut self, bytes: &[u8]) -> Result<(), Refused> {
        let listed = members_of_zip(bytes)?;
        let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).map_err(damaged)?;
        // The reader keeps one of two members with one path, and says nothing.
        if archive.len() != listed {
            return Err(Refused::Twice("a member of the zip".to_owned()));
        }
        for at in 0..archive.len() {
            let mut member = archive.by_index(at).map_err(damaged)?;
            let path = self.path(member.name_raw(), member.is_dir())?;
            if member.is_dir() {
                continue;
            }
            // The upper bits of the mode say what it is (inode(7)); none of them: nothing was said, so a file.
            if !matches!(member.unix_mode().unwrap_or(0) & 0o170_000, 0 | 0o100_000) {
                return Err(Refused::Special(path));
            }
            let size = member.size();
            let left = self.left.checked_sub(size).ok_or(Refused::TooLarge)?;
            self.take(path, size, &mut member).map_err(|error| match error {
                TakeError::Refused(why) => why,
                TakeError::Io(error) => damaged(error),
            })?;
            self.left = left;
        }
        Ok(())
    }

    /// Checks a path, and that it is there for the first time.
    fn path(&mut self, bytes: &[u8], is_dir: bool) -> Result<String, Refused> {
        let shown = || bytes.escape_ascii().to_string().chars().take(PATH).collect::<String>();
        let refuse = |why| Err(Refused::Path(shown(), why));
        let Ok(path) = std::str::from_utf8(bytes) else { return refuse("is not UTF-8") };
        if path.len() > PATH {
            return refuse("is longer than any of CRS");
        }
        if path.chars().any(|char| char.is_control() || char == '\\') {
            return refuse("holds a control character or a backslash");
        }
        if path.starts_with('/') || path.as_bytes().get(1) == Some(&b':') {
            return refuse("is absolute");
        }
        let mut pieces: Vec<&str> = path.split('/').collect();
        if is_dir && pieces.last() == Some(&"") {
            pieces.pop();
        }
        pieces.retain(|piece| *piece != ".");
        if pieces.contains(&"..") {
            return refuse("leads out of its folder");
        }
        if pieces.contains(&"") {
            return refuse("has an empty piece");
        }
        if pieces.len() > DEPTH {
            return refuse("is deeper than any of CRS");
        }
        let path = pieces.join("/");
        if self.seen.len() >= MEMBERS {
            return Err(Refused::TooMany);
        }
        // A folder may be named again, by another file in it.
        if !self.seen.insert(path.clone()) && !is_dir {
            return Err(Refused::Twice(path));
        }
        Ok(path)
    }

    /// Keeps a member that may be wanted; passes over another.
    fn take(&mut self, path: String, size: u64, member: &mut dyn Read) -> Result<(), TakeError> {
        if !may_be_wanted(&path) {
            return Ok(());
        }
        if size > FILE {
            return Err(TakeError::Refused(Refused::TooLarge));
        }
        let mut bytes = Vec::new();
        member.take(FILE + 1).read_to_end(&mut bytes).map_err(TakeError::Io)?;
        if bytes.len() as u64 != size {
            return Err(TakeError::Refused(damaged(format!(
                "{path} has another size than the archive says"
            ))));
        }
        self.kept.push((path, bytes));
        Ok(())
    }
}

enum TakeError {
    Refused(Refused),
    Io(io::Error),
}

/// How many members the end of a zip says there are (APPNOTE 4.3.16). One with more than the limit, or in the form for
/// larger ones, is refused before anything is set aside for its list.
fn members_of_zip(bytes: &[u8]) -> Result<usize, Refused> {
    const END: &[u8] = b"PK\x05\x06";
    let at = memchr::memmem::rfind(bytes, END).ok_or_else(|| damaged("it has no end"))?;
    let count = bytes.get(at + 10..at + 12).and_then(|two| two.try_into().ok()).map(u16::from_le_bytes);
    let count = usize::from(count.ok_or_else(|| damaged("its end is cut off"))?);
    if count > MEMBERS { Err(Refused::TooMany) } else { Ok(count) }
}

#[cfg(test)]
mod tests;
