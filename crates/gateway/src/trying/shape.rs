//! Values that look personal by their form: e-mail addresses, telephone numbers, bank accounts; and how they are named
//! in a report without being told.

use super::guess::Holds;
use std::ops::Range;

/// A value, where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) range: Range<usize>,
    pub(crate) holds: Holds,
}

/// All values in a text that have a form, in order and apart from each other; at most `most`.
pub(crate) fn look(text: &str, most: usize) -> Vec<Seen> {
    let mut all = emails(text, most);
    for seen in accounts(text, most).into_iter().chain(phones(text, most)) {
        let apart = |other: &Seen| other.range.end <= seen.range.start || seen.range.end <= other.range.start;
        if all.iter().all(apart) {
            all.push(seen);
        }
    }
    all.sort_by_key(|seen| seen.range.start);
    all.truncate(most);
    all
}

fn emails(text: &str, most: usize) -> Vec<Seen> {
    let bytes = text.as_bytes();
    let mut all: Vec<Seen> = Vec::new();
    for at in memchr::memchr_iter(b'@', bytes) {
        let local = |byte: &u8| byte.is_ascii_alphanumeric() || b"._+-".contains(byte);
        let domain = |byte: &u8| byte.is_ascii_alphanumeric() || b".-".contains(byte);
        let before = bytes[..at].iter().rev().take(64).take_while(|byte| local(byte)).count();
        let after = bytes[at + 1..].iter().take(253).take_while(|byte| domain(byte)).count();
        let name = bytes[at + 1..at + 1 + after].trim_ascii_end();
        let name = name.strip_suffix(b".").unwrap_or(name);
        let dot = name.iter().rposition(|byte| *byte == b'.');
        let top = dot.map(|dot| &name[dot + 1..]).unwrap_or_default();
        let named =
            dot.is_some_and(|dot| dot > 0) && top.len() >= 2 && top.iter().all(u8::is_ascii_alphabetic);
        // Tokens are no addresses, and neither are names of picture files such as logo@2x.png.
        let not_one = name.eq_ignore_ascii_case(b"token.invalid")
            || [&b"png"[..], b"jpg", b"svg", b"webp", b"css", b"js"]
                .iter()
                .any(|end| top.eq_ignore_ascii_case(end));
        if before > 0 && named && !not_one {
            all.push(Seen { range: at - before..at + 1 + name.len(), holds: Holds::Email });
            if all.len() >= most {
                break;
            }
        }
    }
    all
}

fn accounts(text: &str, most: usize) -> Vec<Seen> {
    let bytes = text.as_bytes();
    let mut all: Vec<Seen> = Vec::new();
    let mut at = 0;
    while at + 15 <= bytes.len() && all.len() < most {
        let length = crate::leak::account_at(bytes, at);
        match length.map(|length| bytes[at..at + length].trim_ascii_end().len()) {
            Some(length) => {
                all.push(Seen { range: at..at + length, holds: Holds::Iban });
                at += length;
            }
            None => at += 1,
        }
    }
    all
}

/// Numbers that begin with a plus sign or with zero and have seven to fifteen digits with the usual separators. Times, dates
/// and numbers of versions have other forms.
fn phones(text: &str, most: usize) -> Vec<Seen> {
    let bytes = text.as_bytes();
    let mut all: Vec<Seen> = Vec::new();
    let mut at = 0;
    while at < bytes.len() && all.len() < most {
        let begins = bytes[at] == b'+' || bytes[at] == b'0';
        let attached =
            at > 0 && (bytes[at - 1].is_ascii_alphanumeric() || b"+.,-_/#%&=;:@".contains(&bytes[at - 1]));
        if !begins || attached {
            at += 1;
            continue;
        }
        let length = phone_length(&bytes[at..]);
        match length {
            Some(length) => {
                all.push(Seen { range: at..at + length, holds: Holds::Phone });
                at += length;
            }
            None => at += bytes[at..].iter().take_while(|byte| byte.is_ascii_digit()).count().max(1),
        }
    }
    all
}

