//! `utf8toUnicode`: UTF-8 (RFC 3629) written as `%uHHHH`, for `urlDecodeUni` after it.

use super::hex::DIGITS;
use crate::ByteSet;

/// Bytes that start a character of more than one byte, and 0.
pub(super) const TRIGGERS: ByteSet = ByteSet::EMPTY.with(0).with_range(0xc0, 0xf7);

/// Replaces each character of two to four bytes. Overlong forms and surrogates are decoded too and their first byte follows,
/// so that rules see both; bytes that cannot follow where they stand are kept, first bytes without the bytes that must follow
/// go, and so do bytes 0.
pub(super) fn utf8_to_unicode(value: &[u8], out: &mut Vec<u8>) -> bool {
    let start = out.len();
    let mut rest = value;
    let mut changed = false;
    while let Some(found) = rest.iter().position(|&byte| TRIGGERS.contains(byte)) {
        out.extend_from_slice(&rest[..found]);
        rest = &rest[found..];
        let length = match rest[0] {
            0 => {
                rest = &rest[1..];
                changed = true;
                continue;
            }
            0xc0..=0xdf => 2,
            0xe0..=0xef => 3,
            _ => 4,
        };
        let (read, decoded) = character(rest, length, out);
        changed |= decoded || rest[0] < 0xf5;
        rest = &rest[read..];
    }
    if changed {
        out.extend_from_slice(rest);
    } else {
        out.truncate(start);
    }
    changed
}

/// Writes the character of `length` bytes at the start of `rest`; how many bytes it read, and whether there was a character.
fn character(rest: &[u8], length: usize, out: &mut Vec<u8>) -> (usize, bool) {
    let first = rest[0];
    // No character of RFC 3629 starts with these.
    if first >= 0xf5 {
        out.push(first);
    }
    let Some(following) = rest.get(1..length).filter(|bytes| bytes.iter().all(|byte| byte & 0xc0 == 0x80))
    else {
        return (1, false);
    };
    let code = following
        .iter()
        .fold(u32::from(first) & (0x7f >> length), |code, byte| code << 6 | u32::from(byte & 0x3f));
    out.extend_from_slice(b"%u");
    let digits = (code.checked_ilog2().unwrap_or(0) / 4 + 1).max(4);
    out.extend((0..digits).rev().map(|at| DIGITS[(code >> (4 * at) & 15) as usize]));
    let least = [0x80, 0x800, 0x1_0000][length - 2];
    if code < least || (0xd800..=0xdfff).contains(&code) {
        out.push(first);
    }
    (length, true)
}
