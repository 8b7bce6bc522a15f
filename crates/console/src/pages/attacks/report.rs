//! `GET /console/attacks/report`: what would have been refused where the shield only detects; each line, or all that are
//! shown and name a field, become exclusions with one press. A line without a name means a whole rule on a route, and whoever
//! sends an attack in a field with an odd name makes one: it leads to its event, from where it is decided on by itself.

use super::exclude::{changes, target, trouble};
use super::filter::{Filter, place_value, place_word};
use super::{event, hand, page};
use crate::attacks_view::{AttacksView, NewExclusion};
use crate::body::to_the_end;
use crate::pages::form::Form;
use crate::pages::visit::{Failed, Visit};
use crate::problem::{BAD_REQUEST, Problem};
use crate::ui::frame::{Area, may};
use crate::ui::icons::Icon;
use crate::ui::language::Words;
use crate::ui::parts::{self, Act, Column, Field, Tone, aside, button, button_of, empty, link, note, table};
use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};
use model::Timestamp;
use model::decision::Action;
use std::collections::BTreeSet;
use watch::attacks::{Place, Rule, WouldRefuse};

/// Most lines.
const SHOWN: usize = 100;

/// The page.
pub(crate) async fn report(visit: Visit) -> Result<Response, Failed> {
    show(&visit, None, None).await
}

/// A line of the report as a value of a form: route, rule, target, parted by spaces, which none of them holds.
fn value(line: &WouldRefuse) -> Option<String> {
    let Place::Route(route) = &line.place else { return None };
    Some(match named(line) {
        Some(target) => format!("{route} {} {target}", line.rule),
        None => format!("{route} {}", line.rule),
    })
}

/// What it looked at, if that can be excluded by name.
fn named(line: &WouldRefuse) -> Option<String> {
    let rule = Rule {
        id: line.rule,
        severity: None,
        message: line.message.clone(),
        tags: line.tags.clone(),
        target: line.target.clone(),
    };
    target(&rule)
}

/// The line, if it becomes an exclusion with one press: not where a whole rule would.
fn pressed(line: &WouldRefuse) -> Option<String> {
    value(line).filter(|_| named(line).is_some())
}

fn exclusion(value: &str, because: &str) -> Option<NewExclusion> {
    let mut parts = value.split(' ');
    let (route, rule, target) = (parts.next()?, parts.next()?, parts.next());
    rule.parse::<u64>().ok()?;
    Some(NewExclusion {
        routes: vec![route.to_owned()],
        rules: rule.to_owned(),
        target: target.filter(|target| !target.is_empty()).map(str::to_owned),
        because: because.to_owned(),
    })
}

/// What is excluded: routes, rules, target.
struct Standing(BTreeSet<(Vec<String>, String, Option<String>)>);

impl Standing {
    fn of(view: &dyn AttacksView) -> Self {
        Self(view.exclusions().into_iter().map(|one| (one.routes, one.rules, one.target)).collect())
    }

    /// Whether it is excluded already, by itself or with more.
    fn covers(&self, new: &NewExclusion) -> bool {
        let everywhere = (Vec::new(), new.rules.clone(), None);
        let route = (new.routes.clone(), new.rules.clone(), None);
        let same = (new.routes.clone(), new.rules.clone(), new.target.clone());
        [everywhere, route, same].iter().any(|one| self.0.contains(one))
    }
}

