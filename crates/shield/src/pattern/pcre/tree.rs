//! A pattern as a tree, all flags resolved.

use crate::ByteSet;

/// A part of a pattern.
#[derive(Debug)]
pub(super) enum Node {
    /// Matches nothing, everywhere.
    Empty,
    /// One byte of the set.
    Set(ByteSet),
    /// A condition on the place.
    Look(Look),
    /// `\R`: a line end, CR LF taken as one and never given back in part.
    Newline { at: usize },
    /// A group that captures.
    Group(Box<Node>),
    /// A group that is never entered again: `(?>…)`.
    Atomic { node: Box<Node>, at: usize },
    /// One after the other.
    Concat(Vec<Node>),
    /// The first that leads to a match.
    Alternate(Vec<Node>),
    /// Again and again.
    Repeat(Box<Repeat>),
}

/// A quantifier and what it repeats.
#[derive(Debug)]
pub(super) struct Repeat {
    pub(super) node: Node,
    pub(super) min: u32,
    pub(super) max: Option<u32>,
    pub(super) greed: Greed,
    pub(super) at: usize,
}

/// How much a quantifier takes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Greed {
    Greedy,
    Lazy,
    Possessive,
}

/// A condition on the place in the value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Look {
    Start,
    StartLine,
    End,
    EndLine,
    /// At the end or before a line end that is the last byte.
    EndOrFinalNewline {
        at: usize,
    },
    Boundary,
    NotBoundary,
    WordStart,
    WordEnd,
}

/// What may come after a part of a pattern.
#[derive(Clone, Copy, Debug)]
pub(super) struct Follow {
    /// The bytes it may go on with.
    pub(super) bytes: ByteSet,
    /// The same, without bytes that only optional repetitions of single bytes would take.
    pub(super) firm: ByteSet,
    /// Whether the pattern may also be at its end.
    pub(super) end: bool,
    /// Whether a condition may decide whether it goes on at all.
    pub(super) look: bool,
}

impl Follow {
    /// Nothing comes after: the pattern ends.
    pub(super) const END: Self = Self { bytes: ByteSet::EMPTY, firm: ByteSet::EMPTY, end: true, look: false };

    /// Whether nothing but the end comes after.
    pub(super) const fn is_end(self) -> bool {
        self.bytes.is_empty() && !self.look
    }

    pub(super) const fn union(self, other: Self) -> Self {
        Self {
            bytes: self.bytes.union(other.bytes),
            firm: self.firm.union(other.firm),
            end: self.end || other.end,
            look: self.look || other.look,
        }
    }

    const fn bytes(bytes: ByteSet) -> Self {
        Self { bytes, firm: bytes, end: false, look: false }
    }

    /// What comes after `look` and may then go on like this. A place before a byte is not the end, so a condition other than
    /// `\z` that stands at the end of the pattern counts as the bytes before which it may hold.
    const fn behind(self, look: Look) -> Self {
        let bytes = match look {
            Look::End => ByteSet::EMPTY,
            _ if !self.end => ByteSet::EMPTY,
            Look::EndLine | Look::EndOrFinalNewline { .. } => ByteSet::EMPTY.with(b'\n'),
            _ => ByteSet::ALL,
        };
        let bytes = self.bytes.union(bytes);
        Self { bytes, firm: bytes, end: self.end, look: true }
    }
}

/// The bytes of `\R`, each of which ends a line.
pub(super) const NEWLINES: ByteSet = ByteSet::EMPTY.with_range(b'\n', b'\r').with(0x85);

impl Node {
    /// How the pattern may go on from the place before this node, when `then` may come after it.
    pub(super) fn first(&self, then: Follow) -> Follow {
        match self {
            Self::Empty => then,
            Self::Set(set) => Follow::bytes(*set),
            Self::Newline { .. } => Follow::bytes(NEWLINES),
            Self::Look(look) => then.behind(*look),
            Self::Group(node) | Self::Atomic { node, .. } => node.first(then),
            Self::Concat(nodes) => nodes.iter().rev().fold(then, |then, node| node.first(then)),
            Self::Alternate(nodes) => {
                nodes.iter().map(|node| node.first(then)).reduce(Follow::union).unwrap_or(then)
            }
            Self::Repeat(repeat) if repeat.max == Some(0) => then,
            Self::Repeat(repeat) if repeat.min == 0 => {
                let mut first = repeat.node.first(then).union(then);
                if repeat.node.as_set().is_some() {
                    first.firm = then.firm;
                }
                first
            }
            Self::Repeat(repeat) => repeat.node.first(then),
        }
    }

    /// The set, when the node is one byte of a set, in a group or not.
    pub(super) fn as_set(&self) -> Option<ByteSet> {
        match self {
            Self::Set(set) => Some(*set),
            Self::Group(node) | Self::Atomic { node, .. } => node.as_set(),
            Self::Concat(nodes) | Self::Alternate(nodes) => match nodes.as_slice() {
                [node] => node.as_set(),
                _ => None,
            },
            _ => None,
        }
    }
}
