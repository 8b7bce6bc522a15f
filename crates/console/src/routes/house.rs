//! What belongs to no tenant: health, figures, keys, the ledger's public files, the description of the API.

use crate::Console;
use crate::caller::{Peer, authenticate, lies_in};
use crate::problem::{Explain, INTERNAL, NOT_FOUND, Problem};
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::request::Parts;
use http::{HeaderValue, header};
use model::decision::{Action, allowed};
use model::principal::Role;
use vault::reveal::RevealError;

/// Whether the process runs.
#[utoipa::path(get, path = "/healthz", tag = "house", responses((status = 200, description = "ok")))]
pub(crate) async fn alive() -> &'static str {
    "ok\n"
}

/// Whether personal data can be read at present.
#[utoipa::path(get, path = "/readyz", tag = "house",
    responses((status = 200, description = "ready")))]
pub(crate) async fn ready(State(console): State<Console>) -> Result<&'static str, Problem> {
    let vault = console.vault()?;
    vault.ready().map_err(|fault| fault.explain(Role::App))?;
    Ok("ready\n")
}

/// Figures for monitoring.
#[utoipa::path(get, path = "/metrics", tag = "house",
    responses((status = 200, description = "Prometheus text format")))]
pub(crate) async fn figures(State(console): State<Console>) -> Response {
    let status = console.vault().ok().map(|vault| vault.ledger().status());
    let kind = HeaderValue::from_static("text/plain; version=0.0.4");
    ([(header::CONTENT_TYPE, kind)], console.metrics().render(status.as_ref())).into_response()
}

/// The keys that certificates and checkpoints are signed with.
#[utoipa::path(get, path = "/.well-known/obhut/keys", tag = "house",
    responses((status = 200, description = "key document")))]
pub(crate) async fn keys(State(console): State<Console>) -> Result<Response, Problem> {
    let keys = console.vault()?.public_keys().to_json().map_err(|_| INTERNAL)?;
    let kind = HeaderValue::from_static("application/json");
    Ok(([(header::CONTENT_TYPE, kind)], keys).into_response())
}

/// The ledger's files.
///
/// Checkpoint, tiles and entry bundles (C2SP tlog-tiles), for who is in the ledger's zone or has a key that may read
/// the ledger.
#[utoipa::path(get, path = "/ledger/{path}", tag = "house", params(("path" = String, Path)),
    responses((status = 200, description = "the file")))]
pub(crate) async fn ledger(
    State(console): State<Console>,
    Path(path): Path<String>,
    parts: Parts,
) -> Result<Response, Problem> {
    let vault = console.vault()?;
    let peer = parts.extensions.get::<Peer>().map(|peer| peer.0);
    if !peer.is_some_and(|peer| lies_in(peer, &console.settings().ledger_zone)) {
        let (_, ctx) = authenticate(&parts, &console)?;
        let principal = &ctx.actor.principal;
        let state = vault.tenant_state(principal.tenant);
        let may = allowed(principal, Action::ReadLedger, principal.tenant, None, state);
        may.map_err(|reason| RevealError::Denied(reason).explain(principal.role).in_request(ctx.request))?;
    }
    let kind = if path == "checkpoint" { "text/plain; charset=utf-8" } else { "application/octet-stream" };
    let ledger = vault.ledger().clone();
    let file = tokio::task::spawn_blocking(move || ledger.tile_path(&path)).await;
    let file = file.map_err(|_| INTERNAL)?.map_err(|_| INTERNAL)?.ok_or(NOT_FOUND)?;
    Ok(([(header::CONTENT_TYPE, HeaderValue::from_static(kind))], file).into_response())
}

/// The description of this API.
#[utoipa::path(get, path = "/v1/openapi.json", tag = "house",
    responses((status = 200, description = "OpenAPI 3.1")))]
pub(crate) async fn description(State(console): State<Console>) -> Response {
    let kind = HeaderValue::from_static("application/json");
    ([(header::CONTENT_TYPE, kind)], console.description()).into_response()
}
