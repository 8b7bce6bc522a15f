//! `GET /my/data`: what is held, in clear for the person herself; `/my/copy`: the same as a file to take along.

use super::{Tab, configuration, field_word, page};
use crate::pages::consents::event_word;
use crate::pages::form::Form;
use crate::pages::ledger::file;
use crate::pages::visit::{Failed, Visit};
use crate::problem::INTERNAL;
use crate::ui::icons::Icon;
use crate::ui::language::Words;
use crate::ui::parts::{Act, Tone, aside, button, chip, empty, kv, link};
use axum::response::Response;
use maud::{Markup, html};
use model::catalogue::{Category, Field};
use std::collections::BTreeMap;
use vault::export::Export;
use zeroize::Zeroizing;

/// Everything that the house holds on the person, by her own right.
async fn everything(visit: &Visit) -> Result<Export, Failed> {
    let (signed, person) = visit.person()?;
    let export = signed.vault.export(&signed.ctx, signed.tenant, person).await;
    export.map_err(|error| visit.explain(error))
}

/// What is held, by category.
pub(crate) async fn data(visit: Visit) -> Result<Response, Failed> {
    let export = everything(&visit).await?;
    let words = visit.words();
    let mut groups: BTreeMap<u8, (Category, Vec<(String, Markup)>)> = BTreeMap::new();
    for (field, value) in &export.values {
        let (_, rows) = groups.entry(field.category as u8).or_insert_with(|| (field.category, Vec::new()));
        rows.push((field_word(words, &field.name), html! { b { (value.as_str()) } }));
    }
    let main = html! {
        div.head {
            h1 { (words.with("data-sentence", [("count", export.values.len().into())])) }
            p { (words.say("data-what")) }
        }
        @if groups.is_empty() { div.card { (empty(Icon::Veil, &words.say("data-nothing"), None)) } }
        @for (number, (category, rows)) in &groups { (group(words, *number, *category, rows)) }
        @if !export.left_out.is_empty() { (left_out(words, &export.left_out)) }
    };
    Ok(page(&visit, Tab::Held, &main))
}

fn group(words: &Words, number: u8, category: Category, rows: &[(String, Markup)]) -> Markup {
    let id = format!("category-{number}");
    html! {
        section."card stack read" aria-labelledby=(id) {
            div."row between" {
                h2 id=(id) { (words.say(&id)) }
                @if category.is_special() { (chip(Tone::Plain, Icon::Lock, &words.say("data-special"))) }
            }
            (kv(rows))
        }
    }
}

fn left_out(words: &Words, names: &[String]) -> Markup {
    let names: Vec<String> = names.iter().map(|name| field_word(words, name)).collect();
    aside(
        Tone::Plain,
        Icon::Info,
        &html! { p { (words.with("data-left-out", [("fields", names.join(", ").into())])) } },
    )
}

/// What the copy holds, and the button for it.
pub(crate) async fn copy(visit: Visit) -> Result<Response, Failed> {
    let (signed, _) = visit.person()?;
    let config = configuration(&visit, signed)?;
    let words = visit.words();
    let held = |field: &&Field| !field.third_party;
    let names: Vec<String> =
        config.fields.iter().filter(held).map(|field| field_word(words, &field.name)).collect();
    let rows = [
        (words.say("copy-values"), html! { (names.join(", ")) }),
        (words.say("my-consents"), html! { (words.say("copy-consents")) }),
        (words.say("copy-form"), html! { (words.say("copy-form-what")) }),
    ];
    let main = html! {
        div.head { h1 { (words.say("copy-sentence")) } p { (words.say("copy-what")) } }
        section."card stack read" aria-label=(words.say("my-copy")) {
            (kv(&rows))
            (visit.form(Tab::Take.path(), "", &button(Act::Main, Some(Icon::Download), &words.say("copy-get"))))
        }
        p."sm quiet" { (words.say("copy-careful")) " " (link(Tab::Reads.path(), &words.say("my-reads"))) "." }
    };
    Ok(page(&visit, Tab::Take, &main))
}

/// The copy, as JSON (GDPR Art. 20: structured, commonly used, machine-readable).
pub(crate) async fn take(form: Form) -> Result<Response, Failed> {
    let visit = form.visit.clone();
    let export = everything(&visit).await?;
    let fields: BTreeMap<&str, &str> =
        export.values.iter().map(|(field, value)| (field.name.as_str(), value.as_str())).collect();
    let consents: Vec<serde_json::Value> =
        export.consents.iter().map(|record| consent(visit.words(), record)).collect();
    let everything = serde_json::json!({
        "person": export.person.to_string(),
        "at": export.at.rfc3339(),
        "reference": export.reference.as_ref().map(|text| text.as_str()),
        "fields": fields,
        "left_out": export.left_out,
        "consents": consents,
        "entry": export.entry,
    });
    let bytes = Zeroizing::new(serde_json::to_vec_pretty(&everything).map_err(|_| visit.fail(INTERNAL))?);
    Ok(file("my-data.json", "application/json", bytes.to_vec()))
}

fn consent(words: &Words, record: &vault::consent::Consent) -> serde_json::Value {
    let event = |one: &vault::consent::RecordedEvent| serde_json::json!({ "event": one.event, "in_words": event_word(words, one.event), "at": one.at.rfc3339(), "days": one.days });
    serde_json::json!({
        "purpose": record.purpose,
        "recipient": record.recipient,
        "state": record.state,
        "until": record.until.map(model::Timestamp::rfc3339),
        "events": record.events.iter().map(event).collect::<Vec<_>>(),
    })
}
