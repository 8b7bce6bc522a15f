//! What cannot be honoured, where it stands, and why.

use std::fmt;
use std::sync::Arc;

/// A place in the text of rules.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Place {
    /// Name of the file, as the loader calls it.
    pub file: Arc<str>,
    /// Number of the first line of the directive, from 1.
    pub line: u32,
}

impl fmt::Display for Place {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}:{}", self.file, self.line)
    }
}

/// Why something in a rule cannot be honoured.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Reason {
    /// No directive of that name.
    UnknownDirective,
    /// No variable of that name.
    UnknownVariable,
    /// The variable has no members.
    NotACollection,
    /// An XPath expression beyond all text and all attributes.
    XPath,
    /// No operator of that name.
    UnknownOperator,
    /// No transformation of that name.
    UnknownTransformation,
    /// No action of that name.
    UnknownAction,
    /// An argument is missing or cannot be read.
    BadArgument,
    /// It would reach out to network, processes or the file system while a request waits.
    ReachesOut,
    /// The pattern looks ahead or behind.
    LookAround,
    /// The pattern refers back to a group.
    BackReference,
    /// The pattern cannot run in linear time or is not understood.
    Pattern,
    /// A file of phrases or addresses is missing or cannot be read.
    MissingFile,
    /// `skipAfter` names a marker that does not follow.
    NoMarker,
    /// A chain has no next rule.
    OpenChain,
    /// A rule has no `id`.
    NoId,
    /// Two rules have the same `id`.
    DuplicateId,
    /// The parts of a chain stand in different phases.
    ChainPhase,
    /// A rule to be changed does not exist.
    NoSuchRule,
    /// More includes than the limit, or a circle of them.
    TooManyIncludes,
    /// A pattern with a macro, which would have to be compiled anew for each request.
    MacroInPattern,
    /// A decision or a jump in a later part of a chain.
    OfHeadAlone,
    /// More names, rules or parts than there are numbers for.
    TooMany,
    /// Quotes or words of the line do not fit together.
    Syntax,
}

impl fmt::Display for Reason {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::UnknownDirective => "no such directive",
            Self::UnknownVariable => "no such variable",
            Self::NotACollection => "the variable has no members",
            Self::XPath => "only XML:/* and XML://@* are understood",
            Self::UnknownOperator => "no such operator",
            Self::UnknownTransformation => "no such transformation",
            Self::UnknownAction => "no such action",
            Self::BadArgument => "its argument is missing or cannot be read",
            Self::ReachesOut => {
                "it would reach out to the network, a process or a file while a request waits"
            }
            Self::LookAround => "the pattern looks ahead or behind, which cannot be matched in linear time",
            Self::BackReference => {
                "the pattern refers back to a group, which cannot be matched in linear time"
            }
            Self::Pattern => "the pattern is not understood",
            Self::MissingFile => "the file is missing or cannot be read",
            Self::NoMarker => "no such marker follows",
            Self::OpenChain => "the chain has no next rule",
            Self::NoId => "the rule has no id",
            Self::DuplicateId => "another rule has this id",
            Self::ChainPhase => "the parts of the chain stand in different phases",
            Self::NoSuchRule => "no such rule",
            Self::TooManyIncludes => "too many includes, or they go in a circle",
            Self::MacroInPattern => "a macro in a pattern would have to be compiled anew for each request",
            Self::OfHeadAlone => {
                "only the first rule of a chain may say this, since the chain decides as a whole"
            }
            Self::TooMany => "more than there is room for",
            Self::Syntax => "quotes or words do not fit together",
        })
    }
}

/// One thing that cannot be honoured.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fault {
    /// Where it stands.
    pub place: Place,
    /// The rule's id, where it has one.
    pub rule: Option<u64>,
    /// The word that is not honoured.
    pub construct: String,
    /// Why not.
    pub reason: Reason,
}

impl fmt::Display for Fault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}: ", self.place)?;
        if let Some(id) = self.rule {
            write!(out, "rule {id}: ")?;
        }
        write!(out, "`{}`: {}", self.construct, self.reason)
    }
}
