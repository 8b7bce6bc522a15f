//! Opening: which incarnation, is it sound, recovery, and the threads.

use crate::checkpointer::{self, Checkpointer};
use crate::derived::deriver::{Deriver, StepError};
use crate::derived::files::Files;
use crate::derived::state::{Snapshot, StateFile};
use crate::disk::{self, Disk, Mode};
use crate::error::{AppendError, Damage, OpenError};
use crate::incarnation::{self, Description, Link};
use crate::journal::queue::Queue;
use crate::journal::record::{PAGE, largest_payload};
use crate::journal::recover::{self, Found};
use crate::journal::writer::Writer;
use crate::journal::{Extents, MIN_SEGMENT, Segments};
use crate::ledger::{Entry, Ledger, Recovery};
use crate::options::{CheckpointSigner, Options, SignedHead};
use crate::postings::Postings;
use crate::proof;
use crate::shared::{Gauges, Progress, Published, Shared, Signals};
use crate::verify::key::is_name;
use crate::verify::note::Note;
use model::Clock;
use parking_lot::Mutex;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

/// Directory in which an incarnation is made before it gets its name.
const NEW: &str = "new";
/// Largest `incarnation` or `checkpoint` file that is read, in bytes.
const SMALL_FILE: usize = 1 << 17;
/// File of the mark.
pub(crate) const STATE: &str = "state";

/// What opening needs, gathered.
pub(crate) struct Opener<'a> {
    pub(crate) disk: Arc<dyn Disk>,
    pub(crate) dir: &'a Path,
    pub(crate) options: Options,
    pub(crate) signer: Arc<dyn CheckpointSigner>,
    pub(crate) clock: Arc<dyn Clock>,
}

/// An incarnation whose files were read.
struct Loaded {
    shared: Arc<Shared>,
    recovery: Recovery,
    /// What the threads go on from; `None` if it is set aside.
    parts: Option<(Deriver, Writer, StateFile)>,
}

