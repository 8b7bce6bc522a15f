//! The mark: up to where the derived files are valid and synced, and where in the journal to go on.
//!
//! Two slots of a page each are written in turn, so that a torn write leaves the mark before it.

use super::files::Lengths;
use crate::disk::DiskFile;
use crate::journal::Cursor;
use crate::journal::record::Fields;
use crate::proof::{Hash, empty_root, sha256};
use std::io;

const MAGIC: &[u8; 8] = b"OBHUTST1";
/// Bytes of a slot.
const SLOT: usize = 4096;
/// The most runs of postings that fit into a slot; merging keeps them far below.
pub(crate) const MAX_RUNS: usize = 128;

/// One sorted run of postings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RunId {
    /// 0 for a run made from the tail, n + 1 for one merged from runs of level n.
    pub(crate) level: u8,
    /// Entries from this index …
    pub(crate) first: u64,
    /// … up to but without this one.
    pub(crate) end: u64,
}

/// Which postings files are valid.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Manifest {
    /// Index of the first entry whose postings stand in the tail.
    pub(crate) tail_first: u64,
    /// Postings in the tail.
    pub(crate) tail_count: u64,
    /// Sorted runs, oldest first.
    pub(crate) runs: Vec<RunId>,
}

/// A state of the derived files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Snapshot {
    /// How far the files are valid.
    pub(crate) lengths: Lengths,
    /// Root of the tree.
    pub(crate) root: Hash,
    /// Where the journal goes on.
    pub(crate) cursor: Cursor,
    /// Which postings.
    pub(crate) postings: Manifest,
}

impl Snapshot {
    /// That of a new log.
    pub(crate) fn start(origin: &str) -> Self {
        Self {
            lengths: Lengths::default(),
            root: empty_root(),
            cursor: Cursor::start(origin),
            postings: Manifest::default(),
        }
    }

    fn encode(&self, counter: u64) -> Vec<u8> {
        let mut out = Vec::with_capacity(SLOT);
        out.extend_from_slice(MAGIC);
        let Lengths { count, entries, identity } = self.lengths;
        for number in [counter, count, entries, identity] {
            out.extend_from_slice(&number.to_be_bytes());
        }
        out.extend_from_slice(&self.root);
        for number in [self.cursor.sequence, self.cursor.offset, self.cursor.record] {
            out.extend_from_slice(&number.to_be_bytes());
        }
        out.extend_from_slice(&self.cursor.previous);
        for number in [self.postings.tail_first, self.postings.tail_count, self.postings.runs.len() as u64] {
            out.extend_from_slice(&number.to_be_bytes());
        }
        for run in &self.postings.runs {
            out.push(run.level);
            out.extend_from_slice(&run.first.to_be_bytes());
            out.extend_from_slice(&run.end.to_be_bytes());
        }
        let digest = sha256(&out);
        out.extend_from_slice(&digest);
        out.resize(SLOT, 0);
        out
    }

    /// Parses and checks a slot; gives its counter too.
    pub(crate) fn decode(slot: &[u8]) -> Option<(u64, Self)> {
        let mut fields = Fields(slot);
        if fields.take(8)? != MAGIC {
            return None;
        }
        let counter = fields.u64()?;
        let lengths = Lengths { count: fields.u64()?, entries: fields.u64()?, identity: fields.u64()? };
        let root = fields.hash()?;
        let (sequence, offset, record) = (fields.u64()?, fields.u64()?, fields.u64()?);
        let cursor = Cursor { sequence, offset, record, previous: fields.hash()?, entries: lengths.count };
        let (tail_first, tail_count) = (fields.u64()?, fields.u64()?);
        let count = usize::try_from(fields.u64()?).ok().filter(|count| *count <= MAX_RUNS)?;
        let mut runs = Vec::with_capacity(count);
        for _ in 0..count {
            runs.push(RunId { level: fields.u8()?, first: fields.u64()?, end: fields.u64()? });
        }
        let end = slot.len() - fields.0.len();
        if fields.hash()? != sha256(&slot[..end]) {
            return None;
        }
        let postings = Manifest { tail_first, tail_count, runs };
        Some((counter, Self { lengths, root, cursor, postings }))
    }
}

/// Writes marks into the two slots in turn.
pub(crate) struct StateFile {
    file: std::sync::Arc<dyn DiskFile>,
    counter: u64,
}

