//! The ledger as its users see it.

use crate::disk::{Disk, RealDisk};
use crate::error::{AppendError, Damage, OpenError, ReadError};
use crate::journal::queue::{Appended, block_on};
use crate::open::Opener;
use crate::options::{CheckpointSigner, Options, SignedHead};
use crate::proof::{self, Hash, Proof};
use crate::shared::{Published, Shared};
use crate::tiles::{self, Resource, TILE_WIDTH};
use crate::verify::TlogProof;
use model::Clock;
use parking_lot::Mutex;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

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
    /// What is durable cannot be made readable or provable at the moment (disk full beside the journal, hook or
    /// signer failing). Appends go on until the journal is full.
    pub stalled: bool,
    /// Number of the incarnation, counted from 0.
    pub incarnation: u32,
}

/// How long [`Ledger::make_provable`] waits for the threads.
const PATIENCE: Duration = Duration::from_secs(30);

/// An open ledger. Clones share it; it closes with the last one, or by [`Ledger::close`].
/// All methods but [`Ledger::append`], [`Ledger::checkpoint`] and [`Ledger::status`] may block on the disk. Reads
/// see all that was durable when they began.
#[derive(Clone)]
pub struct Ledger {
    handle: Arc<Handle>,
}

struct Handle {
    shared: Arc<Shared>,
    threads: Mutex<Vec<JoinHandle<()>>>,
    lock: Mutex<Option<Box<dyn Send + Sync>>>,
}

impl Ledger {
    /// Opens the newest incarnation in `dir`, or creates the first one, and replays the journal.
    ///
    /// Files that do not check, are behind `last_signed` or contradict it do not fail the call: the ledger comes
    /// up set aside ([`Recovery::damage`]), can be read, and never appends or signs.
    pub fn open(
        dir: &Path,
        options: Options,
        signer: Arc<dyn CheckpointSigner>,
        clock: Arc<dyn Clock>,
    ) -> Result<(Self, Recovery), OpenError> {
        Self::open_on(Arc::new(RealDisk), dir, options, signer, clock)
    }

    /// [`Ledger::open`] on another disk than the file system: for tests of faults.
    pub fn open_on(
        disk: Arc<dyn Disk>,
        dir: &Path,
        options: Options,
        signer: Arc<dyn CheckpointSigner>,
        clock: Arc<dyn Clock>,
    ) -> Result<(Self, Recovery), OpenError> {
        Opener { disk, dir, options, signer, clock }.open()
    }

    /// Opens a new incarnation beside a damaged one, on an operator's word. It has its own origin and begins at
    /// index 0; its first leaf names the old head ([`crate::incarnation::Link`]). [`OpenError::Sound`] if the
    /// newest incarnation is not damaged.
    pub fn open_incarnation(
        dir: &Path,
        options: Options,
        signer: Arc<dyn CheckpointSigner>,
        clock: Arc<dyn Clock>,
    ) -> Result<(Self, Recovery), OpenError> {
        Opener { disk: Arc::new(RealDisk), dir, options, signer, clock }.open_incarnation()
    }

    /// The incarnations before this one, newest first, as far as their files can be read: to find and prove what was
    /// written before the ledger was set aside. They never append or sign.
    #[must_use]
    pub fn earlier(&self) -> Vec<Self> {
        crate::open::earlier(self.shared())
    }

    pub(crate) fn new(shared: Arc<Shared>, threads: Vec<JoinHandle<()>>, lock: Box<dyn Send + Sync>) -> Self {
        let handle = Handle { shared, threads: Mutex::new(threads), lock: Mutex::new(Some(lock)) };
        Self { handle: Arc::new(handle) }
    }

    fn shared(&self) -> &Shared {
        &self.handle.shared
    }

    /// Queues `entry`; the future resolves when it is durable. Needs no runtime. Never blocks.
    pub fn append(&self, entry: Entry) -> Appended {
        self.shared().queue.append(entry)
    }

    /// Appends and waits on this thread until the entry is durable.
    pub fn append_blocking(&self, entry: Entry) -> Result<Position, AppendError> {
        block_on(self.append(entry))
    }

    /// Appends all entries in order and waits on this thread until the last is durable. Not atomic: on an error a
    /// prefix may stand in the ledger.
    pub fn append_many(&self, entries: Vec<Entry>) -> Result<Vec<Position>, AppendError> {
        self.shared().queue.append_many(entries)
    }

    fn published(&self) -> Option<Arc<Published>> {
        self.shared().published.lock().clone()
    }

    /// The newest published checkpoint: a signed note (C2SP tlog-checkpoint).
    #[must_use]
    pub fn checkpoint(&self) -> Option<Arc<[u8]>> {
        self.published().map(|published| published.note.clone())
    }

    /// The head of the newest published checkpoint.
    #[must_use]
    pub fn signed_head(&self) -> Option<SignedHead> {
        self.published().map(|published| published.head)
    }

