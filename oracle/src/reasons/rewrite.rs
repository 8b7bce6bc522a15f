//! Requests without the cause of a difference.

use std::ops::Range;

use memchr::memmem;
use shield::body::{Limits, Parsed, Processor};
use shield::message::Request;

/// What the shield's processor finds in the body, if one is for it.
pub(super) fn parsed(request: &Request) -> Option<(Processor, Parsed)> {
    let content_type = request.header(b"content-type")?;
    let processor = Processor::of(content_type)?;
    Some((processor, processor.parse(&request.body, content_type, &Limits::default())))
}

/// The target in origin form (RFC 9112 §3.2.1).
pub(super) fn origin_form(request: &Request) -> Option<Request> {
    let mark = memmem::find(&request.uri, b"://")?;
    let rest = request.uri.get(mark + 3..)?;
    let path = rest.iter().position(|byte| b"/?#".contains(byte)).unwrap_or(rest.len());
    let path = rest.get(path..)?;
    let mut out = request.clone();
    out.uri = if path.starts_with(b"/") { path.to_vec() } else { [b"/", path].concat() };
    Some(out)
}

/// A target whose path ends where its first escaped question mark stood.
pub(super) fn without_escaped_mark(request: &Request) -> Option<Request> {
    let at = [b"%3f", b"%3F"].iter().filter_map(|mark| memmem::find(request.path(), *mark)).min()?;
    let mut out = request.clone();
    out.uri = request.path().get(..at)?.to_vec();
    if let Some(query) = request.query() {
        out.uri = [&out.uri, b"?".as_slice(), query].concat();
    }
    Some(out)
}

/// A request in which names of the query that look like Base64 without padding have it.
pub(super) fn padded(request: &Request) -> Option<Request> {
    let pairs = request.query()?.split(|&byte| byte == b'&').map(|pair| {
        let end = pair.iter().position(|&byte| byte == b'=').unwrap_or(pair.len());
        let (name, value) = pair.split_at(end);
        let is_base64 = name.iter().all(|byte| byte.is_ascii_alphanumeric() || b"+/".contains(byte));
        let padding: &[u8] = match name.len() % 4 {
            2 if is_base64 => b"%3D%3D",
            3 if is_base64 => b"%3D",
            _ => b"",
        };
        [name, padding, value].concat()
    });
    let query = pairs.collect::<Vec<_>>().join(&b'&');
    let mut out = request.clone();
    out.uri = [request.path(), b"?", &query].concat();
    (out != *request).then_some(out)
}

/// A multipart body whose contents hold no line ends.
pub(super) fn without_line_ends(request: &Request) -> Option<Request> {
    let mut body = Vec::new();
    let mut done = 0;
    for content in contents(request)? {
        body.extend_from_slice(request.body.get(done..content.start)?);
        let bytes = request.body.get(content.clone())?;
        body.extend(bytes.iter().filter(|byte| !b"\r\n".contains(byte)));
        done = content.end;
    }
    body.extend_from_slice(request.body.get(done..)?);
    (body != request.body).then(|| request.clone().with_body(body))
}

/// Where the contents of the parts lie, without the line end before the boundary.
fn contents(request: &Request) -> Option<Vec<Range<usize>>> {
    let body = &request.body;
    let delimiter = body.get(..memmem::find(body, b"\r\n")?)?;
    let starts: Vec<usize> = memmem::find_iter(body, delimiter).collect();
    let mut found = Vec::new();
    for pair in starts.windows(2) {
        let &[start, end] = pair else { continue };
        let end = end.checked_sub(2)?;
        let head = memmem::find(body.get(start..end)?, b"\r\n\r\n")?;
        found.push((start + head + 4).min(end)..end);
    }
    Some(found)
}

