//! The back end of the CRS project's test containers: a request to `/reflect` says in JSON how it wants to be answered,
//! every other gets an empty 200.
//!
//! The fields are those of the program albedo: `status` (200 when it is missing or 0), `headers` (a map of texts),
//! `body`, and `encodedBody` (base64, used when `body` is empty).

use std::collections::BTreeMap;

use data_encoding::BASE64;
use serde::Deserialize;

use crate::message::{Request, Response};

#[derive(Deserialize)]
struct Wish {
    status: Option<i64>,
    headers: Option<BTreeMap<String, String>>,
    body: Option<String>,
    #[serde(rename = "encodedBody")]
    encoded_body: Option<String>,
}

/// The answer of the back end.
#[must_use]
pub fn answer(request: &Request) -> Response {
    let path = request.path();
    let reflects = path == b"/reflect" || path.starts_with(b"/reflect/");
    if reflects && request.method == b"POST" {
        reflected(&request.body)
    } else {
        complete(Response::new(200))
    }
}

fn reflected(body: &[u8]) -> Response {
    let Ok(wish) = serde_json::from_slice::<Wish>(body) else {
        return refused("Invalid JSON in request body");
    };
    let status = match wish.status {
        None | Some(0) => 200,
        Some(status) => match u16::try_from(status) {
            Ok(status @ 100..=599) => status,
            _ => return refused("Invalid status code"),
        },
    };
    let mut response = Response::new(status);
    let headers = wish.headers.unwrap_or_default();
    response.headers = headers.into_iter().map(|(name, value)| (name.into(), value.into())).collect();
    response.body = match (wish.body, wish.encoded_body) {
        (Some(body), _) if !body.is_empty() => body.into_bytes(),
        (_, encoded) => match BASE64.decode(encoded.unwrap_or_default().as_bytes()) {
            Ok(body) => body,
            Err(_) => b"invalid base64 encoding of response body".to_vec(),
        },
    };
    complete(response)
}

fn refused(why: &str) -> Response {
    let mut response = Response::new(400);
    response.body = why.into();
    complete(response)
}

/// Adds the fields that the back end's server adds.
fn complete(mut response: Response) -> Response {
    if !response.body.is_empty() && response.header(b"content-type").is_none() {
        response.headers.push((b"Content-Type".to_vec(), sniffed(&response.body).into()));
    }
    if response.header(b"content-length").is_none() {
        let length = response.body.len().to_string().into_bytes();
        response.headers.push((b"Content-Length".to_vec(), length));
    }
    response
}

/// The type that Go's server guesses for a body, in outline: HTML and XML by how they begin, text when there is no
/// byte that text does not hold.
fn sniffed(body: &[u8]) -> &'static str {
    const TAGS: [&str; 17] = [
        "<!doctype html",
        "<html",
        "<head",
        "<script",
        "<iframe",
        "<h1",
        "<div",
        "<font",
        "<table",
        "<a",
        "<style",
        "<title",
        "<b",
        "<body",
        "<br",
        "<p",
        "<!--",
    ];
    let start = body.trim_ascii_start();
    let begins = |tag: &&str| {
        start.get(..tag.len()).is_some_and(|head| head.eq_ignore_ascii_case(tag.as_bytes()))
            && start.get(tag.len()).is_some_and(|&byte| matches!(byte, b' ' | b'>'))
    };
    if TAGS.iter().any(begins) {
        "text/html; charset=utf-8"
    } else if start.starts_with(b"<?xml") {
        "text/xml; charset=utf-8"
    } else if body.iter().take(512).any(|byte| matches!(byte, 0..=8 | 0x0b | 0x0e..=0x1a | 0x1c..=0x1f)) {
        "application/octet-stream"
    } else {
        "text/plain; charset=utf-8"
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn asked(body: &str) -> Response {
        answer(&Request::new("POST", "/reflect").with_body(body))
    }

    #[test]
    fn the_answer_is_as_wished() {
        let response = asked(r#"{"status": 503, "headers": {"X-A": "b"}, "body": "hello"}"#);
        assert_eq!((response.status, response.body.as_slice()), (503, b"hello".as_slice()));
        assert_eq!(response.header(b"x-a"), Some(b"b".as_slice()));
        assert_eq!(response.header(b"content-type"), Some(b"text/plain; charset=utf-8".as_slice()));
        assert_eq!(response.header(b"content-length"), Some(b"5".as_slice()));
    }

    #[test]
    fn encoded_bodies_are_decoded_and_a_plain_one_comes_first() {
        assert_eq!(asked(r#"{"encodedBody": "AAE="}"#).body, [0, 1]);
        assert_eq!(asked(r#"{"body": "x", "encodedBody": "AAE="}"#).body, b"x");
        assert_eq!(asked(r#"{"encodedBody": "?"}"#).status, 200);
    }

    #[test]
    fn nonsense_is_answered_with_400() {
        assert_eq!(asked("{").status, 400);
        assert_eq!(asked(r#"{"body": 1}"#).status, 400);
        assert_eq!(asked(r#"{"status": 99}"#).status, 400);
        assert_eq!(asked(r#"{"status": 600}"#).status, 400);
    }

    #[test]
    fn every_other_request_gets_an_empty_200() {
        for request in
            [Request::new("GET", "/reflect"), Request::new("POST", "/reflections"), Request::new("GET", "/")]
        {
            let response = answer(&request);
            assert_eq!((response.status, response.body.len()), (200, 0));
            assert_eq!(response.header(b"content-type"), None);
        }
    }

    #[test]
    fn types_are_guessed() {
        assert_eq!(sniffed(b"\n <HTML><b>"), "text/html; charset=utf-8");
        assert_eq!(sniffed(b"<p >"), "text/html; charset=utf-8");
        assert_eq!(sniffed(b"<pre>"), "text/plain; charset=utf-8");
        assert_eq!(sniffed(b"<?xml version"), "text/xml; charset=utf-8");
        assert_eq!(sniffed(b"\x1f\x8b\x08\0"), "application/octet-stream");
    }

    proptest! {
        #[test]
        fn any_body_is_answered(body in proptest::collection::vec(any::<u8>(), 0..200)) {
            let response = answer(&Request::new("POST", "/reflect").with_body(body));
            prop_assert!((100..600).contains(&response.status));
        }
    }
}
