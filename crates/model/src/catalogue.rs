//! The catalogue: which fields exist, of which category, how they look, what masks them.

use crate::ids::{Compartment, FieldId};
use crate::text::{is_invisible, is_shown_as_stored, separates_digits};
use serde::{Deserialize, Serialize};
use std::collections::HashSet;

/// How sensitive a field is. The category, never the purpose, is bound into each ciphertext.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum Category {
    /// Name, title, birth date: who somebody is.
    Identity = 1,
    /// E-mail, phone, address.
    Contact = 2,
    /// Contract, hours, qualification.
    Employment = 3,
    /// Account, salary.
    Financial = 4,
    /// Health data (GDPR Art. 4(15)), special under Art. 9(1).
    Health = 5,
    /// Any other special category of Art. 9(1).
    Special = 6,
    /// Free text or anything else.
    Other = 7,
}

impl Category {
    /// Whether GDPR Art. 9 asks for a second basis.
    #[must_use]
    pub fn is_special(self) -> bool {
        matches!(self, Self::Health | Self::Special)
    }
}

/// What a value must look like; also how it is normalised before it is indexed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FieldType {
    /// Any text up to the field's limit, byte for byte as it was given (no Unicode normalisation). No control characters
    /// but line breaks and tabs, no explicit directions of UAX #9, no U+2028 and U+2029; what writing needs without
    /// showing it, such as joiners, is kept.
    Text,
    /// An e-mail address (addr-spec without quoting, comments and address literals; RFC 5321 lengths), with its domain
    /// in lower case.
    Email,
    /// A phone number in E.164 after removing separators. Refused with `(0)`, which is dialled from inside some countries
    /// alone and left away from outside in most of them: nobody can say which number is meant.
    Phone,
    /// A calendar date, ISO 8601 `YYYY-MM-DD`.
    Date,
    /// Digits only.
    Digits,
}

/// What a reader without permission sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MaskRule {
    /// A constant, the same whether a value exists or not.
    Redact,
    /// The initials of each word: `J. M.`. A transform, so it unwraps and is logged like a read.
    Initials,
    /// The last four characters. A transform.
    LastFour,
    /// The year of a date. A transform.
    Year,
}

/// Whether a field can be searched by equality (through a keyed hash).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Index {
    /// Not searchable; nothing of its presence shows.
    #[default]
    None,
    /// Equal values share a keyed hash, which shows the equality pattern to a thief of the key store.
    /// Refused for special categories.
    Equality,
}

/// The shape of a storage token, so that it passes the app's own validation (DESIGN §7).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenFormat {
    /// `obh_…`
    #[default]
    Opaque,
    /// `obh_…@token.invalid`
    Email,
    /// `+999` and 12 digits, as long as E.164 allows.
    Phone,
    /// So many digits, 6 to 38.
    Digits(u8),
    /// A date from the year 3000 on.
    Date,
}

/// One field of the catalogue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Field {
    /// Its number in tables.
    pub id: FieldId,
    /// Its name in the API, `[a-z][a-z0-9_-]{0,62}`.
    pub name: String,
    /// Its category.
    pub category: Category,
    /// Its type.
    pub kind: FieldType,
    /// What is shown without permission.
    pub mask: MaskRule,
    /// Whether it can be searched.
    pub index: Index,
    /// The shape of its tokens.
    pub token: TokenFormat,
    /// Whether equal values have the same token, for UNIQUE columns and a sign-in by e-mail. Shows the app which values are
    /// equal, as the index shows it to a thief of the key store; needs that index and is refused with it for special
    /// categories.
    #[serde(default)]
    pub stable: bool,
    /// The compartment whose key seals it.
    pub compartment: Compartment,
    /// Whether its value speaks of a third person (an emergency contact); such a field goes with its person.
    pub third_party: bool,
    /// Longest value in bytes of UTF-8.
    pub max_bytes: u32,
}

/// Most fields of a catalogue.
pub const MAX_FIELDS: usize = 500;
/// Largest value in bytes.
pub const MAX_VALUE: u32 = 65_536;
/// Longest value that can be searched by equality, in bytes.
pub const MAX_INDEXED: u32 = 1_024;

