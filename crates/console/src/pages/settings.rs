//! `GET /console/settings`: who may act (keys, links, sessions), shred epochs, networks. A secret is shown once, on the
//! answer to the form that made it.

use super::form::Form;
use super::visit::{Failed, Signed, Visit, not_found};
use crate::body::to_the_end;
use crate::problem::{Explain, KEY_ROLE, Problem};
use crate::routes::keys::{Order, checked};
use crate::routes::links::{path_of, with_term};
use crate::ui::frame::{self, Area, Staff, may, role_word};
use crate::ui::icons::Icon;
use crate::ui::language::Words;
use crate::ui::parts::{
    self, Act, Column, Field, Tone, aside, button, chip, empty, kv, link, link_button, note, pages, select,
    table,
};
use axum::extract::{Path, Query};
use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};
use model::clock::DAY_MS;
use model::decision::Action;
use model::principal::Role;
use model::{PrincipalId, Timestamp};
use serde::Deserialize;
use vault::keys::Credential;
use vault::sight::{EpochLine, KeyLine};
use zeroize::Zeroizing;

/// Most lines of keys on one page.
const SHOWN: usize = 200;

/// Which keys are shown, as it stands in the address.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct Filter {
    all: String,
    find: String,
    before: String,
}

impl Filter {
    fn is_all(&self) -> bool {
        self.all == "1"
    }

    /// Whether a line is looked for: by a part of its name, or by its id.
    fn finds(&self, line: &KeyLine) -> bool {
        let wanted = self.find.trim().to_lowercase();
        wanted.is_empty()
            || line.name.to_lowercase().contains(&wanted)
            || line.principal.to_string() == wanted
    }

    /// The address of this list from somewhere on, with or without those that have ended.
    fn at(&self, all: bool, before: Option<PrincipalId>) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        if all {
            query.append_pair("all", "1");
        }
        if !self.find.is_empty() {
            query.append_pair("find", &self.find);
        }
        if let Some(before) = before {
            query.append_pair("before", &before.to_string());
        }
        let query = query.finish();
        let path = Area::Settings.path();
        if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") }
    }
}

/// A page of keys, newest first.
struct Listed<'a> {
    lines: Vec<&'a KeyLine>,
    more: bool,
}

impl<'a> Listed<'a> {
    fn of(keys: &'a [KeyLine], filter: &Filter, alive: impl Fn(&&KeyLine) -> bool) -> Self {
        let before: Option<PrincipalId> = filter.before.parse().ok();
        let wanted = |line: &&KeyLine| {
            before.is_none_or(|before| line.principal < before)
                && (filter.is_all() || alive(line))
                && filter.finds(line)
        };
        let mut lines: Vec<&KeyLine> = keys.iter().filter(wanted).take(SHOWN + 1).collect();
        let more = lines.len() > SHOWN;
        lines.truncate(SHOWN);
        Self { lines, more }
    }
}

/// The page.
pub(crate) async fn settings(visit: Visit, Query(filter): Query<Filter>) -> Result<Response, Failed> {
    let signed = visit.staff(Area::Settings)?;
    let words = visit.words();
    let now = signed.vault.now().map_err(|fault| visit.explain(fault))?;
    let epochs = visit.look(|vault, ctx, tenant| vault.epochs(ctx, tenant)).await?;
    let keys = match may(signed, Action::ManageKeys) {
        Ok(()) => Some(visit.look(|vault, ctx, tenant| vault.keys(ctx, tenant)).await?),
        Err(_) => None,
    };
    let alive = |line: &&KeyLine| line.active && line.expires.is_none_or(|end| end > now);
    let sentence = match &keys {
        Some(keys) => {
            let count = |wanted: Credential| {
                keys.iter().filter(alive).filter(|line| line.credential == wanted).count()
            };
            let (keys, sessions) = (count(Credential::Key), count(Credential::Session));
            words.with("settings-sentence", [("keys", keys.into()), ("sessions", sessions.into())])
        }
        None => words.with(
            "settings-epochs",
            [("count", epochs.iter().filter(|line| line.destroyed.is_none()).count().into())],
        ),
    };
    let main = html! {
        div.head { h1 { (sentence) } }
        @if let Some(keys) = &keys {
            (keys_card(words, &Listed::of(keys, &filter, alive), &filter, now))
        }
        (epochs_card(words, &epochs, now))
        (networks(&visit, signed))
    };
    frame::staff(
        &visit,
        Staff { area: Area::Settings, title: &visit.say("area-settings"), crumbs: &[] },
        &main,
    )
    .await
}

