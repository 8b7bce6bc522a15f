//! Appending (one waiter, and 64 at once) and proving. `cargo bench -p obhut-ledger`. The example `measure` gives
//! the figures at 10 M entries.
#![expect(clippy::expect_used, reason = "a benchmark stops at the first surprise")]

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use ledger::{CheckpointSigner, Entry, Ledger, Options};
use model::{Clock, Timestamp};
use std::sync::Arc;

struct Signer(Ed25519KeyPair);

impl CheckpointSigner for Signer {
    fn key_name(&self) -> &str {
        "ledger.example/bench"
    }
    fn public_key(&self) -> [u8; 32] {
        self.0.public_key().as_ref().try_into().expect("32 bytes")
    }
    fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.0.sign(message).as_ref().try_into().expect("64 bytes")
    }
}

struct Still;

impl Clock for Still {
    fn now(&self) -> Timestamp {
        Timestamp(1_795_471_200_000)
    }
}

fn entry(number: u64) -> Entry {
    let mut leaf = vec![0xA5; 250];
    leaf[..8].copy_from_slice(&number.to_be_bytes());
    let mut reference = [0; 16];
    reference[..8].copy_from_slice(&number.wrapping_mul(0x9E37_79B9_7F4A_7C15).to_be_bytes());
    Entry { leaf, identity: vec![0x5A; 90], postings: vec![reference] }
}

fn open(dir: &std::path::Path) -> Ledger {
    let key = Ed25519KeyPair::from_seed_unchecked(&[1; 32]).expect("a seed of 32 bytes");
    let options = Options::new("ledger.example/bench");
    Ledger::open(dir, options, Arc::new(Signer(key)), Arc::new(Still)).expect("an empty directory").0
}

fn append(criterion: &mut Criterion) {
    let dir = tempfile::tempdir().expect("a directory");
    let ledger = open(dir.path());
    let mut group = criterion.benchmark_group("append");
    for size in [1_u64, 64, 1024] {
        group.throughput(Throughput::Elements(size));
        group.bench_with_input(BenchmarkId::new("durable", size), &size, |bencher, size| {
            bencher.iter(|| ledger.append_many((0..*size).map(entry).collect()).expect("a disk that works"));
        });
    }
    group.finish();
}

fn prove(criterion: &mut Criterion) {
    const SIZE: u64 = 200_000;
    let dir = tempfile::tempdir().expect("a directory");
    let ledger = open(dir.path());
    ledger.append_many((0..SIZE).map(entry).collect()).expect("a disk that works");
    let mut index = 0;
    let mut next = move || {
        index = (index + 77_777) % SIZE;
        index
    };
    criterion.bench_function("inclusion", |bencher| bencher.iter(|| ledger.inclusion(next(), SIZE)));
    criterion
        .bench_function("consistency", |bencher| bencher.iter(|| ledger.consistency(next().max(1), SIZE)));
    criterion.bench_function("leaf", |bencher| bencher.iter(|| ledger.leaf(next())));
    let reference = entry(12_345).postings[0];
    criterion.bench_function("touched", |bencher| bencher.iter(|| ledger.touched(&reference, u64::MAX, 10)));
}

criterion_group!(benches, append, prove);
criterion_main!(benches);
