//! Small texts inside of a case: base64, templates, form encoding, ids in a pattern.

use data_encoding::BASE64;

use super::Unbuildable;

/// Most bytes that a template may grow to.
const LARGEST_DATA: usize = 16 << 20;

/// Decodes base64 that may be broken into lines.
pub(super) fn base64(text: &str) -> Result<Vec<u8>, Unbuildable> {
    let joined: Vec<u8> = text.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    BASE64.decode(&joined).map_err(|_| Unbuildable::Base64)
}

/// The rule of a pattern that asks for `id "942100"` and for nothing else.
pub(super) fn only_id(pattern: &str) -> Option<u64> {
    let bare = pattern.trim().trim_start_matches("\\[").trim_start_matches('[');
    let digits =
        bare.strip_prefix("id \"")?.trim_end_matches(']').trim_end_matches('\\').strip_suffix('"')?;
    digits.parse().ok()
}

/// Fills in the templates of `data`.
///
/// go-ftw hands the text to Go's template engine with the functions of sprig; CRS uses one of them,
/// `{{ "x" | repeat 100 }}`. That one is known here in both of its spellings; any other is an error, so that no case is
/// run with a body that its author did not mean.
pub(super) fn template(data: &str) -> Result<Vec<u8>, Unbuildable> {
    let mut out = Vec::with_capacity(data.len());
    let mut rest = data;
    while let Some((before, after)) = rest.split_once("{{") {
        let (action, behind) = after.split_once("}}").ok_or(Unbuildable::Template)?;
        out.extend_from_slice(before.as_bytes());
        let (piece, times) = repetition(action).ok_or(Unbuildable::Template)?;
        let grown = piece.len().checked_mul(times).and_then(|length| length.checked_add(out.len()));
        if grown.is_none_or(|length| length > LARGEST_DATA) {
            return Err(Unbuildable::TooLarge);
        }
        out.extend(piece.bytes().cycle().take(piece.len().saturating_mul(times)));
        rest = behind;
    }
    out.extend_from_slice(rest.as_bytes());
    if out.len() > LARGEST_DATA { Err(Unbuildable::TooLarge) } else { Ok(out) }
}

/// Piece and count of `"x" | repeat 3` or `repeat 3 "x"`. Escapes inside of the quotes are not known.
fn repetition(action: &str) -> Option<(&str, usize)> {
    let action = action.trim();
    let (quoted, count) = match action.split_once('|') {
        Some((quoted, call)) => (quoted.trim(), call.trim().strip_prefix("repeat")?.trim()),
        None => {
            let (count, quoted) = action.strip_prefix("repeat")?.trim().split_once(' ')?;
            (quoted.trim(), count)
        }
    };
    let piece = quoted.strip_prefix('"')?.strip_suffix('"')?;
    if piece.contains(['\\', '"']) {
        return None;
    }
    Some((piece, count.parse().ok()?))
}

/// Encodes the values of a form whose author wrote them plainly, as go-ftw does: names and values are escaped, the `&`
/// and the first `=` of each pair stay.
///
/// Data that hold `%` or `+` count as encoded already and stay as they are.
pub(super) fn form(data: &[u8]) -> Vec<u8> {
    if data.iter().any(|byte| matches!(byte, b'%' | b'+')) {
        return data.to_vec();
    }
    let mut out = Vec::with_capacity(data.len());
    // A last empty pair vanishes with its separator.
    let data = data.strip_suffix(b"&").unwrap_or(data);
    for (number, pair) in data.split(|&byte| byte == b'&').enumerate() {
        if number > 0 {
            out.push(b'&');
        }
        let mut halves = pair.splitn(2, |&byte| byte == b'=');
        escape(halves.next().unwrap_or_default(), &mut out);
        if let Some(value) = halves.next() {
            out.push(b'=');
            escape(value, &mut out);
        }
    }
    out
}

/// Go's `url.QueryEscape`.
fn escape(text: &[u8], out: &mut Vec<u8>) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    for &byte in text {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => out.push(byte),
            b' ' => out.push(b'+'),
            _ => out.extend([b'%', HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ids_are_taken_from_patterns_that_ask_for_nothing_else() {
        for pattern in ["id \"942100\"", "[id \"942100\"]", "\\[id \"942100\"\\]"] {
            assert_eq!(only_id(pattern), Some(942_100), "{pattern}");
        }
        for pattern in ["id \"942100", "id \"94.*\"", "found within", "id \"1\".*msg \"x\""] {
            assert_eq!(only_id(pattern), None, "{pattern}");
        }
    }

    #[test]
    fn templates_repeat_in_both_spellings() {
        assert_eq!(template("a={{ \"xy\" | repeat 3 }}!").as_deref(), Ok(b"a=xyxyxy!".as_slice()));
        assert_eq!(template("{{repeat 2 \"z\"}}{{ \"\" | repeat 9 }}").as_deref(), Ok(b"zz".as_slice()));
        assert_eq!(template("no template").as_deref(), Ok(b"no template".as_slice()));
    }

    #[test]
    fn other_templates_are_refused_and_large_ones_too() {
        for text in
            ["{{ 7*7 }}", "{{", "{{ \"a\" | upper }}", "{{ repeat x \"a\" }}", "{{ \"\\n\" | repeat 2 }}"]
        {
            assert_eq!(template(text), Err(Unbuildable::Template), "{text}");
        }
        assert_eq!(template("{{ \"ab\" | repeat 99999999 }}"), Err(Unbuildable::TooLarge));
        assert_eq!(template("{{ \"ab\" | repeat 18446744073709551615 }}"), Err(Unbuildable::TooLarge));
    }

    #[test]
    fn base64_may_be_broken_into_lines() {
        assert_eq!(base64("R0VU\nIC8=\n").as_deref(), Ok(b"GET /".as_slice()));
        assert_eq!(base64("R0VU!"), Err(Unbuildable::Base64));
    }

    #[test]
    fn plain_forms_are_encoded_and_encoded_ones_stay() {
        assert_eq!(form(b"a=b c&d=<x=y>&e"), b"a=b+c&d=%3Cx%3Dy%3E&e");
        assert_eq!(form(b"a=%20<"), b"a=%20<");
        assert_eq!(form(b"a=1+<"), b"a=1+<");
        assert_eq!(form(b"a=1&"), b"a=1");
        assert_eq!(form("ü".as_bytes()), b"%C3%BC");
    }

    proptest! {
        #[test]
        fn an_encoded_form_holds_its_bytes(data in proptest::collection::vec(any::<u8>(), 0..200)) {
            if data.iter().any(|byte| matches!(byte, b'%' | b'+')) {
                prop_assert_eq!(form(&data), data);
            } else {
                let whole = data.strip_suffix(b"&").unwrap_or(&data);
                prop_assert_eq!(plain(&form(&data)), whole);
            }
        }
    }

    /// Undoes `escape`, the plain way.
    fn plain(text: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        let mut bytes = text.iter();
        while let Some(&byte) = bytes.next() {
            match byte {
                b'+' => out.push(b' '),
                b'%' => {
                    let mut digit =
                        || bytes.next().and_then(|&digit| char::from(digit).to_digit(16)).expect("a digit");
                    out.push(u8::try_from(digit() * 16 + digit()).expect("a byte"));
                }
                _ => out.push(byte),
            }
        }
        out
    }
}
