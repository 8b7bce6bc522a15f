//! Why sealing or opening failed.

/// Why a cryptographic operation failed. Every failed opening is [`SealError::Open`]: a wrong key, a wrong place,
/// a flipped bit and a cut-off end look alike, so that nobody learns from the difference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SealError {
    /// The sealed bytes do not open under this key at this place.
    #[error("does not open")]
    Open,
    /// The permit does not cover this tenant, person and field.
    #[error("not permitted")]
    NotPermitted,
    /// The wrapping key has sealed 2^30 times in this process and seals nothing more.
    #[error("wrapping key exhausted")]
    Exhausted,
    /// The plaintext is longer than the format allows.
    #[error("too large")]
    TooLarge,
    /// The person has no key for this compartment.
    #[error("no such compartment")]
    NoCompartment,
    /// A person has at most 16 compartments, numbered 0 to 15, each at most once.
    #[error("compartments out of bounds")]
    Compartments,
    /// A field stands twice in one record.
    #[error("field repeated")]
    RepeatedField,
    /// The value is no text, so that no transform of it can be shown.
    #[error("not text")]
    NotText,
    /// The place names another tenant, epoch, period or version than the key.
    #[error("wrong place")]
    WrongPlace,
    /// The cryptographic library refused to work, for example to generate a key.
    #[error("cryptographic library failed")]
    Library,
}
