//! Persons, what finds them, what stands for them.

use super::Done;
use crate::error::Conflict;
use crate::ops::Wrap;
use crate::rows::{IndexRow, PersonRow, PersonState, Sealed, TokenRow};
use crate::sqlite::decode::{Coded, coded};
use crate::sqlite::fault::Ended;
use crate::sqlite::statement::{execute, find, insert};
use model::{FieldId, PersonId, TenantId};
use rusqlite::{Connection, params};

/// Whose person, and which.
type Who = (TenantId, PersonId);

pub(super) fn insert_person(on: &Connection, row: &PersonRow) -> Done {
    insert(
        on,
        "INSERT INTO person (tenant, person, state, version, epoch, flags, created_ms, wrapped)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        params![
            row.tenant.0,
            row.person.0,
            row.state.code(),
            row.version,
            row.epoch,
            row.flags,
            row.created.0,
            row.wrapped.as_ref().map(|wrapped| &wrapped.0)
        ],
        Conflict::PersonExists,
    )
}

/// Three statements, since one that touches `wrapped` has to keep the index by epoch as well.
pub(super) fn update_person(
    on: &Connection,
    who: Who,
    expected: u32,
    state: Option<PersonState>,
    flags: Option<u32>,
    wrap: &Wrap,
) -> Done {
    let (tenant, person) = who;
    let state = state.map(Coded::code);
    let changed = match wrap {
        Wrap::Keep => execute(
            on,
            "UPDATE person SET version = version + 1, state = coalesce(?4, state), flags = coalesce(?5, flags)
             WHERE tenant = ?1 AND person = ?2 AND version = ?3 AND (state <> 2 OR coalesce(?4, 2) = 2)",
            (tenant.0, person.0, expected, state, flags),
        )?,
        Wrap::Set { epoch, wrapped } => execute(
            on,
            "UPDATE person SET version = version + 1, state = coalesce(?4, state), flags = coalesce(?5, flags),
             epoch = ?6, wrapped = ?7
             WHERE tenant = ?1 AND person = ?2 AND version = ?3 AND state <> 2",
            (tenant.0, person.0, expected, state, flags, epoch, &wrapped.0),
        )?,
        Wrap::Erase => execute(
            on,
            "UPDATE person SET version = version + 1, state = coalesce(?4, state), flags = coalesce(?5, flags),
             wrapped = NULL
             WHERE tenant = ?1 AND person = ?2 AND version = ?3 AND state <> 2",
            (tenant.0, person.0, expected, state, flags),
        )?,
    };
    explain(on, who, expected, changed)
}

pub(super) fn bump_person(on: &Connection, who: Who, expected: u32) -> Done {
    let changed = execute(
        on,
        "UPDATE person SET version = version + 1 WHERE tenant = ?1 AND person = ?2 AND version = ?3",
        (who.0.0, who.1.0, expected),
    )?;
    explain(on, who, expected, changed)
}

pub(super) fn rewrap_person(
    on: &Connection,
    who: Who,
    expected: (u32, u32),
    epoch: u32,
    wrapped: &Sealed,
) -> Done {
    let changed = execute(
        on,
        "UPDATE person SET epoch = ?5, wrapped = ?6
         WHERE tenant = ?1 AND person = ?2 AND version = ?3 AND epoch = ?4 AND state <> 2",
        (who.0.0, who.1.0, expected.0, expected.1, epoch, &wrapped.0),
    )?;
    explain(on, who, expected.0, changed)
}

/// Why no row was changed.
fn explain(on: &Connection, who: Who, expected: u32, changed: usize) -> Done {
    if changed == 1 {
        return Ok(());
    }
    let row = find(
        on,
        "SELECT version, state FROM person WHERE tenant = ?1 AND person = ?2",
        (who.0.0, who.1.0),
        |row| Ok((row.get::<_, u32>(0)?, coded::<PersonState>(row, 1)?)),
    )?;
    Err(match row {
        None => Conflict::Missing,
        Some((version, PersonState::Erased)) if version == expected => Conflict::PersonErased,
        Some(_) => Conflict::PersonVersion,
    }
    .into())
}

pub(super) fn insert_index(on: &Connection, row: &IndexRow, unique: bool) -> Done {
    if unique && is_held_by_another(on, row)? {
        return Err(Conflict::IndexTaken.into());
    }
    insert(
        on,
        "INSERT INTO person_index (tenant, number, hash, person) VALUES (?1, ?2, ?3, ?4)",
        (row.tenant.0, row.index.0, row.hash, row.person.0),
        Conflict::Exists,
    )
}

fn is_held_by_another(on: &Connection, row: &IndexRow) -> Result<bool, Ended> {
    let other = find(
        on,
        "SELECT 1 FROM person_index WHERE tenant = ?1 AND number = ?2 AND hash = ?3 AND person <> ?4 LIMIT 1",
        (row.tenant.0, row.index.0, row.hash, row.person.0),
        |_| Ok(()),
    )?;
    Ok(other.is_some())
}

pub(super) fn delete_indexes(on: &Connection, who: Who, index: Option<FieldId>) -> Done {
    execute(
        on,
        "DELETE FROM person_index WHERE tenant = ?1 AND person = ?2 AND (?3 IS NULL OR number = ?3)",
        (who.0.0, who.1.0, index.map(|index| index.0)),
    )
    .map(drop)
}

pub(super) fn insert_token(on: &Connection, row: &TokenRow) -> Done {
    insert(
        on,
        "INSERT INTO token (tenant, token, person, field) VALUES (?1, ?2, ?3, ?4)",
        (row.tenant.0, row.token, row.person.0, row.field.0),
        Conflict::TokenTaken,
    )
}

pub(super) fn delete_tokens(on: &Connection, who: Who, field: Option<FieldId>) -> Done {
    execute(
        on,
        "DELETE FROM token WHERE tenant = ?1 AND person = ?2 AND (?3 IS NULL OR field = ?3)",
        (who.0.0, who.1.0, field.map(|field| field.0)),
    )
    .map(drop)
}