fn credential_word(credential: Credential) -> &'static str {
    match credential {
        Credential::Key => "credential-key",
        Credential::Viewer => "credential-viewer",
        Credential::Link => "credential-link",
        Credential::Session => "credential-session",
    }
}

fn keys_card(words: &Words, listed: &Listed<'_>, filter: &Filter, now: Timestamp) -> Markup {
    let heads = [
        Column::words(words.say("col-name")),
        Column::words(words.say("col-kind")),
        Column::words(words.say("col-role")),
        Column::words(words.say("col-ends")),
        Column::words(words.say("col-state")),
    ];
    let row = |line: &&KeyLine| {
        let over = line.expires.is_some_and(|end| end <= now);
        let name = if line.name.is_empty() { words.say("no-name") } else { line.name.clone() };
        vec![
            html! { (name) br; span."xs mono faint" { (line.principal) } },
            html! { (words.say(credential_word(line.credential))) },
            html! { (words.say(role_word(line.role))) },
            html! { @match line.expires { Some(end) => { span.nb { (words.day(end)) " " (words.clock(end)) } } None => { (words.say("never")) } } },
            html! {
                @if !line.active { (chip(Tone::Plain, Icon::Cross, &words.say("key-revoked"))) }
                @else if over { (chip(Tone::Warn, Icon::Clock, &words.say("key-expired"))) }
                @else { (link(&format!("/console/settings/keys/{}", line.principal), &words.say("revoke"))) }
            },
        ]
    };
    let lines = &listed.lines;
    let word = if filter.is_all() { "keys-active" } else { "keys-all" };
    let older =
        lines.last().filter(|_| listed.more).map(|line| filter.at(filter.is_all(), Some(line.principal)));
    let newest = (!filter.before.is_empty()).then(|| filter.at(filter.is_all(), None));
    html! {
        section."card flush" aria-labelledby="keys" {
            div."row between pad" {
                h2 #keys { (words.say("keys-title")) }
                span.row {
                    (link_button(Act::Normal, Some(Icon::Link), &words.say("issue-link"), "/console/settings/links/new"))
                    (link_button(Act::Normal, Some(Icon::Key), &words.say("issue-key"), "/console/settings/keys/new"))
                }
            }
            (keys_filter(words, filter))
            @if lines.is_empty() && !filter.find.is_empty() { (empty(Icon::Filter, &words.say("filter-none"), Some((Area::Settings.path(), &words.say("filter-clear"))))) }
            @else if lines.is_empty() { (empty(Icon::Key, &words.say("keys-none"), None)) }
            @else { (table(&words.say("keys-title"), &heads, &lines.iter().map(row).collect::<Vec<_>>())) }
            (pages(words, &words.with("keys-shown", [("count", lines.len().into())]), newest.as_deref(), older.as_deref()))
            p.pad { (link(&filter.at(!filter.is_all(), None), &words.say(word))) }
        }
    }
}

fn keys_filter(words: &Words, filter: &Filter) -> Markup {
    let label = words.say("keys-find");
    html! {
        form."filters pad" method="get" action=(Area::Settings.path()) aria-label=(words.say("filter")) {
            @if filter.is_all() { input type="hidden" name="all" value="1"; }
            (parts::field(&Field { name: "find", label: &label, value: &filter.find, ..Field::default() }))
            (button(Act::Normal, Some(Icon::Filter), &words.say("filter-apply")))
        }
    }
}

