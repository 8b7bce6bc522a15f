//! Signed documents: DSSE v1 (github.com/secure-systems-lab/dsse, protocol.md) with two signatures over the exact
//! bytes of the payload. Both must fit: one of the two algorithms may fall without a signed document falling.

use crate::{PublicKeys, SealError, SigningKeys};
use aws_lc_rs::signature::{ED25519, RSA_PSS_2048_8192_SHA256, UnparsedPublicKey};
use data_encoding::BASE64;
use serde::{Deserialize, Serialize};

/// Longest envelope that is looked at, in bytes.
const MAX_ENVELOPE: usize = 8 << 20;
/// Longest type of payload, in bytes.
const MAX_TYPE: usize = 256;

/// Why an envelope or a document of keys is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DsseError {
    /// Not JSON of this form, or over the limits.
    #[error("not a signed document of this form")]
    Format,
    /// The payload is of another type than asked for.
    #[error("another type of payload")]
    Type,
    /// Not signed by exactly these two keys.
    #[error("signed by other keys")]
    Key,
    /// A signature does not fit the payload.
    #[error("signature does not fit")]
    Signature,
}

/// A signed document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Envelope {
    payload: String,
    #[serde(rename = "payloadType")]
    payload_type: String,
    signatures: Vec<Signature>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Signature {
    keyid: String,
    sig: String,
}

/// Signs with both keys. Takes about 1.5 ms of RSA.
///
/// # Errors
/// [`SealError::TooLarge`] over 4 MiB of payload or 256 bytes of type; [`SealError::Library`].
pub fn sign(keys: &SigningKeys, payload_type: &str, payload: &[u8]) -> Result<Envelope, SealError> {
    if payload.len() > MAX_ENVELOPE / 2 || payload_type.len() > MAX_TYPE {
        return Err(SealError::TooLarge);
    }
    let message = pre_authentication(payload_type, payload);
    let signature = |keyid, sig: &[u8]| Signature { keyid, sig: BASE64.encode(sig) };
    Ok(Envelope {
        payload: BASE64.encode(payload),
        payload_type: payload_type.into(),
        signatures: vec![
            signature(keys.public().ed25519_id(), &keys.ed25519_sign(&message)),
            signature(keys.public().rsa_id(), &keys.rsa_pss_sign(&message)?),
        ],
    })
}

/// The payload, if it is of this type and both signatures of `keys`, and no others, fit.
///
/// # Errors
/// As the variants of [`DsseError`] say.
pub fn verify(envelope: &Envelope, payload_type: &str, keys: &PublicKeys) -> Result<Vec<u8>, DsseError> {
    if envelope.payload_type != payload_type {
        return Err(DsseError::Type);
    }
    let [first, second] = envelope.signatures.as_slice() else { return Err(DsseError::Key) };
    if first.keyid != keys.ed25519_id() || second.keyid != keys.rsa_id() {
        return Err(DsseError::Key);
    }
    let decode = |text: &String| BASE64.decode(text.as_bytes()).map_err(|_| DsseError::Format);
    let (payload, ed25519, rsa) = (decode(&envelope.payload)?, decode(&first.sig)?, decode(&second.sig)?);
    let message = pre_authentication(payload_type, &payload);
    UnparsedPublicKey::new(&ED25519, &keys.ed25519)
        .verify(&message, &ed25519)
        .map_err(|_| DsseError::Signature)?;
    UnparsedPublicKey::new(&RSA_PSS_2048_8192_SHA256, &keys.rsa_der)
        .verify(&message, &rsa)
        .map_err(|_| DsseError::Signature)?;
    Ok(payload)
}

/// DSSE's PAE: `DSSEv1`, then type and body, each preceded by its length in decimal, separated by single spaces.
fn pre_authentication(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let mut message = format!("DSSEv1 {} {payload_type} {} ", payload_type.len(), payload.len()).into_bytes();
    message.extend_from_slice(payload);
    message
}

impl Envelope {
    /// Reads an envelope: no unknown or repeated members, standard base64 with padding, at most 8 MiB.
    ///
    /// # Errors
    /// [`DsseError::Format`].
    pub fn from_json(json: &[u8]) -> Result<Self, DsseError> {
        if json.len() > MAX_ENVELOPE {
            return Err(DsseError::Format);
        }
        let envelope: Self = serde_json::from_slice(json).map_err(|_| DsseError::Format)?;
        if envelope.payload_type.len() > MAX_TYPE {
            return Err(DsseError::Format);
        }
        Ok(envelope)
    }

    /// As compact JSON.
    ///
    /// # Errors
    /// [`DsseError::Format`] never for an envelope that was signed or read here.
    pub fn to_json(&self) -> Result<Vec<u8>, DsseError> {
        serde_json::to_vec(self).map_err(|_| DsseError::Format)
    }

    /// The type of the payload; authentic only once [`verify`] was satisfied.
    #[must_use]
    pub fn payload_type(&self) -> &str {
        &self.payload_type
    }

    /// The payload without any check of its signatures, for showing what an untrusted document claims.
    ///
    /// # Errors
    /// [`DsseError::Format`].
    pub fn unverified_payload(&self) -> Result<Vec<u8>, DsseError> {
        BASE64.decode(self.payload.as_bytes()).map_err(|_| DsseError::Format)
    }

    /// Ids of the keys that claim to have signed.
    pub fn key_ids(&self) -> impl Iterator<Item = &str> {
        self.signatures.iter().map(|signature| signature.keyid.as_str())
    }
}
