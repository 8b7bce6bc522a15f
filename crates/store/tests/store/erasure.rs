//! An erased key is gone from the live files, not only from the answers (invariant 5).

use crate::fixture::{bytes, insert_person, person_id, tenant_id};
use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::time::Duration;
use store::{KeyOp, Options, PersonState, Sealed, Store, Wrap};

const DEADLINE: Duration = Duration::from_secs(10);
const COUNT: u32 = 4_000;

/// Of how many needles any part lies anywhere in the files of the key store.
fn found(dir: &Path, needles: &[Vec<u8>]) -> usize {
    let read = |name: &str| std::fs::read(dir.join(name)).unwrap_or_default();
    let haystack = [read("keys.db"), read("keys.db-wal"), read("keys.db-shm")].concat();
    let parts = needles.iter().enumerate();
    let parts = parts.flat_map(|(n, needle)| needle.chunks_exact(12).map(move |part| (part, n)));
    let parts: HashMap<&[u8], usize> = parts.collect();
    let seen: HashSet<usize> = haystack.windows(12).filter_map(|window| parts.get(window).copied()).collect();
    seen.len()
}

/// In an order that splits pages everywhere, so that rows are moved about before they are erased.
fn shuffled(seed: u32) -> Vec<u32> {
    let mut order: Vec<u32> = (0..COUNT).collect();
    order.sort_by_key(|n| (n ^ seed).wrapping_mul(0x9e37_79b9).rotate_left(13));
    order
}

fn update(n: u32, expected_version: u32, state: Option<PersonState>, wrapped: Wrap) -> KeyOp {
    KeyOp::UpdatePerson {
        tenant: tenant_id(),
        person: person_id(n),
        expected_version,
        state,
        flags: None,
        wrapped,
    }
}

fn erase(n: u32, expected_version: u32) -> KeyOp {
    update(n, expected_version, Some(PersonState::Erased), Wrap::Erase { epoch: 1 })
}

fn apply(store: &Store, ops: impl Iterator<Item = KeyOp>) {
    let ops: Vec<KeyOp> = ops.collect();
    for plan in ops.chunks(50) {
        store.apply_keys_blocking("test", plan.to_vec()).unwrap();
    }
}

#[test]
fn no_byte_of_an_erased_key_is_left_after_a_checkpoint() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path(), &Options::default()).unwrap();
    let wraps: Vec<Vec<u8>> = (0..COUNT).map(|n| bytes("wrap", n, 186)).collect();
    apply(&store, shuffled(1).iter().map(|n| insert_person(*n, &wraps[*n as usize])));
    store.checkpoint_truncate(DEADLINE).unwrap();
    assert_eq!(found(dir.path(), &wraps), wraps.len(), "control: the search finds what is there");

    // A few among many that stay, so that the pages around them are not written anew.
    let erased: Vec<u32> = (0..COUNT).filter(|n| n % 16 == 5).collect();
    let gone: Vec<Vec<u8>> = erased.iter().map(|n| wraps[*n as usize].clone()).collect();
    apply(&store, erased.iter().map(|n| erase(*n, 1)));
    assert!(found(dir.path(), &gone) > 0, "control: before the checkpoint something is left");
    store.checkpoint_truncate(DEADLINE).unwrap();
    assert_eq!(found(dir.path(), &gone), 0);
    assert_eq!(found(dir.path(), &wraps), wraps.len() - gone.len(), "control: the others are there");
}

#[test]
fn no_byte_is_left_of_keys_that_grew_and_moved_before_they_were_erased() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path(), &Options::default()).unwrap();
    let wrap = |round: u32, n: u32| bytes("wrap", round << 16 | n, 150 + 50 * round as usize);
    apply(&store, shuffled(1).iter().map(|n| insert_person(*n, &wrap(0, *n))));
    for round in 1..4 {
        let set = |n: &u32| update(*n, round, None, Wrap::Set { epoch: 1, wrapped: Sealed(wrap(round, *n)) });
        apply(&store, shuffled(round).iter().map(set));
    }
    store.checkpoint_truncate(DEADLINE).unwrap();
    let every = |round| (0..COUNT).map(|n| wrap(round, n)).collect::<Vec<_>>();
    assert_eq!(found(dir.path(), &every(3)), COUNT as usize, "control: the search finds what is there");
    for round in 0..3 {
        assert_eq!(found(dir.path(), &every(round)), 0, "a wrap of round {round} that was replaced");
    }
    apply(&store, (0..COUNT).filter(|n| n % 4 != 3).map(|n| erase(n, 4)));
    store.checkpoint_truncate(DEADLINE).unwrap();
    let gone: Vec<_> = (0..COUNT).filter(|n| n % 4 != 3).map(|n| wrap(3, n)).collect();
    assert_eq!(found(dir.path(), &gone), 0);
}

#[test]
fn cells_of_erased_keys_are_used_again() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path(), &Options::default()).unwrap();
    let mut sizes = Vec::new();
    for round in 0..4 {
        let base = round * COUNT;
        apply(&store, (base..base + COUNT).map(|n| insert_person(n, &bytes("wrap", n, 1_000))));
        apply(&store, (base..base + COUNT).map(|n| erase(n, 1)));
        store.checkpoint_truncate(DEADLINE).unwrap();
        sizes.push(store.sizes().unwrap().keys);
    }
    let cells = u64::from(COUNT) * 1_024;
    assert!(sizes[0] > cells, "control: the first round made them");
    assert!(sizes[3] - sizes[0] < cells, "{sizes:?}");
}
