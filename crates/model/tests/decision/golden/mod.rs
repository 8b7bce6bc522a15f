//! The printed tables: what comes out of the decision, for people who do not read code.
//!
//! To print them anew after a change of the rules:
//! `cargo test -p obhut-model --test decision -- --ignored print`

mod precedence;
mod roles;

use std::path::PathBuf;

fn pages() -> [(PathBuf, String); 2] {
    let docs = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs"));
    [
        (docs.join("decision-precedence.md"), precedence::page()),
        (docs.join("decision-roles.md"), roles::page()),
    ]
}

#[test]
fn the_printed_tables_are_what_the_decision_does() {
    for (path, page) in pages() {
        let printed = std::fs::read_to_string(&path).unwrap_or_default();
        let line = printed.lines().zip(page.lines()).position(|(one, other)| one != other);
        assert!(
            printed == page,
            "{} is out of date from line {}; print it anew and let the privacy officer read the difference",
            path.display(),
            line.unwrap_or_else(|| printed.lines().count().min(page.lines().count())) + 1,
        );
    }
}

#[test]
#[ignore = "writes docs/decision-*.md; run by hand when the rules change"]
fn print() {
    for (path, page) in pages() {
        std::fs::write(path, page).expect("docs can be written");
    }
}

/// A table in Markdown.
fn table(head: &[&str], rows: impl Iterator<Item = Vec<String>>) -> String {
    let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
    let head: Vec<String> = head.iter().map(|&cell| cell.to_owned()).collect();
    let mut text = line(&head) + &line(&vec!["---".to_owned(); head.len()]);
    for row in rows {
        assert_eq!(row.len(), head.len(), "a row as wide as its head");
        text += &line(&row);
    }
    text
}
