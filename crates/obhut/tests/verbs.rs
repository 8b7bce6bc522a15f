//! The offline verbs as a person runs them: the program itself, its exit codes and what it says.

use ledger::verify::{KeyKind, TlogProof, VerifierKey, open_checkpoint};
use ledger::{CheckpointSigner, Entry, Ledger, Options};
use model::{Clock, Timestamp};
use rcgen::{KeyPair, PKCS_ED25519, SigningKey};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

const ORIGIN: &str = "ledger.example/werk-sued";

/// What a run of the program said.
#[derive(Debug)]
struct Said {
    code: i32,
    out: String,
    err: String,
}

fn obhut(words: &[&str]) -> Said {
    let ran = Command::new(env!("CARGO_BIN_EXE_obhut")).args(words).output().expect("runs");
    Said {
        code: ran.status.code().expect("not killed"),
        out: String::from_utf8(ran.stdout).expect("text"),
        err: String::from_utf8(ran.stderr).expect("text"),
    }
}

struct Signer(KeyPair);

impl Signer {
    fn new() -> Arc<Self> {
        Arc::new(Self(KeyPair::generate_for(&PKCS_ED25519).expect("key")))
    }

    fn key(&self) -> VerifierKey {
        VerifierKey { name: ORIGIN.into(), kind: KeyKind::Ed25519, public: self.public_key() }
    }
}

impl CheckpointSigner for Signer {
    fn key_name(&self) -> &str {
        ORIGIN
    }
    fn public_key(&self) -> [u8; 32] {
        self.0.public_key_raw().try_into().expect("32 bytes")
    }
    fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.0.sign(message).expect("signs").try_into().expect("64 bytes")
    }
}

struct Standing;

impl Clock for Standing {
    fn now(&self) -> Timestamp {
        Timestamp(1_795_471_200_000)
    }
}

/// A leaf with a frame: version 1, kind 14 (erase), generation 2, tenant 3, week 2968, then bytes that pass for sealed.
fn leaf(filler: u8) -> Vec<u8> {
    let mut leaf = vec![1, 14, 0, 2, 0, 0, 0, 3, 0, 0, 11, 152];
    leaf.resize(112, filler);
    leaf
}

/// A ledger on disk, closed between the steps so that the verbs see files alone.
struct Log {
    dir: tempfile::TempDir,
    signer: Arc<Signer>,
}

impl Log {
    fn new(signer: &Arc<Signer>) -> Self {
        Self { dir: tempfile::tempdir().expect("folder"), signer: signer.clone() }
    }

    fn grow(&self, leaves: impl IntoIterator<Item = u8>) {
        let options = Options { segment_bytes: 256 << 10, ..Options::new(ORIGIN) };
        let opened = Ledger::open(&self.folder(), options, self.signer.clone(), Arc::new(Standing));
        let (ledger, _) = opened.expect("opens");
        for filler in leaves {
            let entry = Entry { leaf: leaf(filler), identity: Vec::new(), postings: Vec::new() };
            ledger.append_blocking(entry).expect("durable");
        }
        ledger.make_provable().expect("provable");
        ledger.close();
    }

    fn folder(&self) -> PathBuf {
        self.dir.path().join("ledger")
    }

    fn path(&self) -> String {
        self.folder().display().to_string()
    }

    fn vkey(&self) -> String {
        self.signer.key().vkey()
    }

    /// Keeps the present checkpoint under a name.
    fn keep(&self, name: &str) -> String {
        let kept = self.dir.path().join(name);
        std::fs::copy(self.folder().join("i0000/checkpoint"), &kept).expect("copied");
        kept.display().to_string()
    }

    fn file(&self, name: &str, bytes: &[u8]) -> String {
        let path = self.dir.path().join(name);
        std::fs::write(&path, bytes).expect("written");
        path.display().to_string()
    }
}

fn text(path: &Path) -> String {
    path.display().to_string()
}

