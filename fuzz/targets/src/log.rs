//! What a verifier or a witness reads of the log.

use ledger::disk::{Disk, DiskFile, Mode};
use ledger::incarnation::Link;
use ledger::proof::{Hash, Proof, leaf_hash};
use ledger::verify::{self, OpenedCheckpoint, TlogProof, VerifierKey};
use ledger::witness::{Witness, WitnessError};
use model::{Clock, Timestamp};
use std::io;
use std::path::Path;
use std::sync::{Arc, LazyLock};

pub(crate) const LEAF: &[u8] = include_bytes!("../../../crates/ledger/tests/vectors/v1/entry-123.leaf");
pub(crate) const PROOF: &str = include_str!("../../../crates/ledger/tests/vectors/v1/entry-123.tlog-proof");
const CHECKPOINT: &str = include_str!("../../../crates/ledger/tests/vectors/v1/checkpoint-3");
const CONSISTENCY: &str = include_str!("../../../crates/ledger/tests/vectors/v1/consistency-3-300");
const KEYS: &str = include_str!("../../../crates/ledger/tests/vectors/v1/keys");
const TRAIL: &str = include_str!("../../../crates/seal/tests/vectors/trail.json");

/// The log's key and the witness's, of the permanent vectors.
static TRUSTED: LazyLock<Vec<VerifierKey>> =
    LazyLock::new(|| KEYS.lines().filter_map(|line| VerifierKey::parse(line).ok()).collect());

/// A leaf and an identity layer, the length of the leaf in the first two bytes.
pub fn leaf(bytes: &[u8]) -> bool {
    let Some((length, rest)) = bytes.split_first_chunk::<2>() else { return false };
    let Some((leaf, identity)) = rest.split_at_checked(usize::from(u16::from_be_bytes(*length))) else {
        return false;
    };
    // What the layer says of itself; whoever seals a leaf may commit it to anything.
    assert!(seal::trail::identity_parts(identity) <= usize::from(u16::MAX));
    let matches = seal::trail::identity_matches(leaf, identity);
    seal::Frame::parse(leaf).is_ok() && matches
}

/// The sealed entry of the vector.
pub fn leaf_seeds() -> Vec<Vec<u8>> {
    let vector: serde_json::Value = serde_json::from_str(TRAIL).unwrap_or_default();
    let part = |name: &str| {
        let text = vector[name].as_str().unwrap_or_default();
        data_encoding::BASE64.decode(text.as_bytes()).unwrap_or_default()
    };
    let (leaf, identity) = (part("leaf"), part("identity"));
    let length = u16::try_from(leaf.len()).unwrap_or(u16::MAX).to_be_bytes();
    vec![[&length, leaf.as_slice(), identity.as_slice()].concat()]
}

/// A signed checkpoint: none opens but those of the vectors.
pub fn checkpoint(bytes: &[u8]) -> bool {
    let Ok(opened) = verify::open_checkpoint(bytes, &TRUSTED) else { return false };
    assert_genuine(&opened);
    true
}

fn assert_genuine(opened: &OpenedCheckpoint) {
    let genuine = |note: &[u8]| {
        verify::open_checkpoint(note, &TRUSTED).is_ok_and(|known| known.checkpoint == opened.checkpoint)
    };
    let of_proof = TlogProof::parse(PROOF.as_bytes()).map(|proof| proof.checkpoint).unwrap_or_default();
    assert!(genuine(CHECKPOINT.as_bytes()) || genuine(&of_proof), "a checkpoint that nobody signed opens");
}

/// The checkpoint of the vector.
pub fn checkpoint_seeds() -> Vec<Vec<u8>> {
    vec![CHECKPOINT.as_bytes().to_vec()]
}

/// A verifier key: what is read is written as it was read.
pub fn verifier_key(bytes: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(bytes) else { return false };
    let Ok(key) = VerifierKey::parse(text) else { return false };
    assert_eq!(key.vkey(), text);
    true
}

/// The keys of the vector.
pub fn verifier_key_seeds() -> Vec<Vec<u8>> {
    KEYS.lines().map(|line| line.as_bytes().to_vec()).collect()
}

