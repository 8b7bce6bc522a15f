//! Sign-in, sessions, forms and headers: what a browser can do with the console, and what another site cannot make it do.

use crate::door::Door;
use crate::guest::{Guest, HOST, SESSION};
use axum::body::Body;
use console::{Console, Settings};
use http::{Method, Request, StatusCode, header};
use model::principal::Role;
use model::token::SessionKey;
use serde_json::json;
use std::net::IpAddr;
use tower::ServiceExt;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn opening_a_link_uses_nothing_up_and_the_button_does() {
    let door = Door::open().await;
    let link = Guest::link(&door, Role::PrivacyOfficer, None).await;
    let mut scanner = Guest::new();
    let before = door.footprint();
    for method in [Method::GET, Method::HEAD, Method::GET] {
        let request =
            scanner.request(method, &format!("/sign-in/{link}")).body(Body::empty()).expect("a request");
        let seen = scanner.send(&door, request).await;
        assert_eq!(seen.status, StatusCode::OK);
        assert!(scanner.cookies.is_empty());
    }
    assert_eq!(door.footprint(), before, "looking changed something");
    let mut guest = Guest::new();
    let page = guest.get(&door, &format!("/sign-in/{link}")).await;
    assert!(page.text.contains(&link) && page.text.contains("method=\"post\""));
    let entered = guest.post(&door, "/sign-in", &[("link", &link)]).await;
    assert_eq!((entered.status, entered.to()), (StatusCode::SEE_OTHER, "/console"));
    let set = entered.header("set-cookie");
    for part in ["; Path=/", "; Secure", "; HttpOnly", "; SameSite=Strict"] {
        assert!(set.contains(part), "{set}");
    }
    assert!(!set.contains("Domain") && set.starts_with(SESSION));
    let again = Guest::new().post(&door, "/sign-in", &[("link", &link)]).await;
    assert_eq!(again.status, StatusCode::FORBIDDEN);
    assert!(again.text.contains("sign_in_refused") && again.header("set-cookie").is_empty());
    for broken in [&link[..link.len() - 1], "", "obl_x", &link.replace("obl_", "obk_")] {
        let refused = Guest::new().post(&door, "/sign-in", &[("link", broken)]).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN, "{broken}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_ends_when_its_holder_says_so() {
    let door = Door::open().await;
    let mut guest = Guest::signed_in(&door, Role::Auditor, None).await;
    assert_eq!(guest.get(&door, "/").await.to(), "/console");
    guest.get(&door, "/nothing-is-here").await;
    assert!(guest.token.is_some(), "the page of a session carries its token");
    let held = guest.clone();
    let left = guest.post(&door, "/sign-out", &[]).await;
    assert_eq!((left.status, left.to()), (StatusCode::SEE_OTHER, "/sign-in"));
    assert!(!guest.cookies.contains_key(SESSION));
    // The cookie that somebody kept is worth nothing.
    assert_eq!(held.clone().get(&door, "/").await.to(), "/sign-in");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_person_has_her_own_door() {
    let door = Door::open().await;
    let person = door.world.worker(1).await;
    let mut guest = Guest::signed_in(&door, Role::Person, Some(person)).await;
    assert_eq!(guest.get(&door, "/").await.to(), "/my");
}

/// Forms that must be refused, as (origin, token of the form).
fn forgeries(token: &str) -> Vec<(Option<String>, Option<String>)> {
    let ours = Some(format!("https://{HOST}"));
    let mut wrong = token.to_owned();
    let last = if wrong.ends_with('0') { "1" } else { "0" };
    wrong.replace_range(wrong.len() - 1.., last);
    vec![
        (Some("https://evil.example".into()), Some(token.to_owned())),
        (Some(format!("http://{HOST}")), Some(token.to_owned())),
        (Some(format!("https://{HOST}:8443")), Some(token.to_owned())),
        (Some(format!("https://{HOST}.evil.example")), Some(token.to_owned())),
        (Some("null".into()), Some(token.to_owned())),
        (None, Some(token.to_owned())),
        (ours.clone(), None),
        (ours.clone(), Some(String::new())),
        (ours.clone(), Some(wrong)),
        (ours, Some("zz".into())),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_site_cannot_send_a_form() {
    let door = Door::open().await;
    let mut guest = Guest::signed_in(&door, Role::Admin, None).await;
    guest.get(&door, "/nothing-is-here").await;
    let token = guest.token.clone().expect("a token");
    let mut other = Guest::signed_in(&door, Role::Admin, None).await;
    other.get(&door, "/nothing-is-here").await;
    let foreign = other.token.clone().expect("a token");
    assert_ne!(foreign, token, "each session has its own");
    let ours = Some(format!("https://{HOST}"));
    let mut tried = forgeries(&token);
    tried.push((ours.clone(), Some(foreign)));
    for (origin, carried) in tried {
        for path in ["/sign-out", "/prefer/language", "/prefer/theme"] {
            let mut fields = vec![("language", "de"), ("theme", "dark")];
            fields.extend(carried.as_deref().map(|token| ("form-token", token)));
            let refused = guest.post_from(&door, path, &fields, origin.as_deref()).await;
            assert_eq!(refused.status, StatusCode::FORBIDDEN, "{path} {origin:?} {carried:?}");
            assert!(refused.text.contains("form_refused") && refused.header("set-cookie").is_empty());
        }
    }
    assert_eq!(guest.get(&door, "/").await.to(), "/console", "still signed in");
    let fields = [("form-token", token.as_str())];
    let left = guest.post_from(&door, "/sign-out", &fields, ours.as_deref()).await;
    assert_eq!(left.status, StatusCode::SEE_OTHER, "the right form is taken");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_signed_in_can_use_a_link_from_a_mail() {
    let door = Door::open().await;
    let mut guest = Guest::signed_in(&door, Role::Auditor, None).await;
    let before = guest.cookies[SESSION].clone();
    // A page that is opened from elsewhere comes without the cookie, and its form without a token.
    let link = Guest::link(&door, Role::Admin, None).await;
    let entered =
        guest.post_from(&door, "/sign-in", &[("link", &link)], Some(&format!("https://{HOST}"))).await;
    assert_eq!(entered.status, StatusCode::SEE_OTHER);
    assert_ne!(guest.cookies[SESSION], before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_is_signed_in_by_another_site() {
    let door = Door::open().await;
    let link = Guest::link(&door, Role::Admin, None).await;
    for origin in [None, Some("https://evil.example"), Some("null")] {
        let refused = Guest::new().post_from(&door, "/sign-in", &[("link", &link)], origin).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN, "{origin:?}");
        assert!(refused.header("set-cookie").is_empty());
    }
    let json = Guest::new().request(Method::POST, "/sign-in");
    let json =
        json.header(header::ORIGIN, format!("https://{HOST}")).header(header::CONTENT_TYPE, "text/plain");
    let json = json.body(Body::from(format!("link={link}"))).expect("a request");
    assert_eq!(Guest::new().send(&door, json).await.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    let entered = Guest::new().post(&door, "/sign-in", &[("link", &link)]).await;
    assert_eq!(entered.status, StatusCode::SEE_OTHER, "the link was not used up meanwhile");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sessions_are_for_pages_and_keys_for_the_api() {
    let door = Door::open().await;
    let guest = Guest::signed_in(&door, Role::Admin, None).await;
    let session = guest.cookies[SESSION].clone();
    let purposes = door.path("/v1/tenants/{t}/purposes");
    let bearer = |text: &str| format!("Bearer {text}");
    // A session opens nothing of the API, neither as a cookie nor as a key.
    let request = guest.request(Method::GET, &purposes).body(Body::empty()).expect("a request");
    assert_eq!(door.answer(request).await.status(), StatusCode::UNAUTHORIZED);
    for text in [session.clone(), session.replace("obs_", "obk_")] {
        let request =
            Guest::new().request(Method::GET, &purposes).header(header::AUTHORIZATION, bearer(&text));
        let status = door.answer(request.body(Body::empty()).expect("a request")).await.status();
        assert_eq!(status, StatusCode::UNAUTHORIZED);
    }
    // A key opens no page, neither as such nor in the cookie.
    let key = door.world.admin.reveal();
    let mut with_key = Guest::new();
    let request = with_key.request(Method::GET, "/").header(header::AUTHORIZATION, bearer(&key));
    let page = with_key.send(&door, request.body(Body::empty()).expect("a request")).await;
    assert_eq!(page.status, StatusCode::BAD_REQUEST);
    for text in [key.clone(), key.replace("obk_", "obs_")] {
        with_key.cookies.insert(SESSION.to_owned(), text);
        assert_eq!(with_key.get(&door, "/").await.to(), "/sign-in");
    }
    // Both at once are refused by both.
    for path in ["/", purposes.as_str()] {
        let request = guest.request(Method::GET, path).header(header::AUTHORIZATION, bearer(&key));
        let answer = door.answer(request.body(Body::empty()).expect("a request")).await;
        assert_eq!(answer.status(), StatusCode::BAD_REQUEST, "{path}");
    }
    let (status, _) = door.get("/v1/tenants/{t}/purposes", &door.world.admin).await;
    assert_eq!(status, StatusCode::OK, "the key alone is good");
    // Two cookies of one name are none.
    let twice = format!("{SESSION}={session}; {SESSION}={session}");
    let request = Guest::new().request(Method::GET, "/").header(header::COOKIE, twice);
    let page = Guest::new().send(&door, request.body(Body::empty()).expect("a request")).await;
    assert_eq!(page.to(), "/sign-in");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_revoked_or_expired_session_is_over() {
    let door = Door::open().await;
    let mut guest = Guest::signed_in(&door, Role::Auditor, None).await;
    let key = SessionKey::parse(&guest.cookies[SESSION]).expect("a session");
    let principal = door.world.vault.session(&key, |_| true).expect("open").principal.id;
    let admin = door.world.ctx(&door.world.admin);
    door.world.vault.revoke_key(&admin, door.world.tenant, principal).await.expect("revoked");
    assert_eq!(guest.get(&door, "/").await.to(), "/sign-in");
    let mut late = Guest::signed_in(&door, Role::Auditor, None).await;
    door.world.clock.advance_ms(vault::sessions::SESSION_MS);
    assert_eq!(late.get(&door, "/").await.to(), "/sign-in");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn attempts_to_sign_in_are_counted_by_network() {
    let door = Door::open().await;
    let link = Guest::link(&door, Role::Auditor, None).await;
    let from = |address: &str, link: String| {
        let request =
            Guest::new().request(Method::POST, "/sign-in").header(header::ORIGIN, format!("https://{HOST}"));
        let request = request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        let mut request = request.body(Body::from(format!("link={link}"))).expect("a request");
        request.extensions_mut().insert(console::Peer(address.parse::<IpAddr>().expect("an address")));
        request
    };
    for _ in 0..20 {
        let refused = door.answer(from("192.0.2.1", "nonsense".into())).await;
        assert_eq!(refused.status(), StatusCode::FORBIDDEN);
    }
    let refused = door.answer(from("192.0.2.1", link.clone())).await;
    assert_eq!(refused.status(), StatusCode::TOO_MANY_REQUESTS);
    let entered = door.answer(from("192.0.2.2", link)).await;
    assert_eq!(entered.status(), StatusCode::SEE_OTHER, "and the link was not used up");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_page_has_its_headers() {
    let door = Door::open().await;
    let mut guest = Guest::signed_in(&door, Role::PrivacyOfficer, None).await;
    for path in ["/sign-in", "/sign-in/nonsense", "/nothing-is-here"] {
        let page = guest.get(&door, path).await;
        let policy = page.header("content-security-policy");
        for part in [
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "form-action 'self'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
        ] {
            assert!(policy.contains(part), "{path}: {policy}");
        }
        assert!(!policy.contains("unsafe") && !policy.contains('*') && !policy.contains("data:"));
        assert_eq!(page.header("cache-control"), "private, no-store", "{path}");
        assert_eq!(page.header("referrer-policy"), "same-origin");
        assert_eq!(page.header("x-content-type-options"), "nosniff");
        assert_eq!(page.header("x-frame-options"), "DENY");
        assert!(page.header("strict-transport-security").starts_with("max-age="));
        assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
        for inline in ["<style", "style=\"", "<script>", " onclick", "javascript:", "http://"] {
            assert!(!page.text.contains(inline), "{path}: {inline}");
        }
    }
    // The API keeps what it had.
    let answer = door.request(&Method::GET, "/v1/openapi.json", None).body(Body::empty()).expect("a request");
    let answer = door.answer(answer).await;
    assert_eq!(answer.headers()["content-security-policy"], "default-src 'none'");
    assert_eq!(answer.headers()["referrer-policy"], "no-referrer");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_pages_are_drawn_with_may_be_kept_for_ever() {
    let door = Door::open().await;
    let mut guest = Guest::new();
    let page = guest.get(&door, "/sign-in").await;
    let names: Vec<&str> =
        page.text.split("\"/static/").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    assert_eq!(names.len(), 3, "style, script, icon: {names:?}");
    for name in names {
        let file = guest.get(&door, &format!("/static/{name}")).await;
        assert_eq!(file.status, StatusCode::OK, "{name}");
        assert_eq!(file.header("cache-control"), "public, max-age=31536000, immutable");
        assert_eq!(file.header("x-content-type-options"), "nosniff");
        let kind = match name.rsplit('.').next() {
            Some("css") => "text/css; charset=utf-8",
            Some("js") => "text/javascript; charset=utf-8",
            _ => "image/svg+xml",
        };
        assert_eq!(file.header("content-type"), kind);
    }
    let edition =
        page.text.split("/static/").nth(1).and_then(|rest| rest.split('/').next()).expect("an edition");
    for font in ["source-sans-3.woff2", "source-serif-4.woff2", "atkinson-hyperlegible-mono.woff2"] {
        let file = guest.get(&door, &format!("/static/{edition}/{font}")).await;
        assert_eq!((file.status, file.header("content-type")), (StatusCode::OK, "font/woff2"));
    }
    for other in ["/static/0/obhut.css".to_owned(), format!("/static/{edition}/secret.css")] {
        assert_eq!(guest.get(&door, &other).await.status, StatusCode::NOT_FOUND);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn language_and_colours_are_chosen_by_a_form() {
    let door = Door::open().await;
    let mut guest = Guest::new();
    let english = guest.get(&door, "/sign-in").await;
    assert!(english.text.contains("<html lang=\"en\">") && english.text.contains("<h1>Sign in</h1>"));
    let chosen = guest.post(&door, "/prefer/language", &[("language", "de"), ("back", "/sign-in")]).await;
    assert_eq!((chosen.status, chosen.to()), (StatusCode::SEE_OTHER, "/sign-in"));
    let chosen = guest.post(&door, "/prefer/theme", &[("theme", "dark"), ("back", "//evil.example")]).await;
    assert_eq!(chosen.to(), "/", "never elsewhere");
    let german = guest.get(&door, "/sign-in").await;
    assert!(german.text.contains("<html lang=\"de\" class=\"dark\">"), "{}", &german.text[..200]);
    assert!(german.text.contains("<h1>Anmelden</h1>"));
    guest.post(&door, "/prefer/theme", &[("theme", "system"), ("back", "/")]).await;
    assert!(guest.get(&door, "/sign-in").await.text.contains("<html lang=\"de\">"));
    for (path, field) in [("/prefer/language", "language"), ("/prefer/theme", "theme")] {
        assert_eq!(guest.post(&door, path, &[(field, "\"><x>")]).await.status, StatusCode::BAD_REQUEST);
    }
    let french = Guest { language: "fr", ..Guest::new() }.get(&door, "/sign-in").await;
    assert!(french.text.contains("lang=\"en\""), "English where nothing fits");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn problems_are_pages_for_browsers_and_documents_for_programs() {
    let door = Door::open().await;
    let mut guest = Guest { language: "de", ..Guest::new() };
    let page = guest.get(&door, "/nothing-is-here").await;
    assert_eq!(page.status, StatusCode::NOT_FOUND);
    assert!(page.text.contains("Diese Seite gibt es nicht.") && page.text.contains("not_found"));
    for (path, accept) in
        [("/v1/nothing", "text/html"), ("/nothing-is-here", "*/*"), ("/ledger/x", "text/html")]
    {
        let request = Request::builder().uri(path).header(header::ACCEPT, accept).body(Body::empty());
        let answer = door.answer(request.expect("a request")).await;
        let kind = answer.headers()[header::CONTENT_TYPE].to_str().expect("text").to_owned();
        assert!(kind.starts_with("application/problem+json"), "{path}: {kind}");
    }
    let sealed = Console::sealed(Settings::default()).router();
    let request = guest.request(Method::GET, "/").body(Body::empty()).expect("a request");
    let answer = sealed.oneshot(request).await.expect("an answer");
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(answer.headers()[header::CONTENT_TYPE].to_str().expect("text").starts_with("text/html"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_of_the_administrator_issues_links() {
    let door = Door::open().await;
    let path = "/v1/tenants/{t}/links";
    let admin = &door.world.admin;
    let order = json!({"name": "M. Adeyemi", "role": "privacy_officer"});
    let (status, link) = door.post(path, admin, order).await;
    assert_eq!(status, StatusCode::CREATED, "{link}");
    let at = link["path"].as_str().expect("a path");
    assert_eq!(link["expires_ms"], json!(model::Clock::now(&door.world.clock).0 + 86_400_000), "a day");
    let mut guest = Guest::new();
    assert_eq!(guest.get(&door, at).await.status, StatusCode::OK);
    let secret = at.rsplit('/').next().expect("a link");
    assert_eq!(guest.post(&door, "/sign-in", &[("link", secret)]).await.to(), "/console");
    let far = model::Clock::now(&door.world.clock).0 + 8 * 86_400_000;
    for (order, code) in [
        (json!({"name": "x", "role": "app"}), "bad_role"),
        (json!({"name": "x", "role": "system"}), "bad_role"),
        (json!({"name": "x", "role": "person"}), "bad_subject"),
        (json!({"name": "", "role": "auditor"}), "bad_name"),
        (json!({"name": "x", "role": "auditor", "zone": ["nowhere"]}), "bad_zone"),
        (json!({"name": "x", "role": "auditor", "expires_ms": far}), "bad_expiry"),
        (json!({"name": "x", "role": "auditor", "expires_ms": 1}), "bad_expiry"),
    ] {
        let (status, problem) = door.post(path, admin, order).await;
        assert_eq!((status, &problem["code"]), (StatusCode::UNPROCESSABLE_ENTITY, &json!(code)), "{problem}");
    }
}
