//! A disk that loses power: what was not synced may be there, be missing, or be there in part.

use super::super::files::Files;
use crate::testing::Seeded;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

type Names = BTreeMap<PathBuf, usize>;

/// Files in memory, with what of them is durable.
#[derive(Clone, Default)]
pub(super) struct Sim(Arc<Mutex<State>>);

#[derive(Clone, Default)]
struct State {
    /// Name to file, as programs see it, and as it is durable.
    names: Names,
    durable_names: Names,
    /// Bytes as programs see them, and as they are durable.
    files: Vec<(Vec<u8>, Vec<u8>)>,
    /// Steps that change something, counted.
    steps: usize,
    /// At this step the power goes.
    crash_at: Option<usize>,
    /// This step fails while the power stays.
    fail_at: Option<usize>,
    off: bool,
    /// Operations on paths that begin with this fail while the power stays.
    broken: Option<PathBuf>,
}

fn fault() -> io::Error {
    io::Error::other("simulated")
}

impl State {
    fn check(&self, path: &Path) -> io::Result<()> {
        let broken = self.broken.as_ref().is_some_and(|broken| path.starts_with(broken));
        if self.off || broken { Err(fault()) } else { Ok(()) }
    }

    /// Whether this step fails.
    fn step(&mut self, path: &Path) -> io::Result<bool> {
        self.check(path)?;
        self.steps += 1;
        self.off = self.crash_at == Some(self.steps);
        Ok(self.off || self.fail_at == Some(self.steps))
    }

    fn find(&self, path: &Path) -> io::Result<usize> {
        self.names.get(path).copied().ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

/// A step that fails has reached the cache, but nobody is told that it went well.
fn told(failed: bool) -> io::Result<()> {
    if failed { Err(fault()) } else { Ok(()) }
}

impl Sim {
    /// The disk when the power is back: each name that was not synced points to the old or the new file by chance,
    /// and each 512-byte sector that was not synced is old or new by chance.
    pub(super) fn reboot(&self, chance: &Seeded) -> Self {
        let state = self.0.lock().unwrap();
        let coin = || model::clock::random::<1>(chance)[0] & 1 == 1;
        let after = Self::default();
        after.edit(|files| {
            let mut paths: Vec<_> = state.names.keys().chain(state.durable_names.keys()).collect();
            paths.dedup();
            for path in paths {
                let (old, new) = (state.durable_names.get(path), state.names.get(path));
                let file = if coin() { new } else { old };
                files.extend(file.map(|&file| (path.clone(), mix(&state.files[file], &coin))));
            }
        });
        after
    }

    pub(super) fn copy(&self) -> Self {
        let copy = self.0.lock().unwrap().clone();
        Self(Arc::new(Mutex::new(copy)))
    }

    /// Lets the power go at this step, counted from now on from 1.
    pub(super) fn crash_at(&self, step: usize) {
        let mut state = self.0.lock().unwrap();
        (state.steps, state.crash_at, state.fail_at) = (0, Some(step), None);
    }

    /// Lets this step fail, counted from now on from 1.
    pub(super) fn fail_at(&self, step: usize) {
        let mut state = self.0.lock().unwrap();
        (state.steps, state.fail_at) = (0, Some(step));
    }

    pub(super) fn is_off(&self) -> bool {
        self.0.lock().unwrap().off
    }

    pub(super) fn break_path(&self, path: Option<&str>) {
        self.0.lock().unwrap().broken = path.map(PathBuf::from);
    }

    /// Changes the durable files from outside.
    pub(super) fn edit(&self, change: impl FnOnce(&mut BTreeMap<PathBuf, Vec<u8>>)) {
        let mut state = self.0.lock().unwrap();
        let mut files =
            state.names.iter().map(|(path, file)| (path.clone(), state.files[*file].0.clone())).collect();
        change(&mut files);
        state.names = files.keys().cloned().zip(0..).collect();
        state.durable_names = state.names.clone();
        state.files = files.into_values().map(|bytes| (bytes.clone(), bytes)).collect();
    }

    pub(super) fn file(&self, path: &Path) -> Option<Vec<u8>> {
        let state = self.0.lock().unwrap();
        state.names.get(path).map(|&file| state.files[file].0.clone())
    }

    pub(super) fn paths(&self) -> Vec<PathBuf> {
        self.0.lock().unwrap().names.keys().cloned().collect()
    }
}

fn mix((new, old): &(Vec<u8>, Vec<u8>), coin: &dyn Fn() -> bool) -> Vec<u8> {
    let mut bytes = if coin() { new.clone() } else { old.clone() };
    for start in (0..bytes.len()).step_by(512) {
        let range = start..bytes.len().min(start + 512);
        match if coin() { new } else { old }.get(range.clone()) {
            Some(from) => bytes[range].copy_from_slice(from),
            None => bytes[range].fill(0),
        }
    }
    bytes
}

impl Files for Sim {
    fn read(&self, path: &Path) -> io::Result<Option<Vec<u8>>> {
        self.0.lock().unwrap().check(path)?;
        Ok(self.file(path))
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<OsString>> {
        let state = self.0.lock().unwrap();
        state.check(dir)?;
        let names = state.names.keys().filter(|path| path.parent() == Some(dir));
        Ok(names.filter_map(|path| path.file_name().map(OsString::from)).collect())
    }

    fn create(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let mut state = self.0.lock().unwrap();
        let failed = state.step(path)?;
        match state.find(path) {
            Ok(file) => state.files[file].0 = bytes.to_vec(),
            Err(_) => {
                let file = state.files.len();
                state.files.push((bytes.to_vec(), Vec::new()));
                state.names.insert(path.to_owned(), file);
            }
        }
        told(failed)
    }

    fn write_at(&self, path: &Path, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let mut state = self.0.lock().unwrap();
        let failed = state.step(path)?;
        let (file, start) = (state.find(path)?, usize::try_from(offset).unwrap());
        state.files[file].0[start..start + bytes.len()].copy_from_slice(bytes);
        told(failed)
    }

    fn sync(&self, path: &Path) -> io::Result<()> {
        let mut state = self.0.lock().unwrap();
        let failed = state.step(path)?;
        let file = state.find(path)?;
        if !failed {
            state.files[file].1 = state.files[file].0.clone();
        }
        told(failed)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut state = self.0.lock().unwrap();
        let failed = state.step(to)?;
        let file = state.find(from)?;
        state.names.remove(from);
        state.names.insert(to.to_owned(), file);
        told(failed)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let mut state = self.0.lock().unwrap();
        let failed = state.step(path)?;
        state.find(path)?;
        state.names.remove(path);
        told(failed)
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        let mut state = self.0.lock().unwrap();
        let failed = state.step(dir)?;
        if !failed {
            let inside = |path: &PathBuf| path.parent() == Some(dir);
            let new: Names = state
                .names
                .iter()
                .filter(|(path, _)| inside(path))
                .map(|(path, &file)| (path.clone(), file))
                .collect();
            state.durable_names.retain(|path, _| !inside(path));
            state.durable_names.extend(new);
        }
        told(failed)
    }
}
