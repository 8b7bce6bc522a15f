//! A small fuzzer without instrumentation: seeds, what is near them, and random changes that can be repeated.

use crate::Target;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// How a target failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// It has no seed, so nothing shows that it ever accepts anything.
    NoSeed,
    /// It refuses its own seed.
    SeedRefused(Vec<u8>),
    /// It panicked on this input.
    Panicked(Vec<u8>),
}

/// How often a target accepted what it was given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Inputs.
    pub tried: usize,
    /// Inputs that it accepted.
    pub accepted: usize,
}

/// Most places of a seed at which each change is tried.
const PLACES: usize = 256;

/// Runs a target on its seeds, their neighbours, and `rounds` random mutants of each.
///
/// # Errors
/// The first [`Failure`].
pub fn smoke(target: &Target, rounds: usize) -> Result<Tally, Failure> {
    let seeds = (target.seeds)();
    if seeds.is_empty() {
        return Err(Failure::NoSeed);
    }
    let mut tally = Tally::default();
    for seed in &seeds {
        if !attempt(target, seed, &mut tally)? {
            return Err(Failure::SeedRefused(seed.clone()));
        }
    }
    attempt(target, &[], &mut tally)?;
    let mut random = Random(1);
    for seed in &seeds {
        for near in neighbours(seed) {
            attempt(target, &near, &mut tally)?;
        }
        for _ in 0..rounds {
            attempt(target, &mutant(seed, &seeds, &mut random), &mut tally)?;
        }
    }
    Ok(tally)
}

/// One input; whether it was accepted.
///
/// # Errors
/// [`Failure::Panicked`].
pub fn attempt(target: &Target, input: &[u8], tally: &mut Tally) -> Result<bool, Failure> {
    let accepted = catch_unwind(AssertUnwindSafe(|| (target.run)(input)))
        .map_err(|_| Failure::Panicked(input.to_vec()))?;
    tally.tried += 1;
    tally.accepted += usize::from(accepted);
    Ok(accepted)
}

/// The seed cut off, and with one byte changed, left out or doubled, at up to [`PLACES`] places.
fn neighbours(seed: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    let step = (seed.len() / PLACES).max(1);
    (0..seed.len()).step_by(step).flat_map(move |at| {
        let (head, tail) = (&seed[..at], &seed[at + 1..]);
        let with = |middle: &[u8]| [head, middle, tail].concat();
        let byte = seed[at];
        [head.to_vec(), with(&[]), with(&[byte, byte]), with(&[byte ^ 1]), with(&[byte ^ 0x80]), with(&[0])]
    })
}

/// One to eight random changes, some with bytes of another seed.
fn mutant(seed: &[u8], seeds: &[Vec<u8>], random: &mut Random) -> Vec<u8> {
    const INTERESTING: [u8; 12] = [0, 1, 0x0a, 0x0d, 0x22, 0x2b, 0x30, 0x3d, 0x5c, 0x7f, 0x80, 0xff];
    let mut bytes = seed.to_vec();
    for _ in 0..=random.below(8) {
        let at = random.below(bytes.len() + 1);
        let end = at + random.below(bytes.len() + 1 - at);
        match random.below(6) {
            0 => bytes.insert(at, INTERESTING[random.below(INTERESTING.len())]),
            1 => drop(bytes.drain(at..end)),
            2 => bytes.extend_from_within(at..end),
            3 => bytes.splice(at..end, seeds[random.below(seeds.len())].iter().copied()).for_each(drop),
            4 if at < bytes.len() => bytes[at] = INTERESTING[random.below(INTERESTING.len())],
            _ if at < bytes.len() => bytes[at] ^= 1 << random.below(8),
            _ => bytes.push(0),
        }
    }
    bytes
}

/// SplitMix64: the same inputs in every run, so that a failure can be repeated.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % bound.max(1) as u64).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seeds() -> Vec<Vec<u8>> {
        vec![b"good text".to_vec()]
    }

    #[test]
    fn a_panic_on_a_neighbour_is_found() {
        let run = |bytes: &[u8]| {
            assert!(bytes != b"good");
            true
        };
        let found = smoke(&Target { name: "planted", run, seeds }, 0);
        assert_eq!(found, Err(Failure::Panicked(b"good".to_vec())));
    }

    #[test]
    fn a_panic_far_from_the_seed_is_found() {
        let run = |bytes: &[u8]| {
            assert!(!(bytes.len() > 30 && bytes.contains(&0xff)));
            true
        };
        let target = Target { name: "planted", run, seeds };
        assert!(matches!(smoke(&target, 2_000), Err(Failure::Panicked(_))));
        assert!(smoke(&target, 0).is_ok());
    }

    #[test]
    fn a_target_that_refuses_its_seed_fails() {
        let found = smoke(&Target { name: "planted", run: |_| false, seeds }, 10);
        assert_eq!(found, Err(Failure::SeedRefused(b"good text".to_vec())));
        let found = smoke(&Target { name: "planted", run: |_| true, seeds: Vec::new }, 10);
        assert_eq!(found, Err(Failure::NoSeed));
    }

    #[test]
    fn two_runs_try_the_same() {
        let target = Target { name: "planted", run: |bytes| bytes.len() % 3 == 0, seeds };
        assert_eq!(smoke(&target, 500), smoke(&target, 500));
    }
}
