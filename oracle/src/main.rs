//! `obhut-oracle`: libmodsecurity for the tests of the shield, on the command line.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, BufRead, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use oracle::lines::{Bytes, OutcomeLine, RequestLine};
use oracle::ours::Ours;
use oracle::reasons::Judge;
use oracle::rules::{self, RuleText, Setup};
use oracle::{Oracle, compare, corpus, values};
use rustix::time::{ClockId, clock_gettime};
use serde::Deserialize;
use serde_json::{Value, json};
use shield::ftw::Verdict;
use shield::measure::{Contender, Effort, measure};
use shield::message::Request;
use shield::workload;

#[derive(Parser)]
#[command(about = "libmodsecurity, for the tests of the shield")]
struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Reads requests as JSON lines, writes outcomes as JSON lines.
    Run {
        #[command(flatten)]
        load: Load,
        /// Runs all phases, also after one has refused the request.
        #[arg(long)]
        all_phases: bool,
    },
    /// Reads requests as JSON lines, writes what each variable holds.
    Values {
        /// Files of directives that stand before the rules that show the variables.
        #[arg(long)]
        setup: Vec<PathBuf>,
        /// Writes JSON lines instead of text.
        #[arg(long)]
        json: bool,
    },
    /// Runs a regression corpus.
    Ftw {
        /// Folder of the corpus.
        corpus: PathBuf,
        #[command(flatten)]
        rules: RulesAt,
        /// A file of overrides.
        #[arg(long)]
        overrides: Option<PathBuf>,
    },
    /// Writes the requests of a corpus as JSON lines.
    Requests {
        /// Folder of the corpus.
        corpus: PathBuf,
        /// Writes each request's mutations too.
        #[arg(long)]
        mutated: bool,
    },
    /// Holds the shield's rule ids against the oracle's; 1 when they differ for a reason that nobody knows.
    Compare {
        /// Folder of the corpus, or a file of requests as JSON lines.
        corpus: PathBuf,
        #[command(flatten)]
        load: Load,
        /// Outcomes of another engine, in place of the shield: JSON lines with `id` (the name of the request) and
        /// `matched` (rule ids).
        #[arg(long)]
        outcomes: Option<PathBuf>,
        /// Takes every Nth request alone.
        #[arg(long, default_value_t = 1)]
        every: usize,
        /// Writes what each rule makes of it, and not each request.
        #[arg(long)]
        brief: bool,
        /// Compares each request's mutations too.
        #[arg(long)]
        mutated: bool,
        /// Puts no difference to the test of the reasons.
        #[arg(long)]
        unexplained: bool,
        /// Rules that do not count.
        #[arg(long, value_delimiter = ',')]
        ignored: Vec<u64>,
        /// Threads, each with engines of its own.
        #[arg(long, default_value_t = 1)]
        threads: usize,
    },
    /// Measures processor time per request.
    Bench {
        #[command(flatten)]
        rules: RulesAt,
        /// Paranoia levels.
        #[arg(long, value_delimiter = ',', default_values_t = [1, 2])]
        paranoia: Vec<u8>,
        /// Shapes of requests; all when there is none.
        #[arg(long, value_delimiter = ',')]
        requests: Vec<String>,
        /// Processor time for each engine and request, in seconds.
        #[arg(long, default_value_t = 2.0)]
        seconds: f64,
        /// Writes JSON lines instead of a table.
        #[arg(long)]
        json: bool,
    },
}

#[derive(Args)]
struct RulesAt {
    /// Setup files; without one, `crs-setup.conf` or its example in the rules' folder or above it.
    #[arg(long)]
    setup: Vec<PathBuf>,
    /// Folder of the rules.
    #[arg(long)]
    rules: PathBuf,
}

