//! The `Content-Disposition` of a part (RFC 7578 §4.2).

use super::BodyError;
use crate::body::unescape;

/// What a `Content-Disposition` says. After an error it holds what was understood up to there.
#[derive(Default, PartialEq, Eq, Debug)]
pub(super) struct Disposition {
    /// The name of the field.
    pub(super) name: Vec<u8>,
    /// The names of the file: the one in `filename`, that without backslashes (RFC 9110 §5.6.4 takes all of them off, most
    /// readers but few) and the one in `filename*` (RFC 8187), as far as they differ. None if there is no file, or only
    /// empty names: a form without a chosen file.
    pub(super) filenames: Vec<Vec<u8>>,
    /// Whether a value is in single quotes.
    pub(super) single_quotes: bool,
    /// Whether another reader could find another name, or no file.
    pub(super) ambiguous: bool,
    pub(super) error: Option<BodyError>,
}

impl Disposition {
    /// That of a part which has none.
    pub(super) fn missing() -> Self {
        Self { error: Some(BodyError::Disposition), ..Self::default() }
    }

    /// Reads the value of the header.
    pub(super) fn read(value: &[u8]) -> Self {
        let mut found = Self::default();
        let mut seen = Seen::default();
        let read = found.parameters(value, &mut seen);
        found.name = seen.name.unwrap_or_default();
        if read.is_none() || found.name.is_empty() {
            found.error = Some(BodyError::Disposition);
        }
        // A reader that does not know `filename*` has a field here, as has one that wants UTF-8.
        found.ambiguous |=
            seen.extended.is_some() && seen.filename.is_none() || std::str::from_utf8(value).is_err();
        let plain = seen.filename.unwrap_or_default();
        let bare: Vec<u8> = plain.iter().copied().filter(|&byte| byte != b'\\').collect();
        for filename in [plain, bare, seen.extended.unwrap_or_default()] {
            if !filename.is_empty() && !found.filenames.contains(&filename) {
                found.filenames.push(filename);
            }
        }
        found
    }

    fn parameters(&mut self, value: &[u8], seen: &mut Seen) -> Option<()> {
        const KIND: &[u8] = b"form-data";
        let value = value.trim_ascii_start();
        let (kind, mut rest) = value.split_at_checked(KIND.len())?;
        if !kind.eq_ignore_ascii_case(KIND) {
            return None;
        }
        self.ambiguous |= kind != KIND;
        loop {
            rest = space(rest);
            rest = match rest {
                [] => return Some(()),
                [b';', rest @ ..] => space(rest),
                _ => return None,
            };
            if rest.is_empty() {
                return Some(());
            }
            // No white space around the equals sign: PHP then knows no such parameter.
            let end = rest.iter().position(|byte| b"=; \t\"'".contains(byte))?;
            let (key, after) = rest.split_at_checked(end)?;
            rest = self.parameter(key, after.strip_prefix(b"=")?, seen)?;
        }
    }

    /// Reads the value of a parameter; what follows it.
    fn parameter<'a>(&mut self, key: &[u8], text: &'a [u8], seen: &mut Seen) -> Option<&'a [u8]> {
        let (value, rest) = match text {
            [quote @ (b'"' | b'\''), inner @ ..] => {
                // Single quotes are quotes to PHP, and a part of the value to most.
                self.single_quotes |= *quote == b'\'';
                self.ambiguous |= *quote == b'\'';
                self.quoted(inner, *quote)?
            }
            _ => {
                let end = text.iter().position(|byte| !is_token(*byte)).unwrap_or(text.len());
                let (value, rest) = text.split_at_checked(end)?;
                // A quote begins a quoted text for PHP even here.
                self.ambiguous |= value.contains(&b'\'') && !key.ends_with(b"*");
                (value.to_vec(), rest)
            }
        };
        let is = |name: &str| key.eq_ignore_ascii_case(name.as_bytes());
        self.ambiguous |= key.iter().any(u8::is_ascii_uppercase) || looks_like_parameter(&value);
        let late = seen.extended.is_some();
        let (into, value) = match key {
            _ if is("name") => (&mut seen.name, value),
            _ if is("filename") => (&mut seen.filename, value),
            _ if is("filename*") => (&mut seen.extended, extended(&value)?),
            _ => return None,
        };
        if into.is_some() {
            return None;
        }
        // Django takes white space off; multer does not find `filename` after `filename*`.
        self.ambiguous |= value.trim_ascii().len() < value.len();
        self.ambiguous |= is("filename") && late;
        *into = Some(value);
        Some(rest)
    }

    /// A quoted value after its opening quote, and what follows its closing one. Only the quote and the backslash can be
    /// escaped: other backslashes are those of paths. There are readers that know no escape, one, two or all of them.
    fn quoted<'a>(&mut self, text: &'a [u8], quote: u8) -> Option<(Vec<u8>, &'a [u8])> {
        let mut value = Vec::new();
        let mut rest = text;
        loop {
            rest = match rest {
                [b'\\', byte, after @ ..] if *byte == quote || *byte == b'\\' => {
                    self.ambiguous = true;
                    value.push(*byte);
                    after
                }
                [byte, after @ ..] if *byte == quote => return Some((value, after)),
                [byte, after @ ..] => {
                    self.ambiguous |= *byte == b'\\';
                    value.push(*byte);
                    after
                }
                [] => return None,
            };
        }
    }
}

