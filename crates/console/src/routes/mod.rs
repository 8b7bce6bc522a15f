//! The routes, one file per resource.

pub(crate) mod consents;
pub(crate) mod declarations;
pub(crate) mod erasure;
pub(crate) mod find;
pub(crate) mod house;
pub(crate) mod keys;
pub(crate) mod limits;
pub(crate) mod persons;
pub(crate) mod reveal;
pub(crate) mod rights;

use crate::Console;
use crate::problem::{METHOD, NOT_FOUND};
use axum::Router;
use axum::routing::{delete, get, patch, post, put};

/// Every route with its method.
pub(crate) fn router(console: Console) -> Router {
    let tenant = Router::new()
        .route("/persons", post(persons::store))
        .route("/persons/{person}", patch(persons::rectify))
        .route("/reveal", post(reveal::reveal))
        .route("/find", post(find::find))
        .route("/persons/{person}/export", get(rights::export))
        .route("/persons/{person}/accesses", get(rights::accesses))
        .route("/persons/{person}/consents", get(consents::list))
        .route("/persons/{person}/erasure", post(erasure::erase).get(erasure::certificate))
        .route("/persons/{person}/restriction", post(limits::restrict))
        .route("/persons/{person}/objection", post(limits::object))
        .route("/persons/{person}/hold", post(limits::hold))
        .route("/catalogue", get(declarations::catalogue).merge(put(declarations::put_catalogue)))
        .route("/purposes", get(declarations::purposes).merge(put(declarations::put_purposes)))
        .route("/notices", get(declarations::notices).merge(post(declarations::put_notice)))
        .route("/consents", post(consents::ask))
        .route("/consents/{consent}/show", post(consents::show))
        .route("/consents/{consent}/give", post(consents::give))
        .route("/consents/{consent}/refuse", post(consents::refuse))
        .route("/consents/{consent}/withdraw", post(consents::withdraw))
        .route("/keys", post(keys::issue))
        .route("/keys/{principal}", delete(keys::revoke));
    Router::new()
        .nest("/v1/tenants/{tenant}", tenant)
        .route("/v1/openapi.json", get(house::description))
        .route("/healthz", get(house::alive))
        .route("/readyz", get(house::ready))
        .route("/metrics", get(house::figures))
        .route("/.well-known/obhut/keys", get(house::keys))
        .route("/ledger/{*path}", get(house::ledger))
        .fallback(async || NOT_FOUND)
        .method_not_allowed_fallback(async || METHOD)
        .with_state(console)
}

/// How far the trail of a change has come, as a word.
pub(crate) fn logged(logged: vault::Logged) -> &'static str {
    match logged {
        vault::Logged::Durable(_) => "durable",
        vault::Logged::Pending => "pending",
    }
}
