//! An erased key is gone from the live files, not only from the answers (invariant 5).

mod fixture;

use fixture::{bytes, insert_person, person_id, tenant_id};
use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::time::Duration;
use store::{KeyOp, Options, PersonState, Sealed, Store, Wrap};

const DEADLINE: Duration = Duration::from_secs(10);

/// Of how many needles any part lies anywhere in the files of the key store.
fn found(dir: &Path, needles: &[Vec<u8>]) -> usize {
    let read = |name: &str| std::fs::read(dir.join(name)).unwrap_or_default();
    let haystack = [read("keys.db"), read("keys.db-wal"), read("keys.db-shm")].concat();
    let parts =
        needles.iter().enumerate().flat_map(|(n, needle)| needle.chunks_exact(12).map(move |part| (part, n)));
    let parts: HashMap<&[u8], usize> = parts.collect();
    let seen: HashSet<usize> = haystack.windows(12).filter_map(|window| parts.get(window).copied()).collect();
    seen.len()
}

/// In an order that splits pages everywhere, so that rows are moved about before they are erased.
fn shuffled(count: u32) -> Vec<u32> {
    let mut order: Vec<u32> = (0..count).collect();
    order.sort_by_key(|n| n.wrapping_mul(0x9e37_79b9).rotate_left(13));
    order
}

fn erase(n: u32, expected_version: u32) -> KeyOp {
    KeyOp::UpdatePerson {
        tenant: tenant_id(),
        person: person_id(n),
        expected_version,
        state: Some(PersonState::Erased),
        flags: None,
        wrapped: Wrap::Erase,
    }
}

#[test]
fn no_byte_of_an_erased_key_is_left_after_a_checkpoint() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path(), &Options::default()).unwrap();
    let count = 3_000;
    let wraps: Vec<Vec<u8>> = (0..count).map(|n| bytes("wrap", n, 150)).collect();
    for chunk in shuffled(count).chunks(100) {
        let plan = chunk.iter().map(|n| insert_person(*n, &wraps[*n as usize])).collect();
        store.apply_keys_blocking("insert", plan).unwrap();
    }
    store.checkpoint_truncate(DEADLINE).unwrap();
    assert_eq!(found(dir.path(), &wraps), count as usize, "control: the search finds what is there");

    for n in 0..count {
        store.apply_keys_blocking("erase", vec![erase(n, 1)]).unwrap();
    }
    assert!(found(dir.path(), &wraps) > 0, "control: before the checkpoint something is left");
    store.checkpoint_truncate(DEADLINE).unwrap();
    assert_eq!(found(dir.path(), &wraps), 0);
}

#[test]
fn no_byte_of_a_replaced_wrap_is_left_after_a_checkpoint() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path(), &Options::default()).unwrap();
    let count = 2_000;
    let old: Vec<Vec<u8>> = (0..count).map(|n| bytes("old", n, 120)).collect();
    for chunk in shuffled(count).chunks(64) {
        let plan = chunk.iter().map(|n| insert_person(*n, &old[*n as usize])).collect();
        store.apply_keys_blocking("insert", plan).unwrap();
    }
    // Longer wraps, so that rows outgrow their pages and move.
    for chunk in shuffled(count).chunks(64) {
        let plan = chunk.iter().map(|n| KeyOp::RewrapPerson {
            tenant: tenant_id(),
            person: person_id(*n),
            expected_version: 1,
            expected_epoch: 1,
            epoch: 2,
            wrapped: Sealed(bytes("new", *n, 200)),
        });
        store.apply_keys_blocking("rewrap", plan.collect()).unwrap();
    }
    store.checkpoint_truncate(DEADLINE).unwrap();
    assert_eq!(found(dir.path(), &old), 0);
    let new: Vec<Vec<u8>> = (0..count).map(|n| bytes("new", n, 200)).collect();
    assert_eq!(found(dir.path(), &new), count as usize, "control: the search finds what is there");
}
