//! A clock that does not run backwards.
//!
//! Consent terms, retention and the destruction of epochs hang on time. A clock that goes back by up to five
//! seconds is smoothed silently (it stands still); further back is a fault, since new entries would look older
//! than old ones. A jump forward of more than a day between two starts wants an operator's confirmation, since
//! it would expire consents and destroy epochs at once. A running house does not follow such a jump at all: it goes on by
//! the clock that only counts, and the next start asks. (A machine that slept for more than a day looks like a jump.)

use crate::fault::Fault;
use model::{Clock, Timestamp};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

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
    steady: Option<Steady>,
}

/// What the clock said when the guard began, and how long ago that was by a clock that nobody sets.
struct Steady {
    began: i64,
    since: Box<dyn Fn() -> Duration + Send + Sync>,
}

impl GuardedClock {
    /// Guards `inner`; `mark` is the latest moment on record.
    #[must_use]
    pub fn new(inner: Arc<dyn Clock>, mark: Option<Timestamp>) -> Self {
        Self { inner, latest: AtomicI64::new(mark.map_or(i64::MIN, |mark| mark.0)), steady: None }
    }

    /// From here on jumps of more than a day are not followed; `since` counts from now on and is never set.
    #[must_use]
    pub fn steady(mut self, since: impl Fn() -> Duration + Send + Sync + 'static) -> Self {
        self.steady = Some(Steady { began: self.inner.now().0, since: Box::new(since) });
        self
    }

    /// Whether the clock has jumped ahead since the start, so that it is not followed.
    #[must_use]
    pub fn has_jumped(&self) -> bool {
        self.expected().is_some_and(|expected| self.inner.now().0 > expected.saturating_add(FORWARD_LIMIT_MS))
    }

    fn expected(&self) -> Option<i64> {
        let steady = self.steady.as_ref()?;
        let since = i64::try_from((steady.since)().as_millis()).unwrap_or(i64::MAX);
        Some(steady.began.saturating_add(since))
    }

    fn raw(&self) -> i64 {
        let now = self.inner.now().0;
        match self.expected() {
            Some(expected) if now > expected.saturating_add(FORWARD_LIMIT_MS) => expected,
            _ => now,
        }
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
        let now = self.raw();
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
        let now = self.raw();
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
    fn a_jump_at_run_time_is_not_followed_and_spoils_nothing() {
        let (set, clock) = at(1_000, None);
        let counted = Arc::new(AtomicI64::new(0));
        let count = counted.clone();
        let clock = clock.steady(move || Duration::from_millis(count.load(Ordering::Relaxed).unsigned_abs()));
        let tick = |ms: i64, wall: i64| {
            counted.fetch_add(ms, Ordering::Relaxed);
            set.0.store(wall, Ordering::Relaxed);
            clock.now()
        };
        assert_eq!(tick(10, 1_010), Ok(Timestamp(1_010)));
        assert_eq!(
            tick(10, 1_020 + FORWARD_LIMIT_MS),
            Ok(Timestamp(1_020 + FORWARD_LIMIT_MS)),
            "a day is taken"
        );
        let (set, clock) = at(1_000, None);
        let clock = clock.steady(|| Duration::from_millis(20));
        set.0.store(1_021 + FORWARD_LIMIT_MS, Ordering::Relaxed);
        assert!(clock.has_jumped());
        assert_eq!(clock.now(), Ok(Timestamp(1_020)));
        set.0.store(1_030, Ordering::Relaxed);
        assert_eq!((clock.now(), clock.has_jumped()), (Ok(Timestamp(1_030)), false), "and back again");
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
