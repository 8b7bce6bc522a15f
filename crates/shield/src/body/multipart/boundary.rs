//! The boundary parameter of a `Content-Type` (RFC 2046 §5.1.1).

use super::{BodyError, Flags};

/// Bytes of a `Content-Type` at most.
const LENGTH: usize = 1024;
/// Bytes of a boundary at most (RFC 2046 §5.1.1).
const BOUNDARY: usize = 70;
const NAME: &[u8] = b"boundary";

/// The boundary that a `Content-Type` names.
///
/// # Errors
///
/// When there is none, or when one reader would find another one than the next: two of them, something like
/// `boundary*0=`, the word in another case, half a pair of quotation marks, white space around it, a comma outside
/// quotation marks (where PHP ends it), a byte that no boundary has.
pub(super) fn parameter<'a>(content_type: &'a [u8], flags: &mut Flags) -> Result<&'a [u8], BodyError> {
    const ERROR: BodyError = BodyError::BoundaryParameter;
    const MEDIA: &[u8] = b"multipart/form-data";
    let text = content_type.trim_ascii();
    let (media, mut rest) = text.split_at_checked(MEDIA.len()).ok_or(ERROR)?;
    if text.len() > LENGTH || !media.eq_ignore_ascii_case(MEDIA) || mentions(rest) != 1 {
        return Err(ERROR);
    }
    let mut found = None;
    let mut first = true;
    loop {
        let space = rest.len();
        rest = rest.trim_ascii_start();
        let spaced = rest.len() < space;
        match rest {
            [] => break,
            [b';', after @ ..] => rest = after.trim_ascii_start(),
            _ if first && spaced => flags.missing_semicolon = true,
            _ => return Err(ERROR),
        }
        if rest.is_empty() {
            break;
        }
        first = false;
        let one = Parameter::read(rest, flags)?;
        rest = one.after;
        if one.name == NAME {
            found = Some(check(one.value, one.quoted, flags)?);
        } else if contains_name(one.name) {
            return Err(ERROR);
        }
    }
    found.ok_or(ERROR)
}

/// One parameter, and what follows it.
struct Parameter<'a> {
    name: &'a [u8],
    value: &'a [u8],
    quoted: bool,
    after: &'a [u8],
}

impl<'a> Parameter<'a> {
    fn read(text: &'a [u8], flags: &mut Flags) -> Result<Self, BodyError> {
        const ERROR: BodyError = BodyError::BoundaryParameter;
        let equals = text.iter().position(|&byte| byte == b'=').ok_or(ERROR)?;
        let (spaced_name, value) = text.split_at_checked(equals).ok_or(ERROR)?;
        let value = value.get(1..).unwrap_or_default();
        let name = spaced_name.trim_ascii_end();
        let spaced = value.first().is_some_and(u8::is_ascii_whitespace);
        if contains_name(name) && (name.len() < spaced_name.len() || spaced) {
            flags.boundary_whitespace = true;
        }
        if spaced || name.is_empty() || name.iter().any(|byte| b"; \t\r\n\x0b\x0c,\"".contains(byte)) {
            return Err(ERROR);
        }
        if let [b'"', inner @ ..] = value {
            let end = inner.iter().position(|byte| b"\"\\".contains(byte)).ok_or(ERROR)?;
            let (value, rest) = inner.split_at_checked(end).ok_or(ERROR)?;
            let after = rest.strip_prefix(b"\"").ok_or(ERROR)?;
            return Ok(Self { name, value, quoted: true, after });
        }
        let end = value.iter().position(|&byte| byte == b';').unwrap_or(value.len());
        let (value, after) = value.split_at_checked(end).ok_or(ERROR)?;
        if value.iter().any(|byte| byte.is_ascii_whitespace() || *byte == b'"') {
            return Err(ERROR);
        }
        Ok(Self { name, value, quoted: false, after })
    }
}

/// Checks the bytes of a boundary.
fn check<'a>(boundary: &'a [u8], quoted: bool, flags: &mut Flags) -> Result<&'a [u8], BodyError> {
    let allowed = |byte: &u8| byte.is_ascii_alphanumeric() || b"'()+_,-./:=? ".contains(byte);
    let valid = (1..=BOUNDARY).contains(&boundary.len())
        && boundary.iter().all(allowed)
        && boundary.last() != Some(&b' ')
        && (quoted || !boundary.contains(&b','));
    if !valid {
        return Err(BodyError::BoundaryParameter);
    }
    flags.boundary_quoted = quoted;
    // These are no bytes of a token (RFC 9110 §5.6.2): a reader may end there.
    flags.ambiguous |= !quoted && boundary.iter().any(|byte| b"()/:=?".contains(byte));
    Ok(boundary)
}

