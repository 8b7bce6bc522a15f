//! The same request in other words: encodings, cases, comments and wrappings that an attacker tries, made without chance.
//!
//! A mutation changes the values of arguments (of the query, of a form, the texts of a JSON body) and of the header
//! fields that rules look at, or it moves the arguments to another place. Some keep the meaning (an encoding that the
//! server undoes), some only what a rule's transformations undo; two engines with the same rules must find the same in
//! each.

use serde_json::Value;
use shield::message::{Request, set};

/// Fields whose values are never changed: the transport, or the choice of a body's processor, depends on them.
const KEPT_FIELDS: [&str; 8] = [
    "host",
    "content-type",
    "content-length",
    "transfer-encoding",
    "connection",
    "accept",
    "accept-encoding",
    "expect",
];

const BOUNDARY: &str = "----OracleBoundary7MA4YWxkTrZu0gW";

/// One way to change a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Mutation {
    /// Every byte of each value as `%hh`.
    UrlEncoded,
    /// Every byte but letters and digits as `%25hh`.
    UrlEncodedTwice,
    /// Every byte but letters and digits as `%u00hh`.
    PercentU,
    /// Every byte but letters and digits as `&#xhh;`.
    HtmlEntities,
    /// Every byte but letters and digits as `\xhh`, as in JavaScript.
    HexEscapes,
    /// Letters as `\u00hh`, as in JavaScript.
    UnicodeEscapes,
    /// Letters as `\hh `, as in CSS.
    CssEscapes,
    /// Letters and digits as their full-width forms, in UTF-8.
    FullWidth,
    /// Base64 of the value.
    Base64,
    /// All letters small.
    Lower,
    /// All letters large.
    Upper,
    /// Letters small and large in turn.
    Alternating,
    /// `/**/` for each space.
    SqlComments,
    /// `+` for each space, which a query decodes and a header field does not.
    Plus,
    /// A line end for each space.
    LineEnds,
    /// A tab and a space for each space.
    Tabs,
    /// A NUL after the first byte.
    Nul,
    /// A NUL at the end.
    NulAtEnd,
    /// `""` after the first letter of each word, which a shell drops.
    ShellQuotes,
    /// `^` before each letter, which the shell of Windows drops.
    Carets,
    /// `/./` for each slash.
    SelfReference,
    /// A backslash for each slash.
    Backslashes,
    /// The texts of a JSON body written in `\u00hh`.
    JsonEscapes,
    /// The arguments as a JSON body.
    AsJson,
    /// The arguments as a multipart form.
    AsMultipart,
    /// The arguments as a multipart form in which each is a file.
    AsFiles,
    /// The arguments as an XML body.
    AsXml,
    /// The arguments of a body in the query.
    AsQuery,
    /// The arguments as cookies.
    AsCookies,
    /// Each value as a header field.
    AsFields,
    /// Each name as a value and each value as a name.
    Swapped,
}

impl Mutation {
    /// All mutations.
    pub const ALL: [Self; 31] = [
        Self::UrlEncoded,
        Self::UrlEncodedTwice,
        Self::PercentU,
        Self::HtmlEntities,
        Self::HexEscapes,
        Self::UnicodeEscapes,
        Self::CssEscapes,
        Self::FullWidth,
        Self::Base64,
        Self::Lower,
        Self::Upper,
        Self::Alternating,
        Self::SqlComments,
        Self::Plus,
        Self::LineEnds,
        Self::Tabs,
        Self::Nul,
        Self::NulAtEnd,
        Self::ShellQuotes,
        Self::Carets,
        Self::SelfReference,
        Self::Backslashes,
        Self::JsonEscapes,
        Self::AsJson,
        Self::AsMultipart,
        Self::AsFiles,
        Self::AsXml,
        Self::AsQuery,
        Self::AsCookies,
        Self::AsFields,
        Self::Swapped,
    ];

