//! Text that a lenient reader may take for JSON, although a strict one does not: with `NaN` or bytes that are no UTF-8 in it
//! (Python, Go), with comments, or with something in front.

use super::{Limits, keep};
use crate::Pairs;

/// Blanks that are passed over in search of the first sign.
const MOST_BLANKS: usize = 4_096;

/// Adds each string literal of a text, its escapes undone, and the whole text undone where that changes it. What is beyond the
/// limits of arguments is added as one.
pub(crate) fn literals(text: &[u8], name: &[u8], limits: &Limits, into: &mut Pairs) {
    let mut rest = Vec::new();
    let mut literal = Vec::new();
    let mut left = text;
    while let Some(start) = memchr::memchr(b'"', left) {
        literal.clear();
        left = undo(left.get(start + 1..).unwrap_or_default(), true, &mut literal);
        if literal.is_empty() {
            continue;
        }
        if keep(into, name, &literal, limits).is_err() {
            rest.extend_from_slice(&literal);
            rest.push(b'\n');
        }
    }
    if !rest.is_empty() {
        into.push(name, &rest);
    }
    if memchr::memchr(b'\\', text).is_some() {
        literal.clear();
        undo(text, false, &mut literal);
        into.push(name, &literal);
    }
}

/// Undoes escapes up to the end of a literal, or of the text; gives what stands behind it.
fn undo<'a>(mut text: &'a [u8], literal: bool, out: &mut Vec<u8>) -> &'a [u8] {
    loop {
        let end = match literal {
            true => memchr::memchr2(b'"', b'\\', text),
            false => memchr::memchr(b'\\', text),
        };
        let Some(end) = end else {
            out.extend_from_slice(text);
            return &[];
        };
        let (before, after) = text.split_at(end);
        out.extend_from_slice(before);
        match after {
            [b'"', rest @ ..] => return rest,
            [_, b'u', a, b, c, d, rest @ ..]
                if [a, b, c, d].iter().all(|digit| digit.is_ascii_hexdigit()) =>
            {
                let digit = |sign: &u8| char::from(*sign).to_digit(16).unwrap_or_default();
                let unit = digit(a) << 12 | digit(b) << 8 | digit(c) << 4 | digit(d);
                // Half a pair stands for a sign beyond ASCII, which hides nothing.
                let sign = char::from_u32(unit).unwrap_or('?');
                out.extend_from_slice(sign.encode_utf8(&mut [0; 4]).as_bytes());
                text = rest;
            }
            [_, sign, rest @ ..] => {
                out.push(match sign {
                    b'n' => b'\n',
                    b't' => b'\t',
                    b'r' => b'\r',
                    b'b' => 8,
                    b'f' => 12,
                    other => *other,
                });
                text = rest;
            }
            _ => return &[],
        }
    }
}

/// Whether JSON begins here in UTF-16 or UTF-32, as some readers find out by themselves.
pub(crate) fn is_wide(content: &[u8]) -> bool {
    let begins = |width: usize, is_big: bool| {
        let units = content.chunks_exact(width).take(MOST_BLANKS).map(|unit| {
            let value = |all: u32, byte: &u8| all << 8 | u32::from(*byte);
            if is_big { unit.iter().fold(0, value) } else { unit.iter().rev().fold(0, value) }
        });
        let first = units.into_iter().find(|unit| ![0xfeff, 0x20, 0x09, 0x0a, 0x0d].contains(unit));
        first.is_some_and(|unit| [u32::from(b'{'), u32::from(b'['), u32::from(b'"')].contains(&unit))
    };
    [(2, false), (2, true), (4, false), (4, true)].into_iter().any(|(width, is_big)| begins(width, is_big))
}

/// Whether nothing in it says that it is no text: no sign of control that JSON would not have.
pub(crate) fn is_textual(content: &[u8]) -> bool {
    !content.iter().any(|byte| matches!(byte, 0..=8 | 14..=26 | 28..=31))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &[u8], limits: &Limits) -> Vec<String> {
        let mut pairs = Pairs::default();
        literals(text, b"json", limits, &mut pairs);
        pairs.iter().map(|(_, value)| String::from_utf8_lossy(value).into_owned()).collect()
    }

    #[test]
    fn literals_are_undone_and_so_is_the_whole() {
        let limits = Limits::default();
        assert_eq!(
            found(br#"{"a":NaN,"b":"1\u0027 or"}"#, &limits),
            ["a", "b", "1' or", r#"{"a":NaN,"b":"1' or"}"#]
        );
        assert_eq!(found(b"[\"\xff\",\"x\\ty\\/\\q\"]", &limits)[1], "x\ty/q");
        assert_eq!(found(br#"["\ud83d\ude00\u00fc"]"#, &limits)[0], "??ü");
        assert_eq!(found(br#"["never ends\"#, &limits)[0], "never ends");
        assert_eq!(found(b"no literal", &limits), Vec::<String>::new());
        let few = Limits { arguments: 2, ..Limits::default() };
        assert_eq!(found(br#"["a","b","c","d"]"#, &few), ["a", "b", "c\nd\n"]);
    }

    #[test]
    fn wide_json_is_known_by_its_first_sign() {
        let wide =
            |text: &str, order: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(order).collect::<Vec<u8>>();
        for text in ["{\"a\":1}", "\u{feff}{\"a\":1}", " \r\n[1]", "\u{feff}\t\"x\""] {
            assert!(
                is_wide(&wide(text, u16::to_le_bytes)) && is_wide(&wide(text, u16::to_be_bytes)),
                "{text}"
            );
            let long = |order: fn(u32) -> [u8; 4]| {
                text.chars().flat_map(|sign| order(sign.into())).collect::<Vec<u8>>()
            };
            assert!(is_wide(&long(u32::to_le_bytes)) && is_wide(&long(u32::to_be_bytes)), "{text}");
            assert!(!is_wide(text.as_bytes()), "{text}");
        }
        assert!(!is_wide(&wide("\u{feff}a note", u16::to_le_bytes)));
        assert!(!is_wide(b"") && !is_wide(b"\x89PNG\r\n\x1a\n"));
    }
}
