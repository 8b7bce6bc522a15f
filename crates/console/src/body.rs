//! Bodies: JSON of exactly the form asked for, within limits, read in time; and answers as JSON.

use crate::problem::{MALFORMED, MEDIA_TYPE, Problem, TIMEOUT, TOO_LARGE};
use axum::body::Body;
use axum::extract::{FromRequest, Request};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use http_body_util::{BodyExt, Limited};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::time::Duration;

/// Most bytes of a body.
pub(crate) const LARGEST: usize = 1 << 20;
/// Longest time for a body to come in.
const PATIENCE: Duration = Duration::from_secs(15);

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
        let value = serde_json::from_slice(&bytes).map_err(|_| MALFORMED)?;
        Ok(Self { value, bytes })
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    kind.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json"))
}

async fn read(body: Body) -> Result<Bytes, Problem> {
    match tokio::time::timeout(PATIENCE, Limited::new(body, LARGEST).collect()).await {
        Err(_) => Err(TIMEOUT),
        Ok(Err(error)) if error.is::<http_body_util::LengthLimitError>() => Err(TOO_LARGE),
        Ok(Err(_)) => Err(MALFORMED),
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
    }
}

/// An answer as JSON that nobody keeps.
pub(crate) struct Answer<T>(pub(crate) StatusCode, pub(crate) T);

impl<T: Serialize> IntoResponse for Answer<T> {
    fn into_response(self) -> Response {
        match serde_json::to_vec(&self.1) {
            Ok(body) => (self.0, json_headers(), body).into_response(),
            Err(_) => crate::problem::INTERNAL.into_response(),
        }
    }
}

fn json_headers() -> [(header::HeaderName, HeaderValue); 2] {
    [
        (header::CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ]
}
