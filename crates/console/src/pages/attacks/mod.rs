//! `GET /console/attacks`: what the shield saw over time, by rule and by route; and from here one event, the report of what
//! would have been refused, and the exclusions.

pub(crate) mod event;
pub(crate) mod exclude;
pub(crate) mod exclusions;
pub(crate) mod filter;
pub(crate) mod report;

use super::visit::{Failed, Signed, Visit};
use crate::attacks_view::{AttacksView, ShieldDoes, ShieldState};
use crate::shielding::Hand;
use crate::ui::chart::{Columns, Series, bar, columns};
use crate::ui::frame::{self, Area, Staff};
use crate::ui::icons::Icon;
use crate::ui::language::Words;
use crate::ui::parts::{
    Act, Column, Tone, aside, chip, empty, facts, link, link_button, pages, prose, small_table, table,
};
use axum::extract::Query;
use axum::response::{IntoResponse, Redirect, Response};
use filter::{Filter, filters, outcome_name, place_word};
use maud::{Markup, html};
use model::Timestamp;
use model::clock::DAY_MS;
use watch::attacks::{Attack, Attacks, Counted, Kept, Listed, Outcome, Place, Span, Step, Tally, Wanted};

/// Events of one page.
const SHOWN: usize = 25;
/// Most rules and routes of the tables.
const MOST: usize = 20;

/// Who acts on this page, for what pages and API do alike.
fn hand(visit: &Visit, signed: &Signed) -> Hand {
    Hand {
        console: visit.console().clone(),
        vault: signed.vault.clone(),
        ctx: signed.ctx.clone(),
        tenant: signed.tenant,
    }
}

/// Everything that the overview shows, read in one go off the threads that serve.
struct Seen {
    state: ShieldState,
    today: Counted,
    tally: Tally,
    listed: Listed,
    /// Events of the list's question that are kept in detail.
    in_detail: usize,
    kept: Kept,
    messages: Vec<Option<String>>,
    forms: Markup,
}

/// The page.
pub(crate) async fn overview(visit: Visit, Query(filter): Query<Filter>) -> Result<Response, Failed> {
    let signed = visit.staff(Area::Attacks)?;
    let now = signed.vault.now().map_err(|fault| visit.explain(fault))?;
    let hand = hand(&visit, signed);
    let reference = filter.reference.trim().to_owned();
    let found = match hand.look(move |view| view.attacks().one(&reference)).await {
        Ok(found) => found,
        Err(problem) if problem.code == crate::problem::NO_SHIELD.code => return none(&visit).await,
        Err(problem) => return Err(visit.fail(problem)),
    };
    if let Some(attack) = found {
        return Ok(Redirect::to(&event::path(&attack.reference)).into_response());
    }
    let missed = !filter.reference.trim().is_empty();
    let (words, asked) = (visit.words().clone(), filter.clone());
    let seen = hand.look(move |view| look(view, &words, &asked, missed, now)).await;
    let seen = seen.map_err(|problem| visit.fail(problem))?;
    let main = whole(visit.words(), &filter, &seen, now);
    page(&visit, None, &main).await
}

/// A page of this area; `crumb` names one below the overview.
async fn page(visit: &Visit, crumb: Option<String>, main: &Markup) -> Result<Response, Failed> {
    let title = crumb.clone().unwrap_or_else(|| visit.say("area-attacks"));
    let crumbs: Vec<(String, Option<String>)> = crumb.map(|word| (word, None)).into_iter().collect();
    frame::staff(visit, Staff { area: Area::Attacks, title: &title, crumbs: &crumbs }, main).await
}

async fn none(visit: &Visit) -> Result<Response, Failed> {
    let words = visit.words();
    let main = html! {
        div.head { h1 { (words.say("shield-none")) } p.quiet { (words.say("shield-none-what")) } }
    };
    page(visit, None, &main).await
}

