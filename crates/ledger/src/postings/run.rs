//! A sorted, immutable run of postings, and merging of runs.

use crate::derived::state::RunId;
use crate::disk::{Disk, DiskFile, Mode};
use crate::proof::Hash;
use aws_lc_rs::digest::{Context, SHA256};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

const MAGIC: &[u8; 8] = b"OBHUTPR1";
/// Bytes of a posting: reference, index.
pub(crate) const POSTING: usize = 24;
/// Bytes after the postings: magic, count, SHA-256 of all before.
const FOOTER: usize = 8 + 8 + 32;
/// Postings read at once.
const PAGE: u64 = 170;

/// That an entry was posted under a reference. Ordered by reference, then by index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Posting {
    pub(crate) reference: [u8; 16],
    pub(crate) index: u64,
}

impl Posting {
    pub(crate) fn bytes(&self) -> [u8; POSTING] {
        let mut out = [0; POSTING];
        out[..16].copy_from_slice(&self.reference);
        out[16..].copy_from_slice(&self.index.to_be_bytes());
        out
    }

    pub(crate) fn parse(bytes: &[u8; POSTING]) -> Self {
        let (mut reference, mut index) = ([0; 16], [0; 8]);
        reference.copy_from_slice(&bytes[..16]);
        index.copy_from_slice(&bytes[16..]);
        Self { reference, index: u64::from_be_bytes(index) }
    }
}

/// Parses a whole number of postings.
pub(crate) fn parse_all(bytes: &[u8]) -> impl Iterator<Item = Posting> {
    bytes.as_chunks::<POSTING>().0.iter().map(Posting::parse)
}

/// The file of a run.
pub(crate) fn path(dir: &Path, id: RunId) -> PathBuf {
    dir.join(format!("run-{}-{:016x}-{:016x}", id.level, id.first, id.end))
}

/// An open run.
pub(crate) struct Run {
    pub(crate) id: RunId,
    file: Arc<dyn DiskFile>,
    count: u64,
}

impl Run {
    /// Opens a run that was synced before; checks its size against its footer.
    pub(crate) fn open(disk: &dyn Disk, dir: &Path, id: RunId) -> io::Result<Self> {
        let file = disk.open(&path(dir, id), Mode::Read)?;
        let bytes = file.size()?.checked_sub(FOOTER as u64).ok_or(io::ErrorKind::InvalidData)?;
        let mut footer = [0; 16];
        file.read_at(&mut footer, bytes)?;
        let count = bytes / POSTING as u64;
        let expected = [*MAGIC, count.to_be_bytes()];
        if bytes % POSTING as u64 != 0 || footer != expected.as_flattened() {
            return Err(io::ErrorKind::InvalidData.into());
        }
        Ok(Self { id, file, count })
    }

    /// Checks the digest of the whole file.
    pub(crate) fn verify(&self) -> io::Result<bool> {
        let mut context = Context::new(&SHA256);
        let (mut at, end) = (0, self.count * POSTING as u64 + 16);
        let mut buffer = vec![0; 1 << 16];
        while at < end {
            let step = usize::try_from((end - at).min(buffer.len() as u64)).unwrap_or(buffer.len());
            self.file.read_at(&mut buffer[..step], at)?;
            context.update(&buffer[..step]);
            at += step as u64;
        }
        let mut stored: Hash = [0; 32];
        self.file.read_at(&mut stored, end)?;
        Ok(context.finish().as_ref() == stored)
    }

    /// Postings `first ..` into `buffer`, as many as fit and exist.
    fn read<'a>(&self, first: u64, buffer: &'a mut [u8]) -> io::Result<&'a [u8]> {
        let postings = (self.count - first).min((buffer.len() / POSTING) as u64);
        let part = &mut buffer[..usize::try_from(postings).unwrap_or(0) * POSTING];
        self.file.read_at(part, first * POSTING as u64)?;
        Ok(part)
    }

    fn posting(&self, number: u64) -> io::Result<Posting> {
        let mut bytes = [0; POSTING];
        self.file.read_at(&mut bytes, number * POSTING as u64)?;
        Ok(Posting::parse(&bytes))
    }

    /// Adds to `out`, newest first and each once, the entries below `before` that are posted under `reference`,
    /// until `out` holds `limit`.
    pub(crate) fn collect(
        &self,
        reference: &[u8; 16],
        before: u64,
        limit: usize,
        out: &mut Vec<u64>,
    ) -> io::Result<()> {
        let mut end = self.lower_bound(&Posting { reference: *reference, index: before })?;
        let mut buffer = [0; POSTING * PAGE as usize];
        while end > 0 && out.len() < limit {
            let first = end.saturating_sub(PAGE);
            let width = usize::try_from(end - first).unwrap_or(0) * POSTING;
            let page = self.read(first, &mut buffer[..width])?;
            for posting in page.as_chunks().0.iter().rev().map(Posting::parse) {
                if posting.reference != *reference || out.len() == limit {
                    return Ok(());
                }
                if out.last() != Some(&posting.index) {
                    out.push(posting.index);
                }
            }
            end = first;
        }
        Ok(())
    }

    /// Number of postings before `bound` in the order of the run.
    fn lower_bound(&self, bound: &Posting) -> io::Result<u64> {
        let (mut low, mut high) = (0, self.count);
        while high - low > PAGE {
            let middle = low + (high - low) / 2;
            if self.posting(middle)? < *bound { low = middle + 1 } else { high = middle }
        }
        let mut buffer = [0; POSTING * PAGE as usize];
        let width = usize::try_from(high - low).unwrap_or(0) * POSTING;
        let page = self.read(low, &mut buffer[..width])?;
        Ok(low + page.as_chunks().0.partition_point(|bytes| Posting::parse(bytes) < *bound) as u64)
    }
}

