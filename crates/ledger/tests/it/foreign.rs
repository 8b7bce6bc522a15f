//! Foreign verifiers accept what we write: the crates `tlog_tiles` and `signed_note`, and Go's checksum database
//! packages. And each refuses what was bent, so that accepting means something.

use crate::support::{TestClock, TestSigner, entry, options};
use data_encoding::BASE64;
use ledger::Ledger;
use ledger::verify::{KeyKind, VerifierKey};
use signed_note::{Note, StandardVerifier, VerifierList};
use std::path::{Path, PathBuf};
use std::process::Command;
use tlog_tiles::{
    Checkpoint, Error, Hash, HashReader, Tile, TileHashReader, TileReader, check_record, check_tree,
    prove_record, record_hash, stored_hash_index, tree_hash,
};

fn ledger_of(count: u64) -> (tempfile::TempDir, Ledger) {
    let dir = tempfile::tempdir().unwrap();
    let (ledger, _) = Ledger::open(dir.path(), options(), TestSigner::log(), TestClock::new()).unwrap();
    ledger.append_many((0..count).map(entry).collect()).unwrap();
    ledger.make_provable().unwrap();
    (dir, ledger)
}

fn open_note(note: &[u8]) -> Option<Checkpoint> {
    let verifier = StandardVerifier::new(&TestSigner::log().key().vkey()).unwrap();
    let note = Note::from_bytes(note).ok()?;
    let (verified, others) = note.verify(&VerifierList::new(vec![Box::new(verifier)])).ok()?;
    assert_eq!((verified.len(), others.len()), (1, 1), "ours, and the timestamped one that it does not know");
    Some(Checkpoint::from_bytes(note.text()).unwrap())
}

struct Served<'a>(&'a Ledger);

impl TileReader for Served<'_> {
    fn height(&self) -> u8 {
        8
    }
    fn read_tiles(&self, tiles: &[Tile]) -> Result<Vec<Vec<u8>>, Error> {
        let path = |tile: &Tile| tile.path().replacen("tile/8/", "tile/", 1);
        Ok(tiles.iter().map(|tile| self.0.tile_path(&path(tile)).unwrap().unwrap()).collect())
    }
    fn save_tiles(&self, _: &[Tile], _: &[Vec<u8>]) {}
}

fn foreign(proof: &ledger::Proof) -> Vec<Hash> {
    proof.hashes.iter().map(|hash| Hash(*hash)).collect()
}

#[test]
fn the_rust_oracle_accepts_checkpoints_tiles_and_proofs() {
    for count in [1, 2, 255, 256, 257, 1000, 70_000] {
        let (_dir, ledger) = ledger_of(count);
        let checkpoint = open_note(&ledger.checkpoint().unwrap()).unwrap();
        assert_eq!((checkpoint.origin(), checkpoint.size()), (crate::support::ORIGIN, count));
        let root = *checkpoint.hash();
        let served = Served(&ledger);
        let reader = TileHashReader::new(count, root, &served);
        assert_eq!(tree_hash(count, &reader).unwrap(), root);
        for index in [0, count / 3, count / 2, count - 1] {
            let leaf = record_hash(&entry(index).leaf);
            assert_eq!(reader.read_hashes(&[stored_hash_index(0, index)]).unwrap(), [leaf]);
            let ours = foreign(&ledger.inclusion(index, count).unwrap());
            assert_eq!(ours, prove_record(count, index, &reader).unwrap());
            check_record(&ours, count, root, index, leaf).unwrap();
            assert!(check_record(&ours, count, root, index, record_hash(b"another")).is_err());
            let old = index + 1;
            let joined = foreign(&ledger.consistency(old, count).unwrap());
            let old_root = Hash(ledger.root(old).unwrap());
            check_tree(&joined, count, root, old, old_root).unwrap();
            assert!(check_tree(&joined, count, root, old, Hash([1; 32])).is_err());
        }
    }
}

#[test]
fn the_rust_oracle_refuses_a_bent_checkpoint() {
    let (_dir, ledger) = ledger_of(10);
    let note = ledger.checkpoint().unwrap();
    assert!(open_note(&note).is_some());
    let mut bent = note.to_vec();
    let at = bent.iter().position(|byte| *byte == b'\n').unwrap() + 1;
    bent[at] = b'9';
    assert!(open_note(&bent).is_none());
}

