//! The description of the API is a golden file, and covers every route.

use serde_json::Value;
use std::collections::BTreeSet;

const GOLDEN: &str = include_str!("../../../../docs/openapi.json");

#[test]
fn the_description_is_the_golden_file() {
    assert_eq!(
        console::openapi::text().trim(),
        GOLDEN.trim(),
        "write it anew: see the ignored test beside this"
    );
}

#[test]
#[ignore = "writes docs/openapi.json; run by hand when the API changes"]
fn write_the_golden_file() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/openapi.json");
    std::fs::write(path, console::openapi::text() + "\n").expect("written");
}

/// What stands in the table of routes: method and path.
fn routes() -> BTreeSet<(String, String)> {
    let source = include_str!("../../src/routes/mod.rs");
    let mut routes = BTreeSet::new();
    for line in source.lines().filter_map(|line| line.trim().strip_prefix("(\"/")) {
        let (path, methods) = line.split_once('"').expect("a path");
        for method in ["get", "post", "put", "patch", "delete"] {
            if methods.contains(&format!("{method}(")) {
                routes.insert((method.to_owned(), format!("/{}", path.replace("{*path}", "{path}"))));
            }
        }
    }
    routes
}

/// What is described: method and path.
pub(crate) fn described() -> BTreeSet<(String, String)> {
    let described: Value = serde_json::from_str(GOLDEN).expect("JSON");
    let paths = described["paths"].as_object().expect("paths");
    let methods = |(path, item): (&String, &Value)| -> Vec<(String, String)> {
        item.as_object().expect("an object").keys().map(|method| (method.clone(), path.clone())).collect()
    };
    paths.iter().flat_map(methods).collect()
}

#[test]
fn every_route_is_described_and_nothing_else() {
    assert!(routes().len() >= 31, "the search through the source finds routes: {:?}", routes());
    assert_eq!(described(), routes());
}

#[test]
fn whatever_is_referred_to_is_there() {
    let described: Value = serde_json::from_str(GOLDEN).expect("JSON");
    let mut references = Vec::new();
    collect(&described, &mut references);
    assert!(references.len() > 50);
    for reference in references {
        let pointer = reference.strip_prefix('#').expect("within the document");
        assert!(described.pointer(pointer).is_some(), "{reference}");
    }
}

fn collect<'a>(value: &'a Value, references: &mut Vec<&'a str>) {
    match value {
        Value::Object(members) => {
            references.extend(members.get("$ref").and_then(Value::as_str));
            members.values().for_each(|member| collect(member, references));
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, references)),
        _ => {}
    }
}
