//! The outbox, idempotency keys, and the rows of the installation itself.

use super::{Case, World};
use crate::fixture::{hash32, id16, idempotency, outbox, tenant};
use model::Timestamp;
use store::{Conflict, IdempotencyRow, KeyOp, OutboxRow, SignedHeadRow};

pub(super) const CASES: &[Case] = &[
    ("the outbox keeps what is not shipped, in order", outbox_in_order),
    ("an idempotency key is used once", idempotency_once),
    ("the idempotency keys of a person go with her", idempotency_of_a_person),
    ("old idempotency keys go, oldest first", idempotency_pruned),
    ("a signed head does not go back", signed_head_goes_forward),
    ("the clock mark goes back only when confirmed", clock_mark),
    ("documents of the house", house_documents),
];

fn outbox_in_order(world: &World) {
    world.keys([3, 1, 2].map(|n| KeyOp::InsertOutbox(outbox(n))));
    world.keys_refused(KeyOp::InsertOutbox(outbox(2)), Conflict::Exists);
    let beyond = OutboxRow { tail: u64::MAX, ..outbox(4) };
    world.keys_refused(KeyOp::InsertOutbox(beyond), Conflict::Constraint);
    let page = |after, limit| world.snapshot().outbox(after, limit).unwrap();
    assert_eq!(page(None, 9), [outbox(1), outbox(2), outbox(3)]);
    assert_eq!(page(Some(id16(1)), 1), [outbox(2)]);
    let delete = KeyOp::DeleteOutbox { id: id16(2) };
    world.keys([delete.clone(), delete]);
    assert_eq!(page(None, 9), [outbox(1), outbox(3)]);
    let empty = OutboxRow { identity: vec![], postings: vec![], ..outbox(5) };
    world.keys([KeyOp::InsertOutbox(empty.clone())]);
    assert_eq!(page(Some(id16(3)), 9), [empty]);
}

fn idempotency_once(world: &World) {
    let without = IdempotencyRow { reference: None, status: 204, ..idempotency(2) };
    world.keys([idempotency(1), without].map(KeyOp::InsertIdempotency));
    let other = IdempotencyRow { request_hash: [1; 32], ..idempotency(1) };
    world.keys_refused(KeyOp::InsertIdempotency(other), Conflict::IdempotencyTaken);
    let find = |row: &IdempotencyRow| world.snapshot().idempotency(row.tenant, &row.key_hash).unwrap();
    assert_eq!(find(&idempotency(1)), Some(idempotency(1)));
    assert_eq!(find(&without), Some(without));
    assert_eq!(find(&IdempotencyRow { tenant: tenant(1).tenant, ..idempotency(1) }), None);
}

fn idempotency_of_a_person(world: &World) {
    let again = IdempotencyRow { reference: idempotency(1).reference, ..idempotency(2) };
    world.keys([idempotency(1), again, idempotency(3)].map(KeyOp::InsertIdempotency));
    let reference = id16(1);
    let delete = |tenant| KeyOp::DeleteIdempotencyOf { tenant, reference };
    world.keys([delete(tenant(1).tenant)]);
    let is_there =
        |row: &IdempotencyRow| world.snapshot().idempotency(row.tenant, &row.key_hash).unwrap().is_some();
    assert!(is_there(&idempotency(1)), "another tenant's");
    world.keys([delete(idempotency(1).tenant), delete(idempotency(1).tenant)]);
    assert_eq!([idempotency(1), again, idempotency(3)].map(|row| is_there(&row)), [false, false, true]);
}

fn idempotency_pruned(world: &World) {
    world.keys([5, 1, 3, 2, 4].map(|n| KeyOp::InsertIdempotency(idempotency(n))));
    let left = || {
        let snapshot = world.snapshot();
        let is_there = |n: &u32| {
            let row = idempotency(*n);
            snapshot.idempotency(row.tenant, &row.key_hash).unwrap().is_some()
        };
        (1..=5).filter(is_there).collect::<Vec<_>>()
    };
    let before = Timestamp(4);
    assert_eq!(world.snapshot().idempotency_before(before), Ok(true));
    world.keys([KeyOp::PruneIdempotency { before, limit: 2 }]);
    assert_eq!(left(), [3, 4, 5]);
    world.keys([KeyOp::PruneIdempotency { before, limit: 2 }]);
    assert_eq!(left(), [4, 5]);
    assert_eq!(world.snapshot().idempotency_before(before), Ok(false));
}

fn signed_head_goes_forward(world: &World) {
    let head = |size, root: u32, note: &str| SignedHeadRow {
        origin: "example.org/log".to_owned(),
        size,
        root: hash32("root", root),
        note: note.as_bytes().to_vec(),
    };
    let put = |row: &SignedHeadRow| KeyOp::PutSignedHead(row.clone());
    world.keys([put(&head(5, 1, "a"))]);
    world.keys_refused(put(&head(4, 2, "b")), Conflict::Backwards);
    world.keys_refused(put(&head(5, 2, "b")), Conflict::Backwards);
    world.keys([put(&head(5, 1, "signed again"))]);
    world.keys([put(&head(9, 3, "c"))]);
    world.keys_refused(put(&head(u64::MAX, 3, "c")), Conflict::Constraint);
    let other = SignedHeadRow { origin: "example.org/other".to_owned(), ..head(1, 1, "d") };
    world.keys([put(&other)]);
    assert_eq!(world.snapshot().signed_head("example.org/log"), Ok(Some(head(9, 3, "c"))));
    assert_eq!(world.snapshot().signed_head("example.org/other"), Ok(Some(other)));
    assert_eq!(world.snapshot().signed_head("nobody"), Ok(None));
}

fn clock_mark(world: &World) {
    let set = |at, may_go_back| KeyOp::SetClockMark { at: Timestamp(at), may_go_back };
    assert_eq!(world.snapshot().clock_mark(), Ok(None));
    world.keys([set(10, false)]);
    world.keys([set(10, false)]);
    world.keys([set(20, false)]);
    world.keys_refused(set(19, false), Conflict::Backwards);
    assert_eq!(world.snapshot().clock_mark(), Ok(Some(Timestamp(20))));
    world.keys([set(5, true)]);
    assert_eq!(world.snapshot().clock_mark(), Ok(Some(Timestamp(5))));
}

fn house_documents(world: &World) {
    let put = |value: &str, expected_absent| KeyOp::PutHouse {
        name: "signing",
        value: value.as_bytes().to_vec(),
        expected_absent,
    };
    assert_eq!(world.snapshot().house("signing"), Ok(None));
    world.keys([put("one", true)]);
    world.keys_refused(put("two", true), Conflict::Exists);
    assert_eq!(world.snapshot().house("signing"), Ok(Some(b"one".to_vec())));
    world.keys([put("two", false)]);
    assert_eq!(world.snapshot().house("signing"), Ok(Some(b"two".to_vec())));
}
