//! The regression corpus of the Core Rule Set, as its authors run it: everything is detected, at level 4.

use crate::folder::{core_rules, load, prelude};
use shield::ftw::{self, Observed, Verdict};
use shield::message::Request;
use shield::{Collections, Context, Engine, Head, Transaction};
use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

const LIMITS: &str = ",setvar:tx.max_num_args=255,setvar:tx.arg_name_length=100,setvar:tx.arg_length=400,\
    setvar:tx.total_arg_length=6400,setvar:tx.max_file_size=64100,setvar:tx.combined_file_sizes=65535,\
    setvar:tx.crs_validate_utf8_encoding=1";

pub(crate) fn context() -> Context {
    let local = IpAddr::V4(Ipv4Addr::LOCALHOST);
    Context {
        client: local,
        client_port: 40_000,
        server: local,
        server_port: 443,
        id: "test".into(),
        now: 1_790_000_000,
    }
}

/// Sends a request and its answer through a transaction.
pub(crate) fn run(transaction: &mut Transaction, request: &Request) {
    let headers: Vec<(&[u8], &[u8])> =
        request.headers.iter().map(|(name, value)| (name.as_slice(), value.as_slice())).collect();
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
        let headers: Vec<(&[u8], &[u8])> =
            response.headers.iter().map(|(name, value)| (name.as_slice(), value.as_slice())).collect();
        if transaction.response_head(response.status, b"HTTP/1.1", &headers).is_some() {
            return;
        }
        if transaction.wants_answer() {
            transaction.response_window(&response.body, true);
        }
    }
}

fn observe(engine: &Arc<Engine>, request: &Request) -> Observed {
    let collections = Arc::new(Collections::new(16));
    let mut transaction = Transaction::new(engine, &collections, context()).explaining();
    run(&mut transaction, request);
    let report = transaction.finish();
    let ids = report.matched.iter().filter(|matched| matched.logged).map(|matched| matched.rule).collect();
    let mut log = String::new();
    for line in transaction.logged() {
        let (message, data) = (line.message.escape_ascii(), line.data.escape_ascii());
        log.push_str(&format!("[id \"{}\"] [msg \"{message}\"] [data \"{data}\"]\n", line.rule));
    }
    Observed { ids, log: Some(log) }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            files.extend(self::files(&path));
        } else if path.extension().is_some_and(|extension| extension == "yaml")
            && !path.to_string_lossy().contains("overrides")
        {
            files.push(path);
        }
    }
    files.sort();
    files
}

/// All cases of the corpus, in order.
pub(crate) fn cases(crs: &Path) -> Vec<ftw::Case> {
    let mut cases = Vec::new();
    for file in files(&crs.join("regression")) {
        let text = std::fs::read_to_string(&file).expect("text");
        cases.extend(ftw::read(&text).unwrap_or_default());
    }
    cases
}

#[test]
fn the_regression_corpus_passes() {
    let Some(crs) = core_rules() else { return };
    let engine = match load(&crs, &prelude("DetectionOnly", 4, LIMITS), "") {
        Ok(engine) => Arc::new(engine),
        Err(faults) => panic!("{}", faults.iter().map(|fault| format!("{fault}\n")).collect::<String>()),
    };
    let (mut passed, mut failed, mut skipped) = (0, Vec::new(), 0);
    for case in cases(&crs) {
        match case.run(|request| Ok(observe(&engine, request))) {
            Verdict::Passed => passed += 1,
            Verdict::Failed(causes) => failed.push(format!("{case}: {causes:?}")),
            Verdict::Skipped(_) => skipped += 1,
        }
    }
    println!("passed {passed} failed {} skipped {skipped}\n{}", failed.len(), failed.join("\n"));
    assert!(failed.len() * 200 <= passed + failed.len(), "{} of {}", failed.len(), passed + failed.len());
}
