//! Which of many patterns may match a value, found in one pass over it.
//!
//! Every literal of every gate is known by three neighbouring bytes of it, those that occur least. A bitmap tells for three
//! bytes of the value whether any literal has them; most have not, and that look-up does not wait for the one before it, as
//! the steps of an automaton would. What the bitmap lets through is compared, eight bytes at once.

use super::gate::{Gate, MAX_LITERAL_CLAUSES, Sign};
use super::signs::{SignId, Signs};
use crate::ByteSet;

/// Lengths that are told apart by table.
const LENGTHS: usize = 64;

/// The number of a pattern among those of a [`Scanner`]: its bit in the candidates.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct PatternId(pub u32);

/// All gates of one kind of target, looked at in one pass.
#[derive(Debug)]
pub struct Scanner {
    /// Words of 64 candidates.
    words: usize,
    /// For each length, the patterns that it is enough for.
    by_length: Box<[u64]>,
    /// Patterns that need more than the table knows, by what they need.
    longer: Box<[(usize, Bit)]>,
    /// Sets that the value must have a byte of, and who needs that.
    needed: Box<[(ByteSet, Box<[Bit]>)]>,
    /// Sets of which a byte meets a clause.
    enough: Box<[(ByteSet, Box<[Bit]>)]>,
    /// Those of both whose bytes are not the same in either case of letters.
    cased: Box<[ByteSet]>,
    /// For each round of clauses, the patterns that have none in it.
    met: Box<[u64]>,
    signs: Signs,
    /// What each sign meets: [`Self::meets`] from its start to that of the next.
    starts: Box<[u32]>,
    meets: Box<[Bit]>,
}

/// Bits of one word.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Bit {
    word: u32,
    mask: u64,
}

impl Bit {
    const fn of(id: u32) -> Self {
        Self { word: id / 64, mask: 1 << (id % 64) }
    }

    fn set(self, words: &mut [u64]) {
        if let Some(word) = words.get_mut(self.word as usize) {
            *word |= self.mask;
        }
    }

    fn clear(self, words: &mut [u64]) {
        if let Some(word) = words.get_mut(self.word as usize) {
            *word &= !self.mask;
        }
    }
}

/// Memory for one scan at a time, used again for the next value.
#[derive(Clone, Default, Debug)]
pub struct Scratch {
    met: Vec<u64>,
    seen: Vec<u64>,
}

