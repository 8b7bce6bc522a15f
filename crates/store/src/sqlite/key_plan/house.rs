//! The ledger's outbox, idempotency keys, and the rows of the installation itself.

use super::Done;
use crate::error::Conflict;
use crate::rows::{IdempotencyRow, OutboxRow, SignedHeadRow};
use crate::sqlite::fault::Ended;
use crate::sqlite::statement::{change, execute, insert};
use model::{TenantId, Timestamp};
use rusqlite::Connection;

/// SQL integers are signed; a count beyond them is a mistake in the plan.
fn signed(count: u64) -> Result<i64, Ended> {
    i64::try_from(count).map_err(|_| Conflict::Constraint.into())
}

pub(super) fn insert_outbox(on: &Connection, row: &OutboxRow) -> Done {
    let tail = signed(row.tail)?;
    insert(
        on,
        "INSERT INTO outbox (id, tenant, leaf_hash, leaf, identity, postings, incarnation, tail, created_ms)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        (
            row.id,
            row.tenant.0,
            row.leaf_hash,
            &row.leaf,
            &row.identity,
            &row.postings,
            row.incarnation,
            tail,
            row.created.0,
        ),
        Conflict::Exists,
    )
}

pub(super) fn delete_outbox(on: &Connection, id: &[u8; 16]) -> Done {
    execute(on, "DELETE FROM outbox WHERE id = ?1", [id]).map(drop)
}

pub(super) fn insert_idempotency(on: &Connection, row: &IdempotencyRow) -> Done {
    insert(
        on,
        "INSERT INTO idempotency (tenant, key_hash, request_hash, status, reference, created_ms)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        (row.tenant.0, row.key_hash, row.request_hash, row.status, row.reference, row.created.0),
        Conflict::IdempotencyTaken,
    )
}

pub(super) fn delete_idempotency(on: &Connection, tenant: TenantId, reference: &[u8; 16]) -> Done {
    let sql = "DELETE FROM idempotency WHERE tenant = ?1 AND reference = ?2";
    execute(on, sql, (tenant.0, reference)).map(drop)
}

pub(super) fn prune_idempotency(on: &Connection, before: Timestamp, limit: u32) -> Done {
    execute(
        on,
        "DELETE FROM idempotency WHERE (tenant, key_hash) IN
         (SELECT tenant, key_hash FROM idempotency WHERE created_ms < ?1 ORDER BY created_ms LIMIT ?2)",
        (before.0, limit),
    )
    .map(drop)
}

pub(super) fn put_signed_head(on: &Connection, row: &SignedHeadRow) -> Done {
    let size = signed(row.size)?;
    change(
        on,
        "INSERT INTO signed_head (origin, size, root, note) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (origin) DO UPDATE SET size = excluded.size, root = excluded.root, note = excluded.note
         WHERE excluded.size > signed_head.size
            OR (excluded.size = signed_head.size AND excluded.root = signed_head.root)",
        (&row.origin, size, row.root, &row.note),
        Conflict::Backwards,
    )
}

pub(super) fn set_clock_mark(on: &Connection, at: Timestamp, may_go_back: bool) -> Done {
    change(
        on,
        "INSERT INTO clock_mark (one, latest_ms) VALUES (1, ?1)
         ON CONFLICT (one) DO UPDATE SET latest_ms = excluded.latest_ms
         WHERE excluded.latest_ms >= clock_mark.latest_ms OR ?2",
        (at.0, may_go_back),
        Conflict::Backwards,
    )
}

pub(super) fn put_house(on: &Connection, name: &str, value: &[u8], expected_absent: bool) -> Done {
    if expected_absent {
        let sql = "INSERT INTO house (name, value) VALUES (?1, ?2)";
        return insert(on, sql, (name, value), Conflict::Exists);
    }
    change(
        on,
        "INSERT INTO house (name, value) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        (name, value),
        Conflict::Constraint,
    )
}
