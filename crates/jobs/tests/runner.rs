//! The runner with a clock that is advanced by hand.

use jobs::{
    Backoff, Context, Job, Options, Outcome, PANICKED, Registry, RegistryError, Runner, Running, Schedule,
};
use model::{Clock, Timestamp};
use parking_lot::Mutex;
use std::sync::Arc;
use std::time::Duration;
use store::{DataOp, JobRow, JobState, NewJob, Store};
use testkit::{SeededEntropy, TestClock};

const TICK: Duration = Duration::from_millis(2);
const LEASE_MS: i64 = 10_000;

type Behaviour = dyn Fn(Vec<u8>, Context) -> Running<'static> + Send + Sync;

/// A job that does what a closure says and notes each run.
struct Scripted {
    kind: &'static str,
    runs: Mutex<Vec<Vec<u8>>>,
    behaviour: Box<Behaviour>,
}

impl Job for Scripted {
    fn kind(&self) -> &'static str {
        self.kind
    }

    fn run(&self, payload: Vec<u8>, context: Context) -> Running<'_> {
        self.runs.lock().push(payload.clone());
        (self.behaviour)(payload, context)
    }
}

fn scripted(
    kind: &'static str,
    behaviour: impl Fn(Vec<u8>, Context) -> Running<'static> + Send + Sync + 'static,
) -> Arc<Scripted> {
    Arc::new(Scripted { kind, runs: Mutex::default(), behaviour: Box::new(behaviour) })
}

/// A job that ends at once, each time with the next of these.
fn answering(kind: &'static str, outcomes: Vec<Outcome>) -> Arc<Scripted> {
    let rest = Mutex::new(outcomes.into_iter());
    scripted(kind, move |_, _| {
        let outcome = rest.lock().next().unwrap_or(Outcome::Done);
        Box::pin(async move { outcome })
    })
}

struct World {
    _dir: tempfile::TempDir,
    store: Store,
    clock: TestClock,
}

impl World {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path(), &store::Options::default()).unwrap();
        Self { _dir: dir, store, clock: TestClock::at(1_000_000) }
    }

    fn queue(&self, n: u8, kind: &str) {
        let now = self.clock.now();
        let job = NewJob { id: [n; 16], kind: kind.to_owned(), payload: vec![n], due: now, created: now };
        self.store.apply_data_blocking("queue", vec![DataOp::InsertJob(job)]).unwrap();
    }

    fn start_with(&self, registry: Registry, at_once: usize) -> Runner {
        let backoff = Backoff { first_ms: 1_000, cap_ms: 60_000 };
        let options = Options { lease_ms: LEASE_MS, tick: TICK, at_once, backoff };
        let clock = Arc::new(self.clock.clone());
        Runner::start(self.store.clone(), registry, clock, Arc::new(SeededEntropy::new(1)), options)
    }

    fn start<const N: usize>(&self, jobs: [Arc<Scripted>; N]) -> Runner {
        self.start_with(registry(jobs), 4)
    }

    fn job(&self, n: u8) -> Option<JobRow> {
        self.store.snapshot().unwrap().job([n; 16]).unwrap()
    }
}

fn registry<const N: usize>(jobs: [Arc<Scripted>; N]) -> Registry {
    let mut registry = Registry::default();
    for job in jobs {
        registry.add(job).unwrap();
    }
    registry
}

/// Waits for what must come to pass soon.
#[track_caller]
fn until(what: &str, mut done: impl FnMut() -> bool) -> impl Future<Output = ()> {
    let caller = std::panic::Location::caller();
    let what = what.to_owned();
    async move {
        for _ in 0..3_000 {
            if done() {
                return;
            }
            tokio::time::sleep(TICK).await;
        }
        panic!("never: {what}, {caller}");
    }
}

/// Long enough for what must not happen to happen.
async fn a_while() {
    tokio::time::sleep(TICK * 25).await;
}

