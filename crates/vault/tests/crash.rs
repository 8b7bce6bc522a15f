//! kill -9 under load: nothing acknowledged is lost, nothing half-done stays.
//!
//! The test starts itself as a child that creates, changes, reads and erases persons, many at a time, and says each
//! intent before and each acknowledgement after. It is killed at a random moment. Then the house is opened again and
//! everything that was acknowledged is checked. `OBHUT_ROUNDS` says how often; the soak sets it to 200.

mod world;

use ledger::verify::{KeyKind, VerifierKey, directory};
use model::principal::Role;
use model::{PersonId, TenantId};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;
use vault::trail::Event;
use world::{KEYS_FOLDER, World, put};

const FOLDER: &str = "OBHUT_TEST_CRASH_FOLDER";
const WRITERS: u32 = 32;

fn variable(name: &str) -> Option<String> {
    #[expect(clippy::disallowed_methods, reason = "how a test talks to its child and to the soak")]
    std::env::var(name).ok()
}

/// What the child said, by person's reference.
#[derive(Default, Debug)]
struct Told {
    person: Option<PersonId>,
    /// Names that were acknowledged or at least tried, in order, with whether they were acknowledged.
    names: Vec<(String, bool)>,
    erase_tried: bool,
    erased: bool,
    reads: Vec<u64>,
}

/// The child's part; does nothing when run by itself.
#[test]
#[ignore = "the child of the crash test"]
fn child() {
    let Some(folder) = variable(FOLDER) else { return };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.expect("a runtime").block_on(async move {
        let world = std::sync::Arc::new(World::in_folder(Path::new(&folder)).await);
        let tenant = world.tenant;
        tell(&format!("tenant {tenant}"));
        let tender = world.vault.clone();
        tokio::spawn(async move {
            loop {
                let _ = tender.tend().await;
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        });
        let writers: Vec<_> = (0..WRITERS).map(|writer| tokio::spawn(write(world.clone(), writer))).collect();
        for writer in writers {
            writer.await.expect("no panic");
        }
    });
}

fn tell(line: &str) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "@ {line}").and_then(|()| out.flush()).expect("the parent listens");
}

async fn write(world: std::sync::Arc<World>, writer: u32) {
    for number in 0..100_000_u32 {
        let reference = format!("r{writer}-{number}");
        tell(&format!("try-name {reference} one-{reference}"));
        let stored = put(&reference, &[("name", &format!("one-{reference}")), ("email", "x@example.org")]);
        let stored = world.vault.put(&world.ctx(&world.app), world.tenant, &stored).await.expect("stored");
        tell(&format!("name {reference} one-{reference} {}", stored.person));
        if number % 2 == 0 {
            tell(&format!("try-name {reference} two-{reference}"));
            let changed = put(&reference, &[("name", &format!("two-{reference}"))]);
            world.vault.put(&world.ctx(&world.app), world.tenant, &changed).await.expect("changed");
            tell(&format!("name {reference} two-{reference} {}", stored.person));
        }
        if number % 3 == 0 {
            let read = world.reveal(&world.lead, "rostering", stored.person, &["name"]).await.expect("read");
            tell(&format!("read {reference} {}", read.entry));
        }
        if number % 4 == 0 {
            tell(&format!("try-erase {reference}"));
            world.vault.erase(&world.ctx(&world.officer), world.tenant, stored.person).await.expect("erased");
            tell(&format!("erased {reference}"));
        }
    }
}

/// Runs the child for so many milliseconds after its first word and kills it. What it said, and its tenant.
fn run_child(folder: &Path, ms: u64) -> (BTreeMap<String, Told>, TenantId) {
    let mut child = Command::new(std::env::current_exe().expect("this program"))
        .args(["--exact", "child", "--ignored", "--nocapture"])
        .env(FOLDER, folder)
        .env(KEYS_FOLDER, folder)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("started");
    let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
    let tenant = loop {
        let line = lines.next().expect("the child speaks").expect("text");
        if let Some(tenant) = line.split("@ tenant ").nth(1) {
            break tenant.trim().parse().expect("a tenant");
        }
    };
    let killer = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(ms));
        child.kill().expect("killed");
        child.wait().expect("ended");
    });
    let mut told: BTreeMap<String, Told> = BTreeMap::new();
    for line in lines.map_while(Result::ok) {
        let Some(line) = line.split("@ ").nth(1) else { continue };
        let words: Vec<&str> = line.split(' ').collect();
        match words[..] {
            ["try-name", reference, name] => one(&mut told, reference).names.push((name.to_owned(), false)),
            ["name", reference, name, person] => {
                let Ok(person) = person.parse() else { continue };
                let entry = one(&mut told, reference);
                entry.person = Some(person);
                let last = entry.names.iter_mut().rev().find(|one| one.0 == name);
                last.expect("tried before").1 = true;
            }
            ["read", reference, index] => {
                one(&mut told, reference).reads.extend(index.parse::<u64>().ok());
            }
            ["try-erase", reference] => one(&mut told, reference).erase_tried = true,
            ["erased", reference] => one(&mut told, reference).erased = true,
            _ => {}
        }
    }
    killer.join().expect("no panic");
    (told, tenant)
}

