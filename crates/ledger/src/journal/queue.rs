//! Where appenders meet the writer: entries are encoded straight into the next record under a short lock, and all
//! who stand in one record wait on one [`Batch`].

use super::record::{self, HEADER};
use crate::error::AppendError;
use crate::ledger::{Entry, Position};
use parking_lot::{Condvar, Mutex, MutexGuard};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

/// The most payload that is gathered for one record, in bytes (an entry that is larger stands alone).
const BATCH_BYTES: usize = 4 << 20;

/// How long the writer lets entries gather when more are expected: well under the time of a sync.
const GATHER: Duration = Duration::from_micros(100);

/// Not yet durable. Results are stored as an index, or as one of the values just below this.
const PENDING: u64 = u64::MAX;
const UNAVAILABLE: u64 = u64::MAX - 1;
const DAMAGED: u64 = u64::MAX - 2;
const CLOSED: u64 = u64::MAX - 3;

/// The entries of one record, and who waits for them.
pub(crate) struct Batch {
    outcome: AtomicU64,
    wakers: Mutex<Vec<Waker>>,
}

impl Batch {
    fn new() -> Arc<Self> {
        Arc::new(Self { outcome: AtomicU64::new(PENDING), wakers: Mutex::default() })
    }

    /// Tells all who wait: the index of the first entry, or why there is none.
    pub(crate) fn complete(&self, outcome: Result<u64, AppendError>) {
        let code = match outcome {
            Ok(first) => first,
            Err(AppendError::Damaged) => DAMAGED,
            Err(AppendError::Closed) => CLOSED,
            Err(_) => UNAVAILABLE,
        };
        let wakers = {
            let mut wakers = self.wakers.lock();
            self.outcome.store(code, Ordering::Release);
            std::mem::take(&mut *wakers)
        };
        wakers.into_iter().for_each(Waker::wake);
    }

    fn outcome(&self, position: u32) -> Option<Result<Position, AppendError>> {
        match self.outcome.load(Ordering::Acquire) {
            PENDING => None,
            UNAVAILABLE => Some(Err(AppendError::Unavailable)),
            DAMAGED => Some(Err(AppendError::Damaged)),
            CLOSED => Some(Err(AppendError::Closed)),
            first => Some(Ok(Position { index: first + u64::from(position) })),
        }
    }

    /// The outcome, or a place among those who are woken; `slot` is the place taken before.
    fn poll(
        &self,
        position: u32,
        slot: &mut Option<usize>,
        waker: &Waker,
    ) -> Poll<Result<Position, AppendError>> {
        if let Some(outcome) = self.outcome(position) {
            return Poll::Ready(outcome);
        }
        let mut wakers = self.wakers.lock();
        if let Some(outcome) = self.outcome(position) {
            return Poll::Ready(outcome);
        }
        match slot.and_then(|slot| wakers.get_mut(slot)) {
            Some(place) => place.clone_from(waker),
            None => {
                *slot = Some(wakers.len());
                wakers.push(waker.clone());
            }
        }
        Poll::Pending
    }
}

/// A record's worth of entries on the way to the disk.
pub(crate) struct Taken {
    /// [`HEADER`] bytes of room and the payload.
    pub(crate) buffer: Vec<u8>,
    /// Number of entries.
    pub(crate) count: u32,
    /// Who waits.
    pub(crate) batch: Arc<Batch>,
}

struct State {
    buffer: Vec<u8>,
    spare: Vec<u8>,
    count: u32,
    batch: Arc<Batch>,
    /// Appenders that found the record full.
    blocked: Vec<Waker>,
    refusal: Option<AppendError>,
    /// The writer waits until so many entries are queued; 0 if it does not wait.
    wake_at: u32,
    /// Entries of the record taken last.
    last: u32,
}

/// The queue between appenders and the writer.
pub(crate) struct Queue {
    state: Mutex<State>,
    filled: Condvar,
    largest: usize,
}

