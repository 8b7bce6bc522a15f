//! RFC 9162 hashes and proofs.

/// A SHA-256 node of the tree.
pub type Hash = [u8; 32];

/// An inclusion or consistency proof: node hashes in the order of RFC 9162 §2.1.3.1 and §2.1.4.1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// From the leaf's sibling upwards (inclusion), or as RFC 9162 orders them (consistency).
    pub hashes: Vec<Hash>,
}

/// Hash of a leaf: SHA-256(0x00 ‖ leaf).
#[must_use]
pub fn leaf_hash(_leaf: &[u8]) -> Hash {
    unimplemented!()
}
