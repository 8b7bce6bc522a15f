//! What is asked for on the overview, as it stands in the address, and the form that asks.

use crate::ui::frame::Area;
use crate::ui::icons::Icon;
use crate::ui::language::Words;
use crate::ui::parts::{self, Act, Field, button, link_button};
use maud::{Markup, html};
use model::Timestamp;
use serde::Deserialize;
use watch::attacks::{Attacks, Mode, Outcome, Place, Span, Step, Wanted};

/// The value of a choice for events where no route fits; no route can be called so.
pub(crate) const NOWHERE: &str = "-";

/// A span that can be chosen.
struct Choice {
    name: &'static str,
    step: Step,
    columns: usize,
}

/// Spans with the length of their columns. What is not known is the second one.
const SPANS: [Choice; 4] = [
    Choice { name: "hour", step: Step::Minute, columns: 60 },
    Choice { name: "day", step: Step::Hours(1), columns: 24 },
    Choice { name: "week", step: Step::Hours(6), columns: 28 },
    Choice { name: "month", step: Step::Hours(24), columns: 30 },
];

/// The outcomes with their names in addresses and texts.
pub(crate) const OUTCOMES: [(Outcome, &str); 3] =
    [(Outcome::Refused, "refused"), (Outcome::WouldRefuse, "would"), (Outcome::Passed, "passed")];

/// The name of an outcome.
pub(crate) fn outcome_name(outcome: Outcome) -> &'static str {
    OUTCOMES.iter().find(|(one, _)| *one == outcome).map_or("passed", |(_, name)| name)
}

/// The modes with theirs.
pub(crate) const MODES: [(Mode, &str); 2] = [(Mode::Block, "block"), (Mode::Detect, "detect")];

/// What is asked for.
#[derive(Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Filter {
    span: String,
    route: String,
    rule: String,
    mode: String,
    outcome: String,
    pub(crate) reference: String,
    pub(crate) before: String,
}

impl Filter {
    fn choice(&self) -> &'static Choice {
        SPANS.iter().find(|one| one.name == self.span).unwrap_or(&SPANS[1])
    }

    /// The name of the span.
    pub(crate) fn span_name(&self) -> &'static str {
        self.choice().name
    }

    /// The span, up to now.
    pub(crate) fn span(&self, now: Timestamp) -> Span {
        let choice = self.choice();
        Span::ending(now, choice.step, choice.columns)
    }

    /// Which events are asked for.
    pub(crate) fn wanted(&self, span: &Span) -> Wanted {
        Wanted {
            since: Some(span.from),
            place: place(&self.route),
            rule: self.rule.trim().parse().ok(),
            mode: MODES.iter().find(|(_, name)| *name == self.mode).map(|(mode, _)| *mode),
            outcome: OUTCOMES.iter().find(|(_, name)| *name == self.outcome).map(|(outcome, _)| *outcome),
        }
    }

    /// All events of the last thirty days.
    pub(crate) fn month(now: Timestamp) -> Wanted {
        let filter = Self { span: "month".to_owned(), ..Self::default() };
        filter.wanted(&filter.span(now))
    }

    fn is_set(&self) -> bool {
        [&self.route, &self.rule, &self.mode, &self.outcome].iter().any(|text| !text.is_empty())
    }

    /// The same with another route.
    pub(crate) fn on(&self, place: &Place) -> Self {
        Self { route: place_value(place), before: String::new(), ..self.clone() }
    }

    /// The same with another rule.
    pub(crate) fn of_rule(&self, rule: u64) -> Self {
        Self { rule: rule.to_string(), before: String::new(), ..self.clone() }
    }

    /// The address of this question, from somewhere on.
    pub(crate) fn at(&self, before: Option<u64>) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        let before = before.map(|before| before.to_string()).unwrap_or_default();
        for (name, value) in [
            ("span", &self.span),
            ("route", &self.route),
            ("rule", &self.rule),
            ("mode", &self.mode),
            ("outcome", &self.outcome),
            ("before", &before),
        ] {
            if !value.is_empty() {
                query.append_pair(name, value);
            }
        }
        let (path, query) = (Area::Attacks.path(), query.finish());
        if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") }
    }
}

/// The place of a value in an address or a form; none where nothing is chosen.
pub(crate) fn place(value: &str) -> Option<Place> {
    match value {
        "" => None,
        NOWHERE => Some(Place::Nowhere),
        name => Some(Place::Route(name.into())),
    }
}

