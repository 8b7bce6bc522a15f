//! The parts that pages are put together from. Each is a function that writes what `components.css` draws; a page never
//! writes a class of its own. Whatever comes from outside is escaped by maud.
//!
//! Colour is a claim, see [`Tone`]; it always comes with an icon and a word.

use super::icons::{Icon, icon};
use super::language::Words;
use maud::{Markup, html};

/// What a colour claims.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Tone {
    /// Nothing.
    #[default]
    Plain,
    /// You can act on it, or it is in force.
    Ink,
    /// A machine proved it.
    Proof,
    /// Late, stale, or not protected.
    Warn,
    /// Refused, stopped, failed.
    Stop,
}

impl Tone {
    fn class(self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::Ink => "ink",
            Self::Proof => "proof",
            Self::Warn => "warn",
            Self::Stop => "stop",
        }
    }
}

/// What a button is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Act {
    /// One of several things to do.
    #[default]
    Normal,
    /// What the page is for; one per view.
    Main,
    /// What cannot be undone.
    Grave,
    /// Beside others, of less weight.
    Plain,
    /// Yes or no of a person: both of one size, weight and colour.
    Door,
}

impl Act {
    fn class(self) -> &'static str {
        match self {
            Self::Normal => "btn",
            Self::Main => "btn main-act",
            Self::Grave => "btn grave",
            Self::Plain => "btn plain",
            Self::Door => "btn door",
        }
    }
}

/// A button that sends its form: a verb and what it is done to.
pub(crate) fn button(act: Act, with: Option<Icon>, word: &str) -> Markup {
    html! { button class=(act.class()) { @if let Some(with) = with { (icon(with)) } (word) } }
}

/// A button that sends its form and says which of several was pressed.
pub(crate) fn button_of(act: Act, (name, value): (&str, &str), with: Option<Icon>, word: &str) -> Markup {
    html! {
        button class=(act.class()) name=(name) value=(value) { @if let Some(with) = with { (icon(with)) } (word) }
    }
}

/// A link that looks like a button: it leads to where something is done.
pub(crate) fn link_button(act: Act, with: Option<Icon>, word: &str, to: &str) -> Markup {
    html! { a class=(act.class()) href=(to) { @if let Some(with) = with { (icon(with)) } (word) } }
}

/// A text of ours in which names of commands stand between backticks.
pub(crate) fn prose(text: &str) -> Markup {
    html! { @for (place, part) in text.split('`').enumerate() { @if place % 2 == 1 { code { (part) } } @else { (part) } } }
}

/// A link.
pub(crate) fn link(to: &str, word: &str) -> Markup {
    html! { a href=(to) { (word) } }
}

/// A field of a form.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Field<'a> {
    /// Its name in the form, and its id.
    pub(crate) name: &'a str,
    /// What it is called.
    pub(crate) label: &'a str,
    /// What is good to know before it is filled in.
    pub(crate) hint: Option<&'a str>,
    /// What has to be done about it.
    pub(crate) error: Option<&'a str>,
    /// What was typed, to be kept.
    pub(crate) value: &'a str,
    /// The kind of `input`; none is `text`.
    pub(crate) kind: Option<&'a str>,
    /// Whether it has to be filled in.
    pub(crate) required: bool,
}

impl Field<'_> {
    fn described_by(&self) -> Option<String> {
        let parts = [self.error.map(|_| "e"), self.hint.map(|_| "h")];
        let ids: Vec<String> =
            parts.into_iter().flatten().map(|part| format!("{}-{part}", self.name)).collect();
        (!ids.is_empty()).then(|| ids.join(" "))
    }

    fn around(&self, control: &Markup) -> Markup {
        html! {
            div.field {
                label for=(self.name) { (self.label) }
                @if let Some(hint) = self.hint { span.hint id={(self.name) "-h"} { (hint) } }
                @if let Some(error) = self.error {
                    p.error id={(self.name) "-e"} { (icon(Icon::Alert)) (error) }
                }
                (control)
            }
        }
    }
}

/// A line to type in.
pub(crate) fn field(field: &Field<'_>) -> Markup {
    field.around(&html! {
        input.input id=(field.name) name=(field.name) type=(field.kind.unwrap_or("text")) value=(field.value)
            required[field.required] autocomplete="off"
            aria-invalid=[field.error.map(|_| "true")] aria-describedby=[field.described_by()];
    })
}

/// One of a list. `options` are values with words.
pub(crate) fn select(field: &Field<'_>, options: &[(String, String)]) -> Markup {
    field.around(&html! {
        select.input id=(field.name) name=(field.name) required[field.required]
            aria-invalid=[field.error.map(|_| "true")] aria-describedby=[field.described_by()] {
            @for (value, word) in options {
                option value=(value) selected[value == field.value] { (word) }
            }
        }
    })
}

