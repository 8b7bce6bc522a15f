//! Columns to values. A number that this version does not know is a row that it cannot read, never a guess.

use crate::rows::{EpochState, JobState, LimitKind, PersonState, PrincipalState, Sealed, SubKeyKind};
use model::Timestamp;
use model::consent::ConsentState;
use model::principal::Role;
use model::tenant::TenantState;
use rusqlite::types::{FromSql, Type};
use rusqlite::{Error, Result, Row};

/// A value that stands as a small number in its column.
pub(super) trait Coded: Sized + Copy + 'static {
    const ALL: &'static [Self];
    fn code(self) -> u8;
}

macro_rules! coded {
    ($($kind:ident { $($variant:ident),* })*) => {
        $(impl Coded for $kind {
            const ALL: &'static [Self] = &[$(Self::$variant),*];
            fn code(self) -> u8 {
                // A match, so that a new variant is a compile error here and not an unreadable row.
                match self {
                    $(Self::$variant => Self::$variant as u8),*
                }
            }
        })*
    };
}

coded! {
    TenantState { Active, Notice, Retrieval, Closing, Closed }
    SubKeyKind { Metadata, Index, Period }
    PersonState { Live, Erased, Provisional }
    ConsentState {
        Requested, Deferred, Refused, Given, Renewed, Withdrawn, Expired, Terminated, Invalidated
    }
    LimitKind { Restriction, Objection, Hold }
    Role { App, Operations, CaseManager, PrivacyOfficer, Security, Auditor, Admin, Person, System }
    PrincipalState { Active, Revoked }
    EpochState { Active, Retiring, Destroyed }
    JobState { Queued, Failed }
}

pub(super) fn coded<T: Coded>(row: &Row<'_>, column: usize) -> Result<T> {
    let number: i64 = row.get(column)?;
    let known = T::ALL.iter().find(|value| i64::from(value.code()) == number);
    known.copied().ok_or(Error::IntegralValueOutOfRange(column, number))
}

pub(super) fn time(row: &Row<'_>, column: usize) -> Result<Timestamp> {
    row.get(column).map(Timestamp)
}

pub(super) fn maybe_time(row: &Row<'_>, column: usize) -> Result<Option<Timestamp>> {
    Ok(row.get::<_, Option<i64>>(column)?.map(Timestamp))
}

pub(super) fn sealed(row: &Row<'_>, column: usize) -> Result<Sealed> {
    row.get(column).map(Sealed)
}

pub(super) fn maybe_sealed(row: &Row<'_>, column: usize) -> Result<Option<Sealed>> {
    Ok(row.get::<_, Option<Vec<u8>>>(column)?.map(Sealed))
}

pub(super) fn id<T>(row: &Row<'_>, column: usize, make: fn([u8; 16]) -> T) -> Result<T> {
    row.get(column).map(make)
}

pub(super) fn maybe<T, F: FromSql>(row: &Row<'_>, column: usize, make: fn(F) -> T) -> Result<Option<T>> {
    Ok(row.get::<_, Option<F>>(column)?.map(make))
}

/// A count that is never negative.
pub(super) fn unsigned(row: &Row<'_>, column: usize) -> Result<u64> {
    let number: i64 = row.get(column)?;
    u64::try_from(number)
        .map_err(|error| Error::FromSqlConversionFailure(column, Type::Integer, Box::new(error)))
}
