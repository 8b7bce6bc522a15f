//! `obhut rules install`: a release of the Core Rule Set, from its archive to the rules that run.
//!
//! The digest is checked before anything is taken apart, everything is taken apart in memory before anything is written,
//! what is written is compiled before it counts, and what counts is one link that is switched at once. The version
//! before stays, for `--rollback`.

mod archive;
mod folder;

use super::rules::{self, CURRENT, Kind, Loaded, Unloadable};
use super::{Configured, configured};
use crate::gate::fetch;
use crate::system::{Problem, complain};
use data_encoding::HEXLOWER;
use folder::{Folder, PREVIOUS};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// What stands below the help.
pub(super) const HELP: &str = "The release page of CRS has archives (.tar.gz, .zip; the minimal one is enough). Name the digest that the page or \
    its signature says; without --sha256 nothing is installed, and the digest that was found is shown.\n\n\
    The rules are unpacked into a folder of their own in DIR and compiled on trial. Only then the link `current` in DIR \
    is switched; the version before stays, and --rollback goes back to it. Settings and exclusions of your own \
    (crs-setup.conf, REQUEST-900…, RESPONSE-999…, plugins) are carried over. `rules = \"DIR\"` under [shield] makes \
    the server use them; SIGHUP makes it read them anew.\n\n\
    Exit codes: 0 installed, 1 refused (digest, archive, or rules that cannot be honoured), 2 it could not be done.\n\n\
    Examples:\n  \
    obhut rules install coreruleset-4.18.0-minimal.tar.gz --sha256 9f86d08… --config obhut.toml\n  \
    obhut rules install https://mirror.example/crs-4.18.0.tar.gz --sha256 9f86d08… --into /srv/crs\n  \
    obhut rules install --rollback --into /srv/crs";

/// What to install, and where.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The archive: a file, or an https address.
    #[arg(value_name = "FILE|URL", required_unless_present = "rollback", conflicts_with = "rollback")]
    what: Option<String>,
    /// The SHA-256 of the archive, in hexadecimal digits.
    #[arg(long, value_name = "HEX")]
    sha256: Option<String>,
    /// The folder that holds the versions; `rules` in the data folder when left out.
    #[arg(long, value_name = "DIR")]
    into: Option<PathBuf>,
    /// The configuration whose data folder and [shield] count; obhut.toml of the present folder, if it is there.
    #[arg(long, short, value_name = "FILE")]
    config: Option<PathBuf>,
    /// For an address: the authority (PEM) that signed its certificate; those of the system when left out.
    #[arg(long, value_name = "FILE")]
    authority: Option<PathBuf>,
    /// Go back to the version before.
    #[arg(long)]
    rollback: bool,
}

/// Installs, or goes back.
pub(super) fn run(args: &Args, out: &mut dyn Write) -> Result<ExitCode, Problem> {
    let asked = configured(args.config.as_deref(), None)?;
    let into = into(args, &asked)?;
    if args.rollback {
        return roll_back(&asked, &Folder::new(&into), out);
    }
    let bytes = bytes(args)?;
    let found = seal::sha256(&bytes);
    if !is_expected(args, &found)? {
        return Ok(ExitCode::from(1));
    }
    let members = match archive::read(&bytes) {
        Ok(members) => members,
        Err(why) => {
            complain(&Problem::with_help(
                format!("the archive is refused: {why}"),
                "take one from the release page of CRS; nothing was written",
            ));
            return Ok(ExitCode::from(1));
        }
    };
    install(&asked, &Folder::new(&into), &members, &HEXLOWER.encode(&found[..4]), out)
}

fn into(args: &Args, asked: &Configured) -> Result<PathBuf, Problem> {
    match &args.into {
        Some(into) => Ok(into.clone()),
        None if asked.base.as_os_str().is_empty() => Err(Problem::with_help(
            "where the rules are kept is not said",
            "name a folder with --into, or the configuration with --config",
        )),
        None => Ok(asked.base.join("rules")),
    }
}

fn bytes(args: &Args) -> Result<Vec<u8>, Problem> {
    let what = args.what.as_deref().unwrap_or_default();
    if what.starts_with("http://") {
        return Err(Problem::with_help("rules come over verified TLS alone", "use https://, or a file"));
    }
    if what.starts_with("https://") {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let fetched = fetch::file(what, args.authority.as_deref(), archive::ARCHIVE);
        return Ok(runtime.block_on(fetched)?.to_vec());
    }
    let mut bytes = Vec::new();
    let opened = std::fs::File::open(what);
    let opened = opened.map_err(|error| Problem::new(format!("cannot read {what}: {error}")))?;
    opened.take(archive::ARCHIVE as u64 + 1).read_to_end(&mut bytes)?;
    if bytes.len() > archive::ARCHIVE {
        return Err(Problem::new(format!("{what} is larger than {} MiB", archive::ARCHIVE >> 20)));
    }
    Ok(bytes)
}

