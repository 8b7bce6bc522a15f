//! The one thread that makes what is durable readable.

use super::files::{Buffers, IDENTITY_LIVE, Lengths};
use super::state::Snapshot;
use crate::disk::DiskFile;
use crate::error::Damage;
use crate::frontier::Frontier;
use crate::journal::record::{Entries, EntryView, HEADER, RecordHeader};
use crate::journal::{Cursor, Segments};
use crate::postings::Postings;
use crate::postings::run::Posting;
use crate::shared::Shared;
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// The most journal that is read in one step, in bytes (a record that is larger is read alone).
const STEP: u64 = 2 << 20;
/// How long the deriver lets work gather while nobody waits for it.
const GATHER: Duration = Duration::from_millis(5);
/// How long it waits after an error of the disk.
const RETRY: Duration = Duration::from_millis(200);

/// Why a step was not done.
#[derive(Debug)]
pub(crate) enum StepError {
    /// The disk; to be tried again.
    Io(io::Error),
    /// A record that was durable does not check.
    Damaged,
}

impl From<io::Error> for StepError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// The deriver. After each step its fields and the files agree; a step that fails changes neither.
pub(crate) struct Deriver {
    shared: Arc<Shared>,
    frontier: Frontier,
    lengths: Lengths,
    cursor: Cursor,
    journal: Vec<u8>,
    buffers: Buffers,
    postings: Vec<Posting>,
}

impl Deriver {
    /// A deriver that goes on from the state in `shared`.
    pub(crate) fn new(shared: Arc<Shared>) -> io::Result<Self> {
        let snapshot = shared.progress.lock().snapshot.clone();
        let frontier = Frontier::load(&shared.files, snapshot.lengths.count)?;
        Ok(Self {
            frontier,
            lengths: snapshot.lengths,
            cursor: snapshot.cursor,
            journal: Vec::new(),
            buffers: Buffers::default(),
            postings: Vec::new(),
            shared,
        })
    }

    /// Derives all that is durable; for the start, before there are threads.
    pub(crate) fn catch_up(&mut self) -> Result<(), StepError> {
        let shared = self.shared.clone();
        let (Some(segments), Some(postings)) = (&shared.segments, &shared.postings) else { return Ok(()) };
        while self.step(segments, postings)? {}
        Ok(())
    }

    /// Derives until the writer has stopped and all is derived, or damage is found.
    pub(crate) fn run(mut self) {
        let shared = self.shared.clone();
        if let (Some(segments), Some(postings)) = (&shared.segments, &shared.postings) {
            self.run_on(segments, postings);
        }
        let mut progress = shared.progress.lock();
        progress.deriver_done = true;
        shared.signals.derived_grew.notify_all();
        shared.signals.mark_moved.notify_all();
        shared.signals.checkpoint_due.notify_all();
        drop(progress);
    }

    fn run_on(&mut self, segments: &Segments, postings: &Postings) {
        loop {
            let done = match self.rewind_if_asked(postings).and_then(|()| self.step(segments, postings)) {
                Ok(true) => continue,
                Ok(false) => self.wait_for_work(),
                Err(StepError::Damaged) => {
                    self.shared.set_damage(Damage::Journal);
                    true
                }
                Err(StepError::Io(_)) => {
                    self.shared.gauges.derive_stalled.store(true, Ordering::Release);
                    self.shared.signals.mark_moved.notify_all();
                    let mut progress = self.shared.progress.lock();
                    self.shared.signals.work.wait_for(&mut progress, RETRY);
                    self.shared.is_closing() && progress.writer_done
                }
            };
            if done || self.shared.is_damaged() {
                return;
            }
        }
    }

    /// Waits for something to derive; true when nothing more will come.
    fn wait_for_work(&self) -> bool {
        let mut progress = self.shared.progress.lock();
        if progress.writer_done && self.lengths.count == self.shared.gauges.durable.load(Ordering::Acquire) {
            return !progress.rewind;
        }
        if self.lengths.count == self.shared.gauges.durable.load(Ordering::Acquire) && !progress.rewind {
            progress.deriver_idle = true;
            self.shared.signals.work.wait_for(&mut progress, Duration::from_secs(1));
            progress.deriver_idle = false;
        }
        if !progress.derive_wanted && !self.shared.is_closing() {
            self.shared.signals.work.wait_for(&mut progress, GATHER);
        }
        progress.derive_wanted = false;
        false
    }

    /// After a failed sync nothing written since the mark can be trusted to be on the disk: back to the mark, and
    /// write it all again from the journal.
    fn rewind_if_asked(&mut self, postings: &Postings) -> Result<(), StepError> {
        let mark = {
            let progress = self.shared.progress.lock();
            if !progress.rewind {
                return Ok(());
            }
            progress.mark.clone()
        };
        self.frontier = Frontier::load(&self.shared.files, mark.lengths.count)?;
        postings.rewind(&mark.postings)?;
        (self.lengths, self.cursor) = (mark.lengths, mark.cursor);
        let mut progress = self.shared.progress.lock();
        self.shared.gauges.derived.store(mark.lengths.count, Ordering::Release);
        progress.snapshot = mark;
        progress.rewind = false;
        Ok(())
    }

