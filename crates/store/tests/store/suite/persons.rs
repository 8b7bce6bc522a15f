//! Persons, what finds them, what stands for them.

use super::{Case, World};
use crate::fixture::{bytes, index, insert_person, person, person_id, tenant, tenant_id, token};
use model::{FieldId, Timestamp};
use store::{
    Conflict, EpochRow, EpochState, IndexRow, KeyOp, PersonHead, PersonRow, PersonState, Sealed, TokenRow,
    Wrap, person_flags,
};

/// The epoch of [`person`].
const EPOCH: u32 = 1;

pub(super) const CASES: &[Case] = &[
    ("a person is inserted once", inserted_once),
    ("a person changes at her version", changes_at_her_version),
    ("an erased person has no key and gets none", erased_for_ever),
    ("only a provisional person is forgotten", forgotten),
    ("a state and a key belong together", state_and_key_together),
    ("a person is wrapped anew at her version and epoch", wrapped_anew),
    ("nothing is put under an epoch that is retired", not_under_a_retired_epoch),
    ("wraps of all sizes come back", wraps_of_all_sizes),
    ("persons are paged", paged),
    ("persons are found by their epoch while they have a key", by_epoch),
    ("a unique index has one holder", unique_index),
    ("an index that is not unique has many", shared_index),
    ("a token is used once", token_used_once),
];

fn update(n: u32, expected_version: u32, state: Option<PersonState>, wrapped: Wrap) -> KeyOp {
    let (tenant, person) = (tenant_id(), person_id(n));
    KeyOp::UpdatePerson { tenant, person, expected_version, state, flags: None, wrapped }
}

fn erase(n: u32, expected_version: u32) -> KeyOp {
    update(n, expected_version, Some(PersonState::Erased), Wrap::Erase { epoch: EPOCH })
}

fn set(epoch: u32, n: u32) -> Wrap {
    Wrap::Set { epoch, wrapped: Sealed(bytes("new wrap", n, 120)) }
}

fn read(world: &World, n: u32) -> PersonRow {
    world.snapshot().person(tenant_id(), person_id(n)).unwrap().unwrap()
}

fn inserted_once(world: &World) {
    world.keys([KeyOp::InsertPerson(person(1))]);
    world.keys_refused(KeyOp::InsertPerson(person(1)), Conflict::PersonExists);
    assert_eq!(read(world, 1), person(1));
    assert_eq!(world.snapshot().person(tenant_id(), person_id(2)), Ok(None));
    assert_eq!(world.snapshot().person(tenant(2).tenant, person_id(1)), Ok(None), "of another tenant");
}

fn changes_at_her_version(world: &World) {
    world.keys_refused(update(1, 1, None, Wrap::Keep), Conflict::Missing);
    world.keys([KeyOp::InsertPerson(person(1)), KeyOp::InsertPerson(person(2))]);
    world.keys_refused(update(1, 2, None, Wrap::Keep), Conflict::PersonVersion);
    world.keys_refused(update(1, 0, None, set(1, 1)), Conflict::PersonVersion);
    world.keys_refused(erase(1, 9), Conflict::PersonVersion);

    world.keys([update(1, 1, None, Wrap::Keep)]);
    assert_eq!(read(world, 1), PersonRow { version: 2, ..person(1) });
    world.keys([update(1, 2, Some(PersonState::Provisional), set(EPOCH, 1))]);
    let wrapped = Some(Sealed(bytes("new wrap", 1, 120)));
    let changed = PersonRow { version: 3, state: PersonState::Provisional, wrapped, ..person(1) };
    assert_eq!(read(world, 1), changed);
    world.keys([KeyOp::UpdatePerson {
        tenant: tenant_id(),
        person: person_id(1),
        expected_version: 3,
        state: Some(PersonState::Live),
        flags: Some(person_flags::LIMITED),
        wrapped: Wrap::Keep,
    }]);
    let head = PersonHead { state: PersonState::Live, version: 4, flags: person_flags::LIMITED };
    assert_eq!(world.snapshot().person_head(tenant_id(), person_id(1)), Ok(Some(head)));

    let bump =
        |expected_version| KeyOp::BumpPerson { tenant: tenant_id(), person: person_id(1), expected_version };
    world.keys_refused(bump(3), Conflict::PersonVersion);
    world.keys([bump(4)]);
    assert_eq!(read(world, 1).version, 5);
    assert_eq!(read(world, 2), person(2), "nobody else changed");
}

