//! `GET /console`: how things stand, computed from the ledger.

use super::visit::{Failed, Signed, Visit};
use crate::ui::chart::{Columns, Series, bar, columns};
use crate::ui::frame::{self, Area, LedgerState, Staff, ledger_stamp, may};
use crate::ui::icons::{Icon, icon};
use crate::ui::language::Words;
use crate::ui::parts::{
    Act, Column, Standing, Tone, aside, empty, facts, kv, link, link_button, prose, short_hash, small_table,
};
use crate::{GatewayReport, ShieldDoes, ShieldState, problem};
use axum::response::Response;
use maud::{Markup, html};
use model::Timestamp;
use model::clock::DAY_MS;
use model::decision::Action;
use std::collections::BTreeMap;
use vault::sight::{Figures, Tally};

/// Days of the chart.
const DAYS: i64 = 14;

/// The page.
pub(crate) async fn overview(visit: Visit) -> Result<Response, Failed> {
    let signed = visit.staff(Area::Overview)?;
    let now = signed.vault.now().map_err(|fault| visit.explain(fault))?;
    let figures = visit.look(|vault, ctx, tenant| vault.figures(ctx, tenant)).await?;
    let main = if may(signed, Action::ReadLedger).is_ok() {
        let since = Timestamp((now.0.div_euclid(DAY_MS) - DAYS + 1) * DAY_MS);
        let tally = visit.look(move |vault, ctx, tenant| vault.tally(ctx, tenant, since)).await?;
        let ledger = frame::ledger_state(&signed.vault).await.map_err(|problem| visit.fail(problem))?;
        let report = visit.console().gateway().map(|gateway| gateway.report());
        let shield = shielded(&visit, signed, now);
        let facts = Facts { now, figures, tally: &tally, ledger: &ledger, shield };
        whole(&visit, &facts, report.as_ref())
    } else {
        own(&visit, signed, figures)?
    };
    frame::staff(
        &visit,
        Staff { area: Area::Overview, title: &visit.say("area-overview"), crumbs: &[] },
        &main,
    )
    .await
}

/// Places that nothing protects, each with its route; from the configuration and from what was seen.
pub(crate) fn unprotected(visit: &Visit, report: &GatewayReport) -> Vec<(String, Option<String>)> {
    let mut places = Vec::new();
    if let Some(why) = &report.insecure_because {
        places.push((visit.words().with("unprotected-upstream", [("why", why.as_str().into())]), None));
    }
    for route in &report.routes {
        for what in &route.unprotected {
            places.push((visit.say(&format!("unprotected-{what}")), Some(route.name.clone())));
        }
    }
    places
}

/// Things that looked personal where no rule expects them.
pub(crate) fn leaks(report: &GatewayReport) -> u64 {
    let counts = report.counts.iter().filter(|count| matches!(count.what, crate::Counted::Leak(..)));
    counts.map(|count| count.count).sum()
}

fn sentence(visit: &Visit, ledger: &LedgerState, places: usize, leaks: u64) -> String {
    let words = visit.words();
    match (ledger.standing, places, leaks) {
        // Reads go on: the journal takes them, and what it holds is whole. What was derived from it is not.
        (Standing::Broken, _, _) if ledger.why == Some("ledger-differs") => words.say("overview-differs"),
        (Standing::Broken, _, _) => words.say("overview-held-back"),
        (_, 0, 0) => words.say("overview-good"),
        (_, 0, leaks) => words.with("overview-leaks", [("count", leaks.into())]),
        (_, places, _) => words.with("overview-places", [("count", places.into())]),
    }
}

/// How the shield is, where there is one in front of this tenant's app.
struct Shielded {
    state: ShieldState,
    /// What it refused today, for who may see that.
    refused: Option<u64>,
}

fn shielded(visit: &Visit, signed: &Signed, now: Timestamp) -> Option<Shielded> {
    let view = visit.console().attacks_view().filter(|view| view.is_of(signed.tenant))?;
    let may_see = may(signed, Action::ReadAttacks).is_ok();
    let refused = may_see.then(|| super::attacks::today(view.attacks(), now).refused);
    Some(Shielded { state: view.shield(), refused })
}

/// What the page is made from.
struct Facts<'a> {
    now: Timestamp,
    figures: Figures,
    tally: &'a Tally,
    ledger: &'a LedgerState,
    shield: Option<Shielded>,
}

