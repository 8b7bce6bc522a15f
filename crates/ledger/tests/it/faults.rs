//! Power cuts and failing disks: nothing acknowledged is lost, nothing half-done stays, and writing recovers by
//! itself.

use crate::support::fault::{FaultDisk, Faults};
use crate::support::{Random, TestClock, TestSigner, entry, reference};
use ledger::disk::{Disk, Mode};
use ledger::verify;
use ledger::{AppendError, Ledger, Options, Recovery, SignedHead};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

const DIR: &str = "/ledger";

fn options(kept: Option<SignedHead>) -> Options {
    Options {
        segment_bytes: 96 << 10,
        checkpoint_interval_ms: 3,
        tail_postings: 24,
        last_signed: kept,
        ..crate::support::options()
    }
}

fn open(disk: &FaultDisk, options: Options) -> Result<(Ledger, Recovery), ledger::OpenError> {
    Ledger::open_on(Arc::new(disk.clone()), Path::new(DIR), options, TestSigner::log(), TestClock::new())
}

/// What the outside world knows: entries that were acknowledged, and the heads that were handed to the store.
#[derive(Default)]
struct Outside {
    acknowledged: BTreeMap<u64, u64>,
    head: Option<SignedHead>,
    sent: u64,
}

fn wait_until(what: &str, mut done: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !done() {
        assert!(Instant::now() < deadline, "{what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// Appends from three threads until the disk gives up or `batches` are through.
fn append_until_it_fails(ledger: &Ledger, outside: &Mutex<Outside>, batches: u64) {
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                for _ in 0..batches {
                    let number = {
                        let mut outside = outside.lock().unwrap();
                        outside.sent += 1;
                        outside.sent
                    };
                    match ledger.append_blocking(entry(number)) {
                        Ok(position) => {
                            let before = outside.lock().unwrap().acknowledged.insert(position.index, number);
                            assert_eq!(before, None, "one place for two entries");
                        }
                        Err(_) => return,
                    }
                }
            });
        }
    });
}

/// Everything acknowledged is there; everything that is there was sent; tree, index and postings agree.
fn check(ledger: &Ledger, outside: &Outside) {
    let count = ledger.status().durable;
    let by_leaf: BTreeMap<Vec<u8>, u64> =
        (1..=outside.sent).map(|number| (entry(number).leaf, number)).collect();
    let mut at = BTreeMap::new();
    for index in 0..count {
        let leaf = ledger.leaf(index).unwrap().unwrap();
        let number = *by_leaf.get(&leaf).unwrap_or_else(|| panic!("{index} holds what nobody sent"));
        assert!(at.insert(number, index).is_none(), "{number} stands twice");
        let identity = ledger.identity(index).unwrap().unwrap_or_default();
        assert_eq!(identity, entry(number).identity);
    }
    for (index, number) in &outside.acknowledged {
        assert_eq!(at.get(number), Some(index), "{number} was acknowledged at {index}");
    }
    for number in 0..5 {
        let posted =
            at.iter().filter(|(number_at, _)| entry(**number_at).postings.contains(&reference(number)));
        let mut expected: Vec<_> = posted.map(|(_, index)| *index).collect();
        expected.sort_unstable_by(|a, b| b.cmp(a));
        assert_eq!(ledger.touched(&reference(number), u64::MAX, usize::MAX).unwrap(), expected);
    }
    if let Some(head) = outside.head {
        assert_eq!(ledger.root(head.size).unwrap(), head.root);
    }
}

fn hooked(outside: &Arc<Mutex<Outside>>) -> Options {
    let kept = outside.lock().unwrap().head;
    let keep = outside.clone();
    let hook = move |head: &SignedHead, _: &[u8]| {
        keep.lock().unwrap().head = Some(*head);
        Ok(())
    };
    Options { on_checkpoint: Some(Box::new(hook)), ..options(kept) }
}

