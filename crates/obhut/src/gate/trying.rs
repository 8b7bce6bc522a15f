//! `obhut rules try`: what a recorded page or archive holds that is personal, and which rules would protect it.

use super::fetch::{self, Session};
use crate::system::Problem;
use gateway::Setup;
use gateway::trying::{self, Exchange, Report, Wish};
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Largest page that is read from a file.
const PAGE_BYTES: u64 = 16 << 20;

/// What stands below the help of `rules try`.
pub(crate) const HELP: &str = "The report says how a value begins and never what it is. Exit codes: 0 all is covered, 1 something is\n\
    not, 2 it could not be looked at.\n\n\
    Examples:\n  \
    obhut rules try afternoon.har --purpose personnel\n  \
    obhut rules try page.html --path /workers/7/edit\n  \
    obhut rules try http://127.0.0.1:8000/workers --header-file session.txt\n  \
    obhut rules try afternoon.har --config /srv/obhut/obhut.toml";

/// What to look at.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// A page of the app (https, or http on this machine), a saved page (.html), or an archive that a browser saved (.har).
    #[arg(value_name = "URL|FILE")]
    what: String,
    /// A configuration: its rules are held against what is found.
    #[arg(long, short, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The purpose that proposals name.
    #[arg(long, default_value = "service", value_name = "NAME")]
    purpose: String,
    /// For a saved page: the path at which it stands.
    #[arg(long, default_value = "/", value_name = "PATH")]
    path: String,
    /// For a URL: a file with headers, one a line (`Authorization: …`). Never on the command line, where others see it.
    #[arg(long, value_name = "FILE")]
    header_file: Option<PathBuf>,
    /// For a URL: a file with cookies, one a line (`session=…`).
    #[arg(long, value_name = "FILE")]
    cookie_file: Option<PathBuf>,
    /// For a URL: the authority (PEM) that signed the app's certificate; those of the system when left out.
    #[arg(long, value_name = "FILE")]
    authority: Option<PathBuf>,
    /// JSON instead of text.
    #[arg(long)]
    json: bool,
}

/// What was read.
#[derive(Default)]
struct Recorded {
    exchanges: Vec<Exchange>,
    host: Option<String>,
    upstream: Option<String>,
    others: BTreeMap<String, usize>,
    left_out: usize,
}

/// Looks, and says what was found.
pub(crate) fn run(args: &Args, out: &mut dyn Write) -> Result<ExitCode, Problem> {
    if !model::catalogue::is_name(&args.purpose) {
        return Err(Problem::with_help(
            "`--purpose` is no name of a purpose",
            "it looks like personnel or sign-in",
        ));
    }
    let setup = args.config.as_deref().map(rules).transpose()?;
    let recorded = recorded(args)?;
    let wish = Wish {
        purpose: &args.purpose,
        host: recorded.host.as_deref(),
        upstream: recorded.upstream.as_deref(),
        setup: setup.as_ref(),
        others: Some(&recorded.others),
        left_out: recorded.left_out,
    };
    let report = trying::look(&recorded.exchanges, &wish);
    say(args, &report, out)?;
    Ok(if report.leaks.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

fn say(args: &Args, report: &Report, out: &mut dyn Write) -> Result<(), Problem> {
    if args.json {
        let json = serde_json::to_string_pretty(report).map_err(Problem::from_error("the report"))?;
        writeln!(out, "{json}")?;
    } else {
        out.write_all(report.text().as_bytes())?;
    }
    Ok(())
}

/// The rules of a configuration.
fn rules(file: &Path) -> Result<Setup, Problem> {
    let config = crate::config::load(file)?;
    let tables = config.gateway.as_ref();
    let tables = tables.ok_or_else(|| Problem::new(format!("{} has no [gateway]", file.display())))?;
    super::setup(&config.data, tables, None)
}

fn recorded(args: &Args) -> Result<Recorded, Problem> {
    if args.what.starts_with("https://") || args.what.starts_with("http://") {
        let session = Session::read(args.header_file.as_deref(), args.cookie_file.as_deref())?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let fetched = runtime.block_on(fetch::page(&args.what, &session, args.authority.as_deref()))?;
        return Ok(Recorded {
            exchanges: vec![fetched.exchange],
            host: Some(fetched.host),
            upstream: fetched.upstream,
            ..Recorded::default()
        });
    }
    let file = Path::new(&args.what);
    let bytes = |most: u64| -> Result<Vec<u8>, Problem> {
        let mut bytes = Vec::new();
        let opened = std::fs::File::open(file);
        let opened =
            opened.map_err(|error| Problem::new(format!("cannot read {}: {error}", file.display())))?;
        opened.take(most + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > most {
            return Err(Problem::new(format!("{} is larger than {} MiB", file.display(), most >> 20)));
        }
        Ok(bytes)
    };
    let kind = file.extension().and_then(|kind| kind.to_str()).unwrap_or_default().to_ascii_lowercase();
    match kind.as_str() {
        "har" => {
            let archive = trying::archive(&bytes(trying::ARCHIVE_BYTES as u64)?);
            let archive = archive.map_err(Problem::from_error("the archive"))?;
            Ok(Recorded {
                exchanges: archive.exchanges,
                host: Some(archive.host),
                upstream: None,
                others: archive.others,
                left_out: archive.left_out,
            })
        }
        "html" | "htm" => {
            let path = if args.path.starts_with('/') { args.path.clone() } else { format!("/{}", args.path) };
            Ok(Recorded { exchanges: vec![Exchange::page(&path, bytes(PAGE_BYTES)?)], ..Recorded::default() })
        }
        _ => Err(Problem::with_help(
            format!("{} is neither a page nor an archive", file.display()),
            "name a URL, a file that ends in .html, or one that ends in .har (saved by a browser's developer tools)",
        )),
    }
}
