//! cargo-deny, where it is installed: bans, licences and sources always, advisories where their database is at hand.

use std::path::Path;

use crate::groups::{Outcome, outcome};
use crate::run;

const NOT_INSTALLED: &str = "cargo-deny is not installed";

/// Bans, licences and sources: needs no network.
pub(crate) fn rules(root: &Path) -> Outcome {
    if !run::has_subcommand(root, "deny") {
        return Outcome::NotRun(NOT_INSTALLED.to_owned());
    }
    // Two versions of a library are the registry's business; our own check prints nothing of them either.
    let words = ["deny", "--log-level", "error", "check", "bans", "licenses", "sources"];
    outcome(run::run(&mut run::cargo(root, &words)))
}

/// Known advisories: needs their database, which is fetched first; without it nothing was looked up.
pub(crate) fn advisories(root: &Path) -> Outcome {
    if !run::has_subcommand(root, "deny") {
        return Outcome::NotRun(format!("{NOT_INSTALLED}, so known advisories were not looked up"));
    }
    let fetched = run::quietly(&mut run::cargo(root, &["deny", "fetch", "db"]));
    if !fetched {
        return Outcome::NotRun("the database of advisories cannot be reached".to_owned());
    }
    outcome(run::run(&mut run::cargo(root, &["deny", "check", "--disable-fetch", "advisories"])))
}
