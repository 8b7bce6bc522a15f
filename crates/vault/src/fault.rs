//! What can go wrong below a use case, whatever the use case is.
//!
//! Each use case has an error enum of its own, with a variant `Fault` for these. None carries a payload:
//! what an operator needs beyond the reason stands in the log of the crate that noticed it.

use store::{ApplyError, StoreError};

/// A fault of the house, not of the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// The ledger cannot write at present. Personal data are not released (invariant 3).
    #[error("the ledger cannot be written at present")]
    LedgerUnavailable,
    /// The ledger's files do not agree with each other; an operator must open a new incarnation.
    #[error("the ledger is damaged and set aside")]
    LedgerDamaged,
    /// The store cannot be read or written.
    #[error("the store cannot be reached")]
    StoreUnavailable,
    /// The file system of the store is full.
    #[error("the storage is full")]
    StorageFull,
    /// The clock stands before a moment that was already recorded.
    #[error("the clock is behind")]
    ClockBehind,
    /// The key that asked was revoked, or its term ended, while the request was on its way.
    #[error("the key is not valid any more")]
    Revoked,
    /// Others changed the same person again and again while this was tried.
    #[error("too many simultaneous changes")]
    Busy,
    /// Something stored does not open: moved, altered, or its key is gone.
    #[error("a stored value does not open")]
    Corrupt,
    /// The shred store cannot be read or written.
    #[error("the shred store cannot be reached")]
    ShredStore,
}

impl From<StoreError> for Fault {
    fn from(_: StoreError) -> Self {
        Self::StoreUnavailable
    }
}

impl From<seal::SealError> for Fault {
    fn from(_: seal::SealError) -> Self {
        Self::Corrupt
    }
}

impl From<ledger::AppendError> for Fault {
    fn from(error: ledger::AppendError) -> Self {
        match error {
            ledger::AppendError::Damaged => Self::LedgerDamaged,
            _ => Self::LedgerUnavailable,
        }
    }
}

/// What became of a plan: done, or a precondition that failed, or a fault.
pub(crate) enum Applied {
    Done,
    Conflict(store::Conflict),
}

/// Parts a failed precondition, which a use case answers or retries, from a fault, which it passes on.
pub(crate) fn applied(result: Result<(), ApplyError>) -> Result<Applied, Fault> {
    match result {
        Ok(()) => Ok(Applied::Done),
        Err(ApplyError::Conflict(conflict)) => Ok(Applied::Conflict(conflict)),
        Err(ApplyError::Full) => Err(Fault::StorageFull),
        Err(_) => Err(Fault::StoreUnavailable),
    }
}
