//! Who was touched by which entries: a tail in memory (and in a file), and sorted runs on disk that are merged in
//! the background, eight of one size into one of the next.

pub(crate) mod run;

use crate::derived::files::Log;
use crate::derived::state::{MAX_RUNS, Manifest, RunId};
use crate::disk::{Disk, Mode};
use parking_lot::{Mutex, RwLock};
use run::{POSTING, Posting, Run};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Runs of one level that become one of the next.
const FAN: usize = 8;

struct View {
    tail: Vec<Posting>,
    runs: Vec<Arc<Run>>,
}

/// The postings of an incarnation.
pub(crate) struct Postings {
    disk: Arc<dyn Disk>,
    dir: PathBuf,
    /// Postings before the tail becomes a run.
    tail_limit: usize,
    view: RwLock<View>,
    tail_file: Mutex<TailFile>,
    /// Files to be removed.
    given_up: Mutex<Vec<PathBuf>>,
}

/// Where the tail is written to.
struct TailFile {
    log: Arc<Log>,
    first: u64,
    count: u64,
    /// Tails that became runs; a mark taken before that still names them.
    retired: Vec<Arc<Log>>,
    /// Files were made since the directory was synced.
    made: bool,
}

fn tail_path(dir: &Path, first: u64) -> PathBuf {
    dir.join(format!("tail-{first:016x}"))
}

impl Postings {
    /// Makes the empty tail of a new log.
    pub(crate) fn create(disk: &dyn Disk, dir: &Path) -> io::Result<()> {
        disk.open(&tail_path(dir, 0), Mode::Create)?.sync()
    }

    /// Opens what `manifest` names. A tail of `tail_limit` postings becomes a run.
    pub(crate) fn open(
        disk: Arc<dyn Disk>,
        dir: &Path,
        manifest: &Manifest,
        mode: Mode,
        tail_limit: usize,
    ) -> io::Result<Self> {
        let (view, tail_file) = load(&*disk, dir, manifest, mode)?;
        let (view, tail_file) = (RwLock::new(view), Mutex::new(tail_file));
        Ok(Self { disk, dir: dir.to_owned(), tail_limit, view, tail_file, given_up: Mutex::default() })
    }

    /// Goes back to what `manifest` names, after a failed sync.
    pub(crate) fn rewind(&self, manifest: &Manifest) -> io::Result<()> {
        let (view, tail_file) = load(&*self.disk, &self.dir, manifest, Mode::Write)?;
        *self.tail_file.lock() = tail_file;
        *self.view.write() = view;
        Ok(())
    }

    /// Writes a step's postings to the tail file. They are found only after [`Postings::publish`].
    pub(crate) fn write(&self, step: &[Posting]) -> io::Result<()> {
        let tail = self.tail_file.lock();
        let mut bytes = Vec::with_capacity(step.len() * POSTING);
        step.iter().for_each(|posting| bytes.extend_from_slice(&posting.bytes()));
        tail.log.write(&bytes, tail.count * POSTING as u64)
    }

    /// Makes a step that was written findable.
    pub(crate) fn publish(&self, step: &[Posting]) {
        self.tail_file.lock().count += step.len() as u64;
        self.view.write().tail.extend_from_slice(step);
    }

    /// Makes a run of the tail if it is long enough; `end` is the index after the last entry published. Returns
    /// whether it did.
    pub(crate) fn roll(&self, end: u64) -> io::Result<bool> {
        let mut tail_file = self.tail_file.lock();
        let postings = {
            let view = self.view.read();
            if view.tail.len() < self.tail_limit || view.runs.len() >= MAX_RUNS {
                return Ok(false);
            }
            view.tail.clone()
        };
        let id = RunId { level: 0, first: tail_file.first, end };
        let run = Arc::new(run::write(&*self.disk, &self.dir, id, postings)?);
        let file = self.disk.open(&tail_path(&self.dir, end), Mode::Create)?;
        let before = std::mem::replace(&mut tail_file.log, Arc::new(Log::new(file)));
        tail_file.retired.push(before);
        (tail_file.first, tail_file.count, tail_file.made) = (end, 0, true);
        let mut view = self.view.write();
        view.runs.push(run);
        view.tail = Vec::with_capacity(self.tail_limit);
        Ok(true)
    }

    /// What there is.
    pub(crate) fn manifest(&self) -> Manifest {
        let tail = self.tail_file.lock();
        let runs = self.view.read().runs.iter().map(|run| run.id).collect();
        Manifest { tail_first: tail.first, tail_count: tail.count, runs }
    }

    /// Syncs what a mark may name: tail files and the directory. Runs are synced when they are made.
    pub(crate) fn sync(&self) -> io::Result<()> {
        let (log, retired, made) = {
            let mut tail = self.tail_file.lock();
            (tail.log.clone(), tail.retired.clone(), std::mem::take(&mut tail.made))
        };
        retired.iter().chain([&log]).try_for_each(|log| log.sync())?;
        let synced = if made { self.disk.sync_dir(&self.dir) } else { Ok(()) };
        let mut tail = self.tail_file.lock();
        tail.made |= synced.is_err();
        tail.retired.retain(|log| !retired.iter().any(|done| Arc::ptr_eq(done, log)));
        synced
    }