impl Opener<'_> {
    /// [`Ledger::open`].
    pub(crate) fn open(self) -> Result<(Ledger, Recovery), OpenError> {
        let lock = self.prepare()?;
        let (newest, loaded) = self.load_newest()?;
        self.start(newest, loaded, lock)
    }

    /// [`Ledger::open_incarnation`].
    pub(crate) fn open_incarnation(self) -> Result<(Ledger, Recovery), OpenError> {
        let lock = self.prepare()?;
        let (newest, old) = self.load_newest()?;
        // The new one names the head of the old one, and so must never name what somebody else laid there.
        if self.options.last_signed.is_some_and(|head| head.incarnation < newest) {
            return Err(OpenError::Stranger);
        }
        let Some(damage) = old.recovery.damage else { return Err(OpenError::Sound) };
        let link = self.link(newest, &old, damage);
        drop(old);
        self.create(newest + 1, &Description::Later(link))?;
        let loaded = self.load(newest + 1, true)?;
        self.start(newest + 1, loaded, lock)
    }

    fn prepare(&self) -> Result<Box<dyn Send + Sync>, OpenError> {
        let Options { origin, segment_bytes, checkpoint_interval_ms, heartbeat_ms, tail_postings, .. } =
            &self.options;
        let fits = is_name(origin)
            && origin.len() <= 200
            && is_name(self.signer.key_name())
            && *segment_bytes >= MIN_SEGMENT
            && *segment_bytes <= u64::from(u32::MAX)
            && segment_bytes.is_multiple_of(PAGE)
            && *checkpoint_interval_ms > 0
            && *heartbeat_ms > 0
            && *tail_postings >= 16;
        if !fits {
            return Err(OpenError::Options);
        }
        self.disk.create_dir(self.dir).map_err(OpenError::Io)?;
        self.disk.lock(self.dir).map_err(|error| match error.kind() {
            io::ErrorKind::WouldBlock => OpenError::Locked,
            _ => OpenError::Io(error),
        })
    }

    /// The newest incarnation; the first one is made if there is none.
    fn load_newest(&self) -> Result<(u32, Loaded), OpenError> {
        let names = self.disk.list(self.dir).map_err(OpenError::Io)?;
        let newest = names.iter().filter_map(|name| incarnation::parse_dir_name(name)).max();
        let newest = match newest {
            Some(newest) => newest,
            None => {
                self.create(0, &Description::First { origin: self.options.origin.clone() })?;
                0
            }
        };
        Ok((newest, self.load(newest, false)?))
    }

    /// Makes the files of an incarnation, all or none.
    fn create(&self, number: u32, description: &Description) -> Result<(), OpenError> {
        let disk = &*self.disk;
        let new = self.dir.join(NEW);
        let origin = incarnation::origin(&self.options, number);
        let made = (|| {
            disk.create_dir(&new)?;
            let file = disk.open(&new.join(incarnation::FILE), Mode::Create)?;
            file.write_at(&description.format(), 0)?;
            file.sync()?;
            Segments::create(disk, &new, self.options.segment_bytes, &origin)?;
            Files::create(disk, &new)?;
            Postings::create(disk, &new)?;
            StateFile::create(disk.open(&new.join(STATE), Mode::Create)?, &Snapshot::start(&origin))?;
            disk.sync_dir(&new)?;
            disk.rename(&new, &self.dir.join(incarnation::dir_name(number)))?;
            disk.sync_dir(self.dir)
        })();
        made.map_err(OpenError::Io)
    }

    /// `opened_now`: an operator has just said that this incarnation is to be.
    fn load(&self, number: u32, opened_now: bool) -> Result<Loaded, OpenError> {
        let dir = self.dir.join(incarnation::dir_name(number));
        let bytes =
            disk::read_file(&*self.disk, &dir.join(incarnation::FILE), SMALL_FILE).map_err(OpenError::Io)?;
        let description = Description::parse(&bytes)?;
        let origin = incarnation::origin(&self.options, number);
        if description.origin() != origin {
            return Err(OpenError::Origin);
        }
        let Options { tail_postings, last_signed, .. } = self.options;
        let disk = self.disk.clone();
        let loader = Loader { disk, dir, number, origin, tail_postings, last_signed };
        let published = loader.published().map_err(OpenError::Io)?;
        // The host knows which incarnation signed last. One beyond that lies there without anybody's word, or nothing
        // was acknowledged in it yet; the operator says it again.
        let unknown = self.options.last_signed.is_some_and(|head| head.incarnation < number);
        if unknown && !opened_now {
            return Ok(loader.set_aside(Damage::Forked, &published));
        }
        match loader.load(&published) {
            Ok(loaded) => Ok(loaded),
            Err(Problem::Damage(damage)) => Ok(loader.set_aside(damage, &published)),
            Err(Problem::Io(error)) => Err(OpenError::Io(error)),
        }
    }

    /// What leaf 0 of the incarnation after `old` says.
    fn link(&self, number: u32, old: &Loaded, damage: Damage) -> Link {
        let shared = &old.shared;
        let kept = self.options.last_signed.filter(|head| head.incarnation == number);
        let published = shared.published.lock().clone();
        let marked = {
            let snapshot = &shared.progress.lock().snapshot;
            SignedHead { incarnation: number, size: snapshot.lengths.count, root: snapshot.root }
        };
        let head = kept.or(published.as_ref().map(|published| published.head)).unwrap_or(marked);
        let note = published.map(|published| published.note.to_vec()).unwrap_or_default();
        Link {
            incarnation: number + 1,
            origin: incarnation::origin(&self.options, number + 1),
            previous: shared.origin.clone(),
            size: head.size,
            root: head.root,
            damage: damage.word().to_owned(),
            checkpoint: String::from_utf8(note).unwrap_or_default(),
        }
    }

    /// Starts the threads of a sound incarnation.
    fn start(
        self,
        number: u32,
        loaded: Loaded,
        lock: Box<dyn Send + Sync>,
    ) -> Result<(Ledger, Recovery), OpenError> {
        let Loaded { shared, mut recovery, parts } = loaded;
        let Some((deriver, writer, state)) = parts else {
            return Ok((Ledger::new(shared, Vec::new(), lock), recovery));
        };
        let empty = shared.gauges.durable.load(Ordering::Acquire) == 0;
        let checkpointer = Checkpointer {
            shared: shared.clone(),
            state,
            signer: self.signer,
            clock: self.clock,
            hook: self.options.on_checkpoint,
            interval: Duration::from_millis(self.options.checkpoint_interval_ms),
            heartbeat: Duration::from_millis(self.options.heartbeat_ms),
            scrub_after: Duration::from_millis(self.options.scrub_after_ms),
        };
        let threads = start_threads(&shared, deriver, writer, checkpointer).map_err(OpenError::Io)?;
        let ledger = Ledger::new(shared, threads, lock);
        if number > 0 && empty {
            let path = self.dir.join(incarnation::dir_name(number)).join(incarnation::FILE);
            let leaf = disk::read_file(&*self.disk, &path, SMALL_FILE).map_err(OpenError::Io)?;
            let linked = ledger.append_blocking(Entry { leaf, ..Entry::default() });
            linked.map_err(|_| OpenError::Io(io::ErrorKind::StorageFull.into()))?;
            recovery.entries = 1;
        }
        Ok((ledger, recovery))
    }
}

