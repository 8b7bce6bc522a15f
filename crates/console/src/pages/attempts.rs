//! How often one address may try to sign in. Nobody guesses a link of 256 random bits; this keeps those who try from
//! making work. It holds a fixed number of addresses: when all places are taken, newcomers share one.

use parking_lot::Mutex;
use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;
use tokio::time::Instant;

/// Attempts of one address in a window.
const MOST: u32 = 20;
/// Attempts in a window of all who found no place of their own.
const MOST_SHARED: u32 = 200;
/// How long a window is.
const WINDOW: Duration = Duration::from_secs(60);
/// Most addresses that are kept.
const PLACES: usize = 4_096;

#[derive(Debug)]
struct Window {
    since: Instant,
    count: u32,
}

impl Window {
    fn is_over(&self, now: Instant) -> bool {
        now.duration_since(self.since) >= WINDOW
    }

    /// Counts one more; whether it is within `most`.
    fn take(&mut self, now: Instant, most: u32) -> bool {
        if self.is_over(now) {
            *self = Self { since: now, count: 0 };
        }
        self.count = self.count.saturating_add(1);
        self.count <= most
    }
}

/// Attempts by address.
#[derive(Debug)]
pub(crate) struct Attempts(Mutex<Known>);

#[derive(Debug)]
struct Known {
    by_address: HashMap<IpAddr, Window>,
    shared: Window,
}

impl Attempts {
    /// Nobody has tried.
    pub(crate) fn new() -> Self {
        let shared = Window { since: Instant::now(), count: 0 };
        Self(Mutex::new(Known { by_address: HashMap::new(), shared }))
    }

    /// Whether this address may try once more.
    pub(crate) fn may(&self, peer: Option<IpAddr>) -> bool {
        self.may_at(peer, Instant::now())
    }

    fn may_at(&self, peer: Option<IpAddr>, now: Instant) -> bool {
        let mut known = self.0.lock();
        let Some(network) = peer.map(network) else { return known.shared.take(now, MOST_SHARED) };
        if let Some(window) = known.by_address.get_mut(&network) {
            return window.take(now, MOST);
        }
        if known.by_address.len() >= PLACES {
            known.by_address.retain(|_, window| !window.is_over(now));
        }
        if known.by_address.len() >= PLACES {
            return known.shared.take(now, MOST_SHARED);
        }
        known.by_address.insert(network, Window { since: now, count: 1 });
        true
    }
}

/// Whom an address stands for: in IPv6 a whole /64, which one subscriber has.
fn network(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V6(address) => {
            let bits = u128::from(address) >> 64 << 64;
            IpAddr::V6(Ipv6Addr::from(bits))
        }
        address => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(number: u32) -> Option<IpAddr> {
        Some(IpAddr::from(number.to_be_bytes()))
    }

    #[test]
    fn an_address_has_so_many_attempts_in_a_window() {
        let (attempts, now) = (Attempts::new(), Instant::now());
        for _ in 0..MOST {
            assert!(attempts.may_at(address(1), now));
        }
        assert!(!attempts.may_at(address(1), now));
        assert!(attempts.may_at(address(2), now), "others are free");
        assert!(attempts.may_at(address(1), now + WINDOW), "and it is again, later");
    }

    #[test]
    fn a_subscriber_has_one_window_however_many_addresses() {
        let (attempts, now) = (Attempts::new(), Instant::now());
        let tries = |last: u32| attempts.may_at(format!("2001:db8:0:1::{last:x}").parse().ok(), now);
        assert_eq!((1..=MOST + 5).filter(|last| tries(*last)).count() as u32, MOST);
        assert!(attempts.may_at("2001:db8:0:2::1".parse().ok(), now));
    }

    #[test]
    fn memory_is_bounded_and_newcomers_share() {
        let (attempts, now) = (Attempts::new(), Instant::now());
        for number in 0..PLACES as u32 {
            assert!(attempts.may_at(address(number), now));
        }
        let newcomers =
            (0..MOST_SHARED + 50).filter(|number| attempts.may_at(address(100_000 + number), now));
        assert_eq!(newcomers.count() as u32, MOST_SHARED);
        assert_eq!(attempts.0.lock().by_address.len(), PLACES);
        assert!(attempts.may_at(address(200_000), now + WINDOW), "places become free");
        assert_eq!(attempts.0.lock().by_address.len(), 1);
    }
}
