//! How the letters of an answer are written as bytes. Tokens are found where ASCII is ASCII; where it is not, they would
//! pass unseen.

use crate::media::Media;

/// How an answer is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Script {
    /// A text, in which ASCII is ASCII as far as its type tells.
    Text,
    /// No text, or one that is always UTF-8.
    Other,
    /// In a way in which ASCII is written otherwise, or nobody knows.
    Unreadable,
}

/// How the names of charsets begin in which ASCII is ASCII, beside the numbered ones.
const NAMED: [&str; 14] = [
    "utf-8",
    "utf8",
    "us-ascii",
    "ascii",
    "latin",
    "koi8-",
    "gb2312",
    "gbk",
    "gb18030",
    "big5",
    "euc-",
    "shift_jis",
    "tis-620",
    "macintosh",
];
/// The same, before a number.
const NUMBERED: [&str; 4] = ["iso-8859-", "iso8859-", "windows-", "cp125"];

impl Script {
    /// By the type.
    pub(crate) fn of(content_type: &str) -> Self {
        let Some(media) = Media::parse(content_type) else { return Self::unclear(content_type) };
        if media.parameter("charset").is_some_and(|charset| !has_ascii(&charset.to_ascii_lowercase())) {
            return Self::Unreadable;
        }
        let essence = media.essence.as_str();
        let is_text = (essence.starts_with("text/") && essence != "text/event-stream")
            || media.is_json()
            || essence.ends_with("/xml")
            || essence.ends_with("+xml")
            || essence.ends_with("javascript")
            || media.parameter("charset").is_some();
        if is_text { Self::Text } else { Self::Other }
    }

    /// A type that is not written as one. What cannot be a page for anybody, such as a document with blanks in its name, goes
    /// on; whatever a browser could take for text does not.
    fn unclear(content_type: &str) -> Self {
        let essence = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        let is_binary = ["application/", "image/", "audio/", "video/", "font/"].iter().any(|kind| {
            essence.strip_prefix(kind).is_some_and(|rest| {
                let is_plain =
                    rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte));
                let is_text = ["json", "xml", "script", "html"].iter().any(|text| rest.contains(text));
                !rest.is_empty() && is_plain && !is_text
            })
        });
        let names_charset = content_type.to_ascii_lowercase().contains("charset");
        if is_binary && !names_charset { Self::Other } else { Self::Unreadable }
    }
}

/// Whether a charset writes ASCII as ASCII.
fn has_ascii(charset: &str) -> bool {
    let is_number = |rest: &str| rest.starts_with(|first: char| first.is_ascii_digit());
    NAMED.iter().any(|name| charset.starts_with(name))
        || NUMBERED.iter().any(|name| charset.strip_prefix(name).is_some_and(is_number))
}

/// Whether a text is written in units of two or four bytes, whatever its type says: a browser believes the mark at its
/// beginning more than the type, and UTF-8 has no zero bytes but for U+0000.
pub(crate) fn is_wide(text: &[u8]) -> bool {
    text.starts_with(&[0xff, 0xfe]) || text.starts_with(&[0xfe, 0xff]) || memchr::memchr(0, text).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_ascii_is_something_else_nothing_is_read() {
        for kind in [
            "text/html; charset=utf-16",
            "text/plain; charset=UTF-16LE",
            "application/octet-stream; charset=utf-32",
            "text/csv; charset=ibm037",
            "text/plain; charset=utf-7",
            "text/plain; charset=windows-x",
            "text/plain; charset=iso-10646-ucs-2",
            "text/plain; charset=hz-gb-2312",
            "text/plain; charset=iso-2022-jp",
            "text/html; charset",
            "html",
        ] {
            assert_eq!(Script::of(kind), Script::Unreadable, "{kind}");
        }
        for kind in [
            "text/html",
            "text/plain; charset=windows-1252",
            "application/xml; charset=ISO-8859-15",
            "image/svg+xml",
        ] {
            assert_eq!(Script::of(kind), Script::Text, "{kind}");
        }
        for kind in ["image/png", "text/event-stream", "application/octet-stream"] {
            assert_eq!(Script::of(kind), Script::Other, "{kind}");
        }
        assert!(is_wide(b"o\0b\0h\0_\0") && is_wide(b"\xff\xfeo") && is_wide(b"\xfe\xff\0o"));
        assert!(!is_wide("\u{feff}Jörg".as_bytes()) && !is_wide(b""));
    }
}