fn start_threads(
    shared: &Arc<Shared>,
    deriver: Deriver,
    writer: Writer,
    checkpointer: Checkpointer,
) -> io::Result<Vec<JoinHandle<()>>> {
    let thread = |name: &str| std::thread::Builder::new().name(name.to_owned());
    let merger = shared.clone();
    Ok(vec![
        thread("ledger-write").spawn(move || writer.run())?,
        thread("ledger-derive").spawn(move || deriver.run())?,
        thread("ledger-sign").spawn(move || checkpointer.run())?,
        thread("ledger-merge").spawn(move || merge(&merger))?,
    ])
}

/// Merges postings until the ledger closes.
fn merge(shared: &Shared) {
    let Some(postings) = &shared.postings else { return };
    while !shared.is_closing() {
        postings.remove_given_up();
        while let Ok(true) = postings.merge_once(&|| shared.is_closing()) {}
        let mut progress = shared.progress.lock();
        if !std::mem::take(&mut progress.merge_wanted) && !shared.is_closing() {
            shared.signals.merge_due.wait(&mut progress);
        }
    }
}

/// Why an incarnation is not sound.
enum Problem {
    Damage(Damage),
    Io(io::Error),
}

impl From<Damage> for Problem {
    fn from(damage: Damage) -> Self {
        Self::Damage(damage)
    }
}

/// A missing, short or malformed file is damage of kind `damage`; other errors are the disk's.
fn judge<T>(outcome: io::Result<T>, damage: Damage) -> Result<T, Problem> {
    outcome.map_err(|error| match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::UnexpectedEof | io::ErrorKind::InvalidData => {
            Problem::Damage(damage)
        }
        _ => Problem::Io(error),
    })
}

fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

/// The incarnations before that of `now`, newest first, as far as their files can be read. They never append or sign.
pub(crate) fn earlier(now: &Shared) -> Vec<Ledger> {
    let Some(all) = now.dir.parent() else { return Vec::new() };
    let numbers = (0..now.incarnation).rev();
    numbers
        .filter_map(|number| read_only(&now.disk, &all.join(incarnation::dir_name(number)), number).ok())
        .collect()
}

