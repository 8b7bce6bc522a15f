//! Signed documents.

use crate::support::{Seeded, root};
use proptest::prelude::*;
use seal::{DsseError, Envelope, PublicKeys, SealError, SigningKeys, dsse};
use serde_json::{Value, json};

/// A change to the list of signatures.
type Edit<'a> = &'a dyn Fn(&mut Vec<Value>);

const TYPE: &str = "application/vnd.obhut.test+json";

/// The signing keys of the vectors, since making RSA keys takes seconds.
fn keys() -> SigningKeys {
    let vector: Value = serde_json::from_slice(include_bytes!("../vectors/signing.json")).unwrap();
    let sealed = data_encoding::BASE64.decode(vector["keys"].as_str().unwrap().as_bytes()).unwrap();
    SigningKeys::unwrap(&root(), &sealed).unwrap()
}

fn json_of(envelope: &Envelope) -> Value {
    serde_json::from_slice(&envelope.to_json().unwrap()).unwrap()
}

fn read(value: &Value) -> Result<Envelope, DsseError> {
    Envelope::from_json(&serde_json::to_vec(value).unwrap())
}

#[test]
fn what_was_signed_verifies_with_its_type_and_keys() {
    let keys = keys();
    let envelope = dsse::sign(&keys, TYPE, b"payload").unwrap();
    let again = Envelope::from_json(&envelope.to_json().unwrap()).unwrap();
    assert_eq!(again, envelope);
    assert_eq!(dsse::verify(&again, TYPE, keys.public()).unwrap(), b"payload");
    assert_eq!(again.unverified_payload().unwrap(), b"payload");
    assert_eq!(again.payload_type(), TYPE);
    let ids = [keys.public().ed25519_id(), keys.public().rsa_id()];
    assert!(again.key_ids().eq(ids.iter().map(String::as_str)));
    assert_eq!(dsse::verify(&again, "text/plain", keys.public()), Err(DsseError::Type));
    let other = SigningKeys::generate(&Seeded::new("other")).unwrap();
    assert_eq!(dsse::verify(&again, TYPE, other.public()), Err(DsseError::Key));
}

#[test]
fn no_flipped_bit_verifies() {
    let keys = keys();
    let json = dsse::sign(&keys, TYPE, b"{\"decision\":\"erased\"}").unwrap().to_json().unwrap();
    let valid = |json: &[u8]| {
        Envelope::from_json(json).is_ok_and(|envelope| dsse::verify(&envelope, TYPE, keys.public()).is_ok())
    };
    assert!(valid(&json));
    for bit in 0..json.len() * 8 {
        let mut flipped = json.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        assert!(!valid(&flipped), "bit {bit}");
    }
}

#[test]
fn both_signatures_are_needed_in_their_order_and_nothing_else() {
    let keys = keys();
    let envelope = json_of(&dsse::sign(&keys, TYPE, b"payload").unwrap());
    let verify = |edit: Edit<'_>| {
        let mut edited = envelope.clone();
        edit(edited["signatures"].as_array_mut().unwrap());
        dsse::verify(&read(&edited).unwrap(), TYPE, keys.public())
    };
    assert!(verify(&|_| {}).is_ok(), "the control");
    let edits: [Edit<'_>; 6] = [
        &|all| all.truncate(1),
        &|all| drop(all.remove(0)),
        &|all| all.clear(),
        &|all| all.reverse(),
        &|all| all[1] = all[0].clone(),
        &|all| all.push(all[0].clone()),
    ];
    for (number, edit) in edits.iter().enumerate() {
        assert_eq!(verify(*edit), Err(DsseError::Key), "edit {number}");
    }
    // Signatures over something else, each in turn; the other one still fits.
    let other = json_of(&dsse::sign(&keys, TYPE, b"another").unwrap());
    for at in 0..2 {
        let swap = |all: &mut Vec<Value>| all[at] = other["signatures"][at].clone();
        assert_eq!(verify(&swap), Err(DsseError::Signature), "signature {at}");
    }
}

