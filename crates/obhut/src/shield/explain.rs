//! `obhut rules check --explain`: what the rules say of one request, match by match.
//!
//! Values are shown, cut and escaped: the request is the asker's own, from a file of hers.

use super::check::{Args, Exclusions, level};
use super::rules::Loaded;
use super::{Configured, in_words};
use crate::system::{Problem, SystemClock};
use gateway::config::ShieldMode;
use model::Clock;
use serde::Serialize;
use shield::ftw::wire;
use shield::message::Request;
use shield::seclang::{Mode, severity_name};
use shield::{
    Collections, Context, Engine, Explained, Head, Logged, Overlay, Refusal, Report, Texts, Transaction,
    Verdict,
};
use std::io::{Read, Write};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

/// Largest request that is read.
const LARGEST: u64 = 16 << 20;
/// So many bytes of a value are shown.
const SHOWN: usize = 160;
/// So many matches of one rule are shown.
const MATCHES: usize = 20;

/// What the rules say of a request.
#[derive(Debug, Serialize)]
struct Explanation {
    request: Sent,
    rules: Vec<Rule>,
    /// Rules that matched and are not logged: they count, prepare or jump.
    quiet: usize,
    inbound_score: i64,
    inbound_threshold: u32,
    mode: &'static str,
    refused: bool,
    verdict: String,
    /// The rule that decided, where one did.
    by: Option<u64>,
}

/// The request, as it was taken.
#[derive(Debug, Serialize)]
struct Sent {
    line: String,
    fields: usize,
    body_bytes: usize,
    /// Whether `Content-Length` was missing and was put in.
    length_added: bool,
}

/// A rule that matched.
#[derive(Debug, Serialize)]
struct Rule {
    id: u64,
    message: String,
    phase: u8,
    /// Its paranoia level; none where it says none.
    level: Option<u8>,
    severity: Option<&'static str>,
    matches: Vec<Seen>,
    /// Matches that are not shown.
    left_out: usize,
}

/// What it matched.
#[derive(Debug, Serialize)]
struct Seen {
    /// Which part of the rule's chain, from 1.
    part: usize,
    target: String,
    before: String,
    after: String,
    transformations: Vec<&'static str>,
}

/// Explains a request.
pub(super) fn run(
    args: &Args,
    asked: &Configured,
    loaded: &Loaded,
    exclusions: &Exclusions,
    out: &mut dyn Write,
) -> Result<ExitCode, Problem> {
    let file = args.explain.as_deref().unwrap_or(Path::new("-"));
    let (request, length_added) = taken(&read(file)?)?;
    let mode = mode(args, asked)?;
    let overlay = overlay(args, loaded, exclusions)?;
    let texts = asked.tables.as_ref().zip(args.route.as_deref());
    let texts = texts.and_then(|(tables, route)| tables.texts(route));
    let explanation = explain(&request, length_added, asked, loaded, mode, (overlay, texts), args.all);
    if args.json {
        let json = serde_json::to_string_pretty(&explanation).map_err(Problem::from_error("the report"))?;
        writeln!(out, "{json}")?;
    } else {
        explanation.print(loaded, mode, out)?;
    }
    Ok(if explanation.refused { ExitCode::from(1) } else { ExitCode::SUCCESS })
}

fn read(file: &Path) -> Result<Vec<u8>, Problem> {
    let mut bytes = Vec::new();
    if file == Path::new("-") {
        std::io::stdin().lock().take(LARGEST + 1).read_to_end(&mut bytes)?;
    } else {
        let opened = std::fs::File::open(file);
        let opened =
            opened.map_err(|error| Problem::new(format!("cannot read {}: {error}", file.display())))?;
        opened.take(LARGEST + 1).read_to_end(&mut bytes)?;
    }
    if bytes.len() as u64 > LARGEST {
        return Err(Problem::new(format!("the request is larger than {} MiB", LARGEST >> 20)));
    }
    Ok(bytes)
}

