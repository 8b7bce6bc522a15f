//! The last events in detail: segments of lines on the disk, and an index of them in memory by which they are found.
//!
//! An event's number is its place, segment and offset, so numbers rise and are the same after a restart. The index holds about
//! 150 bytes for an event; the event itself is read from the disk when somebody looks at it.

use super::lines;
use super::plain::reference;
use super::{Attack, Mode, Outcome, Place, Wanted, outcome};
use model::Timestamp;
use std::collections::{BTreeSet, VecDeque};
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Most events that are kept.
pub(super) const MOST: usize = 10_000;
/// Longest segment in bytes; a line more may stand in it.
pub(super) const SEGMENT: u64 = 1 << 20;
/// Most segments.
pub(super) const SEGMENTS: usize = 8;
/// Longest line that is written or read.
const LINE: usize = 64 << 10;

/// Where an event stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Stand {
    segment: u32,
    offset: u32,
    length: u32,
}

impl Stand {
    /// The number of the event.
    pub(super) fn number(self) -> u64 {
        u64::from(self.segment) << 32 | u64::from(self.offset)
    }
}

/// What is known of an event without reading it.
struct Entry {
    stand: Stand,
    at: Timestamp,
    reference: Box<str>,
    route: Option<Arc<str>>,
    rules: Box<[u64]>,
    mode: Mode,
    outcome: Outcome,
}

impl Entry {
    fn of(stand: Stand, attack: &Attack) -> Self {
        Self {
            stand,
            at: attack.at,
            reference: reference(&attack.reference).into(),
            route: attack.route.clone(),
            rules: attack.rules.iter().map(|rule| rule.id).collect(),
            mode: attack.mode,
            outcome: outcome(attack.mode, attack.refused),
        }
    }

    fn fits(&self, wanted: &Wanted) -> bool {
        let place = |place: &Place| match place {
            Place::Nowhere => self.route.is_none(),
            Place::Route(name) => self.route.as_ref() == Some(name),
            Place::Others => false,
        };
        wanted.since.is_none_or(|since| self.at >= since)
            && wanted.mode.is_none_or(|mode| mode == self.mode)
            && wanted.outcome.is_none_or(|outcome| outcome == self.outcome)
            && wanted.rule.is_none_or(|rule| self.rules.contains(&rule))
            && wanted.place.as_ref().is_none_or(place)
    }
}

/// The index. The writer stands beside it, with the thread that writes.
#[derive(Default)]
pub(super) struct Log {
    folder: PathBuf,
    entries: VecDeque<Entry>,
}

impl Log {
    /// Where the segments lie.
    pub(super) fn folder(&self) -> PathBuf {
        self.folder.clone()
    }

    /// The places of events before a number, newest first, and where the next page begins.
    pub(super) fn find(
        &self,
        wanted: &Wanted,
        before: Option<u64>,
        most: usize,
    ) -> (Vec<Stand>, Option<u64>) {
        let end = before.map_or(self.entries.len(), |before| {
            self.entries.partition_point(|entry| entry.stand.number() < before)
        });
        let mut found =
            self.entries.range(..end).rev().filter(|entry| entry.fits(wanted)).map(|entry| entry.stand);
        let page: Vec<Stand> = found.by_ref().take(most).collect();
        let next = found.next().and(page.last()).map(|last| last.number());
        (page, next)
    }

    /// How many events are wanted.
    pub(super) fn count(&self, wanted: &Wanted) -> usize {
        self.entries.iter().filter(|entry| entry.fits(wanted)).count()
    }

    /// The place of the event with this reference; of several the latest.
    pub(super) fn named(&self, wanted: &str) -> Option<Stand> {
        let found = self.entries.iter().rev().find(|entry| &*entry.reference == wanted && !wanted.is_empty());
        found.map(|entry| entry.stand)
    }

    /// How many events there are, and since when.
    pub(super) fn extent(&self) -> (usize, Option<Timestamp>) {
        (self.entries.len(), self.entries.front().map(|entry| entry.at))
    }

    /// Takes an event in and lets the oldest go. Answers the first segment that is still needed.
    pub(super) fn push(&mut self, stand: Stand, attack: &Attack) -> u32 {
        self.entries.push_back(Entry::of(stand, attack));
        let oldest = stand.segment.saturating_sub(SEGMENTS as u32 - 1);
        while self.entries.len() > MOST
            || self.entries.front().is_some_and(|entry| entry.stand.segment < oldest)
        {
            self.entries.pop_front();
        }
        self.entries.front().map_or(stand.segment, |entry| entry.stand.segment)
    }
}

