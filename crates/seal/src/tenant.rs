//! The tenant key.
use crate::{IndexId, IndexKey, LogSecret, MetadataKey, PeriodKey, Root, SealError};
use model::{Entropy, PrincipalId, TenantId};

/// The key of a tenant.
pub struct TenantKey(());

impl TenantKey {
    /// A new key.
    #[must_use]
    pub fn generate(_tenant: TenantId, _key_version: u32, _entropy: &dyn Entropy) -> Self {
        Self(())
    }
    /// Seals it to a root.
    pub fn wrap(&self, _root: &Root, _entropy: &dyn Entropy) -> Result<Vec<u8>, SealError> {
        Err(SealError::Library)
    }
    /// Opens it.
    pub fn unwrap(
        _root: &Root,
        _tenant: TenantId,
        _key_version: u32,
        _sealed: &[u8],
    ) -> Result<Self, SealError> {
        Err(SealError::Open)
    }
    /// Its version.
    #[must_use]
    pub fn version(&self) -> u32 {
        0
    }
    /// A new metadata key and its wrap.
    pub fn new_metadata(&self, _entropy: &dyn Entropy) -> Result<(MetadataKey, Vec<u8>), SealError> {
        Err(SealError::Library)
    }
    /// Opens the metadata key.
    pub fn open_metadata(&self, _sealed: &[u8]) -> Result<MetadataKey, SealError> {
        Err(SealError::Open)
    }
    /// A new index key and its wrap.
    pub fn new_index(
        &self,
        _index: IndexId,
        _entropy: &dyn Entropy,
    ) -> Result<(IndexKey, Vec<u8>), SealError> {
        Err(SealError::Library)
    }
    /// Opens an index key.
    pub fn open_index(&self, _index: IndexId, _sealed: &[u8]) -> Result<IndexKey, SealError> {
        Err(SealError::Open)
    }
    /// A new ledger period key and its wrap.
    pub fn new_period(
        &self,
        _period: u32,
        _generation: u16,
        _entropy: &dyn Entropy,
    ) -> Result<(PeriodKey, Vec<u8>), SealError> {
        Err(SealError::Library)
    }
    /// Opens a ledger period key.
    pub fn open_period(
        &self,
        _period: u32,
        _generation: u16,
        _sealed: &[u8],
    ) -> Result<PeriodKey, SealError> {
        Err(SealError::Open)
    }
    /// A new log secret of a principal and its wrap.
    pub fn new_log_secret(
        &self,
        _principal: PrincipalId,
        _entropy: &dyn Entropy,
    ) -> Result<(LogSecret, Vec<u8>), SealError> {
        Err(SealError::Library)
    }
    /// Opens a principal's log secret.
    pub fn open_log_secret(&self, _principal: PrincipalId, _sealed: &[u8]) -> Result<LogSecret, SealError> {
        Err(SealError::Open)
    }
}