/// One seed: several power cuts at random steps of writing.
fn power_cuts(seed: u64) {
    let mut random = Random(seed);
    let disk = FaultDisk::default();
    let outside = Arc::new(Mutex::new(Outside::default()));
    for _ in 0..4 {
        if random.chance(30) {
            disk.crash_after(random.below(60)); // also while opening
        } else {
            disk.crash_after(60 + random.below(600));
        }
        if let Ok((ledger, recovery)) = open(&disk, hooked(&outside)) {
            assert_eq!(recovery.damage, None, "seed {seed}");
            append_until_it_fails(&ledger, &outside, 40 + random.below(200));
            if random.chance(50) {
                std::thread::sleep(Duration::from_millis(random.below(8)));
            }
            disk.crash(&mut random);
            drop(ledger);
        } else {
            disk.crash(&mut random);
        }
        let (ledger, recovery) = open(&disk, hooked(&outside)).unwrap();
        assert_eq!(recovery.damage, None, "seed {seed}");
        check(&ledger, &outside.lock().unwrap());
        ledger.make_provable().unwrap();
    }
    let head = outside.lock().unwrap().head;
    let real = tempfile::tempdir().unwrap();
    let (ledger, _) = open(&disk, options(head)).unwrap();
    ledger.close();
    disk.dump(real.path());
    let report = verify::directory(&real.path().join("ledger"), &[TestSigner::log().key()], &[]).unwrap();
    assert!(report.is_good(), "seed {seed}: {report:?}");
}

#[test]
fn after_power_cuts_everything_acknowledged_is_there_and_nothing_half_done() {
    for seed in 0..40 {
        power_cuts(seed);
    }
}

#[test]
#[ignore = "the same with many seeds; for soaking"]
fn soak_power_cuts() {
    for seed in 1000..3000 {
        power_cuts(seed);
    }
}

/// The fault layer must be able to lose data, or the tests above prove nothing.
#[test]
fn the_fault_layer_loses_what_was_not_synced_and_what_a_failed_sync_left() {
    let lost = |sync: bool, failed_before: bool| {
        (0..40_u64)
            .filter(|seed| {
                let disk = FaultDisk::default();
                let file = disk.open(Path::new("/f"), Mode::Create).unwrap();
                file.write_at(&[7; 3 * 4096], 0).unwrap();
                disk.sync_dir(Path::new("/")).unwrap();
                if failed_before {
                    disk.set(Faults { sync: true, ..Faults::default() });
                    assert!(file.sync().is_err());
                    disk.set(Faults::default());
                }
                if sync {
                    file.sync().unwrap();
                }
                disk.crash(&mut Random(*seed));
                disk.read(Path::new("/f")) != [7; 3 * 4096]
            })
            .count()
    };
    assert_eq!(lost(true, false), 0);
    assert!(lost(false, false) > 20);
    assert_eq!(lost(true, true), 40, "a sync that is simply tried again has lost the pages");
}

#[test]
fn a_full_disk_stops_appends_only_when_the_journal_is_full_and_they_recover_by_themselves() {
    let disk = FaultDisk::default();
    let outside = Arc::new(Mutex::new(Outside::default()));
    let (ledger, _) = open(&disk, hooked(&outside)).unwrap();
    append_until_it_fails(&ledger, &outside, 20);
    ledger.make_provable().unwrap();
    disk.set(Faults { full: true, ..Faults::default() });
    append_until_it_fails(&ledger, &outside, 100_000);
    let acknowledged = outside.lock().unwrap().acknowledged.len();
    assert!(acknowledged > 70, "what the journal has room for is taken: {acknowledged}");
    let status = ledger.status();
    assert!(status.unavailable && status.stalled && status.damaged.is_none(), "{status:?}");
    assert_eq!(ledger.append_blocking(entry(0)), Err(AppendError::Unavailable));
    disk.set(Faults::default());
    wait_until("recovery", || !ledger.status().unavailable);
    append_until_it_fails(&ledger, &outside, 50);
    assert_eq!(outside.lock().unwrap().acknowledged.len(), acknowledged + 150);
    ledger.make_provable().unwrap();
    check(&ledger, &outside.lock().unwrap());
    disk.crash(&mut Random(1));
    drop(ledger);
    let (ledger, recovery) = open(&disk, hooked(&outside)).unwrap();
    assert_eq!(recovery.damage, None);
    check(&ledger, &outside.lock().unwrap());
}

