//! What was found, as plain data and as a text to read. Nothing in it is a value of a person.

use super::answer::Verdict;
use super::gather::{Field, Group, Groups, Key, Place};
use super::guess::{Confidence, Guess, Holds};
use super::propose::Proposal;
use super::shape::{printable, shortened};
use super::{Wish, cover};
use crate::Setup;
use model::catalogue::{Category, FieldType, Index, MaskRule, TokenFormat};
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt::Write;

/// A field that the catalogue should have, as the API takes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Suggested {
    /// What it is.
    #[serde(skip)]
    pub holds: Holds,
    /// Its name.
    pub name: String,
    /// Its category.
    pub category: Category,
    /// Its type.
    #[serde(rename = "type")]
    pub kind: FieldType,
    /// What is shown without permission.
    pub mask: MaskRule,
    /// Whether it can be searched.
    pub index: Index,
    /// The shape of its tokens.
    pub token: TokenFormat,
    /// Whether equal values have the same token.
    pub stable: bool,
    /// Its compartment.
    pub compartment: u8,
    /// Whether it speaks of a third person.
    pub third_party: bool,
    /// Longest value.
    pub max_bytes: u32,
}

/// Everything that was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    /// How many requests were looked at.
    pub requests: usize,
    /// The host that was asked.
    pub host: Option<String>,
    /// Other hosts that the pages asked, with how often.
    pub others: BTreeMap<String, usize>,
    /// Entries that could not be read.
    pub left_out: usize,
    /// Whether rules in force were held against it.
    pub with_rules: bool,
    /// By route.
    pub routes: Vec<RouteReport>,
    /// What no rule covers.
    pub leaks: Vec<Leak>,
    /// Fields that the proposal needs.
    pub fields: Vec<Suggested>,
    /// Rules, as they would stand in `obhut.toml`.
    pub proposal: String,
}

/// What was found on one route.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RouteReport {
    /// The method.
    pub method: String,
    /// The pattern of its path.
    pub path: String,
    /// How often it was asked; 0 for where a form leads and nobody went.
    pub seen: usize,
    /// The statuses of its answers.
    pub statuses: Vec<u16>,
    /// Fields that it takes.
    pub fields: Vec<FieldLine>,
    /// Places in its answers.
    pub places: Vec<PlaceLine>,
}

/// A field that a route takes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FieldLine {
    /// As a rule names it.
    pub source: String,
    /// What it seems to hold.
    pub guess: Option<Guess>,
    /// How its value begins, where one was sent.
    pub example: Option<String>,
    /// Why no rule can take it.
    pub hindrance: Option<&'static str>,
    /// The rule that takes it.
    pub rule: Option<String>,
}

/// A place in an answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PlaceLine {
    /// What seems to stand there; none for a token.
    pub guess: Option<Guess>,
    /// In which part of the page.
    pub place: String,
    /// In which line first.
    pub line: usize,
    /// How it begins.
    pub example: String,
    /// How often.
    pub count: usize,
    /// What the gateway does with a token there.
    pub verdict: Verdict,
    /// The rule that shows it.
    pub rule: Option<String>,
}

/// Something personal that no rule covers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Leak {
    /// The method.
    pub method: String,
    /// The pattern of the path.
    pub path: String,
    /// Where.
    pub place: String,
    /// What.
    pub holds: Holds,
    /// How sure.
    pub confidence: Confidence,
    /// Why no rule covers it.
    pub why: String,
}

pub(crate) fn report(groups: &Groups, wish: &Wish<'_>, proposal: &Proposal, setup: Option<&Setup>) -> Report {
    let (mut routes, mut leaks) = (Vec::new(), Vec::new());
    for (key, group) in groups {
        let route = route(key, group, setup);
        find_leaks(key, group, &route, &mut leaks);
        let interesting =
            !route.fields.is_empty() || !route.places.is_empty() || group.personal_path.is_some();
        if interesting {
            routes.push(route);
        }
    }
    Report {
        requests: groups.values().map(|group| group.seen).sum(),
        host: wish.host.map(printable),
        others: wish.others.cloned().unwrap_or_default(),
        left_out: wish.left_out,
        with_rules: wish.setup.is_some(),
        routes,
        leaks,
        fields: proposal.fields.clone(),
        proposal: proposal.text(wish.setup.is_none()),
    }
}

