//! `GET /console/ledger`: the entries by their metadata, one entry, and its proof. Nobody is named here: who a person is
//! stands under her own key.

use super::overview::category_word;
use super::visit::{Failed, Visit, not_found};
use crate::problem::{NOT_PROVABLE, Problem};
use crate::ui::frame::{self, Area, Staff, ledger_stamp};
use crate::ui::icons::Icon;
use crate::ui::language::Words;
use crate::ui::parts::{
    self, Act, Column, Field, Tone, Verdict, aside, button, empty, kv, link, link_button, pages, prose,
    table, tick, verdict,
};
use axum::extract::{Path, Query};
use axum::response::{IntoResponse, Redirect, Response};
use http::HeaderValue;
use http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE};
use maud::{Markup, html};
use model::Timestamp;
use model::decision::Reason;
use serde::Deserialize;
use vault::sight::{Entries, Entry, SightError, Wanted};
use vault::trail::{self, Event};

/// Entries of one page.
const SHOWN: usize = 25;

/// Events with their words in addresses and texts.
const EVENTS: [(Event, &str); 21] = [
    (Event::Read, "read"),
    (Event::Find, "find"),
    (Event::Export, "export"),
    (Event::Accesses, "accesses"),
    (Event::Create, "create"),
    (Event::Rectify, "rectify"),
    (Event::ConsentRequested, "consent-requested"),
    (Event::NoticeShown, "notice-shown"),
    (Event::ConsentGiven, "consent-given"),
    (Event::ConsentRefused, "consent-refused"),
    (Event::ConsentWithdrawn, "consent-withdrawn"),
    (Event::ConsentsListed, "consents-listed"),
    (Event::Restrict, "restrict"),
    (Event::Object, "object"),
    (Event::Erase, "erase"),
    (Event::NotReleased, "not-released"),
    (Event::Configure, "configure"),
    (Event::Keys, "keys"),
    (Event::Epoch, "epoch"),
    (Event::TenantOpened, "tenant-opened"),
    (Event::Shield, "shield"),
];

/// An event in words.
pub(crate) fn event_word(words: &Words, event: Event) -> String {
    let name = EVENTS.iter().find(|(one, _)| *one == event).map_or("read", |(_, name)| *name);
    words.say(&format!("event-{name}"))
}

/// How an entry was decided, as a chip.
pub(crate) fn entry_verdict(words: &Words, entry: &Entry) -> Markup {
    let reads = matches!(entry.event, Event::Read | Event::Find | Event::Export);
    verdict(
        words,
        match entry.verdict {
            trail::Verdict::Deny => Verdict::Refused,
            trail::Verdict::Partial => Verdict::Partly,
            trail::Verdict::Permit if reads => Verdict::Read,
            trail::Verdict::Permit => Verdict::Done,
        },
    )
}

/// What is looked for, as it stands in the address.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct Filter {
    event: String,
    refused: String,
    index: String,
    before: String,
}

impl Filter {
    fn event(&self) -> Option<Event> {
        EVENTS.iter().find(|(_, name)| *name == self.event).map(|(event, _)| *event)
    }

    fn refused(&self) -> bool {
        self.refused == "1"
    }

    fn is_set(&self) -> bool {
        self.event().is_some() || self.refused()
    }

    /// The address of this list from somewhere on.
    fn at(&self, before: Option<u64>) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        if self.event().is_some() {
            query.append_pair("event", &self.event);
        }
        if self.refused() {
            query.append_pair("refused", "1");
        }
        if let Some(before) = before {
            query.append_pair("before", &before.to_string());
        }
        let query = query.finish();
        if query.is_empty() {
            Area::Ledger.path().to_owned()
        } else {
            format!("{}?{query}", Area::Ledger.path())
        }
    }
}

