//! Requests and outcomes as JSON, one per line: how other programs talk to the oracle.
//!
//! Bytes are a text where they are UTF-8, else an object `{"b64": "…"}`. A request:
//!
//! ```json
//! {"id": 7, "method": "POST", "uri": "/a?b=c", "protocol": "HTTP/1.1",
//!  "headers": [["Host", "localhost"], ["X", {"b64": "/w=="}]], "body": "", "client": "192.0.2.1",
//!  "response": {"status": 200, "protocol": "HTTP/1.1", "headers": [["Content-Type", "text/html"]], "body": "x"}}
//! ```
//!
//! Only `uri` must be there; `id` is any value and comes back with the outcome.

use std::net::{IpAddr, Ipv4Addr};

use data_encoding::BASE64;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;
use shield::message::{Request, Response};

use crate::{Message, Outcome};

/// Bytes as JSON.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bytes(pub Vec<u8>);

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Form {
    Text(String),
    Encoded { b64: String },
}

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match std::str::from_utf8(&self.0) {
            Ok(text) => Form::Text(text.to_owned()),
            Err(_) => Form::Encoded { b64: BASE64.encode(&self.0) },
        }
        .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Form::deserialize(deserializer)? {
            Form::Text(text) => Ok(Self(text.into_bytes())),
            Form::Encoded { b64 } => {
                BASE64.decode(b64.as_bytes()).map(Self).map_err(serde::de::Error::custom)
            }
        }
    }
}

impl From<&[u8]> for Bytes {
    fn from(bytes: &[u8]) -> Self {
        Self(bytes.to_vec())
    }
}

/// A request with its name, as one line.
#[derive(Serialize, Deserialize)]
pub struct RequestLine {
    /// What the sender calls it; comes back with the outcome.
    #[serde(default)]
    pub id: Value,
    #[serde(default = "get")]
    method: Bytes,
    uri: Bytes,
    #[serde(default = "http_1_1")]
    protocol: Bytes,
    #[serde(default)]
    headers: Vec<(Bytes, Bytes)>,
    #[serde(default)]
    body: Bytes,
    #[serde(default = "localhost")]
    client: IpAddr,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    response: Option<ResponseLine>,
}

#[derive(Serialize, Deserialize)]
struct ResponseLine {
    status: u16,
    #[serde(default = "http_1_1")]
    protocol: Bytes,
    #[serde(default)]
    headers: Vec<(Bytes, Bytes)>,
    #[serde(default)]
    body: Bytes,
}

fn get() -> Bytes {
    Bytes(b"GET".to_vec())
}

fn http_1_1() -> Bytes {
    Bytes(b"HTTP/1.1".to_vec())
}

fn localhost() -> IpAddr {
    IpAddr::V4(Ipv4Addr::LOCALHOST)
}

fn plain(headers: Vec<(Bytes, Bytes)>) -> Vec<(Vec<u8>, Vec<u8>)> {
    headers.into_iter().map(|(name, value)| (name.0, value.0)).collect()
}

fn wrapped(headers: &[(Vec<u8>, Vec<u8>)]) -> Vec<(Bytes, Bytes)> {
    headers.iter().map(|(name, value)| (Bytes(name.clone()), Bytes(value.clone()))).collect()
}

impl From<RequestLine> for Request {
    fn from(line: RequestLine) -> Self {
        Self {
            method: line.method.0,
            uri: line.uri.0,
            protocol: line.protocol.0,
            headers: plain(line.headers),
            body: line.body.0,
            client: line.client,
            response: line.response.map(|response| Response {
                status: response.status,
                protocol: response.protocol.0,
                headers: plain(response.headers),
                body: response.body.0,
            }),
        }
    }
}

impl RequestLine {
    /// The line of a request.
    #[must_use]
    pub fn new(id: Value, request: &Request) -> Self {
        Self {
            id,
            method: Bytes(request.method.clone()),
            uri: Bytes(request.uri.clone()),
            protocol: Bytes(request.protocol.clone()),
            headers: wrapped(&request.headers),
            body: Bytes(request.body.clone()),
            client: request.client,
            response: request.response.as_ref().map(|response| ResponseLine {
                status: response.status,
                protocol: Bytes(response.protocol.clone()),
                headers: wrapped(&response.headers),
                body: Bytes(response.body.clone()),
            }),
        }
    }
}

/// An outcome, as one line.
#[derive(Serialize)]
pub struct OutcomeLine {
    id: Value,
    /// Ids in order of evaluation.
    matched: Vec<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refused: Option<Refused>,
    reached: u8,
    messages: Vec<MessageLine>,
}

#[derive(Serialize)]
struct Refused {
    status: u16,
    phase: u8,
}

#[derive(Serialize)]
struct MessageLine {
    rule: u64,
    phase: u8,
    severity: u8,
    disruptive: bool,
    variable: Bytes,
    value: Bytes,
    data: Bytes,
    message: Bytes,
}

impl OutcomeLine {
    /// The line of an outcome.
    #[must_use]
    pub fn new(id: Value, outcome: &Outcome) -> Self {
        Self {
            id,
            matched: outcome.matched(),
            refused: outcome.refused.map(|(status, phase)| Refused { status, phase }),
            reached: outcome.reached,
            messages: outcome.messages.iter().map(message_line).collect(),
        }
    }
}

fn message_line(message: &Message) -> MessageLine {
    MessageLine {
        rule: message.rule,
        phase: message.phase,
        severity: message.severity,
        disruptive: message.disruptive,
        variable: message.variable().into(),
        value: message.value().into(),
        data: Bytes(message.data.clone()),
        message: Bytes(message.message.clone()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_line_may_hold_the_target_alone() {
        let line: RequestLine = serde_json::from_str(r#"{"uri": "/a"}"#).expect("a line");
        assert_eq!(line.id, Value::Null);
        assert_eq!(Request::from(line), Request::new("GET", "/a"));
    }

    #[test]
    fn bytes_that_are_no_text_are_encoded() {
        assert_eq!(serde_json::to_string(&Bytes(vec![0xff])).expect("json"), r#"{"b64":"/w=="}"#);
        assert_eq!(serde_json::to_string(&Bytes("ü".into())).expect("json"), "\"ü\"");
        assert!(serde_json::from_str::<Bytes>(r#"{"b64":"?"}"#).is_err());
    }

    proptest! {
        #[test]
        fn a_request_comes_back_from_its_line(
            method in bytes(), uri in bytes(), name in bytes(), value in bytes(), body in bytes(), answered in any::<bool>(),
        ) {
            let mut request = Request::new("", "");
            request.method = method;
            request.uri = uri;
            request.headers = vec![(name.clone(), value.clone())];
            request.body = body.clone();
            let response = Response { headers: vec![(name, value)], body, ..Response::new(404) };
            request.response = answered.then_some(response);
            let text = serde_json::to_string(&RequestLine::new(Value::from(1), &request)).expect("json");
            let line: RequestLine = serde_json::from_str(&text).expect("a line");
            prop_assert_eq!(Request::from(line), request);
        }
    }

    fn bytes() -> impl Strategy<Value = Vec<u8>> {
        proptest::collection::vec(any::<u8>(), 0..20)
    }
}
