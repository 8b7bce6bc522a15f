//! Signed documents, the keys that verify them, and the root's file.

use crate::log;
use seal::{Envelope, PublicKeys, Root, dsse};
use serde_json::Value;
use std::sync::LazyLock;
use vault::certificate::{Certificate, PAYLOAD_TYPE};

const VECTOR: &str = include_str!("../../../crates/seal/tests/vectors/signing.json");
const ROOT_DEMO: &str = include_str!("../../../crates/seal/tests/vectors/root-demo.json");
const ROOT_PRODUCTION: &str = include_str!("../../../crates/seal/tests/vectors/root-production.json");

/// The permanent vector of signatures: public keys, and an envelope that they signed.
struct Vector {
    keys: Option<PublicKeys>,
    keys_json: Vec<u8>,
    envelope: Vec<u8>,
    payload: Vec<u8>,
    payload_type: String,
}

static SIGNED: LazyLock<Vector> = LazyLock::new(|| {
    let vector: Value = serde_json::from_str(VECTOR).unwrap_or_default();
    let (keys_json, envelope) = (vector["public"].to_string(), vector["envelope"].to_string());
    let payload = vector["envelope"]["payload"].as_str().unwrap_or_default();
    Vector {
        keys: PublicKeys::from_json(keys_json.as_bytes()).ok(),
        payload: data_encoding::BASE64.decode(payload.as_bytes()).unwrap_or_default(),
        payload_type: vector["envelope"]["payloadType"].as_str().unwrap_or_default().to_owned(),
        keys_json: keys_json.into_bytes(),
        envelope: envelope.into_bytes(),
    }
});

/// An envelope: read and written it stays the same, and nothing verifies but what was signed.
pub fn envelope(bytes: &[u8]) -> bool {
    let Ok(envelope) = Envelope::from_json(bytes) else { return false };
    let again = envelope.to_json().and_then(|json| Envelope::from_json(&json));
    assert_eq!(again.as_ref(), Ok(&envelope));
    let unverified = envelope.unverified_payload();
    let Some(keys) = &SIGNED.keys else { return false };
    let Ok(payload) = dsse::verify(&envelope, envelope.payload_type(), keys) else { return false };
    assert_eq!((payload.as_slice(), envelope.payload_type()), (&*SIGNED.payload, &*SIGNED.payload_type));
    assert_eq!(unverified, Ok(payload));
    true
}

/// The signed envelope of the vector.
pub fn envelope_seeds() -> Vec<Vec<u8>> {
    vec![SIGNED.envelope.clone()]
}

/// A document of keys: read and written it stays the same.
pub fn key_document(bytes: &[u8]) -> bool {
    let Ok(keys) = PublicKeys::from_json(bytes) else { return false };
    let again = keys.to_json().and_then(|json| PublicKeys::from_json(&json));
    assert_eq!(again, Ok(keys));
    true
}

/// The keys of the vector.
pub fn key_document_seeds() -> Vec<Vec<u8>> {
    vec![SIGNED.keys_json.clone()]
}

/// What a certificate's payload says, as far as its parts can be read: keys, ledger entry, proof.
pub fn certificate(bytes: &[u8]) -> bool {
    let Ok(certificate) = serde_json::from_slice::<Certificate>(bytes) else { return false };
    let keys = serde_json::to_vec(&certificate.keys).is_ok_and(|json| PublicKeys::from_json(&json).is_ok());
    let entry = data_encoding::BASE64.decode(certificate.ledger.entry.as_bytes()).is_ok();
    let proof = ledger::verify::TlogProof::parse(certificate.ledger.proof.as_bytes()).is_ok();
    let again = serde_json::to_vec(&certificate).ok().and_then(|json| serde_json::from_slice(&json).ok());
    assert_eq!(again, Some(certificate));
    keys && entry && proof
}

/// A certificate made of the vectors' parts. It is none of [`PAYLOAD_TYPE`] until somebody signs it.
pub fn certificate_seeds() -> Vec<Vec<u8>> {
    debug_assert!(PAYLOAD_TYPE.ends_with("+json"));
    let keys: Value = serde_json::from_slice(&SIGNED.keys_json).unwrap_or_default();
    let certificate = serde_json::json!({
        "format": "obhut/deletion-certificate/v1",
        "certificate": "crt_00000000000000000000000000",
        "stage": "erased",
        "tenant": "ten_00000000000000000000000000",
        "person": "per_00000000000000000000000000",
        "erased_at": "2026-11-23T12:00:00Z",
        "epoch": 2968,
        "complete_by": "2026-12-21T12:00:00Z",
        "completed_at": null,
        "kept": [{"what": "payroll", "why": "tax law", "until": "2032-12-31T00:00:00Z"}],
        "ledger": {
            "origin": "ledger.example/werk-sued",
            "index": 123,
            "entry": data_encoding::BASE64.encode(log::LEAF),
            "proof": log::PROOF,
        },
        "keys": keys,
    });
    vec![certificate.to_string().into_bytes()]
}

/// A root file, without its passphrase.
pub fn root_file(bytes: &[u8]) -> bool {
    Root::inspect(bytes).is_ok()
}

/// A root file of each kind.
pub fn root_file_seeds() -> Vec<Vec<u8>> {
    vec![ROOT_DEMO.as_bytes().to_vec(), ROOT_PRODUCTION.as_bytes().to_vec()]
}
