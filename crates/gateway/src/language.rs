//! The languages of the pages that the shield shows: German and English, from the Fluent files in `locales`. They are read when a
//! page is made, which is seldom.

use fluent_bundle::{FluentArgs, FluentBundle, FluentResource};
use http::StatusCode;
use http::header::{ACCEPT_LANGUAGE, HeaderMap};

/// A language.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Language {
    German,
    English,
}

impl Language {
    pub(crate) const ALL: [Self; 2] = [Self::German, Self::English];

    /// The one that the asker prefers (RFC 9110 §12.5.4), of equals the first; English where he prefers neither.
    pub(crate) fn of(asked: &HeaderMap) -> Self {
        let accepted = asked.get(ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let mut best = (0.0, Self::English);
        for range in accepted.split(',').take(32) {
            let mut parts = range.split(';').map(str::trim);
            let tag = parts.next().and_then(|tag| tag.split('-').next()).unwrap_or_default();
            let known = Self::ALL.into_iter().find(|one| one.code().eq_ignore_ascii_case(tag));
            let weight = parts.find_map(|part| part.strip_prefix("q="));
            let weight: Option<f32> = weight.map_or(Some(1.0), |text| text.parse().ok());
            if let (Some(known), Some(weight)) = (known, weight)
                && weight > best.0
            {
                best = (weight, known);
            }
        }
        best.1
    }

    pub(crate) const fn code(self) -> &'static str {
        match self {
            Self::German => "de",
            Self::English => "en",
        }
    }

    const fn texts(self) -> &'static str {
        match self {
            Self::German => include_str!("../locales/de.ftl"),
            Self::English => include_str!("../locales/en.ftl"),
        }
    }

    /// The page of a problem. What stands in it is ours alone.
    pub(crate) fn page(self, code: &str, status: StatusCode, reference: &str) -> String {
        let mut bundle = FluentBundle::new(self.code().parse().into_iter().collect());
        bundle.set_use_isolating(false);
        let texts = FluentResource::try_new(self.texts().to_owned()).unwrap_or_else(|(partial, _)| partial);
        let _ = bundle.add_resource(texts);
        let mut args = FluentArgs::new();
        args.set("reference", format!("<code>{reference}</code>"));
        args.set("code", format!("<code>{code}</code>"));
        let say = |name: String| {
            let pattern = bundle.get_message(&name).and_then(|message| message.value());
            pattern.map_or(name, |pattern| {
                bundle.format_pattern(pattern, Some(&args), &mut Vec::new()).into_owned()
            })
        };
        let name = format!("shield-{}", code.replace('_', "-"));
        let title = say(format!("{name}-title"));
        format!(
            "<!doctype html><html lang=\"{}\"><meta charset=\"utf-8\">\
             <meta name=\"viewport\" content=\"width=device-width\"><meta name=\"color-scheme\" content=\"light dark\">\
             <title>{title}</title><h1>{title}</h1><p>{}</p><p>{}</p><p>{} {}</p></html>\n",
            self.code(),
            say(name),
            say("shield-reference".to_owned()),
            status.as_u16(),
            say("shield-code".to_owned()),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    #[test]
    fn the_language_is_the_preferred_one() {
        let of = |text: &'static str| {
            let mut asked = HeaderMap::new();
            asked.insert(ACCEPT_LANGUAGE, HeaderValue::from_static(text));
            Language::of(&asked)
        };
        for text in ["de", "de-AT,de;q=0.9,en;q=0.8", "fr, DE;q=0.3", "en;q=0.5, de;q=0.7", "de, en"] {
            assert_eq!(of(text), Language::German, "{text}");
        }
        for text in ["en, de;q=0.9", "fr", "de;q=0", "de;q=x", "", "*", "den"] {
            assert_eq!(of(text), Language::English, "{text}");
        }
        assert_eq!(Language::of(&HeaderMap::new()), Language::English);
    }
}