/// An XML body in which one element holds all the text and all attributes, so that there is one piece of text.
pub(super) fn in_one_element(request: &Request) -> Option<Request> {
    let (_, parsed) = parsed(request)?;
    let xml = parsed.xml.filter(|xml| parsed.error.is_none() && xml.pieces.len() > 1)?;
    let escape = |text: &[u8]| {
        let text = String::from_utf8(text.to_vec()).ok()?;
        Some(text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;"))
    };
    let mut body = String::from("<?xml version=\"1.0\"?><r>");
    for (number, (_, value)) in xml.attributes.iter().enumerate() {
        body.push_str(&format!("<a a{number}=\"{}\"/>", escape(value)?));
    }
    body.push_str(&escape(&xml.text)?);
    body.push_str("</r>");
    Some(request.clone().with_body(body))
}

/// The request with each text changed, fields that the transport or the choice of a processor depends on apart.
fn everywhere(request: &Request, change: impl Fn(&[u8]) -> Vec<u8>) -> Option<Request> {
    let mut out = request.clone();
    out.uri = change(&out.uri);
    for (name, value) in &mut out.headers {
        if !["host", "content-type", "content-length"]
            .iter()
            .any(|kept| name.eq_ignore_ascii_case(kept.as_bytes()))
        {
            *value = change(value);
        }
    }
    if !out.body.is_empty() {
        let body = change(&out.body);
        out = out.with_body(body);
    }
    (out != *request).then_some(out)
}

/// A request without the numbers that have an exponent without digits, such as `1.e`, in whatever way they are written.
pub(super) fn without_exponents(request: &Request) -> Option<Request> {
    // What rule 942100 undoes: NUL, full width, escapes of what needs none.
    let plain = [("%00", ""), ("%EF%BC%91", "1"), ("%EF%BD%85", "e"), ("%31%2e", "1."), ("%65", "e")];
    let dots = [".", "%2e", "%2E", "%252e", "%u002e", "&#x2e;", "\\x2e", "%26%23x2e%3B", "%5Cx2e"];
    everywhere(request, |text| {
        let mut text = text.to_vec();
        for (from, to) in plain {
            text = with(&text, from.as_bytes(), to.as_bytes());
        }
        for dot in dots {
            for sign in ["e", "E"] {
                text = replaced(&text, [dot, sign].concat().as_bytes());
            }
        }
        text
    })
}

/// `text` with `to` for each `from`.
fn with(text: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut done = 0;
    for at in memmem::find_iter(text, from) {
        out.extend_from_slice(text.get(done..at).unwrap_or_default());
        out.extend_from_slice(to);
        done = at + from.len();
    }
    out.extend_from_slice(text.get(done..).unwrap_or_default());
    out
}

/// A request in which no name begins with `on`: `xn` for each that begins so and ends at an equals sign.
pub(super) fn without_event_names(request: &Request) -> Option<Request> {
    everywhere(request, |text| {
        let mut out = text.to_vec();
        for at in 0..text.len() {
            let rest = text.get(at..).unwrap_or_default();
            let name = rest.iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
            let begins = !at.checked_sub(1).is_some_and(|before| text[before].is_ascii_alphabetic());
            let ends = rest.get(name) == Some(&b'=');
            if begins && ends && name > 2 && rest.get(..2).is_some_and(|on| on.eq_ignore_ascii_case(b"on")) {
                out[at] = b'x';
            }
        }
        out
    })
}

/// `text` without `piece` and the digit before it, where there is one.
fn replaced(text: &[u8], piece: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut done = 0;
    for at in memmem::find_iter(text, piece) {
        let before = text.get(done..at).unwrap_or_default();
        if let [before @ .., b'0'..=b'9'] = before {
            out.extend_from_slice(before);
            done = at + piece.len();
        }
    }
    out.extend_from_slice(text.get(done..).unwrap_or_default());
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(kind: &str, body: &str) -> Request {
        Request::new("POST", "/").with_header("Content-Type", kind).with_body(body)
    }

    #[test]
    fn targets_lose_scheme_and_host() {
        let target = |target| origin_form(&Request::new("GET", target)).map(|request| request.uri);
        assert_eq!(target("http://h/a?b"), Some(b"/a?b".to_vec()));
        assert_eq!(target("http://h"), Some(b"/".to_vec()));
        assert_eq!(target("/a"), None);
    }

    #[test]
    fn paths_end_at_an_escaped_question_mark() {
        let target = |target| without_escaped_mark(&Request::new("GET", target)).map(|request| request.uri);
        assert_eq!(target("/a%3Fb%3fc?d"), Some(b"/a?d".to_vec()));
        assert_eq!(target("/a?b=%3f"), None);
    }

    #[test]
    fn names_get_their_padding() {
        let target = |target| padded(&Request::new("GET", target)).map(|request| request.uri);
        assert_eq!(target("/?abc==x&ab&abcd=1"), Some(b"/?abc%3D==x&ab%3D%3D&abcd=1".to_vec()));
        assert_eq!(target("/?abcd=ab"), None);
    }

    #[test]
    fn contents_of_parts_lose_line_ends_and_nothing_else_does() {
        let with = |content: &str| {
            format!("--B\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n{content}\r\n--B--\r\n")
        };
        let kind = "multipart/form-data; boundary=B";
        let changed = without_line_ends(&body(kind, &with("x\r\ny\n"))).expect("a change");
        assert_eq!(changed, body(kind, &with("xy")));
        assert_eq!(without_line_ends(&body(kind, &with("xy"))), None);
    }

    #[test]
    fn the_text_of_a_document_moves_into_one_element() {
        let changed =
            in_one_element(&body("text/xml", "<r><a b=\"1\">x&lt;</a><a>y</a></r>")).expect("a change");
        assert_eq!(changed.body, b"<?xml version=\"1.0\"?><r><a a0=\"1\"/>x&lt;y</r>");
        assert_eq!(in_one_element(&body("text/xml", "<r>x</r>")), None);
    }

    #[test]
    fn names_of_events_become_others() {
        let changed = without_event_names(&Request::new("GET", "/?a=+onabc=1+ton=1+on=1")).expect("a change");
        assert_eq!(changed.uri, b"/?a=+xnabc=1+ton=1+on=1");
    }

    #[test]
    fn numbers_without_an_exponent_stay() {
        let changed =
            without_exponents(&Request::new("GET", "/?a=1.e(1.5,x.e)%201%u002ee")).expect("a change");
        assert_eq!(changed.uri, b"/?a=(1.5,x.e)%20");
    }
}
