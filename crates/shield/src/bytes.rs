//! Sets of byte values, and lists of names and values that share one buffer.

use std::ops::Range;

/// A set of byte values: which bytes occur in a value, or which a transformation reacts to.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
pub struct ByteSet([u64; 4]);

impl ByteSet {
    /// No byte.
    pub const EMPTY: Self = Self([0; 4]);
    /// Every byte.
    pub const ALL: Self = Self([u64::MAX; 4]);

    /// The bytes that occur in `value`.
    #[must_use]
    pub fn of(value: &[u8]) -> Self {
        // Four sets in turn, so that a byte need not wait until the one before it is noted.
        let mut sets = [Self::EMPTY; 4];
        let mut chunks = value.chunks_exact(4);
        for chunk in &mut chunks {
            for (set, &byte) in sets.iter_mut().zip(chunk) {
                set.0[usize::from(byte >> 6)] |= 1 << (byte & 63);
            }
        }
        for (set, &byte) in sets.iter_mut().zip(chunks.remainder()) {
            set.0[usize::from(byte >> 6)] |= 1 << (byte & 63);
        }
        let [one, two, three, four] = sets;
        one.union(two).union(three.union(four))
    }

    /// This set and one more byte.
    #[must_use]
    pub const fn with(mut self, byte: u8) -> Self {
        self.0[(byte >> 6) as usize] |= 1 << (byte & 63);
        self
    }

    /// This set and all bytes from `first` to `last`, both included.
    #[must_use]
    pub const fn with_range(mut self, first: u8, last: u8) -> Self {
        let mut byte = first;
        loop {
            self = self.with(byte);
            if byte >= last {
                return self;
            }
            byte += 1;
        }
    }

    /// Both sets together.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self([self.0[0] | other.0[0], self.0[1] | other.0[1], self.0[2] | other.0[2], self.0[3] | other.0[3]])
    }

    /// All bytes that are not in this set.
    #[must_use]
    pub const fn complement(self) -> Self {
        Self([!self.0[0], !self.0[1], !self.0[2], !self.0[3]])
    }

    /// The bytes that are in both sets.
    #[must_use]
    pub const fn intersection(self, other: Self) -> Self {
        self.complement().union(other.complement()).complement()
    }

    /// Whether every byte of this set is in `other`.
    #[must_use]
    pub const fn is_within(self, other: Self) -> bool {
        !self.meets(other.complement())
    }

    /// The bytes of the set, in rising order.
    pub fn iter(self) -> impl Iterator<Item = u8> {
        (0u8..4).flat_map(move |word| {
            let mut bits = self.0[usize::from(word)];
            std::iter::from_fn(move || {
                let bit = bits.trailing_zeros() as u8;
                bits &= bits.wrapping_sub(1);
                (bit < 64).then_some(word << 6 | bit)
            })
        })
    }

    /// Whether the two have a byte in common.
    #[must_use]
    pub const fn meets(self, other: Self) -> bool {
        (self.0[0] & other.0[0])
            | (self.0[1] & other.0[1])
            | (self.0[2] & other.0[2])
            | (self.0[3] & other.0[3])
            != 0
    }

    /// Whether `byte` is in the set.
    #[must_use]
    pub const fn contains(self, byte: u8) -> bool {
        self.0[(byte >> 6) as usize] >> (byte & 63) & 1 == 1
    }

    /// How many bytes are in the set.
    #[must_use]
    pub const fn len(self) -> u32 {
        self.0[0].count_ones() + self.0[1].count_ones() + self.0[2].count_ones() + self.0[3].count_ones()
    }

    /// Whether no byte is in the set.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.len() == 0
    }
}

/// Where a name or a value lies in the buffer of its [`Pairs`].
pub(crate) type Span = Range<u32>;

/// Names and values in the order in which they came, in one buffer: parsing a form of 100 fields allocates a few times, not
/// 200 times.
#[derive(Clone, Default, Debug, PartialEq, Eq)]
pub struct Pairs {
    bytes: Vec<u8>,
    spans: Vec<(Span, Span)>,
}

impl Pairs {
    /// Adds a pair at the end.
    pub fn push(&mut self, name: &[u8], value: &[u8]) {
        let start = self.position();
        self.bytes.extend_from_slice(name);
        let middle = self.position();
        self.bytes.extend_from_slice(value);
        let end = self.position();
        self.spans.push((start..middle, middle..end));
    }

    /// How many pairs there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.spans.len()
    }

    /// Whether there is no pair.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.spans.is_empty()
    }

    /// Bytes of all names and values together.
    #[must_use]
    pub fn size(&self) -> usize {
        self.bytes.len()
    }

    /// All pairs, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.spans.iter().map(|(name, value)| (self.slice(name), self.slice(value)))
    }

    /// Forgets all pairs and keeps the memory.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.spans.clear();
    }

    fn slice(&self, span: &Span) -> &[u8] {
        &self.bytes[span.start as usize..span.end as usize]
    }

    fn position(&self) -> u32 {
        // Callers limit what they read to well below this; a value that does not fit is cut, never mixed up with another.
        u32::try_from(self.bytes.len()).unwrap_or(u32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_come_back_in_order() {
        let mut pairs = Pairs::default();
        pairs.push(b"a", b"1");
        pairs.push(b"", b"22");
        assert_eq!(pairs.iter().collect::<Vec<_>>(), [(&b"a"[..], &b"1"[..]), (b"", b"22")]);
        assert_eq!((pairs.len(), pairs.size()), (2, 4));
    }

    #[test]
    fn a_set_knows_its_bytes() {
        let set = ByteSet::of(b"az\xff").union(ByteSet::EMPTY.with_range(b'0', b'9'));
        assert_eq!(set.len(), 13);
        assert!(set.contains(0xff) && set.contains(b'5') && !set.contains(b'b'));
        assert!(set.meets(ByteSet::of(b"x9")) && !set.meets(ByteSet::of(b"xy")));
        assert_eq!(ByteSet::ALL.len(), 256);
        assert_eq!(set.iter().collect::<Vec<_>>(), b"0123456789az\xff");
        assert_eq!(ByteSet::ALL.iter().collect::<Vec<_>>(), (0..=255).collect::<Vec<u8>>());
        assert_eq!(set.complement().len(), 243);
        assert_eq!(set.intersection(ByteSet::of(b"3b")), ByteSet::of(b"3"));
        assert!(ByteSet::of(b"3").is_within(set) && !ByteSet::of(b"3b").is_within(set));
    }
}
