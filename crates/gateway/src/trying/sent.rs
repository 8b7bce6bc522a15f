//! What a request carries: the fields of its query and of its body, as a rule on the way in would name them.

use super::Exchange;
use super::guess::{self, Confidence, Guess, Holds};
use super::shape;
use crate::media::Media;
use crate::{inward, json};
use bytes::Bytes;
use std::task::{Context, Poll, Waker};

/// Most fields of a request that are looked at.
const FIELDS: usize = 500;

/// One field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sent {
    /// As a rule names it: `form:name`, `json:/name`, `query:name`.
    pub(crate) source: String,
    pub(crate) name: String,
    pub(crate) value: String,
    pub(crate) guess: Option<Guess>,
    /// Why no rule can take it, where none can.
    pub(crate) hindrance: Option<&'static str>,
}

/// What a request carries.
#[derive(Debug, Default)]
pub(crate) struct Request {
    pub(crate) fields: Vec<Sent>,
    /// How many passwords: one is typed to sign in, two are typed to register.
    pub(crate) passwords: usize,
    pub(crate) has_files: bool,
    /// The body's type, where no rule can look into it.
    pub(crate) unreadable: Option<String>,
}

/// Whether a name is that of a secret, and no person's.
pub(crate) fn is_password(name: &str) -> bool {
    let lower = name.to_lowercase();
    ["password", "passwort", "kennwort", "passwd", "pwd", "passphrase"]
        .iter()
        .any(|word| lower.contains(word))
}

fn is_secret(name: &str) -> bool {
    let lower = name.to_lowercase();
    is_password(name)
        || ["csrf", "xsrf", "authenticity", "nonce", "captcha", "requestverification"]
            .iter()
            .any(|word| lower.contains(word))
        || lower.ends_with("token")
        || matches!(lower.as_str(), "next" | "submit" | "_method" | "utf8" | "redirect" | "action" | "code")
}

/// What a value looks like, where all of it has a form.
pub(crate) fn by_value(value: &str) -> Option<Guess> {
    let trimmed = value.trim();
    let seen = shape::look(trimmed, 2);
    let [only] = seen.as_slice() else { return None };
    let whole = only.range == (0..trimmed.len());
    whole.then(|| Guess {
        holds: only.holds,
        confidence: if only.holds == Holds::Phone { Confidence::Medium } else { Confidence::High },
        reason: "its value has the form".to_owned(),
    })
}

/// The better of two guesses: a value's form beats a name that is unsure.
pub(crate) fn better(name: Option<Guess>, value: Option<Guess>) -> Option<Guess> {
    match (name, value) {
        (Some(name), Some(value)) if value.confidence > name.confidence && value.holds != Holds::Phone => {
            Some(value)
        }
        (Some(name), _) => Some(name),
        (None, value) => value,
    }
}

fn sent(kind: &str, name: &str, value: String, hindrance: Option<&'static str>) -> Sent {
    let last =
        name.rsplit('/').find(|part| !part.is_empty() && !part.bytes().all(|byte| byte.is_ascii_digit()));
    let by_name = guess::by_words(last.unwrap_or(name), "its name");
    Sent {
        source: format!("{kind}:{name}"),
        name: name.to_owned(),
        guess: better(by_name, by_value(&value)),
        value,
        hindrance,
    }
}

/// Takes a request apart.
pub(crate) fn read(exchange: &Exchange) -> Request {
    let mut request = Request::default();
    let mut pairs: Vec<(&str, String, String)> = Vec::new();
    let query = exchange.query.as_deref().unwrap_or_default();
    for (name, value) in form_urlencoded::parse(query.as_bytes()).take(FIELDS) {
        pairs.push(("query", name.into_owned(), value.into_owned()));
    }
    let essence = exchange.sent_kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    match essence.as_str() {
        "application/x-www-form-urlencoded" => {
            for (name, value) in form_urlencoded::parse(&exchange.sent).take(FIELDS) {
                pairs.push(("form", name.into_owned(), value.into_owned()));
            }
        }
        "multipart/form-data" => {
            let body = Bytes::copy_from_slice(&exchange.sent);
            let media = Media::parse(&exchange.sent_kind);
            match media.and_then(|media| at_once(inward::parts(&media, body))) {
                Some(Ok(parts)) => {
                    for part in parts.into_iter().take(FIELDS) {
                        request.has_files |= part.is_file;
                        if let Some(text) = part.text() {
                            pairs.push(("form", part.name.clone(), text.to_owned()));
                        }
                    }
                }
                _ => request.unreadable = Some(essence),
            }
        }
        kind if kind == "application/json" || kind.ends_with("+json") => {
            if !members(&exchange.sent, &mut request) {
                request.unreadable = Some(essence);
            }
        }
        _ if exchange.sent.is_empty() => {}
        _ => request.unreadable = Some(essence),
    }
    for (number, (kind, name, value)) in pairs.iter().enumerate() {
        request.passwords +=
            usize::from(*kind != "query" && is_password(name) && !name.starts_with("usable_"));
        let first = pairs[..number].iter().all(|(one, other, _)| (one, other) != (kind, name));
        if !is_secret(name) && first && !name.is_empty() {
            let twice = pairs[number + 1..].iter().any(|(one, other, _)| (one, other) == (kind, name));
            let hindrance = twice.then_some("it is sent more than once, and a rule takes a field once");
            request.fields.push(sent(kind, name, value.clone(), hindrance));
        }
    }
    request
}

