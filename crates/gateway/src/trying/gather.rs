//! Gathers what was found by route: one method of one pattern.

use super::answer::{self, Content, Spot, Values, Verdict};
use super::guess::{Confidence, Guess, Holds};
use super::page::Control;
use super::pattern::{self, Patterns};
use super::sent;
use super::{Exchange, cover, har};
use crate::Setup;
use std::collections::{BTreeMap, BTreeSet};

/// A route: its pattern and its method.
pub(crate) type Key = (String, String);
/// Attributes that rules list, by route.
pub(crate) type Attributes = BTreeMap<Key, Vec<String>>;

/// A field that a route takes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Field {
    pub(crate) name: String,
    pub(crate) guess: Option<Guess>,
    /// The control that was seen for it.
    pub(crate) control: Option<Control>,
    /// A value that was sent, to be named in short.
    pub(crate) example: Option<String>,
    pub(crate) hindrance: Option<&'static str>,
}

/// A place in a route's answers, with how often it was seen.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) spot: Spot,
    pub(crate) line: usize,
    pub(crate) example: String,
    pub(crate) count: usize,
}

/// What was found on one route.
#[derive(Debug, Default)]
pub(crate) struct Group {
    pub(crate) seen: usize,
    pub(crate) statuses: BTreeSet<u16>,
    /// By source, as a rule names it.
    pub(crate) fields: BTreeMap<String, Field>,
    pub(crate) places: Vec<Place>,
    /// Where accepted requests led to.
    pub(crate) leads_to: BTreeSet<String>,
    /// Whether an accepted answer has the member `id`.
    pub(crate) tells_id: bool,
    /// Whether it takes one password: then it is a sign-in, or like one.
    pub(crate) has_password: bool,
    pub(crate) has_files: bool,
    pub(crate) is_event_stream: bool,
    pub(crate) is_upgrade: bool,
    /// Types of bodies that no rule looks into.
    pub(crate) unreadable: BTreeSet<String>,
    /// Where the forms of its pages lead.
    pub(crate) forms: BTreeSet<Key>,
    /// Whether one answer showed one person alone.
    pub(crate) shows_one: bool,
    pub(crate) shows_many: bool,
    /// Whether its answers to what was accepted are pages that stay, where others redirect.
    pub(crate) answers_page: bool,
    /// What of a path looks personal.
    pub(crate) personal_path: Option<Holds>,
    /// A path that was asked for.
    pub(crate) path: String,
}

/// Everything, by route.
pub(crate) type Groups = BTreeMap<Key, Group>;

/// A path that a link or form of a page means.
pub(crate) fn resolve(base: &str, target: &str, host: Option<&str>) -> Option<String> {
    let target = target.trim().split('#').next().unwrap_or_default();
    let path = if let Some((of, rest)) = har::split_url(target) {
        if !host.is_some_and(|host| host.eq_ignore_ascii_case(of)) {
            return None;
        }
        if rest.is_empty() { "/" } else { rest }
    } else if target.starts_with("//") || target.contains(':') && !target.starts_with(['/', '?', '.']) {
        return None;
    } else {
        target
    };
    let path = path.split('?').next().unwrap_or_default();
    if path.is_empty() {
        return Some(base.to_owned());
    }
    if path.starts_with('/') {
        return Some(path.to_owned());
    }
    let mut pieces: Vec<&str> = base.split('/').skip(1).collect();
    pieces.pop();
    for piece in path.split('/') {
        match piece {
            "." => {}
            ".." => drop(pieces.pop()),
            other => pieces.push(other),
        }
    }
    Some(format!("/{}", pieces.join("/")))
}

