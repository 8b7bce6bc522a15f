//! One request and its answer, whole and in memory: what tests of rules, measurements and explanations work on. The
//! gateway does not build these; it hands a transaction its pieces as they arrive.

use std::net::{IpAddr, Ipv4Addr};

/// Header fields in order, as sent: name and value, without the colon and the space around it.
pub type Fields = Vec<(Vec<u8>, Vec<u8>)>;

/// An HTTP request as a server sees it after the transfer coding is undone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The method, for example `GET`; any bytes, since attacks come with any.
    pub method: Vec<u8>,
    /// The target as it stands in the request line, not decoded: path and query, or an absolute URI, or `*`.
    pub uri: Vec<u8>,
    /// The protocol as it stands in the request line, for example `HTTP/1.1`.
    pub protocol: Vec<u8>,
    /// The header fields.
    pub headers: Fields,
    /// The body; empty when there is none.
    pub body: Vec<u8>,
    /// The address of the client.
    pub client: IpAddr,
    /// The answer, where it is inspected too.
    pub response: Option<Response>,
}

impl Request {
    /// A request of `method` for `uri` over HTTP/1.1 from the local machine, without fields and body.
    #[must_use]
    pub fn new(method: &str, uri: &str) -> Self {
        Self {
            method: method.into(),
            uri: uri.into(),
            protocol: b"HTTP/1.1".to_vec(),
            headers: Fields::new(),
            body: Vec::new(),
            client: IpAddr::V4(Ipv4Addr::LOCALHOST),
            response: None,
        }
    }

    /// This request with one more header field.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// This request with `body` and a `Content-Length` that fits it.
    #[must_use]
    pub fn with_body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        let length = self.body.len().to_string();
        set(&mut self.headers, b"Content-Length", length.as_bytes());
        self
    }

    /// The value of the first field of this name, in any case.
    #[must_use]
    pub fn header(&self, name: &[u8]) -> Option<&[u8]> {
        get(&self.headers, name)
    }

    /// The target up to its query.
    #[must_use]
    pub fn path(&self) -> &[u8] {
        self.uri.split(|&byte| byte == b'?').next().unwrap_or_default()
    }

    /// The query, without its question mark; `None` when there is none.
    #[must_use]
    pub fn query(&self) -> Option<&[u8]> {
        let mark = memchr::memchr(b'?', &self.uri)?;
        self.uri.get(mark + 1..)
    }
}

/// An HTTP answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// The status, for example 200.
    pub status: u16,
    /// The protocol of the status line, for example `HTTP/1.1`.
    pub protocol: Vec<u8>,
    /// The header fields.
    pub headers: Fields,
    /// The body; empty when there is none.
    pub body: Vec<u8>,
}

impl Response {
    /// An answer over HTTP/1.1 without a body.
    #[must_use]
    pub fn new(status: u16) -> Self {
        Self { status, protocol: b"HTTP/1.1".to_vec(), headers: Fields::new(), body: Vec::new() }
    }

    /// The value of the first field of this name, in any case.
    #[must_use]
    pub fn header(&self, name: &[u8]) -> Option<&[u8]> {
        get(&self.headers, name)
    }
}

/// The value of the first field of this name, in any case.
#[must_use]
pub fn get<'a>(fields: &'a Fields, name: &[u8]) -> Option<&'a [u8]> {
    fields.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_slice())
}

/// Gives the first field of this name the value, and removes the others; adds the field when there is none.
pub fn set(fields: &mut Fields, name: &[u8], value: &[u8]) {
    let mut seen = false;
    fields.retain_mut(|(known, held)| {
        if !known.eq_ignore_ascii_case(name) {
            return true;
        }
        if seen {
            return false;
        }
        seen = true;
        *held = value.to_vec();
        true
    });
    if !seen {
        fields.push((name.to_vec(), value.to_vec()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_found_in_any_case_and_the_first_counts() {
        let request = Request::new("GET", "/a?b=c").with_header("Accept", "x").with_header("ACCEPT", "y");
        assert_eq!(request.header(b"accept"), Some(b"x".as_slice()));
        assert_eq!(request.header(b"accep"), None);
    }

    #[test]
    fn a_set_field_stands_once_in_the_place_of_the_first() {
        let mut fields: Fields = [("a", "1"), ("B", "2"), ("A", "3")]
            .map(|(n, v)| (n.as_bytes().to_vec(), v.as_bytes().to_vec()))
            .into();
        set(&mut fields, b"a", b"4");
        assert_eq!(fields, [(b"a".to_vec(), b"4".to_vec()), (b"B".to_vec(), b"2".to_vec())]);
        set(&mut fields, b"c", b"5");
        assert_eq!(fields.last(), Some(&(b"c".to_vec(), b"5".to_vec())));
    }

    #[test]
    fn a_body_brings_its_length_and_a_second_body_replaces_it() {
        let request = Request::new("POST", "/").with_body("four").with_body("seven__");
        assert_eq!(request.header(b"content-length"), Some(b"7".as_slice()));
        assert_eq!(request.headers.len(), 1);
    }

    #[test]
    fn path_and_query_part_at_the_first_question_mark() {
        let with = Request::new("GET", "/a?b?c");
        assert_eq!((with.path(), with.query()), (b"/a".as_slice(), Some(b"b?c".as_slice())));
        let without = Request::new("GET", "/a");
        assert_eq!((without.path(), without.query()), (b"/a".as_slice(), None));
        assert_eq!(Request::new("GET", "/?").query(), Some(b"".as_slice()));
    }
}
