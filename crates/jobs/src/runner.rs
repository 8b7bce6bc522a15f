//! Takes due jobs and has them worked on.

use crate::backoff::Backoff;
use crate::job::{Job, Stop, reached};
use crate::worker::work;
use model::{Clock, Entropy, RequestId};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use store::{DataOp, Lease, NewJob, Store};
use tokio::sync::{Notify, watch};
use tokio::task::{JoinHandle, JoinSet};

/// How the runner works.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// How long a job is held before it must be renewed, in ms of the clock. A job of a process that died is taken
    /// up again after so long.
    pub lease_ms: i64,
    /// How often the runner looks for due jobs and at its leases.
    pub tick: Duration,
    /// Jobs at the same time.
    pub at_once: usize,
    /// The wait after failures.
    pub backoff: Backoff,
}

impl Default for Options {
    fn default() -> Self {
        Self { lease_ms: 30_000, tick: Duration::from_millis(250), at_once: 4, backoff: Backoff::default() }
    }
}

/// Why a job could not be registered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RegistryError {
    /// Another one has the same kind.
    #[error("a job of this kind is registered already")]
    Twice,
    /// A schedule names a kind that nobody registered, or its time between runs is not positive.
    #[error("the schedule has no job or no time")]
    Schedule,
}

/// A job that comes again and again, with at most one row at any time: when it is done, its row waits for the next
/// time. So it keeps its time over restarts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// Which job.
    pub kind: &'static str,
    /// With what.
    pub payload: Vec<u8>,
    /// From the end of one run to the start of the next, in ms.
    pub every_ms: i64,
}

/// The jobs that a process can do, and when those come that nobody asks for.
#[derive(Default)]
pub struct Registry {
    jobs: BTreeMap<&'static str, Arc<dyn Job>>,
    schedules: BTreeMap<&'static str, Schedule>,
}

impl Registry {
    /// Adds a job.
    pub fn add(&mut self, job: Arc<dyn Job>) -> Result<(), RegistryError> {
        match self.jobs.insert(job.kind(), job) {
            None => Ok(()),
            Some(first) => {
                self.jobs.insert(first.kind(), first);
                Err(RegistryError::Twice)
            }
        }
    }

    /// Adds a schedule for a job that was added before; one per kind.
    pub fn schedule(&mut self, schedule: Schedule) -> Result<(), RegistryError> {
        if !self.jobs.contains_key(schedule.kind) || schedule.every_ms <= 0 {
            return Err(RegistryError::Schedule);
        }
        if self.schedules.contains_key(schedule.kind) {
            return Err(RegistryError::Twice);
        }
        self.schedules.insert(schedule.kind, schedule);
        Ok(())
    }
}

impl std::fmt::Debug for Registry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.jobs.keys()).finish()
    }
}

/// What the runner has done since it was started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Status {
    /// Runs that ended with all or a part done.
    pub done: u64,
    /// Runs that failed and will be tried again.
    pub retried: u64,
    /// Jobs given up.
    pub failed: u64,
    /// Runs whose outcome somebody else had taken over.
    pub lost: u64,
}

#[derive(Default)]
pub(crate) struct Counts {
    done: AtomicU64,
    retried: AtomicU64,
    failed: AtomicU64,
    pub(crate) lost: AtomicU64,
}

/// What the runner and its workers share.
pub(crate) struct Shared {
    pub(crate) store: Store,
    registry: Registry,
    pub(crate) clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    pub(crate) options: Options,
    pub(crate) stop: watch::Sender<Stop>,
    pub(crate) counts: Counts,
    wake: Notify,
}

impl Shared {
    pub(crate) fn every(&self, kind: &str) -> Option<&Schedule> {
        self.registry.schedules.get(kind)
    }

    pub(crate) fn count(&self, op: &DataOp) {
        let counter = match op {
            DataOp::FailJob { retry_at: Some(_), .. } => &self.counts.retried,
            DataOp::FailJob { .. } => &self.counts.failed,
            _ => &self.counts.done,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }
}

/// Works until it is stopped. Dropping it ends it like [`Runner::stop`] without grace, but without waiting.
pub struct Runner {
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

impl std::fmt::Debug for Runner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Runner").field("status", &self.status()).finish_non_exhaustive()
    }
}

