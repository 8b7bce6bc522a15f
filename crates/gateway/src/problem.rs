//! Answers of our own: problem documents (RFC 9457) for programs, a plain page for browsers. Each has a stable code.
//!
//! To add one: a line in the table here, which alone can make them, and a row in the section "Gateway" of
//! `docs/errors.md`. A test compares the two. Those of the shield speak German, too, and have their texts in `locales`.

use crate::language::Language;
use crate::upstream::Body;
use bytes::Bytes;
use http::header::{self, HeaderMap, HeaderValue};
use http::{Response, StatusCode};
use http_body_util::{BodyExt, Full};

/// An answer that the gateway gives itself. The table below makes all that there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    status: StatusCode,
    code: &'static str,
    /// A sentence for people, with the way out.
    detail: &'static str,
}

macro_rules! problems {
    ($($name:ident: $status:ident, $code:literal, $detail:expr;)*) => {
        $(pub(crate) const $name: Problem =
            Problem { status: StatusCode::$status, code: $code, detail: $detail };)*

        #[cfg(test)]
        const ALL: &[Problem] = &[$($name),*];
    };
}

const MALFORMED: &str = "The request is not well formed, or could be read in two ways.";
const UNREADABLE: &str = "The request cannot be read as this form is meant. Nothing was changed.";

