//! Permanent vectors: what version 1 of each format looks like, byte for byte. They are never changed; a new
//! version gets new ones beside them. To add some, write them with
//! `cargo test -p obhut-ledger --test it -- --ignored vectors` and check them by eye and by a foreign verifier.

use crate::support::fault::FaultDisk;
use crate::support::{ORIGIN, Random, TestClock, TestSigner, entry, options};
use data_encoding::{BASE64, HEXLOWER};
use ledger::verify::{self, TlogProof, VerifierKey};
use ledger::witness::Witness;
use ledger::{Ledger, Options, Proof};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A full tile and a partial one at level 0, one hash at level 1.
const ENTRIES: u64 = 300;
const SEGMENT: usize = 64 << 10;

fn vectors() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/v1")
}

/// Files by name. The same at every run: fixed keys, a clock that stands, one record for each of the first entries.
fn make() -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    let dir = tempfile::tempdir().unwrap();
    let options = Options { segment_bytes: 256 << 10, checkpoint_interval_ms: 3_600_000, ..options() };
    let (ledger, _) = Ledger::open(dir.path(), options, TestSigner::log(), TestClock::new()).unwrap();
    for i in 0..3 {
        ledger.append_blocking(entry(i)).unwrap();
    }
    let journal = std::fs::read(dir.path().join("i0000/journal-0")).unwrap();
    let pages = journal[..4 * 4096].chunks(4096);
    let lines: Vec<_> = pages.map(|page| HEXLOWER.encode(trim(page)) + "\n").collect();
    files.insert("journal.hex".to_owned(), lines.concat().into_bytes());
    let old = ledger.make_provable().unwrap();
    ledger.append_many((3..ENTRIES).map(entry).collect()).unwrap();
    ledger.make_provable().unwrap();
    let export = dir.path().join("export");
    ledger.export(&export).unwrap();
    collect(&export, "log", &mut files);
    files.insert("entry-123.leaf".to_owned(), entry(123).leaf);
    files.insert("entry-123.tlog-proof".to_owned(), ledger.tlog_proof(123).unwrap().unwrap());
    files.insert("checkpoint-3".to_owned(), old.to_vec());
    let joined = ledger.consistency(3, ENTRIES).unwrap();
    let lines: Vec<_> = joined.hashes.iter().map(|hash| BASE64.encode(hash) + "\n").collect();
    files.insert("consistency-3-300".to_owned(), lines.concat().into_bytes());
    let witness = witness();
    let line = witness.cosign(0, &Proof::default(), &ledger.checkpoint().unwrap()).unwrap();
    files.insert("cosignature".to_owned(), line.into_bytes());
    let keys = format!("{}\n{}\n", TestSigner::log().key().vkey(), witness.key().vkey());
    files.insert("keys".to_owned(), keys.into_bytes());
    files
}

fn witness() -> Witness {
    let logs = vec![(ORIGIN.to_owned(), TestSigner::log().key())];
    let signer = TestSigner::new("witness.example/w1", 2);
    Witness::open_on(Arc::new(FaultDisk::default()), Path::new("/w"), logs, signer, TestClock::new()).unwrap()
}

fn trim(bytes: &[u8]) -> &[u8] {
    let end = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    &bytes[..end]
}

fn collect(dir: &Path, name: &str, into: &mut BTreeMap<String, Vec<u8>>) {
    for found in std::fs::read_dir(dir).unwrap() {
        let path = found.unwrap().path();
        let name = format!("{name}/{}", path.file_name().unwrap().to_str().unwrap());
        if path.is_dir() {
            collect(&path, &name, into);
        } else {
            into.insert(name, std::fs::read(&path).unwrap());
        }
    }
}

#[test]
fn what_is_written_is_what_version_1_says() {
    let made = make();
    assert!(made.len() > 10);
    for (name, bytes) in made {
        let stored = std::fs::read(vectors().join(&name)).unwrap();
        assert!(bytes == stored, "{name} is not what it was");
    }
}

