//! The files that derive from the journal, and reading from them. All are append-only but for destroyed identities.

use crate::disk::{Disk, DiskFile, Mode};
use crate::error::ReadError;
use crate::proof::{Hash, Nodes, node_hash};
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Node hashes are stored at heights 0, 4, 8, …: every second file is a level of C2SP tiles, and no proof has to
/// hash more than 15 stored nodes for one of its own.
pub(crate) const NODE_STEP: u8 = 4;
const NODE_FILES: usize = 16;
/// Bytes of an entry in the index: end in `entries`, end in `identity`.
const INDEX_ENTRY: u64 = 16;
/// First byte of an identity that is there; all bytes of a destroyed one are 0.
pub(crate) const IDENTITY_LIVE: u8 = 1;

/// An append-only file that knows whether it has to be synced.
pub(crate) struct Log {
    pub(crate) file: Arc<dyn DiskFile>,
    dirty: AtomicBool,
}

impl Log {
    pub(crate) fn new(file: Arc<dyn DiskFile>) -> Self {
        Self { file, dirty: AtomicBool::new(false) }
    }

    pub(crate) fn write(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        if bytes.is_empty() {
            return Ok(());
        }
        // After the write, also a failed one: a sync that runs meanwhile takes the flag and may miss these bytes.
        let written = self.file.write_at(bytes, offset);
        self.dirty.store(true, Ordering::Release);
        written
    }

    /// Syncs if written since. After an error everything since the last mark is written again (see `Deriver`).
    pub(crate) fn sync(&self) -> io::Result<()> {
        if self.dirty.swap(false, Ordering::AcqRel) { self.file.sync() } else { Ok(()) }
    }
}

/// What stands in the files: how far each is valid.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Lengths {
    /// Entries.
    pub(crate) count: u64,
    /// Bytes of `entries`.
    pub(crate) entries: u64,
    /// Bytes of `identity`.
    pub(crate) identity: u64,
}

/// Bytes that a step of derivation appends.
#[derive(Default)]
pub(crate) struct Buffers {
    pub(crate) entries: Vec<u8>,
    pub(crate) index: Vec<u8>,
    pub(crate) identity: Vec<u8>,
    pub(crate) nodes: [Vec<u8>; NODE_FILES],
}

impl Buffers {
    pub(crate) fn clear(&mut self) {
        for buffer in [&mut self.entries, &mut self.index, &mut self.identity] {
            buffer.clear();
        }
        self.nodes.iter_mut().for_each(Vec::clear);
    }

    /// Notes a perfect subtree that was completed.
    pub(crate) fn node(&mut self, height: u8, hash: &Hash) {
        if height.is_multiple_of(NODE_STEP) {
            self.nodes[usize::from(height / NODE_STEP)].extend_from_slice(hash);
        }
    }
}

/// The open files.
pub(crate) struct Files {
    /// Entries as in a tlog-tiles bundle: 16-bit length and leaf, one after the other.
    pub(crate) entries: Log,
    /// For each entry the ends of its leaf and of its identity.
    pub(crate) index: Log,
    /// Identity layers, each after its state byte.
    pub(crate) identity: Log,
    nodes: [Log; NODE_FILES],
}

fn node_name(number: usize) -> String {
    format!("nodes-{:02}", number * usize::from(NODE_STEP))
}

impl Files {
    /// Makes the empty files.
    pub(crate) fn create(disk: &dyn Disk, dir: &Path) -> io::Result<()> {
        for name in ["entries", "index", "identity"]
            .map(str::to_owned)
            .into_iter()
            .chain((0..NODE_FILES).map(node_name))
        {
            disk.open(&dir.join(name), Mode::Create)?.sync()?;
        }
        Ok(())
    }

