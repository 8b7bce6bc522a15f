//! The keys with which the house signs: Ed25519 for checkpoints and receipts, RSA-4096-PSS beside it on documents.
//!
//! Layout of the sealed keys: version 1 (1 byte) ‖ root wrap of a fresh key (1,665) ‖ salt (32) ‖ commitment (32) ‖ padded
//! ciphertext ‖ tag (16). Inside: Ed25519 seed (32) ‖ RSA key as PKCS#8.

use crate::aad::Aad;
use crate::labels::SIGNING_KEYS;
use crate::root::{ROOT_WRAP_LEN, RootPlace, RootUse};
use crate::secret::{Buffer, Secret, opaque_debug};
use crate::{DsseError, Root, SealError, padding, salted, sha256};
use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize};
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair, RSA_PSS_SHA256};
use data_encoding::{BASE64, HEXLOWER};
use model::{Entropy, TenantId};
use serde::{Deserialize, Serialize};

const VERSION: u8 = 1;
const SEED: usize = 32;
const FORMAT: &str = "obhut-keys/1";
const ED25519: &str = "ed25519";
const RSA_PSS: &str = "rsa-pss-sha256";
/// Longest document of public keys that is looked at, in bytes.
const MAX_DOCUMENT: usize = 16 << 10;

/// Ed25519 and RSA-4096 together.
pub struct SigningKeys {
    seed: Secret,
    ed25519: Ed25519KeyPair,
    rsa: RsaKeyPair,
    public: PublicKeys,
}

opaque_debug!(SigningKeys);

impl SigningKeys {
    /// New keys. The search for RSA primes takes 0.7 to 2 s and draws on the library's own generator.
    ///
    /// # Errors
    /// [`SealError::Library`].
    pub fn generate(entropy: &dyn Entropy) -> Result<Self, SealError> {
        let rsa = RsaKeyPair::generate(KeySize::Rsa4096).map_err(|_| SealError::Library)?;
        Self::assemble(Secret::random(entropy), rsa).ok_or(SealError::Library)
    }

    fn assemble(seed: Secret, rsa: RsaKeyPair) -> Option<Self> {
        if rsa.public_modulus_len() != 512 {
            return None;
        }
        let ed25519 = Ed25519KeyPair::from_seed_unchecked(seed.as_ref()).ok()?;
        let der: PublicKeyX509Der<'_> = rsa.public_key().as_der().ok()?;
        let public = PublicKeys {
            ed25519: ed25519.public_key().as_ref().try_into().ok()?,
            rsa_der: der.as_ref().to_vec(),
        };
        Some(Self { seed, ed25519, rsa, public })
    }

    /// Seals the keys to the root.
    ///
    /// # Errors
    /// [`SealError::Library`].
    pub fn wrap(&self, root: &Root, entropy: &dyn Entropy) -> Result<Vec<u8>, SealError> {
        let rsa: Pkcs8V1Der<'_> = self.rsa.as_der().map_err(|_| SealError::Library)?;
        let mut keys = Buffer::with_capacity(padding::padded_len(SEED + rsa.as_ref().len()));
        keys.extend(self.seed.as_ref());
        keys.extend(rsa.as_ref());
        let key = Secret::random(entropy);
        let mut out = vec![VERSION];
        out.extend_from_slice(&root.wrap(&PLACE, &key, entropy)?);
        salted::seal(&key, SIGNING_KEYS, Aad::new(SIGNING_KEYS), &keys, &mut out, entropy)?;
        Ok(out)
    }

    /// Opens the keys.
    ///
    /// # Errors
    /// [`SealError::Open`] if they were sealed to another root, or altered.
    pub fn unwrap(root: &Root, sealed: &[u8]) -> Result<Self, SealError> {
        let rest = salted::strip_version(sealed, VERSION)?;
        let (wrap, rest) = rest.split_at_checked(ROOT_WRAP_LEN).ok_or(SealError::Open)?;
        let key = root.unwrap(&PLACE, wrap)?;
        let keys = salted::open(&key, SIGNING_KEYS, Aad::new(SIGNING_KEYS), rest)?;
        let (seed, rsa) = keys.split_at_checked(SEED).ok_or(SealError::Open)?;
        let rsa = RsaKeyPair::from_pkcs8(rsa).map_err(|_| SealError::Open)?;
        Self::assemble(Secret::copy_of(seed)?, rsa).ok_or(SealError::Open)
    }

