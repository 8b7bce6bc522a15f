//! Digests of things that are not secret, and of API keys.

use crate::kdf::hmac;
use crate::labels::{API_KEY, FORM_TOKEN, Label, SESSION, SIGN_IN_LINK};
use aws_lc_rs::constant_time::verify_slices_are_equal;
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

/// What the forms of a session carry: HMAC-SHA-256 under the session's secret, of a label alone. The secret stands in a
/// cookie that no page can read and that another site can neither read nor set, so who can name this text was given a page
/// of the session. It leads neither to the secret nor to what is stored of it.
#[must_use]
pub fn form_token(session: &[u8; 32]) -> [u8; 32] {
    let mut token = [0; 32];
    hmac(session, &[FORM_TOKEN.bytes()], &mut token);
    token
}

/// Whether `given` is the session's [`form_token`]; as quick for every wrong one.
#[must_use]
pub fn is_form_token(session: &[u8; 32], given: &[u8]) -> bool {
    verify_slices_are_equal(&form_token(session), given).is_ok()
}

/// SHA-256 of a label and bytes.
pub(crate) fn labelled(label: Label, bytes: &[u8]) -> [u8; 32] {
    let mut context = Context::new(&SHA256);
    context.update(label.bytes());
    context.update(bytes);
    fixed(&context.finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_token_is_of_one_session_and_of_one_use() {
        // HMAC-SHA-256(0x07 × 32, "obhut/v1/form-token"), computed with another implementation.
        let known = "6fe4e086de7cc7e8367bf7a345acb8ecfe85743ef8f544702ca39327396ca47b";
        let hex: String = form_token(&[7; 32]).iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, known);
        assert!(is_form_token(&[7; 32], &form_token(&[7; 32])));
        assert!(!is_form_token(&[8; 32], &form_token(&[7; 32])));
        assert!(!is_form_token(&[7; 32], &form_token(&[7; 32])[..31]) && !is_form_token(&[7; 32], &[]));
        assert_ne!(form_token(&[7; 32]), hash_session(&[7; 32]));
    }
}
