//! The witness cosigns what continues, and nothing else; foreign verifiers know its cosignatures.

use crate::support::fault::{FaultDisk, Faults};
use crate::support::{ORIGIN, Random, TestClock, TestSigner, entry, options};
use data_encoding::BASE64;
use ledger::verify::{KeyKind, VerifierKey, open_checkpoint};
use ledger::witness::{Witness, WitnessError};
use ledger::{CheckpointSigner, Ledger, Proof};
use std::path::Path;
use std::sync::Arc;

fn witness_on(disk: &FaultDisk, clock: Arc<TestClock>) -> Result<Witness, WitnessError> {
    let logs = vec![(ORIGIN.to_owned(), TestSigner::log().key())];
    Witness::open_on(
        Arc::new(disk.clone()),
        Path::new("/w"),
        logs,
        TestSigner::new("witness.example/w1", 2),
        clock,
    )
}

struct Log {
    _dir: tempfile::TempDir,
    ledger: Ledger,
}

impl Log {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let (ledger, _) = Ledger::open(dir.path(), options(), TestSigner::log(), TestClock::new()).unwrap();
        Self { _dir: dir, ledger }
    }

    /// Grows by `numbers`; the checkpoint then.
    fn grow(&self, numbers: std::ops::Range<u64>) -> Vec<u8> {
        self.ledger.append_many(numbers.map(entry).collect()).unwrap();
        self.ledger.make_provable().unwrap().to_vec()
    }
}

#[test]
fn a_witness_follows_a_log_and_its_cosignature_makes_a_head_undeniable() {
    let (log, disk, clock) = (Log::new(), FaultDisk::default(), TestClock::new());
    let witness = witness_on(&disk, clock.clone()).unwrap();
    let first = log.grow(0..10);
    let keys = [TestSigner::log().key(), witness.key()];
    let line = witness.cosign(0, &Proof::default(), &first).unwrap();
    let cosigned = [&first[..], line.as_bytes()].concat();
    let opened = open_checkpoint(&cosigned, &keys).unwrap();
    assert!(opened.cosigned() && !open_checkpoint(&first, &keys).unwrap().cosigned());
    let second = log.grow(10..30);
    let proof = log.ledger.consistency(10, 30).unwrap();
    let line = witness.cosign(10, &proof, &second).unwrap();
    assert_eq!((witness.size(ORIGIN), witness.size("elsewhere")), (30, 0));
    // a heartbeat: the same head again, with the time that it is now
    clock.advance(60_000);
    let again = witness.cosign(30, &Proof::default(), &second).unwrap();
    let time = |line: &str| {
        let opened = open_checkpoint(&[&second[..], line.as_bytes()].concat(), &keys).unwrap();
        opened.signed_by[1].time.unwrap()
    };
    assert_eq!(time(&again) - time(&line), 60);
    // the state outlives the process and a power cut
    drop(witness);
    disk.crash(&mut Random(3));
    assert_eq!(witness_on(&disk, clock).unwrap().size(ORIGIN), 30);
}

#[test]
fn a_witness_refuses_forks_rollback_and_what_it_does_not_know() {
    let (log, fork, disk) = (Log::new(), Log::new(), FaultDisk::default());
    let witness = witness_on(&disk, TestClock::new()).unwrap();
    let ten = log.grow(0..10);
    let twenty = log.grow(10..20);
    let thirty = log.grow(20..30);
    let proof = |old, new| log.ledger.consistency(old, new).unwrap();
    witness.cosign(0, &Proof::default(), &twenty).unwrap();
    let conflict =
        |outcome: Result<String, WitnessError>| matches!(outcome, Err(WitnessError::Conflict { size: 20 }));
    assert!(conflict(witness.cosign(0, &Proof::default(), &ten)), "rollback");
    assert!(matches!(witness.cosign(20, &Proof::default(), &ten), Err(WitnessError::Malformed)), "backwards");
    assert!(conflict(witness.cosign(10, &proof(10, 30), &thirty)), "from another size");
    assert!(
        matches!(witness.cosign(20, &proof(10, 30), &thirty), Err(WitnessError::Inconsistent)),
        "wrong proof"
    );
    assert!(
        matches!(witness.cosign(20, &Proof::default(), &thirty), Err(WitnessError::Inconsistent)),
        "no proof"
    );
    // a fork that the log's own key signed
    fork.grow(1..21);
    let other_twenty = fork.ledger.checkpoint().unwrap();
    assert!(conflict(witness.cosign(20, &Proof::default(), &other_twenty)), "a fork of the same size");
    let other_thirty = fork.grow(21..31);
    let joined = fork.ledger.consistency(20, 30).unwrap();
    assert!(
        matches!(witness.cosign(20, &joined, &other_thirty), Err(WitnessError::Inconsistent)),
        "a longer fork"
    );
    // other logs, other keys, no notes
    let text = String::from_utf8(thirty.clone()).unwrap();
    let renamed = text.replacen(ORIGIN, "ledger.example/unknown", 1);
    assert!(matches!(
        witness.cosign(20, &proof(20, 30), renamed.as_bytes()),
        Err(WitnessError::UnknownOrigin)
    ));
    let bent = text.replacen("\n30\n", "\n31\n", 1);
    assert!(matches!(witness.cosign(20, &proof(20, 30), bent.as_bytes()), Err(WitnessError::Untrusted)));
    assert!(matches!(witness.cosign(20, &proof(20, 30), b"no note"), Err(WitnessError::Malformed)));
    assert_eq!(witness.size(ORIGIN), 20, "nothing of that moved it");
    witness.cosign(20, &proof(20, 30), &thirty).unwrap();
}

