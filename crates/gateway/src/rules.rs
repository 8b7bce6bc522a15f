//! Routes and rules, made from the configuration and checked against each other and against the catalogue.

mod reading;

use crate::config::{Pass, RelayTable, RouteTable, ShieldMode};
use crate::find::Formats;
use crate::json::Pointers;
use crate::messages::FieldInfo;
use crate::names::caseless;
use http::{HeaderName, Method, StatusCode};
use reading::{in_rule, out_rule, place_of, route};
use shield::Texts;
use std::collections::HashMap;
use std::sync::Arc;

/// What does not fit in the configuration. Says where, never a value of a person.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {what}")]
pub struct RuleError {
    /// Which route or rule.
    pub place: String,
    /// What is wrong, and what would be right.
    pub what: String,
}

fn wrong(place: &str, what: impl Into<String>) -> RuleError {
    RuleError { place: place.to_owned(), what: what.into() }
}

/// One piece of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Segment {
    Fixed(String),
    One(String),
    Rest,
}

/// A path as a route or a `bind` writes it: `/workers/{id}/edit`, `/files/{rest...}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pattern(Vec<Segment>);

/// What the named segments of a path were.
pub(crate) type Params = HashMap<String, String>;

impl Pattern {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut segments = Vec::new();
        for part in text.strip_prefix('/')?.split('/') {
            let named = part.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
            segments.push(match named {
                Some(name) if name.ends_with("...") => Segment::Rest,
                Some(name) if !name.is_empty() => Segment::One(name.to_owned()),
                Some(_) => return None,
                None if part.contains(['{', '}', '?', '#']) => return None,
                None => Segment::Fixed(part.to_owned()),
            });
        }
        let rests = segments.iter().filter(|one| **one == Segment::Rest).count();
        let fits = rests == 0 || (rests == 1 && segments.last() == Some(&Segment::Rest));
        fits.then_some(Self(segments))
    }

    /// Whether a path fits; its segments are decoded already.
    pub(crate) fn fits(&self, path: &[String]) -> Option<Params> {
        let mut params = Params::new();
        let mut given = path.iter();
        for segment in &self.0 {
            match segment {
                Segment::Rest => return Some(params),
                Segment::Fixed(fixed) => {
                    given.next().filter(|one| *one == fixed)?;
                }
                Segment::One(name) => {
                    let one = given.next().filter(|one| !one.is_empty())?;
                    params.insert(name.clone(), one.clone());
                }
            }
        }
        given.next().is_none().then_some(params)
    }

    /// The same with its fixed segments folded.
    fn folded(&self, fold: &impl Fn(&str) -> String) -> Self {
        let mut segments = self.0.clone();
        if segments.len() > 1 && segments.last() == Some(&Segment::Fixed(String::new())) {
            segments.pop();
        }
        for segment in &mut segments {
            if let Segment::Fixed(text) = segment {
                *text = fold(text);
            }
        }
        Self(segments)
    }

    /// The more fixed segments stand first, the more it means one thing.
    fn rank(&self) -> Vec<u8> {
        let rank = |segment: &Segment| match segment {
            Segment::Fixed(_) => 0,
            Segment::One(_) => 1,
            Segment::Rest => 2,
        };
        self.0.iter().map(rank).collect()
    }
}

/// A path in decoded segments; `None` when two programs could read it in two ways.
#[must_use]
pub(crate) fn segments(path: &str) -> Option<Vec<String>> {
    let mut all = Vec::new();
    let rest = path.strip_prefix('/')?;
    let count = rest.split('/').count();
    for (number, part) in rest.split('/').enumerate() {
        let text = decode(part)?;
        let last = number + 1 == count;
        let odd = text.contains(['/', '\\', '\0', ';', '%']) || text.chars().any(char::is_control);
        if odd || text == "." || text == ".." || (text.is_empty() && !last) {
            return None;
        }
        all.push(text);
    }
    Some(all)
}

