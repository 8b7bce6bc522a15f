//! The rules of the shield: loaded, examined, tried on a request, tested, installed.

mod check;
mod corpus;
mod explain;
mod install;
pub(crate) mod rules;

use crate::gate::trying;
use crate::system::Problem;
use gateway::config::{ExcludeTable, ShieldMode, ShieldTable, Tables};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// The verbs on rules.
#[derive(clap::Subcommand)]
pub(crate) enum Verb {
    /// Show what is personal in a page or in an archive of requests, and propose rules for it.
    #[command(after_help = trying::HELP)]
    Try(trying::Args),
    /// Load the rules of the shield and say what they are; or what they say of a request.
    #[command(after_help = check::HELP)]
    Check(check::Args),
    /// Run a corpus of regression tests (go-ftw) against rules, in this process.
    #[command(after_help = corpus::HELP)]
    Test(corpus::Args),
    /// Unpack a release of the OWASP Core Rule Set, try it, and put it in the place of the one before.
    #[command(after_help = install::HELP)]
    Install(install::Args),
}

/// Runs a verb.
pub(crate) fn run(verb: &Verb, out: &mut dyn Write) -> Result<ExitCode, Problem> {
    match verb {
        Verb::Try(args) => trying::run(args, out),
        Verb::Check(args) => check::run(args, out),
        Verb::Test(args) => corpus::run(args, out),
        Verb::Install(args) => install::run(args, out),
    }
}

/// What is configured for the shield.
struct Configured {
    table: ShieldTable,
    /// What the console excludes.
    rows: Vec<ExcludeTable>,
    /// From where its paths count.
    base: PathBuf,
    /// The routes and the rest, where a configuration was read.
    tables: Option<Tables>,
}

/// Reads `[shield]` of a configuration; of `obhut.toml` in the present folder, if there is one and none is named. A folder
/// of rules takes the place of the configured one.
fn configured(config: Option<&Path>, folder: Option<&Path>) -> Result<Configured, Problem> {
    let standard = Path::new("obhut.toml");
    let file = config.or_else(|| Some(standard).filter(|file| file.is_file()));
    let mut read = match file {
        Some(file) => {
            let config = crate::config::load(file)?;
            let table = config.gateway.as_ref().map(|tables| tables.shield.clone()).unwrap_or_default();
            let rows = crate::attacks::exclusions::read(&config.data)?;
            Configured { table, rows, base: config.data, tables: config.gateway }
        }
        None => {
            Configured { table: ShieldTable::default(), rows: Vec::new(), base: PathBuf::new(), tables: None }
        }
    };
    if let Some(folder) = folder {
        let absolute = std::path::absolute(folder)?;
        // A path is shown as it was given where it can be.
        let given = if read.base.as_os_str().is_empty() { folder.to_owned() } else { absolute };
        read.table.rules = Some(given);
    }
    Ok(read)
}

/// What the shield does, as a word on the command line.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Mode {
    Block,
    Detect,
    Off,
}

impl From<Mode> for ShieldMode {
    fn from(mode: Mode) -> Self {
        match mode {
            Mode::Block => Self::Block,
            Mode::Detect => Self::Detect,
            Mode::Off => Self::Off,
        }
    }
}

/// The mode in words.
fn in_words(mode: ShieldMode) -> &'static str {
    match mode {
        ShieldMode::Block => "block: what the rules refuse is refused",
        ShieldMode::Detect => "detect: what the rules refuse is reported and passes",
        ShieldMode::Off => "off: nothing is inspected",
    }
}

#[cfg(test)]
mod tests;
