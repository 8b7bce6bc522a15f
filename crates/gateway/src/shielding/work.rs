//! Where rules run. A small thing is inspected where it came; a large one on a thread of its own, of which there are few, so that
//! no other connection waits for it. A panic is caught and said: what could not be inspected does not pass.

use shield::Transaction;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;

/// Most bytes that are inspected where they came: about a millisecond's work.
const SMALL: usize = 8 << 10;
/// Longest wait for a thread.
const WAIT: Duration = Duration::from_secs(10);

/// The threads for large ones.
#[derive(Clone)]
pub(crate) struct Room(Arc<Semaphore>);

impl Default for Room {
    fn default() -> Self {
        let processors = std::thread::available_parallelism().map_or(2, usize::from);
        Self(Arc::new(Semaphore::new(processors)))
    }
}

impl Room {
    /// Runs a step over so many bytes. None when it panicked, or when there was no thread in time: then the transaction is lost
    /// with it.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        bytes: usize,
        transaction: Transaction,
        step: impl FnOnce(&mut Transaction) -> T + Send + 'static,
    ) -> Option<(Transaction, T)> {
        if bytes <= SMALL {
            return caught(transaction, step);
        }
        let taking = self.0.clone().acquire_owned();
        let place = tokio::time::timeout(WAIT, taking).await.ok()?.ok()?;
        let working = tokio::task::spawn_blocking(move || {
            let _place = place;
            caught(transaction, step)
        });
        working.await.ok().flatten()
    }
}

/// Nothing of a transaction is used again after a panic, so it may be left in any state.
fn caught<T>(
    mut transaction: Transaction,
    step: impl FnOnce(&mut Transaction) -> T,
) -> Option<(Transaction, T)> {
    catch_unwind(AssertUnwindSafe(move || {
        let done = step(&mut transaction);
        (transaction, done)
    }))
    .ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shielding::tests::transaction;

    #[tokio::test]
    async fn a_panic_is_an_answer_whatever_the_size() {
        let room = Room::default();
        for bytes in [1, SMALL + 1] {
            let done = room.run(bytes, transaction(""), |_| 7).await;
            assert_eq!(done.map(|(_, seven)| seven), Some(7));
            let step = |_: &mut Transaction| -> u8 { panic!("a rule with a fault of ours") };
            let lost = room.run(bytes, transaction(""), step).await;
            assert!(lost.is_none(), "{bytes}");
        }
        assert_eq!(room.0.available_permits(), std::thread::available_parallelism().map_or(2, usize::from));
    }

    #[tokio::test(start_paused = true)]
    async fn who_finds_no_thread_is_told_so() {
        let room = Room::default();
        let _all = room.0.clone().acquire_many_owned(room.0.available_permits() as u32).await.expect("all");
        assert!(room.run(SMALL + 1, transaction(""), |_| ()).await.is_none());
        assert!(room.run(SMALL, transaction(""), |_| ()).await.is_some(), "a small one needs none");
    }
}
