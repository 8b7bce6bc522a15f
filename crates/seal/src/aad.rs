//! Associated data: a label and fixed-length fields, all integers big-endian.

use crate::labels::Label;

/// The longest associated data of any format. Checked when bytes are added.
const MAX: usize = 96;

/// Associated data, built on the stack.
#[derive(Clone, Copy)]
pub(crate) struct Aad {
    bytes: [u8; MAX],
    len: usize,
}

impl Aad {
    /// Associated data that begin with `label`.
    #[inline]
    pub(crate) fn new(label: Label) -> Self {
        Self { bytes: [0; MAX], len: 0 }.bytes(label.bytes())
    }

    /// Adds a field. Every caller adds the same number of bytes each time for the same label.
    #[inline]
    pub(crate) fn bytes(mut self, field: &[u8]) -> Self {
        let end = self.len + field.len();
        self.bytes[self.len..end].copy_from_slice(field);
        self.len = end;
        self
    }

    #[inline]
    pub(crate) fn u8(self, field: u8) -> Self {
        self.bytes(&[field])
    }

    #[inline]
    pub(crate) fn u16(self, field: u16) -> Self {
        self.bytes(&field.to_be_bytes())
    }

    #[inline]
    pub(crate) fn u32(self, field: u32) -> Self {
        self.bytes(&field.to_be_bytes())
    }

    #[inline]
    pub(crate) fn u64(self, field: u64) -> Self {
        self.bytes(&field.to_be_bytes())
    }
}

impl AsRef<[u8]> for Aad {
    fn as_ref(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}