impl Scanner {
    /// A scanner for these gates, each with its own number. The numbers should be small: they are places in a bit set.
    #[must_use]
    pub fn new<'g>(gates: impl IntoIterator<Item = (PatternId, &'g Gate)>) -> Self {
        let gates: Vec<(u32, &Gate)> = gates.into_iter().map(|(id, gate)| (id.0, gate)).collect();
        let words = gates.iter().map(|(id, _)| *id as usize / 64 + 1).max().unwrap_or(0);
        let possible = || gates.iter().filter(|(_, gate)| !gate.never);

        let mut by_length = vec![0; (LENGTHS + 1) * words];
        let mut longer = Vec::new();
        for (id, gate) in possible() {
            (gate.min_len..=LENGTHS).for_each(|len| Bit::of(*id).set(&mut by_length[len * words..][..words]));
            if gate.min_len > LENGTHS {
                Bit::of(*id).set(&mut by_length[LENGTHS * words..]);
                longer.push((gate.min_len, Bit::of(*id)));
            }
        }

        let mut met = vec![u64::MAX; MAX_LITERAL_CLAUSES * words];
        let mut enough = Vec::new();
        let mut wanted: Vec<(&Sign, u32)> = Vec::new();
        let round_bits = u32::try_from(words * 64).unwrap_or(u32::MAX);
        for (id, gate) in possible() {
            for (round, clause) in (0u32..).zip(&gate.literals) {
                let bit = round.saturating_mul(round_bits).saturating_add(*id);
                Bit::of(bit).clear(&mut met);
                enough.push((clause.bytes, bit));
                wanted.extend(clause.signs.iter().map(|sign| (sign, bit)));
            }
        }
        enough.retain(|(set, _)| !set.is_empty());
        let needed: Vec<(ByteSet, u32)> =
            possible().flat_map(|(id, gate)| gate.bytes.iter().map(|set| (*set, *id))).collect();
        let mut cased: Vec<ByteSet> = needed.iter().chain(&enough).map(|(set, _)| *set).collect();
        cased.retain(|set| (b'a'..=b'z').any(|byte| set.contains(byte) != set.contains(byte - b'a' + b'A')));
        cased.sort_unstable();
        cased.dedup();

        wanted.sort_unstable();
        let signs = Signs::new(
            wanted.chunk_by(|a, b| a.0 == b.0).filter_map(|chunk| chunk.first()).map(|(sign, _)| *sign),
        );
        let lists =
            wanted.chunk_by(|a, b| a.0 == b.0).map(|chunk| bits(chunk.iter().map(|(_, bit)| *bit).collect()));
        let mut starts = vec![0];
        let mut meets = Vec::new();
        for list in lists {
            meets.extend(list);
            starts.push(u32::try_from(meets.len()).unwrap_or(u32::MAX));
        }
        Self {
            words,
            by_length: by_length.into(),
            longer: longer.into(),
            needed: by_set(needed),
            enough: by_set(enough),
            cased: cased.into(),
            met: met.into(),
            signs,
            starts: starts.into(),
            meets: meets.into(),
        }
    }

    /// How many words of 64 candidates there are.
    #[must_use]
    pub const fn words(&self) -> usize {
        self.words
    }

    /// Whether values of these bytes may have other candidates although they are the same but for the case of letters.
    #[must_use]
    pub fn tells_apart(&self, one: ByteSet, other: ByteSet) -> bool {
        self.cased.iter().any(|set| set.meets(one) != set.meets(other))
    }

    /// Sets the bit of every pattern that may match `value` in `candidates`, and clears all others; one that matches is never
    /// missed. `bytes` are those of the value. What `candidates` has less than [`words`](Self::words) is left out.
    pub fn scan(&self, value: &[u8], bytes: ByteSet, scratch: &mut Scratch, candidates: &mut [u64]) {
        candidates.fill(0);
        let Some(by_length) = self.by_length.get(value.len().min(LENGTHS) * self.words..) else { return };
        for (candidate, possible) in candidates.iter_mut().zip(by_length.iter().take(self.words)) {
            *candidate = *possible;
        }
        for (min_len, bit) in &self.longer {
            if value.len() < *min_len {
                bit.clear(candidates);
            }
        }
        for (set, needing) in &self.needed {
            if !set.meets(bytes) {
                needing.iter().for_each(|bit| bit.clear(candidates));
            }
        }
        if candidates.iter().all(|word| *word == 0) {
            return;
        }
        scratch.met.clear();
        scratch.met.extend_from_slice(&self.met);
        for (set, meeting) in &self.enough {
            if set.meets(bytes) {
                meeting.iter().for_each(|bit| bit.set(&mut scratch.met));
            }
        }
        scratch.seen.clear();
        scratch.seen.resize(self.starts.len() / 64 + 1, 0);
        let Scratch { met, seen } = scratch;
        self.signs.find(value, |id| self.meet(id, seen, met));
        if self.words > 0 {
            for round in scratch.met.chunks_exact(self.words) {
                candidates.iter_mut().zip(round).for_each(|(candidate, met)| *candidate &= met);
            }
        }
    }

    /// Notes that a sign is there.
    #[inline]
    fn meet(&self, SignId(id): SignId, seen: &mut [u64], met: &mut [u64]) {
        let index = id as usize;
        let (Some(word), mask) = (seen.get_mut(index / 64), 1 << (index % 64)) else { return };
        if *word & mask != 0 {
            return;
        }
        *word |= mask;
        if let Some(&[start, end]) = self.starts.get(index..index + 2)
            && let Some(bits) = self.meets.get(start as usize..end as usize)
        {
            bits.iter().for_each(|bit| bit.set(met));
        }
    }

    /// Bytes of memory the scanner takes.
    #[must_use]
    pub fn memory(&self) -> usize {
        let sets = |sets: &[(ByteSet, Box<[Bit]>)]| {
            size_of_val(sets) + sets.iter().map(|(_, bits)| size_of_val(&**bits)).sum::<usize>()
        };
        size_of_val(&*self.by_length)
            + size_of_val(&*self.longer)
            + sets(&self.needed)
            + sets(&self.enough)
            + size_of_val(&*self.cased)
            + size_of_val(&*self.met)
            + size_of_val(&*self.starts)
            + size_of_val(&*self.meets)
            + self.signs.memory()
    }
}

/// Each set once, with all its bits.
fn by_set(mut pairs: Vec<(ByteSet, u32)>) -> Box<[(ByteSet, Box<[Bit]>)]> {
    pairs.sort_unstable();
    pairs
        .chunk_by(|a, b| a.0 == b.0)
        .filter_map(|chunk| {
            Some((chunk.first()?.0, bits(chunk.iter().map(|(_, bit)| *bit).collect()).into()))
        })
        .collect()
}

/// The numbers, as bits of words.
fn bits(mut ids: Vec<u32>) -> Vec<Bit> {
    ids.sort_unstable();
    ids.chunk_by(|a, b| a / 64 == b / 64)
        .map(|chunk| Bit {
            word: chunk.first().copied().unwrap_or_default() / 64,
            mask: chunk.iter().fold(0, |mask, id| mask | 1 << (id % 64)),
        })
        .collect()
}