/// The value of a place.
pub(crate) fn place_value(place: &Place) -> String {
    match place {
        Place::Nowhere => NOWHERE.to_owned(),
        Place::Route(name) => name.as_ref().to_owned(),
        // Nothing can be asked of it.
        Place::Others => String::new(),
    }
}

/// A place in words.
pub(crate) fn place_word(words: &Words, place: &Place) -> Markup {
    html! {
        @match place {
            Place::Nowhere => (words.say("no-route")),
            Place::Route(name) => code { (name) },
            Place::Others => (words.say("other-routes")),
        }
    }
}

/// The forms: one that narrows, one that looks a reference up.
pub(crate) fn filters(words: &Words, filter: &Filter, attacks: &Attacks, missed: bool) -> Markup {
    let (places, _) = attacks.seen();
    let all = (String::new(), words.say("filter-all"));
    let spans = SPANS.map(|one| (one.name.to_owned(), words.say(&format!("span-{}", one.name))));
    let mut routes = vec![all.clone()];
    routes.extend(places.iter().filter(|place| **place != Place::Others).map(|place| match place {
        Place::Route(name) => (name.as_ref().to_owned(), name.as_ref().to_owned()),
        other => (place_value(other), words.say("no-route")),
    }));
    let mut modes = vec![all.clone()];
    modes.extend(MODES.map(|(_, name)| (name.to_owned(), words.say(&format!("mode-{name}")))));
    let mut outcomes = vec![all];
    outcomes.extend(OUTCOMES.map(|(_, name)| (name.to_owned(), words.say(&format!("outcome-{name}")))));
    let labels = ["filter-span", "col-route", "col-rule", "filter-mode", "col-outcome", "attack-reference"]
        .map(|name| words.say(name));
    let select = |name, label: &str, value, options: &[(String, String)]| {
        parts::select(&Field { name, label, value, ..Field::default() }, options)
    };
    let error = missed.then(|| words.say("attack-unknown"));
    let reference = Field {
        name: "reference",
        label: &labels[5],
        value: &filter.reference,
        error: error.as_deref(),
        ..Field::default()
    };
    html! {
        form."filters narrow" method="get" action=(Area::Attacks.path()) aria-label=(words.say("attack-find")) {
            (parts::field(&reference))
            (button(Act::Normal, Some(Icon::Search), &words.say("attack-find")))
        }
        form.filters method="get" action=(Area::Attacks.path()) aria-label=(words.say("filter"))
            hx-get=(Area::Attacks.path()) hx-target="#list" hx-select="#list" hx-swap="outerHTML" hx-push-url="true" {
            (select("span", &labels[0], filter.span_name(), &spans))
            (select("route", &labels[1], &filter.route, &routes))
            (parts::field(&Field { name: "rule", label: &labels[2], value: &filter.rule, kind: Some("number"), ..Field::default() }))
            (select("mode", &labels[3], &filter.mode, &modes))
            (select("outcome", &labels[4], &filter.outcome, &outcomes))
            (button(Act::Normal, Some(Icon::Filter), &words.say("filter-apply")))
            @if filter.is_set() { (link_button(Act::Plain, None, &words.say("filter-clear"), Area::Attacks.path())) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_survives_its_address() {
        let filter = Filter {
            span: "week".into(),
            route: "workers".into(),
            rule: "942100".into(),
            mode: "detect".into(),
            outcome: "would".into(),
            ..Filter::default()
        };
        assert_eq!(
            filter.at(Some(7)),
            "/console/attacks?span=week&route=workers&rule=942100&mode=detect&outcome=would&before=7"
        );
        let wanted = filter.wanted(&filter.span(Timestamp(0)));
        assert_eq!(wanted.place, Some(Place::Route("workers".into())));
        assert_eq!(
            (wanted.rule, wanted.mode, wanted.outcome),
            (Some(942_100), Some(Mode::Detect), Some(Outcome::WouldRefuse))
        );
        assert_eq!(filter.on(&Place::Nowhere).of_rule(1).at(None).matches("route=-&rule=1").count(), 1);
    }

    #[test]
    fn nonsense_asks_for_everything() {
        let filter = Filter {
            span: "year".into(),
            rule: "x".into(),
            mode: "off".into(),
            outcome: "<".into(),
            ..Filter::default()
        };
        let wanted = filter.wanted(&filter.span(Timestamp(0)));
        assert!(wanted.rule.is_none() && wanted.mode.is_none() && wanted.outcome.is_none());
        assert_eq!(filter.span_name(), "day");
    }
}
