//! What a store does, whatever its backend. Each case gets a fresh store.
//!
//! A refusal is always tried on a plan that begins with an operation of its own, so that each also shows that a
//! plan that fails leaves nothing. Each case holds the control: the same operation applies when its precondition
//! holds. At the end every operation must have been applied at least once.

mod data;
mod groups;
mod house;
mod jobs;
mod persons;
mod reads;
mod rights;
mod tenants;

use crate::fixture;
use std::any::Any;
use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use store::{ApplyError, Conflict, DataOp, DocumentRow, KeyOp, Snapshot, Store};

type Case = (&'static str, fn(&World));

/// Runs all cases. The second part of what `open` gives is dropped after the store.
pub(crate) fn run(open: impl Fn() -> (Store, Box<dyn Any>)) {
    let cases = [
        tenants::CASES,
        persons::CASES,
        rights::CASES,
        house::CASES,
        data::CASES,
        jobs::CASES,
        reads::CASES,
        groups::CASES,
    ];
    let mut applied = BTreeSet::new();
    let mut failed = Vec::new();
    for (name, case) in cases.concat() {
        let (store, keep) = open();
        let world = World { store, applied: Mutex::default() };
        if catch_unwind(AssertUnwindSafe(|| case(&world))).is_err() {
            failed.push(name);
        }
        applied.extend(world.applied.into_inner().unwrap());
        drop((world.store, keep));
    }
    assert_eq!(failed, [""; 0], "cases that failed");
    let never: Vec<_> = every_operation().filter(|name| !applied.contains(name)).collect();
    assert_eq!(never, [""; 0], "operations that no case applied");
}

/// One store, and which operations were applied to it.
pub(crate) struct World {
    pub(crate) store: Store,
    applied: Mutex<BTreeSet<&'static str>>,
}

impl World {
    pub(crate) fn snapshot(&self) -> Snapshot {
        self.store.snapshot().unwrap()
    }

    pub(crate) fn keys(&self, plan: impl Into<Vec<KeyOp>>) {
        let plan = plan.into();
        self.applied.lock().unwrap().extend(plan.iter().map(key_name));
        assert_eq!(self.store.apply_keys_blocking("suite", plan), Ok(()));
    }

    pub(crate) fn data(&self, plan: impl Into<Vec<DataOp>>) {
        let plan = plan.into();
        self.applied.lock().unwrap().extend(plan.iter().map(data_name));
        assert_eq!(self.store.apply_data_blocking("suite", plan), Ok(()));
    }

    /// The operation is refused, and what stood before it in its plan is undone.
    #[track_caller]
    pub(crate) fn keys_refused(&self, op: KeyOp, conflict: Conflict) {
        let witness = KeyOp::PutHouse { name: "witness", value: vec![1], expected_absent: true };
        let plan = vec![witness, op];
        let answer = self.store.apply_keys_blocking("suite", plan);
        assert_eq!(answer, Err(ApplyError::Conflict(conflict)));
        assert_eq!(self.snapshot().house("witness"), Ok(None), "a refused plan left something");
    }

    /// As [`World::keys_refused`].
    #[track_caller]
    pub(crate) fn data_refused(&self, op: DataOp, conflict: Conflict) {
        let row = DocumentRow { kind: 250, ..fixture::document(250, 1) };
        let (tenant, kind, id) = (row.tenant, row.kind, row.id);
        let plan = vec![DataOp::PutDocument { row, expected_absent: true }, op];
        let answer = self.store.apply_data_blocking("suite", plan);
        assert_eq!(answer, Err(ApplyError::Conflict(conflict)));
        let left = self.snapshot().document(tenant, kind, id, 1);
        assert_eq!(left, Ok(None), "a refused plan left something");
    }
}

macro_rules! operations {
    ($name:ident, $all:ident, $kind:ident: $($variant:ident)*) => {
        fn $name(op: &$kind) -> &'static str {
            match op {
                $($kind::$variant { .. } => stringify!($variant)),*
            }
        }
        const $all: &[&str] = &[$(stringify!($variant)),*];
    };
}

operations! { key_name, KEY_OPERATIONS, KeyOp:
    InsertTenant SetTenantState SetConfigVersion InsertTenantKey InsertSubKey RewrapSubKey InsertPerson UpdatePerson BumpPerson
    RewrapPerson ForgetPerson InsertIndex DeleteIndexesOf InsertToken DeleteTokensOf InsertConsent UpdateConsent DeleteConsentsOf
    InsertLimit DeleteLimit DeleteLimitsOf InsertPrincipal SetPrincipalState RequirePrincipal DeletePrincipalsOf
    InsertOutbox DeleteOutbox InsertIdempotency DeleteIdempotencyOf PruneIdempotency PutSignedHead PutEpoch
    SetClockMark PutHouse
}

operations! { data_name, DATA_OPERATIONS, DataOp:
    PutRecord DeleteRecordsOf DeleteRecordVersions PutDocument DeleteDocuments InsertJob CompleteJob ContinueJob
    FailJob RenewLease
}

fn every_operation() -> impl Iterator<Item = &'static str> {
    KEY_OPERATIONS.iter().chain(DATA_OPERATIONS).copied()
}
