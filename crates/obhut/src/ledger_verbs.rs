//! `obhut ledger`: check, show and prove, offline and without any secret.

use crate::system::Problem;
use data_encoding::HEXLOWER;
use ledger::verify::{KeyKind, VerifierKey, directory};
use seal::{Frame, PublicKeys};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// The verbs.
#[derive(clap::Subcommand)]
pub(crate) enum Verb {
    /// Check the whole ledger: every entry, every tile, every checkpoint, and that it continues earlier ones.
    Verify(VerifyArgs),
    /// Show one entry as far as it can be seen without a key.
    Show(ShowArgs),
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

/// What to show.
#[derive(clap::Args)]
pub(crate) struct ShowArgs {
    /// The ledger's folder.
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// The entry's index.
    #[arg(value_name = "INDEX")]
    index: u64,
}

/// Runs a verb.
pub(crate) fn run(verb: &Verb, out: &mut dyn Write) -> Result<ExitCode, Problem> {
    match verb {
        Verb::Verify(args) => verify(args, out),
        Verb::Show(args) => show(args, out),
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

fn show(args: &ShowArgs, out: &mut dyn Write) -> Result<ExitCode, Problem> {
    let leaf = leaf(&args.folder, args.index)?;
    let frame = Frame::parse(&leaf).map_err(|_| Problem::new("not an entry of this format"))?;
    writeln!(out, "entry    {}", args.index)?;
    writeln!(out, "hash     {}", HEXLOWER.encode(&ledger::proof::leaf_hash(&leaf)))?;
    writeln!(out, "kind     {}", frame.kind)?;
    writeln!(out, "tenant   number {}", frame.tenant)?;
    writeln!(out, "period   week {} (generation {})", frame.period, frame.generation)?;
    writeln!(out, "bytes    {}, sealed under the tenant's period key", leaf.len())?;
    Ok(ExitCode::SUCCESS)
}

/// One entry from the entry bundles of a ledger's or an exported folder (C2SP tlog-tiles: 256 entries a bundle, each
/// with its length in two bytes, big-endian).
fn leaf(folder: &Path, index: u64) -> Result<Vec<u8>, Problem> {
    let missing = || Problem::new(format!("there is no entry {index} in the entry bundles of this folder"));
    let bundle = ledger::verify::bundle(folder, index / 256)?.ok_or_else(missing)?;
    let mut rest = bundle.as_slice();
    for _ in 0..index % 256 {
        let (length, after) = rest.split_first_chunk::<2>().ok_or_else(missing)?;
        rest = after.get(usize::from(u16::from_be_bytes(*length))..).ok_or_else(missing)?;
    }
    let (length, after) = rest.split_first_chunk::<2>().ok_or_else(missing)?;
    after.get(..usize::from(u16::from_be_bytes(*length))).map(<[u8]>::to_vec).ok_or_else(missing)
}