fn look(view: &dyn AttacksView, words: &Words, filter: &Filter, missed: bool, now: Timestamp) -> Seen {
    let attacks = view.attacks();
    let span = filter.span(now);
    let wanted = filter.wanted(&span);
    let tally = attacks.tally(&span, &wanted);
    let message = |rule: &Option<u64>| attacks.message((*rule)?).map(|text| text.as_ref().to_owned());
    Seen {
        state: view.shield(),
        today: today(attacks, now),
        messages: tally.rules.iter().take(MOST).map(|(rule, _)| message(rule)).collect(),
        listed: attacks.list(&wanted, filter.before.parse().ok(), SHOWN),
        in_detail: attacks.count(&wanted),
        kept: attacks.kept(),
        forms: filters(words, filter, attacks, missed),
        tally,
    }
}

/// What was counted since midnight, UTC.
pub(crate) fn today(attacks: &Attacks, now: Timestamp) -> Counted {
    let from = Timestamp(now.0.div_euclid(DAY_MS) * DAY_MS);
    attacks.tally(&Span { from, step: Step::Hours(1), columns: 24 }, &Wanted::default()).all
}

/// The first sentence: what the shield does, and what came of it today.
fn sentence(words: &Words, state: &ShieldState, today: Counted) -> String {
    match state.does {
        ShieldDoes::Off if state.routes.is_empty() => words.say("attacks-off"),
        ShieldDoes::Detect => words.with("attacks-detected", [("count", today.would.into())]),
        ShieldDoes::Block | ShieldDoes::Off => {
            words.with("attacks-refused", [("count", today.refused.into())])
        }
    }
}

/// What has to be looked at before anything else: the shield is off, only detects, or runs older rules.
pub(crate) fn hints(words: &Words, state: &ShieldState, now: Timestamp) -> Markup {
    let less = state.routes.iter().filter(|(_, does)| *does != ShieldDoes::Block).count();
    html! {
        @match state.does {
            ShieldDoes::Off => (aside(Tone::Stop, Icon::Alert, &html! { p { b { (words.say("shield-off")) } } p { (words.say("shield-off-what")) } })),
            ShieldDoes::Detect => (aside(Tone::Warn, Icon::Alert, &html! { p { b { (words.say("shield-detect")) } } p { (words.say("shield-detect-what")) } })),
            ShieldDoes::Block if less > 0 => (aside(Tone::Warn, Icon::Alert, &html! { p { (words.with("shield-less", [("count", less.into())])) } })),
            ShieldDoes::Block => {}
        }
        @if let Some(at) = state.stale {
            (aside(Tone::Stop, Icon::Alert, &html! {
                p { b { (words.say("shield-stale")) } }
                p { (prose(&words.with("shield-stale-what", [("when", words.when(at, now).into())]))) }
            }))
        }
    }
}

fn whole(words: &Words, filter: &Filter, seen: &Seen, now: Timestamp) -> Markup {
    let number = |name: &str, figure: u64| (words.say(name), words.number(figure));
    html! {
        div.head {
            h1 { (sentence(words, &seen.state, seen.today)) }
            p."sm quiet" {
                @if seen.state.count > 0 { (runs(words, &seen.state, now)) }
            }
        }
        (hints(words, &seen.state, now))
        (facts(&[
            number("fact-attacks-refused", seen.today.refused),
            number("fact-attacks-would", seen.today.would),
            number("fact-attacks-passed", seen.today.passed),
        ]))
        p.row {
            (link_button(Act::Normal, Some(Icon::Ledger), &words.say("attacks-report"), "/console/attacks/report"))
            (link_button(Act::Normal, Some(Icon::Veil), &words.say("exclusions"), "/console/attacks/exclusions"))
        }
        div.stack6 #list {
            (seen.forms)
            div."cols side" {
                (over_time(words, filter, seen, now))
                (by_route(words, filter, &seen.tally))
            }
            (by_rule(words, filter, seen))
            (events(words, filter, seen, now))
        }
    }
}