#[test]
fn no_cosignature_leaves_before_the_state_is_durable() {
    let (log, disk) = (Log::new(), FaultDisk::default());
    let witness = witness_on(&disk, TestClock::new()).unwrap();
    let ten = log.grow(0..10);
    disk.set(Faults { sync: true, ..Faults::default() });
    assert!(matches!(witness.cosign(0, &Proof::default(), &ten), Err(WitnessError::Io(_))));
    assert_eq!(witness.size(ORIGIN), 0);
    disk.set(Faults::default());
    witness.cosign(0, &Proof::default(), &ten).unwrap();
    // a power cut at any step: whoever got a cosignature finds its head in the state afterwards
    for steps in 0..12 {
        let disk = FaultDisk::default();
        drop(witness_on(&disk, TestClock::new()).unwrap());
        disk.crash_after(steps);
        let witness = witness_on(&disk, TestClock::new()).unwrap();
        let cosigned = witness.cosign(0, &Proof::default(), &ten).is_ok();
        disk.crash(&mut Random(steps));
        drop(witness);
        let size = witness_on(&disk, TestClock::new()).unwrap().size(ORIGIN);
        assert!(size == 10 || !cosigned && size == 0, "{steps}: {size}");
    }
    disk.tamper(Path::new("/w/witness"), |bytes| bytes[20] ^= 1);
    drop(witness);
    assert!(matches!(witness_on(&disk, TestClock::new()).map(drop), Err(WitnessError::State)));
}

#[test]
fn the_protocol_of_c2sp_tlog_witness() {
    let (log, disk) = (Log::new(), FaultDisk::default());
    let witness = witness_on(&disk, TestClock::new()).unwrap();
    let ten = String::from_utf8(log.grow(0..10)).unwrap();
    let first = witness.add_checkpoint(format!("old 0\n\n{ten}").as_bytes()).unwrap();
    assert!(first.starts_with("\u{2014} witness.example/w1 ") && first.ends_with('\n'));
    let twenty = String::from_utf8(log.grow(10..20)).unwrap();
    let proof = log.ledger.consistency(10, 20).unwrap();
    let lines: String = proof.hashes.iter().map(|hash| BASE64.encode(hash) + "\n").collect();
    assert!(witness.add_checkpoint(format!("old 0\n\n{twenty}").as_bytes()).is_err());
    for body in ["", "old 10", "old 010\n\n", "old 10\nxyz\n\n"] {
        let outcome = witness.add_checkpoint(format!("{body}{twenty}").as_bytes());
        assert!(matches!(outcome, Err(WitnessError::Malformed)), "{body:?}");
    }
    witness.add_checkpoint(format!("old 10\n{lines}\n{twenty}").as_bytes()).unwrap();
    assert_eq!(witness.size(ORIGIN), 20);
}

/// The example in the specification of tlog-cosignature tells how key IDs and messages are made; here the message is
/// made by hand and checked with another implementation of Ed25519.
#[test]
fn a_foreign_implementation_verifies_the_cosignature() {
    let (log, disk) = (Log::new(), FaultDisk::default());
    let witness = witness_on(&disk, TestClock::new()).unwrap();
    let note = String::from_utf8(log.grow(0..10)).unwrap();
    let line = witness.cosign(0, &Proof::default(), note.as_bytes()).unwrap();
    let text = &note[..note.find("\n\n").unwrap() + 1];
    let raw = BASE64.decode(line.trim_end().rsplit(' ').next().unwrap().as_bytes()).unwrap();
    let time = u64::from_be_bytes(raw[4..12].try_into().unwrap());
    assert_eq!(time, 1_795_471_200);
    let message = format!("cosignature/v1\ntime {time}\n{text}");
    // the oracle's verifier for plain notes, given the message and the signature
    let signer = TestSigner::new("witness.example/w1", 2);
    let plain = VerifierKey {
        name: "witness.example/w1".to_owned(),
        kind: KeyKind::Ed25519,
        public: signer.public_key(),
    };
    let verifier = signed_note::StandardVerifier::new(&plain.vkey()).unwrap();
    assert!(signed_note::Verifier::verify(&verifier, message.as_bytes(), &raw[12..]));
    assert!(!signed_note::Verifier::verify(&verifier, text.as_bytes(), &raw[12..]));
}