#[test]
fn show_says_what_everybody_may_read() {
    let log = Log::new(&Signer::new());
    log.grow(0..5);
    let said = obhut(&["ledger", "show", &log.path(), "3"]);
    assert_eq!(said.code, 0, "{said:?}");
    let hash = data_encoding::HEXLOWER.encode(&ledger::proof::leaf_hash(&leaf(3)));
    for line in
        [&*format!("hash       {hash}"), "erase: a person was erased", "number 3", "week 2968", "112 bytes"]
    {
        assert!(said.out.contains(line), "{line}: {}", said.out);
    }
    let beyond = obhut(&["ledger", "show", &log.path(), "5"]);
    assert_eq!(beyond.code, 2);
    assert!(beyond.err.contains("does not reach so far"), "{}", beyond.err);
    let nowhere = obhut(&["ledger", "show", &text(log.dir.path()), "0"]);
    assert!(nowhere.code == 2 && nowhere.err.contains("name the folder of a ledger"), "{nowhere:?}");
}

#[test]
fn prove_prints_what_a_verifier_accepts() {
    let log = Log::new(&Signer::new());
    log.grow(0..9);
    let said = obhut(&["ledger", "prove", &log.path(), "4", "--log-key", &log.vkey()]);
    assert_eq!(said.code, 0, "{said:?}");
    let proof = TlogProof::parse(said.out.as_bytes()).expect("the format");
    proof.verify(&leaf(4), &[log.signer.key()]).expect("proves");
    assert!(proof.verify(&leaf(5), &[log.signer.key()]).is_err(), "and proves nothing else");
    let file = text(&log.dir.path().join("proof"));
    assert_eq!(obhut(&["ledger", "prove", &log.path(), "4", "--out", &file]).code, 0);
    assert_eq!(std::fs::read_to_string(&file).expect("written"), said.out);
    let stranger = Signer::new().key().vkey();
    let refused = obhut(&["ledger", "prove", &log.path(), "4", "--log-key", &stranger]);
    assert!(refused.code == 2 && refused.out.is_empty(), "{refused:?}");
    // an entry that was altered on disk is not proved
    let entries = log.folder().join("i0000/entries");
    let mut bytes = std::fs::read(&entries).expect("there");
    bytes[4 * 114 + 60] ^= 1;
    std::fs::write(&entries, bytes).expect("written");
    let bent = obhut(&["ledger", "prove", &log.path(), "4"]);
    assert!(bent.code == 2 && bent.out.is_empty() && bent.err.contains("ledger verify"), "{bent:?}");
}

#[test]
fn a_proof_and_a_checkpoint_are_verified_offline() {
    let log = Log::new(&Signer::new());
    log.grow(0..9);
    let key = log.vkey();
    let checkpoint = log.keep("checkpoint");
    let said = obhut(&["verify", &checkpoint, "--origin", ORIGIN, "--log-key", &key]);
    assert!(said.code == 0 && said.out.contains("entries    9") && said.out.contains("valid"), "{said:?}");
    let proof = text(&log.dir.path().join("proof"));
    assert_eq!(obhut(&["ledger", "prove", &log.path(), "4", "--out", &proof]).code, 0);
    let hash = |filler| data_encoding::HEXLOWER.encode(&ledger::proof::leaf_hash(&leaf(filler)));
    let of = |entry: &str, key: &str| {
        obhut(&["verify", &proof, "--origin", ORIGIN, "--entry", entry, "--log-key", key])
    };
    let said = of(&hash(4), &key);
    assert!(said.code == 0 && said.out.contains("at index 4"), "{said:?}");
    assert_eq!(of(&hash(5), &key).code, 1, "of another entry");
    assert_eq!(of(&hash(4), &Signer::new().key().vkey()).code, 1, "of another log");
    let other = obhut(&["verify", &checkpoint, "--origin", "another.example/log", "--log-key", &key]);
    assert_eq!(other.code, 1, "of another origin: {other:?}");
    for words in
        [vec!["verify", &*proof, "--origin", ORIGIN, "--log-key", &*key], vec!["verify", &*checkpoint]]
    {
        let said = obhut(&words);
        assert!(said.code == 2 && said.err.contains("--"), "says what is missing: {said:?}");
    }
    let mut bytes = std::fs::read(&proof).expect("there");
    // The last line is a signature of a key that nobody named, which is not looked at.
    let looked_at = String::from_utf8(bytes.clone()).expect("text").rfind('\u{2014}').expect("signatures");
    for at in 0..looked_at {
        bytes[at] ^= 1;
        std::fs::write(&proof, &bytes).expect("written");
        assert_ne!(of(&hash(4), &key).code, 0, "byte {at}");
        bytes[at] ^= 1;
    }
}