/// Which rules run, and since when.
fn runs(words: &Words, state: &ShieldState, now: Timestamp) -> String {
    let rules = state.rules.clone().unwrap_or_else(|| words.say("shield-rules-own"));
    let mut text = words.with("shield-runs", [("count", state.count.into()), ("rules", rules.into())]);
    if let Some(at) = state.loaded {
        text.push(' ');
        text.push_str(&words.with("shield-since", [("when", words.when(at, now).into())]));
    }
    text
}

fn over_time(words: &Words, filter: &Filter, seen: &Seen, now: Timestamp) -> Markup {
    let span = filter.span(now);
    let name = |at: Timestamp| match span.step {
        Step::Minute | Step::Hours(1) => words.clock(at),
        Step::Hours(24) => words.day_of_year(at),
        Step::Hours(_) => format!("{} {}", words.day_of_year(at), words.clock(at)),
    };
    let of = |pick: fn(&Counted) -> u64| seen.tally.columns.iter().map(pick).collect();
    let series = |outcome: &str, numbers| Series { name: words.say(&format!("outcome-{outcome}")), numbers };
    let all = seen.tally.all.all();
    let head = match span.step {
        Step::Hours(24) => "chart-day",
        Step::Hours(_) | Step::Minute => "chart-time",
    };
    html! {
        section.card aria-labelledby="over-time" {
            div."row between" {
                h2 #over-time { (words.say("attacks-over-time")) }
                span."xs quiet" { (words.say(&format!("span-{}", filter.span_name()))) }
            }
            @if all == 0 { (empty(Icon::Check, &words.say("attacks-none"), None)) }
            @else {
                (columns(words, Columns {
                    id: "attacks-chart",
                    title: words.say("attacks-over-time"),
                    finding: words.with("attacks-finding", [("count", all.into()), ("refused", seen.tally.all.refused.into())]),
                    head: words.say(head),
                    columns: span.begins().map(name).collect(),
                    series: vec![
                        series("refused", of(|column| column.refused)),
                        series("would", of(|column| column.would)),
                        series("passed", of(|column| column.passed)),
                    ],
                }))
                @if seen.tally.untold > 0 {
                    p."xs quiet" { (words.with("attacks-untold", [("count", seen.tally.untold.into())])) }
                }
            }
        }
    }
}

