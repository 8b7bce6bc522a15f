//! What a backslash and what follows it mean (pcre2pattern(3), "Backslash").

use super::super::PatternError;
use super::tree::{Look, NEWLINES};
use crate::ByteSet;

pub(super) const DIGITS: ByteSet = ByteSet::EMPTY.with_range(b'0', b'9');
pub(super) const LETTERS: ByteSet = ByteSet::EMPTY.with_range(b'a', b'z').with_range(b'A', b'Z');
pub(super) const WORD: ByteSet = DIGITS.union(LETTERS).with(b'_');
pub(super) const SPACE: ByteSet = ByteSet::EMPTY.with_range(b'\t', b'\r').with(b' ');
const HORIZONTAL: ByteSet = ByteSet::EMPTY.with(b'\t').with(b' ').with(0xa0);

/// What an escape means.
#[derive(Clone, Copy, Debug)]
pub(super) enum Escape {
    Byte(u8),
    Set(ByteSet),
    Look(Look),
    /// `\R`.
    Newline,
    /// `\N`: no line end; not in a class.
    NotNewline,
    /// `\Q`: what follows is literal.
    Quote,
    /// `\E`: nothing.
    Unquote,
}

/// Where an escape stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Place {
    /// In the pattern, behind this many groups.
    Pattern {
        groups: u32,
    },
    Class,
}

/// Reads the escape whose backslash is at `at`; returns it and where it ends.
pub(super) fn read(text: &[u8], at: usize, place: Place) -> Result<(Escape, usize), PatternError> {
    let Some(&letter) = text.get(at + 1) else { return Err(PatternError::Syntax { at }) };
    let end = at + 2;
    if !letter.is_ascii_alphanumeric() {
        return Ok((Escape::Byte(letter), end));
    }
    let escape = match letter {
        b'a' => Escape::Byte(0x07),
        b'e' => Escape::Byte(0x1b),
        b'f' => Escape::Byte(0x0c),
        b'n' => Escape::Byte(b'\n'),
        b'r' => Escape::Byte(b'\r'),
        b't' => Escape::Byte(b'\t'),
        b'd' => Escape::Set(DIGITS),
        b'D' => Escape::Set(DIGITS.complement()),
        b'h' => Escape::Set(HORIZONTAL),
        b'H' => Escape::Set(HORIZONTAL.complement()),
        b's' => Escape::Set(SPACE),
        b'S' => Escape::Set(SPACE.complement()),
        b'v' => Escape::Set(NEWLINES),
        b'V' => Escape::Set(NEWLINES.complement()),
        b'w' => Escape::Set(WORD),
        b'W' => Escape::Set(WORD.complement()),
        b'Q' => Escape::Quote,
        b'E' => Escape::Unquote,
        b'c' => return control(text, at),
        b'o' => return braced(text, at, 8),
        b'x' => return hexadecimal(text, at),
        b'0'..=b'9' => return digits(text, at, place),
        b'b' if place == Place::Class => Escape::Byte(0x08),
        _ if place == Place::Class => return Err(PatternError::Syntax { at }),
        b'A' | b'G' => Escape::Look(Look::Start),
        b'b' => Escape::Look(Look::Boundary),
        b'B' => Escape::Look(Look::NotBoundary),
        b'z' => Escape::Look(Look::End),
        b'Z' => Escape::Look(Look::EndOrFinalNewline { at }),
        b'C' => Escape::Set(ByteSet::ALL),
        // `\N{…}` names a character, unless it is a quantifier.
        b'N' if !matches!(text.get(end..), Some([b'{', name @ ..]) if !name.first().is_some_and(u8::is_ascii_digit)) => {
            Escape::NotNewline
        }
        b'R' => Escape::Newline,
        b'g' if matches!(text.get(end), Some(b'<' | b'\'')) => return Err(PatternError::Recursion { at }),
        b'g' | b'k' => return Err(PatternError::BackReference { at }),
        b'K' | b'X' | b'p' | b'P' | b'N' | b'l' | b'L' | b'u' | b'U' => {
            return Err(PatternError::Unsupported { at });
        }
        _ => return Err(PatternError::Syntax { at }),
    };
    Ok((escape, end))
}

/// `\cX`: the letter in upper case, bit 6 flipped.
fn control(text: &[u8], at: usize) -> Result<(Escape, usize), PatternError> {
    match text.get(at + 2) {
        Some(letter @ b' '..=b'~') => Ok((Escape::Byte(letter.to_ascii_uppercase() ^ 0x40), at + 3)),
        _ => Err(PatternError::Syntax { at }),
    }
}

/// `\xhh` with up to two digits, none means NUL; `\x{…}`.
fn hexadecimal(text: &[u8], at: usize) -> Result<(Escape, usize), PatternError> {
    if text.get(at + 2) == Some(&b'{') {
        return braced(text, at, 16);
    }
    let (value, end) = number(text, at + 2, 16, 2);
    Ok((Escape::Byte(u8::try_from(value).unwrap_or_default()), end))
}

/// `\x{…}` and `\o{…}`. More than 255 has no meaning without UTF.
fn braced(text: &[u8], at: usize, radix: u32) -> Result<(Escape, usize), PatternError> {
    let syntax = PatternError::Syntax { at };
    if text.get(at + 2) != Some(&b'{') {
        return Err(syntax);
    }
    let start = at + 3;
    let (value, end) = number(text, start, radix, usize::MAX);
    match u8::try_from(value) {
        Ok(byte) if end > start && text.get(end) == Some(&b'}') => Ok((Escape::Byte(byte), end + 1)),
        _ => Err(syntax),
    }
}

/// `\0`, `\ddd` and back-references, which look alike.
fn digits(text: &[u8], at: usize, place: Place) -> Result<(Escape, usize), PatternError> {
    let start = at + 1;
    let first = text.get(start).copied().unwrap_or_default();
    if first != b'0' {
        if let Place::Pattern { groups } = place {
            let (reference, _) = number(text, start, 10, usize::MAX);
            if reference < 10 || first >= b'8' || reference <= groups {
                return Err(PatternError::BackReference { at });
            }
        } else if first >= b'8' {
            return Ok((Escape::Byte(first), start + 1));
        }
    }
    let (value, end) = number(text, start, 8, 3);
    match u8::try_from(value) {
        Ok(byte) => Ok((Escape::Byte(byte), end)),
        Err(_) => Err(PatternError::Syntax { at }),
    }
}

/// The number of at most `most` digits at `start`, and where it ends. It saturates.
pub(super) fn number(text: &[u8], start: usize, radix: u32, most: usize) -> (u32, usize) {
    let mut value = 0u32;
    let mut end = start;
    while end - start < most
        && let Some(digit) = text.get(end).and_then(|&byte| char::from(byte).to_digit(radix))
    {
        value = value.saturating_mul(radix).saturating_add(digit);
        end += 1;
    }
    (value, end)
}
