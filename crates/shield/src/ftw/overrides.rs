//! Expectations that hold in place of those of a case, for a server that is known to differ.
//!
//! The file is one of `*-overrides.yaml` that CRS keeps beside its cases: per entry a rule, the numbers of its tests, a
//! reason, and the `output` that stands in for theirs.

use serde::Deserialize;

use super::yaml::{RawOutput, document};
use super::{Case, Expectation, ReadError};

#[derive(Deserialize)]
struct File {
    #[serde(default)]
    test_overrides: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    rule_id: u64,
    #[serde(default)]
    test_ids: Vec<u64>,
    reason: Option<String>,
    output: Option<RawOutput>,
}

/// The overrides of one file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Overrides(Vec<Override>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Override {
    rule_id: u64,
    test_ids: Vec<u64>,
    reason: String,
    expectation: Option<Expectation>,
}

impl Overrides {
    /// Reads a file of overrides.
    pub fn read(text: &str) -> Result<Self, ReadError> {
        let entries = document::<File>(text)?.map(|file| file.test_overrides).unwrap_or_default();
        let overrides = entries.into_iter().map(|entry| Override {
            rule_id: entry.rule_id,
            test_ids: entry.test_ids,
            reason: entry.reason.unwrap_or_default(),
            expectation: entry.output.map(RawOutput::expectation),
        });
        Ok(Self(overrides.collect()))
    }

    /// Entries in the file.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether the file holds no entry.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Puts the overrides of this case into it, in all of its stages; an entry that names no test holds for all of its
    /// rule. An entry without `output` sets the case aside. Returns whether there was one.
    pub fn apply(&self, case: &mut Case) -> bool {
        let holds = |entry: &&Override| {
            entry.rule_id == case.rule_id
                && (entry.test_ids.is_empty() || entry.test_ids.contains(&case.test_id))
        };
        let Some(found) = self.0.iter().rfind(holds) else {
            return false;
        };
        match &found.expectation {
            Some(expectation) => {
                for stage in &mut case.stages {
                    stage.expectation = expectation.clone();
                }
            }
            None => case.set_aside = Some(found.reason.clone()),
        }
        true
    }
}
