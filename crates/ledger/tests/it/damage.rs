//! Forged, forked, dropped, reordered and altered entries: each is found, by the ledger when it opens or by the
//! offline verifier, and the untouched files are found good.

use crate::support::fault::FaultDisk;
use crate::support::{Random, TestClock, TestSigner, entry};
use ledger::incarnation::Link;
use ledger::verify::{self, Finding, Report, VerifyError};
use ledger::{AppendError, Damage, Entry, Ledger, Options, Recovery, SignedHead};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

fn open_with(dir: &Path, last_signed: Option<SignedHead>) -> (Ledger, Recovery) {
    let options = Options { last_signed, ..crate::support::options() };
    Ledger::open(dir, options, TestSigner::log(), TestClock::new()).unwrap()
}

/// A closed ledger of `entries`, its checkpoint and head.
fn ledger_of(dir: &Path, entries: Vec<Entry>) -> (Vec<u8>, SignedHead) {
    let (ledger, recovery) = open_with(dir, None);
    assert_eq!(recovery.damage, None);
    ledger.append_many(entries).unwrap();
    let note = ledger.make_provable().unwrap().to_vec();
    (note, ledger.signed_head().unwrap())
}

fn entries(count: u64) -> Vec<Entry> {
    (0..count).map(entry).collect()
}

fn verify(dir: &Path, earlier: &[Vec<u8>]) -> Report {
    verify::directory(dir, &[TestSigner::log().key()], earlier).unwrap()
}

fn change(path: PathBuf, change: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = std::fs::read(&path).unwrap();
    change(&mut bytes);
    std::fs::write(path, bytes).unwrap();
}

fn find(bytes: &[u8], needle: &[u8]) -> usize {
    bytes.windows(needle.len()).position(|window| window == needle).unwrap()
}

#[test]
fn an_altered_leaf_is_found() {
    let dir = tempfile::tempdir().unwrap();
    let (note, _) = ledger_of(dir.path(), entries(1000));
    assert!(verify(dir.path(), &[note]).is_good());
    change(dir.path().join("i0000/entries"), |bytes| {
        let at = find(bytes, b"leaf 700 ");
        bytes[at] ^= 1;
    });
    let report = verify(dir.path(), &[]);
    assert!(!report.is_good());
    assert_eq!(
        report.findings,
        [Finding::Leaf { index: 700 }, Finding::Tile { level: 1, index: 2 }, Finding::Root]
    );
}

#[test]
fn an_altered_leaf_with_its_hash_is_found() {
    let dir = tempfile::tempdir().unwrap();
    ledger_of(dir.path(), entries(1000));
    let forged = b"leaf 701 ";
    change(dir.path().join("i0000/entries"), |bytes| {
        let at = find(bytes, b"leaf 700 ");
        bytes[at..at + forged.len()].copy_from_slice(forged);
    });
    change(dir.path().join("i0000/nodes-00"), |bytes| {
        bytes[700 * 32..701 * 32].copy_from_slice(&ledger::proof::leaf_hash(forged));
    });
    assert_eq!(verify(dir.path(), &[]).findings, [Finding::Tile { level: 1, index: 2 }, Finding::Root]);
}

#[test]
fn reordered_entries_are_found() {
    let dir = tempfile::tempdir().unwrap();
    ledger_of(dir.path(), entries(300));
    change(dir.path().join("i0000/entries"), |bytes| {
        // 14 and 21 have leaves of one length, and so the index stays as it was
        let (a, b) = (find(bytes, b"leaf 14 "), find(bytes, b"leaf 21 "));
        for i in 0..8 {
            bytes.swap(a + i, b + i);
        }
    });
    let report = verify(dir.path(), &[]);
    assert!(report.findings.contains(&Finding::Leaf { index: 14 }));
    assert!(report.findings.contains(&Finding::Leaf { index: 21 }));
    assert!(report.findings.contains(&Finding::Root));
}