#[derive(Args)]
struct Load {
    #[command(flatten)]
    at: RulesAt,
    /// Paranoia level.
    #[arg(long, default_value_t = 1)]
    paranoia: u8,
    /// Paranoia level of detection, where it differs.
    #[arg(long)]
    detection: Option<u8>,
    /// What rules may do.
    #[arg(long, value_enum, default_value_t = Engine::On)]
    engine: Engine,
    /// Lets rules report that say `nolog`.
    #[arg(long)]
    report_all: bool,
    /// The limits under which the regression corpus is written.
    #[arg(long)]
    corpus_limits: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum Engine {
    #[value(name = "On")]
    On,
    #[value(name = "DetectionOnly")]
    DetectionOnly,
}

impl RulesAt {
    fn texts(&self, setup: &Setup) -> Result<Vec<RuleText>, String> {
        let files = if self.setup.is_empty() {
            rules::setup_beside(&self.rules).into_iter().collect()
        } else {
            self.setup.clone()
        };
        rules::crs(&files, &self.rules, setup)
    }
}

impl Load {
    fn texts(&self) -> Result<Vec<RuleText>, String> {
        let engine = match self.engine {
            Engine::On => rules::Engine::On,
            Engine::DetectionOnly => rules::Engine::DetectionOnly,
        };
        let variables = if self.corpus_limits { Setup::corpus().variables } else { Vec::new() };
        let (paranoia, detection, report_all) = (self.paranoia, self.detection, self.report_all);
        self.at.texts(&Setup { engine, paranoia, detection, variables, report_all })
    }
}

fn main() -> ExitCode {
    let mut out = BufWriter::new(io::stdout().lock());
    let ended = match Cli::parse().verb {
        Verb::Run { load, all_phases } => run(&load, all_phases, &mut out),
        Verb::Values { setup, json } => show_values(&setup, json, &mut out),
        Verb::Ftw { corpus, rules, overrides } => ftw(&corpus, &rules, overrides.as_deref(), &mut out),
        Verb::Requests { corpus, mutated } => write_requests(&corpus, mutated, &mut out),
        Verb::Compare { corpus, load, outcomes, every, brief, mutated, unexplained, ignored, threads } => {
            let requests =
                requests_at(&corpus, mutated).map(|all| all.into_iter().step_by(every.max(1)).collect());
            let ignored = ignored.into_iter().collect();
            let how = Comparison { load, outcomes, ignored, brief, unexplained, threads };
            requests.and_then(|requests| compare_with(requests, &how, &mut out))
        }
        Verb::Bench { rules, paranoia, requests, seconds, json } => {
            bench(&rules, &paranoia, &requests, seconds, json, &mut out)
        }
    };
    let ended = ended.and_then(|good| out.flush().map(|()| good).map_err(|error| error.to_string()));
    match ended {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(why) => {
            eprintln!("obhut-oracle: {why}");
            ExitCode::from(2)
        }
    }
}

/// Calls `each` with every request line of the standard input.
fn each_request(mut each: impl FnMut(Value, Request) -> Result<(), String>) -> Result<(), String> {
    for (line, number) in io::stdin().lock().lines().zip(1_u64..) {
        let line = line.map_err(|error| format!("line {number}: {error}"))?;
        if line.trim().is_empty() {
            continue;
        }
        let mut request: RequestLine =
            serde_json::from_str(&line).map_err(|error| format!("line {number}: {error}"))?;
        let id = std::mem::take(&mut request.id);
        each(id, request.into()).map_err(|error| format!("line {number}: {error}"))?;
    }
    Ok(())
}

fn write_line(out: &mut impl Write, value: &impl serde::Serialize) -> Result<(), String> {
    serde_json::to_writer(&mut *out, value).map_err(|error| error.to_string())?;
    said(writeln!(out))
}

fn said(written: io::Result<()>) -> Result<(), String> {
    written.map_err(|error| error.to_string())
}

fn run(load: &Load, all_phases: bool, out: &mut impl Write) -> Result<bool, String> {
    let mut oracle = Oracle::load(&load.texts()?)?;
    each_request(|id, request| {
        let outcome = oracle.run(&request, all_phases)?;
        write_line(out, &OutcomeLine::new(id, &outcome))
    })?;
    Ok(true)
}

fn show_values(setup: &[PathBuf], as_json: bool, out: &mut impl Write) -> Result<bool, String> {
    let plain = Setup::blocking(1);
    let texts: Result<Vec<_>, String> = setup.iter().map(|path| rules::file(path, &plain)).collect();
    let mut oracle = values::oracle(&texts?)?;
    each_request(|id, request| {
        let found = values::of(&mut oracle, &request)?;
        if as_json {
            let value = |value: &values::Value| {
                json!({
                    "variable": value.variable,
                    "name": Bytes(value.name.clone()),
                    "value": Bytes(value.value.clone()),
                    "phase": value.phase,
                })
            };
            let values: Vec<Value> = found.iter().map(value).collect();
            return write_line(out, &json!({ "id": id, "values": values }));
        }
        for value in found {
            let (name, bytes) = (value.name.escape_ascii(), value.value.escape_ascii());
            said(writeln!(out, "{} {:<32} {name} = {bytes}", value.phase, value.variable))?;
        }
        said(writeln!(out))
    })?;
    Ok(true)
}

fn ftw(
    folder: &Path,
    rules: &RulesAt,
    overrides: Option<&Path>,
    out: &mut impl Write,
) -> Result<bool, String> {
    let mut cases = corpus::cases(folder)?;
    if let Some(file) = overrides {
        corpus::override_with(file, &mut cases)?;
    }
    let mut oracle = Oracle::load(&rules.texts(&Setup::corpus())?)?;
    let (mut passed, mut failed, mut skipped) = (0, 0, 0);
    let (mut by_ids, mut passed_by_ids) = (0_usize, 0_usize);
    for case in &cases {
        let verdict = corpus::run(&mut oracle, case);
        if case.is_judged_by_ids() {
            by_ids += 1;
            passed_by_ids += usize::from(verdict == Verdict::Passed);
        }
        match verdict {
            Verdict::Passed => passed += 1,
            Verdict::Failed(causes) => {
                failed += 1;
                let causes: Vec<String> = causes.iter().map(ToString::to_string).collect();
                said(writeln!(out, "failed  {case}: {}", causes.join("; ")))?;
            }
            Verdict::Skipped(why) => {
                skipped += 1;
                said(writeln!(out, "skipped {case}: {why}"))?;
            }
        }
    }
    said(writeln!(out, "passed {passed} failed {failed} skipped {skipped}"))?;
    let share = 100.0 * passed_by_ids as f64 / by_ids.max(1) as f64;
    said(writeln!(out, "of {by_ids} cases that name rules: passed {passed_by_ids} ({share:.2} %)"))?;
    Ok(failed == 0)
}

/// The requests of a corpus, with their mutations where that is wanted.
fn corpus_requests(folder: &Path, mutated: bool) -> Result<Vec<compare::Named>, String> {
    let cases = corpus::cases(folder)?;
    let requests = compare::requests(&cases);
    Ok(if mutated { compare::with_mutations(requests).collect() } else { requests.collect() })
}

/// The requests of a corpus, or those of a file of lines.
fn requests_at(place: &Path, mutated: bool) -> Result<Vec<compare::Named>, String> {
    if place.is_dir() {
        return corpus_requests(place, mutated);
    }
    let said = |error: &dyn std::fmt::Display| format!("{}: {error}", place.display());
    let text = std::fs::read_to_string(place).map_err(|error| said(&error))?;
    let lines = text.lines().filter(|line| !line.trim().is_empty()).map(|line| {
        let mut line: RequestLine = serde_json::from_str(line).map_err(|error| said(&error))?;
        let name = std::mem::take(&mut line.id);
        Ok((name.as_str().map_or_else(|| name.to_string(), str::to_owned), line.into()))
    });
    let requests = lines.collect::<Result<Vec<_>, String>>()?.into_iter();
    Ok(if mutated { compare::with_mutations(requests).collect() } else { requests.collect() })
}

fn write_requests(folder: &Path, mutated: bool, out: &mut impl Write) -> Result<bool, String> {
    for (name, request) in corpus_requests(folder, mutated)? {
        write_line(out, &RequestLine::new(Value::String(name), &request))?;
    }
    Ok(true)
}

/// What another engine says of one request.
#[derive(Deserialize)]
struct Said {
    id: String,
    matched: BTreeSet<u64>,
}

fn read_outcomes(file: &Path) -> Result<BTreeMap<String, BTreeSet<u64>>, String> {
    let text = std::fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    let said = lines.map(|line| serde_json::from_str::<Said>(line).map(|said| (said.id, said.matched)));
    said.collect::<Result<_, _>>().map_err(|error| format!("{}: {error}", file.display()))
}

/// How two engines are compared, and what is said of it.
struct Comparison {
    load: Load,
    outcomes: Option<PathBuf>,
    ignored: BTreeSet<u64>,
    brief: bool,
    unexplained: bool,
    threads: usize,
}

fn compare_with(
    requests: Vec<compare::Named>,
    how: &Comparison,
    out: &mut impl Write,
) -> Result<bool, String> {
    let (texts, all) = (how.load.texts()?, requests.len());
    let size = all.div_ceil(how.threads.max(1)).max(1);
    let texts = texts.as_slice();
    let report = std::thread::scope(|scope| {
        let parts: Vec<_> = requests
            .chunks(size)
            .map(|part| scope.spawn(move || compare_part(part.to_vec(), texts, how)))
            .collect();
        let mut report = compare::Report::default();
        for part in parts {
            report.add(part.join().map_err(|_| "a thread ended early".to_owned())??);
        }
        Ok::<_, String>(report)
    })?;
    if !how.brief {
        write_differences(&report, out)?;
    }
    write_summary(&report, all, out)
}

fn compare_part(
    mut requests: Vec<compare::Named>,
    texts: &[RuleText],
    how: &Comparison,
) -> Result<compare::Report, String> {
    let report_all = how.load.report_all;
    let mut oracle = Oracle::load(texts)?;
    let mut report = match &how.outcomes {
        Some(file) => {
            let found = read_outcomes(file)?;
            requests.retain(|(name, _)| found.contains_key(name));
            let engine = |name: &str, _: &Request| found.get(name).cloned().unwrap_or_default();
            compare::compare(&mut oracle, engine, requests, &how.ignored)?
        }
        None => {
            let ours = Ours::load(texts)?;
            let engine = |_: &str, request: &Request| ours.ids(request, report_all);
            compare::compare(&mut oracle, engine, requests, &how.ignored)?
        }
    };
    // The reasons are those of the shield, and are tested on it.
    if how.outcomes.is_none() && !how.unexplained {
        report.explain(&mut Judge::load(texts, report_all)?)?;
    }
    Ok(report)
}

fn write_differences(report: &compare::Report, out: &mut impl Write) -> Result<(), String> {
    for difference in &report.differences {
        let line = json!({
            "oracle": difference.oracle,
            "engine": difference.engine,
            "request": RequestLine::new(Value::String(difference.name.clone()), &difference.request),
        });
        write_line(out, &line)?;
    }
    Ok(())
}

/// What each rule and each reason makes of it, and the sums; whether nothing is left unexplained.
fn write_summary(report: &compare::Report, all: usize, out: &mut impl Write) -> Result<bool, String> {
    for (rule, (oracle, engine)) in report.by_rule() {
        let examples = report
            .differences
            .iter()
            .filter(|found| found.oracle.contains(&rule) || found.engine.contains(&rule));
        let names: Vec<&str> = examples.take(3).map(|found| found.name.as_str()).collect();
        let names = names.join(", ");
        said(writeln!(
            out,
            "rule {rule}: {oracle} times the oracle alone, {engine} times the engine alone: {names}"
        ))?;
    }
    for (reason, count) in &report.by_reason {
        said(writeln!(out, "reason {reason}: {count}"))?;
    }
    let (agreed, explained, unexplained) = (report.agreed, report.explained, report.differences.len());
    let compared = agreed + explained + unexplained;
    said(writeln!(
        out,
        "compared {compared}, agreed {agreed}, explained {explained}, unexplained {unexplained}"
    ))?;
    let missing = all.saturating_sub(compared);
    if missing > 0 {
        said(writeln!(out, "without outcome {missing}"))?;
    }
    Ok(unexplained == 0 && missing == 0)
}

/// Processor time of this thread since it began.
fn processor_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    Duration::new(seconds, u32::try_from(time.tv_nsec).unwrap_or(0))
}

