//! What libmodsecurity puts into its variables for one exchange: for questions of meaning.

use shield::message::Request;

use crate::rules::{Engine, RuleText, Setup, prelude};
use crate::{Oracle, Outcome};

/// First id of the rules that show variables.
const FIRST_RULE: u64 = 100_000;

/// Variables and the phase (1 to 5) at the end of which each is shown. Collections show each of their members. Left out
/// is what does not come from the exchange: the clock, the environment, chance.
const VARIABLES: [(&str, u8); 81] = [
    ("REMOTE_ADDR", 1),
    ("REMOTE_HOST", 1),
    ("REQUEST_METHOD", 1),
    ("REQUEST_PROTOCOL", 1),
    ("REQUEST_LINE", 1),
    ("REQUEST_URI", 1),
    ("REQUEST_URI_RAW", 1),
    ("REQUEST_FILENAME", 1),
    ("REQUEST_BASENAME", 1),
    ("PATH_INFO", 1),
    ("QUERY_STRING", 1),
    ("SERVER_ADDR", 1),
    ("SERVER_NAME", 1),
    ("SERVER_PORT", 1),
    ("AUTH_TYPE", 1),
    ("REMOTE_USER", 1),
    ("REQUEST_HEADERS", 1),
    ("REQUEST_HEADERS_NAMES", 1),
    ("REQUEST_COOKIES", 1),
    ("REQUEST_COOKIES_NAMES", 1),
    ("&REQUEST_HEADERS", 1),
    ("&REQUEST_COOKIES", 1),
    ("&ARGS", 1),
    ("ARGS", 2),
    ("ARGS_NAMES", 2),
    ("ARGS_GET", 2),
    ("ARGS_GET_NAMES", 2),
    ("ARGS_POST", 2),
    ("ARGS_POST_NAMES", 2),
    ("ARGS_COMBINED_SIZE", 2),
    ("&ARGS", 2),
    ("&ARGS_GET", 2),
    ("&ARGS_POST", 2),
    ("FILES", 2),
    ("FILES_NAMES", 2),
    ("FILES_SIZES", 2),
    ("FILES_COMBINED_SIZE", 2),
    ("FILES_TMP_CONTENT", 2),
    ("FULL_REQUEST", 2),
    ("FULL_REQUEST_LENGTH", 2),
    ("&FILES", 2),
    ("REQUEST_BODY", 2),
    ("REQUEST_BODY_LENGTH", 2),
    ("REQBODY_PROCESSOR", 2),
    ("REQBODY_ERROR", 2),
    ("REQBODY_ERROR_MSG", 2),
    ("REQBODY_PROCESSOR_ERROR", 2),
    ("REQBODY_PROCESSOR_ERROR_MSG", 2),
    ("URLENCODED_ERROR", 2),
    ("INBOUND_DATA_ERROR", 2),
    ("MULTIPART_STRICT_ERROR", 2),
    ("MULTIPART_UNMATCHED_BOUNDARY", 2),
    ("MULTIPART_BOUNDARY_QUOTED", 2),
    ("MULTIPART_BOUNDARY_WHITESPACE", 2),
    ("MULTIPART_CRLF_LF_LINES", 2),
    ("MULTIPART_DATA_AFTER", 2),
    ("MULTIPART_DATA_BEFORE", 2),
    ("MULTIPART_FILE_LIMIT_EXCEEDED", 2),
    ("MULTIPART_HEADER_FOLDING", 2),
    ("MULTIPART_INVALID_HEADER_FOLDING", 2),
    ("MULTIPART_INVALID_PART", 2),
    ("MULTIPART_INVALID_QUOTING", 2),
    ("MULTIPART_LF_LINE", 2),
    ("MULTIPART_MISSING_SEMICOLON", 2),
    ("MULTIPART_FILENAME", 2),
    ("MULTIPART_NAME", 2),
    ("MULTIPART_PART_HEADERS", 2),
    ("XML:/*", 2),
    ("XML://@*", 2),
    ("&XML:/*", 2),
    ("&XML://@*", 2),
    ("RESPONSE_STATUS", 3),
    ("RESPONSE_PROTOCOL", 3),
    ("RESPONSE_HEADERS", 3),
    ("RESPONSE_HEADERS_NAMES", 3),
    ("RESPONSE_CONTENT_TYPE", 3),
    ("RESPONSE_CONTENT_LENGTH", 3),
    ("RESPONSE_BODY", 4),
    ("OUTBOUND_DATA_ERROR", 4),
    ("STATUS", 5),
    ("TX", 5),
];

