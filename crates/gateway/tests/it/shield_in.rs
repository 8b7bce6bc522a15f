//! The shield on the way in: what is refused before the app sees anything of it, and what passes as it came.

use crate::house::{House, RULES, engine, token};
use crate::protocols::h2;
use bytes::Bytes;
use gateway::config::ShieldMode;
use gateway::events::{Event, ShieldEvent, Side};
use http::Request;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::Frame;
use std::io::Write;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// What the rules of these tests take for an attack.
const ATTACK: &str = "attack-here";
const FORM: &str = "Content-Type: application/x-www-form-urlencoded";

pub(crate) const BASE: &str = r#"
SecRuleEngine On
SecRequestBodyAccess On
SecResponseBodyAccess On
SecResponseBodyMimeType text/plain text/html application/json
SecRule REQUEST_HEADERS:Content-Type "@rx ^application/json" "id:1,phase:1,pass,nolog,ctl:requestBodyProcessor=JSON"
SecRule REQUEST_HEADERS:Content-Type "@rx ^multipart/form-data" "id:2,phase:1,pass,nolog,ctl:requestBodyProcessor=MULTIPART"
SecRule REQUEST_HEADERS:Content-Type "@rx ^application/x-www-form" "id:3,phase:1,pass,nolog,ctl:requestBodyProcessor=URLENCODED"
SecRule REQUEST_HEADERS:Content-Type "@rx ^text/" "id:4,phase:1,pass,nolog,ctl:forceRequestBodyVariable=On"
"#;

pub(crate) const RULE: &str = r#"
SecRule ARGS|ARGS_NAMES|FILES|FILES_NAMES|REQUEST_HEADERS|REQUEST_COOKIES|REQUEST_FILENAME|REQUEST_BODY "@contains attack-here" \
    "id:100,phase:2,deny,status:403,severity:CRITICAL,tag:attack-test,msg:'Found %{MATCHED_VAR} there',logdata:'%{MATCHED_VAR}'"
"#;

pub(crate) fn rules() -> String {
    format!("{BASE}{RULE}")
}

pub(crate) fn blocking() -> &'static str {
    "[shield]\nbody_limit = 65536\n"
}

/// What the shield has told, in order.
pub(crate) fn told(house: &House) -> Vec<ShieldEvent> {
    let all = house.told.0.lock();
    let of_shield = all.iter().filter_map(|event| match event {
        Event::Shield(event) => Some((**event).clone()),
        _ => None,
    });
    of_shield.collect()
}