#[test]
fn verify_speaks_in_sentences() {
    let signer = Signer::new();
    let (log, other) = (Log::new(&signer), Log::new(&signer));
    log.grow(0..5);
    let early = log.keep("early");
    log.grow(5..9);
    let base =
        ["ledger", "verify", &*log.path(), "--log-key", &*log.vkey(), "--origin", ORIGIN].map(str::to_owned);
    let verify = |more: &[&str]| {
        let words: Vec<&str> = base.iter().map(String::as_str).chain(more.iter().copied()).collect();
        obhut(&words)
    };
    let whole = verify(&["--checkpoint", &early]);
    assert_eq!(whole.code, 0, "{whole:?}");
    for line in
        ["entries    9 read", "checkpoint of size 9", "root       ", "continues the earlier checkpoint"]
    {
        assert!(whole.out.contains(line), "{line}: {}", whole.out);
    }
    other.grow(50..55);
    let forked = verify(&["--checkpoint", &other.keep("other")]);
    assert!(forked.code == 1 && forked.out.contains("history was rewritten"), "{forked:?}");
    assert!(forked.out.trim_end().ends_with("NOT whole"));
    let entries = log.folder().join("i0000/entries");
    let mut bytes = std::fs::read(&entries).expect("there");
    bytes[2 * 114 + 60] ^= 1;
    std::fs::write(&entries, bytes).expect("written");
    let bent = verify(&[]);
    assert!(bent.code == 1 && bent.out.contains("entry 2 was altered"), "{bent:?}");
    assert!(!bent.out.contains('{'), "no dump of structures: {}", bent.out);
    let nobody = obhut(&["ledger", "verify", &log.path()]);
    assert!(nobody.code == 2 && nobody.err.contains("--trust"), "{nobody:?}");
}

/// A witness's folder and the verbs on it.
struct TestWitness {
    state: String,
    vkey: String,
}

impl TestWitness {
    fn new(dir: &Path) -> Self {
        let state = text(&dir.join("witness"));
        let said = obhut(&["witness", "init", "--state", &state, "--name", "witness.example/w1"]);
        assert_eq!(said.code, 0, "{said:?}");
        Self { state, vkey: said.out.trim_end().to_owned() }
    }

    fn cosign(&self, log: &Log, words: &[&str]) -> Said {
        let vkey = log.vkey();
        let mut all =
            vec!["witness", "cosign", "--state", &self.state, "--log-key", &vkey, "--origin", ORIGIN];
        all.extend_from_slice(words);
        obhut(&all)
    }
}

#[test]
fn a_witness_follows_a_ledger_that_grows() {
    let log = Log::new(&Signer::new());
    let witness = TestWitness::new(log.dir.path());
    let key = VerifierKey::parse(&witness.vkey).expect("a verifier key");
    let mode =
        std::fs::metadata(Path::new(&witness.state).join("key.pem")).expect("there").permissions().mode();
    assert_eq!((key.kind, mode & 0o777), (KeyKind::CosignatureV1, 0o600));
    log.grow(0..5);
    let keys = [log.signer.key(), key];
    let first = log.keep("first");
    let said = witness.cosign(&log, &[&first]);
    assert_eq!(said.code, 0, "{said:?}");
    assert!(open_checkpoint(said.out.as_bytes(), &keys).expect("both signatures").cosigned());
    assert_eq!(witness.cosign(&log, &[&first]).code, 0, "the same head again");
    log.grow(5..12);
    let second = log.keep("second");
    let unproved = witness.cosign(&log, &[&second]);
    assert_eq!(unproved.code, 1);
    assert!(unproved.out.contains("`obhut ledger consistency DIR 5`"), "{}", unproved.out);
    let request = obhut(&["ledger", "consistency", &log.path(), "5"]);
    assert_eq!(request.code, 0, "{request:?}");
    let request = log.file("request", request.out.as_bytes());
    let said = witness.cosign(&log, &[&second, "--proof", &request]);
    assert_eq!(said.code, 0, "{said:?}");
    let opened = open_checkpoint(said.out.as_bytes(), &keys).expect("both signatures");
    assert!(opened.cosigned() && opened.checkpoint.size == 12);
    // the request alone says the same; from where the witness stands now it needs no hashes
    let again = obhut(&["ledger", "consistency", &log.path(), "12"]).out;
    assert_eq!(witness.cosign(&log, &[&log.file("again", again.as_bytes())]).code, 0);
}

