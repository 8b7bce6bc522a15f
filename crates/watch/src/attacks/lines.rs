//! Files of lines, each behind its check: eight hexadecimal digits of the CRC-32 (ISO-HDLC) of what follows the space after
//! them, up to the end of the line. JSON writes the end of a line as `\n`, so a line ends where it seems to.
//!
//! The check is against torn and damaged lines, not against somebody who writes into the file.

use serde::Serialize;
use serde::de::DeserializeOwned;

/// Bytes before a line's content.
const HEAD: usize = 9;

/// A value as a line, its end included.
pub(super) fn line<T: Serialize>(value: &T) -> Vec<u8> {
    let mut line = vec![0; HEAD];
    // Our own structures hold nothing that JSON cannot say; were it otherwise, the line would be empty and passed over.
    if serde_json::to_writer(&mut line, value).is_err() {
        line.truncate(HEAD);
    }
    let check = format!("{:08x} ", crc32fast::hash(&line[HEAD..]));
    line[..HEAD].copy_from_slice(check.as_bytes());
    line.push(b'\n');
    line
}

/// The value of a line, without its end; none where the check does not hold or the content is not of the form.
pub(super) fn value<T: DeserializeOwned>(line: &[u8]) -> Option<T> {
    let (head, content) = line.split_at_checked(HEAD)?;
    let digits = head.strip_suffix(b" ")?;
    let check = u32::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
    let whole = digits.iter().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(byte));
    (whole && check == crc32fast::hash(content)).then(|| serde_json::from_slice(content).ok())?
}

/// What a file holds.
pub(super) struct Read<T> {
    /// Each whole line: where it begins, how long it is without its end, what it says.
    pub(super) lines: Vec<(usize, usize, T)>,
    /// Where the last line ends: what is behind it was torn.
    pub(super) whole: usize,
    /// How many lines do not hold.
    pub(super) damaged: u64,
}

/// Reads all lines of a file.
pub(super) fn read<T: DeserializeOwned>(bytes: &[u8]) -> Read<T> {
    let mut read = Read { lines: Vec::new(), whole: 0, damaged: 0 };
    while let Some(length) = bytes[read.whole..].iter().position(|byte| *byte == b'\n') {
        let begin = read.whole;
        match value(&bytes[begin..begin + length]) {
            Some(value) => read.lines.push((begin, length, value)),
            None => read.damaged += 1,
        }
        read.whole = begin + length + 1;
    }
    read
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn texts(read: &Read<String>) -> Vec<&str> {
        read.lines.iter().map(|(_, _, text)| text.as_str()).collect()
    }

    #[test]
    fn a_line_keeps_its_form() {
        assert_eq!(line(&"a\nb"), b"1ecd4592 \"a\\nb\"\n", "{}", String::from_utf8_lossy(&line(&"a\nb")));
    }

    #[test]
    fn a_check_is_written_in_one_way() {
        let good = line(&"a");
        let good = &good[..good.len() - 1];
        assert_eq!(value::<String>(good).as_deref(), Some("a"));
        let shouted: Vec<u8> = [good[..8].to_ascii_uppercase().as_slice(), &good[8..]].concat();
        assert!(shouted == good || value::<String>(&shouted).is_none());
        for odd in ["", "0", "+0000000 ", "00000000\"a\"", "zzzzzzzz \"a\""] {
            assert_eq!(value::<String>(odd.as_bytes()), None, "{odd}");
        }
    }

    proptest! {
        #[test]
        fn what_was_written_is_read(all in proptest::collection::vec(".{0,40}", 0..12)) {
            let bytes: Vec<u8> = all.iter().flat_map(line).collect();
            let read = read::<String>(&bytes);
            prop_assert_eq!((texts(&read), read.whole, read.damaged), (all.iter().map(String::as_str).collect(), bytes.len(), 0));
            for (begin, length, text) in &read.lines {
                let again = value::<String>(&bytes[*begin..begin + length]);
                prop_assert_eq!(again.as_ref(), Some(text));
            }
        }

        #[test]
        fn a_torn_tail_takes_nothing_else_along(all in proptest::collection::vec(".{0,20}", 1..8), cut in 1_usize..60) {
            let lines: Vec<Vec<u8>> = all.iter().map(line).collect();
            let bytes = lines.concat();
            let end = bytes.len().saturating_sub(cut);
            let whole = lines.iter().scan(0, |sum, one| { *sum += one.len(); Some(*sum) }).take_while(|sum| *sum <= end);
            let (count, last) = whole.fold((0, 0), |(count, _), sum| (count + 1, sum));
            let read = read::<String>(&bytes[..end]);
            prop_assert_eq!((read.lines.len(), read.whole, read.damaged), (count, last, 0));
        }

        #[test]
        fn a_damaged_line_is_passed_over_and_counted(all in proptest::collection::vec("[a-z]{1,9}", 2..8), which: prop::sample::Index, bit in 0_u8..8, at: prop::sample::Index) {
            let mut lines: Vec<Vec<u8>> = all.iter().map(line).collect();
            let which = which.index(lines.len());
            let at = at.index(lines[which].len() - 1);
            lines[which][at] ^= 1 << bit;
            // A flipped bit can make an end of a line, and thereby two damaged ones.
            let read = read::<String>(&lines.concat());
            let rest: Vec<&str> = all.iter().enumerate().filter(|(place, _)| *place != which).map(|(_, text)| text.as_str()).collect();
            prop_assert_eq!(texts(&read), rest);
            prop_assert!((1..=2).contains(&read.damaged));
        }

        #[test]
        fn nothing_that_lies_there_stops_the_reading(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let read = read::<serde_json::Value>(&bytes);
            prop_assert!(read.whole <= bytes.len());
        }
    }
}