#[test]
fn a_forged_checkpoint_is_found() {
    let dir = tempfile::tempdir().unwrap();
    let (note, _) = ledger_of(dir.path(), entries(20));
    let path = dir.path().join("i0000/checkpoint");
    change(path.clone(), |bytes| {
        let at = find(bytes, b"\n20\n");
        bytes[at + 2] = b'1';
    });
    assert_eq!(verify(dir.path(), &[]).findings[0], Finding::Checkpoint(VerifyError::Signature));
    // signed by another key under the same name
    let (other, _) = {
        let other = tempfile::tempdir().unwrap();
        let signer = TestSigner::new(crate::support::ORIGIN, 9);
        let (ledger, _) =
            Ledger::open(other.path(), crate::support::options(), signer, TestClock::new()).unwrap();
        ledger.append_many(entries(20)).unwrap();
        (ledger.make_provable().unwrap().to_vec(), other)
    };
    std::fs::write(&path, other).unwrap();
    assert_eq!(verify(dir.path(), &[]).findings[0], Finding::Checkpoint(VerifyError::Untrusted));
    std::fs::write(&path, note).unwrap();
    assert!(verify(dir.path(), &[]).is_good());
}

/// The operator holds the key, cuts entries off and signs anew: only an earlier checkpoint tells.
#[test]
fn dropped_and_rewritten_history_that_was_signed_anew_is_found_by_an_earlier_checkpoint() {
    let [long, short, forked] = [(); 3].map(|()| tempfile::tempdir().unwrap());
    let (note, head) = ledger_of(long.path(), entries(500));
    let (_, _) = ledger_of(short.path(), entries(400));
    let mut rewritten = entries(600);
    rewritten[123].leaf = b"nothing happened here".to_vec();
    ledger_of(forked.path(), rewritten);
    for (dir, finding, damage) in [
        (&short, Finding::Behind { earlier: 0 }, Damage::Behind),
        (&forked, Finding::Forked { earlier: 0 }, Damage::Forked),
    ] {
        assert!(verify(dir.path(), &[]).is_good(), "without an earlier checkpoint nothing can be noticed");
        assert_eq!(verify(dir.path(), std::slice::from_ref(&note)).findings, [finding]);
        // and the ledger itself, with the head that the store kept, never signs it
        let before = std::fs::read(dir.path().join("i0000/checkpoint")).unwrap();
        let (ledger, recovery) = open_with(dir.path(), Some(head));
        assert_eq!((recovery.damage, ledger.status().damaged), (Some(damage), Some(damage)));
        assert_eq!(ledger.append_blocking(entry(1)), Err(AppendError::Damaged));
        assert!(ledger.make_provable().is_err());
        assert!(ledger.leaf(7).unwrap().is_some(), "what is there can be read");
        ledger.close();
        assert_eq!(std::fs::read(dir.path().join("i0000/checkpoint")).unwrap(), before);
    }
    assert!(verify(long.path(), &[note]).is_good());
    let (_, recovery) = open_with(long.path(), Some(head));
    assert_eq!(recovery.damage, None);
}

#[test]
fn an_empty_directory_in_the_place_of_a_signed_log_signs_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let head = SignedHead { incarnation: 0, size: 5, root: [3; 32] };
    let (ledger, recovery) = open_with(dir.path(), Some(head));
    assert_eq!(recovery.damage, Some(Damage::Behind));
    assert!(ledger.checkpoint().is_none());
    assert_eq!(ledger.append_blocking(entry(1)), Err(AppendError::Damaged));
}

/// A journal in memory with 20 records after the mark.
fn journal() -> (FaultDisk, PathBuf) {
    let disk = FaultDisk::default();
    let options = Options { checkpoint_interval_ms: 3_600_000, ..crate::support::options() };
    let (ledger, _) = Ledger::open_on(
        Arc::new(disk.clone()),
        Path::new("/l"),
        options,
        TestSigner::log(),
        TestClock::new(),
    )
    .unwrap();
    while ledger.checkpoint().is_none() {
        std::thread::yield_now(); // that of the empty log, which also sets the mark
    }
    for i in 0..20 {
        assert_eq!(ledger.append_blocking(entry(i)).unwrap().index, i);
    }
    disk.crash(&mut Random(7));
    (disk, PathBuf::from("/l/i0000/journal-0"))
}

