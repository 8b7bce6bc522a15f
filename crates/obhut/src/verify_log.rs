//! `obhut verify` on what a ledger hands out: a signed checkpoint, or the proof that an entry stands in it.

use crate::ledger_verbs::Trust;
use crate::system::Problem;
use data_encoding::{BASE64, HEXLOWER_PERMISSIVE};
use ledger::proof::Hash;
use ledger::verify::{TlogProof, VerifierKey, VerifyError, inclusion, open_checkpoint};
use std::io::Write;
use std::process::ExitCode;

/// How a `.tlog-proof` begins (C2SP).
const PROOF: &[u8] = b"c2sp.org/tlog-proof@";

/// What else is needed to know.
#[derive(clap::Args)]
pub(crate) struct LogArgs {
    /// The origin line that a checkpoint or proof must carry; later incarnations `ORIGIN/n` fit too.
    #[arg(long, value_name = "ORIGIN", default_value = "obhut.local/ledger")]
    origin: String,
    /// For a proof: the hash of the entry that it is about, in hex. `obhut ledger show` prints it.
    #[arg(long, value_name = "HEX")]
    entry: Option<String>,
}

/// Whether these bytes are the business of this file: everything that is not JSON.
pub(crate) fn is_log(document: &[u8]) -> bool {
    !document.trim_ascii_start().starts_with(b"{")
}

/// Checks a proof or a checkpoint and says how it stands.
pub(crate) fn run(
    document: &[u8],
    args: &LogArgs,
    trust: &Trust,
    out: &mut dyn Write,
) -> Result<ExitCode, Problem> {
    let keys = trust.keys(&args.origin)?;
    if keys.is_empty() {
        return Err(Problem::with_help(
            "a checkpoint or a proof says nothing without the key of its ledger",
            "--trust KEYS (the house serves it at /.well-known/obhut/keys)",
        ));
    }
    let checked = if document.starts_with(PROOF) {
        proof(document, args, &keys)?
    } else {
        checkpoint(document, args, &keys)
    };
    match checked {
        Ok(lines) => {
            writeln!(out, "{lines}\nvalid: signed by the key that you trust")?;
            Ok(ExitCode::SUCCESS)
        }
        Err(error) => {
            writeln!(out, "invalid: {error}")?;
            Ok(ExitCode::FAILURE)
        }
    }
}

fn checkpoint(document: &[u8], args: &LogArgs, keys: &[VerifierKey]) -> Result<String, VerifyError> {
    let opened = open_checkpoint(document, keys)?.checkpoint;
    if !fits(&opened.origin, &args.origin) {
        return Err(VerifyError::Untrusted);
    }
    let root = BASE64.encode(&opened.root);
    Ok(format!("checkpoint of {}\n  entries    {}\n  root       {root}", opened.origin, opened.size))
}

fn proof(
    document: &[u8],
    args: &LogArgs,
    keys: &[VerifierKey],
) -> Result<Result<String, VerifyError>, Problem> {
    let hash = args.entry.as_deref().and_then(|text| HEXLOWER_PERMISSIVE.decode(text.as_bytes()).ok());
    let hash: Hash = hash.and_then(|bytes| bytes.try_into().ok()).ok_or_else(|| {
        Problem::with_help(
            "a proof is about an entry, and holds only the way from it to the checkpoint",
            "--entry HEX names its hash; `obhut ledger show` prints it",
        )
    })?;
    let check = || {
        let proof = TlogProof::parse(document)?;
        let said = checkpoint(&proof.checkpoint, args, keys)?;
        let head = open_checkpoint(&proof.checkpoint, keys)?.checkpoint;
        inclusion(&hash, proof.index, head.size, &head.root, &proof.proof)?;
        Ok(format!("proof that the entry stands at index {}\n{said}", proof.index))
    };
    Ok(check())
}

/// Whether a checkpoint's origin is this one, or that of a later incarnation.
fn fits(origin: &str, wanted: &str) -> bool {
    origin.strip_prefix(wanted).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_the_whole_name_or_an_incarnation_of_it() {
        assert!(fits("a/ledger", "a/ledger") && fits("a/ledger/1", "a/ledger"));
        assert!(!fits("a/ledger2", "a/ledger") && !fits("b/a/ledger", "a/ledger") && !fits("a", "a/ledger"));
    }

    #[test]
    fn what_is_json_is_not_of_a_log() {
        assert!(!is_log(b" \n{\"payload\":") && is_log(b"obhut.local/ledger\n1\n") && is_log(b""));
    }
}
