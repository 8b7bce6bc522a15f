//! What a statement costs must not grow with the number of persons. The machine steps of each operation and read
//! on one person are counted in a tenant of many.

use super::connect::{Place, create, writer};
use super::data_plan::{DataPlan, DataPlans};
use super::engine::Reads;
use super::key_plan::KeyPlans;
use super::migrate::{DATA, KEYS, Schema};
use super::pool::{Pool, View};
use super::writer::Plans;
use crate::error::StoreError;
use crate::ops::{DataOp, KeyOp, Wrap};
use crate::rows::{
    ConsentRow, IdempotencyRow, IndexRow, LimitKind, LimitRow, NewJob, PersonRow, PersonState, PrincipalRow,
    PrincipalState, RecordKey, RecordRow, Sealed, TokenRow,
};
use crate::store::Lease;
use model::consent::ConsentState;
use model::principal::Role;
use model::{
    Compartment, ConsentId, FieldId, NoticeId, PersonId, PrincipalId, PurposeId, RecipientId, TenantId,
    Timestamp,
};
use rusqlite::Connection;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

const PERSONS: u32 = 2_000;
/// Far more than any statement on one person takes, far fewer than a walk over all of them.
const MOST_STEPS: u32 = 1_000;
const TENANT: TenantId = TenantId([1; 16]);

fn id(n: u32) -> [u8; 16] {
    let mut id = [0; 16];
    id[..4].copy_from_slice(&n.to_be_bytes());
    id
}

fn inserts(n: u32) -> Vec<KeyOp> {
    let (tenant, person) = (TENANT, PersonId(id(n)));
    let now = Timestamp(i64::from(n));
    let token = |t: u32| TokenRow { tenant, token: id(n * 3 + t), person, field: FieldId(1) };
    let consent = ConsentRow {
        tenant,
        consent: ConsentId(id(n)),
        person,
        purpose: PurposeId(1),
        edition: 1,
        recipient: RecipientId(0),
        state: ConsentState::Given,
        version: 1,
        explicit: true,
        until: Some(now),
        notice: NoticeId(id(1)),
        notice_version: 1,
        event: 1,
        changed: now,
    };
    let limit = LimitRow {
        tenant,
        person,
        kind: LimitKind::Restriction,
        field: FieldId(0),
        purpose: PurposeId(0),
        set: now,
    };
    let wide = |n: u32| [id(n), id(n)].concat().try_into().unwrap();
    let principal = PrincipalRow {
        key_hash: wide(n),
        principal: PrincipalId(id(n)),
        tenant,
        role: Role::Person,
        state: PrincipalState::Active,
        subject: Some(person),
        expires: None,
        zone: None,
        wrapped_log_secret: Sealed(vec![1; 60]),
        version: 1,
    };
    let idempotency = IdempotencyRow {
        tenant,
        key_hash: id(n),
        request_hash: [0; 32],
        status: 200,
        reference: Some(id(n)),
        created: now,
    };
    let person_row = PersonRow {
        tenant,
        person,
        state: PersonState::Live,
        version: 1,
        epoch: 1,
        flags: 0,
        wrapped: Some(Sealed(vec![1; 150])),
        created: now,
    };
    vec![
        KeyOp::InsertPerson(person_row),
        KeyOp::InsertIndex { row: IndexRow { tenant, person, index: FieldId(1), hash: id(n) }, unique: true },
        KeyOp::InsertIndex {
            row: IndexRow { tenant, person, index: FieldId(2), hash: id(n) },
            unique: false,
        },
        KeyOp::InsertToken(token(0)),
        KeyOp::InsertToken(token(1)),
        KeyOp::InsertConsent(consent),
        KeyOp::InsertLimit(limit),
        KeyOp::InsertPrincipal(principal),
        KeyOp::InsertIdempotency(idempotency),
    ]
}

fn data_inserts(n: u32) -> Vec<DataOp> {
    let key = RecordKey { tenant: TENANT, person: PersonId(id(n)), compartment: Compartment(0), version: 1 };
    let job = NewJob {
        id: id(n),
        kind: "sweep".to_owned(),
        payload: id(n).to_vec(),
        due: Timestamp(0),
        created: Timestamp(0),
    };
    vec![DataOp::PutRecord(RecordRow { key, sealed: Sealed(vec![2; 300]) }), DataOp::InsertJob(job)]
}