fn phone_length(bytes: &[u8]) -> Option<usize> {
    let plus = usize::from(bytes[0] == b'+');
    let (mut digits, mut groups, mut end, mut at) = (0, 1, plus, plus);
    while let Some(&byte) = bytes.get(at).filter(|_| at < 30) {
        match byte {
            b'0'..=b'9' => {
                digits += 1;
                end = at + 1;
            }
            b' ' | b'-' | b'/' | b'(' | b')' | b'.' => {
                let before = bytes.get(at.wrapping_sub(1)).is_some_and(u8::is_ascii_digit);
                groups += usize::from(before);
            }
            _ => break,
        }
        at += 1;
    }
    let followed = bytes.get(end).is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
    let ours = bytes.starts_with(b"+999") && digits == 15;
    // Without a plus sign only what is written in groups, or a German mobile number, is told from any other number.
    let told = plus == 1
        || groups >= 2
        || bytes.starts_with(b"015")
        || bytes.starts_with(b"016")
        || bytes.starts_with(b"017");
    let dated = bytes.get(2).is_some_and(|byte| b"./-".contains(byte)) && plus == 0 && digits == 8;
    ((7..=15).contains(&digits) && told && !followed && !ours && !dated).then_some(end)
}

/// A value as a report may show it: enough to find it on the page, too little to know it.
pub(crate) fn shortened(holds: Holds, value: &str) -> String {
    let first = |text: &str| text.chars().next().filter(|char| char.is_alphanumeric()).map(String::from);
    match holds {
        Holds::Email => "x…@…".replace('x', &first(value).unwrap_or_default()),
        Holds::Phone | Holds::Iban => {
            let head: String = value.chars().take(2).collect();
            format!("{}…", printable(&head))
        }
        _ => format!("{}…", first(value.trim()).unwrap_or_default()),
    }
}

/// A name of a field or member as a report may show it: on one line, and without a value that somebody made a name of.
pub(crate) fn printable(text: &str) -> String {
    let mut out = String::new();
    let mut at = 0;
    for seen in look(text, 16) {
        out.push_str(&text[at..seen.range.start]);
        out.push_str(&shortened(seen.holds, &text[seen.range.clone()]));
        at = seen.range.end;
    }
    out.push_str(&text[at..]);
    let plain = |char: char| if char.is_control() || is_turning(char) { '?' } else { char };
    let mut short: String = out.chars().take(80).map(plain).collect();
    if out.chars().count() > 80 {
        short.push('…');
    }
    short
}

/// Characters that turn the direction of a line round, or end it (UAX #9).
fn is_turning(char: char) -> bool {
    matches!(char, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{2028}' | '\u{2029}' | '\u{200e}' | '\u{200f}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn found(text: &str) -> Vec<(Holds, &str)> {
        look(text, 100).into_iter().map(|seen| (seen.holds, &text[seen.range])).collect()
    }

    #[test]
    fn what_has_a_form_is_found() {
        let text = "Jana <jana.m@werk.example>, +49 30 123456-7; 0151 2345678, (030) 1234567 DE89 3704 0044 0532 0130 00.";
        assert_eq!(
            found(text),
            [
                (Holds::Email, "jana.m@werk.example"),
                (Holds::Phone, "+49 30 123456-7"),
                (Holds::Phone, "0151 2345678"),
                (Holds::Phone, "030) 1234567"),
                (Holds::Iban, "DE89 3704 0044 0532 0130 00"),
            ]
        );
        let nothing = "2026-11-24 14:05 v1.0.234.5 01.02.2026 logo@2x.png user@localhost @mention 1234567 \
            obh_00000000000000000000000000@token.invalid +999000000000042 0 00 EUR 0,50";
        assert_eq!(found(nothing), []);
    }

    #[test]
    fn what_is_shown_tells_nobody() {
        assert_eq!(shortened(Holds::Email, "jana@werk.example"), "j…@…");
        assert_eq!(shortened(Holds::Phone, "+49301234567"), "+4…");
        assert_eq!(shortened(Holds::Name, " Jana Muster"), "J…");
        assert_eq!(printable("list[jana@werk.example]\n\u{202e}x"), "list[j…@…]??x");
        assert_eq!(printable(&"x".repeat(100)).chars().count(), 81);
    }

    proptest! {
        #[test]
        fn no_text_panics_and_ranges_are_in_order(text in any::<String>()) {
            let all = look(&text, 10);
            prop_assert!(all.len() <= 10);
            prop_assert!(all.windows(2).all(|two| two[0].range.end <= two[1].range.start));
            for seen in all { let _ = &text[seen.range]; }
            let _ = printable(&text);
        }

        #[test]
        fn digits_and_signs_do_not_panic(text in "[+0-9 ()/.@a-z-]{0,60}") {
            let _ = look(&text, 10);
        }
    }
}
