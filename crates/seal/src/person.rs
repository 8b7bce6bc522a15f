//! Person bundles.
use crate::{EpochKey, LogSecret, SealError};
use model::{Compartment, Entropy, PersonId, TenantId};

/// Where a person's bundle stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PersonPlace {
    /// The tenant.
    pub tenant: TenantId,
    /// The person.
    pub person: PersonId,
    /// The shred epoch whose key wraps the bundle.
    pub epoch: u32,
    /// The version of the person's row.
    pub row_version: u32,
}

/// The keys of one person.
pub struct PersonKeys(LogSecret);

impl PersonKeys {
    /// Fresh keys.
    pub fn generate(_compartments: &[Compartment], _entropy: &dyn Entropy) -> Result<Self, SealError> {
        Err(SealError::Library)
    }
    /// Seals the bundle under the epoch key.
    pub fn wrap(
        &self,
        _epoch: &EpochKey,
        _place: &PersonPlace,
        _entropy: &dyn Entropy,
    ) -> Result<Vec<u8>, SealError> {
        Err(SealError::Library)
    }
    /// Opens a bundle.
    pub fn unwrap(_epoch: &EpochKey, _place: &PersonPlace, _sealed: &[u8]) -> Result<Self, SealError> {
        Err(SealError::Open)
    }
    /// The current record version of a compartment; `None` when it has no key or no record yet.
    #[must_use]
    pub fn record_version(&self, _compartment: Compartment) -> Option<u32> {
        None
    }
    /// Sets the current record version.
    pub fn set_record_version(&mut self, _compartment: Compartment, _version: u32) -> Result<(), SealError> {
        Err(SealError::NoCompartment)
    }
    /// Adds a compartment with a fresh key; no change when it is there.
    pub fn add_compartment(
        &mut self,
        _compartment: Compartment,
        _entropy: &dyn Entropy,
    ) -> Result<(), SealError> {
        Err(SealError::Compartments)
    }
    /// Destroys a compartment's key. Whether it was there.
    pub fn destroy_compartment(&mut self, _compartment: Compartment) -> bool {
        false
    }
    /// The compartments, ascending.
    pub fn compartments(&self) -> impl Iterator<Item = Compartment> + '_ {
        std::iter::empty()
    }
    /// The person's log secret.
    #[must_use]
    pub fn log_secret(&self) -> &LogSecret {
        &self.0
    }
}
