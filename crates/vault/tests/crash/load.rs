//! The child's part: all protocols at once, many at a time, each intent said before and each acknowledgement after.

use super::told::tell;
use super::world::{self, NOTICE, World, put};
use jobs::{Registry, Runner};
use model::notice::{Notice, NoticeText, NoticeVersion};
use model::principal::Role;
use model::{NoticeId, PersonId};
use rustix::process::{Signal, getpid, kill_process};
use seal::SystemEntropy;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use vault::Step;
use vault::consent::Answer;
use vault::keys::{IssuedKey, NewKey};
use vault::restrict::Limit;
use vault::reveal::RevealError;
use vault::shield::ShieldChange;
use vault::steps::Observer;
use vault::submit::{NewSubmission, Outcome, Whose};
use zeroize::Zeroizing;

const WRITERS: u32 = 48;
/// So many persons per writer; a child that is to die at a step and has not by then never will.
const PERSONS: u32 = 400;

/// Kills this process, as `kill -9` would, when `step` is reached for the n-th time.
pub(crate) fn killer(step: &str, times: u32) -> Observer {
    let wanted = *Step::ALL.iter().find(|one| one.name() == step).expect("a step of the list");
    let seen = AtomicU32::new(0);
    Arc::new(move |step| {
        if step == wanted && seen.fetch_add(1, Ordering::SeqCst) + 1 == times {
            tell("reached");
            kill_process(getpid(), Signal::KILL).expect("killed");
            loop {
                std::thread::park();
            }
        }
    })
}

/// Runs until it is killed, or until all is done. With `weeks` the time flies by.
pub(crate) async fn run(folder: &Path, steps: Option<Observer>, weeks: bool) {
    let world = Arc::new(World::watched(folder, steps).await);
    tell(&format!("tenant {}", world.tenant));
    let _runner = work(&world);
    tokio::spawn(tend(world.clone()));
    tokio::spawn(pass_time(world.clone(), weeks));
    tokio::spawn(declare(world.clone()));
    tokio::spawn(keys(world.clone()));
    tokio::spawn(shield(world.clone()));
    let writers: Vec<_> = (0..WRITERS).map(|writer| tokio::spawn(write(world.clone(), writer))).collect();
    for writer in writers {
        writer.await.expect("no panic");
    }
}

fn work(world: &World) -> Runner {
    let mut registry = Registry::default();
    world.vault.register(&mut registry).expect("registered");
    let options = jobs::Options { tick: Duration::from_millis(20), at_once: 16, ..jobs::Options::default() };
    let (clock, entropy) = (Arc::new(world.clock.clone()), Arc::new(SystemEntropy));
    Runner::start(world.store.clone(), registry, clock, entropy, options)
}