/// A box to tick, in a row of filters.
pub(crate) fn tick(name: &str, word: &str, ticked: bool) -> Markup {
    html! {
        label.tick for=(name) { input type="checkbox" id=(name) name=(name) value="1" checked[ticked]; (word) }
    }
}

/// One of several big rows: a box, what it is, and why.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Choice<'a> {
    /// `radio` or `checkbox`.
    pub(crate) kind: &'a str,
    /// The name in the form.
    pub(crate) name: &'a str,
    /// The value when chosen.
    pub(crate) value: &'a str,
    /// What it is.
    pub(crate) word: &'a str,
    /// Why, or what follows from it.
    pub(crate) why: &'a str,
    /// Whether it is chosen already. A box never is; of radios it is the one that protects most.
    pub(crate) chosen: bool,
}

/// A choice; its whole row is the label.
pub(crate) fn choice(choice: &Choice<'_>) -> Markup {
    html! {
        label.choice {
            input type=(choice.kind) name=(choice.name) value=(choice.value) checked[choice.chosen];
            span.name { (choice.word) }
            @if !choice.why.is_empty() { span.hint { (choice.why) } }
        }
    }
}

/// An icon and a word on a wash.
pub(crate) fn chip(tone: Tone, with: Icon, word: &str) -> Markup {
    html! { span class={"chip " (tone.class())} { (icon(with)) (word) } }
}

/// How an access was decided, in the fixed words of the house.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Read in clear.
    Read,
    /// Some of it, or a transform.
    Partly,
    /// A constant was shown.
    Masked,
    /// Nothing was shown.
    Refused,
    /// Done, where nothing is read.
    Done,
}

/// The chip of a verdict.
pub(crate) fn verdict(words: &Words, verdict: Verdict) -> Markup {
    let (tone, with, name) = match verdict {
        Verdict::Read => (Tone::Ink, Icon::Eye, "verdict-read"),
        Verdict::Partly => (Tone::Ink, Icon::Veil, "verdict-partly"),
        Verdict::Masked => (Tone::Plain, Icon::Veil, "verdict-masked"),
        Verdict::Refused => (Tone::Stop, Icon::Cross, "verdict-refused"),
        Verdict::Done => (Tone::Plain, Icon::Check, "verdict-done"),
    };
    chip(tone, with, &words.say(name))
}

/// A masked value. How wide it is says nothing.
pub(crate) fn veil(words: &Words) -> Markup {
    html! { span.veil {} span.vh { (words.say("masked")) } }
}

/// A note across the column: what happened, or what to look at. It stays until the next page.
pub(crate) fn note(tone: Tone, with: Icon, content: &Markup) -> Markup {
    let role = if tone == Tone::Stop { "alert" } else { "status" };
    html! { div class={"note " (tone.class())} role=(role) { (icon(with)) div.tight { (content) } } }
}

/// A note in running text that nobody has to be told of aloud.
pub(crate) fn aside(tone: Tone, with: Icon, content: &Markup) -> Markup {
    html! { div class={"note " (tone.class())} { (icon(with)) div.tight { (content) } } }
}

/// Nothing is there: one sentence, and where to go next.
pub(crate) fn empty(with: Icon, sentence: &str, next: Option<(&str, &str)>) -> Markup {
    html! {
        div.empty { (icon(with)) p { (sentence) } @if let Some((to, word)) = next { p { (link(to, word)) } } }
    }
}

/// Big figures with what they count.
pub(crate) fn facts(facts: &[(String, String)]) -> Markup {
    html! { dl.facts { @for (word, figure) in facts { div { dt { (word) } dd.big { (figure) } } } } }
}

/// Names with values, one beneath the other.
pub(crate) fn kv(rows: &[(String, Markup)]) -> Markup {
    html! { dl."kv fold" { @for (name, value) in rows { div { dt { (name) } dd { (value) } } } } }
}

/// A column of a table.
#[derive(Clone, Debug)]
pub(crate) struct Column {
    /// Its head.
    pub(crate) head: String,
    /// Whether it holds numbers.
    pub(crate) number: bool,
}

impl Column {
    /// A column of words.
    pub(crate) fn words(head: String) -> Self {
        Self { head, number: false }
    }

    /// A column of numbers.
    pub(crate) fn number(head: String) -> Self {
        Self { head, number: true }
    }

    fn class(&self) -> Option<&'static str> {
        self.number.then_some("num")
    }
}