/// The parameters that were there already.
#[derive(Default)]
struct Seen {
    name: Option<Vec<u8>>,
    filename: Option<Vec<u8>>,
    extended: Option<Vec<u8>>,
}

/// `text` without blanks and tabulators at its start.
fn space(text: &[u8]) -> &[u8] {
    let start = text.iter().position(|byte| !b" \t".contains(byte)).unwrap_or(text.len());
    text.get(start..).unwrap_or_default()
}

/// A byte of a token (RFC 2045 §5.1).
const fn is_token(byte: u8) -> bool {
    byte.is_ascii_graphic()
        && !matches!(
            byte,
            b'(' | b')'
                | b'<'
                | b'>'
                | b'@'
                | b','
                | b';'
                | b':'
                | b'\\'
                | b'"'
                | b'/'
                | b'['
                | b']'
                | b'?'
                | b'='
        )
}

/// Whether something like `name=` or `filename=` stands in a value: a reader that searches for it finds it there.
fn looks_like_parameter(value: &[u8]) -> bool {
    const NAME: &[u8] = b"name";
    let follows = |at: usize| {
        let rest = value.get(at + NAME.len()..).unwrap_or_default();
        space(rest.strip_prefix(b"*").unwrap_or(rest)).starts_with(b"=")
    };
    let is = |(at, word): (usize, &[u8])| word.eq_ignore_ascii_case(NAME) && follows(at);
    value.windows(NAME.len()).enumerate().any(is)
}

