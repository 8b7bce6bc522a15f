//! What an answer shows: where values that look personal stand, and what the gateway could do with a token there. It is
//! not asked of a second set of rules: a token is put into the place, and the gateway's own relay says what becomes of
//! it.

use super::guess::{self, Confidence, Guess, Holds};
use super::page::{self, Kind as Region, Reading};
use super::sent::better;
use super::{Exchange, shape};
use crate::find::{self, Formats};
use crate::json;
use crate::messages::Shown;
use crate::out::{Kind, Known, Page};
use aho_corasick::{AhoCorasick, MatchKind};
use model::catalogue::TokenFormat;
use model::token::StorageToken;
use serde::Serialize;
use std::collections::HashMap;
use std::ops::Range;
use zeroize::Zeroizing;

/// Largest answer that is looked into; a gateway looks into no larger one either, unless it is told.
const LARGEST: usize = 4 << 20;
/// Most places of one answer.
const PLACES: usize = 2_000;
/// Most values that are looked for everywhere.
const VALUES: usize = 500;

/// What the gateway does with a token in a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It is replaced by the value, for who may see it.
    Shown,
    /// The same, in a control of a form: what is masked stands there as a view token.
    Control,
    /// It is masked for everybody: nothing may stand there.
    Masked,
    /// No rule can look into an answer of this type: tokens are masked, and what is no token passes.
    Unread,
}

impl Verdict {
    /// In words.
    #[must_use]
    pub fn says(self) -> &'static str {
        match self {
            Self::Shown => "can be shown",
            Self::Control => "can be shown, or a view token",
            Self::Masked => "would be masked for everybody",
            Self::Unread => "no rule looks into this type",
        }
    }
}

/// A place where something stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Spot {
    pub(crate) range: Range<usize>,
    /// None for a storage token: only the vault knows what is behind it.
    pub(crate) guess: Option<Guess>,
    pub(crate) place: String,
    /// The attribute that it stands in, where a rule could declare it.
    pub(crate) attribute: Option<String>,
    pub(crate) verdict: Verdict,
}

/// Values that are known to be personal from elsewhere: typed into a form, or under a heading.
#[derive(Debug, Default)]
pub(crate) struct Values {
    list: Vec<(String, Guess)>,
    finder: Option<AhoCorasick>,
}

impl Values {
    pub(crate) fn add(&mut self, value: &str, guess: &Guess) {
        let value = value.trim();
        let told =
            matches!(guess.holds, Holds::Note | Holds::Gender | Holds::City | Holds::PostalCode | Holds::Pay);
        let fits = (4..=200).contains(&value.chars().count()) && value.chars().any(char::is_alphanumeric);
        let new = self.list.iter().all(|(one, _)| one != value);
        if fits && !told && new && guess.confidence > Confidence::Low && self.list.len() < VALUES {
            self.list.push((value.to_owned(), guess.clone()));
        }
    }

    /// Makes them ready to be looked for.
    pub(crate) fn ready(&mut self) {
        let built = AhoCorasick::builder()
            .match_kind(MatchKind::LeftmostLongest)
            .build(self.list.iter().map(|(one, _)| one));
        self.finder = built.ok();
    }

    /// What a value is, where it is known from elsewhere.
    pub(crate) fn same(&self, value: &str) -> Option<Guess> {
        let (_, guess) = self.list.iter().find(|(one, _)| one == value.trim())?;
        Some(again(guess.holds))
    }

    fn look(&self, text: &str) -> Vec<(Range<usize>, Guess)> {
        let Some(finder) = &self.finder else { return Vec::new() };
        let word = |at: Option<char>| at.is_some_and(char::is_alphanumeric);
        let alone = |range: &Range<usize>| {
            !word(text[..range.start].chars().next_back()) && !word(text[range.end..].chars().next())
        };
        let hits = finder.find_iter(text).take(PLACES);
        let hits = hits.map(|hit| (hit.range(), self.list[hit.pattern().as_usize()].1.holds));
        hits.filter(|(range, _)| alone(range)).map(|(range, holds)| (range, again(holds))).collect()
    }
}

fn again(holds: Holds) -> Guess {
    let reason = "the same value is known from elsewhere".to_owned();
    Guess { holds, confidence: Confidence::Medium, reason }
}

/// What an answer is, as far as places are looked for.
pub(crate) enum Content {
    Page(Box<Reading>),
    Data,
    Sheet,
    /// Text of a type that no rule looks into.
    Unread,
    /// Too large, no text, or of no interest.
    Nothing,
}

