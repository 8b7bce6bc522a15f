//! Bodies: JSON of exactly the form asked for, within limits, read in time; and answers as JSON.

use crate::problem::{INTERNAL, MALFORMED, MEDIA_TYPE, Problem, TIMEOUT, TOO_LARGE};
use axum::body::{Body, HttpBody};
use axum::extract::{FromRequest, Request};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use http_body_util::{BodyExt, Limited};
use serde::de::{DeserializeOwned, Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;
use std::time::Duration;
use zeroize::Zeroizing;

/// Most bytes of a body.
pub(crate) const LARGEST: usize = 1 << 20;
/// Longest time for a body to come in.
const PATIENCE: Duration = Duration::from_secs(15);
/// Room for most answers, so that writing one leaves no copy behind that nobody wipes.
const ROOM: usize = 1_024;

/// A parsed body with its bytes, which idempotency compares.
pub(crate) struct Parsed<T> {
    pub(crate) value: T,
    pub(crate) bytes: Bytes,
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Parsed<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        if !is_json(request.headers()) {
            return Err(MEDIA_TYPE);
        }
        let bytes = read(request.into_body()).await?;
        let value = serde_json::from_slice(&bytes)
            .map_err(|error| MALFORMED.at_character(error.line(), error.column()))?;
        Ok(Self { value, bytes })
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    kind.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json"))
}

/// The bytes of a body, within size and time.
pub(crate) async fn read(body: Body) -> Result<Bytes, Problem> {
    if body.size_hint().lower() > LARGEST as u64 {
        return Err(TOO_LARGE);
    }
    match tokio::time::timeout(PATIENCE, Limited::new(body, LARGEST).collect()).await {
        Err(_) => Err(TIMEOUT),
        Ok(Err(error)) if error.is::<http_body_util::LengthLimitError>() => Err(TOO_LARGE),
        Ok(Err(_)) => Err(MALFORMED),
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
    }
}

/// A text that is wiped when no longer needed.
pub(crate) struct Secret(pub(crate) Zeroizing<String>);

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from).map(|text| Self(Zeroizing::new(text)))
    }
}

impl Serialize for Secret {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&self.0)
    }
}

/// A map that takes each name once. JSON leaves open which of two members of one name counts, and two readers that
/// choose differently are how checks are got around (RFC 8259 §4).
pub(crate) struct Once<T>(pub(crate) BTreeMap<String, T>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Once<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_map(OnceVisitor(PhantomData)).map(Self)
    }
}

struct OnceVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for OnceVisitor<T> {
    type Value = BTreeMap<String, T>;

    fn expecting(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str("an object without repeated members")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
        let mut all = BTreeMap::new();
        while let Some((name, value)) = members.next_entry()? {
            if all.insert(name, value).is_some() {
                return Err(A::Error::custom("a repeated member"));
            }
        }
        Ok(all)
    }
}

/// An answer as JSON that nobody keeps: wiped once it was written out, and `no-store`.
pub(crate) struct Answer<T>(pub(crate) StatusCode, pub(crate) T);

impl<T: Serialize> IntoResponse for Answer<T> {
    fn into_response(self) -> Response {
        let mut body = Zeroizing::new(Vec::with_capacity(ROOM));
        match serde_json::to_writer(&mut *body, &self.1) {
            Ok(()) => (self.0, json_headers(), Body::from(Bytes::from_owner(body))).into_response(),
            Err(_) => INTERNAL.into_response(),
        }
    }
}

fn json_headers() -> [(header::HeaderName, HeaderValue); 2] {
    [
        (header::CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ]
}

/// Runs a change to its end, also when the client goes away meanwhile: hyper drops a handler whose connection ends,
/// and what stands behind a commit (a cache to empty, a configuration to put in force) must not be dropped with it.
pub(crate) async fn to_the_end<T: Send + 'static>(
    change: impl Future<Output = Result<T, Problem>> + Send + 'static,
) -> Result<T, Problem> {
    tokio::spawn(change).await.unwrap_or(Err(INTERNAL))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_is_taken_once() {
        let parse = |text: &str| serde_json::from_str::<Once<Secret>>(text).map(|map| map.0.len());
        assert_eq!(parse(r#"{"a": "1", "b": "1"}"#).ok(), Some(2));
        assert!(parse(r#"{"a": "1", "a": "1"}"#).is_err());
        assert!(parse(r#"{"a": "1", "\u0061": "2"}"#).is_err(), "however it is written");
        assert!(parse("[]").is_err());
    }

    #[test]
    fn only_json_is_json() {
        let with = |value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(value));
            is_json(&headers)
        };
        assert!(with("application/json") && with("Application/JSON; charset=utf-8"));
        assert!(!with("text/plain") && !with("application/jsonp") && !is_json(&HeaderMap::new()));
    }
}