/// An event as it stands on the disk; none where it is gone or damaged meanwhile.
pub(super) fn read(folder: &Path, stand: Stand) -> Option<Attack> {
    let file = File::open(folder.join(name(stand.segment))).ok()?;
    let mut line = vec![0; (stand.length as usize).min(LINE)];
    file.read_exact_at(&mut line, u64::from(stand.offset)).ok()?;
    lines::value(&line)
}

fn name(segment: u32) -> String {
    format!("events-{segment:010}.log")
}

/// Writes segments.
pub(super) struct Writer {
    folder: PathBuf,
    segment: u32,
    file: Option<File>,
    length: u64,
    /// Segments that lie in the folder.
    there: BTreeSet<u32>,
    dirty: bool,
}

impl Writer {
    /// Reads what lies in the folder into the index. The last segment is cut behind its last whole line. Answers the number of
    /// damaged lines, too. `each` is shown every event.
    pub(super) fn open(
        folder: &Path,
        log: &mut Log,
        mut each: impl FnMut(&Attack),
    ) -> io::Result<(Self, u64)> {
        folder.clone_into(&mut log.folder);
        let segments = super::counts::numbered(folder, "events-")?;
        let mut writer = Self {
            folder: folder.to_owned(),
            segment: segments.last().copied().unwrap_or(0),
            file: None,
            length: 0,
            there: segments.iter().copied().collect(),
            dirty: false,
        };
        let mut damaged = 0;
        for segment in segments {
            damaged += writer.load(segment, log, &mut each)?;
        }
        Ok((writer, damaged))
    }

    fn load(&mut self, segment: u32, log: &mut Log, each: &mut impl FnMut(&Attack)) -> io::Result<u64> {
        let path = self.folder.join(name(segment));
        let bytes = super::counts::bounded(&path, SEGMENT + LINE as u64)?;
        let read = lines::read::<Attack>(&bytes);
        for (offset, length, attack) in &read.lines {
            // Both are below the bound of the file.
            let stand = Stand { segment, offset: *offset as u32, length: *length as u32 };
            log.push(stand, attack);
            each(attack);
        }
        if segment == self.segment {
            let file = OpenOptions::new().append(true).open(&path)?;
            if file.metadata()?.len() != read.whole as u64 {
                file.set_len(read.whole as u64)?;
            }
            (self.file, self.length) = (Some(file), read.whole as u64);
        }
        Ok(read.damaged)
    }

    /// Appends an event and takes it into the index. One that cannot be written is not in it.
    pub(super) fn append(&mut self, attack: &Attack, log: &parking_lot::Mutex<Log>) -> io::Result<()> {
        let line = lines::line(attack);
        if line.len() > LINE {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        if self.length >= SEGMENT {
            self.turn()?;
        }
        let offset = self.length;
        self.write(&line)?;
        let stand = Stand { segment: self.segment, offset: offset as u32, length: line.len() as u32 - 1 };
        let first = log.lock().push(stand, attack);
        while let Some(old) = self.there.first().copied().filter(|old| *old < first) {
            // One that is gone already is what was wanted, and one that stays is tried again at the next start.
            let _ = std::fs::remove_file(self.folder.join(name(old)));
            self.there.remove(&old);
        }
        Ok(())
    }

    fn write(&mut self, line: &[u8]) -> io::Result<()> {
        if self.file.is_none() {
            self.turn()?;
        }
        let Some(file) = &mut self.file else { return Err(io::ErrorKind::NotFound.into()) };
        match file.write_all(line) {
            Ok(()) => {
                self.length += line.len() as u64;
                self.dirty = true;
                Ok(())
            }
            Err(error) => {
                // What was written of it would stand before the next line.
                if file.set_len(self.length).is_err() {
                    self.file = None;
                }
                Err(error)
            }
        }
    }

    /// Begins a segment.
    fn turn(&mut self) -> io::Result<()> {
        self.sync()?;
        let fresh = self.file.is_none() && self.length == 0;
        let next = self.segment.checked_add(u32::from(!fresh)).ok_or(io::ErrorKind::StorageFull)?;
        let path = self.folder.join(name(next));
        let file = OpenOptions::new().append(true).create(true).mode(0o600).open(path)?;
        // A file of that name that a broken attempt left would shift every offset.
        file.set_len(0)?;
        (self.segment, self.file, self.length) = (next, Some(file), 0);
        self.there.insert(next);
        File::open(&self.folder)?.sync_all()
    }

    /// Makes what was written outlast a loss of power.
    pub(super) fn sync(&mut self) -> io::Result<()> {
        if let (Some(file), true) = (&self.file, self.dirty) {
            file.sync_data()?;
        }
        self.dirty = false;
        Ok(())
    }
}
