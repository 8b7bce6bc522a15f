//! The routes, one file per resource.

pub(crate) mod catalogue;
pub(crate) mod consents;
pub(crate) mod erasure;
pub(crate) mod find;
pub(crate) mod house;
pub(crate) mod keys;
pub(crate) mod limits;
pub(crate) mod links;
pub(crate) mod notices;
pub(crate) mod persons;
pub(crate) mod purposes;
pub(crate) mod reveal;
pub(crate) mod rights;
pub(crate) mod shield;

use crate::Console;
use crate::body::Answer;
use crate::pages;
use crate::problem::METHOD;
use crate::recorder::Recording;
use axum::Router;
use axum::routing::{MethodRouter, any, delete, get, patch, post};
use http::StatusCode;
use model::NoticeId;
use serde::Serialize;
use utoipa::ToSchema;

/// How requests that fit no route stand in figures and log lines.
const NOWHERE: &str = "none";

/// Every route with its methods.
fn table() -> Vec<(&'static str, MethodRouter<Console>)> {
    vec![
        ("/v1/tenants/{tenant}/persons", post(persons::store)),
        ("/v1/tenants/{tenant}/persons/{person}", patch(persons::rectify)),
        ("/v1/tenants/{tenant}/reveal", post(reveal::reveal)),
        ("/v1/tenants/{tenant}/find", post(find::find)),
        ("/v1/tenants/{tenant}/persons/{person}/export", get(rights::export)),
        ("/v1/tenants/{tenant}/persons/{person}/accesses", get(rights::accesses)),
        ("/v1/tenants/{tenant}/persons/{person}/consents", get(consents::list)),
        ("/v1/tenants/{tenant}/persons/{person}/erasure", post(erasure::erase).get(erasure::certificate)),
        ("/v1/tenants/{tenant}/persons/{person}/restriction", post(limits::restrict)),
        ("/v1/tenants/{tenant}/persons/{person}/objection", post(limits::object)),
        ("/v1/tenants/{tenant}/persons/{person}/hold", post(limits::hold)),
        ("/v1/tenants/{tenant}/catalogue", get(catalogue::read).put(catalogue::put)),
        ("/v1/tenants/{tenant}/purposes", get(purposes::read).put(purposes::put)),
        ("/v1/tenants/{tenant}/notices", get(notices::read).post(notices::put)),
        ("/v1/tenants/{tenant}/consents", post(consents::ask)),
        ("/v1/tenants/{tenant}/consents/{consent}/show", post(consents::show)),
        ("/v1/tenants/{tenant}/consents/{consent}/give", post(consents::give)),
        ("/v1/tenants/{tenant}/consents/{consent}/refuse", post(consents::refuse)),
        ("/v1/tenants/{tenant}/consents/{consent}/withdraw", post(consents::withdraw)),
        ("/v1/tenants/{tenant}/keys", post(keys::issue)),
        ("/v1/tenants/{tenant}/keys/{principal}", delete(keys::revoke)),
        ("/v1/tenants/{tenant}/links", post(links::issue)),
        ("/v1/tenants/{tenant}/shield", get(shield::state)),
        ("/v1/tenants/{tenant}/shield/attacks", get(shield::list)),
        ("/v1/tenants/{tenant}/shield/attacks/{reference}", get(shield::one)),
        ("/v1/tenants/{tenant}/shield/exclusions", get(shield::exclusions).post(shield::exclude)),
        ("/v1/tenants/{tenant}/shield/exclusions/{exclusion}", delete(shield::lift)),
        ("/v1/openapi.json", get(house::description)),
        ("/healthz", get(house::alive)),
        ("/readyz", get(house::ready)),
        ("/metrics", get(house::figures)),
        ("/.well-known/obhut/keys", get(house::keys)),
        ("/ledger/{*path}", get(house::ledger)),
    ]
}

/// The template of each route, and last the one for no route.
pub(crate) fn paths() -> impl Iterator<Item = &'static str> {
    table().into_iter().chain(pages::table()).map(|(path, _)| path).chain([NOWHERE])
}

/// All routes, those of pages included, each recorded.
pub(crate) fn router(console: &Console) -> Router {
    let mut table = table();
    table.extend(pages::table());
    let recording = |place| Recording::new(console.clone(), place);
    let nowhere = any(pages::nowhere).layer(recording(table.len()));
    let mut router = Router::new().fallback(nowhere);
    for (place, (path, methods)) in table.into_iter().enumerate() {
        router = router.route(path, methods.fallback(async || METHOD).layer(recording(place)));
    }
    router.with_state(console.clone())
}

/// How far the trail of a change has come, as a word.
pub(crate) fn logged(logged: vault::Logged) -> &'static str {
    match logged {
        vault::Logged::Durable(_) => "durable",
        vault::Logged::Pending => "pending",
    }
}

/// A declaration in force.
#[derive(Serialize, ToSchema)]
pub(crate) struct Declared {
    /// `durable` or `pending`.
    ledger: &'static str,
    /// The notice's id, where it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    notice: Option<NoticeId>,
}

/// The answer to a declaration.
fn declared(at: vault::Logged, notice: Option<NoticeId>) -> Answer<Declared> {
    Answer(StatusCode::OK, Declared { ledger: logged(at), notice })
}
