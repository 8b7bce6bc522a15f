//! Signed checkpoints: C2SP signed-note, tlog-checkpoint and tlog-cosignature.

use super::VerifyError;
use super::key::{KeyKind, VerifierKey, is_name};
use crate::proof::Hash;
use data_encoding::BASE64;

/// Largest note that is looked at, in bytes.
const MAX_NOTE: usize = 1 << 17;
/// Most signature lines that are looked at; C2SP signed-note wants at least 16.
const MAX_SIGNATURES: usize = 64;
/// Begins a signature line: em dash and space.
const SIGNATURE_MARK: &str = "\u{2014} ";

/// The text of a checkpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// Which log.
    pub origin: String,
    /// Number of entries.
    pub size: u64,
    /// Root hash.
    pub root: Hash,
}

impl Checkpoint {
    /// The note text: three lines.
    pub(crate) fn text(&self) -> String {
        format!("{}\n{}\n{}\n", self.origin, self.size, BASE64.encode(&self.root))
    }

    /// Parses a note text. Extension lines are allowed and not looked at.
    fn parse(text: &str) -> Result<Self, VerifyError> {
        let mut lines = text.strip_suffix('\n').ok_or(VerifyError::Malformed)?.split('\n');
        let (Some(origin), Some(size), Some(root)) = (lines.next(), lines.next(), lines.next()) else {
            return Err(VerifyError::Malformed);
        };
        if origin.is_empty() || lines.any(str::is_empty) {
            return Err(VerifyError::Malformed);
        }
        let (size, root) = (parse_decimal(size)?, parse_hash(root)?);
        Ok(Self { origin: origin.to_owned(), size, root })
    }
}

/// A decimal number without leading zeros.
pub(crate) fn parse_decimal(text: &str) -> Result<u64, VerifyError> {
    let canonical = text == "0" || !text.starts_with('0') && text.bytes().all(|b| b.is_ascii_digit());
    text.parse().ok().filter(|_| canonical).ok_or(VerifyError::Malformed)
}

/// A SHA-256 hash in base64.
pub(crate) fn parse_hash(text: &str) -> Result<Hash, VerifyError> {
    let bytes = BASE64.decode(text.as_bytes()).map_err(|_| VerifyError::Malformed)?;
    bytes.try_into().map_err(|_| VerifyError::Malformed)
}

/// Which trusted key signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SignedBy {
    /// Position in the list of keys that was handed in.
    pub key: usize,
    /// The signed time in seconds since 1970, if the key cosigns.
    pub time: Option<u64>,
}

/// A checkpoint whose signatures were checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenedCheckpoint {
    /// What was signed.
    pub checkpoint: Checkpoint,
    /// The keys that signed it, each once.
    pub signed_by: Vec<SignedBy>,
}

impl OpenedCheckpoint {
    /// Whether one of `keys` (the list that was handed in) that cosigned is a witness's: the word *undeniable*.
    #[must_use]
    pub fn cosigned(&self) -> bool {
        self.signed_by.iter().any(|by| by.time.is_some())
    }
}

/// A note taken apart, nothing verified.
pub(crate) struct Note<'a> {
    /// The signed text with its final newline.
    pub(crate) text: &'a str,
    /// Name, and key ID with signature, of each line.
    signatures: Vec<(&'a str, Vec<u8>)>,
}

impl<'a> Note<'a> {
    pub(crate) fn parse(note: &'a [u8]) -> Result<Self, VerifyError> {
        let note = std::str::from_utf8(note).map_err(|_| VerifyError::Malformed)?;
        if note.len() > MAX_NOTE || note.contains(|c: char| c < ' ' && c != '\n') {
            return Err(VerifyError::Malformed);
        }
        let end = note.rfind("\n\n").ok_or(VerifyError::Malformed)?;
        let (text, lines) = (&note[..=end], &note[end + 2..]);
        let lines = lines.strip_suffix('\n').ok_or(VerifyError::Malformed)?;
        let signatures = lines.split('\n').map(parse_signature).collect::<Result<Vec<_>, _>>()?;
        if signatures.len() > MAX_SIGNATURES {
            Err(VerifyError::Malformed)
        } else {
            Ok(Self { text, signatures })
        }
    }

    pub(crate) fn checkpoint(&self) -> Result<Checkpoint, VerifyError> {
        Checkpoint::parse(self.text)
    }

    /// Checks the signature of `key`, if there is one.
    fn check(&self, key: &VerifierKey) -> Result<Option<Option<u64>>, VerifyError> {
        let id = key.id();
        let mut found = None;
        for (name, signature) in &self.signatures {
            let Some(signature) = signature.strip_prefix(&id).filter(|_| *name == key.name) else { continue };
            let time = match key.kind {
                KeyKind::Ed25519 => {
                    key.check(self.text.as_bytes(), signature)?;
                    None
                }
                KeyKind::CosignatureV1 => Some(self.check_cosignature(key, signature)?),
            };
            found.get_or_insert(time);
        }
        Ok(found)
    }

    fn check_cosignature(&self, key: &VerifierKey, signature: &[u8]) -> Result<u64, VerifyError> {
        let (time, signature) = signature.split_first_chunk().ok_or(VerifyError::Signature)?;
        let time = u64::from_be_bytes(*time);
        if time > i64::MAX.cast_unsigned() {
            return Err(VerifyError::Signature);
        }
        key.check(&cosigned_message(self.text, time), signature)?;
        Ok(time)
    }
}

fn parse_signature(line: &str) -> Result<(&str, Vec<u8>), VerifyError> {
    let (name, signature) = line
        .strip_prefix(SIGNATURE_MARK)
        .and_then(|rest| rest.split_once(' '))
        .ok_or(VerifyError::Malformed)?;
    let signature = BASE64.decode(signature.as_bytes()).map_err(|_| VerifyError::Malformed)?;
    if is_name(name) && signature.len() > 4 { Ok((name, signature)) } else { Err(VerifyError::Malformed) }
}

/// What a cosignature/v1 is made over.
pub(crate) fn cosigned_message(text: &str, time: u64) -> Vec<u8> {
    format!("cosignature/v1\ntime {time}\n{text}").into_bytes()
}

/// A signature line with its newline. `parts` are what follows the key ID.
pub(crate) fn signature_line(key: &VerifierKey, parts: &[&[u8]]) -> String {
    let mut bytes = key.id().to_vec();
    parts.iter().for_each(|part| bytes.extend_from_slice(part));
    format!("{SIGNATURE_MARK}{} {}\n", key.name, BASE64.encode(&bytes))
}

/// Parses a signed checkpoint and verifies it: at least one key of kind [`KeyKind::Ed25519`] signed, and no
/// signature of a trusted key fails. Signatures of other keys are ignored. The caller compares the origin.
pub fn open_checkpoint(note: &[u8], keys: &[VerifierKey]) -> Result<OpenedCheckpoint, VerifyError> {
    let note = Note::parse(note)?;
    let checkpoint = note.checkpoint()?;
    let mut signed_by = Vec::new();
    for (position, key) in keys.iter().enumerate() {
        if let Some(time) = note.check(key)? {
            signed_by.push(SignedBy { key: position, time });
        }
    }
    let by_log = |by: &SignedBy| keys[by.key].kind == KeyKind::Ed25519;
    if signed_by.iter().any(by_log) {
        Ok(OpenedCheckpoint { checkpoint, signed_by })
    } else {
        Err(VerifyError::Untrusted)
    }
}
