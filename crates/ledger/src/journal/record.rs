//! Layout of a journal record and of the entries in it. All numbers are big-endian.
//!
//! A record begins on a page of 4,096 bytes and is padded to one, so that a torn write never touches a page that
//! holds an acknowledged record.

use crate::error::AppendError;
use crate::ledger::Entry;
use crate::proof::{Hash, sha256};

/// Records begin and end on pages of so many bytes.
pub(crate) const PAGE: u64 = 4096;
/// Bytes before the payload.
pub(crate) const HEADER: usize = 72;
/// Bytes of the SHA-256 after the payload.
const DIGEST: usize = 32;
const MAGIC: &[u8; 8] = b"OBHUTJR1";
/// Bytes of an entry before its leaf: leaf length, identity length, number of postings, and the prefix 0x00 with
/// which RFC 9162 hashes a leaf, so that it can be hashed where it lies.
const ENTRY_HEADER: usize = 2 + 4 + 2 + 1;

/// Largest leaf in bytes: the length in a tlog-tiles entry bundle has 16 bits.
pub const MAX_LEAF: usize = u16::MAX as usize;
/// Largest identity layer in bytes.
pub const MAX_IDENTITY: usize = 1 << 20;
/// Most postings of one entry.
pub const MAX_POSTINGS: usize = 4096;

/// Which record this is, and what it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RecordHeader {
    /// Sequence number of the segment that it was written to.
    pub(crate) segment: u64,
    /// Number of the record, from 0.
    pub(crate) number: u64,
    /// Index of its first entry.
    pub(crate) first: u64,
    /// Number of its entries, at least 1.
    pub(crate) count: u32,
    /// Bytes of the payload.
    pub(crate) length: u32,
    /// Digest of the record before it.
    pub(crate) previous: Hash,
}

impl RecordHeader {
    fn bytes(&self) -> [u8; HEADER] {
        let mut out = [0; HEADER];
        out[..8].copy_from_slice(MAGIC);
        out[8..16].copy_from_slice(&self.segment.to_be_bytes());
        out[16..24].copy_from_slice(&self.number.to_be_bytes());
        out[24..32].copy_from_slice(&self.first.to_be_bytes());
        out[32..36].copy_from_slice(&self.count.to_be_bytes());
        out[36..40].copy_from_slice(&self.length.to_be_bytes());
        out[40..].copy_from_slice(&self.previous);
        out
    }

    /// Parses the first [`HEADER`] bytes of a record; the digest is checked by [`check`].
    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        let mut fields = Fields(bytes);
        if fields.take(8)? != MAGIC {
            return None;
        }
        let header = Self {
            segment: fields.u64()?,
            number: fields.u64()?,
            first: fields.u64()?,
            count: fields.u32()?,
            length: fields.u32()?,
            previous: fields.hash()?,
        };
        (header.count > 0).then_some(header)
    }

    /// Bytes that the record takes in the segment.
    pub(crate) fn size(&self) -> u64 {
        record_size(self.length as usize)
    }
}

/// Bytes that a record with a payload of `payload` bytes takes.
pub(crate) fn record_size(payload: usize) -> u64 {
    ((HEADER + payload + DIGEST) as u64).next_multiple_of(PAGE)
}

/// The largest payload that fits beside a segment's header.
pub(crate) fn largest_payload(segment_bytes: u64) -> usize {
    usize::try_from(segment_bytes - PAGE).unwrap_or(usize::MAX) - HEADER - DIGEST
}

/// Bytes of payload in a buffer that was not sealed yet.
pub(crate) fn unsealed_payload(buffer: &[u8]) -> usize {
    buffer.len() - HEADER
}

/// Completes a record in place: `buffer` is [`HEADER`] bytes of room and the payload. Returns its digest.
pub(crate) fn seal(buffer: &mut Vec<u8>, header: &RecordHeader) -> Hash {
    buffer[..HEADER].copy_from_slice(&header.bytes());
    let digest = sha256(buffer);
    buffer.extend_from_slice(&digest);
    let padded = (buffer.len() as u64).next_multiple_of(PAGE);
    buffer.resize(usize::try_from(padded).unwrap_or(buffer.len()), 0);
    digest
}

