//! The request target and cookies, as rules see them.

use std::borrow::Cow;

use memchr::memchr;

use crate::Pairs;
use crate::body::{BodyError, Limits, unescape};

/// The target of a request line (RFC 9112 §3.2), taken apart.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Target<'a> {
    /// `REQUEST_URI`: path and query with their percent escapes taken off once, without scheme, authority and fragment.
    pub(crate) uri: Cow<'a, [u8]>,
    /// How many bytes of `uri` are the path.
    path: usize,
    /// Where in `uri` the last segment of the path begins.
    basename: usize,
    /// `QUERY_STRING`: what follows the first `?`, as it was sent, without the fragment. None without a `?`.
    pub(crate) query: Option<&'a [u8]>,
}

impl Target<'_> {
    /// `REQUEST_FILENAME`: the path, unescaped once.
    pub(crate) fn filename(&self) -> &[u8] {
        self.uri.get(..self.path).unwrap_or_default()
    }

    /// `REQUEST_BASENAME`: what follows the last `/` or `\` of the path; empty if there is neither.
    pub(crate) fn basename(&self) -> &[u8] {
        self.uri.get(self.basename..self.path).unwrap_or_default()
    }
}

/// Takes a target apart. The query begins at the first `?` that was sent, so that an escaped one (`/%3f…`) cannot hide the
/// rest of a path.
pub(crate) fn target(raw: &[u8]) -> Target<'_> {
    let sent = relative(before(raw, b'#'));
    let (path, query) = match memchr(b'?', sent) {
        Some(at) => (sent.get(..at).unwrap_or_default(), sent.get(at + 1..)),
        None => (sent, None),
    };
    let (uri, path) = match memchr(b'%', sent) {
        None => (Cow::Borrowed(sent), path.len()),
        Some(_) => {
            let mut uri = Vec::new();
            unescape(path, false, &mut uri);
            let length = uri.len();
            if let Some(query) = query {
                uri.push(b'?');
                unescape(query, false, &mut uri);
            }
            (Cow::Owned(uri), length)
        }
    };
    let filename = uri.get(..path).unwrap_or_default();
    let basename = memchr::memrchr2(b'/', b'\\', filename).map_or(path, |at| at + 1);
    Target { uri, path, basename, query }
}

/// What stands before the first `mark`.
fn before(text: &[u8], mark: u8) -> &[u8] {
    memchr(mark, text).and_then(|at| text.get(..at)).unwrap_or(text)
}

/// A target in absolute form (`http://host/path`) without scheme and authority; `/` if nothing is left.
fn relative(target: &[u8]) -> &[u8] {
    if target.first().is_none_or(|byte| !byte.is_ascii_alphabetic()) {
        return target;
    }
    let scheme =
        target.iter().take_while(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(byte)).count();
    let Some(rest) = target.get(scheme..).and_then(|rest| rest.strip_prefix(b"://")) else {
        return target;
    };
    let authority = rest.iter().position(|byte| b"/?".contains(byte)).unwrap_or(rest.len());
    match rest.get(authority..) {
        None | Some([]) => b"/",
        Some(rest) => rest,
    }
}

/// The cookies of one `Cookie` header, name and value as they were sent: pieces between `;`, each split at its first `=`,
/// without white space before a name and at the end of the header. A piece without `=` is a name.
///
/// # Errors
///
/// When there are more than the limits allow; those up to there are kept.
pub(crate) fn cookies(header: &[u8], limits: &Limits, into: &mut Pairs) -> Result<(), BodyError> {
    for piece in trim_end(header).split(|&byte| byte == b';') {
        let piece = trim_start(piece);
        if piece.is_empty() {
            continue;
        }
        if into.len() >= limits.cookies {
            return Err(BodyError::TooManyCookies);
        }
        match memchr(b'=', piece) {
            Some(at) => {
                into.push(piece.get(..at).unwrap_or_default(), piece.get(at + 1..).unwrap_or_default())
            }
            None => into.push(piece, b""),
        }
    }
    Ok(())
}

const fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r')
}

fn trim_start(mut text: &[u8]) -> &[u8] {
    while let [first, rest @ ..] = text
        && is_space(*first)
    {
        text = rest;
    }
    text
}

