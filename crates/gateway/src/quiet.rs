//! Whether a connection of HTTP/2 has requests under way, and whether its client takes their answers. HTTP/2 has no timer of
//! its own for a connection that nobody uses, nor for a client that lets nothing through its window.

use crate::tied::{Kept, Tied};
use crate::upstream::Body;
use http::Response;
use parking_lot::Mutex;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::Instant;

/// For so long a client may take nothing of an answer.
const STALL: Duration = Duration::from_secs(120);
/// Bytes of a piece for which it gets a second more.
const PER_SECOND: usize = 8 << 10;
/// How often it is looked at.
const LOOK: Duration = Duration::from_secs(15);

struct Inner {
    count: watch::Sender<usize>,
    next: AtomicU64,
    /// Until when the piece of an answer that was handed on has to be gone.
    handed: Mutex<HashMap<u64, Instant>>,
}

/// How many requests of a connection are under way.
#[derive(Clone)]
pub(crate) struct UnderWay(Arc<Inner>);

/// One of them.
pub(crate) struct One {
    under_way: UnderWay,
    number: u64,
}

impl UnderWay {
    pub(crate) fn none() -> Self {
        let (count, next) = (watch::Sender::new(0), AtomicU64::new(0));
        Self(Arc::new(Inner { count, next, handed: Mutex::default() }))
    }

    pub(crate) fn one(&self) -> One {
        self.0.count.send_modify(|count| *count += 1);
        One { under_way: self.clone(), number: self.0.next.fetch_add(1, Relaxed) }
    }

    /// Returns when there was none for so long.
    pub(crate) async fn is_quiet(&self, limit: Duration) {
        let mut count = self.0.count.subscribe();
        loop {
            // Neither fails: the sender is in our hands.
            let _ = count.wait_for(|count| *count == 0).await;
            if tokio::time::timeout(limit, count.changed()).await.is_err() {
                return;
            }
        }
    }

    /// Returns when the client takes nothing of an answer any more.
    pub(crate) async fn is_stalled(&self) {
        loop {
            tokio::time::sleep(LOOK).await;
            let now = Instant::now();
            if self.0.handed.lock().values().any(|until| *until < now) {
                return;
            }
        }
    }
}

impl Drop for One {
    fn drop(&mut self) {
        self.under_way.0.handed.lock().remove(&self.number);
        self.under_way.0.count.send_modify(|count| *count -= 1);
    }
}

impl Kept for One {
    fn asked(&self) {
        self.under_way.0.handed.lock().remove(&self.number);
    }

    fn handed(&self, bytes: usize) {
        let more = Duration::from_secs((bytes / PER_SECOND) as u64);
        self.under_way.0.handed.lock().insert(self.number, Instant::now() + STALL + more);
    }
}

impl One {
    /// It is under way until its answer has gone.
    pub(crate) fn until_sent(self, answer: Response<Body>) -> Response<Tied<Self>> {
        answer.map(|body| Tied::new(body, self))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::body::full;
    use http_body_util::BodyExt;

    /// Whether the client counts as stalled within so many seconds.
    async fn stalls(under_way: &UnderWay, seconds: u64) -> bool {
        tokio::time::timeout(Duration::from_secs(seconds), under_way.is_stalled()).await.is_ok()
    }

    #[tokio::test(start_paused = true)]
    async fn who_takes_nothing_is_noticed() {
        let under_way = UnderWay::none();
        let mut answer = under_way.one().until_sent(Response::new(full("x".repeat(80 << 10))));
        assert!(!stalls(&under_way, 1_000).await, "nothing was handed on: the app is awaited");
        let piece = answer.body_mut().frame().await.expect("a piece").expect("whole");
        drop(answer);
        assert!(!stalls(&under_way, 120).await, "ten seconds more for 80 KiB");
        assert!(stalls(&under_way, 40).await, "the piece has not gone");
        drop(piece);
        assert!(!stalls(&under_way, 1_000).await, "it has gone");
    }

    #[tokio::test(start_paused = true)]
    async fn who_asks_for_more_has_taken_what_was_before() {
        let under_way = UnderWay::none();
        let mut answer = under_way.one().until_sent(Response::new(full("x")));
        let _piece = answer.body_mut().frame().await;
        tokio::time::sleep(Duration::from_secs(100)).await;
        assert!(answer.body_mut().frame().await.is_none());
        assert!(!stalls(&under_way, 1_000).await);
    }
}