    /// Opens them, for reading alone or also for writing.
    pub(crate) fn open(disk: &dyn Disk, dir: &Path, mode: Mode) -> io::Result<Self> {
        let open = |name: &str| disk.open(&dir.join(name), mode).map(Log::new);
        let mut nodes = Vec::with_capacity(NODE_FILES);
        for number in 0..NODE_FILES {
            nodes.push(open(&node_name(number))?);
        }
        let nodes = nodes.try_into().map_err(|_| io::ErrorKind::InvalidData)?;
        Ok(Self { entries: open("entries")?, index: open("index")?, identity: open("identity")?, nodes })
    }

    /// Opens for reading what can be opened, for a ledger that is set aside; the rest reads as empty.
    pub(crate) fn open_what_is_there(disk: &dyn Disk, dir: &Path) -> Self {
        let open = |name: &str| {
            Log::new(disk.open(&dir.join(name), Mode::Read).unwrap_or_else(|_| Arc::new(Missing)))
        };
        let nodes = std::array::from_fn(|number| open(&node_name(number)));
        Self { entries: open("entries"), index: open("index"), identity: open("identity"), nodes }
    }

    /// Whether every file is at least as long as `lengths` needs.
    pub(crate) fn hold(&self, lengths: &Lengths) -> io::Result<bool> {
        let mut whole = self.entries.file.size()? >= lengths.entries
            && self.identity.file.size()? >= lengths.identity
            && self.index.file.size()? >= lengths.count.saturating_mul(INDEX_ENTRY);
        for (number, nodes) in self.nodes.iter().enumerate() {
            let hashes = lengths.count >> (number * usize::from(NODE_STEP));
            whole &= nodes.file.size()? >= hashes.saturating_mul(32);
        }
        Ok(whole)
    }

    /// Appends a step after what `lengths` says is there.
    pub(crate) fn append(&self, lengths: &Lengths, step: &Buffers) -> io::Result<()> {
        self.entries.write(&step.entries, lengths.entries)?;
        self.identity.write(&step.identity, lengths.identity)?;
        self.index.write(&step.index, lengths.count * INDEX_ENTRY)?;
        for (number, bytes) in step.nodes.iter().enumerate() {
            self.nodes[number].write(bytes, (lengths.count >> (number * usize::from(NODE_STEP))) * 32)?;
        }
        Ok(())
    }

    /// Syncs all that was written.
    pub(crate) fn sync(&self) -> io::Result<()> {
        [&self.entries, &self.index, &self.identity].into_iter().chain(&self.nodes).try_for_each(Log::sync)
    }

    /// Ends of entry `index` in `entries` and in `identity`.
    pub(crate) fn ends_at(&self, index: u64) -> io::Result<(u64, u64)> {
        let mut bytes = [0; 16];
        self.index.file.read_at(&mut bytes, index * INDEX_ENTRY)?;
        let [entries, identity] = bytes.as_chunks::<8>().0 else {
            return Err(io::ErrorKind::InvalidData.into());
        };
        Ok((u64::from_be_bytes(*entries), u64::from_be_bytes(*identity)))
    }

    /// Start and end of entry `index` in `entries`, then in `identity`; the entry must exist.
    fn span(&self, index: u64) -> Result<[(u64, u64); 2], ReadError> {
        let start = if index == 0 { (0, 0) } else { self.ends_at(index - 1).map_err(ReadError::Io)? };
        let end = self.ends_at(index).map_err(ReadError::Io)?;
        if start.0 <= end.0 && start.1 <= end.1 {
            Ok([(start.0, end.0), (start.1, end.1)])
        } else {
            Err(ReadError::Corrupt)
        }
    }

    /// The leaf at `index`, which must exist.
    pub(crate) fn leaf(&self, index: u64) -> Result<Vec<u8>, ReadError> {
        let (start, end) = self.span(index)?[0];
        let mut bytes = read(&self.entries.file, start, end, 2 + u64::from(u16::MAX))?;
        let length = bytes.get(..2).map(|two| usize::from(u16::from_be_bytes([two[0], two[1]])));
        if length != Some(bytes.len().saturating_sub(2)) {
            return Err(ReadError::Corrupt);
        }
        bytes.drain(..2);
        Ok(bytes)
    }

