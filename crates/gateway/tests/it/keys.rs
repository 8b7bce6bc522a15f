//! The tables of keys in docs/config.md: the very keys that are taken, with their types, defaults and words.

use gateway::config::{
    ExcludeTable, GatewayTable, InTable, OutTable, PersonTable, PrincipalTable, RelayTable, RouteTable,
    ShieldTable,
};
use serde::de::DeserializeOwned;
use std::collections::BTreeSet;
use std::fmt::Debug;

const DOCUMENT: &str = include_str!("../../../../docs/config.md");

/// One table of the document and the struct that it describes.
struct Described {
    heading: &'static str,
    /// Nothing but what is required, a key a line.
    least: &'static str,
    /// What the struct makes of a text, or why it does not take it.
    read: fn(&str) -> Result<String, String>,
}

fn read<T: DeserializeOwned + Debug>(text: &str) -> Result<String, String> {
    toml::from_str::<T>(text).map(|table| format!("{table:?}")).map_err(|error| error.message().to_owned())
}

const ALL: [Described; 11] = [
    Described {
        heading: "### `[gateway]`",
        least: "listen = []\nupstream = \"http://127.0.0.1:8000\"\n",
        read: read::<GatewayTable>,
    },
    Described {
        heading: "#### `kind = \"jwt\"`",
        least: "kind = \"jwt\"\nkeys = \"k\"\nissuer = \"i\"\nroles = {}\n",
        read: read::<PrincipalTable>,
    },
    Described {
        heading: "#### `kind = \"forward\"`",
        least: "kind = \"forward\"\npath = \"/whoami\"\nroles = {}\n",
        read: read::<PrincipalTable>,
    },
    Described {
        heading: "#### `kind = \"response\"`",
        least: "kind = \"response\"\nroles = {}\n",
        read: read::<PrincipalTable>,
    },
    Described { heading: "### `[[route]]`", least: "name = \"n\"\npath = \"/\"\n", read: read::<RouteTable> },
    Described { heading: "### `[[relay]]`", least: "routes = [\"r\"]\n", read: read::<RelayTable> },
    Described { heading: "#### `in`", least: "", read: read::<InTable> },
    Described { heading: "#### `person` of `in`", least: "", read: read::<PersonTable> },
    Described { heading: "#### `out`", least: "purpose = \"p\"\nfields = []\n", read: read::<OutTable> },
    Described { heading: "### `[shield]`", least: "", read: read::<ShieldTable> },
    Described {
        heading: "#### `[[shield.exclude]]`",
        least: "rules = \"942100\"\n",
        read: read::<ExcludeTable>,
    },
];

/// A row: key, type, default and limits. That it has a meaning, too, is checked.
struct Row<'a> {
    key: &'a str,
    kind: &'a str,
    default: &'a str,
    limits: &'a str,
}

fn rows<'a>(document: &'a str, heading: &str) -> Vec<Row<'a>> {
    let (_, part) = document.split_once(&format!("\n{heading}\n")).unwrap_or_else(|| panic!("{heading}"));
    let part = part.split("\n#").next().unwrap_or_default();
    let row = |line: &'a str| {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        assert!(cells.len() == 5 && cells.iter().all(|cell| !cell.is_empty()), "{line}");
        Row { key: cells[0].trim_matches('`'), kind: cells[1], default: cells[2], limits: cells[3] }
    };
    part.lines().filter(|line| line.starts_with("| `")).map(row).collect()
}

/// What stands between backticks.
fn quoted(text: &str) -> BTreeSet<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

/// What an error says would have been taken, as the library lists it.
fn expected(error: &str) -> BTreeSet<&str> {
    let (_, list) = error.split_once(", expected ").unwrap_or_else(|| panic!("{error}"));
    quoted(list)
}