/// A segment as apps take it that see neither case nor a dot or blank at the end.
fn folded_one(segment: &str) -> String {
    caseless(segment.trim_end_matches([' ', '.'])).into_owned()
}

/// The same of a path, without a slash at the end.
fn folded(path: &[String]) -> Vec<String> {
    let end = path.len() - usize::from(path.len() > 1 && path.last().is_some_and(String::is_empty));
    path[..end].iter().map(|one| folded_one(one)).collect()
}

/// A path without the name of a format at its end.
fn without_format(path: &[String]) -> Option<Vec<String>> {
    let (last, before) = path.split_last()?;
    let (stem, format) = last.rsplit_once('.').filter(|(stem, _)| !stem.is_empty())?;
    let is_format = format.bytes().all(|byte| byte.is_ascii_alphanumeric());
    is_format.then(|| [before, &[stem.to_owned()]].concat())
}

fn decode(part: &str) -> Option<String> {
    if !part.contains('%') {
        return Some(part.to_owned());
    }
    let mut out = Vec::with_capacity(part.len());
    let mut bytes = part.bytes();
    while let Some(byte) = bytes.next() {
        if byte == b'%' {
            let high = (bytes.next()? as char).to_digit(16)?;
            let low = (bytes.next()? as char).to_digit(16)?;
            out.push(u8::try_from(high * 16 + low).ok()?);
        } else {
            out.push(byte);
        }
    }
    String::from_utf8(out).ok()
}

/// Where a value stands in a request.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Source {
    /// A field of a form, also of one with files.
    Form(String),
    /// A member of a JSON body, as a pointer (RFC 6901).
    Json(String),
    /// A parameter of the query.
    Query(String),
}

impl Source {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (kind, name) = text.split_once(':').filter(|(_, name)| !name.is_empty())?;
        match kind {
            "form" => Some(Self::Form(name.to_owned())),
            "json" => name.starts_with('/').then(|| Self::Json(name.to_owned())),
            "query" => Some(Self::Query(name.to_owned())),
            _ => None,
        }
    }
}

impl crate::config::Tables {
    /// What the shield is told of the fields of a route: which of them hold text.
    #[must_use]
    pub fn texts(&self, route: &str) -> Option<Arc<Texts>> {
        let of_route = self.route.iter().filter(|table| table.name == route).flat_map(|table| &table.texts);
        let rules = self.relay.iter().filter(|table| table.routes.iter().any(|name| name == route));
        let stored = rules.filter_map(|table| table.inward.as_ref()).flat_map(|rule| rule.fields.keys());
        let sources: Vec<Source> = of_route.chain(stored).filter_map(|text| Source::parse(text)).collect();
        texts(sources.iter())
    }
}

fn texts<'a>(sources: impl Iterator<Item = &'a Source>) -> Option<Arc<Texts>> {
    let mut texts = Texts::default();
    for source in sources {
        match source {
            Source::Form(name) => texts.form(name),
            Source::Json(pointer) => texts.json(pointer),
            Source::Query(name) => texts.query(name),
        }
    }
    Some(texts).filter(|texts| !texts.is_empty()).map(Arc::new)
}

/// Whose data come in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Subject {
    Path(String),
    Field(Source),
    Principal,
    New(Bind),
}

/// Where the app's answer tells the reference of somebody new.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Bind {
    Location(Pattern),
    Json(String),
    Header(HeaderName),
}

/// A rule on the way in.
#[derive(Clone, Debug)]
pub(crate) struct InRule {
    pub(crate) methods: Vec<Method>,
    pub(crate) subject: Option<Subject>,
    pub(crate) fields: HashMap<Source, String>,
    pub(crate) lookup: HashMap<Source, String>,
    /// All members of a JSON body that it speaks of.
    pub(crate) json: Pointers,
    /// Whether a reference that is not known yet makes a person.
    pub(crate) create: bool,
    /// Whether nobody in particular may change a known person's data.
    pub(crate) anonymous: bool,
    accept: Vec<Accept>,
    /// What the shield takes for text here: what it takes in, and what the route says.
    texts: Option<Arc<Texts>>,
}

