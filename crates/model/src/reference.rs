//! References that an app gives its people.

/// Whether every app takes this for one reference and no other, so that a person may be made of it: a number as it is
/// counted (Python reads `1_7`, PHP `17-x` and many `٧` as numbers; JavaScript rounds what is beyond 2^53), a UUID as it is
/// usually written (RFC 9562 §4), or a word of small letters, since many databases take `W17` and `w17` for one, without the
/// name of a format at its end.
#[must_use]
pub fn is_canonical(text: &str) -> bool {
    is_number(text) || is_uuid(text) || is_word(text)
}

fn is_number(text: &str) -> bool {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    digits
        && (text == "0" || !text.starts_with('0'))
        && text.parse::<u64>().is_ok_and(|number| number < 1 << 53)
}

fn is_uuid(text: &str) -> bool {
    let fits = |(at, byte): (usize, u8)| match at {
        8 | 13 | 18 | 23 => byte == b'-',
        _ => byte.is_ascii_digit() || matches!(byte, b'a'..=b'f'),
    };
    text.len() == 36 && text.bytes().enumerate().all(fits)
}

/// Names of formats that some apps take off the end of a path.
const FORMATS: [&str; 16] = [
    "atom", "csv", "htm", "html", "ics", "js", "json", "md", "pdf", "rss", "txt", "xls", "xlsx", "xml",
    "yaml", "zip",
];

fn is_word(text: &str) -> bool {
    let format = text.rsplit_once('.').map(|(_, format)| format.to_ascii_lowercase());
    !format.is_some_and(|format| format.is_empty() || FORMATS.contains(&format.as_str()))
        && text.starts_with(|first: char| first.is_ascii_lowercase())
        && text.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_has_one_spelling() {
        for text in [
            "0",
            "7",
            "17",
            "9007199254740991",
            "0190c3a5-7d2e-7c3a-9b1f-0123456789ab",
            "w17",
            "anna.meier-2_b",
        ] {
            assert!(is_canonical(text), "{text}");
        }
        for text in [
            "",
            "00",
            "9007199254740992",
            "W17",
            "anna.Meier",
            "017",
            "+17",
            "-17",
            "1_7",
            "17-x",
            "17.0",
            "17.json",
            "1e1",
            "0x11",
            "٧",
            "１７",
            " 17",
            "17 ",
            "9223372036854775808",
            "0190C3A5-7D2E-7C3A-9B1F-0123456789AB",
            "0190c3a57d2e7c3a9b1f0123456789ab",
            "{0190c3a5-7d2e-7c3a-9b1f-0123456789ab}",
            "_w",
            "w 17",
            "w17.",
            "w17.JSON",
            "wü",
            "w/17",
            "w'17",
            "w\u{200b}",
        ] {
            assert!(!is_canonical(text), "{text}");
        }
    }
}
