//! Blind indexes: a keyed hash by which equal values find each other.

use crate::kdf::hmac;
use crate::labels::BLIND_INDEX;
use crate::secret::{Secret, opaque_debug};

/// Which index a key belongs to: the field's number, or one of the caller's own for things that are no fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct IndexId(pub u16);

/// Blinds the values of one index of one tenant.
pub struct IndexKey(Secret);

opaque_debug!(IndexKey);

impl IndexKey {
    pub(crate) fn new(key: Secret) -> Self {
        Self(key)
    }

    /// HMAC-SHA-256(key, label ‖ value), its first 16 bytes. Equal values give equal results under one key; under
    /// another key they show nothing of each other. The caller normalises first.
    #[must_use]
    pub fn blind(&self, value: &[u8]) -> [u8; 16] {
        let mut full = [0; 32];
        hmac(self.0.as_ref(), &[BLIND_INDEX.bytes(), value], &mut full);
        let mut short = [0; 16];
        short.copy_from_slice(&full[..16]);
        short
    }
}
