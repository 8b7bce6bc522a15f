//! `obhut witness`: cosign the checkpoints of somebody else's ledger, with a key and a memory of one's own.
//!
//! A witness holds no personal data and needs no house. Its folder: `key.pem` (Ed25519, PKCS#8, mode 0600), `vkey`
//! (its name and public key, for those who trust it) and `witness` (what it saw last, per origin).

use crate::ledger_verbs::Trust;
use crate::system::{Problem, SystemClock};
use crate::wiring::{private_file, private_folder};
use ledger::CheckpointSigner;
use ledger::verify::{KeyKind, VerifierKey, open_checkpoint};
use ledger::witness::{Witness, WitnessError};
use rcgen::{KeyPair, PKCS_ED25519, SigningKey};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use zeroize::Zeroizing;

/// Largest checkpoint or proof in bytes.
const LARGEST: u64 = 1 << 20;

/// The verbs.
#[derive(clap::Subcommand)]
pub(crate) enum Verb {
    /// Make a witness: a key of its own, used for nothing else, and an empty memory.
    #[command(
        after_help = "Prints the verifier key, which belongs to those who want to rely on this witness.\n\n\
        Example: obhut witness init --state /srv/witness --name witness.example/hospital"
    )]
    Init(InitArgs),
    /// Cosign a checkpoint that continues what this witness saw before; refuse forks and rollbacks.
    #[command(after_help = "Exit codes: 0 cosigned, 1 refused.\n\n\
        A ledger that has grown must prove that it continues what was cosigned last. Whoever has its files gets that\n\
        with `obhut ledger consistency DIR OLD`, where OLD is the size that the refusal names.\n\n\
        Examples:\n  \
        obhut witness cosign --state /srv/witness --trust keys.json --origin obhut.local/ledger checkpoint\n  \
        obhut witness cosign --state /srv/witness --trust keys.json --origin obhut.local/ledger request\n  \
        obhut witness cosign --state /srv/witness --log-key VKEY --origin obhut.local/ledger checkpoint --proof request")]
    Cosign(CosignArgs),
}

/// What to make.
#[derive(clap::Args)]
pub(crate) struct InitArgs {
    /// The witness's folder; it must hold no witness yet.
    #[arg(long, value_name = "DIR")]
    state: PathBuf,
    /// The witness's name, like a URL without scheme.
    #[arg(long, value_name = "NAME")]
    name: String,
}

/// What to cosign.
#[derive(clap::Args)]
pub(crate) struct CosignArgs {
    /// The witness's folder.
    #[arg(long, value_name = "DIR")]
    state: PathBuf,
    #[command(flatten)]
    trust: Trust,
    /// The origin line that the checkpoint must carry.
    #[arg(long, value_name = "ORIGIN")]
    origin: String,
    /// The checkpoint, or a whole request as `obhut ledger consistency` prints it; `-` is standard input.
    #[arg(value_name = "CHECKPOINT")]
    checkpoint: PathBuf,
    /// The proof that the checkpoint continues what was cosigned last: a request for the same checkpoint.
    #[arg(long, value_name = "FILE")]
    proof: Option<PathBuf>,
}

/// Runs a verb.
pub(crate) fn run(verb: &Verb, out: &mut dyn Write) -> Result<ExitCode, Problem> {
    match verb {
        Verb::Init(args) => init(args, out),
        Verb::Cosign(args) => cosign(args, out),
    }
}

fn init(args: &InitArgs, out: &mut dyn Write) -> Result<ExitCode, Problem> {
    let key = KeyPair::generate_for(&PKCS_ED25519).map_err(Problem::from_error("cannot make a key"))?;
    let signer = Signer { name: args.name.clone(), public: public(&key)?, key };
    let vkey = signer.vkey().vkey();
    if VerifierKey::parse(&vkey).is_err() {
        return Err(Problem::with_help(
            "the name cannot stand in a signature line",
            "no space and no `+`, like witness.example/hospital",
        ));
    }
    private_folder(&args.state)?;
    if args.state.join("key.pem").exists() || args.state.join("witness").exists() {
        return Err(Problem::with_help(
            format!("{} holds a witness already", args.state.display()),
            "a witness that forgets what it saw is none; choose another folder for another witness",
        ));
    }
    let pem = Zeroizing::new(signer.key.serialize_pem());
    private_file(&args.state.join("vkey"), format!("{vkey}\n").as_bytes(), 0o644)?;
    private_file(&args.state.join("key.pem"), pem.as_bytes(), 0o600)?;
    std::fs::File::open(&args.state)?.sync_all()?;
    writeln!(out, "{vkey}")?;
    Ok(ExitCode::SUCCESS)
}

fn cosign(args: &CosignArgs, out: &mut dyn Write) -> Result<ExitCode, Problem> {
    let keys = args.trust.keys(&args.origin)?;
    if keys.is_empty() {
        return Err(Problem::with_help(
            "nobody is named whose ledger this is",
            "--log-key VKEY or --trust KEYS",
        ));
    }
    let given = read(&args.checkpoint)?;
    let proof = args.proof.as_deref().map(read).transpose()?;
    let logs = keys.iter().map(|key| (args.origin.clone(), key.clone())).collect();
    let witness =
        Witness::open(&args.state, logs, Arc::new(open_signer(&args.state)?), Arc::new(SystemClock))
            .map_err(|error| Problem::new(state_in_words(&error)))?;
    let known = witness.size(&args.origin);
    let (request, checkpoint) = request(&given, proof.as_deref(), known);
    match witness.add_checkpoint(&request) {
        Ok(line) => {
            out.write_all(checkpoint)?;
            out.write_all(line.as_bytes())?;
            Ok(ExitCode::SUCCESS)
        }
        Err(error @ (WitnessError::Io(_) | WitnessError::State | WitnessError::Signer)) => {
            Err(Problem::new(state_in_words(&error)))
        }
        Err(error) => {
            let size = open_checkpoint(checkpoint, &keys).map(|opened| opened.checkpoint.size).ok();
            let proved = request.len() > checkpoint.len() + format!("old {known}\n\n").len();
            writeln!(out, "refused: {}", refusal(&error, &Seen { known, size, proved }))?;
            Ok(ExitCode::FAILURE)
        }
    }
}

