//! A disk in memory that loses, reorders, tears and zeroes what was not synced, and that fails on demand.

use super::Random;
use ledger::disk::{Disk, DiskFile, Mode};
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};

const PAGE: usize = 4096;

#[derive(Clone, Default)]
struct Content {
    /// What a reader sees.
    seen: Vec<u8>,
    /// What is on the platter.
    durable: Vec<u8>,
    /// Pages that were written since, and which bytes of each (first to last).
    dirty: BTreeMap<usize, (usize, usize)>,
}

impl Content {
    fn page_of(bytes: &[u8], page: usize) -> Vec<u8> {
        let mut out = vec![0; PAGE];
        let start = (page * PAGE).min(bytes.len());
        let end = (start + PAGE).min(bytes.len());
        out[..end - start].copy_from_slice(&bytes[start..end]);
        out
    }

    fn touch(&mut self, start: usize, end: usize) {
        for page in start / PAGE..end.div_ceil(PAGE) {
            let (from, to) = (start.max(page * PAGE) - page * PAGE, end.min((page + 1) * PAGE) - page * PAGE);
            let range = self.dirty.entry(page).or_insert((from, to));
            *range = (range.0.min(from), range.1.max(to));
        }
    }

    fn put(bytes: &mut Vec<u8>, page: usize, content: &[u8], limit: usize) {
        let end = ((page + 1) * PAGE).min(limit);
        if bytes.len() < end {
            bytes.resize(end, 0);
        }
        let start = (page * PAGE).min(end);
        bytes[start..end].copy_from_slice(&content[..end - start]);
    }
}

/// What fails.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Faults {
    /// Every write fails with ENOSPC if it makes its file longer.
    pub(crate) full: bool,
    /// Every write and sync of the journal fails with EIO.
    pub(crate) journal: bool,
    /// Every sync fails with EIO; what was written becomes clean in memory and is lost on the platter.
    pub(crate) sync: bool,
    /// The same, for files of which the name does not begin with `journal`.
    pub(crate) derived_sync: bool,
}

#[derive(Default)]
struct State {
    inodes: BTreeMap<u64, Content>,
    names: BTreeMap<PathBuf, u64>,
    durable_names: BTreeMap<PathBuf, u64>,
    /// What the names were after each change since they were synced.
    names_since: Vec<BTreeMap<PathBuf, u64>>,
    next: u64,
    locked: BTreeSet<PathBuf>,
    faults: Faults,
    /// After a crash handles of before do nothing.
    era: u64,
    /// Writes and syncs until everything fails; for crashes at an exact step.
    fuse: Option<u64>,
}

impl State {
    fn names_changed(&mut self) {
        self.names_since.push(self.names.clone());
    }

    fn burn(&mut self) -> io::Result<()> {
        match &mut self.fuse {
            Some(0) => Err(io::Error::other("crashed")),
            Some(left) => {
                *left -= 1;
                Ok(())
            }
            None => Ok(()),
        }
    }
}

/// The disk. Clones share it.
#[derive(Clone, Default)]
pub(crate) struct FaultDisk(Arc<Mutex<State>>);

impl FaultDisk {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    pub(crate) fn set(&self, faults: Faults) {
        self.state().faults = faults;
    }

    /// From now on `steps` more writes, syncs, renames and so on work; then nothing does.
    pub(crate) fn crash_after(&self, steps: u64) {
        self.state().fuse = Some(steps);
    }

