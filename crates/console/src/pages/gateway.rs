//! `GET /console/gateway`: routes and rules in force, what was seen since the start, and what nothing protects.

use super::overview::unprotected;
use super::visit::{Failed, Visit};
use crate::gateway_view::{Counted, GatewayReport, GatewayRoute};
use crate::ui::frame::{self, Area, Staff};
use crate::ui::icons::Icon;
use crate::ui::language::Words;
use crate::ui::parts::{Column, Tone, aside, chip, empty, facts, small_table, table};
use axum::response::Response;
use maud::{Markup, html};

/// The page.
pub(crate) async fn gateway(visit: Visit) -> Result<Response, Failed> {
    visit.staff(Area::Gateway)?;
    let words = visit.words();
    let main = match visit.console().gateway().map(|gateway| gateway.report()) {
        Some(report) => whole(&visit, &report),
        None => html! {
            div.head { h1 { (words.say("gateway-none")) } p.quiet { (words.say("gateway-none-what")) } }
        },
    };
    frame::staff(&visit, Staff { area: Area::Gateway, title: &visit.say("area-gateway"), crumbs: &[] }, &main)
        .await
}

/// How often something was counted, on a route or on all.
fn sum(report: &GatewayReport, route: Option<&str>, is: impl Fn(Counted) -> bool) -> u64 {
    let on = |name: &Option<String>| route.is_none() || name.as_deref() == route;
    report.counts.iter().filter(|count| on(&count.route) && is(count.what)).map(|count| count.count).sum()
}

fn whole(visit: &Visit, report: &GatewayReport) -> Markup {
    let words = visit.words();
    let places = unprotected(visit, report);
    let (shown, masked) =
        (sum(report, None, |what| what == Counted::Shown), sum(report, None, |what| what == Counted::Masked));
    let foreign = sum(report, None, |what| matches!(what, Counted::TokenFromClient(_)));
    let refused = sum(report, None, |what| matches!(what, Counted::Refused(_)));
    let number = |name: &str, figure: u64| (words.say(name), words.number(figure));
    html! {
        div.head {
            h1 { (words.with("gateway-sentence", [("routes", report.routes.len().into()), ("places", places.len().into())])) }
            p."sm quiet" { (words.say("gateway-since")) " " @for address in &report.addresses { code { "https://" (address) } " " } }
        }
        (facts(&[
            number("gateway-shown", shown),
            number("gateway-masked", masked),
            number("gateway-foreign", foreign),
            number("gateway-refused", refused),
        ]))
        (places_card(words, &places))
        (routes(words, report))
        div."cols two" {
            (counted(words, "leaks-title", "leaks-none", leaks(words, report)))
            (counted(words, "refusals-title", "refusals-none", refusals(words, report)))
        }
    }
}

fn places_card(words: &Words, places: &[(String, Option<String>)]) -> Markup {
    html! {
        @if !places.is_empty() {
            (aside(Tone::Warn, Icon::Alert, &html! {
                p { b { (words.say("unprotected-title")) } }
                ul { @for (what, route) in places { li { (what) @if let Some(route) = route { " " code { (route) } } } } }
            }))
        }
    }
}

fn routes(words: &Words, report: &GatewayReport) -> Markup {
    let heads = [
        Column::words(words.say("col-route")),
        Column::words(words.say("col-takes")),
        Column::words(words.say("col-shows")),
        Column::number(words.say("col-answers")),
        Column::number(words.say("col-shown")),
        Column::number(words.say("col-masked")),
    ];
    let row = |route: &GatewayRoute| {
        let on = |is: fn(Counted) -> bool| words.number(sum(report, Some(&route.name), is));
        let methods =
            if route.methods.is_empty() { words.say("all-methods") } else { route.methods.join(", ") };
        vec![
            html! {
                code { (route.name) } br; span."xs faint" { (methods) }
                @if !route.unprotected.is_empty() { br; (chip(Tone::Warn, Icon::Alert, &words.say("not-protected"))) }
            },
            html! { span.sm { (if route.takes.is_empty() { "–".to_owned() } else { route.takes.join(", ") }) } },
            html! {
                @if route.shows.is_empty() { "–" }
                @for (purpose, fields) in &route.shows { div.sm { b { (purpose) } ": " (fields.join(", ")) } }
            },
            html! { (on(|what| matches!(what, Counted::Answered(_)))) },
            html! { (on(|what| what == Counted::Shown)) },
            html! { (on(|what| what == Counted::Masked)) },
        ]
    };
    html! {
        section."card flush" aria-labelledby="routes" {
            div.pad { h2 #routes { (words.say("routes-title")) } }
            @if report.routes.is_empty() { (empty(Icon::Gate, &words.say("routes-none"), None)) }
            @else { (table(&words.say("routes-title"), &heads, &report.routes.iter().map(row).collect::<Vec<_>>())) }
        }
    }
}

/// What was seen where, and how often.
type Lines = Vec<(String, Option<String>, u64)>;

fn leaks(words: &Words, report: &GatewayReport) -> Lines {
    let mut lines: Lines = Vec::new();
    for count in &report.counts {
        let what = match count.what {
            Counted::Leak(kind, place) => format!("{kind}, {place}"),
            Counted::Unruled => words.say("token-unruled"),
            _ => continue,
        };
        lines.push((what, count.route.clone(), count.count));
    }
    lines
}

fn refusals(words: &Words, report: &GatewayReport) -> Lines {
    let mut lines: Lines = Vec::new();
    for count in &report.counts {
        let what = match count.what {
            Counted::Refused(code) | Counted::App(code) => code.to_owned(),
            Counted::TokenFromClient(part) => format!("{}, {part}", words.say("token-from-client")),
            Counted::Others => words.say("counted-others"),
            _ => continue,
        };
        lines.push((what, count.route.clone(), count.count));
    }
    lines
}

fn counted(words: &Words, title: &str, none: &str, mut lines: Lines) -> Markup {
    lines.sort_by(|a, b| b.2.cmp(&a.2).then_with(|| a.0.cmp(&b.0)));
    lines.truncate(30);
    let heads = [
        Column::words(words.say("col-what")),
        Column::words(words.say("col-route")),
        Column::number(words.say("flow-count")),
    ];
    let row = |(what, route, count): &(String, Option<String>, u64)| {
        vec![
            html! { (what) },
            html! { code { (route.as_deref().unwrap_or("–")) } },
            html! { (words.number(*count)) },
        ]
    };
    html! {
        section."card flush" aria-labelledby=(title) {
            div.pad { h2 id=(title) { (words.say(title)) } }
            @if lines.is_empty() { (empty(Icon::Check, &words.say(none), None)) }
            @else { (small_table(&words.say(title), &heads, &lines.iter().map(row).collect::<Vec<_>>())) }
        }
    }
}
