//! The pages, one file per area, beside the API and never mixed with it: a page is opened with a session in a cookie, the
//! API with a key in `Authorization`, and a request with both is refused by both.
//!
//! A GET changes nothing. What changes something is a POST of a [`form::Form`], which ends in a redirect, or in a page that
//! shows what must not stand in a history: a revealed value, a fresh secret.

pub(crate) mod attacks;
pub(crate) mod attempts;
pub(crate) mod consents;
pub(crate) mod error;
pub(crate) mod form;
pub(crate) mod gateway;
pub(crate) mod ledger;
pub(crate) mod overview;
pub(crate) mod people;
pub(crate) mod portal;
pub(crate) mod prefer;
pub(crate) mod purposes;
pub(crate) mod settings;
pub(crate) mod sign_in;
pub(crate) mod visit;

use crate::Console;
use crate::problem::NOT_FOUND;
use crate::ui::assets;
use attacks::{event, exclude, exclusions, report};
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
        ("/console", get(overview::overview)),
        ("/console/people", get(people::search)),
        ("/console/people/find", post(people::find)),
        ("/console/people/{person}", get(people::person)),
        ("/console/people/{person}/reveal", post(people::reveal)),
        ("/console/people/{person}/accesses", get(people::accesses)),
        ("/console/people/{person}/consents", get(consents::of_person)),
        ("/console/consents", get(consents::overview)),
        ("/console/purposes", get(purposes::list)),
        ("/console/purposes/{purpose}", get(purposes::purpose)),
        ("/console/notices/{notice}", get(purposes::notice)),
        ("/console/gateway", get(gateway::gateway)),
        ("/console/attacks", get(attacks::overview)),
        ("/console/attacks/events/{reference}", get(event::event)),
        ("/console/attacks/exclude/{reference}/{rule}", get(exclude::ask).post(exclude::exclude)),
        ("/console/attacks/report", get(report::report).post(report::exclude)),
        ("/console/attacks/exclusions", get(exclusions::list)),
        ("/console/attacks/exclusions/{exclusion}", get(exclusions::ask).post(exclusions::lift)),
        ("/console/ledger", get(ledger::list)),
        ("/console/ledger/{index}", get(ledger::entry)),
        ("/console/ledger/{index}/proof", get(ledger::proof)),
        ("/console/settings", get(settings::settings)),
        ("/console/settings/keys/new", get(settings::new_key).post(settings::issue_key)),
        ("/console/settings/keys/{principal}", get(settings::ask_revoke).post(settings::revoke)),
        ("/console/settings/links/new", get(settings::new_link).post(settings::issue_link)),
        ("/my", get(portal::asks::list)),
        ("/my/asks/{consent}", get(portal::asks::ask).post(portal::asks::answer)),
        ("/my/reads", get(portal::reads::list)),
        ("/my/reads/{index}/proof", get(portal::reads::proof)),
        ("/my/data", get(portal::held::data)),
        ("/my/consents", get(portal::consents::list)),
        ("/my/consents/{consent}", post(portal::consents::take_back)),
        ("/my/copy", get(portal::held::copy).post(portal::held::take)),
        ("/my/erase", get(portal::erase::ask).post(portal::erase::erase)),
        ("/my/certificate", post(portal::erase::certificate)),
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