/// A table that folds to labelled blocks in a narrow place. The first cell of a row is its head.
pub(crate) fn table(name: &str, columns: &[Column], rows: &[Vec<Markup>]) -> Markup {
    html! { div."t folds" { (grid(name, columns, rows)) } }
}

fn grid(name: &str, columns: &[Column], rows: &[Vec<Markup>]) -> Markup {
    html! {
            table aria-label=(name) {
                thead { tr { @for column in columns { th scope="col" class=[column.class()] { (column.head) } } } }
                tbody { @for row in rows { tr {
                    @for (place, (cell, column)) in row.iter().zip(columns).enumerate() {
                        @if place == 0 { th scope="row" class=[column.class()] { (cell) } }
                        @else { td class=[column.class()] data-l=(column.head) { (cell) } }
                    }
                } } }
            }
    }
}

/// A table of two or three short columns, which need not fold.
pub(crate) fn small_table(name: &str, columns: &[Column], rows: &[Vec<Markup>]) -> Markup {
    html! { div.t { (grid(name, columns, rows)) } }
}

/// What a knot of a thread is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Knot {
    /// Done, or read in clear.
    Full,
    /// Masked, or looked at without values.
    Hollow,
    /// Refused.
    Refused,
    /// Proved.
    Proved,
    /// Still to come.
    ToCome,
}

/// A thread: what happened, newest first, or a plan, oldest first.
pub(crate) fn thread(knots: &[(Knot, Markup)]) -> Markup {
    let class = |knot: Knot| match knot {
        Knot::Full => "full",
        Knot::Hollow => "",
        Knot::Refused => "no",
        Knot::Proved => "proved",
        Knot::ToCome => "todo",
    };
    html! { ol.thread { @for (knot, what) in knots { li class=(class(*knot)) { (what) } } } }
}

/// How far a stamp can be trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// A machine verified it just now.
    Verified,
    /// It was, and is no longer fresh.
    Stale,
    /// It does not hold.
    Broken,
}

/// A stamp that leads to where it can be checked.
pub(crate) fn stamp(standing: Standing, to: &str, head: &str, below: &Markup) -> Markup {
    let (class, with) = match standing {
        Standing::Verified => ("stamp", Icon::Seal),
        Standing::Stale => ("stamp stale", Icon::Clock),
        Standing::Broken => ("stamp broken", Icon::Alert),
    };
    html! { a class=(class) href=(to) { (icon(with)) span { b { (head) } br; (below) } } }
}

/// The foot of a list that has more: no page numbers, since a log grows at its head.
pub(crate) fn pages(words: &Words, shown: &str, newest: Option<&str>, older: Option<&str>) -> Markup {
    html! {
        nav.pages aria-label=(words.say("pages")) {
            span { (shown) }
            span.row {
                @if let Some(to) = newest { (link(to, &words.say("newest"))) }
                @if let Some(to) = older { (link(to, &words.say("older"))) }
            }
        }
    }
}

/// A hash in groups of four, begin and end.
pub(crate) fn short_hash(hex: &str) -> String {
    match (hex.get(..8), hex.len().checked_sub(4).and_then(|end| hex.get(end..))) {
        (Some(begin), Some(end)) if hex.len() > 16 => format!("{} {} … {end}", &begin[..4], &begin[4..]),
        _ => hex.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_from_outside_is_escaped() {
        let hostile = "\"><script>alert(1)</script>";
        let field =
            Field { name: "x", label: hostile, value: hostile, hint: Some(hostile), ..Field::default() };
        let all = [
            super::field(&field).into_string(),
            select(&field, &[(hostile.to_owned(), hostile.to_owned())]).into_string(),
            chip(Tone::Plain, Icon::Info, hostile).into_string(),
            table(hostile, &[Column::words(hostile.into())], &[vec![html! { (hostile) }]]).into_string(),
            link(hostile, hostile).into_string(),
        ];
        for text in all {
            assert!(!text.contains("<script") && text.contains("&quot;&gt;&lt;script&gt;"), "{text}");
        }
    }

    #[test]
    fn an_error_is_tied_to_its_field() {
        let field = Field { name: "x", label: "X", hint: Some("h"), error: Some("e"), ..Field::default() };
        let text = super::field(&field).into_string();
        assert!(
            text.contains("aria-describedby=\"x-e x-h\"") && text.contains("aria-invalid=\"true\""),
            "{text}"
        );
    }

    #[test]
    fn a_hash_is_shortened() {
        assert_eq!(short_hash("9ac351f0aaaaaaaaaaaaaaaae27b"), "9ac3 51f0 … e27b");
        assert_eq!(short_hash("9ac3"), "9ac3");
    }
}
