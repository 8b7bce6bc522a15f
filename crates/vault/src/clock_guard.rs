//! A clock that does not run backwards.
//!
//! Consent terms, retention and the destruction of epochs hang on time. A clock that goes back by up to five
//! seconds is smoothed silently (it stands still); further back is a fault, since new entries would look older
//! than old ones. A jump forward of more than a day between two starts wants an operator's confirmation, since
//! it would expire consents and destroy epochs at once.

use crate::fault::Fault;
use model::{Clock, Timestamp};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

/// How far back is smoothed, in ms.
pub const SILENT_BACK_MS: i64 = 5_000;
/// How far forward between two starts needs no confirmation, in ms.
pub const FORWARD_LIMIT_MS: i64 = model::clock::DAY_MS;

/// What the clock says at a start, against the last moment on record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StartCheck {
    /// Within the limits, or nothing on record yet.
    Plausible,
    /// Behind the record by so many ms: every change and read answers `clock_behind` until it has caught up.
    Behind(i64),
    /// Ahead of the record by so many ms, more than a day.
    Jumped(i64),
}

/// The clock of the house.
pub struct GuardedClock {
    inner: Arc<dyn Clock>,
    latest: AtomicI64,
}

impl GuardedClock {
    /// Guards `inner`; `mark` is the latest moment on record.
    #[must_use]
    pub fn new(inner: Arc<dyn Clock>, mark: Option<Timestamp>) -> Self {
        Self { inner, latest: AtomicI64::new(mark.map_or(i64::MIN, |mark| mark.0)) }
    }

    /// Compares the clock with the latest moment on record, before the first use.
    #[must_use]
    pub fn check_start(&self) -> StartCheck {
        let (latest, now) = (self.latest.load(Ordering::Relaxed), self.inner.now().0);
        if latest == i64::MIN {
            StartCheck::Plausible
        } else if now < latest.saturating_sub(SILENT_BACK_MS) {
            StartCheck::Behind(latest - now)
        } else if now > latest.saturating_add(FORWARD_LIMIT_MS) {
            StartCheck::Jumped(now - latest)
        } else {
            StartCheck::Plausible
        }
    }

    /// The current moment, never before one that was already handed out.
    pub fn now(&self) -> Result<Timestamp, Fault> {
        let now = self.inner.now().0;
        let latest = self.latest.fetch_max(now, Ordering::Relaxed);
        if now >= latest {
            Ok(Timestamp(now))
        } else if now >= latest.saturating_sub(SILENT_BACK_MS) {
            Ok(Timestamp(latest))
        } else {
            Err(Fault::ClockBehind)
        }
    }

    /// The latest moment handed out, for the record.
    #[must_use]
    pub fn latest(&self) -> Option<Timestamp> {
        let latest = self.latest.load(Ordering::Relaxed);
        (latest != i64::MIN).then_some(Timestamp(latest))
    }
}

impl Clock for GuardedClock {
    /// For ids and the like, where a moment that stands still is good enough.
    fn now(&self) -> Timestamp {
        let now = self.inner.now().0;
        Timestamp(self.latest.fetch_max(now, Ordering::Relaxed).max(now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Set(AtomicI64);
    impl Clock for Set {
        fn now(&self) -> Timestamp {
            Timestamp(self.0.load(Ordering::Relaxed))
        }
    }

    fn at(ms: i64, mark: Option<i64>) -> (Arc<Set>, GuardedClock) {
        let set = Arc::new(Set(AtomicI64::new(ms)));
        (set.clone(), GuardedClock::new(set, mark.map(Timestamp)))
    }

    #[test]
    fn five_seconds_back_stand_still_and_more_is_a_fault() {
        let (set, clock) = at(100_000, None);
        assert_eq!(clock.now(), Ok(Timestamp(100_000)));
        set.0.store(95_000, Ordering::Relaxed);
        assert_eq!(clock.now(), Ok(Timestamp(100_000)));
        set.0.store(94_999, Ordering::Relaxed);
        assert_eq!(clock.now(), Err(Fault::ClockBehind));
        set.0.store(100_001, Ordering::Relaxed);
        assert_eq!(clock.now(), Ok(Timestamp(100_001)));
    }

    #[test]
    fn a_start_compares_with_the_record() {
        let day = FORWARD_LIMIT_MS;
        assert_eq!(at(5, None).1.check_start(), StartCheck::Plausible);
        assert_eq!(at(day, Some(0)).1.check_start(), StartCheck::Plausible);
        assert_eq!(at(day + 1, Some(0)).1.check_start(), StartCheck::Jumped(day + 1));
        assert_eq!(at(0, Some(5_001)).1.check_start(), StartCheck::Behind(5_001));
    }
}
