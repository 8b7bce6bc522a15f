//! `obhut ledger`: check, show and prove, offline and without any secret.

use crate::system::Problem;
use data_encoding::{BASE64, HEXLOWER};
use ledger::incarnation::Link;
use ledger::proof::{Hash, leaf_hash};
use ledger::verify::{
    Finding, KeyKind, OfflineError, OfflineLog, Report, TlogProof, VerifierKey, VerifyError, directory,
};
use seal::PublicKeys;
use seal::trail::Frame;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Most findings that are printed.
const MOST_LINES: usize = 100;

/// The verbs.
#[derive(clap::Subcommand)]
pub(crate) enum Verb {
    /// Check the whole ledger: every entry, every tile, every checkpoint, and that it continues earlier ones.
    #[command(after_help = "Exit codes: 0 whole, 1 not whole (each finding is a line).\n\n\
        Example: obhut ledger verify /srv/obhut/ledger --trust keys.json --checkpoint kept-last-month")]
    Verify(VerifyArgs),
    /// Show what everybody may read of an entry: its hash, kind, tenant number, week and size.
    #[command(after_help = "Example: obhut ledger show /srv/obhut/ledger 42")]
    Show(EntryArgs),
    /// Print a proof that an entry stands in the ledger (C2SP .tlog-proof), verified before it is printed.
    #[command(
        after_help = "The proof holds the hash path and the signed checkpoint, not the entry itself.\n\n\
        Example: obhut ledger prove /srv/obhut/ledger 42 --trust keys.json --out entry-42.tlog-proof"
    )]
    Prove(ProveArgs),
    /// Print the ledger's checkpoint behind the proof that it continues an earlier size: what a witness asks for.
    #[command(
        after_help = "The output is a request of C2SP tlog-witness; `obhut witness cosign` takes it as it is.\n\n\
        Example: obhut ledger consistency /srv/obhut/ledger 1200 > request"
    )]
    Consistency(ConsistencyArgs),
}

/// Whose signatures are believed.
#[derive(clap::Args)]
#[group(multiple = false)]
pub(crate) struct Trust {
    /// The key document of the house that you trust.
    #[arg(long, value_name = "KEYS")]
    trust: Option<PathBuf>,
    /// The key that signs checkpoints, as `name+id+base64` (C2SP signed-note).
    #[arg(long, value_name = "VKEY")]
    log_key: Option<String>,
}

impl Trust {
    /// The key document that is trusted, if one is named.
    pub(crate) fn document(&self) -> Option<&Path> {
        self.trust.as_deref()
    }

    /// The log's keys; none when nobody is named. A key of the house signs under `origin`, also later incarnations
    /// `origin/n`.
    pub(crate) fn keys(&self, origin: &str) -> Result<Vec<VerifierKey>, Problem> {
        if let Some(vkey) = &self.log_key {
            let key = VerifierKey::parse(vkey).ok().filter(|key| key.kind == KeyKind::Ed25519);
            return key.map(|key| vec![key]).ok_or_else(|| {
                Problem::with_help("the log key is not a verifier key", "it looks like name+01234567+AZ…=")
            });
        }
        let Some(path) = &self.trust else { return Ok(Vec::new()) };
        let keys = PublicKeys::from_json(&read(path)?)
            .map_err(|_| Problem::new(format!("{} is not a key document", path.display())))?;
        let key =
            |name: &str| VerifierKey { name: name.to_owned(), kind: KeyKind::Ed25519, public: keys.ed25519 };
        let later = origin.rsplit_once('/').filter(|(_, number)| number.parse::<u32>().is_ok_and(|n| n > 0));
        Ok(std::iter::once(key(origin)).chain(later.map(|(base, _)| key(base))).collect())
    }
}

/// What to check.
#[derive(clap::Args)]
pub(crate) struct VerifyArgs {
    /// The ledger's folder.
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    #[command(flatten)]
    trust: Trust,
    /// The origin line.
    #[arg(long, default_value = "obhut.local/ledger")]
    origin: String,
    /// An earlier checkpoint that the ledger must continue; can be given several times. Only who keeps one can
    /// find out that history was rewritten.
    #[arg(long, value_name = "FILE")]
    checkpoint: Vec<PathBuf>,
}