async fn show(visit: &Visit, form: Option<&Form>, problem: Option<&Problem>) -> Result<Response, Failed> {
    let signed = visit.staff(Area::Attacks)?;
    let now = signed.vault.now().map_err(|fault| visit.explain(fault))?;
    let hand = hand(visit, signed);
    let (lines, standing) = hand
        .look(move |view| {
            let month = Filter::month(now);
            (view.attacks().would_refuse(&month), Standing::of(view))
        })
        .await
        .map_err(|problem| visit.fail(problem))?;
    let words = visit.words();
    // What is excluded by now is seen for a month still, and is no longer to be decided.
    let is_open = |line: &WouldRefuse| {
        value(line).and_then(|value| exclusion(&value, "")).is_none_or(|new| !standing.covers(&new))
    };
    let all: Vec<WouldRefuse> = lines.into_iter().filter(is_open).collect();
    let shown = &all[..all.len().min(SHOWN)];
    let excludes = may(signed, Action::ExcludeRules).is_ok();
    let routes: BTreeSet<String> = all.iter().map(|line| place_value(&line.place)).collect();
    let main = html! {
        div.head {
            h1 { (words.with("report-sentence", [("rules", count_rules(&all).into()), ("routes", routes.len().into())])) }
            p.quiet { (words.say("report-what")) }
        }
        @if let Some(problem) = problem {
            (note(Tone::Stop, Icon::Alert, &html! { p { (trouble(words, problem)) " " code { (problem.code) } } }))
        }
        @if shown.is_empty() {
            section.card { (empty(Icon::Check, &words.say("report-none"), Some((Area::Attacks.path(), &words.say("area-attacks"))))) }
        } @else if excludes {
            (visit.form("/console/attacks/report", "stack", &html! {
                (decide(words, shown, form, problem))
                (lines_table(words, shown, true, now))
            }))
        } @else { (lines_table(words, shown, false, now)) }
        @if all.len() > shown.len() { p."sm quiet" { (words.with("report-more", [("count", (all.len() - shown.len()).into())])) } }
    };
    page(visit, Some(words.say("attacks-report")), &main).await
}

fn count_rules(lines: &[WouldRefuse]) -> usize {
    lines.iter().map(|line| line.rule).collect::<BTreeSet<_>>().len()
}

/// The reason, and the button for all lines.
fn decide(words: &Words, shown: &[WouldRefuse], form: Option<&Form>, problem: Option<&Problem>) -> Markup {
    let count = shown.iter().filter(|line| pressed(line).is_some()).count();
    let has_whole = shown.iter().any(|line| value(line).is_some() && pressed(line).is_none());
    let has_no_route = shown.iter().any(|line| value(line).is_none());
    let usual = words.say("report-because");
    let typed = form.map_or(usual.as_str(), |form| form.value("because"));
    let wrong = problem.filter(|problem| problem.code == "bad_reason").map(|_| words.say("wrong-bad-reason"));
    let (label, hint) = (words.say("exclude-because"), words.say("exclude-because-hint"));
    let field = Field {
        name: "because",
        label: &label,
        hint: Some(&hint),
        error: wrong.as_deref(),
        value: typed,
        required: true,
        ..Field::default()
    };
    html! {
        section."card stack" aria-labelledby="decide" {
            h2 #decide { (words.say("report-decide")) }
            p { (words.say("report-decide-what")) }
            @if count > 0 { (parts::field(&field)) p { (button(Act::Grave, Some(Icon::Veil), &words.with("report-all", [("count", count.into())]))) } }
            @if has_whole { (aside(Tone::Warn, Icon::Alert, &html! { p.sm { (words.say("report-whole")) } })) }
            @if has_no_route { (aside(Tone::Plain, Icon::Info, &html! { p.sm { (words.say("report-no-route")) } })) }
        }
    }
}

fn lines_table(words: &Words, shown: &[WouldRefuse], buttons: bool, now: Timestamp) -> Markup {
    let mut heads = vec![
        Column::words(words.say("col-rule")),
        Column::words(words.say("col-route")),
        Column::words(words.say("rule-target")),
        Column::number(words.say("flow-count")),
        Column::words(words.say("col-last")),
    ];
    if buttons {
        heads.push(Column::words(words.say("exclude")));
    }
    let row = |line: &WouldRefuse| {
        let mut cells = vec![
            html! { (line.rule) br; span."sm quiet" { (line.message) } },
            place_word(words, &line.place),
            html! { @match &line.target { Some(target) => code { (target) }, None => "–" } },
            html! { (words.number(line.count)) },
            html! { (link(&event::path(&line.reference), &words.when(line.last, now))) },
        ];
        if buttons {
            cells.push(press(words, line));
        }
        cells
    };
    let rows: Vec<_> = shown.iter().map(row).collect();
    html! {
        section."card flush" aria-label=(words.say("attacks-report")) { (table(&words.say("attacks-report"), &heads, &rows)) }
    }
}

