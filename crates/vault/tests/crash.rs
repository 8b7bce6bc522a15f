//! kill -9 under load: nothing acknowledged is lost, nothing half-done stays.
//!
//! The test starts itself as a child that runs all protocols, many at a time (`crash/load.rs`), and says each intent
//! before and each acknowledgement after (`crash/told.rs`). The child dies at a named step ([`vault::Step`]), every
//! one in turn, or at a random moment. Then the house is opened again and everything is looked at (`crash/check.rs`).
//!
//! Every step is tried once, and some random moments; `OBHUT_ROUNDS` asks for more rounds, and the soak does.

#[path = "crash/check.rs"]
mod check;
#[path = "crash/load.rs"]
mod load;
#[path = "crash/told.rs"]
mod told;
mod world;

use check::{House, look};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use store::{DataOp, RecordKey, RecordRow, Sealed};
use told::Told;
use vault::Step;
use vault::consent::Answer;
use world::{KEYS_FOLDER, World, put};

const FOLDER: &str = "OBHUT_TEST_CRASH_FOLDER";
/// At which step the child dies, and the how many-th time.
const STEP: &str = "OBHUT_TEST_CRASH_STEP";
const TIMES: &str = "OBHUT_TEST_CRASH_TIMES";
/// What the child does: `load`, `weeks` (the load while weeks go by), or `open`.
const TASK: &str = "OBHUT_TEST_CRASH_TASK";

/// Rounds in which the child dies at a random moment, at least.
const RANDOM: usize = 6;

fn variable(name: &str) -> Option<String> {
    #[expect(clippy::disallowed_methods, reason = "how a test talks to its child and to the soak")]
    std::env::var(name).ok()
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime")
}

/// The child's part; does nothing when run by itself.
#[test]
#[ignore = "the child of the crash test"]
fn child() {
    let Some(folder) = variable(FOLDER) else { return };
    // A part of the load that ends by itself would leave a load that is less than it seems.
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        hook(info);
        std::process::exit(1);
    }));
    let times = variable(TIMES).and_then(|text| text.parse().ok()).unwrap_or(1);
    let steps = variable(STEP).map(|step| load::killer(&step, times));
    runtime().block_on(async {
        match variable(TASK).as_deref() {
            Some("open") => load::open_again(Path::new(&folder), steps).await,
            task => load::run(Path::new(&folder), steps, task == Some("weeks")).await,
        }
    });
}

/// How a child dies.
#[derive(Clone, Copy, Debug)]
enum Death {
    /// So many milliseconds after it has made its tenant.
    After(u64),
    /// The n-th time that it comes to the step.
    At(Step, u32),
}

/// Runs a child until its death, and takes in what it says.
fn run_child(folder: &Path, task: &str, death: Death, told: &mut Told) {
    let mut command = Command::new(std::env::current_exe().expect("this program"));
    command.args(["--exact", "child", "--ignored", "--nocapture"]);
    command.env(FOLDER, folder).env(KEYS_FOLDER, folder).env(TASK, task);
    if let Death::At(step, times) = death {
        command.env(STEP, step.name()).env(TIMES, times.to_string());
    }
    let mut child = command.stdout(Stdio::piped()).spawn().expect("started");
    let pid = rustix::process::Pid::from_child(&child);
    let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines().map_while(Result::ok);
    let killer = match death {
        Death::At(..) => None,
        Death::After(ms) => {
            while told.tenant.is_none() {
                told.hear(&lines.next().expect("the child speaks"));
            }
            Some(std::thread::spawn(move || {
                std::thread::sleep(Duration::from_millis(ms));
                rustix::process::kill_process(pid, rustix::process::Signal::KILL).expect("killed");
            }))
        }
    };
    for line in lines {
        told.hear(&line);
    }
    let status = child.wait().expect("ended");
    if let Some(killer) = killer {
        killer.join().expect("no panic");
    }
    assert_eq!(status.signal(), Some(9), "{death:?} was never reached");
}

