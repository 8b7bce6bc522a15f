//! `obhut doctor`: looks at everything that can be seen without a secret, and names the way out of what is wrong.

mod certificate;
mod files;
mod house;
mod machine;
mod shield;

use crate::system::{Problem, SystemClock};
use model::Clock;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

/// What to look at.
#[derive(clap::Args)]
#[command(
    after_help = "Exit codes: 0 all is well, 1 something deserves attention, 2 something is wrong.\n\n\
    Nothing is changed and no passphrase is asked for. While the server runs it holds the store; then the store is\n\
    not looked at.\n\n\
    Examples:\n  obhut doctor --config /srv/obhut/obhut.toml\n  \
    obhut doctor --config /srv/obhut/obhut.toml --trust keys.json"
)]
pub(crate) struct Args {
    /// The configuration file.
    #[arg(long, short, default_value = "obhut.toml", value_name = "FILE")]
    config: PathBuf,
    /// The key document of the house: the signature of the last checkpoint is checked too.
    #[arg(long, value_name = "KEYS")]
    trust: Option<PathBuf>,
}

/// How grave a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Level {
    Ok,
    Warn,
    Fail,
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) level: Level,
    pub(super) what: String,
    /// The way out, or for what is well what would be better; may be empty.
    pub(super) way_out: String,
}

pub(super) fn ok(what: impl Into<String>) -> Line {
    Line { level: Level::Ok, what: what.into(), way_out: String::new() }
}

pub(super) fn warn(what: impl Into<String>, way_out: impl Into<String>) -> Line {
    Line { level: Level::Warn, what: what.into(), way_out: way_out.into() }
}

pub(super) fn fail(what: impl Into<String>, way_out: impl Into<String>) -> Line {
    Line { level: Level::Fail, what: what.into(), way_out: way_out.into() }
}

/// Looks, and says each thing in a line.
pub(crate) fn run(args: &Args, out: &mut dyn Write) -> Result<ExitCode, Problem> {
    let config = crate::config::load(&args.config)?;
    let now = SystemClock.now();
    let mut lines = vec![ok(format!("the configuration {} is valid", args.config.display()))];
    lines.extend(files::look(&config, now));
    lines.extend(machine::look(&config));
    lines.extend(shield::look(&config));
    lines.extend(house::look(&config, args.trust.as_deref(), now)?);
    for line in &lines {
        let mark = match line.level {
            Level::Ok => "ok  ",
            Level::Warn => "warn",
            Level::Fail => "FAIL",
        };
        writeln!(out, "{mark}  {}", line.what)?;
        if !line.way_out.is_empty() {
            writeln!(out, "      → {}", line.way_out)?;
        }
    }
    Ok(match lines.iter().map(|line| line.level).max() {
        None | Some(Level::Ok) => ExitCode::SUCCESS,
        Some(Level::Warn) => ExitCode::from(1),
        Some(Level::Fail) => ExitCode::from(2),
    })
}
