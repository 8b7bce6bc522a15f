//! Entries and proofs from the files alone, from a ledger's directory and from an export.

use crate::support::{TestClock, TestSigner, entry, options};
use ledger::Ledger;
use ledger::proof::leaf_hash;
use ledger::verify::{OfflineError, OfflineLog, consistency, inclusion};

#[test]
fn what_the_files_prove_is_what_the_checkpoint_signs() {
    let (dir, export) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (ledger, _) = Ledger::open(dir.path(), options(), TestSigner::log(), TestClock::new()).unwrap();
    ledger.append_many((0..3).map(entry).collect()).unwrap();
    ledger.make_provable().unwrap();
    let old = OfflineLog::open(dir.path(), None).unwrap().checkpoint().clone();
    ledger.append_many((3..700).map(entry).collect()).unwrap();
    ledger.make_provable().unwrap();
    ledger.export(export.path()).unwrap();
    ledger.close();
    for place in [dir.path(), export.path()] {
        let log = OfflineLog::open(place, None).unwrap();
        let head = log.checkpoint();
        assert_eq!((head.size, log.root().unwrap()), (700, head.root));
        for index in [0, 1, 255, 256, 511, 512, 699] {
            let (leaf, proof) = (log.leaf(index).unwrap(), log.inclusion(index).unwrap());
            assert_eq!(leaf, entry(index).leaf);
            inclusion(&leaf_hash(&leaf), index, head.size, &head.root, &proof).unwrap();
            assert!(inclusion(&leaf_hash(b"other"), index, head.size, &head.root, &proof).is_err());
        }
        let proof = log.consistency(old.size).unwrap();
        consistency(old.size, &old.root, head.size, &head.root, &proof).unwrap();
        assert!(consistency(old.size, &[7; 32], head.size, &head.root, &proof).is_err());
        assert!(matches!(log.leaf(700), Err(OfflineError::OutOfRange)));
        assert!(matches!(log.inclusion(700), Err(OfflineError::OutOfRange)));
        assert!(matches!(log.consistency(701), Err(OfflineError::OutOfRange)));
        assert!(matches!(OfflineLog::open(place, Some(1)), Err(OfflineError::Absent)));
    }
    std::fs::remove_dir_all(export.path().join("tile")).unwrap();
    let log = OfflineLog::open(export.path(), None).unwrap();
    assert!(matches!(log.leaf(1), Err(OfflineError::Damaged)), "the positive control was the loop above");
    assert!(matches!(OfflineLog::open(&export.path().join("tile"), None), Err(OfflineError::Io(_))));
}
