//! Tokens from clients, forged and broken requests, caches, other origins.

use crate::house::{House, SECRET, token};
use crate::protocols::h2;
use gateway::events::Event;
use gateway::messages::{Outcome, RelayError};
use http_body_util::Full;

const FORM: &str = "Content-Type: application/x-www-form-urlencoded";
const JSON: &str = "Content-Type: application/json";

fn each(text: &str, with: impl Fn(char) -> String) -> String {
    text.chars().map(with).collect()
}

fn disguises() -> Vec<String> {
    let token = token(1);
    vec![
        token.clone(),
        token.to_uppercase(),
        token.replace('_', "%5f"),
        token.replace('_', "%255F"),
        each(&token, |char| format!("%{:02x}", char as u32)),
        each(&token, |char| format!("%25{:02x}", char as u32)),
        token.replace('o', "\\u006f"),
        token.replace('_', "&#95;"),
        each(&token, |char| format!("&#x{:x};", char as u32)),
        token.replace('b', "b%E2%80%8B"),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_from_a_client_is_refused_wherever_and_however_it_stands() {
    let house = House::new().await;
    house.answers("200 OK", "ok");
    let (head, _) = house.ask("POST /elsewhere", &[FORM], "nickname=Jana").await;
    assert!(head.starts_with("HTTP/1.1 200"), "the control: {head}");
    for disguise in disguises() {
        let url_safe = disguise.replace('\\', "%5C").replace('#', "%23");
        let shapes: Vec<(String, Vec<String>, String)> = vec![
            ("POST /elsewhere".into(), vec![FORM.into()], format!("nickname={disguise}")),
            ("POST /elsewhere".into(), vec![JSON.into()], format!("{{\"comment\":\"{disguise}\"}}")),
            ("POST /save/1".into(), vec![FORM.into()], format!("name={disguise}")),
            ("POST /save/1".into(), vec![JSON.into()], format!("{{\"name\":\"{disguise}\"}}")),
            (format!("GET /page?q={url_safe}"), vec![], String::new()),
            (format!("GET /page/{url_safe}"), vec![], String::new()),
            ("GET /page".into(), vec![format!("Cookie: theme={disguise}")], String::new()),
            ("GET /page".into(), vec![format!("X-Note: {disguise}")], String::new()),
            (
                "POST /elsewhere".into(),
                vec!["Content-Type: multipart/form-data; boundary=b".into()],
                format!(
                    "--b\r\nContent-Disposition: form-data; name=\"f\"; filename=\"{disguise}.txt\"\r\n\r\nx\r\n--b--\r\n"
                ),
            ),
        ];
        for (first, lines, body) in shapes {
            house.app.got.lock().clear();
            house.told.0.lock().clear();
            let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
            let (head, _) = house.ask(&first, &lines, body).await;
            assert!(head.starts_with("HTTP/1.1 400"), "{first} {lines:?} {disguise}: {head}");
            let token_seen = house.noticed(|event| matches!(event, Event::TokenFromClient { .. }));
            let path_refused = house.noticed(|event| matches!(event, Event::Refused { .. }));
            assert!(token_seen || path_refused, "{first} {disguise}");
            assert!(!house.app_got().contains("obh_"), "{first}: {}", house.app_got());
        }
    }
    assert!(house.relay.submitted.lock().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_the_app_itself_puts_together_shows_no_more_than_the_viewer_may_see() {
    let house = House::new().await;
    let whole = token(1);
    let (one, two) = whole.split_at(10);
    let page = format!("<p>{one}{two}</p>");
    house.page("text/html; charset=utf-8", &page);
    assert!(house.get("/page").await.1.contains("Kanarina"), "the lead may see it anyway");
    house.answers("200 OK\r\nx-user: other; role=lead\r\ncontent-type: text/html; charset=utf-8", &page);
    assert_eq!(house.get("/page").await.1, "<p>[masked]</p>");
    house.answers("200 OK\r\ncontent-type: text/html; charset=utf-8", &page);
    assert_eq!(house.get("/page").await.1, "<p>[masked]</p>", "nobody");
    house.answers("200 OK\r\nx-user: lead; role=root\r\ncontent-type: text/html; charset=utf-8", &page);
    assert_eq!(house.get("/page").await.1, "<p>[masked]</p>", "a role that is none of ours");
    let twice = "200 OK\r\nx-user: lead; role=lead\r\nx-user: lead; role=lead\r\ncontent-type: text/html; charset=utf-8";
    house.answers(twice, &page);
    assert_eq!(house.get("/page").await.1, "<p>[masked]</p>", "said twice");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_the_app_takes_is_kept() {
    let house = House::new().await;
    let save = || house.ask("POST /save/7", &[FORM], "name=Kanarina&x=1");
    for (answer, want) in [
        ("200 OK", Outcome::Accepted(None)),
        ("303 See Other\r\nlocation: /save/7", Outcome::Accepted(None)),
        ("403 Forbidden", Outcome::Abandoned),
        ("422 Unprocessable", Outcome::Abandoned),
        ("500 Broken", Outcome::Abandoned),
    ] {
        house.relay.settled.lock().clear();
        house.answers(&format!("{answer}\r\nx-user: lead; role=lead"), "");
        house.relay.typists.lock().clear();
        save().await;
        assert_eq!(*house.relay.settled.lock(), [want], "{answer}");
        // Who typed it is known by the app's answer alone, and it is he who stands for the change.
        let typists = house.relay.typists.lock().clone();
        assert!(typists.iter().all(|who| who.as_deref() == Some("lead")), "{typists:?}");
        let got = house.app_got();
        assert!(!got.contains("Kanarina") && got.contains(&format!("name={}&x=1", token(100))), "{got}");
    }
    house.relay.settled.lock().clear();
    *house.app.silent.lock() = true;
    let (head, _) = save().await;
    assert!(head.starts_with("HTTP/1.1 504"), "{head}");
    assert_eq!(*house.relay.settled.lock(), [Outcome::Unknown]);
    *house.app.silent.lock() = false;
    house.relay.settled.lock().clear();
    *house.app.answer.lock() = b"HTTP/1.1 2".to_vec();
    let (head, _) = save().await;
    assert!(head.starts_with("HTTP/1.1 502"), "{head}");
    assert_eq!(*house.relay.settled.lock(), [Outcome::Unknown]);
    house.app.got.lock().clear();
    for fault in [RelayError::Sealed, RelayError::Unavailable, RelayError::Refused, RelayError::Stale] {
        *house.relay.fails.lock() = Some(fault);
        let (head, _) = save().await;
        assert!(
            !head.contains(" 200 ") && house.app_got().is_empty(),
            "{fault:?}: the app has seen nothing: {head}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_new_gets_the_reference_that_the_app_gives() {
    let house = House::new().await;
    for (location, want) in [
        ("/w/17", Outcome::Accepted(Some("17".into()))),
        ("https://localhost/w/17?saved=1", Outcome::Accepted(Some("17".into()))),
        ("/new", Outcome::Abandoned),
        ("/w/", Outcome::Abandoned),
    ] {
        house.relay.settled.lock().clear();
        house.answers(&format!("303 See Other\r\nlocation: {location}"), "");
        house.ask("POST /new", &[FORM], "name=Kanarina").await;
        assert_eq!(*house.relay.settled.lock(), [want], "{location}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_typed_comes_back_in_the_same_answer_alone() {
    let house = House::new().await;
    let again = format!("<input value=\"{}\"><b>{}</b>", token(100), token(2));
    house.answers("422 Wrong\r\nx-user: lead; role=lead\r\ncontent-type: text/html; charset=utf-8", &again);
    let (_, body) = house.ask("POST /save/7", &[FORM], "name=%3Cb%3EJana").await;
    assert_eq!(String::from_utf8_lossy(&body), "<input value=\"&lt;b&gt;Jana\"><b>[masked]</b>");
    house.page("text/html; charset=utf-8", &again);
    assert!(!house.get("/page").await.1.contains("Jana"));
}

#[tokio::test(flavor = "multi_thread")]
async fn forms_that_a_rule_cannot_read_do_not_reach_the_app() {
    let house = House::new().await;
    house.answers("200 OK", "ok");
    for (kind, body, status) in [
        (FORM, "name=a&name=b", "400"),
        (FORM, "name=%ff", "400"),
        ("Content-Type: text/plain", "name=a", "415"),
        ("X: y", "name=a", "415"),
        (JSON, "{\"name\":7}", "400"),
        (JSON, "{\"name\":\"a\",\"name\":\"b\"}", "400"),
        (JSON, "{\"name\":\"a\"", "400"),
    ] {
        let (head, _) = house.ask("POST /save/7", &[kind], body).await;
        assert!(head.starts_with(&format!("HTTP/1.1 {status}")), "{kind} {body}: {head}");
        assert_eq!(house.app_got(), "", "{kind} {body}");
    }
}

/// What a review found: each of these the vault took for one person, and some app for another.
#[tokio::test(flavor = "multi_thread")]
async fn what_vault_and_app_would_read_differently_does_not_reach_the_app() {
    let house = House::new().await;
    house.answers("200 OK\r\nx-user: lead; role=lead", "ok");
    let parts = "Content-Type: multipart/form-data; boundary=b";
    let part = |head: &str| format!("--b\r\nContent-Disposition: form-data; {head}\r\n\r\na\r\n--b--\r\n");
    let cases: [(&str, &[&str], String, &str); 9] = [
        (
            "POST /save/7",
            &["Content-Type: application/x-www-form-urlencoded; charset=ibm037"],
            "name=a".into(),
            "415",
        ),
        ("POST /save/7", &[FORM, "Content-Type: text/plain"], "name=a".into(), "415"),
        ("POST /save/7", &[FORM, "Content-Encoding: deflate"], "name=a".into(), "415"),
        ("POST /save/7", &[FORM], "name=a&_charset_=utf-16".into(), "415"),
        ("POST /save/7?Name=b", &[FORM], "name=a".into(), "400"),
        ("POST /save/7", &[FORM], "name=a&name%00=b".into(), "400"),
        ("POST /save/7", &[FORM], "name=a&name[]=b".into(), "400"),
        ("POST /save/7", &[parts], part(r#"name=x\; filename="; name=name; y=""#), "400"),
        ("POST /keep/7", &[JSON, &house.cookie], "{\"name\":\"a\"}".into(), "415"),
    ];
    for (first, lines, body, status) in &cases {
        let (head, _) = house.ask(first, lines, body).await;
        assert!(head.starts_with(&format!("HTTP/1.1 {status}")), "{first} {lines:?} {body}: {head}");
        assert_eq!(house.app_got(), "", "{first} {lines:?} {body}");
    }
    assert!(house.relay.submitted.lock().is_empty());
    let (head, _) = house.ask("POST /save/7?x=1", &[&format!("{FORM}; charset=UTF-8")], "name=a").await;
    assert!(head.starts_with("HTTP/1.1 200"), "the control: {head}");
    assert!(
        house.app_got().contains("content-type: application/x-www-form-urlencoded\r\n"),
        "{}",
        house.app_got()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_lasts_in_a_cache() {
    let house = House::new().await;
    let page = format!("<p>{}</p>", token(1));
    let head = "200 OK\r\nx-user: lead; role=lead\r\ncontent-type: text/html; charset=utf-8\r\netag: \"1\"\r\n\
        last-modified: Mon, 23 Nov 2026 12:00:00 GMT\r\ncache-control: public, max-age=600\r\nexpires: x\r\n\
        accept-ranges: bytes\r\ncontent-md5: x\r\nrepr-digest: x";
    house.answers(head, &page);
    let lines = ["If-None-Match: \"1\"", "If-Modified-Since: x", "Range: bytes=0-3", "If-Range: \"1\""];
    let (head, body) = house.ask("GET /page", &lines, "").await;
    assert!(String::from_utf8_lossy(&body).contains("Kanarina"));
    let (head, got) = (head.to_lowercase(), house.app_got().to_lowercase());
    for gone in
        ["etag", "last-modified", "max-age=600", "expires", "accept-ranges", "content-md5", "repr-digest"]
    {
        assert!(!head.contains(gone), "{gone}: {head}");
    }
    assert!(head.contains("cache-control: private, no-store"));
    for gone in ["if-none-match", "if-modified-since", "range"] {
        assert!(!got.contains(gone), "{gone}: {got}");
    }
    // Answers that nobody asked for.
    house.answers("304 Not Modified\r\nx-user: lead; role=lead", "");
    assert!(house.get("/page").await.0.starts_with("HTTP/1.1 502"));
    house.answers("206 Partial\r\nx-user: lead; role=lead\r\ncontent-type: text/html; charset=utf-8\r\ncontent-range: bytes 0-9/99", &page);
    assert!(!house.get("/page").await.1.contains("Kanarina"));
    house.answers("200 OK\r\nx-user: lead; role=lead\r\ncontent-type: text/html; charset=utf-8", "");
    let (head, body) = house.ask("HEAD /page", &[], "").await;
    assert!(head.starts_with("HTTP/1.1 200") && body.is_empty() && head.contains("no-store"), "{head}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_elsewhere_is_shown_nothing() {
    let house = House::new().await;
    let json = format!("{{\"name\":\"{}\"}}", token(1));
    let shown = async |path: &str, origin: Option<&str>, allow: Option<&str>| {
        let allow =
            allow.map(|allow| format!("\r\naccess-control-allow-origin: {allow}")).unwrap_or_default();
        house.page(&format!("application/json{allow}"), &json);
        let origin = origin.map(|origin| format!("Origin: {origin}"));
        let lines: Vec<&str> = origin.iter().map(String::as_str).collect();
        let (_, body) = house.ask(&format!("GET {path}"), &lines, "").await;
        String::from_utf8_lossy(&body).contains("Kanarina")
    };
    assert!(shown("/page", None, None).await, "the control");
    assert!(shown("/page", Some("https://localhost"), None).await);
    assert!(!shown("/page", None, Some("*")).await);
    assert!(!shown("/page", Some("https://evil.example"), Some("*")).await);
    assert!(!shown("/page", Some("https://evil.example"), Some("https://evil.example")).await);
    assert!(!shown("/page", Some("null"), Some("null")).await);
    assert!(!shown("/page", Some("https://friend.example"), Some("https://friend.example")).await);
    assert!(shown("/cors", Some("https://friend.example"), Some("https://friend.example")).await);
    assert!(!shown("/cors", Some("https://friend.example"), Some("*")).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vault_that_fails_shows_nothing_and_headers_hold_no_token() {
    let house = House::new().await;
    let page = format!("<p>{}</p>", token(1));
    let kind = format!(
        "text/html; charset=utf-8\r\nx-name: {}\r\nlocation: /w?n={}\r\nset-cookie: n={}",
        token(1),
        token(1),
        token(1)
    );
    house.page(&kind, &page);
    let (head, body) = house.get("/page").await;
    assert!(body.contains("Kanarina") && !head.contains("obh_"), "{head}");
    assert!(head.contains("x-name: Kanarina <Vogelsang>"), "{head}");
    *house.relay.fails.lock() = Some(RelayError::Unavailable);
    let (head, body) = house.get("/page").await;
    assert_eq!(body, "<p>[masked]</p>");
    assert!(!head.contains("obh_") && !head.contains(SECRET));
    *house.relay.fails.lock() = None;
    let edit = format!("<input value=\"{}\"><p>{}</p>", token(2), token(2));
    house.page("text/html; charset=utf-8", edit);
    let edit = async |cookie: &[&str]| {
        let (_, body) = house.ask("GET /edit", cookie, "").await;
        String::from_utf8(body).expect("text")
    };
    assert_eq!(edit(&[&house.cookie]).await, "<input value=\"obv_two\"><p>[masked]</p>");
    assert_eq!(edit(&[]).await, "<input value=\"[masked]\"><p>[masked]</p>");
    // A page's own program sends back what it got: that must not be the mask.
    house.page("application/json", format!("{{\"name\":\"{}\"}}", token(2)));
    assert_eq!(edit(&[&house.cookie]).await, "{\"name\":\"obv_two\"}");
}

/// What a review found: each of these committed what the app had not taken, or from nobody.
#[tokio::test(flavor = "multi_thread")]
async fn a_redirect_is_no_acceptance_and_nobody_changes_nobody() {
    let house = House::new().await;
    let settled = async |status: &str, lines: &[&str], path: &str| {
        house.relay.settled.lock().clear();
        house.relay.submitted.lock().clear();
        house.answers(status, "");
        let lines = [&[FORM], lines].concat();
        let (head, _) = house.ask(&format!("POST {path}"), &lines, "name=Eve").await;
        (head, house.relay.settled.lock().clone(), !house.relay.submitted.lock().is_empty())
    };
    let user = "x-user: lead; role=lead";
    let save = async |answer: &str| settled(answer, &[], "/save/7").await.1;
    assert_eq!(
        save(&format!("303 See Other\r\n{user}\r\nlocation: /save/7")).await,
        [Outcome::Accepted(None)]
    );
    for location in [
        "/sign-in",
        "/save/8",
        "/save/new",
        "https://evil.example/save/7",
        "/sign-in?next=https://localhost/save/7",
    ] {
        let settled = save(&format!("303 See Other\r\n{user}\r\nlocation: {location}")).await;
        assert_eq!(settled, [Outcome::Abandoned], "{location}");
    }
    assert_eq!(save(&format!("303 See Other\r\n{user}")).await, [Outcome::Abandoned], "it leads nowhere");
    // The app took it and says of nobody that he asked.
    assert_eq!(save("303 See Other\r\nlocation: /save/7").await, [Outcome::Abandoned]);
    // Where the user is known before the answer, nothing reaches the app.
    let (head, none, taken) = settled("303 See Other\r\nlocation: /keep/7", &[], "/keep/7").await;
    assert!(head.starts_with("HTTP/1.1 401") && none.is_empty() && !taken, "{head}");
    assert!(house.app_got().is_empty());
    let kept = settled("303 See Other\r\nlocation: /keep/7", &[&house.cookie], "/keep/7").await;
    assert_eq!(kept.1, [Outcome::Accepted(None)], "{}", kept.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_path_that_nearly_fits_does_not_pass_a_rule_by() {
    let house = House::new().await;
    house.answers("200 OK", "ok");
    for path in ["/save/7/", "/Save/7", "/SAVE/7/", "/new/", "/new.json", "/New.xml/"] {
        let (head, _) = house.ask(&format!("POST {path}"), &[FORM], "name=Eve").await;
        assert!(head.starts_with("HTTP/1.1 400"), "{path}: {head}");
        assert!(house.app_got().is_empty(), "{path}");
    }
    let (head, _) = house.ask("POST /saved/7", &[FORM], "name=Eve").await;
    assert!(head.starts_with("HTTP/1.1 200"), "the control: {head}");
    for name in ["Name=Eve", "name%20=Eve", "NAME=Eve&name=x"] {
        house.app.got.lock().clear();
        let (head, _) = house.ask("POST /save/7", &[FORM], name).await;
        assert!(head.starts_with("HTTP/1.1 400") && house.app_got().is_empty(), "{name}: {head}");
    }
    for claim in ["X-HTTP-Method-Override: PUT", "X-Original-URL: /other", "X-Rewrite-URL: /other"] {
        house.app.got.lock().clear();
        house.ask("GET /page", &[claim], "").await;
        let name = claim.split(':').next().unwrap_or_default().to_lowercase();
        assert!(!house.app_got().to_lowercase().contains(&name), "{claim}");
    }
}

/// What a review found: the vault made a person of each spelling, and the app changed the one.
#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_made_of_another_spelling() {
    let house = House::new().await;
    house.answers("200 OK\r\nx-user: lead; role=lead", "ok");
    for spelling in
        ["1_7", "17-x", "017", "+17", "-17", "%D9%A7", "17.0", "17.json", "%EF%BC%91", "99999999999999999999"]
    {
        let (head, _) = house.ask(&format!("POST /make/{spelling}"), &[FORM], "name=Eve").await;
        assert!(head.starts_with("HTTP/1.1 400"), "{spelling}: {head}");
        let (head, _) =
            house.ask("POST /make", &[FORM], format!("name=Eve&id={}", spelling.replace('+', "%2B"))).await;
        assert!(head.starts_with("HTTP/1.1 400"), "{spelling}: {head}");
        assert!(house.app_got().is_empty() && house.relay.submitted.lock().is_empty(), "{spelling}");
    }
    for spelling in ["17", "anna.meier", "0190c3a5-7d2e-7c3a-9b1f-0123456789ab"] {
        let (head, _) = house.ask(&format!("POST /make/{spelling}"), &[FORM], "name=Eve").await;
        assert!(head.starts_with("HTTP/1.1 200"), "{spelling}: {head}");
        let (head, _) = house.ask("POST /make", &[FORM], format!("name=Eve&id={spelling}")).await;
        assert!(head.starts_with("HTTP/1.1 200"), "{spelling}: {head}");
    }
    // Where nobody is made, the vault knows who is there.
    let (head, _) = house.ask("POST /save/1_7", &[FORM], "name=Eve").await;
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_method_is_one_to_rules_and_app_or_refused() {
    let house = House::new().await;
    house.answers("200 OK", "ok");
    for method in ["post", "Post", "POSt", "PO-ST", "POST1", "P.OST"] {
        let (head, body) = house.ask(&format!("{method} /save/7"), &[FORM], "name=Kanarina").await;
        assert!(head.starts_with("HTTP/1.1 400"), "{method}: {head}");
        assert!(String::from_utf8_lossy(&body).contains("\"bad_method\""), "{method}");
        assert!(house.app_got().is_empty(), "{method}");
        let sender = h2(&house).await;
        let request = http::Request::builder().method(method).uri("https://localhost/save/7");
        let answer = sender.clone().send_request(request.body(Full::default()).expect("a request")).await;
        assert_eq!(answer.expect("an answer").status(), 400, "{method} as HTTP/2");
        assert!(house.app_got().is_empty(), "{method}");
    }
    let (head, _) = house.ask("PROPFIND /elsewhere", &[], "").await;
    assert!(head.starts_with("HTTP/1.1 200"), "the control: {head}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_app_says_beside_its_status_goes_no_further() {
    let house = House::new().await;
    for path in ["/page", "/elsewhere"] {
        house.answers(&format!("200 {}\r\nx-user: lead; role=lead", token(1)), "ok");
        let (head, _) = house.get(path).await;
        assert!(head.starts_with("HTTP/1.1 200 OK\r\n") && !head.contains("obh_"), "{path}: {head}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_cache_on_the_way_is_told_to_keep_what_is_shown() {
    let house = House::new().await;
    let lasting = [
        "Surrogate-Control: max-age=98765",
        "CDN-Cache-Control: max-age=98765",
        "Cloudflare-CDN-Cache-Control: max-age=98765",
        "Vercel-CDN-Cache-Control: max-age=98765",
        "X-Accel-Expires: 98765",
        "Edge-Control: max-age=98765",
        "X-LiteSpeed-Cache-Control: max-age=98765",
    ];
    house.page(
        &format!("text/html; charset=utf-8\r\n{}", lasting.join("\r\n")),
        format!("<p>{}</p>", token(1)),
    );
    let (head, body) = house.get("/page").await;
    assert!(body.contains("Kanarina"), "{head} {body}");
    assert!(!head.contains("98765"), "{head}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_app_learns_of_no_proxy_from_a_client() {
    let house = House::new().await;
    house.answers("200 OK", "ok");
    house.ask("GET /elsewhere", &["Proxy: http://192.0.2.66:3128", "X-Proxy: a"], "").await;
    let got = house.app_got().to_lowercase();
    assert!(!got.contains("192.0.2.66") && got.contains("x-proxy: a"), "{got}");
}

#[tokio::test(flavor = "multi_thread")]
async fn upgrades_need_a_pass() {
    let house = House::new().await;
    house.answers("101 Switching Protocols\r\nupgrade: websocket", "");
    let lines = ["Upgrade: websocket", "Sec-WebSocket-Key: x"];
    let (head, _) = house.ask("GET /page", &lines, "").await;
    assert!(head.starts_with("HTTP/1.1 400") && house.app_got().is_empty(), "{head}");
}
