//! Sign-in by a link that works once, and sign-out. Opening the link only shows a page: mail scanners and previews open
//! links, too. The button on the page sends the form that uses the link up.

use super::form::{Form, SignInForm};
use super::visit::{Failed, SESSION, Visit};
use crate::body::to_the_end;
use crate::caller::lies_in;
use crate::problem::{Explain, SIGN_IN_REFUSED, TOO_MANY_ATTEMPTS, UNAUTHENTICATED};
use crate::ui::frame;
use crate::ui::icons::Icon;
use crate::ui::parts::{Act, Tone, aside, button, link};
use axum::extract::Path;
use axum::response::{AppendHeaders, IntoResponse, Redirect, Response};
use http::StatusCode;
use http::header::SET_COOKIE;
use maud::{Markup, html};
use model::principal::Role;
use model::token::SignInLink;

/// Where a role is at home.
fn home(role: Role) -> &'static str {
    if role == Role::Person { "/my" } else { "/console" }
}

/// `GET /`: home, or to the door.
pub(crate) async fn root(visit: Visit) -> Result<Response, Failed> {
    Ok(Redirect::to(home(visit.signed()?.role())).into_response())
}

/// `GET /sign-in`: how one gets in.
pub(crate) async fn door(visit: Visit) -> Response {
    let title = visit.say("sign-in");
    let main = html! {
        div.stack {
            h1 { (title) }
            p { (visit.say("sign-in-how")) }
            p.quiet { (visit.say("sign-in-once")) }
            @if let Some(problem) = visit.unsigned().filter(|problem| problem.code != UNAUTHENTICATED.code) {
                (aside(Tone::Warn, Icon::Alert, &html! { p { (visit.say("sign-in-not-now")) " " code { (problem.code) } } }))
            }
            p.sm { (link("/", &visit.say("sign-in-already"))) }
        }
    };
    frame::door(&visit, StatusCode::OK, &title, &main)
}

/// `GET /sign-in/{link}`: one button. Nothing is looked up.
pub(crate) async fn ask(visit: Visit, Path(text): Path<String>) -> Response {
    match SignInLink::parse(&text) {
        Some(link) => {
            let form = html! {
                input type="hidden" name="link" value=(link.reveal());
                (button(Act::Main, Some(Icon::Key), &visit.say("sign-in")))
            };
            let main = html! {
                div.stack {
                    h1 { (visit.say("sign-in")) }
                    p { (visit.say("sign-in-press")) }
                    (visit.form("/sign-in", "stack", &form))
                    p.sm.quiet { (visit.say("sign-in-once")) }
                }
            };
            frame::door(&visit, StatusCode::OK, &visit.say("sign-in"), &main)
        }
        None => refused(&visit, "sign-in-incomplete"),
    }
}

/// `POST /sign-in`: uses the link up.
pub(crate) async fn enter(SignInForm(form): SignInForm) -> Result<Response, Failed> {
    let visit = form.visit.clone();
    let console = visit.console();
    if !console.attempts().may(visit.peer()) {
        return Err(visit.fail(TOO_MANY_ATTEMPTS));
    }
    let vault = console.vault().map_err(|problem| visit.fail(problem))?;
    let Some(link) = SignInLink::parse(form.value("link")) else {
        return Ok(refused(&visit, "sign-in-incomplete"));
    };
    let peer = visit.peer();
    let entered = to_the_end(async move {
        let in_zone = |zone: &[String]| peer.is_some_and(|peer| lies_in(peer, zone));
        vault.sign_in(&link, in_zone).await.map_err(|error| error.explain(Role::App))
    });
    match entered.await {
        Ok(session) => {
            let cookie =
                format!("{SESSION}={}; Path=/; Secure; HttpOnly; SameSite=Strict", session.secret.reveal());
            Ok((AppendHeaders([(SET_COOKIE, cookie)]), Redirect::to(home(session.role))).into_response())
        }
        Err(problem) if problem.code == UNAUTHENTICATED.code => Ok(refused(&visit, "sign-in-used")),
        Err(problem) => Err(visit.fail(problem)),
    }
}

/// A link that leads nowhere. Used up, expired, revoked, from outside its zone and never issued look the same.
fn refused(visit: &Visit, why: &str) -> Response {
    let title = visit.say("sign-in-refused");
    let main: Markup = html! {
        div.stack {
            h1 { (title) }
            (aside(Tone::Stop, Icon::Alert, &html! {
                p { (visit.say(why)) }
                p.sm { (visit.say("error-code")) " " code { (SIGN_IN_REFUSED.code) } }
            }))
            p.sm { (link("/", &visit.say("sign-in-already"))) }
        }
    };
    let status = StatusCode::from_u16(SIGN_IN_REFUSED.status).unwrap_or(StatusCode::FORBIDDEN);
    frame::door(visit, status, &title, &main)
}

/// `POST /sign-out`: ends the session here and everywhere.
pub(crate) async fn leave(form: Form) -> Result<Response, Failed> {
    let visit = form.visit.clone();
    let signed = visit.signed()?;
    let (vault, ctx, role) = (signed.vault.clone(), signed.ctx.clone(), signed.role());
    to_the_end(async move { vault.sign_out(&ctx).await.map_err(|error| error.explain(role)) })
        .await
        .map_err(|problem| visit.fail(problem))?;
    let cookie = format!("{SESSION}=; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=0");
    Ok((AppendHeaders([(SET_COOKIE, cookie)]), Redirect::to("/sign-in")).into_response())
}
