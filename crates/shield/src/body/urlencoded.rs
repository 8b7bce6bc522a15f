//! `application/x-www-form-urlencoded` and query strings (WHATWG URL §5.1).

use memchr::{memchr, memchr2};

use super::{BodyError, Limits, Parsed, keep};
use crate::Pairs;

/// Whether all escapes of a query or form were two hexadecimal digits after their percent sign.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum Escapes {
    /// They were.
    #[default]
    Valid,
    /// Some were not; they stay as they are. This is what `URLENCODED_ERROR` says.
    Invalid,
}

impl Escapes {
    fn and(self, other: Self) -> Self {
        if other == Self::Invalid { other } else { self }
    }
}

/// The fields of a form.
pub fn urlencoded(body: &[u8], limits: &Limits, into: &mut Parsed) {
    match query(body, limits, &mut into.args) {
        Ok(escapes) => into.escapes = escapes,
        Err(error) => into.error = Some(error),
    }
}

/// The arguments of a query string: pieces between `&`, each split at its first `=`. Percent escapes are taken off once and
/// `+` is a space, in names and values; bytes that are no valid escape stay. A piece without `=` is a name with an empty
/// value, an empty piece is nothing.
///
/// # Errors
///
/// When there is more than the limits allow; the arguments up to there are kept.
pub fn query(text: &[u8], limits: &Limits, into: &mut Pairs) -> Result<Escapes, BodyError> {
    let mut escapes = Escapes::Valid;
    let (mut name, mut value) = (Vec::new(), Vec::new());
    let mut rest = text;
    while !rest.is_empty() {
        let piece = match memchr(b'&', rest) {
            Some(at) => {
                let (piece, after) = rest.split_at(at);
                rest = after.get(1..).unwrap_or_default();
                piece
            }
            None => std::mem::take(&mut rest),
        };
        if piece.is_empty() {
            continue;
        }
        let (raw_name, raw_value) = match memchr(b'=', piece) {
            Some(at) => (piece.get(..at).unwrap_or_default(), piece.get(at + 1..).unwrap_or_default()),
            None => (piece, &[][..]),
        };
        let (decoded_name, first) = form(raw_name, &mut name);
        let (decoded_value, second) = form(raw_value, &mut value);
        escapes = escapes.and(first).and(second);
        keep(into, decoded_name, decoded_value, limits)?;
    }
    Ok(escapes)
}

/// A name or value with `+` and escapes taken off; `space` is used if that changes anything.
fn form<'a>(text: &'a [u8], space: &'a mut Vec<u8>) -> (&'a [u8], Escapes) {
    if memchr2(b'%', b'+', text).is_none() {
        return (text, Escapes::Valid);
    }
    space.clear();
    let escapes = unescape(text, true, space);
    (space, escapes)
}

/// `text` with its percent escapes taken off once, appended to `out`; `+` is a space if `plus`.
pub(crate) fn unescape(text: &[u8], plus: bool, out: &mut Vec<u8>) -> Escapes {
    let mut escapes = Escapes::Valid;
    let mut rest = text;
    loop {
        // Escapes come in a row where text is not Latin; a search for each would be dear.
        let end = if rest.first() == Some(&b'%') { Some(0) } else { memchr(b'%', rest) };
        let (run, after) = rest.split_at(end.unwrap_or(rest.len()));
        if plus {
            out.extend(run.iter().map(|&byte| if byte == b'+' { b' ' } else { byte }));
        } else {
            out.extend_from_slice(run);
        }
        rest = match after {
            [] => return escapes,
            [_, high, low, after @ ..]
                if let Some(high) = hex(*high)
                    && let Some(low) = hex(*low) =>
            {
                out.push(high << 4 | low);
                after
            }
            [_, after @ ..] => {
                escapes = Escapes::Invalid;
                out.push(b'%');
                after
            }
        };
    }
}

