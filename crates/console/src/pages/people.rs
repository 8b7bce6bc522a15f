//! `GET /console/people`: find a person, read fields with a purpose, see who did. A page of a person shows veils and looks
//! nothing up, so it is the same for somebody who is not here; a value is shown on the answer to a form alone, never in
//! what a history keeps.

use super::form::Form;
use super::ledger::event_word;
use super::purposes::{basis_word, configuration};
use super::visit::{Failed, Signed, Visit, not_found};
use crate::Console;
use crate::problem::BAD_REQUEST;
use crate::ui::frame::{self, Area, Staff, may, role_word};
use crate::ui::icons::{Icon, icon};
use crate::ui::language::Words;
use crate::ui::parts::{
    self, Act, Choice, Field, Knot, Tone, Verdict, aside, button, chip, choice, empty, kv, link, link_button,
    select, thread, veil, verdict,
};
use axum::extract::{FromRequestParts, Path, Query};
use axum::response::{IntoResponse, Redirect, Response};
use http::request::Parts;
use maud::{Markup, html};
use model::catalogue::{Index, MaskRule};
use model::decision::Action;
use model::purpose::Purpose;
use model::{PersonId, Timestamp};
use serde::Deserialize;
use std::collections::BTreeMap;
use vault::TenantConfig;
use vault::accesses::Access;
use vault::find::FindRequest;
use vault::reveal::{Item, RevealRequest, Revealed};
use vault::trail::{Event, Outcome};
use zeroize::Zeroizing;

/// Accesses of one page.
const SHOWN: usize = 100;

/// The person whom the path names.
pub(crate) struct Found(pub(crate) PersonId);

impl FromRequestParts<Console> for Found {
    type Rejection = Failed;

    async fn from_request_parts(parts: &mut Parts, console: &Console) -> Result<Self, Failed> {
        match Path::<PersonId>::from_request_parts(parts, console).await {
            Ok(Path(person)) => Ok(Self(person)),
            Err(_) => Err(not_found(&Visit::of(parts, console))),
        }
    }
}

/// Where a person's page is.
pub(crate) fn path_of(person: PersonId) -> String {
    format!("{}/{person}", Area::People.path())
}

/// The way to a page of a person.
pub(crate) fn person_crumbs(
    visit: &Visit,
    person: PersonId,
    page: Option<&str>,
) -> Vec<(String, Option<String>)> {
    let one = visit.say("one-person");
    match page {
        Some(page) => vec![(one, Some(path_of(person))), (page.to_owned(), None)],
        None => vec![(one, None)],
    }
}

/// The purposes for which this visitor's role may read.
fn own_purposes<'a>(config: &'a TenantConfig, signed: &Signed) -> Vec<&'a Purpose> {
    config.purposes.iter().filter(|one| one.current && one.roles.contains(&signed.role())).collect()
}

/// How one looks for somebody.
pub(crate) async fn search(visit: Visit) -> Result<Response, Failed> {
    let signed = visit.staff(Area::People)?;
    let config = configuration(&visit, signed)?;
    let main = html! {
        div.head {
            h1 { (visit.say("people-sentence")) }
            p."sm quiet" { (visit.say("people-recorded")) }
        }
        (search_form(&visit, signed, &config, None))
    };
    frame::staff(&visit, Staff { area: Area::People, title: &visit.say("area-people"), crumbs: &[] }, &main)
        .await
}

fn search_form(visit: &Visit, signed: &Signed, config: &TenantConfig, error: Option<&str>) -> Markup {
    let words = visit.words();
    let mut fields = Vec::new();
    if may(signed, Action::Rectify).is_ok() {
        fields.push(("ref".to_owned(), words.say("find-ref")));
    }
    let indexed = config.fields.iter().filter(|field| field.index == Index::Equality);
    fields.extend(indexed.map(|field| (field.name.clone(), field.name.clone())));
    let mut purposes = vec![(String::new(), words.say("find-no-purpose"))];
    purposes
        .extend(own_purposes(config, signed).into_iter().map(|one| (one.name.clone(), one.title.clone())));
    let (by, value, purpose) = (words.say("find-by"), words.say("find-value"), words.say("col-purpose"));
    let (hint, value_hint) = (words.say("find-purpose-hint"), words.say("find-value-hint"));
    let form = html! {
        (select(&Field { name: "field", label: &by, ..Field::default() }, &fields))
        (parts::field(&Field { name: "value", label: &value, hint: Some(&value_hint), error, required: true, ..Field::default() }))
        (select(&Field { name: "purpose", label: &purpose, hint: Some(&hint), ..Field::default() }, &purposes))
        p { (button(Act::Main, Some(Icon::Search), &words.say("find-person"))) }
    };
    html! {
        section."card narrow" aria-label=(words.say("find-person")) {
            @if fields.is_empty() { (empty(Icon::Search, &words.say("find-nothing-indexed"), None)) }
            @else { (visit.form("/console/people/find", "stack", &form)) }
        }
    }
}

