//! From the parts of a case to the bytes that go-ftw would send.

use std::fmt;

use super::wire::Fault;
use super::{Body, Input, text};

const FORM: &str = "application/x-www-form-urlencoded";

/// Why no request can be made of a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unbuildable {
    /// A template in `data` other than a repetition.
    Template,
    /// A template that grows beyond 16 MiB.
    TooLarge,
    /// `encoded_data` or `encoded_request` is not base64.
    Base64,
    /// What is sent is not a request.
    Wire(Fault),
}

impl fmt::Display for Unbuildable {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Template => out.write_str("a template other than repeat"),
            Self::TooLarge => out.write_str("a template that grows beyond 16 MiB"),
            Self::Base64 => out.write_str("not base64"),
            Self::Wire(fault) => fault.fmt(out),
        }
    }
}

impl std::error::Error for Unbuildable {}

impl Input {
    /// The bytes that go-ftw sends for this input.
    pub fn bytes(&self) -> Result<Vec<u8>, Unbuildable> {
        let data = match &self.body {
            Body::EncodedRequest(request) => return text::base64(request),
            Body::EncodedData(data) => text::base64(data)?,
            Body::Data(data) => text::template(data)?,
            Body::None => Vec::new(),
        };
        let mut headers = self.headers.clone();
        let data = self.completed(data, &mut headers);
        let mut out = format!("{} {} {}\r\n", self.method, self.uri, self.version).into_bytes();
        for (name, value) in &headers {
            out.extend_from_slice(name.as_bytes());
            out.extend_from_slice(b": ");
            out.extend_from_slice(value.as_bytes());
            out.extend_from_slice(b"\r\n");
        }
        out.extend_from_slice(b"\r\n");
        out.extend_from_slice(&data);
        Ok(out)
    }

    /// Adds what go-ftw adds to the header fields, and returns the body as it sends it.
    fn completed(&self, mut data: Vec<u8>, headers: &mut Vec<(String, String)>) -> Vec<u8> {
        let add = |headers: &mut Vec<(String, String)>, name: &str, value: &str| {
            if !has(headers, name) {
                headers.push((name.to_owned(), value.to_owned()));
            }
        };
        if self.autocomplete && !data.is_empty() {
            add(headers, "Content-Type", FORM);
            if values(headers, "Content-Type").any(|value| value.eq_ignore_ascii_case(FORM)) {
                data = text::form(&data);
            }
        }
        let is_multipart = |value: &str| value.to_ascii_lowercase().contains("multipart/form-data;");
        if values(headers, "Content-Type").any(is_multipart) {
            data = with_crlf(&data);
        }
        if self.autocomplete {
            add(headers, "Connection", "close");
            if !data.is_empty() || has_body(&self.method) {
                add(headers, "Content-Length", &data.len().to_string());
            }
        }
        data
    }
}

fn values<'a>(headers: &'a [(String, String)], name: &'a str) -> impl Iterator<Item = &'a str> {
    headers.iter().filter(move |(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
}

fn has(headers: &[(String, String)], name: &str) -> bool {
    values(headers, name).next().is_some()
}

/// Whether go-ftw counts the method among those with a body: its pattern `^POST|PUT|PATCH|DELETE$` anchors the first
/// and the last alternative alone.
fn has_body(method: &str) -> bool {
    method.starts_with("POST")
        || method.contains("PUT")
        || method.contains("PATCH")
        || method.ends_with("DELETE")
}

/// Each LF becomes CR LF, also the one that already follows a CR: a case that writes `\r\n` sends `\r\r\n`.
fn with_crlf(data: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(data.len() + data.len() / 16);
    for &byte in data {
        if byte == b'\n' {
            out.push(b'\r');
        }
        out.push(byte);
    }
    out
}