    /// Power fails: of what was not synced each page is on the platter, or not, or its bytes are zero, in any
    /// combination. Bytes of a page beside those written keep what they were, which SQLite calls powersafe overwrite.
    pub(crate) fn crash(&self, random: &mut Random) {
        let mut state = self.state();
        state.era += 1;
        state.fuse = None;
        state.faults = Faults::default();
        state.locked.clear();
        for content in state.inodes.values_mut() {
            let full = content.seen.len();
            let kept = if random.chance(50) { full } else { content.durable.len() };
            for (page, (from, to)) in std::mem::take(&mut content.dirty) {
                let limit = kept.max(content.durable.len());
                match random.below(3) {
                    0 => {
                        let page_bytes = Content::page_of(&content.seen, page);
                        Content::put(&mut content.durable, page, &page_bytes, limit);
                    }
                    1 => {
                        let mut page_bytes = Content::page_of(&content.durable, page);
                        page_bytes[from..to].fill(0);
                        Content::put(&mut content.durable, page, &page_bytes, limit);
                    }
                    _ => {}
                }
            }
            content.durable.resize(kept.max(content.durable.len()), 0);
            content.seen = content.durable.clone();
        }
        // A file system journals changes of names in order: some prefix of them survives.
        let mut possible = std::mem::take(&mut state.names_since);
        possible.insert(0, state.durable_names.clone());
        let survived = possible.swap_remove(random.below(possible.len() as u64) as usize);
        state.names = survived.clone();
        state.durable_names = survived;
    }

    /// Writes what is seen into a real directory.
    pub(crate) fn dump(&self, to: &Path) {
        let state = self.state();
        for (path, inode) in &state.names {
            let path = to.join(path.strip_prefix("/").unwrap());
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, &state.inodes[inode].seen).unwrap();
        }
    }

    /// Changes bytes of a file in place, as a hand on the platter would.
    pub(crate) fn tamper(&self, path: &Path, change: impl FnOnce(&mut Vec<u8>)) {
        let mut state = self.state();
        let inode = state.names[path];
        let content = state.inodes.get_mut(&inode).unwrap();
        change(&mut content.seen);
        content.durable = content.seen.clone();
    }

    pub(crate) fn read(&self, path: &Path) -> Vec<u8> {
        let state = self.state();
        state.inodes[&state.names[path]].seen.clone()
    }
}

struct FaultFile {
    disk: FaultDisk,
    inode: u64,
    era: u64,
    journal: bool,
}

impl FaultFile {
    fn with<T>(&self, act: impl FnOnce(&mut State, u64) -> io::Result<T>) -> io::Result<T> {
        let mut state = self.disk.state();
        if state.era != self.era {
            return Err(io::Error::other("a handle of before the crash"));
        }
        act(&mut state, self.inode)
    }
}

impl DiskFile for FaultFile {
    fn read_at(&self, into: &mut [u8], offset: u64) -> io::Result<()> {
        self.with(|state, inode| {
            let seen = &state.inodes[&inode].seen;
            let start = usize::try_from(offset).unwrap();
            let part = seen.get(start..start + into.len()).ok_or(io::ErrorKind::UnexpectedEof)?;
            into.copy_from_slice(part);
            Ok(())
        })
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.with(|state, inode| {
            state.burn()?;
            let faults = state.faults;
            let content = state.inodes.get_mut(&inode).unwrap();
            let (start, end) = (offset as usize, offset as usize + bytes.len());
            if faults.full && end > content.seen.len() {
                return Err(io::ErrorKind::StorageFull.into());
            }
            if faults.journal && self.journal {
                return Err(io::Error::other("EIO"));
            }
            if content.seen.len() < end {
                content.seen.resize(end, 0);
            }
            content.seen[start..end].copy_from_slice(bytes);
            content.touch(start, end);
            Ok(())
        })
    }

    fn sync(&self) -> io::Result<()> {
        self.with(|state, inode| {
            state.burn()?;
            let faults = state.faults;
            let content = state.inodes.get_mut(&inode).unwrap();
            let fails = faults.sync || faults.journal && self.journal || faults.derived_sync && !self.journal;
            if fails {
                // As Linux does it: the pages count as clean from now on, and are on the platter or not.
                let lost = std::mem::take(&mut content.dirty);
                for page in lost.into_keys().filter(|page| page % 2 == 0) {
                    let (bytes, limit) = (Content::page_of(&content.seen, page), content.seen.len());
                    Content::put(&mut content.durable, page, &bytes, limit);
                }
                return Err(io::Error::other("EIO"));
            }
            let limit = content.seen.len();
            for page in std::mem::take(&mut content.dirty).into_keys() {
                let bytes = Content::page_of(&content.seen, page);
                Content::put(&mut content.durable, page, &bytes, limit);
            }
            content.durable.resize(limit, 0);
            Ok(())
        })
    }

