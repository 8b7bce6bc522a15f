//! Tokens, keys, ids and values: what a client writes.

use model::catalogue::{Category, Field, FieldType, Index, MaskRule, TokenFormat};
use model::token::{ApiKey, StorageToken};
use model::{
    CertificateId, Compartment, ConsentId, FieldId, NoticeId, PersonId, PrincipalId, RequestId, TenantId,
};
use std::fmt::Display;
use std::str::FromStr;

fn owned(texts: &[&str]) -> Vec<Vec<u8>> {
    texts.iter().map(|text| text.as_bytes().to_vec()).collect()
}

/// A storage token: what is read is written as it was read, in one of its formats.
pub fn storage_token(bytes: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(bytes) else { return false };
    let Some(token) = StorageToken::parse(text) else { return false };
    let written = [TokenFormat::Opaque, TokenFormat::Email].map(|format| token.format(format));
    assert!(written.iter().any(|form| form == text), "another text is written than was read");
    assert_eq!(StorageToken::from_bytes(*token.as_bytes()), token);
    true
}

/// A token of each format.
pub fn storage_token_seeds() -> Vec<Vec<u8>> {
    let opaque = StorageToken::from_bytes([7; 16]);
    let mut seeds = owned(&["+999000000000042", "000042", "3000-01-01", "9999-12-31"]);
    seeds.push(opaque.format(TokenFormat::Opaque).into_bytes());
    seeds.push(opaque.format(TokenFormat::Email).into_bytes());
    seeds
}

/// An API key: what is read is written as it was read.
pub fn api_key(bytes: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(bytes) else { return false };
    let Some(key) = ApiKey::parse(text) else { return false };
    assert_eq!(key.reveal(), text);
    true
}

/// A key of zeros, as the program itself writes it.
pub fn api_key_seeds() -> Vec<Vec<u8>> {
    vec![ApiKey::generate(&Zeros).reveal().into_bytes()]
}

struct Zeros;

impl model::Entropy for Zeros {
    fn fill(&self, into: &mut [u8]) {
        into.fill(0);
    }
}

/// An id of any kind: one kind at most takes a text, and writes it as it was read.
pub fn id(bytes: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(bytes) else { return false };
    let kinds = [
        same::<TenantId>(text),
        same::<PersonId>(text),
        same::<PrincipalId>(text),
        same::<ConsentId>(text),
        same::<NoticeId>(text),
        same::<RequestId>(text),
        same::<CertificateId>(text),
    ];
    let accepted = kinds.iter().filter(|kind| **kind).count();
    assert!(accepted <= 1, "two kinds of id take one text");
    accepted == 1
}

fn same<I: FromStr + Display>(text: &str) -> bool {
    let Ok(id) = text.parse::<I>() else { return false };
    assert_eq!(id.to_string(), text);
    true
}

/// An id of each kind.
pub fn id_seeds() -> Vec<Vec<u8>> {
    let bytes = [0x5a; 16];
    let ids = [
        TenantId(bytes).to_string(),
        PersonId(bytes).to_string(),
        PrincipalId(bytes).to_string(),
        ConsentId(bytes).to_string(),
        NoticeId(bytes).to_string(),
        RequestId(bytes).to_string(),
        CertificateId(bytes).to_string(),
    ];
    ids.into_iter().map(String::into_bytes).collect()
}

const KINDS: [FieldType; 5] =
    [FieldType::Text, FieldType::Email, FieldType::Phone, FieldType::Date, FieldType::Digits];

/// A value of a field, its type in the first byte: the stored form is within the limit's reach and is itself stored
/// unchanged.
pub fn field_value(bytes: &[u8]) -> bool {
    let Some((kind, value)) = bytes.split_first() else { return false };
    let (Some(kind), Ok(value)) = (KINDS.get(usize::from(*kind)), std::str::from_utf8(value)) else {
        return false;
    };
    let field = field(*kind);
    let Ok(normal) = field.normalise(value) else { return false };
    assert!(!normal.is_empty(), "an empty value was accepted");
    assert!(normal.len() <= field.max_bytes as usize, "the stored form is over the limit");
    assert_eq!(field.normalise(&normal).as_ref(), Ok(&normal), "a stored value is not stored again as it is");
    assert!(!field.index_form(&normal).is_empty() || normal.trim().is_empty());
    true
}

fn field(kind: FieldType) -> Field {
    Field {
        id: FieldId(1),
        name: "value".to_owned(),
        category: Category::Other,
        kind,
        mask: MaskRule::Redact,
        index: Index::Equality,
        token: TokenFormat::Opaque,
        compartment: Compartment(0),
        stable: false,
        third_party: false,
        max_bytes: 1_024,
    }
}

/// A value of each type.
pub fn field_value_seeds() -> Vec<Vec<u8>> {
    owned(&[
        "\u{0}Jana Muster\nzwei",
        "\u{1} Jana.Muster@Beispiel.example",
        "\u{2}+49 (30) 123-456/78",
        "\u{3}1984-02-29",
        "\u{4}0042",
    ])
}