fn reopen(disk: &FaultDisk) -> (Ledger, Recovery) {
    Ledger::open_on(
        Arc::new(disk.clone()),
        Path::new("/l"),
        crate::support::options(),
        TestSigner::log(),
        TestClock::new(),
    )
    .unwrap()
}

#[test]
fn a_bent_record_in_the_middle_of_the_journal_sets_the_ledger_aside() {
    let record = |number: usize| 4096 * (1 + number);
    for (place, name) in
        [(8, "segment"), (16, "number"), (40, "previous"), (100, "payload"), (0, "magic"), (38, "length")]
    {
        let (disk, path) = journal();
        disk.tamper(&path, |bytes| bytes[record(5) + place] ^= 1);
        let (ledger, recovery) = reopen(&disk);
        assert_eq!(recovery.damage, Some(Damage::Journal), "{name}");
        assert_eq!(ledger.append_blocking(entry(1)), Err(AppendError::Damaged));
    }
    let (disk, path) = journal();
    disk.tamper(&path, |bytes| {
        let (a, b) = bytes.split_at_mut(record(9));
        a[record(8)..].swap_with_slice(&mut b[..4096]);
    });
    assert_eq!(reopen(&disk).1.damage, Some(Damage::Journal), "reordered records");
    let (disk, path) = journal();
    disk.tamper(&path, |bytes| bytes[..4096].fill(0));
    assert_eq!(reopen(&disk).1.damage, Some(Damage::Journal), "the header of the segment");
    let (disk, _) = journal();
    let (ledger, recovery) = reopen(&disk);
    assert_eq!((recovery.damage, recovery.entries, recovery.replayed_records), (None, 20, 20));
    assert_eq!(ledger.append_blocking(entry(20)).unwrap().index, 20);
}

#[test]
fn an_incomplete_last_record_is_dropped() {
    let (disk, path) = journal();
    disk.tamper(&path, |bytes| bytes[4096 * 20 + 100] ^= 1);
    let (ledger, recovery) = reopen(&disk);
    assert_eq!((recovery.damage, recovery.entries, recovery.dropped_incomplete), (None, 19, true));
    assert_eq!(ledger.append_blocking(entry(19)).unwrap().index, 19);
}

#[test]
fn bent_derived_files_and_marks_set_the_ledger_aside() {
    let closed = || {
        let (disk, _) = journal();
        reopen(&disk).0.close();
        disk
    };
    let both = |bytes: &mut Vec<u8>| {
        bytes[20] ^= 1;
        bytes[4096 + 20] ^= 1;
    };
    let disk = closed();
    disk.tamper(Path::new("/l/i0000/state"), both);
    assert_eq!(reopen(&disk).1.damage, Some(Damage::State));
    for name in ["nodes-00", "nodes-04", "index", "entries"] {
        let disk = closed();
        disk.tamper(&Path::new("/l/i0000").join(name), |bytes| bytes.truncate(bytes.len() - 1));
        assert_eq!(reopen(&disk).1.damage, Some(Damage::Derived), "{name} cut");
    }
    let disk = closed();
    disk.tamper(Path::new("/l/i0000/nodes-04"), |bytes| bytes[0] ^= 1);
    assert_eq!(reopen(&disk).1.damage, Some(Damage::Derived));
    let disk = closed();
    disk.tamper(Path::new("/l/i0000/checkpoint"), |bytes| bytes.clear());
    assert_eq!(reopen(&disk).1.damage, Some(Damage::Checkpoint));
    assert_eq!(reopen(&closed()).1.damage, None);
}