#[test]
fn a_failing_journal_is_given_up_for_a_fresh_segment_and_recovers_by_itself() {
    for seed in 0..10 {
        let mut random = Random(seed);
        let disk = FaultDisk::default();
        let outside = Arc::new(Mutex::new(Outside::default()));
        let (ledger, _) = open(&disk, hooked(&outside)).unwrap();
        for _ in 0..3 {
            append_until_it_fails(&ledger, &outside, random.below(30));
            disk.set(Faults { journal: true, ..Faults::default() });
            outside.lock().unwrap().sent += 1;
            let number = outside.lock().unwrap().sent;
            assert_eq!(ledger.append_blocking(entry(number)), Err(AppendError::Unavailable));
            assert!(ledger.status().unavailable);
            disk.set(Faults::default());
            wait_until("recovery", || !ledger.status().unavailable);
        }
        append_until_it_fails(&ledger, &outside, 30);
        check(&ledger, &outside.lock().unwrap());
        disk.crash(&mut random);
        drop(ledger);
        let (ledger, recovery) = open(&disk, hooked(&outside)).unwrap();
        assert_eq!(recovery.damage, None, "seed {seed}");
        check(&ledger, &outside.lock().unwrap());
    }
}

#[test]
fn after_a_failed_sync_of_derived_files_everything_since_the_mark_is_written_again() {
    for seed in 0..10 {
        let mut random = Random(seed);
        let disk = FaultDisk::default();
        let outside = Arc::new(Mutex::new(Outside::default()));
        let (ledger, _) = open(&disk, hooked(&outside)).unwrap();
        append_until_it_fails(&ledger, &outside, 10);
        disk.set(Faults { derived_sync: true, ..Faults::default() });
        append_until_it_fails(&ledger, &outside, 4);
        assert!(ledger.make_provable().is_err());
        assert!(ledger.status().stalled);
        disk.set(Faults::default());
        ledger.make_provable().unwrap();
        check(&ledger, &outside.lock().unwrap());
        // The journal alone could repair it; so it is taken away, as reuse would.
        let real = tempfile::tempdir().unwrap();
        disk.crash(&mut random);
        drop(ledger);
        disk.dump(real.path());
        let report = verify::directory(&real.path().join("ledger"), &[TestSigner::log().key()], &[]).unwrap();
        assert!(report.is_good(), "seed {seed}: {report:?}");
    }
}

#[test]
fn an_append_that_failed_may_be_asked_for_by_its_leaf_hash() {
    let disk = FaultDisk::default();
    let (ledger, _) = open(&disk, options(None)).unwrap();
    ledger.append_blocking(entry(1)).unwrap();
    disk.set(Faults { journal: true, ..Faults::default() });
    assert!(ledger.append_blocking(entry(2)).is_err());
    disk.set(Faults::default());
    wait_until("recovery", || !ledger.status().unavailable);
    let hash = |number| ledger::proof::leaf_hash(&entry(number).leaf);
    assert_eq!(ledger.find_leaf(&hash(1), 0).unwrap(), Some(0));
    assert_eq!(ledger.find_leaf(&hash(2), 0).unwrap(), None);
    ledger.append_blocking(entry(2)).unwrap();
    assert_eq!(ledger.find_leaf(&hash(2), 0).unwrap(), Some(1));
    assert_eq!(ledger.find_leaf(&hash(2), 2).unwrap(), None);
}
