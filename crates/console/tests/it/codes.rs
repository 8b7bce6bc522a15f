//! `docs/errors.md` lists exactly the codes that the console can answer. Its section on the gateway is held against that
//! crate by a test there.

use model::decision::Reason;
use std::collections::BTreeSet;

const DOCUMENT: &str = include_str!("../../../../docs/errors.md");
/// The section of the document that lists the reasons of decisions.
const REASONS: &str = "Reasons";
/// The section with the codes of the gateway.
const GATEWAY: &str = "Gateway\n";

fn codes_of_source() -> BTreeSet<(String, String)> {
    let source = include_str!("../../src/problem.rs");
    let answers = source.split("problem(").skip(1).filter_map(|rest| {
        let (status, rest) = rest.split_once(", \"")?;
        let (code, _) = rest.split_once('"')?;
        status.bytes().all(|byte| byte.is_ascii_digit()).then(|| (code.to_owned(), status.to_owned()))
    });
    let mut all: BTreeSet<_> = answers.collect();
    all.insert(("no_permission".to_owned(), "403".to_owned()));
    all
}

/// The rows of the document: code and second cell, without the sections of reasons and of the gateway.
fn codes_of_document() -> BTreeSet<(String, String)> {
    let own = |part: &&str| !part.starts_with(REASONS) && !part.starts_with(GATEWAY);
    DOCUMENT.split("\n## ").filter(own).flat_map(rows).collect()
}

fn rows(part: &str) -> Vec<(String, String)> {
    let row = |line: &str| {
        let mut cells = line.strip_prefix("| `")?.split('|').map(str::trim);
        let code = cells.next()?.trim_end_matches('`').to_owned();
        Some((code, cells.next()?.to_owned()))
    };
    part.lines().filter_map(row).collect()
}

#[test]
fn the_document_lists_every_reason() {
    let part = DOCUMENT.split("\n## ").find(|part| part.starts_with(REASONS)).expect("a section");
    let listed: BTreeSet<String> = rows(part).into_iter().map(|(code, _)| code).collect();
    let all: BTreeSet<String> = Reason::ALL.iter().map(|reason| reason.code().to_owned()).collect();
    assert_eq!(listed, all);
}

/// The enums that the map has to cover, with their sources.
const ENUMS: [(&str, &str); 20] = [
    ("Fault", include_str!("../../../vault/src/fault.rs")),
    ("RevealError", include_str!("../../../vault/src/reveal.rs")),
    ("FindError", include_str!("../../../vault/src/find.rs")),
    ("ExportError", include_str!("../../../vault/src/export.rs")),
    ("AccessesError", include_str!("../../../vault/src/accesses.rs")),
    ("EraseError", include_str!("../../../vault/src/erase.rs")),
    ("CertificateError", include_str!("../../../vault/src/certificate.rs")),
    ("RestrictError", include_str!("../../../vault/src/restrict.rs")),
    ("ConsentError", include_str!("../../../vault/src/consent.rs")),
    ("KeyError", include_str!("../../../vault/src/keys.rs")),
    ("SightError", include_str!("../../../vault/src/sight.rs")),
    ("ShieldError", include_str!("../../../vault/src/shield.rs")),
    ("ExclusionError", include_str!("../../src/attacks_view.rs")),
    ("AuthError", include_str!("../../../vault/src/keys.rs")),
    ("PutError", include_str!("../../../vault/src/put.rs")),
    ("DeclareError", include_str!("../../../vault/src/declare.rs")),
    ("ValueError", include_str!("../../../model/src/catalogue.rs")),
    ("CatalogueError", include_str!("../../../model/src/catalogue.rs")),
    ("PurposeError", include_str!("../../../model/src/purpose.rs")),
    ("NoticeError", include_str!("../../../model/src/notice.rs")),
];

/// The variants of an enum, from its source: words in capitals that begin a line four spaces deep.
fn variants(name: &str, source: &str) -> Vec<String> {
    let (_, body) = source.split_once(&format!("pub enum {name} {{\n")).expect("the enum");
    let (body, _) = body.split_once("\n}").expect("its end");
    let variant = |line: &str| {
        let word = line.strip_prefix("    ").filter(|line| line.starts_with(char::is_uppercase))?;
        Some(word.split(|letter: char| !letter.is_alphanumeric()).next()?.to_owned())
    };
    body.lines().filter_map(variant).collect()
}

/// Which variants of these enums a map does not name. `Fault` variants of the use cases are in the macro.
fn missing(map: &str) -> Vec<String> {
    let mut missing = Vec::new();
    for (name, source) in ENUMS {
        let variants = variants(name, source);
        assert!(!variants.is_empty(), "{name}");
        for variant in variants.iter().filter(|variant| name == "Fault" || *variant != "Fault") {
            let named = format!("{name}::{variant}");
            let stands = |(at, _): (usize, &str)| {
                !map[at + named.len()..].starts_with(|letter: char| letter.is_alphanumeric())
            };
            if !map.match_indices(&named).any(stands) {
                missing.push(named);
            }
        }
    }
    missing
}

#[test]
fn no_variant_falls_to_the_wildcard() {
    let map = include_str!("../../src/problem.rs");
    assert_eq!(missing(map), Vec::<String>::new());
    let forgetful = map.replace("EraseError::Held", "EraseError::Forgotten");
    assert_eq!(missing(&forgetful), ["EraseError::Held"], "one that is forgotten is found");
}

#[test]
fn the_document_lists_what_the_console_answers() {
    let (source, document) = (codes_of_source(), codes_of_document());
    assert!(source.len() > 50, "the search through the source finds codes: {}", source.len());
    assert_eq!(
        source.difference(&document).collect::<Vec<_>>(),
        Vec::<&(String, String)>::new(),
        "not documented"
    );
    assert_eq!(
        document.difference(&source).collect::<Vec<_>>(),
        Vec::<&(String, String)>::new(),
        "never answered"
    );
}
