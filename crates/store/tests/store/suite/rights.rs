//! Consents, limits, and who acts.

use super::{Case, World};
use crate::fixture::{consent, hash32, id16, limit, person_id, principal, tenant, tenant_id};
use model::consent::ConsentState;
use model::principal::Role;
use model::{ConsentId, FieldId, NoticeId, PrincipalId, PurposeId, RecipientId, Timestamp};
use store::{Conflict, ConsentRow, KeyOp, LimitKind, LimitRow, PrincipalRow, PrincipalState};

pub(super) const CASES: &[Case] = &[
    ("a consent is inserted once and found in each way", consent_found),
    ("a consent changes at its version", consent_changes),
    ("each state of a consent comes back", consent_states),
    ("consents whose term ended are found", consents_due),
    ("limits are set and lifted", limits),
    ("a principal is inserted once and found in each way", principal_found),
    ("a principal changes at its version", principal_changes),
    ("a plan for a principal that is not active is refused", principal_required),
    ("the keys of a person go with her", principals_of_a_person),
];

fn consent_found(world: &World) {
    let of = |n: u32, purpose, recipient| ConsentRow {
        consent: ConsentId(id16(n)),
        person: person_id(1),
        purpose: PurposeId(purpose),
        recipient: RecipientId(recipient),
        ..consent(n)
    };
    let rows = vec![of(4, 2, 0), of(5, 2, 0), of(3, 2, 1), of(1, 3, 0)];
    world.keys(rows.iter().copied().map(KeyOp::InsertConsent).collect::<Vec<_>>());
    world.keys([KeyOp::InsertConsent(consent(2))]);
    world.keys_refused(KeyOp::InsertConsent(consent(2)), Conflict::Exists);
    let elsewhere = ConsentRow { person: person_id(9), ..consent(2) };
    world.keys_refused(KeyOp::InsertConsent(elsewhere), Conflict::Exists);

    let snapshot = world.snapshot();
    assert_eq!(snapshot.consent(tenant_id(), ConsentId(id16(3))), Ok(Some(rows[2])));
    assert_eq!(snapshot.consent(tenant(1).tenant, ConsentId(id16(3))), Ok(None));
    assert_eq!(snapshot.consents_of(tenant_id(), person_id(1)), Ok(rows.clone()));
    let for_two = snapshot.consents_for(tenant_id(), person_id(1), PurposeId(2), RecipientId(0));
    assert_eq!(for_two, Ok(rows[..2].to_vec()));
    drop(snapshot);

    let delete = KeyOp::DeleteConsentsOf { tenant: tenant_id(), person: person_id(1) };
    world.keys([delete.clone(), delete]);
    assert_eq!(world.snapshot().consents_of(tenant_id(), person_id(1)), Ok(vec![]));
    assert_eq!(world.snapshot().consents_of(tenant_id(), person_id(2)), Ok(vec![consent(2)]));
}

fn update(expected_version: u32, state: ConsentState, until: Option<i64>) -> KeyOp {
    KeyOp::UpdateConsent {
        tenant: tenant_id(),
        consent: ConsentId(id16(1)),
        expected_version,
        state,
        explicit: false,
        until: until.map(Timestamp),
        notice: NoticeId(id16(8)),
        notice_version: 6,
        event: 12,
        changed: Timestamp(88),
    }
}

fn consent_changes(world: &World) {
    world.keys_refused(update(1, ConsentState::Given, None), Conflict::Missing);
    world.keys([KeyOp::InsertConsent(consent(1)), KeyOp::InsertConsent(consent(2))]);
    world.keys_refused(update(2, ConsentState::Given, None), Conflict::ConsentVersion);
    world.keys([update(1, ConsentState::Given, None)]);
    let changed = ConsentRow {
        state: ConsentState::Given,
        version: 2,
        explicit: false,
        until: None,
        notice: NoticeId(id16(8)),
        notice_version: 6,
        event: 12,
        changed: Timestamp(88),
        ..consent(1)
    };
    assert_eq!(world.snapshot().consent(tenant_id(), consent(1).consent), Ok(Some(changed)));
    assert_eq!(world.snapshot().consent(tenant_id(), consent(2).consent), Ok(Some(consent(2))));
}

fn consent_states(world: &World) {
    use ConsentState as S;
    let states = [
        S::Requested,
        S::Deferred,
        S::Refused,
        S::Given,
        S::Renewed,
        S::Withdrawn,
        S::Expired,
        S::Terminated,
        S::Invalidated,
    ];
    for (n, state) in (1..).zip(states) {
        let row = ConsentRow { state, ..consent(n) };
        world.keys([KeyOp::InsertConsent(row)]);
        assert_eq!(world.snapshot().consent(tenant_id(), row.consent), Ok(Some(row)));
    }
}

fn principal_required(world: &World) {
    let row = principal(1);
    let require =
        |at| KeyOp::RequirePrincipal { tenant: tenant_id(), principal: row.principal, at: Timestamp(at) };
    world.keys_refused(require(0), Conflict::PrincipalInactive);
    world.keys([KeyOp::InsertPrincipal(principal(1))]);
    world.keys([require(98)]);
    world.keys_refused(require(99), Conflict::PrincipalInactive);
    let elsewhere =
        KeyOp::RequirePrincipal { tenant: tenant(1).tenant, principal: row.principal, at: Timestamp(0) };
    world.keys_refused(elsewhere, Conflict::PrincipalInactive);
    world.keys([KeyOp::SetPrincipalState {
        tenant: tenant_id(),
        principal: row.principal,
        expected_version: 1,
        state: PrincipalState::Revoked,
    }]);
    world.keys_refused(require(0), Conflict::PrincipalInactive);
    let endless = PrincipalRow { expires: None, ..principal(2) };
    world.keys([KeyOp::InsertPrincipal(endless.clone())]);
    world.keys([KeyOp::RequirePrincipal {
        tenant: tenant_id(),
        principal: endless.principal,
        at: Timestamp(i64::MAX),
    }]);
}