/// The list.
pub(crate) async fn list(visit: Visit, Query(filter): Query<Filter>) -> Result<Response, Failed> {
    let signed = visit.staff(Area::Ledger)?;
    if let Ok(index) = filter.index.trim().parse::<u64>() {
        return Ok(Redirect::to(&format!("{}/{index}", Area::Ledger.path())).into_response());
    }
    let (before, wanted) =
        (filter.before.parse().ok(), Wanted { event: filter.event(), refused: filter.refused() });
    let page =
        visit.look(move |vault, ctx, tenant| vault.entries(ctx, tenant, before, SHOWN, wanted)).await?;
    let now = signed.vault.now().map_err(|fault| visit.explain(fault))?;
    let state = frame::ledger_state(&signed.vault).await.map_err(|problem| visit.fail(problem))?;
    let words = visit.words();
    let main = html! {
        div.head {
            h1 { (words.with("ledger-sentence", [("count", state.durable.into()), ("provable", state.provable.into())])) }
            p."sm quiet" { (words.say("ledger-nobody")) }
        }
        div.stack6 #list {
            (filters(words, &filter))
        div."cols side" {
            (entries(words, &filter, &page, now))
            div.stack {
                (ledger_stamp(&visit, &state, "/console/ledger"))
                @if let Some(why) = state.why { p.sm { (prose(&words.say(why))) } }
                section."card stack" aria-labelledby="check" {
                    h2 #check { (words.say("check-title")) }
                    p.sm { (words.say("check-how")) }
                    pre.code tabindex="0" role="region" aria-label=(words.say("command")) { "obhut ledger verify DIR\n  --trust keys.json" }
                    p.sm { (link("/.well-known/obhut/keys", &words.say("check-keys"))) }
                }
            }
        }
        }
    };
    frame::staff(&visit, Staff { area: Area::Ledger, title: &visit.say("area-ledger"), crumbs: &[] }, &main)
        .await
}

fn filters(words: &Words, filter: &Filter) -> Markup {
    let mut options = vec![(String::new(), words.say("filter-all"))];
    options.extend(EVENTS.iter().map(|(event, name)| ((*name).to_owned(), event_word(words, *event))));
    let (event, index) = (words.say("filter-event"), words.say("filter-index"));
    html! {
        div."row filters" {
            form.filters method="get" action=(Area::Ledger.path()) aria-label=(words.say("filter"))
                hx-get=(Area::Ledger.path()) hx-target="#list" hx-select="#list" hx-swap="outerHTML" hx-push-url="true" {
                (parts::select(&Field { name: "event", label: &event, value: &filter.event, ..Field::default() }, &options))
                (tick("refused", &words.say("filter-refused"), filter.refused()))
                (button(Act::Normal, Some(Icon::Filter), &words.say("filter-apply")))
                @if filter.is_set() { (link_button(Act::Plain, None, &words.say("filter-clear"), Area::Ledger.path())) }
            }
            form.filters method="get" action=(Area::Ledger.path()) aria-label=(index) {
                (parts::field(&Field { name: "index", label: &index, kind: Some("number"), ..Field::default() }))
                (button(Act::Normal, Some(Icon::Right), &words.say("filter-go")))
            }
        }
    }
}

fn entries(words: &Words, filter: &Filter, page: &Entries, now: Timestamp) -> Markup {
    let heads = [
        Column::words(words.say("col-event")),
        Column::words(words.say("col-when")),
        Column::words(words.say("col-purpose")),
        Column::number(words.say("col-persons")),
        Column::words(words.say("col-verdict")),
    ];
    let row = |entry: &Entry| {
        let to = format!("{}/{}", Area::Ledger.path(), entry.index);
        vec![
            html! { (link(&to, &event_word(words, entry.event))) br; span."xs faint" { (words.with("entry-number", [("index", entry.index.into())])) } },
            html! { time.nb datetime=(entry.at.rfc3339()) { (words.when(entry.at, now)) } },
            html! { (purpose(words, entry)) },
            html! { (words.number(entry.persons as u64)) },
            entry_verdict(words, entry),
        ]
    };
    let older = page.next.map(|before| filter.at(Some(before)));
    let newest = (!filter.before.is_empty()).then(|| filter.at(None));
    let shown = words.with("entries-shown", [("count", page.entries.len().into())]);
    html! {
        section."card flush" #entries aria-label=(words.say("area-ledger")) {
            @if page.entries.is_empty() {
                @if filter.is_set() { (empty(Icon::Filter, &words.say("filter-none"), Some((Area::Ledger.path(), &words.say("filter-clear"))))) }
                @else { (empty(Icon::Ledger, &words.say("ledger-empty"), None)) }
            } @else { (table(&words.say("area-ledger"), &heads, &page.entries.iter().map(row).collect::<Vec<_>>())) }
            (pages(words, &shown, newest.as_deref(), older.as_deref()))
        }
    }
}

fn purpose(words: &Words, entry: &Entry) -> String {
    match (entry.purpose.as_str(), entry.event) {
        ("", Event::Read | Event::Export) => words.say("by-own-right"),
        ("", _) => "–".to_owned(),
        (purpose, _) => purpose.to_owned(),
    }
}

