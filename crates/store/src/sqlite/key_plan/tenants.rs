//! Tenants, their keys, their epochs.

use super::Done;
use crate::error::Conflict;
use crate::rows::{EpochRow, EpochState, SubKeyKind, SubKeyRow, TenantKeyRow, TenantRow};
use crate::sqlite::decode::Coded;
use crate::sqlite::statement::{change, execute, find, insert};
use model::TenantId;
use model::tenant::TenantState;
use rusqlite::Connection;

pub(super) fn insert_tenant(on: &Connection, row: &TenantRow) -> Done {
    insert(
        on,
        "INSERT INTO tenant (tenant, number, state, version, config_version, created_ms)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        (row.tenant.0, row.number, row.state.code(), row.version, row.config_version, row.created.0),
        Conflict::TenantExists,
    )
}

pub(super) fn set_state(on: &Connection, tenant: TenantId, expected: u32, state: TenantState) -> Done {
    let changed = execute(
        on,
        "UPDATE tenant SET state = ?3, version = version + 1 WHERE tenant = ?1 AND version = ?2",
        (tenant.0, expected, state.code()),
    )?;
    found_or(on, tenant, changed, Conflict::TenantVersion)
}

pub(super) fn set_config_version(on: &Connection, tenant: TenantId, expected: u32, new: u32) -> Done {
    if new <= expected {
        return Err(Conflict::Backwards.into());
    }
    let changed = execute(
        on,
        "UPDATE tenant SET config_version = ?3 WHERE tenant = ?1 AND config_version = ?2",
        (tenant.0, expected, new),
    )?;
    found_or(on, tenant, changed, Conflict::ConfigVersion)
}

fn found_or(on: &Connection, tenant: TenantId, changed: usize, other: Conflict) -> Done {
    if changed == 1 {
        return Ok(());
    }
    let found = find(on, "SELECT 1 FROM tenant WHERE tenant = ?1", [tenant.0], |_| Ok(()))?;
    Err(if found.is_some() { other } else { Conflict::Missing }.into())
}

pub(super) fn insert_tenant_key(on: &Connection, row: &TenantKeyRow) -> Done {
    insert(
        on,
        "INSERT INTO tenant_key (tenant, root, key_version, wrapped) VALUES (?1, ?2, ?3, ?4)",
        (row.tenant.0, row.root, row.key_version, &row.wrapped.0),
        Conflict::KeyExists,
    )
}

/// Whether something may be put under this epoch: not once it is retiring, or whoever counted before destroying it would
/// have counted in vain.
pub(super) fn takes_rows(on: &Connection, tenant: TenantId, epoch: u32) -> Done {
    let sql = "SELECT 1 FROM shred_epoch WHERE tenant = ?1 AND epoch = ?2 AND state > ?3";
    let retired = find(on, sql, (tenant.0, epoch, EpochState::Active.code()), |_| Ok(()))?;
    if retired.is_some() { Err(Conflict::EpochRetired.into()) } else { Ok(()) }
}

pub(super) fn insert_sub_key(on: &Connection, row: &SubKeyRow) -> Done {
    if row.kind == SubKeyKind::Index {
        takes_rows(on, row.tenant, u32::from(row.generation))?;
    }
    insert(
        on,
        "INSERT INTO sub_key (tenant, kind, number, generation, wrapped) VALUES (?1, ?2, ?3, ?4, ?5)",
        (row.tenant.0, row.kind.code(), row.number, row.generation, &row.wrapped.0),
        Conflict::KeyExists,
    )
}

pub(super) fn rewrap_sub_key(on: &Connection, row: &SubKeyRow, expected: u16) -> Done {
    change(
        on,
        "DELETE FROM sub_key WHERE tenant = ?1 AND kind = ?2 AND number = ?3 AND generation = ?4",
        (row.tenant.0, row.kind.code(), row.number, expected),
        Conflict::Missing,
    )?;
    insert_sub_key(on, row)
}

pub(super) fn put_epoch(on: &Connection, row: &EpochRow) -> Done {
    change(
        on,
        "INSERT INTO shred_epoch (tenant, epoch, state, created_ms, destroyed_ms) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (tenant, epoch) DO UPDATE SET state = excluded.state, destroyed_ms = excluded.destroyed_ms
         WHERE excluded.state > shred_epoch.state
            OR (excluded.state = shred_epoch.state AND excluded.state < 3)
            OR (excluded.state = 3 AND excluded.destroyed_ms = shred_epoch.destroyed_ms)",
        (row.tenant.0, row.epoch, row.state.code(), row.created.0, row.destroyed.map(|at| at.0)),
        Conflict::Backwards,
    )
}
