//! How long a job that failed waits.

/// Doubles from failure to failure up to a cap. A job that may not be given up (an erasure) is tried for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    /// After the first failure, in ms.
    pub first_ms: i64,
    /// At most, in ms.
    pub cap_ms: i64,
}

impl Default for Backoff {
    fn default() -> Self {
        Self { first_ms: 1_000, cap_ms: 600_000 }
    }
}

impl Backoff {
    /// The wait after so many failures in a row, in ms; 0 counts as 1.
    #[must_use]
    pub fn after(&self, failures: u32) -> i64 {
        let doublings = failures.saturating_sub(1).min(62);
        self.first_ms.saturating_mul(1 << doublings).clamp(0, self.cap_ms.max(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_doubles_up_to_its_cap() {
        let backoff = Backoff { first_ms: 100, cap_ms: 1_000 };
        let waits: Vec<_> = [0, 1, 2, 3, 4, 5, 64, u32::MAX].map(|failures| backoff.after(failures)).into();
        assert_eq!(waits, [100, 100, 200, 400, 800, 1_000, 1_000, 1_000]);
    }
}