fn read_only(disk: &Arc<dyn Disk>, dir: &Path, number: u32) -> Result<Ledger, OpenError> {
    let bytes = disk::read_file(&**disk, &dir.join(incarnation::FILE), SMALL_FILE).map_err(OpenError::Io)?;
    let origin = Description::parse(&bytes)?.origin().to_owned();
    let (disk, dir) = (disk.clone(), dir.to_owned());
    let loader = Loader { disk, dir, number, origin, tail_postings: usize::MAX, last_signed: None };
    let published = loader.published().map_err(OpenError::Io)?;
    // What was wrong with it stands in the link of its successor; here it only says that nothing is written any more.
    let loaded = loader.set_aside(Damage::Behind, &published);
    Ok(Ledger::new(loaded.shared, Vec::new(), Box::new(())))
}

struct Loader {
    disk: Arc<dyn Disk>,
    dir: PathBuf,
    number: u32,
    origin: String,
    tail_postings: usize,
    last_signed: Option<SignedHead>,
}

impl Loader {
    /// The stored checkpoint, as it stands; `Some(None)` if there is one that does not parse.
    fn published(&self) -> io::Result<Option<Option<Arc<Published>>>> {
        let path = self.dir.join(checkpointer::FILE);
        let bytes = match disk::read_file(&*self.disk, &path, SMALL_FILE) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            other => other?,
        };
        let parsed = Note::parse(&bytes).and_then(|note| note.checkpoint());
        let checkpoint = parsed.ok().filter(|checkpoint| checkpoint.origin == self.origin);
        Ok(Some(checkpoint.map(|checkpoint| {
            let (size, root) = (checkpoint.size, checkpoint.root);
            let head = SignedHead { incarnation: self.number, size, root };
            Arc::new(Published { head, note: bytes.clone().into() })
        })))
    }

    fn load(&self, published: &Option<Option<Arc<Published>>>) -> Result<Loaded, Problem> {
        let disk = &self.disk;
        let state = judge(disk.open(&self.dir.join(STATE), Mode::Write), Damage::State)?;
        let (state, mark) = judge(StateFile::open(state), Damage::State)?.ok_or(Damage::State)?;
        let files = judge(Files::open(&**disk, &self.dir, Mode::Write), Damage::Derived)?;
        judge(check_derived(&files, &mark), Damage::Derived)?;
        let postings = judge(
            Postings::open(disk.clone(), &self.dir, &mark.postings, Mode::Write, self.tail_postings),
            Damage::Derived,
        )?;
        judge(postings.sweep(), Damage::Derived)?;
        let segments = judge(Segments::open(&**disk, &self.dir), Damage::Journal)?;
        let found = judge(recover::scan(&segments, mark.cursor), Damage::Journal)??;
        // What was read may stand in memory alone, written by a process that died before its sync. From here on it counts
        // as durable.
        for file in &segments.files {
            file.sync().map_err(Problem::Io)?;
        }
        let queue = Queue::new(largest_payload(segments.bytes), None);
        let shared = self.shared(mark, files, queue);
        let shared = Arc::new(Shared { segments: Some(segments), postings: Some(postings), ..shared });
        let deriver = self.replay(&shared, &found)?;
        self.check_heads(&shared, published)?;
        let file = found.extents.0.last().map_or(0, |extent| extent.file);
        let writer = Writer::new(shared.clone(), file, found.end);
        let recovery = Recovery {
            entries: found.end.entries,
            replayed_records: found.records,
            dropped_incomplete: found.incomplete,
            damage: None,
            last_signed: shared.published.lock().as_ref().map(|published| published.head),
        };
        Ok(Loaded { shared, recovery, parts: Some((deriver, writer, state)) })
    }

    /// Derives what the journal holds after the mark.
    fn replay(&self, shared: &Arc<Shared>, found: &Found) -> Result<Deriver, Problem> {
        shared.progress.lock().extents = found.extents.clone();
        shared.gauges.durable.store(found.end.entries, Ordering::Release);
        let mut deriver = judge(Deriver::new(shared.clone()), Damage::Derived)?;
        match deriver.catch_up() {
            Ok(()) => Ok(deriver),
            // A full disk must not keep the house from starting: what is durable stays in the journal meanwhile.
            Err(StepError::Io(error)) if is_full(&error) => Ok(deriver),
            Err(StepError::Io(error)) => Err(Problem::Io(error)),
            Err(StepError::Damaged) => Err(Problem::Damage(Damage::Journal)),
        }
    }

    /// Holds the files against the heads that were signed: the one stored beside them, and the one the host kept.
    fn check_heads(
        &self,
        shared: &Shared,
        published: &Option<Option<Arc<Published>>>,
    ) -> Result<(), Problem> {
        let stored = match published {
            Some(None) => return Err(Damage::Checkpoint.into()),
            Some(Some(published)) => Some(published.head),
            None => None,
        };
        let kept = self.last_signed.filter(|head| head.incarnation >= self.number);
        let durable = shared.progress.lock().snapshot.lengths.count;
        for head in stored.into_iter().chain(kept) {
            if head.incarnation > self.number || head.size > durable {
                return Err(Damage::Behind.into());
            }
            if judge(proof::root(&shared.files, head.size), Damage::Derived)? != head.root {
                return Err(Damage::Forked.into());
            }
        }
        shared.progress.lock().checkpoint_wanted = published.is_none();
        if let Some(Some(published)) = published {
            *shared.published.lock() = Some(published.clone());
            shared.gauges.provable.store(published.head.size, Ordering::Release);
        }
        Ok(())
    }

    /// The ledger read-only, as far as its mark goes.
    fn set_aside(&self, damage: Damage, published: &Option<Option<Arc<Published>>>) -> Loaded {
        let disk = &self.disk;
        let state = disk.open(&self.dir.join(STATE), Mode::Read).and_then(StateFile::open).ok().flatten();
        let mark = state.map_or_else(|| Snapshot::start(&self.origin), |(_, mark)| mark);
        let files = Files::open_what_is_there(&**disk, &self.dir);
        let postings = Postings::open(disk.clone(), &self.dir, &mark.postings, Mode::Read, usize::MAX).ok();
        let entries = mark.lengths.count;
        let queue = Queue::new(0, Some(AppendError::Damaged));
        let shared = Shared { postings, damage: Mutex::new(Some(damage)), ..self.shared(mark, files, queue) };
        let published = published.clone().flatten();
        let last_signed = published.as_ref().map(|published| published.head);
        shared.gauges.provable.store(last_signed.map_or(0, |head| head.size.min(entries)), Ordering::Release);
        *shared.published.lock() = published;
        let recovery = Recovery {
            entries,
            replayed_records: 0,
            dropped_incomplete: false,
            damage: Some(damage),
            last_signed,
        };
        Loaded { shared: Arc::new(shared), recovery, parts: None }
    }

    fn shared(&self, mark: Snapshot, files: Files, queue: Arc<Queue>) -> Shared {
        let count = || AtomicU64::new(mark.lengths.count);
        let gauges = Gauges { durable: count(), derived: count(), ..Gauges::default() };
        Shared {
            disk: self.disk.clone(),
            dir: self.dir.clone(),
            origin: self.origin.clone(),
            incarnation: self.number,
            segments: None,
            queue,
            files,
            postings: None,
            progress: Mutex::new(Progress::new(Extents::default(), mark)),
            signals: Signals::default(),
            gauges,
            sync_lock: Mutex::new(()),
            published: Mutex::new(None),
            damage: Mutex::new(None),
        }
    }
}

/// Whether the derived files hold what the mark says: lengths, the right edge of the tree, the end of the index.
fn check_derived(files: &Files, mark: &Snapshot) -> io::Result<()> {
    let count = mark.lengths.count;
    let whole = files.hold(&mark.lengths)?
        && proof::root(files, count)? == mark.root
        && (count == 0 || files.ends_at(count - 1)? == (mark.lengths.entries, mark.lengths.identity));
    if whole { Ok(()) } else { Err(io::ErrorKind::InvalidData.into()) }
}
