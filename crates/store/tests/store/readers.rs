//! Snapshots that stay open, and many at the same time.

use crate::fixture::{insert_person, person_id, tenant_id};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};
use store::{KeyOp, Options, Store, StoreError};

fn filled(count: u32, options: &Options) -> (tempfile::TempDir, Store) {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path(), options).unwrap();
    let plan = (0..count).map(|n| insert_person(n, b"wrap")).collect();
    store.apply_keys_blocking("fill", plan).unwrap();
    (dir, store)
}

#[test]
fn a_checkpoint_truncates_the_logs() {
    let (_dir, store) = filled(100, &Options::default());
    assert!(store.sizes().unwrap().keys_log > 0, "control");
    store.checkpoint_truncate(Duration::from_secs(5)).unwrap();
    let sizes = store.sizes().unwrap();
    assert_eq!((sizes.keys_log, sizes.data_log), (0, 0));
    assert!(sizes.keys > 4_096 && sizes.data > 4_096);
}

#[test]
fn a_checkpoint_ends_a_snapshot_that_stays_open() {
    let (_dir, store) = filled(100, &Options::default());
    let head = |snapshot: &store::Snapshot| snapshot.person_head(tenant_id(), person_id(1));
    let old = store.snapshot().unwrap();
    head(&old).unwrap();
    store.apply_keys_blocking("more", vec![insert_person(500, b"wrap")]).unwrap();

    let early = store.checkpoint_truncate(Duration::from_millis(300));
    assert_eq!(early, Err(StoreError::Busy), "the snapshot is in the way");
    assert!(head(&old).is_ok(), "control: not ended before its time");

    let other = store.clone();
    let checkpoint = std::thread::spawn(move || other.checkpoint_truncate(Duration::from_secs(20)));
    let since = Instant::now();
    while head(&old).is_ok() {
        assert!(since.elapsed() < Duration::from_secs(15), "the snapshot was never ended");
        std::thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(head(&old), Err(StoreError::Interrupted));
    let fresh = store.snapshot().unwrap();
    assert!(head(&fresh).is_ok(), "others read on");
    drop((old, fresh));
    assert_eq!(checkpoint.join().unwrap(), Ok(()));
    assert_eq!(store.sizes().unwrap().keys_log, 0);
}

#[test]
fn a_statement_that_runs_is_ended_too() {
    let (_dir, store) = filled(20_000, &Options::default());
    let stop = AtomicBool::new(false);
    let interrupted = AtomicU64::new(0);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let snapshot = store.snapshot().unwrap();
            while !stop.load(Ordering::Relaxed) {
                if snapshot.persons_after(tenant_id(), None, 20_000) == Err(StoreError::Interrupted) {
                    interrupted.fetch_add(1, Ordering::Relaxed);
                    return;
                }
            }
        });
        std::thread::sleep(Duration::from_millis(200));
        store.apply_keys_blocking("more", vec![insert_person(90_000, b"wrap")]).unwrap();
        let done = store.checkpoint_truncate(Duration::from_secs(15));
        stop.store(true, Ordering::Relaxed);
        assert_eq!(done, Ok(()));
    });
    assert_eq!(interrupted.load(Ordering::Relaxed), 1);
}

#[test]
fn plans_pass_while_a_checkpoint_waits() {
    let (_dir, store) = filled(100, &Options::default());
    let old = store.snapshot().unwrap();
    old.person_head(tenant_id(), person_id(1)).unwrap();
    store.apply_keys_blocking("more", vec![insert_person(500, b"wrap")]).unwrap();
    let other = store.clone();
    let checkpoint = std::thread::spawn(move || other.checkpoint_truncate(Duration::from_millis(1_000)));
    let mut applied = 0;
    while !checkpoint.is_finished() {
        store.apply_keys_blocking("more", vec![insert_person(1_000 + applied, b"wrap")]).unwrap();
        applied += 1;
    }
    assert_eq!(checkpoint.join().unwrap(), Err(StoreError::Busy));
    assert!(applied > 5, "{applied}");
}

#[test]
fn more_snapshots_than_kept_connections_can_be_open_up_to_a_limit() {
    let (_dir, store) = filled(10, &Options { readers: 2, ..Options::default() });
    let mut open = Vec::new();
    let refused = loop {
        let snapshot = store.snapshot().unwrap();
        match snapshot.person_head(tenant_id(), person_id(1)) {
            Ok(head) => assert!(head.is_some()),
            Err(error) => break error,
        }
        open.push(snapshot);
        assert!(open.len() < 1_000, "no limit");
    };
    assert_eq!((refused, open.len()), (StoreError::Busy, 128));
    open.clear();
    assert!(store.snapshot().unwrap().person_head(tenant_id(), person_id(1)).unwrap().is_some());
}

/// Each person is inserted with its token's neighbour in one plan; a reader must see both or none.
#[test]
fn readers_never_see_half_a_plan() {
    let (_dir, store) = filled(0, &Options::default());
    let written = AtomicU64::new(0);
    std::thread::scope(|scope| {
        let readers: Vec<_> = (0..3)
            .map(|_| {
                scope.spawn(|| {
                    let mut both = 0;
                    while written.load(Ordering::Relaxed) < 600 {
                        let n = u32::try_from(written.load(Ordering::Relaxed)).unwrap();
                        let snapshot = store.snapshot().unwrap();
                        let is_there = |n| snapshot.person_head(tenant_id(), person_id(n)).unwrap().is_some();
                        let (one, other) = (is_there(2 * n), is_there(2 * n + 1));
                        assert_eq!(one, other);
                        both += u32::from(one);
                    }
                    both
                })
            })
            .collect();
        for n in 0..600 {
            let plan = vec![insert_person(2 * n, b"wrap"), insert_person(2 * n + 1, b"wrap")];
            store.apply_keys_blocking("pair", plan).unwrap();
            written.fetch_add(1, Ordering::Relaxed);
        }
        for reader in readers {
            reader.join().unwrap();
        }
    });
}

#[test]
fn who_is_said_to_be_untouched_is_shown_as_she_is() {
    const ROUNDS: u64 = 300;
    let (_dir, store) = filled(3, &Options::default());
    let version = |snapshot: &store::Snapshot| {
        u64::from(snapshot.person_head(tenant_id(), person_id(1)).unwrap().unwrap().version)
    };
    let first = version(&store.snapshot().unwrap());
    let acknowledged = AtomicU64::new(first);
    let (mut untouched, mut touched) = (0, 0);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for round in 0..ROUNDS {
                let expected_version = u32::try_from(first + round).unwrap();
                let bump = KeyOp::BumpPerson { tenant: tenant_id(), person: person_id(1), expected_version };
                store.apply_keys_blocking("bump", vec![bump]).unwrap();
                acknowledged.store(first + round + 1, Ordering::SeqCst);
            }
        });
        while acknowledged.load(Ordering::SeqCst) < first + ROUNDS {
            let moment = store.moment();
            let seen = version(&store.snapshot().unwrap());
            std::thread::yield_now();
            let before = acknowledged.load(Ordering::SeqCst);
            if store.untouched_since(moment, person_id(1)) {
                assert!(before <= seen, "{before} was acknowledged, {seen} was seen");
                untouched += 1;
            } else {
                touched += 1;
            }
        }
    });
    assert!(untouched > 0 && touched > 0, "both happened: {untouched}, {touched}");
    assert!(store.untouched_since(store.moment(), person_id(1)));
}
