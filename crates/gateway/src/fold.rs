//! Looks for storage tokens in what a client sends, through the disguises that an app would take off: percent signs
//! (once, twice, thrice), character references, escapes of JSON and JavaScript, full-width letters, characters that do
//! not show.
//!
//! A storage token exists between gateway and app alone. One that comes from a client was stolen or guessed, and is
//! refused (DESIGN §7).

use crate::find;
use std::borrow::Cow;

/// How often one layer may lie on another.
const LAYERS: usize = 4;
/// How much of a stream is looked at again with its next piece.
const OVERLAP: usize = 1 << 10;

/// Whether a whole storage token stands in these bytes, disguised or not.
#[must_use]
pub fn holds_token(bytes: &[u8]) -> bool {
    if has(bytes) {
        return true;
    }
    let mut folded = Cow::Borrowed(bytes);
    for _ in 0..LAYERS {
        if !is_disguised(&folded) {
            return false;
        }
        let next = fold(&folded);
        if next == *folded {
            return false;
        }
        if has(&next) {
            return true;
        }
        folded = Cow::Owned(next);
    }
    false
}

fn has(bytes: &[u8]) -> bool {
    find::certain(bytes).iter().any(|found| {
        let text = String::from_utf8_lossy(&bytes[found.start..found.end]).to_ascii_lowercase();
        found.token.is_some() || model::token::StorageToken::parse(&text).is_some()
    })
}

fn is_disguised(bytes: &[u8]) -> bool {
    memchr::memchr3(b'%', b'&', b'\\', bytes).is_some() || bytes.iter().any(|byte| *byte >= 0x80)
}

/// Takes one layer off.
fn fold(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let rest = &bytes[at..];
        let (taken, put) = match byte {
            b'%' => percent(rest),
            b'&' => reference(rest),
            b'\\' => escape(rest),
            0x80.. => beyond_ascii(rest),
            _ => None,
        }
        .unwrap_or((1, Put::Byte(byte)));
        match put {
            Put::Byte(byte) => out.push(byte),
            Put::Char(char) => push_char(&mut out, char),
            Put::Nothing => {}
        }
        at += taken;
    }
    out
}

enum Put {
    Byte(u8),
    Char(u32),
    Nothing,
}

fn push_char(out: &mut Vec<u8>, code: u32) {
    let Some(char) = char::from_u32(code) else { return };
    let mut buffer = [0; 4];
    out.extend_from_slice(char.encode_utf8(&mut buffer).as_bytes());
}

fn hex(digits: &[u8]) -> Option<u32> {
    let text = std::str::from_utf8(digits).ok().filter(|text| !text.is_empty())?;
    text.bytes().all(|byte| byte.is_ascii_hexdigit()).then(|| u32::from_str_radix(text, 16).ok()).flatten()
}

fn percent(rest: &[u8]) -> Option<(usize, Put)> {
    // `%uXXXX` is no standard, and some decode it.
    if rest.get(1).is_some_and(|byte| byte.eq_ignore_ascii_case(&b'u')) {
        return Some((6, Put::Char(hex(rest.get(2..6)?)?)));
    }
    let byte = u8::try_from(hex(rest.get(1..3)?)?).ok()?;
    Some((3, Put::Byte(byte)))
}

fn reference(rest: &[u8]) -> Option<(usize, Put)> {
    const NAMED: [(&[u8], u32); 8] = [
        (b"&lowbar;", 0x5f),
        (b"&UnderBar;", 0x5f),
        (b"&amp;", 0x26),
        (b"&percnt;", 0x25),
        (b"&bsol;", 0x5c),
        (b"&shy;", 0xad),
        (b"&ZeroWidthSpace;", 0x200b),
        (b"&zwnj;", 0x200c),
    ];
    for (name, code) in NAMED {
        if rest.starts_with(name) {
            return Some((name.len(), Put::Char(code)));
        }
    }
    let digits = rest.strip_prefix(b"&#")?;
    let (radix, digits, lead) = match digits.first() {
        Some(b'x' | b'X') => (16, &digits[1..], 3),
        _ => (10, digits, 2),
    };
    let length = digits.iter().take_while(|byte| (**byte as char).is_digit(radix)).count();
    let significant = std::str::from_utf8(&digits[..length]).ok()?.trim_start_matches('0');
    let code = u32::from_str_radix(significant, radix).ok()?;
    let end = lead + length;
    Some((end + usize::from(rest.get(end) == Some(&b';')), Put::Char(code)))
}

fn escape(rest: &[u8]) -> Option<(usize, Put)> {
    match rest.get(1)? {
        b'u' if rest.get(2) == Some(&b'{') => {
            let length = rest[3..].iter().take(12).take_while(|byte| byte.is_ascii_hexdigit()).count();
            let code = hex(&rest[3..3 + length])?;
            (rest.get(3 + length) == Some(&b'}')).then_some((4 + length, Put::Char(code)))
        }
        b'u' => Some((6, Put::Char(hex(rest.get(2..6)?)?))),
        b'x' => Some((4, Put::Char(hex(rest.get(2..4)?)?))),
        b'\\' => Some((2, Put::Byte(b'\\'))),
        b'\n' => Some((2, Put::Nothing)),
        _ => None,
    }
}

