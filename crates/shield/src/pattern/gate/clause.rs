//! Clauses: one of several signs must be there.

use foldhash::{HashMap, HashMapExt as _};

use super::Sign;
use super::fold::{fold_set, unfold_set};
use super::rarity;
use super::sequence::{ANYTHING, Sequence, Sequences};
use crate::ByteSet;

/// Longest literal: eight bytes are compared at once.
pub(in crate::pattern) const MAX_LITERAL: usize = 8;
/// Most signs of a clause of a pattern. Phrase lists may have more.
const MAX_SIGNS: usize = 1024;
/// Most literals that one sequence is spelled out to.
const MAX_SPELLINGS: u32 = 12;
/// A clause that a harmless value meets with this chance is not worth looking at.
const USELESS: f64 = 0.97;
/// How many clauses are joined of alternatives.
const ROUNDS: usize = 4;

/// Any of the signs is in the value, or any of the bytes.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Clause {
    /// In rising order; none implies another.
    pub(super) signs: Vec<Sign>,
    pub(super) bytes: ByteSet,
    /// How likely a harmless value meets it.
    pub(super) chance: f64,
}

impl Clause {
    /// One of the sequences, or one of the bytes; none when that says nothing.
    pub(super) fn any_of(sequences: &Sequences, bytes: ByteSet) -> Option<Self> {
        if sequences.is_vague() {
            return None;
        }
        let mut clause = Self { signs: Vec::new(), bytes, chance: 0.0 };
        for sequence in sequences.iter() {
            match rarity::window(sequence, MAX_LITERAL, MAX_SPELLINGS) {
                Some(window) => spell(&window, &mut clause.signs),
                None => clause.bytes = clause.bytes.union(unfold_set(rarity::rarest_item(sequence))),
            }
        }
        clause.tidy();
        Some(clause)
    }

    /// One of the bytes; none when that says next to nothing.
    pub(super) fn byte_of(set: ByteSet) -> Option<Self> {
        let clause = Self { signs: Vec::new(), bytes: set, chance: rarity::bytes(set) };
        (clause.chance < USELESS).then_some(clause)
    }

    /// Drops signs that imply another one, and guesses the chance.
    fn tidy(&mut self) {
        let mut signs: HashMap<&[u8], (ByteSet, ByteSet)> = HashMap::with_capacity(self.signs.len());
        for sign in &self.signs {
            let around = signs.entry(&sign.literal).or_insert((ByteSet::EMPTY, ByteSet::EMPTY));
            *around = (around.0.union(sign.before), around.1.union(sign.after));
        }
        let mut kept: Vec<Sign> = signs
            .iter()
            .filter(|(literal, _)| {
                !literal.iter().any(|&byte| unfold_set(ByteSet::EMPTY.with(byte)).is_within(self.bytes))
            })
            .filter(|(literal, around)| !implies_shorter(literal, **around, &signs))
            .map(|(literal, &(before, after))| Sign { before, literal: (*literal).into(), after })
            .collect();
        kept.sort_unstable();
        self.signs = kept;
        let misses: f64 = self.signs.iter().map(|sign| (-rarity::sign(sign)).exp()).product();
        self.chance = 1.0 - misses * (1.0 - rarity::bytes(self.bytes));
    }

    /// How likely a harmless value meets it that holds no byte of `aside`.
    fn chance_beside(&self, aside: ByteSet) -> f64 {
        let bytes = self.bytes.intersection(aside.complement());
        1.0 - (1.0 - self.chance) / (1.0 - rarity::bytes(self.bytes)).max(f64::MIN_POSITIVE)
            * (1.0 - rarity::bytes(bytes))
    }

    /// How many of its signs a value has, on average.
    pub(super) fn hits(&self) -> f64 {
        self.signs.iter().map(rarity::sign).sum()
    }

    fn join(&mut self, other: &Self) {
        self.signs.extend(other.signs.iter().cloned());
        self.bytes = self.bytes.union(other.bytes);
    }

    /// A weaker clause of bytes alone: each sign stands for the byte of it that occurs least.
    pub(super) fn as_bytes(&self) -> ByteSet {
        let rarest = self.signs.iter().map(|sign| rarity::rarest_byte(&sign.literal));
        rarest.fold(self.bytes, |bytes, byte| bytes.union(unfold_set(ByteSet::EMPTY.with(byte))))
    }
}

