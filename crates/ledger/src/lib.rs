//! Append-only Merkle log of opaque bytes.
//!
//! An entry is *durable* once its group commit stands in the journal, *provable* once a signed checkpoint covers
//! it, *undeniable* once a witness outside the operator has cosigned that checkpoint. The crate knows nothing of
//! what the bytes mean; sealing them is the business of `seal::trail`.
//!
//! Start with [`Ledger::open`] and [`Ledger::append`]; an outsider starts with [`verify`]. Inside, follow an entry:
//! `journal::queue` (appenders gather in a record), `journal::writer` (one sync for all of them), `derived::deriver`
//! (tiles, bundles, identities, postings), `checkpointer` (mark, sign, publish). `open` and `journal::recover` are the
//! way back after a stop. What each file looks like, and why it survives what, stands in `FORMATS.md`.
//!
//! To add a derived file: 1. make and open it in `derived::files`, 2. fill it in `Deriver::derive_entry` and append
//! and sync it with the others, 3. let the mark say how far it is valid, under a new magic, 4. rebuild it for older
//! directories when the mark is of the old version, 5. its layout in `FORMATS.md`, a permanent vector, and the
//! power-cut test must read it.

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