    /// The entries `start..end`, which must exist, as a tlog-tiles bundle.
    pub(crate) fn bundle(&self, start: u64, end: u64) -> Result<Vec<u8>, ReadError> {
        let (from, to) = (self.span(start)?[0].0, self.span(end - 1)?[0].1);
        read(&self.entries.file, from, to, (end - start) * (2 + u64::from(u16::MAX)))
    }

    /// Where the identity of entry `index`, which must exist, begins and ends, state byte included.
    pub(crate) fn identity_span(&self, index: u64) -> Result<(u64, u64), ReadError> {
        Ok(self.span(index)?[1])
    }

    /// The identity of entry `index`; `None` if it had none or it was destroyed.
    pub(crate) fn identity(&self, index: u64) -> Result<Option<Vec<u8>>, ReadError> {
        let (start, end) = self.identity_span(index)?;
        let mut bytes =
            read(&self.identity.file, start, end, 1 + crate::journal::record::MAX_IDENTITY as u64)?;
        match bytes.first() {
            None | Some(0) => Ok(None),
            Some(&IDENTITY_LIVE) => {
                bytes.remove(0);
                Ok(Some(bytes))
            }
            Some(_) => Err(ReadError::Corrupt),
        }
    }

    /// `count` stored hashes of tile level `level`, from `first` on.
    pub(crate) fn tile_hashes(&self, level: u8, first: u64, count: usize) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; count * 32];
        self.nodes[usize::from(level) * 2].file.read_at(&mut bytes, first * 32)?;
        Ok(bytes)
    }

    /// Leaf hashes from `first` on, into `hashes` (a whole number of them).
    pub(crate) fn leaf_hashes(&self, hashes: &mut [u8], first: u64) -> io::Result<()> {
        self.nodes[0].file.read_at(hashes, first * 32)
    }
}

impl Nodes for Files {
    type Error = io::Error;

    fn node(&self, height: u8, index: u64) -> io::Result<Hash> {
        let above = height % NODE_STEP;
        let mut stored = [[0; 32]; 1 << (NODE_STEP - 1)];
        let mut width = 1 << above;
        let file = &self.nodes[usize::from(height / NODE_STEP)].file;
        file.read_at(stored[..width].as_flattened_mut(), (index << above) * 32)?;
        while width > 1 {
            width /= 2;
            for i in 0..width {
                stored[i] = node_hash(&stored[2 * i], &stored[2 * i + 1]);
            }
        }
        Ok(stored[0])
    }
}

/// Stands for a file that could not be opened.
struct Missing;

impl DiskFile for Missing {
    fn read_at(&self, _: &mut [u8], _: u64) -> io::Result<()> {
        Err(io::ErrorKind::NotFound.into())
    }
    fn write_at(&self, _: &[u8], _: u64) -> io::Result<()> {
        Err(io::ErrorKind::NotFound.into())
    }
    fn sync(&self) -> io::Result<()> {
        Err(io::ErrorKind::NotFound.into())
    }
    fn size(&self) -> io::Result<u64> {
        Ok(0)
    }
    fn allocate(&self, _: u64) -> io::Result<()> {
        Err(io::ErrorKind::NotFound.into())
    }
}

fn read(file: &Arc<dyn DiskFile>, start: u64, end: u64, limit: u64) -> Result<Vec<u8>, ReadError> {
    let length = end.checked_sub(start).filter(|length| *length <= limit).ok_or(ReadError::Corrupt)?;
    let mut bytes = vec![0; usize::try_from(length).map_err(|_| ReadError::Corrupt)?];
    file.read_at(&mut bytes, start).map_err(ReadError::Io)?;
    Ok(bytes)
}