async fn tend(world: Arc<World>) {
    loop {
        let _ = world.vault.tend().await;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Jobs become due, and weeks end.
async fn pass_time(world: Arc<World>, weeks: bool) {
    for week in 1.. {
        for _ in 0..5 {
            tokio::time::sleep(Duration::from_millis(50)).await;
            world.clock.advance_ms(11_000);
        }
        if weeks {
            tell(&format!("week {week}"));
            world.clock.advance_days(7);
        }
    }
}

/// One notice more, again and again: each is a whole new configuration.
async fn declare(world: Arc<World>) {
    for number in 2_u32.. {
        let mut id = [7; 16];
        id[..4].copy_from_slice(&number.to_be_bytes());
        let text = NoticeText { language: "en".into(), text: format!("Notice {number}\n") };
        let versions = vec![NoticeVersion { texts: vec![text] }];
        let notice = Notice { id: NoticeId(id), name: format!("notice-{number}"), versions };
        tell(&format!("try config notices {number}"));
        world.vault.put_notice(&world.ctx(&world.officer), world.tenant, notice).await.expect("declared");
        tell(&format!("ack config notices {number}"));
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
}

/// Keys come and go.
async fn keys(world: Arc<World>) {
    for number in 0.. {
        let thing = format!("k{number}");
        let issued = issue(&world, &thing, Role::Auditor, None).await;
        tell(&format!("try {thing} key revoked"));
        let admin = world.ctx(&world.admin);
        world.vault.revoke_key(&admin, world.tenant, issued.principal).await.expect("revoked");
        tell(&format!("ack {thing} key revoked"));
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Changes of the shield, each of which is an entry and nothing else here.
async fn shield(world: Arc<World>) {
    for number in 1_u32.. {
        tell(&format!("try shield entries {number}"));
        let change = ShieldChange { set: 1, lifted: 0, takes: true };
        let admin = world.ctx(&world.admin);
        world.vault.enter_shield_change(&admin, world.tenant, change).await.expect("entered");
        tell(&format!("ack shield entries {number}"));
        tokio::time::sleep(Duration::from_millis(15)).await;
    }
}

async fn issue(world: &World, thing: &str, role: Role, subject: Option<PersonId>) -> IssuedKey {
    let new = NewKey { name: thing.to_owned(), role, subject, expires: None, zone: Vec::new() };
    tell(&format!("try {thing} key issued"));
    let issued = world.vault.issue_key(&world.ctx(&world.admin), world.tenant, new).await.expect("issued");
    tell(&format!("secret {thing} {}", issued.secret.reveal()));
    tell(&format!("ack {thing} key issued"));
    issued
}

async fn write(world: Arc<World>, writer: u32) {
    for number in 0..PERSONS {
        let turn = number + writer;
        let reference = format!("r{writer}-{number}");
        let one = One { world: &world, reference: &reference };
        let email = format!("{reference}@example.org");
        let all = [("email", email.as_str()), ("health_note", "none")];
        let person = if turn % 3 == 2 {
            let person = one.submit("one", &all, Whose::New).await;
            tell(&format!("person {reference} {person}"));
            person
        } else {
            one.put("one", &all).await
        };
        if turn % 6 == 1 {
            one.abandon().await;
        }
        if turn.is_multiple_of(4) {
            one.put("two", &[]).await;
        } else if turn.is_multiple_of(2) {
            one.submit("two", &[], Whose::Create(reference.clone())).await;
        }
        if turn.is_multiple_of(3) {
            one.read(person).await;
        }
        if turn % 4 == 1 {
            one.limit(person, true).await;
        }
        if turn % 8 == 1 {
            one.limit(person, false).await;
        }
        if turn.is_multiple_of(5) {
            one.consent(person, turn / 5).await;
        }
        if turn.is_multiple_of(4) {
            one.erase(person, turn.is_multiple_of(16)).await;
        }
    }
}

/// One person of the load.
struct One<'a> {
    world: &'a World,
    reference: &'a str,
}

impl One<'_> {
    fn tries(&self, register: &str, value: &str) {
        tell(&format!("try {} {register} {value}", self.reference));
    }

    fn has(&self, register: &str, value: &str) {
        tell(&format!("ack {} {register} {value}", self.reference));
    }

    async fn put(&self, word: &str, further: &[(&str, &str)]) -> PersonId {
        let (world, reference) = (self.world, self.reference);
        let name = format!("{word}-{reference}");
        self.tries("name", &name);
        let request = put(reference, &[&[("name", name.as_str())], further].concat());
        let stored = world.vault.put(&world.ctx(&world.app), world.tenant, &request).await.expect("stored");
        tell(&format!("person {reference} {}", stored.person));
        self.has("name", &name);
        stored.person
    }

    /// The same through a submission that the app accepts. Answers its id: somebody new has it from then on.
    async fn submit(&self, word: &str, further: &[(&str, &str)], whose: Whose) -> PersonId {
        let (world, reference) = (self.world, self.reference);
        let name = format!("{word}-{reference}");
        let taken = self.typed(&[&[("name", name.as_str())], further].concat(), whose).await;
        self.tries("name", &name);
        let accepted = Outcome::accepted(Some(reference));
        let app = world.ctx(&world.app);
        world.vault.settle(&app, world.tenant, taken, accepted).await.expect("committed");
        self.has("name", &name);
        taken
    }

    /// A submission that the app does not accept.
    async fn abandon(&self) {
        let world = self.world;
        let taken = self.typed(&[("name", "nobody's")], Whose::Create(self.reference.to_owned())).await;
        let app = world.ctx(&world.app);
        world.vault.settle(&app, world.tenant, taken, Outcome::Abandoned).await.expect("abandoned");
    }

    async fn typed(&self, values: &[(&str, &str)], whose: Whose) -> PersonId {
        let world = self.world;
        let values = values.iter().map(|(field, value)| ((*field).into(), Zeroizing::new((*value).into())));
        let new = NewSubmission { rule: "r".into(), session: "s".into(), whose, values: values.collect() };
        let taken = world.vault.submit(&world.ctx(&world.app), None, world.tenant, &new).await;
        taken.expect("taken").id.expect("something new")
    }

    async fn read(&self, person: PersonId) {
        match self.world.reveal(&self.world.lead, "rostering", person, &["name"]).await {
            Ok(answer) => self.has("read", &answer.entry.to_string()),
            // Every notice that is declared makes reads under way begin anew.
            Err(RevealError::Changed) => {}
            Err(error) => panic!("{error}"),
        }
    }

    async fn limit(&self, person: PersonId, active: bool) {
        let world = self.world;
        let value = if active { "on" } else { "off" };
        self.tries("limit", value);
        let limit = Limit::Restriction(vec!["email".to_owned()]);
        let ctx = world.ctx(&world.officer);
        world.vault.limit(&ctx, world.tenant, person, &limit, active).await.expect("limited");
        self.has("limit", value);
    }

    async fn consent(&self, person: PersonId, turn: u32) {
        let world = self.world;
        let ask = vault::consent::AskRequest {
            person,
            purpose: "bem".into(),
            recipient: None,
            notice: NOTICE,
            days: None,
        };
        self.tries("consent", "Requested");
        let asked = world.vault.ask_consent(&world.ctx(&world.manager), world.tenant, &ask).await;
        let consent = asked.expect("asked").consent;
        self.has("consent", "Requested");
        let own = issue(world, self.reference, Role::Person, Some(person)).await.secret;
        let ctx = world.ctx(&own);
        let shown = world.vault.show_notice(&ctx, world.tenant, consent, "en").await.expect("shown");
        let answer = async |answer, state| {
            self.tries("consent", state);
            world.vault.answer_consent(&ctx, world.tenant, consent, answer).await.expect("answered");
            self.has("consent", state);
        };
        if turn % 3 == 1 {
            return answer(Answer::Refuse, "Refused").await;
        }
        answer(Answer::Give { digest: shown.digest, days: None }, "Given").await;
        if turn % 3 == 2 {
            answer(Answer::Withdraw, "Withdrawn").await;
        }
    }

    async fn erase(&self, person: PersonId, certify: bool) {
        let world = self.world;
        let officer = world.ctx(&world.officer);
        self.tries("life", "erased");
        world.vault.erase(&officer, world.tenant, person).await.expect("erased");
        self.has("life", "erased");
        if certify {
            world.vault.certificate(&officer, world.tenant, person).await.expect("certified");
        }
    }
}

/// Opens the house again, to die while it does.
pub(crate) async fn open_again(folder: &Path, steps: Option<Observer>) {
    let clock = testkit::TestClock::at(world::NOON + 30_000);
    world::open_watched(folder, &clock, steps).await;
}