#[tokio::test]
async fn a_job_is_done_once_and_is_gone() {
    let world = World::new();
    let job = answering("one", vec![]);
    world.queue(1, "one");
    world.queue(2, "nobody knows this one");
    let runner = world.start([job.clone()]);
    until("done", || world.job(1).is_none()).await;
    a_while().await;
    assert_eq!(*job.runs.lock(), [vec![1]]);
    until("counted", || runner.status().done == 1).await;
    assert_eq!(world.job(2).unwrap().attempts, 0, "left to whom it may concern");
}

#[tokio::test]
async fn a_job_waits_for_its_time() {
    let world = World::new();
    let job = answering("one", vec![Outcome::RetryAt(Timestamp(1_005_000), 7)]);
    world.queue(1, "one");
    let _runner = world.start([job.clone()]);
    until("first run", || world.job(1).is_some_and(|row| row.failures == 1)).await;
    world.clock.advance_ms(4_999);
    a_while().await;
    assert_eq!(job.runs.lock().len(), 1);
    assert_eq!(world.job(1).unwrap().last_error, 7);
    world.clock.advance_ms(1);
    until("second run", || world.job(1).is_none()).await;
}

#[tokio::test]
async fn a_long_job_goes_on_from_its_payload() {
    let world = World::new();
    let job = scripted("count", |payload, context| {
        Box::pin(async move {
            assert_eq!(context.failures(), 0);
            match payload[0] {
                5 => Outcome::Done,
                n => Outcome::Again(vec![n + 1]),
            }
        })
    });
    world.queue(1, "count");
    let _runner = world.start([job.clone()]);
    until("done", || world.job(1).is_none()).await;
    assert_eq!(*job.runs.lock(), (1..=5).map(|n| vec![n]).collect::<Vec<_>>());
}

#[tokio::test]
async fn failures_wait_longer_and_longer_and_a_success_forgets_them() {
    let world = World::new();
    let (retry, again) = (|| Outcome::Retry(3), Outcome::Again(vec![9]));
    let job = answering("one", vec![retry(), retry(), again, retry(), Outcome::Fail(4)]);
    world.queue(1, "one");
    let runner = world.start([job.clone()]);
    let runs = |count| {
        let job = job.clone();
        until("runs", move || job.runs.lock().len() == count)
    };
    let failures = |n: u32| {
        let store = world.store.clone();
        until("failures", move || {
            let row = store.snapshot().unwrap().job([1; 16]).unwrap().unwrap();
            (row.failures, row.lease_until) == (n, None)
        })
    };
    failures(1).await;
    world.clock.advance_ms(999);
    a_while().await;
    assert_eq!(job.runs.lock().len(), 1);
    world.clock.advance_ms(1);
    failures(2).await;
    world.clock.advance_ms(1_999);
    a_while().await;
    assert_eq!(job.runs.lock().len(), 2);
    world.clock.advance_ms(1);
    // Goes on at once, then fails again: the first failure in a row.
    runs(4).await;
    failures(1).await;
    world.clock.advance_ms(1_000);
    until("given up", || world.job(1).is_some_and(|row| row.state == JobState::Failed)).await;
    assert_eq!(world.job(1).unwrap().last_error, 4);
    let counts = |status: jobs::Status| (status.done, status.retried, status.failed);
    until("counted", || counts(runner.status()) == (1, 3, 1)).await;
    world.clock.advance_ms(1_000_000);
    a_while().await;
    assert_eq!(job.runs.lock().len(), 5);
}

#[tokio::test]
async fn a_panic_ends_the_job_and_not_the_runner() {
    let world = World::new();
    let bad = scripted("bad", |_, _| Box::pin(async { panic!("as it is meant to") }));
    let good = answering("good", vec![]);
    world.queue(1, "bad");
    let runner = world.start([bad, good]);
    until("failed", || world.job(1).is_some_and(|row| row.last_error == PANICKED)).await;
    world.queue(2, "good");
    runner.wake();
    until("done", || world.job(2).is_none()).await;
}

