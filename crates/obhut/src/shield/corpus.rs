//! `obhut rules test`: a corpus of regression tests in the shape of go-ftw, run against rules in this process.
//!
//! The settings are those under which the corpus of CRS is written (the project's own containers for tests): everything is
//! detected and nothing refused, limits of arguments and files are set, and the answers of the back end are emulated.

use super::rules::{self, Extra, Loaded};
use crate::system::{Problem, SystemClock};
use gateway::config::{ShieldMode, ShieldTable};
use model::Clock;
use serde::Serialize;
use shield::ftw::overrides::Overrides;
use shield::ftw::{self, Case, Observed, Verdict};
use shield::message::Request;
use shield::{Collections, Context, Engine, Head, Transaction};
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// What stands below the help.
pub(super) const HELP: &str = "The corpus of CRS lies in `tests/regression` of its full archive. Nothing is sent anywhere: requests are built as \
    go-ftw builds them and read as a server reads them, and what `/reflect` would answer is emulated. Cases that expect \
    the status of a server and nothing else are skipped. docs/conformance.md has our own results.\n\n\
    Exit codes: 0 all passed or were skipped, 1 some failed, 2 it could not be run.\n\n\
    Examples:\n  \
    obhut rules test coreruleset-4.18.0/tests/regression --rules coreruleset-4.18.0\n  \
    obhut rules test own-tests/942100.yaml --rules /usr/share/modsecurity-crs --paranoia 2\n  \
    obhut rules test tests/regression --rules . --overrides own-overrides.yaml --json";

/// Largest file of the corpus.
const FILE: u64 = 8 << 20;
/// Most files.
const FILES: usize = 20_000;
/// Deepest folder.
const DEPTH: usize = 8;
/// How often progress is said.
const EACH: Duration = Duration::from_secs(2);

/// What to run.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The folder with the tests (.yaml), or one such file.
    #[arg(value_name = "CORPUS_DIR")]
    corpus: PathBuf,
    /// The rules, as for `rules check`.
    #[arg(long, value_name = "DIR")]
    rules: PathBuf,
    /// Expectations that hold in place of those of single tests, in the shape of CRS's own files.
    #[arg(long, value_name = "FILE")]
    overrides: Option<PathBuf>,
    /// The paranoia level; the corpus is written for 4.
    #[arg(long, default_value_t = 4, value_name = "1-4")]
    paranoia: u8,
    /// JSON instead of text.
    #[arg(long)]
    json: bool,
}

/// How all of it ended.
#[derive(Debug, Default, Serialize)]
pub(super) struct Outcome {
    rules: String,
    paranoia: u8,
    seconds: f64,
    pub(super) passed: usize,
    /// Cases for which the overrides had a word.
    overridden: usize,
    pub(super) failed: Vec<Failed>,
    pub(super) skipped: Vec<Skipped>,
}

/// A case that failed, or a file that is none.
#[derive(Debug, Serialize)]
pub(super) struct Failed {
    pub(super) case: String,
    file: String,
    pub(super) causes: Vec<String>,
}

/// A case that was not judged.
#[derive(Debug, Serialize)]
pub(super) struct Skipped {
    case: String,
    file: String,
    pub(super) why: String,
}

