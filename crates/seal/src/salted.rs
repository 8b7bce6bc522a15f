//! Sealing under a long-lived key: a fresh salt, a pseudorandom key from it, one sealing.
//!
//! Layout: salt (32 bytes) ‖ commitment (32) ‖ padded ciphertext ‖ tag (16). There is no bound on how often a
//! key seals so, since no two sealings share a cipher key.

use crate::SealError;
use crate::aad::Aad;
use crate::kdf::Prk;
use crate::labels::Label;
use crate::one_seal::{OneSealKey, sealed_len};
use crate::secret::{Buffer, Secret};
use model::Entropy;

/// Bytes of the salt.
pub(crate) const SALT: usize = 32;

/// Seals `plain` and appends it to `out`.
pub(crate) fn seal(
    key: &Secret,
    label: Label,
    aad: Aad,
    plain: &[u8],
    out: &mut Vec<u8>,
    entropy: &dyn Entropy,
) -> Result<(), SealError> {
    let salt: [u8; SALT] = model::clock::random(entropy);
    out.reserve(SALT + sealed_len(plain.len()));
    out.extend_from_slice(&salt);
    let prk = Prk::extract(&salt, &[key.as_ref()]);
    OneSealKey::derive(&prk, label, aad)?.seal(plain, out)
}

/// Opens what [`seal`] appended.
pub(crate) fn open(key: &Secret, label: Label, aad: Aad, sealed: &[u8]) -> Result<Buffer, SealError> {
    let (salt, rest) = sealed.split_first_chunk::<SALT>().ok_or(SealError::Open)?;
    let prk = Prk::extract(salt, &[key.as_ref()]);
    OneSealKey::derive(&prk, label, aad)?.open(rest)
}

/// Takes the version byte off; any but `version` does not open.
pub(crate) fn strip_version(sealed: &[u8], version: u8) -> Result<&[u8], SealError> {
    match sealed.split_first() {
        Some((first, rest)) if *first == version => Ok(rest),
        _ => Err(SealError::Open),
    }
}
