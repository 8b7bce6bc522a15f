//! What a job is.

use model::{Clock, Timestamp};
use std::pin::Pin;
use std::sync::Arc;
use tokio::sync::watch;

/// A job under way.
pub type Running<'a> = Pin<Box<dyn Future<Output = Outcome> + Send + 'a>>;

/// A kind of background work.
pub trait Job: Send + Sync {
    /// Its name in the table, `[a-z_]`, never changed once released.
    fn kind(&self) -> &'static str;

    /// Does the work, or a part of it. The future is dropped when the lease is lost or the process may not wait any
    /// longer; the job is then taken up again with the same payload.
    fn run(&self, payload: Vec<u8>, context: Context) -> Running<'_>;
}

/// What became of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// All is done.
    Done,
    /// A part is done; this payload says where to go on, at once.
    Again(Vec<u8>),
    /// It did not work; try again after the usual wait. The number is the job's own, for the operator.
    Retry(u16),
    /// It did not work; try again at this moment.
    RetryAt(Timestamp, u16),
    /// It cannot work. The row stays for an operator; a scheduled job comes back at its next time.
    Fail(u16),
}

/// What a job is told of its run.
#[derive(Clone)]
pub struct Context {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) stop: watch::Receiver<Stop>,
    pub(crate) attempt: u32,
    pub(crate) failures: u32,
}

/// How far the runner is from its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Stop {
    No,
    /// Jobs should come to a good place and return.
    Soon,
    /// Jobs are dropped where they stand.
    Now,
}

/// Waits until the runner is so far, or gone.
pub(crate) async fn reached(stop: &mut watch::Receiver<Stop>, stage: Stop) {
    drop(stop.wait_for(|stop| *stop >= stage).await);
}

impl Context {
    /// The present moment.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// How often this job was taken up, this time included.
    #[must_use]
    pub fn attempt(&self) -> u32 {
        self.attempt
    }

    /// How often it failed in a row before this time.
    #[must_use]
    pub fn failures(&self) -> u32 {
        self.failures
    }

    /// Whether the process wants to end: return [`Outcome::Again`] from the next good place on.
    #[must_use]
    pub fn is_stopping(&self) -> bool {
        *self.stop.borrow() != Stop::No
    }

    /// Waits until the process wants to end, for a job that waits for something itself.
    pub async fn stopping(&self) {
        reached(&mut self.stop.clone(), Stop::Soon).await;
    }
}

impl std::fmt::Debug for Context {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Context").field("attempt", &self.attempt).finish_non_exhaustive()
    }
}