impl StateFile {
    /// Fills a new file with the mark of a new log.
    pub(crate) fn create(file: std::sync::Arc<dyn DiskFile>, snapshot: &Snapshot) -> io::Result<()> {
        file.write_at(&[0; 2 * SLOT], 0)?;
        let mut state = Self { file, counter: 0 };
        state.write(snapshot)
    }

    /// The newest mark that checks; `None` if neither slot does.
    pub(crate) fn open(file: std::sync::Arc<dyn DiskFile>) -> io::Result<Option<(Self, Snapshot)>> {
        let mut bytes = vec![0; 2 * SLOT];
        match file.read_at(&mut bytes, 0) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
            other => other?,
        }
        let newest = bytes.chunks(SLOT).filter_map(Snapshot::decode).max_by_key(|(counter, _)| *counter);
        Ok(newest.map(|(counter, snapshot)| (Self { file, counter }, snapshot)))
    }

    /// Makes `snapshot` the mark. After an error the mark before it stands, and the same slot is written again.
    pub(crate) fn write(&mut self, snapshot: &Snapshot) -> io::Result<()> {
        let counter = self.counter + 1;
        let offset = if counter.is_multiple_of(2) { 0 } else { SLOT as u64 };
        self.file.write_at(&snapshot.encode(counter), offset)?;
        self.file.sync()?;
        self.counter = counter;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn snapshot() -> impl Strategy<Value = Snapshot> {
        let run = any::<(u8, u64, u64)>().prop_map(|(level, first, end)| RunId { level, first, end });
        let postings = (any::<[u64; 2]>(), prop::collection::vec(run, 0..=MAX_RUNS))
            .prop_map(|([tail_first, tail_count], runs)| Manifest { tail_first, tail_count, runs });
        (any::<[u64; 6]>(), any::<[[u8; 32]; 2]>(), postings).prop_map(|(n, [root, previous], postings)| {
            Snapshot {
                lengths: Lengths { count: n[0], entries: n[1], identity: n[2] },
                root,
                cursor: Cursor { sequence: n[3], offset: n[4], record: n[5], previous, entries: n[0] },
                postings,
            }
        })
    }

    /// Permanent: the layout of a slot. A mark of another layout is a new version with another magic.
    #[test]
    fn the_layout_of_version_1() {
        let run = RunId { level: 1, first: 2, end: 3 };
        let snapshot = Snapshot {
            lengths: Lengths { count: 4, entries: 5, identity: 6 },
            root: [7; 32],
            cursor: Cursor { sequence: 8, offset: 9, record: 10, previous: [11; 32], entries: 4 },
            postings: Manifest { tail_first: 12, tail_count: 13, runs: vec![run] },
        };
        let slot = snapshot.encode(14);
        let number = |n: u8| format!("00000000000000{n:02x}");
        let head = [14, 4, 5, 6].map(number).concat();
        let cursor = [8, 9, 10].map(number).concat();
        let postings = [12, 13, 1].map(number).concat();
        let run = format!("01{}{}", number(2), number(3));
        let (root, previous) = ("07".repeat(32), "0b".repeat(32));
        let expected = format!("4f42485554535431{head}{root}{cursor}{previous}{postings}{run}");
        let end = expected.len() / 2;
        assert_eq!(data_encoding::HEXLOWER.encode(&slot[..end]), expected);
        assert_eq!(slot[end..end + 32], sha256(&slot[..end]));
    }

    proptest! {
        #[test]
        fn marks_round_trip(snapshot in snapshot(), counter: u64, at in 0..300_usize) {
            let mut slot = snapshot.encode(counter);
            prop_assert_eq!(slot.len(), SLOT);
            prop_assert_eq!(Snapshot::decode(&slot), Some((counter, snapshot)));
            slot[at % 180] ^= 1;
            prop_assert_eq!(Snapshot::decode(&slot), None);
        }

        #[test]
        fn no_slot_panics(mut bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            prop_assert_eq!(Snapshot::decode(&bytes), None);
            let magic = bytes.len().min(8);
            bytes[..magic].copy_from_slice(&MAGIC[..magic]);
            prop_assert_eq!(Snapshot::decode(&bytes), None);
        }
    }
}