/// Takes the request apart. A body that somebody wrote by hand has a length that nobody counted, so that is put in.
fn taken(bytes: &[u8]) -> Result<(Request, bool), Problem> {
    let none = |fault: wire::Fault| {
        Problem::with_help(
            format!("this is no request: {fault}"),
            "it looks like `GET /path?a=b HTTP/1.1`, then fields such as `Host: app.example`, an empty line, and a body",
        )
    };
    let request = wire::parse(bytes).map_err(none)?;
    let says = [b"content-length".as_slice(), b"transfer-encoding"]
        .iter()
        .any(|name| request.header(name).is_some());
    let body = after_head(bytes);
    if says || body.is_empty() {
        return Ok((request, false));
    }
    // An editor ends the last line; no form and no JSON is told apart by that.
    let body = body.strip_suffix(b"\n").map_or(body, |body| body.strip_suffix(b"\r").unwrap_or(body));
    Ok((request.with_body(body), true))
}

/// What follows the first empty line.
fn after_head(bytes: &[u8]) -> &[u8] {
    let mut rest = bytes;
    while let Some(end) = memchr::memchr(b'\n', rest) {
        let (line, behind) = rest.split_at(end + 1);
        rest = behind;
        if line == b"\n" || line == b"\r\n" {
            return rest;
        }
    }
    &[]
}

/// The mode that counts: of the command line, of the route, of the house.
fn mode(args: &Args, asked: &Configured) -> Result<ShieldMode, Problem> {
    let Some(name) = &args.route else { return Ok(asked.table.mode) };
    let routes = asked.tables.as_ref().map(|tables| tables.route.as_slice()).unwrap_or_default();
    let route = routes.iter().find(|route| route.name == *name).ok_or_else(|| {
        let names: Vec<_> = routes.iter().map(|route| route.name.as_str()).collect();
        let help = match names.is_empty() {
            true => "name the configuration with --config".to_owned(),
            false => format!("there are: {}", names.join(", ")),
        };
        Problem::with_help(format!("there is no route `{name}`"), help)
    })?;
    Ok(if args.has_mode() { asked.table.mode } else { route.shield.unwrap_or(asked.table.mode) })
}

/// The exclusions of the house, and of the route.
fn overlay(args: &Args, loaded: &Loaded, exclusions: &Exclusions) -> Result<Option<Arc<Overlay>>, Problem> {
    let here = |route: &Option<String>| route.is_none() || *route == args.route;
    let all: Vec<_> = exclusions.all().filter(|(route, _)| here(route)).map(|(_, one)| one.clone()).collect();
    if all.is_empty() {
        return Ok(None);
    }
    let overlay = Overlay::new(&loaded.engine, &all).map_err(|_| {
        Problem::with_help(
            "an exclusion cannot be honoured under these rules",
            "`obhut rules check` without --explain says which, and why",
        )
    })?;
    Ok(Some(Arc::new(overlay)))
}

fn context() -> Context {
    let local = std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);
    Context {
        client: local,
        client_port: 40_000,
        server: local,
        server_port: 443,
        id: "explained".to_owned(),
        now: u64::try_from(SystemClock.now().0 / 1_000).unwrap_or(0),
    }
}

fn explain(
    request: &Request,
    length_added: bool,
    asked: &Configured,
    loaded: &Loaded,
    mode: ShieldMode,
    (overlay, texts): (Option<Arc<Overlay>>, Option<Arc<Texts>>),
    all: bool,
) -> Explanation {
    let engine_mode = if mode == ShieldMode::Block { Mode::On } else { Mode::DetectionOnly };
    let collections = Arc::new(Collections::new(64));
    let transaction = Transaction::new(&loaded.engine, &collections, context());
    let mut transaction = transaction
        .with_overlay(overlay)
        .with_texts(texts)
        .in_mode(engine_mode)
        .explaining()
        .reading_closely();
    inspect(&mut transaction, request, asked.table.body_limit);
    let report = transaction.finish();
    let (explained, logged) = (transaction.explained(), transaction.logged());
    let mut rules: Vec<Rule> = Vec::new();
    let mut quiet = 0;
    for matched in &report.matched {
        if !matched.logged && !all {
            quiet += 1;
            continue;
        }
        let of_rule: Vec<_> = explained.iter().filter(|one| one.rule == matched.rule).collect();
        let (message, level) = about(&loaded.engine, matched.rule, &logged);
        rules.push(Rule {
            id: matched.rule,
            message,
            phase: matched.phase,
            level,
            severity: matched.severity.map(severity_name),
            matches: of_rule.iter().take(MATCHES).map(|one| seen(one)).collect(),
            left_out: of_rule.len().saturating_sub(MATCHES),
        });
    }
    // CRS 3 keeps its score under another name.
    let third = || number(&transaction.variable("anomaly_score").unwrap_or_default());
    let inbound_score = if report.inbound_score == 0 { third() } else { report.inbound_score };
    let (refused, verdict) = verdict(&report, mode);
    Explanation {
        request: Sent {
            line: request_line(request),
            fields: request.headers.len(),
            body_bytes: request.body.len(),
            length_added,
        },
        rules,
        quiet,
        inbound_score,
        inbound_threshold: asked.table.inbound_threshold,
        mode: in_words(mode),
        refused,
        verdict,
        by: report.by,
    }
}