/// The kind of content of an answer.
pub(crate) fn content(exchange: &Exchange) -> Content {
    if exchange.body.len() > LARGEST
        || exchange.body.is_empty()
        || std::str::from_utf8(&exchange.body).is_err()
    {
        return Content::Nothing;
    }
    let essence = exchange.kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    match Kind::of(&exchange.kind) {
        Some(Kind::Html) => Content::Page(Box::new(page::read(&exchange.body))),
        Some(Kind::Json) => Content::Data,
        Some(Kind::Csv) => Content::Sheet,
        None if matches!(essence.as_str(), "text/css" | "text/javascript" | "application/javascript") => {
            Content::Nothing
        }
        None if essence.starts_with("image/") || essence.starts_with("font/") => Content::Nothing,
        None => Content::Unread,
    }
}

/// What stands in an answer by its own words: under headings, in controls, as members.
pub(crate) fn named(exchange: &Exchange, content: &Content) -> Vec<(Range<usize>, Guess)> {
    match content {
        Content::Page(reading) => {
            let controls = reading.forms.iter().flat_map(|form| &form.controls).chain(&reading.loose);
            let typed = controls.filter(|control| control.is_typed());
            let values = typed.filter_map(|one| Some((one.value.clone()?, one.guess.clone()?)));
            values.chain(reading.headed.iter().cloned()).take(PLACES).collect()
        }
        Content::Data => members(&exchange.body),
        Content::Sheet => cells(&exchange.body),
        Content::Unread | Content::Nothing => Vec::new(),
    }
}

fn members(body: &[u8]) -> Vec<(Range<usize>, Guess)> {
    let mut all = Vec::new();
    let walked = json::texts(body, |way, range| {
        if range.is_empty() || all.len() >= PLACES {
            return;
        }
        let pointer = way.pointer();
        let last = pointer.rsplit('/').find(|part| part.bytes().any(|byte| !byte.is_ascii_digit()));
        if let Some(guess) = last.and_then(|last| guess::by_words(last, "its name")) {
            all.push((range, guess));
        }
    });
    if walked.is_ok() { all } else { Vec::new() }
}

/// Cells of lines without quotes, by the heading of their column.
fn cells(body: &[u8]) -> Vec<(Range<usize>, Guess)> {
    let Ok(text) = std::str::from_utf8(body) else { return Vec::new() };
    let mut lines = text.split_inclusive('\n');
    let Some(head) = lines.next() else { return Vec::new() };
    let delimiter = [';', '\t', ','].into_iter().max_by_key(|one| head.matches(*one).count()).unwrap_or(',');
    let columns: Vec<Option<Guess>> =
        head.trim_end().split(delimiter).map(|one| guess::by_words(one, "its heading")).collect();
    let (mut all, mut at) = (Vec::new(), head.len());
    for line in lines {
        let mut cell = at;
        at += line.len();
        if line.contains('"') {
            continue;
        }
        for (number, one) in line.trim_end().split(delimiter).enumerate() {
            if let Some(guess) = columns.get(number).cloned().flatten().filter(|_| !one.is_empty()) {
                all.push((cell..cell + one.len(), guess));
            }
            cell += one.len() + delimiter.len_utf8();
        }
        if all.len() >= PLACES {
            break;
        }
    }
    all
}

/// All places of an answer. `declared` are the attributes that a rule lists.
pub(crate) fn places(
    exchange: &Exchange,
    content: &Content,
    values: &Values,
    declared: &[String],
) -> Vec<Spot> {
    let Ok(text) = std::str::from_utf8(&exchange.body) else { return Vec::new() };
    if matches!(content, Content::Nothing) {
        return Vec::new();
    }
    let mut found: Vec<(Range<usize>, Option<Guess>)> = Vec::new();
    let short = Formats::of([TokenFormat::Phone, TokenFormat::Date]);
    let tokens = find::tokens(&exchange.body, &short);
    let tokens = tokens.into_iter().filter(|one| one.token.is_some());
    add(&mut found, tokens.map(|one| (one.start..one.end, None)));
    let own = named(exchange, content).into_iter().filter(|(range, _)| fits(text, range));
    add(
        &mut found,
        own.map(|(range, guess)| {
            let value = super::sent::by_value(&text[range.clone()]);
            (range, better(Some(guess), value))
        }),
    );
    add(
        &mut found,
        shape::look(text, PLACES).into_iter().map(|seen| {
            let reason = "its value has the form".to_owned();
            (seen.range, Some(Guess { holds: seen.holds, confidence: Confidence::High, reason }))
        }),
    );
    add(&mut found, values.look(text).into_iter().map(|(range, guess)| (range, Some(guess))));
    found.truncate(PLACES);
    let ranges: Vec<Range<usize>> = found.iter().map(|(range, _)| range.clone()).collect();
    let verdicts = verdicts(&exchange.kind, &exchange.body, &ranges, declared);
    let members = match content {
        Content::Data => members_around(&exchange.body, &ranges),
        _ => HashMap::new(),
    };
    let spot = |((range, guess), verdict): ((Range<usize>, Option<Guess>), Verdict)| {
        let (place, attribute) = where_of(content, &members, &range);
        Spot { range, guess, place, attribute, verdict }
    };
    found.into_iter().zip(verdicts).map(spot).collect()
}

