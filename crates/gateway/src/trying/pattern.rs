//! Patterns of routes from the paths that were asked for: `/workers/7/edit` and `/workers/12/edit` are one route.

use crate::rules::segments;
use std::collections::{BTreeMap, BTreeSet};

/// Longest name of a route that is proposed.
const NAME: usize = 48;
/// From so many different words in one place on, it is the name of a thing and no part of the address.
const DIFFERENT: usize = 3;

/// A path in pieces, those that name a thing as none.
type Shape = Vec<Option<String>>;

/// The patterns of many paths.
#[derive(Debug, Default)]
pub(crate) struct Patterns {
    shapes: BTreeSet<Shape>,
}

/// Whether a piece is the number of something: digits, a UUID, a long mix of letters and digits, an address.
fn is_reference(piece: &str) -> bool {
    if piece.is_empty() {
        return false;
    }
    let digits = piece.bytes().filter(u8::is_ascii_digit).count();
    let all_digits = digits == piece.len();
    let plain =
        piece.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~'));
    let hex = piece.len() >= 16 && piece.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
    let mixed = plain && piece.len() >= 12 && digits >= 3 && !piece.contains('.');
    let dashed = piece.split(['-', '_']).next_back().is_some_and(|end| {
        !end.is_empty() && end.len() < piece.len() && end.bytes().all(|byte| byte.is_ascii_digit())
    });
    let numbered = piece.len() >= 2
        && piece.as_bytes()[0].is_ascii_uppercase()
        && piece[1..].bytes().all(|byte| byte.is_ascii_digit());
    all_digits
        || hex
        || mixed
        || numbered
        || (dashed && digits >= 2)
        || piece.contains('@')
        || !piece.is_ascii()
}

/// Whether a piece can stand in a pattern as it is.
fn is_writable(piece: &str) -> bool {
    !piece.contains(['{', '}', '?', '#'])
}

fn shape(path: &str) -> Option<Shape> {
    let pieces = segments(path)?;
    let one = |piece: String| Some(piece).filter(|piece| !is_reference(piece) && is_writable(piece));
    Some(pieces.into_iter().map(one).collect())
}

fn write(shape: &Shape) -> String {
    let mut names = 0;
    let mut out = String::new();
    for piece in shape {
        out.push('/');
        match piece {
            Some(piece) => out.push_str(piece),
            None => {
                names += 1;
                out.push_str(&if names == 1 { "{id}".to_owned() } else { format!("{{id{names}}}") });
            }
        }
    }
    out
}

impl Patterns {
    /// From all paths that were asked for.
    pub(crate) fn of<'a>(paths: impl IntoIterator<Item = &'a str>) -> Self {
        let mut shapes: BTreeSet<Shape> = paths.into_iter().filter_map(shape).collect();
        // Where the same addresses differ in one word alone, and often, that word is the name of a thing.
        let mut varying: BTreeMap<(Shape, usize), BTreeSet<String>> = BTreeMap::new();
        for shape in &shapes {
            for (at, piece) in shape.iter().enumerate().skip(1) {
                let Some(word) = piece.as_ref().filter(|word| !word.is_empty()) else { continue };
                let mut rest = shape.clone();
                rest[at] = None;
                varying.entry((rest, at)).or_default().insert(word.clone());
            }
        }
        for ((rest, at), words) in varying {
            let thing = |word: &&String| {
                word.contains(['-', '_', '.', '+', ' ']) || word.chars().any(char::is_uppercase)
            };
            if words.len() >= DIFFERENT && words.iter().filter(thing).count() * 2 > words.len() {
                shapes.retain(|shape| {
                    let same = shape.len() == rest.len()
                        && shape
                            .iter()
                            .zip(&rest)
                            .enumerate()
                            .all(|(n, (one, other))| n == at || one == other);
                    !same
                });
                shapes.insert(rest);
            }
        }
        Self { shapes }
    }

    /// The pattern of a path; none where the gateway would refuse it as ambiguous.
    pub(crate) fn pattern(&self, path: &str) -> Option<String> {
        let own = shape(path)?;
        if self.shapes.contains(&own) {
            return Some(write(&own));
        }
        let fits = |shape: &&Shape| {
            let takes = |(one, other): (&Option<String>, &Option<String>)| {
                one == other || (one.is_none() && other.as_deref() != Some(""))
            };
            shape.len() == own.len() && shape.iter().zip(&own).all(takes)
        };
        Some(write(self.shapes.iter().find(fits).unwrap_or(&own)))
    }
}

