//! What can go wrong: reasons without payload. What an operator needs beyond them stands in [`crate::Health`].

/// Why a plan was not applied. Each leaves nothing of the plan behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ApplyError {
    /// A precondition of the plan did not hold; read the facts again.
    #[error("a precondition does not hold: {0}")]
    Conflict(#[from] Conflict),
    /// The file system cannot take the plan. Once there is room again, the same store works on by itself.
    #[error("the storage is full")]
    Full,
    /// The file could not be read or written. The next plan tries again with a new connection. When the fault came
    /// while the commit was being synced, the plan may still turn out applied after a crash.
    #[error("the storage cannot be written")]
    Unavailable,
    /// The store is being closed, or its writer is gone.
    #[error("the store is closed")]
    Closed,
}

/// Which precondition of a plan failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum Conflict {
    /// The tenant, or its number, is there already.
    #[error("the tenant exists")]
    TenantExists,
    /// The tenant has another version than expected.
    #[error("the tenant has changed")]
    TenantVersion,
    /// The configuration has another version than expected.
    #[error("the configuration has changed")]
    ConfigVersion,
    /// A wrapped key of this place is there already.
    #[error("the key exists")]
    KeyExists,
    /// The person is there already.
    #[error("the person exists")]
    PersonExists,
    /// The person has another version or epoch than expected.
    #[error("the person has changed")]
    PersonVersion,
    /// The person is erased: no key, and no other state, comes back to such a row.
    #[error("the person is erased")]
    PersonErased,
    /// The person is not provisional (any more): what was accepted is not removed like something that never was.
    #[error("the person is not provisional")]
    PersonState,
    /// The epoch is being destroyed, or is: nothing is put under it any more.
    #[error("the epoch is retired")]
    EpochRetired,
    /// Another person holds this value of a unique index.
    #[error("the index value is taken")]
    IndexTaken,
    /// The token is in use.
    #[error("the token is taken")]
    TokenTaken,
    /// The consent record has another version than expected.
    #[error("the consent has changed")]
    ConsentVersion,
    /// The principal, or its key hash, is there already.
    #[error("the principal exists")]
    PrincipalExists,
    /// The principal has another version than expected.
    #[error("the principal has changed")]
    PrincipalVersion,
    /// The principal is not there, revoked, or its term has ended.
    #[error("the principal is not active")]
    PrincipalInactive,
    /// The idempotency key was used before.
    #[error("the idempotency key is taken")]
    IdempotencyTaken,
    /// This record version is there with other bytes. Record rows never change: take the next free version.
    #[error("the record version exists")]
    RecordExists,
    /// This document version is there already.
    #[error("the document version exists")]
    DocumentExists,
    /// A job of the same kind with the same payload waits already.
    #[error("the job is queued")]
    JobQueued,
    /// The lease of the job ended and somebody else holds it, or it is done.
    #[error("the lease is lost")]
    LeaseLost,
    /// A row of the same key is there already (consent, limit, outbox, house).
    #[error("the row exists")]
    Exists,
    /// A signed head, an epoch's state or the clock mark would go back.
    #[error("it would go back")]
    Backwards,
    /// The row to be changed is not there.
    #[error("the row is missing")]
    Missing,
    /// A value is out of the range that the schema allows: a mistake in the plan.
    #[error("a rule of the schema does not hold")]
    Constraint,
}

/// Why a read gave no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The file could not be read.
    #[error("the storage cannot be read")]
    Unavailable,
    /// The snapshot was open for so long that a checkpoint ended it; take a new one.
    #[error("the snapshot was ended for a checkpoint")]
    Interrupted,
    /// Snapshots are in the way: too many are open, or one kept a checkpoint from ending in time.
    #[error("too many snapshots are open, or one for too long")]
    Busy,
    /// A stored row is not of the form that this version writes.
    #[error("a stored row is not readable")]
    Corrupt,
    /// The store is being closed.
    #[error("the store is closed")]
    Closed,
}

/// Why a store could not be opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// Another process holds the folder.
    #[error("the data folder is in use by another process")]
    Locked,
    /// The database was written by a newer version of the program.
    #[error("the database was written by a newer version")]
    Newer,
    /// A migration in the database is not the one that this program knows under its number.
    #[error("a migration of the database has another digest")]
    Digest,
    /// The file is a database, but not the one that belongs here (key store and data file swapped, or a stranger's).
    #[error("the file is not the expected database")]
    WrongFile,
    /// The file is not a database or is damaged.
    #[error("the database is damaged")]
    Damaged,
    /// The file system is full.
    #[error("the storage is full")]
    Full,
    /// The folder or a file could not be read or written.
    #[error("the data folder cannot be used")]
    Unavailable,
}
