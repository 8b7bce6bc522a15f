//! Archives of HTTP (HAR 1.2), as browsers save them: requests and answers, read within limits.

use super::Exchange;
use serde::Deserialize;
use std::collections::BTreeMap;

/// Largest archive in bytes.
pub const ARCHIVE_BYTES: usize = 128 << 20;
/// Most entries that are looked at.
const ENTRIES: usize = 5_000;
/// Largest body that is looked at.
const BODY: usize = 4 << 20;
/// Most headers of one message.
const HEADERS: usize = 200;

/// Why an archive cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ArchiveError {
    /// Over [`ARCHIVE_BYTES`].
    #[error("larger than 128 MiB: record fewer pages")]
    Size,
    /// Not the JSON of an archive.
    #[error("no archive of HTTP (HAR): there is no log.entries, or it is no JSON")]
    Form,
    /// No entry of it can be used.
    #[error("no entry with an http or https address")]
    Empty,
}

/// What an archive holds.
#[derive(Debug, Default)]
pub struct Archive {
    /// The exchanges with the host that has most pages.
    pub exchanges: Vec<Exchange>,
    /// Its name.
    pub host: String,
    /// Other hosts that the pages asked, with how often: what goes there never passes the gateway.
    pub others: BTreeMap<String, usize>,
    /// Entries that were left out because there are too many, or because they could not be read.
    pub left_out: usize,
}

#[derive(Deserialize)]
struct File {
    log: Log,
}

#[derive(Deserialize)]
struct Log {
    entries: Vec<serde_json::Value>,
}

#[derive(Deserialize)]
struct Entry {
    request: Request,
    response: Response,
}

#[derive(Deserialize)]
struct Request {
    method: String,
    url: String,
    #[serde(default)]
    headers: Vec<Pair>,
    #[serde(rename = "postData")]
    body: Option<Sent>,
}

#[derive(Deserialize)]
struct Response {
    #[serde(default)]
    status: u16,
    #[serde(default)]
    headers: Vec<Pair>,
    #[serde(default)]
    content: Content,
    #[serde(default, rename = "redirectURL")]
    redirect: String,
}

