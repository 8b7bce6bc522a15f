//! What the host hands to the ledger.

use crate::proof::Hash;

/// Signs checkpoints. The ledger holds no private key.
pub trait CheckpointSigner: Send + Sync {
    /// The name in the signature line; should be the origin (C2SP tlog-checkpoint). No spaces, no `+`.
    fn key_name(&self) -> &str;
    /// The Ed25519 public key (RFC 8032).
    fn public_key(&self) -> [u8; 32];
    /// An Ed25519 signature over exactly `message`.
    fn sign(&self, message: &[u8]) -> [u8; 64];
}

/// A head of the tree that was signed under an incarnation's origin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SignedHead {
    /// Number of the incarnation, counted from 0.
    pub incarnation: u32,
    /// Number of entries.
    pub size: u64,
    /// Root hash at that size (RFC 9162 §2.1.1).
    pub root: Hash,
}

/// The hook could not persist the head; nothing is published.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the signed head was not persisted")]
pub struct HookRefused;

/// Persists the signed head outside the ledger's own files; gets the head and the signed note. Called BEFORE the
/// note is published, on a thread of the ledger; also at each heartbeat. It must not hold or call the ledger.
pub type CheckpointHook = Box<dyn Fn(&SignedHead, &[u8]) -> Result<(), HookRefused> + Send + Sync>;

/// How a ledger runs.
pub struct Options {
    /// Origin line of incarnation 0; incarnation *n* signs under `origin/n`. A URL without scheme, no spaces, no `+`.
    pub origin: String,
    /// Size of each of the two journal segments in bytes; a multiple of 4,096, at least 65,536.
    pub segment_bytes: u64,
    /// A checkpoint is signed at most this long after the first entry that no checkpoint covers, in ms.
    pub checkpoint_interval_ms: u64,
    /// A checkpoint is signed again with a fresh time when nothing grew for so long, in ms.
    pub heartbeat_ms: u64,
    /// A destroyed identity is out of the journal this long after it was destroyed, in ms (and the time to write
    /// both segments over). The design allows a minute.
    pub scrub_after_ms: u64,
    /// So many postings are kept in memory (24 bytes each) before they become a sorted run on disk; at least 16.
    pub tail_postings: usize,
    /// The last signed head as the store knows it. Files that are behind it, or contradict it, are set aside.
    pub last_signed: Option<SignedHead>,
    /// Persists each signed head before publication.
    pub on_checkpoint: Option<CheckpointHook>,
}

impl Options {
    /// The usual values for `origin`: 64 MiB segments, checkpoint within 0.5 s, heartbeat each minute, no hook.
    #[must_use]
    pub fn new(origin: impl Into<String>) -> Self {
        Self {
            origin: origin.into(),
            segment_bytes: 64 << 20,
            checkpoint_interval_ms: 500,
            heartbeat_ms: 60_000,
            scrub_after_ms: 30_000,
            tail_postings: 1 << 16,
            last_signed: None,
            on_checkpoint: None,
        }
    }
}