impl InRule {
    /// Whether it takes the user's own data.
    pub(crate) fn is_of_principal(&self) -> bool {
        self.subject == Some(Subject::Principal)
    }

    /// All places of a request that it looks at.
    pub(crate) fn sources(&self) -> impl Iterator<Item = &Source> {
        let subject = match &self.subject {
            Some(Subject::Field(source)) => Some(source),
            _ => None,
        };
        self.fields.keys().chain(self.lookup.keys()).chain(subject)
    }

    /// Whether it takes this field.
    pub(crate) fn takes(&self, field: &str) -> bool {
        self.fields.values().any(|one| one == field)
    }

    /// Whether an answer of this status, which leads to this path of the app, says that the app took the values. A name
    /// that the request's own path has must be the same there.
    pub(crate) fn accepts(&self, status: StatusCode, leads_to: Option<&[String]>, params: &Params) -> bool {
        let leads = |pattern: &Pattern| {
            let found = leads_to.and_then(|path| pattern.fits(path));
            found.is_some_and(|found| {
                found.iter().all(|(name, value)| params.get(name).is_none_or(|own| own == value))
            })
        };
        let fits = |accept: &Accept| {
            accept.statuses.contains(&status.as_u16()) && accept.leads_to.as_ref().is_none_or(leads)
        };
        self.accept.iter().any(fits)
    }
}

/// One way in which the app says that it took the values.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Accept {
    statuses: std::ops::RangeInclusive<u16>,
    /// Where it then leads to.
    leads_to: Option<Pattern>,
}

impl Accept {
    /// Reads `2xx`, `201` or `303 /workers/{id}`. `binds` says that the rule finds the person's reference in the
    /// `Location`, which then is enough of a sign.
    fn parse(text: &str, binds: bool, place: &str) -> Result<Self, RuleError> {
        let (status, path) = match text.split_once(' ') {
            Some((status, path)) => (status, Some(path)),
            None => (text, None),
        };
        let class = status.strip_suffix("xx").and_then(|digit| digit.parse::<u16>().ok());
        let statuses = match class {
            Some(class) => Some(class.saturating_mul(100)..=class.saturating_mul(100).saturating_add(99)),
            None => status.parse::<u16>().ok().map(|status| status..=status),
        };
        let statuses = statuses.filter(|range| (200..400).contains(range.start())).ok_or_else(|| {
            wrong(
                place,
                format!("`{text}` in `accept` is no sign of success, like 201, 2xx or 303 /workers/{{id}}"),
            )
        })?;
        let leads_to = path.map(|path| {
            Pattern::parse(path)
                .ok_or_else(|| wrong(place, format!("`{path}` in `accept` is not like /workers/{{id}}")))
        });
        let leads_to = leads_to.transpose()?;
        if *statuses.start() >= 300 && leads_to.is_none() && !binds {
            return Err(wrong(
                place,
                format!(
                    "`{text}` in `accept` takes every redirect, also that to the sign-in page; say where it leads: \
                     `{text} /workers/{{id}}`"
                ),
            ));
        }
        Ok(Self { statuses, leads_to })
    }
}

/// Whose values a rule on the way out shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Whom {
    Anybody,
    Path(String),
    Principal,
}

/// A rule on the way out.
#[derive(Clone, Debug)]
pub(crate) struct OutRule {
    pub(crate) purpose: String,
    pub(crate) recipient: Option<String>,
    pub(crate) fields: Vec<String>,
    pub(crate) whom: Whom,
    pub(crate) attributes: Vec<String>,
    pub(crate) headers: Vec<HeaderName>,
    pub(crate) form: Option<String>,
    pub(crate) formats: Formats,
}