    /// The request under this mutation; `None` when there is nothing to change.
    #[must_use]
    pub fn of(self, request: &Request) -> Option<Request> {
        let mutated = match self {
            Self::JsonEscapes => escaped_json(request)?,
            Self::AsJson => moved(request, "application/json", as_json)?,
            Self::AsMultipart => moved(request, &multipart_type(), |pairs| as_multipart(pairs, false))?,
            Self::AsFiles => moved(request, &multipart_type(), |pairs| as_multipart(pairs, true))?,
            Self::AsXml => moved(request, "text/xml", as_xml)?,
            Self::AsQuery => as_query(request)?,
            Self::AsCookies => as_cookies(request)?,
            Self::AsFields => as_fields(request)?,
            Self::Swapped => swapped(request)?,
            _ => self.in_place(request)?,
        };
        (mutated != *request).then_some(mutated)
    }

    /// Changes each value where it stands.
    fn in_place(self, request: &Request) -> Option<Request> {
        let mut out = request.clone();
        if let Some(query) = request.query() {
            let query = self.pairs(query);
            out.uri = [request.path(), b"?", &query].concat();
        }
        if is_form(request) && !request.body.is_empty() {
            out.body = self.pairs(&request.body);
        } else if let Some(mut json) = json_of(request) {
            self.json(&mut json);
            out.body = serde_json::to_vec(&json).ok()?;
        }
        for (name, value) in &mut out.headers {
            let is_kept = KEPT_FIELDS.iter().any(|kept| name.eq_ignore_ascii_case(kept.as_bytes()));
            if !is_kept {
                *value = self.field(value);
            }
        }
        if !request.body.is_empty() {
            let length = out.body.len().to_string();
            set(&mut out.headers, b"Content-Length", length.as_bytes());
        }
        Some(out)
    }

    /// The pairs of a query or form, each value changed and encoded again as far as the mutation does not do that.
    fn pairs(self, text: &[u8]) -> Vec<u8> {
        let pairs = text.split(|&byte| byte == b'&').map(|pair| {
            let (name, value) = match memchr(b'=', pair) {
                Some(at) => pair.split_at(at + 1),
                None => (&b""[..], pair),
            };
            let value = decoded(value);
            let value = match self {
                Self::UrlEncoded => escaped(&value, |_| true, |byte| format!("%{byte:02x}")),
                Self::PercentU => escaped(&value, is_special, |byte| format!("%u00{byte:02x}")),
                Self::Plus => escaped(&value, is_special, |byte| match byte {
                    b' ' => "+".to_owned(),
                    _ => format!("%{byte:02X}"),
                }),
                _ => encoded(&self.value(&value)),
            };
            [name, &value].concat()
        });
        pairs.collect::<Vec<_>>().join(&b'&')
    }

    /// A header field cannot hold line ends and NUL, so it stays where it would get them.
    fn field(self, value: &[u8]) -> Vec<u8> {
        let changed = match self {
            Self::UrlEncoded => escaped(value, |_| true, |byte| format!("%{byte:02x}")),
            Self::PercentU => escaped(value, is_special, |byte| format!("%u00{byte:02x}")),
            _ => self.value(value),
        };
        if changed.iter().any(|byte| matches!(byte, b'\r' | b'\n' | 0)) { value.to_vec() } else { changed }
    }

    fn json(self, value: &mut Value) {
        match value {
            Value::String(text) => {
                if let Ok(changed) = String::from_utf8(self.value(text.as_bytes())) {
                    *text = changed;
                }
            }
            Value::Array(items) => items.iter_mut().for_each(|item| self.json(item)),
            Value::Object(members) => members.values_mut().for_each(|member| self.json(member)),
            _ => {}
        }
    }