impl Runner {
    /// Starts on the tokio runtime of the caller.
    #[must_use]
    pub fn start(
        store: Store,
        registry: Registry,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
        options: Options,
    ) -> Self {
        let (stop, _) = watch::channel(Stop::No);
        let (counts, wake) = (Counts::default(), Notify::new());
        let shared = Arc::new(Shared { store, registry, clock, entropy, options, stop, counts, wake });
        let task = tokio::spawn(run(shared.clone()));
        Self { shared, task }
    }

    /// Looks for due jobs now, not at the next tick: for who has just queued one.
    pub fn wake(&self) {
        self.shared.wake.notify_one();
    }

    /// What was done so far.
    #[must_use]
    pub fn status(&self) -> Status {
        let counts = &self.shared.counts;
        Status {
            done: counts.done.load(Ordering::Relaxed),
            retried: counts.retried.load(Ordering::Relaxed),
            failed: counts.failed.load(Ordering::Relaxed),
            lost: counts.lost.load(Ordering::Relaxed),
        }
    }

    /// Takes no more jobs, lets those under way come to a good place for `grace`, then drops them where they stand
    /// and gives them back.
    pub async fn stop(mut self, grace: Duration) {
        self.shared.stop.send_replace(Stop::Soon);
        if tokio::time::timeout(grace, &mut self.task).await.is_err() {
            self.shared.stop.send_replace(Stop::Now);
            // It ends by itself once the workers have given back their jobs; a panic was shown when it happened.
            drop((&mut self.task).await);
        }
    }
}

impl Drop for Runner {
    fn drop(&mut self) {
        self.shared.stop.send_replace(Stop::Now);
    }
}

async fn run(shared: Arc<Shared>) {
    let mut stop = shared.stop.subscribe();
    let mut workers = JoinSet::new();
    let mut first = 0;
    loop {
        queue_scheduled(&shared).await;
        first = take_due(&shared, &mut workers, first).await;
        tokio::select! {
            () = reached(&mut stop, Stop::Soon) => break,
            Some(_) = workers.join_next() => {}
            () = shared.wake.notified() => {}
            () = tokio::time::sleep(shared.options.tick) => {}
        }
    }
    while workers.join_next().await.is_some() {}
}

/// Sees to it that each schedule has its row. When the storage cannot say or take it, the next tick tries again.
async fn queue_scheduled(shared: &Shared) {
    for schedule in shared.registry.schedules.values() {
        let queued = shared.store.snapshot().and_then(|snapshot| snapshot.jobs_queued(schedule.kind));
        if queued != Ok(0) {
            continue;
        }
        let now = shared.clock.now();
        let job = NewJob {
            id: RequestId::fresh(&*shared.clock, &*shared.entropy).0,
            kind: schedule.kind.to_owned(),
            payload: schedule.payload.clone(),
            due: now,
            created: now,
        };
        let _ = shared.store.apply_data("queue_scheduled", vec![DataOp::InsertJob(job)]).await;
    }
}

/// Takes as many due jobs as there are free hands, beginning with the kind `first`; says which kind is to be first
/// the next time. That is the one after the kind that was served last, so that a flood of one kind does not keep the
/// others waiting.
async fn take_due(shared: &Arc<Shared>, workers: &mut JoinSet<()>, first: usize) -> usize {
    while workers.try_join_next().is_some() {}
    let mut next = first;
    let jobs: Vec<_> = shared.registry.jobs.iter().collect();
    for turn in 0..jobs.len() {
        let at = (first + turn) % jobs.len();
        let (kind, job) = jobs[at];
        let free = shared.options.at_once.saturating_sub(workers.len());
        let now = shared.clock.now();
        let due = shared.store.snapshot().and_then(|snapshot| snapshot.job_due(kind, now));
        if free == 0 || due != Ok(true) {
            continue;
        }
        let limit = u32::try_from(free).unwrap_or(u32::MAX);
        let lease = Lease { kind, now, until: now.plus_ms(shared.options.lease_ms), limit };
        for row in shared.store.lease_jobs(lease).await.unwrap_or_default() {
            workers.spawn(work(shared.clone(), job.clone(), row));
            next = at + 1;
        }
    }
    next
}