/// Who was found. The value stands in a form, not in an address.
pub(crate) async fn find(form: Form) -> Result<Response, Failed> {
    let visit = form.visit.clone();
    let signed = visit.staff(Area::People)?;
    let request = FindRequest {
        field: form.value("field").to_owned(),
        value: Zeroizing::new(form.value("value").to_owned()),
        purpose: form.filled("purpose").map(str::to_owned),
        recipient: None,
    };
    let found = signed.vault.find(&signed.ctx, signed.tenant, &request).await;
    let found = found.map_err(|error| visit.explain(error))?;
    if let [one] = found.as_slice() {
        return Ok(Redirect::to(&path_of(*one)).into_response());
    }
    let config = configuration(&visit, signed)?;
    let words = visit.words();
    let main = html! {
        div.head {
            h1 { (words.with("found-sentence", [("count", found.len().into())])) }
            @if found.is_empty() { p.quiet { (words.say("found-nobody")) } }
        }
        @if !found.is_empty() {
            section."card read" aria-label=(words.say("area-people")) {
                ul.lined { @for person in &found { li { a href=(path_of(*person)) { code { (person) } } } } }
            }
        }
        (search_form(&visit, signed, &config, None))
    };
    let crumbs = [(words.say("found"), None)];
    frame::staff(
        &visit,
        Staff { area: Area::People, title: &visit.say("area-people"), crumbs: &crumbs },
        &main,
    )
    .await
}

/// The purpose that was chosen, as it stands in the address.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct Chosen {
    purpose: String,
}

/// A person, veiled.
pub(crate) async fn person(
    visit: Visit,
    Found(person): Found,
    Query(chosen): Query<Chosen>,
) -> Result<Response, Failed> {
    let signed = visit.staff(Area::People)?;
    let config = configuration(&visit, signed)?;
    show(&visit, signed, person, &config, &chosen.purpose, None).await
}

/// What was read, and where it stands in the ledger.
struct Read {
    values: BTreeMap<String, Revealed>,
    entry: u64,
}

/// Reads fields with a purpose.
pub(crate) async fn reveal(Found(person): Found, form: Form) -> Result<Response, Failed> {
    let visit = form.visit.clone();
    let signed = visit.staff(Area::People)?;
    let fields: Vec<String> = form.values("field").map(str::to_owned).collect();
    let purpose = form.value("purpose").to_owned();
    let config = configuration(&visit, signed)?;
    if purpose.is_empty() || fields.iter().any(|name| config.field(name).is_none()) {
        return Err(visit.fail(BAD_REQUEST));
    }
    if fields.is_empty() {
        return Ok(Redirect::to(&with_purpose(person, &purpose)).into_response());
    }
    let items = vec![Item::Fields(person, fields)];
    let request = RevealRequest { purpose: purpose.clone(), recipient: None, items };
    let revealed = signed.vault.reveal(&signed.ctx, signed.tenant, &request).await;
    let revealed = revealed.map_err(|error| visit.explain(error))?;
    let mut read = Read { values: BTreeMap::new(), entry: revealed.entry };
    for one in revealed.items.into_iter().flatten() {
        visit.console().metrics().decided(one.decision);
        if let Some(name) = one.field.clone() {
            read.values.insert(name, one);
        }
    }
    show(&visit, signed, person, &config, &purpose, Some(read)).await
}

fn with_purpose(person: PersonId, purpose: &str) -> String {
    let query = form_urlencoded::Serializer::new(String::new()).append_pair("purpose", purpose).finish();
    format!("{}?{query}", path_of(person))
}

async fn show(
    visit: &Visit,
    signed: &Signed,
    person: PersonId,
    config: &TenantConfig,
    chosen: &str,
    read: Option<Read>,
) -> Result<Response, Failed> {
    let words = visit.words();
    let purposes = own_purposes(config, signed);
    let chosen = purposes.iter().find(|purpose| purpose.name == chosen).copied();
    let seen = read.as_ref().map_or(0, |read| read.values.values().filter(|one| one.value.is_some()).count());
    let sentence = if read.is_some() { "person-read" } else { "person-veiled" };
    let main = html! {
        div.head {
            h1 { (words.with(sentence, [("seen", seen.into()), ("all", config.fields.len().into())])) }
            p.row {
                (chip(Tone::Plain, Icon::User, &words.say("one-person")))
                code { (person) }
                span."sm quiet" { (words.with("acting-as", [("role", words.say(role_word(signed.role())).into())])) }
            }
        }
        @if let Some(read) = &read {
            (aside(Tone::Ink, Icon::Ledger, &html! { p {
                (words.with("read-recorded", [("index", read.entry.into())])) " "
                @if may(signed, Action::ReadLedger).is_ok() { (link(&format!("/console/ledger/{}", read.entry), &words.say("to-entry"))) }
            } }))
        }
        div."cols side" {
            (data(visit, signed, config, read.as_ref()))
            div.stack6 {
                (ask(visit, person, config, &purposes, chosen))
                (more(visit, signed, person))
            }
        }
    };
    let title = words.say("one-person");
    let crumbs = person_crumbs(visit, person, None);
    frame::staff(visit, Staff { area: Area::People, title: &title, crumbs: &crumbs }, &main).await
}