problems! {
    BAD_LINE_END: BAD_REQUEST, "bad_line_end", MALFORMED;
    BAD_REQUEST_LINE: BAD_REQUEST, "bad_request_line", MALFORMED;
    BAD_HEADER_LINE: BAD_REQUEST, "bad_header_line", MALFORMED;
    HEAD_TOO_LARGE: BAD_REQUEST, "head_too_large", MALFORMED;
    BAD_HOST: BAD_REQUEST, "bad_host", MALFORMED;
    BAD_CONTENT_LENGTH: BAD_REQUEST, "bad_content_length", MALFORMED;
    BAD_TRANSFER_ENCODING: BAD_REQUEST, "bad_transfer_encoding", MALFORMED;
    BAD_METHOD: BAD_REQUEST, "bad_method",
        "The method of the request is none of capital letters alone. Nothing was changed.";
    OUR_HOST: BAD_REQUEST, "bad_request", MALFORMED;
    NO_HOST: BAD_REQUEST, "bad_host", "The request names no host, or two.";
    WRONG_HOST: MISDIRECTED_REQUEST, "unknown_host", "This application does not live under this name.";
    AMBIGUOUS_PATH: BAD_REQUEST, "ambiguous_path", "The address could be read in two ways.";
    NO_UPGRADE: BAD_REQUEST, "upgrade_refused", "Changing to another protocol is not allowed on this route.";

    TARGET_TOO_LONG: URI_TOO_LONG, "target_too_long",
        "The address with its query is longer than can be passed on. Nothing was changed.";
    BUSY: SERVICE_UNAVAILABLE, "gateway_busy",
        "Too many requests are under way. Nothing was changed. Try again in a moment.";
    FULL: SERVICE_UNAVAILABLE, "gateway_full",
        "There is no room for the request at present. Nothing was changed. Try again in a moment.";

    TOKEN_FROM_CLIENT: BAD_REQUEST, "token_from_client",
        "The request holds a storage token. These exist between gateway and application alone. Nothing was changed.";
    TOO_LARGE: PAYLOAD_TOO_LARGE, "body_too_large",
        "The request is larger than allowed here. Nothing was changed.";
    SLOW: REQUEST_TIMEOUT, "body_timeout", "The request came too slowly. Nothing was changed.";
    BROKEN: BAD_REQUEST, "body_broken", "The request broke off. Nothing was changed.";
    BODY_MALFORMED: BAD_REQUEST, "body_malformed", UNREADABLE;
    BODY_TYPE: UNSUPPORTED_MEDIA_TYPE, "body_type",
        "A request of this type is not taken here: nobody could look into it. Nothing was changed.";
    BODY_CHARSET: UNSUPPORTED_MEDIA_TYPE, "body_charset",
        "The request is written in another charset than UTF-8. Send it in UTF-8. Nothing was changed.";
    FIELD_NAME: BAD_REQUEST, "field_name",
        "The name of a field holds a character that programs read differently. Nothing was changed.";
    FIELD_AMBIGUOUS: BAD_REQUEST, "field_ambiguous", UNREADABLE;
    TOO_MANY_FIELDS: PAYLOAD_TOO_LARGE, "too_many_fields",
        "The request has more fields than anybody looks through. Nothing was changed.";
    NO_UPLOAD: UNSUPPORTED_MEDIA_TYPE, "upload_refused",
        "Files are not taken here: nobody could look into them. Nothing was changed.";

    NOBODY: UNAUTHORIZED, "nobody_signed_in",
        "Nobody is signed in, or no longer. Sign in and send the form again. Nothing was changed.";
    PERSON_MISSING: BAD_REQUEST, "person_missing",
        "The request does not say whose data these are. Nothing was changed.";
    VALUE_REFUSED: UNPROCESSABLE_ENTITY, "value_refused",
        "A field holds something that it cannot keep, such as an e-mail address without a domain. Go back and correct it.";
    FORM_STALE: CONFLICT, "form_stale",
        "This form is too old or was opened by somebody else. Load it anew. Nothing was changed.";
    NOT_WRITABLE: FORBIDDEN, "not_writable", "These data cannot be written here. Nothing was changed.";
    TOO_MANY_SUBMISSIONS: TOO_MANY_REQUESTS, "too_many_submissions",
        "Too many submissions wait for the application. Nothing was changed. Try again later.";
    CHANGED_MEANWHILE: CONFLICT, "changed_meanwhile",
        "Somebody else changed the same data at this moment. Look at them and send the form again.";
    NOT_COMMITTED: BAD_GATEWAY, "not_committed",
        "The application took the request, and the personal data in it could not be kept. Send the form again.";
    SEALED: SERVICE_UNAVAILABLE, "sealed",
        "The house that keeps personal data is sealed. Nothing was changed. Try again when it is open.";
    UNAVAILABLE: SERVICE_UNAVAILABLE, "vault_unavailable",
        "Personal data cannot be kept at present. Nothing was changed. Try again in a minute.";

    REQUEST_REFUSED: FORBIDDEN, "request_refused",
        "The request looks like an attack and was not passed on. If it is none, tell the operator its reference.";
    TOO_LARGE_TO_INSPECT: PAYLOAD_TOO_LARGE, "too_large_to_inspect",
        "The request is larger than can be inspected here, and was not passed on.";
    TOO_MUCH_TO_INSPECT: BAD_REQUEST, "too_much_to_inspect",
        "The request has more fields, parts or levels than are inspected here, and was not passed on.";
    BODY_ENCODED: UNSUPPORTED_MEDIA_TYPE, "body_encoded",
        "The body of the request is encoded in a way that cannot be inspected, and was not passed on. Send it as it is.";
    ANSWER_REFUSED: BAD_GATEWAY, "answer_refused",
        "The application's answer held something that must not leave it. If you sent something, look whether it was carried out before you send it again.";
    SHIELD_UNAVAILABLE: SERVICE_UNAVAILABLE, "shield_unavailable",
        "It could not be inspected at present, and what is not inspected does not pass. Try again in a moment.";

    APP_UNREACHABLE: BAD_GATEWAY, "app_unreachable",
        "The application cannot be reached. It has seen nothing of the request. Try again in a minute.";
    APP_BUSY: SERVICE_UNAVAILABLE, "app_busy",
        "The application has as many requests as it may have at one time. It has seen nothing of this one. Try again in a moment.";
    APP_BROKE_OFF: BAD_GATEWAY, "app_broke_off",
        "The application broke off. Look whether the request was carried out before you send it again.";
    APP_TIMEOUT: GATEWAY_TIMEOUT, "app_timeout",
        "The application took too long. Look whether the request was carried out before you send it again.";
    ANSWER_FULL: SERVICE_UNAVAILABLE, "answer_full",
        "There is no room for the application's answer at present. If you sent something, look whether it was carried out before you send it again.";
    APP_ENCODING: BAD_GATEWAY, "app_encoding",
        "The application's answer is encoded in a way that cannot be read, or is too large when it is decoded.";
    APP_CHARSET: BAD_GATEWAY, "app_charset",
        "The application's answer is written in a charset that cannot be read here. It has to answer in UTF-8.";
    APP_EVENTS: BAD_GATEWAY, "app_events",
        "The application answers with a stream of events, which is not allowed on this route.";
    APP_NOT_MODIFIED: BAD_GATEWAY, "app_not_modified",
        "The application answered that nothing changed, which nobody had asked.";
}

