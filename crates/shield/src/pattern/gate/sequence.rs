//! Sequences of sets of bytes, one of which a part of a pattern matches.

use regex_syntax::hir::Look;

use super::fold::{EDGE, fold_set};
use crate::ByteSet;

/// Most sequences that are spelled out although all may be missing.
const MAX_OPTIONAL: usize = 8;
/// Most sequences that may come of putting two lists side by side.
const MAX_PRODUCT: usize = 512;
/// Most sequences that may come of taking two lists together.
const MAX_UNION: usize = 2048;
/// Longest sequence that is kept together.
const MAX_ITEMS: usize = 40;
/// Longest sequence kept of how a part begins or ends.
const MAX_EDGE: usize = 6;
/// Most sequences kept of how a part begins or ends.
const MAX_EDGES: usize = 32;

/// Anything, nothing included.
pub(super) const ANYTHING: ByteSet = ByteSet::ALL;

const WORD: ByteSet = ByteSet::EMPTY.with_range(b'a', b'z').with_range(b'0', b'9').with(b'_');
const NO_WORD: ByteSet = WORD.complement();

/// Bytes, each one of a set, and what is around them: sets of folded bytes, [`EDGE`] in the outer two.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Sequence {
    pub(super) before: ByteSet,
    pub(super) items: Vec<ByteSet>,
    pub(super) after: ByteSet,
}

impl Sequence {
    pub(super) const EMPTY: Self = Self { before: ANYTHING, items: Vec::new(), after: ANYTHING };

    fn place(before: ByteSet, after: ByteSet) -> Self {
        Self { before, items: Vec::new(), after }
    }

    /// The first byte, or what is after the place.
    fn first(&self) -> ByteSet {
        self.items.first().copied().unwrap_or(self.after)
    }

    /// The last byte, or what is before the place.
    fn last(&self) -> ByteSet {
        self.items.last().copied().unwrap_or(self.before)
    }

    /// This, directly followed by `next`; none when the two cannot be neighbours.
    fn then(&self, next: &Self) -> Option<Self> {
        let mut items = Vec::with_capacity(self.items.len() + next.items.len());
        items.extend_from_slice(&self.items);
        let mut before = self.before;
        // What must be before the second is the last item of the first, or what is before that if it has none.
        let last = items.last_mut().unwrap_or(&mut before);
        *last = last.intersection(next.before);
        let last_is_empty = last.is_empty();
        let start = items.len();
        items.extend_from_slice(&next.items);
        let mut after = next.after;
        let first = items.get_mut(start).unwrap_or(&mut after);
        *first = first.intersection(self.after);
        let impossible = last_is_empty || first.is_empty();
        (!impossible).then_some(Self { before, items, after })
    }
}

/// Sequences, in rising order, each once. None at all: nothing matches.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Sequences(Vec<Sequence>);

impl Sequences {
    /// Nothing is known.
    pub(super) fn unknown() -> Self {
        Self(vec![Sequence::EMPTY])
    }

    pub(super) const fn none() -> Self {
        Self(Vec::new())
    }

    pub(super) fn new(mut sequences: Vec<Sequence>) -> Self {
        sequences.sort_unstable();
        sequences.dedup();
        Self(sequences)
    }

    /// The sequence of these bytes.
    pub(super) fn literal(bytes: &[u8]) -> Self {
        let items = bytes.iter().map(|&byte| fold_set(ByteSet::EMPTY.with(byte))).collect();
        Self(vec![Sequence { items, ..Sequence::EMPTY }])
    }

    /// One byte of the set.
    pub(super) fn class(set: ByteSet) -> Self {
        Self(vec![Sequence { items: vec![fold_set(set)], ..Sequence::EMPTY }])
    }

