//! The routes over a whole house: what is answered to what should not be asked. Every wrong input has its code, and
//! leaves nothing behind.

#[path = "../../vault/tests/world/mod.rs"]
mod world;

use axum::body::Body;
use console::{Console, Settings};
use http::{Method, Request, StatusCode};
use http_body_util::BodyExt;
use model::principal::Role;
use model::token::ApiKey;
use proptest::prelude::*;
use serde_json::{Value, json};
use tower::ServiceExt;
use world::World;

struct Door {
    world: World,
    router: axum::Router,
}

impl Door {
    async fn open() -> Self {
        let world = World::new().await;
        let console = Console::sealed(Settings::default());
        console.open(world.vault.clone());
        Self { router: console.router(), world }
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        key: Option<&ApiKey>,
        body: Vec<u8>,
    ) -> (StatusCode, Value) {
        let path = path.replace("{t}", &self.world.tenant.to_string());
        let mut request =
            Request::builder().method(method).uri(path).header("content-type", "application/json");
        if let Some(key) = key {
            request = request.header("authorization", format!("Bearer {}", key.reveal()));
        }
        let request = request.body(Body::from(body)).expect("a request");
        let answer = self.router.clone().oneshot(request).await.expect("an answer");
        let status = answer.status();
        let body = answer.into_body().collect().await.expect("a body").to_bytes();
        (status, serde_json::from_slice(&body).unwrap_or(Value::Null))
    }

    async fn post(&self, path: &str, key: &ApiKey, body: Value) -> (StatusCode, Value) {
        self.send(Method::POST, path, Some(key), body.to_string().into_bytes()).await
    }

    /// How many persons, documents and outbox rows there are: what a refused request must not change.
    fn footprint(&self) -> (u64, usize, u64) {
        let snapshot = self.world.store.snapshot().expect("read");
        let persons = snapshot.count_persons(self.world.tenant, None).expect("read");
        let consents =
            (1..=5).map(|kind| snapshot.documents(self.world.tenant, kind, None, 1_000).expect("read").len());
        (persons, consents.sum(), self.world.ledger.status().durable)
    }
}

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
        ("/v1/tenants/{t}/keys", admin, json!({"name": "k", "role": "system"}), 400, "malformed_json"),
        (
            "/v1/tenants/{t}/keys",
            admin,
            json!({"name": "k", "role": "app", "zone": ["x"]}),
            400,
            "malformed_json",
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
        ("/v1/nowhere", app, json!({}), 404, "not_found"),
    ];
    for (path, key, body, status, code) in cases {
        let (got, answer) = door.post(path, key, body.clone()).await;
        assert_eq!((got.as_u16(), answer["code"].as_str()), (status, Some(code)), "{path} {body}");
    }
    let (status, answer) = door.send(Method::PUT, "/v1/tenants/{t}/reveal", Some(lead), Vec::new()).await;
    assert_eq!((status.as_u16(), answer["code"].as_str()), (405, Some("method_not_allowed")));
    let (status, _) = door.send(Method::POST, "/v1/tenants/{t}/find", None, Vec::new()).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    let (status, answer) =
        door.send(Method::POST, "/v1/tenants/{t}/find", Some(app), vec![b' '; (1 << 20) + 1]).await;
    assert_eq!((status.as_u16(), answer["code"].as_str()), (413, Some("body_too_large")));
    assert_eq!(door.footprint(), before, "nothing was left behind");
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
            let status = answer.status().as_u16();
            let body = answer.into_body().collect().await.expect("a body").to_bytes();
            (status, serde_json::from_slice::<Value>(&body).expect("JSON"))
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

#[test]
fn arbitrary_bodies_never_break_the_house() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    let door = runtime.block_on(Door::open());
    let paths = ["persons", "reveal", "find", "consents", "keys", "catalogue", "purposes", "notices"];
    let any = prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..200),
        "\\{\"(ref|fields|purpose|items|field|value|name)\": ?(\\[|\\{|\"|1|null|true){0,6}.{0,40}"
            .prop_map(String::into_bytes),
    ];
    proptest!(ProptestConfig::with_cases(300), |(body in any, which in 0..paths.len(), put: bool)| {
        let method = if put { Method::PUT } else { Method::POST };
        let path = format!("/v1/tenants/{{t}}/{}", paths[which]);
        let (status, _) = runtime.block_on(door.send(method, &path, Some(&door.world.app), body));
        prop_assert!(status.is_client_error(), "{status}");
    });
}
