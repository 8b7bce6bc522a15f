//! The canary search: is any of these values readable in any byte of a folder, in any common disguise?
//!
//! Raw (upper and lower case folded), UTF-16 in both byte orders, hex, base64 at three alignments (both alphabets),
//! percent-escaped and JSON-escaped, also inside gzip members. Used by the demo and by tests; a search that finds
//! nothing is worth something only beside one that finds what was planted.

use aho_corasick::{AhoCorasick, MatchKind};
use data_encoding::{BASE64_NOPAD, BASE64URL_NOPAD, HEXLOWER};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// Shortest canary in bytes; anything shorter is found by chance.
pub(crate) const SHORTEST: usize = 6;
/// Most bytes that are unpacked from one compressed member.
const MOST_UNPACKED: u64 = 256 << 20;

/// Where a canary was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    /// The file.
    pub(crate) file: PathBuf,
    /// Which canary, in the order given.
    pub(crate) canary: usize,
    /// In which disguise.
    pub(crate) form: &'static str,
}

/// A prepared search.
pub(crate) struct Search {
    automaton: AhoCorasick,
    meaning: Vec<(usize, &'static str)>,
    longest: usize,
}

/// What a search went through.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) found: Vec<Found>,
    pub(crate) files: u64,
    pub(crate) bytes: u64,
}

impl Search {
    /// Prepares all disguises of all canaries.
    pub(crate) fn new(canaries: &[&str]) -> Result<Self, aho_corasick::BuildError> {
        let mut patterns: Vec<Vec<u8>> = Vec::new();
        let mut meaning = Vec::new();
        for (number, canary) in canaries.iter().enumerate().filter(|(_, canary)| canary.len() >= SHORTEST) {
            for (form, bytes) in disguises(canary) {
                patterns.push(bytes);
                meaning.push((number, form));
            }
        }
        let longest = patterns.iter().map(Vec::len).max().unwrap_or(1);
        let automaton = AhoCorasick::builder()
            .match_kind(MatchKind::Standard)
            .ascii_case_insensitive(true)
            .build(&patterns)?;
        Ok(Self { automaton, meaning, longest })
    }

    /// Searches every file below `folder`.
    pub(crate) fn folder(&self, folder: &Path) -> io::Result<Outcome> {
        let mut outcome = Outcome::default();
        let mut waiting = vec![folder.to_owned()];
        while let Some(folder) = waiting.pop() {
            for entry in std::fs::read_dir(&folder)? {
                let entry = entry?;
                let kind = entry.file_type()?;
                if kind.is_dir() {
                    waiting.push(entry.path());
                } else if kind.is_file() {
                    self.file(&entry.path(), &mut outcome)?;
                }
            }
        }
        Ok(outcome)
    }

    fn file(&self, path: &Path, outcome: &mut Outcome) -> io::Result<()> {
        outcome.files += 1;
        let mut members = Vec::new();
        let mut file = std::fs::File::open(path)?;
        outcome.bytes += self.stream(&mut file, path, outcome, Some(&mut members))?;
        for at in members {
            let mut file = std::fs::File::open(path)?;
            io::Seek::seek(&mut file, io::SeekFrom::Start(at))?;
            let unpacked = flate2::read::MultiGzDecoder::new(io::BufReader::new(file));
            // Most of what looks like the head of a member is none; whatever can be unpacked is searched.
            let _ = self.stream(&mut unpacked.take(MOST_UNPACKED), path, outcome, None);
        }
        Ok(())
    }

    /// Searches a stream in overlapping windows; notes where gzip members begin (RFC 1952 §2.3.1).
    fn stream(
        &self,
        from: &mut dyn Read,
        path: &Path,
        outcome: &mut Outcome,
        mut members: Option<&mut Vec<u64>>,
    ) -> io::Result<u64> {
        const WINDOW: usize = 1 << 20;
        let mut window = vec![0; WINDOW + self.longest];
        let (mut kept, mut total) = (0, 0_u64);
        loop {
            let read = from.read(&mut window[kept..])?;
            if read == 0 {
                return Ok(total);
            }
            let filled = kept + read;
            for hit in self.automaton.find_overlapping_iter(&window[..filled]) {
                let (canary, form) = self.meaning[hit.pattern().as_usize()];
                let found = Found { file: path.to_owned(), canary, form };
                if !outcome.found.contains(&found) {
                    outcome.found.push(found);
                }
            }
            if let Some(members) = &mut members {
                let begin = total - kept as u64;
                let heads = memchr::memmem::find_iter(&window[..filled], b"\x1f\x8b\x08");
                members.extend(heads.map(|at| begin + at as u64).filter(|at| *at + 2 >= total));
            }
            total += read as u64;
            let keep = (self.longest - 1).min(filled);
            window.copy_within(filled - keep..filled, 0);
            kept = keep;
        }
    }
}

