use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

fn get(query: &str) -> Request {
    Request::new("GET", &format!("/a?{query}")).with_header("Host", "localhost")
}

fn form(body: &str) -> Request {
    Request::new("POST", "/a")
        .with_header("Content-Type", "application/x-www-form-urlencoded")
        .with_body(body)
}

fn json(body: &str) -> Request {
    Request::new("POST", "/a").with_header("Content-Type", "application/json").with_body(body)
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("text")
}

#[test]
fn the_list_names_each_mutation_once() {
    let all: BTreeSet<Mutation> = Mutation::ALL.into_iter().collect();
    assert_eq!(all.len(), Mutation::ALL.len());
}

#[test]
fn known_answers_in_a_query() {
    use Mutation as M;
    let known = [
        (M::UrlEncoded, "a=%31%20%27%78"),
        (M::UrlEncodedTwice, "a=1%2520%2527x"),
        (M::PercentU, "a=1%u0020%u0027x"),
        (M::HtmlEntities, "a=1%26%23x20%3B%26%23x27%3Bx"),
        (M::HexEscapes, "a=1%5Cx20%5Cx27x"),
        (M::UnicodeEscapes, "a=1%20%27%5Cu0078"),
        (M::CssEscapes, "a=1%20%27%5C78%20"),
        (M::FullWidth, "a=%EF%BC%91%20%27%EF%BD%98"),
        (M::Base64, "a=MSAneA%3D%3D"),
        (M::Upper, "a=1%20%27X"),
        (M::SqlComments, "a=1%2F%2A%2A%2F%27x"),
        (M::Plus, "a=1+%27x"),
        (M::LineEnds, "a=1%0A%27x"),
        (M::Tabs, "a=1%09%20%27x"),
        (M::Nul, "a=1%00%20%27x"),
        (M::NulAtEnd, "a=1%20%27x%00"),
        (M::ShellQuotes, "a=1%20%27x%22%22"),
        (M::Carets, "a=1%20%27%5Ex"),
        (M::Swapped, "1%20'x=a"),
    ];
    for (mutation, expected) in known {
        let mutated = mutation.of(&get("a=1%20'x")).expect("changed");
        assert_eq!(text(mutated.query().expect("a query")), expected, "{mutation:?}");
    }
}

#[test]
fn paths_and_cases() {
    let query = |mutation: Mutation| {
        let mutated = mutation.of(&get("f=/eTc/b")).expect("changed");
        text(&decoded(mutated.query().expect("a query"))).to_owned()
    };
    assert_eq!(query(Mutation::SelfReference), "f=/./eTc/./b");
    assert_eq!(query(Mutation::Backslashes), "f=\\eTc\\b");
    assert_eq!(query(Mutation::Lower), "f=/etc/b");
    assert_eq!(alternating(b"/eTcPASSWD"), b"/eTcPaSsWd");
}

#[test]
fn what_does_not_change_is_left_out() {
    assert_eq!(Mutation::Lower.of(&get("a=%20x")), None);
    assert_eq!(Mutation::AsQuery.of(&get("a=1")), None);
    assert_eq!(Mutation::JsonEscapes.of(&form("a=1")), None);
    assert_eq!(Mutation::AsJson.of(&Request::new("GET", "/")), None);
}

#[test]
fn a_form_and_its_length_change_together() {
    let mutated = Mutation::Base64.of(&form("a=1&b")).expect("changed");
    assert_eq!(text(&mutated.body), "a=MQ%3D%3D&Yg%3D%3D");
    assert_eq!(mutated.header(b"content-length"), Some(b"19".as_slice()));
}

