//! `GET /my/reads`: who read what, and why, in words; each with its proof.

use super::{Tab, field_word, page};
use crate::pages::ledger::{event_word, file};
use crate::pages::people::knot;
use crate::pages::visit::{Failed, Visit, not_found};
use crate::problem::NOT_PROVABLE;
use crate::ui::frame::{ledger_stamp, ledger_state, role_word};
use crate::ui::icons::Icon;
use crate::ui::language::Words;
use crate::ui::parts::{Knot, Verdict, empty, link, thread, verdict};
use axum::extract::Path;
use axum::response::Response;
use maud::{Markup, html};
use model::Timestamp;
use model::principal::Role;
use std::collections::BTreeMap;
use vault::accesses::{Access, MAX_ACCESSES};
use vault::trail::{Event, Outcome};

/// Entries of one page.
const SHOWN: usize = 200;

fn is_read(access: &Access) -> bool {
    matches!(access.event, Event::Read | Event::Find | Event::Export)
}

/// Whether something of the person was seen, if only in part. What was masked was not.
fn is_seen(access: &Access) -> bool {
    let seen = |outcome: &Outcome| matches!(outcome, Outcome::Permit | Outcome::Partial);
    is_read(access) && (access.fields.is_empty() || access.fields.iter().any(|(_, outcome)| seen(outcome)))
}

/// The person's own visits to these pages would hide what others did.
fn is_own_visit(access: &Access) -> bool {
    access.role == Some(Role::Person)
        && matches!(access.event, Event::Accesses | Event::ConsentsListed | Event::Export)
}

/// Who read what.
pub(crate) async fn list(visit: Visit) -> Result<Response, Failed> {
    let (signed, person) = visit.person()?;
    let list = signed.vault.accesses(&signed.ctx, signed.tenant, person, SHOWN).await;
    let list = list.map_err(|error| visit.explain(error))?;
    let now = signed.vault.now().map_err(|fault| visit.explain(fault))?;
    let state = ledger_state(&signed.vault).await.map_err(|problem| visit.fail(problem))?;
    let words = visit.words();
    let (own, others): (Vec<&Access>, Vec<&Access>) = list.iter().partition(|access| is_own_visit(access));
    let refused = others.iter().filter(|access| is_read(access) && knot(access) == Knot::Refused).count();
    let reads = others.iter().filter(|access| is_seen(access)).count();
    let origin = signed.vault.ledger().origin();
    let mut days: Vec<(i64, Vec<(Knot, Markup)>)> = Vec::new();
    for access in &others {
        let day = access.at.0.div_euclid(model::clock::DAY_MS);
        if days.last().is_none_or(|(last, _)| *last != day) {
            days.push((day, Vec::new()));
        }
        if let Some((_, knots)) = days.last_mut() {
            knots.push((knot(access), told(words, access, access.log == origin)));
        }
    }
    let main = html! {
        div.head { h1 { (words.with("reads-sentence", [("count", reads.into()), ("refused", refused.into())])) } }
        div."cols side" {
            div.stack6 {
                @if days.is_empty() { div.card { (empty(Icon::Eye, &words.say("reads-nobody"), None)) } }
                @for (day, knots) in &days {
                    section.stack aria-labelledby={"day-" (day)} {
                        h2 id={"day-" (day)} { (day_word(words, *day, now)) }
                        (thread(knots))
                    }
                }
                @if list.len() == SHOWN { p."sm quiet" { (words.with("reads-more", [("count", SHOWN.into())])) } }
                @if !own.is_empty() { p."sm quiet" { (words.with("reads-own", [("count", own.len().into())])) } }
            }
            aside.stack6 aria-label=(words.say("reads-summary")) {
                (ledger_stamp(&visit, &state, "#check"))
                (summary(words, &others))
                section."card stack" aria-labelledby="check" {
                    h2 #check { (words.say("reads-check")) }
                    p.sm { (words.say("reads-check-how")) }
                    pre.code tabindex="0" role="region" aria-label=(words.say("command")) { "obhut verify\n  entry.tlog-proof\n  --trust keys.json" }
                }
            }
        }
    };
    Ok(page(&visit, Tab::Reads, &main))
}

