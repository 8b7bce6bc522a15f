//! Sealing of ledger entries (DESIGN §6).
//!
//! Leaf: frame (12 bytes, clear) ‖ sealed metadata ‖ tag (16) ‖ SHA-256 of the identity layer (32): 60 bytes over
//! the metadata. The identity layer lies beside the log and may be destroyed at any time; the leaf, and with it
//! every proof, stays as it was.
//!
//! Identity layer: version 1 (1 byte) ‖ salt (32) ‖ number of parts (2) ‖ for each part: length (4) ‖ sealed and
//! padded detail ‖ tag (16). Each part opens under its own person's or principal's log secret.
//!
//! The metadata key is derived from the period key and the digest of the identity layer, which holds a fresh salt. So no two entries share a cipher key, the nonce is zero and costs nothing, and a period key may
//! seal any number of entries in any number of processes.

use crate::labels::{REQUEST_MAC, TRAIL_IDENTITY, TRAIL_METADATA, TRAIL_SUBJECT};
use crate::one_seal::{LayerKey, TAG};
use crate::secret::{Secret, Wiped, opaque_debug};
use crate::{SealError, kdf, padding, sha256};
use model::Entropy;
use parking_lot::RwLock;
use zeroize::Zeroizing;

/// Version of both layouts; the first byte of a frame and of an identity layer.
const VERSION: u8 = 1;
const SALT: usize = 32;
const DIGEST: usize = 32;
/// Version, salt, number of parts.
const IDENTITY_HEADER: usize = 1 + SALT + 2;

/// The bytes by which a leaf is longer than its metadata.
pub const LEAF_OVERHEAD: usize = Frame::LEN + TAG + DIGEST;

/// Most metadata of an entry, so that a leaf stays under 65,536 bytes (C2SP tlog-tiles entry bundles).
pub const MAX_METADATA: usize = u16::MAX as usize - LEAF_OVERHEAD;

/// The key of one ledger period (a week) and generation. It seals any number of entries, across restarts.
pub struct PeriodKey {
    period: u32,
    generation: u16,
    key: Secret,
}

opaque_debug!(PeriodKey);

impl PeriodKey {
    pub(crate) fn new(period: u32, generation: u16, key: Secret) -> Self {
        Self { period, generation, key }
    }
}

/// The secret under which the trail keeps one person or principal. Once it is destroyed, nobody can tell which
/// entries were about them, nor open their parts.
pub struct LogSecret {
    secret: Secret,
    /// The pseudonym asked for last: an actor has one for a whole week.
    last: RwLock<Option<(u32, [u8; 16])>>,
}

opaque_debug!(LogSecret);

impl LogSecret {
    pub(crate) fn new(secret: Secret) -> Self {
        Self { secret, last: RwLock::new(None) }
    }

    pub(crate) fn secret(&self) -> &Secret {
        &self.secret
    }

    /// The pseudonym in `period`: HMAC(HKDF(secret, period), "subject"), its first 16 bytes. Pseudonyms of
    /// different periods show nothing of each other.
    #[must_use]
    pub fn subject_ref(&self, period: u32) -> [u8; 16] {
        if let Some((_, pseudonym)) = self.last.read().filter(|(of, _)| *of == period) {
            return pseudonym;
        }
        let (mut key, mut full, mut pseudonym) = (Wiped::<32>::zero(), [0; 32], [0; 16]);
        kdf::expand(self.secret.as_ref(), TRAIL_SUBJECT, &period.to_be_bytes(), &mut key.0);
        kdf::hmac(&key.0, &[b"subject"], &mut full);
        pseudonym.copy_from_slice(&full[..16]);
        *self.last.write() = Some((period, pseudonym));
        pseudonym
    }

    /// What may be kept of a request that stored the person, so that its repetition is recognised:
    /// HMAC(HKDF(secret), digest of the request). A digest alone would let anybody try requests; this shows nothing to
    /// whoever lacks the secret, and nothing to anybody once that is gone.
    #[must_use]
    pub fn request_mac(&self, digest: &[u8; 32]) -> [u8; 32] {
        let (mut key, mut mac) = (Wiped::<32>::zero(), [0; 32]);
        kdf::expand(self.secret.as_ref(), REQUEST_MAC, &[], &mut key.0);
        kdf::hmac(&key.0, &[digest], &mut mac);
        mac
    }

    /// Whether `mac` was made of this request.
    #[must_use]
    pub fn is_request(&self, digest: &[u8; 32], mac: &[u8; 32]) -> bool {
        aws_lc_rs::constant_time::verify_slices_are_equal(&self.request_mac(digest), mac).is_ok()
    }
}

/// The first 12 bytes of a leaf, readable by everybody: version 1 (1 byte) ‖ kind (1) ‖ generation (2) ‖ tenant
/// (4) ‖ period (4), big-endian.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame {
    /// The caller's number for the kind of entry.
    pub kind: u8,
    /// The generation of the period key.
    pub generation: u16,
    /// The tenant's number.
    pub tenant: u32,
    /// The period (week).
    pub period: u32,
}

