//! `GET /console/consents`: what was asked and answered, from the ledger; and the records of one person. What somebody was
//! asked tells of her, so looking at her records is itself recorded.

use super::people::{Found, person_crumbs};
use super::purposes::{basis_word, configuration};
use super::visit::{Failed, Visit};
use crate::ui::chart::bar;
use crate::ui::frame::{self, Area, Staff, may};
use crate::ui::icons::Icon;
use crate::ui::language::Words;
use crate::ui::parts::{Act, Column, Tone, chip, empty, link, link_button, table};
use axum::response::Response;
use maud::{Markup, html};
use model::Timestamp;
use model::clock::DAY_MS;
use model::consent::{ConsentEvent, ConsentState};
use model::decision::Action;
use model::purpose::LegalBasis;
use vault::consent::Consent;
use vault::trail::Event;

/// Days that are counted.
const DAYS: i64 = 90;

/// What happened to consents, in the order in which it happens.
const STEPS: [(Event, &str); 5] = [
    (Event::ConsentRequested, "consents-asked"),
    (Event::NoticeShown, "consents-shown"),
    (Event::ConsentGiven, "consents-given"),
    (Event::ConsentRefused, "consents-refused"),
    (Event::ConsentWithdrawn, "consents-withdrawn"),
];

/// The state of a record, as a chip.
pub(crate) fn state_chip(words: &Words, state: ConsentState) -> Markup {
    let (tone, with, name) = match state {
        ConsentState::Requested => (Tone::Plain, Icon::Ask, "consent-requested"),
        ConsentState::Deferred => (Tone::Plain, Icon::Clock, "consent-deferred"),
        ConsentState::Refused => (Tone::Plain, Icon::Cross, "consent-refused"),
        ConsentState::Given => (Tone::Ink, Icon::Check, "consent-given"),
        ConsentState::Renewed => (Tone::Ink, Icon::Check, "consent-renewed"),
        ConsentState::Withdrawn => (Tone::Plain, Icon::Cross, "consent-withdrawn"),
        ConsentState::Expired => (Tone::Warn, Icon::Clock, "consent-expired"),
        ConsentState::Terminated => (Tone::Plain, Icon::Cross, "consent-terminated"),
        ConsentState::Invalidated => (Tone::Stop, Icon::Cross, "consent-invalidated"),
    };
    chip(tone, with, &words.say(name))
}

/// An event of a record in words.
pub(crate) fn event_word(words: &Words, event: ConsentEvent) -> String {
    let name = format!("{event:?}").to_lowercase();
    words.find(&format!("consent-event-{name}")).unwrap_or(name)
}

