//! What the journal holds after a stop of any kind.

use super::record::{self, PAGE, RecordHeader};
use super::segment::SegmentHeader;
use super::{Cursor, Extent, Extents, Segments};
use crate::error::Damage;
use std::io;

/// What was found.
#[derive(Debug)]
pub(crate) struct Found {
    /// The segments in use.
    pub(crate) extents: Extents,
    /// After the last whole record.
    pub(crate) end: Cursor,
    /// Whole records after the mark.
    pub(crate) records: u64,
    /// Something that is no whole record stood after the last one.
    pub(crate) incomplete: bool,
}

/// Checks every record from `mark` on.
///
/// The one record that was being written when the process stopped may be incomplete: it was never acknowledged.
/// The writer begins a record only when the one before is durable, so a whole record *after* something that does
/// not check means that an acknowledged one was lost: [`Damage::Journal`].
pub(crate) fn scan(segments: &Segments, mark: Cursor) -> io::Result<Result<Found, Damage>> {
    let mut scan =
        Scan { segments, headers: [None; 2], cursor: mark, extents: Extents::default(), records: 0 };
    for (file, header) in scan.headers.iter_mut().enumerate() {
        let mut page = vec![0; PAGE as usize];
        segments.files[file].read_at(&mut page, 0)?;
        *header = SegmentHeader::parse(&page);
    }
    scan.run()
}

struct Scan<'a> {
    segments: &'a Segments,
    headers: [Option<SegmentHeader>; 2],
    cursor: Cursor,
    extents: Extents,
    records: u64,
}

impl Scan<'_> {
    fn run(mut self) -> io::Result<Result<Found, Damage>> {
        if let Some(file) = self.file_of(|header| header.sequence == self.cursor.sequence) {
            self.read_segment(file)?;
        } else if self.successor().is_none() {
            return Ok(Err(Damage::Journal));
        }
        while let Some(file) = self.successor() {
            self.cursor.sequence = self.headers[file].map_or(0, |header| header.sequence);
            self.cursor.offset = PAGE;
            self.read_segment(file)?;
        }
        if self.newer_exists() || self.later_record_exists()? {
            return Ok(Err(Damage::Journal));
        }
        let incomplete = self.incomplete()?;
        Ok(Ok(Found { extents: self.extents, end: self.cursor, records: self.records, incomplete }))
    }

    fn file_of(&self, fits: impl Fn(&SegmentHeader) -> bool) -> Option<usize> {
        self.headers.iter().position(|header| header.as_ref().is_some_and(&fits))
    }

    /// The segment that goes on exactly where the cursor stands.
    fn successor(&self) -> Option<usize> {
        let at = self.cursor;
        self.file_of(|header| {
            header.sequence > at.sequence && header.record == at.record && header.previous == at.previous
        })
    }

    /// A segment was begun after the cursor, but does not go on where it stands: records between are lost.
    fn newer_exists(&self) -> bool {
        self.file_of(|header| header.sequence > self.cursor.sequence).is_some()
    }

    /// Reads whole records up to the first that is none, or that the next segment begins with.
    fn read_segment(&mut self, file: usize) -> io::Result<()> {
        let sequence = self.cursor.sequence;
        while self.successor().is_none() {
            let Some((header, digest)) = self.record_at(file, self.cursor.offset)? else { break };
            let follows = header.segment == sequence
                && header.number == self.cursor.record
                && header.first == self.cursor.entries
                && header.previous == self.cursor.previous;
            if !follows {
                break;
            }
            self.cursor.offset += header.size();
            self.cursor.record += 1;
            self.cursor.entries += u64::from(header.count);
            self.cursor.previous = digest;
            self.records += 1;
        }
        let (end, entries) = (self.cursor.offset, self.cursor.entries);
        self.extents.begin(Extent { file, sequence, end, entries, settled: true });
        Ok(())
    }

    /// The whole record at `offset`, with its digest.
    fn record_at(&self, file: usize, offset: u64) -> io::Result<Option<(RecordHeader, [u8; 32])>> {
        let Some(header) = self.header_at(file, offset)? else { return Ok(None) };
        let size = header.size();
        if offset + size > self.segments.bytes {
            return Ok(None);
        }
        let mut bytes = vec![0; usize::try_from(size).unwrap_or(0)];
        self.segments.files[file].read_at(&mut bytes, offset)?;
        Ok(record::check(&header, &bytes).map(|digest| (header, digest)))
    }

    fn header_at(&self, file: usize, offset: u64) -> io::Result<Option<RecordHeader>> {
        if offset + PAGE > self.segments.bytes {
            return Ok(None);
        }
        let mut head = [0; record::HEADER];
        self.segments.files[file].read_at(&mut head, offset)?;
        Ok(RecordHeader::parse(&head))
    }

    /// Looks at every page for a whole record that comes after the one that is missing. The segment numbers keep
    /// leftovers of earlier generations apart.
    fn later_record_exists(&self) -> io::Result<bool> {
        for file in 0..2 {
            let current = self.headers[file].is_some_and(|header| header.sequence == self.cursor.sequence);
            let older = self.headers[file].is_some_and(|header| header.sequence < self.cursor.sequence);
            let mut offset = if current { self.cursor.offset } else { PAGE };
            while !older && offset < self.segments.bytes {
                let later = self.header_at(file, offset)?.is_some_and(|header| {
                    header.segment >= self.cursor.sequence && header.number > self.cursor.record
                });
                if later && self.record_at(file, offset)?.is_some() {
                    return Ok(true);
                }
                offset += PAGE;
            }
        }
        Ok(false)
    }

    /// Whether the place for the next record holds the beginning of one that is not whole.
    fn incomplete(&self) -> io::Result<bool> {
        let Some(extent) = self.extents.0.last() else { return Ok(false) };
        let header = self.header_at(extent.file, extent.end)?;
        Ok(header
            .is_some_and(|header| header.segment == extent.sequence && header.number == self.cursor.record))
    }
}
