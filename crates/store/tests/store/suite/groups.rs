//! Many plans at the same time.

use super::{Case, World};
use crate::fixture::{index, person, person_id, tenant_id};
use store::{ApplyError, Conflict, KeyOp, PersonState, Wrap};

pub(super) const CASES: &[Case] = &[
    ("of those who want the same, one gets it", one_gets_it),
    ("a refused plan does not touch its neighbours", neighbours),
    ("a dropped future does not undo its plan", dropped_future),
    ("a closed store answers", closed),
];

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

fn one_gets_it(world: &World) {
    let insert = |n| KeyOp::InsertIndex { row: index(n, 1), unique: true };
    let all: Vec<_> = (0..64).map(|n| world.store.apply_keys("race", vec![insert(n)])).collect();
    let answers: Vec<_> = block_on(async {
        let mut answers = Vec::new();
        for one in all {
            answers.push(one.await);
        }
        answers
    });
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1);
    let refused = Err(ApplyError::Conflict(Conflict::IndexTaken));
    assert_eq!(answers.iter().filter(|answer| **answer == refused).count(), 63);
}

/// Each third plan fails at its second operation; what the others did stays, what its first did goes.
fn neighbours(world: &World) {
    let bump = |n| KeyOp::UpdatePerson {
        tenant: tenant_id(),
        person: person_id(n),
        expected_version: 9,
        state: Some(PersonState::Live),
        flags: None,
        wrapped: Wrap::Keep,
    };
    let plan = |n| match n % 3 {
        0 => vec![KeyOp::InsertPerson(person(n)), bump(n)],
        _ => vec![KeyOp::InsertPerson(person(n))],
    };
    let all: Vec<_> = (0..300).map(|n| world.store.apply_keys("neighbours", plan(n))).collect();
    block_on(async {
        for (n, one) in (0..).zip(all) {
            let refused = Err(ApplyError::Conflict(Conflict::PersonVersion));
            assert_eq!(one.await, if n % 3 == 0 { refused } else { Ok(()) });
        }
    });
    let snapshot = world.snapshot();
    for n in 0..300 {
        assert_eq!(snapshot.person_head(tenant_id(), person_id(n)).unwrap().is_some(), n % 3 != 0, "{n}");
    }
    let health = world.store.health();
    let count = health.plans.iter().find(|count| count.name == "neighbours").unwrap();
    assert_eq!((count.applied, count.conflicts, count.faults), (200, 100, 0));
}

fn dropped_future(world: &World) {
    drop(world.store.apply_keys("dropped", vec![KeyOp::InsertPerson(person(1))]));
    world.keys([KeyOp::InsertPerson(person(2))]);
    assert!(world.snapshot().person_head(tenant_id(), person_id(1)).unwrap().is_some());
}

fn closed(world: &World) {
    world.keys([KeyOp::InsertPerson(person(1))]);
    let open = world.snapshot();
    assert!(open.person_head(tenant_id(), person_id(1)).unwrap().is_some());
    world.store.close();
    world.store.close();
    let late = || vec![KeyOp::InsertPerson(person(2))];
    assert_eq!(world.store.apply_keys_blocking("late", late()), Err(ApplyError::Closed));
    assert_eq!(block_on(world.store.apply_keys("late", late())), Err(ApplyError::Closed));
    assert!(open.person_head(tenant_id(), person_id(1)).unwrap().is_some(), "an open snapshot reads on");
    assert!(world.snapshot().person_head(tenant_id(), person_id(1)).is_err());
}
