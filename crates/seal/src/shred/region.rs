//! Byte layouts of the shred store.
//!
//! A holder's file has two regions of 4,096 bytes, alike while nothing is being written. A region: magic `OBHSHRED`
//! (8) ‖ version 1 (1) ‖ tenant (16) ‖ sequence (8) ‖ root wrap of the region's key (1,665) ‖ commitment (32) ‖ padded
//! table (1,408) ‖ tag (16) ‖ zeros ‖ digest (32). The table: eight slots of epoch (4, 0 for empty) ‖ created (8, ms)
//! ‖ key (32), ascending, empty ones last; then one bit for each of the epochs 0 to 8,191, set when it was destroyed,
//! the lowest bit of the first byte first.
//!
//! An escrow object: magic `OBHESCRW` (8) ‖ version 1 (1) ‖ tenant (16) ‖ epoch (4) ‖ root wrap of the object's key
//! (1,665) ‖ commitment (32) ‖ padded content (64) ‖ tag (16) ‖ digest (32). The content: created (8) ‖ key (32).
//!
//! Integers are big-endian. The digest finds torn writes; what is authentic stands under the seal.

use crate::aad::Aad;
use crate::digest::labelled;
use crate::kdf::Prk;
use crate::labels::{ESCROW, FILE_DIGEST, SHRED_TABLE};
use crate::one_seal::{COMMITMENT, OneSealKey, TAG, sealed_len};
use crate::padding;
use crate::root::{ROOT_WRAP_LEN, RootPlace, RootUse};
use crate::secret::{Buffer, Secret};
use crate::{Root, SealError};
use aws_lc_rs::constant_time::verify_slices_are_equal;
use model::{Entropy, TenantId, Timestamp};

/// Bytes of a region; one page, which disks write as a whole where they can.
pub(crate) const REGION: usize = 4_096;
/// Bytes of a holder's file.
pub(crate) const FILE: usize = 2 * REGION;
/// Most live epochs (DESIGN §4).
pub(crate) const MAX_EPOCHS: usize = 8;
/// Epochs are weeks since 1970; this bound is reached in 2126.
pub(crate) const EPOCH_LIMIT: u32 = 8_192;

const MAGIC: &[u8; 8] = b"OBHSHRED";
const ESCROW_MAGIC: &[u8; 8] = b"OBHESCRW";
const VERSION: u8 = 1;
const DIGEST: usize = 32;
const SLOT: usize = 4 + 8 + 32;
const TABLE: usize = MAX_EPOCHS * SLOT + (EPOCH_LIMIT / 8) as usize;
const HEADER: usize = 8 + 1 + 16 + 8;

/// One live epoch.
pub(crate) struct Live {
    pub(crate) epoch: u32,
    pub(crate) created: Timestamp,
    pub(crate) key: Secret,
}

/// What a holder knows: live epochs, and those that were destroyed and must not come back.
pub(crate) struct Table {
    /// Ascending, at most [`MAX_EPOCHS`].
    live: Vec<Live>,
    destroyed: Box<[u8; (EPOCH_LIMIT / 8) as usize]>,
}

impl Live {
    fn copy(&self) -> Result<Self, SealError> {
        Ok(Self { epoch: self.epoch, created: self.created, key: Secret::copy_of(self.key.as_ref())? })
    }
}

impl Table {
    pub(crate) fn empty() -> Self {
        Self { live: Vec::new(), destroyed: Box::new([0; _]) }
    }

    pub(crate) fn live(&self) -> &[Live] {
        &self.live
    }

    pub(crate) fn get(&self, epoch: u32) -> Option<&Live> {
        self.live.iter().find(|live| live.epoch == epoch)
    }

    pub(crate) fn is_destroyed(&self, epoch: u32) -> bool {
        self.destroyed.get((epoch / 8) as usize).is_some_and(|byte| byte & (1 << (epoch % 8)) != 0)
    }

    /// Adds an epoch. `None` if the table is full or the epoch out of bounds, live or destroyed.
    pub(crate) fn add(&mut self, live: Live) -> Option<()> {
        let bad = live.epoch == 0 || live.epoch >= EPOCH_LIMIT || self.is_destroyed(live.epoch);
        if bad || self.live.len() >= MAX_EPOCHS {
            return None;
        }
        let at = self.live.binary_search_by_key(&live.epoch, |live| live.epoch).err()?;
        self.live.insert(at, live);
        Some(())
    }