/// One entry.
pub(crate) async fn entry(visit: Visit, Path(index): Path<String>) -> Result<Response, Failed> {
    let signed = visit.staff(Area::Ledger)?;
    let index: u64 = index.parse().map_err(|_| not_found(&visit))?;
    let found = visit.look(move |vault, ctx, tenant| vault.entry(ctx, tenant, index)).await?;
    let entry = found.ok_or_else(|| not_found(&visit))?;
    let provable = signed.vault.ledger().status().checkpointed > index;
    let (words, now) = (visit.words(), signed.vault.now().map_err(|fault| visit.explain(fault))?);
    let categories: Vec<String> = (0..16_u8)
        .filter(|bit| entry.categories & (1 << bit) != 0)
        .map(|number| category_word(words, number))
        .collect();
    let mut rows = vec![
        (
            words.say("col-when"),
            html! { time datetime=(entry.at.rfc3339()) { (words.date(entry.at)) ", " (words.clock_exact(entry.at)) " UTC" } },
        ),
        (words.say("col-purpose"), html! { (purpose(words, &entry)) }),
        (words.say("col-recipient"), html! { (entry.recipient) }),
        (words.say("col-verdict"), entry_verdict(words, &entry)),
        (words.say("col-released"), html! { (words.number(entry.released.into())) }),
        (words.say("col-refused"), html! { (words.number(entry.refused.into())) }),
        (words.say("col-persons"), html! { (words.number(entry.persons as u64)) }),
        (
            words.say("col-categories"),
            html! { (if categories.is_empty() { "–".to_owned() } else { categories.join(", ") }) },
        ),
        (words.say("error-request"), html! { code { (entry.request) } }),
    ];
    // Why, exactly, is for those who are told exact reasons.
    let reason = Reason::ALL.into_iter().find(|reason| entry.reason != 0 && *reason as u8 == entry.reason);
    if let Some(reason) = reason {
        rows.insert(4, (words.say("col-reason"), html! { code { (reason.outward(signed.role())) } }));
    }
    let name = words.with("entry-number", [("index", index.into())]);
    let proof = format!("{}/{index}/proof", Area::Ledger.path());
    let main = html! {
        div.head {
            h1 { (words.with("entry-sentence", [("event", event_word(words, entry.event).into()), ("when", words.when(entry.at, now).into())])) }
        }
        div."cols side" {
            section.card aria-label=(name) { (kv(&rows)) }
            section."card stack" aria-labelledby="proof" {
                h2 #proof { (words.say("proof-title")) }
                @if provable {
                    p.sm { (words.say("proof-what")) }
                    p { (link_button(Act::Main, Some(Icon::Download), &words.say("proof-get"), &proof)) }
                    pre.code tabindex="0" role="region" aria-label=(words.say("command")) { "obhut verify\n  entry-" (index) ".tlog-proof\n  --trust keys.json" }
                } @else {
                    (aside(Tone::Warn, Icon::Clock, &html! { p { (words.say("proof-later")) } }))
                }
            }
        }
    };
    frame::staff(&visit, Staff { area: Area::Ledger, title: &name, crumbs: &[(name.clone(), None)] }, &main)
        .await
}

/// The proof of an entry, as a file (C2SP tlog-proof).
pub(crate) async fn proof(visit: Visit, Path(index): Path<String>) -> Result<Response, Failed> {
    let signed = visit.staff(Area::Ledger)?;
    let index: u64 = index.parse().map_err(|_| not_found(&visit))?;
    let proof = visit.look(move |vault, ctx, tenant| {
        Ok::<_, SightError>(match vault.entry(ctx, tenant, index)? {
            Some(_) => Some(vault.proof(ctx, tenant, index)?),
            None => None,
        })
    });
    let proof = proof.await?.ok_or_else(|| not_found(&visit))?;
    let later: Problem = NOT_PROVABLE.in_request(signed.ctx.request);
    let proof = proof.ok_or_else(|| visit.fail(later))?;
    Ok(file(&format!("entry-{index}.tlog-proof"), "text/plain; charset=utf-8", proof))
}

/// A file to be kept, under a name of our own.
pub(crate) fn file(name: &str, kind: &'static str, bytes: Vec<u8>) -> Response {
    let disposition = HeaderValue::from_str(&format!("attachment; filename=\"{name}\""));
    let mut response = bytes.into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
    if let Ok(disposition) = disposition {
        headers.insert(CONTENT_DISPOSITION, disposition);
    }
    response
}
