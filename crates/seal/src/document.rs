//! Sealed documents.
use crate::{PersonKeys, SealError};
use model::{Entropy, PersonId, TenantId};
use zeroize::Zeroizing;

/// Where a document stands. All of it is bound into the ciphertext.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DocumentPlace {
    /// The tenant.
    pub tenant: TenantId,
    /// The caller's number for the kind of document.
    pub kind: u8,
    /// The document's id.
    pub id: [u8; 16],
    /// Its version.
    pub version: u32,
}

/// Seals a tenant's documents.
pub struct MetadataKey(());

impl MetadataKey {
    /// Seals a document.
    pub fn seal_document(
        &self,
        _place: &DocumentPlace,
        _bytes: &[u8],
        _entropy: &dyn Entropy,
    ) -> Result<Vec<u8>, SealError> {
        Err(SealError::Library)
    }
    /// Opens a document.
    pub fn open_document(
        &self,
        _place: &DocumentPlace,
        _sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, SealError> {
        Err(SealError::Open)
    }
}

/// Seals a document that dies with the person.
pub fn seal_personal_document(
    _keys: &PersonKeys,
    _place: &DocumentPlace,
    _person: PersonId,
    _bytes: &[u8],
    _entropy: &dyn Entropy,
) -> Result<Vec<u8>, SealError> {
    Err(SealError::Library)
}
/// Opens a document that dies with the person.
pub fn open_personal_document(
    _keys: &PersonKeys,
    _place: &DocumentPlace,
    _person: PersonId,
    _sealed: &[u8],
) -> Result<Zeroizing<Vec<u8>>, SealError> {
    Err(SealError::Open)
}
