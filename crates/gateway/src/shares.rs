//! Connections to the app, and how many of them one client may have in use. A client that reads slowly holds one for as
//! long as it likes; it must not hold all.

use parking_lot::Mutex;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Longest wait for a connection to become free.
const WAIT: Duration = Duration::from_secs(3);
/// One client has this part of them at most.
const PART: usize = 4;

type OfClients = Mutex<HashMap<IpAddr, Arc<Semaphore>>>;

/// How many connections may still be in use, of all and of each client.
pub(crate) struct Shares {
    all: Arc<Semaphore>,
    of_one: usize,
    clients: Arc<OfClients>,
    wait: Duration,
}

/// A connection in use; given back when it is dropped.
pub(crate) struct Share {
    _of_all: OwnedSemaphorePermit,
    _own: Option<Own>,
}

/// What one client has of it.
struct Own {
    who: IpAddr,
    permit: Option<OwnedSemaphorePermit>,
    clients: Arc<OfClients>,
}

impl Shares {
    pub(crate) fn new(connections: usize) -> Self {
        Self::waiting(connections, WAIT)
    }

    /// With another longest wait.
    pub(crate) fn waiting(connections: usize, wait: Duration) -> Self {
        let connections = connections.clamp(1, Semaphore::MAX_PERMITS);
        let all = Arc::new(Semaphore::new(connections));
        Self { all, of_one: connections.div_ceil(PART), clients: Arc::default(), wait }
    }

    /// A connection for this client, where one gets free soon. Without a client it counts among all alone.
    pub(crate) async fn take(&self, who: Option<IpAddr>) -> Option<Share> {
        let both = async {
            let own = match who {
                Some(who) => Some(self.own(who).await?),
                None => None,
            };
            let of_all = self.all.clone().acquire_owned().await.ok()?;
            Some(Share { _of_all: of_all, _own: own })
        };
        tokio::time::timeout(self.wait, both).await.ok().flatten()
    }

    async fn own(&self, who: IpAddr) -> Option<Own> {
        let fresh = || Arc::new(Semaphore::new(self.of_one));
        let mut own = Own { who, permit: None, clients: self.clients.clone() };
        let room = self.clients.lock().entry(who).or_insert_with(fresh).clone();
        own.permit = Some(room.acquire_owned().await.ok()?);
        Some(own)
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        drop(self.permit.take());
        let mut clients = self.clients.lock();
        // Whoever has one in use or waits for one holds the semaphore, too.
        if clients.get(&self.who).is_some_and(|room| Arc::strong_count(room) == 1) {
            clients.remove(&self.who);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: Option<IpAddr> = Some(IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1)));
    const OTHER: Option<IpAddr> = Some(IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 2)));

    #[tokio::test(start_paused = true)]
    async fn one_client_leaves_connections_to_others() {
        let shares = Shares::new(8);
        let held = [shares.take(ONE).await.expect("one"), shares.take(ONE).await.expect("two")];
        assert!(shares.take(ONE).await.is_none(), "a quarter is its part");
        assert!(shares.take(OTHER).await.is_some());
        let [first, second] = held;
        drop(first);
        let third = shares.take(ONE).await.expect("what was given back");
        drop((second, third));
        assert!(shares.clients.lock().is_empty(), "nobody is remembered who has none");
    }

    #[tokio::test(start_paused = true)]
    async fn all_have_no_more_than_there_are() {
        let shares = Shares::new(2);
        let held = (shares.take(ONE).await.expect("one"), shares.take(OTHER).await.expect("another"));
        assert!(shares.take(None).await.is_none());
        drop(held);
        assert!(shares.take(None).await.is_some());
        assert!(shares.clients.lock().is_empty(), "also those who waited in vain");
    }

    #[tokio::test(start_paused = true)]
    async fn who_gives_up_waiting_is_forgotten() {
        let shares = Shares::new(4);
        let held = shares.take(ONE).await.expect("its part");
        assert!(shares.take(ONE).await.is_none());
        assert_eq!(shares.clients.lock().len(), 1);
        drop(held);
        assert!(shares.clients.lock().is_empty());
    }
}