/// Counts the steps that a connection takes from here on.
fn count_steps(on: &mut Connection) -> Arc<AtomicU32> {
    let steps = Arc::new(AtomicU32::new(0));
    let count = steps.clone();
    let counting = move || {
        count.fetch_add(10, Ordering::Relaxed);
        false
    };
    on.progress_handler(10, Some(counting)).unwrap();
    steps
}

#[track_caller]
fn cheap(steps: &AtomicU32, what: &str) {
    let taken = steps.swap(0, Ordering::Relaxed);
    assert!(taken <= MOST_STEPS, "{what} took {taken} steps: it walks over rows of others");
}

fn filled<F: Plans>(
    dir: &tempfile::TempDir,
    schema: &Schema,
    plan: impl Fn(u32) -> F::Plan,
) -> (Place, Connection) {
    let place = Place { path: dir.path().join(schema.file), writer_cache: 8 << 20, reader_cache: 8 << 20 };
    create(&place.path).unwrap();
    let on = writer(&place, Some(schema)).unwrap();
    on.execute_batch("BEGIN").unwrap();
    for n in 0..PERSONS {
        assert!(F::run(&on, &plan(n)).is_ok());
    }
    on.execute_batch("COMMIT").unwrap();
    (place, on)
}

#[test]
fn operations_of_the_key_store_cost_the_same_for_many() {
    let dir = tempfile::tempdir().unwrap();
    let (_, mut on) = filled::<KeyPlans>(&dir, &KEYS, inserts);
    let steps = count_steps(&mut on);
    for op in inserts(PERSONS) {
        KeyPlans::run(&on, &vec![op.clone()]).unwrap();
        cheap(&steps, &format!("{op:?}"));
    }
    let (tenant, person) = (TENANT, PersonId(id(700)));
    let expected_version = 1;
    let update = |wrapped, state| KeyOp::UpdatePerson {
        tenant,
        person,
        expected_version: if state == Some(PersonState::Erased) { 3 } else { 1 },
        state,
        flags: None,
        wrapped,
    };
    let wrapped = Sealed(vec![3; 150]);
    for op in [
        update(Wrap::Set { epoch: 1, wrapped: wrapped.clone() }, None),
        KeyOp::BumpPerson { tenant, person, expected_version: 2 },
        KeyOp::RewrapPerson { tenant, person, expected_version: 3, expected_epoch: 1, epoch: 2, wrapped },
        KeyOp::SetPrincipalState {
            tenant,
            principal: PrincipalId(id(700)),
            expected_version,
            state: PrincipalState::Revoked,
        },
        KeyOp::UpdateConsent {
            tenant,
            consent: ConsentId(id(700)),
            expected_version,
            state: ConsentState::Withdrawn,
            explicit: true,
            until: None,
            notice: NoticeId(id(1)),
            notice_version: 1,
            event: 2,
            changed: Timestamp(0),
        },
        update(Wrap::Erase { epoch: 2 }, Some(PersonState::Erased)),
        KeyOp::InsertPerson(PersonRow {
            tenant,
            person: PersonId(id(9_999_999)),
            state: PersonState::Provisional,
            version: 0,
            epoch: 1,
            flags: 0,
            wrapped: Some(Sealed(vec![1; 150])),
            created: Timestamp(0),
        }),
        KeyOp::ForgetPerson { tenant, person: PersonId(id(9_999_999)), expected_version: 0 },
        KeyOp::DeleteIndexesOf { tenant, person, index: Some(FieldId(1)) },
        KeyOp::DeleteIndexesOf { tenant, person, index: None },
        KeyOp::DeleteTokensOf { tenant, person, field: None },
        KeyOp::DeleteConsentsOf { tenant, person },
        KeyOp::DeleteLimitsOf { tenant, person },
        KeyOp::DeletePrincipalsOf { tenant, subject: person },
        KeyOp::RequirePrincipal { tenant, principal: PrincipalId(id(701)), at: Timestamp(0) },
        KeyOp::DeleteIdempotencyOf { tenant, reference: id(700) },
        KeyOp::PruneIdempotency { before: Timestamp(1_500), limit: 3 },
    ] {
        KeyPlans::run(&on, &vec![op.clone()]).unwrap();
        cheap(&steps, &format!("{op:?}"));
    }
    on.query_row("SELECT count(*) FROM token WHERE field = 7", (), |_| Ok(())).unwrap();
    assert!(steps.load(Ordering::Relaxed) > MOST_STEPS, "control: a walk over all is noticed");
}

