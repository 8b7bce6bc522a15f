//! `GET /my/erase`: what follows from an erasure, and one button; its answer is the certificate, which the person keeps,
//! since afterwards there is no session of hers any more.

use super::{Tab, page};
use crate::body::to_the_end;
use crate::pages::form::Form;
use crate::pages::ledger::file;
use crate::pages::visit::{Failed, Visit};
use crate::problem::{BAD_REQUEST, Explain};
use crate::ui::frame::{self};
use crate::ui::icons::Icon;
use crate::ui::language::Words;
use crate::ui::parts::{Act, Knot, Tone, aside, button, chip, kv, link, thread};
use axum::response::Response;
use data_encoding::BASE64;
use http::StatusCode;
use maud::{Markup, html};
use model::Timestamp;
use serde::Deserialize;
use vault::certificate::{Certificate, Stage};

/// What an envelope of a signed statement holds (DSSE).
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Envelope {
    payload: String,
    payload_type: String,
    signatures: Vec<serde_json::Value>,
}

/// The statement of an envelope, if it is a certificate of ours by its form. Whether it is genuine says its signature.
fn statement(envelope: &str) -> Option<Certificate> {
    let envelope: Envelope = serde_json::from_str(envelope).ok()?;
    let payload = BASE64.decode(envelope.payload.as_bytes()).ok()?;
    let known = envelope.payload_type.contains("obhut") && !envelope.signatures.is_empty();
    serde_json::from_slice(&payload).ok().filter(|_| known)
}

/// What follows, before anything happens.
pub(crate) async fn ask(visit: Visit) -> Result<Response, Failed> {
    visit.person()?;
    let words = visit.words();
    let plan: Vec<(Knot, Markup)> = ["at-once", "minute", "copies"]
        .map(|step| {
            let told = html! {
                p { b { (words.say(&format!("erase-{step}"))) } }
                p."sm quiet" { (words.say(&format!("erase-{step}-what"))) }
            };
            (Knot::ToCome, told)
        })
        .into();
    let main = html! {
        div.head { h1 { (words.say("erase-sentence")) } p { (words.say("erase-what")) } }
        section."card stack read" aria-labelledby="then" {
            h2 #then { (words.say("erase-then")) }
            (thread(&plan))
            (aside(Tone::Warn, Icon::Alert, &html! { p { (words.say("erase-final")) } }))
            p.sm { (words.say("erase-first")) " " (link(Tab::Take.path(), &words.say("my-copy"))) }
            div.row {
                (visit.form(Tab::Erase.path(), "", &button(Act::Grave, Some(Icon::Erase), &words.say("erase-do"))))
                (link(Tab::Asks.path(), &words.say("erase-back")))
            }
        }
    };
    Ok(page(&visit, Tab::Erase, &main))
}

/// Erases, and answers with the certificate.
pub(crate) async fn erase(form: Form) -> Result<Response, Failed> {
    let visit = form.visit.clone();
    let (signed, person) = visit.person()?;
    let (vault, ctx, tenant, role) = (signed.vault.clone(), signed.ctx.clone(), signed.tenant, signed.role());
    let request = ctx.request;
    let change = async move {
        let erased = vault.erase(&ctx, tenant, person).await;
        let erased = erased.map_err(|error| error.explain(role).in_request(request))?;
        // It is erased whatever becomes of the certificate, which the privacy officer can fetch as well.
        let envelope = vault.certificate(&ctx, tenant, person).await.ok();
        Ok((erased, envelope.and_then(|envelope| envelope.to_json().ok())))
    };
    let (erased, envelope) = to_the_end(change).await.map_err(|problem| visit.fail(problem))?;
    let envelope = envelope.and_then(|bytes| String::from_utf8(bytes).ok());
    Ok(done(&visit, erased.at, &erased.certificate.to_string(), envelope.as_deref()))
}

fn done(visit: &Visit, at: Timestamp, number: &str, envelope: Option<&str>) -> Response {
    let words = visit.words();
    let certificate = envelope.and_then(statement);
    let title = words.say("erased-title");
    let main = html! {
        div.head {
            h1 { (words.say("erased-sentence")) }
            p { (words.say("erased-what")) }
        }
        div { article."paper stack read" aria-labelledby="certificate" {
            div."row between" {
                h2 #certificate { (title) }
                @if certificate.is_some() { (chip(Tone::Proof, Icon::Seal, &words.say("erased-signed"))) }
            }
            (kv(&facts(words, at, number, certificate.as_ref())))
        } }
        @match envelope {
            Some(envelope) => {
                @let form = html! {
                    input type="hidden" name="certificate" value=(envelope);
                    (button(Act::Main, Some(Icon::Download), &words.say("erased-get")))
                };
                form method="post" action="/my/certificate" { (form) }
                section."card stack read" aria-labelledby="check" {
                    h2 #check { (words.say("reads-check")) }
                    p.sm { (words.say("erased-check")) }
                    pre.code tabindex="0" role="region" aria-label=(words.say("command")) { "obhut verify\n  certificate.json\n  --trust keys.json" }
                }
            }
            None => { (aside(Tone::Warn, Icon::Clock, &html! { p { (words.say("erased-later")) } })) }
        }
    };
    frame::bare(visit, StatusCode::OK, &title, &main)
}

fn facts(
    words: &Words,
    at: Timestamp,
    number: &str,
    certificate: Option<&Certificate>,
) -> Vec<(String, Markup)> {
    let mut rows = vec![
        (words.say("erased-number"), html! { code { (number) } }),
        (
            words.say("erased-when"),
            html! { time datetime=(at.rfc3339()) { (words.date(at)) ", " (words.clock_exact(at)) " UTC" } },
        ),
        (words.say("erased-how"), html! { (words.say("erased-how-what")) }),
    ];
    if let Some(certificate) = certificate {
        let day = certificate.complete_by.get(..10).unwrap_or_default();
        let stage =
            if certificate.stage == Stage::Complete { "erased-complete" } else { "erased-complete-by" };
        rows.push((words.say(stage), html! { time datetime=(certificate.complete_by) { (day) } }));
        rows.push((words.say("erased-entry"), html! { (words.number(certificate.ledger.index)) }));
        for kept in &certificate.kept {
            rows.push((words.say("erased-kept"), html! { (kept.what) ": " (kept.why) }));
        }
    }
    rows
}

/// The certificate as a file. It was shown to the browser that sends it back, and nobody else has it.
pub(crate) async fn certificate(form: Form) -> Result<Response, Failed> {
    let envelope = form.value("certificate");
    if statement(envelope).is_none() {
        return Err(form.visit.fail(BAD_REQUEST));
    }
    Ok(file("certificate.json", "application/vnd.dsse.envelope.v1+json", envelope.as_bytes().to_vec()))
}
