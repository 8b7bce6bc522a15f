//! View tokens: what a client carries in the place of a value that it may not read.
//!
//! A view key lives in one process and nowhere else. What it seals opens for nobody after the process ends, and hangs on
//! nothing that is stored.

use crate::SealError;
use crate::aad::Aad;
use crate::labels::VIEW_TOKEN;
use crate::secret::{Secret, opaque_debug};
use crate::wrap::WrapKey;
use model::Entropy;
use zeroize::Zeroizing;

/// Seals what view tokens hold, bound to where they may be used.
pub struct ViewKey(WrapKey);

opaque_debug!(ViewKey);

impl ViewKey {
    /// A fresh key.
    #[must_use]
    pub fn generate(entropy: &dyn Entropy) -> Self {
        Self(WrapKey::new(Secret::random(entropy)))
    }

    /// Seals `plain`, bound to `place`, a [`crate::fingerprint`] of where it may come back.
    ///
    /// # Errors
    /// [`SealError::Exhausted`] after 2^30; then a new key is due.
    pub fn seal(&self, place: &[u8; 32], plain: &[u8], entropy: &dyn Entropy) -> Result<Vec<u8>, SealError> {
        self.0.wrap(&aad(place), plain, entropy)
    }

    /// Opens what [`ViewKey::seal`] made for the same place.
    ///
    /// # Errors
    /// [`SealError::Open`] for everything else.
    pub fn open(&self, place: &[u8; 32], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, SealError> {
        let plain = self.0.unwrap(&aad(place), sealed)?;
        Ok(Zeroizing::new(plain.to_vec()))
    }
}

fn aad(place: &[u8; 32]) -> Aad {
    Aad::new(VIEW_TOKEN).bytes(place)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SystemEntropy;

    #[test]
    fn it_opens_at_its_place_and_under_its_key_alone() {
        let (key, other) = (ViewKey::generate(&SystemEntropy), ViewKey::generate(&SystemEntropy));
        let sealed = key.seal(&[1; 32], b"what", &SystemEntropy).expect("sealed");
        assert_eq!(key.open(&[1; 32], &sealed).expect("opens").as_slice(), b"what");
        assert!(key.open(&[2; 32], &sealed).is_err());
        assert!(other.open(&[1; 32], &sealed).is_err());
        for at in 0..sealed.len() {
            let mut altered = sealed.clone();
            altered[at] ^= 1;
            assert!(key.open(&[1; 32], &altered).is_err(), "{at}");
        }
        assert!(key.open(&[1; 32], &[]).is_err());
    }
}
