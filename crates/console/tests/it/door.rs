//! A console before a house, and somebody who knocks.

use crate::shielded::Shield;
use crate::world::World;
use axum::body::Body;
use axum::response::Response;
use console::{AccessLog, Console, Settings};
use http::request::Builder;
use http::{Method, Request, StatusCode};
use http_body_util::BodyExt;
use model::token::ApiKey;
use serde_json::Value;
use std::sync::Arc;
use tower::ServiceExt;

pub(crate) struct Door {
    pub(crate) world: World,
    pub(crate) router: axum::Router,
    pub(crate) shield: Arc<Shield>,
}

impl Door {
    pub(crate) async fn open() -> Self {
        Self::of(Console::sealed(Settings { ledger_zone: vec!["192.0.2.0/24".to_owned()] })).await
    }

    pub(crate) async fn open_with_log(log: Arc<dyn AccessLog>) -> Self {
        Self::of(Console::sealed_with_log(Settings::default(), log)).await
    }

    async fn of(console: Console) -> Self {
        let world = World::new().await;
        console.open(world.vault.clone());
        let shield = Shield::new(world.tenant, &world.clock);
        console.watch_attacks(shield.clone());
        Self { router: console.router(), world, shield }
    }

    /// The path with `{t}` filled in.
    pub(crate) fn path(&self, path: &str) -> String {
        path.replace("{t}", &self.world.tenant.to_string())
    }

    pub(crate) fn request(&self, method: &Method, path: &str, key: Option<&ApiKey>) -> Builder {
        let request = Request::builder().method(method).uri(self.path(path));
        let request = request.header("content-type", "application/json");
        match key {
            Some(key) => request.header("authorization", format!("Bearer {}", key.reveal())),
            None => request,
        }
    }

    pub(crate) async fn answer(&self, request: Request<Body>) -> Response {
        self.router.clone().oneshot(request).await.expect("an answer")
    }

    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        key: Option<&ApiKey>,
        body: Vec<u8>,
    ) -> (StatusCode, Value) {
        let request = self.request(&method, path, key).body(Body::from(body)).expect("a request");
        read(self.answer(request).await).await
    }

    pub(crate) async fn post(&self, path: &str, key: &ApiKey, body: Value) -> (StatusCode, Value) {
        self.send(Method::POST, path, Some(key), body.to_string().into_bytes()).await
    }

    pub(crate) async fn get(&self, path: &str, key: &ApiKey) -> (StatusCode, Value) {
        self.send(Method::GET, path, Some(key), Vec::new()).await
    }

    /// How many persons, documents and entries there are: what a refused request must not change.
    pub(crate) fn footprint(&self) -> (u64, usize, u64) {
        let snapshot = self.world.store.snapshot().expect("read");
        let persons = snapshot.count_persons(self.world.tenant, None).expect("read");
        let documents =
            (1..=5).map(|kind| snapshot.documents(self.world.tenant, kind, None, 1_000).expect("read").len());
        (persons, documents.sum(), self.world.ledger.status().durable)
    }
}

pub(crate) async fn read(answer: Response) -> (StatusCode, Value) {
    let status = answer.status();
    let body = answer.into_body().collect().await.expect("a body").to_bytes();
    (status, serde_json::from_slice(&body).unwrap_or(Value::Null))
}
