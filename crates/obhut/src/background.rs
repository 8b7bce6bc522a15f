//! What a running house does by itself: ship the outbox, keep the clock's mark, sweep after erasures, tend epochs.

use crate::wiring::Opened;
use std::sync::Arc;
use std::time::Duration;
use store::KeyOp;
use tokio::sync::watch;

/// How often the outbox is tended.
const TEND: Duration = Duration::from_millis(200);
/// How often the clock's mark is kept.
const MARK: Duration = Duration::from_secs(30);

/// Runs until `stop` changes, then tends the outbox once more.
pub(crate) async fn run(opened: Arc<Opened>, mut stop: watch::Receiver<bool>) {
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