    /// Takes an epoch out for good.
    pub(crate) fn destroy(&mut self, epoch: u32) {
        self.live.retain(|live| live.epoch != epoch);
        if let Some(byte) = self.destroyed.get_mut((epoch / 8) as usize) {
            *byte |= 1 << (epoch % 8);
        }
    }

    /// Takes over what another holder knows: first its destructions, which win, then its epochs.
    pub(crate) fn merge(&mut self, other: &Self) -> Result<(), MergeError> {
        for (mine, theirs) in self.destroyed.iter_mut().zip(other.destroyed.iter()) {
            *mine |= theirs;
        }
        let live = std::mem::take(&mut self.live);
        self.live = live.into_iter().filter(|live| !self.is_destroyed(live.epoch)).collect();
        for theirs in &other.live {
            match self.get(theirs.epoch) {
                Some(mine) if !same(&mine.key, &theirs.key) => return Err(MergeError::Diverged),
                Some(_) => {}
                None if self.is_destroyed(theirs.epoch) => {}
                None => {
                    let theirs = theirs.copy().map_err(|_| MergeError::Full)?;
                    self.add(theirs).ok_or(MergeError::Full)?;
                }
            }
        }
        Ok(())
    }

    /// The same once more, for tests.
    #[cfg(test)]
    fn copy(&self) -> Result<Self, SealError> {
        let live = self.live.iter().map(Live::copy).collect::<Result<_, _>>()?;
        Ok(Self { live, destroyed: self.destroyed.clone() })
    }

    /// Whether both know the same.
    pub(crate) fn equals(&self, other: &Self) -> bool {
        self.destroyed == other.destroyed
            && self.live.len() == other.live.len()
            && self.live.iter().zip(&other.live).all(|(mine, theirs)| {
                mine.epoch == theirs.epoch && mine.created == theirs.created && same(&mine.key, &theirs.key)
            })
    }
}

/// Why two tables do not go together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MergeError {
    /// One epoch has two keys.
    Diverged,
    /// Together they have more than [`MAX_EPOCHS`].
    Full,
}

fn same(one: &Secret, other: &Secret) -> bool {
    verify_slices_are_equal(one.as_ref(), other.as_ref()).is_ok()
}

/// A whole region with a fresh key of its own.
pub(crate) fn encode(
    table: &Table,
    tenant: TenantId,
    sequence: u64,
    root: &Root,
    entropy: &dyn Entropy,
) -> Result<Vec<u8>, SealError> {
    let mut plain = Buffer::with_capacity(padding::padded_len(TABLE));
    for live in &table.live {
        plain.extend(&live.epoch.to_be_bytes());
        plain.extend(&live.created.0.to_be_bytes());
        plain.extend(live.key.as_ref());
    }
    plain.extend(&[0; MAX_EPOCHS * SLOT][table.live.len() * SLOT..]);
    plain.extend(&*table.destroyed);
    let key = Secret::random(entropy);
    let mut out = Vec::with_capacity(REGION);
    out.extend_from_slice(MAGIC);
    out.push(VERSION);
    out.extend_from_slice(&tenant.0);
    out.extend_from_slice(&sequence.to_be_bytes());
    out.extend_from_slice(&root.wrap(&region_place(tenant), &key, entropy)?);
    OneSealKey::derive(&Prk::of(key), SHRED_TABLE, region_aad(tenant, sequence))?.seal(&plain, &mut out)?;
    out.resize(REGION - DIGEST, 0);
    append_digest(&mut out);
    Ok(out)
}

/// A region that was written whole; whether it is authentic shows in [`Region::open`].
pub(crate) struct Region<'a> {
    pub(crate) sequence: u64,
    pub(crate) bytes: &'a [u8; REGION],
    tenant: TenantId,
}

impl<'a> Region<'a> {
    /// `None` if the region is torn, or none of this tenant's.
    pub(crate) fn parse(bytes: &'a [u8; REGION], tenant: TenantId) -> Option<Self> {
        let rest =
            strip_digest(bytes)?.strip_prefix(MAGIC)?.strip_prefix(&[VERSION])?.strip_prefix(&tenant.0)?;
        Some(Self { sequence: u64::from_be_bytes(*rest.first_chunk()?), bytes, tenant })
    }

    /// Whether the region says that it was sealed to this root.
    pub(crate) fn is_for(&self, root: &Root) -> bool {
        self.bytes[HEADER + 1..].starts_with(&root.id().0)
    }

