//! A client that goes away: hyper drops the handler. What had begun runs to its end all the same.
//!
//! On one thread, so that no other task of the house moves while the handler is looked at for the only time.

use crate::door::Door;
use axum::body::Body;
use http::Method;
use model::principal::Role;
use serde_json::json;
use std::task::{Context, Waker};
use std::time::Duration;
use tower::ServiceExt;

/// Sends a request and goes away after it was looked at once.
async fn send_and_leave(door: &Door, method: Method, path: &str, key: &model::token::ApiKey, body: &str) {
    let request =
        door.request(&method, path, Some(key)).body(Body::from(body.to_owned())).expect("a request");
    let mut answering = std::pin::pin!(door.router.clone().oneshot(request));
    let looked = answering.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    assert!(looked.is_pending(), "it was over at once: {looked:?}");
}

async fn soon(mut is_so: impl AsyncFnMut() -> bool) -> bool {
    for _ in 0..3_000 {
        if is_so().await {
            return true;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    false
}

#[tokio::test]
async fn a_key_is_revoked_though_nobody_waits_for_it() {
    let door = Door::open().await;
    let vault = &door.world.vault;
    let key = door.world.key(Role::App, None).await;
    // Known to the cache, which is emptied behind the commit.
    let principal = vault.authenticate(&key, |_| true).expect("valid").principal.id;
    let path = format!("/v1/tenants/{{t}}/keys/{principal}");
    send_and_leave(&door, Method::DELETE, &path, &door.world.admin, "").await;
    assert!(soon(async || vault.authenticate(&key, |_| true).is_err()).await, "still accepted");
}

#[tokio::test]
async fn a_notice_is_in_force_though_nobody_waits_for_it() {
    let door = Door::open().await;
    let body = json!({"name": "left", "texts": {"en": "text"}}).to_string();
    send_and_leave(&door, Method::POST, "/v1/tenants/{t}/notices", &door.world.admin, &body).await;
    let in_force = async || {
        let (_, read) = door.get("/v1/tenants/{t}/notices", &door.world.admin).await;
        read["notices"].as_array().is_some_and(|all| all.iter().any(|one| one["name"] == "left"))
    };
    assert!(soon(in_force).await, "not in force");
    // And the next one is not held up by it.
    let body = json!({"name": "next", "texts": {"en": "text"}});
    let (status, answer) = door.post("/v1/tenants/{t}/notices", &door.world.admin, body).await;
    assert_eq!(status.as_u16(), 200, "{answer}");
}

#[tokio::test]
async fn a_person_is_erased_though_nobody_waits_for_it() {
    let door = Door::open().await;
    let person = door.world.worker(1).await;
    let path = format!("/v1/tenants/{{t}}/persons/{person}/erasure");
    send_and_leave(&door, Method::POST, &path, &door.world.officer, "{}").await;
    let erased = async || door.get(&path, &door.world.officer).await.0.as_u16() == 200;
    assert!(soon(erased).await, "no certificate");
}