/// A `.tlog-proof`: one text for each proof; and none proves another place in a log that nobody signed.
pub fn tlog_proof(bytes: &[u8]) -> bool {
    let Ok(proof) = TlogProof::parse(bytes) else { return false };
    assert_eq!(proof.format(), bytes);
    let Ok(opened) = proof.verify(LEAF, &TRUSTED) else { return false };
    assert_genuine(&opened);
    assert_eq!(proof.index, 123, "the leaf is proved at another index");
    true
}

/// The proof of the vector.
pub fn tlog_proof_seeds() -> Vec<Vec<u8>> {
    vec![PROOF.as_bytes().to_vec()]
}

/// Numbers and hashes one after the other.
struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    fn number(&mut self) -> Option<u64> {
        let (bytes, rest) = self.0.split_first_chunk::<8>()?;
        self.0 = rest;
        Some(u64::from_be_bytes(*bytes))
    }

    fn hash(&mut self) -> Option<Hash> {
        let (bytes, rest) = self.0.split_first_chunk::<32>()?;
        self.0 = rest;
        Some(*bytes)
    }

    fn proof(&mut self) -> Proof {
        Proof { hashes: std::iter::from_fn(|| self.hash()).collect() }
    }
}

/// An inclusion proof: index, size, leaf hash, root, path. It ends for every size, and what it proves lies in the tree.
pub fn inclusion(bytes: &[u8]) -> bool {
    let mut fields = Fields(bytes);
    let (Some(index), Some(size)) = (fields.number(), fields.number()) else { return false };
    let (Some(leaf), Some(root)) = (fields.hash(), fields.hash()) else { return false };
    let proof = fields.proof();
    let proved = verify::inclusion(&leaf, index, size, &root, &proof).is_ok();
    assert!(!proved || index < size, "an index beyond the tree is proved");
    assert!(!proved || proof.hashes.len() <= 64, "a path is longer than a tree can be high");
    proved
}

/// The proof of the vector, and that of a tree of one.
pub fn inclusion_seeds() -> Vec<Vec<u8>> {
    let one = [&[0; 15], [1].as_slice(), &[9; 32], &[9; 32]].concat();
    let Ok(proof) = TlogProof::parse(PROOF.as_bytes()) else { return vec![one] };
    let Ok(opened) = verify::open_checkpoint(&proof.checkpoint, &TRUSTED) else { return vec![one] };
    let head = &opened.checkpoint;
    let numbers = [proof.index.to_be_bytes(), head.size.to_be_bytes()].concat();
    vec![one, [&*numbers, &leaf_hash(LEAF), &head.root, proof.proof.hashes.as_flattened()].concat()]
}

/// A consistency proof: old and new size, old and new root, path. It ends for every size, and no tree shrinks.
pub fn consistency(bytes: &[u8]) -> bool {
    let mut fields = Fields(bytes);
    let (Some(old), Some(new)) = (fields.number(), fields.number()) else { return false };
    let (Some(old_root), Some(new_root)) = (fields.hash(), fields.hash()) else { return false };
    let proved = verify::consistency(old, &old_root, new, &new_root, &fields.proof()).is_ok();
    assert!(!proved || old <= new, "a tree shrinks");
    assert!(!proved || old != new || old_root == new_root, "two trees of one size and different roots");
    proved
}

/// The proof of the vector.
pub fn consistency_seeds() -> Vec<Vec<u8>> {
    let heads =
        [Ok(CHECKPOINT.as_bytes().to_vec()), TlogProof::parse(PROOF.as_bytes()).map(|p| p.checkpoint)];
    let mut opened =
        heads.into_iter().flatten().filter_map(|note| verify::open_checkpoint(&note, &TRUSTED).ok());
    let (Some(old), Some(new)) = (opened.next(), opened.next()) else { return Vec::new() };
    let (old, new) = (old.checkpoint, new.checkpoint);
    let numbers = [old.size.to_be_bytes(), new.size.to_be_bytes()].concat();
    vec![[&*numbers, &old.root, &new.root, path(CONSISTENCY).as_flattened()].concat()]
}