/// The way to exclude a line.
fn press(words: &Words, line: &WouldRefuse) -> Markup {
    html! {
        @if let Some(value) = pressed(line) {
            input type="hidden" name="line" value=(value);
            (button_of(Act::Normal, ("only", &value), None, &words.say("report-one-target")))
        } @else if value(line).is_some() {
            (link(&super::exclude::path(&line.reference, line.rule), &words.say("report-one")))
        } @else { "–" }
    }
}

/// Excludes a line, or all that were shown.
pub(crate) async fn exclude(form: Form) -> Result<Response, Failed> {
    let visit = form.visit.clone();
    let signed = changes(&visit)?;
    let because = form.value("because");
    let lines: BTreeSet<&str> = match form.filled("only") {
        Some(only) => BTreeSet::from([only]),
        None => form.values("line").take(SHOWN).collect(),
    };
    let one = |line| exclusion(line, because).filter(|new| new.target.is_some());
    let new: Option<Vec<NewExclusion>> = lines.into_iter().map(one).collect();
    let mut new = new.filter(|new| !new.is_empty()).ok_or_else(|| visit.fail(BAD_REQUEST))?;
    let hand = hand(&visit, signed);
    if new.len() > 1 {
        // What somebody else excluded meanwhile is no reason to leave the rest.
        let standing = hand.look(|view| Standing::of(view)).await.map_err(|problem| visit.fail(problem))?;
        new.retain(|one| !standing.covers(one));
    }
    let done = || Redirect::to("/console/attacks/exclusions?done=rules-excluded").into_response();
    if new.is_empty() {
        return Ok(done());
    }
    match to_the_end(async move { hand.exclude(new).await }).await {
        Ok(_) => Ok(done()),
        Err(problem) => show(&visit, Some(&form), Some(&problem)).await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(place: Place, target: Option<&str>) -> WouldRefuse {
        WouldRefuse {
            place,
            rule: 942_100,
            message: "SQL".into(),
            severity: Some(2),
            tags: Vec::new().into(),
            target: target.map(Into::into),
            count: 1,
            last: Timestamp(0),
            reference: "R".into(),
        }
    }

    #[test]
    fn a_line_survives_its_form() {
        let route = || Place::Route("workers".into());
        let back = |line: &WouldRefuse| exclusion(&value(line).expect("a route"), "because");
        let new = back(&line(route(), Some("ARGS:note"))).expect("a line");
        assert_eq!(
            (new.routes, new.rules, new.target.as_deref()),
            (vec!["workers".to_owned()], "942100".to_owned(), Some("ARGS:note"))
        );
        // What has no plain name, and what the rules keep for themselves, is excluded whole.
        for whole in [None, Some("ARGS:…"), Some("TX:0"), Some("MATCHED_VAR")] {
            assert_eq!(back(&line(route(), whole)).expect("a line").target, None, "{whole:?}");
            assert_eq!(pressed(&line(route(), whole)), None, "{whole:?}: but not with all others");
        }
        let named = line(route(), Some("ARGS:note"));
        assert_eq!(pressed(&named), value(&named));
        assert_eq!(value(&line(Place::Nowhere, None)), None, "where no route fits there is nothing to name");
        for odd in ["", "workers", "workers x", "workers -1"] {
            assert!(exclusion(odd, "b").is_none(), "{odd}");
        }
    }
}
