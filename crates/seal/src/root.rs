//! The root: the one key that a person opens, under which everything else hangs.
//!
//! RSA-4096-OAEP (SHA-256, label = root id) and ML-KEM-768 (FIPS 203) together, so that a wrap holds as long as
//! either does. This kind of root is a file under a passphrase.

mod combiner;
mod file;

use crate::secret::{Buffer, Secret, opaque_debug};
use crate::{SealError, sha256};
use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
use aws_lc_rs::kem::{DecapsulationKey, EncapsulationKey, ML_KEM_768};
use aws_lc_rs::rsa::{KeySize, OaepPrivateDecryptingKey, OaepPublicEncryptingKey, PrivateDecryptingKey};
use model::{Entropy, TenantId};

pub(crate) use combiner::WRAP as ROOT_WRAP_LEN;

/// Which root. Random.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RootId(pub [u8; 16]);

/// What a root is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RootKind {
    /// For the demo and for tests; `serve` refuses it. Its passphrase is stretched for a moment only.
    Demo,
    /// For real data.
    Production,
}

/// What opens a root file: 1 to 1,024 bytes. Wiped when it goes.
pub struct Passphrase(Buffer);

impl Passphrase {
    /// Takes a passphrase.
    ///
    /// # Errors
    /// [`RootError::Passphrase`] if it is empty or longer than 1,024 bytes.
    pub fn new(bytes: Vec<u8>) -> Result<Self, RootError> {
        let bytes = Buffer::from(bytes);
        if bytes.is_empty() || bytes.len() > 1_024 {
            return Err(RootError::Passphrase);
        }
        Ok(Self(bytes))
    }
}

/// What a root file says of itself without being opened. Authentic only once the file has opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RootInfo {
    /// Its id.
    pub id: RootId,
    /// Its kind.
    pub kind: RootKind,
}

/// Why a root could not be made, written or opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RootError {
    /// Not a root file, or one of a later version.
    #[error("not a root file of this version")]
    Format,
    /// The passphrase is empty or longer than 1,024 bytes.
    #[error("passphrase length out of bounds")]
    Passphrase,
    /// The key derivation is weaker than the standard for this kind of root: somebody may have put an easier file in
    /// its place.
    #[error("key derivation too weak")]
    Weak,
    /// The key derivation asks for more than 1 GiB of memory, 16 passes or 16 lanes: it would stop the machine.
    #[error("key derivation too costly")]
    Costly,
    /// The passphrase is wrong or the file was altered.
    #[error("does not open")]
    Open,
    /// The cryptographic library refused to work.
    #[error("cryptographic library failed")]
    Library,
}

/// What a wrapped secret is. Bound into the wrap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RootUse {
    /// The key of a tenant.
    TenantKey,
    /// The key of one region of a shred file.
    ShredFile,
    /// The escrow copy of an epoch key.
    Escrow { epoch: u32 },
    /// The key that seals the signing keys.
    Signing,
}

/// Where a wrapped secret stands. All of it is bound into the wrap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RootPlace {
    /// The tenant; zeros stand for the house.
    pub(crate) tenant: TenantId,
    pub(crate) usage: RootUse,
    pub(crate) key_version: u32,
}

/// An opened root.
pub struct Root {
    id: RootId,
    kind: RootKind,
    rsa: PrivateDecryptingKey,
    rsa_private: OaepPrivateDecryptingKey,
    rsa_public: OaepPublicEncryptingKey,
    kem_private: DecapsulationKey,
    kem_public: EncapsulationKey,
    /// SHA-256 of the public keys: RSA as SubjectPublicKeyInfo, then ML-KEM as its encapsulation key.
    public_digests: [[u8; 32]; 2],
}

opaque_debug!(Root, Passphrase);

/// Where the encapsulation key stands in a decapsulation key (FIPS 203, algorithm 16: dk_PKE ‖ ek ‖ H(ek) ‖ z).
pub(crate) const KEM_PUBLIC: std::ops::Range<usize> = 1_152..2_336;
/// Bytes of an RSA-4096 ciphertext.
const RSA_BYTES: usize = 512;

impl Root {
    /// A new root. The search for RSA primes takes 0.7 to 2 s and draws on the library's own generator.
    ///
    /// # Errors
    /// [`RootError::Library`].
    pub fn generate(kind: RootKind, entropy: &dyn Entropy) -> Result<Self, RootError> {
        let id = RootId(model::clock::random(entropy));
        let rsa = PrivateDecryptingKey::generate(KeySize::Rsa4096).map_err(|_| RootError::Library)?;
        let kem = DecapsulationKey::generate(&ML_KEM_768).map_err(|_| RootError::Library)?;
        let kem = kem.key_bytes().map_err(|_| RootError::Library)?;
        Self::assemble(id, kind, rsa, kem.as_ref()).ok_or(RootError::Library)
    }

    /// Its id.
    #[must_use]
    pub fn id(&self) -> RootId {
        self.id
    }

    /// Its kind.
    #[must_use]
    pub fn kind(&self) -> RootKind {
        self.kind
    }

    fn assemble(id: RootId, kind: RootKind, rsa: PrivateDecryptingKey, kem: &[u8]) -> Option<Self> {
        if rsa.key_size_bytes() != RSA_BYTES {
            return None;
        }
        let kem_public = kem.get(KEM_PUBLIC)?;
        let public = rsa.public_key();
        let rsa_der: PublicKeyX509Der<'_> = public.as_der().ok()?;
        Some(Self {
            id,
            kind,
            public_digests: [sha256(rsa_der.as_ref()), sha256(kem_public)],
            rsa_private: OaepPrivateDecryptingKey::new(rsa.clone()).ok()?,
            rsa_public: OaepPublicEncryptingKey::new(public).ok()?,
            rsa,
            kem_private: DecapsulationKey::new(&ML_KEM_768, kem).ok()?,
            kem_public: EncapsulationKey::new(&ML_KEM_768, kem_public).ok()?,
        })
    }

    /// Wraps 32 secret bytes. Each call draws fresh key material, so there is no bound on their number.
    pub(crate) fn wrap(
        &self,
        place: &RootPlace,
        secret: &Secret,
        entropy: &dyn Entropy,
    ) -> Result<Vec<u8>, SealError> {
        combiner::wrap(self, place, secret, entropy)
    }

    /// Opens what [`Root::wrap`] made at the same place.
    pub(crate) fn unwrap(&self, place: &RootPlace, sealed: &[u8]) -> Result<Secret, SealError> {
        combiner::unwrap(self, place, sealed)
    }
}
