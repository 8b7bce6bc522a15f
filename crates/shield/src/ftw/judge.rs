//! What was found, held against what a case expects.

use std::collections::BTreeSet;
use std::fmt;

use regex_automata::meta::{BuildError, Regex};
use regex_automata::util::syntax;

use super::{Case, Expectation, Unbuildable};
use crate::message::Request;

/// Most bytes of a compiled pattern.
const PATTERN_LIMIT: usize = 4 << 20;

/// What an engine found in one request and its answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Observed {
    /// The rules that matched and report.
    pub ids: BTreeSet<u64>,
    /// The lines of the engine's log, when it writes some: as ModSecurity writes them, with `[id "…"]`, `[msg "…"]` and
    /// `[data "…"]`.
    pub log: Option<String>,
}

/// How a case ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// All that was expected was found.
    Passed,
    /// Something was not as expected, in the order in which it was seen.
    Failed(Vec<Cause>),
    /// The case cannot be judged here.
    Skipped(Skip),
}

/// One thing that was not as expected.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Cause {
    /// A rule did not match.
    Missing(u64),
    /// A rule matched that must not.
    Unexpected(u64),
    /// Rules matched beside the one.
    NotAlone(Vec<u64>),
    /// No line of the log matches the pattern.
    NoLine(String),
    /// A line of the log matches the pattern.
    Line(String),
    /// The engine gave up.
    Engine(String),
}

impl fmt::Display for Cause {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(id) => write!(out, "{id} did not match"),
            Self::Unexpected(id) => write!(out, "{id} matched"),
            Self::NotAlone(ids) => write!(out, "matched beside the one: {ids:?}"),
            Self::NoLine(pattern) => write!(out, "no line of the log matches {pattern}"),
            Self::Line(pattern) => write!(out, "a line of the log matches {pattern}"),
            Self::Engine(why) => write!(out, "the engine failed: {why}"),
        }
    }
}

/// Why a case is not judged.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Skip {
    /// It expects a status and nothing else: mostly that a server refuses what is not HTTP.
    StatusOnly(u16),
    /// It expects a failed connection and nothing else.
    ErrorOnly,
    /// It expects lines in a log, and the engine writes none.
    NoLog,
    /// It expects nothing.
    Nothing,
    /// Its pattern cannot be compiled.
    Pattern(String),
    /// Its request cannot be built.
    Unbuildable(Unbuildable),
    /// It was set aside by an override, for this reason.
    SetAside(String),
}

impl fmt::Display for Skip {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::StatusOnly(status) => write!(out, "expects status {status} and nothing else"),
            Self::ErrorOnly => out.write_str("expects a failed connection and nothing else"),
            Self::NoLog => out.write_str("expects lines of a log"),
            Self::Nothing => out.write_str("expects nothing"),
            Self::Pattern(pattern) => write!(out, "its pattern is none: {pattern}"),
            Self::Unbuildable(why) => write!(out, "its request cannot be built: {why}"),
            Self::SetAside(reason) => write!(out, "set aside: {reason}"),
        }
    }
}

impl Case {
    /// Sends each stage's request, with its answer, to `inspect`, and judges what that found. One stage that fails makes
    /// the case fail; else one that cannot be judged makes it skipped.
    pub fn run(&self, mut inspect: impl FnMut(&Request) -> Result<Observed, String>) -> Verdict {
        if let Some(reason) = &self.set_aside {
            return Verdict::Skipped(Skip::SetAside(reason.clone()));
        }
        let mut causes = Vec::new();
        let mut skipped = None;
        for stage in &self.stages {
            let verdict = match stage.request() {
                Err(why) => Verdict::Skipped(Skip::Unbuildable(why)),
                Ok(request) => match inspect(&request) {
                    Ok(observed) => judge(&stage.expectation, &observed),
                    Err(why) => Verdict::Failed(vec![Cause::Engine(why)]),
                },
            };
            match verdict {
                Verdict::Passed => {}
                Verdict::Failed(found) => causes.extend(found),
                Verdict::Skipped(why) => skipped = skipped.or(Some(why)),
            }
        }
        match (causes.is_empty(), skipped) {
            (false, _) => Verdict::Failed(causes),
            (true, Some(why)) => Verdict::Skipped(why),
            (true, None) if self.stages.is_empty() => Verdict::Skipped(Skip::Nothing),
            (true, None) => Verdict::Passed,
        }
    }

