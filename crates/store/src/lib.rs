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
//! statement in `sqlite/key_plan/` or `sqlite/data_plan.rs`, which checks the number of rows changed; 3. its case in
//! `tests/store/suite/`, with a control that shows the precondition fail (the suite fails when an operation has
//! none); 4. its line in `sqlite/cost.rs`, which counts what it costs among many persons.
//!
//! To add a read: its line in `snapshot.rs`, its statement in `sqlite/*_reads.rs`, its case in the suite.
//!
//! To add a column or a table: a new file in `sqlite/migrations/`, its line in `sqlite/migrate.rs` with its digest;
//! what was released never changes. A new index needs its row in `sqlite_stat1`.
//!
//! To add a backend: a module beside `sqlite` with the methods of its `Engine` and `Reads`, an enum of the two where
//! [`Store`] and [`Snapshot`] hold the one, and a test that runs the suite on it. A backend over a network answers
//! reads by waiting; callers that must not wait call from a thread that may.

mod error;
mod ops;
mod rows;
mod snapshot;
mod sqlite;
mod store;
mod touched;

pub use error::{ApplyError, Conflict, OpenError, StoreError};
pub use ops::{DataOp, KeyOp, Wrap};
pub use rows::{
    ConsentRow, DocumentRow, EpochRow, EpochState, IdempotencyRow, IndexRow, JobRow, JobState, LimitKind,
    LimitRow, NewJob, OutboxRow, PersonHead, PersonRow, PersonState, PrincipalRow, PrincipalState, RecordKey,
    RecordRow, Sealed, SignedHeadRow, SubKeyKind, SubKeyRow, TenantKeyRow, TenantRow, TokenRow, person_flags,
};
pub use snapshot::Snapshot;
pub use store::{FileSizes, Health, Integrity, Lease, Options, PlanCount, Store};
pub use touched::Moment;