fn route((path, method): &Key, group: &Group, setup: Option<&Setup>) -> RouteReport {
    let field = |(source, field): (&String, &Field)| FieldLine {
        source: printable(source),
        guess: field.guess.clone(),
        example: field
            .example
            .as_ref()
            .zip(field.guess.as_ref())
            .map(|(text, guess)| shortened(guess.holds, text)),
        hindrance: field.hindrance,
        rule: setup.and_then(|setup| cover::taken(setup, method, &group.path, source)),
    };
    let place = |place: &Place| {
        let Place { spot, line, example, count } = place;
        let holds = spot.guess.as_ref().map(|guess| guess.holds);
        let readable = matches!(spot.verdict, Verdict::Shown | Verdict::Control);
        let rule = setup.filter(|_| readable);
        PlaceLine {
            guess: spot.guess.clone(),
            place: spot.place.clone(),
            line: *line,
            example: example.clone(),
            count: *count,
            verdict: spot.verdict,
            rule: rule.and_then(|setup| cover::shown(setup, method, &group.path, holds)),
        }
    };
    let known = group.fields.iter().filter(|(_, field)| field.guess.is_some());
    RouteReport {
        method: method.clone(),
        path: path.clone(),
        seen: group.seen,
        statuses: group.statuses.iter().copied().collect(),
        fields: known.map(field).collect(),
        places: group.places.iter().map(place).collect(),
    }
}

fn find_leaks((path, method): &Key, group: &Group, route: &RouteReport, leaks: &mut Vec<Leak>) {
    let mut leak = |place: String, guess: (Holds, Confidence), why: String| {
        let (holds, confidence) = guess;
        leaks.push(Leak { method: method.clone(), path: path.clone(), place, holds, confidence, why });
    };
    if let Some(holds) = group.personal_path {
        let why = "no rule reaches into a path, and paths stand in logs and histories".to_owned();
        leak("the path".to_owned(), (holds, Confidence::High), why);
    }
    for field in route.fields.iter().filter(|field| field.rule.is_none()) {
        let Some(guess) = &field.guess else { continue };
        let why = field.hindrance.unwrap_or(if field.source.starts_with("query:") {
            "no rule takes it, and queries stand in logs and histories"
        } else if guess.confidence == Confidence::High {
            "no rule takes it: the app keeps it in clear"
        } else {
            "no rule takes it; look whether it is personal"
        });
        leak(format!("the field `{}`", field.source), (guess.holds, guess.confidence), why.to_owned());
    }
    for place in route.places.iter().filter(|place| place.rule.is_none()) {
        let Some(guess) = &place.guess else { continue };
        let why = match place.verdict {
            Verdict::Unread => "no rule looks into an answer of this type: what the app knows passes",
            Verdict::Masked => "nothing may stand there: a token would be masked, and clear data pass",
            _ if guess.confidence == Confidence::High => {
                "no rule shows it, so it can only be the app's own copy"
            }
            _ => "no rule shows it; look whether it is personal",
        };
        leak(place.place.clone(), (guess.holds, guess.confidence), why.to_owned());
    }
    for kind in &group.unreadable {
        let why = format!("no rule looks into a request of the type {kind}");
        leak("the body".to_owned(), (Holds::Note, Confidence::Low), why);
    }
    if group.has_files {
        let why = "no rule looks into files: the app keeps them as they are".to_owned();
        leak("an upload".to_owned(), (Holds::Note, Confidence::Low), why);
    }
}

fn times(count: usize) -> String {
    match count {
        0 => "nobody went there".to_owned(),
        1 => "once".to_owned(),
        more => format!("{more} times"),
    }
}

fn known_by(guess: &Guess) -> String {
    format!("{}, {}", guess.confidence.word(), guess.reason)
}

