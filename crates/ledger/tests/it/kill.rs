//! A process is killed in the midst of appending; everything that its parent saw acknowledged must be there.

use crate::support::{Random, TestClock, TestSigner, options};
use ledger::Ledger;
use ledger::verify;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const ROUNDS: u64 = 20;

/// The helper binary, which Cargo builds beside the tests.
fn helper() -> PathBuf {
    let tests = std::env::current_exe().unwrap();
    let helper = tests.parent().unwrap().parent().unwrap().join("examples/append_until_killed");
    assert!(
        helper.is_file(),
        "{} is missing: cargo test builds it, cargo test --test it does not",
        helper.display()
    );
    helper
}

/// Runs the helper for `run`, kills it, and returns what it had acknowledged: number to index.
fn run_and_kill(dir: &Path, from: u64, run: Duration) -> BTreeMap<u64, u64> {
    let mut child = Command::new(helper())
        .arg(dir)
        .arg(from.to_string())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let output = child.stdout.take().unwrap();
    let reader = std::thread::spawn(move || {
        let mut acknowledged = BTreeMap::new();
        let mut output = BufReader::new(output);
        let mut line = String::new();
        // A last line that the kill cut off has no newline and says nothing.
        while output.read_line(&mut line).unwrap() > 0 && line.ends_with('\n') {
            let (number, index) = line.trim_end().split_once(' ').unwrap();
            acknowledged.insert(number.parse().unwrap(), index.parse().unwrap());
            line.clear();
        }
        acknowledged
    });
    std::thread::sleep(run);
    child.kill().unwrap();
    child.wait().unwrap();
    reader.join().unwrap()
}

#[test]
fn nothing_acknowledged_is_lost_when_the_process_is_killed() {
    let dir = tempfile::tempdir().unwrap();
    let mut random = Random(11);
    let mut acknowledged = BTreeMap::new();
    let (mut from, mut running) = (0, Duration::ZERO);
    for _ in 0..ROUNDS {
        let run = Duration::from_millis(30 + random.below(100));
        let start = Instant::now();
        let mut more = run_and_kill(dir.path(), from, run);
        running += start.elapsed();
        from += 1_000_000;
        acknowledged.append(&mut more);
    }
    let per_second = acknowledged.len() as f64 / running.as_secs_f64();
    assert!(per_second >= 1000.0, "only {per_second:.0} appends/s in flight");

    let (ledger, recovery) =
        Ledger::open(dir.path(), options(), TestSigner::log(), TestClock::new()).unwrap();
    assert_eq!(recovery.damage, None);
    for (number, index) in &acknowledged {
        let leaf = ledger.leaf(*index).unwrap().expect("acknowledged, so it is there");
        assert_eq!(leaf, number.to_be_bytes().repeat(20));
        assert_eq!(ledger.identity(*index).unwrap().unwrap(), number.to_be_bytes().repeat(3));
    }
    let mut posted = 0;
    for number in 0..7_u64 {
        let mut reference = [0; 16];
        reference[8..].copy_from_slice(&number.to_be_bytes());
        posted += ledger.touched(&reference, u64::MAX, usize::MAX).unwrap().len() as u64;
    }
    assert_eq!(posted, recovery.entries, "every entry has one posting");
    ledger.close();
    let report = verify::directory(dir.path(), &[TestSigner::log().key()], &[]).unwrap();
    assert!(report.is_good(), "{report:?}");
    assert_eq!(report.entries, recovery.entries);
}
