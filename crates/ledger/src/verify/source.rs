//! Where a verifier finds a log: static files in the C2SP layout, or the directory of a ledger.

use crate::checkpointer;
use crate::derived::files::Files;
use crate::derived::state::StateFile;
use crate::disk::{Disk, Mode, RealDisk};
use crate::error::ReadError;
use crate::postings::Postings;
use crate::tiles::{self, Resource, TILE_WIDTH};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Largest checkpoint that is read, in bytes.
const MAX_NOTE: u64 = 1 << 17;

/// A log to be verified. What is missing is `None`.
pub(crate) enum Source {
    /// Static files, as a web server serves them.
    Static(PathBuf),
    /// The directory of one incarnation.
    Incarnation(PathBuf, Box<Files>),
}

impl Source {
    /// The directory of one incarnation.
    pub(crate) fn incarnation(dir: PathBuf) -> io::Result<Self> {
        let files = Files::open(&RealDisk, &dir, Mode::Read)?;
        Ok(Self::Incarnation(dir, Box::new(files)))
    }

    /// The signed checkpoint.
    pub(crate) fn checkpoint(&self) -> io::Result<Option<Vec<u8>>> {
        let (Self::Static(dir) | Self::Incarnation(dir, _)) = self;
        let path = dir.join(checkpointer::FILE);
        match std::fs::metadata(&path) {
            Ok(metadata) if metadata.len() > MAX_NOTE => Ok(Some(Vec::new())),
            _ => present(std::fs::read(path)),
        }
    }

    /// Whether the postings check, so far as there are any: they are no part of what was signed, but a ledger that
    /// hides who was touched would not be worth much.
    pub(crate) fn postings_check(&self) -> io::Result<bool> {
        let Self::Incarnation(dir, _) = self else { return Ok(true) };
        let state = RealDisk.open(&dir.join(crate::open::STATE), Mode::Read).and_then(StateFile::open)?;
        let Some((_, mark)) = state else { return Ok(false) };
        match Postings::open(Arc::new(RealDisk), dir, &mark.postings, Mode::Read, usize::MAX) {
            Ok(postings) => postings.verify(),
            Err(error) if error.kind() == io::ErrorKind::InvalidData => Ok(false),
            Err(error) => present(Err(error)).map(|nothing: Option<()>| nothing.is_some()),
        }
    }

    /// A tile or bundle.
    pub(crate) fn get(&self, resource: Resource) -> io::Result<Option<Vec<u8>>> {
        match self {
            Self::Static(dir) => present(std::fs::read(dir.join(tiles::format(resource)))),
            Self::Incarnation(_, files) => read(files, resource),
        }
    }
}

fn present<T>(outcome: io::Result<T>) -> io::Result<Option<T>> {
    match outcome {
        Ok(found) => Ok(Some(found)),
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::UnexpectedEof) => {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

fn read(files: &Files, resource: Resource) -> io::Result<Option<Vec<u8>>> {
    match resource {
        Resource::Checkpoint => Ok(None),
        Resource::Tile { level, index, width } => {
            present(files.tile_hashes(level, index * TILE_WIDTH, usize::from(width)))
        }
        Resource::Entries { index, width } => {
            let start = index * TILE_WIDTH;
            match files.bundle(start, start + u64::from(width)) {
                Ok(bytes) => Ok(Some(bytes)),
                Err(ReadError::Io(error)) => present(Err(error)),
                Err(_) => Ok(None), // the index contradicts itself: there is no such bundle
            }
        }
    }
}

/// The incarnations in a ledger's directory, newest first; empty if it is none.
pub(crate) fn incarnations(dir: &Path) -> io::Result<Vec<(u32, PathBuf)>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir)? {
        let name = entry?.file_name();
        if let Some(number) = name.to_str().and_then(crate::incarnation::parse_dir_name) {
            found.push((number, dir.join(name)));
        }
    }
    found.sort_unstable_by_key(|(number, _)| std::cmp::Reverse(*number));
    Ok(found)
}