/// The fields, each veiled unless it was read just now.
fn data(visit: &Visit, signed: &Signed, config: &TenantConfig, read: Option<&Read>) -> Markup {
    let words = visit.words();
    let rows: Vec<(String, Markup)> = config
        .fields
        .iter()
        .map(|field| {
            let value = html! {
                span.row {
                    (value(words, signed, read.and_then(|read| read.values.get(&field.name))))
                    @if field.category.is_special() {
                        (chip(Tone::Plain, Icon::Lock, &words.say(&format!("category-{}", field.category as u8))))
                    }
                }
            };
            (field.name.clone(), value)
        })
        .collect();
    html! {
        section.card aria-labelledby="data" {
            div."row between" { h2 #data { (words.say("data-title")) } span."xs quiet" { (words.say("data-hatch")) } }
            @if rows.is_empty() { (empty(Icon::Veil, &words.say("data-none"), None)) } @else { (kv(&rows)) }
        }
    }
}

fn value(words: &Words, signed: &Signed, read: Option<&Revealed>) -> Markup {
    let Some(read) = read else { return veil(words) };
    match (&read.value, read.decision) {
        (Some(value), Outcome::Permit) => html! { b { (value.as_str()) } },
        (Some(value), _) => html! { b { (value.as_str()) } (verdict(words, Verdict::Partly)) },
        (None, Outcome::Permit | Outcome::Partial) => html! { span.quiet { (words.say("no-value")) } },
        (None, outcome) => {
            let shown = if outcome == Outcome::Deny { Verdict::Refused } else { Verdict::Masked };
            let reason = read.reason.map(|reason| reason.outward(signed.role()));
            html! { (veil(words)) (verdict(words, shown)) @if let Some(reason) = reason { code { (reason) } } }
        }
    }
}

/// Purpose first, then the fields that it declares.
fn ask(
    visit: &Visit,
    person: PersonId,
    config: &TenantConfig,
    purposes: &[&Purpose],
    chosen: Option<&Purpose>,
) -> Markup {
    let words = visit.words();
    html! {
        section."card stack" aria-labelledby="ask" {
            h2 #ask { (words.say("ask-title")) }
            @if purposes.is_empty() { (empty(Icon::Purpose, &words.say("ask-no-purpose"), None)) }
            @else {
                ul.lined { @for purpose in purposes { li { div."row between" {
                    a href=(with_purpose(person, &purpose.name)) aria-current=[chosen.filter(|one| one.id == purpose.id).map(|_| "true")] { (purpose.title) }
                    span."xs quiet" { (words.say(basis_word(purpose.basis))) }
                } } } }
            }
            @if let Some(purpose) = chosen { (fields(visit, person, config, purpose)) }
        }
    }
}

fn fields(visit: &Visit, person: PersonId, config: &TenantConfig, purpose: &Purpose) -> Markup {
    let words = visit.words();
    let masked = |mask: MaskRule| match mask {
        MaskRule::Redact => "mask-redact",
        MaskRule::Initials => "mask-initials",
        MaskRule::LastFour => "mask-last-four",
        MaskRule::Year => "mask-year",
    };
    let clear =
        purpose.fields.iter().filter_map(|id| config.field_by_id(*id)).map(|field| (field, String::new()));
    let part = purpose.masked.iter().filter_map(|id| config.field_by_id(*id));
    let all: Vec<_> = clear.chain(part.map(|field| (field, words.say(masked(field.mask))))).collect();
    let form = html! {
        input type="hidden" name="purpose" value=(purpose.name);
        fieldset { legend.vh { (words.say("ask-fields")) } div {
            @for (field, why) in &all {
                (choice(&Choice { kind: "checkbox", name: "field", value: &field.name, word: &field.name, why, chosen: false }))
            }
        } }
        p.sm.quiet { (words.say("ask-recorded")) }
        p { (button(Act::Main, Some(Icon::Eye), &words.say("ask-read"))) }
    };
    visit.form(&format!("{}/reveal", path_of(person)), "stack", &form)
}

/// What else there is about a person, for those who may.
fn more(visit: &Visit, signed: &Signed, person: PersonId) -> Markup {
    let words = visit.words();
    let pages = [
        (Action::Accesses, "accesses", "accesses-title", Icon::Eye),
        (Action::ListConsents, "consents", "area-consents", Icon::Consent),
    ];
    let open: Vec<_> = pages.into_iter().filter(|(action, ..)| may(signed, *action).is_ok()).collect();
    html! {
        @if !open.is_empty() {
            section."card stack" aria-labelledby="more" {
                h2 #more { (words.say("more-title")) }
                @for (_, page, word, with) in open {
                    p { (link_button(Act::Normal, Some(with), &words.say(word), &format!("{}/{page}", path_of(person)))) }
                }
                p."sm quiet" { (words.say("looked-recorded")) }
            }
        }
    }
}

/// Who touched this person, and why.
pub(crate) async fn accesses(visit: Visit, Found(person): Found) -> Result<Response, Failed> {
    let signed = visit.staff(Area::People)?;
    let list = signed.vault.accesses(&signed.ctx, signed.tenant, person, SHOWN).await;
    let list = list.map_err(|error| visit.explain(error))?;
    let now = signed.vault.now().map_err(|fault| visit.explain(fault))?;
    let words = visit.words();
    let refused = list.iter().filter(|access| knot(access) == Knot::Refused).count();
    let origin = signed.vault.ledger().origin().to_owned();
    let knots: Vec<(Knot, Markup)> =
        list.iter().map(|access| (knot(access), told(&visit, access, &origin, now))).collect();
    let title = words.say("accesses-title");
    let main = html! {
        div.head {
            h1 { (words.with("accesses-sentence", [("count", list.len().into()), ("refused", refused.into())])) }
            p."sm quiet" { (words.say("looked-recorded")) }
        }
        section."card read" aria-labelledby="accesses" {
            h2.vh #accesses { (title) }
            @if knots.is_empty() { (empty(Icon::Eye, &words.say("accesses-none"), None)) } @else { (thread(&knots)) }
        }
        @if list.len() == SHOWN { p."sm quiet" { (words.with("accesses-more", [("count", SHOWN.into())])) } }
    };
    let crumbs = person_crumbs(&visit, person, Some(&title));
    frame::staff(&visit, Staff { area: Area::People, title: &title, crumbs: &crumbs }, &main).await
}

/// What an access is on the thread.
pub(crate) fn knot(access: &Access) -> Knot {
    let shown = |outcome: Outcome| access.fields.iter().any(|(_, one)| *one == outcome);
    if access.fields.is_empty() || shown(Outcome::Permit) {
        Knot::Full
    } else if shown(Outcome::Partial) || shown(Outcome::Redact) {
        Knot::Hollow
    } else {
        Knot::Refused
    }
}

fn told(visit: &Visit, access: &Access, origin: &str, now: Timestamp) -> Markup {
    let words = visit.words();
    let who = match (access.actor.as_str(), access.role) {
        ("", None) => words.say("actor-gone"),
        ("", Some(role)) => words.say(role_word(role)),
        (name, Some(role)) => format!("{name} ({})", words.say(role_word(role))),
        (name, None) => name.to_owned(),
    };
    let with = |wanted: &[Outcome]| {
        let names =
            access.fields.iter().filter(|(_, one)| wanted.contains(one)).map(|(name, _)| name.as_str());
        names.collect::<Vec<_>>().join(", ")
    };
    // To store and to correct is no reading.
    let reads = matches!(access.event, Event::Read | Event::Find | Event::Export);
    let parts = [
        (if reads { Verdict::Read } else { Verdict::Done }, with(&[Outcome::Permit])),
        (Verdict::Partly, with(&[Outcome::Partial])),
        (Verdict::Masked, with(&[Outcome::Redact])),
        (Verdict::Refused, with(&[Outcome::Deny])),
    ];
    html! {
        time datetime=(access.at.rfc3339()) { (words.when(access.at, now)) }
        h3 { (event_word(words, access.event)) }
        p.sm { (who) @if !access.purpose.is_empty() { ". " (words.say("col-purpose")) ": " (access.purpose) } }
        @for (how, names) in parts.iter().filter(|(_, names)| !names.is_empty()) {
            p."row sm" { (verdict(words, *how)) span { (names) } }
        }
        p.sm {
            @if access.log == origin { (link(&format!("/console/ledger/{}", access.entry), &words.with("entry-number", [("index", access.entry.into())]))) }
            @else { (icon(Icon::Info)) (words.with("entry-number", [("index", access.entry.into())])) " · " code { (access.log) } }
        }
    }
}
