//! Secret bytes that are wiped when they go.
//!
//! The `zeroize` crate wipes arrays and vectors byte by byte, slices at once; for the paths that are taken per
//! value that is the difference between 5 and 300 ns, so the containers here wipe as slices.

use crate::{SealError, padding};
use model::Entropy;
use zeroize::{Zeroize, Zeroizing};

/// A fixed number of secret bytes.
pub(crate) struct Wiped<const N: usize>(pub(crate) [u8; N]);

impl<const N: usize> Wiped<N> {
    pub(crate) fn zero() -> Self {
        Self([0; N])
    }
}

impl<const N: usize> Drop for Wiped<N> {
    fn drop(&mut self) {
        self.0.as_mut_slice().zeroize();
    }
}

/// Secret bytes whose number is known when they are made. Never grown, since that would leave a copy behind.
pub(crate) struct Buffer(Vec<u8>);

impl Buffer {
    /// `len` zeros, to be filled in place.
    pub(crate) fn zero(len: usize) -> Self {
        Self(vec![0; len])
    }

    /// Nothing yet, with room for `capacity` bytes.
    pub(crate) fn with_capacity(capacity: usize) -> Self {
        Self(Vec::with_capacity(capacity))
    }

    /// Appends bytes for which room was made.
    pub(crate) fn extend(&mut self, bytes: &[u8]) {
        debug_assert!(self.0.len() + bytes.len() <= self.0.capacity(), "a buffer that grows leaves a copy");
        self.0.extend_from_slice(bytes);
    }

    /// Pads all of it; room was made for that too.
    pub(crate) fn pad(&mut self) -> Result<(), SealError> {
        debug_assert!(
            padding::padded_len(self.0.len()) <= self.0.capacity(),
            "a buffer that grows leaves a copy"
        );
        padding::pad(&mut self.0, 0)
    }

    /// Cuts off the end; what was there stays in the allocation and is wiped now.
    pub(crate) fn truncate(&mut self, len: usize) {
        if let Some(rest) = self.0.get_mut(len..) {
            rest.zeroize();
        }
        self.0.truncate(len);
    }

    /// The bytes in the type that callers outside this crate hold.
    pub(crate) fn into_zeroizing(mut self) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(std::mem::take(&mut self.0))
    }
}

impl From<Vec<u8>> for Buffer {
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }
}

impl std::ops::Deref for Buffer {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl std::ops::DerefMut for Buffer {
    fn deref_mut(&mut self) -> &mut [u8] {
        &mut self.0
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        self.0.as_mut_slice().zeroize();
    }
}

/// 32 secret bytes that stay where they were written until they are wiped. On the heap, because a value that is
/// moved leaves its bytes behind on the stack.
pub(crate) struct Secret(Box<Wiped<32>>);

impl Secret {
    /// All zero, to be filled in place.
    pub(crate) fn zero() -> Self {
        Self(Box::new(Wiped::zero()))
    }

    /// 32 random bytes.
    pub(crate) fn random(entropy: &dyn Entropy) -> Self {
        let mut secret = Self::zero();
        entropy.fill(secret.as_mut());
        secret
    }

    /// A copy of exactly 32 bytes.
    pub(crate) fn copy_of(bytes: &[u8]) -> Result<Self, SealError> {
        let mut secret = Self::zero();
        if bytes.len() != 32 {
            return Err(SealError::Open);
        }
        secret.as_mut().copy_from_slice(bytes);
        Ok(secret)
    }

    pub(crate) fn as_ref(&self) -> &[u8; 32] {
        &self.0.0
    }

    pub(crate) fn as_mut(&mut self) -> &mut [u8; 32] {
        &mut self.0.0
    }
}

/// `Debug` that says the type and nothing else.
macro_rules! opaque_debug {
    ($($name:ty),+ $(,)?) => {
        $(impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_struct(stringify!($name)).finish_non_exhaustive()
            }
        })+
    };
}
pub(crate) use opaque_debug;