/// A route with its rules.
#[derive(Clone, Debug)]
pub(crate) struct Route {
    pub(crate) name: Arc<str>,
    pattern: Pattern,
    methods: Vec<Method>,
    pass: Vec<Pass>,
    pub(crate) cors: Vec<String>,
    pub(crate) inward: Option<InRule>,
    pub(crate) out: Vec<OutRule>,
    /// Which way to know the user, by its number; 0 is the gateway's.
    pub(crate) principal: usize,
    /// What the shield does here, where it is not as everywhere.
    pub(crate) shield: Option<ShieldMode>,
    /// Where people write text, as the table says it.
    texts: Vec<Source>,
    told: Option<Arc<Texts>>,
}

impl Route {
    pub(crate) fn passes(&self, pass: Pass) -> bool {
        self.pass.contains(&pass)
    }

    /// The rule on the way in, where the method has it.
    pub(crate) fn inward(&self, method: &Method) -> Option<&InRule> {
        self.inward.as_ref().filter(|rule| rule.methods.contains(method))
    }

    /// The fields that hold text, as the shield is told.
    pub(crate) fn texts(&self, method: &Method) -> Option<Arc<Texts>> {
        self.inward(method).map_or(&self.told, |rule| &rule.texts).clone()
    }

    /// All fields that its tables name.
    pub(crate) fn fields(&self) -> impl Iterator<Item = &Source> {
        self.texts.iter().chain(self.inward.iter().flat_map(InRule::sources))
    }

    /// Makes ready what the shield is told.
    fn tell_texts(&mut self) {
        self.told = texts(self.texts.iter());
        if let Some(rule) = &mut self.inward {
            // Not those that only look somebody up: what is not of their kind goes to the app as it was typed.
            rule.texts = texts(rule.fields.keys().chain(&self.texts));
        }
    }

    pub(crate) fn has_rules(&self) -> bool {
        self.inward.is_some() || !self.out.is_empty()
    }

    /// Whether this path stands for one thing where `pattern` has a name: `/workers/new` beside `/workers/{id}`.
    fn is_narrower(&self, pattern: &Pattern) -> bool {
        self.pattern.rank() < pattern.rank()
    }
}

/// All routes, the ones that mean one thing first.
#[derive(Clone, Debug, Default)]
pub(crate) struct Routes(Vec<Route>);

/// One line of an overview.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouteLine {
    /// The route's name.
    pub name: String,
    /// Its methods, none for all.
    pub methods: Vec<String>,
    /// Fields that are taken in.
    pub takes: Vec<String>,
    /// Purposes with the fields that are shown.
    pub shows: Vec<(String, Vec<String>)>,
    /// What it lets through unprotected.
    pub unprotected: Vec<&'static str>,
    /// What the shield does there.
    pub shield: ShieldMode,
}

impl Routes {
    /// Checks and orders everything. `fields` is the catalogue; none leaves the fields unchecked.
    pub(crate) fn build(
        routes: &[RouteTable],
        relays: &[RelayTable],
        fields: Option<&[FieldInfo]>,
    ) -> Result<Self, RuleError> {
        let mut all = Vec::with_capacity(routes.len());
        for (number, table) in routes.iter().enumerate() {
            let route = route(table, number + 1)?;
            if all.iter().any(|other: &Route| other.name == route.name) {
                return Err(wrong(&place_of(table), "another route has this name"));
            }
            all.push(route);
        }
        for table in relays {
            if table.routes.is_empty() {
                return Err(wrong("[[relay]]", "names no route in `routes`"));
            }
            for name in &table.routes {
                let place = format!("[[relay]] of route `{name}`");
                let route = all.iter_mut().find(|route| *route.name == **name);
                let route = route.ok_or_else(|| wrong(&place, "there is no [[route]] of this name"))?;
                if let Some(table) = &table.inward {
                    let rule = in_rule(table, &place, &route.pattern, fields)?;
                    if route.inward.replace(rule).is_some() {
                        return Err(wrong(&place, "has two rules `in`; put them into one"));
                    }
                }
                if let Some(table) = &table.out {
                    route.out.push(out_rule(table, &place, &route.pattern, fields)?);
                }
            }
        }
        all.iter_mut().for_each(Route::tell_texts);
        let forms: Vec<&String> =
            all.iter().flat_map(|route| &route.out).filter_map(|rule| rule.form.as_ref()).collect();
        if let Some(form) = forms.iter().find(|form| !all.iter().any(|route| *route.name == ***form)) {
            return Err(wrong("[[relay]]", format!("`form` names the route `{form}`, which does not exist")));
        }
        all.sort_by_key(|route| (route.pattern.rank(), route.methods.is_empty()));
        Ok(Self(all))
    }