/// Characters that do not show, and full-width forms of those in ASCII.
fn beyond_ascii(rest: &[u8]) -> Option<(usize, Put)> {
    // Of one character alone: more of the rest, looked at for each character, would be its square.
    let char = rest[..rest.len().min(4)].utf8_chunks().next()?.valid().chars().next()?;
    let code = char as u32;
    let put = match code {
        0xad
        | 0x34f
        | 0x61c
        | 0x115f..=0x1160
        | 0x17b4..=0x17b5
        | 0x180b..=0x180f
        | 0x200b..=0x200f
        | 0x202a..=0x202e
        | 0x2060..=0x206f
        | 0x3164
        | 0xfe00..=0xfe0f
        | 0xfeff
        | 0xffa0
        | 0xe0000..=0xe0fff => Put::Nothing,
        0xff01..=0xff5e => Put::Char(code - 0xff01 + 0x21),
        _ => return None,
    };
    Some((char.len_utf8(), put))
}

/// The same for a stream, with constant memory.
#[derive(Default)]
pub(crate) struct Scan {
    tail: Vec<u8>,
}

impl Scan {
    /// Whether a token stands in this piece, or across its beginning.
    pub(crate) fn sees(&mut self, piece: &[u8]) -> bool {
        self.tail.extend_from_slice(piece);
        let seen = holds_token(&self.tail);
        let surplus = self.tail.len().saturating_sub(OVERLAP);
        self.tail.drain(..surplus);
        seen
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::Entropy;
    use model::catalogue::TokenFormat;
    use proptest::prelude::*;

    struct Seed;
    impl Entropy for Seed {
        fn fill(&self, into: &mut [u8]) {
            into.fill(0x5a);
        }
    }

    fn token() -> String {
        model::token::StorageToken::generate(TokenFormat::Opaque, &Seed).format(TokenFormat::Opaque)
    }

    fn each(text: &str, with: impl Fn(char) -> String) -> String {
        text.chars().map(with).collect()
    }

    fn disguises() -> Vec<String> {
        let token = token();
        let once = each(&token, |char| format!("%{:02X}", char as u32));
        let twice = once.replace('%', "%25");
        vec![
            token.clone(),
            token.to_uppercase(),
            format!("{token}@token.invalid"),
            token.replace('_', "%5f"),
            twice.replace('%', "%25"),
            once,
            twice,
            each(&token, |char| format!("&#{};", char as u32)),
            each(&token, |char| format!("&#x{:06x};", char as u32)),
            token.replace('_', "&lowbar;"),
            token.replace('o', "&amp;#111;"),
            each(&token, |char| format!("\\u{:04x}", char as u32)),
            token.replace('o', "\\u006f"),
            token.replace('_', "\\x5F"),
            token.replace('_', "\\u{5f}"),
            token.replace('_', "%u005f"),
            each(&token, |char| format!("{char}\u{200b}")),
            each(&token, |char| format!("{char}\u{feff}\u{ad}")),
            token.replace('b', "b%E2%80%8B"),
            each(&token, |char| char::from_u32(char as u32 - 0x21 + 0xff01).expect("full width").to_string()),
        ]
    }

    #[test]
    fn no_disguise_hides_a_token() {
        for disguise in disguises() {
            assert!(holds_token(format!("name=Jana&note={disguise}&x=1").as_bytes()), "{disguise}");
        }
        for phone in
            ["+999000000000017", "%2B999000000000017", "&#43;999000000000017", "\\u002b999000000000017"]
        {
            assert!(holds_token(format!("phone={phone}&x=1").as_bytes()), "{phone}");
        }
        for harmless in [
            "+99900000000001",
            "+9990000000000170",
            "999000000000017",
            "+49000000000017",
            "obh_",
            "obh_0123456789abcdefghjkmnpqrs0000",
            "100 % obh",
            "obv_0123456789",
            "ö\\u00f6&ouml;",
        ] {
            assert!(!holds_token(harmless.as_bytes()), "{harmless}");
        }
    }

    /// Long bodies of one thing each: what takes the square of their length does not end.
    #[test]
    fn no_body_takes_the_square_of_its_length() {
        for piece in [
            "ü",
            "漢",
            "\u{200b}",
            "%",
            "%25",
            "&#",
            "&#0",
            "&#x",
            "\\",
            "\\u{",
            "\\u00",
            "obh_",
            "obh%5F0123456789ab",
            "obh_000000000000 ",
            "+99900000000000 ",
            "9",
            "+",
            "&amp;",
            "\u{ff10}",
        ] {
            let body = piece.repeat((1 << 20) / piece.len());
            assert!(!holds_token(body.as_bytes()), "{piece}");
            assert!(holds_token(format!("{body} {}", token()).as_bytes()), "the control: {piece}");
        }
        assert!(holds_token("obh_000000000000 +999000000000000 ".repeat(1 << 17).as_bytes()));
    }

    proptest! {
        #[test]
        fn a_stream_shows_what_the_whole_shows(which in 0_usize..20, at in 1_usize..90, pad in 0_usize..3_000) {
            let disguise = &disguises()[which];
            let text = format!("{}{disguise}{}", "x".repeat(pad), "y".repeat(pad / 2));
            let mut scan = Scan::default();
            let mut seen = false;
            for piece in text.as_bytes().chunks(at) {
                seen |= scan.sees(piece);
            }
            prop_assert!(seen, "{}", disguise);
        }

        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = holds_token(&bytes);
            let mut scan = Scan::default();
            for piece in bytes.chunks(7) { let _ = scan.sees(piece); }
        }
    }
}
