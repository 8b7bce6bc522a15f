//! What every match of a pattern holds, from the pattern's parts.

use regex_syntax::hir::{Class, Hir, HirKind, Repetition};

use super::clause::{self, Clause};
use super::rarity;
use super::sequence::Sequences;
use crate::ByteSet;

/// Most clauses kept of a part.
const MAX_CLAUSES: usize = 12;
/// How likely a value may hold one of the bytes that optional parts would bring, before they are no longer thought away.
const MAX_ASIDE: f64 = 0.8;
/// The same, where the optional parts could also be spelled out.
const RARE: f64 = 0.05;

/// What every match of a part holds.
#[derive(Debug)]
pub(super) struct Need {
    /// Bytes of the shortest match.
    pub(super) min_len: usize,
    /// Each of these is met; beside what the shape says.
    pub(super) clauses: Vec<Clause>,
    /// What it matches, or how that begins and ends, unless the match holds a byte of `aside`.
    shape: Shape,
    /// Bytes that come with optional parts which the shape leaves out: in `w["']*h["']*o` the quotes.
    aside: ByteSet,
    /// All bytes that can be in a match.
    alphabet: ByteSet,
}

#[derive(Debug)]
enum Shape {
    /// It matches one of these and nothing else.
    Exact(Sequences),
    /// What it matches begins with one and ends with one of these.
    Open { begins: Sequences, ends: Sequences },
    /// It matches nothing, or what begins with one and ends with one of these, and then the value holds a byte of `mark`.
    /// If few, `all` it can match.
    Optional { begins: Sequences, ends: Sequences, mark: ByteSet, all: Option<Sequences> },
}

impl Shape {
    fn unknown() -> Self {
        Self::Open { begins: Sequences::unknown(), ends: Sequences::unknown() }
    }
}

impl Shape {
    /// All it can match, if that is known.
    fn all(&self) -> Option<&Sequences> {
        match self {
            Self::Exact(sequences) => Some(sequences),
            Self::Optional { all, .. } => all.as_ref(),
            Self::Open { .. } => None,
        }
    }
}

impl Need {
    fn exact(sequences: Sequences, min_len: usize, alphabet: ByteSet) -> Self {
        Self { min_len, shape: Shape::Exact(sequences), clauses: Vec::new(), aside: ByteSet::EMPTY, alphabet }
    }

    fn empty() -> Self {
        Self::exact(Sequences::unknown(), 0, ByteSet::EMPTY)
    }

    /// Everything that must be met, what the shape says included.
    pub(super) fn into_clauses(self) -> Vec<Clause> {
        let mut clauses = self.clauses;
        match self.shape {
            Shape::Exact(sequences) => clauses.extend(Clause::any_of(&sequences, self.aside)),
            // Who made the shape noted what it says.
            Shape::Open { .. } | Shape::Optional { .. } => {}
        }
        clause::best(clauses, MAX_CLAUSES)
    }

    /// Bytes, one of which is in every value with a match that is not empty.
    fn mark(&self) -> ByteSet {
        let mut marks = vec![self.alphabet];
        match &self.shape {
            Shape::Exact(sequences) => {
                let filled = sequences.clone().filled();
                marks.extend(Clause::any_of(&filled, self.aside).map(|clause| clause.as_bytes()));
            }
            Shape::Optional { mark, .. } => marks.push(*mark),
            Shape::Open { .. } => {}
        }
        if self.min_len > 0 {
            marks.extend(self.clauses.iter().map(Clause::as_bytes));
        }
        marks
            .into_iter()
            .min_by(|a, b| rarity::bytes(*a).total_cmp(&rarity::bytes(*b)))
            .unwrap_or(ByteSet::ALL)
    }
}

/// What every match of `hir` holds; none when nothing matches it.
pub(super) fn need(hir: &Hir) -> Option<Need> {
    match hir.kind() {
        HirKind::Empty => Some(Need::empty()),
        HirKind::Literal(literal) => {
            let bytes = &literal.0;
            Some(Need::exact(Sequences::literal(bytes), bytes.len(), ByteSet::of(bytes)))
        }
        HirKind::Class(class) => byte_class(class),
        HirKind::Look(look) => Some(Need::exact(Sequences::look(*look), 0, ByteSet::EMPTY)),
        HirKind::Capture(capture) => need(&capture.sub),
        HirKind::Concat(parts) => concat(parts),
        HirKind::Alternation(branches) => alternation(branches),
        HirKind::Repetition(repetition) => repeat(repetition),
    }
}