/// A value of a type, as the document names types.
fn sample(row: &Row<'_>) -> &'static str {
    match (row.kind, row.key) {
        ("text" | "file", _) => "\"x\"",
        ("true or false", _) => "true",
        ("whole number", _) => "7",
        ("list of texts", _) => "[\"x\"]",
        ("list of addresses", _) => "[\"127.0.0.1:1\"]",
        ("list of words", _) => "[\"events\"]",
        ("word", "body_over") => "\"partial\"",
        ("word", _) => "\"detect\"",
        ("list of tables", _) => "[{ rules = \"942100\" }]",
        ("table of texts", _) => "{ x = \"y\" }",
        ("table of roles", _) => "{ x = \"app\" }",
        ("table", "principal") => "{ kind = \"response\", roles = {} }",
        ("table", "out") => "{ purpose = \"p\", fields = [] }",
        ("table", _) => "{}",
        (kind, key) => panic!("{key}: no such type: {kind}"),
    }
}

/// What of a document is not so.
fn faults(document: &str) -> Vec<String> {
    let mut faults = Vec::new();
    for described in &ALL {
        let rows = rows(document, described.heading);
        let written: BTreeSet<&str> = rows.iter().map(|row| row.key).collect();
        let error = (described.read)(&format!("{}not_a_key = 1\n", described.least));
        let error = error.expect_err("a key that there is not");
        let apart = expected(&error).symmetric_difference(&written).copied().collect::<Vec<_>>();
        if !apart.is_empty() || rows.len() != written.len() {
            faults.push(format!("{}: {apart:?}", described.heading));
        }
        let wrong = rows.iter().filter(|row| written.len() == rows.len() && !holds(described, row));
        faults.extend(wrong.map(|row| format!("{}: {}", described.heading, row.key)));
    }
    faults
}

/// Whether what differs between the two is nothing in the one and something in the other.
fn is_none_without(without: &str, with: &str) -> bool {
    let alike = without.bytes().zip(with.bytes()).take_while(|(one, other)| one == other).count();
    without[alike..].starts_with("None") && with[alike..].starts_with("Some(")
}

/// Whether a row's type, default and words are the struct's.
fn holds(described: &Described, row: &Row<'_>) -> bool {
    let begins = format!("{} = ", row.key);
    let others: String =
        described.least.split_inclusive('\n').filter(|line| !line.starts_with(&begins)).collect();
    let with = |value: &str| (described.read)(&format!("{others}{begins}{value}\n"));
    let without = (described.read)(&others);
    let default = match (row.default, &without) {
        ("required", Err(error)) => *error == format!("missing field `{}`", row.key),
        ("none", Ok(without)) => with(sample(row)).is_ok_and(|with| is_none_without(without, &with)),
        (value, Ok(_)) => value.len() > 2 && with(value.trim_matches('`')) == without,
        _ => false,
    };
    let words = match row.kind {
        "list of words" => Some(with("[\"not-a-word\"]")),
        "word" => Some(with("\"not-a-word\"")),
        "table of roles" => Some(with("{ x = \"not-a-word\" }")),
        _ => None,
    };
    let words = words.is_none_or(|error| error.is_err_and(|error| expected(&error) == quoted(row.limits)));
    default && words && with(sample(row)).is_ok()
}

#[test]
fn every_key_of_the_gateway_is_described_as_it_is() {
    assert_eq!(faults(DOCUMENT), Vec::<String>::new());
    let kinds = read::<PrincipalTable>("kind = \"not-a-kind\"").expect_err("no such kind");
    let headings: BTreeSet<&str> = ALL.iter().map(|one| one.heading).collect();
    for kind in expected(&kinds) {
        assert!(headings.contains(&*format!("#### `kind = \"{kind}\"`")), "{kind}");
    }
}

#[test]
fn what_is_described_otherwise_is_noticed() {
    for (from, to, place) in [
        ("| `max_request` |", "", "[gateway]"),
        ("| `max_request` |", "| `max_requests` |", "[gateway]"),
        (
            "| `access_log` | true or false | `false` |",
            "| `access_log` | true or false | `true` |",
            "access_log",
        ),
        ("| `hosts` | list of texts |", "| `hosts` | text |", "hosts"),
        ("| `timeout` | whole number |", "| `timeout` | text |", "timeout"),
        ("| `upstream` | text | required |", "| `upstream` | text | none |", "upstream"),
        ("| `audience` | text | none |", "| `audience` | text | required |", "audience"),
        ("| `header` | text | `\"x-obhut-user\"` |", "| `header` | text | none |", "header"),
        ("`websocket`, `events`, `upload`, `range` |", "`websocket`, `upload`, `range` |", "pass"),
        ("`block`, `detect`, `off` | what is done", "`block`, `off` | what is done", "mode"),
        ("| `body_over` | word | `\"refuse\"` |", "| `body_over` | word | `\"partial\"` |", "body_over"),
        ("| `cors` |", "| `name` | text | required | – | x |\n| `cors` |", "[[route]]"),
    ] {
        assert_eq!(DOCUMENT.matches(from).count(), 1, "{from}");
        let faults = faults(&DOCUMENT.replace(from, to));
        assert!(!faults.is_empty() && faults.iter().all(|fault| fault.contains(place)), "{to}: {faults:?}");
    }
}