    /// One value, decoded, changed.
    fn value(self, value: &[u8]) -> Vec<u8> {
        let spaces = |by: &str| escaped(value, |byte| byte == b' ', |_| by.to_owned());
        let slashes = |by: &str| escaped(value, |byte| byte == b'/', |_| by.to_owned());
        let letters = |written: fn(u8) -> String| escaped(value, |byte| byte.is_ascii_alphabetic(), written);
        let special = |written: fn(u8) -> String| escaped(value, is_special, written);
        match self {
            Self::UrlEncodedTwice => special(|byte| format!("%{byte:02x}")),
            Self::HtmlEntities => special(|byte| format!("&#x{byte:02x};")),
            Self::HexEscapes => special(|byte| format!("\\x{byte:02x}")),
            Self::UnicodeEscapes => letters(|byte| format!("\\u00{byte:02x}")),
            Self::CssEscapes => letters(|byte| format!("\\{byte:02x} ")),
            Self::FullWidth => escaped(value, |byte| byte.is_ascii_alphanumeric(), full_width),
            Self::Base64 => data_encoding::BASE64.encode(value).into_bytes(),
            Self::Lower => value.to_ascii_lowercase(),
            Self::Upper => value.to_ascii_uppercase(),
            Self::Alternating => alternating(value),
            Self::SqlComments => spaces("/**/"),
            Self::LineEnds => spaces("\n"),
            Self::Tabs => spaces("\t "),
            Self::Nul => with_nul(value, 1),
            Self::NulAtEnd => with_nul(value, value.len()),
            Self::ShellQuotes => shell_quoted(value),
            Self::Carets => letters(|byte| format!("^{}", char::from(byte))),
            Self::SelfReference => slashes("/./"),
            Self::Backslashes => slashes("\\"),
            _ => value.to_vec(),
        }
    }
}

/// The request under each mutation that changes it.
pub fn mutations(request: &Request) -> impl Iterator<Item = (Mutation, Request)> + '_ {
    Mutation::ALL.into_iter().filter_map(|mutation| Some((mutation, mutation.of(request)?)))
}

fn memchr(needle: u8, text: &[u8]) -> Option<usize> {
    text.iter().position(|&byte| byte == needle)
}

fn is_special(byte: u8) -> bool {
    !byte.is_ascii_alphanumeric()
}

fn escaped(value: &[u8], chosen: impl Fn(u8) -> bool, written: impl Fn(u8) -> String) -> Vec<u8> {
    let mut out = Vec::with_capacity(value.len());
    for &byte in value {
        if chosen(byte) {
            out.extend_from_slice(written(byte).as_bytes());
        } else {
            out.push(byte);
        }
    }
    out
}

fn full_width(byte: u8) -> String {
    char::from_u32(u32::from(byte) + 0xfee0).map(String::from).unwrap_or_default()
}

fn alternating(value: &[u8]) -> Vec<u8> {
    let change = |(at, byte): (usize, &u8)| {
        if at % 2 == 0 { byte.to_ascii_uppercase() } else { byte.to_ascii_lowercase() }
    };
    value.iter().enumerate().map(change).collect()
}

fn with_nul(value: &[u8], at: usize) -> Vec<u8> {
    let (before, behind) = value.split_at(at.min(value.len()));
    [before, b"\0", behind].concat()
}

fn shell_quoted(value: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(value.len());
    let mut in_word = false;
    for &byte in value {
        out.push(byte);
        if byte.is_ascii_alphabetic() && !in_word {
            out.extend_from_slice(b"\"\"");
        }
        in_word = byte.is_ascii_alphabetic();
    }
    out
}

/// Undoes `%hh` and `+`; what is no escape stays.
fn decoded(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&byte, behind)) = rest.split_first() {
        let digit = |at: usize| behind.get(at).and_then(|&digit| char::from(digit).to_digit(16));
        rest = behind;
        match (byte, digit(0), digit(1)) {
            (b'%', Some(high), Some(low)) => {
                out.push(u8::try_from(high * 16 + low).unwrap_or(b'?'));
                rest = behind.get(2..).unwrap_or_default();
            }
            (b'+', _, _) => out.push(b' '),
            _ => out.push(byte),
        }
    }
    out
}

