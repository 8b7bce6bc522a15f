//! Tenants, their keys, their epochs.

use super::{Case, World};
use crate::fixture::{bytes, id16, tenant, tenant_id};
use model::Timestamp;
use model::tenant::TenantState;
use store::{Conflict, EpochRow, EpochState, KeyOp, Sealed, SubKeyKind, SubKeyRow, TenantKeyRow, TenantRow};

pub(super) const CASES: &[Case] = &[
    ("a tenant is inserted once", inserted_once),
    ("a tenant's state changes at its version", state_changes_at_its_version),
    ("a configuration changes at its version and goes forward", configuration_goes_forward),
    ("wrapped keys are kept apart by their place", keys_by_place),
    ("an epoch only goes forward", epoch_goes_forward),
];

fn inserted_once(world: &World) {
    let (one, two) = (tenant(1), tenant(2));
    world.keys([KeyOp::InsertTenant(one)]);
    world.keys_refused(KeyOp::InsertTenant(one), Conflict::TenantExists);
    world.keys_refused(KeyOp::InsertTenant(TenantRow { number: 1, ..two }), Conflict::TenantExists);
    world.keys([KeyOp::InsertTenant(two)]);
    assert_eq!(world.snapshot().tenant(one.tenant), Ok(Some(one)));
    assert_eq!(world.snapshot().tenant(tenant(3).tenant), Ok(None));
    assert_eq!(world.snapshot().tenants(), Ok(vec![one, two]));
}

fn state_changes_at_its_version(world: &World) {
    let row = tenant(1);
    let set = |expected_version, state| KeyOp::SetTenantState { tenant: row.tenant, expected_version, state };
    world.keys_refused(set(1, TenantState::Notice), Conflict::Missing);
    world.keys([KeyOp::InsertTenant(row)]);
    world.keys_refused(set(2, TenantState::Notice), Conflict::TenantVersion);
    for (version, state) in [
        (1, TenantState::Notice),
        (2, TenantState::Retrieval),
        (3, TenantState::Closing),
        (4, TenantState::Closed),
        (5, TenantState::Active),
    ] {
        world.keys([set(version, state)]);
        let changed = TenantRow { state, version: version + 1, ..row };
        assert_eq!(world.snapshot().tenant(row.tenant), Ok(Some(changed)));
    }
}

fn configuration_goes_forward(world: &World) {
    let row = tenant(1);
    let set = |expected, new| KeyOp::SetConfigVersion { tenant: row.tenant, expected, new };
    world.keys_refused(set(1, 2), Conflict::Missing);
    world.keys([KeyOp::InsertTenant(row)]);
    world.keys_refused(set(2, 3), Conflict::ConfigVersion);
    world.keys_refused(set(1, 1), Conflict::Backwards);
    world.keys([set(1, 2)]);
    let changed = TenantRow { config_version: 2, ..row };
    assert_eq!(world.snapshot().tenant(row.tenant), Ok(Some(changed)));
}

fn keys_by_place(world: &World) {
    let wrap = |n| {
        let (tenant, wrapped) = (tenant_id(), Sealed(bytes("tenant key", n, 600)));
        TenantKeyRow { tenant, root: id16(n), key_version: 1, wrapped }
    };
    world.keys([KeyOp::InsertTenantKey(wrap(1)), KeyOp::InsertTenantKey(wrap(2))]);
    world.keys_refused(KeyOp::InsertTenantKey(wrap(1)), Conflict::KeyExists);
    assert_eq!(world.snapshot().tenant_keys(tenant_id()), Ok(vec![wrap(1), wrap(2)]));
    assert_eq!(world.snapshot().tenant_keys(tenant(9).tenant), Ok(vec![]));

    let sub = |kind, number, generation| {
        let (tenant, wrapped) = (tenant_id(), Sealed(bytes("sub key", number, 60)));
        SubKeyRow { tenant, kind, number, generation, wrapped }
    };
    let rows = vec![
        sub(SubKeyKind::Metadata, 0, 0),
        sub(SubKeyKind::Index, 3, 0),
        sub(SubKeyKind::Period, 2_900, 0),
        sub(SubKeyKind::Period, 2_900, 1),
    ];
    world.keys(rows.iter().cloned().map(KeyOp::InsertSubKey).collect::<Vec<_>>());
    world.keys_refused(KeyOp::InsertSubKey(rows[2].clone()), Conflict::KeyExists);
    assert_eq!(world.snapshot().sub_keys(tenant_id()), Ok(rows.clone()));

    let rewrap = |expected_generation, generation| {
        let row = SubKeyRow { generation, wrapped: Sealed(vec![9; 90]), ..rows[1].clone() };
        KeyOp::RewrapSubKey { row, expected_generation }
    };
    world.keys_refused(rewrap(1, 2), Conflict::Missing);
    world.keys([rewrap(0, 2)]);
    world.keys_refused(rewrap(0, 3), Conflict::Missing);
    let held = world.snapshot().sub_keys(tenant_id()).unwrap();
    let index: Vec<_> = held.iter().filter(|row| row.kind == SubKeyKind::Index).collect();
    assert_eq!((index.len(), index[0].generation, &index[0].wrapped.0), (1, 2, &vec![9; 90]));
    let third = SubKeyRow { generation: 3, ..rows[1].clone() };
    world.keys([KeyOp::InsertSubKey(third)]);
    world.keys_refused(rewrap(2, 3), Conflict::KeyExists);
}

fn epoch_goes_forward(world: &World) {
    let row = |state, destroyed: Option<i64>| EpochRow {
        tenant: tenant_id(),
        epoch: 4,
        state,
        created: Timestamp(10),
        destroyed: destroyed.map(Timestamp),
    };
    let put = |state, destroyed| KeyOp::PutEpoch(row(state, destroyed));
    world.keys([put(EpochState::Active, None)]);
    world.keys([put(EpochState::Active, None)]);
    world.keys([put(EpochState::Retiring, None)]);
    world.keys_refused(put(EpochState::Active, None), Conflict::Backwards);
    world.keys_refused(put(EpochState::Destroyed, None), Conflict::Constraint);
    world.keys([put(EpochState::Destroyed, Some(70))]);
    world.keys_refused(put(EpochState::Retiring, None), Conflict::Backwards);
    world.keys_refused(put(EpochState::Destroyed, Some(71)), Conflict::Backwards);
    world.keys([put(EpochState::Destroyed, Some(70))]);
    assert_eq!(world.snapshot().epochs(tenant_id()), Ok(vec![row(EpochState::Destroyed, Some(70))]));
}
