//! Sealed documents: configuration of a tenant, and documents that die with a person.
//!
//! Layout: version 1 (1 byte) ‖ salt (32) ‖ commitment (32) ‖ padded ciphertext ‖ tag (16).

use crate::aad::Aad;
use crate::labels::{PERSON_DOCUMENT, TENANT_DOCUMENT};
use crate::secret::{Secret, opaque_debug};
use crate::{PersonKeys, SealError, salted};
use model::{Compartment, Entropy, PersonId, TenantId};
use zeroize::Zeroizing;

const VERSION: u8 = 1;

/// Where a document stands. All of it is bound into the ciphertext.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DocumentPlace {
    /// The tenant.
    pub tenant: TenantId,
    /// The caller's number for the kind of document.
    pub kind: u8,
    /// The document's id among those of its kind.
    pub id: [u8; 16],
    /// Its version.
    pub version: u32,
}

/// Seals documents of a tenant that speak of no person: catalogue, purposes, notices.
pub struct MetadataKey {
    tenant: TenantId,
    key: Secret,
}

opaque_debug!(MetadataKey);

impl MetadataKey {
    pub(crate) fn new(tenant: TenantId, key: Secret) -> Self {
        Self { tenant, key }
    }

    /// Seals a document of at most 16 MiB, padded.
    ///
    /// # Errors
    /// [`SealError::TooLarge`]; [`SealError::WrongPlace`] if the place names another tenant.
    pub fn seal_document(
        &self,
        place: &DocumentPlace,
        bytes: &[u8],
        entropy: &dyn Entropy,
    ) -> Result<Vec<u8>, SealError> {
        if place.tenant != self.tenant {
            return Err(SealError::WrongPlace);
        }
        let mut out = vec![VERSION];
        salted::seal(&self.key, TENANT_DOCUMENT, tenant_aad(place), bytes, &mut out, entropy)?;
        Ok(out)
    }

    /// Opens a document.
    ///
    /// # Errors
    /// [`SealError::Open`] if it was sealed at another place or under another key, or altered.
    pub fn open_document(
        &self,
        place: &DocumentPlace,
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, SealError> {
        let rest = salted::strip_version(sealed, VERSION)?;
        salted::open(&self.key, TENANT_DOCUMENT, tenant_aad(place), rest).map(|plain| plain.into_zeroizing())
    }
}

/// Seals a document that dies with the person (the payload of a consent record), under the key of the default
/// compartment.
///
/// # Errors
/// [`SealError::TooLarge`] over 16 MiB; [`SealError::NoCompartment`] once the default compartment was destroyed.
pub fn seal_personal_document(
    keys: &PersonKeys,
    place: &DocumentPlace,
    person: PersonId,
    bytes: &[u8],
    entropy: &dyn Entropy,
) -> Result<Vec<u8>, SealError> {
    let key = keys.key(Compartment(0)).ok_or(SealError::NoCompartment)?;
    let mut out = vec![VERSION];
    salted::seal(key, PERSON_DOCUMENT, person_aad(place, person), bytes, &mut out, entropy)?;
    Ok(out)
}

/// Opens a document that dies with the person.
///
/// # Errors
/// [`SealError::Open`] if it was sealed at another place or under another key, or altered.
pub fn open_personal_document(
    keys: &PersonKeys,
    place: &DocumentPlace,
    person: PersonId,
    sealed: &[u8],
) -> Result<Zeroizing<Vec<u8>>, SealError> {
    let key = keys.key(Compartment(0)).ok_or(SealError::Open)?;
    let rest = salted::strip_version(sealed, VERSION)?;
    salted::open(key, PERSON_DOCUMENT, person_aad(place, person), rest).map(|plain| plain.into_zeroizing())
}

fn tenant_aad(place: &DocumentPlace) -> Aad {
    Aad::new(TENANT_DOCUMENT).bytes(&place.tenant.0).u8(place.kind).bytes(&place.id).u32(place.version)
}

fn person_aad(place: &DocumentPlace, person: PersonId) -> Aad {
    Aad::new(PERSON_DOCUMENT)
        .bytes(&place.tenant.0)
        .bytes(&person.0)
        .u8(place.kind)
        .bytes(&place.id)
        .u32(place.version)
}
