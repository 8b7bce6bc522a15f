//! Which rule of a configuration speaks of a field or place.

use super::guess::{self, Holds};
use crate::Setup;
use crate::config::Pass;
use crate::rules::{Route, Source, segments};
use http::Method;

fn route<'a>(setup: &'a Setup, method: &str, path: &str) -> Option<&'a Route> {
    let method: Method = method.parse().ok()?;
    let path = segments(path)?;
    setup.routes.of(&method, &path).map(|(route, _)| route)
}

/// Whether a route says anything of its own: has a rule, or lets something through.
pub(crate) fn is_settled(setup: &Setup, method: &str, path: &str) -> bool {
    let passes = [Pass::Websocket, Pass::Events, Pass::Upload, Pass::Range];
    let settled = |route: &Route| route.has_rules() || passes.iter().any(|pass| route.passes(*pass));
    route(setup, method, path).is_some_and(settled)
}

/// The rule that takes a field, in words.
pub(crate) fn taken(setup: &Setup, method: &str, path: &str, source: &str) -> Option<String> {
    let route = route(setup, method, path)?;
    let rule = route.inward(&method.parse().ok()?)?;
    let source = Source::parse(source)?;
    let stored =
        rule.fields.get(&source).map(|field| format!("route `{}` keeps it as `{field}`", route.name));
    let looked_up =
        || rule.lookup.get(&source).map(|field| format!("route `{}` looks `{field}` up", route.name));
    stored.or_else(looked_up)
}

/// The rule that shows what this is, in words. For a token whose field is not known: any rule.
pub(crate) fn shown(setup: &Setup, method: &str, path: &str, holds: Option<Holds>) -> Option<String> {
    let route = route(setup, method, path)?;
    let fits = |field: &&String| holds.is_none_or(|holds| is_of(field, holds));
    route.out.iter().find_map(|rule| {
        let own = |field: &&String| {
            holds.is_some_and(|holds| guess::by_words(field, "").is_some_and(|one| one.holds == holds))
        };
        let field = rule.fields.iter().find(own).or_else(|| rule.fields.iter().find(fits))?;
        let what = if holds.is_some() { format!("`{field}`") } else { "its fields".to_owned() };
        Some(format!("route `{}` shows {what} for `{}`", route.name, rule.purpose))
    })
}

/// The attributes that a route's rules list.
pub(crate) fn attributes(setup: &Setup, method: &str, path: &str) -> Vec<String> {
    let Some(route) = route(setup, method, path) else { return Vec::new() };
    route.out.iter().flat_map(|rule| rule.attributes.iter().cloned()).collect()
}

/// Whether a field of the catalogue, by its name, holds such a thing.
fn is_of(field: &str, holds: Holds) -> bool {
    let meant = guess::by_words(field, "").map(|guess| guess.holds);
    let of_name = [Holds::Name, Holds::FirstName, Holds::LastName];
    field == holds.field()
        || meant == Some(holds)
        || (of_name.contains(&holds) && meant.is_some_and(|meant| of_name.contains(&meant)))
}