fn encoded(value: &[u8]) -> Vec<u8> {
    escaped(value, |byte| is_special(byte) && !b"-_.~".contains(&byte), |byte| format!("%{byte:02X}"))
}

fn content_type(request: &Request) -> Vec<u8> {
    request.header(b"content-type").unwrap_or_default().to_ascii_lowercase()
}

fn is_form(request: &Request) -> bool {
    content_type(request).starts_with(b"application/x-www-form-urlencoded")
}

fn json_of(request: &Request) -> Option<Value> {
    if !content_type(request).starts_with(b"application/json") {
        return None;
    }
    serde_json::from_slice(&request.body).ok()
}

type Pairs = Vec<(Vec<u8>, Vec<u8>)>;

/// The arguments of query and form, decoded.
fn arguments(request: &Request) -> Pairs {
    let form = if is_form(request) { request.body.as_slice() } else { b"" };
    let texts = [request.query().unwrap_or_default(), form];
    let pairs =
        texts.into_iter().flat_map(|text| text.split(|&byte| byte == b'&')).filter(|pair| !pair.is_empty());
    let pair = |pair: &[u8]| match memchr(b'=', pair) {
        Some(at) => {
            (decoded(pair.get(..at).unwrap_or_default()), decoded(pair.get(at + 1..).unwrap_or_default()))
        }
        None => (decoded(pair), Vec::new()),
    };
    pairs.map(pair).collect()
}

/// The request as a POST without a query, its arguments in a body of the given type.
fn moved(request: &Request, kind: &str, write: impl Fn(&Pairs) -> Option<Vec<u8>>) -> Option<Request> {
    let pairs = arguments(request);
    if pairs.is_empty() {
        return None;
    }
    let mut out = without_arguments(request);
    out.method = b"POST".to_vec();
    set(&mut out.headers, b"Content-Type", kind.as_bytes());
    Some(out.with_body(write(&pairs)?))
}

/// The request without query and form.
fn without_arguments(request: &Request) -> Request {
    let mut out = request.clone();
    out.uri = request.path().to_vec();
    if is_form(request) {
        out = out.with_body("");
    }
    out
}

fn as_json(pairs: &Pairs) -> Option<Vec<u8>> {
    let text = |bytes: &Vec<u8>| String::from_utf8(bytes.clone()).ok();
    // An array of objects, since names may come twice.
    let member = |(name, value): &(Vec<u8>, Vec<u8>)| Some(serde_json::json!({ text(name)?: text(value)? }));
    let members: Option<Vec<Value>> = pairs.iter().map(member).collect();
    serde_json::to_vec(&members?).ok()
}

fn multipart_type() -> String {
    format!("multipart/form-data; boundary={BOUNDARY}")
}

/// `None` when a name cannot stand in quotes.
fn as_multipart(pairs: &Pairs, files: bool) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    for (name, value) in pairs {
        if name.iter().any(|byte| matches!(byte, b'"' | b'\\' | b'\r' | b'\n' | 0)) {
            return None;
        }
        out.extend_from_slice(format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"").as_bytes());
        out.extend_from_slice(name);
        out.extend_from_slice(if files {
            b"\"; filename=\"a.txt\"\r\nContent-Type: text/plain"
        } else {
            b"\""
        });
        out.extend_from_slice(b"\r\n\r\n");
        out.extend_from_slice(value);
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(format!("--{BOUNDARY}--\r\n").as_bytes());
    Some(out)
}

/// `None` when a value cannot stand in XML.
fn as_xml(pairs: &Pairs) -> Option<Vec<u8>> {
    let mut out = String::from("<?xml version=\"1.0\"?><request>");
    for (name, value) in pairs {
        for (tag, text) in [("name", name), ("value", value)] {
            let text = std::str::from_utf8(text).ok()?;
            if text.chars().any(|sign| sign.is_control() && !matches!(sign, '\t' | '\n' | '\r')) {
                return None;
            }
            let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
            out.push_str(&format!("<{tag}>{text}</{tag}>"));
        }
    }
    out.push_str("</request>");
    Some(out.into_bytes())
}

