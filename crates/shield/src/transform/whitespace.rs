//! `compressWhitespace`, `removeWhitespace`, `trim`, `trimLeft`, `trimRight`.

use crate::ByteSet;

/// White space of the C locale: tab, line feed, vertical tab, form feed, carriage return, space.
pub(super) const ASCII: ByteSet = ByteSet::EMPTY.with_range(0x09, 0x0d).with(b' ');

/// What `removeWhitespace` removes: a no-break space is 0xa0 in Latin-1 and 0xc2 0xa0 in UTF-8, and ModSecurity removes
/// either byte wherever it stands.
pub(super) const REMOVED: ByteSet = ASCII.with(0xa0).with(0xc2);

pub(super) fn compress(value: &[u8], out: &mut Vec<u8>) -> bool {
    let is_space = |byte: u8| ASCII.contains(byte);
    let changes = |(at, &byte): (usize, &u8)| {
        is_space(byte) && (byte != b' ' || value.get(at + 1).is_some_and(|&next| is_space(next)))
    };
    let Some(first) = value.iter().enumerate().position(changes) else {
        return false;
    };
    out.extend_from_slice(&value[..first]);
    let mut space = false;
    for &byte in &value[first..] {
        match is_space(byte) {
            true if space => {}
            true => out.push(b' '),
            false => out.push(byte),
        }
        space = is_space(byte);
    }
    true
}

pub(super) fn remove(value: &[u8], out: &mut Vec<u8>) -> bool {
    let Some(first) = value.iter().position(|&byte| REMOVED.contains(byte)) else {
        return false;
    };
    out.extend_from_slice(&value[..first]);
    out.extend(value[first..].iter().filter(|&&byte| !REMOVED.contains(byte)));
    true
}

pub(super) fn trim(value: &[u8], out: &mut Vec<u8>, left: bool, right: bool) -> bool {
    let is_text = |byte: &u8| !ASCII.contains(*byte);
    let mut kept = value;
    if left {
        kept = &kept[kept.iter().position(is_text).unwrap_or(kept.len())..];
    }
    if right {
        kept = &kept[..kept.iter().rposition(is_text).map_or(0, |last| last + 1)];
    }
    if kept.len() == value.len() {
        return false;
    }
    out.extend_from_slice(kept);
    true
}
