//! Whether counts at doubled sizes are those of linear work.

use std::fmt;

/// What one doubling may multiply the growth by. Linear work doubles it; buffers that are moved when they grow, and
/// tables that are spread out again, come on top in steps, which lie elsewhere on another processor. Work of the power 1.5
/// multiplies it by 2.83.
const MOST: f64 = 2.6;

/// A shape with its counts.
pub(crate) struct Grown {
    pub(crate) name: String,
    counts: Vec<u64>,
    /// The factor by which the last doubling's growth grew over that of the one before.
    factor: f64,
}

/// Compares the last growth with the one before it: what an input costs whatever its size is in neither. The first doubling
/// still has in it what begins at some size, such as a table that is made once.
pub(crate) fn judge(name: &str, counts: &[u64]) -> Grown {
    let growths: Vec<f64> = counts.windows(2).map(|pair| pair[1] as f64 - pair[0] as f64).collect();
    // Growth below a hundredth of the count is noise.
    let least = counts.last().map_or(1.0, |last| *last as f64 / 100.0);
    let factor = growths.windows(2).next_back().map_or(0.0, |pair| pair[1] / pair[0].max(least));
    Grown { name: name.to_owned(), counts: counts.to_vec(), factor }
}

impl Grown {
    pub(crate) fn is_too_fast(&self) -> bool {
        self.factor > MOST
    }
}

impl fmt::Display for Grown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:5.2} {:<60} {:?}", self.factor, self.name, self.counts)
    }
}

#[test]
fn linear_passes_and_more_does_not() {
    let at = |cost: &dyn Fn(u64) -> u64| judge("", &[1_000, 2_000, 4_000, 8_000].map(cost)).is_too_fast();
    assert!(!at(&|n| 7 * n));
    assert!(!at(&|n| 7 * n + 1_000_000) && !at(&|_| 5));
    assert!(!at(&|n| n * u64::from(n.ilog2())));
    assert!(at(&|n| n * n));
    assert!(at(&|n| n * n / 500 + n + 1_000_000), "a quadratic part beside a linear one");
    assert!(at(&|n| n * n.isqrt()));
}
