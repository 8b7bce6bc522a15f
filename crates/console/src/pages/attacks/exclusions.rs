//! `GET /console/attacks/exclusions`: what the shield leaves out, since when, by whom and why; and the way back.

use super::exclude::changes;
use super::{hand, page};
use crate::attacks_view::{Exclusion, ExclusionSource};
use crate::body::to_the_end;
use crate::pages::form::Form;
use crate::pages::visit::{Failed, Signed, Visit, not_found};
use crate::ui::frame::{Area, may};
use crate::ui::icons::Icon;
use crate::ui::language::Words;
use crate::ui::parts::{Act, Column, Tone, aside, button, chip, empty, kv, link, link_button, table};
use axum::extract::Path;
use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};
use model::decision::Action;
use model::{PrincipalId, Timestamp};
use std::collections::BTreeMap;

/// Most lines of the list.
const SHOWN: usize = 2_000;

type Names = BTreeMap<PrincipalId, String>;

/// The exclusions and the names of who made them.
async fn known(visit: &Visit, signed: &Signed) -> Result<(Vec<Exclusion>, Names), Failed> {
    let all =
        hand(visit, signed).look(|view| view.exclusions()).await.map_err(|problem| visit.fail(problem))?;
    let mut ids: Vec<PrincipalId> = all.iter().filter_map(|one| one.by).collect();
    ids.sort_unstable();
    ids.dedup();
    let names = visit
        .look(move |vault, ctx, tenant| {
            let names = vault.names_of(ctx, tenant, &ids)?;
            Ok::<Names, vault::shield::ShieldError>(
                ids.into_iter().zip(names).filter_map(|(id, name)| Some((id, name?))).collect(),
            )
        })
        .await?;
    Ok((all, names))
}

/// The list.
pub(crate) async fn list(visit: Visit) -> Result<Response, Failed> {
    let signed = visit.staff(Area::Attacks)?;
    let now = signed.vault.now().map_err(|fault| visit.explain(fault))?;
    let (all, names) = known(&visit, signed).await?;
    let lifts = may(signed, Action::ExcludeRules).is_ok();
    let words = visit.words();
    let heads = [
        Column::words(words.say("col-rule")),
        Column::words(words.say("col-where")),
        Column::words(words.say("col-because")),
        Column::words(words.say("col-since")),
        Column::words(words.say("col-state")),
    ];
    let row = |one: &Exclusion| {
        vec![
            html! { code { (one.rules) } @if let Some(target) = &one.target { br; code.xs { (target) } } },
            place(words, one),
            html! { span.own-words { (one.because.as_deref().unwrap_or("–")) } },
            since(words, one, &names, now),
            html! {
                @if !one.effective { (chip(Tone::Warn, Icon::Alert, &words.say("exclusion-without"))) br; }
                @if !one.is_liftable() { (chip(Tone::Plain, Icon::Settings, &words.say("exclusion-configured"))) }
                @else if lifts { (link(&format!("/console/attacks/exclusions/{}", one.id), &words.say("exclusion-lift"))) }
            },
        ]
    };
    let rows: Vec<_> = all.iter().take(SHOWN).map(row).collect();
    let main = html! {
        div.head {
            h1 { (words.with("exclusions-sentence", [("count", all.len().into())])) }
            p.quiet { (words.say("exclusions-what")) }
        }
        section."card flush" aria-label=(words.say("exclusions")) {
            @if rows.is_empty() { (empty(Icon::Shield, &words.say("exclusions-none"), Some((Area::Attacks.path(), &words.say("area-attacks"))))) }
            @else { (table(&words.say("exclusions"), &heads, &rows)) }
        }
    };
    page(&visit, Some(words.say("exclusions")), &main).await
}

fn place(words: &Words, one: &Exclusion) -> Markup {
    html! {
        @if one.routes.is_empty() { (words.say("exclusion-everywhere")) }
        @for route in &one.routes { code { (route) } " " }
    }
}

fn since(words: &Words, one: &Exclusion, names: &Names, now: Timestamp) -> Markup {
    html! {
        @match one.since { Some(at) => time.nb datetime=(at.rfc3339()) { (words.when(at, now)) }, None => "–" }
        @if let Some(by) = one.by {
            br;
            @match names.get(&by).filter(|name| !name.is_empty()) {
                Some(name) => span.sm { (name) },
                None => span."xs mono faint" { (by) },
            }
        }
    }
}

/// Whether one wants to take it back.
pub(crate) async fn ask(visit: Visit, Path(id): Path<String>) -> Result<Response, Failed> {
    let signed = changes(&visit)?;
    let now = signed.vault.now().map_err(|fault| visit.explain(fault))?;
    let (all, names) = known(&visit, signed).await?;
    let one = all.into_iter().find(|one| one.id == id && one.source == ExclusionSource::Console);
    let one = one.ok_or_else(|| not_found(&visit))?;
    let words = visit.words();
    let form = html! {
        p.row {
            (button(Act::Main, Some(Icon::Shield), &words.say("exclusion-lift")))
            (link_button(Act::Plain, None, &words.say("back"), "/console/attacks/exclusions"))
        }
    };
    let main = html! {
        div.head { h1 { (words.with("lift-sentence", [("rules", one.rules.as_str().into())])) } }
        (aside(Tone::Ink, Icon::Info, &html! { p { (words.say("lift-what")) } }))
        (kv(&[
            (words.say("col-rule"), html! { code { (one.rules) } @if let Some(target) = &one.target { " " code { (target) } } }),
            (words.say("col-where"), place(words, &one)),
            (words.say("col-because"), html! { span.own-words { (one.because.as_deref().unwrap_or("–")) } }),
            (words.say("col-since"), since(words, &one, &names, now)),
        ]))
        (visit.form(&format!("/console/attacks/exclusions/{id}"), "", &form))
    };
    page(&visit, Some(words.say("exclusion-lift")), &main).await
}

/// Takes it back.
pub(crate) async fn lift(Path(id): Path<String>, form: Form) -> Result<Response, Failed> {
    let visit = form.visit.clone();
    let hand = hand(&visit, changes(&visit)?);
    to_the_end(async move { hand.lift(&id).await }).await.map_err(|problem| visit.fail(problem))?;
    Ok(Redirect::to("/console/attacks/exclusions?done=exclusion-lifted").into_response())
}
