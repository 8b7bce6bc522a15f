//! `obhut ledger`: check, show and prove, offline and without any secret.

use crate::system::Problem;
use ledger::verify::{KeyKind, VerifierKey, directory};
use seal::PublicKeys;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

/// The verbs.
#[derive(clap::Subcommand)]
pub(crate) enum Verb {
    /// Check the whole ledger: every entry, every tile, every checkpoint, and that it continues earlier ones.
    Verify(VerifyArgs),
}

/// What to check.
#[derive(clap::Args)]
pub(crate) struct VerifyArgs {
    /// The ledger's folder.
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// The key document of the house.
    #[arg(long, value_name = "KEYS")]
    trust: PathBuf,
    /// The origin line.
    #[arg(long, default_value = "obhut.local/ledger")]
    origin: String,
    /// An earlier checkpoint that the ledger must continue; can be given several times. Only who keeps one can
    /// find out that history was rewritten.
    #[arg(long, value_name = "FILE")]
    checkpoint: Vec<PathBuf>,
}

/// Runs a verb.
pub(crate) fn run(verb: &Verb, out: &mut dyn Write) -> Result<ExitCode, Problem> {
    match verb {
        Verb::Verify(args) => verify(args, out),
    }
}

fn verify(args: &VerifyArgs, out: &mut dyn Write) -> Result<ExitCode, Problem> {
    let keys = PublicKeys::from_json(&std::fs::read(&args.trust)?)
        .map_err(|_| Problem::new("the key document is not readable"))?;
    let key = VerifierKey { name: args.origin.clone(), kind: KeyKind::Ed25519, public: keys.ed25519 };
    let earlier = args.checkpoint.iter().map(std::fs::read).collect::<Result<Vec<_>, _>>()?;
    let report = directory(&args.folder, &[key], &earlier)?;
    writeln!(out, "{report:#?}")?;
    let whole = report.is_good();
    writeln!(out, "{}", if whole { "whole" } else { "NOT whole" })?;
    Ok(if whole { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
