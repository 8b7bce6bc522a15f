//! The root.
use crate::SealError;
use model::{Entropy, TenantId};
use zeroize::Zeroizing;

/// Which root.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RootId(pub [u8; 16]);

/// What a root is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RootKind {
    /// For the demo; `serve` refuses it.
    Demo,
    /// For real data.
    Production,
}

/// What opens a root file.
pub struct Passphrase(Zeroizing<Vec<u8>>);

impl Passphrase {
    /// Takes a passphrase of 1 to 1,024 bytes.
    pub fn new(bytes: Vec<u8>) -> Result<Self, RootError> {
        Ok(Self(Zeroizing::new(bytes)))
    }
}

/// What a root file says of itself without being opened.
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
    /// The key derivation is weaker than the standard for this kind of root.
    #[error("key derivation too weak")]
    Weak,
    /// The key derivation asks for more memory or time than any root needs.
    #[error("key derivation too costly")]
    Costly,
    /// The passphrase is wrong or the file was altered.
    #[error("does not open")]
    Open,
    /// The cryptographic library refused to work.
    #[error("cryptographic library failed")]
    Library,
}

/// RSA-4096-OAEP and ML-KEM-768 together.
pub struct Root(());

impl Root {
    /// A new root. Takes 0.7 to 2 s.
    pub fn generate(_kind: RootKind, _entropy: &dyn Entropy) -> Result<Self, RootError> {
        Err(RootError::Library)
    }
    /// The root's file, sealed under the passphrase.
    pub fn to_file(&self, _passphrase: &Passphrase, _entropy: &dyn Entropy) -> Result<Vec<u8>, RootError> {
        Err(RootError::Library)
    }
    /// Opens a root file.
    pub fn open(_file: &[u8], _passphrase: &Passphrase) -> Result<Self, RootError> {
        Err(RootError::Open)
    }
    /// What a root file says of itself.
    pub fn inspect(_file: &[u8]) -> Result<RootInfo, RootError> {
        Err(RootError::Format)
    }
    /// Its id.
    #[must_use]
    pub fn id(&self) -> RootId {
        RootId([0; 16])
    }
    /// Its kind.
    #[must_use]
    pub fn kind(&self) -> RootKind {
        RootKind::Demo
    }
}