impl Frame {
    /// Length in bytes.
    pub const LEN: usize = 12;

    /// Reads the frame of a leaf.
    ///
    /// # Errors
    /// [`SealError::Open`] if the leaf is too short for any entry or of another version.
    pub fn parse(leaf: &[u8]) -> Result<Self, SealError> {
        let [VERSION, kind, g0, g1, t0, t1, t2, t3, p0, p1, p2, p3] = split_leaf(leaf)?.0 else {
            return Err(SealError::Open);
        };
        Ok(Self {
            kind: *kind,
            generation: u16::from_be_bytes([*g0, *g1]),
            tenant: u32::from_be_bytes([*t0, *t1, *t2, *t3]),
            period: u32::from_be_bytes([*p0, *p1, *p2, *p3]),
        })
    }

    fn bytes(self) -> [u8; Self::LEN] {
        let mut bytes = [VERSION, self.kind, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        bytes[2..4].copy_from_slice(&self.generation.to_be_bytes());
        bytes[4..8].copy_from_slice(&self.tenant.to_be_bytes());
        bytes[8..].copy_from_slice(&self.period.to_be_bytes());
        bytes
    }
}

/// One part of the identity layer.
#[derive(Clone, Copy)]
pub struct IdentityPart<'a> {
    /// Under whose secret.
    pub secret: &'a LogSecret,
    /// What it says.
    pub detail: &'a [u8],
}

/// A sealed entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedEntry {
    /// The leaf of the log.
    pub leaf: Vec<u8>,
    /// The identity layer, which lies beside the log.
    pub identity: Vec<u8>,
}

/// Seals an entry: the parts of the identity layer first, then the metadata, bound to the digest of that layer.
///
/// # Errors
/// [`SealError::WrongPlace`] if the frame names another period or generation than the key;
/// [`SealError::TooLarge`] over [`MAX_METADATA`] or 65,535 parts.
pub fn seal_entry(
    key: &PeriodKey,
    frame: Frame,
    metadata: &[u8],
    parts: &[IdentityPart<'_>],
    entropy: &dyn Entropy,
) -> Result<SealedEntry, SealError> {
    if (frame.period, frame.generation) != (key.period, key.generation) {
        return Err(SealError::WrongPlace);
    }
    if metadata.len() > MAX_METADATA {
        return Err(SealError::TooLarge);
    }
    let frame = frame.bytes();
    let identity = seal_identity(&frame, parts, entropy)?;
    let context = metadata_context(&frame, &sha256(&identity));
    let mut leaf = Vec::with_capacity(metadata.len() + LEAF_OVERHEAD);
    leaf.extend_from_slice(&frame);
    leaf.extend_from_slice(metadata);
    LayerKey::derive(key.key.as_ref(), TRAIL_METADATA, &context[Frame::LEN..])?.seal_tail(
        &context,
        &mut leaf,
        Frame::LEN,
    )?;
    leaf.extend_from_slice(&context[Frame::LEN..]);
    Ok(SealedEntry { leaf, identity })
}

fn seal_identity(
    frame: &[u8; Frame::LEN],
    parts: &[IdentityPart<'_>],
    entropy: &dyn Entropy,
) -> Result<Vec<u8>, SealError> {
    let count = u16::try_from(parts.len()).map_err(|_| SealError::TooLarge)?;
    if parts.iter().any(|part| part.detail.len() > padding::MAX_PLAINTEXT) {
        return Err(SealError::TooLarge);
    }
    let sealed = |part: &IdentityPart<'_>| padding::padded_len(part.detail.len()) + TAG;
    // The whole length is reserved before the first detail is written: a vector that grows leaves plaintext behind.
    let total = parts.iter().map(|part| 4 + sealed(part)).sum::<usize>();
    let mut out = Vec::with_capacity(IDENTITY_HEADER + total);
    let salt: [u8; SALT] = model::clock::random(entropy);
    out.push(VERSION);
    out.extend_from_slice(&salt);
    out.extend_from_slice(&count.to_be_bytes());
    for (index, part) in (0..count).zip(parts) {
        let length = u32::try_from(sealed(part)).map_err(|_| SealError::TooLarge)?;
        out.extend_from_slice(&length.to_be_bytes());
        let start = out.len();
        out.extend_from_slice(part.detail);
        padding::pad(&mut out, start)?;
        let context = identity_context(&salt, frame, index, count);
        let secret = part.secret.secret.as_ref();
        LayerKey::derive(secret, TRAIL_IDENTITY, &context[Frame::LEN..])?
            .seal_tail(&context, &mut out, start)?;
    }
    Ok(out)
}

/// Opens the metadata layer of a leaf.
///
/// # Errors
/// [`SealError::Open`] if the leaf is of another period, generation or key, or altered.
pub fn open_metadata(key: &PeriodKey, leaf: &[u8]) -> Result<Vec<u8>, SealError> {
    let frame = Frame::parse(leaf)?;
    if (frame.period, frame.generation) != (key.period, key.generation) {
        return Err(SealError::Open);
    }
    let (frame, sealed, digest) = split_leaf(leaf)?;
    let context = metadata_context(frame, digest);
    let plain =
        LayerKey::derive(key.key.as_ref(), TRAIL_METADATA, &context[Frame::LEN..])?.open(&context, sealed)?;
    // Metadata are no secret to whoever holds the leaf's period key, and hold pseudonyms only.
    Ok(plain.to_vec())
}

/// Opens part number `part` (from 0) of the identity layer that belongs to `leaf`.
///
/// # Errors
/// [`SealError::Open`] if the layer is not this leaf's, the leaf is of another period, there is no such part, or
/// it is another's.
pub fn open_identity(
    secret: &LogSecret,
    period: u32,
    leaf: &[u8],
    identity: &[u8],
    part: usize,
) -> Result<Zeroizing<Vec<u8>>, SealError> {
    if Frame::parse(leaf)?.period != period || !identity_matches(leaf, identity) {
        return Err(SealError::Open);
    }
    let (salt, count) = identity_header(identity).ok_or(SealError::Open)?;
    let index = u16::try_from(part).ok().filter(|&index| index < count).ok_or(SealError::Open)?;
    let sealed = identity_bodies(identity).nth(part).ok_or(SealError::Open)?;
    let context = identity_context(salt, split_leaf(leaf)?.0, index, count);
    let mut plain = LayerKey::derive(secret.secret.as_ref(), TRAIL_IDENTITY, &context[Frame::LEN..])?
        .open(&context, sealed)?;
    let length = padding::unpad(&plain)?;
    plain.truncate(length);
    Ok(plain.into_zeroizing())
}

/// Whether the identity layer is the one whose digest stands in the leaf. Both are public to who holds the log.
#[must_use]
pub fn identity_matches(leaf: &[u8], identity: &[u8]) -> bool {
    split_leaf(leaf).is_ok_and(|(_, _, digest)| *digest == sha256(identity))
}

/// How many parts the identity layer says it has; 0 if it is none of ours.
#[must_use]
pub fn identity_parts(identity: &[u8]) -> usize {
    identity_header(identity).map_or(0, |(_, count)| usize::from(count))
}

type Leaf<'a> = (&'a [u8; Frame::LEN], &'a [u8], &'a [u8; DIGEST]);

/// Frame, sealed metadata, digest of the identity layer.
fn split_leaf(leaf: &[u8]) -> Result<Leaf<'_>, SealError> {
    let (frame, rest) = leaf.split_first_chunk().ok_or(SealError::Open)?;
    let (sealed, digest) = rest.split_last_chunk().ok_or(SealError::Open)?;
    if sealed.len() < TAG || leaf.len() > u16::MAX.into() {
        return Err(SealError::Open);
    }
    Ok((frame, sealed, digest))
}

