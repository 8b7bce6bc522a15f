//! Digests of things that are not secret, and of API keys.

use crate::labels::{API_KEY, Label, SESSION, SIGN_IN_LINK};
use aws_lc_rs::digest::{Context, SHA256, digest};

fn fixed(of: &aws_lc_rs::digest::Digest) -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes.copy_from_slice(of.as_ref());
    bytes
}

/// SHA-256 (FIPS 180-4) of `bytes`.
#[must_use]
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    fixed(&digest(&SHA256, bytes))
}

/// SHA-256 of the parts, each preceded by its length as 8 bytes big-endian, so that no two lists of parts run
/// together. For public things, and for what stays in memory: it hides nothing that can be guessed.
#[must_use]
pub fn fingerprint(parts: &[&[u8]]) -> [u8; 32] {
    let mut context = Context::new(&SHA256);
    for part in parts {
        context.update(&(part.len() as u64).to_be_bytes());
        context.update(part);
    }
    fixed(&context.finish())
}

/// What is stored of an API key. The secret has 256 random bits, so one labelled SHA-256 is enough: there is no
/// dictionary to slow down.
#[must_use]
pub fn hash_api_key(secret: &[u8]) -> [u8; 32] {
    labelled(API_KEY, secret)
}

/// What is stored of a sign-in link. It differs from that of a key and of a session with the same secret, so that one
/// cannot be used as another.
#[must_use]
pub fn hash_sign_in_link(secret: &[u8; 32]) -> [u8; 32] {
    labelled(SIGN_IN_LINK, secret)
}

/// What is stored of a session.
#[must_use]
pub fn hash_session(secret: &[u8; 32]) -> [u8; 32] {
    labelled(SESSION, secret)
}

/// SHA-256 of a label and bytes.
pub(crate) fn labelled(label: Label, bytes: &[u8]) -> [u8; 32] {
    let mut context = Context::new(&SHA256);
    context.update(label.bytes());
    context.update(bytes);
    fixed(&context.finish())
}
