//! Consents, limits, and who acts.

use super::Done;
use crate::error::Conflict;
use crate::rows::{ConsentRow, LimitKind, LimitRow, PrincipalRow, PrincipalState};
use crate::sqlite::decode::Coded;
use crate::sqlite::statement::{change, execute, find, insert};
use model::{ConsentId, FieldId, PersonId, PrincipalId, PurposeId, TenantId, Timestamp};
use rusqlite::{Connection, ToSql, params};

type Who = (TenantId, PersonId);

pub(super) fn insert_consent(on: &Connection, row: &ConsentRow) -> Done {
    insert(
        on,
        "INSERT INTO consent (tenant, consent, person, purpose, recipient, state, version, explicit, until_ms,
         notice, notice_version, event, changed_ms, edition)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
        params![
            row.tenant.0,
            row.consent.0,
            row.person.0,
            row.purpose.0,
            row.recipient.0,
            row.state.code(),
            row.version,
            row.explicit,
            row.until.map(|until| until.0),
            row.notice.0,
            row.notice_version,
            row.event,
            row.changed.0,
            row.edition
        ],
        Conflict::Exists,
    )
}

/// `new` is: tenant, consent, expected version, state, explicit, until, notice, its version, event, changed.
pub(super) fn update_consent(
    on: &Connection,
    tenant: TenantId,
    consent: ConsentId,
    new: &[&dyn ToSql],
) -> Done {
    let changed = execute(
        on,
        "UPDATE consent SET version = version + 1, state = ?4, explicit = ?5, until_ms = ?6, notice = ?7,
         notice_version = ?8, event = ?9, changed_ms = ?10
         WHERE tenant = ?1 AND consent = ?2 AND version = ?3",
        new,
    )?;
    if changed == 1 {
        return Ok(());
    }
    let sql = "SELECT 1 FROM consent WHERE tenant = ?1 AND consent = ?2";
    let found = find(on, sql, (tenant.0, consent.0), |_| Ok(()))?;
    Err(if found.is_some() { Conflict::ConsentVersion } else { Conflict::Missing }.into())
}

pub(super) fn delete_consents(on: &Connection, who: Who) -> Done {
    execute(on, "DELETE FROM consent WHERE tenant = ?1 AND person = ?2", (who.0.0, who.1.0)).map(drop)
}

pub(super) fn insert_limit(on: &Connection, row: &LimitRow) -> Done {
    insert(
        on,
        "INSERT INTO person_limit (tenant, person, kind, field, purpose, set_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        (row.tenant.0, row.person.0, row.kind.code(), row.field.0, row.purpose.0, row.set.0),
        Conflict::Exists,
    )
}

pub(super) fn delete_limit(
    on: &Connection,
    who: Who,
    kind: LimitKind,
    field: FieldId,
    purpose: PurposeId,
) -> Done {
    change(
        on,
        "DELETE FROM person_limit WHERE tenant = ?1 AND person = ?2 AND kind = ?3 AND field = ?4 AND purpose = ?5",
        (who.0.0, who.1.0, kind.code(), field.0, purpose.0),
        Conflict::Missing,
    )
}

pub(super) fn delete_limits(on: &Connection, who: Who) -> Done {
    execute(on, "DELETE FROM person_limit WHERE tenant = ?1 AND person = ?2", (who.0.0, who.1.0)).map(drop)
}

pub(super) fn insert_principal(on: &Connection, row: &PrincipalRow) -> Done {
    insert(
        on,
        "INSERT INTO principal (key_hash, principal, tenant, role, state, subject, expires_ms, zone,
         wrapped_log_secret, version) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
        params![
            row.key_hash,
            row.principal.0,
            row.tenant.0,
            row.role.code(),
            row.state.code(),
            row.subject.map(|subject| subject.0),
            row.expires.map(|expires| expires.0),
            row.zone.as_ref().map(|zone| &zone.0),
            row.wrapped_log_secret.0,
            row.version
        ],
        Conflict::PrincipalExists,
    )
}

pub(super) fn set_principal_state(
    on: &Connection,
    tenant: TenantId,
    principal: PrincipalId,
    expected: u32,
    state: PrincipalState,
) -> Done {
    let changed = execute(
        on,
        "UPDATE principal SET state = ?4, version = version + 1
         WHERE tenant = ?1 AND principal = ?2 AND version = ?3",
        (tenant.0, principal.0, expected, state.code()),
    )?;
    if changed == 1 {
        return Ok(());
    }
    let sql = "SELECT 1 FROM principal WHERE tenant = ?1 AND principal = ?2";
    let found = find(on, sql, (tenant.0, principal.0), |_| Ok(()))?;
    Err(if found.is_some() { Conflict::PrincipalVersion } else { Conflict::Missing }.into())
}

pub(super) fn require_principal(
    on: &Connection,
    tenant: TenantId,
    principal: PrincipalId,
    at: Timestamp,
) -> Done {
    let active = find(
        on,
        "SELECT 1 FROM principal WHERE tenant = ?1 AND principal = ?2 AND state = ?3
         AND (expires_ms IS NULL OR expires_ms > ?4)",
        (tenant.0, principal.0, PrincipalState::Active.code(), at.0),
        |_| Ok(()),
    )?;
    active.ok_or_else(|| Conflict::PrincipalInactive.into())
}

pub(super) fn delete_principals(on: &Connection, who: Who) -> Done {
    execute(on, "DELETE FROM principal WHERE tenant = ?1 AND subject = ?2", (who.0.0, who.1.0)).map(drop)
}
