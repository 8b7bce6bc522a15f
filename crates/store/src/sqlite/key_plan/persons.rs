//! Persons, what finds them, what stands for them.

use super::Done;
use super::tenants::takes_rows;
use crate::error::Conflict;
use crate::ops::Wrap;
use crate::rows::{IndexRow, PersonRow, PersonState, Sealed, TokenRow};
use crate::sqlite::cells::{self, Cell};
use crate::sqlite::decode::{Coded, coded, maybe};
use crate::sqlite::fault::Ended;
use crate::sqlite::statement::{change, execute, find, insert};
use model::{FieldId, PersonId, TenantId};
use rusqlite::Connection;

/// Whose person, and which.
type Who = (TenantId, PersonId);

/// What a precondition is checked against.
struct Stored {
    version: u32,
    state: PersonState,
    epoch: u32,
    cell: Option<Cell>,
}

fn stored(on: &Connection, who: Who, expected: u32) -> Result<Stored, Ended> {
    let row = find(
        on,
        "SELECT version, state, epoch, cell FROM person WHERE tenant = ?1 AND person = ?2",
        (who.0.0, who.1.0),
        |row| {
            let (state, cell) = (coded(row, 1)?, maybe(row, 3, Cell)?);
            Ok(Stored { version: row.get(0)?, state, epoch: row.get(2)?, cell })
        },
    )?;
    match row {
        None => Err(Conflict::Missing.into()),
        Some(row) if row.version != expected => Err(Conflict::PersonVersion.into()),
        Some(row) => Ok(row),
    }
}

pub(super) fn insert_person(on: &Connection, row: &PersonRow) -> Done {
    takes_rows(on, row.tenant, row.epoch)?;
    let cell = row.wrapped.as_ref().map(|wrapped| cells::take(on, &wrapped.0)).transpose()?;
    insert(
        on,
        "INSERT INTO person (tenant, person, state, version, epoch, flags, created_ms, cell)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        (
            row.tenant.0,
            row.person.0,
            row.state.code(),
            row.version,
            row.epoch,
            row.flags,
            row.created.0,
            cell.map(|cell| cell.0),
        ),
        Conflict::PersonExists,
    )
}

pub(super) fn update_person(
    on: &Connection,
    who: Who,
    expected: u32,
    state: Option<PersonState>,
    flags: Option<u32>,
    wrap: &Wrap,
) -> Done {
    let old = stored(on, who, expected)?;
    let new_state = state.unwrap_or(old.state);
    if old.state == PersonState::Erased
        && (new_state != PersonState::Erased || matches!(wrap, Wrap::Set { .. }))
    {
        return Err(Conflict::PersonErased.into());
    }
    // Carried over meanwhile: the new wrap would lead back to an epoch that may be destroyed in the next moment, and an
    // erasure would name one that has no part in it any more.
    if let Wrap::Set { epoch, .. } | Wrap::Erase { epoch } = wrap
        && *epoch != old.epoch
    {
        return Err(Conflict::PersonVersion.into());
    }
    let cell = match wrap {
        Wrap::Keep => old.cell,
        Wrap::Set { wrapped, .. } => Some(put(on, old.cell, wrapped)?),
        Wrap::Erase { .. } => {
            old.cell.map(|cell| cells::clear(on, cell)).transpose()?;
            None
        }
    };
    // Columns of the index by epoch are named only when they change, to spare the index.
    if cell == old.cell {
        return change(
            on,
            "UPDATE person SET version = version + 1, state = ?3, flags = coalesce(?4, flags)
             WHERE tenant = ?1 AND person = ?2",
            (who.0.0, who.1.0, new_state.code(), flags),
            Conflict::Missing,
        );
    }
    change(
        on,
        "UPDATE person SET version = version + 1, state = ?3, flags = coalesce(?4, flags), cell = ?5
         WHERE tenant = ?1 AND person = ?2",
        (who.0.0, who.1.0, new_state.code(), flags, cell.map(|cell| cell.0)),
        Conflict::Missing,
    )
}

/// A row without a key has none to be replaced; only an erased row is so, and it takes none.
fn put(on: &Connection, cell: Option<Cell>, wrapped: &Sealed) -> Result<Cell, Ended> {
    cells::replace(on, cell.ok_or(Conflict::PersonErased)?, &wrapped.0)
}

pub(super) fn bump_person(on: &Connection, who: Who, expected: u32) -> Done {
    stored(on, who, expected)?;
    change(
        on,
        "UPDATE person SET version = version + 1 WHERE tenant = ?1 AND person = ?2",
        (who.0.0, who.1.0),
        Conflict::Missing,
    )
}

pub(super) fn forget_person(on: &Connection, who: Who, expected: u32) -> Done {
    let old = stored(on, who, expected)?;
    if old.state != PersonState::Provisional {
        return Err(Conflict::PersonState.into());
    }
    old.cell.map(|cell| cells::clear(on, cell)).transpose()?;
    change(on, "DELETE FROM person WHERE tenant = ?1 AND person = ?2", (who.0.0, who.1.0), Conflict::Missing)
}

pub(super) fn rewrap_person(
    on: &Connection,
    who: Who,
    expected: (u32, u32),
    epoch: u32,
    wrapped: &Sealed,
) -> Done {
    let old = stored(on, who, expected.0)?;
    if old.state == PersonState::Erased {
        return Err(Conflict::PersonErased.into());
    }
    if old.epoch != expected.1 {
        return Err(Conflict::PersonVersion.into());
    }
    takes_rows(on, who.0, epoch)?;
    let cell = put(on, old.cell, wrapped)?;
    change(
        on,
        "UPDATE person SET epoch = ?3, cell = ?4 WHERE tenant = ?1 AND person = ?2",
        (who.0.0, who.1.0, epoch, cell.0),
        Conflict::Missing,
    )
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
