//! What a browser or an app sends through the gateway, and what is recorded of it.
//!
//! The relay's readers of HTML, JSON, CSV, forms and parts are reached through `gateway::trying`, which puts tokens into
//! the very same functions.

use ::gateway::config::Tables;
use ::gateway::strict::{BodyFrame, check_head};
use ::gateway::trying::{self, Exchange, Report, Wish};
use ::gateway::{Setup, fold};
use model::catalogue::TokenFormat;
use model::token::StorageToken;
use std::path::Path;

fn owned(texts: &[&str]) -> Vec<Vec<u8>> {
    texts.iter().map(|text| text.as_bytes().to_vec()).collect()
}

/// The head of a request: an accepted one can be read in one way alone.
pub fn strict_head(bytes: &[u8]) -> bool {
    let Ok(frame) = check_head(bytes) else { return false };
    assert!(bytes.ends_with(b"\r\n\r\n"));
    let text = String::from_utf8_lossy(bytes).to_ascii_lowercase();
    assert_eq!(text.matches('\n').count(), text.matches("\r\n").count(), "a line ends with LF alone");
    let named = |name: &str| text.lines().filter(|line| line.starts_with(&format!("{name}:"))).count();
    assert_eq!(named("host"), 1, "no host, or two");
    let (length, coding) = (named("content-length"), named("transfer-encoding"));
    assert!(length + coding <= 1, "two frames of one body");
    assert_eq!(frame == BodyFrame::Chunked, coding == 1);
    assert!(text.lines().skip(1).all(|line| !line.starts_with([' ', '\t'])), "a folded line");
    true
}

/// Heads with each frame.
pub fn strict_head_seeds() -> Vec<Vec<u8>> {
    owned(&[
        "GET / HTTP/1.1\r\nHost: app.example\r\n\r\n",
        "POST /a?b=c HTTP/1.1\r\nHost: app.example:8443\r\nContent-Length: 12\r\nCookie: a=b\r\n\r\n",
        "PUT http://app.example/x HTTP/1.1\r\nTransfer-Encoding: chunked\r\nHost: app.example\r\n\r\n",
        "OPTIONS * HTTP/1.0\r\nhost:app.example\r\n\r\n",
    ])
}

/// Tokens in what a client sends: whatever stands before one, and behind, it is found.
pub fn client_token(bytes: &[u8]) -> bool {
    let token = StorageToken::from_bytes([0x42; 16]).format(TokenFormat::Opaque);
    let around = [bytes, b" ", token.as_bytes(), b" ", bytes].concat();
    assert!(fold::holds_token(&around), "a token was hidden by what stands around it");
    fold::holds_token(bytes)
}

/// A token, and some of its disguises.
pub fn client_token_seeds() -> Vec<Vec<u8>> {
    let token = StorageToken::from_bytes([7; 16]).format(TokenFormat::Opaque);
    let each = |with: fn(char) -> String| token.chars().map(with).collect::<String>();
    vec![
        token.clone().into_bytes(),
        token.replace('_', "%255f").into_bytes(),
        each(|char| format!("&#{};", char as u32)).into_bytes(),
        each(|char| format!("\\u{:04x}", char as u32)).into_bytes(),
        each(|char| format!("{char}\u{200b}")).into_bytes(),
    ]
}

/// What every report keeps: its proposal is a configuration.
fn is_sound(report: &Report) -> bool {
    let tables: Result<Tables, _> = toml::from_str(&report.proposal);
    let Ok(tables) = tables else { panic!("the proposal is no TOML") };
    if let Err(error) = Setup::build(&tables, Path::new("."), None) {
        panic!("the proposal is not taken: {error}");
    }
    assert!(!report.text().chars().any(|char| char.is_control() && char != '\n'), "a report of plain lines");
    report.routes.iter().any(|route| !route.places.is_empty() || !route.fields.is_empty())
}

const KINDS: [&str; 3] = ["text/html; charset=utf-8", "application/json", "text/csv"];

/// An answer, its type in the first byte.
pub fn answer(bytes: &[u8]) -> bool {
    let Some((kind, body)) = bytes.split_first() else { return false };
    let Some(kind) = KINDS.get(usize::from(*kind)) else { return false };
    let page = Exchange::page("/workers/7/edit", body.to_vec());
    let exchange = Exchange { kind: (*kind).to_owned(), ..page };
    is_sound(&trying::look(&[exchange], &Wish { purpose: "service", ..Wish::default() }))
}

/// An answer of each type.
pub fn answer_seeds() -> Vec<Vec<u8>> {
    owned(&[
        "\u{0}<!doctype html><title>x</title><table><tr><th>E-Mail<tr><td>jana@werk.example</table><form method=post \
         action=save><input name=vorname value='Jana'><textarea name=note>x</textarea></form><script>1</script><!-- c -->",
        "\u{1}{\"list\":[{\"email\":\"jana@werk.example\",\"n\":1.50}],\"a\":\"\\u00e4\"}",
        "\u{2}nr;e-mail\r\n1;jana@werk.example\r\n2;\"x;y\"\r\n",
    ])
}

const BODIES: [&str; 3] =
    ["application/x-www-form-urlencoded", "application/json", "multipart/form-data; boundary=b"];

/// A request's body, its type in the first byte.
pub fn request_body(bytes: &[u8]) -> bool {
    let Some((kind, sent)) = bytes.split_first() else { return false };
    let Some(kind) = BODIES.get(usize::from(*kind)) else { return false };
    let exchange = Exchange {
        method: "POST".to_owned(),
        path: "/workers".to_owned(),
        sent_kind: (*kind).to_owned(),
        sent: sent.to_vec(),
        status: 303,
        location: Some("/workers/7".to_owned()),
        ..Exchange::default()
    };
    is_sound(&trying::look(&[exchange], &Wish { purpose: "service", ..Wish::default() }))
}

/// A body of each type.
pub fn request_body_seeds() -> Vec<Vec<u8>> {
    owned(&[
        "\u{0}vorname=J%C3%B6rg&e_mail=joerg%40werk.example&x=",
        "\u{1}{\"contact\":{\"phone\":\"+4930123456\"},\"all\":[{\"iban\":\"x\"}]}",
        "\u{2}--b\r\nContent-Disposition: form-data; name=\"nachname\"\r\n\r\nMuster\r\n--b\r\nContent-Disposition: \
         form-data; name=\"f\"; filename=\"a\"\r\n\r\nx\r\n--b--\r\n",
    ])
}

/// An archive of requests.
pub fn har(bytes: &[u8]) -> bool {
    let Ok(archive) = trying::archive(bytes) else { return false };
    assert!(!archive.exchanges.is_empty(), "an archive of nothing");
    let wish = Wish { purpose: "service", host: Some(&archive.host), ..Wish::default() };
    let _ = is_sound(&trying::look(&archive.exchanges, &wish));
    true
}

/// A small archive.
pub fn har_seeds() -> Vec<Vec<u8>> {
    owned(&[
        r#"{"log":{"entries":[{"request":{"method":"POST","url":"https://app.example/workers?x=1","headers":[
        {"name":"Cookie","value":"a=b"}],"postData":{"mimeType":"application/x-www-form-urlencoded","text":"email=a%40b.example"}},
        "response":{"status":303,"headers":[{"name":"Location","value":"/workers/7"}],"content":{}}},
        {"request":{"method":"GET","url":"https://app.example/workers/7"},"response":{"status":200,"content":
        {"mimeType":"text/html","text":"PHA+YUBiLmV4YW1wbGU8L3A+","encoding":"base64"}}}]}}"#,
    ])
}
