//! What the threads of a ledger share: the writer makes entries durable, the deriver makes them readable, the
//! checkpointer makes them provable, the merger keeps the postings few.

use crate::derived::files::Files;
use crate::derived::state::Snapshot;
use crate::disk::Disk;
use crate::error::{AppendError, Damage, ReadError};
use crate::journal::queue::Queue;
use crate::journal::{Extents, Segments};
use crate::options::SignedHead;
use crate::postings::Postings;
use parking_lot::{Condvar, Mutex};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

/// How long a reader waits for what is durable to become readable.
const PATIENCE: Duration = Duration::from_secs(5);

/// A checkpoint that was published.
pub(crate) struct Published {
    pub(crate) head: SignedHead,
    pub(crate) note: Arc<[u8]>,
}

/// Where the threads stand; under one short lock, never held over I/O.
pub(crate) struct Progress {
    /// What of the journal is durable.
    pub(crate) extents: Extents,
    /// The newest state of the derived files.
    pub(crate) snapshot: Arc<Snapshot>,
    /// The newest state that is synced and marked.
    pub(crate) mark: Arc<Snapshot>,
    /// A sync failed: the deriver must write everything after the mark again.
    pub(crate) rewind: bool,
    /// How often that happened.
    pub(crate) rewinds: u64,
    /// The tail of the postings became a run.
    pub(crate) merge_wanted: bool,
    /// Someone waits for entries to become readable.
    pub(crate) derive_wanted: bool,
    /// The deriver waits for work.
    pub(crate) deriver_idle: bool,
    /// Someone needs the mark to move: the writer, who wants a free segment, or a destroyer.
    pub(crate) mark_wanted: bool,
    /// Someone needs a checkpoint now.
    pub(crate) checkpoint_wanted: bool,
    /// Counts attempts at a checkpoint, and whether the last one failed.
    pub(crate) attempts: u64,
    pub(crate) attempt_failed: bool,
    /// A segment file that is being overwritten and must not be used.
    pub(crate) scrubbing: Option<usize>,
    /// The journal still holds an identity that was destroyed.
    pub(crate) scrub_wanted: bool,
    /// The writer shall begin a new segment.
    pub(crate) rotate_wanted: bool,
    /// The writer has stopped; nothing more becomes durable.
    pub(crate) writer_done: bool,
    /// The deriver has stopped; nothing more becomes readable.
    pub(crate) deriver_done: bool,
}

impl Progress {
    pub(crate) fn new(extents: Extents, snapshot: Snapshot) -> Self {
        let snapshot = Arc::new(snapshot);
        Self {
            extents,
            mark: snapshot.clone(),
            snapshot,
            rewind: false,
            rewinds: 0,
            merge_wanted: true,
            derive_wanted: false,
            deriver_idle: false,
            mark_wanted: false,
            checkpoint_wanted: false,
            attempts: 0,
            attempt_failed: false,
            scrubbing: None,
            scrub_wanted: false,
            rotate_wanted: false,
            writer_done: false,
            deriver_done: false,
        }
    }

    /// A segment file that may be written over.
    pub(crate) fn free_file(&self) -> Option<usize> {
        self.extents.free_file(self.mark.lengths.count).filter(|file| self.scrubbing != Some(*file))
    }
}

/// What the threads wait for. All go with [`Shared::progress`].
#[derive(Default)]
pub(crate) struct Signals {
    /// For the deriver: something became durable or is wanted.
    pub(crate) work: Condvar,
    /// For readers: more is readable.
    pub(crate) derived_grew: Condvar,
    /// For the writer and destroyers: the mark moved, or could not.
    pub(crate) mark_moved: Condvar,
    /// For the checkpointer.
    pub(crate) checkpoint_due: Condvar,
    /// For those who asked for a checkpoint.
    pub(crate) attempted: Condvar,
    /// For the merger.
    pub(crate) merge_due: Condvar,
}

impl Signals {
    /// Wakes everybody, to look around.
    pub(crate) fn notify_all(&self) {
        let Self { work, derived_grew, mark_moved, checkpoint_due, attempted, merge_due } = self;
        for signal in [work, derived_grew, mark_moved, checkpoint_due, attempted, merge_due] {
            signal.notify_all();
        }
    }
}