    /// Both public keys.
    #[must_use]
    pub fn public(&self) -> &PublicKeys {
        &self.public
    }

    /// The Ed25519 public key (RFC 8032).
    #[must_use]
    pub fn ed25519_public(&self) -> [u8; 32] {
        self.public.ed25519
    }

    /// Signs with Ed25519 (RFC 8032; deterministic).
    #[must_use]
    pub fn ed25519_sign(&self, message: &[u8]) -> [u8; 64] {
        let mut signature = [0; 64];
        signature.copy_from_slice(self.ed25519.sign(message).as_ref());
        signature
    }

    /// The RSA public key as SubjectPublicKeyInfo in DER (RFC 5280).
    #[must_use]
    pub fn rsa_public_der(&self) -> &[u8] {
        &self.public.rsa_der
    }

    /// Signs with RSA-PSS, SHA-256 and 32 bytes of salt (RFC 8017 §8.1). Takes about 1.5 ms.
    ///
    /// # Errors
    /// [`SealError::Library`].
    pub fn rsa_pss_sign(&self, message: &[u8]) -> Result<Vec<u8>, SealError> {
        let mut signature = vec![0; self.rsa.public_modulus_len()];
        self.rsa
            .sign(&RSA_PSS_SHA256, &SystemRandom::new(), message, &mut signature)
            .map_err(|_| SealError::Library)?;
        Ok(signature)
    }
}

/// The signing keys belong to the house, not to a tenant.
const PLACE: RootPlace = RootPlace { tenant: TenantId([0; 16]), usage: RootUse::Signing, key_version: 0 };

/// Both public keys, as a verifier needs them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKeys {
    /// Ed25519 (RFC 8032).
    pub ed25519: [u8; 32],
    /// RSA as SubjectPublicKeyInfo in DER (RFC 5280).
    pub rsa_der: Vec<u8>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    format: String,
    keys: Vec<Key>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Key {
    id: String,
    algorithm: String,
    public: String,
}

impl Key {
    fn new(algorithm: &str, public: &[u8]) -> Self {
        Self { id: key_id(public), algorithm: algorithm.into(), public: BASE64.encode(public) }
    }

    /// The public key, if algorithm and id are right.
    fn check(&self, algorithm: &str) -> Result<Vec<u8>, DsseError> {
        let public = BASE64.decode(self.public.as_bytes()).map_err(|_| DsseError::Format)?;
        if self.algorithm != algorithm || self.id != key_id(&public) {
            return Err(DsseError::Format);
        }
        Ok(public)
    }
}

/// Hex of the first 16 bytes of the SHA-256 of a public key.
fn key_id(public: &[u8]) -> String {
    HEXLOWER.encode(&sha256(public)[..16])
}

impl PublicKeys {
    /// Id of the Ed25519 key: hex of the first 16 bytes of its SHA-256.
    #[must_use]
    pub fn ed25519_id(&self) -> String {
        key_id(&self.ed25519)
    }

    /// Id of the RSA key: hex of the first 16 bytes of the SHA-256 of its DER.
    #[must_use]
    pub fn rsa_id(&self) -> String {
        key_id(&self.rsa_der)
    }

    /// As a JSON document: `{"format":"obhut-keys/1","keys":[{"id","algorithm","public"}, …]}`, first Ed25519.
    ///
    /// # Errors
    /// [`DsseError::Format`] never for keys of this type.
    pub fn to_json(&self) -> Result<Vec<u8>, DsseError> {
        let keys = vec![Key::new(ED25519, &self.ed25519), Key::new(RSA_PSS, &self.rsa_der)];
        serde_json::to_vec(&Document { format: FORMAT.into(), keys }).map_err(|_| DsseError::Format)
    }

    /// Reads such a document.
    ///
    /// # Errors
    /// [`DsseError::Format`] unless it holds exactly one key of each kind, with the right ids.
    pub fn from_json(json: &[u8]) -> Result<Self, DsseError> {
        if json.len() > MAX_DOCUMENT {
            return Err(DsseError::Format);
        }
        let document: Document = serde_json::from_slice(json).map_err(|_| DsseError::Format)?;
        let [ed25519, rsa] = document.keys.as_slice() else { return Err(DsseError::Format) };
        if document.format != FORMAT {
            return Err(DsseError::Format);
        }
        let ed25519 = ed25519.check(ED25519)?.try_into().map_err(|_| DsseError::Format)?;
        Ok(Self { ed25519, rsa_der: rsa.check(RSA_PSS)? })
    }
}