#[test]
fn a_witness_refuses_forks_rollbacks_and_strangers() {
    let signer = Signer::new();
    let (log, fork) = (Log::new(&signer), Log::new(&signer));
    let witness = TestWitness::new(log.dir.path());
    log.grow(0..5);
    let old = log.keep("old");
    log.grow(5..12);
    let new = log.keep("new");
    assert_eq!(witness.cosign(&log, &[&new]).code, 0, "the positive control");
    let refused = |said: &Said, why: &str| {
        assert!(
            said.code == 1 && said.out.contains(why) && !said.out.contains('\u{2014}'),
            "{why}: {said:?}"
        );
    };
    refused(&witness.cosign(&log, &[&old]), "rollback");
    fork.grow(100..112);
    refused(&witness.cosign(&log, &[&fork.keep("same")]), "fork");
    fork.grow(112..120);
    let request = obhut(&["ledger", "consistency", &fork.path(), "12"]).out;
    refused(&witness.cosign(&log, &[&fork.file("request", request.as_bytes())]), "history was rewritten");
    let stranger = Log::new(&Signer::new());
    stranger.grow(0..20);
    refused(&witness.cosign(&log, &[&stranger.keep("stranger")]), "not signed by the log's key");
    refused(&witness.cosign(&log, &[&log.file("junk", b"junk")]), "not a signed checkpoint");
    let (state, vkey) = (&*witness.state, log.vkey());
    let elsewhere =
        ["witness", "cosign", "--state", state, "--log-key", &vkey, "--origin", "elsewhere", &new];
    refused(&obhut(&elsewhere), "another origin");
    // its memory is not begun anew, and a bent one is not used
    let again = obhut(&["witness", "init", "--state", state, "--name", "witness.example/w2"]);
    assert!(again.code == 2 && again.err.contains("holds a witness already"), "{again:?}");
    let memory = Path::new(state).join("witness");
    let bent = std::fs::read_to_string(&memory).expect("there").replacen("12 ", "11 ", 1);
    std::fs::write(&memory, bent).expect("written");
    let said = witness.cosign(&log, &[&new]);
    assert!(said.code == 2 && said.out.is_empty() && said.err.contains("nothing was cosigned"), "{said:?}");
}

/// Sets the mode of a file.
fn chmod(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).expect("mode");
}