#[test]
fn an_operator_opens_a_new_incarnation_that_names_the_old_head() {
    let dir = tempfile::tempdir().unwrap();
    let (note, head) = ledger_of(dir.path(), entries(300));
    change(dir.path().join("i0000/nodes-00"), |bytes| bytes.truncate(50 * 32));
    let (ledger, recovery) = open_with(dir.path(), Some(head));
    assert_eq!(recovery.damage, Some(Damage::Derived));
    drop(ledger);

    let heads = Arc::new(Mutex::new(Vec::new()));
    let seen = heads.clone();
    let options = || {
        let seen = seen.clone();
        let hook = move |head: &SignedHead, _: &[u8]| {
            seen.lock().unwrap().push(*head);
            Ok(())
        };
        Options { last_signed: Some(head), on_checkpoint: Some(Box::new(hook)), ..crate::support::options() }
    };
    let (ledger, recovery) =
        Ledger::open_incarnation(dir.path(), options(), TestSigner::log(), TestClock::new()).unwrap();
    assert_eq!((recovery.damage, recovery.entries, ledger.status().incarnation), (None, 1, 1));
    assert_eq!(ledger.origin(), format!("{}/1", crate::support::ORIGIN));
    let link = Link::parse(&ledger.leaf(0).unwrap().unwrap()).unwrap();
    assert_eq!((link.size, link.root, link.damage.as_str()), (head.size, head.root, "derived"));
    assert_eq!(link.checkpoint.as_bytes(), note, "the old head stands there as it was signed");
    assert_eq!(ledger.append_blocking(entry(1)).unwrap().index, 1);
    ledger.make_provable().unwrap();
    let earlier = ledger.earlier();
    assert_eq!(earlier.iter().map(Ledger::origin).collect::<Vec<_>>(), [crate::support::ORIGIN]);
    assert_eq!(earlier[0].leaf(3).unwrap(), Some(entry(3).leaf));
    assert_eq!(earlier[0].checkpoint().as_deref(), Some(note.as_slice()));
    assert!(earlier[0].append_blocking(entry(1)).is_err(), "it stays as it is");
    drop((ledger, earlier));
    let last = *heads.lock().unwrap().last().unwrap();
    assert_eq!((last.incarnation, last.size), (1, 2));

    let report = verify(dir.path(), std::slice::from_ref(&note));
    assert!(report.newest_is_good(), "{:?}", report.findings);
    assert!(!report.is_good(), "what was set aside is not whole, and is part of what was promised");
    assert!(!report.older[0].is_good());
    let (ledger, recovery) = open_with(dir.path(), Some(last));
    assert_eq!((recovery.damage, recovery.entries), (None, 2));
    drop(ledger);
    // Taking the new incarnation away again is noticed by the head that the store kept.
    std::fs::rename(dir.path().join("i0001"), dir.path().join("gone")).unwrap();
    let (_, recovery) = open_with(dir.path(), Some(last));
    assert!(recovery.damage.is_some());
}

#[test]
fn what_was_cut_from_an_earlier_incarnation_is_found() {
    let dir = tempfile::tempdir().unwrap();
    let (note, head) = ledger_of(dir.path(), entries(600));
    // Set aside for a mark that does not check; all that was signed is still there.
    let state = std::fs::read(dir.path().join("i0000/state")).unwrap();
    change(dir.path().join("i0000/state"), |bytes| bytes.fill(0));
    let options = || Options { last_signed: Some(head), ..crate::support::options() };
    let opened = Ledger::open_incarnation(dir.path(), options(), TestSigner::log(), TestClock::new());
    let (ledger, _) = opened.unwrap();
    let second = ledger.make_provable().unwrap().to_vec();
    drop(ledger);
    std::fs::write(dir.path().join("i0000/state"), state).unwrap();
    let kept = [note, second];
    let report = verify(dir.path(), &kept);
    assert!(report.is_good(), "control: {:?} {:?}", report.findings, report.older);

    let bend = |file: &str, bend: &dyn Fn(&mut Vec<u8>)| {
        let path = dir.path().join("i0000").join(file);
        let before = std::fs::read(&path).unwrap();
        change(path.clone(), bend);
        let report = verify(dir.path(), &kept[1..]);
        std::fs::write(path, before).unwrap();
        report
    };
    for file in ["entries", "nodes-00"] {
        for length in [0, 1_000] {
            let report = bend(file, &|bytes| bytes.truncate(length));
            assert!(report.newest_is_good() && !report.is_good(), "{file} cut to {length}");
        }
        assert!(!bend(file, &|bytes| bytes[700] ^= 1).is_good(), "{file} bent");
    }
    std::fs::rename(dir.path().join("i0000"), dir.path().join("away")).unwrap();
    let report = verify(dir.path(), &kept[1..]);
    assert!(report.newest_is_good() && !report.is_good(), "taken away as a whole");
}