/// One value: its variable, the name under which libmodsecurity reports it, its bytes, and the phase.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Value {
    /// The variable as the rule names it, for example `ARGS`.
    pub variable: &'static str,
    /// The name that libmodsecurity gives the value, for example `ARGS:a`.
    pub name: Vec<u8>,
    /// The value.
    pub value: Vec<u8>,
    /// The phase in which it was looked at.
    pub phase: u8,
}

/// An oracle whose rules show each variable and refuse nothing. `rules` may stand before them, to change settings.
pub fn oracle(rules: &[RuleText]) -> Result<Oracle, String> {
    let mut texts = vec![prelude(&Setup { engine: Engine::DetectionOnly, ..Setup::blocking(1) })];
    texts.extend_from_slice(rules);
    // With `multiMatch` a rule reports each of its values, not the last alone.
    let show = |((variable, phase), number): (&(&str, u8), u64)| {
        format!(
            "SecRule {variable} \"@unconditionalMatch\" \"id:{},phase:{phase},pass,log,t:none,multiMatch,\
             msg:'%{{MATCHED_VAR_NAME}}',logdata:'%{{MATCHED_VAR}}'\"\n",
            FIRST_RULE + number
        )
    };
    let text = VARIABLES.iter().zip(0..).map(show).collect();
    texts.push(RuleText { name: "values.conf".to_owned(), text });
    Oracle::load(&texts)
}

/// The values that an oracle of [`oracle`] saw.
pub fn of(oracle: &mut Oracle, request: &Request) -> Result<Vec<Value>, String> {
    oracle.run(request, true).map(|outcome| values(&outcome))
}

fn values(outcome: &Outcome) -> Vec<Value> {
    let value = |message: &crate::Message| {
        let number = usize::try_from(message.rule.checked_sub(FIRST_RULE)?).ok()?;
        let &(variable, phase) = VARIABLES.get(number)?;
        Some(Value { variable, name: message.message.clone(), value: message.data.clone(), phase })
    };
    outcome.messages.iter().filter_map(value).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use shield::message::Response;

    fn seen(request: &Request) -> Vec<(String, String)> {
        let mut oracle = oracle(&[]).expect("rules");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let found = of(&mut oracle, request).expect("values");
        found.iter().map(|value| (text(&value.name), text(&value.value))).collect()
    }

    #[test]
    fn every_value_of_a_collection_is_shown() {
        let found = seen(&Request::new("GET", "/p?a=1&a=%32&b").with_header("X-Y", "z"));
        for (name, value) in [("ARGS:a", "1"), ("ARGS:a", "2"), ("ARGS:b", ""), ("REQUEST_HEADERS:X-Y", "z")]
        {
            assert!(found.contains(&(name.into(), value.into())), "{name} = {value} in {found:?}");
        }
    }

    #[test]
    fn bodies_of_request_and_answer_are_shown() {
        let mut request = Request::new("POST", "/")
            .with_header("Content-Type", "application/json")
            .with_body(r#"{"k":["v"]}"#);
        let headers = vec![(b"Content-Type".to_vec(), b"text/html".to_vec())];
        request.response = Some(Response { headers, body: b"<p>".to_vec(), ..Response::new(404) });
        let found = seen(&request);
        for (name, value) in
            [("ARGS:json.k.array_0", "v"), ("RESPONSE_STATUS", "404"), ("RESPONSE_BODY", "<p>")]
        {
            assert!(found.contains(&(name.into(), value.into())), "{name} = {value} in {found:?}");
        }
    }
}
