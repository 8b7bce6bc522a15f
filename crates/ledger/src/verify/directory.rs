//! Verification of a whole log in one pass over its leaves.

use super::key::VerifierKey;
use super::note::{Note, OpenedCheckpoint, open_checkpoint};
use super::source::{self, Source};
use super::{Checkpoint, VerifyError};
use crate::frontier::Frontier;
use crate::incarnation::Link;
use crate::proof::{Hash, leaf_hash};
use crate::tiles::{self, Resource, TILE_WIDTH};
use std::io;
use std::path::Path;

/// Findings after which a log is not looked at any further.
const MAX_FINDINGS: usize = 1000;

/// What verifying a log found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// The checkpoint that the log carries, if its signature checks.
    pub checkpoint: Option<OpenedCheckpoint>,
    /// Leaves that were hashed.
    pub entries: u64,
    /// All that is wrong, in the order found; empty means that everything verified.
    pub findings: Vec<Finding>,
    /// What leaf 0 of a later incarnation says of the one before it.
    pub link: Option<Link>,
    /// Earlier incarnations in the same directory, newest first. They were set aside as damaged.
    pub older: Vec<Report>,
}

impl Report {
    /// Whether all of it verified: the newest incarnation and each one before it is signed and complete, each names the
    /// head of the one before it, and all together continue every earlier checkpoint handed in.
    #[must_use]
    pub fn is_good(&self) -> bool {
        let chain: Vec<&Self> = std::iter::once(self).chain(&self.older).collect();
        let followed = chain.iter().enumerate().all(|(at, one)| match (&one.link, chain.get(at + 1)) {
            (Some(link), Some(before)) => before.ends_at(link),
            (Some(_), None) => false,
            (None, before) => before.is_none(),
        });
        followed && chain.iter().all(|one| one.newest_is_good())
    }

    /// Whether the newest incarnation verified, whatever became of those before it.
    #[must_use]
    pub fn newest_is_good(&self) -> bool {
        self.findings.is_empty() && self.checkpoint.is_some()
    }

    /// Whether this is the log, and the head, that its successor names.
    fn ends_at(&self, link: &Link) -> bool {
        self.checkpoint.as_ref().is_some_and(|opened| {
            let head = &opened.checkpoint;
            (head.origin.as_str(), head.size, head.root) == (link.previous.as_str(), link.size, link.root)
        })
    }
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Finding {
    /// The checkpoint is missing or does not check.
    Checkpoint(VerifyError),
    /// The leaf does not hash to its place in the tile: it was altered, or its place was.
    Leaf {
        /// Index of the leaf.
        index: u64,
    },
    /// An entry bundle does not parse, or has another number of entries.
    Bundle {
        /// Index of its first leaf.
        index: u64,
    },
    /// The leaves do not lead to a hash that stands in a tile of level 1 or higher.
    Tile {
        /// Level of the tile.
        level: u8,
        /// Index of the hash in the level.
        index: u64,
    },
    /// A tile or bundle is missing.
    Missing {
        /// Its tlog-tiles path.
        path: String,
    },
    /// The leaves do not lead to the root that was signed.
    Root,
    /// An earlier checkpoint is larger than what is there: entries were dropped.
    Behind {
        /// Position in the list of earlier checkpoints.
        earlier: usize,
    },
    /// The tree at the size of an earlier checkpoint has another root: history was rewritten.
    Forked {
        /// Position in the list of earlier checkpoints.
        earlier: usize,
    },
    /// An earlier checkpoint does not check itself.
    Earlier {
        /// Position in the list of earlier checkpoints.
        earlier: usize,
        /// Why.
        error: VerifyError,
    },
    /// An earlier checkpoint is of a log that is not here.
    Unrelated {
        /// Position in the list of earlier checkpoints.
        earlier: usize,
    },
    /// Leaf 0 of a later incarnation does not name the one before it.
    Link,
    /// The files that say who was touched by which entries do not check. They are no part of what was signed.
    Postings,
    /// There were so many findings that the rest was not looked at.
    Abandoned,
}

/// Verifies a directory: that of a ledger, or static files in the C2SP layout ([`crate::Ledger::export`]).
///
/// `earlier` are signed checkpoints that the verifier kept from before: each must be a prefix of what is here.
/// Without one, a rewritten history that was signed anew cannot be noticed. Fails only if files cannot be read.
pub fn directory(dir: &Path, keys: &[VerifierKey], earlier: &[Vec<u8>]) -> io::Result<Report> {
    let incarnations = source::incarnations(dir)?;
    let mut sources = Vec::with_capacity(incarnations.len() + 1);
    for (number, dir) in incarnations {
        sources.push((number, Source::incarnation(dir)?));
    }
    if sources.is_empty() {
        sources.push((0, Source::Static(dir.to_owned())));
    }
    let mut related = vec![false; earlier.len()];
    let mut reports = Vec::with_capacity(sources.len());
    for (number, source) in &sources {
        reports.push(Pass::new(source, keys, earlier, &mut related).run(*number)?);
    }
    let mut older = reports.split_off(1);
    let mut report = reports.pop().unwrap_or_default();
    std::mem::swap(&mut report.older, &mut older);
    for (position, note) in earlier.iter().enumerate().filter(|(position, _)| !related[*position]) {
        report.findings.push(match open_checkpoint(note, keys) {
            Ok(_) => Finding::Unrelated { earlier: position },
            Err(error) => Finding::Earlier { earlier: position, error },
        });
    }
    Ok(report)
}

/// One pass over one log.
struct Pass<'a> {
    source: &'a Source,
    keys: &'a [VerifierKey],
    earlier: &'a [Vec<u8>],
    /// Which of the earlier checkpoints belong to some log.
    related: &'a mut [bool],
    /// Earlier checkpoints of this log, by size.
    heads: Vec<(usize, Checkpoint)>,
    frontier: Frontier,
    /// The tile that is being filled at each level, as stored.
    stored: [Option<(u64, Vec<u8>)>; 8],
    size: u64,
    report: Report,
}

