//! The routes over a whole house: what is answered to what should not be asked. Every wrong input has its code, and
//! leaves nothing behind.

use crate::door::{Door, read};
use axum::body::Body;
use console::{Console, Settings};
use http::{Method, Request, StatusCode};
use model::principal::Role;
use model::token::ApiKey;
use serde_json::{Value, json};
use tower::ServiceExt;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_closed_house_says_so_and_nothing_else() {
    let router = Console::sealed(Settings::default()).router();
    for path in ["/v1/tenants/ten_x/reveal", "/readyz", "/.well-known/obhut/keys", "/ledger/checkpoint"] {
        let method = if path.starts_with("/v1") { Method::POST } else { Method::GET };
        let request = Request::builder().method(method).uri(path).body(Body::empty()).expect("a request");
        let answer = router.clone().oneshot(request).await.expect("an answer");
        assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE, "{path}");
    }
    let request = Request::builder().uri("/healthz").body(Body::empty()).expect("a request");
    assert_eq!(router.oneshot(request).await.expect("an answer").status(), StatusCode::OK);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wrong_input_has_its_code_and_leaves_nothing_behind() {
    let door = Door::open().await;
    let world = &door.world;
    let person = world.worker(1).await;
    let own = world.key(Role::Person, Some(person)).await;
    let (app, lead, officer, admin) = (&world.app, &world.lead, &world.officer, &world.admin);
    let before = door.footprint();
    let long = "x".repeat(300);
    let erasure = format!("/v1/tenants/{{t}}/persons/{person}/erasure");
    let limit = format!("/v1/tenants/{{t}}/persons/{person}/restriction");
    let object = format!("/v1/tenants/{{t}}/persons/{person}/objection");
    let ask = |purpose: &str, days: u32| {
        let notice = crate::world::NOTICE;
        json!({"person": person, "purpose": purpose, "notice": notice, "days": days})
    };
    let cases: Vec<(&str, &ApiKey, Value, u16, &str)> = vec![
        ("/v1/tenants/{t}/persons", app, json!({"ref": "a"}), 400, "malformed_json"),
        ("/v1/tenants/{t}/persons", app, json!({"ref": "a", "fields": {}, "x": 1}), 400, "malformed_json"),
        ("/v1/tenants/{t}/persons", app, json!({"ref": "a", "fields": {"name": 7}}), 400, "malformed_json"),
        ("/v1/tenants/{t}/persons", app, json!({"ref": "", "fields": {"name": "A"}}), 422, "bad_reference"),
        ("/v1/tenants/{t}/persons", app, json!({"ref": long, "fields": {"name": "A"}}), 422, "bad_reference"),
        (
            "/v1/tenants/{t}/persons",
            app,
            json!({"ref": "a\u{7}", "fields": {"name": "A"}}),
            422,
            "bad_reference",
        ),
        ("/v1/tenants/{t}/persons", app, json!({"ref": "a", "fields": {}}), 422, "too_many_fields"),
        ("/v1/tenants/{t}/persons", app, json!({"ref": "a", "fields": {"shoe": "44"}}), 422, "unknown_field"),
        ("/v1/tenants/{t}/persons", app, json!({"ref": "a", "fields": {"name": long}}), 422, "bad_length"),
        ("/v1/tenants/{t}/persons", app, json!({"ref": "a", "fields": {"email": "x"}}), 422, "bad_email"),
        ("/v1/tenants/{t}/persons", lead, json!({"ref": "a", "fields": {"name": "A"}}), 403, "no_permission"),
        (
            "/v1/tenants/{t}/persons",
            officer,
            json!({"ref": "a", "fields": {"name": "A"}}),
            403,
            "role_may_not",
        ),
        ("/v1/tenants/{t}/reveal", lead, json!({"purpose": "rostering", "items": []}), 422, "too_many_items"),
        (
            "/v1/tenants/{t}/reveal",
            lead,
            json!({"purpose": "rostering", "items": [{}]}),
            400,
            "malformed_json",
        ),
        (
            "/v1/tenants/{t}/reveal",
            admin,
            json!({"purpose": "rostering", "items": [{"token": "x"}]}),
            403,
            "no_permission",
        ),
        ("/v1/tenants/{t}/keys", lead, json!({"name": "k", "role": "app"}), 403, "no_permission"),
        ("/v1/tenants/{t}/keys", admin, json!({"name": "k", "role": "person"}), 422, "bad_subject"),
        ("/v1/tenants/{t}/keys", admin, json!({"name": "k", "role": "system"}), 422, "bad_role"),
        ("/v1/tenants/{t}/keys", admin, json!({"name": "k", "role": "god"}), 400, "malformed_json"),
        ("/v1/tenants/{t}/keys", admin, json!({"name": "", "role": "app"}), 422, "bad_name"),
        ("/v1/tenants/{t}/keys", admin, json!({"name": long, "role": "app"}), 422, "bad_name"),
        (
            "/v1/tenants/{t}/keys",
            admin,
            json!({"name": "k", "role": "app", "zone": ["10.0.0.0/8", "x"]}),
            422,
            "bad_zone",
        ),
        (
            "/v1/tenants/{t}/keys",
            admin,
            json!({"name": "k", "role": "app", "expires_ms": 1}),
            422,
            "bad_expiry",
        ),
        ("/v1/tenants/{t}/consents/con_x/give", &own, json!({"digest": "00"}), 404, "not_found"),
        (&erasure, lead, json!({}), 403, "no_permission"),
        ("/v1/tenants/{t}/persons/per_x/erasure", officer, json!({}), 404, "not_found"),
        ("/v1/tenants/{t}/notices", officer, json!({"name": "N!", "texts": {"de": "x"}}), 422, "bad_name"),
        ("/v1/tenants/{t}/notices", officer, json!({"name": "n", "texts": {}}), 422, "bad_languages"),
        (&limit, officer, json!({"fields": ["shoe"], "active": true}), 422, "unknown_field"),
        (&limit, officer, json!({"fields": ["name"], "active": "yes"}), 400, "malformed_json"),
        (&object, &own, json!({"purpose": "nothing", "active": true}), 422, "unknown_purpose"),
        ("/v1/tenants/{t}/consents", officer, ask("bem", 0), 422, "bad_term"),
        ("/v1/tenants/{t}/consents", officer, ask("rostering", 1), 422, "unknown_purpose"),
        ("/v1/nowhere", app, json!({}), 404, "not_found"),
    ];
    for (path, key, body, status, code) in cases {
        let (got, answer) = door.post(path, key, body.clone()).await;
        assert_eq!((got.as_u16(), answer["code"].as_str()), (status, Some(code)), "{path} {body}");
    }
    wrong_requests(&door).await;
    assert_eq!(door.footprint(), before, "nothing was left behind");
}