fn byte_class(class: &Class) -> Option<Need> {
    let Class::Bytes(class) = class else {
        // Patterns are of bytes. Should there be another class, nothing is known of it.
        let clauses = Vec::new();
        return Some(Need {
            min_len: 0,
            clauses,
            shape: Shape::unknown(),
            aside: ByteSet::EMPTY,
            alphabet: ByteSet::ALL,
        });
    };
    let set = class.iter().fold(ByteSet::EMPTY, |set, range| set.with_range(range.start(), range.end()));
    if set.is_empty() {
        return None;
    }
    // Sequences do not tell letters of both cases apart, the clause does.
    let clauses = Clause::byte_of(set).into_iter().collect();
    Some(Need { clauses, ..Need::exact(Sequences::class(set), 1, set) })
}

/// What is known directly before a place in a pattern.
#[derive(Clone, Debug)]
struct Run {
    sequences: Sequences,
    aside: ByteSet,
}

impl Run {
    const fn new(sequences: Sequences, aside: ByteSet) -> Self {
        Self { sequences, aside }
    }

    /// This run and what follows it; none if that would become too much.
    fn product(&self, next: &Sequences, aside: ByteSet) -> Option<Self> {
        let aside = self.aside.union(aside);
        if rarity::bytes(aside) > MAX_ASIDE && !aside.is_within(self.aside) {
            return None;
        }
        self.sequences.product(next).map(|sequences| Self { sequences, aside })
    }

    fn clause(&self) -> Option<Clause> {
        Clause::any_of(&self.sequences, self.aside)
    }
}

/// Walks along the parts of a concatenation.
#[derive(Debug)]
struct Walk {
    min_len: usize,
    alphabet: ByteSet,
    clauses: Vec<Clause>,
    /// What the match so far is, as long as `begins` is none; later, how it ends.
    run: Run,
    begins: Option<Run>,
}

impl Walk {
    fn new() -> Self {
        let run = Run::new(Sequences::unknown(), ByteSet::EMPTY);
        Self { min_len: 0, alphabet: ByteSet::EMPTY, clauses: Vec::new(), run, begins: None }
    }

    /// Goes on behind a part; none when nothing matches up to there.
    fn step(&mut self, part: Need) -> Option<()> {
        self.min_len = self.min_len.saturating_add(part.min_len);
        self.alphabet = self.alphabet.union(part.alphabet);
        self.clauses.extend(part.clauses);
        let aside = part.aside;
        if !aside.is_within(self.run.aside) {
            // What is known without looking aside may tell more.
            self.clauses.extend(self.run.clause());
        }
        match part.shape {
            Shape::Exact(sequences) => match self.run.product(&sequences, aside) {
                Some(product) => self.run = product,
                None => self.leap(&sequences.beginnings(), Run::new(sequences, aside)),
            },
            Shape::Open { begins, ends } => self.leap(&begins, Run::new(ends, aside)),
            Shape::Optional { ends, mark, all, .. } => {
                let next = self.left_out(mark, RARE).or_else(|| self.run.product(&all?, aside));
                match next.or_else(|| self.left_out(mark, MAX_ASIDE)) {
                    Some(product) => self.run = product,
                    None => {
                        let after = self.run.sequences.place_after(&ends);
                        self.leave(self.run.clone());
                        self.run = Run::new(after, self.run.aside.union(aside));
                    }
                }
            }
        }
        (!self.run.sequences.is_none()).then_some(()).or_else(|| self.only_aside())
    }

    /// The run, if what comes with a byte of `mark` is thought away.
    fn left_out(&self, mark: ByteSet, most: f64) -> Option<Run> {
        let aside = self.run.aside.union(mark);
        // To keep no more than what is before a place is not worth looking aside.
        let worth = mark.is_within(self.run.aside) || rarity::bytes(aside) < most;
        (worth && !self.run.sequences.is_vague()).then(|| Run::new(self.run.sequences.clone(), aside))
    }

    /// What is known ends with how the next part begins; what follows begins with `run`.
    fn leap(&mut self, begins: &Sequences, run: Run) {
        let longest = self.run.product(begins, run.aside).unwrap_or_else(|| self.run.clone());
        self.leave(longest);
        self.run = run;
    }

    fn leave(&mut self, run: Run) {
        self.clauses.extend(run.clause());
        self.begins.get_or_insert(run);
    }

    /// No way through but with bytes that were thought away.
    fn only_aside(&mut self) -> Option<()> {
        let aside = self.run.aside;
        if aside.is_empty() {
            return None;
        }
        self.clauses.extend(Clause::byte_of(aside));
        let unknown = Run::new(Sequences::unknown(), ByteSet::EMPTY);
        self.begins = Some(unknown.clone());
        self.run = unknown;
        Some(())
    }

    fn finish(mut self) -> Need {
        let (shape, aside) = match self.begins {
            None => (Shape::Exact(self.run.sequences), self.run.aside),
            Some(begins) => {
                self.clauses.extend(self.run.clause());
                let ends = self.run.sequences.endings();
                let shape = Shape::Open { begins: begins.sequences.beginnings(), ends };
                (shape, begins.aside.union(self.run.aside))
            }
        };
        let clauses = clause::best(self.clauses, MAX_CLAUSES);
        Need { min_len: self.min_len, clauses, shape, aside, alphabet: self.alphabet }
    }
}

