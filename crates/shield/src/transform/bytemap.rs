//! Transformations that replace each byte by another one: letter case, parity, nulls.

use crate::ByteSet;

/// What each byte becomes.
pub(super) struct ByteMap([u8; 256]);

pub(super) const LOWERCASE: ByteMap = ByteMap::new(Kind::Lowercase);
pub(super) const UPPERCASE: ByteMap = ByteMap::new(Kind::Uppercase);
pub(super) const NULLS: ByteMap = ByteMap::new(Kind::Nulls);
pub(super) const EVEN: ByteMap = ByteMap::new(Kind::Parity(0));
pub(super) const ODD: ByteMap = ByteMap::new(Kind::Parity(1));
pub(super) const ZERO: ByteMap = ByteMap::new(Kind::Zero);

#[derive(Clone, Copy)]
enum Kind {
    Lowercase,
    Uppercase,
    Nulls,
    Parity(u32),
    Zero,
}

impl ByteMap {
    const fn new(kind: Kind) -> Self {
        let mut map = [0; 256];
        let mut at = 0;
        while at < 256 {
            let byte = at as u8;
            map[at] = match kind {
                Kind::Lowercase => byte.to_ascii_lowercase(),
                Kind::Uppercase => byte.to_ascii_uppercase(),
                Kind::Nulls if byte == 0 => b' ',
                Kind::Nulls => byte,
                // ModSecurity counts all eight bits, bit 7 of the value too, and then sets that bit.
                Kind::Parity(wanted) if byte.count_ones() % 2 != wanted => byte | 0x80,
                Kind::Parity(_) | Kind::Zero => byte & 0x7f,
            };
            at += 1;
        }
        Self(map)
    }

    /// The bytes that become other ones.
    pub(super) const fn changes(&self) -> ByteSet {
        let mut set = ByteSet::EMPTY;
        let mut at = 0;
        while at < 256 {
            if self.0[at] != at as u8 {
                set = set.with(at as u8);
            }
            at += 1;
        }
        set
    }

    pub(super) fn apply(&self, value: &[u8], out: &mut Vec<u8>) -> bool {
        let map = |byte: &u8| self.0[usize::from(*byte)];
        let Some(first) = value.iter().position(|byte| map(byte) != *byte) else {
            return false;
        };
        out.extend_from_slice(&value[..first]);
        out.extend(value[first..].iter().map(map));
        true
    }
}