fn erased_for_ever(world: &World) {
    world.keys([KeyOp::InsertPerson(person(1))]);
    world.keys([erase(1, 1)]);
    let erased = PersonRow { state: PersonState::Erased, version: 2, wrapped: None, ..person(1) };
    assert_eq!(read(world, 1), erased);
    world.keys_refused(update(1, 2, None, set(1, 1)), Conflict::PersonErased);
    world.keys_refused(update(1, 2, Some(PersonState::Live), Wrap::Keep), Conflict::PersonErased);
    world.keys_refused(rewrap(1, 2, 1, 2), Conflict::PersonErased);
    world.keys_refused(KeyOp::InsertPerson(person(1)), Conflict::PersonExists);
    world.keys_refused(erase(1, 1), Conflict::PersonVersion);
    world.keys([update(1, 2, None, Wrap::Keep)]);
    assert_eq!(read(world, 1), PersonRow { version: 3, ..erased });
}

fn forgotten(world: &World) {
    let forget = |n: u32, expected_version| KeyOp::ForgetPerson {
        tenant: tenant_id(),
        person: person_id(n),
        expected_version,
    };
    let provisional = |n| PersonRow { state: PersonState::Provisional, version: 0, ..person(n) };
    world.keys([KeyOp::InsertPerson(provisional(1)), KeyOp::InsertPerson(person(2))]);
    world.keys_refused(forget(1, 1), Conflict::PersonVersion);
    world.keys_refused(forget(2, 1), Conflict::PersonState);
    world.keys_refused(forget(3, 0), Conflict::Missing);
    world.keys([forget(1, 0)]);
    assert_eq!(world.snapshot().person(tenant_id(), person_id(1)), Ok(None));
    assert_eq!(read(world, 2), person(2), "nobody else changed");
    world.keys([KeyOp::InsertPerson(provisional(1)), erase(2, 1)]);
    world.keys_refused(forget(2, 2), Conflict::PersonState);
}

fn state_and_key_together(world: &World) {
    world.keys([KeyOp::InsertPerson(person(1))]);
    world.keys_refused(update(1, 1, Some(PersonState::Erased), Wrap::Keep), Conflict::Constraint);
    world.keys_refused(update(1, 1, None, Wrap::Erase { epoch: EPOCH }), Conflict::Constraint);
    let keyless = PersonRow { wrapped: None, ..person(2) };
    world.keys_refused(KeyOp::InsertPerson(keyless.clone()), Conflict::Constraint);
    let erased = PersonRow { state: PersonState::Erased, ..keyless };
    world.keys([KeyOp::InsertPerson(erased.clone())]);
    assert_eq!(read(world, 2), erased);
    assert_eq!(read(world, 1), person(1));
}

fn rewrap(n: u32, expected_version: u32, expected_epoch: u32, epoch: u32) -> KeyOp {
    let wrapped = Sealed(bytes("anew", n, 130));
    let (tenant, person) = (tenant_id(), person_id(n));
    KeyOp::RewrapPerson { tenant, person, expected_version, expected_epoch, epoch, wrapped }
}

fn wrapped_anew(world: &World) {
    world.keys_refused(rewrap(1, 1, 1, 2), Conflict::Missing);
    world.keys([KeyOp::InsertPerson(person(1))]);
    world.keys_refused(rewrap(1, 2, 1, 2), Conflict::PersonVersion);
    world.keys_refused(rewrap(1, 1, 3, 4), Conflict::PersonVersion);
    world.keys([rewrap(1, 1, 1, 2)]);
    let wrapped = Some(Sealed(bytes("anew", 1, 130)));
    assert_eq!(read(world, 1), PersonRow { epoch: 2, wrapped, ..person(1) });
    world.keys_refused(rewrap(1, 1, 1, 2), Conflict::PersonVersion);
    // What was prepared before she was carried over must not lead back.
    world.keys_refused(update(1, 1, None, set(1, 1)), Conflict::PersonVersion);
    world.keys_refused(erase(1, 1), Conflict::PersonVersion);
    world.keys([update(1, 1, None, set(2, 1))]);
}