/// The value of an extended parameter (RFC 8187 §3.2): character set, language and escaped bytes between single quotes.
fn extended(value: &[u8]) -> Option<Vec<u8>> {
    let mut pieces = value.split(|&byte| byte == b'\'');
    let (_, _, escaped) = (pieces.next()?, pieces.next()?, pieces.next()?);
    if pieces.next().is_some() {
        return None;
    }
    let mut out = Vec::new();
    unescape(escaped, false, &mut out);
    Some(out)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Name, file names, `?` if ambiguous, `'` if in single quotes, `!` after an error.
    fn read(value: &str) -> String {
        let found = Disposition::read(value.as_bytes());
        let mut text = String::from_utf8_lossy(&found.name).into_owned();
        for filename in found.filenames {
            text.push('|');
            text.push_str(&String::from_utf8_lossy(&filename));
        }
        for (mark, set) in [('?', found.ambiguous), ('\'', found.single_quotes), ('!', found.error.is_some())]
        {
            if set {
                text.push(mark);
            }
        }
        text
    }

    #[test]
    fn names_are_found() {
        for (value, expected) in [
            (" form-data; name=\"a\"", "a"),
            ("form-data;name=a", "a"),
            ("form-data; name=\"a\";", "a"),
            ("form-data; name=\"a\" ; filename=\"b\"", "a|b"),
            ("form-data; filename=\"b\"; name=\"a\"", "a|b"),
            ("form-data; name=\"a\"; filename=\"\"", "a"),
            ("form-data; name=\"a'b\"", "a'b"),
            ("form-data; name=\"a\"; filename=\"a;b=c\"", "a|a;b=c"),
            ("form-data; name=\"%41\"; filename=\"%22\"", "%41|%22"),
            ("form-data; name=\"a=b; names\"", "a=b; names"),
            ("form-data; name=\"\u{e9}\"", "\u{e9}"),
        ] {
            assert_eq!(read(value), expected, "{value}");
        }
    }

    /// What another reader could take otherwise.
    #[test]
    fn ambiguous_ones_are_marked() {
        for (value, expected) in [
            ("FORM-DATA; name=\"a\"", "a?"),
            ("form-data; NAME=\"a\"", "a?"),
            ("form-data; name=\"a\"; FileName=\"b\"", "a|b?"),
            ("form-data; name=a'b", "a'b?"),
            ("form-data; name='a'", "a?'"),
            ("form-data; name=\"a \"", "a ?"),
            ("form-data; filename*=utf-8''x; filename=x; name=a", "a|x?"),
            ("form-data; name=\"a\\\\b\"", "a\\b?"),
            ("form-data; name=\"C:\\x\"", "C:\\x?"),
            ("form-data; name=\"a\"; filename=\"x.p\\hp\"", "a|x.p\\hp|x.php?"),
            ("form-data; name=\"filename=x\"", "filename=x?"),
            ("form-data; name=\"a; fileName* =x\"", "a; fileName* =x?"),
            ("form-data; name='a; filename=b'", "a; filename=b?'"),
            ("form-data; name=\"a\\\"b\"", "a\"b?"),
            ("form-data; name=\"a\\\"; filename=\\\"x\"", "a\"; filename=\"x?"),
            ("form-data; name=\"a\"; filename*=utf-8''", "a?"),
            // The library refuses the first and does not look at the second name of the next.
            ("form-data; name=\"a\"; filename*=utf-8''x%2ephp", "a|x.php?"),
            ("form-data; name=\"a\"; filename=\"f.txt\"; filename*=UTF-8'en'x.php", "a|f.txt|x.php"),
            ("form-data; name=\"a\"; filename=\"f.txt\"; filename*=UTF-8''f.txt", "a|f.txt"),
        ] {
            assert_eq!(read(value), expected, "{value}");
        }
    }

    #[test]
    fn what_nobody_writes_is_refused() {
        for (value, expected) in [
            ("form-data", "!"),
            ("form-datax; name=\"a\"", "!"),
            ("attachment; name=\"a\"", "!"),
            ("form-data; filename=\"f\"", "|f!"),
            ("form-data; name=\"\"", "!"),
            ("form-data; name=", "!"),
            ("form-data; name", "!"),
            ("form-data name=\"a\"", "!"),
            ("form-data;; name=\"a\"", "!"),
            ("form-data; name=\"a\"; name=\"b\"", "a!"),
            ("form-data; name=\"\"; name=\"b\"", "!"),
            ("form-data; name=\"a\"; filename=\"f\"; filename=\"g\"", "a|f!"),
            ("form-data; name=\"a\"; x=y", "a!"),
            ("form-data; name*=utf-8''a", "!"),
            ("form-data; name=\"a\"; filename*0=\"f\"", "a!"),
            ("form-data; name=\"a\"; filename*=x.php", "a!"),
            ("form-data; name=\"a\"; filename*=utf-8'x.php", "a!"),
            ("form-data; filename*=utf-8''x'y; name=\"a\"", "!"),
            ("form-data; name = \"a\"", "!"),
            ("form-data; name=\"a\"; filename =\"b\"", "a!"),
            ("form-data; name=\"a\"; filename= \"b\"", "a!"),
            ("form-data; name=\"a\" x", "a!"),
            ("form-data; name=\"a\"x", "a!"),
            ("form-data; name=\"a", "!"),
            ("form-data; name=a b", "a!"),
            ("form-data; name=\"a\"; filename=a/b", "a|a!"),
            ("form-data; name=\"a=b\"; filename", "a=b!"),
            ("form-data; name=\"a\"; file name=\"b\"", "a!"),
            ("", "!"),
        ] {
            assert_eq!(read(value), expected, "{value}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(name in "[ -~é]{1,20}", filename in "[ -~é]{0,20}") {
            let quoted = |text: &str| text.replace('\\', "\\\\").replace('"', "\\\"");
            let value = format!("form-data; name=\"{}\"; filename=\"{}\"", quoted(&name), quoted(&filename));
            let found = Disposition::read(value.as_bytes());
            prop_assert_eq!(found.error, None);
            let escaped = [&name, &filename].iter().any(|text| text.contains(['"', '\\']));
            prop_assert!(found.ambiguous || !escaped);
            prop_assert_eq!(found.name, name.as_bytes());
            prop_assert_eq!(found.filenames.first().map_or(&b""[..], Vec::as_slice), filename.as_bytes());
        }

        #[test]
        fn any_value_ends(value in r#"(form-data|;| |=|"|'|\\|name|filename|\*|a|é){0,20}"#) {
            let found = Disposition::read(value.as_bytes());
            prop_assert!(found.name.len() <= value.len());
        }
    }
}
