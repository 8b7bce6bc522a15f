//! How connections are opened. The settings are DESIGN §8's; each says what it is for.

use super::fault::Fault;
use super::migrate::{Schema, migrate};
use crate::error::OpenError;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};
use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long a connection waits for a lock. Only a start after a crash, when the log is read, holds one for long.
pub(super) const LOCK_WAIT: Duration = Duration::from_secs(5);

/// Statements kept prepared per connection: more than there are, so that none is ever prepared twice.
const STATEMENTS: usize = 96;

/// Page cache of a connection that is opened for one use, in bytes.
const SPARE_CACHE: usize = 256 << 10;

/// Where a file lies and how much cache its connections get.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) path: PathBuf,
    pub(super) writer_cache: usize,
    pub(super) reader_cache: usize,
}

impl Place {
    /// The write-ahead log of the file.
    pub(super) fn log(&self) -> PathBuf {
        let mut name = self.path.as_os_str().to_owned();
        name.push("-wal");
        name.into()
    }
}

/// Makes the file when absent, readable by its owner alone, so that no other mode ever shows.
pub(super) fn create(path: &Path) -> Result<(), OpenError> {
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Ok(_) => sync_folder(path),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(io(&error)),
    }
}

/// Makes a new directory entry durable.
pub(super) fn sync_folder(path: &Path) -> Result<(), OpenError> {
    let folder = path.parent().unwrap_or(Path::new("."));
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(|error| io(&error))
}

pub(super) fn io(error: &std::io::Error) -> OpenError {
    match error.kind() {
        std::io::ErrorKind::StorageFull => OpenError::Full,
        _ => OpenError::Unavailable,
    }
}

/// The one connection that writes; it migrates when `schema` is given.
pub(super) fn writer(place: &Place, schema: Option<&Schema>) -> Result<Connection, OpenError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(&place.path, flags).map_err(Fault::from)?;
    settle(&connection, place.writer_cache).map_err(Fault::from)?;
    write_settings(&connection).map_err(Fault::from)?;
    if let Some(schema) = schema {
        migrate(&mut connection, schema)?;
    }
    Ok(connection)
}

fn write_settings(connection: &Connection) -> rusqlite::Result<()> {
    connection.pragma_update(None, "page_size", 4096)?;
    connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
    // An acknowledged commit survives a loss of power.
    connection.pragma_update(None, "synchronous", "FULL")?;
    // What is deleted or overwritten leaves zeros, not yesterday's keys.
    connection.pragma_update_and_check(None, "secure_delete", "ON", |_| Ok(()))?;
    // The writer checkpoints between two commits, after it has answered those that wait.
    connection.pragma_update_and_check(None, "wal_autocheckpoint", 0, |_| Ok(()))
}

/// A connection that reads; a spare one has little cache.
pub(super) fn reader(place: &Place, spare: bool) -> Result<Connection, Fault> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(&place.path, flags)?;
    settle(&connection, if spare { SPARE_CACHE } else { place.reader_cache })?;
    Ok(connection)
}

fn settle(connection: &Connection, cache: usize) -> rusqlite::Result<()> {
    connection.busy_timeout(LOCK_WAIT)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    // A crafted file must not run code through its schema.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    // The plan of a statement does not hang on the values bound, so none is made anew while it runs.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.pragma_update(None, "cell_size_check", "ON")?;
    // Nothing that is sorted or undone spills to a temporary file.
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    connection.pragma_update_and_check(None, "mmap_size", 0, |_| Ok(())).or_else(none)?;
    connection.pragma_update(None, "cache_size", -i64::try_from(cache / 1024).unwrap_or(2048))
}

/// A setting that a build without the feature answers with no row.
fn none(error: rusqlite::Error) -> rusqlite::Result<()> {
    match error {
        rusqlite::Error::QueryReturnedNoRows => Ok(()),
        error => Err(error),
    }
}
