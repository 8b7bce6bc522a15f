//! The life of a ledger without faults: append, read, prove, destroy, close, open again.

use crate::support::{ORIGIN, TestClock, TestSigner, entry, options, reference};
use ledger::verify::{self, TlogProof};
use ledger::{AppendError, Entry, Ledger, MAX_LEAF, OpenError, ReadError, proof};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

fn open(dir: &std::path::Path) -> (Ledger, ledger::Recovery) {
    Ledger::open(dir, options(), TestSigner::log(), TestClock::new()).unwrap()
}

fn wait_until(mut done: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while !done() {
        assert!(Instant::now() < deadline, "it did not happen in time");
        std::thread::sleep(Duration::from_millis(2));
    }
}

fn fill(ledger: &Ledger, from: u64, to: u64) {
    let positions = ledger.append_many((from..to).map(entry).collect()).unwrap();
    assert_eq!(positions.iter().map(|p| p.index).collect::<Vec<_>>(), (from..to).collect::<Vec<_>>());
}

fn check_all(ledger: &Ledger, count: u64) {
    let note = ledger.make_provable().unwrap();
    let keys = [TestSigner::log().key()];
    let opened = verify::open_checkpoint(&note, &keys).unwrap().checkpoint;
    assert_eq!((opened.origin.as_str(), opened.size), (ORIGIN, count));
    for i in (0..count).step_by(17).chain([count - 1]) {
        let expected = entry(i);
        assert_eq!(ledger.leaf(i).unwrap().unwrap(), expected.leaf);
        let proof = ledger.inclusion(i, count).unwrap();
        let hash = proof::leaf_hash(&expected.leaf);
        assert_eq!(verify::inclusion(&hash, i, count, &opened.root, &proof), Ok(()));
        let old = i.max(1);
        let joined = ledger.consistency(old, count).unwrap();
        let old_root = ledger.root(old).unwrap();
        assert_eq!(verify::consistency(old, &old_root, count, &opened.root, &joined), Ok(()));
        assert_eq!(ledger.find_leaf(&hash, 0).unwrap(), Some(i));
        let text = ledger.tlog_proof(i).unwrap().unwrap();
        let parsed = TlogProof::parse(&text).unwrap();
        assert_eq!(parsed.verify(&expected.leaf, &keys).unwrap().checkpoint, opened);
        assert!(parsed.verify(b"another leaf", &keys).is_err());
    }
    for number in [0, 3, 101] {
        let all = (0..count).rev().filter(|i| entry(*i).postings.contains(&reference(number)));
        assert_eq!(
            ledger.touched(&reference(number), u64::MAX, usize::MAX).unwrap(),
            all.collect::<Vec<_>>()
        );
    }
}

#[test]
fn entries_are_read_proved_and_found_also_after_opening_again() {
    let dir = tempfile::tempdir().unwrap();
    let mut count = 0;
    for (round, more) in [1, 3, 250, 1, 1000, 0].into_iter().enumerate() {
        let (ledger, recovery) = open(dir.path());
        assert_eq!((recovery.entries, recovery.damage, recovery.dropped_incomplete), (count, None, false));
        assert_eq!(recovery.replayed_records, 0, "a closed ledger has nothing to replay");
        fill(&ledger, count, count + more);
        count += more;
        check_all(&ledger, count);
        assert_eq!(ledger.leaf(count).unwrap(), None);
        if round % 2 == 0 { ledger.close() } else { drop(ledger) }
    }
}

#[test]
fn a_checkpoint_follows_growth_within_a_second_and_is_repeated_with_a_fresh_time() {
    let dir = tempfile::tempdir().unwrap();
    let clock = TestClock::new();
    let heads = Arc::new(Mutex::new(Vec::new()));
    let mut options = options();
    options.checkpoint_interval_ms = 500;
    options.heartbeat_ms = 300;
    let seen = heads.clone();
    options.on_checkpoint = Some(Box::new(move |head, note| {
        seen.lock().unwrap().push((*head, note.to_vec()));
        Ok(())
    }));
    let (ledger, _) = Ledger::open(dir.path(), options, TestSigner::log(), clock.clone()).unwrap();
    ledger.append_blocking(entry(0)).unwrap();
    wait_until(|| ledger.status().checkpointed == 1);
    clock.advance(60_000);
    let first = ledger.checkpoint().unwrap();
    wait_until(|| ledger.checkpoint().unwrap() != first);
    let keys = [
        TestSigner::log().key(),
        verify::VerifierKey { kind: verify::KeyKind::CosignatureV1, ..TestSigner::log().key() },
    ];
    let [old, new] =
        [first, ledger.checkpoint().unwrap()].map(|note| verify::open_checkpoint(&note, &keys).unwrap());
    assert_eq!(old.checkpoint, new.checkpoint);
    assert_eq!(new.signed_by[1].time.unwrap() - old.signed_by[1].time.unwrap(), 60);
    let last = heads.lock().unwrap().last().cloned().unwrap();
    assert_eq!(last.0, ledger.signed_head().unwrap());
}

#[test]
fn nothing_is_published_that_the_hook_refuses() {
    let dir = tempfile::tempdir().unwrap();
    let allowed = Arc::new(AtomicU64::new(5));
    let mut options = options();
    let limit = allowed.clone();
    options.on_checkpoint = Some(Box::new(move |head, _| {
        if head.size <= limit.load(Ordering::Relaxed) { Ok(()) } else { Err(ledger::HookRefused) }
    }));
    let (ledger, _) = Ledger::open(dir.path(), options, TestSigner::log(), TestClock::new()).unwrap();
    fill(&ledger, 0, 5);
    ledger.make_provable().unwrap();
    fill(&ledger, 5, 10);
    assert!(matches!(ledger.make_provable(), Err(ReadError::Unavailable)));
    assert_eq!(ledger.signed_head().unwrap().size, 5);
    assert!(ledger.status().stalled);
    allowed.store(10, Ordering::Relaxed);
    wait_until(|| ledger.status().checkpointed == 10);
    assert!(!ledger.status().stalled);
}

