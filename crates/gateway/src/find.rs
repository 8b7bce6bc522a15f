//! Where tokens stand in bytes.
//!
//! An opaque token is found wherever its prefix stands, however its underscore is written; the short formats only where
//! the route's fields have them, since any telephone number or date could be one.

use aho_corasick::{AhoCorasick, MatchKind};
use model::catalogue::TokenFormat;
use model::token::StorageToken;
use std::sync::LazyLock;

/// The ways in which a prefix may be written. Only the first stands for a token that can be shown; the others are
/// masked, since whoever writes them so has done something with the token that a rule does not know of.
const PREFIXES: [&str; 9] = [
    "obh_",
    "obh%5f",
    "obh%255f",
    "obh&#95;",
    "obh&#x5f;",
    "obh&#x5F;",
    "obh&lowbar;",
    "obh\\u005f",
    "obh\\x5f",
];
/// The longest of them.
pub(crate) const LONGEST_PREFIX: usize = 11;
/// Characters after the prefix: 26 of the token and 4 of its check.
const BODY: usize = 30;
/// So many characters of the alphabet after a prefix are masked even if they are no token: a part of one.
const LEAST_BODY: usize = 12;

static OPAQUE: LazyLock<AhoCorasick> = LazyLock::new(|| {
    let built = AhoCorasick::builder()
        .ascii_case_insensitive(true)
        .match_kind(MatchKind::LeftmostFirst)
        .build(PREFIXES);
    #[expect(clippy::expect_used, reason = "constant patterns, built in every test")]
    built.expect("the prefixes are few and short")
});

/// One place where a token, or what looks like one, stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    /// Its first byte.
    pub(crate) start: usize,
    /// Behind its last byte.
    pub(crate) end: usize,
    /// The token; none for what can only be masked.
    pub(crate) token: Option<StorageToken>,
    /// A date or a number: only the vault knows whether it is a token at all.
    pub(crate) loose: bool,
}

/// Which short formats are looked for beside the opaque ones.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Formats {
    phone: bool,
    date: bool,
    /// A bit for each length.
    digits: u64,
}

impl Formats {
    /// The formats of these.
    pub(crate) fn of_tokens<'a>(tokens: impl IntoIterator<Item = &'a StorageToken>) -> Self {
        let mut all = Self::default();
        for token in tokens {
            match token.format(TokenFormat::Opaque) {
                text if text.starts_with(model::token::PHONE_PREFIX) => all.phone = true,
                text if text.starts_with(model::token::TOKEN_PREFIX) => {}
                text if text.contains('-') => all.date = true,
                text => all.digits |= length_bit(text.len()),
            }
        }
        all
    }

    /// Telephone numbers alone: their prefix is nobody's, so that they can be told from numbers without a rule.
    pub(crate) const PHONES: Self = Self { phone: true, date: false, digits: 0 };

    /// Adds those of another.
    pub(crate) fn join(&mut self, other: &Self) {
        self.phone |= other.phone;
        self.date |= other.date;
        self.digits |= other.digits;
    }

    pub(crate) fn of(formats: impl IntoIterator<Item = TokenFormat>) -> Self {
        let mut all = Self::default();
        for format in formats {
            match format {
                TokenFormat::Phone => all.phone = true,
                TokenFormat::Date => all.date = true,
                TokenFormat::Digits(length) => all.digits |= length_bit(usize::from(length)),
                TokenFormat::Opaque | TokenFormat::Email => {}
            }
        }
        all
    }
}

/// The bit of a number's length; no token is longer than 38 digits.
fn length_bit(length: usize) -> u64 {
    u32::try_from(length).ok().and_then(|length| 1_u64.checked_shl(length)).unwrap_or(0)
}

fn is_body(byte: u8) -> bool {
    let lower = byte.to_ascii_lowercase();
    lower.is_ascii_digit() || (lower.is_ascii_lowercase() && !matches!(lower, b'i' | b'l' | b'o' | b'u'))
}

/// How many characters of a token's body stand at the beginning.
pub(crate) fn body_length(bytes: &[u8]) -> usize {
    bytes.iter().take(BODY).take_while(|byte| is_body(**byte)).count()
}

