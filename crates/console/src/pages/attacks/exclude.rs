//! `GET` and `POST /console/attacks/exclude/{reference}/{rule}`: exclude a rule that matched in an event, here or everywhere.
//! What will be written is shown beside each choice.

use super::filter::place_word;
use super::{attack_place, event, hand, page};
use crate::attacks_view::{AttacksView, ExclusionError, NewExclusion, Signature};
use crate::body::to_the_end;
use crate::pages::form::Form;
use crate::pages::visit::{Failed, Signed, Visit, not_found};
use crate::problem::Problem;
use crate::ui::frame::{Area, may};
use crate::ui::icons::Icon;
use crate::ui::language::Words;
use crate::ui::parts::{self, Act, Choice, Field, Tone, aside, button, choice, kv, link_button, note};
use axum::extract::Path;
use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};
use model::decision::Action;
use vault::shield::ShieldError;
use watch::attacks::{Attack, Rule};

/// Where a rule of an event is excluded.
pub(crate) fn path(reference: &str, rule: u64) -> String {
    format!("/console/attacks/exclude/{reference}/{rule}")
}

/// How far an exclusion reaches, the least first.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reach {
    /// On this route, for what the rule looked at.
    Target,
    /// On this route.
    Route,
    /// On all routes, for what the rule looked at.
    TargetEverywhere,
    /// On all routes.
    Everywhere,
}

impl Reach {
    const ALL: [Self; 4] = [Self::Target, Self::Route, Self::TargetEverywhere, Self::Everywhere];

    fn word(self) -> &'static str {
        match self {
            Self::Target => "target",
            Self::Route => "route",
            Self::TargetEverywhere => "target-everywhere",
            Self::Everywhere => "everywhere",
        }
    }

    /// Those that are possible for a rule of an event: a route must be known, and a target by name.
    fn of(attack: &Attack, rule: &Rule) -> Vec<Self> {
        let target = target(rule).is_some();
        let possible = |reach: &Self| match reach {
            Self::Target => attack.route.is_some() && target,
            Self::Route => attack.route.is_some(),
            Self::TargetEverywhere => target,
            Self::Everywhere => true,
        };
        Self::ALL.into_iter().filter(possible).collect()
    }

    fn exclusion(self, attack: &Attack, rule: &Rule, because: &str) -> NewExclusion {
        let here = matches!(self, Self::Target | Self::Route);
        let named = matches!(self, Self::Target | Self::TargetEverywhere);
        NewExclusion {
            routes: attack.route.iter().filter(|_| here).map(|name| name.as_ref().to_owned()).collect(),
            rules: rule.id.to_string(),
            target: target(rule).filter(|_| named),
            because: because.to_owned(),
        }
    }
}

/// What a rule looked at, if it can be excluded by name: not a name that is hidden, and not a variable of the rules' own.
pub(crate) fn target(rule: &Rule) -> Option<String> {
    let target = rule.target.as_deref()?;
    let own = target == "TX" || target.starts_with("TX:") || target.starts_with("MATCHED_");
    (!own && !target.contains('…')).then(|| target.to_owned())
}

/// Only who may change the shield goes on.
pub(crate) fn changes(visit: &Visit) -> Result<&Signed, Failed> {
    let signed = visit.staff(Area::Attacks)?;
    may(signed, Action::ExcludeRules).map_err(|reason| visit.explain(ShieldError::Denied(reason)))?;
    Ok(signed)
}

/// The event and the rule that the address names.
async fn named(visit: &Visit, reference: String, rule: &str) -> Result<(Attack, Rule), Failed> {
    let signed = changes(visit)?;
    let attack = event::of(visit, signed, reference).await?;
    let rule = rule.parse().ok().and_then(|id: u64| attack.rules.iter().find(|rule| rule.id == id).cloned());
    let rule = rule.ok_or_else(|| not_found(visit))?;
    if rule.is_deciding() {
        return Err(visit.explain(ExclusionError::Deciding));
    }
    Ok((attack, rule))
}

/// The question.
pub(crate) async fn ask(
    visit: Visit,
    Path((reference, rule)): Path<(String, String)>,
) -> Result<Response, Failed> {
    let (attack, rule) = named(&visit, reference, &rule).await?;
    question(&visit, &attack, &rule, None, None).await
}

/// What each reach would write, or why it cannot be.
type Previews = Vec<(Reach, Result<String, ExclusionError>)>;

async fn previews(visit: &Visit, attack: &Attack, rule: &Rule, because: &str) -> Result<Previews, Failed> {
    let signed = visit.signed()?;
    let at = signed.vault.now().map_err(|fault| visit.explain(fault))?;
    let by = Signature { by: signed.ctx.actor.principal.id, at };
    // A reason that will not do must not stand in the way of seeing what would be written.
    let unfit = because.is_empty() || because.chars().any(char::is_control) || because.chars().count() > 300;
    let because = if unfit { "…" } else { because };
    let all: Vec<(Reach, NewExclusion)> = Reach::of(attack, rule)
        .into_iter()
        .map(|reach| (reach, reach.exclusion(attack, rule, because)))
        .collect();
    let preview = move |view: &dyn AttacksView| -> Previews {
        all.into_iter()
            .map(|(reach, new)| (reach, view.preview(&[new], &by).map_err(|(_, error)| error)))
            .collect()
    };
    hand(visit, signed).look(preview).await.map_err(|problem| visit.fail(problem))
}

