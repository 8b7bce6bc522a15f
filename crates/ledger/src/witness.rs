//! A witness: cosigns heads that continue what it saw before, and remembers (C2SP tlog-witness, tlog-cosignature).
//!
//! Its state is made durable before a cosignature leaves it, so that neither a crash nor a log that lies can make it
//! cosign two histories. Putting an old state file back is the one thing that it cannot notice; its operator is not
//! the log's.

use crate::disk::{self, Disk, RealDisk};
use crate::options::CheckpointSigner;
use crate::proof::{Hash, Proof, sha256};
use crate::verify::note::{Note, cosigned_message, parse_decimal, parse_hash, signature_line};
use crate::verify::{self, KeyKind, VerifierKey, VerifyError, open_checkpoint};
use data_encoding::{BASE64, HEXLOWER};
use model::Clock;
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

const FIRST_LINE: &str = "obhut-witness/v1";
/// Largest state file in bytes.
const MAX_STATE: usize = 1 << 20;
/// Most hashes in a request (C2SP tlog-witness).
const MAX_HASHES: usize = 63;

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
    /// 409: the old size is not the one last cosigned; or the same size with another root, which is a fork.
    #[error("the witness stands at another size or root")]
    Conflict {
        /// The size last cosigned.
        size: u64,
    },
    /// 422: the consistency proof does not verify.
    #[error("the consistency proof does not verify")]
    Inconsistent,
    /// The state file could not be read or written; nothing was cosigned.
    #[error("the state of the witness cannot be used")]
    Io(#[source] io::Error),
    /// The state file does not check; an operator must look.
    #[error("the state of the witness does not check")]
    State,
    /// The signer made a signature that its own public key does not verify.
    #[error("the key of the witness does not fit its public key")]
    Signer,
}

/// The head last cosigned for an origin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Head {
    size: u64,
    root: Hash,
}

/// A witness with its state file.
pub struct Witness {
    disk: Arc<dyn Disk>,
    path: PathBuf,
    logs: Vec<(String, VerifierKey)>,
    signer: Arc<dyn CheckpointSigner>,
    clock: Arc<dyn Clock>,
    heads: Mutex<BTreeMap<String, Head>>,
    _lock: Box<dyn Send + Sync>,
}