#[test]
fn a_destroyed_identity_is_gone_from_every_file_and_everything_still_verifies() {
    let dir = tempfile::tempdir().unwrap();
    let (ledger, _) = open(dir.path());
    fill(&ledger, 0, 300);
    let secret = entry(100).identity;
    assert_eq!(ledger.identity(100).unwrap().unwrap(), secret);
    assert_eq!(ledger.identity(99).unwrap(), None, "had none");
    ledger.destroy_identities(&[100, 200]).unwrap();
    ledger.destroy_identity(100).unwrap();
    assert_eq!(ledger.identity(100).unwrap(), None);
    assert_eq!(ledger.identity(101).unwrap().unwrap(), entry(101).identity);
    let before = std::fs::read(dir.path().join("i0000/identity")).unwrap();
    assert!(!contains(&before, b"identity 100"));
    assert!(contains(&before, b"identity 101"), "the search can find");
    check_all(&ledger, 300);
    ledger.close();
    let report = verify::directory(dir.path(), &[TestSigner::log().key()], &[]).unwrap();
    assert!(report.is_good(), "{report:?}");
    let (ledger, _) = open(dir.path());
    assert_eq!((ledger.identity(100).unwrap(), ledger.identity(200).unwrap()), (None, None));
    assert!(matches!(ledger.destroy_identity(300), Err(ReadError::OutOfRange)));
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle)
}

#[test]
fn a_destroyed_identity_leaves_the_journal_too() {
    let dir = tempfile::tempdir().unwrap();
    let mut options = options();
    options.scrub_after_ms = 20;
    let (ledger, _) = Ledger::open(dir.path(), options, TestSigner::log(), TestClock::new()).unwrap();
    fill(&ledger, 0, 200);
    let in_journal = |text: &[u8]| {
        let journals =
            ["i0000/journal-0", "i0000/journal-1"].map(|name| std::fs::read(dir.path().join(name)).unwrap());
        journals.iter().any(|journal| contains(journal, text))
    };
    assert!(in_journal(b"identity 100"), "the search can find");
    ledger.destroy_identity(100).unwrap();
    wait_until(|| !in_journal(b"identity 100"));
    fill(&ledger, 200, 300);
    check_all(&ledger, 300);
    ledger.close();
    let (ledger, recovery) = open(dir.path());
    assert_eq!((recovery.entries, recovery.damage), (300, None));
    assert_eq!(ledger.identity(100).unwrap(), None);
    check_all(&ledger, 300);
}

#[test]
fn limits_closing_and_locking() {
    let dir = tempfile::tempdir().unwrap();
    let (ledger, _) = open(dir.path());
    let large = |bytes| Entry { leaf: vec![1; bytes], ..Entry::default() };
    assert_eq!(ledger.append_blocking(large(MAX_LEAF + 1)), Err(AppendError::TooLarge));
    assert_eq!(ledger.append_blocking(large(MAX_LEAF)).unwrap().index, 0);
    assert_eq!(ledger.append_blocking(large(0)).unwrap().index, 1);
    assert_eq!(ledger.leaf(0).unwrap().unwrap().len(), MAX_LEAF);
    let again = Ledger::open(dir.path(), options(), TestSigner::log(), TestClock::new());
    assert!(matches!(again.map(drop), Err(OpenError::Locked)));
    ledger.close();
    assert_eq!(ledger.append_blocking(entry(1)), Err(AppendError::Closed));
    assert_eq!(ledger.leaf(1).unwrap(), Some(Vec::new()), "reads go on after closing");
    let mut other = options();
    other.origin = "ledger.example/other".to_owned();
    let opened = Ledger::open(dir.path(), other, TestSigner::log(), TestClock::new());
    assert!(matches!(opened.map(drop), Err(OpenError::Origin)));
    let mut spaced = options();
    spaced.origin = "two words".to_owned();
    let opened = Ledger::open(dir.path(), spaced, TestSigner::log(), TestClock::new());
    assert!(matches!(opened.map(drop), Err(OpenError::Options)));
    let incarnation = Ledger::open_incarnation(dir.path(), options(), TestSigner::log(), TestClock::new());
    assert!(matches!(incarnation.map(drop), Err(OpenError::Sound)));
    open(dir.path());
}

#[test]
fn many_threads_append_at_once_and_each_gets_its_own_place() {
    let dir = tempfile::tempdir().unwrap();
    let (ledger, _) = open(dir.path());
    let places: Vec<(u64, u64)> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8_u64)
            .map(|t| {
                let ledger = &ledger;
                scope.spawn(move || {
                    let mine = (0..200).map(|i| t * 1000 + i);
                    mine.map(|i| (i, ledger.append_blocking(entry(i)).unwrap().index)).collect::<Vec<_>>()
                })
            })
            .collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    let mut indexes: Vec<_> = places.iter().map(|(_, index)| *index).collect();
    indexes.sort_unstable();
    assert_eq!(indexes, (0..1600).collect::<Vec<_>>());
    for (i, index) in places {
        assert_eq!(ledger.leaf(index).unwrap().unwrap(), entry(i).leaf);
    }
}
