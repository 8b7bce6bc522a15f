//! Places for requests that run to their end whatever becomes of their client. A stream that is reset ends for HTTP/2, not
//! for the form in it; without places, who opens and resets streams would have requests without end run here.

use crate::shares::{Share, Shares};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Most such requests at the same time.
const ALL: usize = 4_096;
/// Most of one connection.
const OF_CONNECTION: usize = 100;
/// Longest wait for a place.
const WAIT: Duration = Duration::from_secs(3);

/// The places of the whole gateway, a part of which is one client's at most.
pub(crate) struct Places(Shares);

/// The places of one connection.
#[derive(Clone)]
pub(crate) struct OwnPlaces(Arc<Semaphore>);

/// A place, given back when it is dropped.
pub(crate) struct Place {
    _own: OwnedSemaphorePermit,
    _of_all: Share,
}

impl Default for Places {
    fn default() -> Self {
        Self(Shares::new(ALL))
    }
}

impl Default for OwnPlaces {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(OF_CONNECTION)))
    }
}

impl Places {
    /// A place for this client, where one gets free soon. None is a proxy, which speaks for many.
    pub(crate) async fn take(&self, own: &OwnPlaces, client: Option<IpAddr>) -> Option<Place> {
        let both = async {
            let own = own.0.clone().acquire_owned().await.ok()?;
            let of_all = self.0.take(client).await?;
            Some(Place { _own: own, _of_all: of_all })
        };
        tokio::time::timeout(WAIT, both).await.ok().flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn many_connections_do_not_take_more_than_there_is() {
        let all = Places::default();
        let mut held = Vec::new();
        for _ in 0..ALL / OF_CONNECTION {
            let own = OwnPlaces::default();
            for _ in 0..OF_CONNECTION {
                held.push(all.take(&own, None).await.expect("a place"));
            }
            assert!(all.take(&own, None).await.is_none(), "one connection has its part");
        }
        let own = OwnPlaces::default();
        for _ in 0..ALL % OF_CONNECTION {
            held.push(all.take(&own, None).await.expect("a place"));
        }
        assert!(
            all.take(&own, None).await.is_none() && all.take(&OwnPlaces::default(), None).await.is_none()
        );
        let one = Some(IpAddr::from([192, 0, 2, 1]));
        held.pop();
        assert!(all.take(&OwnPlaces::default(), one).await.is_some(), "a place that was given back");
    }
}
