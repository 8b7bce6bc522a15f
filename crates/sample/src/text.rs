//! German and English texts, from Fluent files.

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource};
use http::HeaderMap;
use http::header::{ACCEPT_LANGUAGE, COOKIE};
use std::sync::Arc;

const FILES: [(&str, &str); 2] =
    [("de", include_str!("../i18n/de.ftl")), ("en", include_str!("../i18n/en.ftl"))];

/// One language.
pub(crate) struct Language {
    pub(crate) code: &'static str,
    bundle: FluentBundle<FluentResource>,
}

/// Both languages.
#[derive(Clone)]
pub(crate) struct Texts(Arc<[Language]>);

impl Texts {
    /// Reads the files that the program was built with.
    pub(crate) fn load() -> Option<Self> {
        let mut all = Vec::new();
        for (code, text) in FILES {
            let resource = FluentResource::try_new(text.to_owned()).ok()?;
            let mut bundle = FluentBundle::new_concurrent(vec![code.parse().ok()?]);
            bundle.set_use_isolating(false);
            bundle.add_resource(resource).ok()?;
            all.push(Language { code, bundle });
        }
        Some(Self(all.into()))
    }

    /// The language of a request: its cookie, else what the browser prefers, else German.
    pub(crate) fn of(&self, headers: &HeaderMap) -> &Language {
        let chosen = crate::auth::cookie(headers, "lang", COOKIE);
        let accepted = headers.get(ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let preferred = accepted.split(',').find_map(|one| {
            let code = one.trim().get(..2)?;
            self.0.iter().find(|language| language.code.eq_ignore_ascii_case(code))
        });
        let chosen = chosen.and_then(|code| self.0.iter().find(|language| language.code == code));
        chosen.or(preferred).unwrap_or(&self.0[0])
    }
}

impl Language {
    /// A text by its name; the name itself where there is none.
    pub(crate) fn say(&self, name: &str) -> String {
        self.with(name, None)
    }

    /// A text with a week in it.
    pub(crate) fn week(&self, week: &str) -> String {
        let mut args = FluentArgs::new();
        args.set("week", week.to_owned());
        self.with("week", Some(&args))
    }

    fn with(&self, name: &str, args: Option<&FluentArgs<'_>>) -> String {
        let pattern = self.bundle.get_message(name).and_then(|message| message.value());
        let mut errors = Vec::new();
        pattern.map_or_else(
            || name.to_owned(),
            |pattern| self.bundle.format_pattern(pattern, args, &mut errors).into_owned(),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_languages_have_the_same_texts() {
        let keys = |text: &str| -> Vec<String> {
            let names =
                text.lines().filter_map(|line| line.split_once(" = ")).map(|(name, _)| name.to_owned());
            names.collect()
        };
        let (de, en) = (keys(FILES[0].1), keys(FILES[1].1));
        assert_eq!(de, en);
        assert!(de.len() > 50);
        let texts = Texts::load().expect("they parse");
        for language in texts.0.iter() {
            for key in &de {
                assert_ne!(&language.say(key), key);
            }
        }
    }
}
