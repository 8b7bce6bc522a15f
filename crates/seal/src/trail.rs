//! Sealing of ledger entries.
use crate::SealError;
use model::Entropy;
use zeroize::Zeroizing;

/// The key of one ledger period (a week) and generation. Seals any number of entries, across restarts.
pub struct PeriodKey(());

/// The secret under which the trail keeps one person or principal.
pub struct LogSecret(());

impl LogSecret {
    /// The pseudonym in this period.
    #[must_use]
    pub fn subject_ref(&self, _period: u32) -> [u8; 16] {
        [0; 16]
    }
}

/// The clear first 12 bytes of a leaf.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame {
    /// The caller's number for the kind of entry.
    pub kind: u8,
    /// The generation of the period key.
    pub generation: u16,
    /// The tenant's number.
    pub tenant: u32,
    /// The period (week).
    pub period: u32,
}

impl Frame {
    /// Length in bytes.
    pub const LEN: usize = 12;
    /// Reads the frame of a leaf.
    pub fn parse(_leaf: &[u8]) -> Result<Self, SealError> {
        Err(SealError::Open)
    }
}

/// One part of the identity layer.
#[derive(Clone, Copy)]
pub struct IdentityPart<'a> {
    /// Under whose secret.
    pub secret: &'a LogSecret,
    /// What it says.
    pub detail: &'a [u8],
}

/// A sealed entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedEntry {
    /// The leaf of the log.
    pub leaf: Vec<u8>,
    /// The identity layer, which lies beside the log.
    pub identity: Vec<u8>,
}

/// Seals an entry.
pub fn seal_entry(
    _key: &PeriodKey,
    _frame: Frame,
    _metadata: &[u8],
    _parts: &[IdentityPart<'_>],
    _entropy: &dyn Entropy,
) -> Result<SealedEntry, SealError> {
    Err(SealError::Library)
}
/// Opens the metadata layer.
pub fn open_metadata(_key: &PeriodKey, _leaf: &[u8]) -> Result<Vec<u8>, SealError> {
    Err(SealError::Open)
}
/// Opens one part of the identity layer.
pub fn open_identity(
    _secret: &LogSecret,
    _period: u32,
    _leaf: &[u8],
    _identity: &[u8],
    _part: usize,
) -> Result<Zeroizing<Vec<u8>>, SealError> {
    Err(SealError::Open)
}
/// Whether the identity layer is the one that the leaf names.
#[must_use]
pub fn identity_matches(_leaf: &[u8], _identity: &[u8]) -> bool {
    false
}
/// How many parts the identity layer has.
#[must_use]
pub fn identity_parts(_identity: &[u8]) -> usize {
    0
}