/// A stretch that a value can be: within the text, between characters, with a letter or digit in it.
fn fits(text: &str, range: &Range<usize>) -> bool {
    text.get(range.clone()).is_some_and(|value| value.chars().any(char::is_alphanumeric))
}

/// Adds what touches nothing that is there already; keeps the order.
fn add<T>(found: &mut Vec<(Range<usize>, T)>, more: impl Iterator<Item = (Range<usize>, T)>) {
    for (range, one) in more {
        let at = found.partition_point(|(other, _)| other.end <= range.start);
        let free = found.get(at).is_none_or(|(other, _)| range.end <= other.start);
        if free && !range.is_empty() && found.len() < PLACES {
            found.insert(at, (range, one));
        }
    }
}

/// The members of a JSON text in which these stand, by where they begin. The ranges are in order.
fn members_around(json: &[u8], ranges: &[Range<usize>]) -> HashMap<usize, String> {
    let mut all = HashMap::new();
    let _ = json::texts(json, |way, text| {
        let from = ranges.partition_point(|range| range.start < text.start);
        let within = ranges[from..].iter().take_while(|range| range.start < text.end);
        let mut within = within.filter(|range| range.end <= text.end).peekable();
        if within.peek().is_some() {
            let pointer = way.pointer();
            // The members of a list are one place.
            let general = pointer.split('/').map(|part| {
                let is_number = !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
                if is_number { "*" } else { part }
            });
            let general = general.collect::<Vec<_>>().join("/");
            all.extend(within.map(|range| (range.start, general.clone())));
        }
    });
    all
}

fn where_of(
    content: &Content,
    members: &HashMap<usize, String>,
    range: &Range<usize>,
) -> (String, Option<String>) {
    match content {
        Content::Page(reading) => {
            let kind = reading.kind_at(range.start);
            let attribute = match kind {
                Some(Region::Attribute { name, .. }) => Some(name.clone()),
                _ => None,
            };
            let says = kind.map_or_else(|| "markup".to_owned(), Region::says);
            (shape::printable(&says), attribute)
        }
        Content::Data => {
            let member = members.get(&range.start).map(|member| format!("member {member}"));
            (shape::printable(&member.unwrap_or_else(|| "outside of any text".to_owned())), None)
        }
        Content::Sheet => ("a cell".to_owned(), None),
        Content::Unread | Content::Nothing => ("its text".to_owned(), None),
    }
}

/// What the gateway would do with a token in each of these places.
fn verdicts(kind: &str, body: &[u8], ranges: &[Range<usize>], declared: &[String]) -> Vec<Verdict> {
    let Some(kind) = Kind::of(kind) else { return vec![Verdict::Unread; ranges.len()] };
    let mut marked = Vec::with_capacity(body.len() + ranges.len() * 40);
    let mut shown = HashMap::new();
    let mut at = 0;
    for (number, range) in ranges.iter().enumerate() {
        let mut bytes = [0x0b; 16];
        bytes[8..].copy_from_slice(&(number as u64).to_be_bytes());
        let token = StorageToken::from_bytes(bytes);
        let text = Zeroizing::new(mark(number, 'x'));
        shown.insert(token, Shown::Partial(text, Some(mark(number, 'y'))));
        marked.extend_from_slice(&body[at..range.start]);
        marked.extend_from_slice(token.format(TokenFormat::Opaque).as_bytes());
        at = range.end;
    }
    marked.extend_from_slice(&body[at..]);
    let page = Page::read(kind, marked, &Formats::default(), declared);
    let (out, _) = page.write(&Known { shown: &shown, typed: &HashMap::new(), formats: Formats::default() });
    let has = |text: &str| memchr::memmem::find(&out, text.as_bytes()).is_some();
    let verdict = |number: usize| match (has(&mark(number, 'x')), has(&mark(number, 'y'))) {
        (_, true) => Verdict::Control,
        (true, _) => Verdict::Shown,
        _ => Verdict::Masked,
    };
    (0..ranges.len()).map(verdict).collect()
}

