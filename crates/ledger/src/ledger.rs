//! The ledger as its users see it.

use crate::error::{AppendError, Damage, OpenError, ReadError};
use crate::options::{CheckpointSigner, Options, SignedHead};
use crate::proof::{Hash, Proof};
use model::Clock;
use std::future::Future;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

/// What is appended: opaque bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Entry {
    /// The leaf, hashed into the tree and kept for ever. At most 65,535 bytes.
    pub leaf: Vec<u8>,
    /// The identity layer: kept beside the tree, destroyable at any time. At most 1 MiB; may be empty.
    pub identity: Vec<u8>,
    /// Under which references [`Ledger::touched`] finds the entry. At most 4,096.
    pub postings: Vec<[u8; 16]>,
}

/// Where an entry stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// Counted from 0.
    pub index: u64,
}

/// What opening found and did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recovery {
    /// Entries in the ledger after recovery.
    pub entries: u64,
    /// Journal records that were replayed into the derived files.
    pub replayed_records: u64,
    /// An incomplete last record, never acknowledged, was dropped.
    pub dropped_incomplete: bool,
    /// Why the ledger stands aside read-only, if it does.
    pub damage: Option<Damage>,
    /// The newest checkpoint found in the files.
    pub last_signed: Option<SignedHead>,
}

/// How the ledger is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// Number of entries that are durable.
    pub durable: u64,
    /// Number of entries under the newest published checkpoint.
    pub checkpointed: u64,
    /// Why the ledger stands aside read-only, if it does.
    pub damaged: Option<Damage>,
    /// Writing does not work at the moment; appends fail at once.
    pub unavailable: bool,
    /// Number of the incarnation, counted from 0.
    pub incarnation: u32,
}

/// Resolves when the entry is durable. Dropping it does not take the entry back.
#[must_use = "an entry is durable only when this resolves"]
pub struct Appended {}

impl Future for Appended {
    type Output = Result<Position, AppendError>;
    fn poll(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<Self::Output> {
        unimplemented!()
    }
}

/// An open ledger. Clones share it; it closes with the last one, or by [`Ledger::close`].
/// All methods but [`Ledger::append`] may block on the disk.
#[derive(Clone)]
pub struct Ledger {}

impl Ledger {
    /// Opens the newest incarnation in `dir`, or creates the first one, and replays the journal.
    ///
    /// Files that do not check, are behind `last_signed` or contradict it do not fail the call: the ledger comes
    /// up set aside ([`Recovery::damage`]), can be read, and never appends or signs.
    pub fn open(
        _dir: &Path,
        _options: Options,
        _signer: Arc<dyn CheckpointSigner>,
        _clock: Arc<dyn Clock>,
    ) -> Result<(Self, Recovery), OpenError> {
        unimplemented!()
    }

    /// Opens a new incarnation beside a damaged one, on an operator's word. Its first leaf names the old head.
    pub fn open_incarnation(
        _dir: &Path,
        _options: Options,
        _signer: Arc<dyn CheckpointSigner>,
        _clock: Arc<dyn Clock>,
    ) -> Result<(Self, Recovery), OpenError> {
        unimplemented!()
    }

    /// Queues `entry`; the future resolves when it is durable. Needs no runtime. Never blocks.
    pub fn append(&self, _entry: Entry) -> Appended {
        unimplemented!()
    }

    /// Appends and waits on this thread until the entry is durable.
    pub fn append_blocking(&self, _entry: Entry) -> Result<Position, AppendError> {
        unimplemented!()
    }

    /// Appends all entries in order and waits on this thread until the last is durable. Not atomic: on an error a
    /// prefix may stand in the ledger.
    pub fn append_many(&self, _entries: Vec<Entry>) -> Result<Vec<Position>, AppendError> {
        unimplemented!()
    }

    /// The newest published checkpoint: a signed note (C2SP tlog-checkpoint).
    #[must_use]
    pub fn checkpoint(&self) -> Option<Arc<[u8]>> {
        unimplemented!()
    }

    /// Makes all that is durable now provable, and returns the checkpoint that covers it.
    pub fn make_provable(&self) -> Result<Arc<[u8]>, ReadError> {
        unimplemented!()
    }

    /// How the ledger is. Does not block.
    #[must_use]
    pub fn status(&self) -> Status {
        unimplemented!()
    }

    /// The origin line of this incarnation.
    #[must_use]
    pub fn origin(&self) -> &str {
        unimplemented!()
    }

    /// The leaf at `index`; `None` beyond the end.
    pub fn leaf(&self, _index: u64) -> Result<Option<Vec<u8>>, ReadError> {
        unimplemented!()
    }

    /// The identity layer at `index`; `None` beyond the end, when the entry had none, or when it was destroyed.
    pub fn identity(&self, _index: u64) -> Result<Option<Vec<u8>>, ReadError> {
        unimplemented!()
    }

    /// Destroys the identity layer at `index`: overwritten and synced in the side file when this returns, and out
    /// of the journal within a minute. Repeating it is harmless.
    pub fn destroy_identity(&self, _index: u64) -> Result<(), ReadError> {
        unimplemented!()
    }

    /// The first index ≥ `from` whose leaf hash (SHA-256(0x00 ‖ leaf)) is `hash`. Reads forward from `from`.
    pub fn find_leaf(&self, _hash: &Hash, _from: u64) -> Result<Option<u64>, ReadError> {
        unimplemented!()
    }

    /// Indexes below `before` of entries posted under `reference`, newest first, at most `limit`.
    /// Use `u64::MAX` for the newest, then the last index for the next page.
    pub fn touched(&self, _reference: &[u8; 16], _before: u64, _limit: usize) -> Result<Vec<u64>, ReadError> {
        unimplemented!()
    }

    /// Root of the tree of the first `size` entries.
    pub fn root(&self, _size: u64) -> Result<Hash, ReadError> {
        unimplemented!()
    }

    /// Proof that entry `index` stands in the tree of `size` entries (RFC 9162 §2.1.3).
    pub fn inclusion(&self, _index: u64, _size: u64) -> Result<Proof, ReadError> {
        unimplemented!()
    }

    /// Proof that the tree of `new` entries continues the tree of `old` (RFC 9162 §2.1.4).
    pub fn consistency(&self, _old: u64, _new: u64) -> Result<Proof, ReadError> {
        unimplemented!()
    }

    /// A self-contained C2SP `.tlog-proof` for `index` under the newest checkpoint; `None` if that does not cover it.
    pub fn tlog_proof(&self, _index: u64) -> Result<Option<Vec<u8>>, ReadError> {
        unimplemented!()
    }

    /// What stands under a C2SP tlog-tiles path (`checkpoint`, `tile/0/x001/234.p/5`, `tile/entries/…`);
    /// `None` for paths that are not canonical or beyond the newest checkpoint.
    pub fn tile_path(&self, _path: &str) -> Result<Option<Vec<u8>>, ReadError> {
        unimplemented!()
    }

    /// Writes checkpoint, tiles and entry bundles as static files in the C2SP layout into the empty directory `to`.
    pub fn export(&self, _to: &Path) -> Result<(), ReadError> {
        unimplemented!()
    }

    /// Writes what is queued, signs a last checkpoint, stops the threads. Later appends answer `Closed`.
    pub fn close(&self) {
        unimplemented!()
    }
}
