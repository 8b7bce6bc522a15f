//! German and English: texts from Fluent files, numbers and moments as each language writes them. Times are UTC and say so
//! where a term hangs on them.

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource, FluentValue};
use http::HeaderMap;
use http::header::ACCEPT_LANGUAGE;
use intl_memoizer::concurrent::IntlLangMemoizer;
use model::Timestamp;
use std::sync::Arc;
use time::OffsetDateTime;

/// A language with its files. Whoever adds pages adds a file here, in both.
struct Source {
    code: &'static str,
    files: &'static [&'static str],
    number: fn(&FluentValue<'_>, &IntlLangMemoizer) -> Option<String>,
    /// What stands between groups of three digits.
    group: char,
}

macro_rules! files {
    ($folder:literal) => {
        &[
            include_str!(concat!("../../locales/", $folder, "/frame.ftl")),
            include_str!(concat!("../../locales/", $folder, "/words.ftl")),
            include_str!(concat!("../../locales/", $folder, "/staff.ftl")),
            include_str!(concat!("../../locales/", $folder, "/attacks.ftl")),
            include_str!(concat!("../../locales/", $folder, "/portal.ftl")),
        ]
    };
}

/// The last one is spoken where nobody said anything.
const SOURCES: [Source; 2] = [
    Source { code: "de", files: files!("de"), number: |value, _| grouped_value(value, '.'), group: '.' },
    Source { code: "en", files: files!("en"), number: |value, _| grouped_value(value, ','), group: ',' },
];

struct Language {
    source: &'static Source,
    bundle: FluentBundle<FluentResource>,
}

/// All languages. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Languages(Arc<[Language]>);

impl Languages {
    /// Reads the files that the program was built with. A text that does not parse is missing, which a test notices.
    pub(crate) fn load() -> Self {
        static ALL: [Source; 2] = SOURCES;
        Self(ALL.iter().map(language).collect())
    }

    /// The language that somebody chose, else the one that the browser prefers most, else English.
    pub(crate) fn choose(&self, chosen: Option<&str>, headers: &HeaderMap) -> Words {
        let of =
            |code: &str| self.0.iter().position(|language| language.source.code.eq_ignore_ascii_case(code));
        let accepted = headers.get(ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let which = chosen.and_then(of).or_else(|| preferred(accepted, of)).unwrap_or(self.0.len() - 1);
        Words { all: self.clone(), which }
    }

    /// The codes of all languages.
    pub(crate) fn codes() -> impl Iterator<Item = &'static str> {
        SOURCES.into_iter().map(|source| source.code)
    }
}

fn language(source: &'static Source) -> Language {
    let mut bundle = FluentBundle::new_concurrent(source.code.parse().into_iter().collect());
    // Values of persons do not pass through here; isolating marks would stand in attributes and downloads.
    bundle.set_use_isolating(false);
    bundle.set_formatter(Some(source.number));
    for file in source.files {
        let resource = FluentResource::try_new((*file).to_owned()).unwrap_or_else(|(partial, _)| partial);
        // A name that is there twice keeps its first text; a test notices.
        let _ = bundle.add_resource(resource);
    }
    Language { source, bundle }
}

/// The known language with the highest weight (RFC 9110 §12.5.4); of equals the first.
fn preferred(accepted: &str, of: impl Fn(&str) -> Option<usize>) -> Option<usize> {
    let mut best: Option<(f32, usize)> = None;
    for range in accepted.split(',').take(32) {
        let mut parts = range.split(';').map(str::trim);
        let known = parts.next().and_then(|tag| of(tag.split('-').next().unwrap_or_default()));
        let weight =
            parts.find_map(|part| part.strip_prefix("q=")).map_or(Some(1.0), |text| text.parse().ok());
        if let (Some(known), Some(weight)) = (known, weight.filter(|weight| *weight > 0.0))
            && best.is_none_or(|(other, _)| weight > other)
        {
            best = Some((weight, known));
        }
    }
    best.map(|(_, known)| known)
}

/// A value for a text.
pub(crate) type Value<'a> = FluentValue<'a>;

/// The texts of one language. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Words {
    all: Languages,
    which: usize,
}

impl Words {
    fn language(&self) -> &Language {
        &self.all.0[self.which]
    }

