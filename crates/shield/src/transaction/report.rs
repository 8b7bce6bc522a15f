//! What came of a transaction.

use crate::seclang::Variable;

/// What is to be done with a request or an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Refuse it with this status.
    Deny(u16),
    /// Close the connection.
    Drop,
    /// Send the client to this place with this status.
    Redirect(u16, Vec<u8>),
}

/// Why the engine itself refuses, before or beside all rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// The body is larger than the limit.
    BodyTooLarge,
    /// More arguments, parts, headers or levels than the limits.
    TooMuch,
    /// Transformed values together are larger than the limit, or rules made more variables of it than there may be.
    TooLargeInside,
    /// More work for patterns than one request may ask for.
    TooMuchWork,
    /// The body is compressed, and nobody looked into it; or it is, or says to be, in a character set in which ASCII is
    /// something else, so that rules looked at other characters than the app will.
    Encoded,
    /// The body is not what its type says, so that nobody knows what the app will read in it.
    Unreadable,
    /// The request can be read in two ways.
    Ambiguous,
}

/// A rule that matched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Matched {
    /// Its id.
    pub rule: u64,
    /// Phase, 1 to 5.
    pub phase: u8,
    /// Severity, 0 (emergency) to 7 (debug).
    pub severity: Option<u8>,
    /// What it looked at, of the first value that matched; none for an action without condition.
    pub variable: Option<Variable>,
    /// Name of the member, as the client sent it.
    pub name: Vec<u8>,
    /// Whether the rule asks to be logged.
    pub logged: bool,
    /// Whether the rule decided.
    pub decided: bool,
}

/// One match in full, for people who look into a request of their own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explained {
    /// Id of the rule, of its head in a chain.
    pub rule: u64,
    /// Which part of the chain, from 0.
    pub part: usize,
    /// What it looked at.
    pub variable: Option<Variable>,
    /// Name of the member.
    pub name: Vec<u8>,
    /// The value as it came.
    pub before: Vec<u8>,
    /// The value after the rule's transformations.
    pub after: Vec<u8>,
    /// Names of the transformations.
    pub transformations: Vec<&'static str>,
    /// The rule's message.
    pub message: Vec<u8>,
}

/// What a rule that matched would have written into a log, for people who look into a request of their own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Logged {
    /// Id of the rule.
    pub rule: u64,
    /// Its `msg`.
    pub message: Vec<u8>,
    /// Its `logdata`.
    pub data: Vec<u8>,
}

/// What came of a transaction.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Rules that matched, in order.
    pub matched: Vec<Matched>,
    /// What was decided, if anything.
    pub verdict: Option<Verdict>,
    /// Id of the rule that decided.
    pub by: Option<u64>,
    /// Why the engine refused by itself.
    pub refusal: Option<Refusal>,
    /// Highest anomaly score of the request that the rules kept, where they keep one.
    pub inbound_score: i64,
    /// That of the answer.
    pub outbound_score: i64,
}
