//! The journal: what is durable. Two segments alternate; all other files derive from it.

pub(crate) mod queue;
pub(crate) mod record;
pub(crate) mod recover;
pub(crate) mod segment;
pub(crate) mod writer;

use crate::disk::{Disk, DiskFile, Mode};
use crate::proof::Hash;
use record::PAGE;
use std::io;
use std::path::Path;
use std::sync::Arc;

/// Smallest segment in bytes.
pub(crate) const MIN_SEGMENT: u64 = 64 << 10;

const NAMES: [&str; 2] = ["journal-0", "journal-1"];

/// The two segment files.
pub(crate) struct Segments {
    pub(crate) files: [Arc<dyn DiskFile>; 2],
    /// Bytes of each.
    pub(crate) bytes: u64,
}

impl Segments {
    /// Makes both files and writes the first header.
    pub(crate) fn create(disk: &dyn Disk, dir: &Path, bytes: u64, origin: &str) -> io::Result<()> {
        for (number, name) in NAMES.iter().enumerate() {
            let file = disk.open(&dir.join(name), Mode::Create)?;
            file.allocate(bytes)?;
            if number == 0 {
                let previous = segment::genesis(origin);
                let header = segment::SegmentHeader { sequence: 0, record: 0, entry: 0, previous };
                file.write_at(&header.page(), 0)?;
            }
            file.sync()?;
        }
        Ok(())
    }

    /// Opens both files. Their size is that of the first; the options count at creation only.
    pub(crate) fn open(disk: &dyn Disk, dir: &Path) -> io::Result<Self> {
        let [first, second] = NAMES.map(|name| disk.open(&dir.join(name), Mode::Write));
        let files = [first?, second?];
        let bytes = files[0].size()?.min(files[1].size()?);
        if bytes < MIN_SEGMENT || bytes % PAGE != 0 {
            return Err(io::ErrorKind::InvalidData.into());
        }
        Ok(Self { files, bytes })
    }
}

/// A place between two records: where reading goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cursor {
    /// Sequence number of the segment.
    pub(crate) sequence: u64,
    /// Offset in it.
    pub(crate) offset: u64,
    /// Number of the next record.
    pub(crate) record: u64,
    /// Digest of the record before it.
    pub(crate) previous: Hash,
    /// Index of the next entry.
    pub(crate) entries: u64,
}

impl Cursor {
    /// Before the first record of a log.
    pub(crate) fn start(origin: &str) -> Self {
        Self { sequence: 0, offset: PAGE, record: 0, previous: segment::genesis(origin), entries: 0 }
    }
}

/// A segment in use: what of it is durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Extent {
    /// Which of the two files.
    pub(crate) file: usize,
    /// Sequence number of the segment.
    pub(crate) sequence: u64,
    /// End of the last durable record.
    pub(crate) end: u64,
    /// Index after its last durable entry.
    pub(crate) entries: u64,
    /// Its header is durable. Until then the segment before it must stay, or recovery would find neither.
    pub(crate) settled: bool,
}

/// The segments in use, oldest first: one or two.
#[derive(Clone, Debug, Default)]
pub(crate) struct Extents(pub(crate) Vec<Extent>);

impl Extents {
    /// Moves `cursor` on while its segment is read to its end and a newer one exists, and says what can be read from
    /// there: file and end offset.
    pub(crate) fn readable(&self, cursor: &mut Cursor) -> Option<(usize, u64)> {
        loop {
            let extent = self.0.iter().find(|extent| extent.sequence == cursor.sequence);
            if let Some(extent) = extent.filter(|extent| extent.end > cursor.offset) {
                return Some((extent.file, extent.end));
            }
            let next = self.0.iter().find(|extent| extent.sequence > cursor.sequence)?;
            (cursor.sequence, cursor.offset) = (next.sequence, PAGE);
        }
    }

    /// The file that holds nothing that is needed, once `synced` entries are in the derived files.
    pub(crate) fn free_file(&self, synced: u64) -> Option<usize> {
        match self.0.as_slice() {
            [only] => Some(1 - only.file),
            [older, newer] if older.entries <= synced && newer.settled => Some(1 - newer.file),
            _ => None,
        }
    }

    /// Forgets what `file` held and begins `extent` in it.
    pub(crate) fn begin(&mut self, extent: Extent) {
        self.0.retain(|other| other.file != extent.file);
        self.0.push(extent);
    }

    /// The newest segment.
    pub(crate) fn active(&mut self) -> Option<&mut Extent> {
        self.0.last_mut()
    }
}