/// Runs the corpus.
pub(super) fn run(args: &Args, out: &mut dyn Write) -> Result<ExitCode, Problem> {
    let overrides = args.overrides.as_deref().map(read_overrides).transpose()?.unwrap_or_default();
    let outcome = outcome(&args.corpus, &args.rules, args.paranoia, &overrides)?;
    if args.json {
        let json = serde_json::to_string_pretty(&outcome).map_err(Problem::from_error("the report"))?;
        writeln!(out, "{json}")?;
    } else {
        outcome.print(out)?;
    }
    Ok(if outcome.failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

/// Runs a corpus against rules.
pub(super) fn outcome(
    corpus: &Path,
    folder: &Path,
    paranoia: u8,
    overrides: &Overrides,
) -> Result<Outcome, Problem> {
    let files = files(corpus)?;
    let loaded = load(folder, paranoia)?;
    let start = Instant::now();
    let parts = all(&files, &loaded, overrides);
    let mut outcome = Outcome { rules: loaded.kind.to_string(), paranoia, ..Outcome::default() };
    for part in parts {
        outcome.passed += part.passed;
        outcome.overridden += part.overridden;
        outcome.failed.extend(part.failed);
        outcome.skipped.extend(part.skipped);
    }
    outcome.seconds = start.elapsed().as_secs_f64();
    if outcome.passed + outcome.failed.len() + outcome.skipped.len() == 0 {
        return Err(Problem::with_help(
            format!("{} holds no tests", corpus.display()),
            "the tests of CRS lie in tests/regression of its full archive, not of the minimal one",
        ));
    }
    Ok(outcome)
}

fn text_of(file: &Path) -> Result<String, String> {
    let mut text = String::new();
    let opened = std::fs::File::open(file).map_err(|error| error.to_string())?;
    opened.take(FILE + 1).read_to_string(&mut text).map_err(|error| error.to_string())?;
    if text.len() as u64 > FILE { Err(format!("larger than {} MiB", FILE >> 20)) } else { Ok(text) }
}

fn read_overrides(file: &Path) -> Result<Overrides, Problem> {
    let wrong = |why: String| Problem::new(format!("overrides {}: {why}", file.display()));
    let text = text_of(file).map_err(wrong)?;
    Overrides::read(&text).map_err(|error| wrong(error.to_string()))
}

/// The files of a corpus in the order of their names; overrides that lie beside them are none.
fn files(corpus: &Path) -> Result<Vec<PathBuf>, Problem> {
    fn gather(folder: &Path, depth: usize, into: &mut Vec<PathBuf>) -> std::io::Result<()> {
        for entry in std::fs::read_dir(folder)? {
            let entry = entry?;
            let (path, kind) = (entry.path(), entry.file_type()?);
            let name = entry.file_name().to_string_lossy().into_owned();
            if kind.is_dir() && depth > 0 {
                gather(&path, depth - 1, into)?;
            } else if kind.is_file() && is_yaml(&path) && !name.contains("overrides") && into.len() <= FILES {
                into.push(path);
            }
        }
        Ok(())
    }
    let mut files = Vec::new();
    let unreadable = |error| Problem::new(format!("cannot read {}: {error}", corpus.display()));
    if std::fs::metadata(corpus).map_err(unreadable)?.is_file() {
        return Ok(vec![corpus.to_owned()]);
    }
    gather(corpus, DEPTH, &mut files).map_err(unreadable)?;
    if files.len() > FILES {
        return Err(Problem::new(format!("{} holds more than {FILES} files of tests", corpus.display())));
    }
    files.sort();
    Ok(files)
}

fn is_yaml(path: &Path) -> bool {
    path.extension().is_some_and(|end| end == "yaml" || end == "yml")
}

fn load(folder: &Path, paranoia: u8) -> Result<Loaded, Problem> {
    let limits = [
        "max_num_args=255",
        "arg_name_length=100",
        "arg_length=400",
        "total_arg_length=6400",
        "max_file_size=64100",
        "combined_file_sizes=65535",
        "crs_validate_utf8_encoding=1",
    ];
    let extra = Extra { variables: limits.map(|limit| format!("tx.{limit}")).to_vec() };
    let table = ShieldTable {
        mode: ShieldMode::Detect,
        rules: Some(folder.to_owned()),
        paranoia,
        detection_paranoia: paranoia,
        body_limit: 128 << 20,
        response_limit: 128 << 20,
        profile: false,
        ..ShieldTable::default()
    };
    Ok(rules::load_with(&table, Path::new(""), &extra)?)
}

/// Runs files on all processors; the results stand in the order of the files.
fn all(files: &[PathBuf], loaded: &Loaded, overrides: &Overrides) -> Vec<Outcome> {
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get).min(files.len());
    let (next, done) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let now = u64::try_from(SystemClock.now().0 / 1_000).unwrap_or(0);
    let mut results: BTreeMap<usize, Outcome> = BTreeMap::new();
    std::thread::scope(|scope| {
        let work = || {
            let mut mine = Vec::new();
            loop {
                let at = next.fetch_add(1, Ordering::Relaxed);
                let Some(file) = files.get(at) else { return mine };
                mine.push((at, of_file(file, loaded, overrides, now)));
                done.fetch_add(1, Ordering::Relaxed);
            }
        };
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        let mut said = Instant::now();
        while workers.iter().any(|worker| !worker.is_finished()) {
            std::thread::sleep(Duration::from_millis(10));
            if said.elapsed() >= EACH {
                said = Instant::now();
                progress(done.load(Ordering::Relaxed), files.len());
            }
        }
        for worker in workers {
            match worker.join() {
                Ok(mine) => results.extend(mine),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
    });
    results.into_values().collect()
}

fn progress(done: usize, all: usize) {
    let _ = writeln!(std::io::stderr().lock(), "{done} of {all} files");
}

fn of_file(file: &Path, loaded: &Loaded, overrides: &Overrides, now: u64) -> Outcome {
    let mut outcome = Outcome::default();
    let shown = file.display().to_string();
    let cases = text_of(file).and_then(|text| ftw::read(&text).map_err(|error| error.to_string()));
    let cases = match cases {
        Ok(cases) => cases,
        Err(why) => {
            let case = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
            outcome.failed.push(Failed { case, file: shown, causes: vec![why] });
            return outcome;
        }
    };
    for mut case in cases {
        outcome.overridden += usize::from(overrides.apply(&mut case));
        one(&case, &shown, &loaded.engine, now, &mut outcome);
    }
    outcome
}

fn one(case: &Case, file: &str, engine: &Arc<Engine>, now: u64, outcome: &mut Outcome) {
    let (case_name, file) = (case.to_string(), file.to_owned());
    match case.run(|request| Ok(observe(engine, request, now))) {
        Verdict::Passed => outcome.passed += 1,
        Verdict::Failed(causes) => {
            let causes = causes.iter().map(ToString::to_string).collect();
            outcome.failed.push(Failed { case: case_name, file, causes });
        }
        Verdict::Skipped(why) => {
            outcome.skipped.push(Skipped { case: case_name, file, why: why.to_string() });
        }
    }
}

/// What the rules find in a request and its answer, with lines of a log as ModSecurity would write them.
fn observe(engine: &Arc<Engine>, request: &Request, now: u64) -> Observed {
    let local = IpAddr::V4(Ipv4Addr::LOCALHOST);
    let context = Context {
        client: request.client,
        client_port: 40_000,
        server: local,
        server_port: 443,
        id: "test".to_owned(),
        now,
    };
    // No test knows of another.
    let collections = Arc::new(Collections::new(64));
    let mut transaction = Transaction::new(engine, &collections, context).explaining();
    send(&mut transaction, request);
    let report = transaction.finish();
    let ids = report.matched.iter().filter(|matched| matched.logged).map(|matched| matched.rule).collect();
    let mut log = String::new();
    for line in transaction.logged() {
        let (message, data) = (line.message.escape_ascii(), line.data.escape_ascii());
        log.push_str(&format!("[id \"{}\"] [msg \"{message}\"] [data \"{data}\"]\n", line.rule));
    }
    Observed { ids, log: Some(log) }
}

fn send(transaction: &mut Transaction, request: &Request) {
    let headers = pairs(&request.headers);
    let head = Head {
        method: &request.method,
        target: &request.uri,
        protocol: &request.protocol,
        headers: &headers,
    };
    if transaction.request_head(&head).is_some() || transaction.request_body(&request.body, true).is_some() {
        return;
    }
    if let Some(response) = &request.response {
        let headers = pairs(&response.headers);
        if transaction.response_head(response.status, &response.protocol, &headers).is_some() {
            return;
        }
        if transaction.wants_answer() {
            transaction.response_window(&response.body, true);
        }
    }
}

fn pairs(fields: &[(Vec<u8>, Vec<u8>)]) -> Vec<(&[u8], &[u8])> {
    fields.iter().map(|(name, value)| (name.as_slice(), value.as_slice())).collect()
}

impl Outcome {
    fn print(&self, out: &mut dyn Write) -> Result<(), Problem> {
        for failed in &self.failed {
            writeln!(out, "FAILED {}: {}  ({})", failed.case, failed.causes.join("; "), failed.file)?;
        }
        let mut why: BTreeMap<&str, usize> = BTreeMap::new();
        for skipped in &self.skipped {
            *why.entry(reason(&skipped.why)).or_default() += 1;
        }
        for (why, count) in why {
            writeln!(out, "skipped {count}: {why}")?;
        }
        if self.overridden > 0 {
            writeln!(out, "overridden {}", self.overridden)?;
        }
        writeln!(out, "{}, paranoia level {}, {:.1} s", self.rules, self.paranoia, self.seconds)?;
        let (passed, failed, skipped) = (self.passed, self.failed.len(), self.skipped.len());
        writeln!(out, "passed {passed} failed {failed} skipped {skipped}")?;
        Ok(())
    }
}

/// What is the same in the reasons of many.
fn reason(why: &str) -> &str {
    if why.starts_with("expects status") { "expects the status of a server and nothing else" } else { why }
}