fn bench(
    rules: &RulesAt,
    levels: &[u8],
    wanted: &[String],
    seconds: f64,
    as_json: bool,
    out: &mut impl Write,
) -> Result<bool, String> {
    let time = Duration::try_from_secs_f64(seconds).map_err(|error| error.to_string())?;
    let effort = Effort { time, ..Effort::default() };
    for &paranoia in levels {
        let texts = rules.texts(&Setup::blocking(paranoia))?;
        let (mut oracle, ours) = (Oracle::load(&texts)?, Ours::load(&texts)?);
        for shape in workload::shapes() {
            if !wanted.is_empty() && !wanted.iter().any(|name| name == shape.name) {
                continue;
            }
            for (name, request) in &shape.requests {
                let mut theirs = |request: &Request| oracle.decide(request).map(|_| ());
                let mut shield = |request: &Request| {
                    std::hint::black_box(ours.run(request));
                    Ok(())
                };
                let mut contenders = [
                    Contender { name: "shield", inspect: &mut shield },
                    Contender { name: "oracle", inspect: &mut theirs },
                ];
                let found = measure(request, &mut contenders, effort, &processor_time)?;
                let [shield, oracle] = found.as_slice() else {
                    return Err("a figure is missing".to_owned());
                };
                let ratio = oracle.p50_us / shield.p50_us;
                let line = json!({
                    "request": shape.name, "name": name, "paranoia": paranoia,
                    "p5_us": shield.p5_us, "p50_us": shield.p50_us,
                    "oracle_p5_us": oracle.p5_us, "oracle_p50_us": oracle.p50_us, "ratio": ratio,
                });
                if as_json {
                    write_line(out, &line)?;
                } else {
                    said(writeln!(
                        out,
                        "PL{paranoia} {:<7} p5 {:>9.1}  p50 {:>9.1}   oracle p5 {:>9.1}  p50 {:>9.1} µs   ratio {ratio:>6.1}  {name}",
                        shape.name, shield.p5_us, shield.p50_us, oracle.p5_us, oracle.p50_us
                    ))?;
                }
                said(out.flush())?;
            }
        }
    }
    Ok(true)
}
