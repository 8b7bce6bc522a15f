//! `obhut verify`: check a document offline.
//!
//! *valid*: everything fits, and a key signed that you trust (exit 0). *consistent*: everything fits, but only the
//! document itself says whose keys these are (exit 3). *invalid*: something does not fit (exit 1).

use crate::ledger_verbs::Trust;
use crate::system::Problem;
use crate::verify_log::{self, LogArgs};
use data_encoding::BASE64;
use ledger::verify::{KeyKind, TlogProof, VerifierKey};
use seal::{Envelope, PublicKeys};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use vault::certificate::{Certificate, PAYLOAD_TYPE, Stage};

/// Largest document in bytes.
const LARGEST: u64 = 4 << 20;

/// What to check.
#[derive(clap::Args)]
#[command(
    after_help = "Exit codes: 0 valid, 3 consistent (signed by a key that you did not name), 1 invalid.\n\n\
    Examples:\n  \
      obhut verify certificate.json --trust keys.json\n  \
      obhut verify checkpoint --trust keys.json\n  \
      obhut verify entry-42.tlog-proof --entry 9f2c… --trust keys.json\n\
    The key document of a house is served at /.well-known/obhut/keys; get it by a way you trust."
)]
pub(crate) struct Args {
    /// The document: a deletion certificate, a ledger's checkpoint, or a proof from `obhut ledger prove`.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    trust: Trust,
    #[command(flatten)]
    log: LogArgs,
    /// The result as JSON.
    #[arg(long)]
    json: bool,
}

/// How a check ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Valid,
    Consistent,
}

/// Where a check fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Invalid {
    #[error("the document is not a DSSE envelope of this form")]
    Envelope,
    #[error("the payload is not a deletion certificate of this form")]
    Payload,
    #[error("the keys inside the document are not readable")]
    Keys,
    #[error("a signature does not fit the payload")]
    Signature,
    #[error("the document is signed by other keys than the trusted ones")]
    Untrusted,
    #[error("the times in the document contradict each other or are not canonical")]
    Times,
    #[error("the ledger entry is not readable")]
    Entry,
    #[error("the proof of the ledger entry is not readable")]
    Proof,
    #[error("the ledger entry is not in the signed checkpoint")]
    NotIncluded,
}

/// Checks the document and says how it stands.
pub(crate) fn run(args: &Args, out: &mut dyn Write) -> Result<ExitCode, Problem> {
    let document = read(&args.file)?;
    if verify_log::is_log(&document) {
        return verify_log::run(&document, &args.log, &args.trust, out);
    }
    let trusted = args.trust.document().map(read).transpose()?;
    let trusted = trusted
        .map(|json| PublicKeys::from_json(&json))
        .transpose()
        .map_err(|_| Problem::new("the trusted key document is not readable"))?;
    let checked = certificate(&document, trusted.as_ref());
    if args.json {
        let result = match &checked {
            Ok((Verdict::Valid, _)) => serde_json::json!({ "result": "valid" }),
            Ok((Verdict::Consistent, _)) => serde_json::json!({ "result": "consistent" }),
            Err(invalid) => serde_json::json!({ "result": "invalid", "reason": invalid.to_string() }),
        };
        writeln!(out, "{result}")?;
    } else {
        say(&checked, out)?;
    }
    Ok(match checked {
        Ok((Verdict::Valid, _)) => ExitCode::SUCCESS,
        Ok((Verdict::Consistent, _)) => ExitCode::from(3),
        Err(_) => ExitCode::FAILURE,
    })
}

fn say(checked: &Result<(Verdict, Certificate), Invalid>, out: &mut dyn Write) -> std::io::Result<()> {
    match checked {
        Err(invalid) => writeln!(out, "invalid: {invalid}"),
        Ok((verdict, one)) => {
            writeln!(out, "deletion certificate {}", one.certificate)?;
            writeln!(out, "  person     {} of {}", one.person, one.tenant)?;
            writeln!(out, "  erased     {}", one.erased_at)?;
            match (one.stage, &one.completed_at) {
                (Stage::Complete, Some(at)) => writeln!(out, "  complete   {at}: no copy opens any more")?,
                _ => writeln!(out, "  complete   by {} at the latest", one.complete_by)?,
            }
            writeln!(out, "  ledger     entry {} of {}", one.ledger.index, one.ledger.origin)?;
            match verdict {
                Verdict::Valid => writeln!(out, "valid: signed by the keys that you trust"),
                Verdict::Consistent => writeln!(
                    out,
                    "consistent: everything fits, but whose keys these are only the document itself says; \
                     name keys that you trust with --trust"
                ),
            }
        }
    }
}

