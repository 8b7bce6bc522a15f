//! `jsDecode`, `escapeSeqDecode`: backslash escapes of JavaScript and of C.

use super::escape::{Step, four, low_byte, octal, pair, replace};

/// Escapes of ECMA-262 string literals. An escape that is none loses its backslash; one at the end of the value stays.
pub(super) fn javascript(value: &[u8], out: &mut Vec<u8>) -> bool {
    replace(
        value,
        out,
        |rest| memchr::memchr(b'\\', rest),
        |rest| match rest[1..] {
            [] => Step::Keep(1),
            [b'u', ref digits @ ..] if let Some(code) = four(digits) => Step::Put(low_byte(code), 6),
            [b'x', ref digits @ ..] if let Some(byte) = pair(digits) => Step::Put(byte, 4),
            ref digits @ [b'0'..=b'7', ..] => {
                // Three digits only if they fit a byte.
                let count = octal(digits).0.min(if digits[0] > b'3' { 2 } else { 3 });
                let [_, byte] = octal(&digits[..count]).1.to_be_bytes();
                Step::Put(byte, 1 + count)
            }
            [letter, ..] => Step::Put(control(letter).unwrap_or(letter), 2),
        },
    )
}

/// Escapes of C string literals (ISO C §6.4.4.4). An escape that is none loses its backslash; one at the end stays.
pub(super) fn escape_sequences(value: &[u8], out: &mut Vec<u8>) -> bool {
    replace(
        value,
        out,
        |rest| memchr::memchr(b'\\', rest),
        |rest| match rest[1..] {
            [] => Step::Keep(1),
            [b'x' | b'X', ref digits @ ..] if let Some(byte) = pair(digits) => Step::Put(byte, 4),
            ref digits @ [b'0'..=b'7', ..] => {
                let (count, value) = octal(digits);
                let [_, byte] = value.to_be_bytes();
                Step::Put(byte, 1 + count)
            }
            [letter, ..] => Step::Put(control(letter).unwrap_or(letter), 2),
        },
    )
}

/// The control character that a letter stands for.
const fn control(letter: u8) -> Option<u8> {
    match letter {
        b'a' => Some(0x07),
        b'b' => Some(0x08),
        b'f' => Some(0x0c),
        b'n' => Some(b'\n'),
        b'r' => Some(b'\r'),
        b't' => Some(b'\t'),
        b'v' => Some(0x0b),
        _ => None,
    }
}
