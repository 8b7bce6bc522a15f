//! The one thread that writes a file. It takes what waits, runs each plan in a SAVEPOINT, commits once, and only
//! then answers: one fdatasync serves all who came meanwhile.
//!
//! A precondition that fails undoes its plan alone. A fault of the storage undoes the whole commit and answers
//! everybody in it with the fault, also those whose precondition had failed, since what it was compared with may
//! just have been undone.

use super::connect::{Place, writer};
use super::fault::{Ended, Fault, FaultKind};
use super::mover::{Mover, release_tail};
use super::queue::{CheckpointReply, Queue, Reply, Submission, Work};
use crate::error::{ApplyError, OpenError, StoreError};
use crate::store::PlanCount;
use crate::touched::Touched;
use model::PersonId;
use parking_lot::Mutex;
use rusqlite::wal::CheckpointMode;
use rusqlite::{Connection, DEFAULT_NAME};
use std::sync::Arc;
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::sync::oneshot;

/// How long a truncating checkpoint waits for readers before it lets plans pass and is tried again.
const READER_WAIT: Duration = Duration::from_millis(50);

/// What the plans of a file are and how one runs.
pub(super) trait Plans: 'static {
    type Plan: Send + 'static;
    type Answer: Send + 'static;
    const THREAD: &'static str;
    fn run(on: &Connection, plan: &Self::Plan) -> Result<Self::Answer, Ended>;
    /// Persons whose rows the plan writes.
    fn touches(plan: &Self::Plan) -> impl Iterator<Item = PersonId>;
}

/// What a writer has done.
#[derive(Clone, Debug, Default)]
pub(super) struct Counts {
    pub(super) commits: u64,
    pub(super) last_fault: i32,
    pub(super) plans: Vec<PlanCount>,
}

impl Counts {
    fn of(&mut self, name: &'static str) -> &mut PlanCount {
        let at = self.plans.iter().position(|count| count.name == name).unwrap_or_else(|| {
            self.plans.push(PlanCount { name, applied: 0, conflicts: 0, faults: 0 });
            self.plans.len() - 1
        });
        &mut self.plans[at]
    }
}

/// The handle to a writer thread.
pub(super) struct Writer<F: Plans> {
    queue: Arc<Queue<F::Plan, F::Answer>>,
    counts: Arc<Mutex<Counts>>,
    touched: Arc<Touched>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl<F: Plans> Writer<F> {
    /// Starts the thread on a connection that was opened and migrated.
    pub(super) fn start(connection: Connection, place: Place, group: usize) -> Result<Self, OpenError> {
        let queue = Arc::new(Queue::new(group));
        let counts = Arc::new(Mutex::new(Counts::default()));
        let touched = Arc::new(Touched::default());
        let mover = Mover::start(&place, F::THREAD)?;
        let mut bench = Bench::<F> {
            mover,
            connection: Some(connection),
            place,
            queue: queue.clone(),
            counts: counts.clone(),
            touched: touched.clone(),
        };
        let thread = std::thread::Builder::new()
            .name(F::THREAD.to_owned())
            .spawn(move || bench.work())
            .map_err(|_| OpenError::Unavailable)?;
        Ok(Self { queue, counts, touched, thread: Mutex::new(Some(thread)) })
    }

    /// Hands a plan over at once; the future waits for the answer.
    pub(super) fn submit(
        &self,
        name: &'static str,
        plan: F::Plan,
    ) -> impl Future<Output = Result<F::Answer, ApplyError>> + Send + use<F> {
        let (reply, answer) = oneshot::channel();
        self.queue.submit(Submission { name, plan, reply: Reply::Task(reply) });
        async move { answer.await.unwrap_or(Err(ApplyError::Closed)) }
    }

    /// Hands a plan over and waits.
    pub(super) fn submit_blocking(&self, name: &'static str, plan: F::Plan) -> Result<F::Answer, ApplyError> {
        let (reply, answer) = mpsc::sync_channel(1);
        self.queue.submit(Submission { name, plan, reply: Reply::Thread(reply) });
        answer.recv().unwrap_or(Err(ApplyError::Closed))
    }

    /// Tries once to truncate the log; `false` when a reader is in the way.
    pub(super) fn truncate(&self) -> Result<bool, StoreError> {
        let (reply, answer) = mpsc::sync_channel(1);
        if !self.queue.checkpoint(reply) {
            return Err(StoreError::Closed);
        }
        answer.recv().unwrap_or(Err(StoreError::Closed))
    }

    pub(super) fn touched(&self) -> &Touched {
        &self.touched
    }

    pub(super) fn counts(&self) -> Counts {
        self.counts.lock().clone()
    }

    /// Finishes what waits and ends the thread. A second call finds nothing to do.
    pub(super) fn close(&self) {
        self.queue.close();
        let thread = self.thread.lock().take();
        if let Some(thread) = thread {
            // A panic was shown when it happened; those who waited were answered.
            drop(thread.join());
        }
    }
}

impl<F: Plans> Drop for Writer<F> {
    fn drop(&mut self) {
        self.close();
    }
}

/// The writer's own side.
struct Bench<F: Plans> {
    /// Ends before the connection, whose end then removes the log.
    mover: Mover,
    connection: Option<Connection>,
    place: Place,
    queue: Arc<Queue<F::Plan, F::Answer>>,
    counts: Arc<Mutex<Counts>>,
    touched: Arc<Touched>,
}

impl<F: Plans> Drop for Bench<F> {
    fn drop(&mut self) {
        self.queue.abandon();
    }
}

impl<F: Plans> Bench<F> {
    fn work(&mut self) {
        loop {
            match self.queue.next() {
                Work::Plans(group) => {
                    self.commit(group);
                    if let Some(connection) = &self.connection {
                        self.mover.tend(connection);
                    }
                }
                Work::Checkpoint(reply) => self.truncate(&reply),
                Work::Stop => return,
            }
        }
    }

