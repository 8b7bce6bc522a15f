//! What a running house does by itself: ship the outbox, keep the clock's mark, and the vault's jobs.

use crate::system::Problem;
use crate::wiring::Opened;
use jobs::{Options, Registry, Runner};
use seal::SystemEntropy;
use std::sync::Arc;
use std::time::Duration;
use store::KeyOp;
use tokio::sync::watch;

/// How often the outbox is tended.
const TEND: Duration = Duration::from_millis(200);
/// How often the clock's mark is kept.
const MARK: Duration = Duration::from_secs(30);

/// How long jobs may take to come to a good place at the end.
const GRACE: Duration = Duration::from_secs(5);

/// Starts the vault's jobs.
pub(crate) fn start_jobs(opened: &Opened) -> Result<Runner, Problem> {
    let mut registry = Registry::default();
    opened.vault.register(&mut registry).map_err(Problem::from_error("the jobs"))?;
    let entropy = Arc::new(SystemEntropy);
    Ok(Runner::start(opened.store.clone(), registry, opened.clock.clone(), entropy, Options::default()))
}

/// Runs until `stop` changes, then ends the jobs and tends the outbox once more.
pub(crate) async fn run(opened: Arc<Opened>, jobs: Runner, mut stop: watch::Receiver<bool>) {
    let mut tend = tokio::time::interval(TEND);
    let mut mark = tokio::time::interval(MARK);
    tend.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    mark.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = stop.changed() => break,
            // A fault here shows in the outbox, which grows, and in what the requests themselves answer.
            _ = tend.tick() => { let _ = opened.vault.tend().await; }
            _ = mark.tick() => keep_mark(&opened).await,
        }
    }
    jobs.stop(GRACE).await;
    let _ = opened.vault.tend().await;
    keep_mark(&opened).await;
}

async fn keep_mark(opened: &Opened) {
    if let Some(at) = opened.clock.latest() {
        let op = KeyOp::SetClockMark { at, may_go_back: false };
        // The next mark makes up for one that could not be kept.
        let _ = opened.store.apply_keys("clock_mark", vec![op]).await;
    }
}
