//! The text forms that stand in other people's databases and configurations: ids, tokens, keys. They never change.
//!
//! To add a format: 1. lines in [`samples`], 2. write the vectors anew, 3. see in the difference that no line changed.

use model::catalogue::TokenFormat;
use model::token::{ApiKey, StorageToken};
use model::{CertificateId, ConsentId, Entropy, NoticeId, PersonId, PrincipalId, RequestId, TenantId};
use std::fmt::Write;

/// Bytes that count on from a first one.
struct Counting(std::sync::atomic::AtomicU8);

impl Counting {
    fn from(first: u8) -> Self {
        Self(first.into())
    }
}

impl Entropy for Counting {
    fn fill(&self, into: &mut [u8]) {
        for byte in into {
            *byte = self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a string takes everything");
        text
    })
}

/// Kind, bytes, text.
fn samples() -> Vec<[String; 3]> {
    let mut all = Vec::new();
    let mut line = |kind: &str, bytes: &[u8], text: String| all.push([kind.to_owned(), hex(bytes), text]);
    let mut counted = [0; 16];
    Counting::from(0xf8).fill(&mut counted);
    for id in [[0; 16], [0xff; 16], counted] {
        line("tenant", &id, TenantId(id).to_string());
        line("person", &id, PersonId(id).to_string());
        line("principal", &id, PrincipalId(id).to_string());
        line("consent", &id, ConsentId(id).to_string());
        line("notice", &id, NoticeId(id).to_string());
        line("request", &id, RequestId(id).to_string());
        line("certificate", &id, CertificateId(id).to_string());
    }
    let formats = [
        ("opaque", TokenFormat::Opaque),
        ("email", TokenFormat::Email),
        ("phone", TokenFormat::Phone),
        ("digits:6", TokenFormat::Digits(6)),
        ("digits:12", TokenFormat::Digits(12)),
        ("digits:38", TokenFormat::Digits(38)),
        ("date", TokenFormat::Date),
    ];
    for first in [0, 0x41, 0xc8] {
        for (name, format) in formats {
            let token = StorageToken::generate(format, &Counting::from(first));
            line(name, token.as_bytes(), token.format(format));
        }
        let key = ApiKey::generate(&Counting::from(first));
        line("api key", key.expose(), key.reveal());
    }
    all
}

fn written() -> String {
    let lines = samples().into_iter().map(|line| line.join("\t") + "\n");
    "# kind, bytes, text; written by tests/forms.rs\n".to_owned() + &lines.collect::<String>()
}

const VECTORS: &str = include_str!("vectors/forms.txt");

fn vectors() -> impl Iterator<Item = (&'static str, &'static str, &'static str)> {
    VECTORS.lines().filter(|line| !line.starts_with('#')).map(|line| {
        let mut parts = line.split('\t');
        let mut next = || parts.next().expect("three parts");
        (next(), next(), next())
    })
}

/// The bytes that a text is read as.
fn read(kind: &str, text: &str) -> Option<String> {
    match kind {
        "tenant" => text.parse::<TenantId>().ok().map(|id| hex(&id.0)),
        "person" => text.parse::<PersonId>().ok().map(|id| hex(&id.0)),
        "principal" => text.parse::<PrincipalId>().ok().map(|id| hex(&id.0)),
        "consent" => text.parse::<ConsentId>().ok().map(|id| hex(&id.0)),
        "notice" => text.parse::<NoticeId>().ok().map(|id| hex(&id.0)),
        "request" => text.parse::<RequestId>().ok().map(|id| hex(&id.0)),
        "certificate" => text.parse::<CertificateId>().ok().map(|id| hex(&id.0)),
        "api key" => ApiKey::parse(text).map(|key| hex(key.expose())),
        _ => StorageToken::parse(text).map(|token| hex(token.as_bytes())),
    }
}

#[test]
fn what_is_written_today_is_what_was_written_then() {
    assert_eq!(written(), VECTORS);
}

#[test]
fn every_text_is_read_as_its_bytes_and_no_other_text_is() {
    let mut refused = 0;
    for (kind, bytes, text) in vectors() {
        assert_eq!(read(kind, text).as_deref(), Some(bytes), "{kind} {text}");
        for wrong in [text.to_uppercase(), format!(" {text}"), format!("{text}\n"), format!("{text}0")] {
            let read = if wrong == text { None } else { read(kind, &wrong) };
            assert!(read.is_none_or(|read| read != bytes), "{kind} {wrong:?} is read like {text}");
            refused += 1;
        }
    }
    assert_eq!(refused, 45 * 4, "every vector was tried");
}

#[test]
#[ignore = "writes the vectors; run by hand when a format is added"]
fn write_the_vectors() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/forms.txt");
    std::fs::write(path, written()).expect("the vectors can be written");
}