/// Gathers everything.
pub(crate) fn gather(exchanges: &[Exchange], host: Option<&str>, declared: &Attributes) -> Groups {
    let contents: Vec<Content> = exchanges.iter().map(answer::content).collect();
    let mut paths: Vec<String> = exchanges.iter().map(|one| one.path.clone()).collect();
    for (exchange, content) in exchanges.iter().zip(&contents) {
        let Content::Page(reading) = content else { continue };
        let actions = reading
            .forms
            .iter()
            .filter_map(|form| resolve(&exchange.path, form.action.as_deref().unwrap_or_default(), host));
        paths.extend(actions);
    }
    for location in exchanges.iter().filter_map(|one| Some((one, one.location.as_deref()?))) {
        paths.extend(resolve(&location.0.path, location.1, host));
    }
    let patterns = Patterns::of(paths.iter().map(String::as_str));
    let mut requests: Vec<sent::Request> = exchanges.iter().map(sent::read).collect();
    let mut values = Values::default();
    for field in requests.iter().flat_map(|request| &request.fields) {
        if let Some(guess) = &field.guess {
            values.add(&field.value, guess);
        }
    }
    for (exchange, content) in exchanges.iter().zip(&contents) {
        for (range, guess) in answer::named(exchange, content) {
            if let Some(text) = std::str::from_utf8(&exchange.body).ok().and_then(|text| text.get(range)) {
                values.add(text, &guess);
            }
        }
    }
    values.ready();
    for field in requests.iter_mut().flat_map(|request| &mut request.fields) {
        field.guess = field.guess.take().or_else(|| values.same(&field.value));
    }
    let mut groups = Groups::new();
    for ((exchange, content), request) in exchanges.iter().zip(&contents).zip(requests) {
        let Some(pattern) = patterns.pattern(&exchange.path) else { continue };
        let key = (pattern, exchange.method.clone());
        let group = groups.entry(key.clone()).or_default();
        group.exchange(exchange, request);
        group.bind(exchange, &patterns, host);
        let attributes = declared.get(&key).map_or(&[][..], Vec::as_slice);
        group.places(exchange, answer::places(exchange, content, &values, attributes));
        if let Content::Page(reading) = content {
            for form in &reading.forms {
                let action = form.action.as_deref().unwrap_or_default();
                let target = resolve(&exchange.path, action, host);
                let Some(target) = target.and_then(|path| Some((patterns.pattern(&path)?, path))) else {
                    continue;
                };
                let to: Key = (target.0, form.method.clone());
                if let Some(group) = groups.get_mut(&key) {
                    group.forms.insert(to.clone());
                }
                let taking = groups.entry(to).or_default();
                if taking.path.is_empty() {
                    taking.path = target.1;
                }
                let passwords = form.controls.iter().filter(|one| one.kind == "password").count();
                taking.has_password |= passwords == 1;
                for control in &form.controls {
                    taking.control(control, &form.method);
                }
            }
        }
    }
    groups
}

impl Group {
    fn exchange(&mut self, exchange: &Exchange, request: sent::Request) {
        self.seen += 1;
        if self.path.is_empty() {
            self.path.clone_from(&exchange.path);
        }
        if exchange.status > 0 {
            self.statuses.insert(exchange.status);
        }
        let essence = exchange.kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        let is_page = essence == "text/html";
        let took = matches!(exchange.status, 200..=299);
        self.answers_page |= is_page && took && exchange.method != "GET";
        self.is_event_stream |= essence == "text/event-stream";
        self.is_upgrade |= exchange.status == 101;
        self.has_password |= request.passwords == 1;
        self.has_files |= request.has_files;
        self.unreadable.extend(request.unreadable.map(|kind| super::shape::printable(&kind)));
        let path = decoded(&exchange.path);
        if let Some(seen) = super::shape::look(&path, 1).first() {
            self.personal_path = Some(seen.holds);
        }
        for one in request.fields {
            let field = self.fields.entry(one.source).or_default();
            field.name = one.name;
            field.guess = sent::better(field.guess.take(), one.guess);
            field.hindrance = field.hindrance.or(one.hindrance);
            if field.example.is_none() && !one.value.trim().is_empty() {
                field.example = Some(one.value);
            }
        }
    }

    /// What the answer tells of somebody new.
    fn bind(&mut self, exchange: &Exchange, patterns: &Patterns, host: Option<&str>) {
        if !(200..400).contains(&exchange.status) || exchange.method == "GET" {
            return;
        }
        let location = exchange.location.as_deref();
        let target = location.and_then(|location| resolve(&exchange.path, location, host));
        self.leads_to.extend(target.and_then(|path| patterns.pattern(&path)));
        let json: Option<serde_json::Value> =
            if exchange.kind.contains("json") { serde_json::from_slice(&exchange.body).ok() } else { None };
        let id = json.as_ref().and_then(|json| json.get("id"));
        self.tells_id |= id.is_some_and(|id| id.is_string() || id.is_number());
    }