fn epochs_card(words: &Words, epochs: &[EpochLine], now: Timestamp) -> Markup {
    let heads = [
        Column::words(words.say("col-week")),
        Column::words(words.say("col-made")),
        Column::number(words.say("col-persons")),
        Column::words(words.say("col-state")),
    ];
    let row = |line: &EpochLine| {
        vec![
            html! { (line.week) },
            html! { (words.day(line.created)) },
            html! { (words.number(line.persons)) },
            match line.destroyed {
                Some(at) => chip(
                    Tone::Plain,
                    Icon::Erase,
                    &words.with("epoch-destroyed", [("when", words.day(at).into())]),
                ),
                None if line.week == now.week() => chip(Tone::Ink, Icon::Check, &words.say("epoch-current")),
                None => chip(Tone::Plain, Icon::Clock, &words.say("epoch-kept")),
            },
        ]
    };
    html! {
        section."card flush" aria-labelledby="epochs" {
            div.pad { h2 #epochs { (words.say("epochs-title")) } p."sm quiet" { (words.say("epochs-what")) } }
            @if epochs.is_empty() { (empty(Icon::Clock, &words.say("epochs-none"), None)) }
            @else { (table(&words.say("epochs-title"), &heads, &epochs.iter().map(row).collect::<Vec<_>>())) }
        }
    }
}

fn networks(visit: &Visit, signed: &Signed) -> Markup {
    let words = visit.words();
    let zone = &visit.console().settings().ledger_zone;
    html! {
        section."card stack" aria-labelledby="networks" {
            h2 #networks { (words.say("networks-title")) }
            (kv(&[
                (words.say("networks-ledger"), html! {
                    @if zone.is_empty() { (words.say("networks-nobody")) }
                    @for network in zone { code { (network) } " " }
                }),
                (words.say("tenant-id"), html! { code { (signed.tenant) } }),
                (words.say("ledger-origin"), html! { code { (signed.vault.ledger().origin()) } }),
            ]))
            p."sm quiet" { (words.say("networks-where")) }
        }
    }
}

/// What is issued: a key for a program, or a link for somebody.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Key,
    Link,
}

impl Kind {
    fn path(self) -> &'static str {
        if self == Self::Key { "/console/settings/keys/new" } else { "/console/settings/links/new" }
    }

    fn word(self) -> &'static str {
        if self == Self::Key { "issue-key" } else { "issue-link" }
    }

    fn roles(self) -> impl Iterator<Item = Role> {
        let of_link = [
            Role::Auditor,
            Role::Security,
            Role::Operations,
            Role::CaseManager,
            Role::PrivacyOfficer,
            Role::Admin,
            Role::Person,
        ];
        let app = (self == Self::Key).then_some(Role::App);
        // The one that sees least comes first.
        of_link.into_iter().chain(app)
    }
}

/// The session of somebody who may manage keys.
fn manager(visit: &Visit) -> Result<&Signed, Failed> {
    let signed = visit.staff(Area::Settings)?;
    let may = may(signed, Action::ManageKeys);
    may.map_err(|reason| visit.explain(vault::sight::SightError::Denied(reason)))?;
    Ok(signed)
}

/// The form for a new key.
pub(crate) async fn new_key(visit: Visit) -> Result<Response, Failed> {
    manager(&visit)?;
    order_page(&visit, Kind::Key, None, None).await
}

/// The form for a new link.
pub(crate) async fn new_link(visit: Visit) -> Result<Response, Failed> {
    manager(&visit)?;
    order_page(&visit, Kind::Link, None, None).await
}