fn one<'a>(told: &'a mut BTreeMap<String, Told>, reference: &str) -> &'a mut Told {
    told.entry(reference.to_owned()).or_default()
}

#[test]
fn what_was_acknowledged_survives_a_kill() {
    let rounds = variable("OBHUT_ROUNDS").and_then(|text| text.parse().ok()).unwrap_or(6);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.expect("a runtime");
    let mut acknowledged = 0;
    for round in 0..rounds {
        let folder = tempfile::tempdir().expect("a folder");
        world::keep_keys(folder.path());
        let pause: [u8; 2] = model::clock::random(&seal::SystemEntropy);
        let (told, tenant) = run_child(folder.path(), 100 + u64::from(u16::from_be_bytes(pause)) % 900);
        acknowledged += told.values().filter(|one| one.person.is_some()).count();
        runtime.block_on(check(folder.path(), tenant, &told, round));
    }
    assert!(acknowledged > rounds as usize * 20, "there was load: {acknowledged}");
}

async fn check(folder: &Path, tenant: TenantId, told: &BTreeMap<String, Told>, round: u32) {
    let clock = testkit::TestClock::at(world::NOON + 60_000);
    let (vault, store, ledger, _) = world::open(folder, &clock).await;
    assert_eq!(store.snapshot().expect("read").outbox(None, 10).expect("read").len(), 0, "all shipped");
    let keys = issue(&vault, &store, tenant).await;
    let mut seen = BTreeSet::new();
    for (reference, one) in told {
        let Some(person) = one.person else { continue };
        let shown = keys.value(&vault, tenant, person).await;
        let last = one.names.iter().rposition(|name| name.1).expect("acknowledged");
        let possible: Vec<&str> = one.names[last..].iter().map(|name| name.0.as_str()).collect();
        match &shown {
            Some(name) => {
                assert!(!one.erased, "round {round}: {reference} was erased and is read");
                assert!(
                    possible.contains(&name.as_str()),
                    "round {round}: {reference} is {name}, not {possible:?}"
                );
                let list = vault.accesses(&keys.officer, tenant, person, 100).await.expect("a list");
                let created: Vec<_> = list.iter().filter(|one| one.event == Event::Create).collect();
                assert_eq!(created.len(), 1, "round {round}: {reference} is logged exactly once");
                assert!(seen.insert(created[0].entry));
                let changed = list.iter().filter(|one| one.event == Event::Rectify).count();
                let fewest = one.names.iter().filter(|name| name.1).count() - 1;
                assert!((fewest..one.names.len()).contains(&changed), "round {round}: {reference} {changed}");
                for read in &one.reads {
                    assert!(
                        list.iter().any(|one| one.entry == *read),
                        "round {round}: read {read} is logged"
                    );
                }
            }
            None => assert!(one.erase_tried, "round {round}: {reference} is lost"),
        }
    }
    ledger.make_provable().expect("a checkpoint");
    let key = VerifierKey {
        name: "test.example/ledger".into(),
        kind: KeyKind::Ed25519,
        public: world::public_key(),
    };
    let report = directory(&folder.join("ledger"), &[key], &[]).expect("readable");
    assert!(report.findings.is_empty(), "round {round}: {:?}", report.findings);
    ledger.close();
    store.close();
}

/// Contexts to look around with: the house's first key is the admin's, whose secret went with the child.
struct Looking {
    lead: vault::Context,
    officer: vault::Context,
}

impl Looking {
    async fn value(&self, vault: &vault::Vault, tenant: TenantId, person: PersonId) -> Option<String> {
        let items = vec![vault::reveal::Item::Fields(person, vec!["name".into()])];
        let request = vault::reveal::RevealRequest { purpose: "rostering".into(), recipient: None, items };
        let answer = vault.reveal(&self.lead, tenant, &request).await.expect("an answer");
        answer.items[0][0].value.as_ref().map(|value| value.to_string())
    }
}

/// Two new keys, issued by the operator, since the child took its own with it.
async fn issue(vault: &vault::Vault, store: &store::Store, tenant: TenantId) -> Looking {
    assert!(store.snapshot().expect("read").tenant(tenant).expect("read").is_some());
    let key = |role| async move {
        let issued = vault.issue_operator_key(tenant, "after the crash", role).await.expect("a key");
        let actor = vault.authenticate(&issued, |_| true).expect("valid");
        vault::Context { actor, request: vault.new_request() }
    };
    Looking { lead: key(Role::Operations).await, officer: key(Role::PrivacyOfficer).await }
}
