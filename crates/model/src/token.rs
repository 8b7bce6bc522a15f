//! Storage tokens and API keys as text.
//!
//! A storage token stands for one field of one person in the app's database. Possession decides nothing: a token is
//! looked up, and what is behind it is decided on like any other read. `obh_` tokens hold 128 random bits and 20 bits
//! of check, so that a mistyped one is told from an unknown one without a look-up. The short formats hold as much as
//! their shape allows; the vault draws again when a value is taken.

use crate::catalogue::TokenFormat;
use crate::clock::{Entropy, random};
use crate::ids::base32;
use zeroize::{Zeroize, ZeroizeOnDrop};

/// The prefix of an opaque storage token.
pub const TOKEN_PREFIX: &str = "obh_";
/// The domain of e-mail tokens; reserved by RFC 2606 §2, so that no mail ever leaves.
pub const EMAIL_DOMAIN: &str = "@token.invalid";
/// The prefix of phone tokens: country code 999 is not assigned (ITU-T E.164).
pub const PHONE_PREFIX: &str = "+999";

const TAG_PHONE: u8 = 1;
const TAG_DIGITS: u8 = 2;
const TAG_DATE: u8 = 3;
/// Days between 3000-01-01 and 9999-12-31, both included.
const TOKEN_DAYS: u32 = 2_556_697;

/// A storage token: the 16 bytes under which it is looked up.
///
/// For the short formats these are `0xff × 6`, a tag, a length, and the number in 8 bytes (big endian); a random
/// opaque token looks like one with probability 2⁻⁴⁸ at most, and is then still only a key into the same map.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StorageToken([u8; 16]);

impl StorageToken {
    /// A fresh token in this format.
    #[must_use]
    pub fn generate(format: TokenFormat, entropy: &dyn Entropy) -> Self {
        match format {
            TokenFormat::Opaque | TokenFormat::Email => loop {
                let bytes: [u8; 16] = random(entropy);
                if bytes[..6] != [0xff; 6] {
                    return Self(bytes);
                }
            },
            TokenFormat::Phone => Self::short(TAG_PHONE, 12, uniform(10_u64.pow(12), entropy)),
            TokenFormat::Digits(length) => {
                let held = u32::from(length.clamp(1, 19));
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

    /// The bytes of the token map.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    fn short(tag: u8, length: u8, number: u64) -> Self {
        let mut bytes = [0xff; 16];
        bytes[6] = tag;
        bytes[7] = length;
        bytes[8..].copy_from_slice(&number.to_be_bytes());
        Self(bytes)
    }

    fn number(&self) -> u64 {
        let mut number = [0; 8];
        number.copy_from_slice(&self.0[8..]);
        u64::from_be_bytes(number)
    }

    /// The text of the token. A token that was made for a short format keeps it; any other is written as asked for.
    #[must_use]
    pub fn format(&self, format: TokenFormat) -> String {
        if self.0[..6] == [0xff; 6] {
            return match self.0[6] {
                TAG_PHONE => format!("{PHONE_PREFIX}{:012}", self.number()),
                TAG_DIGITS => format!("{:0width$}", self.number(), width = usize::from(self.0[7])),
                _ => date_of(self.number()),
            };
        }
        let opaque = format!("{TOKEN_PREFIX}{}", checked(&self.0));
        if format == TokenFormat::Email { format!("{opaque}{EMAIL_DOMAIN}") } else { opaque }
    }

    /// Reads a token in any format. `None` for everything else; never panics.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let bare = text.strip_suffix(EMAIL_DOMAIN).unwrap_or(text);
        if let Some(body) = bare.strip_prefix(TOKEN_PREFIX) {
            let bytes: [u8; 16] = unchecked(body)?.try_into().ok()?;
            return (bytes[..6] != [0xff; 6]).then_some(Self(bytes));
        }
        let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        if let Some(digits) = text.strip_prefix(PHONE_PREFIX) {
            let fits = digits.len() == 12 && is_digits(digits);
            return fits
                .then(|| digits.parse().ok().map(|number| Self::short(TAG_PHONE, 12, number)))
                .flatten();
        }
        if (6..=38).contains(&text.len()) && is_digits(text) {
            let number = text.parse().ok()?;
            return u8::try_from(text.len()).ok().map(|length| Self::short(TAG_DIGITS, length, number));
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

fn date_of(days: u64) -> String {
    let day = first_day().zip(i64::try_from(days).ok());
    let date = day.and_then(|(first, days)| first.checked_add(time::Duration::days(days)));
    let form = time::macros::format_description!("[year]-[month]-[day]");
    date.and_then(|date| date.format(form).ok()).unwrap_or_default()
}

fn days_of(text: &str) -> Option<u64> {
    let form = time::macros::format_description!("[year]-[month]-[day]");
    let date = (text.len() == 10).then(|| time::Date::parse(text, form).ok()).flatten()?;
    let days = (date - first_day()?).whole_days();
    u64::try_from(days).ok().filter(|days| *days < u64::from(TOKEN_DAYS))
}

/// Base32 of the bytes, then four characters that hold the upper 20 bits of their CRC-32 (ISO-HDLC).
fn checked(bytes: &[u8]) -> String {
    let mut text = base32().encode(bytes);
    text.push_str(&check_of(bytes));
    text
}

fn check_of(bytes: &[u8]) -> String {
    let sum = crc32fast::hash(bytes) & 0xffff_f000;
    let mut text = base32().encode(&sum.to_be_bytes());
    text.truncate(4);
    text
}

/// The bytes of a checked text; `None` when form or check are wrong.
fn unchecked(text: &str) -> Option<Vec<u8>> {
    let at = text.len().checked_sub(4).filter(|at| text.is_char_boundary(*at))?;
    let (body, check) = text.split_at(at);
    let bytes = base32().decode(body.as_bytes()).ok()?;
    (check_of(&bytes) == check).then_some(bytes)
}

/// The secret of an API key: `obk_` and 256 random bits with a check.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct ApiKey([u8; 32]);

/// The prefix of an API key.
pub const KEY_PREFIX: &str = "obk_";

impl ApiKey {
    /// A fresh key.
    #[must_use]
    pub fn generate(entropy: &dyn Entropy) -> Self {
        Self(random(entropy))
    }

    /// Reads a key; `None` when form or check are wrong.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut bytes = unchecked(text.strip_prefix(KEY_PREFIX)?)?;
        let key = <[u8; 32]>::try_from(bytes.as_slice()).ok().map(Self);
        bytes.zeroize();
        key
    }

    /// The secret bytes, to be hashed.
    #[must_use]
    pub fn expose(&self) -> &[u8; 32] {
        &self.0
    }

    /// The text, to be shown once.
    #[must_use]
    pub fn reveal(&self) -> String {
        format!("{KEY_PREFIX}{}", checked(&self.0))
    }
}

impl std::fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ApiKey(…)")
    }
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

    #[test]
    fn the_last_date_is_a_date() {
        assert_eq!(date_of(0), "3000-01-01");
        assert_eq!(date_of(u64::from(TOKEN_DAYS) - 1), "9999-12-31");
    }
}
