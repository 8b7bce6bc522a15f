//! `GET /my/consents`: what the person allowed, refused and took back; each takes one press to take back.

use super::asks::{path_of, settle};
use super::{Tab, configuration, page, purpose_title};
use crate::pages::consents::{event_word, state_chip};
use crate::pages::form::Form;
use crate::pages::visit::{Failed, Visit, not_found};
use crate::ui::icons::Icon;
use crate::ui::parts::{Act, Knot, button, empty, link, thread};
use axum::extract::Path;
use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};
use model::consent::{ConsentEvent, ConsentState};
use model::{ConsentId, Timestamp};
use vault::consent::{Answer, Consent};

/// All records, the ones in force first.
pub(crate) async fn list(visit: Visit) -> Result<Response, Failed> {
    let (signed, person) = visit.person()?;
    let records = signed.vault.consents(&signed.ctx, signed.tenant, person).await;
    let mut records = records.map_err(|error| visit.explain(error))?;
    records.reverse();
    records.sort_by_key(|record| !record.state.permits());
    let config = configuration(&visit, signed)?;
    let now = signed.vault.now().map_err(|fault| visit.explain(fault))?;
    let words = visit.words();
    let permitting = records.iter().filter(|record| record.state.permits()).count();
    let main = html! {
        div.head {
            h1 { (words.with("my-consents-sentence", [("count", permitting.into())])) }
            p { (words.say("my-consents-what")) }
        }
        @if records.is_empty() {
            div.card { (empty(Icon::Consent, &words.say("my-consents-none"), Some((Tab::Asks.path(), &words.say("my-asks"))))) }
        }
        @for record in &records { (card(&visit, record, &purpose_title(&config, &record.purpose), now)) }
    };
    Ok(page(&visit, Tab::Consents, &main))
}

fn card(visit: &Visit, record: &Consent, title: &str, now: Timestamp) -> Markup {
    let words = visit.words();
    let steps: Vec<(Knot, Markup)> = record
        .events
        .iter()
        .rev()
        .map(|event| {
            let knot = if event.event == ConsentEvent::Give { Knot::Full } else { Knot::Hollow };
            let told = html! {
                time datetime=(event.at.rfc3339()) { (words.when(event.at, now)) }
                p { (event_word(words, event.event)) @if let Some(days) = event.days { ", " (words.with("term-days", [("days", days.into())])) } }
            };
            (knot, told)
        })
        .collect();
    let again = matches!(
        record.state,
        ConsentState::Requested | ConsentState::Deferred | ConsentState::Refused | ConsentState::Withdrawn
    );
    html! {
        article."card stack read" {
            div."row between" { h2 { (title) } (state_chip(words, record.state)) }
            p {
                (words.with("consent-for", [("who", record.recipient.as_str().into())]))
                @if let (true, Some(until)) = (record.state.permits(), record.until) { " " (words.with("consent-until", [("date", words.date(until).into())])) }
            }
            @if record.state.permits() {
                (visit.form(&format!("/my/consents/{}", record.id), "", &button(Act::Normal, Some(Icon::Cross), &words.say("consent-take-back"))))
            } @else if again {
                p { (link(&path_of(record.id), &words.say("consent-decide"))) }
            }
            details { summary { (words.say("consent-history")) } (thread(&steps)) }
        }
    }
}

/// Takes one back. It holds from the moment of the answer.
pub(crate) async fn take_back(Path(id): Path<String>, form: Form) -> Result<Response, Failed> {
    let visit = form.visit.clone();
    visit.person()?;
    let id: ConsentId = id.parse().map_err(|_| not_found(&visit))?;
    settle(&visit, id, Answer::Withdraw).await?;
    Ok(Redirect::to(&format!("{}?done=consent-withdrawn", Tab::Consents.path())).into_response())
}