/// Checks a whole record (padding may follow) and returns its digest.
pub(crate) fn check(header: &RecordHeader, record: &[u8]) -> Option<Hash> {
    let end = HEADER + header.length as usize;
    let stored = record.get(end..end + DIGEST)?;
    let digest = sha256(&record[..end]);
    (digest == stored && record[..HEADER] == header.bytes()).then_some(digest)
}

/// Refuses entries over the limits, or over `largest` bytes of payload.
pub(crate) fn check_limits(entry: &Entry, largest: usize) -> Result<(), AppendError> {
    let fits = entry.leaf.len() <= MAX_LEAF
        && entry.identity.len() <= MAX_IDENTITY
        && entry.postings.len() <= MAX_POSTINGS
        && entry_size(entry) <= largest;
    if fits { Ok(()) } else { Err(AppendError::TooLarge) }
}

/// Bytes that `entry` takes in a payload.
pub(crate) fn entry_size(entry: &Entry) -> usize {
    ENTRY_HEADER + entry.leaf.len() + entry.identity.len() + entry.postings.len() * 16
}

/// Appends `entry` (within the limits) to a payload.
pub(crate) fn encode(entry: &Entry, payload: &mut Vec<u8>) {
    // The casts lose nothing: `check_limits` came first.
    payload.extend_from_slice(&(entry.leaf.len() as u16).to_be_bytes());
    payload.extend_from_slice(&(entry.identity.len() as u32).to_be_bytes());
    payload.extend_from_slice(&(entry.postings.len() as u16).to_be_bytes());
    payload.push(0);
    payload.extend_from_slice(&entry.leaf);
    payload.extend_from_slice(&entry.identity);
    payload.extend_from_slice(entry.postings.as_flattened());
}

/// An entry where it lies in a payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct EntryView<'a> {
    /// 0x00 and the leaf: what the leaf hash is taken over.
    prefixed_leaf: &'a [u8],
    pub(crate) identity: &'a [u8],
    postings: &'a [u8],
}

impl<'a> EntryView<'a> {
    pub(crate) fn leaf(&self) -> &'a [u8] {
        &self.prefixed_leaf[1..]
    }

    pub(crate) fn leaf_hash(&self) -> Hash {
        sha256(self.prefixed_leaf)
    }

    pub(crate) fn postings(&self) -> &'a [[u8; 16]] {
        self.postings.as_chunks().0
    }
}

/// The entries of a payload; ends early (and [`Entries::is_whole`] is false) where it does not parse.
pub(crate) struct Entries<'a> {
    rest: Fields<'a>,
    broken: bool,
}

impl<'a> Entries<'a> {
    pub(crate) fn new(payload: &'a [u8]) -> Self {
        Self { rest: Fields(payload), broken: false }
    }

    /// Whether all that was read so far parsed, and nothing is left.
    pub(crate) fn is_whole(&self) -> bool {
        !self.broken && self.rest.0.is_empty()
    }

    fn parse(rest: &mut Fields<'a>) -> Option<EntryView<'a>> {
        let leaf = usize::from(rest.u16()?);
        let identity = rest.u32()? as usize;
        let postings = usize::from(rest.u16()?);
        let prefixed_leaf = rest.take(leaf + 1)?;
        let view =
            EntryView { prefixed_leaf, identity: rest.take(identity)?, postings: rest.take(postings * 16)? };
        (prefixed_leaf[0] == 0).then_some(view)
    }
}

impl<'a> Iterator for Entries<'a> {
    type Item = EntryView<'a>;

    fn next(&mut self) -> Option<EntryView<'a>> {
        if self.broken || self.rest.0.is_empty() {
            return None;
        }
        let entry = Self::parse(&mut self.rest);
        self.broken = entry.is_none();
        entry
    }
}

/// Reads big-endian fields from the front.
pub(crate) struct Fields<'a>(pub(crate) &'a [u8]);

