//! Storage tokens and API keys as text.
//!
//! A storage token stands for one field of one person in the app's database. Possession decides nothing: a token is
//! looked up, and what is behind it is decided on like any other read. `obh_` tokens hold 128 random bits and 20 bits
//! of check, so that a mistyped one is told from an unknown one without a look-up. The short formats hold as much as
//! their shape allows; the vault draws again when a value is taken.

use crate::catalogue::TokenFormat;
use crate::clock::{Entropy, random};
use crate::ids::base32;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// The prefix of an opaque storage token.
pub const TOKEN_PREFIX: &str = "obh_";
/// The domain of e-mail tokens; reserved by RFC 2606 §2, so that no mail ever leaves.
pub const EMAIL_DOMAIN: &str = "@token.invalid";
/// The prefix of phone tokens: country code 999 is not assigned (ITU-T E.164).
pub const PHONE_PREFIX: &str = "+999";

/// How the bytes of a token in a short format begin.
const SHORT: [u8; 6] = [0xff; 6];
const TAG_PHONE: u8 = 1;
const TAG_DIGITS: u8 = 2;
const TAG_DATE: u8 = 3;
const MIN_DIGITS: u8 = 6;
const MAX_DIGITS: u8 = 38;
/// Digits that are drawn; what a longer token has before them is zeros.
const HELD_DIGITS: u8 = 19;
/// Days between 3000-01-01 and 9999-12-31, both included.
const TOKEN_DAYS: u32 = 2_556_697;

/// A storage token: the 16 bytes under which it is looked up.
///
/// For the short formats these are `0xff × 6`, a tag, a length, and the number in 8 bytes (big endian); what is drawn
/// for an opaque token and looks like that is drawn again. They hold: a phone number 10¹² values, `n` digits 10ⁿ (10¹⁹
/// at most), a date 2.5 million. Too little to be drawn without looking: the vault draws again when a value is taken,
/// and a tenant that has millions of persons should not give a field tokens that are dates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StorageToken([u8; 16]);

impl StorageToken {
    /// A fresh token in this format.
    #[must_use]
    pub fn generate(format: TokenFormat, entropy: &dyn Entropy) -> Self {
        match format {
            TokenFormat::Opaque | TokenFormat::Email => loop {
                let bytes: [u8; 16] = random(entropy);
                if bytes[..6] != SHORT {
                    return Self(bytes);
                }
            },
            TokenFormat::Phone => Self::short(TAG_PHONE, 12, uniform(10_u64.pow(12), entropy)),
            TokenFormat::Digits(length) => {
                let length = length.clamp(MIN_DIGITS, MAX_DIGITS);
                let held = u32::from(length.min(HELD_DIGITS));
                Self::short(TAG_DIGITS, length, uniform(10_u64.pow(held), entropy))
            }
            TokenFormat::Date => Self::short(TAG_DATE, 0, uniform(u64::from(TOKEN_DAYS), entropy)),
        }
    }

    /// From the bytes of the token map.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The stable token of a value that was blinded to these bytes.
    #[must_use]
    pub fn stable(mut blinded: [u8; 16]) -> Self {
        if blinded[..6] == SHORT {
            blinded[0] ^= 1;
        }
        Self(blinded)
    }

    /// The bytes of the token map.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    fn short(tag: u8, length: u8, number: u64) -> Self {
        let mut bytes = [0; 16];
        bytes[..6].copy_from_slice(&SHORT);
        bytes[6] = tag;
        bytes[7] = length;
        bytes[8..].copy_from_slice(&number.to_be_bytes());
        Self(bytes)
    }

    /// The text of a short token; `None` for an opaque one, and for bytes that no token has.
    fn short_text(&self) -> Option<String> {
        let (head, number) = self.0.split_at(8);
        let number = u64::from_be_bytes(number.try_into().ok()?);
        let (tag, length) = (*head.get(6)?, *head.get(7)?);
        let is_held = number.checked_ilog10().unwrap_or(0) < u32::from(length);
        match (head[..6] == SHORT, tag) {
            (true, TAG_PHONE) if length == 12 && is_held => Some(format!("{PHONE_PREFIX}{number:012}")),
            (true, TAG_DIGITS) if (MIN_DIGITS..=MAX_DIGITS).contains(&length) && is_held => {
                Some(format!("{number:0width$}", width = usize::from(length)))
            }
            (true, TAG_DATE) if length == 0 => date_of(number),
            _ => None,
        }
    }

    /// The text of the token. A token that was made for a short format keeps it; any other is written as asked for.
    #[must_use]
    pub fn format(&self, format: TokenFormat) -> String {
        self.short_text().unwrap_or_else(|| {
            let opaque = format!("{TOKEN_PREFIX}{}", *checked(&self.0));
            if format == TokenFormat::Email { opaque + EMAIL_DOMAIN } else { opaque }
        })
    }

    /// Reads a token in any format. `None` for everything else; never panics.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let bare = text.strip_suffix(EMAIL_DOMAIN).unwrap_or(text);
        if let Some(body) = bare.strip_prefix(TOKEN_PREFIX) {
            let bytes = <[u8; 16]>::try_from(unchecked(body)?.as_slice()).ok()?;
            return (bytes[..6] != SHORT).then_some(Self(bytes));
        }
        let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        if let Some(digits) = text.strip_prefix(PHONE_PREFIX) {
            let fits = digits.len() == 12 && is_digits(digits);
            return fits
                .then(|| digits.parse().ok().map(|number| Self::short(TAG_PHONE, 12, number)))
                .flatten();
        }
        let length = u8::try_from(text.len()).ok()?;
        if (MIN_DIGITS..=MAX_DIGITS).contains(&length) && is_digits(text) {
            return text.parse().ok().map(|number| Self::short(TAG_DIGITS, length, number));
        }
        let days = days_of(text)?;
        Some(Self::short(TAG_DATE, 0, days))
    }
}

