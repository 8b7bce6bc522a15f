//! The project's own checks and commands: `cargo xtask test` and its parts.
//!
//! To add a check: 1. write it in a file of its own as a function from plain data (metadata, source text) to a list
//! of faults, with tests that feed it data it must refuse; 2. add a verb to [`Verb`]; 3. add a group to
//! [`groups::test`], which decides the exit code and prints the summary.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command line tool: its output is the terminal"
)]

mod budget;
mod deny;
mod docs;
mod fuzz;
mod groups;
mod layers;
mod licences;
mod metadata;
mod run;
mod workspace;

use std::process::ExitCode;

const HELP: &str = "\
cargo xtask <verb>

  test      every check: format, layers, budget, docs, licences, lints, tests, browser, doc tests, fuzz smoke, the
            demo's own story, deny
  ci        the same as test
  layers    which crate may depend on which (ARCHITECTURE.md)
  budget    how long files and functions may grow
  docs      links, names and tables in the documents; rustdoc without warnings
  deny      licences and bans; sources and advisories too where cargo-deny is installed
  browser   the pages and the gateway in a real browser, where Chromium is installed
  fuzz      [TARGET] [--seconds N]: the fuzzer, where cargo-fuzz and a nightly compiler are installed
  soak      crash tests with 200 rounds, property tests with many cases, fuzz smoke with many mutants
  bench …   builds the release binary and passes the rest on to `obhut bench`
";

/// What one call of `cargo xtask` does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verb {
    Test,
    Layers,
    Budget,
    Docs,
    Deny,
    Browser,
    Fuzz,
    Soak,
    Bench,
    Help,
}

impl Verb {
    fn parse(word: Option<&str>) -> Option<Self> {
        Some(match word {
            Some("test" | "ci") => Self::Test,
            Some("layers") => Self::Layers,
            Some("budget") => Self::Budget,
            Some("docs") => Self::Docs,
            Some("deny") => Self::Deny,
            Some("browser") => Self::Browser,
            Some("fuzz") => Self::Fuzz,
            Some("soak") => Self::Soak,
            Some("bench") => Self::Bench,
            None | Some("help" | "--help" | "-h") => Self::Help,
            Some(_) => return None,
        })
    }
}

fn main() -> ExitCode {
    let mut words = std::env::args().skip(1);
    let first = words.next();
    let Some(verb) = Verb::parse(first.as_deref()) else {
        eprintln!("unknown verb\n\n{HELP}");
        return ExitCode::from(2);
    };
    let rest: Vec<String> = words.collect();
    let root = workspace::root();
    let report = match verb {
        Verb::Test => groups::test(&root),
        Verb::Layers => groups::one(&root, "layers", groups::layers),
        Verb::Budget => groups::one(&root, "budget", groups::budget),
        Verb::Docs => groups::docs(&root),
        Verb::Deny => groups::deny(&root),
        Verb::Browser => groups::one(&root, "browser", groups::browser),
        Verb::Fuzz => match fuzz::Wish::parse(&rest) {
            Ok(wish) => groups::fuzz(&root, &wish),
            Err(why) => {
                eprintln!("{why}");
                return ExitCode::from(2);
            }
        },
        Verb::Soak => groups::soak(&root),
        Verb::Bench => return run::bench(&root, &rest),
        Verb::Help => {
            print!("{HELP}");
            return ExitCode::SUCCESS;
        }
    };
    print!("{}", report.summary());
    if report.is_good() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ci_is_test_and_unknown_words_are_refused() {
        assert_eq!(Verb::parse(Some("ci")), Some(Verb::Test));
        assert_eq!(Verb::parse(Some("test")), Some(Verb::Test));
        assert_eq!(Verb::parse(Some("tset")), None);
        assert_eq!(Verb::parse(None), Some(Verb::Help));
    }

    #[test]
    fn help_names_every_verb() {
        for verb in ["test", "ci", "layers", "budget", "docs", "deny", "browser", "fuzz", "soak", "bench"] {
            assert!(HELP.contains(&format!("  {verb} ")), "{verb}");
        }
    }
}
