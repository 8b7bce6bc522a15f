//! The two key encapsulations of a root, combined (DESIGN §4).
//!
//! Layout of a wrap, 1,665 bytes: version 1 (1 byte) ‖ root id (16) ‖ RSA ciphertext (512) ‖ ML-KEM ciphertext (1,088)
//! ‖ wrapped secret (32) ‖ tag (16).
//!
//! `ss = HKDF-Extract("obhut/v1/root-wrap", len‖ss_rsa‖len‖ss_kem)`, `kek = HKDF-Expand(ss, info, 32)`, AES-256-GCM
//! with a zero nonce (the kek is used once) and AAD = info = suite ‖ root id ‖ H(pk_rsa) ‖ H(pk_kem) ‖ H(ct_rsa) ‖
//! H(ct_kem) ‖ tenant ‖ use ‖ epoch ‖ key version. Both public keys and both ciphertexts are in `info`, so neither
//! half can be exchanged.

use super::{RSA_BYTES, Root, RootPlace, RootUse};
use crate::kdf::Prk;
use crate::labels::{ROOT_SUITE, ROOT_WRAP};
use crate::one_seal::{TAG, cipher};
use crate::secret::{Buffer, Secret, Wiped};
use crate::{SealError, salted, sha256};
use aws_lc_rs::aead::{Aad, LessSafeKey, Nonce};
use aws_lc_rs::rsa::OAEP_SHA256_MGF1SHA256;
use model::Entropy;

const VERSION: u8 = 1;
/// Bytes of an ML-KEM-768 ciphertext (FIPS 203, table 3).
const KEM_BYTES: usize = 1_088;
const SECRET: usize = 32;

/// Bytes of a wrap.
pub(crate) const WRAP: usize = 1 + 16 + RSA_BYTES + KEM_BYTES + SECRET + TAG;

pub(super) fn wrap(
    root: &Root,
    place: &RootPlace,
    secret: &Secret,
    entropy: &dyn Entropy,
) -> Result<Vec<u8>, SealError> {
    let ss_rsa = Secret::random(entropy);
    let mut ct_rsa = [0; RSA_BYTES];
    root.rsa_public
        .encrypt(&OAEP_SHA256_MGF1SHA256, ss_rsa.as_ref(), &mut ct_rsa, Some(&root.id.0))
        .map_err(|_| SealError::Library)?;
    let (ct_kem, ss_kem) = root.kem_public.encapsulate().map_err(|_| SealError::Library)?;
    let info = info(root, place, &ct_rsa, ct_kem.as_ref());
    let mut out = Vec::with_capacity(WRAP);
    out.push(VERSION);
    out.extend_from_slice(&root.id.0);
    out.extend_from_slice(&ct_rsa);
    out.extend_from_slice(ct_kem.as_ref());
    let start = out.len();
    out.extend_from_slice(secret.as_ref());
    let tag = kek(ss_rsa.as_ref(), ss_kem.as_ref(), &info)?
        .seal_in_place_separate_tag(zero_nonce(), Aad::from(&info), &mut out[start..])
        .map_err(|_| SealError::Library)?;
    out.extend_from_slice(tag.as_ref());
    Ok(out)
}

pub(super) fn unwrap(root: &Root, place: &RootPlace, sealed: &[u8]) -> Result<Secret, SealError> {
    let rest = salted::strip_version(sealed, VERSION)?;
    let rest = rest.strip_prefix(&root.id.0).ok_or(SealError::Open)?;
    let (ct_rsa, rest) = rest.split_first_chunk::<RSA_BYTES>().ok_or(SealError::Open)?;
    let (ct_kem, rest) = rest.split_first_chunk::<KEM_BYTES>().ok_or(SealError::Open)?;
    let (body, tag) = rest.split_first_chunk::<SECRET>().ok_or(SealError::Open)?;
    // A ciphertext that RSA refuses goes on with zeros and fails at the tag like everything else, so that no
    // difference tells how it failed (Manger 2001). ML-KEM does the same inside (FIPS 203, algorithm 18).
    let (mut plain, mut ss_rsa) = (Buffer::zero(RSA_BYTES), Wiped::<SECRET>::zero());
    let opened = root.rsa_private.decrypt(&OAEP_SHA256_MGF1SHA256, ct_rsa, &mut plain, Some(&root.id.0));
    if let Ok(Some(opened)) =
        opened.map(|opened| opened.first_chunk::<SECRET>().filter(|_| opened.len() == SECRET))
    {
        ss_rsa.0 = *opened;
    }
    let ss_kem = root.kem_private.decapsulate(ct_kem.as_slice().into()).map_err(|_| SealError::Open)?;
    let info = info(root, place, ct_rsa, ct_kem);
    let mut secret = Secret::zero();
    kek(&ss_rsa.0, ss_kem.as_ref(), &info)?
        .open_separate_gather(zero_nonce(), Aad::from(&info), body, tag, secret.as_mut())
        .map_err(|_| SealError::Open)?;
    Ok(secret)
}