const fn hex(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn pairs(text: &[u8]) -> Vec<(Vec<u8>, Vec<u8>)> {
        let mut into = Pairs::default();
        query(text, &Limits::default(), &mut into).expect("within the limits");
        into.iter().map(|(name, value)| (name.to_vec(), value.to_vec())).collect()
    }

    fn as_text(text: &[u8]) -> String {
        let pairs = pairs(text);
        let pairs =
            pairs.iter().map(|(name, value)| format!("{}={}", name.escape_ascii(), value.escape_ascii()));
        pairs.collect::<Vec<_>>().join("|")
    }

    #[test]
    fn known_answers() {
        for (text, expected) in [
            (&b""[..], ""),
            (b"x=1&y", "x=1|y="),
            (b"a=b=c&a=2", "a=b=c|a=2"),
            (b"a;b=1", "a;b=1"),
            (b"x=%41+b", "x=A b"),
            (b"a+b%3d=%26", "a b==&"),
            (b"x=%u0041&%zz=%4", "x=%u0041|%zz=%4"),
            (b"a=%", "a=%"),
            (b"a=%%41", "a=%A"),
            (b"x=%00y\0", r"x=\x00y\x00"),
            (b"&&a=1&&=b&=&c&d=&", "a=1|=b|=|c=|d="),
            (b"b?c=/x/y", "b?c=/x/y"),
            (b"\xff=\xfe", r"\xff=\xfe"),
            (b"a=%C3%a9", r"a=\xc3\xa9"),
        ] {
            assert_eq!(as_text(text), expected, "{}", text.escape_ascii());
        }
    }

    #[test]
    fn broken_escapes_are_told() {
        for (text, expected) in [
            (&b"a=%41+%7e"[..], Escapes::Valid),
            (b"a=%4", Escapes::Invalid),
            (b"%=1&b=2", Escapes::Invalid),
            (b"a=%u0041", Escapes::Invalid),
        ] {
            let mut parsed = Parsed::default();
            urlencoded(text, &Limits::default(), &mut parsed);
            assert_eq!((parsed.escapes, parsed.error), (expected, None), "{}", text.escape_ascii());
        }
    }

    #[test]
    fn limits_end_it_and_keep_what_was_read() {
        let limits = Limits { arguments: 3, argument_bytes: 10, ..Limits::default() };
        let mut parsed = Parsed::default();
        urlencoded(b"a&b&c", &limits, &mut parsed);
        assert_eq!((parsed.args.len(), parsed.error), (3, None));
        let mut parsed = Parsed::default();
        urlencoded(b"a&b&c&d", &limits, &mut parsed);
        assert_eq!((parsed.args.len(), parsed.error), (3, Some(BodyError::TooManyArguments)));
        let mut parsed = Parsed::default();
        urlencoded(b"a=12345&b=1234", &limits, &mut parsed);
        assert_eq!((parsed.args.len(), parsed.error), (1, Some(BodyError::TooManyBytes)));
    }

    /// A byte as a form writes it: as it is where that is allowed, else escaped.
    fn escape(text: &[u8], all: bool) -> Vec<u8> {
        let mut out = Vec::new();
        for &byte in text {
            match byte {
                b' ' if !all => out.push(b'+'),
                _ if byte.is_ascii_alphanumeric() && !all => out.push(byte),
                _ => out.extend_from_slice(format!("%{byte:02X}").as_bytes()),
            }
        }
        out
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(
            fields in proptest::collection::vec((".{0,8}", proptest::collection::vec(any::<u8>(), 0..16)), 0..20),
            all in any::<bool>(),
        ) {
            let fields: Vec<(Vec<u8>, Vec<u8>)> = fields.into_iter().map(|(name, value)| (name.into_bytes(), value)).collect();
            let text: Vec<Vec<u8>> = fields
                .iter()
                .map(|(name, value)| [escape(name, all), escape(value, all)].join(&b'='))
                .collect();
            prop_assert_eq!(pairs(&text.join(&b'&')), fields);
        }

        #[test]
        fn any_bytes_are_read(text in proptest::collection::vec(any::<u8>(), 0..200)) {
            let mut into = Pairs::default();
            prop_assert!(query(&text, &Limits::default(), &mut into).is_ok());
            prop_assert!(into.size() <= text.len());
        }
    }
}