/// A text that stands on no page.
fn mark(number: usize, sort: char) -> String {
    format!("zq{number:06}{sort}qz")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn exchange(kind: &str, body: &str) -> Exchange {
        Exchange { kind: kind.to_owned(), body: body.as_bytes().to_vec(), status: 200, ..Exchange::default() }
    }

    fn look(kind: &str, body: &str, known: &[&str]) -> Vec<(String, String, Verdict)> {
        let exchange = exchange(kind, body);
        let mut values = Values::default();
        for one in known {
            values
                .add(one, &Guess { holds: Holds::Name, confidence: Confidence::High, reason: String::new() });
        }
        values.ready();
        let found = places(&exchange, &content(&exchange), &values, &["data-name".to_owned()]);
        let of = |spot: Spot| (body[spot.range].to_owned(), spot.place, spot.verdict);
        found.into_iter().map(of).collect()
    }

    #[test]
    fn a_page_says_where_what_stands_and_what_becomes_of_it() {
        let page = r#"<title>Jana Muster</title><p>jana@w.example</p><input name=email type=email value="jana@w.example">
            <input name="vorname" value="Jo"><script>let a = "jana@w.example"</script><!-- Jana Muster -->
            <a href="mailto:jana@w.example">x</a><b data-name="Jana Muster">y</b><i data-x='Jana Muster'>Janosch Jana Mustermann</i>"#;
        let found = look("text/html", page, &["Jana Muster"]);
        let want = [
            ("Jana Muster", "text of <title>", Verdict::Shown),
            ("jana@w.example", "text behind <p>", Verdict::Shown),
            ("jana@w.example", "attribute `value` of <input>", Verdict::Control),
            ("Jo", "attribute `value` of <input>", Verdict::Control),
            ("jana@w.example", "inside <script>", Verdict::Masked),
            ("Jana Muster", "a comment", Verdict::Masked),
            ("jana@w.example", "attribute `href` of <a>", Verdict::Shown),
            ("Jana Muster", "attribute `data-name` of <b>", Verdict::Shown),
            ("Jana Muster", "attribute `data-x` of <i>", Verdict::Masked),
        ];
        assert_eq!(found, want.map(|(value, place, verdict)| (value.to_owned(), place.to_owned(), verdict)));
    }

    #[test]
    fn data_and_sheets_and_other_types() {
        let json =
            r#"{"list":[{"name":"Jana","id":1},{"name":"Otto","mail":"o@w.example"}],"o@w.example":2}"#;
        let found = look("application/json", json, &[]);
        let want = [
            ("Jana", "member /list/*/name", Verdict::Control),
            ("Otto", "member /list/*/name", Verdict::Control),
            ("o@w.example", "member /list/*/mail", Verdict::Control),
            ("o@w.example", "outside of any text", Verdict::Masked),
        ];
        assert_eq!(found, want.map(|(value, place, verdict)| (value.to_owned(), place.to_owned(), verdict)));
        let found = look("text/csv", "nr;Name\n1;Jana\n2;\"x\"\n", &[]);
        assert_eq!(found, [("Jana".to_owned(), "a cell".to_owned(), Verdict::Shown)]);
        let found = look("text/vcard", "FN:Jana Muster\n", &["Jana Muster"]);
        assert_eq!(found, [("Jana Muster".to_owned(), "its text".to_owned(), Verdict::Unread)]);
        assert_eq!(look("image/svg+xml", "jana@w.example", &[]), []);
    }

    #[test]
    fn tokens_that_stand_there_already_are_places_too() {
        let token = StorageToken::from_bytes([9; 16]).format(TokenFormat::Email);
        let found = look("text/html", &format!("<p>{token}</p><p>+999000000000042</p>"), &[]);
        assert_eq!(found[0], (token, "text behind <p>".to_owned(), Verdict::Shown));
        assert_eq!(found[1].0, "+999000000000042");
    }

    proptest! {
        #[test]
        fn no_answer_panics(kind in 0_usize..4, body in "(<p>|<td>|<th>|name|E-Mail|\"|:|\\{|\\}|,|;|\n|a@b.example|Jana Muster|<input name=email value=|>|ä|</table>|<table>){0,40}") {
            let kinds = ["text/html", "application/json", "text/csv", "text/plain"];
            for (value, _, _) in look(kinds[kind], &body, &["Jana Muster"]) { prop_assert!(!value.is_empty()); }
        }
    }
}
