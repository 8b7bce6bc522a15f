//! Keeps the write-ahead log short: moves what is committed into the file, beside the commits.
//!
//! Moving 16 MiB takes some 50 ms of disk, so it is done by a thread of its own while plans go on. The log can only
//! start anew from its beginning when nothing in it is left to move, which under constant load never happens by
//! itself; so when it has grown to four times that, the writer moves the little that is left between two commits.

use super::connect::{Place, writer};
use crate::error::OpenError;
use parking_lot::{Condvar, Mutex};
use rusqlite::wal::CheckpointMode;
use rusqlite::{Connection, DEFAULT_NAME};
use std::fs::{File, OpenOptions};
use std::sync::Arc;
use std::thread::JoinHandle;

/// Frames of 4 KiB that wake the thread: 16 MiB, so that a page written often is moved once.
const LONG: i32 = 4_096;

/// Frames at which the writer itself lends a hand: 64 MiB. Readers may keep the log from starting anew; then it is
/// tried again after as many frames as wake the thread.
const TOO_LONG: i32 = 4 * LONG;

/// Bytes of the log before its frames, and of a frame (SQLite file format, section 4.1).
const LOG_HEADER: u64 = 32;
const FRAME: u64 = 24 + 4_096;

/// Page cache of the thread's connection, in bytes: it copies pages and looks into none.
const CACHE: usize = 64 << 10;

/// The writer's side of the thread. Ends it when dropped.
pub(super) struct Mover {
    signal: Arc<Signal>,
    thread: Option<JoinHandle<()>>,
    /// Frames at which the writer lends a hand next.
    hand_at: i32,
}

#[derive(Default)]
struct Signal {
    state: Mutex<State>,
    changed: Condvar,
    /// Held while the log is moved: SQLite refuses a second one at the same time rather than let it wait.
    moving: Mutex<()>,
}

#[derive(Default)]
struct State {
    wanted: bool,
    closed: bool,
}

impl Mover {
    pub(super) fn start(place: &Place, name: &str) -> Result<Self, OpenError> {
        let signal = Arc::new(Signal::default());
        let (waiting, place) = (signal.clone(), Place { writer_cache: CACHE, ..place.clone() });
        let thread = std::thread::Builder::new()
            .name(format!("{name}-log"))
            .spawn(move || move_when_wanted(&waiting, &place))
            .map_err(|_| OpenError::Unavailable)?;
        Ok(Self { signal, thread: Some(thread), hand_at: TOO_LONG })
    }

    /// Called by the writer after a commit. Faults are nobody's here: they show again with the next plan, which can
    /// tell somebody.
    pub(super) fn tend(&mut self, on: &Connection) {
        let Ok((frames, moved)) = on.wal_checkpoint_v2(DEFAULT_NAME, CheckpointMode::NOOP) else { return };
        if frames < TOO_LONG {
            self.hand_at = TOO_LONG;
        }
        if frames >= self.hand_at {
            self.hand_at = frames.saturating_add(LONG);
            let _alone = self.signal.moving.lock();
            drop(on.wal_checkpoint_v2(DEFAULT_NAME, CheckpointMode::PASSIVE));
        } else if frames.saturating_sub(moved) >= LONG {
            self.signal.state.lock().wanted = true;
            self.signal.changed.notify_one();
        }
    }
}

impl Drop for Mover {
    fn drop(&mut self) {
        self.signal.state.lock().closed = true;
        self.signal.changed.notify_one();
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

fn move_when_wanted(signal: &Signal, place: &Place) {
    let mut connection = None;
    loop {
        let mut state = signal.state.lock();
        while !state.wanted && !state.closed {
            signal.changed.wait(&mut state);
        }
        if state.closed {
            return;
        }
        state.wanted = false;
        drop(state);
        let _alone = signal.moving.lock();
        connection = connection.take().or_else(|| writer(place, None).ok());
        let done = connection.as_ref().map(|on| on.wal_checkpoint_v2(DEFAULT_NAME, CheckpointMode::PASSIVE));
        if !matches!(done, Some(Ok(_))) {
            connection = None;
        }
    }
}

/// Gives back the room that an undone commit took in the log, so that it does not starve the other file, whose
/// plans (an erasure, a withdrawal) may still fit. Nobody reads frames beyond the last commit, and nobody but the
/// caller, the writer, adds any.
pub(super) fn release_tail(on: &Connection, place: &Place) {
    let Ok((frames, _)) = on.wal_checkpoint_v2(DEFAULT_NAME, CheckpointMode::NOOP) else { return };
    let Ok(frames) = u64::try_from(frames) else { return };
    let used = LOG_HEADER + frames * FRAME;
    let shorten = |log: File| if log.metadata()?.len() > used { log.set_len(used) } else { Ok(()) };
    // What fails here only keeps the room taken until the next checkpoint.
    drop(OpenOptions::new().write(true).open(place.log()).and_then(shorten));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sqlite::connect::create;
    use std::time::Duration;

    fn filled() -> (tempfile::TempDir, Place, Connection) {
        let dir = tempfile::tempdir().unwrap();
        let place = Place { path: dir.path().join("x.db"), writer_cache: 1 << 20, reader_cache: 1 << 20 };
        create(&place.path).unwrap();
        let on = writer(&place, None).unwrap();
        on.execute_batch("CREATE TABLE x (x)").unwrap();
        (dir, place, on)
    }

    fn add(on: &Connection, frames: i32) {
        on.execute("INSERT INTO x VALUES (randomblob(?1))", [i64::from(frames) * 4_096]).unwrap();
    }

    fn log(on: &Connection) -> (i32, i32) {
        on.wal_checkpoint_v2(DEFAULT_NAME, CheckpointMode::NOOP).unwrap()
    }

    #[test]
    fn a_long_log_is_moved_beside_the_commits() {
        let (_dir, place, on) = filled();
        let mut mover = Mover::start(&place, "test").unwrap();
        add(&on, 100);
        mover.tend(&on);
        std::thread::sleep(Duration::from_millis(50));
        assert_eq!(log(&on).1, 0, "control: a short log is left alone");
        add(&on, LONG);
        mover.tend(&on);
        for _ in 0..1_000 {
            let (frames, moved) = log(&on);
            if frames == moved {
                return;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("never moved: {:?}", log(&on));
    }

    #[test]
    fn a_log_that_is_too_long_starts_anew() {
        let (_dir, place, on) = filled();
        let mut mover = Mover::start(&place, "test").unwrap();
        let reader = crate::sqlite::connect::reader(&place, true).unwrap();
        reader.execute_batch("BEGIN; SELECT count(*) FROM x").unwrap();
        add(&on, TOO_LONG);
        mover.tend(&on);
        add(&on, 10);
        assert!(log(&on).0 > TOO_LONG, "control: the reader keeps it");
        reader.execute_batch("COMMIT").unwrap();
        add(&on, LONG);
        mover.tend(&on);
        add(&on, 10);
        assert!(log(&on).0 < 100, "{:?}", log(&on));
    }
}