fn by_route(words: &Words, filter: &Filter, tally: &Tally) -> Markup {
    let most = tally.places.first().map_or(0, |(_, counted)| counted.all());
    let heads = [Column::words(words.say("col-route")), Column::number(words.say("flow-count"))];
    let row = |(place, counted): &(Place, Counted)| {
        let name = html! {
            @if *place == Place::Others { (place_word(words, place)) }
            @else { a href=(filter.on(place).at(None)) { (place_word(words, place)) } }
            (bar(0, counted.all(), most))
        };
        vec![name, html! { (words.number(counted.all())) }]
    };
    let rows: Vec<_> = tally.places.iter().take(MOST).map(row).collect();
    html! {
        section."card flush" aria-labelledby="by-route" {
            div.pad { h2 #by-route { (words.say("attacks-by-route")) } }
            @if rows.is_empty() { (empty(Icon::Gate, &words.say("attacks-none"), None)) }
            @else { (small_table(&words.say("attacks-by-route"), &heads, &rows)) }
        }
    }
}

fn by_rule(words: &Words, filter: &Filter, seen: &Seen) -> Markup {
    let heads = [
        Column::words(words.say("col-rule")),
        Column::words(words.say("col-what")),
        Column::number(words.say("col-refused-times")),
        Column::number(words.say("col-would-times")),
        Column::number(words.say("col-passed-times")),
    ];
    let row = |((rule, counted), message): (&(Option<u64>, Counted), &Option<String>)| {
        let name = match rule {
            Some(rule) => link(&filter.of_rule(*rule).at(None), &rule.to_string()),
            None => html! { (words.say("other-rules")) },
        };
        vec![
            name,
            html! { span.sm { (message.as_deref().unwrap_or("–")) } },
            html! { (words.number(counted.refused)) },
            html! { (words.number(counted.would)) },
            html! { (words.number(counted.passed)) },
        ]
    };
    let rows: Vec<_> = seen.tally.rules.iter().zip(&seen.messages).map(row).collect();
    html! {
        section."card flush" aria-labelledby="by-rule" {
            div.pad { h2 #by-rule { (words.say("attacks-by-rule")) } }
            @if rows.is_empty() { (empty(Icon::Shield, &words.say("attacks-none"), None)) }
            @else {
                (table(&words.say("attacks-by-rule"), &heads, &rows))
                @if seen.tally.rules.len() > MOST { div.pages { (words.with("rules-shown", [("count", MOST.into())])) } }
            }
        }
    }
}

/// An outcome as a chip.
fn outcome_chip(words: &Words, outcome: Outcome) -> Markup {
    let word = words.say(&format!("outcome-{}", outcome_name(outcome)));
    match outcome {
        Outcome::Refused => chip(Tone::Stop, Icon::Cross, &word),
        Outcome::WouldRefuse => chip(Tone::Warn, Icon::Alert, &word),
        Outcome::Passed => chip(Tone::Plain, Icon::Right, &word),
    }
}

/// What an event is about, in a line: the first rule that did not only decide, or why the shield refused by itself.
fn about(words: &Words, attack: &Attack) -> Markup {
    let rule = attack.rules.iter().find(|rule| !rule.is_deciding()).or(attack.rules.first());
    html! {
        @match (rule, &attack.refusal) {
            (_, Some(code)) => (refusal_word(words, code)),
            (Some(rule), None) => { (if rule.message.is_empty() { "–" } else { &*rule.message }) " " span."xs faint" { (rule.id) } },
            (None, None) => "–",
        }
    }
}

/// Why the shield refused by itself, in words.
fn refusal_word(words: &Words, code: &str) -> Markup {
    let word = words.find(&format!("shield-refusal-{}", code.replace('_', "-")));
    html! { @match word { Some(word) => (word), None => code { (code) } } }
}

fn attack_place(attack: &Attack) -> Place {
    attack.route.clone().map_or(Place::Nowhere, Place::Route)
}

fn events(words: &Words, filter: &Filter, seen: &Seen, now: Timestamp) -> Markup {
    let heads = [
        Column::words(words.say("col-when")),
        Column::words(words.say("col-route")),
        Column::words(words.say("col-what")),
        Column::words(words.say("col-outcome")),
    ];
    let row = |(_, attack): &(u64, Attack)| {
        vec![
            html! { a href=(event::path(&attack.reference)) { time.nb datetime=(attack.at.rfc3339()) { (words.when(attack.at, now)) } } br; span."xs mono faint" { (attack.reference) } },
            html! { (place_word(words, &attack_place(attack))) " " span."xs faint" { (attack.method) } },
            about(words, attack),
            outcome_chip(words, attack.outcome()),
        ]
    };
    let rows: Vec<_> = seen.listed.attacks.iter().map(row).collect();
    let older = seen.listed.next.map(|before| filter.at(Some(before)));
    let newest = (!filter.before.is_empty()).then(|| filter.at(None));
    html! {
        section."card flush" aria-labelledby="events" {
            div.pad {
                h2 #events { (words.say("attacks-events")) }
                p."sm quiet" {
                    (words.with("attacks-kept", [("count", seen.in_detail.into())])) " " (words.say("attacks-nobody"))
                    @if seen.kept.unwritten > 0 { " " b.stop-t { (words.with("attacks-unwritten", [("count", seen.kept.unwritten.into())])) } }
                }
            }
            @if rows.is_empty() { (empty(Icon::Filter, &words.say("filter-none"), None)) }
            @else { (table(&words.say("attacks-events"), &heads, &rows)) }
            (pages(words, &words.with("events-shown", [("count", rows.len().into())]), newest.as_deref(), older.as_deref()))
        }
    }
}