/// Why a catalogue is not taken. The number counts fields in the order given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CatalogueError {
    /// More than [`MAX_FIELDS`] fields.
    #[error("too many fields")]
    TooMany,
    /// Not `[a-z][a-z0-9_-]{0,62}`, or `ref`, which is taken.
    #[error("field {0} has an unusable name")]
    Name(usize),
    /// Two fields of one name or number, or the number 0, which is the reference's.
    #[error("field {0} repeats a name or number, or has number 0")]
    Repeated(usize),
    /// Compartments are 0 to 15.
    #[error("field {0} has a compartment over 15")]
    Compartment(usize),
    /// An equality index over a special category, or over values longer than [`MAX_INDEXED`].
    #[error("field {0} cannot be indexed: special category or too long")]
    Index(usize),
    /// A mask that does not fit the type.
    #[error("field {0} has a mask that does not fit its type")]
    Mask(usize),
    /// A token format that holds too little, or stable tokens without an index or in a format too short for them.
    #[error("field {0} has a token format of an impossible length, or stable tokens without an index")]
    Token(usize),
    /// No or too large a limit.
    #[error("field {0} allows no bytes or too many")]
    Limit(usize),
}

/// Why a value is not taken by its field. Never says the value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ValueError {
    /// Empty, or longer than the field allows.
    #[error("empty or too long")]
    Length,
    /// A control character other than line break and tab, or one that makes a screen show another order than is stored.
    #[error("a control character")]
    Control,
    /// Not an e-mail address.
    #[error("not an e-mail address")]
    Email,
    /// Not an international phone number.
    #[error("not an international phone number")]
    Phone,
    /// Not a calendar date `YYYY-MM-DD`.
    #[error("not a date")]
    Date,
    /// Something else than digits.
    #[error("not digits only")]
    Digits,
}

/// Whether `text` can name a field, purpose or recipient: `[a-z][a-z0-9_-]{0,62}`.
#[must_use]
pub fn is_name(text: &str) -> bool {
    let rest = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'_' | b'-');
    text.len() <= 63 && text.starts_with(|first: char| first.is_ascii_lowercase()) && text.bytes().all(rest)
}

/// Checks a catalogue.
///
/// # Errors
/// The first contradiction.
pub fn validate(fields: &[Field]) -> Result<(), CatalogueError> {
    if fields.len() > MAX_FIELDS {
        return Err(CatalogueError::TooMany);
    }
    let (mut names, mut ids) =
        (HashSet::new(), HashSet::from([FieldId(0), FieldId(u16::MAX), FieldId(u16::MAX - 1)]));
    for (index, field) in fields.iter().enumerate() {
        if !is_name(&field.name) || field.name == "ref" {
            return Err(CatalogueError::Name(index));
        }
        if !names.insert(&field.name) || !ids.insert(field.id) {
            return Err(CatalogueError::Repeated(index));
        }
        field.validate(index)?;
    }
    Ok(())
}

impl Field {
    fn validate(&self, index: usize) -> Result<(), CatalogueError> {
        if self.compartment.0 >= 16 {
            return Err(CatalogueError::Compartment(index));
        }
        if self.max_bytes == 0 || self.max_bytes > MAX_VALUE {
            return Err(CatalogueError::Limit(index));
        }
        if self.index == Index::Equality && (self.category.is_special() || self.max_bytes > MAX_INDEXED) {
            return Err(CatalogueError::Index(index));
        }
        let fits = match self.mask {
            MaskRule::Redact => true,
            MaskRule::Initials => self.kind == FieldType::Text,
            MaskRule::LastFour => self.kind != FieldType::Date,
            MaskRule::Year => self.kind == FieldType::Date,
        };
        if !fits {
            return Err(CatalogueError::Mask(index));
        }
        let holds_a_hash = matches!(self.token, TokenFormat::Opaque | TokenFormat::Email);
        if self.stable && (self.index != Index::Equality || !holds_a_hash) {
            return Err(CatalogueError::Token(index));
        }
        match self.token {
            TokenFormat::Digits(length) if !(6..=38).contains(&length) => Err(CatalogueError::Token(index)),
            _ => Ok(()),
        }
    }