/// The key of one wrap is never used for another.
fn zero_nonce() -> Nonce {
    Nonce::assume_unique_for_key([0; 12])
}

fn kek(ss_rsa: &[u8], ss_kem: &[u8], info: &[u8]) -> Result<LessSafeKey, SealError> {
    let length =
        |secret: &[u8]| u32::try_from(secret.len()).map(u32::to_be_bytes).map_err(|_| SealError::Library);
    let (rsa_length, kem_length) = (length(ss_rsa)?, length(ss_kem)?);
    let ss = Prk::extract(ROOT_WRAP.bytes(), &[&rsa_length, ss_rsa, &kem_length, ss_kem]);
    let mut kek = Wiped::zero();
    let after_suite = info.get(ROOT_SUITE.bytes().len()..).ok_or(SealError::Library)?;
    ss.expand(ROOT_SUITE, after_suite, &mut kek.0);
    cipher(&kek.0)
}

fn info(root: &Root, place: &RootPlace, ct_rsa: &[u8], ct_kem: &[u8]) -> Vec<u8> {
    let (usage, epoch) = match place.usage {
        RootUse::TenantKey => (1u8, 0u32),
        RootUse::ShredFile => (2, 0),
        RootUse::Escrow { epoch } => (3, epoch),
        RootUse::Signing => (4, 0),
    };
    let [rsa, kem] = &root.public_digests;
    [
        ROOT_SUITE.bytes(),
        &root.id.0,
        rsa,
        kem,
        &sha256(ct_rsa),
        &sha256(ct_kem),
        &place.tenant.0,
        &[usage],
        &epoch.to_be_bytes(),
        &place.key_version.to_be_bytes(),
    ]
    .concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Seeded, root};
    use model::TenantId;

    const PLACE: RootPlace =
        RootPlace { tenant: TenantId([1; 16]), usage: RootUse::Escrow { epoch: 3 }, key_version: 4 };

    fn wrapped(root: &Root) -> Vec<u8> {
        wrap(root, &PLACE, &Secret::copy_of(&[9; 32]).unwrap(), &Seeded::new(1)).unwrap()
    }

    #[test]
    fn opens_at_its_place_alone() {
        let root = root();
        let sealed = wrapped(&root);
        assert_eq!(sealed.len(), WRAP);
        assert_eq!(unwrap(&root, &PLACE, &sealed).unwrap().as_ref(), &[9; 32]);
        let others = [
            RootPlace { tenant: TenantId([2; 16]), ..PLACE },
            RootPlace { usage: RootUse::Escrow { epoch: 4 }, ..PLACE },
            RootPlace { usage: RootUse::ShredFile, ..PLACE },
            RootPlace { usage: RootUse::TenantKey, ..PLACE },
            RootPlace { usage: RootUse::Signing, ..PLACE },
            RootPlace { key_version: 5, ..PLACE },
        ];
        for other in others {
            assert_eq!(unwrap(&root, &other, &sealed).err(), Some(SealError::Open), "{other:?}");
        }
    }

    #[test]
    fn each_field_and_each_half_is_bound() {
        let root = root();
        let sealed = wrapped(&root);
        // Version, id, RSA, ML-KEM, secret, tag: bits of each, and of both ends of the long ones.
        for at in [0, 1, 16, 17, 300, 528, 529, 900, 1_616, 1_617, 1_648, 1_649, 1_664] {
            for bit in [0, 3, 7] {
                let mut flipped = sealed.clone();
                flipped[at] ^= 1 << bit;
                assert_eq!(unwrap(&root, &PLACE, &flipped).err(), Some(SealError::Open), "{at}");
            }
        }
        // One half of another wrap of the same secret at the same place.
        let other = wrapped(&root);
        for half in [17..529, 529..1_617] {
            let mut mixed = sealed.clone();
            mixed[half.clone()].copy_from_slice(&other[half]);
            assert_eq!(unwrap(&root, &PLACE, &mixed).err(), Some(SealError::Open));
        }
        for len in [0, 1, 17, 529, 1_617, 1_664] {
            assert_eq!(unwrap(&root, &PLACE, &sealed[..len]).err(), Some(SealError::Open));
        }
    }
}
