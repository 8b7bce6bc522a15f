//! The alphabet in which values are looked at: letters in lower case, and a sign for the edge of a value.

use crate::ByteSet;

/// What stands before the first and after the last byte of a value. No folded byte is an upper-case letter.
pub(in crate::pattern) const EDGE: u8 = b'E';

/// Makes letters of both cases alike.
pub(in crate::pattern) const fn fold(byte: u8) -> u8 {
    byte.to_ascii_lowercase()
}

/// The folded bytes of a set.
pub(super) fn fold_set(set: ByteSet) -> ByteSet {
    const UPPER: ByteSet = ByteSet::EMPTY.with_range(b'A', b'Z');
    let lower = set.intersection(UPPER.complement());
    set.intersection(UPPER).iter().fold(lower, |folded, byte| folded.with(fold(byte)))
}

/// The bytes whose folded byte is in the set.
pub(super) fn unfold_set(set: ByteSet) -> ByteSet {
    const UPPER: ByteSet = ByteSet::EMPTY.with_range(b'A', b'Z');
    const LOWER: ByteSet = ByteSet::EMPTY.with_range(b'a', b'z');
    let bytes = set.intersection(UPPER.complement());
    bytes.intersection(LOWER).iter().fold(bytes, |bytes, byte| bytes.with(byte.to_ascii_uppercase()))
}