/// All tokens of opaque form in `bytes`, in order and apart from each other.
pub(crate) fn opaque(bytes: &[u8]) -> Vec<Found> {
    let mut all: Vec<Found> = Vec::new();
    for hit in OPAQUE.find_iter(bytes) {
        if all.last().is_some_and(|last| hit.start() < last.end) {
            continue;
        }
        let length = body_length(&bytes[hit.end()..]);
        if length < LEAST_BODY {
            continue;
        }
        let mut end = hit.end() + length;
        let text = std::str::from_utf8(&bytes[hit.start()..end]).ok();
        let token = text.and_then(StorageToken::parse);
        let domain = model::token::EMAIL_DOMAIN.as_bytes();
        if bytes[end..].len() >= domain.len() && bytes[end..end + domain.len()].eq_ignore_ascii_case(domain) {
            end += domain.len();
        }
        all.push(Found { start: hit.start(), end, token, loose: false });
    }
    all
}

/// All tokens in `bytes`, of opaque form and of these formats.
pub(crate) fn tokens(bytes: &[u8], formats: &Formats) -> Vec<Found> {
    let opaque = opaque(bytes);
    if *formats == Formats::default() {
        return opaque;
    }
    let mut short = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        if !bytes[at].is_ascii_digit() {
            at += 1;
            continue;
        }
        let run = bytes[at..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        if let Some(found) = short_at(bytes, at, run, formats) {
            at = found.end;
            short.push(found);
        } else {
            at += run;
        }
    }
    merged(opaque, short)
}

/// Both in order, each of which is in order and without overlap already. Where two overlap, the first kind stays.
fn merged(first: Vec<Found>, second: Vec<Found>) -> Vec<Found> {
    let mut all = Vec::with_capacity(first.len() + second.len());
    let mut first = first.into_iter().peekable();
    for one in second {
        while let Some(before) = first.next_if(|other| other.end <= one.start) {
            all.push(before);
        }
        if first.peek().is_none_or(|other| one.end <= other.start) {
            all.push(one);
        }
    }
    all.extend(first);
    all
}

/// The plus sign before `at`, as it may be written; how many bytes it takes.
fn plus_before(bytes: &[u8], at: usize) -> Option<usize> {
    let before = &bytes[..at];
    [&b"+"[..], b"&#43;", b"&#x2b;", b"&#x2B;", b"&plus;", b"%2B", b"%2b", b"\\u002b", b"\\u002B"]
        .iter()
        .find(|form| before.ends_with(form))
        .map(|form| form.len())
}

fn short_at(bytes: &[u8], at: usize, run: usize, formats: &Formats) -> Option<Found> {
    let text = |start: usize, end: usize| std::str::from_utf8(&bytes[start..end]).ok();
    let attached = at > 0 && (bytes[at - 1].is_ascii_alphanumeric() || bytes[at - 1] == b'_');
    let followed =
        |end: usize| bytes.get(end).is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
    if formats.phone && run == 15 && bytes[at..].starts_with(b"999") && !followed(at + 15) {
        let plus = plus_before(bytes, at)?;
        let token = StorageToken::parse(&format!("+{}", text(at, at + 15)?));
        return Some(Found { start: at - plus, end: at + 15, token, loose: false });
    }
    if attached {
        return None;
    }
    if formats.date && run == 4 && bytes[at] >= b'3' && bytes.len() >= at + 10 && !followed(at + 10) {
        let token = text(at, at + 10).and_then(StorageToken::parse);
        if token.is_some() {
            return Some(Found { start: at, end: at + 10, token, loose: true });
        }
    }
    let fits = formats.digits & length_bit(run) != 0 && !followed(at + run);
    let token = text(at, at + run).and_then(StorageToken::parse);
    fits.then_some(Found { start: at, end: at + run, token, loose: true })
}