    /// The table of the region.
    pub(crate) fn open(&self, root: &Root) -> Result<Table, SealError> {
        let (wrap, rest) = self.bytes[HEADER..].split_at(ROOT_WRAP_LEN);
        let sealed = rest.get(..sealed_len(TABLE)).ok_or(SealError::Open)?;
        let key = root.unwrap(&region_place(self.tenant), wrap)?;
        let aad = region_aad(self.tenant, self.sequence);
        let plain = OneSealKey::derive(&Prk::of(key), SHRED_TABLE, aad)?.open(sealed)?;
        parse_table(&plain)
    }
}

fn parse_table(plain: &[u8]) -> Result<Table, SealError> {
    let (slots, destroyed) = plain.split_at_checked(MAX_EPOCHS * SLOT).ok_or(SealError::Open)?;
    let mut table = Table::empty();
    *table.destroyed = destroyed.try_into().map_err(|_| SealError::Open)?;
    for slot in slots.as_chunks::<SLOT>().0 {
        let (epoch, rest) = slot.split_first_chunk().ok_or(SealError::Open)?;
        let (created, key) = rest.split_first_chunk().ok_or(SealError::Open)?;
        let epoch = u32::from_be_bytes(*epoch);
        if epoch != 0 {
            let created = Timestamp(i64::from_be_bytes(*created));
            table.add(Live { epoch, created, key: Secret::copy_of(key)? }).ok_or(SealError::Open)?;
        }
    }
    Ok(table)
}

/// An escrow object with a fresh key of its own.
pub(crate) fn encode_escrow(
    live: &Live,
    tenant: TenantId,
    root: &Root,
    entropy: &dyn Entropy,
) -> Result<Vec<u8>, SealError> {
    let mut plain = Buffer::with_capacity(padding::padded_len(40));
    plain.extend(&live.created.0.to_be_bytes());
    plain.extend(live.key.as_ref());
    let key = Secret::random(entropy);
    let mut out = Vec::new();
    out.extend_from_slice(ESCROW_MAGIC);
    out.push(VERSION);
    out.extend_from_slice(&tenant.0);
    out.extend_from_slice(&live.epoch.to_be_bytes());
    out.extend_from_slice(&root.wrap(&escrow_place(tenant, live.epoch), &key, entropy)?);
    OneSealKey::derive(&Prk::of(key), ESCROW, escrow_aad(tenant, live.epoch))?.seal(&plain, &mut out)?;
    append_digest(&mut out);
    Ok(out)
}

/// Whether an escrow object was written whole for this tenant and epoch.
pub(crate) fn escrow_is_whole(bytes: &[u8], tenant: TenantId, epoch: u32) -> bool {
    split_escrow(bytes, tenant, epoch).is_some()
}

/// What an escrow object keeps.
pub(crate) fn decode_escrow(
    bytes: &[u8],
    tenant: TenantId,
    epoch: u32,
    root: &Root,
) -> Result<Live, SealError> {
    let (wrap, sealed) = split_escrow(bytes, tenant, epoch).ok_or(SealError::Open)?;
    let key = root.unwrap(&escrow_place(tenant, epoch), wrap)?;
    let plain = OneSealKey::derive(&Prk::of(key), ESCROW, escrow_aad(tenant, epoch))?.open(sealed)?;
    let (created, key) = plain.split_first_chunk().ok_or(SealError::Open)?;
    Ok(Live { epoch, created: Timestamp(i64::from_be_bytes(*created)), key: Secret::copy_of(key)? })
}

fn split_escrow(bytes: &[u8], tenant: TenantId, epoch: u32) -> Option<(&[u8], &[u8])> {
    let rest = strip_digest(bytes)?.strip_prefix(ESCROW_MAGIC)?.strip_prefix(&[VERSION])?;
    let rest = rest.strip_prefix(&tenant.0)?.strip_prefix(&epoch.to_be_bytes())?;
    let (wrap, sealed) = rest.split_at_checked(ROOT_WRAP_LEN)?;
    (sealed.len() > COMMITMENT + TAG).then_some((wrap, sealed))
}

fn append_digest(out: &mut Vec<u8>) {
    let digest = labelled(FILE_DIGEST, out);
    out.extend_from_slice(&digest);
}