/// A number below `bound`, without bias.
fn uniform(bound: u64, entropy: &dyn Entropy) -> u64 {
    let limit = u64::MAX - u64::MAX % bound;
    loop {
        let drawn = u64::from_be_bytes(random(entropy));
        if drawn < limit {
            return drawn % bound;
        }
    }
}

const FIRST_YEAR: i32 = 3000;

fn first_day() -> Option<time::Date> {
    time::Date::from_calendar_date(FIRST_YEAR, time::Month::January, 1).ok()
}

fn date_of(days: u64) -> Option<String> {
    let days = i64::try_from(days).ok().filter(|days| *days < i64::from(TOKEN_DAYS))?;
    let date = first_day()?.checked_add(time::Duration::days(days))?;
    date.format(time::macros::format_description!("[year]-[month]-[day]")).ok()
}

fn days_of(text: &str) -> Option<u64> {
    let form = time::macros::format_description!("[year]-[month]-[day]");
    let date = (text.len() == 10).then(|| time::Date::parse(text, form).ok()).flatten()?;
    let days = (date - first_day()?).whole_days();
    u64::try_from(days).ok().filter(|days| *days < u64::from(TOKEN_DAYS))
}

/// Base32 of the bytes, then four characters that hold the upper 20 bits of their CRC-32 (ISO-HDLC). It is reserved in
/// full before it is written, so that a secret leaves no half of itself in memory that grew.
fn checked(bytes: &[u8]) -> Zeroizing<String> {
    let mut text = Zeroizing::new(String::with_capacity(base32().encode_len(bytes.len()) + CHECK_LENGTH));
    base32().encode_append(bytes, &mut text);
    text.push_str(&check_of(bytes));
    text
}

const CHECK_LENGTH: usize = 4;

fn check_of(bytes: &[u8]) -> String {
    let sum = crc32fast::hash(bytes) & 0xffff_f000;
    let mut text = base32().encode(&sum.to_be_bytes());
    text.truncate(CHECK_LENGTH);
    text
}

/// The bytes of a checked text; `None` when form or check are wrong.
fn unchecked(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    let at = text.len().checked_sub(CHECK_LENGTH).filter(|at| text.is_char_boundary(*at))?;
    let (body, check) = text.split_at(at);
    let bytes = Zeroizing::new(base32().decode(body.as_bytes()).ok()?);
    (check_of(&bytes) == check).then_some(bytes)
}

/// The prefix of an API key.
pub const KEY_PREFIX: &str = "obk_";
/// The prefix of a link that signs somebody in once.
pub const LINK_PREFIX: &str = "obl_";
/// The prefix of a session.
pub const SESSION_PREFIX: &str = "obs_";

