//! Offline verification, for those who trust keys and not this host.

use crate::proof::{Hash, Proof};
use std::path::Path;

/// Why a checkpoint, a proof or a directory is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// Not in the format.
    #[error("malformed")]
    Malformed,
    /// No signature by a key that is trusted.
    #[error("no signature of a trusted key")]
    Untrusted,
    /// A signature of a trusted key does not check.
    #[error("a signature does not check")]
    Signature,
    /// The proof does not lead to the root.
    #[error("the proof does not lead to the root")]
    Proof,
}

/// What a public key in a note may sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyKind {
    /// Ed25519 over the note (signature type 0x01): logs.
    Ed25519,
    /// Ed25519 over time and note (signature type 0x04, C2SP tlog-cosignature): witnesses.
    CosignatureV1,
}

/// A trusted public key (a *vkey* of C2SP signed-note).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifierKey {
    /// Name in the signature line.
    pub name: String,
    /// What it signs.
    pub kind: KeyKind,
    /// The Ed25519 public key.
    pub public: [u8; 32],
}

impl VerifierKey {
    /// Parses `name+hash+base64`.
    pub fn parse(_vkey: &str) -> Result<Self, VerifyError> {
        unimplemented!()
    }

    /// The text form `name+hash+base64`.
    #[must_use]
    pub fn vkey(&self) -> String {
        unimplemented!()
    }
}

/// The text of a checkpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// Which log.
    pub origin: String,
    /// Number of entries.
    pub size: u64,
    /// Root hash.
    pub root: Hash,
}

/// A checkpoint whose signatures were checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenedCheckpoint {
    /// What was signed.
    pub checkpoint: Checkpoint,
    /// The keys, by position in the list handed in, that signed it; with the time in s for cosignatures.
    pub signed_by: Vec<(usize, Option<u64>)>,
}

/// Parses a signed checkpoint and verifies it: at least one trusted key of kind [`KeyKind::Ed25519`] signed, and
/// no signature of a trusted key fails.
pub fn open_checkpoint(_note: &[u8], _keys: &[VerifierKey]) -> Result<OpenedCheckpoint, VerifyError> {
    unimplemented!()
}

/// Checks that `leaf_hash` stands at `index` of the tree (`size`, `root`) (RFC 9162 §2.1.3.2).
pub fn inclusion(
    _leaf_hash: &Hash,
    _index: u64,
    _size: u64,
    _root: &Hash,
    _proof: &Proof,
) -> Result<(), VerifyError> {
    unimplemented!()
}

/// Checks that tree (`new`, `new_root`) continues (`old`, `old_root`) (RFC 9162 §2.1.4.2).
pub fn consistency(
    _old: u64,
    _old_root: &Hash,
    _new: u64,
    _new_root: &Hash,
    _proof: &Proof,
) -> Result<(), VerifyError> {
    unimplemented!()
}

/// A C2SP `.tlog-proof`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlogProof {
    /// Opaque, not authenticated.
    pub extra: Option<Vec<u8>>,
    /// Index of the entry.
    pub index: u64,
    /// Inclusion proof.
    pub proof: Proof,
    /// The signed checkpoint, verbatim.
    pub checkpoint: Vec<u8>,
}

impl TlogProof {
    /// Parses the text form strictly.
    pub fn parse(_text: &[u8]) -> Result<Self, VerifyError> {
        unimplemented!()
    }
    /// The text form.
    #[must_use]
    pub fn format(&self) -> Vec<u8> {
        unimplemented!()
    }
    /// Verifies checkpoint and inclusion of `leaf`.
    pub fn verify(&self, _leaf: &[u8], _keys: &[VerifierKey]) -> Result<OpenedCheckpoint, VerifyError> {
        unimplemented!()
    }
}

/// What verifying a whole directory found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The checkpoint that the directory carries.
    pub checkpoint: Option<OpenedCheckpoint>,
    /// Entries checked.
    pub entries: u64,
    /// All that is wrong, in the order found; empty means that everything verified.
    pub findings: Vec<Finding>,
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Finding {
    /// The checkpoint is missing or does not check.
    Checkpoint(VerifyError),
    /// A leaf does not hash to its place in the tile.
    Leaf {
        /// The index.
        index: u64,
    },
    /// A tile's hash does not stand in the tile above.
    Tile {
        /// Level of the tile.
        level: u8,
        /// Index of the tile.
        index: u64,
    },
    /// A file is missing or too short.
    Missing {
        /// The tlog-tiles path.
        path: String,
    },
    /// The leaves do not lead to the root of the checkpoint.
    Root,
    /// An earlier checkpoint is larger than what is there: entries were dropped.
    Behind {
        /// Position in the list of earlier checkpoints.
        earlier: usize,
    },
    /// The tree at the size of an earlier checkpoint has another root: a fork.
    Forked {
        /// Position in the list of earlier checkpoints.
        earlier: usize,
    },
    /// An earlier checkpoint does not check itself.
    Earlier {
        /// Position in the list of earlier checkpoints.
        earlier: usize,
        /// Why.
        error: VerifyError,
    },
}

/// Verifies a directory: that of a ledger, or an export in the C2SP layout. `earlier` are signed checkpoints that
/// the verifier kept from before; without one, a rewritten history that is signed anew cannot be noticed.
pub fn directory(_dir: &Path, _keys: &[VerifierKey], _earlier: &[Vec<u8>]) -> Result<Report, std::io::Error> {
    unimplemented!()
}
