//! Answers of our own: problem documents (RFC 9457) for programs, a plain page for browsers. Each has a stable code.

use crate::upstream::Body;
use bytes::Bytes;
use http::header::{self, HeaderValue};
use http::{Response, StatusCode};
use http_body_util::{BodyExt, Full};

/// An answer that the gateway gives itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    pub(crate) status: StatusCode,
    pub(crate) code: &'static str,
    /// A sentence for people, with the way out.
    pub(crate) detail: &'static str,
}

pub(crate) const fn problem(status: StatusCode, code: &'static str, detail: &'static str) -> Problem {
    Problem { status, code, detail }
}

pub(crate) const TOKEN_FROM_CLIENT: Problem = problem(
    StatusCode::BAD_REQUEST,
    "token_from_client",
    "The request holds a storage token. These exist between gateway and application alone. Nothing was changed.",
);
pub(crate) const SEALED: Problem = problem(
    StatusCode::SERVICE_UNAVAILABLE,
    "sealed",
    "The house that keeps personal data is sealed. Nothing was changed. Try again when it is open.",
);
pub(crate) const UNAVAILABLE: Problem = problem(
    StatusCode::SERVICE_UNAVAILABLE,
    "vault_unavailable",
    "Personal data cannot be kept at present. Nothing was changed. Try again in a minute.",
);
pub(crate) const NOT_COMMITTED: Problem = problem(
    StatusCode::BAD_GATEWAY,
    "not_committed",
    "The application took the request, and the personal data in it could not be kept. Send the form again.",
);
pub(crate) const TOO_LARGE: Problem = problem(
    StatusCode::PAYLOAD_TOO_LARGE,
    "body_too_large",
    "The request is larger than allowed here. Nothing was changed.",
);
pub(crate) const BUSY: Problem = problem(
    StatusCode::SERVICE_UNAVAILABLE,
    "gateway_busy",
    "Too many requests are under way. Nothing was changed. Try again in a moment.",
);
pub(crate) const FULL: Problem = problem(
    StatusCode::SERVICE_UNAVAILABLE,
    "gateway_full",
    "There is no room for the request at present. Nothing was changed. Try again in a moment.",
);
pub(crate) const ANSWER_FULL: Problem = problem(
    StatusCode::SERVICE_UNAVAILABLE,
    "answer_full",
    "There is no room for the application's answer at present. If you sent something, look whether it was carried out before you send it again.",
);
pub(crate) const TARGET_TOO_LONG: Problem = problem(
    StatusCode::URI_TOO_LONG,
    "target_too_long",
    "The address with its query is longer than can be passed on. Nothing was changed.",
);
pub(crate) const SLOW: Problem =
    problem(StatusCode::REQUEST_TIMEOUT, "body_timeout", "The request came too slowly. Nothing was changed.");
pub(crate) const BROKEN: Problem =
    problem(StatusCode::BAD_REQUEST, "body_broken", "The request broke off. Nothing was changed.");
pub(crate) const BAD_METHOD: Problem = problem(
    StatusCode::BAD_REQUEST,
    "bad_method",
    "The method of the request is none of capital letters alone. Nothing was changed.",
);
pub(crate) const WRONG_HOST: Problem = problem(
    StatusCode::MISDIRECTED_REQUEST,
    "unknown_host",
    "This application does not live under this name.",
);
pub(crate) const AMBIGUOUS_PATH: Problem =
    problem(StatusCode::BAD_REQUEST, "ambiguous_path", "The address could be read in two ways.");
pub(crate) const NOBODY: Problem = problem(
    StatusCode::UNAUTHORIZED,
    "nobody_signed_in",
    "Nobody is signed in, or no longer. Sign in and send the form again. Nothing was changed.",
);
pub(crate) const NO_UPLOAD: Problem = problem(
    StatusCode::UNSUPPORTED_MEDIA_TYPE,
    "upload_refused",
    "Files are not taken here: nobody could look into them. Nothing was changed.",
);
pub(crate) const NO_UPGRADE: Problem = problem(
    StatusCode::BAD_REQUEST,
    "upgrade_refused",
    "Changing to another protocol is not allowed on this route.",
);

impl Problem {
    /// The answer, as the asker can read it.
    pub(crate) fn answer(self, accept: Option<&HeaderValue>) -> Response<Body> {
        let accepts = accept.and_then(|value| value.to_str().ok()).unwrap_or_default();
        let (kind, body) = if accepts.contains("text/html") { self.page() } else { self.document() };
        let body = Full::new(Bytes::from(body)).map_err(|never| match never {}).boxed_unsync();
        let mut answer = Response::new(body);
        *answer.status_mut() = self.status;
        let headers = answer.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
        headers.insert(
            header::CONTENT_SECURITY_POLICY,
            HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'"),
        );
        if self.status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("10"));
        }
        crate::headers::harden(headers);
        answer
    }

    fn document(self) -> (&'static str, String) {
        let document = serde_json::json!({
            "type": format!("urn:obhut:error:{}", self.code),
            "title": self.status.canonical_reason().unwrap_or("Error"),
            "status": self.status.as_u16(),
            "code": self.code,
            "detail": self.detail,
        });
        ("application/problem+json", document.to_string())
    }

    fn page(self) -> (&'static str, String) {
        let Self { status, code, detail } = self;
        let title = status.canonical_reason().unwrap_or("Error");
        let page = format!(
            "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\">\
             <meta name=\"viewport\" content=\"width=device-width\"><title>{title}</title>\
             <h1>{title}</h1><p>{detail}</p><p>Code <code>{code}</code></p></html>\n"
        );
        ("text/html; charset=utf-8", page)
    }
}
