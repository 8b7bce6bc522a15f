//! Named reads on a snapshot and write plans over private database backends.
//!
//! Two files: the **key store** (`keys.db`: tenants, wrapped keys, person rows with state and version, blind
//! indexes, tokens, consents, limits, principals, the ledger's outbox) and the **data file** (`data.db`: sealed
//! record versions, sealed documents, jobs). A commit to the key store *is* the change. What goes into the data
//! file is written before the key store makes it reachable, and is removed after the key store has let go of it,
//! so that no transaction has to span both.
//!
//! Personal data come here sealed ([`Sealed`]) or not at all.
//!
//! To add an operation: 1. its variant in [`KeyOp`] or [`DataOp`], with its preconditions in words; 2. its
//! statement in `sqlite/key_plan*.rs` or `sqlite/data_plan.rs`, checking the number of rows changed; 3. its case in
//! the conformance suite, with a control that shows the precondition fail; 4. a row in the test that lists all
//! operations. To add a read: its line in `snapshot.rs`, its statement in `sqlite/key_reads*.rs` or
//! `sqlite/data_reads.rs`, its case in the suite. To add a column or a table: a new migration file; those that were
//! released never change.

mod error;
mod ops;
mod rows;
mod snapshot;
mod sqlite;
mod store;

pub use error::{ApplyError, Conflict, OpenError, StoreError};
pub use ops::{DataOp, KeyOp, Wrap};
pub use rows::{
    ConsentRow, DocumentRow, EpochRow, EpochState, IdempotencyRow, IndexRow, JobRow, JobState, LimitKind,
    LimitRow, NewJob, OutboxRow, PersonHead, PersonRow, PersonState, PrincipalRow, PrincipalState, RecordKey,
    RecordRow, Sealed, SignedHeadRow, SubKeyKind, SubKeyRow, TenantKeyRow, TenantRow, TokenRow, person_flags,
};
pub use snapshot::Snapshot;
pub use store::{FileSizes, Health, Integrity, Lease, Options, PlanCount, Store};