    fn size(&self) -> io::Result<u64> {
        self.with(|state, inode| Ok(state.inodes[&inode].seen.len() as u64))
    }

    fn allocate(&self, bytes: u64) -> io::Result<()> {
        self.with(|state, inode| {
            state.burn()?;
            state.inodes.get_mut(&inode).unwrap().seen.resize(bytes as usize, 0);
            Ok(())
        })
    }
}

struct Unlock(FaultDisk, PathBuf, u64);

impl Drop for Unlock {
    fn drop(&mut self) {
        let mut state = self.0.state();
        if state.era == self.2 {
            state.locked.remove(&self.1);
        }
    }
}

impl Disk for FaultDisk {
    fn open(&self, path: &Path, mode: Mode) -> io::Result<Arc<dyn DiskFile>> {
        let mut state = self.state();
        let existing = state.names.get(path).copied();
        let inode = match (mode, existing) {
            (Mode::Create, existing) => {
                state.burn()?;
                if state.faults.full && existing.is_none() {
                    return Err(io::ErrorKind::StorageFull.into());
                }
                let inode = existing.unwrap_or(state.next);
                state.next += 1;
                let content = state.inodes.entry(inode).or_default();
                content.touch(0, content.seen.len());
                content.seen.clear();
                if existing.is_none() {
                    state.names.insert(path.to_owned(), inode);
                    state.names_changed();
                }
                inode
            }
            (_, Some(inode)) => inode,
            (_, None) => return Err(io::ErrorKind::NotFound.into()),
        };
        let journal = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("journal"));
        Ok(Arc::new(FaultFile { disk: self.clone(), inode, era: state.era, journal }))
    }

    fn create_dir(&self, _: &Path) -> io::Result<()> {
        Ok(())
    }

    fn list(&self, path: &Path) -> io::Result<Vec<String>> {
        let state = self.state();
        let below = state.names.keys().filter_map(|name| name.strip_prefix(path).ok());
        let first = below.filter_map(|rest| rest.components().next());
        let names: BTreeSet<_> =
            first.map(|first| first.as_os_str().to_string_lossy().into_owned()).collect();
        Ok(names.into_iter().collect())
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut state = self.state();
        state.burn()?;
        let moved: Vec<_> = state.names.keys().filter(|name| name.starts_with(from)).cloned().collect();
        if moved.is_empty() {
            return Err(io::ErrorKind::NotFound.into());
        }
        for name in moved {
            let inode = state.names.remove(&name).unwrap();
            let rest = name.strip_prefix(from).unwrap();
            let fresh = if rest.as_os_str().is_empty() { to.to_owned() } else { to.join(rest) };
            state.names.insert(fresh, inode);
        }
        state.names_changed();
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let mut state = self.state();
        state.burn()?;
        let removed = state.names.remove(path);
        state.names_changed();
        removed.map(drop).ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn sync_dir(&self, _: &Path) -> io::Result<()> {
        let mut state = self.state();
        state.burn()?;
        if state.faults.sync || state.faults.derived_sync {
            return Err(io::Error::other("EIO"));
        }
        state.names_since.clear();
        state.durable_names = state.names.clone();
        Ok(())
    }

    fn lock(&self, path: &Path) -> io::Result<Box<dyn Send + Sync>> {
        let mut state = self.state();
        if !state.locked.insert(path.to_owned()) {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        Ok(Box::new(Unlock(self.clone(), path.to_owned(), state.era)))
    }
}
