//! A key that seals once.
//!
//! AES-256-GCM (NIST SP 800-38D) with a zero nonce: the key itself is fresh for each sealing, derived from
//! 32 random bytes of salt or from a digest that contains them. GCM alone does not commit to its key, so the
//! second half of the derived bytes stands in front of the ciphertext and is compared in constant time before
//! anything is opened.

use crate::aad::Aad;
use crate::kdf::{Prk, expand};
use crate::labels::Label;
use crate::secret::{Buffer, Wiped};
use crate::{SealError, padding, sha256};
use aws_lc_rs::aead::{self, AES_256_GCM, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::constant_time::verify_slices_are_equal;

/// Bytes of the commitment.
pub(crate) const COMMITMENT: usize = 32;
/// Bytes of the GCM tag.
pub(crate) const TAG: usize = 16;

/// The bytes that `plain` bytes take when sealed: commitment, padded ciphertext, tag.
pub(crate) fn sealed_len(plain: usize) -> usize {
    COMMITMENT + padding::padded_len(plain) + TAG
}

/// A key for one sealing, with its commitment. Sealing and opening consume it.
pub(crate) struct OneSealKey {
    cipher: LessSafeKey,
    /// No secret: it stands in front of the ciphertext.
    commitment: [u8; COMMITMENT],
    aad: Aad,
}

impl OneSealKey {
    /// HKDF-Expand(prk, label ‖ SHA-256(aad), 64) = key ‖ commitment.
    pub(crate) fn derive(prk: &Prk, label: Label, aad: Aad) -> Result<Self, SealError> {
        let (mut derived, mut commitment) = (Wiped::<64>::zero(), [0; COMMITMENT]);
        prk.expand(label, &sha256(aad.as_ref()), &mut derived.0);
        let (key, rest) = derived.0.split_first_chunk().ok_or(SealError::Library)?;
        commitment.copy_from_slice(rest);
        Ok(Self { cipher: cipher(key)?, commitment, aad })
    }

    /// Seals `plain` and appends commitment ‖ ciphertext ‖ tag to `out`.
    pub(crate) fn seal(self, plain: &[u8], out: &mut Vec<u8>) -> Result<(), SealError> {
        if plain.len() > padding::MAX_PLAINTEXT {
            return Err(SealError::TooLarge);
        }
        // Reserved first: a vector that grows would leave plaintext behind.
        out.reserve(sealed_len(plain.len()));
        out.extend_from_slice(&[0; COMMITMENT]);
        let start = out.len();
        out.extend_from_slice(plain);
        self.seal_tail(out, start)
    }

    /// Seals `out[start..]` in place; the [`COMMITMENT`] bytes before `start` are overwritten.
    pub(crate) fn seal_tail(self, out: &mut Vec<u8>, start: usize) -> Result<(), SealError> {
        padding::pad(out, start)?;
        out[start - COMMITMENT..start].copy_from_slice(&self.commitment);
        let (nonce, aad) = (Nonce::assume_unique_for_key([0; 12]), aead::Aad::from(&self.aad));
        let tag = self.cipher.seal_in_place_separate_tag(nonce, aad, &mut out[start..]);
        out.extend_from_slice(tag.map_err(|_| SealError::Library)?.as_ref());
        Ok(())
    }

    /// Opens commitment ‖ ciphertext ‖ tag and takes the padding off.
    pub(crate) fn open(self, sealed: &[u8]) -> Result<Buffer, SealError> {
        let (commitment, rest) = sealed.split_first_chunk::<COMMITMENT>().ok_or(SealError::Open)?;
        let (body, tag) = rest.split_last_chunk::<TAG>().ok_or(SealError::Open)?;
        verify_slices_are_equal(&self.commitment, commitment).map_err(|_| SealError::Open)?;
        let mut plain = Buffer::zero(body.len());
        let (nonce, aad) = (Nonce::assume_unique_for_key([0; 12]), aead::Aad::from(&self.aad));
        self.cipher.open_separate_gather(nonce, aad, body, tag, &mut plain).map_err(|_| SealError::Open)?;
        let length = padding::unpad(&plain)?;
        plain.truncate(length);
        Ok(plain)
    }
}

/// A key for one sealing without commitment and without padding, for the ledger's layers alone: there a digest
/// over the exact ciphertext is fixed elsewhere (the Merkle leaf, and in it the digest of the identity layer).
pub(crate) struct LayerKey(LessSafeKey);

impl LayerKey {
    /// HKDF-Expand(key, label ‖ context, 32). Some part of `context` was never used with `key` before.
    pub(crate) fn derive(key: &[u8; 32], label: Label, context: &[u8]) -> Result<Self, SealError> {
        let mut derived = Wiped::zero();
        expand(key, label, context, &mut derived.0);
        cipher(&derived.0).map(Self)
    }

    /// Seals `out[start..]` in place and appends the tag.
    pub(crate) fn seal_tail(self, aad: &[u8], out: &mut Vec<u8>, start: usize) -> Result<(), SealError> {
        let (nonce, aad) = (Nonce::assume_unique_for_key([0; 12]), aead::Aad::from(aad));
        let tag = self.0.seal_in_place_separate_tag(nonce, aad, &mut out[start..]);
        out.extend_from_slice(tag.map_err(|_| SealError::Library)?.as_ref());
        Ok(())
    }

    /// Opens ciphertext ‖ tag.
    pub(crate) fn open(self, aad: &[u8], sealed: &[u8]) -> Result<Buffer, SealError> {
        let (body, tag) = sealed.split_last_chunk::<TAG>().ok_or(SealError::Open)?;
        let mut plain = Buffer::zero(body.len());
        let (nonce, aad) = (Nonce::assume_unique_for_key([0; 12]), aead::Aad::from(aad));
        self.0.open_separate_gather(nonce, aad, body, tag, &mut plain).map_err(|_| SealError::Open)?;
        Ok(plain)
    }
}

/// The cipher of the house under one key.
pub(crate) fn cipher(key: &[u8; 32]) -> Result<LessSafeKey, SealError> {
    UnboundKey::new(&AES_256_GCM, key).map(LessSafeKey::new).map_err(|_| SealError::Library)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::labels::{RECORD_ENVELOPE, RECORD_VALUE};
    use proptest::prelude::*;

    fn key(salt: u8, label: Label, place: u8) -> OneSealKey {
        OneSealKey::derive(&Prk::extract(&[salt], &[b"key"]), label, Aad::new(label).u8(place)).unwrap()
    }

    fn sealed(plain: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        key(1, RECORD_VALUE, 1).seal(plain, &mut out).unwrap();
        out
    }

    proptest! {
        #[test]
        fn what_was_sealed_opens_and_has_the_padded_length(plain in proptest::collection::vec(any::<u8>(), 0..300)) {
            let sealed = sealed(&plain);
            prop_assert_eq!(sealed.len(), sealed_len(plain.len()));
            prop_assert_eq!(&*key(1, RECORD_VALUE, 1).open(&sealed).unwrap(), &plain[..]);
        }

        #[test]
        fn any_bytes_do_not_open_and_do_not_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            prop_assert_eq!(key(1, RECORD_VALUE, 1).open(&bytes).err(), Some(SealError::Open));
            prop_assert_eq!(LayerKey::derive(&[1; 32], RECORD_VALUE, b"").unwrap().open(b"", &bytes).err(), Some(SealError::Open));
        }
    }

    #[test]
    fn another_salt_label_or_place_does_not_open() {
        let sealed = sealed(b"value");
        assert!(key(1, RECORD_VALUE, 1).open(&sealed).is_ok());
        for other in [key(2, RECORD_VALUE, 1), key(1, RECORD_ENVELOPE, 1), key(1, RECORD_VALUE, 2)] {
            assert_eq!(other.open(&sealed).err(), Some(SealError::Open));
        }
    }

    #[test]
    fn no_flipped_bit_and_no_other_length_opens() {
        let sealed = sealed(b"value");
        for bit in 0..sealed.len() * 8 {
            let mut flipped = sealed.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(key(1, RECORD_VALUE, 1).open(&flipped).err(), Some(SealError::Open));
        }
        for len in 0..sealed.len() {
            assert!(key(1, RECORD_VALUE, 1).open(&sealed[..len]).is_err());
        }
        assert!(key(1, RECORD_VALUE, 1).open(&[&sealed[..], &[0]].concat()).is_err());
    }

    /// GCM alone would open this: the ciphertext and tag are right, the commitment is another key's.
    #[test]
    fn the_commitment_is_checked_beside_the_tag() {
        let mut sealed = sealed(b"value");
        assert!(key(1, RECORD_VALUE, 1).open(&sealed).is_ok());
        let other = key(2, RECORD_VALUE, 1);
        sealed[..COMMITMENT].copy_from_slice(&other.commitment);
        assert_eq!(key(1, RECORD_VALUE, 1).open(&sealed).err(), Some(SealError::Open));
        assert_eq!(other.open(&sealed).err(), Some(SealError::Open));
    }

    #[test]
    fn too_long_is_refused_before_anything_is_sealed() {
        let mut out = Vec::new();
        let plain = vec![0; padding::MAX_PLAINTEXT + 1];
        assert_eq!(key(1, RECORD_VALUE, 1).seal(&plain, &mut out), Err(SealError::TooLarge));
        assert!(out.is_empty());
    }
}