    fn places(&mut self, exchange: &Exchange, spots: Vec<Spot>) {
        let mut persons: BTreeMap<Holds, BTreeSet<&str>> = BTreeMap::new();
        let Ok(text) = std::str::from_utf8(&exchange.body) else { return };
        for spot in spots {
            let value = text.get(spot.range.clone()).unwrap_or_default();
            if let Some(guess) = spot.guess.as_ref().filter(|guess| guess.confidence > Confidence::Low) {
                persons.entry(guess.holds).or_default().insert(value);
            }
            let same = self.places.iter_mut().find(|place| {
                let (one, other) = (&place.spot, &spot);
                one.place == other.place && one.verdict == other.verdict && holds(one) == holds(other)
            });
            match same {
                Some(place) => place.count += 1,
                None => {
                    let line = 1 + memchr::memchr_iter(b'\n', &exchange.body[..spot.range.start]).count();
                    let example = match &spot.guess {
                        Some(guess) => super::shape::shortened(guess.holds, value),
                        None => "a token".to_owned(),
                    };
                    self.places.push(Place { spot, line, example, count: 1 });
                }
            }
        }
        let telling = [Holds::Email, Holds::Name, Holds::LastName, Holds::Phone];
        let counts = telling.iter().filter_map(|holds| persons.get(holds)).map(BTreeSet::len);
        match counts.max() {
            Some(0) | None => {}
            Some(1) => self.shows_one = true,
            Some(_) => self.shows_many = true,
        }
    }

    fn control(&mut self, control: &Control, method: &str) {
        self.has_files |= control.kind == "file";
        if control.name.is_empty() || control.kind == "password" || !control.is_typed() {
            return;
        }
        let source = format!("{}:{}", if method == "GET" { "query" } else { "form" }, control.name);
        if control.guess.is_none() && !self.fields.contains_key(&source) {
            return;
        }
        let field = self.fields.entry(source).or_default();
        field.name.clone_from(&control.name);
        let known = control
            .guess
            .clone()
            .filter(|guess| field.guess.as_ref().is_none_or(|other| guess.confidence >= other.confidence));
        field.guess = known.or(field.guess.take());
        if control.kind == "select" {
            field.hindrance = Some("it offers a choice, and the app takes nothing else");
        }
        field.control = Some(control.clone());
    }
}

fn holds(spot: &Spot) -> Option<Holds> {
    spot.guess.as_ref().map(|guess| guess.holds)
}

fn decoded(path: &str) -> String {
    crate::rules::segments(path).map(|pieces| pieces.join("/")).unwrap_or_default()
}

/// Attributes in which something personal stands that is masked and that a rule could declare.
pub(crate) fn declarable(groups: &Groups, setup: Option<&Setup>) -> Attributes {
    let mut all = Attributes::new();
    for (key, group) in groups {
        // With rules in force theirs count, and no others.
        let mut names: BTreeSet<String> = BTreeSet::new();
        match setup {
            Some(setup) => names.extend(cover::attributes(setup, &key.1, &group.path)),
            None => {
                let masked = group.places.iter().filter(|place| place.spot.verdict == Verdict::Masked);
                let own = |name: &String| name.contains('-') && !name.starts_with("aria-");
                names.extend(masked.filter_map(|place| place.spot.attribute.clone()).filter(own));
            }
        }
        if !names.is_empty() {
            all.insert(key.clone(), names.into_iter().collect());
        }
    }
    all
}

/// Whether the pattern names a thing, and by which name first.
pub(crate) fn first_param(pattern: &str) -> Option<String> {
    pattern::params(pattern).into_iter().next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_lead_where_a_browser_would_go() {
        let host = Some("app.example:8443");
        for (target, want) in [
            ("/a?b#c", Some("/a")),
            ("", Some("/w/7/edit")),
            ("?x=1", Some("/w/7/edit")),
            ("save", Some("/w/7/save")),
            ("../8", Some("/w/8")),
            ("../../../x", Some("/x")),
            ("https://app.example:8443/y?z", Some("/y")),
            ("https://APP.example:8443", Some("/")),
            ("https://other.example/y", None),
            ("//other.example/y", None),
            ("javascript:alert(1)", None),
            ("mailto:a@b.example", None),
        ] {
            assert_eq!(resolve("/w/7/edit", target, host).as_deref(), want, "{target}");
        }
    }
}