impl Report {
    /// The report as a text to read.
    #[must_use]
    pub fn text(&self) -> String {
        let mut out = String::new();
        self.head(&mut out);
        for route in &self.routes {
            self.route(&mut out, route);
        }
        if self.routes.is_empty() {
            out.push_str("  Nothing that looks personal, and no token.\n");
        }
        out.push_str("\nNot covered\n");
        for leak in &self.leaks {
            let Leak { method, path, place, holds, confidence, why } = leak;
            let _ = writeln!(
                out,
                "  {method} {path}: {} in {place} ({})\n      {why}",
                holds.field(),
                confidence.word()
            );
        }
        if self.leaks.is_empty() {
            out.push_str("  Nothing.\n");
        }
        if !self.fields.is_empty() {
            out.push_str("\nFields that the catalogue needs\n");
            for field in &self.fields {
                let token = serde_json::to_value(field.token).unwrap_or_default();
                let stable = if field.stable { ", stable" } else { "" };
                let category = serde_json::to_value(field.category).unwrap_or_default();
                let kind = serde_json::to_value(field.kind).unwrap_or_default();
                let words = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
                let (category, kind, token) = (words(&category), words(&kind), words(&token));
                let _ = writeln!(out, "  {:<20} {category}, {kind}, tokens {token}{stable}", field.name);
            }
        }
        if self.proposal.is_empty() {
            out.push_str("\nNo rule is proposed.\n");
        } else {
            let _ = write!(out, "\nProposal, for obhut.toml\n\n{}", self.proposal);
        }
        out
    }

    fn head(&self, out: &mut String) {
        out.push_str("Looked at\n");
        let of = self.host.as_ref().map(|host| format!(" to {host}")).unwrap_or_default();
        let _ = writeln!(out, "  {} request{}{of}", self.requests, if self.requests == 1 { "" } else { "s" });
        for (host, count) in &self.others {
            let _ = writeln!(out, "  {count} to {host}, which never pass the gateway");
        }
        if self.left_out > 0 {
            let _ = writeln!(out, "  {} could not be read", self.left_out);
        }
        out.push_str(if self.with_rules {
            "\nFound, held against the rules in force\n"
        } else {
            "\nFound\n"
        });
    }

    fn route(&self, out: &mut String, route: &RouteReport) {
        let statuses: Vec<String> = route.statuses.iter().map(ToString::to_string).collect();
        let statuses = if statuses.is_empty() { String::new() } else { format!(", {}", statuses.join(" ")) };
        let _ = writeln!(out, "\n  {} {}  ({}{statuses})", route.method, route.path, times(route.seen));
        for field in &route.fields {
            let Some(guess) = &field.guess else { continue };
            let example = field.example.as_ref().map(|text| format!("  {text}")).unwrap_or_default();
            let _ = writeln!(out, "    takes  {:<18} {}{example}", guess.holds.field(), field.source);
            let _ = writeln!(out, "           {}", known_by(guess));
            self.rule(out, field.rule.as_deref().or(field.hindrance));
        }
        for place in &route.places {
            let what = place.guess.as_ref().map_or("token", |guess| guess.holds.field());
            let count = if place.count > 1 { format!(", {} times", place.count) } else { String::new() };
            let _ = writeln!(
                out,
                "    shows  {what:<18} {}, line {}{count}  {}",
                place.place, place.line, place.example
            );
            let known = place.guess.as_ref().map(known_by).unwrap_or_else(|| "its form".to_owned());
            let _ = writeln!(out, "           {known}; {}", place.verdict.says());
            if matches!(place.verdict, Verdict::Shown | Verdict::Control) {
                self.rule(out, place.rule.as_deref());
            }
        }
    }

    /// Which rule speaks of it; said where rules in force were asked for.
    fn rule(&self, out: &mut String, rule: Option<&str>) {
        if self.with_rules {
            let _ = writeln!(out, "           {}", rule.unwrap_or("no rule"));
        }
    }
}
