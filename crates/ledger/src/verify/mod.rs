//! Offline verification, for those who trust keys and not this host.
//!
//! Everything here works on bytes and needs no open ledger: [`open_checkpoint`] for a signed note, [`inclusion`] and
//! [`consistency`] for proofs, [`TlogProof`] for a self-contained proof, [`directory()`] for all of a log at once,
//! [`OfflineLog`] for single entries of one.

mod directory;
pub(crate) mod key;
mod leaf;
pub(crate) mod note;
mod source;
mod tlog_proof;

pub use directory::{Finding, Report, directory};
pub use key::{KeyKind, VerifierKey};
pub use leaf::{OfflineError, OfflineLog};
pub use note::{Checkpoint, OpenedCheckpoint, SignedBy, open_checkpoint};
pub use tlog_proof::TlogProof;

use crate::proof::{Hash, Proof, empty_root, node_hash};

/// Why a checkpoint, a proof or a directory is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// Not in the format.
    #[error("malformed")]
    Malformed,
    /// No signature by a log key that is trusted.
    #[error("no signature of a trusted key")]
    Untrusted,
    /// A signature of a trusted key does not check.
    #[error("a signature does not check")]
    Signature,
    /// The proof does not lead to the root.
    #[error("the proof does not lead to the root")]
    Proof,
}

/// Checks that `leaf_hash` stands at `index` of the tree (`size`, `root`) (RFC 9162 §2.1.3.2).
pub fn inclusion(
    leaf_hash: &Hash,
    index: u64,
    size: u64,
    root: &Hash,
    proof: &Proof,
) -> Result<(), VerifyError> {
    if index >= size {
        return Err(VerifyError::Proof);
    }
    let (mut node, mut last) = (index, size - 1);
    let mut hash = *leaf_hash;
    for sibling in &proof.hashes {
        if last == 0 {
            return Err(VerifyError::Proof);
        }
        if node & 1 == 1 || node == last {
            hash = node_hash(sibling, &hash);
            let turns = if node & 1 == 1 { 0 } else { node.trailing_zeros().min(63) };
            (node, last) = (node >> turns, last >> turns);
        } else {
            hash = node_hash(&hash, sibling);
        }
        (node, last) = (node >> 1, last >> 1);
    }
    if last == 0 && hash == *root { Ok(()) } else { Err(VerifyError::Proof) }
}

/// Checks that the tree (`new`, `new_root`) continues (`old`, `old_root`) (RFC 9162 §2.1.4.2). From size 0 the proof
/// is empty (C2SP tlog-witness) and the old root that of the empty tree.
pub fn consistency(
    old: u64,
    old_root: &Hash,
    new: u64,
    new_root: &Hash,
    proof: &Proof,
) -> Result<(), VerifyError> {
    let fits = |good: bool| if good { Ok(()) } else { Err(VerifyError::Proof) };
    if old == 0 {
        return fits(proof.hashes.is_empty() && *old_root == empty_root());
    }
    if old == new {
        return fits(proof.hashes.is_empty() && old_root == new_root);
    }
    if old > new {
        return Err(VerifyError::Proof);
    }
    let mut path = proof.hashes.iter();
    let start = if old.is_power_of_two() { Some(old_root) } else { path.next() };
    let Some(start) = start else { return Err(VerifyError::Proof) };
    let turns = (old - 1).trailing_ones();
    let (mut node, mut last) = ((old - 1) >> turns, (new - 1) >> turns);
    let (mut old_hash, mut new_hash) = (*start, *start);
    for sibling in path {
        if last == 0 {
            return Err(VerifyError::Proof);
        }
        if node & 1 == 1 || node == last {
            old_hash = node_hash(sibling, &old_hash);
            new_hash = node_hash(sibling, &new_hash);
            let turns = if node & 1 == 1 { 0 } else { node.trailing_zeros().min(63) };
            (node, last) = (node >> turns, last >> turns);
        } else {
            new_hash = node_hash(&new_hash, sibling);
        }
        (node, last) = (node >> 1, last >> 1);
    }
    fits(last == 0 && old_hash == *old_root && new_hash == *new_root)
}