/// What a rule says when it matches, and its level.
fn about(engine: &Engine, rule: u64, logged: &[Logged]) -> (String, Option<u8>) {
    let described = engine.described().find(|one| one.id == rule);
    let level = described.as_ref().map(|one| level(one.tags)).filter(|level| *level > 0);
    let said = logged.iter().find(|line| line.rule == rule).map(|line| shown(&line.message));
    let says = said.or_else(|| described.map(|one| one.message)).filter(|text| !text.is_empty());
    (says.unwrap_or_else(|| "without a message".to_owned()), level)
}

/// Sends the request through the phases; the app answers nothing.
fn inspect(transaction: &mut Transaction, request: &Request, limit: usize) {
    let headers: Vec<(&[u8], &[u8])> =
        request.headers.iter().map(|(name, value)| (name.as_slice(), value.as_slice())).collect();
    let head = Head {
        method: &request.method,
        target: &request.uri,
        protocol: &request.protocol,
        headers: &headers,
    };
    if transaction.request_head(&head).is_some() {
        return;
    }
    let whole = request.body.len() <= limit;
    transaction.request_body(request.body.get(..limit).unwrap_or(&request.body), whole);
}

fn number(text: &[u8]) -> i64 {
    std::str::from_utf8(text).ok().and_then(|text| text.parse().ok()).unwrap_or(0)
}

fn verdict(report: &Report, mode: ShieldMode) -> (bool, String) {
    let by = match (report.by, report.refusal) {
        (Some(rule), _) => format!("by rule {rule}"),
        (None, Some(Refusal::BodyTooLarge)) => "since the body is larger than `body_limit`".to_owned(),
        (None, Some(Refusal::TooMuch)) => {
            "since it has more fields, arguments, parts or levels than are looked at".to_owned()
        }
        (None, Some(Refusal::Encoded)) => {
            "since its body is encoded: the gateway looks at it decoded, so give it decoded here".to_owned()
        }
        (None, Some(Refusal::Ambiguous)) => {
            "since readers take it in different ways: two types, JSON in UTF-16, a character set that is not ASCII's"
                .to_owned()
        }
        (None, Some(Refusal::Unreadable)) => "since it cannot be read as its type says".to_owned(),
        (None, Some(Refusal::TooMuchWork)) => "since the rules would take too long over it".to_owned(),
        (None, Some(_)) => "since it grows too large while it is taken apart".to_owned(),
        (None, None) => return (false, "passes".to_owned()),
    };
    match (&report.verdict, mode) {
        (Some(Verdict::Deny(status)), _) => (true, format!("refused with {status} {by}")),
        (Some(Verdict::Drop), _) => (true, format!("the connection is closed {by}")),
        (Some(Verdict::Redirect(status, place)), _) => {
            (true, format!("sent with {status} to {} {by}", shown(place)))
        }
        (None, ShieldMode::Off) => (false, format!("passes, since the shield is off; would be refused {by}")),
        (None, _) => (false, format!("passes, since nothing is refused here; would be refused {by}")),
    }
}

fn request_line(request: &Request) -> String {
    format!("{} {} {}", shown(&request.method), shown(&request.uri), shown(&request.protocol))
}

fn seen(one: &Explained) -> Seen {
    let variable = one.variable.map_or("", |variable| variable.name());
    let target =
        if one.name.is_empty() { variable.to_owned() } else { format!("{variable}:{}", shown(&one.name)) };
    Seen {
        part: one.part + 1,
        target,
        before: shown(&one.before),
        after: shown(&one.after),
        transformations: one.transformations.clone(),
    }
}

/// A value as it can be shown: bytes that are not printable escaped, cut at the limit.
fn shown(value: &[u8]) -> String {
    let text = match std::str::from_utf8(value) {
        Ok(text) => text.chars().flat_map(escaped).collect::<String>(),
        Err(_) => value.escape_ascii().to_string(),
    };
    let Some((end, _)) = text.char_indices().nth(SHOWN) else { return text };
    format!("{}… ({} bytes)", text.get(..end).unwrap_or_default(), value.len())
}