/// What happened.
pub(crate) async fn overview(visit: Visit) -> Result<Response, Failed> {
    let signed = visit.staff(Area::Consents)?;
    let config = configuration(&visit, signed)?;
    let now = signed.vault.now().map_err(|fault| visit.explain(fault))?;
    let since = Timestamp(now.0 - DAYS * DAY_MS);
    let tally = match may(signed, Action::ReadLedger) {
        Ok(()) => Some(visit.look(move |vault, ctx, tenant| vault.tally(ctx, tenant, since)).await?),
        Err(_) => None,
    };
    let words = visit.words();
    let count =
        |event: Event| tally.as_ref().and_then(|tally| tally.events.get(&event)).copied().unwrap_or(0);
    let most = STEPS.iter().map(|(event, _)| count(*event)).max().unwrap_or(0);
    let resting: Vec<_> = config
        .purposes
        .iter()
        .filter(|purpose| {
            purpose.current && (purpose.basis == LegalBasis::Consent || purpose.special_basis.is_some())
        })
        .collect();
    let main = html! {
        div.head {
            h1 { (words.with("consents-sentence", [
                ("asked", count(Event::ConsentRequested).into()),
                ("given", count(Event::ConsentGiven).into()),
                ("withdrawn", count(Event::ConsentWithdrawn).into()),
            ])) }
            p."sm quiet" { (words.with("consents-span", [("days", DAYS.into())])) }
        }
        div."cols two" {
            section."card stack" aria-labelledby="steps" {
                h2 #steps { (words.say("consents-title")) }
                @if most == 0 { (empty(Icon::Consent, &words.say("consents-none"), None)) }
                @else { ul.lined { @for (event, name) in STEPS { li {
                    // A refusal is no loss, so it is grey and not red.
                    @let series = if matches!(event, Event::ConsentRefused | Event::ConsentWithdrawn) { 5 } else { 0 };
                    div."row between" { span { (words.say(name)) } span.num { (words.number(count(event))) } }
                    (bar(series, count(event), most))
                } } } }
            }
            section."card stack" aria-labelledby="one" {
                h2 #one { (words.say("consents-of-one")) }
                p { (words.say("consents-of-one-how")) }
                p { (link_button(Act::Main, Some(Icon::Search), &words.say("find-person"), Area::People.path())) }
            }
        }
        section."card flush" aria-labelledby="rest" {
            div.pad { h2 #rest { (words.say("consents-resting")) } }
            @if resting.is_empty() { (empty(Icon::Purpose, &words.say("consents-resting-none"), None)) }
            @else {
                (table(&words.say("consents-resting"), &[Column::words(words.say("col-purpose")), Column::words(words.say("col-basis"))],
                    &resting.iter().map(|purpose| vec![
                        html! { (link(&format!("/console/purposes/{}", purpose.name), &purpose.title)) },
                        html! { (words.say(basis_word(purpose.basis))) },
                    ]).collect::<Vec<_>>()))
            }
        }
    };
    frame::staff(
        &visit,
        Staff { area: Area::Consents, title: &visit.say("area-consents"), crumbs: &[] },
        &main,
    )
    .await
}

/// The records of one person.
pub(crate) async fn of_person(visit: Visit, Found(person): Found) -> Result<Response, Failed> {
    let signed = visit.staff(Area::Consents)?;
    let records = signed.vault.consents(&signed.ctx, signed.tenant, person).await;
    let mut records = records.map_err(|error| visit.explain(error))?;
    records.reverse();
    let now = signed.vault.now().map_err(|fault| visit.explain(fault))?;
    let words = visit.words();
    let permitting = records.iter().filter(|record| record.state.permits()).count();
    let config = configuration(&visit, signed)?;
    let title = |record: &Consent| {
        config
            .purpose(&record.purpose)
            .map_or_else(|| record.purpose.clone(), |purpose| purpose.title.clone())
    };
    let main = html! {
        div.head {
            h1 { (words.with("consents-person", [("count", records.len().into()), ("permitting", permitting.into())])) }
            p."sm quiet" { (words.say("looked-recorded")) }
        }
        @if records.is_empty() { div.card { (empty(Icon::Consent, &words.say("consents-person-none"), None)) } }
        @for record in &records { (card(words, record, &title(record), now)) }
    };
    let word = words.say("area-consents");
    frame::staff(
        &visit,
        Staff { area: Area::People, title: &word, crumbs: &person_crumbs(&visit, person, Some(&word)) },
        &main,
    )
    .await
}

fn card(words: &Words, record: &Consent, title: &str, now: Timestamp) -> Markup {
    html! {
        article."card stack read" {
            div."row between" { h2 { (title) } (state_chip(words, record.state)) }
            p."sm quiet" {
                (record.recipient)
                @if let Some(until) = record.until { ", " (words.with("until", [("date", words.date(until).into())])) }
            }
            ol.thread { @for event in record.events.iter().rev() { li class=(if matches!(event.event, ConsentEvent::Give) { "full" } else { "" }) {
                time datetime=(event.at.rfc3339()) { (words.when(event.at, now)) }
                p { b { (event_word(words, event.event)) } }
                @if let Some(days) = event.days { p."sm quiet" { (words.with("term-days", [("days", days.into())])) } }
            } } }
        }
    }
}
