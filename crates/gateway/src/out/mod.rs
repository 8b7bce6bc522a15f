//! The relay on the way out: which tokens stand in an answer, and in which surroundings; what may stand in their place.
//!
//! A page is read once: a tokeniser says where text, attributes and scripts are, and each token found gets the
//! [`Context`] of its place. What stands in a place that is not known to be harmless is masked.

mod csv;
mod html;
mod json;
mod script;

use crate::find::{self, Formats, Found};
use crate::media::{self, Media};
use crate::messages::Shown;
use model::token::StorageToken;
pub(crate) use script::{Script, is_wide};
use std::borrow::Cow;
use std::collections::HashMap;
use zeroize::Zeroizing;

/// What is shown in place of a value that may not be read.
pub(crate) const MASKED: &str = "[masked]";
/// What is shown where nobody is any more.
pub(crate) const ERASED: &str = "[erased]";

/// What an answer is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Html,
    Json,
    Csv,
}

impl Kind {
    /// By its media type; none for what no rule can look into. A charset other than UTF-8 is none, too.
    pub(crate) fn of(content_type: &str) -> Option<Self> {
        let media = Media::parse(content_type)?;
        let charset = media.parameter("charset");
        if charset.is_some_and(|one| !media::is_utf8(one) && !one.eq_ignore_ascii_case("us-ascii")) {
            return None;
        }
        match media.essence.as_str() {
            "text/html" => Some(Self::Html),
            "text/csv" => Some(Self::Csv),
            _ if media.is_json() => Some(Self::Json),
            _ => None,
        }
    }

    /// The type as it is handed on: the charset is said, so that nobody guesses.
    pub(crate) fn content_type(self, given: &str) -> Cow<'_, str> {
        let essence = given.split(';').next().unwrap_or_default().trim();
        match self {
            Self::Html => Cow::Borrowed("text/html; charset=utf-8"),
            Self::Csv => Cow::Borrowed("text/csv; charset=utf-8"),
            Self::Json => Cow::Owned(essence.to_ascii_lowercase()),
        }
    }
}

/// The surroundings of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Context {
    /// Text of a page, or of an attribute that shows as text.
    Markup,
    /// The value of a form's control.
    Control,
    /// A part of an address that stands for itself.
    Address,
    /// A string of JSON.
    Json,
    /// A cell; whether the token is all that stands in it.
    Cell,
    /// A place where nothing may stand.
    Never,
    /// A number or date outside any string: left as it is.
    Bare,
}

/// A token in its place.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spot {
    found: Found,
    context: Context,
    /// Whether it is all that stands there.
    alone: bool,
}

/// An answer with its tokens.
pub(crate) struct Page {
    kind: Kind,
    body: Vec<u8>,
    found: Vec<Spot>,
    /// Where a line break that comes first goes lost.
    openings: Vec<usize>,
}

/// How an answer went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) shown: u64,
    pub(crate) masked: u64,
    pub(crate) erased: u64,
}

/// What is known of each token.
pub(crate) struct Known<'a> {
    /// As the vault answered.
    pub(crate) shown: &'a HashMap<StorageToken, Shown>,
    /// What the user has just typed.
    pub(crate) typed: &'a HashMap<StorageToken, Zeroizing<String>>,
    /// The formats of the fields that the route's rules show.
    pub(crate) formats: Formats,
}

impl Known<'_> {
    /// Whether a date or number is to be taken for somebody's word. What the vault was not asked about, because nobody
    /// is signed in or the house is sealed, may be a token where it stands alone and a rule has its format.
    fn is_word(&self, spot: &Spot) -> bool {
        let Some(token) = spot.found.token else { return true };
        match self.shown.get(&token) {
            _ if self.typed.contains_key(&token) => false,
            Some(answer) => *answer == Shown::Erased,
            None => !(spot.alone && self.formats.has(&token)),
        }
    }
}

impl Page {
    /// Looks for tokens. What is not UTF-8, or cannot be read without doubt, has only places where nothing may stand.
    pub(crate) fn read(kind: Kind, body: Vec<u8>, formats: &Formats, attributes: &[String]) -> Self {
        let found = find::tokens(&body, formats);
        if found.is_empty() {
            return Self { kind, body, found: Vec::new(), openings: Vec::new() };
        }
        let mut openings = Vec::new();
        let contexts = match std::str::from_utf8(&body) {
            Err(_) => vec![Context::Never; found.len()],
            Ok(_) => match kind {
                Kind::Html => {
                    let places = html::places(&body, &found, attributes);
                    openings = places.openings;
                    places.contexts
                }
                Kind::Json => json::contexts(&body, &found),
                Kind::Csv => vec![Context::Cell; found.len()],
            },
        };
        let spot = |(found, context): (Found, Context)| {
            // A date or number may be anybody's word. Where an app keeps a token, it stands alone.
            let alone = !found.loose || stands_alone(kind, &body, &found);
            let is_word = !alone && context != Context::Never;
            Spot { found, context: if is_word { Context::Bare } else { context }, alone }
        };
        let found = found.into_iter().zip(contexts).map(spot).collect();
        Self { kind, body, found, openings }
    }