    /// Makes all that is durable now provable, and returns the checkpoint that covers it. Not to be called from
    /// the checkpoint hook.
    pub fn make_provable(&self) -> Result<Arc<[u8]>, ReadError> {
        let shared = self.shared();
        let durable = shared.gauges.durable.load(Ordering::Acquire);
        let deadline = Instant::now() + PATIENCE;
        let mut progress = shared.progress.lock();
        let mut failures = 0;
        loop {
            if shared.is_damaged() {
                return Err(ReadError::Damaged);
            }
            if let Some(published) = self.published().filter(|published| published.head.size >= durable) {
                return Ok(published.note.clone());
            }
            progress.checkpoint_wanted = true;
            shared.signals.checkpoint_due.notify_one();
            let attempts = progress.attempts;
            // One attempt may have been under way when this was asked for.
            if failures == 2 || shared.signals.attempted.wait_until(&mut progress, deadline).timed_out() {
                return Err(ReadError::Unavailable);
            }
            failures += u8::from(progress.attempts != attempts && progress.attempt_failed);
        }
    }

    /// How the ledger is.
    #[must_use]
    pub fn status(&self) -> Status {
        let shared = self.shared();
        Status {
            durable: shared.gauges.durable.load(Ordering::Acquire),
            checkpointed: shared.gauges.provable.load(Ordering::Acquire),
            damaged: *shared.damage.lock(),
            unavailable: shared.gauges.unavailable.load(Ordering::Acquire),
            stalled: shared.is_stalled(),
            incarnation: shared.incarnation,
        }
    }

