//! The tenant key and what it wraps.

use crate::aad::Aad;
use crate::labels::{INDEX_KEY, LOG_SECRET, METADATA_KEY, PERIOD_KEY};
use crate::root::{RootPlace, RootUse};
use crate::secret::{Secret, opaque_debug};
use crate::wrap::WrapKey;
use crate::{IndexId, IndexKey, LogSecret, MetadataKey, PeriodKey, Root, SealError};
use model::{Entropy, PrincipalId, TenantId};

/// The key of a tenant: AES-256, wrapped once per root. It wraps the tenant's other long-lived keys, which are
/// random, so that each can be destroyed for itself. It does not reach any person: those keys hang on the shred
/// epochs.
pub struct TenantKey {
    tenant: TenantId,
    version: u32,
    key: WrapKey,
}

opaque_debug!(TenantKey);

impl TenantKey {
    /// A new key.
    #[must_use]
    pub fn generate(tenant: TenantId, key_version: u32, entropy: &dyn Entropy) -> Self {
        Self { tenant, version: key_version, key: WrapKey::new(Secret::random(entropy)) }
    }

    /// Seals it to a root.
    ///
    /// # Errors
    /// [`SealError::Library`].
    pub fn wrap(&self, root: &Root, entropy: &dyn Entropy) -> Result<Vec<u8>, SealError> {
        root.wrap(&place(self.tenant, self.version), self.key.secret(), entropy)
    }

    /// Opens it. Takes about 1.5 ms of RSA.
    ///
    /// # Errors
    /// [`SealError::Open`].
    pub fn unwrap(root: &Root, tenant: TenantId, key_version: u32, sealed: &[u8]) -> Result<Self, SealError> {
        let key = root.unwrap(&place(tenant, key_version), sealed)?;
        Ok(Self { tenant, version: key_version, key: WrapKey::new(key) })
    }

    /// Its version, as it stands in record places.
    #[must_use]
    pub fn version(&self) -> u32 {
        self.version
    }

    /// A new metadata key and its wrap.
    ///
    /// # Errors
    /// [`SealError::Exhausted`], [`SealError::Library`]; so for all that follow.
    pub fn new_metadata(&self, entropy: &dyn Entropy) -> Result<(MetadataKey, Vec<u8>), SealError> {
        let (key, wrap) = self.fresh(&self.aad_metadata(), entropy)?;
        Ok((MetadataKey::new(self.tenant, key), wrap))
    }

    /// Opens the metadata key.
    ///
    /// # Errors
    /// [`SealError::Open`]; so for all that follow.
    pub fn open_metadata(&self, sealed: &[u8]) -> Result<MetadataKey, SealError> {
        self.reopen(&self.aad_metadata(), sealed).map(|key| MetadataKey::new(self.tenant, key))
    }

    /// A new index key and its wrap.
    ///
    /// # Errors
    /// As [`TenantKey::new_metadata`].
    pub fn new_index(&self, index: IndexId, entropy: &dyn Entropy) -> Result<(IndexKey, Vec<u8>), SealError> {
        let (key, wrap) = self.fresh(&self.aad_index(index), entropy)?;
        Ok((IndexKey::new(key), wrap))
    }

    /// Opens an index key.
    ///
    /// # Errors
    /// [`SealError::Open`].
    pub fn open_index(&self, index: IndexId, sealed: &[u8]) -> Result<IndexKey, SealError> {
        self.reopen(&self.aad_index(index), sealed).map(IndexKey::new)
    }

    /// A new ledger period key and its wrap.
    ///
    /// # Errors
    /// As [`TenantKey::new_metadata`].
    pub fn new_period(
        &self,
        period: u32,
        generation: u16,
        entropy: &dyn Entropy,
    ) -> Result<(PeriodKey, Vec<u8>), SealError> {
        let (key, wrap) = self.fresh(&self.aad_period(period, generation), entropy)?;
        Ok((PeriodKey::new(period, generation, key), wrap))
    }

    /// Opens a ledger period key.
    ///
    /// # Errors
    /// [`SealError::Open`].
    pub fn open_period(&self, period: u32, generation: u16, sealed: &[u8]) -> Result<PeriodKey, SealError> {
        let key = self.reopen(&self.aad_period(period, generation), sealed)?;
        Ok(PeriodKey::new(period, generation, key))
    }

    /// A new log secret of a principal and its wrap.
    ///
    /// # Errors
    /// As [`TenantKey::new_metadata`].
    pub fn new_log_secret(
        &self,
        principal: PrincipalId,
        entropy: &dyn Entropy,
    ) -> Result<(LogSecret, Vec<u8>), SealError> {
        let (key, wrap) = self.fresh(&self.aad_log_secret(principal), entropy)?;
        Ok((LogSecret::new(key), wrap))
    }

    /// Opens a principal's log secret.
    ///
    /// # Errors
    /// [`SealError::Open`].
    pub fn open_log_secret(&self, principal: PrincipalId, sealed: &[u8]) -> Result<LogSecret, SealError> {
        self.reopen(&self.aad_log_secret(principal), sealed).map(LogSecret::new)
    }

    fn fresh(&self, aad: &Aad, entropy: &dyn Entropy) -> Result<(Secret, Vec<u8>), SealError> {
        let key = Secret::random(entropy);
        let wrap = self.key.wrap(aad, key.as_ref(), entropy)?;
        Ok((key, wrap))
    }

    fn reopen(&self, aad: &Aad, sealed: &[u8]) -> Result<Secret, SealError> {
        Secret::copy_of(&self.key.unwrap(aad, sealed)?)
    }

    fn aad(&self, label: crate::labels::Label) -> Aad {
        Aad::new(label).bytes(&self.tenant.0).u32(self.version)
    }

    fn aad_metadata(&self) -> Aad {
        self.aad(METADATA_KEY)
    }

    fn aad_index(&self, index: IndexId) -> Aad {
        self.aad(INDEX_KEY).u16(index.0)
    }

    fn aad_period(&self, period: u32, generation: u16) -> Aad {
        self.aad(PERIOD_KEY).u32(period).u16(generation)
    }

    fn aad_log_secret(&self, principal: PrincipalId) -> Aad {
        self.aad(LOG_SECRET).bytes(&principal.0)
    }
}

fn place(tenant: TenantId, key_version: u32) -> RootPlace {
    RootPlace { tenant, usage: RootUse::TenantKey, key_version }
}