    /// The tokens to be asked about, each once, in order.
    pub(crate) fn wanted(&self) -> Vec<StorageToken> {
        let mut seen = std::collections::HashSet::new();
        let is_asked = |spot: &&Spot| match spot.context {
            Context::Never => spot.found.loose,
            Context::Bare => false,
            _ => true,
        };
        let asked = self.found.iter().filter(is_asked);
        asked.filter_map(|spot| spot.found.token).filter(|token| seen.insert(*token)).collect()
    }

    /// Whether there is anything to do.
    pub(crate) fn is_plain(&self) -> bool {
        self.found.is_empty()
    }

    /// The body as it was.
    pub(crate) fn into_body(self) -> Vec<u8> {
        self.body
    }

    /// Puts values, masks and view tokens in the places of the tokens.
    pub(crate) fn write(self, known: &Known<'_>) -> (Vec<u8>, Tally) {
        if self.kind == Kind::Csv {
            return csv::write(&self.body, &self.found, known);
        }
        let mut out = Vec::with_capacity(self.body.len() + 64 * self.found.len());
        let mut tally = Tally::default();
        let mut at = 0;
        for spot in &self.found {
            let Spot { found, context, .. } = spot;
            out.extend_from_slice(&self.body[at..found.start]);
            at = found.end;
            match replacement(spot, known, &mut tally) {
                // A name stays a name: with a bracket it would be text, and what follows it no longer the same tag.
                Some(_) if *context == Context::Never && is_name(&out) => out.extend_from_slice(b"masked"),
                Some(text) => {
                    if text.starts_with('\n') && self.openings.binary_search(&found.start).is_ok() {
                        out.push(b'\n');
                    }
                    out.extend_from_slice(fitted(*context, &text).as_bytes());
                }
                None => out.extend_from_slice(&self.body[found.start..found.end]),
            }
        }
        out.extend_from_slice(&self.body[at..]);
        (out, tally)
    }
}

/// Whether nothing but blanks stands beside a token in its text, attribute, string or cell.
fn stands_alone(kind: Kind, body: &[u8], found: &Found) -> bool {
    let before = body[..found.start].trim_ascii_end().last().copied();
    let after = body[found.end..].trim_ascii_start().first().copied();
    match kind {
        Kind::Html => {
            before.is_none_or(|byte| b">\"'".contains(&byte))
                && after.is_none_or(|byte| b"<\"'".contains(&byte))
        }
        Kind::Json => before == Some(b'"') && after == Some(b'"'),
        Kind::Csv => {
            let line_before = body[..found.start].last().is_none_or(|byte| b"\n,;\t\"".contains(byte));
            let line_after = body.get(found.end).is_none_or(|byte| b"\r\n,;\t\"".contains(byte));
            line_before && line_after
        }
    }
}

/// Whether the name of a tag begins here.
fn is_name(before: &[u8]) -> bool {
    before.ends_with(b"<") || before.ends_with(b"</")
}

/// The text in a token's place, not yet fitted to its surroundings; none where it is no token at all.
fn replacement(spot: &Spot, known: &Known<'_>, tally: &mut Tally) -> Option<Zeroizing<String>> {
    let Spot { found, context, .. } = *spot;
    let constant = |text: &str| Some(Zeroizing::new(text.to_owned()));
    let answer = found.token.and_then(|token| known.shown.get(&token));
    let typed = found.token.and_then(|token| known.typed.get(&token));
    if context == Context::Bare || (found.loose && known.is_word(spot)) {
        return None;
    }
    if context == Context::Never {
        tally.masked += 1;
        return constant(MASKED);
    }
    if let Some(typed) = typed {
        tally.shown += 1;
        return Some(typed.clone());
    }
    match answer {
        Some(Shown::Clear(value)) => {
            tally.shown += 1;
            Some(value.clone())
        }
        Some(Shown::Partial(text, view)) => {
            tally.shown += 1;
            match view.as_deref().filter(|_| comes_back(context)) {
                Some(view) => constant(view),
                None => Some(text.clone()),
            }
        }
        Some(Shown::Erased) => {
            tally.erased += 1;
            constant(ERASED)
        }
        Some(Shown::Masked(view)) => {
            tally.masked += 1;
            let view = view.as_deref().filter(|_| comes_back(context));
            constant(view.unwrap_or(MASKED))
        }
        None => {
            tally.masked += 1;
            constant(MASKED)
        }
    }
}

/// Whether what stands there is what a form or a page's own program sends back.
fn comes_back(context: Context) -> bool {
    matches!(context, Context::Control | Context::Json)
}

/// A text as its surroundings want it.
fn fitted(context: Context, text: &str) -> Zeroizing<String> {
    match context {
        Context::Markup | Context::Control | Context::Never => html::escaped(text),
        Context::Address => html::percent(text),
        Context::Json => Zeroizing::new(crate::json::escaped(text)),
        Context::Cell | Context::Bare => Zeroizing::new(text.to_owned()),
    }
}

/// A value as it may stand in a header: printable ASCII without quotes and separators, everything else as `_`.
pub(crate) fn for_header(text: &str) -> String {
    let fits =
        |char: &char| char.is_ascii_graphic() && !matches!(char, '"' | '\\' | ',' | ';') || *char == ' ';
    text.chars().map(|char| if fits(&char) { char } else { '_' }).collect()
}

#[cfg(test)]
mod tests;
