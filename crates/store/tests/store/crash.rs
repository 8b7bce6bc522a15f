//! A process that is killed loses nothing that it acknowledged and leaves nothing half-done.
//!
//! The test starts itself as a child that writes as fast as it can and prints a line for each acknowledgement,
//! kills it without warning, and opens what is left.

use crate::fixture::{bytes, insert_person, person_id, record, tenant_id, token};
use model::{Compartment, PersonId};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;
use store::{DataOp, KeyOp, Options, Store};

/// Writers in the child; each has plans in flight all the time.
const WRITERS: u32 = 64;
const ROUNDS_PER_FOLDER: u32 = 4;

/// The child: reads the folder from its input and writes until it is killed. Run by hand it does nothing.
#[test]
#[ignore = "the child of the crash test"]
fn child() {
    let mut dir = String::new();
    std::io::stdin().read_line(&mut dir).unwrap();
    let mut words = dir.split_whitespace();
    let (Some(dir), Some(round)) = (words.next(), words.next()) else { return };
    let round: u32 = round.parse().unwrap();
    let store = Store::open(Path::new(dir), &Options::default()).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let load = (0..WRITERS).map(|writer| {
        let store = store.clone();
        async move {
            for step in 0.. {
                write(&store, number(round, writer, step)).await;
            }
        }
    });
    let tasks = tokio::task::LocalSet::new();
    load.for_each(|one| drop(tasks.spawn_local(one)));
    runtime.block_on(tasks);
}

fn number(round: u32, writer: u32, step: u32) -> u32 {
    round << 28 | writer << 20 | step
}

/// The order of a change: the record first, then person and token in one plan.
async fn write(store: &Store, n: u32) {
    store.apply_data("record", vec![DataOp::PutRecord(small_record(n))]).await.unwrap();
    say("data", n);
    let plan = vec![insert_person(n, &bytes("wrap", n, 186)), KeyOp::InsertToken(token(n))];
    store.apply_keys("person", plan).await.unwrap();
    say("keys", n);
}

fn small_record(n: u32) -> store::RecordRow {
    let mut row = record(1, 1);
    row.key.person = person_id(n);
    row.sealed.0 = bytes("record", n, 300);
    row
}

fn say(what: &str, n: u32) {
    let line = format!("ack {what} {n}\n");
    std::io::stdout().write_all(line.as_bytes()).unwrap();
}

/// Starts a child, lets it write for a while, kills it; what it had acknowledged.
fn killed_after(dir: &Path, round: u32, time: Duration) -> Vec<(String, u32)> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "crash::child", "--ignored", "--nocapture", "--test-threads=1"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    writeln!(child.stdin.take().unwrap(), "{} {round}", dir.display()).unwrap();
    let output = BufReader::new(child.stdout.take().unwrap());
    let reader = std::thread::spawn(move || {
        // The last line may be cut off; it counts only when it is whole.
        let whole = |line: Vec<u8>| {
            let line = String::from_utf8(line).ok()?;
            let mut words = line.strip_prefix("ack ")?.split(' ');
            Some((words.next()?.to_owned(), words.next()?.strip_suffix('\n')?.parse().ok()?))
        };
        let mut output = output;
        let mut acknowledged = Vec::new();
        loop {
            let mut line = Vec::new();
            if output.read_until(b'\n', &mut line).unwrap_or(0) == 0 {
                return acknowledged;
            }
            acknowledged.extend(whole(line));
        }
    });
    std::thread::sleep(time);
    child.kill().unwrap();
    child.wait().unwrap();
    reader.join().unwrap()
}

/// How often a child is killed: few here, many in the soak, which sets `OBHUT_ROUNDS`.
#[expect(clippy::disallowed_methods, reason = "a test takes its number of rounds from the soak")]
fn rounds() -> u32 {
    std::env::var("OBHUT_ROUNDS").ok().and_then(|text| text.parse().ok()).unwrap_or(6)
}

#[test]
fn a_killed_process_loses_nothing_that_it_acknowledged() {
    let mut left = rounds();
    while left > 0 {
        let here = left.min(ROUNDS_PER_FOLDER);
        kill_repeatedly(here, left);
        left -= here;
    }
}

/// Each child finds what the one before it left behind.
fn kill_repeatedly(rounds: u32, seed: u32) {
    let dir = tempfile::tempdir().unwrap();
    let mut all = Vec::new();
    for round in 0..rounds {
        let [pause] = *bytes("pause", seed * 100 + round, 1) else { unreachable!() };
        let acknowledged = killed_after(dir.path(), round, Duration::from_millis(250 + u64::from(pause)));
        assert!(acknowledged.len() > 20, "control: only {} acknowledgements", acknowledged.len());
        all.extend(acknowledged);
        let store = Store::open(dir.path(), &Options::default()).unwrap();
        check(&store, &all);
    }
}

fn check(store: &Store, acknowledged: &[(String, u32)]) {
    let integrity = store.integrity().unwrap();
    assert!(integrity.keys && integrity.data);
    let snapshot = store.snapshot().unwrap();
    let sealed = |person: PersonId| snapshot.record(tenant_id(), person, Compartment(0), 1).unwrap();
    for (what, n) in acknowledged {
        let there = match what.as_str() {
            "data" => sealed(person_id(*n)) == Some(small_record(*n).sealed),
            _ => snapshot.token(tenant_id(), &token(*n).token).unwrap() == Some(token(*n)),
        };
        assert!(there, "{what} {n} was acknowledged and is gone");
    }
    // Nothing half-done: who is there has token and record, whether acknowledged or not.
    let mut after = None;
    let mut count = 0;
    loop {
        let page = snapshot.persons_after(tenant_id(), after, 500).unwrap();
        let Some(last) = page.last() else { break };
        after = Some(last.person);
        for row in &page {
            let tokens = snapshot.tokens_of(tenant_id(), row.person).unwrap();
            assert_eq!(tokens.len(), 1, "a plan was applied in part");
            assert!(sealed(row.person).is_some(), "a person without the record written before her");
            count += 1;
        }
    }
    assert!(count >= acknowledged.iter().filter(|(what, _)| what == "keys").count());
}
