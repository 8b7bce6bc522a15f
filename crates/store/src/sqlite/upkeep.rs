//! Checkpoints, checks, figures, copies.

use super::connect::{Place, reader, sync_folder};
use super::engine::{Engine, Side};
use super::fault::Fault;
use super::writer::Plans;
use crate::error::StoreError;
use crate::store::{FileSizes, Integrity};
use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::{Duration, Instant};

/// How long a read may stand in the way of a checkpoint.
const READ_GRACE: Duration = Duration::from_secs(2);

/// How long plans may pass between two tries.
const PAUSE: Duration = Duration::from_millis(10);

impl Engine {
    pub(crate) fn checkpoint_truncate(&self, deadline: Duration) -> Result<(), StoreError> {
        let end = Instant::now() + deadline;
        truncate(&self.keys, end)?;
        truncate(&self.data, end)
    }

    pub(crate) fn integrity(&self) -> Result<Integrity, StoreError> {
        Ok(Integrity { keys: is_sound(&self.keys.place)?, data: is_sound(&self.data.place)? })
    }

    pub(crate) fn sizes(&self) -> Result<FileSizes, StoreError> {
        Ok(FileSizes {
            keys: size(&self.keys.place.path)?,
            keys_log: size(&self.keys.place.log())?,
            data: size(&self.data.place.path)?,
            data_log: size(&self.data.place.log())?,
        })
    }

    pub(crate) fn backup_data(&self, path: &Path) -> Result<(), StoreError> {
        let unavailable = |_| StoreError::Unavailable;
        let target = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
        let target = target.map_err(unavailable)?;
        let copied = copy(&self.data.place, path)
            .and_then(|()| target.sync_all().map_err(unavailable))
            .and_then(|()| sync_folder(path).map_err(|_| StoreError::Unavailable));
        if copied.is_err() {
            // Half a copy helps nobody; the first reason is the one to report.
            drop(std::fs::remove_file(path));
        }
        copied
    }
}

/// Tries until the log is empty. Reads that were under way for the whole grace are ended, so that none can keep
/// the bytes of an erased key in the log.
fn truncate<F: Plans>(side: &Side<F>, end: Instant) -> Result<(), StoreError> {
    let mut seen = side.pool.under_way();
    let mut since = Instant::now();
    loop {
        if side.writer.truncate()? {
            return Ok(());
        }
        if Instant::now() >= end {
            return Err(StoreError::Busy);
        }
        if since.elapsed() >= READ_GRACE {
            seen.iter().for_each(|read| read.end());
            seen = side.pool.under_way();
            since = Instant::now();
        }
        std::thread::sleep(PAUSE);
    }
}

fn is_sound(place: &Place) -> Result<bool, StoreError> {
    let connection = reader(place, true)?;
    let verdict = connection.query_row("PRAGMA quick_check(1)", (), |row| row.get::<_, String>(0));
    match verdict.map_err(Fault::from) {
        Ok(verdict) => Ok(verdict == "ok"),
        Err(fault) => match StoreError::from(fault) {
            StoreError::Corrupt => Ok(false),
            other => Err(other),
        },
    }
}

fn copy(place: &Place, path: &Path) -> Result<(), StoreError> {
    let path = path.to_str().ok_or(StoreError::Unavailable)?;
    let connection = reader(place, true)?;
    connection.execute("VACUUM INTO ?1", [path]).map_err(Fault::from)?;
    Ok(())
}

/// In bytes; a log that is not there has none. Asked by path: to open and close a database file would let go of
/// the locks that SQLite holds on it (POSIX locks belong to the process).
fn size(path: &Path) -> Result<u64, StoreError> {
    match std::fs::metadata(path) {
        Ok(metadata) => Ok(metadata.len()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(0),
        Err(_) => Err(StoreError::Unavailable),
    }
}
