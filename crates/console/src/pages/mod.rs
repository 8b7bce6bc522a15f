//! The pages, one file per area, beside the API and never mixed with it: a page is opened with a session in a cookie, the
//! API with a key in `Authorization`, and a request with both is refused by both.
//!
//! A GET changes nothing. What changes something is a POST of a [`form::Form`], which ends in a redirect, or in a page that
//! shows what must not stand in a history: a revealed value, a fresh secret.

pub(crate) mod attempts;
pub(crate) mod error;
pub(crate) mod form;
pub(crate) mod prefer;
pub(crate) mod sign_in;
pub(crate) mod visit;

use crate::Console;
use crate::problem::NOT_FOUND;
use crate::ui::assets;
use axum::extract::{FromRequestParts, Path, Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get, post};
use http::header::ACCEPT;
use visit::Visit;

/// Every page with its methods.
pub(crate) fn table() -> Vec<(&'static str, MethodRouter<Console>)> {
    vec![
        ("/", get(sign_in::root)),
        ("/sign-in", get(sign_in::door).post(sign_in::enter)),
        ("/sign-in/{link}", get(sign_in::ask)),
        ("/sign-out", post(sign_in::leave)),
        ("/prefer/language", post(prefer::language)),
        ("/prefer/theme", post(prefer::theme)),
        ("/static/{edition}/{name}", get(file)),
    ]
}

async fn file(State(console): State<Console>, Path((edition, name)): Path<(String, String)>) -> Response {
    assets::file(console.edition(), &edition, &name).unwrap_or_else(|| NOT_FOUND.into_response())
}

/// What fits no route: a page for a browser that looks for one, a problem for everybody else.
pub(crate) async fn nowhere(State(console): State<Console>, request: Request) -> Response {
    let path = request.uri().path();
    let api = ["/v1/", "/ledger/", "/.well-known/"].iter().any(|begin| path.starts_with(begin));
    let accepts = request.headers().get(ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if api || !accepts.contains("text/html") {
        return NOT_FOUND.into_response();
    }
    let (mut parts, _) = request.into_parts();
    let Ok(visit) = Visit::from_request_parts(&mut parts, &console).await;
    error::page(&visit, &NOT_FOUND)
}