    /// The language's code, for `lang`.
    pub(crate) fn code(&self) -> &'static str {
        self.language().source.code
    }

    /// A text; its name where there is none.
    pub(crate) fn say(&self, name: &str) -> String {
        self.format(name, None).unwrap_or_else(|| name.to_owned())
    }

    /// A text, if there is one of this name.
    pub(crate) fn find(&self, name: &str) -> Option<String> {
        self.format(name, None)
    }

    /// A text with values in it.
    pub(crate) fn with<const N: usize>(&self, name: &str, values: [(&'static str, Value<'_>); N]) -> String {
        let mut args = FluentArgs::with_capacity(N);
        for (key, value) in values {
            args.set(key, value);
        }
        self.format(name, Some(&args)).unwrap_or_else(|| name.to_owned())
    }

    fn format(&self, name: &str, args: Option<&FluentArgs<'_>>) -> Option<String> {
        let bundle = &self.language().bundle;
        let pattern = bundle.get_message(name)?.value()?;
        let mut errors = Vec::new();
        Some(bundle.format_pattern(pattern, args, &mut errors).into_owned())
    }

    /// A number with its groups of three: `1.482.906`, `1,482,906`.
    pub(crate) fn number(&self, number: u64) -> String {
        grouped(&number.to_string(), self.language().source.group)
    }

    /// A share in whole per cent.
    pub(crate) fn percent(&self, part: u64, whole: u64) -> String {
        let share = part.saturating_mul(200).checked_div(whole).unwrap_or(0).div_ceil(2);
        format!("{share}\u{a0}%")
    }

    /// A date in running text: `23. November 2026`, `23 November 2026`.
    pub(crate) fn date(&self, at: Timestamp) -> String {
        let Some(at) = civil(at) else { return String::new() };
        let month = self.name_in("months", usize::from(u8::from(at.month())) - 1);
        self.with(
            "date-long",
            [
                ("day", at.day().to_string().into()),
                ("month", month.into()),
                ("year", at.year().to_string().into()),
            ],
        )
    }

    /// A date in a table: `23.11.2026`, `23 Nov 2026`.
    pub(crate) fn day(&self, at: Timestamp) -> String {
        let Some(at) = civil(at) else { return String::new() };
        let month = self.name_in("months-table", usize::from(u8::from(at.month())) - 1);
        let (day, year) = (format!("{:02}", at.day()), at.year().to_string());
        self.with("date-short", [("day", day.into()), ("month", month.into()), ("year", year.into())])
    }

    /// Day and month, for the axis of a chart.
    pub(crate) fn day_of_year(&self, at: Timestamp) -> String {
        let Some(at) = civil(at) else { return String::new() };
        let month = self.name_in("months-short", usize::from(u8::from(at.month())) - 1);
        self.with("date-axis", [("day", at.day().to_string().into()), ("month", month.into())])
    }

    /// The weekday in running text.
    pub(crate) fn weekday(&self, at: Timestamp) -> String {
        civil(at).map_or_else(String::new, |at| {
            self.name_in("weekdays", usize::from(at.weekday().number_days_from_monday()))
        })
    }

    /// A time of day to the minute.
    pub(crate) fn clock(&self, at: Timestamp) -> String {
        civil(at).map_or_else(String::new, |at| format!("{:02}:{:02}", at.hour(), at.minute()))
    }

    /// A time of day to the second.
    pub(crate) fn clock_exact(&self, at: Timestamp) -> String {
        civil(at)
            .map_or_else(String::new, |at| format!("{:02}:{:02}:{:02}", at.hour(), at.minute(), at.second()))
    }

    /// When, seen from `now`: today and yesterday by name, else by date; to the second.
    pub(crate) fn when(&self, at: Timestamp, now: Timestamp) -> String {
        let days = |moment: Timestamp| moment.0.div_euclid(model::clock::DAY_MS);
        let day = match days(now) - days(at) {
            0 => self.say("today"),
            1 => self.say("yesterday"),
            _ => self.day(at),
        };
        format!("{day}, {}", self.clock_exact(at))
    }

    fn name_in(&self, list: &str, index: usize) -> String {
        self.say(list).split_whitespace().nth(index).unwrap_or_default().to_owned()
    }
}

fn civil(at: Timestamp) -> Option<OffsetDateTime> {
    OffsetDateTime::from_unix_timestamp(at.0.div_euclid(1_000)).ok()
}

fn grouped_value(value: &FluentValue<'_>, group: char) -> Option<String> {
    match value {
        FluentValue::Number(number) => Some(grouped(&number.as_string(), group)),
        _ => None,
    }
}