fn strip_digest(bytes: &[u8]) -> Option<&[u8]> {
    let (body, digest) = bytes.split_last_chunk::<DIGEST>()?;
    (labelled(FILE_DIGEST, body) == *digest).then_some(body)
}

fn region_place(tenant: TenantId) -> RootPlace {
    RootPlace { tenant, usage: RootUse::ShredFile, key_version: 0 }
}

fn escrow_place(tenant: TenantId, epoch: u32) -> RootPlace {
    RootPlace { tenant, usage: RootUse::Escrow { epoch }, key_version: 0 }
}

fn region_aad(tenant: TenantId, sequence: u64) -> Aad {
    Aad::new(SHRED_TABLE).bytes(&tenant.0).u64(sequence)
}

fn escrow_aad(tenant: TenantId, epoch: u32) -> Aad {
    Aad::new(ESCROW).bytes(&tenant.0).u32(epoch)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Seeded, root};
    use proptest::prelude::*;

    const TENANT: TenantId = TenantId([7; 16]);

    fn table(epochs: &[u32], destroyed: &[u32]) -> Table {
        let mut table = Table::empty();
        for &epoch in epochs {
            let key = Secret::copy_of(&[u8::try_from(epoch % 256).unwrap(); 32]).unwrap();
            table.add(Live { epoch, created: Timestamp(-5), key }).unwrap();
        }
        destroyed.iter().for_each(|&epoch| table.destroy(epoch));
        table
    }

    #[test]
    fn tables_come_back_whole() {
        let root = root();
        for (epochs, destroyed) in
            [(&[][..], &[][..]), (&[8_191, 1, 77], &[3, 8_000]), (&[1, 2, 3, 4, 5, 6, 7, 8], &[9])]
        {
            let table = table(epochs, destroyed);
            let bytes = encode(&table, TENANT, 5, &root, &Seeded::new(1)).unwrap();
            let region = Region::parse(bytes.as_slice().try_into().unwrap(), TENANT).unwrap();
            assert_eq!(region.sequence, 5);
            assert!(region.open(&root).unwrap().equals(&table));
        }
    }

    #[test]
    fn escrow_objects_open_for_their_tenant_and_epoch_alone() {
        let root = root();
        let one = table(&[4], &[]);
        let bytes = encode_escrow(one.get(4).unwrap(), TENANT, &root, &Seeded::new(1)).unwrap();
        let live = decode_escrow(&bytes, TENANT, 4, &root).unwrap();
        assert_eq!((live.epoch, live.created, live.key.as_ref()), (4, Timestamp(-5), &[4; 32]));
        assert!(decode_escrow(&bytes, TENANT, 5, &root).is_err());
        assert!(decode_escrow(&bytes, TenantId([8; 16]), 4, &root).is_err());
        for at in (0..bytes.len()).step_by(97) {
            let mut flipped = bytes.clone();
            flipped[at] ^= 1;
            assert!(decode_escrow(&flipped, TENANT, 4, &root).is_err());
            assert!(!escrow_is_whole(&flipped, TENANT, 4));
        }
    }

    #[test]
    fn destroyed_epochs_stay_so_in_every_merge() {
        let merged = |one: &Table, other: &Table| {
            let mut merged = one.copy().unwrap();
            merged.merge(other).map(|()| merged.live.iter().map(|live| live.epoch).collect::<Vec<_>>())
        };
        let (one, other) = (table(&[1, 2], &[3]), table(&[2, 3, 4], &[1]));
        assert_eq!(merged(&one, &other), Ok(vec![2, 4]));
        assert_eq!(merged(&other, &one), Ok(vec![2, 4]));
        let mut changed = table(&[], &[]);
        changed
            .add(Live { epoch: 2, created: Timestamp(0), key: Secret::copy_of(&[0; 32]).unwrap() })
            .unwrap();
        assert_eq!(merged(&one, &changed), Err(MergeError::Diverged));
        let full = table(&[11, 12, 13, 14, 15, 16, 17, 18], &[]);
        assert_eq!(merged(&one, &full), Err(MergeError::Full));
    }

    proptest! {
        #[test]
        fn any_table_is_read_or_refused_without_panic(slots in proptest::collection::vec(0u8..4, 0..400)) {
            let mut plain = vec![0; TABLE];
            plain[..slots.len().min(352)].copy_from_slice(&slots[..slots.len().min(352)]);
            let _ = parse_table(&plain);
            let _ = parse_table(&slots);
        }
    }
}
