//! A request in its HTTP/1 bytes, read as generously as a server might: the cases break HTTP on purpose, and what a rule
//! would see must still be there to be seen.
//!
//! Not a parser for live traffic: the gateway's server has its own, strict one.

use std::fmt;

use crate::message::{Fields, Request, get};

/// Most header fields of one request.
const MOST_FIELDS: usize = 10_000;

/// Why bytes are no request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// No request line.
    Empty,
    /// More than 10,000 header fields.
    TooManyFields,
    /// A body of chunks that breaks off or whose sizes are no numbers.
    Chunks,
}

impl fmt::Display for Fault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Empty => "no request line",
            Self::TooManyFields => "more than 10,000 header fields",
            Self::Chunks => "broken chunks",
        })
    }
}

impl std::error::Error for Fault {}

/// Reads one request. Lines end in LF, with or without CR before it.
///
/// - Request line: the method ends at the first space, the protocol begins after the last. A line without protocol is
///   one of `HTTP/0.9` (RFC 1945 section 4.1).
/// - Header fields: a line that begins with space or tab continues the one before; a line without a colon is dropped;
///   white space around values goes, and that between name and colon too; a CR inside of a line becomes a space
///   (RFC 9112 section 2.2).
/// - Body: chunks are joined when `Transfer-Encoding` ends in `chunked`, and `Content-Length` is dropped then (RFC 9112
///   section 6.3); else as many bytes as `Content-Length` says and are there; with a length that is no number, all that
///   follow; with neither field, none.
pub fn parse(bytes: &[u8]) -> Result<Request, Fault> {
    let (line, mut rest) = split_line(bytes);
    if line.is_empty() {
        return Err(Fault::Empty);
    }
    let mut request = request_line(line);
    loop {
        let (line, behind) = split_line(rest);
        rest = behind;
        if line.is_empty() {
            break;
        }
        if request.headers.len() >= MOST_FIELDS {
            return Err(Fault::TooManyFields);
        }
        field(line, &mut request.headers);
    }
    request.body = body(&mut request.headers, rest)?;
    Ok(request)
}

fn split_line(bytes: &[u8]) -> (&[u8], &[u8]) {
    let (line, rest) = match memchr::memchr(b'\n', bytes) {
        Some(end) => (bytes.get(..end).unwrap_or_default(), bytes.get(end + 1..).unwrap_or_default()),
        None => (bytes, [].as_slice()),
    };
    (line.strip_suffix(b"\r").unwrap_or(line), rest)
}

fn request_line(line: &[u8]) -> Request {
    let mut request = Request::new("", "");
    let first = memchr::memchr(b' ', line);
    let last = memchr::memrchr(b' ', line);
    let (method, uri, protocol) = match (first, last) {
        (Some(first), Some(last)) if first < last => {
            (line.get(..first), line.get(first + 1..last), line.get(last + 1..))
        }
        (Some(first), _) => (line.get(..first), line.get(first + 1..), None),
        (None, _) => (Some(line), None, None),
    };
    request.method = method.unwrap_or_default().to_vec();
    request.uri = uri.unwrap_or_default().to_vec();
    request.protocol = protocol.filter(|protocol| !protocol.is_empty()).unwrap_or(b"HTTP/0.9").to_vec();
    request
}

fn field(line: &[u8], headers: &mut Fields) {
    let whole: Vec<u8> = line.iter().map(|&byte| if byte == b'\r' { b' ' } else { byte }).collect();
    let line = whole.as_slice();
    if line.first().is_some_and(|&byte| matches!(byte, b' ' | b'\t')) {
        if let Some((_, value)) = headers.last_mut() {
            value.push(b' ');
            value.extend_from_slice(line.trim_ascii());
        }
        return;
    }
    let Some(colon) = memchr::memchr(b':', line) else {
        return;
    };
    let (name, value) = (line.get(..colon).unwrap_or_default(), line.get(colon + 1..).unwrap_or_default());
    headers.push((name.trim_ascii_end().to_vec(), value.trim_ascii().to_vec()));
}

fn body(headers: &mut Fields, rest: &[u8]) -> Result<Vec<u8>, Fault> {
    let coding =
        get(headers, b"transfer-encoding").and_then(|value| value.rsplit(|&byte| byte == b',').next());
    if coding.is_some_and(|last| last.trim_ascii().eq_ignore_ascii_case(b"chunked")) {
        headers.retain(|(name, _)| !name.eq_ignore_ascii_case(b"content-length"));
        return chunks(rest);
    }
    let Some(length) = get(headers, b"content-length") else {
        return Ok(Vec::new());
    };
    let length =
        std::str::from_utf8(length).ok().and_then(|digits| digits.parse().ok()).unwrap_or(usize::MAX);
    Ok(rest.get(..length).unwrap_or(rest).to_vec())
}