/// Whether the archive is the one that is meant. Which one it is is shown where nobody said it.
fn is_expected(args: &Args, found: &[u8; 32]) -> Result<bool, Problem> {
    let found = HEXLOWER.encode(found);
    let Some(said) = &args.sha256 else {
        return Err(Problem::with_help(
            format!("without --sha256 nothing is installed; the archive has {found}"),
            "compare that with the digest or the signature on the release page, and say it with --sha256",
        ));
    };
    let said = said.trim().to_ascii_lowercase();
    if said.len() != 64 || !said.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(Problem::with_help("--sha256 is no SHA-256", "it has 64 hexadecimal digits"));
    }
    if said != found {
        complain(&Problem::with_help(
            format!("this is another archive: its SHA-256 is {found}"),
            "do not install it; take it anew from the release page, and its digest from another way than the archive",
        ));
    }
    Ok(said == found)
}

/// Loads a version under the configuration that counts.
fn try_out(asked: &Configured, version: &Path) -> Result<Loaded, Unloadable> {
    let table = gateway::config::ShieldTable { rules: Some(version.to_owned()), ..asked.table.clone() };
    rules::load(&table, Path::new(""))
}

fn install(
    asked: &Configured,
    folder: &Folder,
    members: &[archive::Member],
    digest: &str,
    out: &mut dyn Write,
) -> Result<ExitCode, Problem> {
    let staged = folder.stage(members)?;
    let carried = folder.carry_over(&staged)?;
    let loaded = match try_out(asked, staged.path()) {
        Ok(loaded) => loaded,
        Err(why) => {
            // The folder goes; its files are known by their names in the archive.
            let why = why.to_string().replace(&format!("{}/", staged.path().display()), "");
            complain(&Problem::with_help(
                format!("these rules are not installed: {why}"),
                "all stays as it was; unpack the archive and mend the rules, or take another release",
            ));
            return Ok(ExitCode::from(1));
        }
    };
    let name = format!("crs-{}-{digest}", version_of(&loaded));
    let name = folder.keep(staged, &name)?;
    let before = folder.switch(&name)?;
    writeln!(out, "{} is installed in {}", loaded.kind, folder.path().join(&name).display())?;
    if !carried.is_empty() {
        writeln!(out, "carried over: {}", carried.join(", "))?;
    }
    match before {
        Some(before) if before != name => {
            writeln!(out, "{before} stays, and `obhut rules install --rollback` goes back to it")?;
        }
        _ => {}
    }
    say_how_to_use(asked, folder, out)?;
    Ok(ExitCode::SUCCESS)
}

fn version_of(loaded: &Loaded) -> &str {
    match &loaded.kind {
        Kind::Core { version: Some(version), .. } => version,
        _ => "unknown",
    }
}

fn roll_back(asked: &Configured, folder: &Folder, out: &mut dyn Write) -> Result<ExitCode, Problem> {
    let Some(previous) = folder.target(PREVIOUS) else {
        return Err(Problem::with_help(
            format!("{} has no version before the present one", folder.path().display()),
            "`obhut rules install FILE --sha256 …` installs another",
        ));
    };
    let loaded = match try_out(asked, &folder.path().join(&previous)) {
        Ok(loaded) => loaded,
        Err(why) => {
            complain(&Problem::with_help(
                format!("{previous} cannot be used any more: {why}"),
                "all stays as it was",
            ));
            return Ok(ExitCode::from(1));
        }
    };
    folder.switch(&previous)?;
    writeln!(out, "{} counts again, in {}", loaded.kind, folder.path().join(&previous).display())?;
    say_how_to_use(asked, folder, out)?;
    Ok(ExitCode::SUCCESS)
}

fn say_how_to_use(asked: &Configured, folder: &Folder, out: &mut dyn Write) -> Result<(), Problem> {
    let real = |path: &Path| path.canonicalize().ok();
    let configured = asked.table.rules.as_ref().map(|rules| asked.base.join(rules));
    let is_used = configured.is_some_and(|configured| {
        let same = |path: PathBuf| real(&path).is_some() && real(&path) == real(&configured);
        same(folder.path().to_owned()) || same(folder.path().join(CURRENT))
    });
    if is_used {
        writeln!(out, "[shield] names this folder: SIGHUP makes a running server read it anew")?;
    } else {
        let folder = std::path::absolute(folder.path())?;
        writeln!(out, "to use it, set this under [shield] and send the server SIGHUP: rules = {folder:?}")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