fn as_query(request: &Request) -> Option<Request> {
    if !is_form(request) || request.body.is_empty() {
        return None;
    }
    let pairs = arguments(request);
    let written =
        pairs.iter().map(|(name, value)| [encoded(name).as_slice(), b"=", &encoded(value)].concat());
    let query = written.collect::<Vec<_>>().join(&b'&');
    let mut out = without_arguments(request);
    out.headers.retain(|(name, _)| !name.eq_ignore_ascii_case(b"content-type"));
    out.uri = [request.path(), b"?", &query].concat();
    Some(out)
}

fn as_cookies(request: &Request) -> Option<Request> {
    let pairs = arguments(request);
    let can_stand = |text: &[u8]| !text.iter().any(|byte| byte.is_ascii_control() || matches!(byte, b';'));
    let is_name = |name: &[u8]| !name.is_empty() && can_stand(name) && !name.contains(&b'=');
    let written: Vec<Vec<u8>> = pairs
        .iter()
        .filter(|(name, value)| is_name(name) && can_stand(value))
        .map(|(name, value)| [name.as_slice(), b"=", value].concat())
        .collect();
    if written.is_empty() {
        return None;
    }
    let mut out = without_arguments(request);
    set(&mut out.headers, b"Cookie", &written.join(b"; ".as_slice()));
    Some(out)
}

fn as_fields(request: &Request) -> Option<Request> {
    let pairs = arguments(request);
    let can_stand = |value: &[u8]| !value.is_empty() && !value.iter().any(u8::is_ascii_control);
    let values: Vec<&Vec<u8>> =
        pairs.iter().map(|(_, value)| value).filter(|value| can_stand(value)).collect();
    if values.is_empty() {
        return None;
    }
    let mut out = without_arguments(request);
    for (name, value) in
        ["Referer", "User-Agent", "X-Forwarded-For", "X-Note"].iter().zip(values.iter().cycle())
    {
        set(&mut out.headers, name.as_bytes(), value);
    }
    Some(out)
}

fn swapped(request: &Request) -> Option<Request> {
    let swap = |text: &[u8]| -> Vec<u8> {
        let pairs = text.split(|&byte| byte == b'&').map(|pair| match memchr(b'=', pair) {
            Some(at) => {
                let (name, value) = pair.split_at(at);
                [value.get(1..).unwrap_or_default(), b"=", name].concat()
            }
            None => pair.to_vec(),
        });
        pairs.collect::<Vec<_>>().join(&b'&')
    };
    let mut out = request.clone();
    if let Some(query) = request.query() {
        out.uri = [request.path(), b"?", &swap(query)].concat();
    }
    if is_form(request) {
        out.body = swap(&request.body);
    }
    Some(out)
}

/// The texts and names of a JSON body with each letter and digit as `\u00hh`. The body need not be JSON: between
/// quotes, what is no escape already is written anew.
fn escaped_json(request: &Request) -> Option<Request> {
    if !content_type(request).starts_with(b"application/json") || request.body.is_empty() {
        return None;
    }
    let mut out = Vec::with_capacity(request.body.len() * 3);
    let (mut in_text, mut skip) = (false, 0_u32);
    for &byte in &request.body {
        match byte {
            _ if skip > 0 => {
                skip -= 1;
                // `\u` is followed by four digits which stay.
                skip += if skip == 0 && byte == b'u' { 4 } else { 0 };
                out.push(byte);
            }
            b'"' => {
                in_text = !in_text;
                out.push(byte);
            }
            b'\\' if in_text => {
                skip = 1;
                out.push(byte);
            }
            _ if in_text && byte.is_ascii_alphanumeric() => {
                out.extend_from_slice(format!("\\u00{byte:02x}").as_bytes())
            }
            _ => out.push(byte),
        }
    }
    Some(request.clone().with_body(out))
}

#[cfg(test)]
mod tests;