#[test]
fn we_open_a_note_that_the_rust_oracle_made() {
    // A key in the oracle's own text form: type byte and seed.
    let seed = [5; 32];
    let public = TestSigner::new("other.example/log", 5).key();
    let [a, b, c, d] = public.id();
    let secret = BASE64.encode(&[&[1][..], &seed].concat());
    let secret = format!("PRIVATE+KEY+other.example/log+{a:02x}{b:02x}{c:02x}{d:02x}+{secret}");
    let signer = signed_note::StandardSigner::new(&secret).unwrap();
    let text = format!("other.example/log\n7\n{}\n", BASE64.encode(&[7; 32]));
    let mut note = Note::new(text.as_bytes(), &[]).unwrap();
    note.add_sigs(&[&signer]).unwrap();
    let key = VerifierKey::parse(&public.vkey()).unwrap();
    assert_eq!(key.kind, KeyKind::Ed25519);
    let opened = ledger::verify::open_checkpoint(&note.to_bytes(), &[key]).unwrap();
    assert_eq!((opened.checkpoint.size, opened.checkpoint.root), (7, [7; 32]));
}

const GOPATH: &str = "/usr/share/gocode";

#[expect(clippy::print_stderr, reason = "that a test did not run must be seen")]
fn not_run(why: &str) -> Option<PathBuf> {
    eprintln!("NOT RUN: the Go verifier: {why}");
    None
}

/// The Go program, built; `None`, and loudly so, where Go or its package is missing.
fn go_verifier(into: &Path) -> Option<PathBuf> {
    if !Path::new(GOPATH).join("src/golang.org/x/mod/sumdb/tlog").is_dir() {
        return not_run(&format!("{GOPATH} has no golang.org/x/mod (Debian: golang-golang-x-mod-dev)"));
    }
    let program = into.join("verify");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/go/verify.go");
    let mut command = Command::new("go");
    command.args(["build", "-o"]).arg(&program).arg(source);
    command
        .env("GO111MODULE", "off")
        .env("GOPATH", GOPATH)
        .env("GOFLAGS", "")
        .env("GOCACHE", into.join("cache"));
    match command.output() {
        Ok(output) if output.status.success() => Some(program),
        Ok(output) => panic!("the Go verifier does not build: {}", String::from_utf8_lossy(&output.stderr)),
        Err(error) => not_run(&format!("go cannot be started: {error}")),
    }
}

#[test]
fn the_go_checksum_database_packages_verify_a_whole_export() {
    let work = tempfile::tempdir().unwrap();
    let Some(program) = go_verifier(work.path()) else { return };
    let (_dir, ledger) = ledger_of(5_000);
    let old = ledger.checkpoint().unwrap();
    ledger.append_many((5_000..70_000).map(entry).collect()).unwrap();
    ledger.make_provable().unwrap();
    let export = work.path().join("log");
    ledger.export(&export).unwrap();
    let joined = ledger.consistency(5_000, 70_000).unwrap();
    let lines: Vec<_> = joined.hashes.iter().map(|hash| BASE64.encode(hash)).collect();
    let put = |name: &str, bytes: &[u8]| {
        let path = work.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    };
    let files = [
        put("leaf", &entry(12_345).leaf),
        put("proof.tlog-proof", &ledger.tlog_proof(12_345).unwrap().unwrap()),
        put("old", &old),
        put("consistency", lines.join("\n").as_bytes()),
    ];
    let run = || {
        let output =
            Command::new(&program).arg(&export).arg(TestSigner::log().key().vkey()).args(&files).output();
        let output = output.unwrap();
        (
            output.status.success(),
            String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned(),
        )
    };
    assert_eq!(run(), (true, "verified 70000\n".to_owned()));
    // positive controls: it refuses another leaf, an altered entry, an altered tile
    put("leaf", b"another leaf");
    assert!(!run().0);
    put("leaf", &entry(12_345).leaf);
    for name in ["tile/entries/033", "tile/0/033", "tile/1/000", "checkpoint"] {
        let path = export.join(name);
        let good = std::fs::read(&path).unwrap();
        let mut bent = good.clone();
        bent[30] ^= 1;
        std::fs::write(&path, bent).unwrap();
        assert!(!run().0, "{name}");
        std::fs::write(&path, good).unwrap();
    }
    assert!(run().0);
}
