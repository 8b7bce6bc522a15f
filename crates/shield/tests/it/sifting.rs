//! Sifting loses nothing: with it and without it the same rules match, on the corpus and on requests made at random out of what
//! attacks are made of.

use crate::conformance::{cases, context, run};
use crate::folder::{core_rules, load, prelude};
use proptest::prelude::*;
use shield::message::Request;
use shield::{Collections, Engine, Report, Transaction};
use std::sync::Arc;

fn both(engine: &Arc<Engine>, request: &Request) -> [Report; 2] {
    let collections = Arc::new(Collections::new(4));
    [true, false].map(|sift| {
        let mut transaction = Transaction::new(engine, &collections, context()).explaining();
        if !sift {
            transaction = transaction.without_sifting();
        }
        run(&mut transaction, request);
        transaction.finish()
    })
}

#[test]
fn the_corpus_matches_the_same_with_and_without() {
    let Some(crs) = core_rules() else { return };
    let engine = Arc::new(load(&crs, &prelude("DetectionOnly", 4, ""), "").expect("rules"));
    let mut matches = 0;
    // Every third case: the whole corpus without sifting is a minute's work.
    for case in cases(&crs).iter().step_by(3) {
        for stage in &case.stages {
            let Ok(request) = stage.request() else { continue };
            let [sifted, all] = both(&engine, &request);
            assert_eq!(sifted, all, "{case}");
            matches += sifted.matched.len();
        }
    }
    assert!(matches > 10_000, "only {matches} matches: what is compared is next to nothing");
}

/// Pieces that rules look for, whole and broken.
const PIECES: &[&str] = &[
    "union",
    "select",
    " from ",
    "information_schema",
    "or 1=1",
    "'",
    "\"",
    "--",
    "/*",
    "*/",
    ";",
    "sleep(5)",
    "<script",
    "javascript:",
    "onerror=",
    "alert(1)",
    "<img src=x",
    "../",
    "..\\",
    "/etc/passwd",
    "boot.ini",
    "php://input",
    "<?php",
    "system(",
    "${jndi:ldap:",
    "`id`",
    "$(cat",
    "|nc -e",
    "powershell",
    "{{7*7}}",
    "__proto__",
    "http://169.254.169.254/",
    "\r\nSet-Cookie:",
    "%0d%0a",
    "%u0027",
    "%2527",
    "&lt;",
    "\\u003c",
    "\u{ff1c}",
    "\0",
    "a",
    "b",
    " ",
    "=",
    "&",
    "%",
    "0x41414141",
    "char(",
    "concat(",
    "waitfor delay",
    "xp_cmdshell",
    "eval(",
    "base64_decode",
    "cmd.exe",
    "/bin/sh",
    "wget ",
    "curl ",
    "ObjectId",
    "$where",
    "$ne",
    "java.lang.Runtime",
    "ognl",
    "%{",
    "#{",
    "rO0ABX",
    "AAAA",
    "ß",
    "\u{202e}",
];

fn piece() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => proptest::sample::select(PIECES).prop_map(str::to_owned),
        1 => proptest::sample::select(PIECES).prop_map(|piece| piece.to_ascii_uppercase()),
        1 => "[ -~]{0,6}",
    ]
}

fn value() -> impl Strategy<Value = String> {
    proptest::collection::vec(piece(), 0..6).prop_map(|pieces| pieces.concat())
}

fn escaped(text: &str) -> String {
    text.bytes()
        .map(
            |byte| {
                if byte.is_ascii_alphanumeric() { (byte as char).to_string() } else { format!("%{byte:02x}") }
            },
        )
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn anything_matches_the_same_with_and_without(
        query in value(), path in value(), cookie in value(), agent in value(), name in value(), field in value(), kind in 0..4,
    ) {
        thread_local!(static ENGINE: Option<Arc<Engine>> = core_rules()
            .map(|crs| Arc::new(load(&crs, &prelude("DetectionOnly", 4, ""), "").expect("rules"))));
        let Some(engine) = ENGINE.with(Clone::clone) else { return Ok(()) };
        let line = |text: &str| text.replace(['\r', '\n', '\0'], " ");
        let uri = format!("/{}?{}={}&raw={query}", escaped(&path), escaped(&name), escaped(&query));
        let request = Request::new("POST", &line(&uri))
            .with_header("Host", "app.example")
            .with_header("Cookie", &format!("a={}", line(&cookie)))
            .with_header("User-Agent", &line(&agent));
        let request = match kind {
            0 => request.with_header("Content-Type", "application/x-www-form-urlencoded").with_body(format!("x={}&{}=1", escaped(&field), escaped(&name))),
            1 => request.with_header("Content-Type", "application/json").with_body(format!("{{\"x\":[{field:?}]}}")),
            2 => request.with_header("Content-Type", "text/xml").with_body(format!("<a b='1'>{}</a>", field.replace(['<', '&'], " "))),
            _ => request.with_header("Content-Type", "text/plain").with_body(field),
        };
        let [sifted, all] = both(&engine, &request);
        prop_assert_eq!(sifted, all);
    }
}
