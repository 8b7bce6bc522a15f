//! Problems as pages: what happened, what it means for the data, the stable code, and the way out.

use super::visit::Visit;
use crate::problem::Problem;
use crate::recorder::Code;
use crate::ui::frame;
use crate::ui::icons::Icon;
use crate::ui::parts::{Act, Tone, aside, link_button};
use axum::response::Response;
use http::StatusCode;
use maud::html;
use model::principal::Role;

/// What kind of sentence a problem gets. A code with texts of its own is told by them; all others by their kind.
fn kind(problem: &Problem) -> &'static str {
    match (problem.status, problem.code) {
        (_, "sealed") => "sealed",
        (_, "ledger_unavailable" | "ledger_damaged") => "ledger",
        (_, "form_refused") => "form",
        (_, "two_credentials") => "credentials",
        (_, "sign_in_refused") => "sign-in",
        (_, "too_many_attempts") => "attempts",
        (403, _) => "denied",
        (404 | 405, _) => "missing",
        (409, _) => "changed",
        (503 | 507, _) => "later",
        (500.., _) => "internal",
        _ => "input",
    }
}

/// The page of a problem.
pub(crate) fn page(visit: &Visit, problem: &Problem) -> Response {
    let kind = kind(problem);
    let (title, what) = (visit.say(&format!("error-{kind}")), visit.say(&format!("error-{kind}-what")));
    let tone = if problem.status >= 500 { Tone::Stop } else { Tone::Warn };
    let home = match visit.session().map(|signed| signed.role()) {
        Some(Role::Person) => Some(("/my", "go-my")),
        Some(_) => Some(("/console", "go-console")),
        None if problem.status < 500 => Some(("/sign-in", "go-sign-in")),
        None => None,
    };
    let main = html! {
        div.stack {
            h1 { (title) }
            (aside(tone, Icon::Alert, &html! {
                p { (what) }
                p.sm { (visit.say("error-code")) " " code { (problem.code) } }
                @if let Some(request) = problem.request {
                    p.sm { (visit.say("error-request")) " " code { (request) } }
                }
            }))
            p.row {
                @if let Some((to, word)) = home { (link_button(Act::Normal, Some(Icon::Arrow), &visit.say(word), to)) }
                @if problem.status >= 500 && let Some(here) = visit.here() {
                    (link_button(Act::Normal, None, &visit.say("try-again"), here))
                }
            }
        }
    };
    let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = frame::bare(visit, status, &title, &main);
    response.extensions_mut().insert(Code(problem.code));
    response
}
