//! `obhut rules check`: loads rules and says what they are, what of them does not run, and what cannot be honoured.

use super::rules::{self, BadExclusion, Loaded, Overruled, Unloadable, line, shown};
use super::{Configured, Mode, configured, explain, in_words};
use crate::bench::process::resident;
use crate::system::Problem;
use gateway::config::{ShieldMode, ShieldTable};
use serde::Serialize;
use shield::{Engine, Exclusion, Overlay};
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

/// What stands below the help.
pub(super) const HELP: &str = "Without DIR the configured rules are loaded, and without a configuration the program's own. DIR is a Core Rule Set \
    as its archive unpacks, Debian's /usr/share/modsecurity-crs, a folder of .conf files, or one such file.\n\n\
    A request for --explain is a text file: request line, header fields, an empty line, the body. Its values are shown, \
    so let it be one of your own. `Content-Length` is added where it is missing.\n\n\
    Exit codes: 0 all can be honoured, and with --explain the request passes; 1 something cannot, or the request is \
    refused; 2 it could not be looked at.\n\n\
    Examples:\n  \
    obhut rules check\n  \
    obhut rules check /usr/share/modsecurity-crs\n  \
    obhut rules check --config obhut.toml --explain login.http --paranoia 2\n  \
    printf 'GET /?a=/etc/passwd HTTP/1.1\\nHost: a.example\\n\\n' | obhut rules check --explain -";

/// What to load, and what to try on it.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The rules.
    #[arg(value_name = "DIR")]
    folder: Option<PathBuf>,
    /// The configuration whose [shield] counts; obhut.toml of the present folder, if it is there.
    #[arg(long, short, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Show what the rules say of a request: a file with one, or - for standard input.
    #[arg(long, value_name = "REQUEST")]
    pub(super) explain: Option<PathBuf>,
    /// With --explain: as on this route, with its mode and its exclusions.
    #[arg(long, value_name = "NAME", requires = "explain")]
    pub(super) route: Option<String>,
    /// With --explain: also show rules that only prepare something and are not logged.
    #[arg(long, requires = "explain")]
    pub(super) all: bool,
    /// The paranoia level up to which rules count, instead of the configured one.
    #[arg(long, value_name = "1-4")]
    paranoia: Option<u8>,
    /// The level up to which rules run; at least that up to which they count.
    #[arg(long, value_name = "1-4")]
    detection_paranoia: Option<u8>,
    /// What is done with what is refused, instead of what is configured.
    #[arg(long)]
    mode: Option<Mode>,
    /// JSON instead of text.
    #[arg(long)]
    pub(super) json: bool,
}

impl Args {
    /// Whether the command line says what is done with what is refused.
    pub(super) fn has_mode(&self) -> bool {
        self.mode.is_some()
    }
}

/// What was found out about rules that load.
#[derive(Debug, Serialize)]
struct Found {
    rules: String,
    place: Option<PathBuf>,
    files: usize,
    mode: &'static str,
    paranoia: u8,
    detection_paranoia: u8,
    inbound_threshold: u32,
    outbound_threshold: u32,
    /// Rules by phase (1 to 5), each by paranoia level; the first of a row are without one.
    levels: [[usize; 5]; 5],
    /// Of these, rules above `detection_paranoia`: they are checked, and do not run.
    above_level: usize,
    patterns: usize,
    load_ms: u64,
    /// Of patterns and scanners, by the engine's own count.
    engine_bytes: usize,
    /// How much more of the process was resident after than before; none where the system does not say.
    resident_bytes: Option<u64>,
    disabled: Vec<Off>,
    /// Rules that cannot be honoured as they are, and were put in other words or left out.
    amended: Vec<Other>,
    /// Settings of the rules that do not count, since `[shield]` says otherwise.
    overruled: Vec<Overruled>,
    excluded: Vec<String>,
    without_effect: Vec<Without>,
    faults: Vec<String>,
}