fn day_word(words: &Words, day: i64, now: Timestamp) -> String {
    let date = words.date(Timestamp(day * model::clock::DAY_MS));
    match now.0.div_euclid(model::clock::DAY_MS) - day {
        0 => format!("{}, {date}", capital(&words.say("today"))),
        1 => format!("{}, {date}", capital(&words.say("yesterday"))),
        _ => date,
    }
}

fn capital(word: &str) -> String {
    let mut chars = word.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

fn who(words: &Words, access: &Access) -> String {
    match (access.actor.as_str(), access.role) {
        (_, Some(Role::Person)) => words.say("reads-you"),
        ("", None) => words.say("actor-gone"),
        ("", Some(role)) => words.say(role_word(role)),
        (name, _) => name.to_owned(),
    }
}

fn told(words: &Words, access: &Access, is_here: bool) -> Markup {
    let with = |wanted: Outcome| {
        let names = access.fields.iter().filter(|(_, one)| *one == wanted);
        names.map(|(name, _)| field_word(words, name)).collect::<Vec<_>>().join(", ")
    };
    let shown = match knot(access) {
        _ if !is_read(access) => Verdict::Done,
        Knot::Refused => Verdict::Refused,
        Knot::Hollow => Verdict::Masked,
        _ => Verdict::Read,
    };
    let parts = [
        ("reads-clear", with(Outcome::Permit)),
        ("reads-partly", with(Outcome::Partial)),
        ("reads-masked", with(Outcome::Redact)),
        ("reads-refused", with(Outcome::Deny)),
    ];
    html! {
        div."row between" {
            span { time datetime=(access.at.rfc3339()) { (words.clock(access.at)) } " " b { (who(words, access)) } }
            (verdict(words, shown))
        }
        @if is_read(access) {
            @for (name, fields) in parts.iter().filter(|(_, fields)| !fields.is_empty()) {
                p { (words.with(name, [("fields", fields.as_str().into())])) }
            }
            @if access.fields.is_empty() { p { (event_word(words, access.event)) } }
        } @else { p { (done_word(words, access.event)) } }
        @if !access.purpose.is_empty() { p."sm quiet" { (words.with("reads-why", [("purpose", access.purpose.as_str().into())])) } }
        @if is_here {
            p.sm { (link(&format!("/my/reads/{}/proof", access.entry), &words.with("reads-proof", [("index", access.entry.into())]))) }
        }
    }
}

/// What was done where nothing was read. To a person her link is no business of keys.
fn done_word(words: &Words, event: Event) -> String {
    if event == Event::Keys { words.say("reads-keys") } else { event_word(words, event) }
}

/// How often each of them read.
fn summary(words: &Words, others: &[&Access]) -> Markup {
    let mut counts: BTreeMap<(String, &str), u64> = BTreeMap::new();
    for access in others.iter().filter(|access| is_seen(access)) {
        *counts.entry((who(words, access), access.purpose.as_str())).or_default() += 1;
    }
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    html! {
        @if !counts.is_empty() {
            section.card aria-labelledby="sum" {
                h2 #sum { (words.say("reads-summary")) }
                ul.lined { @for ((who, purpose), count) in counts { li {
                    div."row between" { b { (who) } span { (words.with("reads-times", [("count", count.into())])) } }
                    @if !purpose.is_empty() { p."sm quiet" { (purpose) } }
                } } }
            }
        }
    }
}

/// The proof of one of the person's own entries, as a file (C2SP tlog-proof).
pub(crate) async fn proof(visit: Visit, Path(index): Path<String>) -> Result<Response, Failed> {
    let (signed, person) = visit.person()?;
    let index: u64 = index.parse().map_err(|_| not_found(&visit))?;
    let list = signed.vault.accesses(&signed.ctx, signed.tenant, person, MAX_ACCESSES).await;
    let list = list.map_err(|error| visit.explain(error))?;
    let ledger = signed.vault.ledger().clone();
    if !list.iter().any(|access| access.entry == index && access.log == ledger.origin()) {
        return Err(not_found(&visit));
    }
    let proof = visit.look(move |_, _, _| {
        ledger.tlog_proof(index).map_err(|_| vault::sight::SightError::from(vault::Fault::LedgerDamaged))
    });
    let later = NOT_PROVABLE.in_request(signed.ctx.request);
    let proof = proof.await?.ok_or_else(|| visit.fail(later))?;
    Ok(file(&format!("entry-{index}.tlog-proof"), "text/plain; charset=utf-8", proof))
}