enum Pushed {
    Queued(Arc<Batch>, u32),
    Full,
    Refused(AppendError),
}

impl Queue {
    /// A queue for segments that hold payloads of at most `largest` bytes.
    pub(crate) fn new(largest: usize, refusal: Option<AppendError>) -> Arc<Self> {
        let state = State {
            buffer: vec![0; HEADER],
            spare: vec![0; HEADER],
            count: 0,
            batch: Batch::new(),
            blocked: Vec::new(),
            refusal,
            wake_at: 0,
            last: 0,
        };
        Arc::new(Self { state: Mutex::new(state), filled: Condvar::new(), largest })
    }

    fn push_locked(&self, state: &mut State, entry: &Entry) -> Pushed {
        if let Some(refusal) = state.refusal {
            return Pushed::Refused(refusal);
        }
        if let Err(error) = record::check_limits(entry, self.largest) {
            return Pushed::Refused(error);
        }
        let limit = HEADER + self.largest.min(BATCH_BYTES);
        if state.count > 0 && state.buffer.len() + record::entry_size(entry) > limit {
            return Pushed::Full;
        }
        record::encode(entry, &mut state.buffer);
        let position = state.count;
        state.count += 1;
        Pushed::Queued(state.batch.clone(), position)
    }

    fn wake_waiting_writer(&self, state: &mut State) {
        if state.wake_at > 0 && state.count >= state.wake_at {
            state.wake_at = 0;
            self.filled.notify_one();
        }
    }

    /// Queues `entry`; the future resolves when it is durable.
    pub(crate) fn append(self: &Arc<Self>, entry: Entry) -> Appended {
        let mut state = self.state.lock();
        let stage = match self.push_locked(&mut state, &entry) {
            Pushed::Queued(batch, position) => Stage::Queued { batch, position, slot: None },
            Pushed::Full => Stage::Blocked(entry),
            Pushed::Refused(error) => Stage::Refused(error),
        };
        self.wake_waiting_writer(&mut state);
        drop(state);
        Appended { queue: self.clone(), stage }
    }

    /// Queues as many of `entries` as fit, under one lock.
    fn append_some(self: &Arc<Self>, entries: &mut std::vec::IntoIter<Entry>, out: &mut Vec<Appended>) {
        let mut state = self.state.lock();
        for entry in entries.by_ref() {
            let stage = match self.push_locked(&mut state, &entry) {
                Pushed::Queued(batch, position) => Stage::Queued { batch, position, slot: None },
                Pushed::Full => Stage::Blocked(entry),
                Pushed::Refused(error) => Stage::Refused(error),
            };
            let goes_on = matches!(stage, Stage::Queued { .. });
            out.push(Appended { queue: self.clone(), stage });
            if !goes_on {
                break;
            }
        }
        self.wake_waiting_writer(&mut state);
    }

    /// Queues all `entries` in order and waits on this thread for each.
    pub(crate) fn append_many(self: &Arc<Self>, entries: Vec<Entry>) -> Result<Vec<Position>, AppendError> {
        let mut positions = Vec::with_capacity(entries.len());
        let mut entries = entries.into_iter();
        let mut waiting = Vec::new();
        while entries.len() > 0 {
            self.append_some(&mut entries, &mut waiting);
            for appended in waiting.drain(..) {
                positions.push(block_on(appended)?);
            }
        }
        Ok(positions)
    }

    /// For the writer: all that is queued. Waits up to `patience` for something; `None` if nothing came.
    ///
    /// Those whose record was just acknowledged mostly come again at once. Taking the first of them alone would cost
    /// a sync for a few and make the others wait for it, so the writer lets them gather for a moment.
    pub(crate) fn take(&self, patience: Duration) -> Option<Taken> {
        let mut state = self.state.lock();
        self.wait_for(&mut state, 1, patience);
        let expected = state.last - state.last / 4;
        if state.count > 0 && expected > 1 {
            self.wait_for(&mut state, expected, GATHER);
        }
        state.last = state.count;
        let (taken, blocked) = Self::take_locked(&mut state);
        drop(state);
        blocked.into_iter().for_each(Waker::wake);
        taken
    }

