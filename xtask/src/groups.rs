//! The groups of checks, their order, and the summary.

use std::path::Path;
use std::time::{Duration, Instant};

use crate::metadata::Metadata;
use crate::{budget, deny, docs, fuzz, layers, licences, run, workspace};

/// How one group ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It ran and found nothing; the text says what it looked at.
    Ok(String),
    /// It ran and found something, or could not run although it must.
    Failed(String),
    /// It did not run; the text says why.
    NotRun(String),
}

/// What all groups of one call came to.
#[derive(Debug, Default)]
pub(crate) struct Report {
    groups: Vec<(&'static str, Outcome, Duration)>,
}

impl Report {
    fn group(&mut self, name: &'static str, work: impl FnOnce() -> Outcome) {
        println!("\n== {name}");
        let start = Instant::now();
        let outcome = work();
        self.groups.push((name, outcome, start.elapsed()));
    }

    fn count(&self, wanted: impl Fn(&Outcome) -> bool) -> usize {
        self.groups.iter().filter(|(_, outcome, _)| wanted(outcome)).count()
    }

    /// How many groups failed.
    pub(crate) fn failed(&self) -> usize {
        self.count(|outcome| matches!(outcome, Outcome::Failed(_)))
    }

    /// Whether nothing failed and something ran: a call that could do nothing at all has shown nothing.
    pub(crate) fn is_good(&self) -> bool {
        self.failed() == 0 && self.count(|outcome| matches!(outcome, Outcome::Ok(_))) > 0
    }