fn whole(visit: &Visit, all: &Facts<'_>, report: Option<&GatewayReport>) -> Markup {
    let Facts { now, figures, tally, ledger, ref shield } = *all;
    let words = visit.words();
    let places = report.map(|report| unprotected(visit, report)).unwrap_or_default();
    let leaks = report.map_or(0, leaks);
    let today = now.0.div_euclid(DAY_MS);
    let of_today: u64 =
        tally.days.iter().filter(|((day, _), _)| *day == today).map(|(_, count)| *count).sum();
    let number = |name: &str, figure: u64| (words.say(name), words.number(figure));
    let mut figures_of_today = vec![
        number("fact-reads-today", of_today),
        number("fact-refused", tally.refused),
        number("fact-persons", figures.live),
        number("fact-erased", figures.erased),
    ];
    let refused = shield.as_ref().and_then(|shield| shield.refused);
    figures_of_today.extend(refused.map(|count| number("fact-attacks-refused", count)));
    html! {
        div.head {
            h1 { (sentence(visit, ledger, places.len(), leaks)) }
            p."sm quiet" {
                (words.with("overview-as-of", [("weekday", words.weekday(now).into()), ("date", words.date(now).into()),
                    ("time", words.clock(now).into())]))
            }
        }
        @if let Some(shield) = shield { (super::attacks::hints(words, &shield.state, now)) }
        (facts(&figures_of_today))
        div."cols side" {
            (reads(visit, now, tally))
            (ledger_card(visit, ledger))
        }
        div."cols two" {
            (flows(visit, tally))
            (protection(visit, report, shield.as_ref(), (&places, leaks)))
        }
    }
}

