//! Where tokens stand in bytes.
//!
//! An opaque token is found wherever its prefix stands, however its underscore is written, and so is a telephone token: its
//! country code is nobody's. Dates and numbers only where the route's fields have them, since any could be one.

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
const LONGEST_PREFIX: usize = 11;
/// The ways in which the plus sign before a telephone number may be written.
const PLUSES: [&str; 9] = ["+", "&#43;", "&#x2b;", "&#x2B;", "&plus;", "%2B", "%2b", "\\u002b", "\\u002B"];
/// How the digits of a telephone token begin, and how many there are (ITU-T E.164).
const NINES: &[u8] = b"999";

/// Looks for them; made once, since it looks at each header.
static NINES_FINDER: LazyLock<memchr::memmem::Finder<'static>> =
    LazyLock::new(|| memchr::memmem::Finder::new(NINES));
const PHONE_DIGITS: usize = 15;
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

/// Which formats are looked for beside those that can be told from everything else.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Formats {
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
                text if text.starts_with(['+', 'o']) => {}
                text if text.contains('-') => all.date = true,
                text => all.digits |= length_bit(text.len()),
            }
        }
        all
    }

    /// Adds those of another.
    pub(crate) fn join(&mut self, other: &Self) {
        self.date |= other.date;
        self.digits |= other.digits;
    }

    /// Whether a date or number is of one of them.
    pub(crate) fn has(&self, token: &StorageToken) -> bool {
        let own = Self::of_tokens([token]);
        (own.date && self.date) || own.digits & self.digits != 0
    }

    pub(crate) fn of(formats: impl IntoIterator<Item = TokenFormat>) -> Self {
        let mut all = Self::default();
        for format in formats {
            match format {
                TokenFormat::Date => all.date = true,
                TokenFormat::Digits(length) => all.digits |= length_bit(usize::from(length)),
                TokenFormat::Opaque | TokenFormat::Email | TokenFormat::Phone => {}
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
fn body_length(bytes: &[u8]) -> usize {
    bytes.iter().take(BODY).take_while(|byte| is_body(**byte)).count()
}

/// All tokens of opaque form in `bytes`, in order and apart from each other.
fn opaque(bytes: &[u8]) -> Vec<Found> {
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

/// All tokens of telephones in `bytes`, in order and apart from each other.
fn phones(bytes: &[u8]) -> Vec<Found> {
    NINES_FINDER.find_iter(bytes).filter_map(|at| phone_at(bytes, at)).collect()
}

fn phone_at(bytes: &[u8], at: usize) -> Option<Found> {
    let plus = plus_before(bytes, at)?;
    let end = at + PHONE_DIGITS;
    let digits = bytes.get(at..end).filter(|digits| digits.iter().all(u8::is_ascii_digit))?;
    if is_followed(bytes, end) {
        return None;
    }
    let token = StorageToken::parse(&format!("+{}", std::str::from_utf8(digits).ok()?));
    Some(Found { start: at - plus, end, token, loose: false })
}

fn is_followed(bytes: &[u8], end: usize) -> bool {
    bytes.get(end).is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
}

/// All tokens in `bytes` that can be told from everything else, whatever the rules say.
pub(crate) fn certain(bytes: &[u8]) -> Vec<Found> {
    let (opaque, phones) = (opaque(bytes), phones(bytes));
    if phones.is_empty() { opaque } else { merged(opaque, phones) }
}

/// All tokens in `bytes`, those of these formats among them.
pub(crate) fn tokens(bytes: &[u8], formats: &Formats) -> Vec<Found> {
    let certain = certain(bytes);
    if *formats == Formats::default() {
        return certain;
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
    merged(certain, short)
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
    PLUSES.iter().find(|form| before.ends_with(form.as_bytes())).map(|form| form.len())
}

fn short_at(bytes: &[u8], at: usize, run: usize, formats: &Formats) -> Option<Found> {
    let text = |start: usize, end: usize| std::str::from_utf8(&bytes[start..end]).ok();
    let attached = at > 0 && (bytes[at - 1].is_ascii_alphanumeric() || bytes[at - 1] == b'_');
    if attached {
        return None;
    }
    if formats.date && run == 4 && bytes[at] >= b'3' && bytes.len() >= at + 10 && !is_followed(bytes, at + 10)
    {
        let token = text(at, at + 10).and_then(StorageToken::parse);
        if token.is_some() {
            return Some(Found { start: at, end: at + 10, token, loose: true });
        }
    }
    let fits = formats.digits & length_bit(run) != 0 && !is_followed(bytes, at + run);
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

/// Masks every token in a stream that can be told from everything else, in place of the same length and with constant
/// memory.
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
        if self.held.is_empty() {
            let (found, keep) = (certain(&piece), begun(&piece));
            if found.is_empty() && keep == 0 {
                return piece;
            }
            return self.masked_but(piece.into(), &found, keep);
        }
        let mut all = std::mem::take(&mut self.held);
        all.extend_from_slice(&piece);
        let (found, keep) = (certain(&all), begun(&all));
        self.masked_but(all, &found, keep)
    }

    /// What was held back at the end.
    pub(crate) fn end(&mut self) -> bytes::Bytes {
        let all = std::mem::take(&mut self.held);
        let found = certain(&all);
        self.masked_but(all, &found, 0)
    }

    /// All but the last `keep` bytes, masked; those are held back.
    fn masked_but(&mut self, mut all: Vec<u8>, found: &[Found], keep: usize) -> bytes::Bytes {
        self.held = all.split_off(all.len() - keep);
        let end = all.len();
        for found in found.iter().filter(|found| found.end <= end) {
            blank(&mut all[found.start..found.end]);
            self.masked += 1;
        }
        all.into()
    }
}

/// How many bytes at the end may be the beginning of a token.
fn begun(bytes: &[u8]) -> usize {
    let window = &bytes[bytes.len().saturating_sub(WINDOW)..];
    begun_opaque(window).max(begun_phone(window)).max(begun_prefix(window))
}

/// A prefix that is whole, and whose body or domain is not yet.
fn begun_opaque(window: &[u8]) -> usize {
    let Some(hit) = OPAQUE.find_iter(window).last() else { return 0 };
    let body = body_length(&window[hit.end()..]);
    let rest = &window[hit.end() + body..];
    let domain = model::token::EMAIL_DOMAIN.as_bytes();
    let begins = rest.len() < domain.len() && domain[..rest.len()].eq_ignore_ascii_case(rest);
    let open = if body < BODY { rest.is_empty() } else { begins };
    if open { window.len() - hit.start() } else { 0 }
}

/// A plus sign and digits, behind which more may come.
fn begun_phone(window: &[u8]) -> usize {
    let digits = window.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
    let at = window.len() - digits;
    let nines = NINES.len().min(digits);
    if digits > PHONE_DIGITS || window[at..at + nines] != NINES[..nines] {
        return 0;
    }
    plus_before(window, at).map_or(0, |plus| plus + digits)
}

/// A prefix that is not whole yet, or a plus sign.
fn begun_prefix(window: &[u8]) -> usize {
    let longest = (1..LONGEST_PREFIX.min(window.len() + 1)).rev();
    let begins = |length: &usize| {
        let end = &window[window.len() - length..];
        PREFIXES
            .iter()
            .chain(&PLUSES)
            .any(|prefix| prefix.len() > *length && prefix.as_bytes()[..*length].eq_ignore_ascii_case(end))
    };
    longest.into_iter().find(begins).unwrap_or(0)
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
        let (phone, text) = token(TokenFormat::Phone);
        for plus in PLUSES {
            let escaped = text.replace('+', plus);
            let found = tokens(format!("a{escaped}.").as_bytes(), &Formats::default());
            assert_eq!(
                found,
                [Found { start: 1, end: 1 + escaped.len(), token: Some(phone), loose: false }],
                "{plus}"
            );
            assert_eq!(certain(format!("{escaped}0").as_bytes()), []);
        }
        assert_eq!(certain(&text.as_bytes()[1..]), []);
        let (date, number) = (token(TokenFormat::Date).0, token(TokenFormat::Digits(8)).0);
        assert!(all.has(&date) && all.has(&number) && !all.has(&phone) && !Formats::default().has(&date));
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
            let (_, phone) = token(TokenFormat::Phone);
            let page = format!(
                "{before}{text}-ob{text}obh_obh%5F{}+{phone}&#43;{} %2b{}\u{5c}u002b{}0+{phone}",
                &text[4..], &phone[1..], &phone[1..], &phone[1..],
            );
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
            // No part of one either.
            let known = (6..26).any(|at| out.to_lowercase().contains(&secret[at - 6..at].to_lowercase()));
            prop_assert!(!known, "{}", out);
            prop_assert_eq!(out.matches(&phone[1..]).count(), 1, "that of one digit more: {}", out);
            prop_assert!(out.starts_with(&before));
            prop_assert!(page.contains(secret), "the control: it was there before");
            let mut whole = page.clone().into_bytes();
            certain(page.as_bytes()).iter().for_each(|found| blank(&mut whole[found.start..found.end]));
            prop_assert_eq!(out.into_bytes(), whole, "as if it had come in one piece");
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
            prop_assume!(certain(&bytes).is_empty());
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