/// The n-th time that a step is reached is another one in each round, but behind those that the set-up of the load
/// itself goes through.
fn times(step: Step, pass: usize, random: u32) -> u32 {
    let (first, more) = match step {
        Step::TenantWritten | Step::TenantCommitted | Step::FirstKeyCommitted | Step::FirstKeyShipped => {
            (1, 1)
        }
        Step::OutboxLookedUp | Step::OutboxShippedAgain => (1, 1),
        Step::KeyWritten | Step::KeyCommitted | Step::KeyShipped => (5, 20),
        Step::SubKeyKept => (1, 3),
        Step::DeclareWritten | Step::DeclareCommitted | Step::DeclareShipped => (4, 4),
        // The tenant's first epoch is the first one; the next begins with the next week.
        Step::EpochMade | Step::EpochOpened => (if pass == 0 { 2 } else { 1 }, if pass == 0 { 1 } else { 3 }),
        Step::EpochAnnounced | Step::EpochDestroyed => (1, 2),
        Step::EpochEndCommitted | Step::EpochEndShipped => (1, 2),
        Step::CertificateKept | Step::ReadNotReleased => (1, 3),
        Step::CreateWritten | Step::CreateCommitted | Step::CreateShipped => (1, 200),
        Step::ReadSealed | Step::ReadAppended | Step::ReadOpened => (1, 100),
        _ => (1, 30),
    };
    first + random % more
}

/// One round, in a house of its own. What the children said.
fn round(folder: &Path, number: usize, random: u32) -> (Death, Told) {
    let mut told = Told::default();
    let (pass, at) = (number / Step::ALL.len(), number % Step::ALL.len());
    // Every step once; then random moments and steps in turn.
    if number >= Step::ALL.len() && (pass == 1 && at < RANDOM || at.is_multiple_of(2)) {
        let death = Death::After(100 + u64::from(random) % 900);
        run_child(folder, if at.is_multiple_of(4) { "weeks" } else { "load" }, death, &mut told);
        return (death, told);
    }
    let step = Step::ALL[at];
    let death = Death::At(step, times(step, pass, random));
    if matches!(step, Step::OutboxLookedUp | Step::OutboxShippedAgain) {
        // Something has to be left over.
        run_child(folder, "load", Death::At(Step::CreateCommitted, 40), &mut told);
        told.reached = false;
        run_child(folder, "open", death, &mut told);
    } else {
        let weeks = step.name().starts_with("epoch");
        run_child(folder, if weeks { "weeks" } else { "load" }, death, &mut told);
    }
    assert!(told.reached, "{death:?} was never reached");
    (death, told)
}

#[test]
fn what_was_acknowledged_survives_a_kill() {
    let asked = variable("OBHUT_ROUNDS").and_then(|text| text.parse().ok()).unwrap_or(0);
    let rounds = asked.max(Step::ALL.len() + RANDOM).max(20);
    let runtime = runtime();
    let mut acknowledged = 0;
    let mut wrong = Vec::new();
    for number in 0..rounds {
        let folder = tempfile::tempdir().expect("a folder");
        world::keep_keys(folder.path());
        let random = u32::from_be_bytes(model::clock::random(&seal::SystemEntropy));
        let began = Instant::now();
        let (death, told) = round(folder.path(), number, random);
        let died = began.elapsed();
        acknowledged += told.acknowledged;
        let complaints = runtime.block_on(look(folder.path(), &told));
        say(&format!(
            "round {number}, {death:?}: {} acknowledged, {} ms, looked at in {} ms, {} complaints",
            told.acknowledged,
            died.as_millis(),
            (began.elapsed() - died).as_millis(),
            complaints.len()
        ));
        wrong.extend(complaints.into_iter().map(|one| format!("round {number}, {death:?}: {one}")));
    }
    wrong.truncate(60);
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(acknowledged > rounds * 20, "there was load: {acknowledged}");
}

fn say(line: &str) {
    writeln!(std::io::stderr().lock(), "{line}").expect("said");
}