/// Makes a house, breaks one thing after the other, and sees the doctor notice and go back to what it said before.
#[test]
fn the_doctor_notices_what_is_broken() {
    let dir = tempfile::tempdir().expect("folder");
    let passphrase = dir.path().join("passphrase");
    std::fs::write(&passphrase, "a passphrase of the tests\n").expect("written");
    chmod(&passphrase, 0o400);
    let data = dir.path().join("house");
    let (data_text, passphrase_text) = (text(&data), text(&passphrase));
    let made = obhut(&["init", "-d", &data_text, "-t", "Werk", "--passphrase-file", &passphrase_text]);
    assert_eq!(made.code, 0, "{made:?}");
    let config = text(&data.join("obhut.toml"));
    let doctor = || obhut(&["doctor", "--config", &config]);
    let well = doctor();
    assert!(well.code == 1, "both holders lie on one device: {well:?}");
    assert!(!well.out.contains("FAIL"), "{}", well.out);
    for line in ["keys.db is sound", "leads to its last checkpoint", "for real data", "core dumps are off"] {
        assert!(well.out.contains(line), "{line}: {}", well.out);
    }
    let fails = |what: &str| {
        let said = doctor();
        assert!(said.code == 2 && said.out.contains(what), "{what}: {said:?}");
        assert!(said.out.contains("      → "), "with a way out: {}", said.out);
    };
    chmod(&data, 0o755);
    fails("data folder");
    chmod(&data, 0o700);
    chmod(&data.join("tls/key.pem"), 0o644);
    fails("the TLS key");
    chmod(&data.join("tls/key.pem"), 0o600);
    chmod(&passphrase, 0o644);
    fails("the passphrase file");
    chmod(&passphrase, 0o400);
    for part in ["shred-b", "escrow", "root.json", "store", "ledger"] {
        let (here, away) = (data.join(part), dir.path().join("away"));
        std::fs::rename(&here, &away).expect("moved");
        fails("FAIL");
        std::fs::rename(&away, &here).expect("moved back");
    }
    // a ledger that does not lead to its checkpoint
    let nodes = data.join("ledger/i0000/nodes-00");
    let good = std::fs::read(&nodes).expect("there");
    let mut bent = good.clone();
    bent[3] ^= 1;
    std::fs::write(&nodes, bent).expect("written");
    fails("does not lead to its last checkpoint");
    std::fs::write(&nodes, good).expect("written");
    // a database with a hole in it
    let keys = data.join("store/keys.db");
    let good = std::fs::read(&keys).expect("there");
    let mut bent = good.clone();
    bent[4096..].fill(0xFF);
    std::fs::write(&keys, bent).expect("written");
    fails("FAIL");
    std::fs::write(&keys, good).expect("written");
    assert_eq!(doctor().out.lines().count(), well.out.lines().count());
    assert_eq!(doctor().code, 1, "as before");
}

/// Runs the program with something on its standard input.
fn obhut_given(words: &[&str], input: &str) -> Said {
    use std::io::Write;
    use std::process::Stdio;
    let mut command = Command::new(env!("CARGO_BIN_EXE_obhut"));
    let piped = command.args(words).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = piped.spawn().expect("runs");
    child.stdin.take().expect("a pipe").write_all(input.as_bytes()).expect("written");
    let ran = child.wait_with_output().expect("ends");
    Said {
        code: ran.status.code().expect("not killed"),
        out: String::from_utf8(ran.stdout).expect("text"),
        err: String::from_utf8(ran.stderr).expect("text"),
    }
}

#[test]
fn rules_are_checked_and_explain_a_request() {
    let said = obhut(&["rules", "check"]);
    assert!(said.code == 0 && said.out.starts_with("rules      Obhut's own baseline\n"), "{said:?}");
    let request =
        |target: &str| format!("GET {target} HTTP/1.1\nHost: app.example\nAccept: */*\nUser-Agent: x\n\n");
    let explain = ["rules", "check", "--explain", "-"];
    let passes = obhut_given(&explain, &request("/shop?item=7"));
    assert!(passes.code == 0 && passes.out.ends_with("verdict    passes\n"), "{passes:?}");
    let attack = obhut_given(&explain, &request("/shop?item=/etc/passwd"));
    assert!(attack.code == 1 && attack.out.contains("refused with 403 by rule"), "{attack:?}");
    let none = obhut(&["rules", "check", "/nonexistent"]);
    assert!(none.code == 2 && none.out.is_empty() && none.err.contains("`rules` under [shield]"), "{none:?}");
}

#[test]
fn rules_without_a_digest_are_not_installed() {
    let dir = tempfile::tempdir().expect("folder");
    let archive = dir.path().join("crs.tar.gz");
    std::fs::write(&archive, b"anything").expect("written");
    let said = obhut(&["rules", "install", &text(&archive), "--into", &text(&dir.path().join("into"))]);
    let digest = data_encoding::HEXLOWER.encode(&seal::sha256(b"anything"));
    assert!(said.code == 2 && said.err.contains(&digest) && said.err.contains("--sha256"), "{said:?}");
    assert!(!dir.path().join("into").exists());
}