fn trim_end(mut text: &[u8]) -> &[u8] {
    while let [rest @ .., last] = text
        && is_space(*last)
    {
        text = rest;
    }
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn targets_are_taken_apart() {
        // What was sent; REQUEST_URI, REQUEST_FILENAME, REQUEST_BASENAME, QUERY_STRING.
        for (raw, uri, filename, basename, query) in [
            ("/a/b.php?x=1&y", "/a/b.php?x=1&y", "/a/b.php", "b.php", Some("x=1&y")),
            ("/a%2fb%20c/d.php?x=%41+b", "/a/b c/d.php?x=A+b", "/a/b c/d.php", "d.php", Some("x=%41+b")),
            ("/a?b?c=/x/y", "/a?b?c=/x/y", "/a", "a", Some("b?c=/x/y")),
            ("/%3fa=b?c=d", "/?a=b?c=d", "/?a=b", "?a=b", Some("c=d")),
            ("/a+b", "/a+b", "/a+b", "a+b", None),
            ("http://h.example/p/q?x=1", "/p/q?x=1", "/p/q", "q", Some("x=1")),
            ("HTTPS://u@h.example:1/p", "/p", "/p", "p", None),
            ("http://h.example", "/", "/", "", None),
            ("http://h.example?x=1/2", "?x=1/2", "", "", Some("x=1/2")),
            ("//h/p", "//h/p", "//h/p", "p", None),
            ("*", "*", "*", "", None),
            ("h.example:443", "h.example:443", "h.example:443", "", None),
            ("foo:bar/x", "foo:bar/x", "foo:bar/x", "x", None),
            ("", "", "", "", None),
            ("?x=1", "?x=1", "", "", Some("x=1")),
            ("/a/", "/a/", "/a/", "", None),
            ("/a\\b.asp?x", "/a\\b.asp?x", "/a\\b.asp", "b.asp", Some("x")),
            ("/%5cz", "/\\z", "/\\z", "z", None),
            ("/a#f?x=1", "/a", "/a", "a", None),
            ("/a?x=1#f", "/a?x=1", "/a", "a", Some("x=1")),
            ("/a%23x", "/a#x", "/a#x", "a#x", None),
            ("/a%00b?x=%00y", "/a\0b?x=\0y", "/a\0b", "a\0b", Some("x=%00y")),
            ("/a%zz%4", "/a%zz%4", "/a%zz%4", "a%zz%4", None),
            ("/p%25%32%66", "/p%2f", "/p%2f", "p%2f", None),
            ("/a?", "/a?", "/a", "a", Some("")),
            ("/a%2?5", "/a%2?5", "/a%2", "a%2", Some("5")),
        ] {
            let target = target(raw.as_bytes());
            let got = (&*target.uri, target.filename(), target.basename(), target.query);
            let expected =
                (uri.as_bytes(), filename.as_bytes(), basename.as_bytes(), query.map(str::as_bytes));
            assert_eq!(got, expected, "{raw}");
        }
    }

    #[test]
    fn cookies_are_split() {
        for (header, expected) in [
            ("a=1; b=2", "a=1|b=2"),
            ("a=1;b=2 ", "a=1|b=2"),
            (" a = 1 ; b= 2;", "a = 1 |b= 2"),
            (";;a=1", "a=1"),
            // The library skips this one with its value; an application may read it.
            ("=x; a", "=x|a="),
            ("a=b=c", "a=b=c"),
            ("a=\"q;r\"", "a=\"q|r\"="),
            ("a=1; a=2; A=3", "a=1|a=2|A=3"),
            ("a=%41+b", "a=%41+b"),
            ("a=1, b=2", "a=1, b=2"),
            ("\ta=1;\x0bb=2", "a=1|b=2"),
            ("; ;a=1 ; ", "a=1 "),
            ("", ""),
            (" ", ""),
        ] {
            let mut into = Pairs::default();
            cookies(header.as_bytes(), &Limits::default(), &mut into).expect("few");
            let got: Vec<String> = into
                .iter()
                .map(|(name, value)| {
                    format!("{}={}", String::from_utf8_lossy(name), String::from_utf8_lossy(value))
                })
                .collect();
            assert_eq!(got.join("|"), expected, "{header:?}");
        }
    }

    #[test]
    fn too_many_cookies_are_an_error() {
        let limits = Limits { cookies: 2, ..Limits::default() };
        let mut into = Pairs::default();
        assert_eq!(cookies(b"a=1; b=2", &limits, &mut into), Ok(()));
        assert_eq!(cookies(b"c=3", &limits, &mut into), Err(BodyError::TooManyCookies));
        assert_eq!(into.len(), 2);
    }

    proptest! {
        #[test]
        fn any_target_is_taken_apart(raw in proptest::collection::vec(any::<u8>(), 0..80)) {
            let target = target(&raw);
            prop_assert!(target.uri.starts_with(target.filename()));
            prop_assert!(target.filename().ends_with(target.basename()));
            prop_assert!(!target.basename().iter().any(|byte| b"/\\".contains(byte)));
            prop_assert!(target.uri.len() <= raw.len().max(1));
        }

        #[test]
        fn an_escaped_path_is_read_back(path in "[a-z /?#%+]{0,20}", query in "[a-z=&?]{0,20}") {
            let escaped: String = path.bytes().map(|byte| format!("%{byte:02x}")).collect();
            let raw = format!("/{escaped}?{query}");
            let target = target(raw.as_bytes());
            let path = format!("/{path}");
            prop_assert_eq!(target.filename(), path.as_bytes());
            prop_assert_eq!(target.query, Some(query.as_bytes()));
        }

        #[test]
        fn written_cookies_are_read(
            pairs in proptest::collection::vec(("[a-z][a-z0-9_]{0,8}", "[!-:<-~]([ -:<-~]{0,8}[!-:<-~])?"), 0..20),
        ) {
            let header = pairs.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ");
            let mut into = Pairs::default();
            cookies(header.as_bytes(), &Limits::default(), &mut into).expect("few");
            let got: Vec<_> = into.iter().collect();
            let expected: Vec<_> = pairs.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())).collect();
            prop_assert_eq!(got, expected);
        }
    }
}