    /// One line per group, then the counts alone on a line.
    pub(crate) fn summary(&self) -> String {
        let mut text = String::from("\n== summary\n");
        for (name, outcome, took) in &self.groups {
            let (word, detail) = match outcome {
                Outcome::Ok(detail) => ("ok", detail),
                Outcome::Failed(detail) => ("failed", detail),
                Outcome::NotRun(detail) => ("not run", detail),
            };
            let gap = if detail.is_empty() { "" } else { "  " };
            text.push_str(&format!("{name:<12} {word:<8} {:>6.1} s{gap}{detail}\n", took.as_secs_f64()));
        }
        let passed = self.count(|outcome| matches!(outcome, Outcome::Ok(_)));
        let skipped = self.count(|outcome| matches!(outcome, Outcome::NotRun(_)));
        text.push_str(&format!("{passed} passed, {} failed, {skipped} skipped\n", self.failed()));
        text
    }
}

/// Every check, cheap ones first; each runs whatever the others found.
pub(crate) fn test(root: &Path) -> Report {
    let mut report = Report::default();
    report.group("format", || outcome(run::run(&mut run::cargo(root, &["fmt", "--all", "--check"]))));
    report.group("layers", || layers(root));
    report.group("budget", || budget(root));
    report.group("documents", || documents(root));
    report.group("licences", || licences(root));
    report.group("lints", || lints(root));
    report.group("rustdoc", || rustdoc(root));
    report.group("tests", || tests(root));
    report.group("browser", || browser(root));
    report.group("doc tests", || {
        outcome(run::run(&mut run::cargo(root, &["test", "--doc", "--profile", "ci", "--workspace"])))
    });
    report.group("fuzz smoke", || fuzz_smoke(root, "20"));
    report.group("demo", || demo(root));
    report.group("deny", || deny::rules(root));
    report.group("advisories", || deny::advisories(root));
    report
}

/// A single group as a report of its own.
pub(crate) fn one(root: &Path, name: &'static str, work: fn(&Path) -> Outcome) -> Report {
    let mut report = Report::default();
    report.group(name, || work(root));
    report
}

/// Licences and bans by our own check, then everything that cargo-deny knows.
pub(crate) fn deny(root: &Path) -> Report {
    let mut report = Report::default();
    report.group("licences", || licences(root));
    report.group("deny", || deny::rules(root));
    report.group("advisories", || deny::advisories(root));
    report
}

/// What the documents name, and whether the documentation of the code builds without a warning.
pub(crate) fn docs(root: &Path) -> Report {
    let mut report = Report::default();
    report.group("documents", || documents(root));
    report.group("rustdoc", || rustdoc(root));
    report
}

/// The fuzzer on what `wish` names.
pub(crate) fn fuzz(root: &Path, wish: &fuzz::Wish) -> Report {
    let mut report = Report::default();
    report.group("fuzz", || fuzz::fuzz(root, wish));
    report
}

/// The long run: many crash rounds, many property cases.
///
/// Crash tests have one of [`CRASH`] in their name and read `OBHUT_ROUNDS`; what is too long for every day is ignored
/// there and has `soak` in its name.
pub(crate) fn soak(root: &Path) -> Report {
    let mut report = Report::default();
    report.group("crashes", || {
        let mut command = tests_command(root, "soak", CRASH);
        outcome(run::run(command.env("OBHUT_ROUNDS", "200")))
    });
    report.group("soaks", || outcome(run::run(&mut tests_command(root, "soak", &["--ignored", "soak"]))));
    report.group("properties", || {
        let mut command = tests_command(root, "soak", &[]);
        outcome(run::run(command.env("PROPTEST_CASES", "20000")))
    });
    report.group("fuzz smoke", || fuzz_smoke(root, "500"));
    report
}

/// What the names of tests have in them that kill a process or cut the power.
const CRASH: &[&str] = &["crash", "kill", "power_cut"];

/// The tests whose names contain one of `named`; all when that is empty. `profile` is one of `.config/nextest.toml`,
/// which says how long a test may take.
fn tests_command(root: &Path, profile: &str, named: &[&str]) -> std::process::Command {
    let words: &[&str] = if run::has_subcommand(root, "nextest") {
        &["nextest", "run", "--profile", profile, "--cargo-profile", "ci", "--workspace"]
    } else {
        &["test", "--no-fail-fast", "--profile", "ci", "--workspace", "--lib", "--bins", "--tests"]
    };
    let mut command = run::cargo(root, words);
    if !named.is_empty() {
        command.arg("--").args(named);
    }
    command
}

fn lints(root: &Path) -> Outcome {
    let words = ["clippy", "--workspace", "--all-targets", "--profile", "ci", "--", "-D", "warnings"];
    outcome(run::run(&mut run::cargo(root, &words)))
}

fn tests(root: &Path) -> Outcome {
    outcome(run::run(&mut tests_command(root, "ci", &[])))
}

/// The tests that drive a real browser: the ignored ones of the binaries called `browser`. What they need and what is not
/// here is said, never passed over.
pub(crate) fn browser(root: &Path) -> Outcome {
    for program in ["chromium", "chromedriver"] {
        if !run::quietly(std::process::Command::new(program).arg("--version")) {
            return Outcome::NotRun(format!(
                "{program} is not installed: no page was looked at in a browser"
            ));
        }
    }
    if !run::has_subcommand(root, "nextest") {
        return Outcome::NotRun("cargo-nextest is not installed, which picks the tests".to_owned());
    }
    let axe = match workspace::target_folder(root) {
        Ok(folder) => folder.join(AXE),
        Err(why) => return Outcome::Failed(why),
    };
    if !axe.is_file() {
        return Outcome::NotRun(format!("{} is missing: .ci/run brings it from npm", axe.display()));
    }
    let mut command = tests_command(root, "ci", &[]);
    command.args(["--run-ignored", "only", "-E", "binary(browser)"]);
    outcome(run::run(command.env("OBHUT_AXE", axe)))
}

/// The checker of accessibility, below the target folder.
const AXE: &str = "npm/node_modules/axe-core/axe.min.js";

/// Every fuzz target on its seeds and `thousands` of mutants of each.
fn fuzz_smoke(root: &Path, thousands: &str) -> Outcome {
    let mut command = tests_command(root, "ci", &["fuzz_smoke"]);
    outcome(run::run(command.env("OBHUT_ROUNDS", thousands)))
}

/// Private items too, since the crates' own pages are for who works on them.
fn rustdoc(root: &Path) -> Outcome {
    let words =
        ["doc", "--workspace", "--no-deps", "--document-private-items", "--keep-going", "--profile", "ci"];
    let mut command = run::cargo(root, &words);
    outcome(run::run(command.env("RUSTDOCFLAGS", "-D warnings -A rustdoc::private_intra_doc_links")))
}

/// The demo tells its story over HTTPS and checks itself.
fn demo(root: &Path) -> Outcome {
    // The same targets as the tests, so that nothing is compiled a second time with other features.
    let build = ["build", "--profile", "ci", "--workspace", "--bins", "--tests"];
    if let Err(why) = run::run(&mut run::cargo(root, &build)) {
        return Outcome::Failed(why);
    }
    let binary = match workspace::target_folder(root) {
        Ok(folder) => folder.join("ci/obhut"),
        Err(why) => return Outcome::Failed(why),
    };
    let mut command = std::process::Command::new(binary);
    outcome(run::run(command.current_dir(root).args(["demo", "--check"])))
}

/// Holds the manifests against the table of layers.
pub(crate) fn layers(root: &Path) -> Outcome {
    let metadata = match Metadata::load(root) {
        Ok(metadata) => metadata,
        Err(why) => return Outcome::Failed(why),
    };
    let mut faults = layers::check(&metadata);
    for member in metadata.members() {
        let manifest = std::fs::read_to_string(&member.manifest_path).unwrap_or_default();
        faults.extend(layers::check_lints(&member.name, &manifest));
    }
    let workspace = std::fs::read_to_string(root.join("Cargo.toml")).unwrap_or_default();
    faults.extend(layers::check_unsafe(&workspace));
    for fault in &faults {
        println!("{fault}");
    }
    verdict(faults.len(), format!("{} crates", metadata.members().count()))
}

/// Holds what the documents name against what there is.
fn documents(root: &Path) -> Outcome {
    let found = docs::load(root).and_then(|documents| Ok((documents, docs::functions(root)?)));
    let found = found.map_err(|error| format!("the documents: {error}"));
    let (documents, functions, metadata) = match found.and_then(|found| Ok((found, Metadata::load(root)?))) {
        Ok(((documents, functions), metadata)) => (documents, functions, metadata),
        Err(why) => return Outcome::Failed(why),
    };
    let exists = |path: &Path| root.join(path).exists();
    let mut faults = docs::check(&documents, &docs::Inventory { exists: &exists, functions });
    let house = documents.iter().find(|document| document.path == Path::new("ARCHITECTURE.md"));
    let house = house.map(|document| document.text.as_str()).unwrap_or_default();
    faults.extend(docs::check_table(house, &layers::table(&metadata)));
    for fault in &faults {
        println!("{fault}");
    }
    verdict(faults.len(), format!("{} documents", documents.len()))
}

/// Measures files and functions.
pub(crate) fn budget(root: &Path) -> Outcome {
    let findings = match budget::check(root) {
        Ok(findings) => findings,
        Err(why) => return Outcome::Failed(why),
    };
    for mark in &findings.marks {
        println!("for judgement: {mark}");
    }
    for fault in &findings.faults {
        println!("over the limit: {fault}");
    }
    println!("{}", findings.figures());
    verdict(findings.faults.len(), format!("{}, {} for judgement", findings.figures(), findings.marks.len()))
}

fn licences(root: &Path) -> Outcome {
    let found = std::fs::read_to_string(root.join("deny.toml"))
        .map_err(|error| format!("deny.toml: {error}"))
        .and_then(|text| licences::Rules::parse(&text))
        .and_then(|rules| licences::check(&Metadata::load(root)?, &rules));
    match found {
        Ok(faults) => {
            for fault in &faults {
                println!("{fault}");
            }
            verdict(faults.len(), "licences and bans of deny.toml, by our own check".to_owned())
        }
        Err(why) => Outcome::Failed(why),
    }
}

pub(crate) fn outcome(result: Result<(), String>) -> Outcome {
    match result {
        Ok(()) => Outcome::Ok(String::new()),
        Err(why) => {
            eprintln!("{why}");
            Outcome::Failed(why)
        }
    }
}

fn verdict(faults: usize, looked_at: String) -> Outcome {
    if faults == 0 { Outcome::Ok(looked_at) } else { Outcome::Failed(format!("{faults} found, see above")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(outcomes: &[Outcome]) -> Report {
        let groups = outcomes.iter().map(|outcome| ("group", outcome.clone(), Duration::ZERO)).collect();
        Report { groups }
    }

    #[test]
    fn the_counts_stand_alone_on_the_last_line() {
        let report = report(&[
            Outcome::Ok(String::new()),
            Outcome::Ok("12 crates".to_owned()),
            Outcome::NotRun("not installed".to_owned()),
        ]);
        assert_eq!(report.failed(), 0);
        assert_eq!(report.summary().lines().last(), Some("2 passed, 0 failed, 1 skipped"));
    }

    #[test]
    fn one_failure_is_seen_and_named() {
        let report = report(&[Outcome::Ok(String::new()), Outcome::Failed("3 found".to_owned())]);
        assert_eq!(report.failed(), 1);
        let summary = report.summary();
        assert!(summary.lines().any(|line| line.contains("failed") && line.contains("3 found")), "{summary}");
        assert_eq!(summary.lines().last(), Some("1 passed, 1 failed, 0 skipped"));
    }

    #[test]
    fn not_run_is_never_ok() {
        let text = report(&[Outcome::NotRun("reason".to_owned())]).summary();
        let line = text.lines().nth(2).expect("the group's line");
        assert!(line.contains("not run") && line.contains("reason") && !line.contains(" ok "), "{line}");
    }

    #[test]
    fn a_call_in_which_nothing_ran_is_not_good() {
        assert!(!report(&[Outcome::NotRun("reason".to_owned())]).is_good());
        assert!(!report(&[Outcome::Ok(String::new()), Outcome::Failed(String::new())]).is_good());
        assert!(report(&[Outcome::Ok(String::new()), Outcome::NotRun("reason".to_owned())]).is_good());
    }

    #[test]
    fn any_fault_fails_a_check() {
        assert_eq!(verdict(0, "x".to_owned()), Outcome::Ok("x".to_owned()));
        assert!(matches!(verdict(1, "x".to_owned()), Outcome::Failed(_)));
    }
}
