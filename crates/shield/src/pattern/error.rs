//! Why a pattern cannot be honoured.

use std::fmt;

/// Why a pattern cannot be honoured. `at` is the place in the pattern, in bytes from its start.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum PatternError {
    /// `(?=…)`, `(?!…)`, `(?<=…)`, `(?<!…)`: not decidable in one linear pass.
    LookAround {
        /// Where it opens.
        at: usize,
    },
    /// `\1`, `\g{…}`, `\k<…>`, `(?P=…)`: not decidable in linear time.
    BackReference {
        /// Where the escape begins.
        at: usize,
    },
    /// `x*+` where giving back what `x` took could make a difference.
    Possessive {
        /// Where the quantifier is.
        at: usize,
    },
    /// `(?>…)` or `\R` where trying another way through the group could make a difference.
    Atomic {
        /// Where it begins.
        at: usize,
    },
    /// `(?(…)…)`.
    Conditional {
        /// Where it opens.
        at: usize,
    },
    /// `(?R)`, `(?1)`, `(?&name)`, `(?P>name)`, `\g<…>`.
    Recursion {
        /// Where it begins.
        at: usize,
    },
    /// A construct of PCRE that has no counterpart here: `\K`, `\X`, `\p{…}`, `(?|…)`, verbs, callouts, `\Z` before more pattern.
    Unsupported {
        /// Where it begins.
        at: usize,
    },
    /// No valid PCRE.
    Syntax {
        /// Where it stops being valid.
        at: usize,
    },
    /// More than the limits on the length of a pattern, its nesting or the size of its automaton allow.
    TooLarge,
}

impl PatternError {
    /// The place in the pattern, in bytes from its start; none when the pattern as a whole is too large.
    #[must_use]
    pub const fn at(self) -> Option<usize> {
        match self {
            Self::LookAround { at }
            | Self::BackReference { at }
            | Self::Possessive { at }
            | Self::Atomic { at }
            | Self::Conditional { at }
            | Self::Recursion { at }
            | Self::Unsupported { at }
            | Self::Syntax { at } => Some(at),
            Self::TooLarge => None,
        }
    }
}

impl fmt::Display for PatternError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::LookAround { .. } => "look-around is not supported",
            Self::BackReference { .. } => "back-references are not supported",
            Self::Possessive { .. } => "this possessive quantifier cannot be replaced by a plain one",
            Self::Atomic { .. } => "this atomic group cannot be replaced by a plain one",
            Self::Conditional { .. } => "conditional groups are not supported",
            Self::Recursion { .. } => "recursion is not supported",
            Self::Unsupported { .. } => "this construct is not supported",
            Self::Syntax { .. } => "not a valid regular expression",
            Self::TooLarge => "the pattern is too large",
        })?;
        match self.at() {
            Some(at) => write!(f, " (at byte {at} of the pattern)"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for PatternError {}
