//! How the passphrase comes in: a file, a systemd credential, or this verb over the local socket. Never an argument,
//! never an environment variable.

use crate::config::Config;
use crate::system::{Problem, environment};
use seal::{Passphrase, Root};
use std::io::{BufRead, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;
use zeroize::Zeroizing;

/// Longest passphrase in bytes.
const LONGEST: u64 = 1_024;

/// Where the house waits.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The configuration file of the house.
    #[arg(long, short, default_value = "obhut.toml", value_name = "FILE")]
    config: PathBuf,
}

/// Reads the passphrase from standard input and hands it to the waiting house.
pub(crate) fn run(args: &Args, out: &mut dyn Write) -> Result<ExitCode, Problem> {
    let config = crate::config::load(&args.config)?;
    let mut line = Zeroizing::new(String::new());
    std::io::stdin().lock().take(LONGEST).read_line(&mut line)?;
    let mut stream = UnixStream::connect(&config.socket).map_err(|error| {
        Problem::with_help(
            format!("nobody waits at {}: {error}", config.socket.display()),
            "is `obhut serve` running, and does it wait for a passphrase?",
        )
    })?;
    stream.set_read_timeout(Some(Duration::from_secs(60)))?;
    stream.write_all(line.trim_end_matches(['\r', '\n']).as_bytes())?;
    stream.write_all(b"\n")?;
    let mut answer = String::new();
    stream.take(LONGEST).read_to_string(&mut answer)?;
    writeln!(out, "{}", answer.trim_end())?;
    Ok(if answer.starts_with("open") { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The passphrase from a file or credential, when one is configured.
pub(crate) fn configured(config: &Config) -> Result<Option<Passphrase>, Problem> {
    if let Some(name) = &config.credential {
        let folder = environment().get("CREDENTIALS_DIRECTORY").cloned().ok_or_else(|| {
            Problem::with_help(
                "a systemd credential is configured, but this was not started by systemd with credentials",
                "LoadCredentialEncrypted= in the unit hands it over",
            )
        })?;
        return crate::init::read_passphrase(&Path::new(&folder).join(name)).map(Some);
    }
    config.passphrase_file.as_deref().map(crate::init::read_passphrase).transpose()
}

/// Waits on the local socket until a passphrase opens the root. Only the owner can reach the socket; each try costs
/// a full Argon2id.
pub(crate) fn wait(config: &Config) -> Result<Root, Problem> {
    if config.socket.exists() {
        std::fs::remove_file(&config.socket)?;
    }
    let listener = UnixListener::bind(&config.socket)
        .map_err(|error| Problem::new(format!("cannot listen at {}: {error}", config.socket.display())))?;
    std::fs::set_permissions(&config.socket, std::fs::Permissions::from_mode(0o600))?;
    loop {
        let (mut stream, _) = listener.accept()?;
        stream.set_read_timeout(Some(Duration::from_secs(10)))?;
        let mut line = Zeroizing::new(Vec::new());
        let read = std::io::BufReader::new(Read::take(&mut stream, LONGEST)).read_until(b'\n', &mut line);
        while line.last().is_some_and(|byte| matches!(byte, b'\n' | b'\r')) {
            line.pop();
        }
        let opened = match (read, Passphrase::new(line.to_vec())) {
            (Ok(_), Ok(passphrase)) => crate::wiring::open_root(config, &passphrase).ok(),
            _ => None,
        };
        let answer =
            if opened.is_some() { "open\n" } else { "the root does not open with this passphrase\n" };
        // Whoever asked may be gone already; the root is open all the same.
        let _ = stream.write_all(answer.as_bytes());
        if let Some(root) = opened {
            std::fs::remove_file(&config.socket)?;
            return Ok(root);
        }
    }
}