fn path(text: &str) -> Vec<Hash> {
    let decoded = text.lines().filter_map(|line| data_encoding::BASE64.decode(line.as_bytes()).ok());
    decoded.filter_map(|bytes| bytes.try_into().ok()).collect()
}

/// The first leaf of a later incarnation: what is read is written as it was read.
pub fn incarnation(bytes: &[u8]) -> bool {
    let Some(link) = Link::parse(bytes) else { return false };
    assert_eq!(link.format(), bytes);
    true
}

/// A link to the log of the vectors.
pub fn incarnation_seeds() -> Vec<Vec<u8>> {
    let link = Link {
        incarnation: 1,
        origin: "ledger.example/werk-sued/1".to_owned(),
        previous: "ledger.example/werk-sued".to_owned(),
        size: 3,
        root: [3; 32],
        damage: "record".to_owned(),
        checkpoint: CHECKPOINT.to_owned(),
    };
    vec![link.format()]
}

/// What a log sends to a witness: it cosigns nothing but the genuine heads.
pub fn add_checkpoint(bytes: &[u8]) -> bool {
    let Some(log) = TRUSTED.first() else { return false };
    let logs = vec![("ledger.example/werk-sued".to_owned(), log.clone())];
    let witness =
        Witness::open_on(Arc::new(NoDisk), Path::new("state"), logs, Arc::new(NoSigner), Arc::new(NoClock));
    let Ok(witness) = witness else { return false };
    // There is no key to sign with, so the last step of an accepted request is refused.
    if !matches!(witness.add_checkpoint(bytes), Err(WitnessError::Signer)) {
        return false;
    }
    let text = String::from_utf8_lossy(bytes);
    let note = text.split_once("\n\n").map(|(_, note)| note.as_bytes().to_vec()).unwrap_or_default();
    assert!(checkpoint(&note), "what nobody signed is cosigned");
    true
}

/// The first head of the log, as a request.
pub fn add_checkpoint_seeds() -> Vec<Vec<u8>> {
    vec![format!("old 0\n\n{CHECKPOINT}").into_bytes()]
}

/// A place where nothing lies and to which everything can be written, and is forgotten.
struct NoDisk;

impl Disk for NoDisk {
    fn open(&self, _: &Path, mode: Mode) -> io::Result<Arc<dyn DiskFile>> {
        if mode == Mode::Read { Err(io::ErrorKind::NotFound.into()) } else { Ok(Arc::new(Self)) }
    }

    fn create_dir(&self, _: &Path) -> io::Result<()> {
        Ok(())
    }

    fn list(&self, _: &Path) -> io::Result<Vec<String>> {
        Ok(Vec::new())
    }

    fn rename(&self, _: &Path, _: &Path) -> io::Result<()> {
        Ok(())
    }

    fn remove(&self, _: &Path) -> io::Result<()> {
        Ok(())
    }

    fn sync_dir(&self, _: &Path) -> io::Result<()> {
        Ok(())
    }

    fn lock(&self, _: &Path) -> io::Result<Box<dyn Send + Sync>> {
        Ok(Box::new(()))
    }
}

impl DiskFile for NoDisk {
    fn read_at(&self, _: &mut [u8], _: u64) -> io::Result<()> {
        Err(io::ErrorKind::UnexpectedEof.into())
    }

    fn write_at(&self, _: &[u8], _: u64) -> io::Result<()> {
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        Ok(())
    }

    fn size(&self) -> io::Result<u64> {
        Ok(0)
    }

    fn allocate(&self, _: u64) -> io::Result<()> {
        Ok(())
    }
}

struct NoSigner;

impl ledger::CheckpointSigner for NoSigner {
    fn key_name(&self) -> &str {
        "witness.example/fuzz"
    }

    fn public_key(&self) -> [u8; 32] {
        [0; 32]
    }

    fn sign(&self, _: &[u8]) -> [u8; 64] {
        [0; 64]
    }
}

struct NoClock;

impl Clock for NoClock {
    fn now(&self) -> Timestamp {
        Timestamp(1_795_435_200_000)
    }
}
