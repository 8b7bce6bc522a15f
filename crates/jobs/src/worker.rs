//! One job under way: it runs beside the renewal of its lease, and its outcome is written down.

use crate::job::{Context, Job, Outcome, Stop, reached};
use crate::runner::Shared;
use model::Timestamp;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use store::{ApplyError, Conflict, DataOp, JobRow};
use tokio::task::JoinHandle;

/// The error number of a job that panicked.
pub const PANICKED: u16 = u16::MAX;

/// Runs a leased job to its outcome, or until the lease is lost or time is up.
pub(crate) async fn work(shared: Arc<Shared>, job: Arc<dyn Job>, row: JobRow) {
    let context = Context {
        clock: shared.clock.clone(),
        stop: shared.stop.subscribe(),
        attempt: row.attempts,
        failures: row.failures,
    };
    let payload = row.payload.clone();
    // A task of its own, so that a panic ends the job and not its runner.
    let running = tokio::spawn(async move { job.run(payload, context).await });
    if let Some(op) = follow(&shared, running, &row).await {
        write_down(&shared, op, &row).await;
    }
}

/// Waits for the outcome and renews the lease meanwhile; `None` when somebody else holds the job by now.
async fn follow(shared: &Shared, mut running: JoinHandle<Outcome>, row: &JobRow) -> Option<DataOp> {
    let mut stop = shared.stop.subscribe();
    let mut until = row.lease_until.unwrap_or_default();
    loop {
        tokio::select! {
            outcome = &mut running => {
                let outcome = outcome.unwrap_or(Outcome::Retry(PANICKED));
                return Some(shared.settle(outcome, row));
            }
            () = reached(&mut stop, Stop::Now) => {
                running.abort();
                // Given back as it was, so that the next process need not wait for the lease to end.
                let outcome = running.await.unwrap_or(Outcome::Again(row.payload.clone()));
                return Some(shared.settle(outcome, row));
            }
            () = tokio::time::sleep(shared.options.tick) => {
                if !renewed(shared, row, &mut until).await {
                    running.abort();
                    return None;
                }
            }
        }
    }
}

/// Renews the lease once half of it is over; `false` when it is lost.
async fn renewed(shared: &Shared, row: &JobRow, until: &mut Timestamp) -> bool {
    let now = shared.clock.now();
    if now.plus_ms(shared.options.lease_ms / 2) < *until {
        return true;
    }
    let next = now.plus_ms(shared.options.lease_ms);
    let renew = DataOp::RenewLease { id: row.id, attempts: row.attempts, until: next };
    match shared.store.apply_data("renew_lease", vec![renew]).await {
        Ok(()) => {
            *until = next;
            true
        }
        Err(ApplyError::Conflict(_)) => false,
        // The lease may hold for a while yet; tried again with the next tick.
        Err(_) => true,
    }
}

impl Shared {
    /// What is written down for an outcome.
    fn settle(&self, outcome: Outcome, row: &JobRow) -> DataOp {
        let (id, attempts) = (row.id, row.attempts);
        let now = self.clock.now();
        let every = self.every(&row.kind);
        let fail = |at: Timestamp, error| DataOp::FailJob { id, attempts, retry_at: Some(at), error };
        match (outcome, every) {
            (Outcome::Done, None) => DataOp::CompleteJob { id, attempts },
            (Outcome::Done, Some(schedule)) => {
                let (payload, due) = (schedule.payload.clone(), now.plus_ms(schedule.every_ms));
                DataOp::ContinueJob { id, attempts, payload, due }
            }
            (Outcome::Again(payload), _) => DataOp::ContinueJob { id, attempts, payload, due: now },
            (Outcome::Retry(error), _) => {
                let wait = self.options.backoff.after(row.failures.saturating_add(1));
                fail(now.plus_ms(wait), error)
            }
            (Outcome::RetryAt(at, error), _) => fail(at, error),
            (Outcome::Fail(error), Some(schedule)) => fail(now.plus_ms(schedule.every_ms), error),
            (Outcome::Fail(error), None) => DataOp::FailJob { id, attempts, retry_at: None, error },
        }
    }
}

/// Writes the outcome down, and again while the storage cannot take it and the lease is ours. If it never can, the
/// lease ends and the job runs once more.
async fn write_down(shared: &Shared, op: DataOp, row: &JobRow) {
    let mut until = row.lease_until.unwrap_or_default();
    loop {
        match shared.store.apply_data("job_outcome", vec![op.clone()]).await {
            Ok(()) => return shared.count(&op),
            // What the job wrote may have been undone with a full disk; nobody else has it as long as we renew.
            Err(ApplyError::Full | ApplyError::Unavailable) => {}
            Err(ApplyError::Conflict(Conflict::LeaseLost)) => {
                shared.counts.lost.fetch_add(1, Ordering::Relaxed);
                return;
            }
            Err(_) => return,
        }
        tokio::time::sleep(shared.options.tick).await;
        if *shared.stop.borrow() == Stop::Now || !renewed(shared, row, &mut until).await {
            return;
        }
    }
}
