//! Point reads on one thread and grouped durable writes, on a store of 100,000 persons in the bench's temporary
//! folder. Run by `cargo bench -p obhut-store`; `TMPDIR` says on which disk.

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use model::{Compartment, FieldId, PersonId, TenantId, Timestamp};
use std::cell::Cell;
use std::time::Duration;
use store::{
    DataOp, IndexRow, KeyOp, Options, OutboxRow, PersonRow, PersonState, RecordKey, RecordRow, Sealed, Store,
    TokenRow,
};

const PERSONS: u64 = 100_000;
const TENANT: TenantId = TenantId([3; 16]);

/// Time-ordered as real ids are, and spread behind that.
fn id(n: u64) -> [u8; 16] {
    let mut id = [0; 16];
    id[..8].copy_from_slice(&n.to_be_bytes());
    id[8..].copy_from_slice(&spread(n).to_be_bytes());
    id
}

fn spread(n: u64) -> u64 {
    let mixed = n.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed ^ (mixed >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9)
}

fn hash(n: u64) -> [u8; 16] {
    (u128::from(spread(n)) << 64 | u128::from(spread(n + 1))).to_be_bytes()
}

/// A new person as the vault writes her: row, index, token, outbox.
fn create(n: u64) -> Vec<KeyOp> {
    let (tenant, person) = (TENANT, PersonId(id(n)));
    let row = PersonRow {
        tenant,
        person,
        state: PersonState::Live,
        version: 1,
        epoch: 1,
        flags: 0,
        wrapped: Some(Sealed(vec![7; 186])),
        created: Timestamp(0),
    };
    let outbox = OutboxRow {
        id: id(n),
        tenant,
        leaf_hash: [0; 32],
        leaf: vec![1; 200],
        identity: vec![2; 120],
        postings: vec![3; 32],
        incarnation: 0,
        tail: 0,
        created: Timestamp(0),
    };
    vec![
        KeyOp::InsertPerson(row),
        KeyOp::InsertIndex {
            row: IndexRow { tenant, person, index: FieldId(0), hash: hash(n) },
            unique: true,
        },
        KeyOp::InsertToken(TokenRow { tenant, token: hash(n + 7), person, field: FieldId(1) }),
        KeyOp::InsertOutbox(outbox),
    ]
}

fn record(n: u64) -> DataOp {
    let key = RecordKey { tenant: TENANT, person: PersonId(id(n)), compartment: Compartment(0), version: 1 };
    DataOp::PutRecord(RecordRow { key, sealed: Sealed(vec![9; 600]) })
}

fn filled() -> (tempfile::TempDir, Store) {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path(), &Options::default()).unwrap();
    for from in (0..PERSONS).step_by(500) {
        let mut keys: Vec<_> = (from..from + 500).flat_map(create).collect();
        keys.extend((from..from + 500).map(|n| KeyOp::DeleteOutbox { id: id(n) }));
        store.apply_keys_blocking("fill", keys).unwrap();
        store.apply_data_blocking("fill", (from..from + 500).map(record).collect()).unwrap();
    }
    store.checkpoint_truncate(Duration::from_secs(30)).unwrap();
    (dir, store)
}

fn reads(c: &mut Criterion, store: &Store) {
    let mut group = c.benchmark_group("read");
    group.warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(2));
    group.throughput(Throughput::Elements(1));
    let next = Cell::new(0_u64);
    let person = || {
        next.set(next.get() + 1);
        let n = spread(next.get()) % PERSONS;
        (n, PersonId(id(n)))
    };
    group.bench_function("snapshot and one person", |b| {
        b.iter(|| store.snapshot().unwrap().person(TENANT, person().1).unwrap().unwrap());
    });
    group.bench_function("snapshot and one head", |b| {
        b.iter(|| store.snapshot().unwrap().person_head(TENANT, person().1).unwrap().unwrap());
    });
    group.bench_function("what a reveal reads", |b| {
        b.iter(|| {
            let snapshot = store.snapshot().unwrap();
            let (n, _) = person();
            let token = snapshot.token(TENANT, &hash(n + 7)).unwrap().unwrap();
            let row = snapshot.person(TENANT, token.person).unwrap().unwrap();
            let sealed = snapshot.record(TENANT, token.person, Compartment(0), 1).unwrap().unwrap();
            drop(snapshot);
            let head = store.snapshot().unwrap().person_head(TENANT, token.person).unwrap().unwrap();
            (row, sealed, head)
        });
    });
    let snapshot = store.snapshot().unwrap();
    group.bench_function("one person of an open snapshot", |b| {
        b.iter(|| snapshot.person(TENANT, person().1).unwrap().unwrap());
    });
    group.bench_function("found by index", |b| {
        b.iter(|| snapshot.persons_by_index(TENANT, FieldId(0), &hash(person().0), 2).unwrap());
    });
    group.finish();
}

fn writes(c: &mut Criterion, store: &Store) {
    const AT_ONCE: u64 = 128;
    let mut group = c.benchmark_group("write");
    group.warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(3)).sample_size(20);
    group.throughput(Throughput::Elements(AT_ONCE));
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let next = Cell::new(PERSONS);
    let batch = || {
        let from = next.get();
        next.set(from + AT_ONCE);
        from..from + AT_ONCE
    };
    group.bench_function("128 persons at once", |b| {
        b.iter_batched(
            || batch().map(create).collect::<Vec<_>>(),
            |plans| {
                let sent: Vec<_> = plans.into_iter().map(|plan| store.apply_keys("create", plan)).collect();
                runtime.block_on(async {
                    for one in sent {
                        one.await.unwrap();
                    }
                });
            },
            BatchSize::SmallInput,
        );
    });
    group.throughput(Throughput::Elements(1));
    group.bench_function("one person alone", |b| {
        b.iter_batched(
            || create(batch().start),
            |plan| store.apply_keys_blocking("create", plan).unwrap(),
            BatchSize::SmallInput,
        );
    });
    group.finish();
}

fn all(c: &mut Criterion) {
    let (_dir, store) = filled();
    reads(c, &store);
    writes(c, &store);
}

criterion_group!(benches, all);
criterion_main!(benches);
