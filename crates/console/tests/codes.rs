//! `docs/errors.md` lists exactly the codes that the console can answer.

use std::collections::BTreeSet;

fn codes_of_source() -> BTreeSet<(String, String)> {
    let source = include_str!("../src/problem.rs");
    let answers = source.split("problem(").skip(1).filter_map(|rest| {
        let (status, rest) = rest.split_once(", \"")?;
        let (code, _) = rest.split_once('"')?;
        status.bytes().all(|byte| byte.is_ascii_digit()).then(|| (code.to_owned(), status.to_owned()))
    });
    let mut all: BTreeSet<_> = answers.collect();
    all.insert(("no_permission".to_owned(), "403".to_owned()));
    all
}

fn codes_of_document() -> BTreeSet<(String, String)> {
    let document = include_str!("../../../docs/errors.md");
    let row = |line: &str| {
        let mut cells = line.strip_prefix("| `")?.split('|').map(str::trim);
        let code = cells.next()?.trim_end_matches('`').to_owned();
        Some((code, cells.next()?.to_owned()))
    };
    document.lines().filter_map(row).collect()
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