macro_rules! secrets {
    ($($(#[$doc:meta])* $name:ident, $prefix:ident;)*) => {
        $($(#[$doc])*
        #[derive(Clone, Zeroize, ZeroizeOnDrop)]
        pub struct $name([u8; 32]);

        impl $name {
            /// A fresh one.
            #[must_use]
            pub fn generate(entropy: &dyn Entropy) -> Self {
                Self(random(entropy))
            }

            /// Reads one; `None` when form or check are wrong.
            #[must_use]
            pub fn parse(text: &str) -> Option<Self> {
                let bytes = unchecked(text.strip_prefix($prefix)?)?;
                <[u8; 32]>::try_from(bytes.as_slice()).ok().map(Self)
            }

            /// The secret bytes, to be hashed.
            #[must_use]
            pub fn expose(&self) -> &[u8; 32] {
                &self.0
            }

            /// The text, to be shown once.
            #[must_use]
            pub fn reveal(&self) -> String {
                format!("{}{}", $prefix, *checked(&self.0))
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(concat!(stringify!($name), "(…)"))
            }
        })*
    };
}

secrets! {
    /// The secret of an API key: `obk_` and 256 random bits with a check.
    ApiKey, KEY_PREFIX;
    /// The secret of a sign-in link, which works once: `obl_` and 256 random bits with a check.
    SignInLink, LINK_PREFIX;
    /// The secret of a session, as the cookie of a browser: `obs_` and 256 random bits with a check.
    SessionKey, SESSION_PREFIX;
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    struct Bytes(std::sync::Mutex<u64>);
    impl Entropy for Bytes {
        fn fill(&self, into: &mut [u8]) {
            for byte in into {
                let mut state = self.0.lock().expect("no panic while held");
                *state =
                    state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                *byte = (*state >> 56) as u8;
            }
        }
    }

    proptest! {
        #[test]
        fn every_format_round_trips(seed: u64, which in 0_u8..5, length in 6_u8..=38) {
            let format = match which {
                0 => TokenFormat::Opaque,
                1 => TokenFormat::Email,
                2 => TokenFormat::Phone,
                3 => TokenFormat::Digits(length),
                _ => TokenFormat::Date,
            };
            let token = StorageToken::generate(format, &Bytes(seed.into()));
            let text = token.format(format);
            prop_assert_eq!(StorageToken::parse(&text), Some(token), "{}", text);
        }

        #[test]
        fn no_text_panics(text in ".{0,60}") {
            let _ = StorageToken::parse(&text);
            let _ = StorageToken::parse(&format!("obh_{text}"));
            let _ = ApiKey::parse(&format!("obk_{text}"));
        }

        #[test]
        fn one_wrong_character_is_noticed(seed: u64, at in 0_usize..30, by in 1_u8..32) {
            let text = StorageToken::generate(TokenFormat::Opaque, &Bytes(seed.into())).format(TokenFormat::Opaque);
            let alphabet = "0123456789abcdefghjkmnpqrstvwxyz";
            let mut wrong: Vec<char> = text.chars().collect();
            let old = alphabet.find(wrong[4 + at]).expect("of the alphabet");
            wrong[4 + at] = alphabet.chars().nth((old + usize::from(by)) % 32).expect("within");
            prop_assert_eq!(StorageToken::parse(&wrong.into_iter().collect::<String>()), None);
        }

        #[test]
        fn keys_round_trip_and_hide(seed: u64) {
            let key = ApiKey::generate(&Bytes(seed.into()));
            let text = key.reveal();
            prop_assert_eq!(ApiKey::parse(&text).map(|key| *key.expose()), Some(*key.expose()));
            let shown = format!("{key:?}");
            prop_assert!(!shown.contains(&text[4..12]));
        }
    }

    const FORMATS: [TokenFormat; 5] = [
        TokenFormat::Opaque,
        TokenFormat::Email,
        TokenFormat::Phone,
        TokenFormat::Digits(12),
        TokenFormat::Date,
    ];

    proptest! {
        #[test]
        fn no_bytes_of_the_map_panic_or_stand_for_another_token(
            tag in 0_u8..5, length in 0_u8..45, number: u64, small in 0_u64..3_000_000, opaque: [u8; 16],
        ) {
            let short = [number, small].map(|number| StorageToken::short(tag, length, number));
            for token in [short[0], short[1], StorageToken::from_bytes(opaque)] {
                for format in FORMATS {
                    let text = token.format(format);
                    let read = StorageToken::parse(&text);
                    prop_assert!(read.is_none_or(|read| read == token), "{text}");
                }
            }
        }

        #[test]
        fn digits_are_read_as_they_are_written(text in "[0-9]{1,45}|\\+999[0-9]{10,14}") {
            let read = StorageToken::parse(&text);
            prop_assert_eq!(read.map_or(text.clone(), |read| read.format(TokenFormat::Opaque)), text);
        }
    }

    #[test]
    fn the_last_date_is_a_date() {
        assert_eq!(date_of(0).as_deref(), Some("3000-01-01"));
        assert_eq!(date_of(u64::from(TOKEN_DAYS) - 1).as_deref(), Some("9999-12-31"));
        assert_eq!((date_of(u64::from(TOKEN_DAYS)), date_of(u64::MAX)), (None, None));
        assert_eq!(date_of(i64::MAX as u64), None, "a day that no calendar holds does not panic");
    }

    #[test]
    fn numbers_are_drawn_without_bias_and_again_when_they_must() {
        struct Given(std::sync::Mutex<Vec<u64>>);
        impl Entropy for Given {
            fn fill(&self, into: &mut [u8]) {
                let next = self.0.lock().expect("no panic while held").pop().expect("enough of them");
                into.copy_from_slice(&next.to_be_bytes()[..into.len()]);
            }
        }
        let drawn = |numbers: &[u64]| uniform(10, &Given(numbers.to_vec().into()));
        assert_eq!(drawn(&[17]), 7);
        assert_eq!(drawn(&[3, u64::MAX]), 3, "the rest above the last whole ten is not used");
    }

    #[test]
    fn an_opaque_token_never_looks_like_a_short_one() {
        struct OnceOnes(std::sync::atomic::AtomicBool);
        impl Entropy for OnceOnes {
            fn fill(&self, into: &mut [u8]) {
                let again = self.0.swap(true, std::sync::atomic::Ordering::Relaxed);
                into.fill(if again { 7 } else { 0xff });
            }
        }
        let token = StorageToken::generate(TokenFormat::Opaque, &OnceOnes(false.into()));
        assert_eq!(token.as_bytes(), &[7; 16]);
        let forged = format!("{TOKEN_PREFIX}{}", *checked(&[0xff; 16]));
        assert_eq!(StorageToken::parse(&forged), None);
    }
}