/// Every form in which a text could lie open.
pub(crate) fn disguises(text: &str) -> Vec<(&'static str, Vec<u8>)> {
    let raw = text.as_bytes();
    let utf16 = |order: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(order).collect::<Vec<u8>>();
    let mut forms = vec![
        ("raw", raw.to_vec()),
        ("lower case", text.to_lowercase().into_bytes()),
        ("upper case", text.to_uppercase().into_bytes()),
        ("utf-16le", utf16(u16::to_le_bytes)),
        ("utf-16be", utf16(u16::to_be_bytes)),
        ("hex", HEXLOWER.encode(raw).into_bytes()),
        ("percent", raw.iter().flat_map(|byte| format!("%{byte:02x}").into_bytes()).collect()),
        (
            "percent where needed",
            percent(raw, |byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte)),
        ),
        ("form", percent(raw, |byte| byte.is_ascii_alphanumeric() || b"-._*".contains(&byte))),
        (
            "json escaped",
            text.encode_utf16().flat_map(|unit| format!("\\u{unit:04x}").into_bytes()).collect(),
        ),
        ("json escaped where needed", json(text)),
    ];
    for shift in 0..3 {
        for (form, encoding) in [("base64", &BASE64_NOPAD), ("base64url", &BASE64URL_NOPAD)] {
            let mut padded = vec![0; shift];
            padded.extend_from_slice(raw);
            let encoded = encoding.encode(&padded);
            // The first and last characters depend on what stands beside the text.
            let begin = [0, 2, 3][shift];
            let end = padded.len() / 3 * 4;
            forms.push((form, encoded.as_bytes()[begin..end.max(begin)].to_vec()));
        }
    }
    forms.retain(|(_, bytes)| bytes.len() >= SHORTEST);
    forms
}

fn percent(raw: &[u8], plain: impl Fn(u8) -> bool) -> Vec<u8> {
    let escape = |&byte: &u8| if plain(byte) { vec![byte] } else { format!("%{byte:02x}").into_bytes() };
    raw.iter().flat_map(escape).collect()
}

fn json(text: &str) -> Vec<u8> {
    let mut escaped = String::new();
    for one in text.chars() {
        if one.is_ascii() {
            escaped.push(one);
        } else {
            for unit in one.encode_utf16(&mut [0; 2]) {
                escaped.push_str(&format!("\\u{unit:04x}"));
            }
        }
    }
    escaped.into_bytes()
}

/// Plants every disguise of `text` into a file of its own and one gzip member below `folder`, to show that the search
/// can find them. Returns how many files that are.
pub(crate) fn plant(text: &str, folder: &Path) -> io::Result<usize> {
    use io::Write;
    let forms = disguises(text);
    for (number, (_, bytes)) in forms.iter().enumerate() {
        let mut content = vec![b'.'; 1_048_570];
        content.extend_from_slice(bytes);
        content.extend_from_slice(b"....");
        std::fs::write(folder.join(format!("planted-{number}")), content)?;
    }
    let packed = std::fs::File::create(folder.join("planted-packed"))?;
    let mut packed = flate2::write::GzEncoder::new(packed, flate2::Compression::default());
    packed.write_all(text.as_bytes())?;
    packed.finish()?.sync_all()?;
    Ok(forms.len() + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_is_planted_is_found_and_nothing_else() {
        let folder = tempfile::tempdir().expect("a folder");
        let canary = "Jöhanna Müßter-Kanarie";
        let search = Search::new(&["unrelated value", canary]).expect("builds");
        std::fs::write(folder.path().join("innocent"), [7; 100_000]).expect("written");
        let before = search.folder(folder.path()).expect("searched");
        assert_eq!((before.found.len(), before.files), (0, 1));
        let planted = plant(canary, folder.path()).expect("planted");
        let after = search.folder(folder.path()).expect("searched");
        let mut files: Vec<_> = after.found.iter().map(|found| found.file.clone()).collect();
        files.sort();
        files.dedup();
        assert_eq!(files.len(), planted, "{:?}", after.found);
        assert!(after.found.iter().all(|found| found.canary == 1));
    }
}
