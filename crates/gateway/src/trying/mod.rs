//! Looks at recorded pages and says which personal data pass there, where a token could be shown, and which rules would
//! protect them. Pure: bytes in, a report out; no value of a person is in it, only how it begins.
//!
//! [`look`] goes through stages: the paths become patterns (`pattern`), requests are taken apart (`sent`), answers too
//! (`page`, `answer`), both are gathered by route (`gather`), rules are proposed (`propose`) or those of a configuration
//! are held against them (`cover`), and a report is made of it (`report`).

mod answer;
mod cover;
mod gather;
pub mod guess;
mod har;
mod page;
mod pattern;
mod propose;
mod report;
mod sent;
mod shape;
mod toml;

pub use answer::Verdict;
pub use har::{ARCHIVE_BYTES, Archive, ArchiveError, archive};
pub use report::{FieldLine, Leak, PlaceLine, Report, RouteReport, Suggested};

use crate::Setup;
use std::collections::{BTreeMap, BTreeSet};

/// A request with its answer, as it was recorded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Exchange {
    /// The method.
    pub method: String,
    /// The path, without its query.
    pub path: String,
    /// The query.
    pub query: Option<String>,
    /// The type of what was sent.
    pub sent_kind: String,
    /// What was sent.
    pub sent: Vec<u8>,
    /// The status; 0 where it was not recorded.
    pub status: u16,
    /// Where it leads.
    pub location: Option<String>,
    /// The type of the answer.
    pub kind: String,
    /// The answer, without content coding.
    pub body: Vec<u8>,
    /// The `Cookie` header, where it was recorded.
    pub cookies: Option<String>,
    /// The `Authorization` header, where it was recorded.
    pub authorization: Option<String>,
}

impl Exchange {
    /// A page alone, of which nothing is known but where it stands.
    #[must_use]
    pub fn page(path: &str, body: Vec<u8>) -> Self {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        Self {
            method: "GET".to_owned(),
            path: path.to_owned(),
            query: Some(query.to_owned()).filter(|query| !query.is_empty()),
            status: 200,
            kind: "text/html; charset=utf-8".to_owned(),
            body,
            ..Self::default()
        }
    }
}

/// What is asked beside the exchanges.
#[derive(Clone, Copy, Default)]
pub struct Wish<'a> {
    /// The purpose that proposals name.
    pub purpose: &'a str,
    /// The host that was asked, with its port.
    pub host: Option<&'a str>,
    /// Where the app listens, as `upstream` has it.
    pub upstream: Option<&'a str>,
    /// The rules in force, to be held against what is found.
    pub setup: Option<&'a Setup>,
    /// Other hosts that were asked, with how often.
    pub others: Option<&'a BTreeMap<String, usize>>,
    /// Entries that could not be read.
    pub left_out: usize,
}

/// Looks at exchanges with one app.
#[must_use]
pub fn look(exchanges: &[Exchange], wish: &Wish<'_>) -> Report {
    let mut groups = gather::gather(exchanges, wish.host, &gather::Attributes::default());
    // Attributes in which a rule may show values if it lists them: looked at again with these declared.
    let declared = gather::declarable(&groups, wish.setup);
    if !declared.is_empty() {
        groups = gather::gather(exchanges, wish.host, &declared);
    }
    let taken: BTreeSet<String> =
        wish.setup.map(|setup| setup.lines().into_iter().map(|line| line.name).collect()).unwrap_or_default();
    let proposal = propose::propose(&groups, wish, taken, exchanges);
    let built = proposal.setup();
    report::report(&groups, wish, &proposal, wish.setup.or(built.as_ref()))
}

#[cfg(test)]
mod tests;