#[test]
fn a_signature_over_other_lengths_does_not_fit() {
    // What PAE is for: type and body may not run into each other.
    let keys = keys();
    let mut moved = json_of(&dsse::sign(&keys, "a", b"b c").unwrap());
    moved["payloadType"] = "a b".into();
    moved["payload"] = data_encoding::BASE64.encode(b"c").into();
    let moved = read(&moved).unwrap();
    assert_eq!(dsse::verify(&moved, "a b", keys.public()), Err(DsseError::Signature));
}

#[test]
fn reading_is_strict() {
    let envelope = json_of(&dsse::sign(&keys(), TYPE, b"payload").unwrap());
    assert!(read(&envelope).is_ok());
    let mut more = envelope.clone();
    more["more"] = json!(1);
    assert_eq!(read(&more), Err(DsseError::Format));
    let mut more = envelope.clone();
    more["signatures"][0]["more"] = json!(1);
    assert_eq!(read(&more), Err(DsseError::Format));
    let mut long = envelope.clone();
    long["payloadType"] = "x".repeat(257).into();
    assert_eq!(read(&long), Err(DsseError::Format));
    let text = envelope.to_string();
    let twice = text.replacen("{\"payload\"", "{\"payload\":\"\",\"payload\"", 1);
    assert!(twice != text && Envelope::from_json(twice.as_bytes()) == Err(DsseError::Format));
    assert_eq!(Envelope::from_json(format!("{text} x").as_bytes()), Err(DsseError::Format));
    assert_eq!(Envelope::from_json(&vec![b' '; (8 << 20) + 1]), Err(DsseError::Format));
    for base64 in ["cGF5bG9hZA", "cGF5bG9hZB==", "cGF5 bG9hZA==", "cGF5bG9hZA==\n", "cGF5bG9h_A=="] {
        let mut loose = envelope.clone();
        loose["payload"] = base64.into();
        let verified = dsse::verify(&read(&loose).unwrap(), TYPE, keys().public());
        assert!(verified.is_err(), "{base64}");
    }
}

#[test]
fn what_is_too_long_is_not_signed() {
    let keys = keys();
    let payload = vec![0; (4 << 20) + 1];
    assert_eq!(dsse::sign(&keys, TYPE, &payload).err(), Some(SealError::TooLarge));
    assert_eq!(dsse::sign(&keys, &"x".repeat(257), b"").err(), Some(SealError::TooLarge));
    let longest = dsse::sign(&keys, TYPE, &payload[1..]).unwrap();
    assert!(Envelope::from_json(&longest.to_json().unwrap()).is_ok(), "what was signed can be read");
}

#[test]
fn documents_of_keys_are_checked() {
    let keys = keys();
    let json = keys.public().to_json().unwrap();
    assert_eq!(PublicKeys::from_json(&json).as_ref(), Ok(keys.public()));
    let read = |edit: &dyn Fn(&mut Value)| {
        let mut document: Value = serde_json::from_slice(&json).unwrap();
        edit(&mut document);
        PublicKeys::from_json(&serde_json::to_vec(&document).unwrap())
    };
    assert!(read(&|_| {}).is_ok());
    let edits: [&dyn Fn(&mut Value); 7] = [
        &|document| document["format"] = "obhut-keys/2".into(),
        &|document| document["keys"][0]["id"] = document["keys"][1]["id"].clone(),
        &|document| document["keys"][0]["algorithm"] = "rsa-pss-sha256".into(),
        &|document| document["keys"][0]["public"] = "AAAA".into(),
        &|document| document["keys"].as_array_mut().unwrap().truncate(1),
        &|document| document["keys"].as_array_mut().unwrap().reverse(),
        &|document| document["more"] = 1.into(),
    ];
    for (number, edit) in edits.iter().enumerate() {
        assert_eq!(read(*edit), Err(DsseError::Format), "edit {number}");
    }
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused_without_panic(text in ".{0,200}") {
        let _ = Envelope::from_json(text.as_bytes());
        let _ = PublicKeys::from_json(text.as_bytes());
        let _ = seal::Root::inspect(text.as_bytes());
    }
}
