//! Read-only connections of one file, and the one that a snapshot holds.
//!
//! The connection used last is handed out first, since its page cache is warm. When all are in use another one is
//! opened for a while rather than making a thread wait, which could wait for itself.

use super::connect::{Place, reader};
use super::fault::{Fault, FaultKind};
use crate::error::StoreError;
use parking_lot::Mutex;
use rusqlite::{Connection, InterruptHandle, Params, Row};
use std::cell::OnceCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

/// Connections that may be open at the same time.
const OPEN_LIMIT: usize = 128;

/// Read connections of one file.
pub(super) struct Pool {
    place: Place,
    /// How many are kept when idle.
    keep: usize,
    idle: Mutex<Vec<Reader>>,
    /// One per open connection, for a checkpoint that wants to end old reads.
    uses: Mutex<Vec<Arc<Use>>>,
    open: AtomicUsize,
    closed: AtomicBool,
}

/// A connection and what is known of its use.
struct Reader {
    connection: Connection,
    usage: Arc<Use>,
    /// Opened because all others were in use: with little cache, and closed after its one use.
    spare: bool,
}

/// Counts the beginnings and ends of reads on one connection: odd while it is read from.
struct Use {
    turn: AtomicU64,
    /// The turn that a checkpoint has ended; never an even one but the initial 0.
    ended: AtomicU64,
    interrupt: InterruptHandle,
}

/// A read that was under way at some moment.
pub(super) struct UnderWay {
    usage: Arc<Use>,
    turn: u64,
}

impl Pool {
    pub(super) fn new(place: Place, keep: usize) -> Self {
        Self {
            place,
            keep,
            idle: Mutex::new(Vec::new()),
            uses: Mutex::new(Vec::new()),
            open: AtomicUsize::new(0),
            closed: AtomicBool::new(false),
        }
    }

    fn take(&self) -> Result<Reader, StoreError> {
        if self.closed.load(Ordering::Acquire) {
            return Err(StoreError::Closed);
        }
        let idle = self.idle.lock().pop();
        match idle {
            Some(reader) => Ok(reader),
            None => self.open(),
        }
    }

    fn open(&self) -> Result<Reader, StoreError> {
        let others = self.open.fetch_add(1, Ordering::Relaxed);
        if others >= OPEN_LIMIT {
            self.open.fetch_sub(1, Ordering::Relaxed);
            return Err(StoreError::Busy);
        }
        let spare = others >= self.keep;
        match reader(&self.place, spare) {
            Ok(connection) => {
                let interrupt = connection.get_interrupt_handle();
                let usage = Arc::new(Use { turn: AtomicU64::new(0), ended: AtomicU64::new(0), interrupt });
                self.uses.lock().push(usage.clone());
                Ok(Reader { connection, usage, spare })
            }
            Err(fault) => {
                self.open.fetch_sub(1, Ordering::Relaxed);
                Err(fault.into())
            }
        }
    }

    fn give_back(&self, reader: Reader) {
        let mut idle = self.idle.lock();
        if !reader.spare && !self.closed.load(Ordering::Acquire) {
            idle.push(reader);
        } else {
            drop(idle);
            self.discard(&reader);
        }
    }

    fn discard(&self, reader: &Reader) {
        self.uses.lock().retain(|usage| !Arc::ptr_eq(usage, &reader.usage));
        self.open.fetch_sub(1, Ordering::Relaxed);
    }

    /// The reads that are under way now.
    pub(super) fn under_way(&self) -> Vec<UnderWay> {
        let uses = self.uses.lock();
        let turns = uses.iter().map(|usage| (usage, usage.turn.load(Ordering::Acquire)));
        turns
            .filter(|(_, turn)| turn % 2 == 1)
            .map(|(usage, turn)| UnderWay { usage: usage.clone(), turn })
            .collect()
    }

    /// Hands out nothing more and closes what is idle.
    pub(super) fn close(&self) {
        self.closed.store(true, Ordering::Release);
        let idle = std::mem::take(&mut *self.idle.lock());
        for reader in &idle {
            self.discard(reader);
        }
    }
}

impl UnderWay {
    /// Ends the read if it is still the same one.
    pub(super) fn end(&self) {
        if self.usage.turn.load(Ordering::Acquire) == self.turn {
            self.usage.ended.store(self.turn, Ordering::Release);
            self.usage.interrupt.interrupt();
        }
    }
}

/// One file as of one moment: that of the first read.
pub(super) struct View {
    pool: Arc<Pool>,
    held: OnceCell<Reader>,
}

impl View {
    pub(super) fn new(pool: &Arc<Pool>) -> Self {
        Self { pool: pool.clone(), held: OnceCell::new() }
    }

    fn reader(&self) -> Result<&Connection, StoreError> {
        let reader = match self.held.get() {
            Some(reader) => reader,
            None => {
                let reader = self.pool.take()?;
                if let Err(fault) = begin(&reader) {
                    self.pool.discard(&reader);
                    return Err(fault.into());
                }
                self.held.get_or_init(|| reader)
            }
        };
        let usage = &reader.usage;
        if usage.ended.load(Ordering::Acquire) == usage.turn.load(Ordering::Relaxed) {
            return Err(StoreError::Interrupted);
        }
        Ok(&reader.connection)
    }

    /// The connection itself, for a test that counts what it does.
    #[cfg(test)]
    pub(super) fn connection_mut(&mut self) -> &mut Connection {
        self.reader().unwrap();
        &mut self.held.get_mut().unwrap().connection
    }

    /// At most one row.
    pub(super) fn one<T>(
        &self,
        sql: &str,
        params: impl Params,
        map: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Option<T>, StoreError> {
        let connection = self.reader()?;
        let row = || {
            let mut statement = connection.prepare_cached(sql)?;
            let mut rows = statement.query(params)?;
            rows.next()?.map(map).transpose()
        };
        row().map_err(|error| Fault::from(error).into())
    }

    /// All rows.
    pub(super) fn many<T>(
        &self,
        sql: &str,
        params: impl Params,
        map: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>, StoreError> {
        let connection = self.reader()?;
        let rows =
            || connection.prepare_cached(sql)?.query_map(params, map)?.collect::<rusqlite::Result<_>>();
        rows().map_err(|error| Fault::from(error).into())
    }

    /// A number that a statement counts.
    pub(super) fn count(&self, sql: &str, params: impl Params) -> Result<u64, StoreError> {
        let count = self.one(sql, params, |row| row.get::<_, i64>(0))?;
        u64::try_from(count.unwrap_or(0)).map_err(|_| StoreError::Corrupt)
    }
}

impl Drop for View {
    fn drop(&mut self) {
        let Some(reader) = self.held.take() else { return };
        let ended = step(&reader.connection, "COMMIT");
        reader.usage.turn.fetch_add(1, Ordering::AcqRel);
        match ended {
            Ok(()) => self.pool.give_back(reader),
            Err(_) => self.pool.discard(&reader),
        }
    }
}

/// Begins a read; its moment is that of the first statement after it.
fn begin(reader: &Reader) -> Result<(), Fault> {
    reader.usage.turn.fetch_add(1, Ordering::AcqRel);
    match step(&reader.connection, "BEGIN") {
        Err(fault) if fault.kind == FaultKind::Interrupted => step(&reader.connection, "BEGIN"),
        done => done,
    }
}

fn step(on: &Connection, sql: &str) -> Result<(), Fault> {
    on.prepare_cached(sql)?.execute(())?;
    Ok(())
}