fn consents_due(world: &World) {
    let given = |n, state, until: Option<i64>| {
        let row = ConsentRow { state, until: until.map(Timestamp), ..consent(n) };
        world.keys([KeyOp::InsertConsent(row)]);
        row
    };
    let late = given(1, ConsentState::Given, Some(50));
    let early = given(2, ConsentState::Renewed, Some(40));
    given(3, ConsentState::Given, None);
    given(4, ConsentState::Withdrawn, Some(10));
    given(5, ConsentState::Given, Some(60));
    assert_eq!(world.snapshot().consents_due(Timestamp(60), 9), Ok(vec![early, late]));
    assert_eq!(world.snapshot().consents_due(Timestamp(60), 1), Ok(vec![early]));
    world.keys([update(1, ConsentState::Expired, Some(50))]);
    assert_eq!(world.snapshot().consents_due(Timestamp(60), 9), Ok(vec![early]));
}

fn limits(world: &World) {
    let objection =
        LimitRow { kind: LimitKind::Objection, field: FieldId(0), purpose: PurposeId(3), ..limit(1) };
    let hold = LimitRow { kind: LimitKind::Hold, field: FieldId(0), ..limit(1) };
    world.keys([limit(1), hold, objection, limit(2)].map(KeyOp::InsertLimit));
    world.keys_refused(KeyOp::InsertLimit(LimitRow { set: Timestamp(50), ..limit(1) }), Conflict::Exists);
    let of = |n| world.snapshot().limits_of(tenant_id(), person_id(n)).unwrap();
    assert_eq!(of(1), [limit(1), objection, hold]);

    let lift = |row: LimitRow| KeyOp::DeleteLimit {
        tenant: row.tenant,
        person: row.person,
        kind: row.kind,
        field: row.field,
        purpose: row.purpose,
    };
    world.keys([lift(objection)]);
    world.keys_refused(lift(objection), Conflict::Missing);
    assert_eq!(of(1), [limit(1), hold]);
    let delete = KeyOp::DeleteLimitsOf { tenant: tenant_id(), person: person_id(1) };
    world.keys([delete.clone(), delete]);
    assert_eq!((of(1), of(2)), (vec![], vec![limit(2)]));
}

fn principal_found(world: &World) {
    let bare = PrincipalRow { expires: None, zone: None, subject: Some(person_id(4)), ..principal(2) };
    world.keys([KeyOp::InsertPrincipal(bare.clone()), KeyOp::InsertPrincipal(principal(1))]);
    let same_id = PrincipalRow { key_hash: hash32("other", 1), ..principal(1) };
    world.keys_refused(KeyOp::InsertPrincipal(same_id), Conflict::PrincipalExists);
    let same_key = PrincipalRow { principal: PrincipalId(id16(9)), ..principal(1) };
    world.keys_refused(KeyOp::InsertPrincipal(same_key), Conflict::PrincipalExists);

    let snapshot = world.snapshot();
    assert_eq!(snapshot.principal_by_hash(&hash32("key", 2)), Ok(Some(bare.clone())));
    assert_eq!(snapshot.principal_by_hash(&hash32("key", 3)), Ok(None));
    assert_eq!(snapshot.principal(tenant_id(), principal(1).principal), Ok(Some(principal(1))));
    assert_eq!(snapshot.principal(tenant(1).tenant, principal(1).principal), Ok(None));
    assert_eq!(snapshot.principals(tenant_id()), Ok(vec![principal(1), bare]));
    drop(snapshot);
    for (n, role) in (10..).zip(Role::ALL) {
        let row = PrincipalRow { role, ..principal(n) };
        world.keys([KeyOp::InsertPrincipal(row.clone())]);
        assert_eq!(world.snapshot().principal_by_hash(&row.key_hash), Ok(Some(row)));
    }
}

fn principal_changes(world: &World) {
    let set = |expected_version| KeyOp::SetPrincipalState {
        tenant: tenant_id(),
        principal: principal(1).principal,
        expected_version,
        state: PrincipalState::Revoked,
    };
    world.keys_refused(set(1), Conflict::Missing);
    world.keys([KeyOp::InsertPrincipal(principal(1))]);
    world.keys_refused(set(2), Conflict::PrincipalVersion);
    world.keys([set(1)]);
    let revoked = PrincipalRow { state: PrincipalState::Revoked, version: 2, ..principal(1) };
    assert_eq!(world.snapshot().principal_by_hash(&principal(1).key_hash), Ok(Some(revoked)));
}

fn principals_of_a_person(world: &World) {
    let of = |n, subject| PrincipalRow { subject: Some(person_id(subject)), ..principal(n) };
    world.keys([of(1, 5), of(2, 5), of(3, 6), principal(4)].map(KeyOp::InsertPrincipal));
    let delete = KeyOp::DeletePrincipalsOf { tenant: tenant_id(), subject: person_id(5) };
    world.keys([delete.clone(), delete]);
    assert_eq!(world.snapshot().principals(tenant_id()), Ok(vec![of(3, 6), principal(4)]));
}
