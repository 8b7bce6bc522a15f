//! The one thread that writes the journal.

use super::queue::Taken;
use super::record::{self, HEADER, PAGE, RecordHeader};
use super::segment::SegmentHeader;
use super::{Cursor, Extent, Segments};
use crate::error::AppendError;
use crate::shared::Shared;
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// How often writing is tried again while it does not work.
const PROBE: Duration = Duration::from_millis(100);
/// How often the writer looks around while nothing comes.
const IDLE: Duration = Duration::from_secs(10);

/// The writer. `at` is where the next record goes.
pub(crate) struct Writer {
    shared: Arc<Shared>,
    file: usize,
    at: Cursor,
    /// A write to the segment failed: what lies behind its last durable record is unknown, and stays unused.
    given_up: bool,
}

impl Writer {
    /// A writer that goes on after the last record of the newest segment.
    pub(crate) fn new(shared: Arc<Shared>, file: usize, at: Cursor) -> Self {
        Self { shared, file, at, given_up: false }
    }

    /// Writes until the queue is closed and empty.
    pub(crate) fn run(mut self) {
        let shared = self.shared.clone();
        let Some(segments) = &shared.segments else { return };
        loop {
            let unavailable = shared.gauges.unavailable.load(Ordering::Acquire);
            match shared.queue.take(if unavailable { PROBE } else { IDLE }) {
                Some(taken) => self.write(segments, taken),
                None if shared.queue.is_closed() => break,
                None if unavailable => self.probe(segments),
                None => {}
            }
            self.rotate_if_wanted(segments);
        }
        shared.progress.lock().writer_done = true;
        shared.signals.work.notify_all();
    }

    /// Writes one record, on a fresh segment if the first place fails, and tells its appenders.
    fn write(&mut self, segments: &Segments, taken: Taken) {
        let Taken { mut buffer, count, batch } = taken;
        let first = self.at.entries;
        let mut outcome = self.write_once(segments, &mut buffer, count);
        if outcome.is_err() {
            outcome = self.write_once(segments, &mut buffer, count);
        }
        match outcome {
            Ok(()) => batch.complete(Ok(first)),
            Err(_) => {
                self.shared.gauges.unavailable.store(true, Ordering::Release);
                self.shared.queue.refuse(Some(AppendError::Unavailable));
                batch.complete(Err(AppendError::Unavailable));
            }
        }
        self.shared.queue.give_back(buffer);
    }

    fn write_once(&mut self, segments: &Segments, buffer: &mut Vec<u8>, count: u32) -> io::Result<()> {
        let payload = record::unsealed_payload(buffer);
        if self.given_up || self.at.offset + record::record_size(payload) > segments.bytes {
            self.rotate(segments, true)?;
        }
        let header = RecordHeader {
            segment: self.at.sequence,
            number: self.at.record,
            first: self.at.entries,
            count,
            length: u32::try_from(payload).map_err(|_| io::ErrorKind::InvalidInput)?,
            previous: self.at.previous,
        };
        let digest = record::seal(buffer, &header);
        let file = &segments.files[self.file];
        let written = file.write_at(buffer, self.at.offset).and_then(|()| file.sync());
        if let Err(error) = written {
            self.given_up = true;
            buffer.truncate(HEADER + payload);
            return Err(error);
        }
        self.at.offset += header.size();
        self.at.record += 1;
        self.at.entries += u64::from(count);
        self.at.previous = digest;
        self.publish();
        Ok(())
    }

    /// Lets the deriver see what is durable.
    fn publish(&self) {
        let mut progress = self.shared.progress.lock();
        if let Some(active) = progress.extents.active() {
            (active.end, active.entries, active.settled) = (self.at.offset, self.at.entries, true);
        }
        self.shared.gauges.durable.store(self.at.entries, Ordering::Release);
        if std::mem::take(&mut progress.deriver_idle) {
            self.shared.signals.work.notify_one();
        }
    }

    /// Begins a segment. Its header becomes durable with its first record.
    fn rotate(&mut self, segments: &Segments, wait: bool) -> io::Result<()> {
        let sequence = self.at.sequence + 1;
        let file = self.claim_file(sequence, wait)?;
        let header = SegmentHeader {
            sequence,
            record: self.at.record,
            entry: self.at.entries,
            previous: self.at.previous,
        };
        (self.file, self.at.sequence, self.at.offset) = (file, sequence, PAGE);
        self.given_up = true;
        segments.files[file].write_at(&header.page(), 0)?;
        self.given_up = false;
        Ok(())
    }

    /// Begins a segment in a file whose entries are all marked in the derived files. Waits for the mark only while it can
    /// still move. Found and taken under one lock: in between the scrubber would take the same file for free.
    fn claim_file(&self, sequence: u64, wait: bool) -> io::Result<usize> {
        let shared = &self.shared;
        let mut progress = shared.progress.lock();
        loop {
            // Nothing durable in the newest segment: it is begun again.
            let newest = self.at.offset == PAGE && progress.scrubbing != Some(self.file);
            if let Some(file) = progress.free_file().or(newest.then_some(self.file)) {
                // From here on the file holds nothing of the older generation, whether the header gets there or not.
                let entries = self.at.entries;
                progress.extents.begin(Extent { file, sequence, end: PAGE, entries, settled: false });
                return Ok(file);
            }
            progress.mark_wanted = true;
            shared.signals.checkpoint_due.notify_one();
            if !wait || shared.is_stuck() || shared.is_damaged() {
                return Err(io::ErrorKind::StorageFull.into());
            }
            shared.signals.mark_moved.wait_for(&mut progress, PROBE);
        }
    }

    /// Begins a segment and makes its header durable.
    fn rotate_settled(&mut self, segments: &Segments) -> io::Result<()> {
        self.rotate(segments, false)?;
        self.given_up = true;
        segments.files[self.file].sync()?;
        self.given_up = false;
        if let Some(active) = self.shared.progress.lock().extents.active() {
            active.settled = true;
        }
        Ok(())
    }

    /// While unavailable: tries to begin a segment; when that is durable appends are taken again.
    fn probe(&mut self, segments: &Segments) {
        if self.rotate_settled(segments).is_ok() && !self.shared.is_damaged() {
            self.shared.gauges.unavailable.store(false, Ordering::Release);
            self.shared.queue.refuse(None);
        }
    }

    /// Begins a segment for the scrubber, which then overwrites the one before.
    fn rotate_if_wanted(&mut self, segments: &Segments) {
        if !self.shared.progress.lock().rotate_wanted
            || self.shared.gauges.unavailable.load(Ordering::Acquire)
        {
            return;
        }
        if self.rotate_settled(segments).is_ok() {
            self.shared.progress.lock().rotate_wanted = false;
        }
        self.shared.signals.mark_moved.notify_all();
    }
}
