//! The documents that say what the program takes, held against the program: `docs/config.md` and `docs/cli.md`.

use crate::Cli;
use crate::config::KEYS;
use clap::CommandFactory;
use std::path::{Path, PathBuf};

const HEAD: &str = "# The command line\n\n\
    This file is generated from the program; `cargo test -p obhut -- --ignored writes_the_command_line` writes it\n\
    anew. Exit codes: 0 done, 1 the answer is no (not whole, refused, invalid), 2 it could not be done; where a verb\n\
    has others, its text says so. Errors go to standard error, with the way out on the second line.\n";

fn document(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs").join(name)
}

/// The help of a verb and of those below it, as sections.
fn sections(command: &mut clap::Command, path: &str, into: &mut String) {
    let help = command.render_long_help().to_string();
    let lines: Vec<&str> = help.lines().map(str::trim_end).collect();
    let depth = path.split(' ').count() + 1;
    into.push_str(&format!(
        "\n{} {path}\n\n```text\n{}\n```\n",
        "#".repeat(depth),
        lines.join("\n").trim_end()
    ));
    for verb in command.get_subcommands_mut().filter(|verb| !verb.is_hide_set() && verb.get_name() != "help")
    {
        sections(verb, &format!("{path} {}", verb.get_name().to_owned()), into);
    }
}

fn command_line() -> String {
    let mut command = Cli::command().term_width(100);
    command.build();
    let mut text = HEAD.to_owned();
    sections(&mut command, "obhut", &mut text);
    text
}

#[test]
fn the_command_line_is_described_as_it_is() {
    let written = std::fs::read_to_string(document("cli.md")).expect("docs/cli.md");
    let (is, says) = (command_line(), written);
    if let Some((is, says)) = is.lines().zip(says.lines()).find(|(is, says)| is != says) {
        panic!("docs/cli.md says {says:?}, the program {is:?}; the ignored test writes it anew");
    }
    assert_eq!(is.len(), says.len(), "docs/cli.md is longer or shorter; the ignored test writes it anew");
}

#[test]
#[ignore = "writes docs/cli.md; run by hand when a verb changes"]
fn writes_the_command_line() {
    std::fs::write(document("cli.md"), command_line()).expect("written");
}

/// STYLE: every verb has an example, and says in a short sentence what it does.
#[test]
fn every_verb_has_an_example() {
    fn check(command: &clap::Command) {
        let verbs: Vec<_> = command
            .get_subcommands()
            .filter(|verb| !verb.is_hide_set() && verb.get_name() != "help")
            .collect();
        if verbs.is_empty() {
            let after = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(after.contains("Example"), "{} has no example", command.get_name());
        }
        let about = command.get_about().map(ToString::to_string).unwrap_or_default();
        assert!((10..=120).contains(&about.chars().count()), "{}: {about:?}", command.get_name());
        verbs.into_iter().for_each(check);
    }
    check(&Cli::command());
}

/// The row of a key in `docs/config.md`.
fn row(key: &crate::config::Key) -> String {
    let variable = crate::config::variable(key.name);
    let default = if key.default.is_empty() { "none".to_owned() } else { format!("`{}`", key.default) };
    format!("| `{}` | {default} | `{variable}` | {} |", key.name, key.about)
}

/// A section of `docs/config.md`, with those below it.
fn part(heading: &str) -> String {
    let text = std::fs::read_to_string(document("config.md")).expect("docs/config.md");
    let part = text.split("\n## ").find(|part| part.lines().next() == Some(heading));
    part.unwrap_or_else(|| panic!("docs/config.md has no section {heading}")).to_owned()
}

/// The example of a section, as a file in a folder.
fn example(heading: &str) -> (tempfile::TempDir, PathBuf) {
    let part = part(heading);
    let example =
        part.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next()).expect("an example");
    let dir = tempfile::tempdir().expect("folder");
    let file = dir.path().join("obhut.toml");
    std::fs::write(&file, example).expect("written");
    (dir, file)
}

/// The keys of the gateway's tables are held by a test beside them.
#[test]
fn every_key_of_the_configuration_is_described() {
    let text = part("Keys");
    let written: Vec<&str> = text.lines().filter(|line| line.starts_with("| `")).collect();
    let expected: Vec<String> = KEYS.iter().map(row).collect();
    for row in &expected {
        assert!(written.contains(&row.as_str()), "docs/config.md lacks this row:\n{row}");
    }
    for row in &written {
        assert!(
            expected.iter().any(|expected| expected == row),
            "docs/config.md has a row of no key:\n{row}"
        );
    }
    assert_eq!(written.len(), expected.len(), "docs/config.md has a row twice");
}

/// The examples in the document are configurations that are taken.
#[test]
fn the_example_of_the_configuration_is_taken() {
    let (_dir, file) = example("Example");
    let config = crate::config::load(&file).expect("taken");
    assert_eq!(config.horizon_days, 21);
    assert_eq!(config.shred_holders[1], Path::new("/mnt/second/obhut/shred-b"));
}

#[test]
fn the_example_of_the_gateway_is_taken() {
    let (dir, file) = example("Gateway");
    let taken = crate::config::load(&file).expect("taken").gateway.expect("a gateway");
    let setup = gateway::Setup::build(&taken, dir.path(), None).expect("its rules fit");
    let names: Vec<String> = setup.lines().into_iter().map(|line| line.name).collect();
    assert_eq!(names, ["worker", "worker-save", "files"]);
    // The control, and what the section says of a key that there is not.
    let text = std::fs::read_to_string(&file).expect("the example").replace("access_log", "acces_log");
    let error = crate::config::gateway_tables(&text).expect_err("refused").to_string();
    assert!(error.contains("line 9") && error.contains("`access_log`"), "{error}");
}

/// Each example of the page on rules is a configuration that is taken.
#[test]
fn the_examples_of_the_page_on_rules_are_taken() {
    let text = std::fs::read_to_string(document("rules.md")).expect("docs/rules.md");
    let examples: Vec<&str> =
        text.split("```toml\n").skip(1).filter_map(|part| part.split("```").next()).collect();
    assert!(examples.len() >= 3, "{}", examples.len());
    for example in examples {
        let tables = crate::config::gateway_tables(example).expect(example).expect("a gateway");
        let shield = &tables.shield;
        crate::shield::rules::exclusions(&shield.exclude).expect(example);
        gateway::Setup::build(&tables, Path::new(""), None).expect(example);
    }
}