impl<'a> Pass<'a> {
    fn new(
        source: &'a Source,
        keys: &'a [VerifierKey],
        earlier: &'a [Vec<u8>],
        related: &'a mut [bool],
    ) -> Self {
        let (frontier, stored, report) = (Frontier::new(), Default::default(), Report::default());
        Self { source, keys, earlier, related, heads: Vec::new(), frontier, stored, size: 0, report }
    }

    fn run(mut self, incarnation: u32) -> io::Result<Report> {
        let Some(checkpoint) = self.open()? else { return Ok(self.report) };
        self.relate(&checkpoint.origin);
        self.size = checkpoint.size;
        self.compare_heads();
        for (index, width) in tiles::tiles_at(0, checkpoint.size) {
            if !self.bundle(index, width)? {
                return Ok(self.report);
            }
            if incarnation > 0 && index == 0 {
                self.check_link(incarnation)?;
            }
        }
        if self.frontier.root() != checkpoint.root {
            self.report.findings.push(Finding::Root);
        }
        if !self.source.postings_check()? {
            self.report.findings.push(Finding::Postings);
        }
        Ok(self.report)
    }

    /// The checkpoint; also one that is not signed well, so that the rest can be looked at.
    fn open(&mut self) -> io::Result<Option<Checkpoint>> {
        let Some(note) = self.source.checkpoint()? else {
            self.report.findings.push(Finding::Checkpoint(VerifyError::Malformed));
            return Ok(None);
        };
        match open_checkpoint(&note, self.keys) {
            Ok(opened) => {
                self.report.checkpoint = Some(opened.clone());
                Ok(Some(opened.checkpoint))
            }
            Err(error) => {
                self.report.findings.push(Finding::Checkpoint(error));
                Ok(Note::parse(&note).and_then(|note| note.checkpoint()).ok())
            }
        }
    }

    /// Picks the earlier checkpoints that are of this origin and check.
    fn relate(&mut self, origin: &str) {
        for (position, note) in self.earlier.iter().enumerate() {
            let Ok(opened) = open_checkpoint(note, self.keys) else { continue };
            if opened.checkpoint.origin == origin {
                self.related[position] = true;
                self.heads.push((position, opened.checkpoint));
            }
        }
        self.heads.sort_by_key(|(_, head)| std::cmp::Reverse(head.size));
    }

    /// Compares the earlier checkpoints of the size that the pass has reached.
    fn compare_heads(&mut self) {
        if self.frontier.size() == 0 {
            let size = self.size;
            let behind = self.heads.extract_if(.., |(_, head)| head.size > size);
            self.report.findings.extend(behind.map(|(earlier, _)| Finding::Behind { earlier }));
        }
        while let Some((earlier, head)) = self.heads.pop_if(|(_, head)| head.size == self.frontier.size()) {
            if head.root != self.frontier.root() {
                self.report.findings.push(Finding::Forked { earlier });
            }
        }
    }