#[derive(Deserialize)]
struct Pair {
    name: String,
    #[serde(default)]
    value: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Sent {
    #[serde(default)]
    mime_type: String,
    text: Option<String>,
    #[serde(default)]
    params: Vec<Param>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Param {
    name: String,
    #[serde(default)]
    value: String,
    file_name: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Content {
    #[serde(default)]
    mime_type: String,
    text: Option<String>,
    encoding: Option<String>,
}

/// Host and the rest of an address.
pub(crate) fn split_url(url: &str) -> Option<(&str, &str)> {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"))?;
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (host, rest) = rest.split_at(end);
    let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
    (!host.is_empty() && host.len() <= 255).then_some((host, rest))
}

/// Reads an archive.
///
/// # Errors
/// See [`ArchiveError`].
pub fn archive(bytes: &[u8]) -> Result<Archive, ArchiveError> {
    if bytes.len() > ARCHIVE_BYTES {
        return Err(ArchiveError::Size);
    }
    // Some tools begin with a mark of the byte order.
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let file: File = serde_json::from_slice(bytes).map_err(|_| ArchiveError::Form)?;
    let mut archive = Archive::default();
    let mut all: Vec<(String, bool, Exchange)> = Vec::new();
    for (number, value) in file.log.entries.into_iter().enumerate() {
        let entry = if number < ENTRIES { serde_json::from_value::<Entry>(value).ok() } else { None };
        let Some(exchange) = entry.and_then(exchange) else {
            archive.left_out += 1;
            continue;
        };
        all.push(exchange);
    }
    let mut counts: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    for (host, is_page, _) in &all {
        let count = counts.entry(host).or_default();
        count.0 += usize::from(*is_page);
        count.1 += 1;
    }
    let most = counts.iter().max_by_key(|(_, count)| **count).map(|(host, _)| (*host).to_owned());
    archive.host = most.ok_or(ArchiveError::Empty)?;
    for (host, _, exchange) in all {
        if host == archive.host {
            archive.exchanges.push(exchange);
        } else {
            *archive.others.entry(super::shape::printable(&host)).or_default() += 1;
        }
    }
    Ok(archive)
}

fn exchange(entry: Entry) -> Option<(String, bool, Exchange)> {
    let Entry { request, response } = entry;
    let (host, rest) = split_url(&request.url)?;
    let rest = rest.split('#').next().unwrap_or_default();
    let (path, query) = match rest.split_once('?') {
        Some((path, query)) => (path, Some(query.to_owned())),
        None => (rest, None),
    };
    let path = if path.is_empty() { "/" } else { path };
    let method = request.method.to_ascii_uppercase();
    if !method.bytes().all(|byte| byte.is_ascii_uppercase()) || method.is_empty() || method.len() > 20 {
        return None;
    }
    let value = |headers: &[Pair], name: &str| {
        let found = headers.iter().take(HEADERS).find(|pair| pair.name.eq_ignore_ascii_case(name));
        found.map(|pair| pair.value.clone())
    };
    let location = value(&response.headers, "location").unwrap_or(response.redirect);
    let kind = value(&response.headers, "content-type").unwrap_or_default();
    let kind = if kind.is_empty() { response.content.mime_type.clone() } else { kind };
    let (sent_kind, sent) = request.body.map(sent).unwrap_or_default();
    let is_page = kind.trim().to_ascii_lowercase().starts_with("text/html");
    let exchange = Exchange {
        path: path.to_owned(),
        query,
        sent_kind,
        sent,
        status: response.status,
        location: Some(location).filter(|location| !location.is_empty()),
        kind,
        body: content(&response.content),
        cookies: value(&request.headers, "cookie"),
        authorization: value(&request.headers, "authorization"),
        method,
    };
    Some((host.to_ascii_lowercase(), is_page, exchange))
}

/// What was sent, with its type. Some browsers keep the fields of a form and not its text.
fn sent(body: Sent) -> (String, Vec<u8>) {
    let kind = body.mime_type;
    match body.text.filter(|text| !text.is_empty() && text.len() <= BODY) {
        Some(text) => (kind, text.into_bytes()),
        None => {
            let mut out = form_urlencoded::Serializer::new(String::new());
            for param in body.params.iter().filter(|param| param.file_name.is_none()).take(2_000) {
                out.append_pair(&param.name, &param.value);
            }
            let text = out.finish();
            let kind = if text.is_empty() { kind } else { "application/x-www-form-urlencoded".to_owned() };
            (kind, text.into_bytes())
        }
    }
}

fn content(content: &Content) -> Vec<u8> {
    let text = content.text.as_deref().unwrap_or_default();
    if content.encoding.as_deref() == Some("base64") {
        return data_encoding::BASE64.decode(text.as_bytes()).unwrap_or_default();
    }
    text.as_bytes().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn entry(url: &str, rest: &str) -> String {
        format!(
            r#"{{"request":{{"method":"get","url":"{url}","headers":[]{rest}}},
            "response":{{"status":200,"headers":[{{"name":"Content-Type","value":"text/html"}}],"content":{{"text":"PHA+"
            ,"encoding":"base64"}}}}}}"#
        )
    }

    fn file(entries: &[String]) -> Vec<u8> {
        format!(r#"{{"log":{{"version":"1.2","entries":[{}]}}}}"#, entries.join(",")).into_bytes()
    }

    #[test]
    fn the_app_is_the_host_with_most_pages() {
        let body = r#","postData":{"mimeType":"multipart/form-data","params":[{"name":"a","value":"ä b"},{"name":"f","fileName":"x"}]}"#;
        let bytes = file(&[
            entry("https://user:secret@App.example:8443/a?x=1#y", body),
            entry("https://cdn.example/x.js", ""),
            entry("https://app.example:8443", ""),
            "{}".to_owned(),
            entry("ftp://app.example/", ""),
        ]);
        let archive = archive(&bytes).expect("read");
        assert_eq!((archive.host.as_str(), archive.left_out), ("app.example:8443", 2));
        assert_eq!(archive.others, BTreeMap::from([("cdn.example".to_owned(), 1)]));
        let first = &archive.exchanges[0];
        assert_eq!(
            (first.method.as_str(), first.path.as_str(), first.query.as_deref()),
            ("GET", "/a", Some("x=1"))
        );
        assert_eq!(first.sent, b"a=%C3%A4+b");
        assert_eq!(first.body, b"<p>");
        assert_eq!(archive.exchanges[1].path, "/");
    }

    #[test]
    fn what_is_no_archive_says_so() {
        for (bytes, error) in [
            (&b""[..], ArchiveError::Form),
            (b"{}", ArchiveError::Form),
            (br#"{"log":{"entries":{}}}"#, ArchiveError::Form),
            (br#"{"log":{"entries":[]}}"#, ArchiveError::Empty),
            (br#"{"log":{"entries":[1,null]}}"#, ArchiveError::Empty),
        ] {
            assert_eq!(archive(bytes).err(), Some(error));
        }
        let deep = format!("{}{}", r#"{"log":{"entries":["#, "[".repeat(100_000));
        assert_eq!(archive(deep.as_bytes()).err(), Some(ArchiveError::Form), "depth is bounded");
    }

    proptest! {
        #[test]
        fn no_bytes_panic(at in 0_usize..900, byte: u8, cut in 0_usize..900) {
            let mut bytes = file(&[entry("https://app.example/a", ""), entry("https://app.example/b?c=d", "")]);
            let length = bytes.len();
            bytes[at % length] = byte;
            let _ = archive(&bytes);
            bytes.truncate(cut);
            let _ = archive(&bytes);
        }

        #[test]
        fn no_address_panics(url in ".{0,40}") {
            let _ = split_url(&url);
            let _ = split_url(&format!("https://{url}"));
        }
    }
}