/// The request, and the checkpoint in it. A file that begins with `old ` is a request already.
fn request<'a>(given: &'a [u8], proof: Option<&[u8]>, known: u64) -> (Vec<u8>, &'a [u8]) {
    let end_of_head = |bytes: &[u8]| bytes.windows(2).position(|two| two == b"\n\n").map(|at| at + 2);
    if given.starts_with(b"old ")
        && let Some(end) = end_of_head(given)
        && proof.is_none()
    {
        return (given.to_vec(), &given[end..]);
    }
    let head = match proof {
        Some(proof) => proof[..end_of_head(proof).unwrap_or(proof.len())].to_vec(),
        None => format!("old {known}\n\n").into_bytes(),
    };
    ([&head[..], given].concat(), given)
}

/// What is known about a refused request.
struct Seen {
    /// The size that was cosigned last.
    known: u64,
    /// The size of the checkpoint, if it is signed by the log.
    size: Option<u64>,
    /// Whether there was a proof.
    proved: bool,
}

/// Why, in words that name the way out.
fn refusal(error: &WitnessError, seen: &Seen) -> String {
    let known = seen.known;
    match (error, seen.size) {
        (WitnessError::UnknownOrigin, _) => "the checkpoint is of another origin than --origin".into(),
        (WitnessError::Untrusted, _) => "the checkpoint is not signed by the log's key".into(),
        (_, None) => "the file is not a signed checkpoint, or its proof is not in the format".into(),
        (_, Some(size)) if size < known => {
            format!("rollback: the checkpoint has {size} entries, but this witness has cosigned {known}")
        }
        (_, Some(size)) if size == known && !seen.proved => {
            format!("fork: this witness has cosigned another root for the same {known} entries")
        }
        (WitnessError::Inconsistent, Some(size)) if !seen.proved => format!(
            "the ledger has grown from {known} to {size} entries and must prove that it continues; \
             `obhut ledger consistency DIR {known}` prints the proof"
        ),
        (WitnessError::Inconsistent, _) => format!(
            "the proof does not lead from the {known} entries that were cosigned to this checkpoint: \
             either the proof is for another checkpoint, or history was rewritten (fork)"
        ),
        (WitnessError::Conflict { size: known }, _) => format!(
            "the proof does not begin where this witness stands, or the root is another; \
             `obhut ledger consistency DIR {known}` prints the right one"
        ),
        (other, _) => other.to_string(),
    }
}

fn state_in_words(error: &WitnessError) -> String {
    match error {
        WitnessError::Io(cause) if cause.kind() == std::io::ErrorKind::WouldBlock => {
            "another process uses this witness".into()
        }
        WitnessError::Io(cause) => format!("{error}: {cause}; nothing was cosigned"),
        _ => format!("{error}; nothing was cosigned"),
    }
}

fn read(path: &Path) -> Result<Vec<u8>, Problem> {
    let failed = |error| Problem::new(format!("cannot read {}: {error}", path.display()));
    let source: Box<dyn Read> = if path == Path::new("-") {
        Box::new(std::io::stdin())
    } else {
        Box::new(std::fs::File::open(path).map_err(failed)?)
    };
    let mut bytes = Vec::new();
    source.take(LARGEST + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > LARGEST {
        return Err(Problem::new(format!("{} is larger than 1 MiB", path.display())));
    }
    Ok(bytes)
}

/// Signs with the witness's key.
struct Signer {
    name: String,
    key: KeyPair,
    public: [u8; 32],
}

impl Signer {
    fn vkey(&self) -> VerifierKey {
        VerifierKey { name: self.name.clone(), kind: KeyKind::CosignatureV1, public: self.public }
    }
}

fn public(key: &KeyPair) -> Result<[u8; 32], Problem> {
    key.public_key_raw().try_into().map_err(|_| Problem::new("the key of the witness is not an Ed25519 key"))
}

fn open_signer(state: &Path) -> Result<Signer, Problem> {
    let file = |name: &str| {
        std::fs::read_to_string(state.join(name)).map_err(|error| {
            Problem::with_help(
                format!("cannot read {}: {error}", state.join(name).display()),
                "`obhut witness init` makes a witness",
            )
        })
    };
    let pem = Zeroizing::new(file("key.pem")?);
    let key = KeyPair::from_pkcs8_pem_and_sign_algo(&pem, &PKCS_ED25519)
        .map_err(Problem::from_error("the key of the witness"))?;
    let vkey = VerifierKey::parse(file("vkey")?.trim_end())
        .map_err(Problem::from_error("the file `vkey` of the witness"))?;
    let signer = Signer { name: vkey.name.clone(), public: public(&key)?, key };
    if signer.vkey() == vkey {
        Ok(signer)
    } else {
        Err(Problem::new("the files `key.pem` and `vkey` of the witness do not belong together"))
    }
}

impl CheckpointSigner for Signer {
    fn key_name(&self) -> &str {
        &self.name
    }

    fn public_key(&self) -> [u8; 32] {
        self.public
    }

    /// Zeros when the library refuses; the witness checks each signature before it hands it out.
    fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.key.sign(message).ok().and_then(|signature| signature.try_into().ok()).unwrap_or([0; 64])
    }
}
