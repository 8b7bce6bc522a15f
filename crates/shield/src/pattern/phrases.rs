//! Lists of phrases, of `@pm` and `@pmFromFile`: any of them in a value, without case.

use super::{Gate, PatternError};
use aho_corasick::{AhoCorasick, AhoCorasickKind};
use std::ops::Range;

/// A list of phrases, looked for all at once.
#[derive(Debug)]
pub struct Phrases {
    automaton: AhoCorasick,
    gate: Gate,
}

impl Phrases {
    /// A list of phrases; empty ones are left out.
    ///
    /// # Errors
    /// [`PatternError::TooLarge`], where the list has no place in memory.
    pub fn new<'a>(phrases: impl IntoIterator<Item = &'a [u8]>) -> Result<Self, PatternError> {
        let phrases: Vec<&[u8]> = phrases.into_iter().filter(|phrase| !phrase.is_empty()).collect();
        let automaton = AhoCorasick::builder()
            .ascii_case_insensitive(true)
            .kind(Some(AhoCorasickKind::ContiguousNFA))
            .build(&phrases)
            .map_err(|_| PatternError::TooLarge)?;
        Ok(Self { automaton, gate: Gate::any_of(&phrases) })
    }

    /// The phrases of `@pm`, one a line: words between blanks, with `|41 42|` for bytes by their hexadecimal numbers.
    #[must_use]
    pub fn lines_of(text: &str) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('|') {
            bytes.extend_from_slice(before.as_bytes());
            let inner = after.split_once('|').and_then(|(inner, after)| Some((hexadecimal(inner)?, after)));
            match inner {
                Some((inner, after)) => {
                    bytes.extend(inner);
                    rest = after;
                }
                None => {
                    bytes.push(b'|');
                    rest = after;
                }
            }
        }
        bytes.extend_from_slice(rest.as_bytes());
        let words = bytes.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
        words.collect::<Vec<_>>().join(&b'\n')
    }

    /// The phrases of a file, one a line: blanks within and at the end of a line belong to its phrase. Comments begin with `#`.
    #[must_use]
    pub fn lines_of_file(bytes: &[u8]) -> Vec<u8> {
        let mut lines = Vec::new();
        for line in bytes.split(|&byte| byte == b'\n') {
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            let start = line.trim_ascii_start();
            if !start.is_empty() && !start.starts_with(b"#") {
                lines.extend_from_slice(line);
                lines.push(b'\n');
            }
        }
        lines
    }

    /// Where the first phrase that ends lies in `value`.
    #[must_use]
    pub fn find(&self, value: &[u8]) -> Option<Range<usize>> {
        self.automaton.find(value).map(|found| found.range())
    }

    /// What a value must hold.
    #[must_use]
    pub fn gate(&self) -> &Gate {
        &self.gate
    }

    /// Bytes of memory the list takes.
    #[must_use]
    pub fn memory(&self) -> usize {
        self.automaton.memory_usage() + self.gate.memory()
    }
}

fn hexadecimal(text: &str) -> Option<Vec<u8>> {
    text.split_whitespace().map(|pair| u8::from_str_radix(pair, 16).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn phrases(lines: &[u8]) -> Phrases {
        Phrases::new(lines.split(|&byte| byte == b'\n')).expect("phrases")
    }

    #[test]
    fn any_phrase_is_found_without_case() {
        let list = phrases(&Phrases::lines_of("Union |2f 65|tc .. |x"));
        assert_eq!(list.find(b"a uNION b"), Some(2..7));
        assert_eq!(list.find(b"/ETC"), Some(0..4));
        assert_eq!(list.find(b"a|x"), Some(1..3));
        assert_eq!(list.find(b"none"), None);
    }

    #[test]
    fn files_have_comments_and_keep_blanks() {
        let list = phrases(&Phrases::lines_of_file(b"# note\n\n  # more\r\nsql error \r\nother\n"));
        assert!(list.find(b"an SQL ERROR here").is_some() && list.find(b"sql error").is_none());
        assert!(list.find(b"others").is_some() && list.find(b"note").is_none());
    }

    #[test]
    fn the_gate_lets_through_what_is_found() {
        let list = phrases(b"ab\nc\nlonger phrase");
        for value in ["xABx", "C", "a longer PHRASE"] {
            assert!(list.find(value.as_bytes()).is_some() && list.gate().admits(value.as_bytes()), "{value}");
        }
        assert!(!list.gate().admits(b"xyz"));
    }
}
