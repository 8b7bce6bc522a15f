//! `docs/seclang.md` against the code: what the tables say is what the parser does.

use shield::seclang::{Reason, Variable, parse};
use shield::transform::Transformation;

const DOCUMENT: &str = include_str!("../../../../docs/seclang.md");

/// Names of the first column and the text of the second, of one section.
fn rows<'a>(document: &'a str, section: &str) -> Vec<(&'a str, &'a str)> {
    let part = document.split("\n## ").find(|part| part.starts_with(section)).expect("a section");
    let mut rows = Vec::new();
    for line in part.lines().filter(|line| line.starts_with("| `")) {
        let mut cells = line.trim_matches('|').split(" | ");
        let (names, second) = (cells.next().unwrap_or_default(), cells.next().unwrap_or_default().trim());
        rows.extend(
            names.split(',').map(|name| (name.trim().trim_matches('`').trim_matches('|').trim(), second)),
        );
    }
    assert!(rows.len() > 10, "{section}: {rows:?}");
    rows
}

/// Why a line is refused, if it is.
fn refused(line: &str) -> Option<Reason> {
    parse("x.conf", line).1.first().map(|fault| fault.reason)
}

fn wrong(document: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    for (name, says) in rows(document, "Operators") {
        let found = ["1", "a.data", "1-255", "127.0.0.1"]
            .map(|argument| refused(&format!("SecRule ARGS \"{name} {argument}\" \"id:1\"")));
        let is_right = if says == "refused" {
            found.iter().all(|why| *why == Some(Reason::ReachesOut))
        } else {
            found.contains(&None)
        };
        if !is_right {
            wrong.push(name.to_owned());
        }
    }
    for (name, says) in rows(document, "Directives") {
        let arguments = [
            "",
            "On",
            "1",
            "&",
            "Reject",
            "\"phase:1,pass\"",
            "1 \"ARGS\"",
            "1 \"pass\"",
            "ARGS \"x\" \"id:1\"",
        ];
        let found = arguments.map(|argument| refused(&format!("{name} {argument}")));
        let is_right = if says == "refused" {
            found.iter().all(|why| *why == Some(Reason::ReachesOut))
        } else {
            found.contains(&None)
        };
        if !is_right {
            wrong.push(name.to_owned());
        }
    }
    for (name, says) in rows(document, "Actions") {
        let arguments = [
            "", ":1", ":403", ":x", ":tx.a=1", ":ip.a=1", ":ip=a", ":a=b", ":none", "=On", "=1", "=x",
            "=1;ARGS", "=JSON", ":phase",
        ];
        let found = arguments.map(|argument| refused(&format!("SecAction \"{name}{argument}\"")));
        let is_right = if says == "refused" {
            !found.contains(&None) && found[0] == Some(Reason::ReachesOut)
        } else {
            found.contains(&None)
        };
        if !is_right {
            wrong.push(name.to_owned());
        }
    }
    let variables: Vec<_> = rows(document, "Variables").into_iter().map(|(name, _)| name).collect();
    wrong.extend(
        variables.iter().filter(|name| Variable::parse(name).is_none()).map(|name| (*name).to_owned()),
    );
    wrong.extend(
        Variable::ALL
            .iter()
            .map(|variable| variable.name())
            .filter(|name| !variables.contains(name))
            .map(str::to_owned),
    );
    let transformations: Vec<_> =
        rows(document, "Transformations").into_iter().map(|(name, _)| name).collect();
    wrong.extend(
        transformations
            .iter()
            .filter(|name| Transformation::parse(name).is_none())
            .map(|name| (*name).to_owned()),
    );
    let all = Transformation::ALL.iter().map(|transformation| transformation.name());
    wrong.extend(all.filter(|name| !transformations.contains(name)).map(str::to_owned));
    wrong
}

#[test]
fn the_document_says_what_the_parser_does() {
    assert_eq!(wrong(DOCUMENT), Vec::<String>::new());
    let changed = |from: &str, to: &str| {
        assert_eq!(DOCUMENT.matches(from).count(), 1, "{from}");
        wrong(&DOCUMENT.replace(from, to))
    };
    assert_eq!(changed("| `@rbl` | refused |", "| `@rbl` | yes |"), ["@rbl"], "an operator that is refused");
    assert_eq!(changed("| `@pmf` | yes |", "| `@pmg` | yes |"), ["@pmg"], "one that is none");
    assert_eq!(changed("| `SecMarker` | yes |", "| `SecMarker` | refused |"), ["SecMarker"]);
    assert_eq!(changed("| `WEBAPPID` |", "| `WEBAPP` |"), ["WEBAPP", "WEBAPPID"]);
    assert_eq!(changed("| `urlEncode` |", "| `hexDecode` |"), ["urlEncode"]);
    assert_eq!(changed("| `exec` | refused |", "| `exec` | yes |"), ["exec"]);
}
