//! Small helpers for operations: every statement is prepared once per connection, and rows changed are counted.

use super::fault::{Ended, is_taken};
use crate::error::Conflict;
use rusqlite::{Connection, OptionalExtension, Params, Row};

/// Runs a statement; how many rows it changed.
pub(super) fn execute(on: &Connection, sql: &str, params: impl Params) -> Result<usize, Ended> {
    Ok(on.prepare_cached(sql)?.execute(params)?)
}

/// Inserts one row; a taken key or unique index is this conflict.
pub(super) fn insert(on: &Connection, sql: &str, params: impl Params, taken: Conflict) -> Result<(), Ended> {
    match on.prepare_cached(sql)?.execute(params) {
        Ok(1) => Ok(()),
        Ok(_) => Err(taken.into()),
        Err(error) if is_taken(&error) => Err(taken.into()),
        Err(error) => Err(error.into()),
    }
}

/// Changes exactly one row; none is this conflict.
pub(super) fn change(on: &Connection, sql: &str, params: impl Params, none: Conflict) -> Result<(), Ended> {
    match execute(on, sql, params)? {
        1 => Ok(()),
        _ => Err(none.into()),
    }
}

/// At most one row.
pub(super) fn find<T>(
    on: &Connection,
    sql: &str,
    params: impl Params,
    map: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
) -> Result<Option<T>, Ended> {
    Ok(on.prepare_cached(sql)?.query_row(params, map).optional()?)
}
