//! Public keys as C2SP signed-note writes them.

use super::VerifyError;
use crate::proof::sha256;
use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
use data_encoding::{BASE64, HEXLOWER};

/// What a public key in a note signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyKind {
    /// Ed25519 over the note (signature type 0x01): logs.
    Ed25519,
    /// Ed25519 over time and note (signature type 0x04, C2SP tlog-cosignature): witnesses.
    CosignatureV1,
}

impl KeyKind {
    /// The signature type byte.
    pub(crate) fn byte(self) -> u8 {
        match self {
            Self::Ed25519 => 1,
            Self::CosignatureV1 => 4,
        }
    }
}

/// A trusted public key (a *vkey* of C2SP signed-note).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifierKey {
    /// Name in the signature line.
    pub name: String,
    /// What it signs.
    pub kind: KeyKind,
    /// The Ed25519 public key.
    pub public: [u8; 32],
}

/// Whether a name can stand in a signature line: not empty, no white space, no `+` (C2SP signed-note).
pub(crate) fn is_name(name: &str) -> bool {
    !name.is_empty() && !name.contains(|c: char| c.is_whitespace() || c.is_control() || c == '+')
}

impl VerifierKey {
    /// The key ID: the first 4 bytes of SHA-256(name ‖ 0x0A ‖ type ‖ public key).
    #[must_use]
    pub fn id(&self) -> [u8; 4] {
        let mut bytes = self.name.as_bytes().to_vec();
        bytes.extend_from_slice(&[b'\n', self.kind.byte()]);
        bytes.extend_from_slice(&self.public);
        let digest = sha256(&bytes);
        [digest[0], digest[1], digest[2], digest[3]]
    }

    /// Parses `name+id+base64(type ‖ public key)`.
    pub fn parse(vkey: &str) -> Result<Self, VerifyError> {
        let mut parts = vkey.splitn(3, '+');
        let (Some(name), Some(id), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(VerifyError::Malformed);
        };
        let key = BASE64.decode(key.as_bytes()).map_err(|_| VerifyError::Malformed)?;
        let kind = match key.first() {
            Some(1) => KeyKind::Ed25519,
            Some(4) => KeyKind::CosignatureV1,
            _ => return Err(VerifyError::Malformed),
        };
        let public = key[1..].try_into().map_err(|_| VerifyError::Malformed)?;
        let parsed = Self { name: name.to_owned(), kind, public };
        if is_name(name) && HEXLOWER.encode(&parsed.id()) == id {
            Ok(parsed)
        } else {
            Err(VerifyError::Malformed)
        }
    }

    /// The text form `name+id+base64`.
    #[must_use]
    pub fn vkey(&self) -> String {
        let mut key = vec![self.kind.byte()];
        key.extend_from_slice(&self.public);
        format!("{}+{}+{}", self.name, HEXLOWER.encode(&self.id()), BASE64.encode(&key))
    }

    /// Checks a raw Ed25519 signature.
    pub(crate) fn check(&self, message: &[u8], signature: &[u8]) -> Result<(), VerifyError> {
        let key = UnparsedPublicKey::new(&ED25519, &self.public);
        key.verify(message, signature).map_err(|_| VerifyError::Signature)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn vkeys_round_trip(name in "[a-z./0-9]{1,20}", public: [u8; 32], witness: bool) {
            let kind = if witness { KeyKind::CosignatureV1 } else { KeyKind::Ed25519 };
            let key = VerifierKey { name, kind, public };
            prop_assert_eq!(VerifierKey::parse(&key.vkey()), Ok(key));
        }

        #[test]
        fn no_text_panics(text in "\\PC{0,80}") {
            prop_assert!(VerifierKey::parse(&text).is_err());
        }
    }

    #[test]
    fn the_key_of_the_go_checksum_database() {
        let vkey = "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8";
        let key = VerifierKey::parse(vkey).unwrap();
        assert_eq!((key.name.as_str(), key.kind), ("sum.golang.org", KeyKind::Ed25519));
        assert_eq!(key.vkey(), vkey);
        assert!(VerifierKey::parse(&vkey.replace("033d", "033e")).is_err());
    }
}
