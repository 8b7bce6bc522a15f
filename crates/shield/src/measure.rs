//! Processor time per request, of several engines in turn in one thread.
//!
//! What is measured is the thread's own processor time (`CLOCK_THREAD_CPUTIME_ID`), which the caller reads, so that other work of the machine
//! does not count, though its cache misses do. The engines take turns within each round, so that a slow minute of the
//! machine meets all of them. The 5th percentile is the figure that changes least from run to run.

use crate::message::Request;
use std::time::Duration;

/// One engine that is measured: inspects the request and forgets what it found.
pub struct Contender<'a> {
    /// Its name in the report.
    pub name: &'static str,
    /// One inspection, from the first byte to the decision.
    pub inspect: &'a mut dyn FnMut(&Request) -> Result<(), String>,
}

/// Processor times of one engine on one request, in microseconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Figures {
    /// The 5th percentile.
    pub p5_us: f64,
    /// The median.
    pub p50_us: f64,
    /// The number of measurements.
    pub samples: usize,
}

/// How long to measure.
#[derive(Clone, Copy, Debug)]
pub struct Effort {
    /// Processor time to spend on each engine and request.
    pub time: Duration,
    /// Fewest measurements, whatever they take.
    pub least: usize,
    /// Most measurements.
    pub most: usize,
}

impl Default for Effort {
    fn default() -> Self {
        Self { time: Duration::from_secs(2), least: 20, most: 5_000 }
    }
}

/// Time that one measurement should take at least; shorter inspections are repeated within it, since reading the clock
/// takes a fifth of a microsecond.
const LEAST_MEASUREMENT: Duration = Duration::from_micros(100);

/// Measures each engine on one request; the figures come in the order of the engines. `clock` tells the processor time of this thread.
///
/// # Errors
/// What an engine said that could not inspect the request.
pub fn measure(
    request: &Request,
    contenders: &mut [Contender<'_>],
    effort: Effort,
    clock: &dyn Fn() -> Duration,
) -> Result<Vec<Figures>, String> {
    let mut repeats = Vec::with_capacity(contenders.len());
    let mut rounds = effort.least;
    for contender in contenders.iter_mut() {
        // The first run fills caches, the second says how long one takes.
        timed(contender, request, 1, clock)?;
        let once = timed(contender, request, 1, clock)?.max(Duration::from_nanos(1));
        let repeat =
            usize::try_from(LEAST_MEASUREMENT.as_nanos() / once.as_nanos()).unwrap_or(0).clamp(1, 1_000);
        let sample = once * u32::try_from(repeat).unwrap_or(u32::MAX);
        rounds = rounds.max(usize::try_from(effort.time.as_nanos() / sample.as_nanos()).unwrap_or(0));
        repeats.push(repeat);
    }
    let rounds = rounds.min(effort.most);
    let mut spent = vec![Duration::ZERO; contenders.len()];
    let mut samples: Vec<Vec<f64>> = contenders.iter().map(|_| Vec::new()).collect();
    for round in 0..rounds {
        let lanes = contenders.iter_mut().zip(&repeats).zip(spent.iter_mut().zip(&mut samples));
        for ((contender, &repeat), (spent, samples)) in lanes {
            // A slow engine stops when its time is used up; the others go on.
            if round >= effort.least && *spent > effort.time {
                continue;
            }
            let time = timed(contender, request, repeat, clock)?;
            *spent += time;
            samples.push(time.as_secs_f64() * 1e6 / repeat as f64);
        }
    }
    Ok(samples.into_iter().map(figures).collect())
}

fn timed(
    contender: &mut Contender<'_>,
    request: &Request,
    repeat: usize,
    clock: &dyn Fn() -> Duration,
) -> Result<Duration, String> {
    let before = clock();
    for _ in 0..repeat {
        (contender.inspect)(request)?;
    }
    Ok(clock().saturating_sub(before))
}

fn figures(mut samples: Vec<f64>) -> Figures {
    samples.sort_by(f64::total_cmp);
    let at = |percent: usize| {
        let last = samples.len().saturating_sub(1);
        samples.get(last * percent / 100).copied().unwrap_or(f64::NAN)
    };
    Figures { p5_us: at(5), p50_us: at(50), samples: samples.len() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_values_of_the_list() {
        let found = figures((0..=100).rev().map(f64::from).collect());
        assert_eq!((found.p5_us, found.p50_us, found.samples), (5.0, 50.0, 101));
        assert!(figures(Vec::new()).p50_us.is_nan());
    }

    /// Processor time by what was done, not by a clock: the test measures the measuring.
    fn counted() -> Duration {
        DONE.with(|done| Duration::from_micros(done.get()))
    }

    thread_local!(static DONE: std::cell::Cell<u64> = const { std::cell::Cell::new(0) });

    #[test]
    fn twice_the_work_takes_longer_and_failures_end_it() {
        let work = |micros: u64| {
            move |request: &Request| {
                DONE.with(|done| done.set(done.get() + micros));
                if request.uri.is_empty() { Err("no target".to_owned()) } else { Ok(()) }
            }
        };
        let (mut short, mut long) = (work(200), work(2_000));
        let mut contenders = [
            Contender { name: "short", inspect: &mut short },
            Contender { name: "long", inspect: &mut long },
        ];
        let effort = Effort { time: Duration::from_millis(20), least: 5, most: 50 };
        let found = measure(&Request::new("GET", "/"), &mut contenders, effort, &counted).expect("figures");
        assert!(found[1].p5_us == 2_000.0 && found[0].p5_us == 200.0, "{found:?}");
        assert!(found.iter().all(|figures| figures.samples >= 5), "{found:?}");
        let mut broken = |_: &Request| Err("broken".to_owned());
        let mut contenders = [Contender { name: "broken", inspect: &mut broken }];
        assert_eq!(
            measure(&Request::new("GET", "/"), &mut contenders, effort, &counted),
            Err("broken".to_owned())
        );
    }
}