#[test]
fn json_texts_change_and_stay_json() {
    let mutated = Mutation::Upper.of(&json(r#"{"a":["x",1,{"b":"y"}]}"#)).expect("changed");
    assert_eq!(text(&mutated.body), r#"{"a":["X",1,{"b":"Y"}]}"#);
    let original = r#"{"a b":"x\"\\y\n","u":"\u0041z","n":12}"#;
    let mutated = Mutation::JsonEscapes.of(&json(original)).expect("changed");
    assert!(text(&mutated.body).contains(r#""\u0075":"\u0041\u007a""#), "{}", text(&mutated.body));
    let (one, two): (Value, Value) =
        (serde_json::from_str(original).expect("JSON"), serde_json::from_slice(&mutated.body).expect("JSON"));
    assert_eq!(one, two);
}

#[test]
fn fields_that_carry_the_request_stay() {
    let request = get("a=1").with_header("User-Agent", "Abc d").with_header("Accept", "Text/*");
    let mutated = Mutation::Upper.of(&request).expect("changed");
    assert_eq!(mutated.header(b"user-agent"), Some(b"ABC D".as_slice()));
    assert_eq!(mutated.header(b"host"), Some(b"localhost".as_slice()));
    assert_eq!(mutated.header(b"accept"), Some(b"Text/*".as_slice()));
    // A field cannot hold a line end.
    assert_eq!(Mutation::LineEnds.of(&request).map(|request| request.headers), None);
}

#[test]
fn arguments_move() {
    let request = Request::new("POST", "/a?x=%3C1")
        .with_header("Content-Type", "application/x-www-form-urlencoded")
        .with_body("y=2+3");
    let mutated = Mutation::AsJson.of(&request).expect("moved");
    assert_eq!(text(&mutated.body), r#"[{"x":"<1"},{"y":"2 3"}]"#);
    assert_eq!(text(&mutated.uri), "/a");
    let mutated = Mutation::AsXml.of(&request).expect("moved");
    assert!(text(&mutated.body).contains("<name>x</name><value>&lt;1</value>"), "{}", text(&mutated.body));
    let mutated = Mutation::AsMultipart.of(&request).expect("moved");
    assert!(text(&mutated.body).contains("name=\"y\"\r\n\r\n2 3\r\n--"), "{}", text(&mutated.body));
    let mutated = Mutation::AsFiles.of(&request).expect("moved");
    assert!(text(&mutated.body).contains("filename=\"a.txt\""), "{}", text(&mutated.body));
    let mutated = Mutation::AsQuery.of(&request).expect("moved");
    assert_eq!((text(&mutated.uri), text(&mutated.body)), ("/a?x=%3C1&y=2%203", ""));
    let mutated = Mutation::AsCookies.of(&request).expect("moved");
    assert_eq!(mutated.header(b"cookie"), Some(b"x=<1; y=2 3".as_slice()));
    let mutated = Mutation::AsFields.of(&request).expect("moved");
    assert_eq!(mutated.header(b"referer"), Some(b"<1".as_slice()));
    assert_eq!(mutated.header(b"user-agent"), Some(b"2 3".as_slice()));
}

fn any_request() -> impl Strategy<Value = Request> {
    let query = proptest::option::of("[ -~]{0,40}");
    let body = proptest::collection::vec(any::<u8>(), 0..60);
    let kind = prop_oneof![
        Just("application/x-www-form-urlencoded"),
        Just("application/json"),
        Just("text/plain"),
        Just("multipart/form-data; boundary=x"),
    ];
    (query, body, kind, "[ -~]{0,20}").prop_map(|(query, body, kind, agent)| {
        let uri = query.map_or_else(|| "/a".to_owned(), |query| format!("/a?{query}"));
        Request::new("POST", &uri)
            .with_header("Content-Type", kind)
            .with_header("User-Agent", &agent)
            .with_body(body)
    })
}

proptest! {
    #[test]
    fn any_request_mutates_the_same_each_time_and_says_its_length(request in any_request()) {
        for (mutation, mutated) in mutations(&request) {
            prop_assert_eq!(&mutation.of(&request).expect("the same again"), &mutated);
            prop_assert_ne!(&mutated, &request);
            let length = mutated.body.len().to_string();
            prop_assert_eq!(mutated.header(b"content-length"), Some(length.as_bytes()), "{:?}", mutation);
            prop_assert!(mutated.body.len() <= request.body.len() * 20 + request.uri.len() * 20 + 400);
        }
    }

    #[test]
    fn encodings_that_a_server_undoes_keep_the_values(value in proptest::collection::vec(any::<u8>(), 0..40)) {
        let request = get(&format!("a={}", text(&encoded(&value))));
        for mutation in [Mutation::UrlEncoded, Mutation::Plus] {
            if let Some(mutated) = mutation.of(&request) {
                prop_assert_eq!(arguments(&mutated), arguments(&request), "{:?}", mutation);
            }
        }
    }
}
