//! `@detectXSS`: whether a value would bring script into the HTML page that it is put into.
//!
//! The method is libinjection's (<https://github.com/libinjection/libinjection>): read the value as HTML, from each place in a page where it
//! may be put, and look for elements and attributes that run script. Unlike the version in ModSecurity 3.0.9, and like later ones, only
//! attributes that begin like a known event count as handlers: `onclick` does, `only` does not.

mod html;
mod names;

use crate::ByteSet;
use html::{Place, Token, Tokens};
use names::{Attribute, SCHEMES, attribute, is_script_element};

/// Whether a value of exactly these bytes may be an attack: without `<` there is no element, without `=` no attribute.
#[must_use]
pub const fn may_be_xss(bytes: ByteSet) -> bool {
    bytes.contains(b'<') || bytes.contains(b'=')
}

/// Whether `value` would run script, put between tags, into a tag, or into an attribute within any quotes.
#[must_use]
pub fn detect_xss(value: &[u8]) -> bool {
    if memchr::memchr2(b'<', b'=', value).is_none() {
        return false;
    }
    // A value without the quote that it is thought to be in stays within.
    let breaks_out =
        |quote| memchr::memchr(quote, value).is_some() && runs_script(value, Place::Quoted(quote));
    runs_script(value, Place::Text)
        || runs_script(value, Place::Tag)
        || breaks_out(b'\'')
        || breaks_out(b'"')
        || breaks_out(b'`')
}

fn runs_script(value: &[u8], place: Place) -> bool {
    let mut last = Attribute::Harmless;
    Tokens::new(value, place).any(|token| {
        let name = std::mem::replace(&mut last, Attribute::Harmless);
        match token {
            Token::Doctype => true,
            Token::Element(name) => is_script_element(name),
            Token::Attribute(name) => {
                last = attribute(name);
                false
            }
            Token::Value(value) => match name {
                Attribute::Harmless => false,
                Attribute::Script => true,
                Attribute::Address => runs_as_address(value),
                Attribute::Name => attribute(value) != Attribute::Harmless,
            },
            Token::Comment(text) => runs_as_comment(text),
            Token::Other => false,
        }
    })
}

/// Comments that are none for Internet Explorer, and declarations of XML.
fn runs_as_comment(text: &[u8]) -> bool {
    let starts = |start: &[u8]| text.get(..start.len()).is_some_and(|text| text.eq_ignore_ascii_case(start));
    memchr::memchr(b'`', text).is_some()
        || text.len() > 3 && (starts(b"[if") || starts(b"xml"))
        || starts(b"import")
        || starts(b"entity")
}

fn runs_as_address(value: &[u8]) -> bool {
    let start = value.iter().position(|byte| matches!(byte, 33..=126)).unwrap_or(value.len());
    SCHEMES.iter().any(|scheme| starts_with_scheme(&value[start..], scheme))
}

/// Compares as browsers do: character references resolved, white space at the start and bytes 0 and line feeds anywhere skipped.
fn starts_with_scheme(mut value: &[u8], scheme: &str) -> bool {
    let mut wanted = scheme.bytes().peekable();
    let mut started = false;
    while let Some(&byte) = wanted.peek() {
        if value.is_empty() {
            return false;
        }
        let (code, length) = character(value);
        value = &value[length..];
        if (!started && code <= 32) || code == 0 || code == 10 {
            continue;
        }
        started = true;
        if u8::try_from(code).is_ok_and(|code| code.eq_ignore_ascii_case(&byte)) {
            wanted.next();
        } else {
            return false;
        }
    }
    true
}

/// The character at the start of `value`, which is not empty, and how many bytes it takes. A byte is a character unless it starts a
/// numeric reference.
fn character(value: &[u8]) -> (u32, usize) {
    let (start, base) = match value {
        [b'&', b'#', b'x' | b'X', ..] => (3, 16),
        [b'&', b'#', ..] => (2, 10),
        _ => return (u32::from(value[0]), 1),
    };
    let reference = || {
        let mut code = char::from(*value.get(start)?).to_digit(base)?;
        let mut length = start + 1;
        while let Some(digit) = value.get(length).and_then(|&byte| char::from(byte).to_digit(base)) {
            code = code * base + digit;
            if code > 0x10_ffff {
                return None;
            }
            length += 1;
        }
        Some((code, length + usize::from(value.get(length) == Some(&b';'))))
    };
    reference().unwrap_or((u32::from(b'&'), 1))
}