#[test]
fn operations_of_the_data_file_cost_the_same_for_many() {
    let dir = tempfile::tempdir().unwrap();
    let (_, mut on) = filled::<DataPlans>(&dir, &DATA, |n| DataPlan::Ops(data_inserts(n)));
    let steps = count_steps(&mut on);
    let (tenant, person, compartment) = (TENANT, PersonId(id(700)), Compartment(0));
    let mut ops = data_inserts(PERSONS);
    ops.push(DataOp::DeleteRecordVersions { tenant, person, compartment, below: 9 });
    ops.push(DataOp::DeleteRecordsOf { tenant, person: PersonId(id(701)) });
    for op in ops {
        let name = format!("{op:?}");
        DataPlans::run(&on, &DataPlan::Ops(vec![op])).unwrap();
        cheap(&steps, &name);
    }
    let lease = Lease { kind: "sweep", now: Timestamp(1), until: Timestamp(2), limit: 3 };
    let leased = DataPlans::run(&on, &DataPlan::Lease(lease)).unwrap();
    // The jobs are all due at the same moment, so their order is sorted out among themselves: the one walk there is.
    steps.store(0, Ordering::Relaxed);
    let job = leased.first().unwrap();
    DataPlans::run(&on, &DataPlan::Ops(vec![DataOp::CompleteJob { id: job.id, attempts: 1 }])).unwrap();
    cheap(&steps, "CompleteJob");
}

#[test]
fn reads_cost_the_same_for_many() {
    let dir = tempfile::tempdir().unwrap();
    let (keys, _keys_writer) = filled::<KeyPlans>(&dir, &KEYS, inserts);
    let (data, _data_writer) = filled::<DataPlans>(&dir, &DATA, |n| DataPlan::Ops(data_inserts(n)));
    let mut reads = Reads {
        keys: View::new(&Arc::new(Pool::new(keys, 1))),
        data: View::new(&Arc::new(Pool::new(data, 1))),
    };
    let (tenant, person) = (TENANT, PersonId(id(700)));
    let steps = count_steps(reads.keys.connection_mut());
    let one = |what: &str, found: Result<bool, StoreError>| {
        assert_eq!(found, Ok(true), "{what}: not found");
        cheap(&steps, what);
    };
    one("person", reads.person(tenant, person).map(|row| row.is_some()));
    one("person_head", reads.person_head(tenant, person).map(|row| row.is_some()));
    one("persons_after", reads.persons_after(tenant, Some(person), 5).map(|rows| rows.len() == 5));
    one("persons_in_epoch", reads.persons_in_epoch(tenant, 1, Some(person), 5).map(|rows| rows.len() == 5));
    one(
        "persons_by_index",
        reads.persons_by_index(tenant, FieldId(2), &id(9), 5).map(|rows| rows.len() == 1),
    );
    one("token", reads.token(tenant, &id(9)).map(|row| row.is_some()));
    one("tokens_of", reads.tokens_of(tenant, person).map(|rows| rows.len() == 2));
    one("consent", reads.consent(tenant, ConsentId(id(9))).map(|row| row.is_some()));
    one("consents_of", reads.consents_of(tenant, person).map(|rows| rows.len() == 1));
    let consents = reads.consents_for(tenant, person, PurposeId(1), RecipientId(0));
    one("consents_for", consents.map(|rows| rows.len() == 1));
    one("consents_due", reads.consents_due(Timestamp(900), 5).map(|rows| rows.len() == 5));
    one("limits_of", reads.limits_of(tenant, person).map(|rows| rows.len() == 1));
    one("principal", reads.principal(tenant, PrincipalId(id(9))).map(|row| row.is_some()));
    one("idempotency_before", reads.idempotency_before(Timestamp(1_500)));

    let steps = count_steps(reads.data.connection_mut());
    let compartment = Compartment(0);
    assert!(reads.record(tenant, person, compartment, 1).unwrap().is_some());
    cheap(&steps, "record");
    assert_eq!(reads.records_of(tenant, person).unwrap().len(), 1);
    cheap(&steps, "records_of");
    assert_eq!(reads.persons_with_records(tenant, Some(person), 5).unwrap().len(), 5);
    cheap(&steps, "persons_with_records");
    assert_eq!(reads.highest_record_version(tenant, person, compartment), Ok(Some(1)));
    cheap(&steps, "highest_record_version");
    assert_eq!(reads.job_due("sweep", Timestamp(0)), Ok(true));
    cheap(&steps, "job_due");
}