/// What can be read without a lock.
#[derive(Default)]
pub(crate) struct Gauges {
    /// Entries that are durable.
    pub(crate) durable: AtomicU64,
    /// Entries that are readable.
    pub(crate) derived: AtomicU64,
    /// Entries under a published checkpoint.
    pub(crate) provable: AtomicU64,
    /// The journal cannot be written.
    pub(crate) unavailable: AtomicBool,
    /// The derived files cannot be written.
    pub(crate) derive_stalled: AtomicBool,
    /// The mark cannot be written.
    pub(crate) mark_stalled: AtomicBool,
    /// The checkpoint cannot be signed, handed over or written.
    pub(crate) sign_stalled: AtomicBool,
    /// The ledger is closing: threads finish.
    pub(crate) closing: AtomicBool,
}

/// The inside of an open incarnation.
pub(crate) struct Shared {
    pub(crate) disk: Arc<dyn Disk>,
    pub(crate) dir: PathBuf,
    pub(crate) origin: String,
    pub(crate) incarnation: u32,
    /// `None` in a ledger that is set aside.
    pub(crate) segments: Option<Segments>,
    pub(crate) queue: Arc<Queue>,
    pub(crate) files: Files,
    pub(crate) postings: Option<Postings>,
    pub(crate) progress: Mutex<Progress>,
    pub(crate) signals: Signals,
    pub(crate) gauges: Gauges,
    /// Held over every sync of the derived files: an error is reported once, so only one may be asking.
    pub(crate) sync_lock: Mutex<()>,
    pub(crate) published: Mutex<Option<Arc<Published>>>,
    pub(crate) damage: Mutex<Option<Damage>>,
}

impl Shared {
    /// Sets the ledger aside while it runs.
    pub(crate) fn set_damage(&self, damage: Damage) {
        self.damage.lock().get_or_insert(damage);
        self.queue.refuse(Some(AppendError::Damaged));
        let _progress = self.progress.lock();
        self.signals.notify_all();
    }

    pub(crate) fn is_damaged(&self) -> bool {
        self.damage.lock().is_some()
    }

    /// A sync of derived files failed: nothing since the mark can be trusted to be on the disk, and the deriver
    /// writes it again. Called under `sync_lock`.
    pub(crate) fn request_rewind(&self) {
        let mut progress = self.progress.lock();
        progress.rewind = true;
        progress.rewinds += 1;
        progress.snapshot = progress.mark.clone();
        self.signals.work.notify_all();
    }

    /// Whether the journal's segments cannot become free at the moment.
    pub(crate) fn is_stuck(&self) -> bool {
        self.gauges.derive_stalled.load(Ordering::Acquire) || self.gauges.mark_stalled.load(Ordering::Acquire)
    }

    /// Whether what is durable cannot be made readable or provable at the moment.
    pub(crate) fn is_stalled(&self) -> bool {
        self.is_stuck() || self.gauges.sign_stalled.load(Ordering::Acquire)
    }

    pub(crate) fn is_closing(&self) -> bool {
        self.gauges.closing.load(Ordering::Acquire)
    }

    /// Waits until all that is durable now can be read; returns how many entries can.
    pub(crate) fn settle(&self) -> Result<u64, ReadError> {
        let durable = self.gauges.durable.load(Ordering::Acquire);
        let derived = self.gauges.derived.load(Ordering::Acquire);
        if derived >= durable {
            return Ok(derived);
        }
        let mut progress = self.progress.lock();
        let deadline = std::time::Instant::now() + PATIENCE;
        while self.gauges.derived.load(Ordering::Acquire) < durable {
            if self.is_damaged() {
                break;
            }
            progress.derive_wanted = true;
            self.signals.work.notify_one();
            if progress.deriver_done
                || self.signals.derived_grew.wait_until(&mut progress, deadline).timed_out()
            {
                return Err(ReadError::Unavailable);
            }
        }
        Ok(self.gauges.derived.load(Ordering::Acquire))
    }

    /// Waits until the mark covers `count` entries, so that no replay writes them again.
    pub(crate) fn wait_for_mark(&self, count: u64) -> Result<(), ReadError> {
        let mut progress = self.progress.lock();
        let deadline = std::time::Instant::now() + PATIENCE;
        while progress.mark.lengths.count < count {
            if self.is_damaged() {
                return Err(ReadError::Damaged);
            }
            progress.mark_wanted = true;
            self.signals.checkpoint_due.notify_one();
            if progress.deriver_done
                || self.signals.mark_moved.wait_until(&mut progress, deadline).timed_out()
            {
                return Err(ReadError::Unavailable);
            }
        }
        Ok(())
    }
}