    /// Derives some records; false if there is none.
    fn step(&mut self, segments: &Segments, postings: &Postings) -> Result<bool, StepError> {
        let mut cursor = self.cursor;
        let readable = self.shared.progress.lock().extents.readable(&mut cursor);
        let Some((file, end)) = readable else { return Ok(false) };
        self.read(&*segments.files[file], cursor.offset, end)?;
        let mut frontier = self.frontier.clone();
        let mut lengths = self.lengths;
        self.buffers.clear();
        self.postings.clear();
        let journal = std::mem::take(&mut self.journal);
        let parsed = self.derive_records(&journal, &mut cursor, &mut frontier, &mut lengths);
        self.journal = journal;
        parsed.ok_or(StepError::Damaged)?;
        self.shared.files.append(&self.lengths, &self.buffers)?;
        postings.write(&self.postings)?;
        (self.frontier, self.lengths, self.cursor) = (frontier, lengths, cursor);
        self.publish(postings);
        // Not part of the step: a tail that cannot become a run now goes on growing.
        if let Ok(true) = postings.roll(lengths.count) {
            self.shared.progress.lock().merge_wanted = true;
            self.shared.signals.merge_due.notify_one();
        }
        Ok(true)
    }

    /// Reads journal from `from` towards `end`: at least one whole record.
    fn read(&mut self, file: &dyn DiskFile, from: u64, end: u64) -> Result<(), StepError> {
        let mut length = (end - from).min(STEP);
        loop {
            self.journal.resize(usize::try_from(length).map_err(|_| StepError::Damaged)?, 0);
            file.read_at(&mut self.journal, from)?;
            let size = RecordHeader::parse(&self.journal).ok_or(StepError::Damaged)?.size();
            if size <= length {
                return Ok(());
            }
            if size > end - from {
                return Err(StepError::Damaged);
            }
            length = size;
        }
    }

    /// Derives the whole records in `journal`. The digests were checked when they were written, or by recovery.
    fn derive_records(
        &mut self,
        journal: &[u8],
        cursor: &mut Cursor,
        frontier: &mut Frontier,
        lengths: &mut Lengths,
    ) -> Option<()> {
        let mut rest = journal;
        while let Some(header) = RecordHeader::parse(rest).filter(|header| header.size() <= rest.len() as u64)
        {
            let expected = (cursor.sequence, cursor.record, cursor.entries, cursor.previous);
            if (header.segment, header.number, header.first, header.previous) != expected {
                return None;
            }
            let (payload, after) = rest[HEADER..].split_at(header.length as usize);
            let mut entries = Entries::new(payload);
            let mut count = 0;
            for entry in entries.by_ref() {
                self.derive_entry(&entry, frontier, lengths);
                count += 1;
            }
            if !entries.is_whole() || count != header.count {
                return None;
            }
            cursor.previous = *after.first_chunk()?;
            cursor.offset += header.size();
            cursor.record += 1;
            cursor.entries += u64::from(header.count);
            rest = &rest[usize::try_from(header.size()).ok()?..];
        }
        Some(())
    }

    fn derive_entry(&mut self, entry: &EntryView<'_>, frontier: &mut Frontier, lengths: &mut Lengths) {
        let buffers = &mut self.buffers;
        frontier.push(entry.leaf_hash(), |height, hash| buffers.node(height, hash));
        let leaf = entry.leaf();
        // The limit of a leaf fits 16 bits; the journal's own length field has no more.
        buffers.entries.extend_from_slice(&(leaf.len() as u16).to_be_bytes());
        buffers.entries.extend_from_slice(leaf);
        if !entry.identity.is_empty() {
            buffers.identity.push(IDENTITY_LIVE);
            buffers.identity.extend_from_slice(entry.identity);
            lengths.identity += 1 + entry.identity.len() as u64;
        }
        lengths.entries += 2 + leaf.len() as u64;
        buffers.index.extend_from_slice(&lengths.entries.to_be_bytes());
        buffers.index.extend_from_slice(&lengths.identity.to_be_bytes());
        let index = lengths.count;
        self.postings
            .extend(entry.postings().iter().map(|reference| Posting { reference: *reference, index }));
        lengths.count += 1;
    }

    fn publish(&self, postings: &Postings) {
        postings.publish(&self.postings);
        let snapshot = Snapshot {
            lengths: self.lengths,
            root: self.frontier.root(),
            cursor: self.cursor,
            postings: postings.manifest(),
        };
        let mut progress = self.shared.progress.lock();
        if progress.rewind {
            return;
        }
        progress.snapshot = Arc::new(snapshot);
        self.shared.gauges.derive_stalled.store(false, Ordering::Release);
        self.shared.gauges.derived.store(self.lengths.count, Ordering::Release);
        self.shared.signals.derived_grew.notify_all();
        self.shared.signals.checkpoint_due.notify_one();
    }
}