/// The names of a pattern's places.
pub(crate) fn params(pattern: &str) -> Vec<String> {
    let named = |part: &str| part.strip_prefix('{')?.strip_suffix('}').map(str::to_owned);
    pattern.split('/').filter_map(named).collect()
}

/// A name for a route that no other has yet.
pub(crate) fn name(method: &str, pattern: &str, taken: &mut BTreeSet<String>) -> String {
    let mut words: Vec<String> = Vec::new();
    for part in pattern.split('/').filter(|part| !part.is_empty()) {
        let word: String = part.to_ascii_lowercase().chars().filter(char::is_ascii_alphanumeric).collect();
        words.extend(Some(word).filter(|word| !word.is_empty()));
    }
    let mut name = words.join("-");
    name.truncate(NAME);
    if !name.starts_with(|first: char| first.is_ascii_lowercase()) {
        name = if name.is_empty() { "start".to_owned() } else { format!("r-{name}") };
    }
    match method {
        "GET" => {}
        "POST" => name.push_str("-post"),
        other => name = format!("{name}-{}", other.to_ascii_lowercase().chars().take(8).collect::<String>()),
    }
    let mut unique = name.clone();
    let mut number = 2;
    while !taken.insert(unique.clone()) {
        unique = format!("{name}-{number}");
        number += 1;
    }
    unique
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::Pattern;
    use proptest::prelude::*;

    #[test]
    fn paths_become_patterns() {
        let paths = [
            "/workers/7/edit",
            "/workers/12/edit",
            "/workers/new",
            "/u/jana-muster",
            "/u/otto-x",
            "/u/Lena",
            "/settings/profile",
            "/settings/mail",
            "/settings/keys",
            "/a/3f2504e0-4f89-11d3-9a0c-0305e82c3301/b/9",
            "/p/jana@werk.example",
            "/static/app.3.css",
        ];
        let patterns = Patterns::of(paths);
        for (path, want) in [
            ("/workers/9/edit", "/workers/{id}/edit"),
            ("/workers/new", "/workers/new"),
            ("/u/jana-muster", "/u/{id}"),
            ("/u/somebody-else", "/u/{id}"),
            ("/settings/keys", "/settings/keys"),
            ("/a/3f2504e0-4f89-11d3-9a0c-0305e82c3301/b/9", "/a/{id}/b/{id2}"),
            ("/p/jana@werk.example", "/p/{id}"),
            ("/", "/"),
            ("/w%C3%BCrde/", "/{id}/"),
        ] {
            assert_eq!(patterns.pattern(path).as_deref(), Some(want), "{path}");
        }
        assert_eq!(patterns.pattern("/a/../b"), None);
        assert_eq!(params("/a/{id}/b/{id2}"), ["id", "id2"]);
    }

    #[test]
    fn names_are_names_and_none_comes_twice() {
        let mut taken = BTreeSet::new();
        let all: Vec<String> = [
            ("GET", "/"),
            ("GET", "/workers/{id}"),
            ("POST", "/workers/{id}"),
            ("GET", "/Workers/{id}/"),
            ("GET", "/7-x/ö"),
        ]
        .map(|(method, pattern)| name(method, pattern, &mut taken))
        .to_vec();
        assert_eq!(all, ["start", "workers-id", "workers-id-post", "workers-id-2", "r-7x"]);
        assert!(all.iter().all(|name| model::catalogue::is_name(name)));
    }

    proptest! {
        #[test]
        fn each_pattern_is_one_and_takes_its_path(paths in proptest::collection::vec("(/[a-zA-Z0-9.@{}%_~ -]{0,12}){1,4}", 1..8), method in "[A-Z]{1,12}") {
            let patterns = Patterns::of(paths.iter().map(String::as_str));
            let mut taken = BTreeSet::new();
            for path in &paths {
                let Some(pattern) = patterns.pattern(path) else { continue };
                let parsed = Pattern::parse(&pattern).expect("a pattern");
                let pieces = segments(path).expect("a path");
                // An empty piece is no name of a thing.
                prop_assert!(parsed.fits(&pieces).is_some(), "{} {}", path, pattern);
                prop_assert!(model::catalogue::is_name(&name(&method, &pattern, &mut taken)));
            }
        }
    }
}
