//! Signing keys.
use crate::{Root, SealError};
use model::Entropy;

/// Ed25519 and RSA-4096-PSS together.
pub struct SigningKeys(());

impl SigningKeys {
    /// New keys. RSA takes 0.7 to 2 s.
    pub fn generate(_entropy: &dyn Entropy) -> Result<Self, SealError> {
        Err(SealError::Library)
    }
    /// Seals the keys to the root.
    pub fn wrap(&self, _root: &Root, _entropy: &dyn Entropy) -> Result<Vec<u8>, SealError> {
        Err(SealError::Library)
    }
    /// Opens the keys.
    pub fn unwrap(_root: &Root, _sealed: &[u8]) -> Result<Self, SealError> {
        Err(SealError::Open)
    }
    /// The Ed25519 public key (RFC 8032).
    #[must_use]
    pub fn ed25519_public(&self) -> [u8; 32] {
        [0; 32]
    }
    /// Signs with Ed25519.
    #[must_use]
    pub fn ed25519_sign(&self, _message: &[u8]) -> [u8; 64] {
        [0; 64]
    }
    /// The RSA public key as SubjectPublicKeyInfo in DER.
    #[must_use]
    pub fn rsa_public_der(&self) -> Vec<u8> {
        Vec::new()
    }
    /// Signs with RSA-PSS, SHA-256, 32 bytes of salt.
    pub fn rsa_pss_sign(&self, _message: &[u8]) -> Result<Vec<u8>, SealError> {
        Err(SealError::Library)
    }
    /// Both public keys.
    #[must_use]
    pub fn public(&self) -> PublicKeys {
        PublicKeys { ed25519: [0; 32], rsa_der: Vec::new() }
    }
}

/// Both public keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKeys {
    /// Ed25519 (RFC 8032).
    pub ed25519: [u8; 32],
    /// RSA as SubjectPublicKeyInfo in DER.
    pub rsa_der: Vec<u8>,
}

impl PublicKeys {
    /// Key id of the Ed25519 key: hex of the first 16 bytes of its SHA-256.
    #[must_use]
    pub fn ed25519_id(&self) -> String {
        String::new()
    }
    /// Key id of the RSA key.
    #[must_use]
    pub fn rsa_id(&self) -> String {
        String::new()
    }
    /// The JSON document.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        Vec::new()
    }
    /// Reads the JSON document.
    pub fn from_json(_json: &[u8]) -> Result<Self, crate::DsseError> {
        Err(crate::DsseError::Format)
    }
}