#[test]
fn what_version_1_wrote_is_verified() {
    let read = |name: &str| std::fs::read(vectors().join(name)).unwrap();
    let keys = String::from_utf8(read("keys")).unwrap();
    let keys: Vec<_> = keys.lines().map(|key| VerifierKey::parse(key).unwrap()).collect();
    let report = verify::directory(&vectors().join("log"), &keys, &[read("checkpoint-3")]).unwrap();
    assert!(report.is_good(), "{report:?}");
    assert_eq!(report.entries, ENTRIES);
    let proof = TlogProof::parse(&read("entry-123.tlog-proof")).unwrap();
    let new = proof.verify(&read("entry-123.leaf"), &keys).unwrap().checkpoint;
    let old = verify::open_checkpoint(&read("checkpoint-3"), &keys).unwrap().checkpoint;
    let lines = String::from_utf8(read("consistency-3-300")).unwrap();
    let hashes =
        lines.lines().map(|line| BASE64.decode(line.as_bytes()).unwrap().try_into().unwrap()).collect();
    verify::consistency(old.size, &old.root, new.size, &new.root, &Proof { hashes }).unwrap();
    let cosigned = [read("log/checkpoint"), read("cosignature")].concat();
    assert!(verify::open_checkpoint(&cosigned, &keys).unwrap().cosigned());
}

/// A ledger's directory as version 1 left it after a power cut: 20 entries in the derived files, 5 more in the
/// journal alone. Unused room at the end of the segments is cut off.
#[test]
fn a_directory_that_version_1_left_opens_and_replays() {
    let dir = tempfile::tempdir().unwrap();
    let mut files = BTreeMap::new();
    collect(&vectors().join("directory"), "l", &mut files);
    for (name, mut bytes) in files {
        if name.contains("journal-") {
            bytes.resize(SEGMENT, 0);
        }
        let path = dir.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
    let (ledger, recovery) =
        Ledger::open(&dir.path().join("l"), options(), TestSigner::log(), TestClock::new()).unwrap();
    assert_eq!((recovery.entries, recovery.replayed_records, recovery.damage), (25, 5, None));
    assert_eq!(recovery.last_signed.unwrap().size, 20);
    for i in 0..25 {
        assert_eq!(ledger.leaf(i).unwrap().unwrap(), entry(i).leaf);
        let identity = if i == 4 { Vec::new() } else { entry(i).identity };
        assert_eq!(ledger.identity(i).unwrap().unwrap_or_default(), identity, "{i}");
    }
    assert_eq!(ledger.touched(&crate::support::reference(3), u64::MAX, 9).unwrap(), [23, 18, 13, 8, 3]);
    assert_eq!(ledger.append_blocking(entry(25)).unwrap().index, 25);
}

#[test]
#[ignore = "writes the vectors; run by hand when a format version is added"]
fn write_the_vectors() {
    let put = |name: &str, bytes: &[u8]| {
        let path = vectors().join(name);
        assert!(!path.exists(), "{name} exists: vectors are permanent");
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    };
    for (name, bytes) in make() {
        put(&name, &bytes);
    }
    let disk = FaultDisk::default();
    let options = Options { segment_bytes: SEGMENT as u64, checkpoint_interval_ms: 3_600_000, ..options() };
    let (ledger, _) = Ledger::open_on(
        Arc::new(disk.clone()),
        Path::new("/l"),
        options,
        TestSigner::log(),
        TestClock::new(),
    )
    .unwrap();
    ledger_of_single_records(&ledger, 0..20);
    ledger.destroy_identity(4).unwrap();
    ledger.make_provable().unwrap();
    ledger_of_single_records(&ledger, 20..25);
    disk.crash(&mut Random(1));
    let dump = tempfile::tempdir().unwrap();
    disk.dump(dump.path());
    let mut files = BTreeMap::new();
    collect(&dump.path().join("l"), "directory", &mut files);
    for (name, bytes) in files {
        put(&name, if name.contains("journal-") { trim(&bytes) } else { &bytes });
    }
}

/// One record for each entry.
fn ledger_of_single_records(ledger: &Ledger, numbers: std::ops::Range<u64>) {
    for i in numbers {
        assert_eq!(ledger.append_blocking(entry(i)).unwrap().index, i);
    }
}