/// A rule that does not run.
#[derive(Debug, Serialize)]
struct Off {
    rule: u64,
    place: String,
    by: String,
}

/// A rule that runs in other words, or not at all.
#[derive(Debug, Serialize)]
struct Other {
    rule: u64,
    place: String,
    left_out: bool,
    why: &'static str,
}

/// A directive that asks nothing of this engine.
#[derive(Debug, Serialize)]
struct Without {
    place: String,
    directive: String,
    why: &'static str,
}

/// An exclusion and the route where it holds; everywhere without one.
type Excluded = (Option<String>, Exclusion);

/// All exclusions beside the rules' own.
pub(super) struct Exclusions {
    configured: Vec<Excluded>,
    console: Vec<Excluded>,
}

impl Exclusions {
    /// All of them.
    pub(super) fn all(&self) -> impl Iterator<Item = &Excluded> {
        self.configured.iter().chain(&self.console)
    }
}

/// Loads, and says what was found.
pub(super) fn run(args: &Args, out: &mut dyn Write) -> Result<ExitCode, Problem> {
    let mut asked = configured(args.config.as_deref(), args.folder.as_deref())?;
    change(&mut asked.table, args);
    let wrong = |error: BadExclusion| {
        Problem::with_help(error.to_string(), "docs/config.md describes [[shield.exclude]]")
    };
    let configured = rules::exclusions(&asked.table.exclude).map_err(wrong)?;
    let exclusions = Exclusions { configured, console: rules::exclusions(&asked.rows).map_err(wrong)? };
    let before = resident(std::process::id()).ok();
    let start = Instant::now();
    let loaded = match rules::load(&asked.table, &asked.base) {
        Ok(loaded) => loaded,
        Err(Unloadable::Faults(faults, refused)) => {
            let faults: Vec<_> = faults.iter().map(|fault| line(fault, &refused)).collect();
            return not_honoured(args, &faults, out);
        }
        Err(other) => return Err(other.into()),
    };
    let load_ms = u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX);
    let after = resident(std::process::id()).ok();
    if args.explain.is_some() {
        return explain::run(args, &asked, &loaded, &exclusions, out);
    }
    let resident_bytes =
        before.zip(after).map(|(before, after)| after.now_kib.saturating_sub(before.now_kib) << 10);
    let found = found(&asked, &loaded, &exclusions, load_ms, resident_bytes);
    if args.json {
        let json = serde_json::to_string_pretty(&found).map_err(Problem::from_error("the report"))?;
        writeln!(out, "{json}")?;
    } else {
        found.print(&asked.table, out)?;
    }
    Ok(if found.faults.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

fn change(table: &mut ShieldTable, args: &Args) {
    if let Some(level) = args.paranoia {
        table.paranoia = level;
        table.detection_paranoia = table.detection_paranoia.max(level);
    }
    if let Some(level) = args.detection_paranoia {
        table.detection_paranoia = level;
    }
    if let Some(mode) = args.mode {
        table.mode = mode.into();
    }
}

fn not_honoured(args: &Args, faults: &[String], out: &mut dyn Write) -> Result<ExitCode, Problem> {
    if args.json {
        let json = serde_json::json!({ "faults": faults });
        writeln!(out, "{json:#}")?;
    } else {
        write_faults(faults, out)?;
        writeln!(
            out,
            "\nNothing of these rules is loaded: rules that run in part protect in part, and say nothing."
        )?;
    }
    Ok(ExitCode::from(1))
}

fn write_faults(faults: &[String], out: &mut dyn Write) -> Result<(), Problem> {
    writeln!(out, "{} cannot be honoured", counted(faults.len(), "thing"))?;
    for fault in faults {
        writeln!(out, "  {fault}")?;
    }
    Ok(())
}

/// A number and its noun.
fn counted(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

/// Exclusions that mean nothing under these rules, or name a route that is not there.
fn unmeant(asked: &Configured, loaded: &Loaded, exclusions: &Exclusions) -> Vec<String> {
    let routes = asked.tables.as_ref().map(|tables| tables.route.as_slice());
    let has = |name: &str| routes.is_none_or(|routes| routes.iter().any(|route| route.name == name));
    let mut faults = Vec::new();
    for (place, all) in
        [("[[shield.exclude]]", &exclusions.configured), ("shield-exclusions.toml", &exclusions.console)]
    {
        for (route, exclusion) in all {
            let shown = at_route(route.as_deref(), exclusion);
            if let Err((_, reason)) = Overlay::new(&loaded.engine, std::slice::from_ref(exclusion)) {
                faults.push(format!("{place} {shown}: {reason}"));
            }
            if let Some(name) = route.as_deref().filter(|name| !has(name)) {
                faults.push(format!("{place} {shown}: there is no route `{name}`"));
            }
        }
    }
    faults
}

fn at_route(route: Option<&str>, exclusion: &Exclusion) -> String {
    match route {
        Some(route) => format!("{} on route {route}", shown(exclusion)),
        None => shown(exclusion),
    }
}

fn found(
    asked: &Configured,
    loaded: &Loaded,
    exclusions: &Exclusions,
    load_ms: u64,
    resident_bytes: Option<u64>,
) -> Found {
    let (table, summary) = (&asked.table, loaded.engine.summary());
    let disabled = summary.disabled.iter().map(|off| Off {
        rule: off.rule,
        place: off.place.to_string(),
        by: off.by.clone(),
    });
    let without = summary.without.iter().map(|(place, directive, why)| Without {
        place: place.to_string(),
        directive: directive.clone(),
        why,
    });
    let amended = loaded.amended.iter().map(|one| Other {
        rule: one.rule,
        place: one.place.to_string(),
        left_out: one.left_out,
        why: one.why,
    });
    Found {
        rules: loaded.kind.to_string(),
        place: loaded.place.clone(),
        files: loaded.files,
        mode: match table.mode {
            ShieldMode::Block => "block",
            ShieldMode::Detect => "detect",
            ShieldMode::Off => "off",
        },
        paranoia: table.paranoia,
        detection_paranoia: table.detection_paranoia,
        inbound_threshold: table.inbound_threshold,
        outbound_threshold: table.outbound_threshold,
        levels: levels(&loaded.engine),
        above_level: summary.above_level,
        patterns: summary.patterns,
        load_ms,
        engine_bytes: summary.memory,
        resident_bytes,
        disabled: disabled.collect(),
        amended: amended.collect(),
        overruled: loaded.overruled.clone(),
        excluded: exclusions.all().map(|(route, one)| at_route(route.as_deref(), one)).collect(),
        without_effect: without.collect(),
        faults: unmeant(asked, loaded, exclusions),
    }
}

/// Rules by phase and paranoia level.
fn levels(engine: &Engine) -> [[usize; 5]; 5] {
    let mut levels = [[0; 5]; 5];
    for rule in engine.described() {
        let row = levels.get_mut(usize::from(rule.phase).saturating_sub(1));
        let cell = row.and_then(|row| row.get_mut(usize::from(level(rule.tags))));
        if let Some(count) = cell {
            *count += 1;
        }
    }
    levels
}

/// The paranoia level that a rule's tags say; 0 where they say none.
pub(super) fn level(tags: &[Box<str>]) -> u8 {
    let said = tags.iter().find_map(|tag| tag.strip_prefix("paranoia-level/")?.parse().ok());
    said.filter(|level| *level < 5).unwrap_or(0)
}

impl Found {
    fn print(&self, table: &ShieldTable, out: &mut dyn Write) -> Result<(), Problem> {
        let files = counted(self.files, "file");
        let place = self.place.as_ref().map(|place| format!(" in {} ({files})", place.display()));
        writeln!(out, "rules      {}{}", self.rules, place.unwrap_or_default())?;
        writeln!(out, "mode       {}", in_words(table.mode))?;
        writeln!(
            out,
            "levels     rules up to {} count, rules up to {} run; refused from a score of {}, answers from {}",
            self.paranoia, self.detection_paranoia, self.inbound_threshold, self.outbound_threshold
        )?;
        let mib = |bytes: u64| format!("{:.1} MiB", bytes as f64 / f64::from(1 << 20));
        let resident = self.resident_bytes.map(|more| format!(", {} more resident than before", mib(more)));
        writeln!(
            out,
            "loaded     in {} ms; {} patterns take {} by the engine's count{}\n",
            self.load_ms,
            self.patterns,
            mib(self.engine_bytes as u64),
            resident.unwrap_or_default()
        )?;
        self.print_levels(out)?;
        self.print_lists(out)
    }

    fn print_levels(&self, out: &mut dyn Write) -> Result<(), Problem> {
        let row = |name: &str, counts: [usize; 5]| {
            let cells: String = counts.iter().map(|count| format!("{count:>10}")).collect();
            format!("{name:<9}{cells}{:>10}", counts.iter().sum::<usize>())
        };
        writeln!(
            out,
            "{:<9}{:>10}{:>10}{:>10}{:>10}{:>10}{:>10}",
            "rules", "no level", "level 1", "level 2", "level 3", "level 4", "all"
        )?;
        let mut all = [0; 5];
        for (phase, counts) in self.levels.iter().enumerate() {
            writeln!(out, "{}", row(&format!("phase {}", phase + 1), *counts))?;
            for (sum, count) in all.iter_mut().zip(counts) {
                *sum += count;
            }
        }
        writeln!(out, "{}", row("all", all))?;
        if self.above_level > 0 {
            let level = self.detection_paranoia;
            let what = do_not(self.above_level, "of them");
            writeln!(
                out,
                "{what} not run, being for levels above {level}: they are read and checked all the same"
            )?;
        }
        Ok(())
    }

    fn print_lists(&self, out: &mut dyn Write) -> Result<(), Problem> {
        if !self.disabled.is_empty() {
            writeln!(
                out,
                "\n{} not run",
                do_not(self.disabled.len(), if self.disabled.len() == 1 { "rule" } else { "rules" })
            )?;
        }
        for off in &self.disabled {
            writeln!(out, "  {} of {}, taken out by {}", off.rule, off.place, off.by)?;
        }
        for (left_out, what) in [(false, "put in other words"), (true, "left out")] {
            let those: Vec<_> = self.amended.iter().filter(|one| one.left_out == left_out).collect();
            if !those.is_empty() {
                writeln!(out, "\n{} of CRS 3 {what}", counted(those.len(), "rule"))?;
            }
            for one in those {
                writeln!(out, "  {} of {}: {}", one.rule, one.place, one.why)?;
            }
        }
        if !self.overruled.is_empty() {
            writeln!(
                out,
                "\n{} of the rules overruled by [shield]",
                counted(self.overruled.len(), "setting")
            )?;
        }
        for Overruled { place, variable, said, key, holds } in &self.overruled {
            writeln!(out, "  {place} sets {variable} to {said}; {key} = {holds} counts")?;
        }
        if !self.excluded.is_empty() {
            writeln!(out, "\n{} by configuration and console", counted(self.excluded.len(), "exclusion"))?;
        }
        for one in &self.excluded {
            writeln!(out, "  {one}")?;
        }
        if !self.without_effect.is_empty() {
            writeln!(out, "\n{} nothing of this engine", ask(self.without_effect.len()))?;
        }
        for one in &self.without_effect {
            writeln!(out, "  {} {}: {}", one.place, one.directive, one.why)?;
        }
        if !self.faults.is_empty() {
            writeln!(out)?;
            write_faults(&self.faults, out)?;
        }
        Ok(())
    }
}

fn do_not(count: usize, what: &str) -> String {
    format!("{count} {what} {}", if count == 1 { "does" } else { "do" })
}

fn ask(count: usize) -> String {
    format!("{} {}", counted(count, "directive"), if count == 1 { "asks" } else { "ask" })
}