    /// The origin line of this incarnation.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.shared().origin
    }

    /// The leaf at `index`; `None` beyond the end.
    pub fn leaf(&self, index: u64) -> Result<Option<Vec<u8>>, ReadError> {
        if index >= self.shared().settle()? { Ok(None) } else { self.shared().files.leaf(index).map(Some) }
    }

    /// The identity layer at `index`; `None` beyond the end, when the entry had none, or when it was destroyed.
    pub fn identity(&self, index: u64) -> Result<Option<Vec<u8>>, ReadError> {
        if index >= self.shared().settle()? { Ok(None) } else { self.shared().files.identity(index) }
    }

    /// Destroys the identity layer at `index`: overwritten and synced in the side file when this returns, and out
    /// of the journal within a minute. Repeating it is harmless.
    pub fn destroy_identity(&self, index: u64) -> Result<(), ReadError> {
        self.destroy_identities(&[index])
    }

    /// Destroys several identity layers with one sync.
    pub fn destroy_identities(&self, indexes: &[u64]) -> Result<(), ReadError> {
        let shared = self.shared();
        let Some(last) = indexes.iter().max() else { return Ok(()) };
        if shared.is_damaged() {
            return Err(ReadError::Damaged);
        }
        if *last >= shared.gauges.durable.load(Ordering::Acquire) {
            return Err(ReadError::OutOfRange);
        }
        shared.wait_for_mark(last + 1)?;
        let mut spans = Vec::with_capacity(indexes.len());
        for index in indexes {
            spans.push(shared.files.identity_span(*index)?);
        }
        {
            let _one_at_a_time = shared.sync_lock.lock();
            let file = &shared.files.identity.file;
            let write = |(start, end): &(u64, u64)| file.write_at(&vec![0; (end - start) as usize], *start);
            if let Err(error) = spans.iter().try_for_each(write).and_then(|()| file.sync()) {
                // The error may be about bytes that the deriver wrote, and is told only once.
                shared.request_rewind();
                return Err(ReadError::Io(error));
            }
        }
        shared.progress.lock().scrub_wanted = true;
        shared.signals.checkpoint_due.notify_one();
        Ok(())
    }

    /// The first index ≥ `from` whose leaf hash (SHA-256(0x00 ‖ leaf)) is `hash`. Reads forward from `from`.
    pub fn find_leaf(&self, hash: &Hash, from: u64) -> Result<Option<u64>, ReadError> {
        let count = self.shared().settle()?;
        let mut buffer = vec![0; 32 << 10];
        let mut at = from;
        while at < count {
            let step = (count - at).min((buffer.len() / 32) as u64);
            let part = &mut buffer[..step as usize * 32];
            self.shared().files.leaf_hashes(part, at).map_err(ReadError::Io)?;
            if let Some(found) = part.as_chunks::<32>().0.iter().position(|stored| stored == hash) {
                return Ok(Some(at + found as u64));
            }
            at += step;
        }
        Ok(None)
    }

    /// Indexes below `before` of entries posted under `reference`, newest first, at most `limit`.
    /// Use `u64::MAX` for the newest, then the last index for the next page.
    pub fn touched(&self, reference: &[u8; 16], before: u64, limit: usize) -> Result<Vec<u64>, ReadError> {
        self.shared().settle()?;
        let postings = self.shared().postings.as_ref().ok_or(ReadError::Damaged)?;
        postings.touched(reference, before, limit).map_err(ReadError::Io)
    }

    /// Fails unless `size` entries can be read.
    fn check_size(&self, size: u64) -> Result<(), ReadError> {
        if size <= self.shared().settle()? { Ok(()) } else { Err(ReadError::OutOfRange) }
    }

    /// Root of the tree of the first `size` entries.
    pub fn root(&self, size: u64) -> Result<Hash, ReadError> {
        self.check_size(size)?;
        proof::root(&self.shared().files, size).map_err(ReadError::Io)
    }

    /// Proof that entry `index` stands in the tree of `size` entries (RFC 9162 §2.1.3).
    pub fn inclusion(&self, index: u64, size: u64) -> Result<Proof, ReadError> {
        self.check_size(size)?;
        if index >= size {
            return Err(ReadError::OutOfRange);
        }
        proof::inclusion(&self.shared().files, index, size).map_err(ReadError::Io)
    }

    /// Proof that the tree of `new` entries continues the tree of `old` (RFC 9162 §2.1.4).
    pub fn consistency(&self, old: u64, new: u64) -> Result<Proof, ReadError> {
        self.check_size(new)?;
        if old > new {
            return Err(ReadError::OutOfRange);
        }
        proof::consistency(&self.shared().files, old, new).map_err(ReadError::Io)
    }

    /// A self-contained C2SP `.tlog-proof` for `index` under the newest checkpoint; `None` if that does not cover it.
    pub fn tlog_proof(&self, index: u64) -> Result<Option<Vec<u8>>, ReadError> {
        let Some(published) = self.published().filter(|published| index < published.head.size) else {
            return Ok(None);
        };
        let proof = self.inclusion(index, published.head.size)?;
        Ok(Some(TlogProof { extra: None, index, proof, checkpoint: published.note.to_vec() }.format()))
    }

    /// What stands under a C2SP tlog-tiles path (`checkpoint`, `tile/0/x001/234.p/5`, `tile/entries/…`);
    /// `None` for paths that are not canonical or beyond the newest checkpoint.
    pub fn tile_path(&self, path: &str) -> Result<Option<Vec<u8>>, ReadError> {
        let (Some(resource), Some(published)) = (tiles::parse(path), self.published()) else {
            return Ok(None);
        };
        if resource == Resource::Checkpoint {
            return Ok(Some(published.note.to_vec()));
        }
        let size = published.head.size.min(self.shared().gauges.derived.load(Ordering::Acquire));
        self.resource(resource, size)
    }

    /// A tile or bundle of the tree of `size` entries, which can be read.
    pub(crate) fn resource(&self, resource: Resource, size: u64) -> Result<Option<Vec<u8>>, ReadError> {
        let (level, index, width) = match resource {
            Resource::Checkpoint => return Ok(None),
            Resource::Tile { level, index, width } => (level, index, width),
            Resource::Entries { index, width } => (0, index, width),
        };
        let Some(start) = index.checked_mul(TILE_WIDTH) else { return Ok(None) };
        let end = start.saturating_add(u64::from(width));
        if end > tiles::hashes_at(level, size) {
            return Ok(None);
        }
        let files = &self.shared().files;
        match resource {
            Resource::Entries { .. } => files.bundle(start, end).map(Some),
            _ => files.tile_hashes(level, start, usize::from(width)).map(Some).map_err(ReadError::Io),
        }
    }

    /// Writes checkpoint, tiles and entry bundles as static files in the C2SP layout under the directory `to`, as a
    /// web server would serve them. For a log of the newest checkpoint's size.
    pub fn export(&self, to: &Path) -> Result<(), ReadError> {
        let published = self.published().ok_or(ReadError::OutOfRange)?;
        let size = published.head.size;
        self.check_size(size)?;
        let write = |resource: Resource, bytes: &[u8]| -> io::Result<()> {
            let path = to.join(tiles::format(resource));
            path.parent().map_or(Ok(()), std::fs::create_dir_all)?;
            std::fs::write(path, bytes)
        };
        let tiles = (0..8).flat_map(|level| {
            tiles::tiles_at(level, size).map(move |(index, width)| Resource::Tile { level, index, width })
        });
        let bundles = tiles::tiles_at(0, size).map(|(index, width)| Resource::Entries { index, width });
        for resource in tiles.chain(bundles) {
            let bytes = self.resource(resource, size)?.ok_or(ReadError::Corrupt)?;
            write(resource, &bytes).map_err(ReadError::Io)?;
        }
        write(Resource::Checkpoint, &published.note).map_err(ReadError::Io)
    }

    /// Writes what is queued, signs a last checkpoint, stops the threads, releases the directory. Later appends
    /// answer `Closed`; reads go on. Not to be called from the checkpoint hook.
    pub fn close(&self) {
        self.handle.close();
    }
}

impl Handle {
    fn close(&self) {
        let shared = &self.shared;
        shared.gauges.closing.store(true, Ordering::Release);
        shared.queue.refuse(Some(AppendError::Closed));
        {
            let _progress = shared.progress.lock();
            shared.signals.notify_all();
        }
        for thread in std::mem::take(&mut *self.threads.lock()) {
            // A thread that panicked has nothing more to finish.
            let _ended = thread.join();
        }
        self.lock.lock().take();
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.close();
    }
}