    /// Whether every stage names rules that must or must not match: what any engine can be judged by, also one that
    /// writes no log.
    #[must_use]
    pub fn is_judged_by_ids(&self) -> bool {
        let names_rules = |expectation: &Expectation| {
            !(expectation.expect_ids.is_empty() && expectation.no_expect_ids.is_empty())
        };
        !self.stages.is_empty() && self.stages.iter().all(|stage| names_rules(&stage.expectation))
    }
}

/// Judges one request. Patterns of the log are held against each line by itself.
#[must_use]
pub fn judge(expectation: &Expectation, observed: &Observed) -> Verdict {
    let mut causes = Vec::new();
    let missing = expectation.expect_ids.iter().filter(|id| !observed.ids.contains(id));
    causes.extend(missing.map(|&id| Cause::Missing(id)));
    let unexpected = expectation.no_expect_ids.iter().filter(|id| observed.ids.contains(id));
    causes.extend(unexpected.map(|&id| Cause::Unexpected(id)));
    if expectation.isolated && observed.ids.len() > 1 {
        let others = observed.ids.iter().filter(|id| !expectation.expect_ids.contains(id));
        causes.push(Cause::NotAlone(others.copied().collect()));
    }
    let log = match judge_log(expectation, observed) {
        Ok(found) => {
            causes.extend(found);
            None
        }
        Err(why) => Some(why),
    };
    match (causes.is_empty(), log.or_else(|| nothing_to_judge(expectation))) {
        (false, _) => Verdict::Failed(causes),
        (true, Some(why)) => Verdict::Skipped(why),
        (true, None) => Verdict::Passed,
    }
}

fn judge_log(expectation: &Expectation, observed: &Observed) -> Result<Vec<Cause>, Skip> {
    let mut causes = Vec::new();
    let wanted = [(&expectation.match_regex, true), (&expectation.no_match_regex, false)];
    for (pattern, must) in wanted {
        let Some(pattern) = pattern else {
            continue;
        };
        // A case that names rules as well is judged by these where there is no log.
        let Some(log) = &observed.log else {
            if expectation.expect_ids.is_empty() && expectation.no_expect_ids.is_empty() {
                return Err(Skip::NoLog);
            }
            continue;
        };
        let regex = compile(pattern).map_err(|_| Skip::Pattern(pattern.clone()))?;
        let found = log.lines().any(|line| regex.is_match(line));
        match (must, found) {
            (true, false) => causes.push(Cause::NoLine(pattern.clone())),
            (false, true) => causes.push(Cause::Line(pattern.clone())),
            _ => {}
        }
    }
    Ok(causes)
}

fn nothing_to_judge(expectation: &Expectation) -> Option<Skip> {
    let judged = !expectation.expect_ids.is_empty()
        || !expectation.no_expect_ids.is_empty()
        || expectation.match_regex.is_some()
        || expectation.no_match_regex.is_some();
    match (judged, expectation.expect_error, expectation.status) {
        (true, _, _) => None,
        (false, true, _) => Some(Skip::ErrorOnly),
        (false, false, Some(status)) => Some(Skip::StatusOnly(status)),
        (false, false, None) => Some(Skip::Nothing),
    }
}

fn compile(pattern: &str) -> Result<Regex, Box<BuildError>> {
    Regex::builder()
        .syntax(syntax::Config::new().unicode(false).utf8(false))
        .configure(Regex::config().nfa_size_limit(Some(PATTERN_LIMIT)).utf8_empty(false))
        .build(pattern)
        .map_err(Box::new)
}
