//! Finds many short strings in a value at once.
//!
//! Each sign is known by a key: two to four neighbouring bytes of it or of what is around it, those that occur least. Bitmaps
//! tell for the bytes at a place of the value whether any sign has them as its key; mostly none has, and that look-up does
//! not wait for the one before it, as the steps of an automaton would. What is left is compared, eight bytes at once.

use super::gate::{EDGE, MAX_LITERAL, Sign, fold, log_frequency};
use crate::ByteSet;

/// Bits of the bitmap of keys of three and four bytes, as a power of two.
const BITMAP: u32 = 17;
/// Places where signs are kept, as a power of two.
const SLOTS: u32 = 12;
/// Most keys of a sign: more where no key has so few.
const MAX_KEYS: u32 = 16;
/// Bytes of a value that are folded at once.
const BLOCK: usize = 512;
/// Bytes kept of what is before and after a block.
const MARGIN: usize = 8;

type Text = [u8; MARGIN + BLOCK + MARGIN];

/// The number of a sign, in the order in which they were given.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct SignId(pub(super) u32);

/// Signs to be found.
#[derive(Debug)]
pub(super) struct Signs {
    /// By the hash of four bytes: whether they are a key.
    fours: Box<[u64; 1 << (BITMAP - 6)]>,
    /// By the hash of three bytes: whether they are a key.
    threes: Box<[u64; 1 << (BITMAP - 6)]>,
    /// By two bytes: whether they are a key.
    twos: Box<[u64; 1 << (16 - 6)]>,
    /// Where the keys of each slot begin.
    starts: Box<[u32]>,
    /// The keys, and for each of them its sign.
    keys: Box<[u32]>,
    entries: Box<[Entry]>,
    /// The sets of what may be around signs.
    around: Box<[ByteSet]>,
}

/// A sign as it is compared.
#[derive(Clone, Copy, Debug)]
struct Entry {
    /// The bytes of the literal, the first in the lowest byte.
    literal: u64,
    mask: u64,
    /// Where the key is in the literal, plus one: it may begin before it.
    offset: u8,
    len: u8,
    before: u32,
    after: u32,
    id: u32,
}

impl Signs {
    /// Signs are numbered in the order given.
    pub(super) fn new<'s>(signs: impl Iterator<Item = &'s Sign>) -> Self {
        let mut fours = Box::new([0; 1 << (BITMAP - 6)]);
        let mut threes = Box::new([0; 1 << (BITMAP - 6)]);
        let mut twos = Box::new([0; 1 << (16 - 6)]);
        let mut around = Vec::new();
        let mut entries: Vec<(u32, Entry)> = Vec::new();
        for (id, sign) in (0u32..).zip(signs) {
            let mut literal = [0u8; MAX_LITERAL];
            let mut mask = [0u8; MAX_LITERAL];
            for ((byte, mask), sign) in literal.iter_mut().zip(&mut mask).zip(&sign.literal) {
                (*byte, *mask) = (*sign, u8::MAX);
            }
            let key = Key::of(sign);
            let entry = Entry {
                literal: u64::from_le_bytes(literal),
                mask: u64::from_le_bytes(mask),
                offset: key.offset,
                len: sign.literal.len().min(MAX_LITERAL) as u8,
                before: index(&mut around, sign.before),
                after: index(&mut around, sign.after),
                id,
            };
            for bytes in key.spellings() {
                let key = match *bytes.as_slice() {
                    [a, b, c, d] => mark_hash(&mut fours, u32::from_le_bytes([a, b, c, d])),
                    [a, b, c] => mark_hash(&mut threes, u32::from_le_bytes([a, b, c, 0])),
                    [a, b] => mark(&mut twos, u32::from_le_bytes([a, b, 0, 0])),
                    _ => continue,
                };
                entries.push((key, entry));
            }
        }
        entries.sort_by_key(|(key, entry)| (slot(*key), *key, entry.id));
        let starts = (0..=1u32 << SLOTS)
            .map(|at| u32::try_from(entries.partition_point(|(key, _)| slot(*key) < at)).unwrap_or(u32::MAX))
            .collect();
        let keys = entries.iter().map(|(key, _)| *key).collect();
        let entries = entries.into_iter().map(|(_, entry)| entry).collect();
        Self { fours, threes, twos, starts, keys, entries, around: around.into() }
    }

    /// Calls `found` for every sign in `value`, for some more than once.
    pub(super) fn find(&self, value: &[u8], mut found: impl FnMut(SignId)) {
        let mut text: Text = [0u8; MARGIN + BLOCK + MARGIN];
        text[MARGIN - 1] = EDGE;
        let mut rest = value;
        loop {
            let here = rest.len().min(BLOCK);
            let ahead = rest.len().min(BLOCK + MARGIN);
            let (folded, edge) = text[MARGIN..].split_at_mut(ahead);
            folded.copy_from_slice(&rest[..ahead]);
            folded.iter_mut().for_each(|byte| *byte = fold(*byte));
            if ahead == rest.len()
                && let Some(edge) = edge.first_mut()
            {
                *edge = EDGE;
            }
            let last = here == rest.len();
            self.find_in(&text, here + usize::from(last), &mut found);
            if last {
                return;
            }
            rest = &rest[here..];
            text.copy_within(BLOCK..BLOCK + MARGIN, 0);
        }
    }

    /// Looks at the places of a block, from one byte before it; at the end of the value also at its last byte.
    #[inline]
    fn find_in(&self, text: &Text, len: usize, found: &mut impl FnMut(SignId)) {
        // Whether there is a key is noted without a branch: no processor could foresee it.
        let mut places = [0u16; BLOCK + 1];
        let mut count = 0;
        let windows = text[MARGIN - 1..MARGIN + len + 2].array_windows::<4>();
        for (place, &bytes) in (0u16..).zip(windows) {
            let four = u32::from_le_bytes(bytes);
            let hit = bit(&self.fours, hash(four))
                | bit(&self.threes, hash(four & 0x00ff_ffff))
                | bit(&self.twos, four & 0xffff);
            if let Some(next) = places.get_mut(count) {
                *next = place;
            }
            count += hit as usize;
        }
        for place in places.iter().take(count) {
            self.compare(text, MARGIN - 1 + usize::from(*place), found);
        }
    }

    #[inline]
    fn compare(&self, text: &Text, place: usize, found: &mut impl FnMut(SignId)) {
        let Some(&[a, b, c, d]) = text.get(place..place + 4) else { return };
        let four = u32::from_le_bytes([a, b, c, d]);
        let (three, two) = (four & 0x00ff_ffff, four & 0xffff);
        if bit(&self.fours, hash(four)) == 1 {
            self.compare_key(text, place, four, found);
        }
        if bit(&self.threes, hash(three)) == 1 {
            self.compare_key(text, place, three, found);
        }
        if bit(&self.twos, two) == 1 {
            self.compare_key(text, place, two, found);
        }
    }

    #[inline]
    fn compare_key(&self, text: &Text, place: usize, key: u32, found: &mut impl FnMut(SignId)) {
        let at = slot(key) as usize;
        let Some(&[first, last]) = self.starts.get(at..at + 2) else { return };
        let range = first as usize..last as usize;
        let (Some(keys), Some(entries)) = (self.keys.get(range.clone()), self.entries.get(range)) else {
            return;
        };
        for (known, entry) in keys.iter().zip(entries) {
            if *known == key {
                // The margins are wide enough for all of this.
                let start = (place + 1).wrapping_sub(usize::from(entry.offset));
                let Some(window) = text.get(start..start + MAX_LITERAL) else { continue };
                let window = window.try_into().map_or(0, u64::from_le_bytes);
                if window & entry.mask == entry.literal && self.is_around(text, start, entry) {
                    found(SignId(entry.id));
                }
            }
        }
    }

    fn is_around(&self, text: &Text, start: usize, entry: &Entry) -> bool {
        let may = |set: u32, place: usize| match (self.around.get(set as usize), text.get(place)) {
            (Some(set), Some(byte)) => set.contains(*byte),
            _ => true,
        };
        may(entry.before, start.wrapping_sub(1)) && may(entry.after, start + usize::from(entry.len))
    }

    pub(super) fn memory(&self) -> usize {
        size_of_val(&*self.fours)
            + size_of_val(&*self.threes)
            + size_of_val(&*self.twos)
            + size_of_val(&*self.starts)
            + size_of_val(&*self.keys)
            + size_of_val(&*self.entries)
            + size_of_val(&*self.around)
    }
}