/// A character as it is, unless a terminal would do something with it.
fn escaped(char: char) -> impl Iterator<Item = char> {
    let is_plain = !char.is_control() && !is_invisible(char);
    let plain = is_plain.then_some(char);
    let escape = (!is_plain).then(|| char.escape_default());
    plain.into_iter().chain(escape.into_iter().flatten())
}

/// Characters that turn the direction of text, or take no room.
fn is_invisible(char: char) -> bool {
    matches!(char, '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{2069}' | '\u{FEFF}')
}

impl Explanation {
    fn print(&self, loaded: &Loaded, mode: ShieldMode, out: &mut dyn Write) -> Result<(), Problem> {
        let sent = &self.request;
        writeln!(out, "request    {}", sent.line)?;
        let added = if sent.length_added { "; Content-Length was added" } else { "" };
        writeln!(out, "           {} fields, {} bytes of body{added}", sent.fields, sent.body_bytes)?;
        writeln!(out, "rules      {}", loaded.kind)?;
        writeln!(out, "mode       {}", in_words(mode))?;
        for rule in &self.rules {
            rule.print(out)?;
        }
        if self.quiet > 0 {
            writeln!(
                out,
                "\n{} more rules matched that only prepare something; --all shows them",
                self.quiet
            )?;
        }
        writeln!(out, "\nscore      {}; refused from {}", self.inbound_score, self.inbound_threshold)?;
        writeln!(out, "verdict    {}", self.verdict)?;
        Ok(())
    }
}

impl Rule {
    fn print(&self, out: &mut dyn Write) -> Result<(), Problem> {
        let severity = self.severity.map(|name| format!(", {name}")).unwrap_or_default();
        let level = self.level.map(|level| format!(", level {level}")).unwrap_or_default();
        writeln!(out, "\n{:<10} {} (phase {}{severity}{level})", self.id, self.message, self.phase)?;
        for one in &self.matches {
            let part = if one.part > 1 { format!(", part {} of the rule", one.part) } else { String::new() };
            writeln!(out, "           {}{part}", one.target)?;
            writeln!(out, "             {}", one.before)?;
            if one.after != one.before {
                writeln!(out, "             → {}", one.after)?;
            }
            if !one.transformations.is_empty() {
                writeln!(out, "             after {}", one.transformations.join(", "))?;
            }
        }
        if self.left_out > 0 {
            writeln!(out, "           and {} more", self.left_out)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_written_by_hand_gets_its_length() {
        let of = |text: &str| {
            let (request, added) = taken(text.as_bytes()).expect("a request");
            (String::from_utf8(request.body).expect("text"), added)
        };
        let head = "POST /a HTTP/1.1\nHost: x\n";
        assert_eq!(of(&format!("{head}\na=b\n")), ("a=b".into(), true));
        assert_eq!(of(&format!("{head}\r\na=b")), ("a=b".into(), true));
        assert_eq!(of(&format!("{head}Content-Length: 2\n\na=b\n")), ("a=".into(), false));
        assert_eq!(of(&format!("{head}Transfer-Encoding: chunked\n\n1\nx\n0\n\n")), ("x".into(), false));
        assert_eq!(of(&format!("{head}\n")), (String::new(), false));
        assert_eq!(of(head), (String::new(), false));
        assert!(taken(b"\n").is_err_and(|problem| problem.help.is_some()));
    }

    #[test]
    fn values_are_shown_in_a_way_that_a_terminal_takes() {
        assert_eq!(shown("Müller' OR 1=1".as_bytes()), "Müller' OR 1=1");
        assert_eq!(shown(b"a\x1b[2Jb\r\n\0"), "a\\u{1b}[2Jb\\r\\n\\u{0}");
        assert_eq!(shown("a\u{202E}b".as_bytes()), "a\\u{202e}b");
        assert_eq!(shown(b"\xFF\xFEa"), "\\xff\\xfea");
        let long = shown("ü".repeat(500).as_bytes());
        assert_eq!(long, format!("{}… (1000 bytes)", "ü".repeat(SHOWN)));
        assert_eq!(shown(&[b'x'; SHOWN]), "x".repeat(SHOWN));
    }
}
