//! `GET /console/attacks/events/{reference}`: one event, as far as it is kept: nothing of what the client sent.

use super::filter::place_word;
use super::{attack_place, hand, outcome_chip, page, refusal_word};
use crate::pages::visit::{Failed, Signed, Visit};
use crate::problem::UNKNOWN_ATTACK;
use crate::ui::frame::{Area, may};
use crate::ui::icons::Icon;
use crate::ui::language::Words;
use crate::ui::parts::{Act, Tone, aside, empty, kv, link_button};
use axum::extract::Path;
use axum::response::Response;
use maud::{Markup, html};
use model::decision::Action;
use watch::attacks::{Attack, Rule, Side};

/// Where an event is shown.
pub(crate) fn path(reference: &str) -> String {
    format!("/console/attacks/events/{reference}")
}

/// The event with this reference, for who may see it.
pub(crate) async fn of(visit: &Visit, signed: &Signed, reference: String) -> Result<Attack, Failed> {
    let found = hand(visit, signed).look(move |view| view.attacks().one(&reference)).await;
    let found = found.map_err(|problem| visit.fail(problem))?;
    found.ok_or_else(|| visit.fail(UNKNOWN_ATTACK.in_request(signed.ctx.request)))
}

/// The page.
pub(crate) async fn event(visit: Visit, Path(reference): Path<String>) -> Result<Response, Failed> {
    let signed = visit.staff(Area::Attacks)?;
    let attack = of(&visit, signed, reference).await?;
    let now = signed.vault.now().map_err(|fault| visit.explain(fault))?;
    let words = visit.words();
    let sentence = format!("event-sentence-{}", super::outcome_name(attack.outcome()));
    let excludes = may(signed, Action::ExcludeRules).is_ok();
    let main = html! {
        div.head {
            h1 { (words.with(&sentence, [("when", words.when(attack.at, now).into())])) }
            p."sm quiet" { (words.say("event-nothing-sent")) }
        }
        div."cols side" {
            (rules(words, &attack, excludes))
            section.card aria-label=(words.say("attack-reference")) { (kv(&rows(words, &attack))) }
        }
    };
    let name = words.with("event-named", [("reference", (&*attack.reference).into())]);
    page(&visit, Some(name), &main).await
}

fn rows(words: &Words, attack: &Attack) -> Vec<(String, Markup)> {
    let side = if attack.side == Side::Request { "side-request" } else { "side-answer" };
    let mode =
        super::filter::MODES.iter().find(|(mode, _)| *mode == attack.mode).map_or("block", |(_, name)| name);
    let mut rows = vec![
        (words.say("attack-reference"), html! { code { (attack.reference) } }),
        (
            words.say("col-when"),
            html! { time datetime=(attack.at.rfc3339()) { (words.date(attack.at)) ", " (words.clock_exact(attack.at)) " UTC" } },
        ),
        (words.say("col-outcome"), outcome_chip(words, attack.outcome())),
        (words.say("col-route"), place_word(words, &attack_place(attack))),
        (words.say("attack-method"), html! { code { (attack.method) } }),
        (words.say("filter-mode"), html! { (words.say(&format!("mode-{mode}"))) }),
        (words.say("attack-side"), html! { (words.say(side)) }),
        (words.say("attack-status"), html! { @if attack.status == 0 { "–" } @else { (attack.status) } }),
        (words.say("attack-score"), html! { (attack.score) }),
    ];
    if let Some(code) = &attack.refusal {
        rows.insert(3, (words.say("col-reason"), refusal_word(words, code)));
    }
    if let Some(rule) = attack.by {
        rows.push((words.say("attack-by"), html! { code { (rule) } }));
    }
    rows
}

fn rules(words: &Words, attack: &Attack, excludes: bool) -> Markup {
    html! {
        section."card stack" aria-labelledby="rules" {
            h2 #rules { (words.say("rules-matched")) }
            @if attack.rules.is_empty() { (empty(Icon::Shield, &words.say("rules-matched-none"), None)) }
            ul.lined { @for rule in &attack.rules { li { (one_rule(words, attack, rule, excludes)) } } }
            @if attack.rules.iter().any(Rule::is_deciding) {
                (aside(Tone::Plain, Icon::Info, &html! { p.sm { (words.say("rule-deciding-what")) } }))
            }
        }
    }
}

fn one_rule(words: &Words, attack: &Attack, rule: &Rule, excludes: bool) -> Markup {
    let to = super::exclude::path(&attack.reference, rule.id);
    html! {
        div.stack {
            p { b { (rule.id) } @if !rule.message.is_empty() { " " (rule.message) } }
            (kv(&[
                (words.say("rule-target"), html! { @match &rule.target { Some(target) => code { (target) }, None => "–" } }),
                (words.say("rule-severity"), html! { (severity_word(words, rule.severity)) }),
                (words.say("rule-tags"), html! { span."xs quiet" { @if rule.tags.is_empty() { "–" } @else { (rule.tags.join(", ")) } } }),
            ]))
            @if rule.is_deciding() { p."sm quiet" { (words.say("rule-deciding")) } }
            @else if excludes { p { (link_button(Act::Normal, Some(Icon::Veil), &words.with("exclude-this", [("rule", rule.id.to_string().into())]), &to)) } }
        }
    }
}

/// A severity in words.
pub(crate) fn severity_word(words: &Words, severity: Option<u8>) -> String {
    let word = severity.and_then(|number| words.find(&format!("severity-{number}")));
    word.unwrap_or_else(|| "–".to_owned())
}