/// What stands in the place of a token in bytes whose length must stay.
pub(crate) fn blank(bytes: &mut [u8]) {
    const MASK: &[u8] = b"[masked]";
    bytes.fill(b' ');
    let length = bytes.len().min(MASK.len());
    bytes[..length].copy_from_slice(&MASK[..length]);
}

/// Masks every opaque token in a stream, in place of the same length and with constant memory.
#[derive(Default)]
pub(crate) struct Masker {
    held: Vec<u8>,
    /// How many were masked.
    pub(crate) masked: u64,
}

/// The longest stretch that has to be seen at once: prefix, body, domain.
const WINDOW: usize = LONGEST_PREFIX + BODY + 14;

impl Masker {
    /// Takes the next piece; what can be handed on.
    pub(crate) fn push(&mut self, piece: bytes::Bytes) -> bytes::Bytes {
        if self.held.is_empty() && !self.may_hold(&piece) {
            return piece;
        }
        let mut all = std::mem::take(&mut self.held);
        all.extend_from_slice(&piece);
        self.mask(&mut all);
        let keep = self.tail(&all);
        self.held = all.split_off(all.len() - keep);
        all.into()
    }

    /// What was held back at the end.
    pub(crate) fn end(&mut self) -> bytes::Bytes {
        let mut all = std::mem::take(&mut self.held);
        self.mask(&mut all);
        all.into()
    }

    fn may_hold(&self, piece: &[u8]) -> bool {
        OPAQUE.is_match(piece) || self.tail(piece) > 0
    }

    /// How many bytes at the end may be the beginning of a token.
    fn tail(&self, bytes: &[u8]) -> usize {
        let from = bytes.len().saturating_sub(WINDOW);
        let window = &bytes[from..];
        // A prefix that is whole and whose body is not yet.
        if let Some(hit) = OPAQUE.find_iter(window).last()
            && hit.end() + body_length(&window[hit.end()..]) == window.len()
            && window.len() - hit.end() < BODY
        {
            return window.len() - hit.start();
        }
        // A prefix that is not whole yet.
        let longest = (1..LONGEST_PREFIX.min(window.len() + 1)).rev();
        let begins = |length: &usize| {
            let end = &window[window.len() - length..];
            PREFIXES.iter().any(|prefix| {
                prefix.len() > *length && prefix.as_bytes()[..*length].eq_ignore_ascii_case(end)
            })
        };
        longest.into_iter().find(begins).unwrap_or(0)
    }