fn concat(parts: &[Hir]) -> Option<Need> {
    let mut walk = Walk::new();
    for part in parts {
        walk.step(need(part)?)?;
    }
    Some(walk.finish())
}

fn alternation(branches: &[Hir]) -> Option<Need> {
    // A branch that nothing matches is no branch.
    let needs: Vec<Need> = branches.iter().filter_map(need).collect();
    let min_len = needs.iter().map(|need| need.min_len).min()?;
    let aside = needs.iter().fold(ByteSet::EMPTY, |aside, need| aside.union(need.aside));
    let alphabet = needs.iter().fold(ByteSet::EMPTY, |alphabet, need| alphabet.union(need.alphabet));
    let exact = needs.iter().try_fold(Sequences::none(), |all, need| all.union(need.shape.all()?.clone()));
    let shape = match exact {
        Some(sequences) => Shape::Exact(sequences),
        None => edges(&needs),
    };
    let clauses = clause::either(needs.into_iter().map(Need::into_clauses).collect(), aside);
    Some(Need { min_len, clauses, shape, aside, alphabet })
}

/// How the alternatives begin and end.
fn edges(needs: &[Need]) -> Shape {
    let mut optional = false;
    let mut mark = ByteSet::EMPTY;
    let mut all_begins = Some(Sequences::none());
    let mut all_ends = Some(Sequences::none());
    for need in needs {
        let (begins, ends) = match &need.shape {
            Shape::Exact(sequences) => {
                optional |= sequences.is_vague();
                let filled = sequences.clone().filled();
                (filled.beginnings(), filled.endings())
            }
            Shape::Open { begins, ends } => (begins.clone(), ends.clone()),
            Shape::Optional { begins, ends, .. } => {
                optional = true;
                (begins.clone(), ends.clone())
            }
        };
        mark = mark.union(need.mark());
        all_begins = all_begins.and_then(|all| all.union(begins));
        all_ends = all_ends.and_then(|all| all.union(ends));
    }
    let begins = all_begins.unwrap_or_else(Sequences::unknown).beginnings();
    let ends = all_ends.unwrap_or_else(Sequences::unknown).endings();
    if optional { Shape::Optional { begins, ends, mark, all: None } } else { Shape::Open { begins, ends } }
}

fn repeat(repetition: &Repetition) -> Option<Need> {
    let Repetition { min, max, .. } = *repetition;
    let sub = match need(&repetition.sub) {
        Some(sub) if max != Some(0) => sub,
        // What nothing matches can only be left out.
        None if min > 0 => return None,
        _ => return Some(Need::empty()),
    };
    if min == 0 { Some(optional(sub, max)) } else { repeated(sub, min, max) }
}

fn optional(sub: Need, max: Option<u32>) -> Need {
    let mark = sub.mark();
    let Need { aside, alphabet, .. } = sub;
    let all = sub.shape.all().filter(|all| max == Some(1) && all.is_small()).cloned();
    let all = all.and_then(|all| all.union(Sequences::unknown()));
    let shape = match sub.shape {
        Shape::Exact(sequences) => {
            let filled = sequences.filled();
            if filled.is_none() {
                Shape::Exact(Sequences::unknown())
            } else {
                Shape::Optional { begins: filled.beginnings(), ends: filled.endings(), mark, all }
            }
        }
        Shape::Open { begins, ends } | Shape::Optional { begins, ends, .. } => {
            Shape::Optional { begins, ends, mark, all }
        }
    };
    Need { min_len: 0, clauses: Vec::new(), shape, aside, alphabet }
}

fn repeated(sub: Need, min: u32, max: Option<u32>) -> Option<Need> {
    let min_len = sub.min_len.saturating_mul(min as usize);
    let Need { mut clauses, aside, alphabet, .. } = sub;
    let shape = match sub.shape {
        Shape::Exact(sequences) => {
            let mut power = sequences.clone();
            let mut times = 1;
            while times < min
                && let Some(more) = power.product(&sequences)
            {
                power = more;
                times += 1;
            }
            if power.is_none() && aside.is_empty() {
                return None;
            }
            if max == Some(times) && !power.is_none() {
                Shape::Exact(power)
            } else {
                clauses.extend(Clause::any_of(&power, aside));
                Shape::Open { begins: power.beginnings(), ends: power.endings() }
            }
        }
        // What one round can match is not what several can.
        Shape::Optional { begins, ends, mark, .. } => Shape::Optional { begins, ends, mark, all: None },
        open @ Shape::Open { .. } => open,
    };
    Some(Need { min_len, clauses, shape, aside, alphabet })
}
