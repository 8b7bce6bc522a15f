//! The thread that counts and writes. It alone touches the files; what pages ask for it shares under two short locks.

use super::counts::Counts;
use super::log::Writer;
use super::plain::plain;
use super::sampling::Sampling;
use super::tally::{MINUTE_MS, Pending};
use super::{Attack, Shared};
use model::Clock;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender};
use std::time::Duration;

/// What the thread is told.
pub(super) enum Command {
    /// An event happened.
    Seen(Box<Attack>),
    /// Write all, then answer.
    Flush(SyncSender<()>),
    /// Write all and end.
    Stop,
}

/// How often the thread looks at the clock when nothing happens.
const TICK: Duration = Duration::from_secs(1);
/// How often counts are written, in milliseconds.
const WRITE_MS: i64 = 5_000;
/// How often what was written is made to outlast a loss of power, in milliseconds.
const SYNC_MS: i64 = 1_000;

/// The thread's own.
pub(super) struct Worker {
    shared: Arc<Shared>,
    clock: Arc<dyn Clock>,
    writer: Writer,
    counts: Counts,
    sampling: Sampling,
    pending: Pending,
    minute: i64,
    written_at: i64,
    synced_at: i64,
}

impl Worker {
    /// Reads what lies in the folder into `shared`.
    pub(super) fn open(folder: &Path, clock: Arc<dyn Clock>, shared: Arc<Shared>) -> io::Result<Self> {
        use std::os::unix::fs::DirBuilderExt;
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        let now = clock.now().0;
        let minute = now.div_euclid(MINUTE_MS);
        let (mut tallies, mut log) = (shared.tallies.lock(), shared.log.lock());
        let (counts, damaged) = Counts::open(folder, &mut tallies, minute)?;
        let (writer, more) = Writer::open(folder, &mut log, |attack| tallies.remember(attack))?;
        shared.lost.damaged.store(damaged + more, Ordering::Relaxed);
        drop((tallies, log));
        let (sampling, pending) = (Sampling::default(), Pending::default());
        Ok(Self { shared, clock, writer, counts, sampling, pending, minute, written_at: now, synced_at: now })
    }

    /// Runs until it is told to stop.
    pub(super) fn run(mut self, commands: &Receiver<Command>) {
        loop {
            let command = commands.recv_timeout(TICK);
            self.tick();
            match command {
                Ok(Command::Seen(attack)) => self.take(*attack),
                Ok(Command::Flush(done)) => {
                    self.finish();
                    // Who asked may have gone.
                    let _ = done.send(());
                }
                Err(RecvTimeoutError::Timeout) => {}
                Ok(Command::Stop) | Err(RecvTimeoutError::Disconnected) => return self.finish(),
            }
        }
    }

    fn take(&mut self, attack: Attack) {
        let attack = plain(attack);
        self.shared.tallies.lock().count(self.minute, &attack, &mut self.pending);
        if !self.sampling.keeps(self.minute, &attack) {
            self.shared.lost.sampled.fetch_add(1, Ordering::Relaxed);
        } else if self.writer.append(&attack, &self.shared.log).is_err() {
            self.missed();
        }
    }

    /// Looks at the clock: what is due is written, and a new minute begins.
    fn tick(&mut self) {
        let now = self.clock.now().0;
        // A clock that was set back leaves what comes in the minute that was reached.
        let minute = now.div_euclid(MINUTE_MS).max(self.minute);
        self.count_untold();
        let turns = minute != self.minute;
        if turns || now.saturating_sub(self.written_at) >= WRITE_MS || now < self.written_at {
            self.write();
            self.written_at = now;
        }
        if now.saturating_sub(self.synced_at) >= SYNC_MS || now < self.synced_at {
            self.sync();
            self.synced_at = now;
        }
        if turns {
            self.turn(minute);
        }
    }

    fn count_untold(&mut self) {
        let take = |number: &AtomicU64| number.swap(0, Ordering::Relaxed);
        let [refused, would, passed] = &self.shared.lost.queue;
        let untold = [take(refused), take(would), take(passed)];
        if untold != [0; 3] {
            self.shared.tallies.lock().count_untold(self.minute, untold, &mut self.pending);
        }
    }

    /// Begins a minute, and with it perhaps an hour.
    fn turn(&mut self, minute: i64) {
        let (old, hour) = (self.minute.div_euclid(60), minute.div_euclid(60));
        self.minute = minute;
        if old != hour {
            // The lock is not held while the disk is waited for.
            let sum = self.shared.tallies.lock().hour(old);
            let ended = sum.map_or(Ok(()), |sum| self.counts.end_hour(&sum));
            let dropped = self.counts.drop_old(minute);
            if ended.and(dropped).is_err() {
                self.missed();
            }
        }
        self.shared.tallies.lock().forget(minute);
    }

    /// Appends the counts since the last time.
    fn write(&mut self) {
        let written = self.shared.tallies.lock().written(self.minute, &self.pending);
        self.pending = Pending::default();
        if let Some(written) = written
            && self.counts.append(&written).is_err()
        {
            self.missed();
        }
    }

    fn sync(&mut self) {
        if self.writer.sync().and(self.counts.sync()).is_err() {
            self.missed();
        }
    }

    fn finish(&mut self) {
        self.count_untold();
        self.write();
        self.sync();
    }

    /// The disk did not take something. Counts in memory go on, and pages say so.
    fn missed(&self) {
        self.shared.lost.unwritten.fetch_add(1, Ordering::Relaxed);
    }
}
