//! Single entries and proofs from the files of a log, without opening it for writing.

use super::note::{Checkpoint, Note};
use super::source::{self, Source};
use crate::proof::{self, Hash, Nodes, Proof, node_hash};
use crate::tiles::{self, Resource, TILE_WIDTH};
use std::io;
use std::path::Path;

/// A log on disk as its checkpoint describes it. Nothing is verified: the caller checks what it takes from here with
/// [`super::inclusion`], [`super::consistency`] and [`super::open_checkpoint`].
pub struct OfflineLog {
    source: Source,
    note: Vec<u8>,
    checkpoint: Checkpoint,
}

/// Why nothing could be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OfflineError {
    /// There is no log, or not this incarnation of it.
    #[error("there is no such log")]
    Absent,
    /// The checkpoint is missing or not in the format.
    #[error("there is no readable checkpoint")]
    Checkpoint,
    /// The checkpoint does not cover the index or size.
    #[error("the checkpoint does not reach so far")]
    OutOfRange,
    /// A tile or bundle is missing or not in the format.
    #[error("a tile or bundle is missing or damaged")]
    Damaged,
    /// The files could not be read.
    #[error("the files cannot be read")]
    Io(#[from] io::Error),
}

impl OfflineLog {
    /// Opens the directory of a ledger, or static files in the C2SP layout; of several incarnations the one asked
    /// for, or the newest.
    pub fn open(dir: &Path, incarnation: Option<u32>) -> Result<Self, OfflineError> {
        let mut found = source::incarnations(dir)?;
        let source = if found.is_empty() {
            if incarnation.is_some() {
                return Err(OfflineError::Absent);
            }
            Source::Static(dir.to_owned())
        } else {
            found.retain(|(number, _)| incarnation.is_none_or(|wanted| wanted == *number));
            Source::incarnation(found.into_iter().next().ok_or(OfflineError::Absent)?.1)?
        };
        let note = source.checkpoint()?.ok_or(OfflineError::Checkpoint)?;
        let checkpoint = Note::parse(&note).and_then(|note| note.checkpoint());
        let checkpoint = checkpoint.map_err(|_| OfflineError::Checkpoint)?;
        Ok(Self { source, note, checkpoint })
    }

    /// The signed checkpoint, verbatim; its signature was not checked.
    #[must_use]
    pub fn note(&self) -> &[u8] {
        &self.note
    }

    /// What the checkpoint says.
    #[must_use]
    pub fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// The leaf at `index`, as it stands in its bundle.
    pub fn leaf(&self, index: u64) -> Result<Vec<u8>, OfflineError> {
        if index >= self.checkpoint.size {
            return Err(OfflineError::OutOfRange);
        }
        let (bundle, width) = part(index, self.checkpoint.size);
        let bytes = self.source.get(Resource::Entries { index: bundle, width })?;
        let bytes = bytes.ok_or(OfflineError::Damaged)?;
        let leaves = super::directory::parse_bundle(&bytes, width).ok_or(OfflineError::Damaged)?;
        let place = usize::try_from(index % TILE_WIDTH).unwrap_or(0);
        Ok(leaves[place].to_vec())
    }

    /// The root of the whole tree, computed from the stored hashes of perfect subtrees.
    pub fn root(&self) -> Result<Hash, OfflineError> {
        proof::root(self, self.checkpoint.size)
    }

    /// The proof that the leaf at `index` stands under the checkpoint (RFC 9162 §2.1.3.1).
    pub fn inclusion(&self, index: u64) -> Result<Proof, OfflineError> {
        if index >= self.checkpoint.size {
            return Err(OfflineError::OutOfRange);
        }
        proof::inclusion(self, index, self.checkpoint.size)
    }

    /// The proof that the checkpoint continues the tree of size `old` (RFC 9162 §2.1.4.1).
    pub fn consistency(&self, old: u64) -> Result<Proof, OfflineError> {
        if old > self.checkpoint.size {
            return Err(OfflineError::OutOfRange);
        }
        proof::consistency(self, old, self.checkpoint.size)
    }
}

/// The tile or bundle that holds hash or entry `index` of `count`, and how many it holds.
fn part(index: u64, count: u64) -> (u64, u16) {
    let tile = index / TILE_WIDTH;
    let width = count.saturating_sub(tile * TILE_WIDTH).min(TILE_WIDTH);
    (tile, u16::try_from(width).unwrap_or(256))
}

impl Nodes for OfflineLog {
    type Error = OfflineError;

    /// From the tile that holds the subtree's lowest stored row: at most 128 hashes.
    fn node(&self, height: u8, index: u64) -> Result<Hash, OfflineError> {
        let (level, above) = (height / 8, height % 8);
        let first = index << above;
        let (tile, width) = part(first, tiles::hashes_at(level, self.checkpoint.size));
        let bytes = self.source.get(Resource::Tile { level, index: tile, width })?;
        let bytes = bytes.filter(|bytes| bytes.len() == usize::from(width) * 32);
        let bytes = bytes.ok_or(OfflineError::Damaged)?;
        let from = usize::try_from(first % TILE_WIDTH).unwrap_or(0);
        let row = bytes.as_chunks::<32>().0.get(from..from + (1 << above));
        let mut row = row.ok_or(OfflineError::Damaged)?.to_vec();
        while row.len() > 1 {
            row = row.as_chunks::<2>().0.iter().map(|[left, right]| node_hash(left, right)).collect();
        }
        row.pop().ok_or(OfflineError::Damaged)
    }
}
