//! The C2SP `.tlog-proof` format.

use super::key::VerifierKey;
use super::note::{OpenedCheckpoint, open_checkpoint, parse_decimal, parse_hash};
use super::{VerifyError, inclusion};
use crate::proof::{Proof, leaf_hash};
use data_encoding::BASE64;

const FIRST_LINE: &str = "c2sp.org/tlog-proof@v1";
/// A tree of 2^64 leaves has no longer path.
const MAX_HASHES: usize = 64;

/// A self-contained proof that an entry stands in a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlogProof {
    /// Opaque, not authenticated.
    pub extra: Option<Vec<u8>>,
    /// Index of the entry.
    pub index: u64,
    /// Inclusion proof under the checkpoint.
    pub proof: Proof,
    /// The signed checkpoint, verbatim.
    pub checkpoint: Vec<u8>,
}

impl TlogProof {
    /// Parses the text form; there is exactly one text for each proof.
    pub fn parse(text: &[u8]) -> Result<Self, VerifyError> {
        let text = std::str::from_utf8(text).map_err(|_| VerifyError::Malformed)?;
        let (head, checkpoint) = text.split_once("\n\n").ok_or(VerifyError::Malformed)?;
        let mut lines = head.split('\n').peekable();
        if lines.next() != Some(FIRST_LINE) {
            return Err(VerifyError::Malformed);
        }
        let extra = match lines.peek().and_then(|line| line.strip_prefix("extra ")) {
            Some(extra) => {
                lines.next();
                Some(BASE64.decode(extra.as_bytes()).map_err(|_| VerifyError::Malformed)?)
            }
            None => None,
        };
        let index =
            lines.next().and_then(|line| line.strip_prefix("index ")).ok_or(VerifyError::Malformed)?;
        let index = parse_decimal(index)?;
        let hashes = lines.take(MAX_HASHES + 1).map(parse_hash).collect::<Result<Vec<_>, _>>()?;
        if hashes.len() > MAX_HASHES {
            return Err(VerifyError::Malformed);
        }
        Ok(Self { extra, index, proof: Proof { hashes }, checkpoint: checkpoint.as_bytes().to_vec() })
    }

    /// The text form.
    #[must_use]
    pub fn format(&self) -> Vec<u8> {
        let mut text = format!("{FIRST_LINE}\n");
        if let Some(extra) = &self.extra {
            text += &format!("extra {}\n", BASE64.encode(extra));
        }
        text += &format!("index {}\n", self.index);
        for hash in &self.proof.hashes {
            text += &BASE64.encode(hash);
            text.push('\n');
        }
        text.push('\n');
        let mut bytes = text.into_bytes();
        bytes.extend_from_slice(&self.checkpoint);
        bytes
    }

    /// Verifies the checkpoint by `keys`, and that `leaf` stands in its tree at the index.
    pub fn verify(&self, leaf: &[u8], keys: &[VerifierKey]) -> Result<OpenedCheckpoint, VerifyError> {
        let opened = open_checkpoint(&self.checkpoint, keys)?;
        let tree = &opened.checkpoint;
        inclusion(&leaf_hash(leaf), self.index, tree.size, &tree.root, &self.proof)?;
        Ok(opened)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn proofs_round_trip(
            extra in prop::option::of(prop::collection::vec(any::<u8>(), 0..40)),
            index: u64,
            hashes in prop::collection::vec(any::<[u8; 32]>(), 0..=MAX_HASHES),
            checkpoint in "[a-z0-9\n]{0,60}",
        ) {
            let proof = TlogProof { extra, index, proof: Proof { hashes }, checkpoint: checkpoint.into_bytes() };
            prop_assert_eq!(TlogProof::parse(&proof.format()), Ok(proof));
        }

        #[test]
        fn no_text_panics_and_each_accepted_text_is_canonical(
            text in "(c2sp.org/tlog-proof@v1\n)?(extra [A-Za-z=]{0,8}\n)?(index [0-9]{0,4}\n)?([A-Za-z=]{0,4}\n){0,2}\n?[a-z]{0,5}"
        ) {
            if let Ok(proof) = TlogProof::parse(text.as_bytes()) {
                prop_assert_eq!(proof.format(), text.as_bytes());
            }
        }
    }
}