/// Reads per purpose and day.
fn reads(visit: &Visit, now: Timestamp, tally: &Tally) -> Markup {
    let words = visit.words();
    let first = now.0.div_euclid(DAY_MS) - DAYS + 1;
    let mut by_purpose: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    for ((day, purpose), count) in &tally.days {
        let name = if purpose.is_empty() { words.say("by-own-right") } else { purpose.clone() };
        let numbers = by_purpose.entry(name).or_insert_with(|| vec![0; DAYS as usize]);
        if let Some(slot) = usize::try_from(day - first).ok().and_then(|place| numbers.get_mut(place)) {
            *slot += count;
        }
    }
    let series: Vec<Series> =
        by_purpose.into_iter().map(|(name, numbers)| Series { name, numbers }).collect();
    let total: u64 = series.iter().flat_map(|one| &one.numbers).sum();
    let day = |place: i64| Timestamp((first + place) * DAY_MS);
    let mut names: Vec<String> = (0..DAYS).map(|place| words.day_of_year(day(place))).collect();
    if let Some(last) = names.last_mut() {
        *last = words.say("today");
    }
    let finding = words.with("reads-finding", [("count", total.into())]);
    html! {
        section.card aria-labelledby="reads" {
            div."row between" { h2 #reads { (words.say("reads-title")) } span."xs quiet" { (words.say("reads-span")) } }
            @if total == 0 {
                (empty(Icon::Eye, &words.say("reads-none"), None))
            } @else {
                (columns(words, Columns { id: "reads-chart", title: words.say("reads-title"), finding, head: words.say("chart-day"), columns: names, series }))
                p."xs quiet" { (words.say("reads-note")) }
            }
            @if let (false, Some(since)) = (tally.complete, tally.since) {
                p."xs quiet" { (words.with("reads-incomplete", [("since", words.when(since, now).into())])) }
            }
        }
    }
}

/// The ledger with its last checkpoint and how far others stand behind it.
pub(crate) fn ledger_card(visit: &Visit, ledger: &LedgerState) -> Markup {
    let words = visit.words();
    let level = if ledger.witnesses == 0 { "witness-none" } else { "witness-some" };
    html! {
        section."card stack" aria-labelledby="led" {
            h2 #led { (words.say("area-ledger")) }
            (ledger_stamp(visit, ledger, Area::Ledger.path()))
            @if let Some(why) = ledger.why { p.sm { (prose(&words.say(why))) } }
            (kv(&[
                (words.say("ledger-entries"), html! { (words.number(ledger.durable)) }),
                (words.say("ledger-provable"), html! { (words.number(ledger.provable)) }),
                (words.say("ledger-signed"), html! {
                    @match ledger.signed {
                        Some(at) => time datetime=(at.rfc3339()) { (words.when(at, ledger.at)) },
                        None => "–",
                    }
                }),
                (words.say("ledger-root"), html! { span.mono title=(ledger.root) { (short_hash(&ledger.root)) } }),
                (words.say("ledger-witness"), html! { (words.with(level, [("count", ledger.witnesses.into())])) }),
            ]))
            p.sm.quiet { (prose(&words.say("ledger-what-checked"))) }
            p.sm { (link("/console/ledger", &words.say("ledger-open"))) }
        }
    }
}

/// Who reads what: recipients with categories.
fn flows(visit: &Visit, tally: &Tally) -> Markup {
    let words = visit.words();
    let mut rows: Vec<_> = tally.flows.iter().collect();
    rows.sort_by(|a, b| b.1.cmp(a.1).then_with(|| a.0.cmp(b.0)));
    rows.truncate(12);
    let most = rows.first().map_or(0, |(_, count)| **count);
    let heads = [
        Column::words(words.say("flow-who")),
        Column::words(words.say("flow-what")),
        Column::number(words.say("flow-count")),
    ];
    let row = |((recipient, category), count): &(&(String, u8), &u64)| {
        vec![
            html! { (recipient) },
            html! { (category_word(words, *category)) (bar(0, **count, most)) },
            html! { (words.number(**count)) },
        ]
    };
    html! {
        section."card flush" aria-labelledby="flows" {
            div."row between pad" { h2 #flows { (words.say("flow-title")) } span."xs quiet" { (words.say("reads-span")) } }
            @if rows.is_empty() { (empty(Icon::People, &words.say("flow-none"), None)) }
            @else {
                (small_table(&words.say("flow-title"), &heads, &rows.iter().map(row).collect::<Vec<_>>()))
                div.pages { (words.say("flow-note")) }
            }
        }
    }
}

/// A category by its number.
pub(crate) fn category_word(words: &Words, number: u8) -> String {
    words.find(&format!("category-{number}")).unwrap_or_else(|| words.say("category-7"))
}

/// What the gateway does not protect.
fn protection(
    visit: &Visit,
    report: Option<&GatewayReport>,
    shield: Option<&Shielded>,
    (places, leaks): (&[(String, Option<String>)], u64),
) -> Markup {
    let words = visit.words();
    html! {
        section."card stack" aria-labelledby="gate" {
            div."row between" { h2 #gate { (words.say("unprotected-title")) } a.sm href="/console/gateway" { (words.say("area-gateway")) } }
            @match report {
                None => (empty(Icon::Gate, &words.say("gateway-none"), None)),
                Some(_) if places.is_empty() && leaks == 0 => {
                    p.with-i { (icon(Icon::Check)) span { (words.say("unprotected-none")) } }
                }
                Some(_) => {
                    ul.lined { @for (what, route) in places { li { div."row between" {
                        span { (what) }
                        @if let Some(route) = route { code.nb { (route) } }
                    } } } }
                    @if leaks > 0 {
                        (aside(Tone::Warn, Icon::Alert, &html! { p { (words.with("leaks-seen", [("count", leaks.into())])) } }))
                    }
                }
            }
            @if let Some(shield) = shield { (shield_line(words, shield)) }
        }
    }
}

/// What the shield does, and the way to what it saw.
fn shield_line(words: &Words, shield: &Shielded) -> Markup {
    let name = match shield.state.does {
        ShieldDoes::Block => "shield-line-block",
        ShieldDoes::Detect => "shield-line-detect",
        ShieldDoes::Off => "shield-line-off",
    };
    html! {
        p.with-i {
            (icon(Icon::Shield))
            span {
                (words.say(name)) " "
                @if shield.refused.is_some() { (link(Area::Attacks.path(), &words.say("area-attacks"))) }
            }
        }
    }
}

/// The page of those who may not see the ledger: what they may read, and for what.
fn own(visit: &Visit, signed: &Signed, figures: Figures) -> Result<Markup, Failed> {
    let words = visit.words();
    let config = signed.vault.configuration(&signed.ctx, signed.tenant, Action::ReadPurposes);
    let config = config.map_err(|error| visit.explain(error))?;
    let mine = config.purposes.iter().filter(|one| one.current && one.roles.contains(&signed.role()));
    let mine: Vec<_> = mine.collect();
    Ok(html! {
        div.head {
            h1 { (words.with("own-sentence", [("count", mine.len().into())])) }
            p."sm quiet" { (words.with("own-persons", [("count", figures.live.into())])) }
        }
        section."card stack" aria-labelledby="purposes" {
            h2 #purposes { (words.say("own-purposes")) }
            @if mine.is_empty() { (empty(Icon::Purpose, &words.say("own-none"), None)) }
            ul.lined { @for purpose in &mine { li { div."row between" {
                b { (purpose.title) }
                span."xs quiet" { (words.say(super::purposes::basis_word(purpose.basis))) }
            } } } }
            @if may(signed, Action::Find).is_ok() {
                p { (link_button(Act::Main, Some(Icon::Search), &words.say("find-person"), Area::People.path())) }
            }
        }
    })
}

impl Visit {
    /// Runs what reads from the disk on a thread that may wait for it.
    pub(crate) async fn look<T: Send + 'static, E: problem::Explain + Send + 'static>(
        &self,
        look: impl FnOnce(&vault::Vault, &vault::Context, model::TenantId) -> Result<T, E> + Send + 'static,
    ) -> Result<T, Failed> {
        let signed = self.signed()?;
        let (vault, ctx, tenant) = (signed.vault.clone(), signed.ctx.clone(), signed.tenant);
        let looked = tokio::task::spawn_blocking(move || look(&vault, &ctx, tenant)).await;
        looked.map_err(|_| self.fail(problem::INTERNAL))?.map_err(|error| self.explain(error))
    }
}
