//! DSSE v1.
use crate::{PublicKeys, SealError, SigningKeys};

/// Why an envelope or a key document is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DsseError {
    /// Not JSON of this form, or over the limits.
    #[error("not an envelope")]
    Format,
    /// The payload is of another type than asked for.
    #[error("another type of payload")]
    Type,
    /// Signed by other keys.
    #[error("signed by other keys")]
    Key,
    /// A signature does not fit.
    #[error("signature does not fit")]
    Signature,
}

/// A signed document.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Envelope {
    payload: String,
    payload_type: String,
}

/// Signs with both keys.
pub fn sign(_keys: &SigningKeys, _payload_type: &str, _payload: &[u8]) -> Result<Envelope, SealError> {
    Err(SealError::Library)
}

/// Verifies both signatures and gives the payload.
pub fn verify(_envelope: &Envelope, _payload_type: &str, _keys: &PublicKeys) -> Result<Vec<u8>, DsseError> {
    Err(DsseError::Format)
}

impl Envelope {
    /// Strict reading, at most 4 MiB.
    pub fn from_json(_json: &[u8]) -> Result<Self, DsseError> {
        Err(DsseError::Format)
    }
    /// Compact JSON.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        Vec::new()
    }
    /// The type that the signatures cover.
    #[must_use]
    pub fn payload_type(&self) -> &str {
        &self.payload_type
    }
    /// Key ids of the signatures.
    pub fn key_ids(&self) -> impl Iterator<Item = &str> {
        std::iter::empty()
    }
}
