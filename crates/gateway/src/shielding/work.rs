//! Where rules run. A small thing is inspected where it came; a large one on a thread of its own, of which there are few, so that
//! no other connection waits for it. A panic is caught and said: what could not be inspected does not pass.

use crate::shares::Shares;
use shield::Transaction;
use std::net::IpAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

/// Most bytes that are inspected where they came: about a millisecond's work.
const SMALL: usize = 8 << 10;
/// Longest wait for a thread.
const WAIT: Duration = Duration::from_secs(10);

/// The threads for large ones, of which a client has a part at most.
#[derive(Clone)]
pub(crate) struct Room(Arc<Shares>);

impl Default for Room {
    fn default() -> Self {
        // One client has one of two, and a quarter of many.
        let processors = std::thread::available_parallelism().map_or(2, usize::from).max(2);
        Self(Arc::new(Shares::waiting(processors, WAIT)))
    }
}

impl Room {
    /// Runs a step over so many bytes. None when it panicked, or when there was no thread in time: then the transaction is lost
    /// with it.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        who: Option<IpAddr>,
        bytes: usize,
        transaction: Transaction,
        step: impl FnOnce(&mut Transaction) -> T + Send + 'static,
    ) -> Option<(Transaction, T)> {
        if bytes <= SMALL {
            return caught(transaction, step);
        }
        self.work(who, move || caught(transaction, step)).await.flatten()
    }

    /// Runs something large for a client. None when it panicked, or when there was no thread in time.
    pub(super) async fn work<T: Send + 'static>(
        &self,
        who: Option<IpAddr>,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Option<T> {
        let place = self.0.take(who).await?;
        let working = tokio::task::spawn_blocking(move || {
            let _place = place;
            work()
        });
        working.await.ok()
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

    const ONE: Option<IpAddr> = Some(IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1)));
    const OTHER: Option<IpAddr> = Some(IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 2)));

    #[tokio::test]
    async fn a_panic_is_an_answer_whatever_the_size() {
        let room = Room(Arc::new(Shares::new(1)));
        for bytes in [1, SMALL + 1, SMALL + 1] {
            let done = room.run(ONE, bytes, transaction(""), |_| 7).await;
            assert_eq!(done.map(|(_, seven)| seven), Some(7));
            let step = |_: &mut Transaction| -> u8 { panic!("a rule with a fault of ours") };
            let lost = room.run(ONE, bytes, transaction(""), step).await;
            assert!(lost.is_none(), "{bytes}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn who_finds_no_thread_is_told_so_and_nobody_has_all() {
        let room = Room(Arc::new(Shares::waiting(2, WAIT)));
        let held = room.0.take(ONE).await;
        assert!(held.is_some());
        assert!(room.run(ONE, SMALL + 1, transaction(""), |_| ()).await.is_none(), "one has his part");
        assert!(room.run(ONE, SMALL, transaction(""), |_| ()).await.is_some(), "a small one needs none");
        assert!(room.run(OTHER, SMALL + 1, transaction(""), |_| ()).await.is_some());
        let _more = room.0.take(OTHER).await;
        assert!(room.run(None, SMALL + 1, transaction(""), |_| ()).await.is_none(), "there is none left");
    }
}