    /// Merges eight runs into one, if there are eight of one size. Returns whether it did.
    pub(crate) fn merge_once(&self, stop: &dyn Fn() -> bool) -> io::Result<bool> {
        self.merge_below(u8::MAX, stop)
    }

    /// Merges runs of a level below `level`. A large merge takes long, so that it lets smaller ones go before it
    /// every now and then; else the runs would become too many meanwhile.
    fn merge_below(&self, level: u8, stop: &dyn Fn() -> bool) -> io::Result<bool> {
        let Some(inputs) = self.mergeable(level) else { return Ok(false) };
        let smaller_first = || {
            while self.merge_below(inputs[0].id.level, stop)? {}
            Ok(stop())
        };
        let Some(merged) = run::merge(&*self.disk, &self.dir, &inputs, &smaller_first)? else {
            return Ok(false);
        };
        self.tail_file.lock().made = true;
        let mut view = self.view.write();
        let from = view.runs.iter().position(|run| Arc::ptr_eq(run, &inputs[0]));
        let fits = |from: &usize| {
            let there = view.runs.get(*from..from + inputs.len());
            there.is_some_and(|there| there.iter().zip(&inputs).all(|(a, b)| Arc::ptr_eq(a, b)))
        };
        // A rewind may have put other runs there: then the merged one stays behind unused.
        if let Some(from) = from.filter(fits) {
            view.runs.splice(from..from + inputs.len(), [Arc::new(merged)]);
        }
        Ok(true)
    }

    /// Eight runs of one level that follow each other, the lowest level first.
    fn mergeable(&self, below: u8) -> Option<Vec<Arc<Run>>> {
        let view = self.view.read();
        let groups = view.runs.chunk_by(|a, b| a.id.level == b.id.level);
        let fit = groups.filter(|group| group.len() >= FAN && group[0].id.level < below);
        let group = fit.min_by_key(|group| group[0].id.level)?;
        Some(group[..FAN].to_vec())
    }

    /// Entries below `before` that are posted under `reference`, newest first, each once, at most `limit`.
    pub(crate) fn touched(&self, reference: &[u8; 16], before: u64, limit: usize) -> io::Result<Vec<u64>> {
        let mut out = Vec::new();
        let runs = {
            let view = self.view.read();
            for posting in view.tail.iter().rev() {
                if out.len() == limit {
                    break;
                }
                if posting.reference == *reference
                    && posting.index < before
                    && out.last() != Some(&posting.index)
                {
                    out.push(posting.index);
                }
            }
            view.runs.clone()
        };
        for run in runs.iter().rev().filter(|run| run.id.first < before) {
            if out.len() == limit {
                break;
            }
            run.collect(reference, before, limit, &mut out)?;
        }
        Ok(out)
    }

    /// Gives up the files that `old` names and neither `new` nor what is open does. The merger removes them.
    pub(crate) fn give_up_replaced(&self, old: &Manifest, new: &Manifest) {
        let keep = [new.clone(), self.manifest()].map(|manifest| self.paths(&manifest)).concat();
        let replaced = self.paths(old).into_iter().filter(|path| !keep.contains(path));
        self.given_up.lock().extend(replaced);
    }

    /// Removes leftovers of a stop; only before the threads run. Small ones at once, since one of the same name may
    /// be made at any time; merged runs are left to the merger, the only one to make such: a file system takes its
    /// time to remove large files.
    pub(crate) fn sweep(&self) -> io::Result<()> {
        let keep = self.paths(&self.manifest());
        for name in self.disk.list(&self.dir)? {
            let path = self.dir.join(&name);
            if !(name.starts_with("run-") || name.starts_with("tail-")) || keep.contains(&path) {
                continue;
            }
            if name.starts_with("run-0-") || name.starts_with("tail-") {
                self.disk.remove(&path)?;
            } else {
                self.given_up.lock().push(path);
            }
        }
        Ok(())
    }

    /// Removes what was given up; for the merger, between merges. What cannot be removed is swept at the next start.
    pub(crate) fn remove_given_up(&self) {
        let given_up = std::mem::take(&mut *self.given_up.lock());
        for path in given_up {
            let _at_the_next_start = self.disk.remove(&path);
        }
    }

    fn paths(&self, manifest: &Manifest) -> Vec<PathBuf> {
        let runs = manifest.runs.iter().map(|id| run::path(&self.dir, *id));
        runs.chain([tail_path(&self.dir, manifest.tail_first)]).collect()
    }

