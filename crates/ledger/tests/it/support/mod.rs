//! What the tests of the ledger share: a signer with a fixed key, a clock that is set, a disk that forgets.

pub(crate) mod fault;

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use ledger::verify::{KeyKind, VerifierKey};
use ledger::{CheckpointSigner, Entry, Options};
use model::{Clock, Timestamp};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

pub(crate) const ORIGIN: &str = "ledger.example/werk-sued";

pub(crate) struct TestSigner {
    name: String,
    key: Ed25519KeyPair,
}

impl TestSigner {
    pub(crate) fn new(name: &str, seed: u8) -> Arc<Self> {
        let key = Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).unwrap();
        Arc::new(Self { name: name.to_owned(), key })
    }

    pub(crate) fn log() -> Arc<Self> {
        Self::new(ORIGIN, 1)
    }

    pub(crate) fn key(&self) -> VerifierKey {
        VerifierKey { name: self.name.clone(), kind: KeyKind::Ed25519, public: self.public_key() }
    }
}

impl CheckpointSigner for TestSigner {
    fn key_name(&self) -> &str {
        &self.name
    }
    fn public_key(&self) -> [u8; 32] {
        self.key.public_key().as_ref().try_into().unwrap()
    }
    fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.key.sign(message).as_ref().try_into().unwrap()
    }
}

/// A clock that stands until it is set.
pub(crate) struct TestClock(AtomicI64);

impl TestClock {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self(AtomicI64::new(1_795_471_200_000)))
    }
    pub(crate) fn advance(&self, ms: i64) {
        self.0.fetch_add(ms, Ordering::Relaxed);
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::Relaxed))
    }
}

/// Options with small segments and quick checkpoints.
pub(crate) fn options() -> Options {
    Options { segment_bytes: 256 << 10, checkpoint_interval_ms: 20, ..Options::new(ORIGIN) }
}

/// The `i`-th entry of a made-up log: leaves of several sizes, some without identity, one or two postings.
pub(crate) fn entry(i: u64) -> Entry {
    let leaf = format!("leaf {i} ").repeat(1 + (i % 7) as usize).into_bytes();
    let identity = if i.is_multiple_of(3) { Vec::new() } else { format!("identity {i}").into_bytes() };
    let mut postings = vec![reference(i % 5)];
    if i.is_multiple_of(2) {
        postings.push(reference(100 + i % 3));
    }
    Entry { leaf, identity, postings }
}

pub(crate) fn reference(number: u64) -> [u8; 16] {
    let mut reference = [0xA5; 16];
    reference[..8].copy_from_slice(&number.wrapping_mul(0x9E37_79B9_7F4A_7C15).to_be_bytes());
    reference
}

/// A small seeded generator (SplitMix64): the same seed is the same test.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.draw() % bound
    }
    pub(crate) fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }
}