async fn order_page(
    visit: &Visit,
    kind: Kind,
    form: Option<&Form>,
    problem: Option<&Problem>,
) -> Result<Response, Failed> {
    let words = visit.words();
    let typed = |name: &str| form.map_or("", |form| form.value(name)).to_owned();
    let error = |code: &str| {
        problem
            .filter(|one| one.code == code)
            .map(|_| words.say(&format!("wrong-{}", code.replace('_', "-"))))
    };
    let other = problem.filter(|one| words.find(&format!("wrong-{}", one.code.replace('_', "-"))).is_none());
    let roles: Vec<(String, String)> =
        kind.roles().map(|role| (role_name(role), words.say(role_word(role)))).collect();
    let texts =
        ["order-name", "order-role", "order-subject", "order-days", "order-zone"].map(|name| words.say(name));
    let hints = [
        "order-name-hint",
        "order-subject-hint",
        if kind == Kind::Key { "order-days-hint" } else { "order-days-link" },
        "order-zone-hint",
    ]
    .map(|name| words.say(name));
    let errors = ["bad_name", "bad_role", "bad_subject", "bad_expiry", "bad_zone"].map(error);
    let days = if form.is_some() {
        typed("days")
    } else if kind == Kind::Link {
        "1".to_owned()
    } else {
        String::new()
    };
    let (name, role, subject, zone) = (typed("name"), typed("role"), typed("subject"), typed("zone"));
    let inner = html! {
        (parts::field(&Field { name: "name", label: &texts[0], hint: Some(&hints[0]), error: errors[0].as_deref(), value: &name, required: true, ..Field::default() }))
        (select(&Field { name: "role", label: &texts[1], error: errors[1].as_deref(), value: &role, ..Field::default() }, &roles))
        (parts::field(&Field { name: "subject", label: &texts[2], hint: Some(&hints[1]), error: errors[2].as_deref(), value: &subject, ..Field::default() }))
        (parts::field(&Field { name: "days", label: &texts[3], hint: Some(&hints[2]), error: errors[3].as_deref(), value: &days, kind: Some("number"), ..Field::default() }))
        (parts::field(&Field { name: "zone", label: &texts[4], hint: Some(&hints[3]), error: errors[4].as_deref(), value: &zone, ..Field::default() }))
        p.row { (button(Act::Main, Some(Icon::Key), &words.say(kind.word()))) (link_button(Act::Plain, None, &words.say("back"), Area::Settings.path())) }
    };
    let main = html! {
        div.head { h1 { (words.say(&format!("{}-sentence", kind.word()))) } p.quiet { (words.say(&format!("{}-what", kind.word()))) } }
        @if let Some(problem) = problem {
            (note(Tone::Stop, Icon::Alert, &html! {
                p { (words.say(if other.is_some() { "error-input-what" } else { "form-look" })) " " code { (problem.code) } }
            }))
        }
        (visit.form(kind.path(), "stack narrow", &inner))
    };
    let title = words.say(kind.word());
    frame::staff(
        visit,
        Staff { area: Area::Settings, title: &title, crumbs: &[(title.clone(), None)] },
        &main,
    )
    .await
}

/// A role as the API names it.
fn role_name(role: Role) -> String {
    serde_json::to_value(role).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}

/// What the form asks for, if it is of the form.
fn order(form: &Form, kind: Kind, now: Timestamp) -> Result<vault::keys::NewKey, Problem> {
    let role = kind.roles().find(|role| role_name(*role) == form.value("role")).ok_or(KEY_ROLE)?;
    let wrong = |code: KeyTrouble| code.problem();
    let subject = form
        .filled("subject")
        .map(|text| text.parse().map_err(|_| wrong(KeyTrouble::Subject)))
        .transpose()?;
    let days = form
        .filled("days")
        .map(|text| text.parse::<i64>().map_err(|_| wrong(KeyTrouble::Days)))
        .transpose()?;
    if days.is_some_and(|days| !(1..=36_500).contains(&days)) {
        return Err(wrong(KeyTrouble::Days));
    }
    let zone = form
        .value("zone")
        .split([' ', ',', ';'])
        .filter(|part| !part.is_empty())
        .map(str::to_owned)
        .collect();
    let expires_ms = days.map(|days| now.0 + days * DAY_MS);
    checked(Order { name: form.value("name").to_owned(), role, subject, expires_ms, zone })
}

/// What a form alone can get wrong, said like the use case says it.
enum KeyTrouble {
    Subject,
    Days,
}

impl KeyTrouble {
    fn problem(&self) -> Problem {
        let error = match self {
            Self::Subject => vault::keys::KeyError::Subject,
            Self::Days => vault::keys::KeyError::Expired,
        };
        error.explain(Role::Admin)
    }
}

/// Issues a key and shows it once.
pub(crate) async fn issue_key(form: Form) -> Result<Response, Failed> {
    let visit = form.visit.clone();
    let signed = manager(&visit)?;
    let now = signed.vault.now().map_err(|fault| visit.explain(fault))?;
    let new = match order(&form, Kind::Key, now) {
        Ok(new) => new,
        Err(problem) => return order_page(&visit, Kind::Key, Some(&form), Some(&problem)).await,
    };
    let (vault, ctx, tenant, role) = (signed.vault.clone(), signed.ctx.clone(), signed.tenant, signed.role());
    let issued =
        to_the_end(
            async move { vault.issue_key(&ctx, tenant, new).await.map_err(|error| error.explain(role)) },
        );
    match issued.await {
        Ok(issued) => {
            once(&visit, Kind::Key, &Zeroizing::new(issued.secret.reveal()), issued.principal).await
        }
        Err(problem) => order_page(&visit, Kind::Key, Some(&form), Some(&problem)).await,
    }
}

