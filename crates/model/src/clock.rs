//! Time and randomness as parameters.

use serde::{Deserialize, Serialize};

/// Milliseconds since 1970-01-01T00:00:00Z, leap seconds not counted (POSIX time).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Timestamp(pub i64);

/// One day in milliseconds.
pub const DAY_MS: i64 = 86_400_000;

impl Timestamp {
    /// This moment plus `days` days of 24 hours, saturating.
    #[must_use]
    pub fn plus_days(self, days: u32) -> Self {
        Self(self.0.saturating_add(i64::from(days) * DAY_MS))
    }

    /// This moment plus `ms` milliseconds, saturating.
    #[must_use]
    pub fn plus_ms(self, ms: i64) -> Self {
        Self(self.0.saturating_add(ms))
    }

    /// Number of the week since 1970-01-01 (a Thursday). Shred epochs and ledger periods are counted so.
    /// Moments before 1970 belong to week 0.
    #[must_use]
    pub fn week(self) -> u32 {
        u32::try_from(self.0.max(0) / (7 * DAY_MS)).unwrap_or(u32::MAX)
    }

    /// RFC 3339 in UTC with milliseconds, for people and documents.
    #[must_use]
    pub fn rfc3339(self) -> String {
        let whole = time::OffsetDateTime::from_unix_timestamp_nanos(i128::from(self.0) * 1_000_000);
        whole
            .ok()
            .and_then(|at| at.format(&time::format_description::well_known::Rfc3339).ok())
            .unwrap_or_else(|| format!("{} ms", self.0))
    }
}

/// Where time comes from. Tests hand in one that they advance.
pub trait Clock: Send + Sync {
    /// The current moment.
    fn now(&self) -> Timestamp;
}

/// Where randomness comes from. Production hands in the operating system's generator; tests a seeded one.
pub trait Entropy: Send + Sync {
    /// Fills all of `into` with random bytes. An implementation that cannot must abort the process:
    /// no caller can go on safely with predictable bytes.
    fn fill(&self, into: &mut [u8]);
}

impl<T: Clock + ?Sized> Clock for std::sync::Arc<T> {
    fn now(&self) -> Timestamp {
        (**self).now()
    }
}

impl<T: Entropy + ?Sized> Entropy for std::sync::Arc<T> {
    fn fill(&self, into: &mut [u8]) {
        (**self).fill(into);
    }
}

/// A fixed number of random bytes.
pub fn random<const N: usize>(entropy: &dyn Entropy) -> [u8; N] {
    let mut bytes = [0; N];
    entropy.fill(&mut bytes);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_week_starts_on_thursday_and_has_seven_days() {
        assert_eq!(Timestamp(0).week(), 0);
        assert_eq!(Timestamp(7 * DAY_MS - 1).week(), 0);
        assert_eq!(Timestamp(7 * DAY_MS).week(), 1);
        assert_eq!(Timestamp(-1).week(), 0);
    }

    #[test]
    fn rfc3339_is_utc() {
        assert_eq!(Timestamp(1_795_471_200_000).rfc3339(), "2026-11-23T22:00:00Z");
    }
}