    fn commit(&mut self, group: Vec<Submission<F::Plan, F::Answer>>) {
        let done = self.transact(&group);
        // Also after a fault: whether a commit that failed was durable is not known before the file is opened again.
        self.touched.note(group.iter().flat_map(|submission| F::touches(&submission.plan)));
        match done {
            Ok(answers) => {
                self.count(&group, &answers);
                for (submission, answer) in group.into_iter().zip(answers) {
                    submission.reply.send(answer);
                }
            }
            Err(fault) => {
                self.count_fault(&group, fault);
                for submission in group {
                    submission.reply.send(Err(fault.into()));
                }
            }
        }
    }

    fn transact(
        &mut self,
        group: &[Submission<F::Plan, F::Answer>],
    ) -> Result<Vec<Result<F::Answer, ApplyError>>, Fault> {
        let connection = connected(&mut self.connection, &self.place)?;
        let done = commit_all::<F>(connection, group);
        if let Err(fault) = &done {
            let undone = connection.is_autocommit() || connection.execute_batch("ROLLBACK").is_ok();
            // After a failed read or write the connection's view is not to be trusted; a full disk leaves it sound.
            if !undone || fault.kind != FaultKind::Full {
                self.connection = None;
            } else {
                release_tail(connection, &self.place);
            }
        }
        done
    }

    fn count(&self, group: &[Submission<F::Plan, F::Answer>], answers: &[Result<F::Answer, ApplyError>]) {
        let mut counts = self.counts.lock();
        counts.commits += 1;
        for (submission, answer) in group.iter().zip(answers) {
            let count = counts.of(submission.name);
            match answer {
                Ok(_) => count.applied += 1,
                Err(_) => count.conflicts += 1,
            }
        }
    }

    fn count_fault(&self, group: &[Submission<F::Plan, F::Answer>], fault: Fault) {
        let mut counts = self.counts.lock();
        counts.last_fault = fault.code;
        for submission in group {
            counts.of(submission.name).faults += 1;
        }
    }