/// A worker that dies leaves a lease; when it ends, another one takes the job up, and only then.
#[tokio::test]
async fn a_job_of_a_crashed_worker_is_taken_up_when_its_lease_ends() {
    let world = World::new();
    world.queue(1, "one");
    let lease = store::Lease {
        kind: "one",
        now: world.clock.now(),
        until: world.clock.now().plus_ms(LEASE_MS),
        limit: 1,
    };
    let crashed = world.store.lease_jobs(lease).await.unwrap().remove(0);

    let job = answering("one", vec![]);
    let _runner = world.start([job.clone()]);
    world.clock.advance_ms(LEASE_MS - 1);
    a_while().await;
    assert_eq!(job.runs.lock().len(), 0);
    world.clock.advance_ms(1);
    until("done", || world.job(1).is_none()).await;
    assert_eq!(job.runs.lock().len(), 1);
    let late = DataOp::CompleteJob { id: crashed.id, attempts: crashed.attempts };
    assert!(world.store.apply_data_blocking("late", vec![late]).is_err(), "the crashed one cannot finish it");
}

#[tokio::test]
async fn a_lease_is_renewed_while_the_job_runs() {
    let world = World::new();
    let (go, wait) = tokio::sync::watch::channel(false);
    let job = scripted("slow", move |_, _| {
        let mut wait = wait.clone();
        Box::pin(async move {
            drop(wait.wait_for(|go| *go).await);
            Outcome::Done
        })
    });
    world.queue(1, "slow");
    let _first = world.start([job.clone()]);
    until("taken", || job.runs.lock().len() == 1).await;
    // A second runner stands by for when the lease ends.
    let _second = world.start([job.clone()]);
    for _ in 0..10 {
        let now = world.clock.now();
        world.clock.advance_ms(LEASE_MS / 2);
        until("renewed", || world.job(1).unwrap().lease_until > Some(now.plus_ms(LEASE_MS))).await;
    }
    assert_eq!(job.runs.lock().len(), 1);
    go.send_replace(true);
    until("done", || world.job(1).is_none()).await;
}

#[tokio::test]
async fn a_job_whose_lease_is_lost_is_dropped() {
    struct Dropped(Arc<Mutex<u32>>);
    impl Drop for Dropped {
        fn drop(&mut self) {
            *self.0.lock() += 1;
        }
    }
    let world = World::new();
    let dropped = Arc::new(Mutex::new(0));
    let noted = dropped.clone();
    let job = scripted("slow", move |_, _| {
        let guard = Dropped(noted.clone());
        Box::pin(async move {
            std::future::pending::<()>().await;
            drop(guard);
            Outcome::Done
        })
    });
    world.queue(1, "slow");
    let runner = world.start([job.clone()]);
    until("taken", || job.runs.lock().len() == 1).await;
    // Somebody ends the job behind the runner's back.
    let done = DataOp::CompleteJob { id: [1; 16], attempts: 1 };
    world.store.apply_data_blocking("steal", vec![done]).unwrap();
    a_while().await;
    assert_eq!(*dropped.lock(), 0, "control: it still believes in its lease");
    world.clock.advance_ms(LEASE_MS);
    until("dropped", || *dropped.lock() == 1).await;
    assert_eq!(runner.status().done, 0);
}

#[tokio::test]
async fn a_schedule_comes_again_and_has_one_row() {
    let world = World::new();
    let fail = Outcome::Fail(5);
    let job = answering("hourly", vec![Outcome::Again(vec![1]), Outcome::Done, fail, Outcome::Done]);
    let registry = || {
        let mut registry = registry([job.clone()]);
        registry.schedule(Schedule { kind: "hourly", payload: vec![0], every_ms: 3_600_000 }).unwrap();
        registry
    };
    let queued = || world.store.snapshot().unwrap().jobs_queued("hourly").unwrap();
    let runs = |count| {
        let job = job.clone();
        until("runs", move || job.runs.lock().len() == count)
    };
    let runner = world.start_with(registry(), 4);
    runs(2).await;
    a_while().await;
    assert_eq!((queued(), job.runs.lock().len()), (1, 2));
    world.clock.advance_ms(3_600_000 - 1);
    a_while().await;
    assert_eq!(job.runs.lock().len(), 2);
    runner.stop(Duration::from_secs(5)).await;

    // The row keeps its time over a restart, and a schedule does not stay failed.
    let _runner = world.start_with(registry(), 4);
    a_while().await;
    assert_eq!(job.runs.lock().len(), 2);
    world.clock.advance_ms(1);
    runs(3).await;
    a_while().await;
    assert_eq!(queued(), 1);
    world.clock.advance_ms(3_600_000);
    runs(4).await;
    assert_eq!(job.runs.lock()[2..], [vec![0], vec![0]], "each time from the start");
}