async fn question(
    visit: &Visit,
    attack: &Attack,
    rule: &Rule,
    form: Option<&Form>,
    problem: Option<&Problem>,
) -> Result<Response, Failed> {
    let words = visit.words();
    let because = form.map_or("", |form| form.value("because"));
    let previews = previews(visit, attack, rule, because).await?;
    let chosen = form.map(|form| form.value("reach").to_owned());
    let first = previews.iter().find(|(_, preview)| preview.is_ok()).map(|(reach, _)| reach.word());
    let chosen = chosen.as_deref().filter(|word| !word.is_empty()).or(first);
    let wrong = problem.filter(|problem| problem.code == "bad_reason").map(|_| words.say("wrong-bad-reason"));
    let (label, hint) = (words.say("exclude-because"), words.say("exclude-because-hint"));
    let reason = Field {
        name: "because",
        label: &label,
        hint: Some(&hint),
        error: wrong.as_deref(),
        value: because,
        required: true,
        ..Field::default()
    };
    let inner = html! {
        fieldset.field {
            legend { (words.say("exclude-reach")) }
            div.stack { @for (reach, preview) in &previews { (reach_row(visit, *reach, preview, chosen)) } }
        }
        (parts::field(&reason))
        p.row {
            (button(Act::Grave, Some(Icon::Veil), &words.say("exclude")))
            (link_button(Act::Plain, None, &words.say("back"), &event::path(&attack.reference)))
        }
    };
    let main = html! {
        div.head { h1 { (words.with("exclude-sentence", [("rule", rule.id.to_string().into())])) } p.quiet { (words.say("exclude-what")) } }
        @if let Some(problem) = problem {
            (note(Tone::Stop, Icon::Alert, &html! { p { (trouble(words, problem)) " " code { (problem.code) } } }))
        }
        (kv(&[
            (words.say("col-rule"), html! { (rule.id) " " (rule.message) }),
            (words.say("rule-target"), html! { @match &rule.target { Some(target) => code { (target) }, None => "–" } }),
            (words.say("col-route"), place_word(words, &attack_place(attack))),
        ]))
        @if first.is_none() { (aside(Tone::Warn, Icon::Alert, &html! { p { (words.say("exclude-none")) } })) }
        @else { (visit.form(&path(&attack.reference, rule.id), "stack narrow", &inner)) }
    };
    page(visit, Some(words.say("exclude")), &main).await
}

/// What stands in the way, in words.
pub(crate) fn trouble(words: &Words, problem: &Problem) -> String {
    let name = format!("wrong-{}", problem.code.replace('_', "-"));
    match problem.count {
        Some(count) => words.with(&name, [("count", count.into())]),
        None => words.find(&name).unwrap_or_else(|| words.say("error-input-what")),
    }
}

fn reach_row(
    visit: &Visit,
    reach: Reach,
    preview: &Result<String, ExclusionError>,
    chosen: Option<&str>,
) -> Markup {
    let words = visit.words();
    let word = reach.word();
    let (name, why) = (words.say(&format!("reach-{word}")), words.say(&format!("reach-{word}-what")));
    html! {
        @match preview {
            Ok(text) => div {
                (choice(&Choice { kind: "radio", name: "reach", value: word, word: &name, why: &why, chosen: chosen == Some(word) }))
                pre.code tabindex="0" role="region" aria-label=(words.with("exclude-writes", [("reach", name.as_str().into())])) { (text.trim()) }
            },
            Err(error) => p."sm quiet" { (name) ": " (trouble(words, &visit.problem(*error))) },
        }
    }
}

/// Excludes it.
pub(crate) async fn exclude(
    Path((reference, rule)): Path<(String, String)>,
    form: Form,
) -> Result<Response, Failed> {
    let visit = form.visit.clone();
    let (attack, rule) = named(&visit, reference, &rule).await?;
    let reach = Reach::of(&attack, &rule).into_iter().find(|reach| reach.word() == form.value("reach"));
    let reach = reach.ok_or_else(|| visit.fail(crate::problem::BAD_REQUEST))?;
    let new = reach.exclusion(&attack, &rule, form.value("because"));
    let hand = hand(&visit, changes(&visit)?);
    match to_the_end(async move { hand.exclude(vec![new]).await }).await {
        Ok(_) => Ok(Redirect::to("/console/attacks/exclusions?done=rules-excluded").into_response()),
        Err(problem) => question(&visit, &attack, &rule, Some(&form), Some(&problem)).await,
    }
}