/// Neighbouring sets of a sign by which it is looked up.
#[derive(Debug)]
struct Key {
    sets: Vec<ByteSet>,
    /// Where it is in the literal, plus one.
    offset: u8,
}

impl Key {
    /// The key of a sign that occurs least.
    fn of(sign: &Sign) -> Self {
        let literal = sign.literal.iter().map(|&byte| ByteSet::EMPTY.with(byte));
        let sets: Vec<ByteSet> = [sign.before].into_iter().chain(literal).chain([sign.after]).collect();
        let spellings = |sets: &[ByteSet]| sets.iter().map(|set| set.len()).fold(1u32, u32::saturating_mul);
        let key =
            [(4, 1), (4, MAX_KEYS), (3, MAX_KEYS), (2, u32::MAX)].into_iter().find_map(|(len, most)| {
                let keys = sets.windows(len).enumerate().filter(|(_, sets)| spellings(sets) <= most);
                keys.map(|(offset, sets)| (log_frequency(sets), offset, sets))
                    .min_by(|a, b| a.0.total_cmp(&b.0))
            });
        // There is always a key of two bytes: those of the literal.
        let (_, offset, sets) = key.unwrap_or((0.0, 0, &[]));
        Self { sets: sets.to_vec(), offset: offset as u8 }
    }

    fn spellings(&self) -> Vec<Vec<u8>> {
        self.sets.iter().fold(vec![Vec::new()], |spellings, set| {
            spellings
                .iter()
                .flat_map(|spelling: &Vec<u8>| set.iter().map(|byte| [spelling.as_slice(), &[byte]].concat()))
                .collect()
        })
    }
}

/// The place of a set in a list to which it is added if need be.
fn index(list: &mut Vec<ByteSet>, set: ByteSet) -> u32 {
    let place = list.iter().position(|known| *known == set).unwrap_or_else(|| {
        list.push(set);
        list.len() - 1
    });
    u32::try_from(place).unwrap_or(u32::MAX)
}

/// A number below two to the power of [`BITMAP`].
#[inline]
const fn hash(bytes: u32) -> u32 {
    bytes.wrapping_mul(0x9e37_79b1) >> (32 - BITMAP)
}

#[inline]
fn bit<const WORDS: usize>(bitmap: &[u64; WORDS], index: u32) -> u64 {
    bitmap[index as usize / 64 % WORDS] >> (index % 64) & 1
}

fn mark<const WORDS: usize>(bitmap: &mut [u64; WORDS], index: u32) -> u32 {
    bitmap[index as usize / 64 % WORDS] |= 1 << (index % 64);
    index
}

fn mark_hash<const WORDS: usize>(bitmap: &mut [u64; WORDS], key: u32) -> u32 {
    mark(bitmap, hash(key));
    key
}

/// Where a key is kept.
#[inline]
const fn slot(key: u32) -> u32 {
    hash(key) >> (BITMAP - SLOTS)
}