    fn truncate(&mut self, reply: &CheckpointReply) {
        let answer = connected(&mut self.connection, &self.place).and_then(|connection| {
            connection.busy_timeout(READER_WAIT)?;
            let done = connection.wal_checkpoint_v2(DEFAULT_NAME, CheckpointMode::TRUNCATE);
            connection.busy_timeout(super::connect::LOCK_WAIT)?;
            match done {
                Ok(_) => Ok(true),
                Err(error) if error.sqlite_error_code() == Some(rusqlite::ErrorCode::DatabaseBusy) => {
                    Ok(false)
                }
                Err(error) => Err(error.into()),
            }
        });
        let _ = reply.send(answer.map_err(StoreError::from));
    }
}

/// The writer's connection, opened anew after a fault.
fn connected<'a>(connection: &'a mut Option<Connection>, place: &Place) -> Result<&'a Connection, Fault> {
    let open = match connection.take() {
        Some(open) => open,
        None => writer(place, None).map_err(|error| Fault {
            kind: if error == OpenError::Full { FaultKind::Full } else { FaultKind::Unavailable },
            code: 0,
        })?,
    };
    Ok(connection.insert(open))
}

/// All plans of a group in one transaction.
fn commit_all<F: Plans>(
    on: &Connection,
    group: &[Submission<F::Plan, F::Answer>],
) -> Result<Vec<Result<F::Answer, ApplyError>>, Fault> {
    step(on, "BEGIN IMMEDIATE")?;
    let mut answers = Vec::with_capacity(group.len());
    for submission in group {
        step(on, "SAVEPOINT plan")?;
        match F::run(on, &submission.plan) {
            Ok(answer) => answers.push(Ok(answer)),
            Err(Ended::Conflict(conflict)) => {
                step(on, "ROLLBACK TO plan")?;
                answers.push(Err(conflict.into()));
            }
            Err(Ended::Fault(fault)) => return Err(fault),
        }
        step(on, "RELEASE plan")?;
    }
    step(on, "COMMIT")?;
    Ok(answers)
}

