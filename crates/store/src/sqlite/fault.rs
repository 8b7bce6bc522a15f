//! What SQLite's result codes mean for a caller.

use crate::error::{ApplyError, Conflict, OpenError, StoreError};
use rusqlite::{Error, ErrorCode, ffi};

/// Why the storage could not do what it was asked to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) kind: FaultKind,
    /// The extended result code; 0 where SQLite gave none.
    pub(super) code: i32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FaultKind {
    /// No space is left.
    Full,
    /// A checkpoint ended the read.
    Interrupted,
    /// A row is not of the expected form.
    Row,
    /// The file is damaged or no database.
    Damaged,
    /// Anything else.
    Unavailable,
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        let code = match &error {
            Error::SqliteFailure(failure, _) => failure.extended_code,
            _ => 0,
        };
        let kind = match error {
            Error::SqliteFailure(failure, _) => kind(&failure),
            Error::FromSqlConversionFailure(..)
            | Error::IntegralValueOutOfRange(..)
            | Error::InvalidColumnType(..)
            | Error::Utf8Error(..) => FaultKind::Row,
            _ => FaultKind::Unavailable,
        };
        Self { kind, code }
    }
}

fn kind(failure: &ffi::Error) -> FaultKind {
    match failure.code {
        // The shared-memory index of the log is grown page by page; there a full file system shows as this.
        _ if failure.extended_code == ffi::SQLITE_IOERR_SHMSIZE => FaultKind::Full,
        ErrorCode::DiskFull => FaultKind::Full,
        ErrorCode::OperationInterrupted => FaultKind::Interrupted,
        ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => FaultKind::Damaged,
        _ => FaultKind::Unavailable,
    }
}

impl From<Fault> for ApplyError {
    fn from(fault: Fault) -> Self {
        match fault.kind {
            FaultKind::Full => Self::Full,
            _ => Self::Unavailable,
        }
    }
}

impl From<Fault> for StoreError {
    fn from(fault: Fault) -> Self {
        match fault.kind {
            FaultKind::Interrupted => Self::Interrupted,
            FaultKind::Row | FaultKind::Damaged => Self::Corrupt,
            FaultKind::Full | FaultKind::Unavailable => Self::Unavailable,
        }
    }
}

impl From<Fault> for OpenError {
    fn from(fault: Fault) -> Self {
        match fault.kind {
            FaultKind::Full => Self::Full,
            FaultKind::Row | FaultKind::Damaged => Self::Damaged,
            FaultKind::Interrupted | FaultKind::Unavailable => Self::Unavailable,
        }
    }
}

/// What ends a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    /// A precondition: this plan alone is undone.
    Conflict(Conflict),
    /// The storage: the whole commit is undone.
    Fault(Fault),
}

impl From<Conflict> for Ended {
    fn from(conflict: Conflict) -> Self {
        Self::Conflict(conflict)
    }
}

impl From<Error> for Ended {
    /// A rule of the schema that the operation did not name is a mistake in the plan, not a fault of the storage.
    fn from(error: Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::ConstraintViolation) => Self::Conflict(Conflict::Constraint),
            _ => Self::Fault(error.into()),
        }
    }
}

/// Whether a key or a unique index was taken.
pub(super) fn is_taken(error: &Error) -> bool {
    let Error::SqliteFailure(failure, _) = error else { return false };
    matches!(
        failure.extended_code,
        ffi::SQLITE_CONSTRAINT_PRIMARYKEY | ffi::SQLITE_CONSTRAINT_UNIQUE | ffi::SQLITE_CONSTRAINT_ROWID
    )
}
