//! The gate of a pattern: what a value must hold for the pattern to be able to match.
//!
//! Most values hold none of the words and signs that the patterns of a rule set ask for, so most patterns need not be run.
//! A gate may let through what the pattern does not match, never the other way round.

mod clause;
mod fold;
mod need;
mod rarity;
mod sequence;

use regex_syntax::hir::Hir;

use crate::ByteSet;
use clause::Clause;
pub(super) use clause::MAX_LITERAL;
pub(super) use fold::{EDGE, fold};
pub(super) use rarity::log_frequency;

/// Most clauses with literals a gate keeps.
pub(super) const MAX_LITERAL_CLAUSES: usize = 3;
/// Most sets of bytes a gate keeps.
const MAX_BYTE_SETS: usize = 4;

/// What it costs to run a pattern on a value, to find a sign in it, to look at its bytes: in nanoseconds, roughly.
const PATTERN_COST: f64 = 300.0;
const SIGN_COST: f64 = 8.0;
const SET_COST: f64 = 3.0;

/// What a value must hold for a pattern to be able to match it. All conditions must be met.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Gate {
    /// Whether nothing can match at all.
    pub never: bool,
    /// Bytes a value must have at least.
    pub min_len: usize,
    /// Each set has a byte in common with the value.
    pub bytes: Vec<ByteSet>,
    /// Of each of these, one sign is in the value.
    pub literals: Vec<Signs>,
}

/// Signs, one of which is in the value.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Signs {
    /// In rising order.
    pub signs: Vec<Sign>,
    /// Bytes, each of which is as good as a sign.
    pub bytes: ByteSet,
}

/// A short string, and what may be around it. In all of it letters are in lower case, and the value is looked at as if it
/// were. In the sets, `E` stands for the edge of the value.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Sign {
    /// The bytes that may be before the literal.
    pub before: ByteSet,
    /// 2 to 8 bytes.
    pub literal: Box<[u8]>,
    /// The bytes that may be after the literal.
    pub after: ByteSet,
}

impl Gate {
    /// Lets everything through.
    #[must_use]
    pub const fn open() -> Self {
        Self { never: false, min_len: 0, bytes: Vec::new(), literals: Vec::new() }
    }

    /// Lets through what holds one of the phrases, letters in either case. Without phrases, nothing.
    #[must_use]
    pub fn any_of<P: AsRef<[u8]>>(phrases: impl IntoIterator<Item = P>) -> Self {
        let phrases: Vec<P> = phrases.into_iter().collect();
        let phrases = || phrases.iter().map(AsRef::as_ref);
        match phrases().map(<[u8]>::len).min() {
            None => Self { never: true, ..Self::open() },
            Some(0) => Self::open(),
            Some(min_len) => {
                let Clause { signs, bytes, .. } = clause::phrases(phrases());
                let literals = vec![Signs { signs, bytes }];
                Self { never: false, min_len, bytes: Vec::new(), literals }
            }
        }
    }

    /// What every match of a pattern holds.
    pub(super) fn of_pattern(hir: &Hir) -> Self {
        match need::need(hir) {
            None => Self { never: true, ..Self::open() },
            Some(need) => {
                let min_len = need.min_len;
                Self::of(need.into_clauses(), min_len)
            }
        }
    }

    /// Keeps the clauses that are worth it; they come with the best first.
    fn of(clauses: Vec<Clause>, min_len: usize) -> Self {
        let mut gate = Self { min_len, ..Self::open() };
        // How likely a harmless value gets as far.
        let mut chance = 1.0;
        for clause in clauses {
            let gain = chance * (1.0 - clause.chance) * PATTERN_COST;
            if clause.signs.is_empty() {
                if gate.bytes.len() < MAX_BYTE_SETS && gain > SET_COST && !gate.bytes.contains(&clause.bytes)
                {
                    gate.bytes.push(clause.bytes);
                    chance *= clause.chance;
                }
            } else if gate.literals.len() < MAX_LITERAL_CLAUSES && gain > clause.hits() * SIGN_COST {
                chance *= clause.chance;
                let Clause { signs, bytes, .. } = clause;
                gate.literals.push(Signs { signs, bytes });
            }
        }
        gate
    }

    /// Whether `value` holds what is needed. A [`Scanner`](super::Scanner) decides the same for many gates at once.
    #[must_use]
    pub fn admits(&self, value: &[u8]) -> bool {
        if self.never || value.len() < self.min_len {
            return false;
        }
        let bytes = ByteSet::of(value);
        if !self.bytes.iter().all(|set| set.meets(bytes)) {
            return false;
        }
        let mut text = Vec::with_capacity(value.len() + 2);
        text.push(EDGE);
        text.extend(value.iter().copied().map(fold));
        text.push(EDGE);
        self.literals
            .iter()
            .all(|signs| signs.bytes.meets(bytes) || signs.signs.iter().any(|sign| sign.is_in(&text)))
    }

    /// Bytes of memory the gate takes.
    #[must_use]
    pub fn memory(&self) -> usize {
        let literals: usize = self
            .literals
            .iter()
            .flat_map(|signs| &signs.signs)
            .map(|sign| size_of::<Sign>() + sign.literal.len())
            .sum();
        self.bytes.len() * size_of::<ByteSet>() + self.literals.len() * size_of::<Signs>() + literals
    }
}

impl Sign {
    /// Whether the sign is in a folded text that begins and ends with [`EDGE`].
    fn is_in(&self, text: &[u8]) -> bool {
        let finder = memchr::memmem::Finder::new(&self.literal);
        let mut from = 0;
        // Places may overlap, and what is around may fit at the second alone: `aaa` holds `aa` behind an `a`.
        while let Some(found) = text.get(from..).and_then(|rest| finder.find(rest)) {
            let start = from + found;
            if self.fits_around(text, start) {
                return true;
            }
            from = start + 1;
        }
        false
    }

    /// Whether what is around a literal that begins at `start` is what may be there.
    fn fits_around(&self, text: &[u8], start: usize) -> bool {
        let before = start.checked_sub(1).and_then(|before| text.get(before));
        let after = text.get(start + self.literal.len());
        matches!((before, after), (Some(before), Some(after)) if self.before.contains(*before) && self.after.contains(*after))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_that_overlap_are_all_looked_at() {
        let sign = |before: ByteSet, literal: &[u8], after: ByteSet| Gate {
            literals: vec![Signs {
                signs: vec![Sign { before, literal: literal.into(), after }],
                bytes: ByteSet::EMPTY,
            }],
            ..Gate::open()
        };
        let (a, edge) = (ByteSet::EMPTY.with(b'a'), ByteSet::EMPTY.with(EDGE));
        assert!(sign(a, b"aa", edge).admits(b"aaa"));
        assert!(sign(edge.with(b'b'), b"abab", edge).admits(b"abab"));
        assert!(sign(ByteSet::ALL, b"abab", edge).admits(b"x-ababab"));
        assert!(!sign(edge, b"aa", edge).admits(b"aaa"));
        assert!(!sign(a, b"aa", a).admits(b"aaa"));
    }
}
