//! The type of a body (RFC 9110 §8.3.1), read so that nobody can read it in another way.

/// A media type with its parameters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Media {
    /// Type and subtype, in small letters.
    pub(crate) essence: String,
    parameters: Vec<(String, String)>,
}

impl Media {
    /// None for what is malformed, has a parameter twice, or a backslash, which not everybody reads as an escape.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (essence, mut rest) = text.split_at(text.find(';').unwrap_or(text.len()));
        let essence = essence.trim().to_ascii_lowercase();
        let (kind, subtype) = essence.split_once('/')?;
        if !is_token(kind) || !is_token(subtype) {
            return None;
        }
        let mut parameters: Vec<(String, String)> = Vec::new();
        while let Some(next) = rest.strip_prefix(';') {
            let next = next.trim_ascii_start();
            if next.is_empty() || next.starts_with(';') {
                rest = next;
                continue;
            }
            let (name, value, after) = parameter(next)?;
            if parameters.iter().any(|(one, _)| *one == name) {
                return None;
            }
            parameters.push((name, value));
            rest = after.trim_ascii_start();
        }
        rest.is_empty().then_some(Self { essence, parameters })
    }

    /// A parameter, by its name in small letters.
    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(one, _)| one == name).map(|(_, value)| value.as_str())
    }

    /// Whether it is JSON, or a format that is JSON (RFC 6839 §3.1).
    pub(crate) fn is_json(&self) -> bool {
        let kind = self.essence.as_str();
        kind == "application/json" || (kind.starts_with("application/") && kind.ends_with("+json"))
    }
}

/// Whether a charset's name is one of UTF-8.
pub(crate) fn is_utf8(charset: &str) -> bool {
    charset.eq_ignore_ascii_case("utf-8") || charset.eq_ignore_ascii_case("utf8")
}

/// Name, value, and what follows.
fn parameter(text: &str) -> Option<(String, String, &str)> {
    let (name, rest) = text.split_once('=')?;
    let name = name.to_ascii_lowercase();
    let (value, after) = match rest.strip_prefix('"') {
        Some(quoted) => quoted.split_once('"')?,
        None => rest.split_at(rest.find([';', ' ', '\t']).unwrap_or(rest.len())),
    };
    let plain = value.bytes().all(|byte| byte != b'\\' && (byte == b' ' || byte.is_ascii_graphic()));
    let fits = is_token(&name) && plain && (rest.starts_with('"') || is_token(value));
    fits.then(|| (name, value.to_owned(), after))
}

fn is_token(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !text.is_empty() && text.bytes().all(fits)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_has_one_meaning_is_read() {
        let media = Media::parse("Text/HTML;Charset=\"UTF-8\" ; boundary=a-b;;").expect("a type");
        assert_eq!((media.essence.as_str(), media.parameter("charset")), ("text/html", Some("UTF-8")));
        assert_eq!((media.parameter("boundary"), media.parameter("x")), (Some("a-b"), None));
        for odd in [
            "",
            "text",
            "text/",
            "text/html, text/plain",
            "text/html; charset",
            "text/html; charset=",
            "text/html; charset =utf-8",
            "text/html; charset= utf-8",
            "text/html; charset=utf-8; charset=utf-16",
            "text/html; charset=\"utf-8",
            "text/html; charset=\"utf-\\8\"",
            "text/html; charset=\"utf-8\"x",
            "text/html; charset=utf-8 x",
            "text/html; charset=ü",
        ] {
            assert_eq!(Media::parse(odd), None, "{odd}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in ".{0,60}") {
            let _ = Media::parse(&text);
        }
    }
}