impl<'a> Fields<'a> {
    pub(crate) fn take(&mut self, bytes: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(bytes)?;
        self.0 = rest;
        Some(taken)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    pub(crate) fn u8(&mut self) -> Option<u8> {
        self.array().map(u8::from_be_bytes)
    }

    pub(crate) fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_be_bytes)
    }

    pub(crate) fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_be_bytes)
    }

    pub(crate) fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_be_bytes)
    }

    pub(crate) fn hash(&mut self) -> Option<Hash> {
        self.array()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proof::leaf_hash;
    use proptest::prelude::*;

    fn entry() -> impl Strategy<Value = Entry> {
        (
            prop::collection::vec(any::<u8>(), 0..300),
            prop::collection::vec(any::<u8>(), 0..100),
            prop::collection::vec(any::<[u8; 16]>(), 0..5),
        )
            .prop_map(|(leaf, identity, postings)| Entry { leaf, identity, postings })
    }

    fn header(count: u32, length: u32) -> RecordHeader {
        RecordHeader { segment: 3, number: 7, first: 1000, count, length, previous: [9; 32] }
    }

    fn record(entries: &[Entry]) -> (RecordHeader, Vec<u8>) {
        let mut buffer = vec![0; HEADER];
        entries.iter().for_each(|entry| encode(entry, &mut buffer));
        let header = header(entries.len() as u32, (buffer.len() - HEADER) as u32);
        seal(&mut buffer, &header);
        (header, buffer)
    }

    proptest! {
        #[test]
        fn records_round_trip(entries in prop::collection::vec(entry(), 1..20)) {
            let (header, bytes) = record(&entries);
            prop_assert_eq!(bytes.len() as u64, header.size());
            prop_assert_eq!(RecordHeader::parse(&bytes), Some(header));
            prop_assert!(check(&header, &bytes).is_some());
            let mut views = Entries::new(&bytes[HEADER..HEADER + header.length as usize]);
            for entry in &entries {
                let view = views.next().unwrap();
                prop_assert_eq!(view.leaf(), &entry.leaf);
                prop_assert_eq!(view.leaf_hash(), leaf_hash(&entry.leaf));
                prop_assert_eq!(view.identity, &entry.identity);
                prop_assert_eq!(view.postings(), &entry.postings);
            }
            prop_assert!(views.next().is_none() && views.is_whole());
        }

        #[test]
        fn a_flipped_bit_never_checks(entries in prop::collection::vec(entry(), 1..4), at: prop::sample::Index, bit in 0..8) {
            let (header, bytes) = record(&entries);
            let end = HEADER + header.length as usize + DIGEST;
            let mut bent = bytes;
            bent[at.index(end)] ^= 1_u8 << bit;
            let parsed = RecordHeader::parse(&bent);
            prop_assert!(parsed.is_none_or(|h| bent.len() < HEADER || check(&h, &bent).is_none()));
        }

        #[test]
        fn no_payload_panics(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let mut entries = Entries::new(&bytes);
            let read: usize = entries.by_ref().map(|e| ENTRY_HEADER + e.leaf().len() + e.identity.len() + e.postings.len()).sum();
            prop_assert!(read <= bytes.len());
            let _ = RecordHeader::parse(&bytes).map(|header| check(&header, &bytes));
        }
    }

    #[test]
    fn limits_are_exact() {
        let mut entry = Entry {
            leaf: vec![0; MAX_LEAF],
            identity: vec![0; MAX_IDENTITY],
            postings: vec![[0; 16]; MAX_POSTINGS],
        };
        assert_eq!(check_limits(&entry, usize::MAX), Ok(()));
        assert_eq!(check_limits(&entry, entry_size(&entry)), Ok(()));
        assert_eq!(check_limits(&entry, entry_size(&entry) - 1), Err(AppendError::TooLarge));
        entry.leaf.push(0);
        assert_eq!(check_limits(&entry, usize::MAX), Err(AppendError::TooLarge));
    }
}