/// Groups of three digits; what is no whole number stays as it is.
fn grouped(digits: &str, group: char) -> String {
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return digits.to_owned();
    }
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(group);
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use fluent_syntax::ast::{Entry, Expression, InlineExpression, Pattern, PatternElement};
    use std::collections::{BTreeMap, BTreeSet};

    fn variables(pattern: &Pattern<&str>, into: &mut BTreeSet<String>) {
        for element in &pattern.elements {
            if let PatternElement::Placeable { expression } = element {
                match expression {
                    Expression::Inline(inline) => of_inline(inline, into),
                    Expression::Select { selector, variants } => {
                        of_inline(selector, into);
                        variants.iter().for_each(|variant| variables(&variant.value, into));
                    }
                }
            }
        }
    }

    fn of_inline(inline: &InlineExpression<&str>, into: &mut BTreeSet<String>) {
        match inline {
            InlineExpression::VariableReference { id } => {
                into.insert(id.name.to_owned());
            }
            InlineExpression::Placeable { expression } => {
                if let Expression::Inline(inner) = &**expression {
                    of_inline(inner, into);
                }
            }
            _ => {}
        }
    }

    /// Each text of a file with its variables. Panics on what does not parse, and on a name that is there twice.
    fn texts(files: &[&str]) -> BTreeMap<String, BTreeSet<String>> {
        let mut all = BTreeMap::new();
        for file in files {
            let parsed =
                fluent_syntax::parser::parse(*file).map_err(|(_, errors)| errors).expect("it parses");
            for entry in parsed.body {
                let Entry::Message(message) = entry else { continue };
                let mut names = BTreeSet::new();
                variables(&message.value.expect("a text"), &mut names);
                let twice = all.insert(message.id.name.to_owned(), names).is_some();
                assert!(!twice, "{} is there twice", message.id.name);
            }
        }
        all
    }

    #[test]
    fn both_languages_have_the_same_texts_with_the_same_variables() {
        let (de, en) = (texts(SOURCES[0].files), texts(SOURCES[1].files));
        assert!(de.len() > 100, "{}", de.len());
        for (name, variables) in &de {
            assert_eq!(en.get(name), Some(variables), "{name} in English");
        }
        for name in en.keys() {
            assert!(de.contains_key(name), "{name} in German");
        }
        // The comparison sees a difference.
        let planted = ["one = a { $x }\n", "one = b { $y }\n"].map(|text| texts(&[text]));
        assert_ne!(planted[0], planted[1]);
    }

    /// Names of texts that stand in our sources, and those that stand nowhere.
    fn named(folder: &std::path::Path, into: &mut BTreeSet<String>) {
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                named(&path, into);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let source = std::fs::read_to_string(&path).expect("text");
                let source = source.split("mod tests {").next().unwrap_or_default();
                for call in [".say(\"", ".with(\"", ".find(\""] {
                    let names = source.split(call).skip(1).filter_map(|rest| rest.split('"').next());
                    into.extend(names.map(str::to_owned));
                }
            }
        }
    }

    #[test]
    fn every_text_that_a_page_says_is_there() {
        let mut names = BTreeSet::new();
        for folder in ["src/ui", "src/pages"] {
            named(&std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(folder), &mut names);
        }
        assert!(names.len() > 150, "the search finds names: {}", names.len());
        let known = texts(SOURCES[0].files);
        let missing: Vec<_> = names.iter().filter(|name| !known.contains_key(*name)).collect();
        assert_eq!(missing, Vec::<&String>::new());
    }

    fn words(code: &str) -> Words {
        Languages::load().choose(Some(code), &HeaderMap::new())
    }

    #[test]
    fn numbers_and_dates_are_written_as_each_language_does() {
        let (de, en) = (words("de"), words("en"));
        assert_eq!((de.number(1_482_906), en.number(1_482_906)), ("1.482.906".into(), "1,482,906".into()));
        assert_eq!(
            (de.number(7), de.number(999), de.number(1_000)),
            ("7".into(), "999".into(), "1.000".into())
        );
        let at = Timestamp(1_795_471_331_000);
        assert_eq!(de.date(at), "23. November 2026");
        assert_eq!(en.date(at), "23 November 2026");
        assert_eq!((de.day(at), en.day(at)), ("23.11.2026".into(), "23 Nov 2026".into()));
        assert_eq!(de.clock_exact(at), "22:02:11");
        assert_eq!(de.when(at, at), "heute, 22:02:11");
        assert_eq!(en.when(at, at.plus_days(1)), "yesterday, 22:02:11");
        assert_eq!(
            (en.percent(1, 3), en.percent(2, 3), en.percent(0, 0)),
            ("33\u{a0}%".into(), "67\u{a0}%".into(), "0\u{a0}%".into())
        );
    }

    #[test]
    fn the_chosen_language_counts_then_the_preferred_one_then_english() {
        let languages = Languages::load();
        let choose = |chosen: Option<&str>, accepted: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT_LANGUAGE, accepted.parse().expect("a value"));
            languages.choose(chosen, &headers).code()
        };
        assert_eq!(choose(Some("de"), "en"), "de");
        assert_eq!(choose(Some("fr"), "de-AT,en;q=0.5"), "de");
        assert_eq!(choose(None, "fr, en;q=0.3, de;q=0.7"), "de");
        assert_eq!(choose(None, "de;q=0, en"), "en");
        assert_eq!(choose(None, "de;q=x"), "en");
        assert_eq!(choose(None, "fr"), "en");
        assert_eq!(choose(None, ""), "en");
    }
}
