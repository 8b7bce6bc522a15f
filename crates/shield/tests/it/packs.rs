//! The packs of rules as such: their numbers, their sums, and the exclusions for applications.

use crate::conformance::{context, run};
use crate::decisions::{Row, core_with, pack_with, report, rows};
use crate::folder::core_rules;
use shield::message::Request;
use shield::{Collections, Engine, Transaction, Verdict};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

fn home() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

fn confs(folder: &str) -> Vec<(String, String)> {
    let mut files: Vec<_> = std::fs::read_dir(home().join(folder))
        .expect("a folder")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "conf"))
        .collect();
    files.sort();
    let name = |path: &Path| path.file_stem().expect("a name").to_string_lossy().into_owned();
    files.iter().map(|path| (name(path), std::fs::read_to_string(path).expect("text"))).collect()
}

/// The numbers behind `mark` in a text, up to the first sign that is no digit.
fn numbers(text: &str, mark: &str) -> Vec<u32> {
    let rules = text.lines().filter(|line| !line.trim_start().starts_with('#'));
    let found = rules.flat_map(|line| line.split(mark).skip(1));
    found.filter_map(|rest| rest.split(|sign: char| !sign.is_ascii_digit()).next()?.parse().ok()).collect()
}

#[test]
fn each_rule_has_a_number_of_its_own_in_its_range() {
    let ranges = [("rules", 10_000..17_000), ("profiles", 19_000..20_000), ("profiles/apps", 18_000..19_000)];
    let mut seen = BTreeMap::new();
    for (folder, range) in ranges {
        for (name, text) in confs(folder) {
            for id in numbers(&text, "\"id:") {
                assert!(range.contains(&id), "{folder}/{name}: {id}");
                assert_eq!(seen.insert(id, name.clone()), None, "{folder}/{name}: {id}");
            }
        }
    }
    assert!(seen.len() > 180, "{}", seen.len());
}

/// A sign that no sum asks for would be a rule without effect.
#[test]
fn each_weak_sign_is_summed_once() {
    let all: String = confs("rules").into_iter().map(|(_, text)| text).collect();
    let set: Vec<&str> =
        all.split("setvar:'tx.sign_").skip(1).filter_map(|rest| rest.split('=').next()).collect();
    assert!(set.len() > 15, "{}", set.len());
    for sign in set {
        assert_eq!(all.matches(&format!("=+%{{tx.sign_{sign}}}")).count(), 1, "{sign}");
    }
}

fn app_rows(name: &str) -> Vec<Row> {
    let file = home().join("tests/decisions/apps").join(format!("{name}.jsonl"));
    let text = std::fs::read_to_string(&file).expect("a corpus for each application");
    text.lines().map(|line| serde_json::from_str(line).expect("a row")).collect()
}

/// What an application's users send passes with its exclusions, an attack beside them is refused, and the exclusions are
/// needed: without them some of it does not pass.
#[test]
fn exclusions_let_applications_work_and_nothing_else() {
    let crs = core_rules();
    for (name, _) in confs("profiles/apps") {
        let file = home().join("profiles/apps").join(format!("{name}.conf")).display().to_string();
        let rows = app_rows(&name);
        assert!(rows.iter().any(Row::is_attack) && rows.len() > 2, "{name}");
        let mut engines = vec![(pack_with(1, &file), pack_with(1, ""))];
        if let Some(crs) = &crs {
            engines.push((core_with(crs, 1, &file), core_with(crs, 1, "")));
        }
        for (with, without) in engines {
            let mut needed = 0;
            for row in &rows {
                let seen = report(&with, row);
                let rules: Vec<_> = seen.matched.iter().map(|matched| matched.rule).collect();
                assert_eq!(
                    seen.verdict.is_some(),
                    row.is_attack(),
                    "{name}: {} {} {rules:?}",
                    row.id,
                    row.note
                );
                needed += usize::from(report(&without, row).verdict.is_some() != row.is_attack());
            }
            assert!(needed > 0, "{name}");
        }
    }
}

#[test]
fn every_verdict_of_the_oracle_belongs_to_a_row() {
    let text = std::fs::read_to_string(home().join("tests/decisions/verdicts.jsonl")).expect("verdicts");
    let mut ids = Vec::new();
    for line in text.lines() {
        let verdict: serde_json::Value = serde_json::from_str(line).expect("a verdict");
        assert_eq!(verdict["refused"].as_array().map(Vec::len), Some(4), "{line}");
        assert_eq!(verdict["score"].as_array().map(Vec::len), Some(4), "{line}");
        ids.push(verdict["id"].as_str().expect("an id").to_owned());
    }
    let folders = ["attacks", "benign", "holdout/attacks", "holdout/benign", "responses"];
    let known: Vec<_> = folders.into_iter().flat_map(rows).map(|row| row.id).collect();
    assert_eq!(ids, known);
}

/// The score and the verdict of an answer that comes in these windows.
fn answered(engine: &Arc<Engine>, windows: &[&str]) -> (i64, Option<Verdict>) {
    let mut transaction = Transaction::new(engine, &Arc::new(Collections::new(1)), context());
    run(
        &mut transaction,
        &Request::new("GET", "/").with_header("Host", "app.example").with_header("User-Agent", "Test/1"),
    );
    let headers: [(&[u8], &[u8]); 2] = [(b"Content-Type", b"text/html"), (b"X-Powered-By", b"PHP/8.1")];
    let mut verdict = transaction.response_head(200, b"HTTP/1.1", &headers);
    for (at, window) in windows.iter().enumerate() {
        if verdict.is_none() {
            verdict = transaction.response_window(window.as_bytes(), at + 1 == windows.len());
        }
    }
    (transaction.finish().outbound_score, verdict)
}

/// A sign that is too weak to hold an answer back is no stronger in a long answer than in a short one.
#[test]
fn an_answer_has_one_score_whatever_its_windows() {
    const KEY: &str = "-----BEGIN PRIVATE KEY-----";
    let mut engines = vec![pack_with(2, "")];
    engines.extend(core_rules().map(|crs| core_with(&crs, 2, "")));
    for (at, engine) in engines.iter().enumerate() {
        let (weak, held) = answered(engine, &["a page"]);
        assert_eq!(held, None);
        assert_eq!(answered(engine, &["a", "long", "page", "in", "pieces"]), (weak, None), "{at}");
        if at == 0 {
            assert!(weak > 0, "there is a weak sign");
            let (strong, held) = answered(engine, &[KEY]);
            assert!(strong > weak && held.is_some(), "{strong} {held:?}");
            assert_eq!(
                answered(engine, &["a page", "with", KEY, KEY]),
                (strong, held),
                "the key counts once, in whatever window"
            );
        }
    }
}