    /// Checks a bundle against its tile and takes its leaves into the tree; false when going on makes no sense.
    fn bundle(&mut self, index: u64, width: u16) -> io::Result<bool> {
        let start = index * TILE_WIDTH;
        let tile = self.stored_tile(0, index, width)?;
        let bundle = self.source.get(Resource::Entries { index, width })?;
        if bundle.is_none() {
            self.missing(Resource::Entries { index, width });
        }
        let leaves = bundle.as_deref().and_then(|bytes| parse_bundle(bytes, width));
        if bundle.is_some() && leaves.is_none() {
            self.report.findings.push(Finding::Bundle { index: start });
        }
        for place in 0..usize::from(width) {
            let stored = tile.as_deref().and_then(|tile| tile.as_chunks::<32>().0.get(place));
            let computed = leaves.as_ref().map(|leaves| leaf_hash(leaves[place]));
            if let (Some(stored), Some(computed)) = (stored, &computed)
                && stored != computed
            {
                self.report.findings.push(Finding::Leaf { index: start + place as u64 });
            }
            // Without a leaf its hash in the tile stands in, so that one gap does not hide what follows.
            let Some(hash) = computed.as_ref().or(stored) else { return Ok(false) };
            self.push(*hash)?;
            self.report.entries += u64::from(computed.is_some());
            if self.report.findings.len() >= MAX_FINDINGS {
                self.report.findings.push(Finding::Abandoned);
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn push(&mut self, hash: Hash) -> io::Result<()> {
        let mut completed = Vec::new();
        let size = self.frontier.size() + 1;
        self.frontier.push(hash, |height, hash| {
            if height > 0 && height.is_multiple_of(8) {
                completed.push((height / 8, *hash));
            }
        });
        for (level, hash) in completed {
            let index = (size >> (8 * level)) - 1;
            let width =
                (tiles::hashes_at(level, self.size) - index / TILE_WIDTH * TILE_WIDTH).min(TILE_WIDTH);
            let tile = self.stored_tile(level, index / TILE_WIDTH, u16::try_from(width).unwrap_or(256))?;
            let place = usize::try_from(index % TILE_WIDTH).unwrap_or(0);
            let stored = tile.as_deref().and_then(|tile| tile.as_chunks::<32>().0.get(place));
            if stored.is_some_and(|stored| *stored != hash) {
                self.report.findings.push(Finding::Tile { level, index });
            }
            self.stored[usize::from(level)] = tile.map(|tile| (index / TILE_WIDTH, tile));
        }
        self.compare_heads();
        Ok(())
    }

    /// The stored tile, from memory while the pass is within it.
    fn stored_tile(&mut self, level: u8, index: u64, width: u16) -> io::Result<Option<Vec<u8>>> {
        if let Some((_, tile)) = self.stored[usize::from(level)].take_if(|(stored, _)| *stored == index) {
            return Ok(Some(tile));
        }
        let resource = Resource::Tile { level, index, width };
        let tile = self.source.get(resource)?;
        if tile.as_ref().is_none_or(|tile| tile.len() != usize::from(width) * 32) {
            self.missing(resource);
            return Ok(None);
        }
        Ok(tile)
    }

    fn missing(&mut self, resource: Resource) {
        let finding = Finding::Missing { path: tiles::format(resource) };
        if !self.report.findings.contains(&finding) {
            self.report.findings.push(finding);
        }
    }

    /// Leaf 0 of a later incarnation must say which one it is.
    fn check_link(&mut self, incarnation: u32) -> io::Result<()> {
        let width = u16::try_from(self.size.min(TILE_WIDTH)).unwrap_or(256);
        let bundle = self.source.get(Resource::Entries { index: 0, width })?;
        let leaves = bundle.as_deref().and_then(|bytes| parse_bundle(bytes, width));
        let link = leaves.and_then(|leaves| Link::parse(leaves[0]));
        if link.as_ref().is_none_or(|link| link.incarnation != incarnation) {
            self.report.findings.push(Finding::Link);
        }
        self.report.link = link;
        Ok(())
    }
}

/// The leaves of a bundle of exactly `width` entries.
pub(crate) fn parse_bundle(mut bytes: &[u8], width: u16) -> Option<Vec<&[u8]>> {
    let mut leaves = Vec::with_capacity(usize::from(width));
    for _ in 0..width {
        let (length, rest) = bytes.split_first_chunk()?;
        let (leaf, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
        leaves.push(leaf);
        bytes = rest;
    }
    bytes.is_empty().then_some(leaves)
}