/// Adds the members of a JSON body; whether it is one.
fn members(body: &[u8], request: &mut Request) -> bool {
    let mut left = FIELDS;
    let walked = json::texts(body, |way, range| {
        if left == 0 {
            return;
        }
        left -= 1;
        let (pointer, value) = (way.pointer(), json::decoded(body, &range).unwrap_or_default());
        let is_number = |part: &str| !part.is_empty() && part.bytes().all(|one| one.is_ascii_digit());
        let listed = pointer.split('/').any(is_number);
        let hindrance = listed.then_some("it stands in a list, which no rule can name");
        request.passwords += usize::from(is_password(&pointer));
        if !pointer.is_empty() && !is_secret(pointer.rsplit('/').next().unwrap_or_default()) {
            request.fields.push(sent("json", &pointer, value, hindrance));
        }
    });
    walked.is_ok()
}

/// The result of a future that has nothing to wait for.
fn at_once<F: Future>(future: F) -> Option<F::Output> {
    let future = std::pin::pin!(future);
    match future.poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => Some(output),
        Poll::Pending => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn request(kind: &str, query: Option<&str>, body: &str) -> Request {
        read(&Exchange {
            method: "POST".to_owned(),
            path: "/".to_owned(),
            query: query.map(str::to_owned),
            sent_kind: kind.to_owned(),
            sent: body.as_bytes().to_vec(),
            ..Exchange::default()
        })
    }

    fn found(request: &Request) -> Vec<(&str, Option<Holds>)> {
        request
            .fields
            .iter()
            .map(|one| (one.source.as_str(), one.guess.as_ref().map(|guess| guess.holds)))
            .collect()
    }

    #[test]
    fn each_kind_of_body_is_read() {
        let form = request(
            "application/x-www-form-urlencoded; charset=utf-8",
            Some("q=jana%40werk.example&page=2"),
            "csrf_token=x&vorname=Jana&password=geheim&kind=a&kind=b",
        );
        assert_eq!(
            found(&form),
            [
                ("query:q", Some(Holds::Email)),
                ("query:page", None),
                ("form:vorname", Some(Holds::FirstName)),
                ("form:kind", None)
            ]
        );
        assert!(form.passwords == 1 && form.fields[3].hindrance.is_some());
        let json = request(
            "application/json",
            None,
            r#"{"contact":{"phone":"+4930123456"},"all":[{"email":"a@b.example"}],"n":1}"#,
        );
        assert_eq!(
            found(&json),
            [("json:/contact/phone", Some(Holds::Phone)), ("json:/all/0/email", Some(Holds::Email))]
        );
        assert!(json.fields[1].hindrance.is_some());
        let body = "--b\r\nContent-Disposition: form-data; name=\"iban\"\r\n\r\nDE89370400440532013000\r\n--b\r\n\
            Content-Disposition: form-data; name=\"f\"; filename=\"a\"\r\n\r\nx\r\n--b--\r\n";
        let parts = request("multipart/form-data; boundary=b", None, body);
        assert_eq!((found(&parts), parts.has_files), (vec![("form:iban", Some(Holds::Iban))], true));
        assert_eq!(request("text/xml", None, "<a/>").unreadable.as_deref(), Some("text/xml"));
        assert_eq!(request("application/json", None, "{").unreadable.as_deref(), Some("application/json"));
    }

    proptest! {
        #[test]
        fn no_body_panics(kind in 0_usize..4, body in ".{0,200}", query in ".{0,60}") {
            let kinds = ["application/x-www-form-urlencoded", "application/json", "multipart/form-data; boundary=b", ""];
            let _ = request(kinds[kind], Some(&query), &body);
        }
    }
}