/// Issues a link and shows it once.
pub(crate) async fn issue_link(form: Form) -> Result<Response, Failed> {
    let visit = form.visit.clone();
    let signed = manager(&visit)?;
    let now = signed.vault.now().map_err(|fault| visit.explain(fault))?;
    let new = match order(&form, Kind::Link, now) {
        Ok(new) => with_term(new, now),
        Err(problem) => return order_page(&visit, Kind::Link, Some(&form), Some(&problem)).await,
    };
    let (vault, ctx, tenant, role) = (signed.vault.clone(), signed.ctx.clone(), signed.tenant, signed.role());
    let issued =
        to_the_end(
            async move { vault.issue_link(&ctx, tenant, new).await.map_err(|error| error.explain(role)) },
        );
    match issued.await {
        Ok(issued) => {
            let address = Zeroizing::new(format!("{}{}", form.origin(), path_of(&issued).as_str()));
            once(&visit, Kind::Link, &address, issued.principal).await
        }
        Err(problem) => order_page(&visit, Kind::Link, Some(&form), Some(&problem)).await,
    }
}

/// The secret, this one time.
async fn once(visit: &Visit, kind: Kind, secret: &str, principal: PrincipalId) -> Result<Response, Failed> {
    let words = visit.words();
    let name = if kind == Kind::Key { "once-key" } else { "once-link" };
    let main = html! {
        div.head { h1 { (words.say(name)) } p.quiet { (words.say(&format!("{name}-what"))) } }
        pre.code tabindex="0" role="region" aria-label=(words.say(name)) { (secret) }
        p.sm { (words.say("once-principal")) " " code { (principal) } }
        p { (link_button(Act::Normal, Some(Icon::Arrow), &words.say("back-to-settings"), Area::Settings.path())) }
    };
    let title = words.say(kind.word());
    frame::staff(
        visit,
        Staff { area: Area::Settings, title: &title, crumbs: &[(title.clone(), None)] },
        &main,
    )
    .await
}

/// Whether one really wants to revoke it.
pub(crate) async fn ask_revoke(visit: Visit, Path(principal): Path<String>) -> Result<Response, Failed> {
    manager(&visit)?;
    let principal: PrincipalId = principal.parse().map_err(|_| not_found(&visit))?;
    let keys = visit.look(|vault, ctx, tenant| vault.keys(ctx, tenant)).await?;
    let line = keys.into_iter().find(|line| line.principal == principal).ok_or_else(|| not_found(&visit))?;
    let words = visit.words();
    let form = html! {
        p.row { (button(Act::Grave, Some(Icon::Cross), &words.say("revoke"))) (link_button(Act::Plain, None, &words.say("back"), Area::Settings.path())) }
    };
    let name = if line.name.is_empty() { words.say("no-name") } else { line.name.clone() };
    let main = html! {
        div.head { h1 { (words.with("revoke-sentence", [("name", name.into()), ("kind", words.say(credential_word(line.credential)).into())])) } }
        (aside(Tone::Warn, Icon::Alert, &html! { p { (words.say("revoke-what")) } }))
        (kv(&[
            (words.say("col-role"), html! { (words.say(role_word(line.role))) }),
            (words.say("once-principal"), html! { code { (line.principal) } }),
        ]))
        (visit.form(&format!("/console/settings/keys/{principal}"), "", &form))
    };
    let title = words.say("revoke");
    frame::staff(
        &visit,
        Staff { area: Area::Settings, title: &title, crumbs: &[(title.clone(), None)] },
        &main,
    )
    .await
}

/// Revokes it.
pub(crate) async fn revoke(Path(principal): Path<String>, form: Form) -> Result<Response, Failed> {
    let visit = form.visit.clone();
    let signed = manager(&visit)?;
    let principal: PrincipalId = principal.parse().map_err(|_| not_found(&visit))?;
    let (vault, ctx, tenant, role) = (signed.vault.clone(), signed.ctx.clone(), signed.tenant, signed.role());
    let revoked = to_the_end(async move {
        vault.revoke_key(&ctx, tenant, principal).await.map_err(|error| error.explain(role))
    });
    revoked.await.map_err(|problem| visit.fail(problem))?;
    Ok(Redirect::to("/console/settings?done=key-revoked").into_response())
}