    /// A condition on what is before and after a place.
    pub(super) fn look(look: Look) -> Self {
        const END: ByteSet = ByteSet::EMPTY.with(EDGE);
        const LINE: ByteSet = END.with(b'\n');
        let place = Sequence::place;
        Self::new(match look {
            Look::Start => vec![place(END, ANYTHING)],
            Look::StartLF => vec![place(LINE, ANYTHING)],
            Look::End => vec![place(ANYTHING, END)],
            Look::EndLF => vec![place(ANYTHING, LINE)],
            Look::WordAscii => vec![place(WORD, NO_WORD), place(NO_WORD, WORD)],
            Look::WordAsciiNegate => vec![place(WORD, WORD), place(NO_WORD, NO_WORD)],
            Look::WordStartAscii => vec![place(NO_WORD, WORD)],
            Look::WordEndAscii => vec![place(WORD, NO_WORD)],
            _ => vec![Sequence::EMPTY],
        })
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Sequence> {
        self.0.iter()
    }

    pub(super) fn is_none(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether the sequences say nothing of what a value holds: one of them is empty.
    pub(super) fn is_vague(&self) -> bool {
        self.0.iter().any(|sequence| sequence.items.is_empty())
    }

    /// Whether so few that they can be spelled out although all may be missing.
    pub(super) fn is_small(&self) -> bool {
        self.0.len() <= MAX_OPTIONAL
    }

    /// Those that are not empty.
    pub(super) fn filled(mut self) -> Self {
        self.0.retain(|sequence| !sequence.items.is_empty());
        self
    }

    /// Each of this followed by each of `next`; none when they become too many or too long.
    pub(super) fn product(&self, next: &Self) -> Option<Self> {
        let longest = |list: &Self| list.0.iter().map(|sequence| sequence.items.len()).max().unwrap_or(0);
        let most = if self.0.len() > 1 && next.0.len() > 1 { MAX_PRODUCT } else { MAX_UNION };
        if self.0.len().checked_mul(next.0.len())? > most || longest(self) + longest(next) > MAX_ITEMS {
            return None;
        }
        Some(Self::new(
            self.0.iter().flat_map(|sequence| next.0.iter().filter_map(|next| sequence.then(next))).collect(),
        ))
    }

    /// Those of both; none when they are too many.
    pub(super) fn union(self, other: Self) -> Option<Self> {
        let mut sequences = self.0;
        sequences.extend(other.0);
        let union = Self::new(sequences);
        (union.0.len() <= MAX_UNION).then_some(union)
    }

    /// How the sequences begin; as much as stays within the limits.
    pub(super) fn beginnings(&self) -> Self {
        let cut = |sequence: &Sequence, most: usize| Sequence {
            before: sequence.before,
            items: sequence.items.iter().copied().take(most).collect(),
            after: sequence.items.get(most).copied().unwrap_or(sequence.after),
        };
        self.within_limits(cut).unwrap_or_else(|| self.around(|edge| (edge.before, edge.first())))
    }

    /// How the sequences end; as much as stays within the limits.
    pub(super) fn endings(&self) -> Self {
        let cut = |sequence: &Sequence, most: usize| {
            let skip = sequence.items.len().saturating_sub(most);
            let outer = skip.checked_sub(1).and_then(|index| sequence.items.get(index));
            Sequence {
                before: outer.copied().unwrap_or(sequence.before),
                items: sequence.items.iter().copied().skip(skip).collect(),
                after: sequence.after,
            }
        };
        self.within_limits(cut).unwrap_or_else(|| self.around(|edge| (edge.last(), edge.after)))
    }

    fn within_limits(&self, cut: impl Fn(&Sequence, usize) -> Sequence) -> Option<Self> {
        (1..=MAX_EDGE)
            .rev()
            .map(|most| Self::new(self.0.iter().map(|sequence| cut(sequence, most)).collect()))
            .find(|edges| edges.0.len() <= MAX_EDGES)
    }

    /// What is before and after the place where one of these ends, or one of the `others`.
    pub(super) fn place_after(&self, others: &Self) -> Self {
        let union = |list: &Self| list.around(|sequence| (sequence.last(), sequence.after));
        Self([union(self).0, union(others).0].concat()).around(|place| (place.before, place.after))
    }

    /// An empty sequence with the sets of all taken together.
    fn around(&self, sets: impl Fn(&Sequence) -> (ByteSet, ByteSet)) -> Self {
        let place = self.0.iter().map(sets).reduce(|one, other| (one.0.union(other.0), one.1.union(other.1)));
        Self(place.map(|(before, after)| Sequence::place(before, after)).into_iter().collect())
    }
}
