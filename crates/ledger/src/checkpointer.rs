//! The thread that makes what is readable provable: syncs the derived files, moves the mark, signs, publishes.

use crate::derived::state::{Snapshot, StateFile};
use crate::disk;
use crate::options::{CheckpointHook, CheckpointSigner, SignedHead};
use crate::shared::{Published, Shared};
use crate::verify::note::{Checkpoint, cosigned_message, signature_line};
use crate::verify::{KeyKind, VerifierKey};
use model::Clock;
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// File of the newest signed checkpoint.
pub(crate) const FILE: &str = "checkpoint";
/// First (doubled at once) and longest pause after an attempt that failed.
const RETRY: [Duration; 2] = [Duration::from_millis(100), Duration::from_secs(1)];

/// Why there is no new checkpoint.
#[derive(Debug)]
enum Failure {
    /// The disk.
    Io,
    /// The hook refused.
    Hook,
    /// The signer made signatures that its own public key does not verify.
    Signer,
}

impl From<io::Error> for Failure {
    fn from(_: io::Error) -> Self {
        Self::Io
    }
}

/// The checkpointer.
pub(crate) struct Checkpointer {
    pub(crate) shared: Arc<Shared>,
    pub(crate) state: StateFile,
    pub(crate) signer: Arc<dyn CheckpointSigner>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) hook: Option<CheckpointHook>,
    pub(crate) interval: Duration,
    pub(crate) heartbeat: Duration,
    pub(crate) scrub_after: Duration,
}

/// What the checkpointer woke up for.
enum Task {
    Checkpoint,
    Mark,
    Scrub,
    Finish,
}

impl Checkpointer {
    /// Runs until the deriver has stopped; makes a last checkpoint then.
    pub(crate) fn run(mut self) {
        let mut pace = Pace::new();
        loop {
            let task = self.wait(&mut pace);
            if self.shared.is_damaged() {
                return;
            }
            match task {
                Task::Mark => self.mark_at(&mut pace),
                Task::Scrub => {
                    pace.scrub = None;
                    let failed = self.scrub().is_err();
                    self.shared.progress.lock().scrub_wanted |= failed;
                }
                Task::Checkpoint => self.checkpoint_at(&mut pace),
                Task::Finish => {
                    self.checkpoint_at(&mut pace);
                    return;
                }
            }
        }
    }

    fn mark_at(&mut self, pace: &mut Pace) {
        let marked = self.mark();
        pace.mark.note(marked.is_err());
        self.shared.gauges.mark_stalled.store(marked.is_err(), Ordering::Release);
        let _progress = self.shared.progress.lock();
        self.shared.signals.mark_moved.notify_all();
    }

    fn checkpoint_at(&mut self, pace: &mut Pace) {
        self.mark_at(pace);
        let marked = !self.shared.gauges.mark_stalled.load(Ordering::Acquire);
        let failed = !marked || self.checkpoint().is_err();
        pace.signed = Instant::now();
        pace.sign.note(failed);
        self.shared.gauges.sign_stalled.store(failed, Ordering::Release);
        let mut progress = self.shared.progress.lock();
        progress.attempts += 1;
        progress.attempt_failed = failed;
        self.shared.signals.attempted.notify_all();
    }

    /// Waits for the next thing to do. Each wait ends at the nearest of the moments when something is due.
    fn wait(&self, pace: &mut Pace) -> Task {
        let shared = &*self.shared;
        let mut progress = shared.progress.lock();
        loop {
            if shared.is_damaged() || progress.deriver_done {
                return Task::Finish;
            }
            let now = Instant::now();
            let mut due = pace.signed + self.heartbeat;
            if progress.snapshot.lengths.count > shared.gauges.provable.load(Ordering::Acquire) {
                due = due.min(*pace.grown.get_or_insert(now) + self.interval);
            }
            if progress.checkpoint_wanted {
                due = now;
            }
            due = due.max(pace.sign.until).max(pace.mark.until);
            if due <= now {
                progress.checkpoint_wanted = false;
                pace.grown = None;
                return Task::Checkpoint;
            }
            let mark = progress.mark_wanted.then_some(pace.mark.until);
            if mark.is_some_and(|mark| mark <= now) {
                return Task::Mark;
            }
            if std::mem::take(&mut progress.scrub_wanted) {
                pace.scrub.get_or_insert(now + self.scrub_after);
            }
            let scrub = pace.scrub.map(|scrub| scrub.max(pace.mark.until));
            if scrub.is_some_and(|scrub| scrub <= now) {
                return Task::Scrub;
            }
            let until = [scrub, mark].into_iter().flatten().fold(due, Instant::min);
            shared.signals.checkpoint_due.wait_until(&mut progress, until);
        }
    }

    /// Syncs the derived files and moves the mark to what they hold.
    fn mark(&mut self) -> Result<Arc<Snapshot>, Failure> {
        let shared = self.shared.clone();
        let Some(postings) = &shared.postings else { return Err(Failure::Io) };
        if !shared.gauges.derive_stalled.load(Ordering::Acquire) {
            let _what_there_is = shared.settle();
        }
        let (snapshot, rewinds) = {
            let mut progress = shared.progress.lock();
            progress.mark_wanted = false;
            if progress.rewind {
                return Err(Failure::Io); // the deriver has yet to write again what a failed sync lost
            }
            (progress.snapshot.clone(), progress.rewinds)
        };
        if *snapshot == *shared.progress.lock().mark {
            return Ok(snapshot);
        }
        {
            let _one_at_a_time = shared.sync_lock.lock();
            if shared.files.sync().and_then(|()| postings.sync()).is_err() {
                shared.request_rewind();
            }
            if shared.progress.lock().rewinds != rewinds {
                return Err(Failure::Io);
            }
        }
        self.state.write(&snapshot)?;
        let before = {
            let mut progress = shared.progress.lock();
            shared.signals.mark_moved.notify_all();
            std::mem::replace(&mut progress.mark, snapshot.clone())
        };
        if before.postings.runs != snapshot.postings.runs {
            postings.give_up_replaced(&before.postings, &snapshot.postings);
            shared.progress.lock().merge_wanted = true;
            shared.signals.merge_due.notify_one();
        }
        Ok(snapshot)
    }

