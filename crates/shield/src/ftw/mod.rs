//! The regression tests of CRS, in the YAML shape that the program go-ftw reads: requests, and which rules must or must
//! not match them.
//!
//! [`read`] turns a file into [`Case`]s; [`Stage::request`] builds the request as it would arrive at a server after
//! go-ftw has sent it; [`reflect::answer`] plays the back end of the CRS project's test containers; [`Case::run`] holds
//! what an engine found against what the case expects. [`overrides::Overrides`] replaces the expectations of single
//! cases, as CRS ships them for servers that are known to differ.
//!
//! The shape is that of the `ftw-tests-schema` of the CRS project; how a request is built follows go-ftw 2: header
//! fields sorted by name, the `Content-Type`, `Connection` and `Content-Length` that it adds, how it encodes form data
//! and ends lines of multipart bodies. What is judged is what an engine can know inside a process: rule ids, and lines
//! of the log where the engine writes some. The status of an answer is the affair of a server, so a case that expects
//! nothing else is not runnable.

pub mod judge;
pub mod overrides;
pub mod reflect;
pub mod wire;

mod build;
mod text;
mod yaml;

#[cfg(test)]
mod tests;

use std::fmt;

use crate::message::Request;

pub use build::Unbuildable;
pub use judge::{Cause, Observed, Skip, Verdict};

/// One test: requests in order, each with its expectation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    /// The rule under test.
    pub rule_id: u64,
    /// Number of the test among those of the rule, from 1.
    pub test_id: u64,
    /// What the test is about; may be empty.
    pub description: String,
    /// The requests, sent one after the other.
    pub stages: Vec<Stage>,
    /// Why the case is not to be judged here; set by [`overrides::Overrides`] alone.
    pub set_aside: Option<String>,
}

impl fmt::Display for Case {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}-{}", self.rule_id, self.test_id)
    }
}

/// One request of a case and what is expected of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stage {
    /// What is sent.
    pub input: Input,
    /// What must be found.
    pub expectation: Expectation,
}

impl Stage {
    /// The request as a server sees it, with the answer of the emulated back end.
    pub fn request(&self) -> Result<Request, Unbuildable> {
        let mut request = wire::parse(&self.input.bytes()?).map_err(Unbuildable::Wire)?;
        request.response = Some(reflect::answer(&request));
        Ok(request)
    }
}

/// The parts of a request as a case gives them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Input {
    /// The method; `GET` when the case names none.
    pub method: String,
    /// The target; `/` when the case names none.
    pub uri: String,
    /// The protocol; `HTTP/1.1` when the case names none. It may be empty.
    pub version: String,
    /// The header fields, sorted by name unless the case orders them.
    pub headers: Vec<(String, String)>,
    /// Whether go-ftw adds `Content-Type`, `Connection` and `Content-Length` and encodes form data.
    pub autocomplete: bool,
    /// The body.
    pub body: Body,
}

/// Where the body, or the whole request, comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    /// No body.
    None,
    /// `data`: text, in which a template may repeat a piece.
    Data(String),
    /// `encoded_data`: base64 of the body.
    EncodedData(String),
    /// `encoded_request`: base64 of the whole request; the other fields do not count.
    EncodedRequest(String),
}

/// What must be found when the request has been inspected.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Expectation {
    /// Rules that must match.
    pub expect_ids: Vec<u64>,
    /// Rules that must not match.
    pub no_expect_ids: Vec<u64>,
    /// A pattern that some line of the log must match.
    pub match_regex: Option<String>,
    /// A pattern that no line of the log may match.
    pub no_match_regex: Option<String>,
    /// The status of the answer: not judged, see [`Skip::StatusOnly`].
    pub status: Option<u16>,
    /// Whether the connection is expected to fail: not judged, see [`Skip::ErrorOnly`].
    pub expect_error: bool,
    /// Whether `expect_ids`' one rule must be the only one that matches.
    pub isolated: bool,
}

/// Why a file could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReadError {
    /// Not YAML, or not of the shape: the message names line and column.
    Yaml(String),
    /// The file names no rule.
    NoRule,
}

impl fmt::Display for ReadError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Yaml(why) => out.write_str(why),
            Self::NoRule => out.write_str("no rule_id"),
        }
    }
}

impl std::error::Error for ReadError {}

/// Reads the cases of one file. A file that holds comments alone holds no case.
///
/// Bounded by the reader's budget: at most 250,000 nodes, 64 levels and 64 MiB of text, 100 expansions of one anchor.
pub fn read(text: &str) -> Result<Vec<Case>, ReadError> {
    yaml::cases(text)
}
