//! Whether a connection has requests under way: HTTP/2 has no timer of its own for one that nobody uses.

use crate::tied::Tied;
use crate::upstream::Body;
use http::Response;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// How many requests of a connection are under way.
#[derive(Clone)]
pub(crate) struct UnderWay(Arc<watch::Sender<usize>>);

/// One of them.
pub(crate) struct One(UnderWay);

impl UnderWay {
    pub(crate) fn none() -> Self {
        Self(Arc::new(watch::Sender::new(0)))
    }

    pub(crate) fn one(&self) -> One {
        self.0.send_modify(|count| *count += 1);
        One(self.clone())
    }

    /// Returns when there was none for so long.
    pub(crate) async fn is_quiet(&self, limit: Duration) {
        let mut count = self.0.subscribe();
        loop {
            // Neither fails: the sender is in our hands.
            let _ = count.wait_for(|count| *count == 0).await;
            if tokio::time::timeout(limit, count.changed()).await.is_err() {
                return;
            }
        }
    }
}

impl Drop for One {
    fn drop(&mut self) {
        self.0.0.send_modify(|count| *count -= 1);
    }
}

impl One {
    /// It is under way until its answer has gone.
    pub(crate) fn until_sent(self, answer: Response<Body>) -> Response<Tied<Self>> {
        answer.map(|body| Tied::new(body, self))
    }
}
