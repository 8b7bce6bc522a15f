//! What answers carry besides their content, and what is counted and said of them.

use crate::door::{Door, read};
use axum::body::Body;
use console::{AccessLog, Line};
use http::{HeaderMap, Method, StatusCode};
use http_body_util::BodyExt;
use model::principal::Role;
use serde_json::json;
use std::sync::{Arc, Mutex};

async fn headers(door: &Door, method: Method, path: &str, officer: bool) -> (StatusCode, HeaderMap) {
    let key = officer.then_some(&door.world.officer);
    let request = door.request(&method, path, key).body(Body::empty()).expect("a request");
    let answer = door.answer(request).await;
    (answer.status(), answer.headers().clone())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_answer_carries_its_headers() {
    let door = Door::open().await;
    let person = door.world.worker(1).await;
    let export = format!("/v1/tenants/{{t}}/persons/{person}/export");
    for (method, path, officer, status) in [
        (Method::GET, "/healthz", false, 200),
        (Method::GET, "/nowhere", false, 404),
        (Method::PUT, "/healthz", false, 405),
        (Method::GET, "/v1/openapi.json", false, 200),
        (Method::GET, "/ledger/checkpoint", true, 200),
        (Method::GET, &export, false, 401),
        (Method::GET, &export, true, 200),
    ] {
        let (got, headers) = headers(&door, method, path, officer).await;
        assert_eq!(got.as_u16(), status, "{path}");
        assert_eq!(headers["x-content-type-options"], "nosniff", "{path}");
        assert_eq!(headers["content-security-policy"], "default-src 'none'", "{path}");
        assert_eq!(headers["referrer-policy"], "no-referrer", "{path}");
        assert!(headers["strict-transport-security"].to_str().is_ok_and(|age| age.contains("max-age=")));
        assert_eq!(headers["cache-control"], "no-store", "{path}");
        let kind = headers["content-type"].to_str().expect("text");
        assert_eq!(status >= 400, kind == "application/problem+json", "{path}: {kind}");
        assert_eq!(status == 401, headers.contains_key("www-authenticate"), "{path}");
        assert_eq!(status == 405, headers.contains_key("allow"), "{path}");
    }
}

#[derive(Default)]
struct Lines(Mutex<Vec<Line>>);

impl AccessLog for Lines {
    fn answered(&self, line: &Line) {
        self.0.lock().expect("not poisoned").push(*line);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_line_says_what_was_answered_and_nothing_of_it() {
    let lines = Arc::new(Lines::default());
    let door = Door::open_with_log(lines.clone()).await;
    let (app, canary) = (&door.world.app, "kanarina");
    let body = json!({"ref": canary, "fields": {"name": canary, "email": "kanarina@example.org"}});
    let (_, stored) = door.post("/v1/tenants/{t}/persons?kanarina=1", app, body).await;
    let token = stored["tokens"]["name"].as_str().expect("a token").to_owned();
    let ask = json!({"purpose": "rostering", "items": [{"token": token}]});
    let (_, read) = door.post("/v1/tenants/{t}/reveal", app, ask).await;
    assert_eq!(read["items"][0][0]["value"], canary);
    door.get("/v1/tenants/{t}/persons/kanarina/export?kanarina", app).await;
    door.get("/kanarina", app).await;
    let method = Method::from_bytes(b"KANARINA").expect("a method");
    door.send(method, "/healthz", None, Vec::new()).await;
    let lines = lines.0.lock().expect("not poisoned").clone();
    let said: Vec<_> = lines.iter().map(|line| (line.method, line.route, line.status, line.code)).collect();
    let persons = "/v1/tenants/{tenant}/persons";
    let export = "/v1/tenants/{tenant}/persons/{person}/export";
    assert_eq!(
        said,
        [
            ("POST", persons, 201, None),
            ("POST", "/v1/tenants/{tenant}/reveal", 200, None),
            ("GET", export, 404, Some("not_found")),
            ("GET", "none", 404, Some("not_found")),
            ("other", "/healthz", 405, Some("method_not_allowed")),
        ]
    );
    let requests: Vec<_> = lines.iter().map(|line| line.request.map(|one| one.to_string())).collect();
    assert_eq!(requests[1].as_deref(), read["request"].as_str(), "as in the answer");
    assert!(requests[0].is_some() && requests[2].is_some() && requests[3].is_none());
    let text = format!("{lines:?}").to_lowercase();
    let secret = app.reveal();
    for canary in [canary, &token, &secret, &secret[4..20]] {
        assert!(!text.contains(&canary.to_lowercase()), "{canary} in {text}");
    }
    assert!(text.contains("/reveal"), "the search can find something");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn figures_are_of_routes_in_steps_of_five() {
    let door = Door::open().await;
    let person = door.world.worker(1).await;
    let ask =
        json!({"purpose": "rostering", "items": [{"person": person, "fields": ["name", "health_note"]}]});
    let mut figures = Vec::new();
    for _ in 0..5 {
        door.post("/v1/tenants/{t}/reveal", &door.world.lead, ask.clone()).await;
        let request = door.request(&Method::GET, "/metrics", None).body(Body::empty()).expect("a request");
        let body = door.answer(request).await.into_body().collect().await.expect("a body").to_bytes();
        figures.push(String::from_utf8(body.to_vec()).expect("text"));
    }
    let reveals =
        "obhut_requests_total{route=\"/v1/tenants/{tenant}/reveal\",method=\"POST\",class=\"2xx\"} 5";
    assert!(figures[..4].iter().all(|text| !text.contains("/reveal\"")), "four are not shown");
    assert!(figures[4].contains(reveals), "{}", figures[4]);
    assert!(figures[4].contains("obhut_values_total{outcome=\"released\"} 5"));
    assert!(figures[4].contains("obhut_values_total{outcome=\"withheld\"} 5"));
    assert!(figures[4].contains("obhut_sealed 0") && figures[4].contains("obhut_ledger_up 1"));
    for name in [door.world.tenant.to_string(), person.to_string(), "rostering".into(), "health".into()] {
        assert!(!figures[4].contains(&name), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_certificate_and_the_ledger_are_served_as_what_they_are() {
    let door = Door::open().await;
    let (officer, person) = (&door.world.officer, door.world.worker(1).await);
    let erasure = format!("/v1/tenants/{{t}}/persons/{person}/erasure");
    let (status, before) = door.get(&erasure, officer).await;
    assert_eq!((status.as_u16(), before["code"].as_str()), (404, Some("unknown_erasure")));
    let (status, erased) = door.post(&erasure, officer, json!({})).await;
    assert_eq!((status, &erased["ledger"]), (StatusCode::OK, &json!("durable")));
    assert!(erased["certificate"].as_str().is_some_and(|id| id.starts_with("crt_")));
    assert_eq!(erased["erased_at"], "2026-11-23T12:00:00Z");
    let (status, again) = door.post(&erasure, officer, json!({})).await;
    assert_eq!((status.as_u16(), again["code"].as_str()), (404, Some("unknown_person")));
    let request = door.request(&Method::GET, &erasure, Some(officer)).body(Body::empty()).expect("a request");
    let answer = door.answer(request).await;
    assert_eq!(answer.headers()["content-type"], "application/vnd.dsse.envelope.v1+json");
    let (_, envelope) = read(answer).await;
    assert!(
        envelope["payload"].is_string()
            && envelope["signatures"].as_array().is_some_and(|all| all.len() == 2)
    );
    let auditor = door.world.key(Role::Auditor, None).await;
    for (path, status) in
        [("checkpoint", 200), ("tile/0/000", 404), ("../keys.db", 404), ("tile/entries/x", 404)]
    {
        let request = door.request(&Method::GET, &format!("/ledger/{path}"), Some(&auditor));
        let answer = door.answer(request.body(Body::empty()).expect("a request")).await;
        assert_eq!(answer.status().as_u16(), status, "{path}");
    }
}
