//! The binary: configuration, wiring, verbs. The only place with globals.

mod attacks;
mod background;
mod bench;
mod canary;
mod client;
mod config;
mod demo;
#[cfg(test)]
mod docs;
mod doctor;
mod gate;
mod init;
mod ledger_verbs;
mod serve;
mod shield;
mod system;
mod tls;
mod unseal;
mod verify;
mod verify_log;
mod wiring;
mod witness;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// Personal and health data in good hands, and anyone can check that they are.
#[derive(Parser)]
#[command(name = "obhut", version, max_term_width = 100, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Try everything out: a temporary house with keys, a tenant and 40 workers, on this machine only.
    Demo(demo::Args),
    /// Make a data folder: root, keys, configuration, first tenant.
    #[command(
        after_help = "Example: obhut init --data /srv/obhut --tenant \"Werk Süd\" --passphrase-file /etc/obhut/passphrase"
    )]
    Init(init::Args),
    /// Run the house.
    #[command(after_help = "Example: obhut serve --config /srv/obhut/obhut.toml")]
    Serve(serve::Args),
    /// Hand the passphrase to a house that waits for it.
    #[command(after_help = "Example: obhut unseal --config /srv/obhut/obhut.toml < /media/key/passphrase")]
    Unseal(unseal::Args),
    /// Look whether all is well, and name the way out where it is not.
    Doctor(doctor::Args),
    /// Check a document offline: a deletion certificate, a checkpoint, or a proof of an entry.
    Verify(verify::Args),
    /// Check, show or prove entries of the ledger.
    #[command(subcommand)]
    Ledger(ledger_verbs::Verb),
    /// Cosign the checkpoints of somebody else's ledger.
    #[command(subcommand)]
    Witness(witness::Verb),
    /// Rules: those of the gateway for a page of your app, and those of the shield against attacks.
    #[command(subcommand)]
    Rules(shield::Verb),
    /// Measure this machine.
    #[command(subcommand)]
    Bench(bench::Verb),
    /// What is configured, and where each value comes from.
    #[command(subcommand)]
    Config(config::Verb),
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let mut out = std::io::stdout().lock();
    let result = match cli.verb {
        Verb::Demo(args) => {
            drop(out);
            return report(demo::run(&args));
        }
        Verb::Serve(args) => {
            drop(out);
            return report(serve::run(&args));
        }
        Verb::Bench(verb) => {
            drop(out);
            return report(bench::run(&verb));
        }
        Verb::Init(args) => init::run(&args, &mut out),
        Verb::Unseal(args) => unseal::run(&args, &mut out),
        Verb::Doctor(args) => doctor::run(&args, &mut out),
        Verb::Verify(args) => verify::run(&args, &mut out),
        Verb::Ledger(verb) => ledger_verbs::run(&verb, &mut out),
        Verb::Witness(verb) => witness::run(&verb, &mut out),
        Verb::Rules(verb) => shield::run(&verb, &mut out),
        Verb::Config(verb) => config::run(&verb, &mut out),
    };
    report(result)
}

/// An error as one line on standard error, with the way out where there is one, and exit code 2.
fn report(result: Result<ExitCode, system::Problem>) -> ExitCode {
    match result {
        Ok(code) => code,
        Err(problem) => {
            system::complain(&problem);
            ExitCode::from(2)
        }
    }
}
