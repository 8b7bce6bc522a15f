//! The seam: what a use case sees of the store, whatever the backend.

use crate::error::{ApplyError, OpenError, StoreError};
use crate::ops::{DataOp, KeyOp};
use crate::rows::JobRow;
use crate::snapshot::Snapshot;
use crate::sqlite::Engine;
use crate::touched::Moment;
use model::{PersonId, Timestamp};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// How the store is opened.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Read connections per file that are kept open; more are opened for a while when needed.
    pub readers: usize,
    /// Page cache of all connections together, in bytes.
    pub cache_bytes: usize,
    /// How many plans share one commit at most.
    pub plans_per_commit: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self { readers: 4, cache_bytes: 64 << 20, plans_per_commit: 512 }
    }
}

/// Which jobs somebody takes, and for how long.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// The kind of job.
    pub kind: &'static str,
    /// The present moment: jobs that are due, and whose lease, if any, has ended.
    pub now: Timestamp,
    /// Until when they are held.
    pub until: Timestamp,
    /// At most so many.
    pub limit: u32,
}

/// Sizes in bytes, for overviews and the low-water mark.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FileSizes {
    /// `keys.db`
    pub keys: u64,
    /// Its write-ahead log.
    pub keys_log: u64,
    /// `data.db`
    pub data: u64,
    /// Its write-ahead log.
    pub data_log: u64,
}

/// What a quick check of the files' structure said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Integrity {
    /// Whether `keys.db` is sound.
    pub keys: bool,
    /// Whether `data.db` is sound.
    pub data: bool,
}

/// How often a plan of a name came and what became of it, since the store was opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlanCount {
    /// The plan's name.
    pub name: &'static str,
    /// Applied.
    pub applied: u64,
    /// Ended by a precondition.
    pub conflicts: u64,
    /// Ended by a fault of the storage.
    pub faults: u64,
}

/// What the writers have done since the store was opened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Health {
    /// Commits of the key store.
    pub key_commits: u64,
    /// Commits of the data file.
    pub data_commits: u64,
    /// The last SQLite result code of a fault, extended form; 0 is none.
    pub last_fault: i32,
    /// Per plan name, in no order.
    pub plans: Vec<PlanCount>,
}

/// The key store and the data file of one folder. A handle; clones share the same files.
#[derive(Clone)]
pub struct Store {
    engine: Arc<Engine>,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store").finish_non_exhaustive()
    }
}

impl Store {
    /// Opens or makes both files in `dir` (made with mode 0700 when absent), migrates them, and holds the folder
    /// until the store is closed or its last handle is dropped.
    pub fn open(dir: &Path, options: &Options) -> Result<Self, OpenError> {
        Ok(Self { engine: Arc::new(Engine::open(dir, options)?) })
    }

    /// Reads as of one moment. Costs next to nothing until the first read.
    pub fn snapshot(&self) -> Result<Snapshot, StoreError> {
        self.engine.reads().map(Snapshot::new)
    }

    /// How far the key store has come: to be taken before a snapshot, for [`Store::untouched_since`].
    #[must_use]
    pub fn moment(&self) -> Moment {
        self.engine.touched().moment()
    }

    /// Whether a snapshot taken after `moment` still shows the person as she is: that no acknowledged plan has written
    /// her row since. `false` can also mean somebody else's; then the row has to be read again.
    #[must_use]
    pub fn untouched_since(&self, moment: Moment, person: PersonId) -> bool {
        self.engine.touched().untouched_since(moment, person)
    }

    /// Applies a plan to the key store. It is handed to the writer by this call, not by the first poll, and goes on
    /// when the future is dropped. `Ok` means durable.
    pub fn apply_keys(
        &self,
        name: &'static str,
        plan: Vec<KeyOp>,
    ) -> impl Future<Output = Result<(), ApplyError>> + Send + use<> {
        self.engine.apply_keys(name, plan)
    }

    /// Applies a plan to the data file; otherwise as [`Store::apply_keys`].
    pub fn apply_data(
        &self,
        name: &'static str,
        plan: Vec<DataOp>,
    ) -> impl Future<Output = Result<(), ApplyError>> + Send + use<> {
        self.engine.apply_data(name, plan)
    }

    /// As [`Store::apply_keys`], for threads that may wait. Waits for about one fdatasync.
    pub fn apply_keys_blocking(&self, name: &'static str, plan: Vec<KeyOp>) -> Result<(), ApplyError> {
        self.engine.apply_keys_blocking(name, plan)
    }

    /// As [`Store::apply_data`], for threads that may wait. Waits for about one fdatasync.
    pub fn apply_data_blocking(&self, name: &'static str, plan: Vec<DataOp>) -> Result<(), ApplyError> {
        self.engine.apply_data_blocking(name, plan)
    }

    /// Takes due jobs of one kind, those first that are due first. Each comes with its attempt counted up.
    pub fn lease_jobs(
        &self,
        lease: Lease,
    ) -> impl Future<Output = Result<Vec<JobRow>, ApplyError>> + Send + use<> {
        self.engine.lease_jobs(lease)
    }

    /// Moves both write-ahead logs into their files and truncates them, the key store's first, so that no bytes of
    /// erased keys are left in them. Snapshots that are open for more than two seconds meanwhile are ended. Blocks
    /// up to `deadline`; [`StoreError::Busy`] when readers held a log for longer: nothing is lost, call it again.
    pub fn checkpoint_truncate(&self, deadline: Duration) -> Result<(), StoreError> {
        self.engine.checkpoint_truncate(deadline)
    }

    /// Walks both files and checks their structure. Blocks, about a second per GiB.
    pub fn integrity(&self) -> Result<Integrity, StoreError> {
        self.engine.integrity()
    }

    /// The sizes of the files at present.
    pub fn sizes(&self) -> Result<FileSizes, StoreError> {
        self.engine.sizes()
    }

    /// What the writers have done.
    #[must_use]
    pub fn health(&self) -> Health {
        self.engine.health()
    }

    /// Writes a compact copy of `data.db`, and of it alone, to `path`, which must not exist, and syncs it. The key
    /// store is never part of a data backup (DESIGN §4). Blocks; meanwhile the data file's log is not truncated.
    pub fn backup_data(&self, path: &Path) -> Result<(), StoreError> {
        self.engine.backup_data(path)
    }

    /// Takes no more plans, finishes those that wait, closes the files and lets go of the folder. Snapshots that
    /// are still open can be read to their end.
    pub fn close(&self) {
        self.engine.close();
    }
}