    fn wait_for(&self, state: &mut MutexGuard<'_, State>, count: u32, patience: Duration) {
        if state.count < count && state.refusal != Some(AppendError::Closed) && state.blocked.is_empty() {
            state.wake_at = count;
            self.filled.wait_for(state, patience);
            state.wake_at = 0;
        }
    }

    fn take_locked(state: &mut State) -> (Option<Taken>, Vec<Waker>) {
        if state.count == 0 {
            return (None, Vec::new());
        }
        let mut spare = std::mem::take(&mut state.spare);
        spare.resize(HEADER, 0);
        let taken = Taken {
            buffer: std::mem::replace(&mut state.buffer, spare),
            count: std::mem::take(&mut state.count),
            batch: std::mem::replace(&mut state.batch, Batch::new()),
        };
        (Some(taken), std::mem::take(&mut state.blocked))
    }

    /// Makes the writer look around.
    pub(crate) fn wake_writer(&self) {
        let _state = self.state.lock();
        self.filled.notify_all();
    }

    /// Takes a record's buffer back for the next one.
    pub(crate) fn give_back(&self, mut buffer: Vec<u8>) {
        buffer.truncate(HEADER);
        self.state.lock().spare = buffer;
    }

    /// From now on every append is refused with `refusal`; with `None` appends are taken again. What is queued
    /// fails too, except that closing leaves it to the writer.
    pub(crate) fn refuse(&self, refusal: Option<AppendError>) {
        let mut state = self.state.lock();
        if matches!(state.refusal, Some(AppendError::Closed)) {
            return;
        }
        state.refusal = refusal;
        let mut blocked = std::mem::take(&mut state.blocked);
        let mut failed = None;
        if let Some(error) = refusal.filter(|error| *error != AppendError::Closed) {
            let (taken, more) = Self::take_locked(&mut state);
            blocked.extend(more);
            failed = taken.map(|taken| (taken, error));
        }
        self.filled.notify_all();
        drop(state);
        if let Some((taken, error)) = failed {
            taken.batch.complete(Err(error));
            self.give_back(taken.buffer);
        }
        blocked.into_iter().for_each(Waker::wake);
    }

    /// Whether [`Queue::refuse`] was called with `Closed`.
    pub(crate) fn is_closed(&self) -> bool {
        self.state.lock().refusal == Some(AppendError::Closed)
    }
}

enum Stage {
    Queued { batch: Arc<Batch>, position: u32, slot: Option<usize> },
    Blocked(Entry),
    Refused(AppendError),
}

/// Resolves when the entry is durable. Dropping it does not take the entry back, unless the queue was full when it
/// was made and it was not polled since.
#[must_use = "an entry is durable only when this resolves"]
pub struct Appended {
    queue: Arc<Queue>,
    stage: Stage,
}

impl std::fmt::Debug for Appended {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Appended")
    }
}

impl Future for Appended {
    type Output = Result<Position, AppendError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        if let Stage::Blocked(entry) = &this.stage {
            let mut state = this.queue.state.lock();
            match this.queue.push_locked(&mut state, entry) {
                Pushed::Full => {
                    state.blocked.push(context.waker().clone());
                    this.queue.filled.notify_one();
                    return Poll::Pending;
                }
                Pushed::Queued(batch, position) => {
                    this.queue.wake_waiting_writer(&mut state);
                    this.stage = Stage::Queued { batch, position, slot: None };
                }
                Pushed::Refused(error) => this.stage = Stage::Refused(error),
            }
        }
        match &mut this.stage {
            Stage::Queued { batch, position, slot } => batch.poll(*position, slot, context.waker()),
            Stage::Refused(error) => Poll::Ready(Err(*error)),
            Stage::Blocked(_) => Poll::Pending,
        }
    }
}