#[test]
fn an_incarnation_that_nobody_opened_is_not_taken() {
    let (dir, forged) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (_, head) = ledger_of(dir.path(), entries(30));
    // What somebody lays beside it who can write files but not sign: a later incarnation, sound in itself.
    ledger_of(forged.path(), entries(10));
    change(forged.path().join("i0000/nodes-00"), |bytes| bytes.truncate(32));
    drop(
        Ledger::open_incarnation(
            forged.path(),
            crate::support::options(),
            TestSigner::log(),
            TestClock::new(),
        )
        .unwrap(),
    );
    std::fs::rename(forged.path().join("i0001"), dir.path().join("i0001")).unwrap();
    let (ledger, recovery) = open_with(dir.path(), Some(head));
    assert_eq!(recovery.damage, Some(Damage::Forked));
    assert!(ledger.append_blocking(entry(1)).is_err(), "nothing is written or signed there");
    drop(ledger);
    let options = || Options { last_signed: Some(head), ..crate::support::options() };
    let opened = Ledger::open_incarnation(dir.path(), options(), TestSigner::log(), TestClock::new());
    assert!(
        matches!(opened.map(drop), Err(ledger::OpenError::Stranger)),
        "nor is it named as what was before"
    );
    std::fs::remove_dir_all(dir.path().join("i0001")).unwrap();
    assert_eq!(open_with(dir.path(), Some(head)).1.damage, None, "the control: without it all is well");
}

#[test]
fn a_static_export_verifies_and_its_forgeries_do_not() {
    let dir = tempfile::tempdir().unwrap();
    let export = tempfile::tempdir().unwrap();
    let (ledger, _) = open_with(dir.path(), None);
    ledger.append_many(entries(70_000)).unwrap();
    let note = ledger.make_provable().unwrap().to_vec();
    ledger.export(export.path()).unwrap();
    for (path, there) in [
        ("checkpoint", true),
        ("tile/0/273.p/112", true),
        ("tile/1/001.p/17", true),
        ("tile/2/000.p/1", true),
        ("tile/entries/x001/000", false),
        ("tile/0/273", false),
        ("tile/0/273.p/113", false),
    ] {
        let served = ledger.tile_path(path).unwrap();
        assert_eq!(served.is_some(), there, "{path}");
        if there {
            assert_eq!(served.unwrap(), std::fs::read(export.path().join(path)).unwrap());
        }
    }
    let report = verify(export.path(), &[note]);
    assert!(report.is_good(), "{:?}", report.findings);
    assert_eq!(report.entries, 70_000);
    change(export.path().join("tile/1/000"), |bytes| bytes[40] ^= 1);
    std::fs::remove_file(export.path().join("tile/entries/200")).unwrap();
    change(export.path().join("tile/entries/100"), |bytes| bytes.truncate(bytes.len() - 1));
    let report = verify(export.path(), &[]);
    assert_eq!(
        report.findings,
        [
            Finding::Tile { level: 1, index: 1 },
            Finding::Bundle { index: 25_600 },
            Finding::Missing { path: "tile/entries/200".to_owned() },
        ],
        "the hashes in the tiles stand in for the leaves that are missing"
    );
    assert!(!report.is_good());
}
