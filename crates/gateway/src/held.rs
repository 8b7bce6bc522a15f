//! How much of all bodies is held in memory at one time. What a rule looks into is held whole; without an end to that, many who
//! send or fetch something large at once would take all the memory there is.

use crate::tied::Tied;
use crate::upstream::Body;
use http_body_util::BodyExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// The bytes that may be held, counted as bodies came; taking them apart needs about three times as much.
pub(crate) struct Budget {
    most: usize,
    used: AtomicUsize,
}

impl Budget {
    pub(crate) fn new(most: usize) -> Arc<Self> {
        Arc::new(Self { most, used: AtomicUsize::new(0) })
    }

    #[cfg(test)]
    pub(crate) fn used(&self) -> usize {
        self.used.load(Relaxed)
    }
}

/// What one request and its answer hold. Given back when it is dropped.
pub(crate) struct Holding {
    budget: Arc<Budget>,
    bytes: AtomicUsize,
}

impl Holding {
    pub(crate) fn none(budget: &Arc<Budget>) -> Self {
        Self { budget: budget.clone(), bytes: AtomicUsize::new(0) }
    }

    /// Takes so many bytes more, where there is room for them.
    pub(crate) fn take(&self, bytes: usize) -> bool {
        let used = self.budget.used.fetch_add(bytes, Relaxed);
        let fits = used.checked_add(bytes).is_some_and(|used| used <= self.budget.most);
        if fits {
            self.bytes.fetch_add(bytes, Relaxed);
        } else {
            self.budget.used.fetch_sub(bytes, Relaxed);
        }
        fits
    }

    /// Takes so many bytes more in any case: what hangs on them is worth more than the memory.
    pub(crate) fn take_anyway(&self, bytes: usize) {
        self.budget.used.fetch_add(bytes, Relaxed);
        self.bytes.fetch_add(bytes, Relaxed);
    }

    pub(crate) fn give_back(&self) {
        self.budget.used.fetch_sub(self.bytes.swap(0, Relaxed), Relaxed);
    }

    /// Holds on until a body has gone: a client may take its time to fetch it.
    pub(crate) fn until_sent(self, body: Body) -> Body {
        if self.bytes.load(Relaxed) == 0 { body } else { Tied::new(body, self).boxed_unsync() }
    }
}

impl Drop for Holding {
    fn drop(&mut self) {
        self.give_back();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hyper::body::Body as _;

    #[tokio::test]
    async fn what_is_held_has_an_end_and_is_given_back() {
        let budget = Budget::new(100);
        let (one, two) = (Holding::none(&budget), Holding::none(&budget));
        assert!(one.take(60) && !two.take(41) && two.take(40) && !one.take(1) && one.take(0));
        one.take_anyway(50);
        assert!(budget.used() == 150 && !two.take(1));
        drop(one);
        assert!(budget.used() == 40 && !two.take(usize::MAX) && two.take(60));
        two.give_back();
        assert_eq!(budget.used(), 0);
        assert!(two.take(10));
        let mut body = two.until_sent(crate::body::full("0123456789"));
        assert_eq!((budget.used(), body.size_hint().exact()), (10, Some(10)));
        let piece = body.frame().await.expect("a piece").expect("whole").into_data().expect("data");
        drop(body);
        assert_eq!(
            (budget.used(), &piece[..]),
            (10, &b"0123456789"[..]),
            "what was taken is not written yet"
        );
        drop(piece);
        assert_eq!(budget.used(), 0);
    }
}