    /// The route of a request.
    pub(crate) fn of(&self, method: &Method, path: &[String]) -> Option<(&Route, Params)> {
        let wanted = |route: &&Route| {
            let head_of_get = *method == Method::HEAD && route.methods.contains(&Method::GET);
            route.methods.is_empty() || route.methods.contains(method) || head_of_get
        };
        self.0.iter().filter(wanted).find_map(|route| Some((route, route.pattern.fits(path)?)))
    }

    /// All routes.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Route> {
        self.0.iter()
    }

    /// Whether a route takes values in whose path differs from this one only in ways that many apps do not see: upper
    /// case, a slash, dot or blank at the end, the name of a format (`/workers.json`). Its rule would be passed by. A path
    /// that a route of its own declares is meant.
    pub(crate) fn is_nearly_ruled(&self, method: &Method, path: &[String]) -> bool {
        let folded = folded(path);
        let bare = without_format(&folded);
        let own = self.of(method, path).map(|(route, _)| route);
        let near = |route: &&Route| {
            let pattern = route.pattern.folded(&folded_one);
            let fits = |path: &[String]| pattern.fits(path).is_some();
            route.inward(method).is_some()
                && !own.is_some_and(|own| own.is_narrower(&route.pattern))
                && (fits(&folded) || bare.as_deref().is_some_and(fits))
        };
        self.0.iter().any(|route| near(&route))
    }

    /// The reference that an answer's `Location` tells by this pattern, where no page of the app is meant.
    pub(crate) fn reference(&self, pattern: &Pattern, path: &[String]) -> Option<String> {
        let params = pattern.fits(path)?;
        let page = self.of(&Method::GET, path).is_some_and(|(route, _)| route.is_narrower(pattern));
        params.into_values().next().filter(|_| !page)
    }

    /// Whether some rule takes values in with a method that has no body.
    pub(crate) fn reads_queries(&self) -> bool {
        self.0
            .iter()
            .any(|route| route.inward(&Method::GET).is_some() || route.inward(&Method::HEAD).is_some())
    }

    /// For overviews.
    pub(crate) fn lines(&self) -> Vec<RouteLine> {
        let line = |route: &Route| {
            let inward =
                route.inward.iter().flat_map(|rule| rule.fields.values().chain(rule.lookup.values()));
            let mut takes: Vec<String> = inward.cloned().collect();
            takes.sort_unstable();
            let word = |pass: &Pass| match pass {
                Pass::Websocket => "websocket",
                Pass::Events => "events",
                Pass::Upload => "upload",
                Pass::Range => "range",
            };
            RouteLine {
                name: route.name.to_string(),
                methods: route.methods.iter().map(ToString::to_string).collect(),
                takes,
                shows: route.out.iter().map(|rule| (rule.purpose.clone(), rule.fields.clone())).collect(),
                unprotected: route.pass.iter().map(word).collect(),
                shield: route.shield.unwrap_or(ShieldMode::Block),
            }
        };
        self.0.iter().map(line).collect()
    }
}

#[cfg(test)]
mod tests;