fn not_under_a_retired_epoch(world: &World) {
    let put = |epoch, state| {
        let destroyed = (state == EpochState::Destroyed).then_some(Timestamp(9));
        KeyOp::PutEpoch(EpochRow { tenant: tenant_id(), epoch, state, created: Timestamp(1), destroyed })
    };
    let under = |n, epoch| KeyOp::InsertPerson(PersonRow { epoch, ..person(n) });
    world.keys([put(EPOCH, EpochState::Active), under(1, EPOCH), under(2, EPOCH)]);
    world.keys([put(2, EpochState::Active), put(3, EpochState::Retiring), put(EPOCH, EpochState::Retiring)]);
    world.keys_refused(under(3, EPOCH), Conflict::EpochRetired);
    world.keys_refused(rewrap(1, 1, EPOCH, 3), Conflict::EpochRetired);
    // Whoever is there goes on, and leaves.
    world.keys([update(1, 1, None, set(EPOCH, 1)), rewrap(1, 2, EPOCH, 2), erase(2, 1)]);
    world.keys([put(EPOCH, EpochState::Destroyed)]);
    world.keys_refused(under(3, EPOCH), Conflict::EpochRetired);
    world.keys([under(3, 2)]);
}

fn wraps_of_all_sizes(world: &World) {
    let sizes = [0, 1, 60, 189, 190, 191, 254, 255, 510, 511, 1_000];
    for (n, size) in (0_u32..).zip(sizes) {
        let wrapped = bytes("size", n, size);
        world.keys([insert_person(n, &wrapped)]);
        assert_eq!(read(world, n).wrapped, Some(Sealed(wrapped)));
    }
    for (version, size) in (1_u32..).zip(sizes) {
        let wrapped = Sealed(bytes("other", version, size));
        world.keys([update(3, version, None, Wrap::Set { epoch: 1, wrapped: wrapped.clone() })]);
        assert_eq!(read(world, 3).wrapped, Some(wrapped));
    }
    assert_eq!(read(world, 4).wrapped, Some(Sealed(bytes("size", 4, 190))), "nobody else changed");
    let huge = update(3, 12, None, Wrap::Set { epoch: 1, wrapped: Sealed(vec![1; 5_000]) });
    world.keys_refused(huge, Conflict::Constraint);
}

fn paged(world: &World) {
    world.keys([5, 2, 9, 1].map(|n| KeyOp::InsertPerson(person(n))));
    world.keys([KeyOp::InsertPerson(PersonRow { tenant: tenant(1).tenant, ..person(3) })]);
    world.keys([erase(2, 1)]);
    let page = |after, limit| {
        let rows = world.snapshot().persons_after(tenant_id(), after, limit).unwrap();
        rows.iter().map(|row| row.person).collect::<Vec<_>>()
    };
    assert_eq!(page(None, 10), [1, 2, 5, 9].map(person_id));
    assert_eq!(page(None, 2), [1, 2].map(person_id));
    assert_eq!(page(Some(person_id(2)), 10), [5, 9].map(person_id));
    assert_eq!(page(Some(person_id(9)), 10), []);
    let count = |state| world.snapshot().count_persons(tenant_id(), state).unwrap();
    assert_eq!((count(None), count(Some(PersonState::Live)), count(Some(PersonState::Erased))), (4, 3, 1));
}