#[tokio::test]
async fn a_stop_lets_jobs_come_to_a_good_place() {
    let world = World::new();
    let job = scripted("polite", |payload, context| {
        Box::pin(async move {
            context.stopping().await;
            assert!(context.is_stopping());
            Outcome::Again(vec![payload[0] + 1])
        })
    });
    world.queue(1, "polite");
    let runner = world.start([job.clone()]);
    until("taken", || job.runs.lock().len() == 1).await;
    world.queue(2, "polite");
    runner.stop(Duration::from_secs(10)).await;
    let row = world.job(1).unwrap();
    assert_eq!((row.payload, row.lease_until), (vec![2], None));
    let status_of_the_other = world.job(2).unwrap().lease_until;
    assert_eq!(status_of_the_other, None, "nothing is left held");
}

#[tokio::test]
async fn a_job_that_does_not_listen_is_given_back_as_it_was() {
    let world = World::new();
    let job = scripted("stubborn", |_, _| {
        Box::pin(async {
            std::future::pending::<()>().await;
            Outcome::Done
        })
    });
    world.queue(1, "stubborn");
    let runner = world.start([job.clone()]);
    until("taken", || job.runs.lock().len() == 1).await;
    runner.stop(TICK).await;
    let row = world.job(1).unwrap();
    assert_eq!((row.payload, row.lease_until, row.failures), (vec![1], None, 0));

    let other = answering("stubborn", vec![]);
    let _runner = world.start([other.clone()]);
    until("done by the next process", || world.job(1).is_none()).await;
}

#[tokio::test]
async fn a_flood_of_one_kind_does_not_keep_the_others_waiting() {
    let world = World::new();
    for n in 1..=40 {
        world.queue(n, "flood");
    }
    world.queue(200, "rare");
    let flood = scripted("flood", |_, _| {
        Box::pin(async {
            tokio::time::sleep(TICK).await;
            Outcome::Done
        })
    });
    let before = Arc::new(Mutex::new(None));
    let rare = {
        let (flood, before) = (flood.clone(), before.clone());
        scripted("rare", move |_, _| {
            *before.lock() = Some(flood.runs.lock().len());
            Box::pin(async { Outcome::Done })
        })
    };
    let _runner = world.start_with(registry([flood, rare.clone()]), 1);
    until("the rare one", || rare.runs.lock().len() == 1).await;
    assert!(*before.lock() <= Some(1), "{before:?}: whoever was first, the rare one has the next turn");
    until("all", || world.store.snapshot().unwrap().jobs_queued("flood") == Ok(0)).await;
}

#[test]
fn a_registry_refuses_what_it_cannot_do() {
    let mut registry = registry([answering("one", vec![])]);
    assert_eq!(registry.add(answering("one", vec![])), Err(RegistryError::Twice));
    let schedule = |kind, every_ms| Schedule { kind, payload: vec![], every_ms };
    assert_eq!(registry.schedule(schedule("other", 5)), Err(RegistryError::Schedule));
    assert_eq!(registry.schedule(schedule("one", 0)), Err(RegistryError::Schedule));
    assert_eq!(registry.schedule(schedule("one", 5)), Ok(()));
    assert_eq!(registry.schedule(schedule("one", 6)), Err(RegistryError::Twice));
}
