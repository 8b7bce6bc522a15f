//! RFC 9162 hashes, and proofs made from the nodes of perfect subtrees.

use aws_lc_rs::digest::{SHA256, digest};

/// A SHA-256 node of the tree.
pub type Hash = [u8; 32];

/// An inclusion or consistency proof: node hashes in the order of RFC 9162 §2.1.3.1 and §2.1.4.1.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Proof {
    /// From the leaf's sibling upwards (inclusion), or as RFC 9162 orders them (consistency).
    pub hashes: Vec<Hash>,
}

/// SHA-256 of `bytes`.
pub(crate) fn sha256(bytes: &[u8]) -> Hash {
    let mut out = [0; 32];
    out.copy_from_slice(digest(&SHA256, bytes).as_ref());
    out
}

/// Hash of a leaf: SHA-256(0x00 ‖ leaf) (RFC 9162 §2.1.1).
#[must_use]
pub fn leaf_hash(leaf: &[u8]) -> Hash {
    let mut prefixed = Vec::with_capacity(leaf.len() + 1);
    prefixed.push(0);
    prefixed.extend_from_slice(leaf);
    sha256(&prefixed)
}

/// Hash of an inner node: SHA-256(0x01 ‖ left ‖ right) (RFC 9162 §2.1.1).
#[must_use]
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    let mut message = [1; 65];
    message[1..33].copy_from_slice(left);
    message[33..].copy_from_slice(right);
    sha256(&message)
}

/// Root of the empty tree: SHA-256 of nothing.
#[must_use]
pub fn empty_root() -> Hash {
    sha256(&[])
}

/// The nodes of perfect subtrees, from wherever they are stored.
pub(crate) trait Nodes {
    /// Why a node could not be had.
    type Error;
    /// Root of the leaves `index << height .. (index + 1) << height`, all of which must exist.
    fn node(&self, height: u8, index: u64) -> Result<Hash, Self::Error>;
}

/// Root of the leaves `start..end`; `start` must be a multiple of the largest power of two below `end - start`.
fn range_root<N: Nodes>(nodes: &N, start: u64, end: u64) -> Result<Hash, N::Error> {
    let mut perfect = Vec::new();
    let mut at = start;
    while at < end {
        let height = (end - at).ilog2();
        perfect.push(nodes.node(u8::try_from(height).unwrap_or(63), at >> height)?);
        at += 1 << height;
    }
    let last = perfect.pop().unwrap_or_else(empty_root);
    Ok(perfect.iter().rev().fold(last, |right, left| node_hash(left, &right)))
}

/// Root of the first `size` leaves.
pub(crate) fn root<N: Nodes>(nodes: &N, size: u64) -> Result<Hash, N::Error> {
    range_root(nodes, 0, size)
}

/// The largest power of two below `size` (> 1): where RFC 9162 splits a tree.
fn split(size: u64) -> u64 {
    1 << (size - 1).ilog2()
}

/// `PATH(index, D[size])` of RFC 9162 §2.1.3.1; `index < size`.
pub(crate) fn inclusion<N: Nodes>(nodes: &N, index: u64, size: u64) -> Result<Proof, N::Error> {
    let (mut low, mut high) = (0, size);
    let mut hashes = Vec::new();
    while high - low > 1 {
        let middle = low + split(high - low);
        if index < middle {
            hashes.push(range_root(nodes, middle, high)?);
            high = middle;
        } else {
            hashes.push(range_root(nodes, low, middle)?);
            low = middle;
        }
    }
    hashes.reverse();
    Ok(Proof { hashes })
}

/// `PROOF(old, D[new])` of RFC 9162 §2.1.4.1; `old <= new`. Empty for `old == 0` (C2SP tlog-witness) and for equal sizes.
pub(crate) fn consistency<N: Nodes>(nodes: &N, old: u64, new: u64) -> Result<Proof, N::Error> {
    if old == 0 || old == new {
        return Ok(Proof::default());
    }
    let (mut low, mut high) = (0, new);
    let mut hashes = Vec::new();
    while old < high {
        let middle = low + split(high - low);
        if old <= middle {
            hashes.push(range_root(nodes, middle, high)?);
            high = middle;
        } else {
            hashes.push(range_root(nodes, low, middle)?);
            low = middle;
        }
    }
    if low != 0 {
        hashes.push(range_root(nodes, low, high)?);
    }
    hashes.reverse();
    Ok(Proof { hashes })
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::verify;
    use proptest::prelude::*;
    use std::convert::Infallible;

    /// The definition of RFC 9162 §2.1.1, as slow as it is plain.
    pub(crate) fn plain_root(leaves: &[Hash]) -> Hash {
        match leaves.len() {
            0 => empty_root(),
            1 => leaves[0],
            n => {
                let k = usize::try_from(split(n as u64)).unwrap();
                node_hash(&plain_root(&leaves[..k]), &plain_root(&leaves[k..]))
            }
        }
    }

    struct Leaves(Vec<Hash>);

    impl Nodes for Leaves {
        type Error = Infallible;
        fn node(&self, height: u8, index: u64) -> Result<Hash, Infallible> {
            let start = usize::try_from(index << height).unwrap();
            Ok(plain_root(&self.0[start..start + (1 << height)]))
        }
    }

    fn leaves(count: u64) -> Leaves {
        Leaves((0..count).map(|i| leaf_hash(&i.to_be_bytes())).collect())
    }

    proptest! {
        #[test]
        fn inclusion_proofs_lead_to_the_plain_root(size in 1_u64..300, pick: u64) {
            let index = pick % size;
            let nodes = leaves(size);
            let root = root(&nodes, size).unwrap();
            prop_assert_eq!(root, plain_root(&nodes.0));
            let proof = inclusion(&nodes, index, size).unwrap();
            let leaf = &nodes.0[usize::try_from(index).unwrap()];
            prop_assert_eq!(verify::inclusion(leaf, index, size, &root, &proof), Ok(()));
            // negative: another index, another size, another leaf, a longer and a shorter proof
            prop_assert!(verify::inclusion(leaf, index + 1, size, &root, &proof).is_err());
            prop_assert!(verify::inclusion(&[7; 32], index, size, &root, &proof).is_err());
            let mut longer = proof.clone();
            longer.hashes.push([0; 32]);
            prop_assert!(verify::inclusion(leaf, index, size, &root, &longer).is_err());
            if !proof.hashes.is_empty() {
                let shorter = Proof { hashes: proof.hashes[1..].to_vec() };
                prop_assert!(verify::inclusion(leaf, index, size, &root, &shorter).is_err());
            }
        }

        #[test]
        fn consistency_proofs_join_old_and_new(new in 1_u64..300, pick: u64, flip: prop::sample::Index) {
            let old = pick % (new + 1);
            let nodes = leaves(new);
            let (old_root, new_root) = (root(&nodes, old).unwrap(), root(&nodes, new).unwrap());
            let proof = consistency(&nodes, old, new).unwrap();
            prop_assert_eq!(verify::consistency(old, &old_root, new, &new_root, &proof), Ok(()));
            if old > 0 {
                prop_assert!(verify::consistency(old, &[1; 32], new, &new_root, &proof).is_err());
                prop_assert!(verify::consistency(old, &old_root, new, &[1; 32], &proof).is_err());
            }
            if !proof.hashes.is_empty() {
                let mut bent = proof.clone();
                bent.hashes[flip.index(proof.hashes.len())][0] ^= 1;
                prop_assert!(verify::consistency(old, &old_root, new, &new_root, &bent).is_err());
            }
        }
    }
}
