//! What a snapshot promises.

use super::{Case, World};
use crate::fixture::{document, person, person_id, record, tenant_id, token};
use model::Compartment;
use store::{DataOp, KeyOp};

pub(super) const CASES: &[Case] = &[
    ("reads of a snapshot agree with each other", reads_agree),
    ("the files have moments of their own", files_apart),
    ("what is acknowledged is seen", acknowledged_is_seen),
    ("a compact copy holds the data and nothing else", copy_of_the_data),
];

fn reads_agree(world: &World) {
    world.keys([KeyOp::InsertPerson(person(1))]);
    let before = world.snapshot();
    assert!(before.person(tenant_id(), person_id(1)).unwrap().is_some());
    world.keys([KeyOp::InsertToken(token(1)), KeyOp::InsertPerson(person(2))]);
    assert_eq!(before.token(tenant_id(), &token(1).token), Ok(None));
    assert_eq!(before.person(tenant_id(), person_id(2)), Ok(None));
    let after = world.snapshot();
    assert_eq!(after.token(tenant_id(), &token(1).token), Ok(Some(token(1))), "control");
    drop(before);
}

fn files_apart(world: &World) {
    let snapshot = world.snapshot();
    assert_eq!(snapshot.person(tenant_id(), person_id(1)), Ok(None));
    world.data([DataOp::PutRecord(record(1, 1))]);
    let row = snapshot.record(tenant_id(), person_id(1), Compartment(0), 1);
    assert_eq!(row, Ok(Some(record(1, 1).sealed)), "written before the file's first read");
    world.data([DataOp::PutRecord(record(1, 2))]);
    assert_eq!(snapshot.record(tenant_id(), person_id(1), Compartment(0), 2), Ok(None));
}

fn acknowledged_is_seen(world: &World) {
    for n in 0..50 {
        world.keys([KeyOp::InsertPerson(person(n))]);
        assert!(world.snapshot().person(tenant_id(), person_id(n)).unwrap().is_some());
    }
}

fn copy_of_the_data(world: &World) {
    world.data([DataOp::PutRecord(record(1, 1))]);
    world.data([DataOp::PutDocument { row: document(1, 1), expected_absent: true }]);
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("copy");
    world.store.backup_data(&path).unwrap();
    let copy = std::fs::read(&path).unwrap();
    let holds = |bytes: &[u8]| copy.windows(bytes.len()).any(|window| window == bytes);
    assert!(holds(&record(1, 1).sealed.0[..64]), "control");
    world.keys([KeyOp::InsertPerson(person(1))]);
    assert!(!holds(&person(1).wrapped.unwrap().0[..32]));
    assert!(world.store.backup_data(&path).is_err(), "an existing file is not overwritten");
    assert_eq!(std::fs::read(&path).unwrap(), copy);
}