fn read(path: &Path) -> Result<Vec<u8>, Problem> {
    use std::io::Read;
    let failed = |error| Problem::new(format!("cannot read {}: {error}", path.display()));
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).map_err(failed)?;
    file.take(LARGEST + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > LARGEST {
        return Err(Problem::new(format!("{} is larger than 4 MiB", path.display())));
    }
    Ok(bytes)
}

/// Checks a deletion certificate in every respect.
pub(crate) fn certificate(
    document: &[u8],
    trusted: Option<&PublicKeys>,
) -> Result<(Verdict, Certificate), Invalid> {
    let envelope = Envelope::from_json(document).map_err(|_| Invalid::Envelope)?;
    if envelope.payload_type() != PAYLOAD_TYPE {
        return Err(Invalid::Payload);
    }
    let claimed = envelope.unverified_payload().map_err(|_| Invalid::Envelope)?;
    let claimed: Certificate = serde_json::from_slice(&claimed).map_err(|_| Invalid::Payload)?;
    let keys = serde_json::to_vec(&claimed.keys).map_err(|_| Invalid::Keys)?;
    let keys = PublicKeys::from_json(&keys).map_err(|_| Invalid::Keys)?;
    // What is believed is what the signatures cover, byte for byte.
    let payload = seal::dsse::verify(&envelope, PAYLOAD_TYPE, &keys).map_err(|_| Invalid::Signature)?;
    let certificate: Certificate = serde_json::from_slice(&payload).map_err(|_| Invalid::Payload)?;
    if certificate.format != "obhut/deletion-certificate/v1" {
        return Err(Invalid::Payload);
    }
    check_times(&certificate)?;
    check_entry(&certificate, &keys)?;
    match trusted {
        None => Ok((Verdict::Consistent, certificate)),
        Some(trusted) if trusted.ed25519 == keys.ed25519 && trusted.rsa_der == keys.rsa_der => {
            Ok((Verdict::Valid, certificate))
        }
        Some(_) => Err(Invalid::Untrusted),
    }
}

fn check_times(certificate: &Certificate) -> Result<(), Invalid> {
    let parse = |text: &str| {
        let format = &time::format_description::well_known::Rfc3339;
        time::OffsetDateTime::parse(text, format).map_err(|_| Invalid::Times)
    };
    let erased = parse(&certificate.erased_at)?;
    let by = parse(&certificate.complete_by)?;
    let completed = certificate.completed_at.as_deref().map(parse).transpose()?;
    let stage_fits = (certificate.stage == Stage::Complete) == completed.is_some();
    let order_fits = erased < by && completed.is_none_or(|completed| erased <= completed);
    if stage_fits && order_fits { Ok(()) } else { Err(Invalid::Times) }
}

/// The entry's hash is in the tree that the house's Ed25519 key signed under the origin.
fn check_entry(certificate: &Certificate, keys: &PublicKeys) -> Result<(), Invalid> {
    let entry = BASE64.decode(certificate.ledger.entry.as_bytes()).map_err(|_| Invalid::Entry)?;
    let proof = TlogProof::parse(certificate.ledger.proof.as_bytes()).map_err(|_| Invalid::Proof)?;
    let origin = &certificate.ledger.origin;
    // A ledger that follows one that was set aside has its number behind the origin, and the same key.
    let first =
        origin.rsplit_once('/').filter(|(_, number)| number.parse::<u32>().is_ok_and(|number| number > 0));
    let names = std::iter::once(origin.as_str()).chain(first.map(|(name, _)| name));
    let key =
        |name: &str| VerifierKey { name: name.to_owned(), kind: KeyKind::Ed25519, public: keys.ed25519 };
    let keys: Vec<VerifierKey> = names.map(key).collect();
    let opened = proof.verify(&entry, &keys).map_err(|_| Invalid::NotIncluded)?;
    let fits =
        opened.checkpoint.origin == certificate.ledger.origin && proof.index == certificate.ledger.index;
    if fits { Ok(()) } else { Err(Invalid::NotIncluded) }
}