fn by_epoch(world: &World) {
    let in_epoch = |n, epoch| KeyOp::InsertPerson(PersonRow { epoch, ..person(n) });
    world.keys([in_epoch(1, 4), in_epoch(2, 5), in_epoch(3, 4), in_epoch(4, 4)]);
    let page = |epoch, after| {
        let rows = world.snapshot().persons_in_epoch(tenant_id(), epoch, after, 2).unwrap();
        rows.iter().map(|row| row.person).collect::<Vec<_>>()
    };
    assert_eq!(page(4, None), [1, 3].map(person_id));
    assert_eq!(page(4, Some(person_id(3))), [person_id(4)]);
    let erased = update(3, 1, Some(PersonState::Erased), Wrap::Erase { epoch: 4 });
    world.keys([erased, rewrap(4, 1, 4, 5)]);
    assert_eq!(page(4, None), [person_id(1)]);
    assert_eq!(page(5, None), [2, 4].map(person_id));
    let count = |epoch| world.snapshot().count_persons_in_epoch(tenant_id(), epoch).unwrap();
    assert_eq!((count(4), count(5), count(6)), (1, 2, 0));
}

fn holders(world: &World, row: &IndexRow, limit: usize) -> Vec<model::PersonId> {
    world.snapshot().persons_by_index(row.tenant, row.index, &row.hash, limit).unwrap()
}

fn unique_index(world: &World) {
    let insert = |row| KeyOp::InsertIndex { row, unique: true };
    world.keys([insert(index(1, 10))]);
    world.keys_refused(insert(index(2, 10)), Conflict::IndexTaken);
    world.keys_refused(insert(index(1, 10)), Conflict::Exists);
    world.keys([insert(index(2, 11))]);
    world.keys([insert(IndexRow { index: FieldId(4), ..index(2, 10) })]);
    assert_eq!(holders(world, &index(1, 10), 5), [person_id(1)]);

    let delete = |n, index| KeyOp::DeleteIndexesOf { tenant: tenant_id(), person: person_id(n), index };
    world.keys([delete(2, Some(FieldId(4)))]);
    assert_eq!(holders(world, &IndexRow { index: FieldId(4), ..index(2, 10) }, 5), []);
    assert_eq!(holders(world, &index(2, 11), 5), [person_id(2)], "the other index stays");
    world.keys([delete(1, None), delete(1, None), insert(index(2, 10))]);
    assert_eq!(holders(world, &index(1, 10), 5), [person_id(2)]);
}

fn shared_index(world: &World) {
    let insert = |row| KeyOp::InsertIndex { row, unique: false };
    world.keys([3, 1, 2].map(|n| insert(index(n, 10))));
    world.keys_refused(insert(index(2, 10)), Conflict::Exists);
    assert_eq!(holders(world, &index(1, 10), 5), [1, 2, 3].map(person_id));
    assert_eq!(holders(world, &index(1, 10), 2), [1, 2].map(person_id));
    assert_eq!(holders(world, &IndexRow { tenant: tenant(1).tenant, ..index(1, 10) }, 5), []);
}

fn token_used_once(world: &World) {
    let second = TokenRow { token: [9; 16], field: FieldId(2), ..token(1) };
    world.keys([KeyOp::InsertToken(token(1)), KeyOp::InsertToken(second), KeyOp::InsertToken(token(2))]);
    world.keys_refused(
        KeyOp::InsertToken(TokenRow { person: person_id(3), ..token(1) }),
        Conflict::TokenTaken,
    );
    let find = |row: TokenRow| world.snapshot().token(row.tenant, &row.token).unwrap();
    assert_eq!(find(token(1)), Some(token(1)));
    assert_eq!(find(TokenRow { tenant: tenant(1).tenant, ..token(1) }), None);
    assert_eq!(world.snapshot().tokens_of(tenant_id(), person_id(1)).unwrap().len(), 2);

    let delete = |field| KeyOp::DeleteTokensOf { tenant: tenant_id(), person: person_id(1), field };
    world.keys([delete(Some(FieldId(2)))]);
    assert_eq!(world.snapshot().tokens_of(tenant_id(), person_id(1)), Ok(vec![token(1)]));
    world.keys([delete(None), delete(None)]);
    assert_eq!((find(token(1)), find(token(2))), (None, Some(token(2))));
}