    /// Checks the digest of every run.
    pub(crate) fn verify(&self) -> io::Result<bool> {
        let runs = self.view.read().runs.clone();
        for run in runs {
            if !run.verify()? {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

fn load(disk: &dyn Disk, dir: &Path, manifest: &Manifest, mode: Mode) -> io::Result<(View, TailFile)> {
    let runs =
        manifest.runs.iter().map(|id| Run::open(disk, dir, *id).map(Arc::new)).collect::<io::Result<_>>()?;
    let file = disk.open(&tail_path(dir, manifest.tail_first), mode)?;
    let count = usize::try_from(manifest.tail_count).map_err(|_| io::ErrorKind::InvalidData)?;
    let length = count.checked_mul(POSTING).ok_or(io::ErrorKind::InvalidData)?;
    if file.size()? < length as u64 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    let mut bytes = vec![0; length];
    file.read_at(&mut bytes, 0)?;
    let tail = run::parse_all(&bytes).collect();
    let log = Arc::new(Log::new(file));
    let (first, count) = (manifest.tail_first, manifest.tail_count);
    Ok((View { tail, runs }, TailFile { log, first, count, retired: Vec::new(), made: true }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::RealDisk;
    use proptest::prelude::*;

    fn reference(number: u8) -> [u8; 16] {
        [number; 16]
    }

    fn expected(all: &[Posting], number: u8, before: u64, limit: usize) -> Vec<u64> {
        let mut found: Vec<_> = all
            .iter()
            .filter(|p| p.reference == reference(number) && p.index < before)
            .map(|p| p.index)
            .collect();
        found.sort_unstable_by(|a, b| b.cmp(a));
        found.dedup();
        found.truncate(limit);
        found
    }

    fn open(dir: &Path, manifest: &Manifest, tail_limit: usize) -> Postings {
        Postings::open(Arc::new(RealDisk), dir, manifest, Mode::Write, tail_limit).unwrap()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(12))]

        #[test]
        fn what_was_posted_is_found_through_tail_runs_merges_and_reopening(
            numbers in prop::collection::vec(prop::collection::vec(0_u8..6, 0..4), 1..400),
            before in 0_u64..450,
            limit in 0_usize..60,
            merge_every in 1_u64..40,
        ) {
            let dir = tempfile::tempdir().unwrap();
            Postings::create(&RealDisk, dir.path()).unwrap();
            let mut postings = open(dir.path(), &Manifest::default(), 5);
            let mut all = Vec::new();
            for (index, numbers) in (0_u64..).zip(&numbers) {
                let step: Vec<_> = numbers.iter().map(|number| Posting { reference: reference(*number), index }).collect();
                postings.write(&step).unwrap();
                postings.publish(&step);
                postings.roll(index + 1).unwrap();
                all.extend(step);
                if index % merge_every == 0 {
                    while postings.merge_once(&|| false).unwrap() {}
                }
                if index == 200 {
                    postings.sync().unwrap();
                    let manifest = postings.manifest();
                    postings = open(dir.path(), &manifest, 5);
                    postings.sweep().unwrap();
                }
            }
            for number in 0..6 {
                prop_assert_eq!(postings.touched(&reference(number), before, limit).unwrap(), expected(&all, number, before, limit));
                prop_assert_eq!(postings.touched(&reference(number), u64::MAX, usize::MAX).unwrap(), expected(&all, number, u64::MAX, usize::MAX));
            }
            prop_assert!(postings.verify().unwrap());
        }
    }

    #[test]
    fn runs_become_few_and_replaced_files_go_away() {
        let dir = tempfile::tempdir().unwrap();
        Postings::create(&RealDisk, dir.path()).unwrap();
        let postings = open(dir.path(), &Manifest::default(), 10);
        let start = postings.manifest();
        for index in 0..6400 {
            let step = [Posting { reference: reference((index % 251) as u8), index }];
            postings.write(&step).unwrap();
            postings.publish(&step);
            postings.roll(index + 1).unwrap();
            while postings.merge_once(&|| false).unwrap() {}
        }
        let manifest = postings.manifest();
        // 640 tails of 10: one run of 512 tails, two of 64; everything else was merged away.
        assert_eq!(manifest.runs.iter().map(|run| run.level).collect::<Vec<_>>(), [3, 2, 2]);
        postings.give_up_replaced(&start, &manifest);
        postings.sweep().unwrap();
        postings.remove_given_up();
        assert_eq!(RealDisk.list(dir.path()).unwrap().len(), 3 + 1);
        assert_eq!(postings.touched(&reference(7), u64::MAX, 2).unwrap(), [7 + 251 * 25, 7 + 251 * 24]);
    }

    #[test]
    fn an_altered_run_is_noticed() {
        let dir = tempfile::tempdir().unwrap();
        Postings::create(&RealDisk, dir.path()).unwrap();
        let postings = open(dir.path(), &Manifest::default(), 1);
        let step = [Posting { reference: reference(1), index: 0 }];
        postings.write(&step).unwrap();
        postings.publish(&step);
        postings.roll(1).unwrap();
        assert!(postings.verify().unwrap());
        let path = run::path(dir.path(), postings.manifest().runs[0]);
        assert!(path.ends_with("run-0-0000000000000000-0000000000000001"));
        let mut bytes = std::fs::read(&path).unwrap();
        let layout = [&[1; 16][..], &[0; 8], b"OBHUTPR1", &1_u64.to_be_bytes()].concat();
        assert_eq!(bytes, [&layout[..], &crate::proof::sha256(&layout)].concat(), "permanent: version 1");
        bytes[3] ^= 1;
        std::fs::write(&path, bytes).unwrap();
        assert!(!postings.verify().unwrap());
    }
}