fn identity_header(identity: &[u8]) -> Option<(&[u8; SALT], u16)> {
    let rest = identity.strip_prefix(&[VERSION])?;
    let (salt, rest) = rest.split_first_chunk()?;
    let (count, _) = rest.split_first_chunk()?;
    Some((salt, u16::from_be_bytes(*count)))
}

/// The sealed parts in their order, as far as they are whole.
fn identity_bodies(identity: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = identity.get(IDENTITY_HEADER..).unwrap_or_default();
    std::iter::from_fn(move || {
        let (length, after) = rest.split_first_chunk()?;
        let (body, after) = after.split_at_checked(u32::from_be_bytes(*length) as usize)?;
        rest = after;
        Some(body)
    })
}

/// Associated data of the metadata layer: frame ‖ digest. Its key is derived from the digest alone, in which the
/// salt of the identity layer makes it the only one of its kind.
fn metadata_context(frame: &[u8; Frame::LEN], digest: &[u8; DIGEST]) -> [u8; Frame::LEN + DIGEST] {
    let mut context = [0; Frame::LEN + DIGEST];
    context[..Frame::LEN].copy_from_slice(frame);
    context[Frame::LEN..].copy_from_slice(digest);
    context
}

/// Associated data of one part: frame ‖ salt ‖ index ‖ count. Its key is derived from all but the frame.
fn identity_context(
    salt: &[u8; SALT],
    frame: &[u8; Frame::LEN],
    index: u16,
    count: u16,
) -> [u8; Frame::LEN + SALT + 4] {
    let mut context = [0; Frame::LEN + SALT + 4];
    let (first, rest) = context.split_at_mut(Frame::LEN);
    let (second, rest) = rest.split_at_mut(SALT);
    first.copy_from_slice(frame);
    second.copy_from_slice(salt);
    rest[..2].copy_from_slice(&index.to_be_bytes());
    rest[2..].copy_from_slice(&count.to_be_bytes());
    context
}