/// Whether a part of the literal is one of `signs` and what is around it fits: where the literal is, so is that sign.
fn implies_shorter(
    literal: &[u8],
    around: (ByteSet, ByteSet),
    signs: &HashMap<&[u8], (ByteSet, ByteSet)>,
) -> bool {
    (2..literal.len()).any(|len| {
        literal.windows(len).enumerate().any(|(start, part)| {
            signs.get(part).is_some_and(|(before, after)| {
                let outside = |index: Option<usize>, edge| {
                    index.and_then(|index| literal.get(index)).map_or(edge, |&byte| ByteSet::EMPTY.with(byte))
                };
                outside(start.checked_sub(1), around.0).is_within(*before)
                    && outside(Some(start + len), around.1).is_within(*after)
            })
        })
    })
}

/// All literals of a window whose sets have few bytes.
fn spell(window: &Sequence, signs: &mut Vec<Sign>) {
    let mut literals: Vec<Vec<u8>> = vec![Vec::new()];
    for item in &window.items {
        literals = literals
            .iter()
            .flat_map(|literal| item.iter().map(move |byte| literal.iter().copied().chain([byte]).collect()))
            .collect();
    }
    let sign =
        |literal: Vec<u8>| Sign { before: window.before, literal: literal.into(), after: window.after };
    signs.extend(literals.into_iter().map(sign));
}

/// The clauses that tell most, at most `most`.
pub(super) fn best(mut clauses: Vec<Clause>, most: usize) -> Vec<Clause> {
    clauses.retain(|clause| clause.chance < USELESS && clause.signs.len() <= MAX_SIGNS);
    clauses.sort_by(|a, b| a.chance.total_cmp(&b.chance));
    clauses.dedup();
    clauses.truncate(most);
    clauses
}

/// What is met when all clauses of one of the `branches` are: clauses of all branches joined, the best with the best. Bytes
/// of `aside` will be in what is joined anyhow.
pub(super) fn either(mut branches: Vec<Vec<Clause>>, aside: ByteSet) -> Vec<Clause> {
    if branches.is_empty() || branches.iter().any(Vec::is_empty) {
        return Vec::new();
    }
    let mut clauses = Vec::new();
    let rounds = branches.iter().map(Vec::len).max().unwrap_or(0).min(ROUNDS);
    for round in 0..rounds {
        // Branches without so many clauses give their last one again.
        clauses.push(joined(branches.iter().filter_map(|branch| branch.get(round).or(branch.last()))));
    }
    if !aside.is_empty() {
        for branch in &mut branches {
            branch.sort_by(|a, b| a.chance_beside(aside).total_cmp(&b.chance_beside(aside)));
        }
        clauses.push(joined(branches.iter().filter_map(|branch| branch.first())));
    }
    let least = |branch: &Vec<Clause>| {
        branch.iter().map(Clause::as_bytes).min_by(|a, b| rarity::bytes(*a).total_cmp(&rarity::bytes(*b)))
    };
    let bytes = branches.iter().filter_map(least).fold(ByteSet::EMPTY, ByteSet::union);
    clauses.extend(Clause::byte_of(bytes));
    best(clauses, usize::MAX)
}

fn joined<'c>(clauses: impl Iterator<Item = &'c Clause>) -> Clause {
    let mut joined = Clause { signs: Vec::new(), bytes: ByteSet::EMPTY, chance: 0.0 };
    clauses.for_each(|clause| joined.join(clause));
    joined.tidy();
    joined
}

/// A sign for a phrase: the part of it, at most [`MAX_LITERAL`] bytes, that occurs least.
pub(super) fn phrases<'p>(phrases: impl Iterator<Item = &'p [u8]>) -> Clause {
    let mut clause = Clause { signs: Vec::new(), bytes: ByteSet::EMPTY, chance: 0.0 };
    for phrase in phrases {
        let items = phrase.iter().map(|&byte| fold_set(ByteSet::EMPTY.with(byte))).collect();
        let sequence = Sequence { before: ANYTHING, items, after: ANYTHING };
        match rarity::window(&sequence, MAX_LITERAL, 1) {
            Some(window) => spell(&window, &mut clause.signs),
            None => clause.bytes = clause.bytes.union(unfold_set(rarity::rarest_item(&sequence))),
        }
    }
    clause.tidy();
    clause
}