/// Joins chunks (RFC 9112 section 7.1); extensions and trailers are dropped.
fn chunks(mut rest: &[u8]) -> Result<Vec<u8>, Fault> {
    let mut out = Vec::new();
    loop {
        let (line, behind) = split_line(rest);
        let size = line.split(|&byte| byte == b';').next().unwrap_or_default().trim_ascii();
        let size = std::str::from_utf8(size).ok().and_then(|digits| usize::from_str_radix(digits, 16).ok());
        match size.ok_or(Fault::Chunks)? {
            0 => return Ok(out),
            size => {
                let (chunk, after) = behind.split_at_checked(size).ok_or(Fault::Chunks)?;
                out.extend_from_slice(chunk);
                rest = split_line(after).1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn fields(request: &Request) -> Vec<(&str, &str)> {
        let text = |bytes| std::str::from_utf8(bytes).expect("text");
        request.headers.iter().map(|(name, value)| (text(name.as_slice()), text(value.as_slice()))).collect()
    }

    #[test]
    fn an_ordinary_request_is_read() {
        let request = parse(b"POST /a?b HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabcd").expect("read");
        assert_eq!(
            (&*request.method, &*request.uri, &*request.protocol),
            (&b"POST"[..], &b"/a?b"[..], &b"HTTP/1.1"[..])
        );
        assert_eq!(fields(&request), [("Host", "x"), ("Content-Length", "3")]);
        assert_eq!(request.body, b"abc");
    }

    #[test]
    fn a_target_may_hold_spaces_and_a_line_may_lack_parts() {
        let request = parse(b"GET /a b c HTTP/1.0\n\n").expect("read");
        assert_eq!((&*request.uri, &*request.protocol), (&b"/a b c"[..], &b"HTTP/1.0"[..]));
        let request = parse(b"GET /\n").expect("read");
        assert_eq!(
            (&*request.method, &*request.uri, &*request.protocol),
            (&b"GET"[..], &b"/"[..], &b"HTTP/0.9"[..])
        );
        let request = parse(b"GET / \n").expect("read");
        assert_eq!((&*request.uri, &*request.protocol), (&b"/"[..], &b"HTTP/0.9"[..]));
        assert_eq!(parse(b"GET").expect("read").method, b"GET");
        assert_eq!(parse(b"\r\nGET / HTTP/1.1"), Err(Fault::Empty));
    }

    #[test]
    fn fields_are_folded_trimmed_and_dropped() {
        let request = parse(b"G / H\r\nA : 1 \r\n\t two\r\nnonsense\r\nB:\r\nC: d\re\r\n\r\n").expect("read");
        assert_eq!(fields(&request), [("A", "1 two"), ("B", ""), ("C", "d e")]);
    }

    #[test]
    fn an_empty_line_inside_of_a_value_ends_the_fields() {
        let request = parse(b"G / H\r\nA: 1\n\r\nB: 2\r\n\r\n").expect("read");
        assert_eq!(fields(&request), [("A", "1")]);
    }

    #[test]
    fn chunks_are_joined_and_broken_ones_refused() {
        let head =
            b"POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n".as_slice();
        let read = |body: &[u8]| parse(&[head, body].concat()).map(|request| request.body);
        assert_eq!(read(b"3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n"), Ok(b"abcde".to_vec()));
        let whole = parse(&[head, b"0\r\n\r\n"].concat()).expect("read");
        assert_eq!(whole.header(b"content-length"), None, "the coding overrides the length");
        for broken in [b"".as_slice(), b"3\r\nab", b"x\r\n", b"3\r\nabc\r\n", b"ffffffffffffffff\r\nabc"] {
            assert_eq!(read(broken), Err(Fault::Chunks), "{broken:?}");
        }
    }

    #[test]
    fn a_body_needs_a_length() {
        let read =
            |head: &str| parse(format!("POST / HTTP/1.1\r\n{head}\r\nabc").as_bytes()).expect("read").body;
        assert_eq!(read(""), b"");
        assert_eq!(read("Content-Length: 2\r\n"), b"ab");
        assert_eq!(read("Content-Length: 9\r\n"), b"abc");
        assert_eq!(read("Content-Length: 3x\r\n"), b"abc");
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            if let Ok(request) = parse(&bytes) {
                prop_assert!(request.body.len() <= bytes.len());
                prop_assert!(!request.protocol.is_empty());
                prop_assert!(request.headers.iter().all(|(_, value)| !value.contains(&b'\r')));
            }
        }

        #[test]
        fn what_is_written_is_read_again(
            method in "[A-Z]{1,7}",
            uri in "/[!-~]{0,40}",
            headers in proptest::collection::vec(("[A-Za-z-]{1,12}", "[!-~]{0,20}"), 0..8),
            body in proptest::collection::vec(any::<u8>(), 0..60),
        ) {
            let mut bytes = format!("{method} {uri} HTTP/1.1\r\n").into_bytes();
            let headers: Vec<_> = headers
                .into_iter()
                .filter(|(name, _)| !name.eq_ignore_ascii_case("content-length"))
                .filter(|(name, _)| !name.eq_ignore_ascii_case("transfer-encoding"))
                .collect();
            for (name, value) in &headers {
                bytes.extend(format!("{name}: {value}\r\n").into_bytes());
            }
            bytes.extend(format!("Content-Length: {}\r\n\r\n", body.len()).into_bytes());
            bytes.extend_from_slice(&body);
            let request = parse(&bytes).expect("read");
            prop_assert_eq!(request.method, method.into_bytes());
            prop_assert_eq!(request.uri, uri.into_bytes());
            prop_assert_eq!(request.body, body);
            prop_assert_eq!(request.headers.len(), headers.len() + 1);
        }
    }
}
