//! The catalogue: which fields exist, of which category, how they look, what masks them.

use crate::ids::{Compartment, FieldId};
use serde::{Deserialize, Serialize};

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
    /// Any text up to the field's limit, NFC not enforced, no control characters but line breaks and tabs.
    Text,
    /// An e-mail address (addr-spec without comments, RFC 5321 lengths).
    Email,
    /// A phone number in E.164 after removing separators.
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
    /// `+999…`, digits only
    Phone,
}

/// One field of the catalogue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Field {
    /// Its number in tables.
    pub id: FieldId,
    /// Its name in the API, `[a-z][a-z0-9_]{0,62}`.
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
    /// The compartment whose key seals it.
    pub compartment: Compartment,
    /// Whether its value speaks of a third person (an emergency contact); such a field goes with its person.
    pub third_party: bool,
    /// Longest value in bytes of UTF-8.
    pub max_bytes: u32,
}
