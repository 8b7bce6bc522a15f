//! The YAML shape of a file of cases.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::text::only_id;
use super::{Body, Case, Expectation, Input, ReadError, Stage};

#[derive(Deserialize)]
struct File {
    rule_id: Option<u64>,
    #[serde(default)]
    tests: Vec<Test>,
}

#[derive(Deserialize)]
struct Test {
    test_id: Option<u64>,
    desc: Option<String>,
    #[serde(default)]
    stages: Vec<RawStage>,
}

#[derive(Deserialize)]
struct RawStage {
    input: RawInput,
    #[serde(default)]
    output: RawOutput,
}

#[derive(Deserialize)]
struct RawInput {
    method: Option<String>,
    uri: Option<String>,
    version: Option<String>,
    headers: Option<BTreeMap<String, Option<String>>>,
    ordered_headers: Option<Vec<RawHeader>>,
    autocomplete_headers: Option<bool>,
    stop_magic: Option<bool>,
    data: Option<String>,
    encoded_data: Option<String>,
    encoded_request: Option<String>,
}

#[derive(Deserialize)]
struct RawHeader {
    name: String,
    value: Option<String>,
}

/// `output` of a stage, and of an override.
#[derive(Deserialize, Default)]
pub(super) struct RawOutput {
    status: Option<u16>,
    expect_error: Option<bool>,
    isolated: Option<bool>,
    log: Option<RawLog>,
    log_contains: Option<String>,
    no_log_contains: Option<String>,
}

#[derive(Deserialize, Default)]
struct RawLog {
    expect_ids: Option<Vec<u64>>,
    no_expect_ids: Option<Vec<u64>>,
    match_regex: Option<String>,
    no_match_regex: Option<String>,
}

/// Reads one document; `None` when the text holds no node.
pub(super) fn document<T: DeserializeOwned>(text: &str) -> Result<Option<T>, ReadError> {
    serde_saphyr::from_str::<Option<T>>(text).map_err(|error| ReadError::Yaml(error.to_string()))
}

pub(super) fn cases(text: &str) -> Result<Vec<Case>, ReadError> {
    let Some(file) = document::<File>(text)? else {
        return Ok(Vec::new());
    };
    if file.tests.is_empty() {
        return Ok(Vec::new());
    }
    let rule_id = file.rule_id.ok_or(ReadError::NoRule)?;
    let case = |(test, number): (Test, u64)| Case {
        rule_id,
        test_id: test.test_id.unwrap_or(number),
        description: test.desc.unwrap_or_default(),
        stages: test.stages.into_iter().map(RawStage::stage).collect(),
        set_aside: None,
    };
    Ok(file.tests.into_iter().zip(1..).map(case).collect())
}

impl RawStage {
    fn stage(self) -> Stage {
        Stage { input: self.input.input(), expectation: self.output.expectation() }
    }
}

impl RawInput {
    fn input(self) -> Input {
        let headers = match self.ordered_headers {
            Some(ordered) => {
                ordered.into_iter().map(|header| (header.name, header.value.unwrap_or_default())).collect()
            }
            None => self
                .headers
                .unwrap_or_default()
                .into_iter()
                .map(|(name, value)| (name, value.unwrap_or_default()))
                .collect(),
        };
        let body = match (self.encoded_request, self.data, self.encoded_data) {
            (Some(request), _, _) if !request.is_empty() => Body::EncodedRequest(request),
            (_, Some(data), _) => Body::Data(data),
            (_, None, Some(data)) => Body::EncodedData(data),
            (_, None, None) => Body::None,
        };
        Input {
            method: self.method.unwrap_or_else(|| "GET".to_owned()),
            uri: self.uri.unwrap_or_else(|| "/".to_owned()),
            version: self.version.unwrap_or_else(|| "HTTP/1.1".to_owned()),
            headers,
            // `stop_magic` is the older name, with the opposite sense.
            autocomplete: self.autocomplete_headers.unwrap_or(!self.stop_magic.unwrap_or(false)),
            body,
        }
    }
}

impl RawOutput {
    pub(super) fn expectation(self) -> Expectation {
        let log = self.log.unwrap_or_default();
        let mut expectation = Expectation {
            expect_ids: log.expect_ids.unwrap_or_default(),
            no_expect_ids: log.no_expect_ids.unwrap_or_default(),
            match_regex: log.match_regex.filter(|pattern| !pattern.is_empty()),
            no_match_regex: log.no_match_regex.filter(|pattern| !pattern.is_empty()),
            status: self.status,
            expect_error: self.expect_error.unwrap_or(false),
            isolated: self.isolated.unwrap_or(false),
        };
        // The older names, which mostly ask for `id "942100"`.
        if let Some(pattern) = self.log_contains.filter(|pattern| !pattern.is_empty()) {
            match only_id(&pattern) {
                Some(id) => expectation.expect_ids.push(id),
                None => expectation.match_regex = expectation.match_regex.or(Some(pattern)),
            }
        }
        if let Some(pattern) = self.no_log_contains.filter(|pattern| !pattern.is_empty()) {
            match only_id(&pattern) {
                Some(id) => expectation.no_expect_ids.push(id),
                None => expectation.no_match_regex = expectation.no_match_regex.or(Some(pattern)),
            }
        }
        expectation
    }
}