/// What is wrong before the body is looked at.
async fn wrong_requests(door: &Door) {
    let (app, lead) = (&door.world.app, &door.world.lead);
    let (status, answer) = door.send(Method::PUT, "/v1/tenants/{t}/reveal", Some(lead), Vec::new()).await;
    assert_eq!((status.as_u16(), answer["code"].as_str()), (405, Some("method_not_allowed")));
    let (status, _) = door.send(Method::POST, "/v1/tenants/{t}/find", None, Vec::new()).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    let (status, answer) =
        door.send(Method::POST, "/v1/tenants/{t}/find", Some(app), vec![b' '; (1 << 20) + 1]).await;
    assert_eq!((status.as_u16(), answer["code"].as_str()), (413, Some("body_too_large")));
    let accesses = "/v1/tenants/{t}/persons/per_00000000000000000000000000/accesses";
    for query in ["limit=x", "limit=-1", "other=1", "limit=1&limit=2"] {
        let (status, answer) = door.get(&format!("{accesses}?{query}"), &door.world.officer).await;
        assert_eq!((status.as_u16(), answer["code"].as_str()), (400, Some("bad_request")), "{query}");
    }
    let (status, answer) = door.get(&format!("{accesses}?limit=1"), &door.world.officer).await;
    assert_eq!((status.as_u16(), answer["code"].as_str()), (404, Some("unknown_person")));
    let request = door.request(&Method::POST, "/v1/tenants/{t}/find", Some(app));
    let mut request = request.body(Body::from(r#"{"field": "ref", "value": "x"}"#)).expect("a request");
    request.headers_mut().insert("content-type", "text/plain".parse().expect("a value"));
    let (status, answer) = read(door.answer(request).await).await;
    assert_eq!((status.as_u16(), answer["code"].as_str()), (415, Some("unsupported_media_type")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_problem_says_where_and_repeats_nothing() {
    let door = Door::open().await;
    let (app, admin) = (&door.world.app, &door.world.admin);
    let canary = "kanarina";
    let body = format!("{{\"ref\": \"{canary}\",\n  \"fields\": {{\"name\": {{}}}}}}");
    let (_, answer) = door.send(Method::POST, "/v1/tenants/{t}/persons", Some(app), body.into_bytes()).await;
    assert_eq!((answer["line"].as_u64(), answer["code"].as_str()), (Some(2), Some("malformed_json")));
    let twice = format!("{{\"ref\": \"r\", \"fields\": {{\"name\": \"A\", \"name\": \"{canary}\"}}}}");
    let (status, twice) =
        door.send(Method::POST, "/v1/tenants/{t}/persons", Some(app), twice.into_bytes()).await;
    assert_eq!(status.as_u16(), 400, "a repeated member");
    let wrong = json!({"ref": "r", "fields": {"name": "A", "email": canary}});
    let (_, wrong) = door.post("/v1/tenants/{t}/persons", app, wrong).await;
    assert_eq!((wrong["code"].as_str(), wrong["field"].as_str()), (Some("bad_email"), Some("email")));
    assert!(wrong["request"].as_str().is_some_and(|request| request.starts_with("req_")));
    let unknown = json!({"ref": "r", "fields": {"email": "a@example.org", canary: "x"}});
    let (_, unknown) = door.post("/v1/tenants/{t}/persons", app, unknown).await;
    assert_eq!((unknown["code"].as_str(), unknown["index"].as_u64()), (Some("unknown_field"), Some(1)));
    let zone = json!({"name": "k", "role": "app", "zone": ["10.0.0.0/8", canary]});
    let (_, zone) = door.post("/v1/tenants/{t}/keys", admin, zone).await;
    assert_eq!(zone["index"].as_u64(), Some(1));
    let items = json!({"purpose": "p", "items": [{"token": "x"}, {"token": canary, "fields": []}]});
    let (_, items) = door.post("/v1/tenants/{t}/reveal", app, items).await;
    assert_eq!((items["code"].as_str(), items["index"].as_u64()), (Some("malformed_json"), Some(1)));
    for answer in [answer, twice, wrong, unknown, zone, items] {
        assert!(!answer.to_string().contains(canary), "{answer}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_tenant_looks_like_none() {
    let door = Door::open().await;
    let other = door.world.vault.create_tenant("Other").await.expect("a tenant");
    let there = format!("/v1/tenants/{}/find", other.tenant);
    let nowhere = "/v1/tenants/ten_00000000000000000000000000/find";
    let body = json!({"field": "ref", "value": "x"});
    let one = door.post(&there, &door.world.app, body.clone()).await;
    let two = door.post(nowhere, &door.world.app, body).await;
    assert_eq!(one, two);
    assert_eq!(one.0, StatusCode::NOT_FOUND);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_idempotency_key_does_it_once() {
    let door = Door::open().await;
    let send = |body: Value| {
        let request = Request::builder()
            .method(Method::POST)
            .uri(format!("/v1/tenants/{}/persons", door.world.tenant))
            .header("content-type", "application/json")
            .header("idempotency-key", "once")
            .header("authorization", format!("Bearer {}", door.world.app.reveal()))
            .body(Body::from(body.to_string()))
            .expect("a request");
        let router = door.router.clone();
        async move {
            let answer = router.oneshot(request).await.expect("an answer");
            let (status, body) = read(answer).await;
            (status.as_u16(), body)
        }
    };
    let body = json!({"ref": "r", "fields": {"name": "N"}});
    let (status, first) = send(body.clone()).await;
    let before = door.footprint();
    let (again, second) = send(body).await;
    assert_eq!((status, again), (201, 201));
    assert_eq!((&first["person"], &first["tokens"]), (&second["person"], &second["tokens"]));
    assert_eq!(door.footprint(), before, "the second one did nothing");
    let (status, answer) = send(json!({"ref": "r", "fields": {"name": "M"}})).await;
    assert_eq!((status, answer["code"].as_str()), (409, Some("idempotency_mismatch")));
}