    /// The value as it is stored: checked, and brought to one form, which is its own form again. The limit is on what is
    /// stored; nothing over [`MAX_VALUE`] bytes is looked at.
    ///
    /// # Errors
    /// Why the field does not take it.
    pub fn normalise(&self, value: &str) -> Result<String, ValueError> {
        if value.is_empty() || value.len() > MAX_VALUE as usize {
            return Err(ValueError::Length);
        }
        let stored = match self.kind {
            FieldType::Text => text(value),
            FieldType::Email => email(value),
            FieldType::Phone => phone(value),
            FieldType::Date => date(value),
            FieldType::Digits if is_digits(value) => Ok(value.to_owned()),
            FieldType::Digits => Err(ValueError::Digits),
        }?;
        if stored.len() > self.max_bytes as usize { Err(ValueError::Length) } else { Ok(stored) }
    }

    /// The bytes that are blinded for the equality index: case, surrounding space and what does not show do not count.
    /// Composed and decomposed letters (`é`, `e` with U+0301) are different.
    #[must_use]
    pub fn index_form(&self, normalised: &str) -> Vec<u8> {
        match self.kind {
            FieldType::Text | FieldType::Email => {
                let shown: String = normalised.chars().filter(|one| !is_invisible(*one)).collect();
                shown.trim().to_lowercase().into_bytes()
            }
            FieldType::Phone | FieldType::Date | FieldType::Digits => normalised.as_bytes().to_vec(),
        }
    }
}

fn is_digits(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

fn text(value: &str) -> Result<String, ValueError> {
    if is_shown_as_stored(value) { Ok(value.to_owned()) } else { Err(ValueError::Control) }
}

/// An addr-spec without quoting and comments, within the lengths of RFC 5321 §4.5.3.1 (a path of 256 bytes has its
/// brackets, which leaves 254). What is checked is the result: lower case can be longer, and other letters.
fn email(value: &str) -> Result<String, ValueError> {
    let (local, domain) = value.trim().rsplit_once('@').ok_or(ValueError::Email)?;
    let domain = domain.to_lowercase();
    let atext = |one: char| one.is_alphanumeric() || "!#$%&'*+-/=?^_`{|}~.".contains(one);
    let local_fits = (1..=64).contains(&local.len())
        && local.chars().all(atext)
        && !local.starts_with('.')
        && !local.ends_with('.')
        && !local.contains("..");
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.chars().all(|one| one.is_alphanumeric() || one == '-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    // No top-level domain is a number (RFC 3696 §2): `a@127.0.0.1` is an address of a machine, not of a person.
    let top_fits = domain.rsplit_once('.').is_some_and(|(_, top)| !is_digits(top));
    let domain_fits = top_fits && domain.split('.').all(label);
    let fits = local_fits && domain_fits && local.len() + 1 + domain.len() <= 254;
    if fits { Ok(format!("{local}@{domain}")) } else { Err(ValueError::Email) }
}

/// E.164 after removing the usual separators; `00` becomes `+`.
fn phone(value: &str) -> Result<String, ValueError> {
    let spaceless: String = value.chars().filter(|one| !one.is_whitespace()).collect();
    let bare: String = value.chars().filter(|one| !separates_digits(*one)).collect();
    let digits = bare.strip_prefix('+').or_else(|| bare.strip_prefix("00")).ok_or(ValueError::Phone)?;
    let fits = (7..=15).contains(&digits.len())
        && is_digits(digits)
        && !digits.starts_with('0')
        && !spaceless.contains("(0)");
    if fits { Ok(format!("+{digits}")) } else { Err(ValueError::Phone) }
}

fn date(value: &str) -> Result<String, ValueError> {
    let form = time::macros::format_description!("[year]-[month]-[day]");
    let parsed = time::Date::parse(value, form).map_err(|_| ValueError::Date)?;
    if value.len() == 10 && parsed.year() >= 1 { Ok(value.to_owned()) } else { Err(ValueError::Date) }
}