    fn mask(&mut self, bytes: &mut [u8]) {
        for found in opaque(bytes) {
            let end = bytes.len().min(found.end);
            blank(&mut bytes[found.start..end]);
            self.masked += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::Entropy;
    use proptest::prelude::*;

    struct Seed(u8);
    impl Entropy for Seed {
        fn fill(&self, into: &mut [u8]) {
            for (at, byte) in into.iter_mut().enumerate() {
                *byte = self.0.wrapping_add(at as u8).wrapping_mul(37);
            }
        }
    }

    fn token(format: TokenFormat) -> (StorageToken, String) {
        let token = StorageToken::generate(format, &Seed(7));
        (token, token.format(format))
    }

    #[test]
    fn each_format_is_found_where_it_is_looked_for() {
        let formats = [TokenFormat::Phone, TokenFormat::Date, TokenFormat::Digits(8)];
        let all = Formats::of(formats);
        for format in [TokenFormat::Opaque, TokenFormat::Email, formats[0], formats[1], formats[2]] {
            let (token, text) = token(format);
            let page = format!("<td>{text}</td> 2026-11-24 +4930123456 12345");
            let found = tokens(page.as_bytes(), &all);
            let places: Vec<_> = found.iter().map(|one| (one.start, one.end, one.token)).collect();
            assert_eq!(places, [(4, 4 + text.len(), Some(token))], "{page}");
        }
        let (_, phone) = token(TokenFormat::Phone);
        assert_eq!(tokens(phone.as_bytes(), &Formats::default()), []);
        let escaped = phone.replace('+', "&#43;");
        assert_eq!(tokens(escaped.as_bytes(), &all).len(), 1);
    }

    /// Each kind beside the other, without end: with a look at all of one kind for each of the other this took minutes.
    #[test]
    fn many_of_both_kinds_are_found_in_one_pass() {
        let both = "obh_000000000000 +999000000000000 12345678 ";
        let page = both.repeat(1 << 18);
        let formats = Formats::of([TokenFormat::Phone, TokenFormat::Digits(8)]);
        let found = tokens(page.as_bytes(), &formats);
        assert_eq!(found.len(), 3 << 18);
        assert!(found.is_sorted_by(|one, next| one.end <= next.start));
        let of_tokens = Formats::of_tokens(found.iter().filter_map(|one| one.token.as_ref()));
        assert_eq!(of_tokens, formats);
        assert_eq!(of_tokens.digits.count_ones(), 1, "each length once, however many there are");
    }

    #[test]
    fn what_only_looks_like_a_token_is_found_to_be_masked() {
        let (_, text) = token(TokenFormat::Opaque);
        for changed in [
            text.to_uppercase(),
            text.replace('_', "%5F"),
            text.replace('_', "&#95;"),
            text.replace('_', "\\u005f"),
            text[..20].to_owned(),
        ] {
            let found = opaque(changed.as_bytes());
            assert_eq!((found.len(), found.first().and_then(|one| one.token)), (1, None), "{changed}");
        }
        assert_eq!(opaque(b"an obh_ token, obh_short"), []);
    }

    proptest! {
        #[test]
        fn a_stream_is_masked_however_it_is_cut(
            cuts in proptest::collection::vec(1_usize..20, 1..60), before in "[a-z<> ]{0,30}", upper: bool,
        ) {
            let (_, mut text) = token(TokenFormat::Email);
            if upper { text = text.to_uppercase(); }
            let page = format!("{before}{text}-ob{text}obh_obh%5F{}", &text[4..]);
            let mut masker = Masker::default();
            let (mut out, mut rest) = (Vec::new(), page.as_bytes());
            for cut in cuts.iter().cycle() {
                if rest.is_empty() { break; }
                let (piece, next) = rest.split_at((*cut).min(rest.len()));
                out.extend_from_slice(&masker.push(bytes::Bytes::copy_from_slice(piece)));
                rest = next;
            }
            out.extend_from_slice(&masker.end());
            let out = String::from_utf8(out).expect("text");
            prop_assert_eq!(out.len(), page.len());
            let secret = &text[4..34];
            prop_assert!(!out.to_lowercase().contains(&secret.to_lowercase()), "{}", out);
            prop_assert!(out.starts_with(&before));
            prop_assert!(page.contains(secret), "the control: it was there before");
        }

        /// As before the two lists were merged in one pass.
        #[test]
        fn merging_leaves_out_what_overlaps(
            first in proptest::collection::vec((1_usize..6, 0_usize..6), 0..12),
            second in proptest::collection::vec((1_usize..6, 0_usize..6), 0..12),
        ) {
            let places = |steps: Vec<(usize, usize)>, loose: bool| {
                let mut at = 0;
                let place = |(length, gap): (usize, usize)| {
                    let start = at + gap;
                    at = start + length;
                    Found { start, end: at, token: None, loose }
                };
                steps.into_iter().map(place).collect::<Vec<_>>()
            };
            let (first, second) = (places(first, false), places(second, true));
            let mut want = first.clone();
            let apart = |one: &&Found| !first.iter().any(|other| one.start < other.end && other.start < one.end);
            want.extend(second.iter().filter(apart));
            want.sort_by_key(|found| found.start);
            prop_assert_eq!(merged(first, second), want);
        }

        #[test]
        fn what_holds_no_token_stays(bytes in proptest::collection::vec(any::<u8>(), 0..300), at in 1_usize..50) {
            prop_assume!(opaque(&bytes).is_empty());
            let mut masker = Masker::default();
            let mut out = Vec::new();
            for piece in bytes.chunks(at) {
                out.extend_from_slice(&masker.push(bytes::Bytes::copy_from_slice(piece)));
            }
            out.extend_from_slice(&masker.end());
            prop_assert_eq!(out, bytes);
        }
    }
}
