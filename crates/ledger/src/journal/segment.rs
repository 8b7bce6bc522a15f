//! The first page of a journal segment.

use super::record::{Fields, PAGE};
use crate::proof::{Hash, sha256};

const MAGIC: &[u8; 8] = b"OBHUTSG1";
const LENGTH: usize = 64;

/// What a segment begins with: which generation it is, and which record comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SegmentHeader {
    /// Counts each use of either segment file, from 0.
    pub(crate) sequence: u64,
    /// Number of the first record. A record of this or a higher number in an older segment was given up there.
    pub(crate) record: u64,
    /// Index of the first entry.
    pub(crate) entry: u64,
    /// Digest of the record before the first; [`genesis`] for the very first.
    pub(crate) previous: Hash,
}

/// What the first record of a log names as the digest before it, so that a journal belongs to one origin.
pub(crate) fn genesis(origin: &str) -> Hash {
    sha256(format!("obhut-ledger-journal/v1\n{origin}\n").as_bytes())
}

impl SegmentHeader {
    /// The whole page.
    pub(crate) fn page(&self) -> Vec<u8> {
        let mut page = Vec::with_capacity(PAGE as usize);
        page.extend_from_slice(MAGIC);
        page.extend_from_slice(&self.sequence.to_be_bytes());
        page.extend_from_slice(&self.record.to_be_bytes());
        page.extend_from_slice(&self.entry.to_be_bytes());
        page.extend_from_slice(&self.previous);
        let digest = sha256(&page);
        page.extend_from_slice(&digest);
        page.resize(PAGE as usize, 0);
        page
    }

    /// Parses and checks a page; `None` for one that was never written, was zeroed or is torn.
    pub(crate) fn parse(page: &[u8]) -> Option<Self> {
        let mut fields = Fields(page);
        if fields.take(8)? != MAGIC {
            return None;
        }
        let header = Self {
            sequence: fields.u64()?,
            record: fields.u64()?,
            entry: fields.u64()?,
            previous: fields.hash()?,
        };
        (fields.hash()? == sha256(&page[..LENGTH])).then_some(header)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn headers_round_trip(sequence: u64, record: u64, entry: u64, previous: [u8; 32], at in 0..LENGTH + 32) {
            let header = SegmentHeader { sequence, record, entry, previous };
            let mut page = header.page();
            prop_assert_eq!(page.len() as u64, PAGE);
            prop_assert_eq!(SegmentHeader::parse(&page), Some(header));
            page[at] ^= 1;
            prop_assert_eq!(SegmentHeader::parse(&page), None);
        }
    }

    #[test]
    fn an_unused_page_is_no_header() {
        assert_eq!(SegmentHeader::parse(&[0; 4096]), None);
        assert_eq!(SegmentHeader::parse(&[]), None);
    }
}