/// Writes a run from postings that come in order; not yet synced.
struct RunWriter {
    file: Arc<dyn DiskFile>,
    buffer: Vec<u8>,
    written: u64,
    context: Context,
}

impl RunWriter {
    fn create(disk: &dyn Disk, dir: &Path, id: RunId) -> io::Result<Self> {
        // A run of that name may still be read by someone after a rewind: it keeps its bytes, this is a new file.
        if let Err(error) = disk.remove(&path(dir, id))
            && error.kind() != io::ErrorKind::NotFound
        {
            return Err(error);
        }
        let file = disk.open(&path(dir, id), Mode::Create)?;
        Ok(Self { file, buffer: Vec::with_capacity(1 << 18), written: 0, context: Context::new(&SHA256) })
    }

    fn push(&mut self, posting: &[u8; POSTING]) -> io::Result<()> {
        self.buffer.extend_from_slice(posting);
        if self.buffer.len() + POSTING > 1 << 18 { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.context.update(&self.buffer);
        self.file.write_at(&self.buffer, self.written)?;
        self.written += self.buffer.len() as u64;
        self.buffer.clear();
        Ok(())
    }

    fn finish(mut self) -> io::Result<Arc<dyn DiskFile>> {
        self.flush()?;
        let count = self.written / POSTING as u64;
        self.buffer.extend_from_slice(MAGIC);
        self.buffer.extend_from_slice(&count.to_be_bytes());
        self.context.update(&self.buffer);
        let digest = self.context.finish();
        self.buffer.extend_from_slice(digest.as_ref());
        self.file.write_at(&self.buffer, self.written)?;
        Ok(self.file)
    }
}

/// Writes and syncs the run of `postings`, which it sorts.
pub(crate) fn write(disk: &dyn Disk, dir: &Path, id: RunId, mut postings: Vec<Posting>) -> io::Result<Run> {
    postings.sort_unstable();
    let mut writer = RunWriter::create(disk, dir, id)?;
    for posting in &postings {
        writer.push(&posting.bytes())?;
    }
    let file = writer.finish()?;
    file.sync()?;
    Ok(Run { id, file, count: postings.len() as u64 })
}

/// A run being read from its beginning.
struct Reader<'a> {
    run: &'a Run,
    buffer: Vec<u8>,
    /// Offset in `buffer`, and postings of the run read into it so far.
    at: usize,
    read: u64,
}

impl<'a> Reader<'a> {
    fn new(run: &'a Run) -> io::Result<Self> {
        let mut reader = Self { run, buffer: Vec::new(), at: 0, read: 0 };
        reader.fill()?;
        Ok(reader)
    }

    fn fill(&mut self) -> io::Result<()> {
        self.at = 0;
        self.buffer.resize(POSTING * 4096, 0);
        let length = self.run.read(self.read, &mut self.buffer)?.len();
        self.buffer.truncate(length);
        self.read += (length / POSTING) as u64;
        Ok(())
    }

    fn head(&self) -> Option<&[u8; POSTING]> {
        self.buffer[self.at..].first_chunk()
    }

    fn advance(&mut self) -> io::Result<()> {
        self.at += POSTING;
        if self.at == self.buffer.len() { self.fill() } else { Ok(()) }
    }
}

/// Merges `runs`, which follow each other, into one; written and synced. `pause` is called now and then; when it says
/// so the work is given up and `None` comes back.
pub(crate) fn merge(
    disk: &dyn Disk,
    dir: &Path,
    runs: &[Arc<Run>],
    pause: &dyn Fn() -> io::Result<bool>,
) -> io::Result<Option<Run>> {
    let [first, .., last] = runs else { return Ok(None) };
    let id = RunId { level: first.id.level + 1, first: first.id.first, end: last.id.end };
    let mut readers = runs.iter().map(|run| Reader::new(run)).collect::<io::Result<Vec<_>>>()?;
    let mut writer = RunWriter::create(disk, dir, id)?;
    let mut count = 0_u64;
    // Big-endian bytes order as the postings do, so they are compared as they stand.
    while let Some(least) =
        readers.iter_mut().filter(|reader| reader.head().is_some()).min_by(|a, b| a.head().cmp(&b.head()))
    {
        if let Some(posting) = least.head() {
            writer.push(posting)?;
        }
        least.advance()?;
        count += 1;
        if count.is_multiple_of(1 << 16) && pause()? {
            return Ok(None);
        }
    }
    let file = writer.finish()?;
    file.sync()?;
    Ok(Some(Run { id, file, count }))
}