fn step(on: &Connection, sql: &str) -> Result<(), Fault> {
    on.prepare_cached(sql)?.execute(())?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Conflict;
    use crate::ops::KeyOp;
    use crate::sqlite::connect::create;
    use crate::sqlite::key_plan::KeyPlans;
    use crate::sqlite::migrate::KEYS;

    fn bench() -> (tempfile::TempDir, Bench<KeyPlans>) {
        let dir = tempfile::tempdir().unwrap();
        let place = Place { path: dir.path().join("keys.db"), writer_cache: 1 << 20, reader_cache: 1 << 20 };
        create(&place.path).unwrap();
        let connection = Some(writer(&place, Some(&KEYS)).unwrap());
        let (queue, counts) = (Arc::new(Queue::new(100)), Arc::default());
        let mover = Mover::start(&place, "test").unwrap();
        (dir, Bench { mover, connection, place, queue, counts, touched: Arc::default() })
    }

    type Waiting = (Submission<Vec<KeyOp>, ()>, mpsc::Receiver<Result<(), ApplyError>>);

    fn plan(ops: &[(&'static str, usize)]) -> Waiting {
        let put = |(name, length): &(&'static str, usize)| KeyOp::PutHouse {
            name,
            value: vec![7; *length],
            expected_absent: true,
        };
        let (reply, answer) = mpsc::sync_channel(1);
        (
            Submission { name: "test", plan: ops.iter().map(put).collect(), reply: Reply::Thread(reply) },
            answer,
        )
    }

    /// Commits the plans together; their answers.
    fn together(bench: &mut Bench<KeyPlans>, plans: Vec<Waiting>) -> Vec<Result<(), ApplyError>> {
        let (group, answers): (Vec<_>, Vec<_>) = plans.into_iter().unzip();
        bench.commit(group);
        answers.iter().map(|answer| answer.try_recv().unwrap()).collect()
    }

    fn names(bench: &Bench<KeyPlans>) -> String {
        let sql = "SELECT coalesce(group_concat(name, ' ' ORDER BY name), '') FROM house";
        bench.connection.as_ref().unwrap().query_row(sql, (), |row| row.get(0)).unwrap()
    }

    #[test]
    fn a_refused_plan_is_undone_alone() {
        let (_dir, mut bench) = bench();
        let plans =
            vec![plan(&[("a", 1)]), plan(&[("b", 1), ("a", 1), ("c", 1)]), plan(&[("d", 1), ("b", 1)])];
        let answers = together(&mut bench, plans);
        assert_eq!(answers, [Ok(()), Err(Conflict::Exists.into()), Ok(())]);
        assert_eq!(names(&bench), "a b d");
        assert_eq!(bench.counts.lock().commits, 1);
    }

    /// A limit on the file's pages is what a full disk looks like to SQLite.
    #[test]
    fn a_full_disk_undoes_the_whole_commit_and_everybody_hears_of_it() {
        let (_dir, mut bench) = bench();
        assert_eq!(together(&mut bench, vec![plan(&[("before", 1)])]), [Ok(())]);
        let on = bench.connection.as_ref().unwrap();
        let pages: i64 = on.query_row("PRAGMA page_count", (), |row| row.get(0)).unwrap();
        on.pragma_update_and_check(None, "max_page_count", pages + 2, |_| Ok(())).unwrap();

        let plans =
            vec![plan(&[("a", 1)]), plan(&[("a", 1)]), plan(&[("large", 100_000)]), plan(&[("z", 1)])];
        assert_eq!(together(&mut bench, plans), [Err(ApplyError::Full); 4]);
        assert_eq!(names(&bench), "before");
        assert_eq!(bench.counts.lock().last_fault, rusqlite::ffi::SQLITE_FULL);
        assert_eq!(
            together(&mut bench, vec![plan(&[("small", 1)])]),
            [Ok(())],
            "the same connection goes on"
        );

        let on = bench.connection.as_ref().unwrap();
        on.pragma_update_and_check(None, "max_page_count", 1_000_000, |_| Ok(())).unwrap();
        assert_eq!(together(&mut bench, vec![plan(&[("large", 100_000)])]), [Ok(())]);
        assert_eq!(names(&bench), "before large small");
    }

    #[test]
    fn a_lost_connection_is_opened_again() {
        let (dir, mut bench) = bench();
        bench.connection = None;
        let aside = dir.path().join("aside");
        std::fs::rename(&bench.place.path, &aside).unwrap();
        assert_eq!(together(&mut bench, vec![plan(&[("a", 1)])]), [Err(ApplyError::Unavailable)]);
        std::fs::rename(&aside, &bench.place.path).unwrap();
        assert_eq!(together(&mut bench, vec![plan(&[("a", 1)])]), [Ok(())]);
        assert_eq!(names(&bench), "a");
    }

    #[test]
    fn a_writer_that_is_gone_answers_closed() {
        let (_dir, bench) = bench();
        let queue = bench.queue.clone();
        let (waiting, answer) = plan(&[("a", 1)]);
        queue.submit(waiting);
        drop(bench);
        assert_eq!(answer.try_recv().unwrap(), Err(ApplyError::Closed));
        let (late, answer) = plan(&[("a", 1)]);
        queue.submit(late);
        assert_eq!(answer.try_recv().unwrap(), Err(ApplyError::Closed));
    }

    #[test]
    fn the_settings_of_the_writer_hold() {
        let (_dir, bench) = bench();
        let on = bench.connection.as_ref().unwrap();
        let text = |name: &str| {
            on.pragma_query_value(None, name, |row| row.get::<_, rusqlite::types::Value>(0)).unwrap()
        };
        let number = |n: i64| rusqlite::types::Value::Integer(n);
        assert_eq!(text("journal_mode"), rusqlite::types::Value::Text("wal".to_owned()));
        assert_eq!(text("synchronous"), number(2), "FULL");
        assert_eq!(text("secure_delete"), number(1));
        assert_eq!(text("page_size"), number(4_096));
        assert_eq!(text("temp_store"), number(2), "MEMORY");
        assert_eq!(text("cache_size"), number(-1_024));
        assert_eq!(text("mmap_size"), number(0));
        assert_eq!(text("wal_autocheckpoint"), number(0));
    }
}
