//! A witness: cosigns heads that continue what it saw before, and remembers (C2SP tlog-witness, tlog-cosignature).

use crate::options::CheckpointSigner;
use crate::proof::Proof;
use crate::verify::VerifierKey;
use model::Clock;
use std::path::Path;
use std::sync::Arc;

/// Why a witness does not cosign. The comments name the HTTP status of C2SP tlog-witness.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WitnessError {
    /// 404: no key is configured for the origin.
    #[error("unknown origin")]
    UnknownOrigin,
    /// 403: no signature by a trusted key of the origin.
    #[error("not signed by the log")]
    Untrusted,
    /// 400: not in the format, or the old size is over the new one.
    #[error("malformed request")]
    Malformed,
    /// 409: the old size is not the one last cosigned; or the same size with another root (a fork).
    #[error("the witness stands at another size")]
    Conflict {
        /// The size last cosigned.
        size: u64,
    },
    /// 422: the consistency proof does not verify.
    #[error("the consistency proof does not verify")]
    Inconsistent,
    /// The state file could not be read or written; nothing was cosigned.
    #[error("the state of the witness cannot be used")]
    Io(#[source] std::io::Error),
    /// The state file does not check; an operator must look.
    #[error("the state of the witness does not check")]
    State,
}

/// A witness with its state file.
pub struct Witness {}

impl Witness {
    /// Opens the state file, or creates it. `logs` are the keys trusted, each for the origin beside it.
    pub fn open(
        _state: &Path,
        _logs: Vec<(String, VerifierKey)>,
        _signer: Arc<dyn CheckpointSigner>,
        _clock: Arc<dyn Clock>,
    ) -> Result<Self, WitnessError> {
        unimplemented!()
    }

    /// The size last cosigned for `origin`; 0 if none.
    #[must_use]
    pub fn size(&self, _origin: &str) -> u64 {
        unimplemented!()
    }

    /// Checks `checkpoint` against what was cosigned last; makes the new state durable; returns the cosignature
    /// line with its newline (cosignature/v1).
    pub fn cosign(&self, _old: u64, _proof: &Proof, _checkpoint: &[u8]) -> Result<String, WitnessError> {
        unimplemented!()
    }
}