struct Unpark(std::thread::Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Waits on this thread until the entry is durable.
pub(crate) fn block_on(mut appended: Appended) -> Result<Position, AppendError> {
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let mut context = Context::from_waker(&waker);
    loop {
        match Pin::new(&mut appended).poll(&mut context) {
            Poll::Ready(outcome) => return outcome,
            Poll::Pending => std::thread::park(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Duration = Duration::ZERO;

    fn entry(byte: u8, length: usize) -> Entry {
        Entry { leaf: vec![byte; length], ..Entry::default() }
    }

    fn polled(appended: &mut Appended) -> Option<Result<Position, AppendError>> {
        match Pin::new(appended).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(outcome) => Some(outcome),
            Poll::Pending => None,
        }
    }

    #[test]
    fn those_in_one_record_resolve_together_and_in_order() {
        let queue = Queue::new(1000, None);
        let (mut a, mut b) = (queue.append(entry(1, 10)), queue.append(entry(2, 10)));
        assert_eq!((polled(&mut a), polled(&mut b)), (None, None));
        let taken = queue.take(NOW).unwrap();
        assert_eq!(taken.count, 2);
        taken.batch.complete(Ok(40));
        assert_eq!(polled(&mut a), Some(Ok(Position { index: 40 })));
        assert_eq!(polled(&mut b), Some(Ok(Position { index: 41 })));
        assert!(queue.take(NOW).is_none());
    }

    #[test]
    fn a_full_record_makes_appenders_wait_and_lets_them_in_afterwards() {
        let queue = Queue::new(100, None);
        let _first = queue.append(entry(1, 60));
        let mut second = queue.append(entry(2, 60));
        assert_eq!(polled(&mut second), None);
        assert_eq!(queue.take(NOW).unwrap().count, 1);
        assert!(queue.take(NOW).is_none(), "not yet pushed");
        assert_eq!(polled(&mut second), None);
        let taken = queue.take(NOW).unwrap();
        taken.batch.complete(Ok(1));
        assert_eq!(polled(&mut second), Some(Ok(Position { index: 1 })));
    }

    #[test]
    fn refusals_reach_those_who_wait_and_those_who_come() {
        let queue = Queue::new(1000, None);
        let mut waiting = queue.append(entry(1, 10));
        queue.refuse(Some(AppendError::Unavailable));
        assert_eq!(polled(&mut waiting), Some(Err(AppendError::Unavailable)));
        assert_eq!(polled(&mut queue.append(entry(1, 10))), Some(Err(AppendError::Unavailable)));
        queue.refuse(None);
        assert_eq!(polled(&mut queue.append(entry(1, 10))), None);
        assert_eq!(polled(&mut queue.append(entry(1, 2000))), Some(Err(AppendError::TooLarge)));
        queue.refuse(Some(AppendError::Closed));
        assert_eq!(queue.take(NOW).unwrap().count, 1, "what was taken before closing is still written");
        queue.refuse(None);
        assert_eq!(polled(&mut queue.append(entry(1, 10))), Some(Err(AppendError::Closed)));
    }

    #[test]
    fn many_entries_go_through_several_records() {
        let queue = Queue::new(100, None);
        let writer = {
            let queue = queue.clone();
            std::thread::spawn(move || {
                let mut next = 0;
                while !queue.is_closed() {
                    if let Some(taken) = queue.take(Duration::from_millis(10)) {
                        taken.batch.complete(Ok(next));
                        next += u64::from(taken.count);
                        queue.give_back(taken.buffer);
                    }
                }
            })
        };
        let positions = queue.append_many((0..50).map(|byte| entry(byte, 30)).collect()).unwrap();
        assert_eq!(positions.iter().map(|p| p.index).collect::<Vec<_>>(), (0..50).collect::<Vec<_>>());
        queue.refuse(Some(AppendError::Closed));
        writer.join().unwrap();
    }
}