/// Which log of a folder.
#[derive(clap::Args)]
pub(crate) struct Which {
    /// The ledger's folder, or static files in the C2SP layout.
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// An incarnation other than the newest.
    #[arg(long, value_name = "N")]
    incarnation: Option<u32>,
}

impl Which {
    fn open(&self) -> Result<OfflineLog, Problem> {
        OfflineLog::open(&self.folder, self.incarnation).map_err(|error| unreadable(&self.folder, &error))
    }
}

fn unreadable(folder: &Path, error: &OfflineError) -> Problem {
    let what = format!("{}: {error}", folder.display());
    match error {
        OfflineError::Absent | OfflineError::Checkpoint | OfflineError::Io(_) => {
            Problem::with_help(what, "name the folder of a ledger, like /srv/obhut/ledger")
        }
        OfflineError::Damaged => Problem::with_help(what, "`obhut ledger verify` says where"),
        _ => {
            Problem::with_help(what, "what is newer becomes provable within a second, while the server runs")
        }
    }
}

/// Which entry.
#[derive(clap::Args)]
pub(crate) struct EntryArgs {
    #[command(flatten)]
    which: Which,
    /// The entry's index, from 0.
    #[arg(value_name = "INDEX")]
    index: u64,
}

/// What to prove.
#[derive(clap::Args)]
pub(crate) struct ProveArgs {
    #[command(flatten)]
    entry: EntryArgs,
    #[command(flatten)]
    trust: Trust,
    /// The origin line, for --trust.
    #[arg(long, default_value = "obhut.local/ledger")]
    origin: String,
    /// Write the proof to this file instead of standard output.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// From which size.
#[derive(clap::Args)]
pub(crate) struct ConsistencyArgs {
    #[command(flatten)]
    which: Which,
    /// The size of the earlier checkpoint.
    #[arg(value_name = "OLD")]
    old: u64,
    /// Write to this file instead of standard output.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// Runs a verb.
pub(crate) fn run(verb: &Verb, out: &mut dyn Write) -> Result<ExitCode, Problem> {
    match verb {
        Verb::Verify(args) => verify(args, out),
        Verb::Show(args) => show(args, out),
        Verb::Prove(args) => prove(args, out),
        Verb::Consistency(args) => consistency(args, out),
    }
}

fn read(path: &Path) -> Result<Vec<u8>, Problem> {
    std::fs::read(path).map_err(|error| Problem::new(format!("cannot read {}: {error}", path.display())))
}

/// To the file, or to standard output.
fn deliver(bytes: &[u8], file: Option<&Path>, out: &mut dyn Write) -> Result<(), Problem> {
    match file {
        None => Ok(out.write_all(bytes)?),
        Some(path) => std::fs::write(path, bytes)
            .map_err(|error| Problem::new(format!("cannot write {}: {error}", path.display()))),
    }
}

fn verify(args: &VerifyArgs, out: &mut dyn Write) -> Result<ExitCode, Problem> {
    let keys = args.trust.keys(&args.origin)?;
    if keys.is_empty() {
        return Err(Problem::with_help(
            "nobody is named whose signature counts",
            "--trust KEYS (the house serves it at /.well-known/obhut/keys) or --log-key VKEY",
        ));
    }
    let earlier = args.checkpoint.iter().map(|path| read(path)).collect::<Result<Vec<_>, _>>()?;
    let report = directory(&args.folder, &keys, &earlier)
        .map_err(|error| unreadable(&args.folder, &OfflineError::Io(error)))?;
    let foreign = report.checkpoint.as_ref().is_some_and(|opened| {
        let rest = opened.checkpoint.origin.strip_prefix(&args.origin);
        !rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    });
    let whole = report.is_good() && !foreign;
    say_report(&report, &args.checkpoint, out)?;
    if foreign {
        writeln!(out, "the checkpoint is of another origin than {}", args.origin)?;
    }
    match (whole, earlier.len()) {
        (false, _) if report.newest_is_good() && !foreign => {
            writeln!(
                out,
                "NOT whole: the newest ledger is, but what was set aside before it, or its link to that, is not"
            )?;
        }
        (false, _) => writeln!(out, "NOT whole")?,
        (true, 0) => writeln!(
            out,
            "whole; keep the checkpoint and hand it in with --checkpoint next time: only that shows rewritten history"
        )?,
        (true, 1) => writeln!(out, "whole, and it continues the earlier checkpoint")?,
        (true, many) => writeln!(out, "whole, and it continues all {many} earlier checkpoints")?,
    }
    Ok(if whole { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn say_report(report: &Report, earlier: &[PathBuf], out: &mut dyn Write) -> std::io::Result<()> {
    if let Some(opened) = &report.checkpoint {
        writeln!(out, "origin     {}", opened.checkpoint.origin)?;
        writeln!(out, "checkpoint of size {}, signed by a key that you trust", opened.checkpoint.size)?;
        writeln!(out, "root       {}", BASE64.encode(&opened.checkpoint.root))?;
    }
    writeln!(out, "entries    {} read and hashed", report.entries)?;
    for finding in report.findings.iter().take(MOST_LINES) {
        writeln!(out, "finding    {}", in_words(finding, earlier))?;
    }
    if let Some(more) = report.findings.len().checked_sub(MOST_LINES).filter(|more| *more > 0) {
        writeln!(out, "finding    … and {more} more")?;
    }
    for older in &report.older {
        let origin = older.checkpoint.as_ref().map_or("?", |opened| opened.checkpoint.origin.as_str());
        let (entries, findings) = (older.entries, older.findings.len());
        writeln!(out, "set aside  {origin}: {entries} entries, {findings} findings")?;
        for finding in older.findings.iter().take(MOST_LINES) {
            writeln!(out, "  finding  {}", in_words(finding, earlier))?;
        }
    }
    Ok(())
}

/// One finding as a sentence.
fn in_words(finding: &Finding, earlier: &[PathBuf]) -> String {
    let file =
        |position: &usize| earlier.get(*position).map_or("?".into(), |path| path.display().to_string());
    match finding {
        Finding::Checkpoint(VerifyError::Malformed) => "there is no readable checkpoint".into(),
        Finding::Checkpoint(error) => format!("the checkpoint is not to be trusted: {error}"),
        Finding::Leaf { index } => format!("entry {index} was altered: its hash is not the one in the tree"),
        Finding::Bundle { index } => {
            format!("the entries from {index} on cannot be read: their bundle is damaged")
        }
        Finding::Tile { level, index } => {
            format!("the stored hash {index} of level {level} does not follow from the entries")
        }
        Finding::Missing { path } => format!("{path} is missing"),
        Finding::Root => "the entries do not lead to the root that was signed".into(),
        Finding::Behind { earlier } => {
            format!("entries were dropped: the ledger is shorter than the checkpoint {}", file(earlier))
        }
        Finding::Forked { earlier } => {
            format!("history was rewritten: the ledger does not continue the checkpoint {}", file(earlier))
        }
        Finding::Earlier { earlier, error } => {
            format!("the earlier checkpoint {} does not check: {error}", file(earlier))
        }
        Finding::Unrelated { earlier } => {
            format!("the earlier checkpoint {} is of another log", file(earlier))
        }
        Finding::Link => "entry 0 does not say which ledger this one continues".into(),
        Finding::Postings => {
            "the index of who was touched does not check; the entries themselves stand apart".into()
        }
        Finding::Abandoned => "so much is wrong that the rest was not looked at".into(),
        other => format!("{other:?}"),
    }
}

fn show(args: &EntryArgs, out: &mut dyn Write) -> Result<ExitCode, Problem> {
    let log = args.which.open()?;
    let leaf = log.leaf(args.index).map_err(|error| unreadable(&args.which.folder, &error))?;
    writeln!(out, "entry      {} of {}", args.index, log.checkpoint().size)?;
    writeln!(out, "origin     {}", log.checkpoint().origin)?;
    writeln!(out, "hash       {}", HEXLOWER.encode(&leaf_hash(&leaf)))?;
    if let Some(link) = Link::parse(&leaf).filter(|_| args.index == 0) {
        writeln!(out, "kind       first entry of a new incarnation")?;
        writeln!(out, "continues  {} at size {}, set aside: {}", link.previous, link.size, link.damage)?;
        return Ok(ExitCode::SUCCESS);
    }
    match Frame::parse(&leaf) {
        Ok(frame) => {
            writeln!(out, "kind       {}", kind_in_words(frame.kind))?;
            writeln!(out, "tenant     number {}", frame.tenant)?;
            writeln!(out, "period     week {} (key generation {})", frame.period, frame.generation)?;
            writeln!(out, "size       {} bytes; all but the frame is sealed", leaf.len())?;
        }
        Err(_) => writeln!(out, "size       {} bytes, in no format that this version knows", leaf.len())?,
    }
    Ok(ExitCode::SUCCESS)
}

/// The kinds of `vault::trail::Event`.
fn kind_in_words(kind: u8) -> String {
    let words = match kind {
        1 => "read: values of persons were read, or a read was refused",
        2 => "find: a person was looked for",
        3 => "export: everything about a person was exported",
        4 => "accesses: a person's accesses were listed",
        5 => "create: a person was stored",
        6 => "rectify: a person's values were changed",
        7 => "consent requested",
        8 => "notice shown",
        9 => "consent given",
        10 => "consent refused",
        11 => "consent withdrawn",
        12 => "restrict: processing was restricted, or the restriction lifted",
        13 => "object: a person objected, or took the objection back",
        14 => "erase: a person was erased",
        15 => "configure: the configuration of a tenant changed",
        16 => "keys: a key was issued or revoked",
        17 => "epoch: a shred epoch began, was re-wrapped, or was destroyed",
        18 => "not released: a logged read was not released, since the facts changed meanwhile",
        19 => "tenant opened",
        20 => "consents listed: a person's consent records were listed",
        21 => "shield: rules of the shield were excluded, or that was taken back",
        other => return format!("number {other}, which this version does not know"),
    };
    words.to_owned()
}

fn prove(args: &ProveArgs, out: &mut dyn Write) -> Result<ExitCode, Problem> {
    let (index, folder) = (args.entry.index, &args.entry.which.folder);
    let failed = |error: OfflineError| unreadable(folder, &error);
    let log = args.entry.which.open()?;
    let leaf = log.leaf(index).map_err(failed)?;
    let proof = log.inclusion(index).map_err(failed)?;
    let head = log.checkpoint();
    ledger::verify::inclusion(&leaf_hash(&leaf), index, head.size, &head.root, &proof)
        .map_err(|_| not_proved())?;
    let proof = TlogProof { extra: None, index, proof, checkpoint: log.note().to_vec() };
    let keys = args.trust.keys(&args.origin)?;
    if !keys.is_empty() {
        proof.verify(&leaf, &keys).map_err(Problem::from_error("the checkpoint is not to be trusted"))?;
    }
    deliver(&proof.format(), args.out.as_deref(), out)?;
    Ok(ExitCode::SUCCESS)
}

fn not_proved() -> Problem {
    Problem::with_help(
        "the files do not lead to the signed root",
        "`obhut ledger verify` says where they break",
    )
}

/// The body of a C2SP tlog-witness `add-checkpoint` request.
fn consistency(args: &ConsistencyArgs, out: &mut dyn Write) -> Result<ExitCode, Problem> {
    let failed = |error: OfflineError| unreadable(&args.which.folder, &error);
    let log = args.which.open()?;
    let proof = log.consistency(args.old).map_err(failed)?;
    // The old root is the witness's to know; that these files lead to the new one can be checked here.
    let root: Hash = log.root().map_err(failed)?;
    if root != log.checkpoint().root {
        return Err(not_proved());
    }
    let mut request = format!("old {}\n", args.old);
    for hash in &proof.hashes {
        request += &BASE64.encode(hash);
        request.push('\n');
    }
    request.push('\n');
    let bytes = [request.as_bytes(), log.note()].concat();
    deliver(&bytes, args.out.as_deref(), out)?;
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use vault::trail::Event;

    /// `show` must not fall behind the vault.
    #[test]
    fn every_kind_has_words() {
        for event in 1..=Event::Shield as u8 {
            assert!(!kind_in_words(event).contains("does not know"), "{event}");
        }
        assert!(kind_in_words(Event::Shield as u8 + 1).contains("does not know"));
        assert!(kind_in_words(Event::Erase as u8).starts_with("erase"));
        assert!(kind_in_words(Event::ConsentWithdrawn as u8).contains("withdrawn"));
    }
}
