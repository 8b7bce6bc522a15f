//! The shred store.
use crate::Root;
use model::{Entropy, TenantId, Timestamp};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// One live epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EpochInfo {
    /// Its number, the week in which it began.
    pub epoch: u32,
    /// When its key was made.
    pub created: Timestamp,
}

/// The key of one shred epoch.
pub struct EpochKey {
    tenant: TenantId,
    epoch: u32,
    key: crate::wrap::WrapKey,
}

impl EpochKey {
    /// Its number.
    #[must_use]
    pub fn epoch(&self) -> u32 {
        self.epoch
    }
    pub(crate) fn is_at(&self, tenant: TenantId, epoch: u32) -> bool {
        self.tenant == tenant && self.epoch == epoch
    }
    pub(crate) fn key(&self) -> &crate::wrap::WrapKey {
        &self.key
    }
}

/// What [`ShredStore::open`] put right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Repair {
    /// A holder's file was missing, broken or old and was written anew.
    Holder(usize),
    /// An epoch's escrow object was missing or broken and was written anew.
    Escrow(u32),
    /// An epoch that had been destroyed before a crash, or came back with an old file, was destroyed again.
    Destroyed(u32),
    /// An epoch was found in escrow alone and taken up again.
    Adopted(u32),
}

/// How thoroughly an epoch was destroyed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Destroyed {
    /// How many holders confirmed.
    pub holders: usize,
    /// Whether the escrow object is gone.
    pub escrow: bool,
}

/// Why the shred store could not do what was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ShredError {
    /// Two to four holders are needed, in different places.
    #[error("two to four different holders are needed")]
    Holders,
    /// This holder could not be read or written.
    #[error("holder {0} unavailable")]
    Holder(usize),
    /// The escrow place could not be read or written.
    #[error("escrow unavailable")]
    Escrow,
    /// Files are there, but none is whole.
    #[error("no whole holder file")]
    Damaged,
    /// The files do not open under this root.
    #[error("sealed under another root")]
    Root,
    /// Two holders have different keys for one epoch.
    #[error("holders diverge")]
    Diverged,
    /// Eight epochs are alive already.
    #[error("eight epochs are alive")]
    Full,
    /// No such epoch was ever made, or its number is out of bounds.
    #[error("unknown epoch")]
    Unknown,
    /// The epoch was destroyed and does not come back.
    #[error("epoch destroyed")]
    Destroyed,
    /// The cryptographic library refused to work.
    #[error("cryptographic library failed")]
    Library,
}

/// The epoch keys of one tenant.
pub struct ShredStore(());

impl ShredStore {
    /// Opens the files of a tenant, making them where there are none.
    pub fn open(
        _holders: &[PathBuf],
        _escrow: &Path,
        _tenant: TenantId,
        _root: &Arc<Root>,
        _entropy: &dyn Entropy,
    ) -> Result<Self, ShredError> {
        Err(ShredError::Damaged)
    }
    /// What opening put right.
    #[must_use]
    pub fn repairs(&self) -> &[Repair] {
        &[]
    }
    /// The live epochs, ascending.
    #[must_use]
    pub fn epochs(&self) -> Vec<EpochInfo> {
        Vec::new()
    }
    /// The key of a live epoch.
    #[must_use]
    pub fn key(&self, _epoch: u32) -> Option<Arc<EpochKey>> {
        None
    }
    /// Makes an epoch, or gives the one that is there.
    pub fn create(
        &self,
        _epoch: u32,
        _now: Timestamp,
        _entropy: &dyn Entropy,
    ) -> Result<Arc<EpochKey>, ShredError> {
        Err(ShredError::Full)
    }
    /// Destroys an epoch in every holder and in escrow.
    pub fn destroy(&self, _epoch: u32, _entropy: &dyn Entropy) -> Result<Destroyed, ShredError> {
        Err(ShredError::Unknown)
    }
}
