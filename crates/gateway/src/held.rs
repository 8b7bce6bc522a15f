//! How much of all bodies is held in memory at one time. What a rule looks into is held whole; without an end to that, many who
//! send or fetch something large at once would take all the memory there is.

use crate::tied::{Kept, Tied};
use crate::upstream::Body;
use http_body_util::BodyExt;
use parking_lot::Mutex;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// One client has this part of it at most.
const PART: usize = 4;

/// The bytes that may be held, counted as bodies came; taking them apart needs about three times as much.
pub(crate) struct Budget {
    most: usize,
    used: AtomicUsize,
    /// What one client may hold: a body of the largest size in any case.
    of_one: usize,
    clients: Mutex<HashMap<IpAddr, usize>>,
}

impl Budget {
    pub(crate) fn new(most: usize, of_one: usize) -> Arc<Self> {
        let of_one = of_one.max(most / PART);
        Arc::new(Self { most, used: AtomicUsize::new(0), of_one, clients: Mutex::default() })
    }

    /// Whether a client may hold so much more; then it does.
    fn client_takes(&self, client: IpAddr, bytes: usize, anyway: bool) -> bool {
        let mut clients = self.clients.lock();
        let held = clients.get(&client).copied().unwrap_or_default();
        let fits = anyway || held.checked_add(bytes).is_some_and(|held| held <= self.of_one);
        if fits && bytes > 0 {
            clients.insert(client, held + bytes);
        }
        fits
    }

    fn client_gives(&self, client: IpAddr, bytes: usize) {
        let mut clients = self.clients.lock();
        if let Some(held) = clients.get_mut(&client) {
            *held = held.saturating_sub(bytes);
            if *held == 0 {
                clients.remove(&client);
            }
        }
    }

    #[cfg(test)]
    pub(crate) fn used(&self) -> usize {
        self.used.load(Relaxed)
    }
}

/// What one request and its answer hold. Given back when it is dropped.
pub(crate) struct Holding {
    budget: Arc<Budget>,
    client: Option<IpAddr>,
    bytes: AtomicUsize,
}

impl Holding {
    /// For this client; none is a proxy, which speaks for many.
    pub(crate) fn none(budget: &Arc<Budget>, client: Option<IpAddr>) -> Self {
        Self { budget: budget.clone(), client, bytes: AtomicUsize::new(0) }
    }

    /// Takes so many bytes more, where there is room for them.
    pub(crate) fn take(&self, bytes: usize) -> bool {
        if self.client.is_some_and(|client| !self.budget.client_takes(client, bytes, false)) {
            return false;
        }
        let used = self.budget.used.fetch_add(bytes, Relaxed);
        let fits = used.checked_add(bytes).is_some_and(|used| used <= self.budget.most);
        if fits {
            self.bytes.fetch_add(bytes, Relaxed);
        } else {
            self.budget.used.fetch_sub(bytes, Relaxed);
            self.client_gives(bytes);
        }
        fits
    }

    /// Takes so many bytes more in any case: what hangs on them is worth more than the memory.
    pub(crate) fn take_anyway(&self, bytes: usize) {
        if let Some(client) = self.client {
            self.budget.client_takes(client, bytes, true);
        }
        self.budget.used.fetch_add(bytes, Relaxed);
        self.bytes.fetch_add(bytes, Relaxed);
    }

    /// Another of the same client, with nothing in it.
    pub(crate) fn beside(&self) -> Self {
        Self::none(&self.budget, self.client)
    }

    /// Holds from now on what another one of the same client has held.
    pub(crate) fn absorb(&self, other: &Self) {
        self.bytes.fetch_add(other.bytes.swap(0, Relaxed), Relaxed);
    }

    /// Gives back what of it is not needed.
    pub(crate) fn shrink_to(&self, bytes: usize) {
        let held = self.bytes.fetch_min(bytes, Relaxed);
        let less = held.saturating_sub(bytes);
        if less > 0 {
            self.budget.used.fetch_sub(less, Relaxed);
            self.client_gives(less);
        }
    }

    pub(crate) fn give_back(&self) {
        let bytes = self.bytes.swap(0, Relaxed);
        if bytes > 0 {
            self.budget.used.fetch_sub(bytes, Relaxed);
            self.client_gives(bytes);
        }
    }

    fn client_gives(&self, bytes: usize) {
        if let Some(client) = self.client {
            self.budget.client_gives(client, bytes);
        }
    }

    /// Holds on until a body has gone: a client may take its time to fetch it.
    pub(crate) fn until_sent(self, body: Body) -> Body {
        if self.bytes.load(Relaxed) == 0 { body } else { Tied::new(body, self).boxed_unsync() }
    }
}

impl Kept for Holding {}

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
        let budget = Budget::new(100, 0);
        let (one, two) = (Holding::none(&budget, None), Holding::none(&budget, None));
        assert!(one.take(60) && !two.take(41) && two.take(40) && !one.take(1) && one.take(0));
        one.take_anyway(50);
        assert!(budget.used() == 150 && !two.take(1));
        drop(one);
        assert!(budget.used() == 40 && !two.take(usize::MAX) && two.take(59));
        let other = two.beside();
        assert!(other.take(1));
        two.absorb(&other);
        drop(other);
        assert_eq!(budget.used(), 100, "it was taken over");
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

    #[test]
    fn one_client_leaves_room_to_others() {
        let budget = Budget::new(100, 10);
        let client = |last: u8| Some(IpAddr::from([192, 0, 2, last]));
        let (one, same) = (Holding::none(&budget, client(1)), Holding::none(&budget, client(1)));
        assert!(one.take(20) && !same.take(6) && same.take(5), "a quarter is its part");
        let other = Holding::none(&budget, client(2));
        assert!(other.take(25));
        same.take_anyway(30);
        assert!(!one.take(1));
        drop((one, same));
        assert_eq!(budget.used(), 25);
        drop(other);
        assert!(budget.clients.lock().is_empty() && budget.used() == 0, "nobody is remembered");
        let one = Holding::none(&Budget::new(100, 60), client(1));
        assert!(one.take(60), "one body of the largest size has room");
    }
}
