//! The right edge of the tree: what is needed to append a leaf and to know the root.

use crate::proof::{Hash, Nodes, empty_root, node_hash};

/// A compact range from leaf 0: one node for each bit that is set in the size.
#[derive(Clone)]
pub(crate) struct Frontier {
    size: u64,
    nodes: [Hash; 64],
}

impl Frontier {
    /// The empty tree.
    pub(crate) fn new() -> Self {
        Self { size: 0, nodes: [[0; 32]; 64] }
    }

    /// The right edge of the first `size` leaves, read from stored nodes.
    pub(crate) fn load<N: Nodes>(nodes: &N, size: u64) -> Result<Self, N::Error> {
        let mut frontier = Self { size, ..Self::new() };
        for height in 0..64_u8 {
            if size >> height & 1 == 1 {
                frontier.nodes[usize::from(height)] = nodes.node(height, (size >> height) - 1)?;
            }
        }
        Ok(frontier)
    }

    /// Number of leaves.
    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    /// Appends a leaf. `complete` is told each perfect subtree that this completes, leaf itself (height 0) first.
    pub(crate) fn push(&mut self, leaf: Hash, mut complete: impl FnMut(u8, &Hash)) {
        let mut hash = leaf;
        complete(0, &hash);
        let mut height = 0_u8;
        while self.size >> height & 1 == 1 {
            hash = node_hash(&self.nodes[usize::from(height)], &hash);
            height += 1;
            complete(height, &hash);
        }
        self.nodes[usize::from(height)] = hash;
        self.size += 1;
    }

    /// Root of the tree.
    pub(crate) fn root(&self) -> Hash {
        let mut set = (0..64_usize).filter(|height| self.size >> height & 1 == 1);
        let Some(lowest) = set.next() else { return empty_root() };
        set.fold(self.nodes[lowest], |right, height| node_hash(&self.nodes[height], &right))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proof::{leaf_hash, tests::plain_root};

    #[test]
    fn the_root_is_the_plain_root_at_every_size() {
        let mut frontier = Frontier::new();
        let mut leaves = Vec::new();
        for i in 0..300_u64 {
            assert_eq!(frontier.root(), plain_root(&leaves), "size {i}");
            let leaf = leaf_hash(&i.to_be_bytes());
            leaves.push(leaf);
            frontier.push(leaf, |height, hash| {
                let width = 1 << height;
                assert_eq!(*hash, plain_root(&leaves[leaves.len() - width..]));
            });
        }
    }
}