impl Problem {
    /// Its stable code.
    pub(crate) const fn code(self) -> &'static str {
        self.code
    }

    pub(crate) const fn status(self) -> StatusCode {
        self.status
    }

    /// The answer, as the asker can read it.
    pub(crate) fn answer(self, accept: Option<&HeaderValue>) -> Response<Body> {
        let (kind, body) = if wants_page(accept) { self.page() } else { self.document(self.status, None) };
        self.made(self.status, kind, body)
    }

    /// The answer with another status, and with a reference by which the operator finds what happened; a page is in the
    /// asker's language.
    pub(crate) fn referring(self, asked: &HeaderMap, status: StatusCode, reference: &str) -> Response<Body> {
        if !wants_page(asked.get(header::ACCEPT)) {
            let (kind, body) = self.document(status, Some(reference));
            return self.made(status, kind, body);
        }
        let language = Language::of(asked);
        let body = language.page(self.code, status, reference);
        let mut answer = self.made(status, "text/html; charset=utf-8", body);
        let headers = answer.headers_mut();
        headers.insert(header::CONTENT_LANGUAGE, HeaderValue::from_static(language.code()));
        answer
    }

    fn made(self, status: StatusCode, kind: &'static str, body: String) -> Response<Body> {
        let body = Full::new(Bytes::from(body)).map_err(|never| match never {}).boxed_unsync();
        let mut answer = Response::new(body);
        *answer.status_mut() = status;
        let headers = answer.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
        headers.insert(
            header::CONTENT_SECURITY_POLICY,
            HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'"),
        );
        if status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("10"));
        }
        crate::headers::harden(headers);
        answer
    }

    fn document(self, status: StatusCode, reference: Option<&str>) -> (&'static str, String) {
        let mut document = serde_json::json!({
            "type": format!("urn:obhut:error:{}", self.code),
            "title": status.canonical_reason().unwrap_or("Error"),
            "status": status.as_u16(),
            "code": self.code,
            "detail": self.detail,
        });
        if let Some(reference) = reference {
            document["reference"] = reference.into();
        }
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

fn wants_page(accept: Option<&HeaderValue>) -> bool {
    accept.and_then(|value| value.to_str().ok()).is_some_and(|accepts| accepts.contains("text/html"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    const DOCUMENT: &str = include_str!("../../../docs/errors.md");

    /// The rows of the section on the gateway: code and status. Each has four cells that say something.
    fn documented(document: &str) -> BTreeSet<(String, String)> {
        let section = document.split("\n## ").find(|part| part.starts_with("Gateway\n")).expect("a section");
        let row = |line: &str| {
            let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
            assert!(cells.len() == 4 && cells.iter().all(|cell| !cell.is_empty()), "{line}");
            (cells[0].trim_matches('`').to_owned(), cells[1].to_owned())
        };
        section.lines().filter(|line| line.starts_with("| `")).map(row).collect()
    }

    /// What only one of the two has: the code or the document.
    fn apart(document: &str) -> Vec<(String, String)> {
        let row = |problem: &Problem| (problem.code.to_owned(), problem.status.as_str().to_owned());
        let answered: BTreeSet<_> = ALL.iter().map(row).collect();
        answered.symmetric_difference(&documented(document)).cloned().collect()
    }

    #[test]
    fn the_document_lists_what_the_gateway_answers() {
        assert_eq!(apart(DOCUMENT), []);
        let changed = |from: &str, to: &str| {
            assert_eq!(DOCUMENT.matches(from).count(), 1, "{from}");
            apart(&DOCUMENT.replace(from, to))
        };
        let pair = |code: &str, status: &str| (code.to_owned(), status.to_owned());
        let missing = changed("| `upload_refused` | 415 |", "");
        assert_eq!(missing, [pair("upload_refused", "415")], "a row that is missing is noticed");
        let added = changed("| `form_stale` |", "| `invented` | 400 | x | x |\n| `form_stale` |");
        assert_eq!(added, [pair("invented", "400")], "one too many is noticed");
        let wrong = changed("| `app_timeout` | 504 |", "| `app_timeout` | 502 |");
        assert_eq!(wrong, [pair("app_timeout", "502"), pair("app_timeout", "504")], "and another status");
    }

    #[test]
    fn each_problem_of_the_shield_speaks_both_languages() {
        let of_shield = [
            REQUEST_REFUSED,
            TOO_LARGE_TO_INSPECT,
            TOO_MUCH_TO_INSPECT,
            BODY_ENCODED,
            ANSWER_REFUSED,
            SHIELD_UNAVAILABLE,
        ];
        let mut pages = BTreeSet::new();
        for (problem, language) in of_shield.iter().flat_map(|one| Language::ALL.map(|other| (one, other))) {
            let page = language.page(problem.code, problem.status, "ABCDEFGHIJ");
            assert!(page.contains("ABCDEFGHIJ") && page.contains(problem.code), "{page}");
            assert!(page.contains(&format!("lang=\"{}\"", language.code())), "{page}");
            assert!(!page.contains('{') && !page.contains("shield-"), "a text is missing: {page}");
            assert!(pages.insert(page.replace(problem.code, "")), "{} is said as another", problem.code);
        }
        let missing = Language::ALL[0].page("not_a_code", StatusCode::FORBIDDEN, "ABCDEFGHIJ");
        assert!(missing.contains("shield-not-a-code"), "a text that is missing is noticed: {missing}");
    }

    /// The tour names some of the codes, with what to do.
    #[test]
    fn the_tour_names_no_code_that_is_none() {
        let tour = include_str!("../../../docs/gateway.md");
        let (_, part) = tour.split_once("\n## When something does not work\n").expect("a section");
        let rows = part.lines().filter_map(|line| line.strip_prefix("| `")?.split('|').next());
        let named: Vec<&str> = rows.flat_map(|cell| cell.split(['`', ',', ' '])).collect();
        let codes: Vec<&&str> = named.iter().filter(|code| !code.is_empty() && **code != "bad_…").collect();
        assert!(codes.len() > 20, "the section has its table: {codes:?}");
        for code in codes {
            assert!(ALL.iter().any(|problem| problem.code == *code), "{code}");
        }
    }
}