/// How often something like `boundary=` stands in the text; a reader may search for just that.
fn mentions(text: &[u8]) -> usize {
    let is = |at: &usize| {
        text.get(*at..*at + NAME.len()).is_some_and(|word| word.eq_ignore_ascii_case(NAME))
            && text.get(*at + NAME.len()..).unwrap_or_default().trim_ascii_start().first() == Some(&b'=')
    };
    (0..text.len()).filter(is).count()
}

fn contains_name(text: &[u8]) -> bool {
    text.windows(NAME.len()).any(|word| word.eq_ignore_ascii_case(NAME))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(content_type: &str) -> (Option<String>, Flags) {
        let mut flags = Flags::default();
        let found = parameter(content_type.as_bytes(), &mut flags).ok();
        (found.map(|boundary| String::from_utf8_lossy(boundary).into_owned()), flags)
    }

    #[test]
    fn boundaries_are_found() {
        let plain = Flags::default();
        for (content_type, boundary, flags) in [
            ("multipart/form-data; boundary=B", "B", plain),
            ("MULTIPART/FORM-DATA;boundary=B;", "B", plain),
            (" multipart/form-data ; boundary=B ", "B", plain),
            ("multipart/form-data; boundary=B; charset=utf-8", "B", plain),
            // The library takes no parameter before it and none after a quoted one.
            ("multipart/form-data; charset=utf-8; boundary=B", "B", plain),
            ("multipart/form-data; boundary=\"B\"; charset=x", "B", Flags { boundary_quoted: true, ..plain }),
            (
                "multipart/form-data; boundary=----WebKitFormBoundaryABC; charset=utf-8",
                "----WebKitFormBoundaryABC",
                plain,
            ),
            ("multipart/form-data; boundary=\"a, b\"", "a, b", Flags { boundary_quoted: true, ..plain }),
            ("multipart/form-data boundary=B", "B", Flags { missing_semicolon: true, ..plain }),
            ("multipart/form-data; boundary =B", "B", Flags { boundary_whitespace: true, ..plain }),
            ("multipart/form-data; boundary=a:b", "a:b", Flags { ambiguous: true, ..plain }),
        ] {
            assert_eq!(read(content_type), (Some(boundary.into()), flags), "{content_type}");
        }
    }

    #[test]
    fn what_two_readers_would_read_differently_is_refused() {
        for content_type in [
            "multipart/form-data",
            "multipart/form-data;",
            "multipart/mixed; boundary=B",
            "multipart/form-dataX; boundary=B",
            "multipart/form-data, boundary=B",
            "multipart/form-data; Boundary=B",
            "multipart/form-data; boundary=B; boundary=C",
            "multipart/form-data; boundary=B; BOUNDARY=C",
            "multipart/form-data; x=\"boundary=C\"; boundary=B",
            "multipart/form-data; xboundary=C; boundary=B",
            "multipart/form-data; xboundary=C",
            "multipart/form-data; boundary*=utf-8''C; boundary=B",
            "multipart/form-data; boundary*0=B",
            "multipart/form-data; boundary*0=B; boundary*1=C",
            "multipart/form-data; boundary= B",
            "multipart/form-data; boundary=B ; x=y",
            "multipart/form-data; boundary=B C",
            "multipart/form-data; boundary=\"B",
            "multipart/form-data; boundary=B\"",
            "multipart/form-data; boundary=\"B\"x",
            "multipart/form-data; boundary=\"B\\\"\"",
            "multipart/form-data; boundary=\"B \"",
            "multipart/form-data; boundary=\"\"",
            "multipart/form-data; boundary=",
            "multipart/form-data; boundary=B*",
            "multipart/form-data; boundary=B,C",
            "multipart/form-data; boundary=\"B\u{e9}\"",
            "multipart/form-data;; boundary=B",
            "multipart/form-data; boundary",
            "",
        ] {
            assert_eq!(read(content_type).0, None, "{content_type}");
        }
        let longest = format!("multipart/form-data; boundary={}", "B".repeat(70));
        assert!(read(&longest).0.is_some());
        assert!(read(&format!("{longest}B")).0.is_none());
        assert!(read(&format!("multipart/form-data; boundary=B; x={}", "y".repeat(1024))).0.is_none());
    }
}