/// The only thing that it has told, within some time: it is told when an answer has ended.
pub(crate) async fn told_once(house: &House) -> ShieldEvent {
    for _ in 0..500 {
        if let [event] = told(house).as_slice() {
            return event.clone();
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("{:?}", told(house));
}

fn multipart(name: &str, file: &str, content: &str) -> String {
    format!(
        "--b\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{content}\r\n\
         --b\r\nContent-Disposition: form-data; name=\"f\"; filename=\"{file}\"\r\n\r\nx\r\n--b--\r\n"
    )
}

/// Requests with a word in each place, and the target that a rule names.
fn places(word: &str) -> Vec<(&'static str, String, Vec<String>, String)> {
    let line = |text: &str| vec![text.to_owned()];
    let parts = "Content-Type: multipart/form-data; boundary=b";
    let json = "Content-Type: application/json; charset=utf-8";
    let chunked = format!("5\r\na=1&b\r\n{:x}\r\n={word}\r\n0\r\n\r\n", word.len() + 1);
    let chunked_lines = vec![FORM.to_owned(), "Transfer-Encoding: chunked".to_owned()];
    vec![
        ("ARGS:q", format!("GET /elsewhere?a=b&q=x{word}"), vec![], String::new()),
        ("REQUEST_FILENAME", format!("GET /elsewhere/{word}"), vec![], String::new()),
        (
            "REQUEST_HEADERS:x-test",
            "GET /elsewhere".into(),
            line(&format!("X-Test: a {word}")),
            String::new(),
        ),
        (
            "REQUEST_HEADERS:cookie",
            "GET /elsewhere".into(),
            line(&format!("Cookie: a=b; c={word}")),
            String::new(),
        ),
        ("ARGS:note", "POST /elsewhere".into(), line(FORM), format!("a=b&note=x+{word}")),
        ("ARGS:json.note.array_0", "PUT /elsewhere".into(), line(json), format!("{{\"note\":[\"{word}\"]}}")),
        ("ARGS:t", "POST /elsewhere".into(), line(parts), multipart("t", "a.png", word)),
        ("FILES:f", "POST /elsewhere".into(), line(parts), multipart("t", &format!("{word}.png"), "x")),
        ("ARGS:b", "POST /elsewhere".into(), chunked_lines, chunked),
        ("REQUEST_BODY", "POST /elsewhere".into(), line("Content-Type: text/x"), format!("some {word}")),
        ("ARGS:name", "POST /save/1".into(), line(FORM), format!("name={word}")),
    ]
}

async fn send(house: &House, first: &str, lines: &[String], body: &str) -> (String, String) {
    let is_chunked = lines.iter().any(|line| line.contains("chunked"));
    let mut head = format!("{first} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n");
    for line in lines {
        head.push_str(&format!("{line}\r\n"));
    }
    if !body.is_empty() && !is_chunked {
        head.push_str(&format!("Content-Length: {}\r\n", body.len()));
    }
    let all = house.raw(format!("{head}\r\n{body}").as_bytes()).await;
    let text = String::from_utf8_lossy(&all).into_owned();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    (head.to_owned(), body.to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attack_in_each_place_is_refused_before_the_app_sees_it() {
    for (target, first, lines, body) in places(ATTACK) {
        let house = House::shielded(blocking(), &rules()).await;
        house.answers("200 OK", "fine");
        let (head, answer) = send(&house, &first, &lines, &body).await;
        assert!(head.starts_with("HTTP/1.1 403"), "{target}: {head}");
        assert!(answer.contains("\"code\":\"request_refused\""), "{target}: {answer}");
        assert_eq!(house.app_got(), "", "{target}: the app has seen something");
        assert!(house.relay.submitted.lock().is_empty(), "{target}: nor has the vault");
        let event = told_once(&house).await;
        assert!(answer.contains(&format!("\"reference\":\"{}\"", event.reference)), "{target}: {answer}");
        assert_eq!((event.reference.len(), event.mode, event.refused), (10, ShieldMode::Block, true));
        assert_eq!((event.status, event.side, event.by), (403, Side::Request, Some(100)));
        let rule = &event.rules[0];
        assert_eq!((rule.id, rule.severity, &*rule.tags[0]), (100, Some(2), "attack-test"));
        assert_eq!(rule.target.as_deref(), Some(target));
        assert!(house.noticed(|event| matches!(event, Event::Refused { code: "request_refused", .. })));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_attack_passes_in_each_place_and_nothing_is_told() {
    for (target, first, lines, body) in places("a-word") {
        let house = House::shielded(blocking(), &rules()).await;
        house.answers("200 OK", "fine");
        let (head, answer) = send(&house, &first, &lines, &body).await;
        assert!(head.starts_with("HTTP/1.1 200") && answer.contains("fine"), "{target}: {head}");
        let got = house.app_got();
        assert!(got.contains("a-word") || first.contains("/save/"), "{target}: {got}");
        if !body.is_empty() && !first.contains("/save/") && !lines.iter().any(|line| line.contains("chunked"))
        {
            assert!(got.ends_with(&body), "{target}: {got}");
        }
        assert_eq!(told(&house), [], "{target}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trial_run_lets_everything_pass_and_tells_what_it_would_have_refused() {
    for (target, first, lines, body) in places(ATTACK).into_iter().take(10) {
        let house = House::shielded("[shield]\nmode = \"detect\"\nbody_limit = 65536\n", &rules()).await;
        house.answers("201 Created", "fine");
        let (head, answer) = send(&house, &first, &lines, &body).await;
        assert!(head.starts_with("HTTP/1.1 201") && answer == "fine", "{target}: {head}");
        assert!(house.app_got().contains(ATTACK), "{target}");
        let event = told_once(&house).await;
        assert_eq!((event.mode, event.refused, event.status), (ShieldMode::Detect, true, 201), "{target}");
        assert_eq!((event.by, event.rules[0].target.as_deref()), (Some(100), Some(target)));
        assert!(!house.noticed(|event| matches!(event, Event::Refused { .. })), "{target}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn routes_have_modes_and_exclusions_of_their_own() {
    let more = r#"
[[route]]
name = "quiet"
path = "/quiet"
shield = "off"
[[route]]
name = "trial"
path = "/trial"
shield = "detect"
[[route]]
name = "prose"
path = "/prose"
[shield]
[[shield.exclude]]
routes = ["prose"]
rules = "tag:attack-test"
target = "ARGS:note"
because = "people write there"
"#;
    let house = House::shielded(more, &rules()).await;
    for (path, status) in [
        ("/quiet?note=attack-here", 200),
        ("/trial?note=attack-here", 200),
        ("/elsewhere?note=attack-here", 403),
        ("/prose?note=attack-here", 200),
        ("/prose?other=attack-here", 403),
    ] {
        house.answers("200 OK", "fine");
        let (head, _) = house.get(path).await;
        assert!(head.starts_with(&format!("HTTP/1.1 {status}")), "{path}: {head}");
    }
    let routes: Vec<_> = told(&house).into_iter().map(|event| (event.route, event.mode)).collect();
    let route = |name: &str| Some(name.into());
    let (block, detect) = (ShieldMode::Block, ShieldMode::Detect);
    assert_eq!(routes, [(route("trial"), detect), (None, block), (route("prose"), block)]);
    let modes = house.gateway.lines().into_iter().map(|line| (line.name, line.shield));
    let modes: std::collections::HashMap<_, _> = modes.collect();
    assert_eq!((modes["quiet"], modes["trial"], modes["prose"]), (ShieldMode::Off, detect, block));
}

async fn asked(house: &House, request: Request<Full<Bytes>>) -> (u16, String) {
    let answer = h2(house).await.send_request(request).await.expect("an answer");
    let (head, body) = answer.into_parts();
    let body = body.collect().await.expect("a body").to_bytes();
    (head.status.as_u16(), String::from_utf8_lossy(&body).into_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn http_2_is_inspected_as_it_is() {
    let seen = r#"
SecRule REQUEST_PROTOCOL "!@streq HTTP/2.0" "id:101,phase:1,deny,status:599"
SecRule REQUEST_HEADERS:Host "!@streq localhost" "id:102,phase:1,deny,status:598"
SecRule &REQUEST_HEADERS:Host "!@eq 1" "id:103,phase:1,deny,status:597"
SecRule REQUEST_HEADERS:cookie "!@streq a=1; b=2" "id:104,phase:1,deny,status:596"
"#;
    let house = House::shielded(blocking(), &format!("{}{seen}", rules())).await;
    let request = |path: &str, body: &str| {
        Request::post(format!("https://localhost{path}"))
            .header("content-type", "application/x-www-form-urlencoded")
            .header("cookie", "a=1")
            .header("cookie", "b=2")
            .body(Full::new(Bytes::from(body.to_owned())))
            .expect("a request")
    };
    house.answers("200 OK", "fine");
    assert_eq!(asked(&house, request("/elsewhere", "a=b")).await, (200, "fine".to_owned()));
    assert!(house.app_got().ends_with("a=b"));
    house.answers("200 OK", "fine");
    for (path, body) in [("/elsewhere?q=attack-here", "a=b"), ("/elsewhere", "a=attack-here")] {
        let (status, answer) = asked(&house, request(path, body)).await;
        assert!(status == 403 && answer.contains("request_refused"), "{status} {answer}");
        assert_eq!(house.app_got(), "");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn trailers_reach_neither_the_rules_nor_the_app() {
    let house = House::shielded(blocking(), &rules()).await;
    house.answers("200 OK", "fine");
    let mut trailers = http::HeaderMap::new();
    trailers.insert("x-late", ATTACK.parse().expect("a value"));
    let frames =
        [Ok::<_, std::io::Error>(Frame::data(Bytes::from_static(b"a=b"))), Ok(Frame::trailers(trailers))];
    let stream = hyper_util::rt::TokioIo::new(house.connect_as(b"h2").await);
    let (mut sender, connection) =
        hyper::client::conn::http2::handshake(hyper_util::rt::TokioExecutor::new(), stream)
            .await
            .expect("HTTP/2");
    tokio::spawn(connection);
    let body = StreamBody::new(Frames(frames.into_iter().collect()));
    let request = Request::post("https://localhost/elsewhere")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(body)
        .expect("a request");
    let answer = sender.send_request(request).await.expect("an answer");
    assert_eq!(answer.status(), 200);
    let got = house.app_got();
    assert!(got.ends_with("a=b") && !got.contains(ATTACK) && !got.contains("x-late"), "{got}");
}

/// Frames, one after the other.
struct Frames(std::collections::VecDeque<Result<Frame<Bytes>, std::io::Error>>);

impl futures_core::Stream for Frames {
    type Item = Result<Frame<Bytes>, std::io::Error>;
    fn poll_next(
        mut self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Self::Item>> {
        std::task::Poll::Ready(self.0.pop_front())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_rules_see_the_bytes_that_the_app_gets() {
    // Not UTF-8, a header twice, a value with a tab: what one side reads otherwise is a way around the other.
    let seen = r#"
SecRule &REQUEST_HEADERS:x-twice "!@eq 2" "id:101,phase:2,deny,status:599"
SecRule REQUEST_HEADERS:x-odd "!@rx ^\xfft\to$" "id:102,phase:2,deny,status:598"
SecRule REQUEST_BODY "!@rx ^\x00\xc3\x28\xff\xfe$" "id:103,phase:2,deny,status:597"
SecRule REQUEST_HEADERS:X-Forwarded-For "!@streq 10.6.6.6" "id:104,phase:2,deny,status:596"
SecRule REQUEST_URI_RAW "!@streq /elsewhere?a=%C3%28&b" "id:105,phase:2,deny,status:595"
"#;
    let house = House::shielded(blocking(), &format!("{BASE}{seen}")).await;
    house.answers("200 OK", "fine");
    let body = b"\x00\xc3\x28\xff\xfe";
    let head = [
        &b"POST /elsewhere?a=%C3%28&b HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: text/x\r\n"[..],
        b"X-Twice: 1\r\nX-Odd: \xfft\to\r\nX-Twice: 2\r\nX-Forwarded-For: 10.6.6.6\r\nContent-Length: 5\r\n\r\n",
        body,
    ]
    .concat();
    let answer = String::from_utf8_lossy(&house.raw(&head).await).into_owned();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    let got = house.app.got.lock().clone();
    assert!(got.ends_with(body), "{got:?}");
    let text = String::from_utf8_lossy(&got).into_owned();
    assert!(
        text.starts_with("POST /elsewhere?a=%C3%28&b HTTP/1.1") && text.matches("x-twice").count() == 2,
        "{text}"
    );
    assert!(memchr_find(&got, b"\xfft\to"), "{text}");
}

fn memchr_find(bytes: &[u8], wanted: &[u8]) -> bool {
    bytes.windows(wanted.len()).any(|part| part == wanted)
}

#[tokio::test(flavor = "multi_thread")]
async fn who_asks_whether_to_send_a_body_is_told_so_only_where_its_head_passes() {
    let early = r#"SecRule REQUEST_HEADERS:x-test "@contains attack-here" "id:101,phase:1,deny,status:403""#;
    let house = House::shielded(blocking(), &format!("{}{early}", rules())).await;
    house.answers("200 OK", "fine");
    for (value, wanted) in [("attack-here", "HTTP/1.1 403"), ("fine", "HTTP/1.1 100")] {
        let mut stream = house.connect().await;
        let head = format!(
            "POST /elsewhere HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nX-Test: {value}\r\n{FORM}\r\n\
             Content-Length: 3\r\nExpect: 100-continue\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).await.expect("sent");
        let mut first = [0; 12];
        stream.read_exact(&mut first).await.expect("an answer");
        assert_eq!(String::from_utf8_lossy(&first), wanted);
        if value == "fine" {
            stream.write_all(b"a=b").await.expect("sent");
            let mut rest = String::new();
            let _ = stream.read_to_string(&mut rest).await;
            assert!(rest.contains("HTTP/1.1 200"), "{rest}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_beyond_the_limit_is_refused_or_inspected_to_the_limit() {
    let (over, early, late) = (
        "x".repeat(70_000),
        format!("{ATTACK}{}", "x".repeat(70_000)),
        format!("{}{ATTACK}", "x".repeat(70_000)),
    );
    let refusing = House::shielded(blocking(), &rules()).await;
    for lines in [vec![], vec!["Transfer-Encoding: chunked".to_owned()]] {
        refusing.answers("200 OK", "fine");
        let body =
            if lines.is_empty() { over.clone() } else { format!("{:x}\r\n{over}\r\n0\r\n\r\n", over.len()) };
        let all = [lines, vec!["Content-Type: text/x".to_owned()]].concat();
        let (head, answer) = send(&refusing, "POST /elsewhere", &all, &body).await;
        assert!(
            head.starts_with("HTTP/1.1 413") && answer.contains("too_large_to_inspect"),
            "{head}{answer}"
        );
        assert_eq!(refusing.app_got(), "");
    }
    let events = told(&refusing);
    assert!(events.iter().all(|event| event.refusal == Some("too_large_to_inspect") && event.refused));
    assert_eq!(events.len(), 2);
    let partial = "[shield]\nbody_limit = 65536\nbody_over = \"partial\"\n";
    let seclang = format!("SecRequestBodyLimitAction ProcessPartial\n{}", rules());
    let partial = House::shielded(partial, &seclang).await;
    for (body, status) in [(&over, 200), (&early, 403), (&late, 200)] {
        partial.answers("200 OK", "fine");
        let (head, _) = send(&partial, "POST /elsewhere", &["Content-Type: text/x".to_owned()], body).await;
        assert!(head.starts_with(&format!("HTTP/1.1 {status}")), "{head}");
        assert_eq!(partial.app_got().ends_with(body.as_str()), status == 200);
    }
    let trial = House::shielded("[shield]\nmode = \"detect\"\nbody_limit = 65536\n", &rules()).await;
    trial.answers("200 OK", "fine");
    let (head, _) = send(&trial, "POST /elsewhere", &["Content-Type: text/x".to_owned()], &early).await;
    assert!(head.starts_with("HTTP/1.1 200") && trial.app_got().ends_with(&early), "{head}");
    let event = told_once(&trial).await;
    assert_eq!((event.refusal, event.by), (Some("too_large_to_inspect"), Some(100)), "both are told");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_upload_passes_byte_for_byte() {
    let partial = "[shield]\nbody_limit = 65536\nbody_over = \"partial\"\n";
    let seclang = format!("SecRequestBodyLimitAction ProcessPartial\n{}", rules());
    let house = House::shielded(partial, &seclang).await;
    house.answers("200 OK", "fine");
    let mut state = 1_u64;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    };
    let body: Vec<u8> = (0..20 << 20).map(|_| next()).collect();
    let lines = ["Content-Type: application/octet-stream"];
    let (head, _) = house.ask("PUT /elsewhere", &lines, &body).await;
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    let got = house.app.got.lock().clone();
    assert!(got.ends_with(&body), "{} bytes", got.len());
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).expect("written");
    encoder.finish().expect("finished")
}

/// The same with bytes of one's own in its head, which no decoder looks at, and an app that does not decode reads.
fn gzip_with_extra(extra: &[u8], bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::GzBuilder::new().extra(extra).write(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).expect("written");
    encoder.finish().expect("finished")
}

#[tokio::test(flavor = "multi_thread")]
async fn the_app_gets_an_encoded_body_as_the_rules_have_seen_it() {
    let house = House::shielded(blocking(), &rules()).await;
    let bomb = gzip(&vec![b'x'; 1 << 20]);
    let zstd = [0x28, 0xb5, 0x2f, 0xfd, 0x20, 0x05, 0x29, 0x00, 0x00, 0x68, 0x65, 0x6c, 0x6c, 0x6f];
    let behind = |whole: &[u8]| [whole, b"&b=attack-here"].concat();
    let cases: [(&str, Vec<u8>, u16, &str); 13] = [
        ("gzip", gzip(b"a=b"), 200, "a=b"),
        ("gzip", gzip_with_extra(b"&b=attack-here&", b"a=b"), 200, "a=b"),
        ("zstd", zstd.to_vec(), 200, "hello"),
        ("identity", b"a=b".to_vec(), 200, "a=b"),
        (" , identity,Identity", b"a=b".to_vec(), 200, "a=b"),
        ("gzip", gzip(b"a=attack-here"), 403, "request_refused"),
        ("gzip", b"no gzip at all".to_vec(), 415, "body_encoded"),
        ("gzip", behind(&gzip(b"a=b")), 415, "body_encoded"),
        ("zstd", behind(&zstd), 415, "body_encoded"),
        ("zstd", zstd.repeat(2), 415, "body_encoded"),
        ("compress", gzip(b"a=b"), 415, "body_encoded"),
        ("gzip, br", gzip(b"a=b"), 415, "body_encoded"),
        ("gzip", bomb, 413, "too_large_to_inspect"),
    ];
    for (coding, body, status, said) in cases {
        house.answers("200 OK", "fine");
        let line = format!("Content-Encoding: {coding}");
        let (head, answer) =
            house.ask("POST /elsewhere", &[FORM, &line, "Connection: content-encoding, close"], &body).await;
        assert!(head.starts_with(&format!("HTTP/1.1 {status}")), "{coding}: {head}");
        let got = house.app_got();
        if status == 200 {
            assert!(got.ends_with(&format!("\r\n\r\n{said}")), "{coding}: {got}");
            let is_plain = coding.contains("identity");
            assert_eq!(got.to_ascii_lowercase().contains("content-encoding"), is_plain, "{coding}: {got}");
        } else {
            assert!(String::from_utf8_lossy(&answer).contains(said), "{coding}: {head}");
            assert_eq!(got, "", "{coding}");
        }
    }
    // A trial run lets pass what cannot be decoded, as it came.
    let house = House::shielded("[shield]\nmode = \"detect\"\n", &rules()).await;
    house.answers("200 OK", "fine");
    let body = b"no gzip at all";
    let (head, _) = house.ask("POST /elsewhere", &[FORM, "Content-Encoding: gzip"], body).await;
    assert!(head.starts_with("HTTP/1.1 200") && house.app.got.lock().ends_with(body), "{head}");
}

/// A token that a client has hidden in a coding is found as it is found without one.
#[tokio::test(flavor = "multi_thread")]
async fn a_token_in_an_encoded_body_is_refused() {
    let house = House::shielded(blocking(), &rules()).await;
    house.answers("200 OK", "fine");
    let body = gzip(format!("a={}", token(100)).as_bytes());
    let (head, _) = house.ask("POST /elsewhere", &[FORM, "Content-Encoding: gzip"], &body).await;
    assert!(!head.starts_with("HTTP/1.1 200"), "{head}");
    assert!(house.noticed(|event| matches!(event, Event::TokenFromClient { part: "body", .. })));
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_may_send_elsewhere_close_or_name_a_status() {
    let more = r#"
SecRule ARGS:do "@streq away" "id:101,phase:2,redirect:'https://other.example/why?id=%{UNIQUE_ID}',status:307"
SecRule ARGS:do "@streq drop" "id:102,phase:2,drop"
SecRule ARGS:do "@streq teapot" "id:103,phase:2,deny,status:418"
SecRule ARGS:do "@streq fine" "id:104,phase:2,deny,status:200"
SecRule ARGS:do "@streq log" "id:105,phase:2,pass,log,msg:'only a word'"
"#;
    let house = House::shielded(blocking(), &format!("{}{more}", rules())).await;
    house.answers("200 OK", "fine");
    let (head, _) = house.get("/elsewhere?do=away").await;
    let reference = told_once(&house).await.reference;
    assert!(head.starts_with("HTTP/1.1 307"), "{head}");
    assert!(head.contains(&format!("location: https://other.example/why?id={reference}")), "{head}");
    assert_eq!(
        house.raw(b"GET /elsewhere?do=drop HTTP/1.1\r\nHost: localhost\r\n\r\n").await,
        b"",
        "not a byte"
    );
    assert_eq!(told(&house)[1].status, 0);
    let request =
        Request::get("https://localhost/elsewhere?do=drop").body(Full::new(Bytes::new())).expect("one");
    assert!(h2(&house).await.send_request(request).await.is_err(), "a stream that is reset");
    assert!(house.get("/elsewhere?do=teapot").await.0.starts_with("HTTP/1.1 418"));
    assert!(
        house.get("/elsewhere?do=fine").await.0.starts_with("HTTP/1.1 403"),
        "no refusal looks like a yes"
    );
    assert_eq!(house.app_got(), "");
    house.told.0.lock().clear();
    house.answers("204 No Content", "");
    assert!(house.get("/elsewhere?do=log").await.0.starts_with("HTTP/1.1 204"));
    let event = told_once(&house).await;
    assert_eq!(
        (event.refused, event.status, event.by, &*event.rules[0].message),
        (false, 204, None, "only a word")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_gets_a_page_in_its_language() {
    let house = House::shielded(blocking(), &rules()).await;
    for (language, title, code) in [
        ("de-DE,de;q=0.9,en;q=0.8", "Diese Anfrage wurde nicht weitergegeben", "de"),
        ("fr,en;q=0.5", "This request was not passed on", "en"),
    ] {
        house.told.0.lock().clear();
        let language = format!("Accept-Language: {language}");
        let lines = ["Accept: text/html,application/xhtml+xml", &language];
        let (head, page) = house.ask("GET /elsewhere?q=attack-here", &lines, "").await;
        let page = String::from_utf8_lossy(&page);
        let reference = told_once(&house).await.reference;
        assert!(head.starts_with("HTTP/1.1 403") && head.contains("text/html"), "{head}");
        assert!(head.contains(&format!("content-language: {code}")), "{head}");
        assert!(page.contains(title) && page.contains(&reference) && !page.contains(ATTACK), "{page}");
        assert!(head.contains("default-src 'none'") && head.contains("no-store"), "{head}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_event_holds_anything_of_a_person() {
    const CANARY: &str = "kanarina.vogelsang";
    let loud = r#"
SecRule ARGS|ARGS_NAMES|REQUEST_HEADERS|REQUEST_COOKIES|REQUEST_COOKIES_NAMES|REQUEST_URI|REQUEST_BODY "@contains kanarina" \
    "id:101,phase:2,pass,log,msg:'Found %{MATCHED_VAR} at %{MATCHED_VAR_NAME} of %{REMOTE_ADDR}',logdata:'%{MATCHED_VAR}',tag:'x/%{MATCHED_VAR}'"
SecRule ARGS:user_name "@contains x" "id:102,phase:2,deny,log,msg:'A plain one'"
"#;
    let house = House::shielded(blocking(), &format!("{BASE}{loud}")).await;
    house.answers("200 OK", "fine");
    let person = format!("{CANARY}@example.org");
    for (first, lines, body) in [
        (format!("GET /elsewhere/{CANARY}?{person}={person}&{CANARY}={person}"), vec![], String::new()),
        (
            "GET /elsewhere".to_owned(),
            vec![
                format!("X-Name: {person}"),
                format!("Cookie: {CANARY}%40=1; a={person}; {CANARY}={person}"),
            ],
            String::new(),
        ),
        (
            "POST /elsewhere".to_owned(),
            vec!["Content-Type: application/json".to_owned()],
            format!("{{\"{person}\":\"{person}\",\"patients\":{{\"{CANARY}\":{{\"note\":\"{person}\"}}}}}}"),
        ),
        (format!("POST /elsewhere?user_name=x{CANARY}"), vec![FORM.to_owned()], format!("a={person}")),
    ] {
        send(&house, &first, &lines, &body).await;
    }
    assert!(house.app_got().contains(CANARY), "the control: it was there to be found");
    let events = format!("{:?}", house.told.0.lock());
    assert_eq!(told(&house).len(), 4, "the control: the rules have seen it");
    assert!(events.contains("user_name") && events.contains("A plain one"), "the control: names are told");
    for hidden in [CANARY, "kanarina", "example.org", "127.0.0.1"] {
        assert!(!events.to_lowercase().contains(hidden), "{hidden}: {events}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_inspected_does_not_pass() {
    let house = House::shielded(blocking(), &rules()).await;
    house.answers("200 OK", "fine");
    let many: String = (0..1_500).map(|number| format!("a{number}=b&")).collect();
    for (first, lines, body) in [
        (format!("GET /elsewhere?{many}"), vec![], String::new()),
        ("POST /elsewhere".to_owned(), vec![FORM.to_owned()], many.clone()),
    ] {
        let (head, answer) = send(&house, &first, &lines, &body).await;
        assert!(head.starts_with("HTTP/1.1 400") && answer.contains("too_much_to_inspect"), "{head}{answer}");
    }
    assert!(told(&house).iter().all(|event| event.refusal == Some("too_much_to_inspect") && event.refused));
    assert_eq!(house.app_got(), "");
    // Rules that are not there are no reason to let anything pass.
    let without = format!("{RULES}\n[shield]\n");
    let setup = crate::house::setup(&without.replace("KEYS", &keys()), house.upstream);
    house.gateway.reload(setup);
    let (head, answer) = house.get("/elsewhere").await;
    assert!(head.starts_with("HTTP/1.1 503") && answer.contains("shield_unavailable"), "{head}{answer}");
    assert_eq!(house.app_got(), "");
    drop(engine(""));
}

/// A file with a public key, for rules that name one.
fn keys() -> String {
    let file = std::env::temp_dir().join(format!("obhut-shield-keys-{}", std::process::id()));
    let pair = rcgen::KeyPair::generate().expect("a key");
    std::fs::write(&file, pair.public_key_pem()).expect("written");
    file.display().to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ruled_route_shows_the_shield_what_was_typed_and_the_app_tokens() {
    let typed = r#"SecRule ARGS:name "@contains obh_" "id:101,phase:2,deny,status:599"
SecRule ARGS:name "@streq Kanarina Vogelsang" "id:102,phase:2,pass,log""#;
    let house = House::shielded(blocking(), &format!("{}{typed}", rules())).await;
    house.answers("303 See Other\r\nx-user: lead; role=lead\r\nlocation: /save/1", "");
    let (head, _) = house.ask("POST /save/1", &[FORM], "name=Kanarina+Vogelsang").await;
    assert!(head.starts_with("HTTP/1.1 303"), "{head}");
    assert!(house.app_got().contains(&token(100)) && !house.app_got().contains("Kanarina"));
    assert_eq!(told_once(&house).await.rules[0].id, 102);
    // A rule of the relay reads on behind what the shield has read, and has its own limit.
    let partial = "[shield]\nbody_limit = 100\nbody_over = \"partial\"\n";
    let seclang = format!("SecRequestBodyLimitAction ProcessPartial\n{}", rules());
    let house = House::shielded(partial, &seclang).await;
    for (filler, status) in [(200_000, 303), (2 << 20, 413)] {
        house.answers("303 See Other\r\nx-user: lead; role=lead\r\nlocation: /save/1", "");
        let form = format!("note={}&name=Kanarina", "x".repeat(filler));
        let (head, _) = house.ask("POST /save/1", &[FORM], form).await;
        assert!(head.starts_with(&format!("HTTP/1.1 {status}")), "{head}");
        assert_eq!(house.app_got().contains(&token(100)), status == 303);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_app_is_not_asked_who_the_user_is_for_an_attack() {
    let rules_of_gateway = RULES.replace(
        "[gateway.principal]\nkind = \"response\"\nheader = \"x-user\"\n",
        "[gateway.principal]\nkind = \"forward\"\npath = \"/whoami\"\n",
    );
    let app = House::shielded(blocking(), &rules()).await;
    let text = format!("{rules_of_gateway}\n{}", blocking()).replace("KEYS", &keys());
    let house = House::shielding(&text, &rules(), app.upstream).await;
    app.answers("200 OK\r\ncontent-type: application/json", "{}");
    let (head, _) = house.ask("GET /page", &["Cookie: session=attack-here"], "").await;
    assert!(head.starts_with("HTTP/1.1 403"), "{head}");
    assert_eq!(app.app_got(), "");
    house.ask("GET /page", &["Cookie: session=fine"], "").await;
    assert!(app.app_got().contains("GET /whoami"), "the control: {}", app.app_got());
}

#[tokio::test(flavor = "multi_thread")]
async fn upgrades_and_clients_behind_proxies_are_inspected() {
    let more = "[[route]]\nname = \"live\"\npath = \"/live\"\npass = [\"websocket\"]\n[shield]\n";
    let blocked = r#"SecRule REMOTE_ADDR "@ipMatch 198.51.100.9" "id:101,phase:1,deny,status:403""#;
    let house = House::shielded(more, &format!("{}{blocked}", rules())).await;
    house.answers("101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket", "");
    let lines = ["Connection: Upgrade", "Upgrade: websocket"];
    let (head, _) = house.ask("GET /live?q=attack-here", &lines, "").await;
    assert!(head.starts_with("HTTP/1.1 403"), "{head}");
    let forwarded = ["X-Forwarded-For: 198.51.100.9"];
    house.answers("200 OK", "fine");
    assert!(house.ask("GET /elsewhere", &forwarded, "").await.0.starts_with("HTTP/1.1 200"), "nobody's word");
    let behind = RULES.replace("hosts =", "proxies = [\"127.0.0.0/8\"]\nhosts =").replace("KEYS", &keys());
    let text = format!("{behind}\n{}", blocking());
    let house = House::shielding(&text, &format!("{}{blocked}", rules()), house.upstream).await;
    assert!(house.ask("GET /elsewhere", &forwarded, "").await.0.starts_with("HTTP/1.1 403"));
}

/// Refuses a word in a field that is not named like a text, as the packs do.
const PROSE: &str = r#"SecRule ARGS "@contains prose-here" "id:103,phase:2,deny,status:403,chain"
    SecRule MATCHED_VARS_NAMES "!@rx (?i)args[^:]*:(?:\S*[.\[])?(?:text|note)\]?\z" "t:none""#;

#[tokio::test(flavor = "multi_thread")]
async fn fields_that_hold_text_are_told_to_the_rules() {
    let more = "[[route]]\nname = \"story\"\npath = \"/story/{id}\"\ntexts = [\"form:s\", \"json:/a/b\", \"query:q\"]\n\
                [shield]\nbody_limit = 65536\n";
    let house = House::shielded(more, &format!("{}{PROSE}", rules())).await;
    let json = "Content-Type: application/json";
    let cases = [
        ("POST /story/1", FORM, "s=prose-here", 200),
        ("POST /story/1", FORM, "other=prose-here", 403),
        ("POST /story/1", FORM, "s=prose-here&other=prose-here", 403),
        ("POST /elsewhere", FORM, "s=prose-here", 403),
        ("POST /story/1", json, r#"{"a":{"b":"prose-here"}}"#, 200),
        ("POST /story/1", json, r#"{"a":{"c":"prose-here"}}"#, 403),
        ("POST /story/1", json, r#"{"a":{"b":"x","b":"prose-here"}}"#, 403),
        ("GET /story/1?q=prose-here", "Accept: */*", "", 200),
        ("GET /story/1?s=prose-here", "Accept: */*", "", 403),
        // Which of two an app reads is not known here.
        ("POST /story/1?s=prose-here", FORM, "s=fine", 403),
        ("POST /story/1?s=fine", FORM, "s=prose-here", 403),
        ("POST /story/1", FORM, "s=fine&s=prose-here", 403),
        ("POST /story/1?q=fine", FORM, "q=prose-here", 403),
        // Fields of a rule of the relay, whose values the app never gets.
        ("POST /save/1", FORM, "name=prose-here", 303),
        ("POST /save/1", FORM, "title=prose-here", 403),
        ("POST /save/1", "Content-Type: application/x-www-form-urlencoded;", "s=prose-here", 403),
    ];
    for (first, line, body, status) in cases {
        match status {
            303 => house.answers("303 See Other\r\nx-user: lead; role=lead\r\nlocation: /save/1", ""),
            _ => house.answers("200 OK", "fine"),
        }
        let (head, _) = house.ask(first, &[line], body).await;
        assert!(head.starts_with(&format!("HTTP/1.1 {status}")), "{first} {body}: {head}");
    }
    // A word that every field is refused for stays refused.
    let (head, _) = house.ask("POST /story/1", &[FORM], "s=attack-here").await;
    assert!(head.starts_with("HTTP/1.1 403"), "{head}");
}
