//! Verdicts of libmodsecurity on the shield's corpus of decisions, at paranoia levels 1 to 4.
//!
//! ```text
//! cargo run --release --example decisions -- ../crates/shield/tests/decisions RULES > ../crates/shield/tests/decisions/verdicts.jsonl
//! ```
//!
//! RULES is the folder of the Core Rule Set; its setup stands in it or above it. One line per request, in the order of
//! the corpus' files and lines: `{"id": …, "refused": [level 1, 2, 3, 4], "score": [level 1, 2, 3, 4]}`. A score is
//! `null` where a setting of the engine, and no rule of CRS, refused the request before it was summed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use oracle::rules::{self, RuleText, Setup};
use oracle::{Oracle, Outcome};
use serde::Deserialize;
use serde_json::json;
use shield::message::{Request, Response};

const PARTS: [&str; 5] = ["attacks", "benign", "holdout/attacks", "holdout/benign", "responses"];

/// What a client sends unless the row says otherwise.
const DEFAULTS: [(&str, &str); 3] = [
    ("Host", "app.example.test"),
    ("User-Agent", "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"),
    ("Accept", "*/*"),
];

#[derive(Deserialize)]
struct Row {
    id: String,
    method: String,
    uri: String,
    #[serde(default)]
    headers: Vec<(String, String)>,
    body: Option<String>,
    body_base64: Option<String>,
    response: Option<Answer>,
}

#[derive(Deserialize)]
struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    body: String,
}

impl Row {
    fn request(&self) -> Result<Request, String> {
        let has = |name: &str| self.headers.iter().any(|(known, _)| known.eq_ignore_ascii_case(name));
        let mut request = Request::new(&self.method, &self.uri);
        for (name, value) in DEFAULTS.iter().filter(|(name, _)| !has(name)) {
            request = request.with_header(name, value);
        }
        for (name, value) in &self.headers {
            request = request.with_header(name, value);
        }
        let body = match (&self.body, &self.body_base64) {
            (Some(text), _) => text.clone().into_bytes(),
            (None, Some(text)) => data_encoding::BASE64
                .decode(text.as_bytes())
                .map_err(|error| format!("{}: {error}", self.id))?,
            (None, None) => Vec::new(),
        };
        if body.is_empty() || has("Content-Length") || has("Transfer-Encoding") {
            request.body = body;
        } else {
            request = request.with_body(body);
        }
        request.response = self.response.as_ref().map(|answer| Response {
            status: answer.status,
            protocol: b"HTTP/1.1".to_vec(),
            headers: answer
                .headers
                .iter()
                .map(|(name, value)| (name.clone().into(), value.clone().into()))
                .collect(),
            body: answer.body.clone().into(),
        });
        Ok(request)
    }
}

fn rows(corpus: &Path) -> Result<Vec<Row>, String> {
    let mut rows = Vec::new();
    for part in PARTS {
        let folder = corpus.join(part);
        let entries = fs::read_dir(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        let mut files: Vec<PathBuf> =
            entries.filter_map(|entry| entry.ok().map(|entry| entry.path())).collect();
        files.retain(|path| path.extension().is_some_and(|extension| extension == "jsonl"));
        files.sort();
        for file in files {
            let text = fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
            for line in text.lines() {
                rows.push(
                    serde_json::from_str(line).map_err(|error| format!("{}: {error}", file.display()))?,
                );
            }
        }
    }
    Ok(rows)
}

/// The corpus' own settings in place of the oracle's, then CRS, then a rule that tells the score of what passed.
fn texts(corpus: &Path, crs: &Path, level: u8) -> Result<Vec<RuleText>, String> {
    let setup: Vec<PathBuf> = rules::setup_beside(crs).into_iter().collect();
    let plain = Setup::blocking(level);
    let mut texts = vec![rules::file(&corpus.join("engine.conf"), &plain)?];
    texts.push(RuleText {
        name: "levels.conf".to_owned(),
        text: format!(
            "SecAction \"id:9,phase:1,pass,nolog,t:none,setvar:tx.blocking_paranoia_level={level},\
             setvar:tx.detection_paranoia_level={level}\"\n"
        ),
    });
    texts.extend(rules::crs(&setup, crs, &plain)?.into_iter().skip(1));
    texts.push(RuleText {
        name: "score.conf".to_owned(),
        text: "SecAction \"id:8,phase:2,pass,log,t:none,msg:'score',\
               logdata:'%{tx.blocking_inbound_anomaly_score}'\"\n"
            .to_owned(),
    });
    Ok(texts)
}

/// The sum of the request's score: told by the last rule when the request passed, by the rule that refused it otherwise.
fn score(outcome: &Outcome) -> Option<u64> {
    outcome.messages.iter().find_map(|message| {
        let text = match message.rule {
            8 => &message.data,
            949_110 => &message.message,
            _ => return None,
        };
        let text = String::from_utf8_lossy(text);
        let digits = text.trim_end_matches(')').rsplit(' ').next()?;
        digits.parse().ok()
    })
}

fn write(corpus: &Path, crs: &Path) -> Result<(), String> {
    let rows = rows(corpus)?;
    let mut refused = vec![Vec::new(); rows.len()];
    let mut scores = vec![Vec::new(); rows.len()];
    for level in 1..=4 {
        let mut oracle = Oracle::load(&texts(corpus, crs, level)?)?;
        for ((row, refused), scores) in rows.iter().zip(&mut refused).zip(&mut scores) {
            let outcome = oracle.run(&row.request()?, false)?;
            refused.push(outcome.refused.is_some());
            scores.push(score(&outcome));
        }
    }
    for ((row, refused), scores) in rows.iter().zip(refused).zip(scores) {
        println!("{}", json!({ "id": row.id, "refused": refused, "score": scores }));
    }
    Ok(())
}

fn main() -> ExitCode {
    let arguments: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    let [corpus, crs] = arguments.as_slice() else {
        eprintln!("usage: decisions CORPUS RULES");
        return ExitCode::from(2);
    };
    match write(corpus, crs) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("decisions: {why}");
            ExitCode::FAILURE
        }
    }
}