impl Witness {
    /// Opens the state file `dir/witness`, or begins a new one. `logs` are the keys trusted, each beside the origin
    /// for which it is. The signer's key must be used for nothing else (C2SP tlog-cosignature).
    pub fn open(
        dir: &Path,
        logs: Vec<(String, VerifierKey)>,
        signer: Arc<dyn CheckpointSigner>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, WitnessError> {
        Self::open_on(Arc::new(RealDisk), dir, logs, signer, clock)
    }

    /// [`Witness::open`] on another disk than the file system: for tests of faults.
    pub fn open_on(
        disk: Arc<dyn Disk>,
        dir: &Path,
        logs: Vec<(String, VerifierKey)>,
        signer: Arc<dyn CheckpointSigner>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, WitnessError> {
        disk.create_dir(dir).map_err(WitnessError::Io)?;
        let lock = disk.lock(dir).map_err(WitnessError::Io)?;
        let heads = match disk::read_file(&*disk, &dir.join("witness"), MAX_STATE) {
            Ok(bytes) => parse_state(&bytes).ok_or(WitnessError::State)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => BTreeMap::new(),
            Err(error) => return Err(WitnessError::Io(error)),
        };
        Ok(Self { disk, path: dir.to_owned(), logs, signer, clock, heads: Mutex::new(heads), _lock: lock })
    }

    /// The key that others verify this witness's cosignatures with.
    #[must_use]
    pub fn key(&self) -> VerifierKey {
        let (name, public) = (self.signer.key_name().to_owned(), self.signer.public_key());
        VerifierKey { name, kind: KeyKind::CosignatureV1, public }
    }

    /// The size last cosigned for `origin`; 0 if none.
    #[must_use]
    pub fn size(&self, origin: &str) -> u64 {
        self.heads.lock().get(origin).map_or(0, |head| head.size)
    }

    /// Checks `checkpoint` against what was cosigned last, by a proof from size `old`; makes the new state durable;
    /// returns the cosignature line with its newline (cosignature/v1). The same head again is cosigned with the
    /// present time.
    pub fn cosign(&self, old: u64, proof: &Proof, checkpoint: &[u8]) -> Result<String, WitnessError> {
        let (text, origin, head) = self.open_signed(checkpoint)?;
        if old > head.size || proof.hashes.len() > MAX_HASHES {
            return Err(WitnessError::Malformed);
        }
        // One at a time from the comparison to the durable state, so that no older head can overtake.
        let mut heads = self.heads.lock();
        let known = heads.get(&origin).copied();
        let known_size = known.map_or(0, |known| known.size);
        let forked = known.is_some_and(|known| known.size == head.size && known.root != head.root);
        if old != known_size || forked {
            return Err(WitnessError::Conflict { size: known_size });
        }
        let known_root = known.map_or_else(crate::proof::empty_root, |known| known.root);
        verify::consistency(old, &known_root, head.size, &head.root, proof)
            .map_err(|_| WitnessError::Inconsistent)?;
        if known != Some(head) {
            let mut next = heads.clone();
            next.insert(origin, head);
            disk::replace_file(&*self.disk, &self.path, "witness", &format_state(&next))
                .map_err(WitnessError::Io)?;
            *heads = next;
        }
        self.sign(&text)
    }

    /// Answers the body of a C2SP tlog-witness `add-checkpoint` request.
    pub fn add_checkpoint(&self, body: &[u8]) -> Result<String, WitnessError> {
        let text = std::str::from_utf8(body).map_err(|_| WitnessError::Malformed)?;
        let (head, checkpoint) = text.split_once("\n\n").ok_or(WitnessError::Malformed)?;
        let mut lines = head.split('\n');
        let old = lines.next().and_then(|line| line.strip_prefix("old ")).ok_or(WitnessError::Malformed)?;
        let old = parse_decimal(old).map_err(|_| WitnessError::Malformed)?;
        let hashes = lines.take(MAX_HASHES + 1).map(parse_hash).collect::<Result<Vec<_>, _>>();
        let hashes = hashes.map_err(|_| WitnessError::Malformed)?;
        self.cosign(old, &Proof { hashes }, checkpoint.as_bytes())
    }

    /// The text, origin and head of a checkpoint that a trusted key of its origin signed.
    fn open_signed(&self, checkpoint: &[u8]) -> Result<(String, String, Head), WitnessError> {
        let note = Note::parse(checkpoint).map_err(|_| WitnessError::Malformed)?;
        let origin = note.checkpoint().map_err(|_| WitnessError::Malformed)?.origin;
        let of_origin = self.logs.iter().filter(|(trusted, _)| *trusted == origin);
        let keys: Vec<_> = of_origin.map(|(_, key)| key.clone()).collect();
        if keys.is_empty() {
            return Err(WitnessError::UnknownOrigin);
        }
        let opened = open_checkpoint(checkpoint, &keys).map_err(|error| match error {
            VerifyError::Malformed => WitnessError::Malformed,
            _ => WitnessError::Untrusted,
        })?;
        let head = Head { size: opened.checkpoint.size, root: opened.checkpoint.root };
        Ok((note.text.to_owned(), origin, head))
    }

    fn sign(&self, text: &str) -> Result<String, WitnessError> {
        let key = self.key();
        let time = u64::try_from(self.clock.now().0 / 1000).unwrap_or(0);
        let message = cosigned_message(text, time);
        let signature = self.signer.sign(&message);
        key.check(&message, &signature).map_err(|_| WitnessError::Signer)?;
        Ok(signature_line(&key, &[&time.to_be_bytes(), &signature]))
    }
}

/// First line, a line for each origin, and the SHA-256 of all before in hex.
fn format_state(heads: &BTreeMap<String, Head>) -> Vec<u8> {
    let mut text = format!("{FIRST_LINE}\n");
    for (origin, head) in heads {
        text += &format!("{} {} {origin}\n", head.size, BASE64.encode(&head.root));
    }
    let digest = HEXLOWER.encode(&sha256(text.as_bytes()));
    (text + &digest + "\n").into_bytes()
}

fn parse_state(bytes: &[u8]) -> Option<BTreeMap<String, Head>> {
    let text = std::str::from_utf8(bytes).ok()?;
    let (body, digest) = text.strip_suffix('\n')?.rsplit_once('\n')?;
    let hashed = sha256(&bytes[..=body.len()]);
    let rest = body.strip_prefix(FIRST_LINE)?;
    if digest != HEXLOWER.encode(&hashed) {
        return None;
    }
    let mut heads = BTreeMap::new();
    for line in rest.split('\n').skip(1) {
        let mut parts = line.splitn(3, ' ');
        let size = parse_decimal(parts.next()?).ok()?;
        let root = parse_hash(parts.next()?).ok()?;
        heads.insert(parts.next()?.to_owned(), Head { size, root });
    }
    Some(heads)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn states_round_trip(heads in prop::collection::btree_map("[a-z/. ]{1,12}", any::<(u64, [u8; 32])>(), 0..5), at: prop::sample::Index) {
            let heads: BTreeMap<_, _> = heads.into_iter().map(|(origin, (size, root))| (origin, Head { size, root })).collect();
            let bytes = format_state(&heads);
            prop_assert_eq!(parse_state(&bytes), Some(heads));
            let mut bent = bytes.clone();
            bent[at.index(bytes.len())] ^= 1;
            prop_assert_eq!(parse_state(&bent), None);
            prop_assert_eq!(parse_state(&bytes[..at.index(bytes.len())]), None);
        }
    }
}