    /// Signs what the mark holds, lets the host persist the head, publishes. At the end there is nothing to do if
    /// that was signed before.
    fn checkpoint(&self) -> Result<(), Failure> {
        let mark = self.shared.progress.lock().mark.clone();
        let (size, root) = (mark.lengths.count, mark.root);
        let signed =
            self.shared.published.lock().as_ref().is_some_and(|published| published.head.size == size);
        if signed && self.shared.is_closing() {
            return Ok(());
        }
        let note = self.sign(&Checkpoint { origin: self.shared.origin.clone(), size, root })?;
        let head = SignedHead { incarnation: self.shared.incarnation, size, root };
        if let Some(hook) = &self.hook {
            hook(&head, note.as_bytes()).map_err(|_| Failure::Hook)?;
        }
        disk::replace_file(&*self.shared.disk, &self.shared.dir, FILE, note.as_bytes())?;
        let published = Published { head, note: note.into_bytes().into() };
        *self.shared.published.lock() = Some(Arc::new(published));
        self.shared.gauges.provable.store(size, Ordering::Release);
        Ok(())
    }

    /// The signed note: the log's signature, and the same key's timestamped cosignature, which says that the head
    /// was the newest at that time; so a heartbeat over an unchanged tree says something new.
    fn sign(&self, checkpoint: &Checkpoint) -> Result<String, Failure> {
        let text = checkpoint.text();
        let name = self.signer.key_name().to_owned();
        let log = VerifierKey { name, kind: KeyKind::Ed25519, public: self.signer.public_key() };
        let timed = VerifierKey { kind: KeyKind::CosignatureV1, ..log.clone() };
        let time = u64::try_from(self.clock.now().0 / 1000).unwrap_or(0);
        let message = cosigned_message(&text, time);
        let (plain, cosignature) = (self.signer.sign(text.as_bytes()), self.signer.sign(&message));
        log.check(text.as_bytes(), &plain).map_err(|_| Failure::Signer)?;
        timed.check(&message, &cosignature).map_err(|_| Failure::Signer)?;
        let lines =
            signature_line(&log, &[&plain]) + &signature_line(&timed, &[&time.to_be_bytes(), &cosignature]);
        Ok(format!("{text}\n{lines}"))
    }

    /// Overwrites what the journal still holds of destroyed identities: the unused segment, then, once the writer
    /// has begun that one, the other.
    fn scrub(&mut self) -> Result<(), Failure> {
        self.overwrite_free_segment()?;
        self.shared.progress.lock().rotate_wanted = true;
        self.shared.queue.wake_writer();
        let deadline = Instant::now() + RETRY[1];
        let mut progress = self.shared.progress.lock();
        while progress.rotate_wanted {
            if self.shared.signals.mark_moved.wait_until(&mut progress, deadline).timed_out() {
                progress.rotate_wanted = false;
                return Err(Failure::Io);
            }
        }
        let durable = self.shared.gauges.durable.load(Ordering::Acquire);
        drop(progress);
        if self.mark()?.lengths.count < durable {
            return Err(Failure::Io);
        }
        self.overwrite_free_segment()
    }

    fn overwrite_free_segment(&self) -> Result<(), Failure> {
        let Some(segments) = &self.shared.segments else { return Ok(()) };
        let file = {
            let mut progress = self.shared.progress.lock();
            progress.scrubbing = progress.free_file();
            progress.scrubbing
        };
        let outcome = match file {
            Some(file) => overwrite(&*segments.files[file], segments.bytes),
            None => Err(io::ErrorKind::ResourceBusy.into()),
        };
        let mut progress = self.shared.progress.lock();
        progress.scrubbing = None;
        self.shared.signals.mark_moved.notify_all();
        Ok(outcome?)
    }
}

fn overwrite(file: &dyn disk::DiskFile, bytes: u64) -> io::Result<()> {
    let zeros = vec![0; 1 << 20];
    let mut at = 0;
    while at < bytes {
        let step = (bytes - at).min(zeros.len() as u64);
        file.write_at(&zeros[..usize::try_from(step).unwrap_or(zeros.len())], at)?;
        at += step;
    }
    file.sync()
}

/// When something is due.
struct Pace {
    /// The last attempt at a checkpoint.
    signed: Instant,
    /// When growth that no checkpoint covers was seen first.
    grown: Option<Instant>,
    /// When the journal is to be scrubbed.
    scrub: Option<Instant>,
    mark: Backoff,
    sign: Backoff,
}

/// A pause that grows while attempts fail.
struct Backoff {
    /// No attempt before this moment.
    until: Instant,
    length: Duration,
}

impl Backoff {
    fn note(&mut self, failed: bool) {
        self.length = if failed { (self.length * 2).min(RETRY[1]) } else { RETRY[0] };
        self.until = if failed { Instant::now() + self.length } else { self.until };
    }
}

impl Pace {
    fn new() -> Self {
        let now = Instant::now();
        let backoff = || Backoff { until: now, length: RETRY[0] };
        Self { signed: now, grown: None, scrub: None, mark: backoff(), sign: backoff() }
    }
}
