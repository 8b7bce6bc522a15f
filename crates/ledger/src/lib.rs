//! Append-only Merkle log of opaque bytes.
//!
//! An entry is *durable* once its group commit stands in the journal, *provable* once a signed checkpoint covers
//! it, *undeniable* once a witness outside the operator has cosigned that checkpoint. The crate knows nothing of
//! what the bytes mean; sealing them is the business of `seal::trail`.
//!
//! Start with [`Ledger::open`] and [`Ledger::append`]; an outsider starts with [`verify`].

mod checkpointer;
mod derived;
pub mod disk;
pub mod error;
mod frontier;
pub mod incarnation;
mod journal;
pub mod ledger;
mod open;
pub mod options;
mod postings;
pub mod proof;
mod shared;
mod tiles;
pub mod verify;
pub mod witness;

pub use error::{AppendError, Damage, OpenError, ReadError};
pub use journal::queue::Appended;
pub use journal::record::{MAX_IDENTITY, MAX_LEAF, MAX_POSTINGS};
pub use ledger::{Entry, Ledger, Position, Recovery, Status};
pub use options::{CheckpointHook, CheckpointSigner, HookRefused, Options, SignedHead};
pub use proof::{Hash, Proof};