/// A small world in which everything was acknowledged, with what was said of it.
async fn told_truly(folder: &Path) -> (World, Told) {
    let world = World::in_folder(folder).await;
    let mut told = Told { tenant: Some(world.tenant), ..Told::default() };
    for (number, reference) in ["r1-0", "r1-1", "r1-2"].into_iter().enumerate() {
        let request = put(reference, &[("name", reference), ("email", "a@b.org"), ("health_note", "none")]);
        let stored = world.vault.put(&world.ctx(&world.app), world.tenant, &request).await.expect("stored");
        told.acknowledge(reference, "name", reference);
        told.persons.insert(reference.to_owned(), stored.person);
        if number == 1 {
            let (consent, own) = world.consented(stored.person).await;
            let ctx = world.ctx(&own);
            let withdrawn = world.vault.answer_consent(&ctx, world.tenant, consent, Answer::Withdraw).await;
            withdrawn.expect("withdrawn");
            told.acknowledge(reference, "consent", "Withdrawn");
        }
        if number == 2 {
            world.vault.erase(&world.ctx(&world.officer), world.tenant, stored.person).await.expect("erased");
            told.acknowledge(reference, "life", "erased");
        }
    }
    told.weeks = 1;
    (world, told)
}

async fn after_restart(world: World, told: &Told) -> Vec<String> {
    let folder = world.folder.clone();
    world.ledger.close();
    world.store.close();
    drop(world);
    look(&folder, told).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_checker_has_nothing_to_say_about_the_truth() {
    let folder = tempfile::tempdir().expect("a folder");
    let (world, told) = told_truly(folder.path()).await;
    assert_eq!(after_restart(world, &told).await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_checker_notices_acknowledgements_that_never_happened() {
    let folder = tempfile::tempdir().expect("a folder");
    let (world, told) = told_truly(folder.path()).await;
    let house = House::of(&world);
    let lies: [(&str, &str, &str); 8] = [
        ("r1-0", "name", "another"),
        ("r9-9", "name", "r9-9"),
        ("r1-0", "life", "erased"),
        ("r1-0", "limit", "on"),
        ("r1-0", "consent", "Given"),
        ("r1-1", "consent", "Given"),
        ("config", "notices", "2"),
        ("shield", "entries", "1"),
    ];
    for (thing, register, value) in lies {
        let mut lied = told.clone();
        lied.acknowledge(thing, register, value);
        let complaints = house.lost(&lied).await;
        assert!(
            complaints.iter().any(|one| one.contains(thing)),
            "{thing} {register} {value}: {complaints:?}"
        );
    }
    let mut lied = told.clone();
    lied.reads.push(("r1-0".to_owned(), 0));
    assert!(!house.lost(&lied).await.is_empty(), "a read that was never logged");
    let mut lied = told.clone();
    lied.secrets
        .insert("k1".to_owned(), (*model::token::ApiKey::generate(&seal::SystemEntropy).reveal()).to_owned());
    lied.acknowledge("k1", "key", "issued");
    assert!(!house.lost(&lied).await.is_empty(), "a key that was never issued");
    let mut lied = told;
    lied.registers.retain(|register, _| register.0 != "r1-1");
    assert!(!house.lost(&lied).await.is_empty(), "a person whom nobody tried to store");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_checker_notices_an_entry_that_is_there_twice() {
    let folder = tempfile::tempdir().expect("a folder");
    let (world, told) = told_truly(folder.path()).await;
    let leaf = world.ledger.leaf(6).expect("readable").expect("there");
    world.ledger.append_blocking(ledger::Entry { leaf, ..ledger::Entry::default() }).expect("appended");
    let complaints = after_restart(world, &told).await;
    assert!(complaints.iter().any(|one| one.contains("twice")), "{complaints:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_checker_notices_rows_that_nothing_points_to() {
    let folder = tempfile::tempdir().expect("a folder");
    let (world, told) = told_truly(folder.path()).await;
    let person = told.persons["r1-0"];
    let key = RecordKey { tenant: world.tenant, person, compartment: model::Compartment(0), version: 9 };
    let put = DataOp::PutRecord(RecordRow { key, sealed: Sealed(vec![1]) });
    world.store.apply_data("leave", vec![put]).await.expect("left");
    let complaints = after_restart(world, &told).await;
    assert!(complaints.iter().any(|one| one.contains("records of")), "{complaints:?}");
}
