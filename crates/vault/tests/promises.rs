//! What a decision hung on may change while a read or a change is on its way: then nothing comes of it. And what was
//! said once is not undone by somebody else.

mod world;

use model::consent::{ConsentEvent, ConsentState};
use model::notice::{Notice, NoticeText, NoticeVersion};
use model::principal::Role;
use model::{ConsentId, FieldId, NoticeId, PersonId};
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use vault::accesses::AccessesError;
use vault::consent::{Answer, AskRequest, ConsentError};
use vault::export::ExportError;
use vault::find::{FindError, FindRequest};
use vault::keys::{KeyError, NewKey};
use vault::put::{Idempotency, PutError};
use vault::reveal::{Item, RevealError, RevealRequest};
use vault::steps::Observer;
use vault::trail::Event;
use vault::{Fault, Step};
use world::{NOTICE, World, put};
use zeroize::Zeroizing;

/// Holds whoever comes to a step next, once it is armed.
struct Held {
    armed: Arc<AtomicBool>,
    reached: mpsc::Receiver<()>,
    go_on: mpsc::Sender<()>,
}

fn holding(step: Step) -> (Observer, Held) {
    let armed = Arc::new(AtomicBool::new(false));
    let ((at, reached), (go_on, going)) = (mpsc::channel(), mpsc::channel::<()>());
    let (going, arm) = (Mutex::new(going), armed.clone());
    let observer: Observer = Arc::new(move |now| {
        if now == step && arm.swap(false, Ordering::SeqCst) {
            at.send(()).expect("the test listens");
            going.lock().expect("no panic").recv().expect("the test speaks");
        }
    });
    (observer, Held { armed, reached, go_on })
}

impl Held {
    /// Starts `held`, does `meanwhile` when it is at the step, and lets it go on.
    async fn during<T: Send + 'static>(
        &self,
        held: impl Future<Output = T> + Send + 'static,
        meanwhile: impl Future<Output = ()>,
    ) -> T {
        self.armed.store(true, Ordering::SeqCst);
        let held = tokio::spawn(held);
        tokio::task::block_in_place(|| self.reached.recv()).expect("reached");
        meanwhile.await;
        self.go_on.send(()).expect("it waits");
        held.await.expect("no panic")
    }
}

struct Stage {
    world: Arc<World>,
    held: Held,
    _folder: tempfile::TempDir,
}

async fn stage(step: Step) -> Stage {
    let folder = tempfile::tempdir().expect("a folder");
    let (observer, held) = holding(step);
    let world = Arc::new(World::watched(folder.path(), Some(observer)).await);
    Stage { world, held, _folder: folder }
}

/// The reads there are, each by the name of what came of it.
const READS: [&str; 5] = ["reveal", "find", "export", "accesses", "consents"];

async fn read(world: Arc<World>, which: &'static str, key: model::token::ApiKey, person: PersonId) -> String {
    let (vault, tenant, ctx) = (&world.vault, world.tenant, world.ctx(&key));
    match which {
        "reveal" => match world.reveal(&key, "bem", person, &["name"]).await {
            Ok(answer) => format!("{:?}", answer.items[0][0].decision),
            Err(RevealError::Fault(fault)) => format!("{fault:?}"),
            Err(other) => other.to_string(),
        },
        "find" => {
            let value = Zeroizing::new("ref-1".to_owned());
            let request = FindRequest { field: "ref".into(), value, purpose: None, recipient: None };
            match vault.find(&ctx, tenant, &request).await {
                Ok(found) => format!("{} found", found.len()),
                Err(FindError::Fault(fault)) => format!("{fault:?}"),
                Err(other) => other.to_string(),
            }
        }
        "export" => match vault.export(&ctx, tenant, person).await {
            Ok(_) => "exported".to_owned(),
            Err(ExportError::Fault(fault)) => format!("{fault:?}"),
            Err(other) => other.to_string(),
        },
        "accesses" => match vault.accesses(&ctx, tenant, person, 10).await {
            Ok(_) => "listed".to_owned(),
            Err(AccessesError::Fault(fault)) => format!("{fault:?}"),
            Err(other) => other.to_string(),
        },
        _ => match vault.consents(&ctx, tenant, person).await {
            Ok(_) => "listed".to_owned(),
            Err(ConsentError::Fault(fault)) => format!("{fault:?}"),
            Err(other) => other.to_string(),
        },
    }
}

async fn revoke(world: &World, key: &model::token::ApiKey) {
    let principal = world.ctx(key).actor.principal.id;
    world.vault.revoke_key(&world.ctx(&world.admin), world.tenant, principal).await.expect("revoked");
}

fn refused_reads(world: &World) -> usize {
    let size = world.ledger.status().durable;
    let leaves = (0..size).filter_map(|index| world.ledger.leaf(index).expect("read"));
    leaves.filter(|leaf| leaf[1] == Event::NotReleased as u8).count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_read_on_its_way_ends_with_the_key_that_asked() {
    let Stage { world, held, _folder } = stage(Step::ReadAppended).await;
    let person = world.worker(1).await;
    for (count, which) in READS.into_iter().enumerate() {
        let key = world.key(Role::PrivacyOfficer, None).await;
        let asked = read(world.clone(), which, key.clone(), person);
        let answer = held.during(asked, revoke(&world, &key)).await;
        assert_eq!(answer, format!("{:?}", Fault::Revoked), "{which}");
        assert_eq!(refused_reads(&world), count + 1, "{which} is noted as not released");
        let another = world.key(Role::PrivacyOfficer, None).await;
        let asked = read(world.clone(), which, world.officer.clone(), person);
        let answer = held.during(asked, revoke(&world, &another)).await;
        assert!(!answer.contains("Revoked"), "another key's end ends nothing: {which} {answer}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_read_on_its_way_ends_with_the_term_of_the_key() {
    let Stage { world, held, _folder } = stage(Step::ReadAppended).await;
    let person = world.worker(1).await;
    let expires = Some(model::Clock::now(&world.clock).plus_ms(60_000));
    let new =
        NewKey { name: "k".into(), role: Role::PrivacyOfficer, subject: None, expires, zone: Vec::new() };
    let issued = world.vault.issue_key(&world.ctx(&world.admin), world.tenant, new).await.expect("issued");
    let asked = read(world.clone(), "export", issued.secret, person);
    let answer = held.during(asked, async { world.clock.advance_ms(61_000) }).await;
    assert_eq!(answer, format!("{:?}", Fault::Revoked));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_read_on_its_way_is_decided_anew_when_its_facts_change() {
    for which in READS {
        let Stage { world, held, _folder } = stage(Step::ReadAppended).await;
        let person = world.worker(1).await;
        world.consented(person).await;
        // The configuration: a purpose that is withdrawn.
        let asked = read(world.clone(), which, world.officer.clone(), person);
        let answer = held
            .during(asked, async {
                let admin = world.ctx(&world.admin);
                let put = world.vault.put_purposes(&admin, world.tenant, Vec::new(), Vec::new());
                put.await.expect("declared");
            })
            .await;
        let expected = match which {
            "reveal" => "Deny",
            "find" => "1 found",
            "export" => "exported",
            _ => "listed",
        };
        assert_eq!(answer, expected, "{which}");
        assert_eq!(refused_reads(&world), 1, "{which}");
        // The person: erased.
        let asked = read(world.clone(), which, world.officer.clone(), person);
        let answer = held
            .during(asked, async {
                world.vault.erase(&world.ctx(&world.officer), world.tenant, person).await.expect("erased");
            })
            .await;
        let expected = match which {
            "reveal" => "Deny",
            "find" => "0 found",
            _ => "unknown person",
        };
        assert_eq!(answer, expected, "{which}");
        assert_eq!(refused_reads(&world), 2, "{which}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_read_on_its_way_ends_with_the_consent_it_rests_on() {
    let Stage { world, held, _folder } = stage(Step::ReadAppended).await;
    let person = world.worker(1).await;
    world.consented(person).await;
    world.clock.advance_days(29);
    let nearly = model::clock::DAY_MS - 1;
    world.clock.advance_ms(nearly);
    assert!(world.value(&world.manager, "bem", person, "health_note").await.is_some(), "one ms before");
    let (reader, key) = (world.clone(), world.manager.clone());
    let asked = async move { reader.value(&key, "bem", person, "health_note").await };
    let value = held.during(asked, async { world.clock.advance_ms(1) }).await;
    assert_eq!(value, None);
    assert_eq!(refused_reads(&world), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_change_on_its_way_ends_with_the_key_that_asked() {
    let Stage { world, held, _folder } = stage(Step::CreateWritten).await;
    let app = world.key(Role::App, None).await;
    let (storing, key) = (world.clone(), app.clone());
    let stored = async move {
        let request = put("late", &[("name", "Late")]);
        storing.vault.put(&storing.ctx(&key), storing.tenant, &request).await.map(drop)
    };
    let answer = held.during(stored, revoke(&world, &app)).await;
    assert_eq!(answer, Err(PutError::Fault(Fault::Revoked)));
    let persons = world.store.snapshot().expect("read").persons_after(world.tenant, None, 9).expect("read");
    assert_eq!(persons.len(), 0);

    // The worst of it: an admin key that was found to be stolen issues itself a successor.
    let Stage { world, held, _folder } = stage(Step::KeyWritten).await;
    let stolen = world.key(Role::Admin, None).await;
    let (issuing, key) = (world.clone(), stolen.clone());
    let before = world.store.snapshot().expect("read").principals(world.tenant).expect("read").len();
    let issued = async move {
        let role = Role::Admin;
        let new = NewKey { name: "successor".into(), role, subject: None, expires: None, zone: Vec::new() };
        issuing.vault.issue_key(&issuing.ctx(&key), issuing.tenant, new).await.map(drop)
    };
    let answer = held.during(issued, revoke(&world, &stolen)).await;
    assert_eq!(answer, Err(KeyError::Fault(Fault::Revoked)));
    let after = world.store.snapshot().expect("read").principals(world.tenant).expect("read").len();
    assert_eq!(after, before);
}

async fn asked(world: &World, person: PersonId) -> ConsentId {
    let (purpose, recipient) = ("bem".into(), None);
    let ask = AskRequest { person, purpose, recipient, notice: NOTICE, days: Some(30) };
    let asked = world.vault.ask_consent(&world.ctx(&world.manager), world.tenant, &ask).await;
    asked.expect("asked").consent
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_no_is_a_no_however_often_she_was_asked() {
    for refuses in [false, true] {
        let world = World::new().await;
        let person = world.worker(1).await;
        let (first, own) = world.consented(person).await;
        let (second, _) = world.consented(person).await;
        let third = asked(&world, person).await;
        assert!(world.value(&world.manager, "bem", person, "health_note").await.is_some());
        let (record, answer) = if refuses { (third, Answer::Refuse) } else { (second, Answer::Withdraw) };
        let ctx = world.ctx(&own);
        world.vault.answer_consent(&ctx, world.tenant, record, answer).await.expect("answered");
        assert_eq!(world.value(&world.manager, "bem", person, "health_note").await, None, "{refuses}");
        let list = world.vault.consents(&ctx, world.tenant, person).await.expect("a list");
        for one in list.iter().filter(|one| one.id == first || one.id == second) {
            assert_eq!(one.state, ConsentState::Withdrawn);
            assert_eq!(one.events.last().map(|event| event.event), Some(ConsentEvent::Withdraw));
        }
        // What she did not answer is still open; and she may agree again.
        let open = list.iter().find(|one| one.id == third).expect("the third");
        assert_eq!(open.state, if refuses { ConsentState::Refused } else { ConsentState::Requested });
        world.consented(person).await;
        assert!(world.value(&world.manager, "bem", person, "health_note").await.is_some());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_consent_does_not_speak_for_what_the_purpose_became() {
    let world = World::new().await;
    let person = world.worker(1).await;
    let admin = world.ctx(&world.admin);
    let declare = async |change: &dyn Fn(&mut model::purpose::Purpose)| {
        let mut purposes = world::purposes();
        change(&mut purposes[1]);
        world.vault.put_purposes(&admin, world.tenant, Vec::new(), purposes).await.expect("declared");
    };
    let note = async || world.value(&world.officer, "bem", person, "health_note").await;
    world.consented(person).await;
    assert!(note().await.is_some());
    declare(&|_| {}).await;
    assert!(note().await.is_some(), "the same again");
    declare(&|bem| bem.fields.retain(|field| field.0 == 3)).await;
    assert!(note().await.is_some(), "less than before");
    declare(&|bem| bem.fields.push(FieldId(2))).await;
    let answer = world.reveal(&world.officer, "bem", person, &["health_note"]).await.expect("an answer");
    let reason = answer.items[0][0].reason;
    assert_eq!(reason, Some(model::decision::Reason::ConsentMissing), "more than before");
    world.consented(person).await;
    assert!(note().await.is_some(), "asked anew");
    declare(&|bem| bem.current = false).await;
    declare(&|bem| bem.fields.push(FieldId(2))).await;
    assert_eq!(note().await, None, "it came back");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_notice_shown_again_and_again_closes_nothing() {
    let world = World::new().await;
    let person = world.worker(1).await;
    let notice = NoticeId([8; 16]);
    let text = |language: &str| NoticeText { language: language.into(), text: format!("{language}?\n") };
    let versions = vec![NoticeVersion { texts: vec![text("en"), text("de")] }];
    let both = Notice { id: notice, name: "both".into(), versions };
    world.vault.put_notice(&world.ctx(&world.admin), world.tenant, both).await.expect("declared");
    let (purpose, recipient) = ("bem".into(), None);
    let ask = AskRequest { person, purpose, recipient, notice, days: None };
    let record = world.vault.ask_consent(&world.ctx(&world.manager), world.tenant, &ask).await;
    let record = record.expect("asked").consent;
    let own = world.ctx(&world.key(Role::Person, Some(person)).await);
    let show = async |language| world.vault.show_notice(&own, world.tenant, record, language).await;
    assert!(show("en").await.expect("shown").logged.is_some());
    assert!(show("en").await.expect("shown").logged.is_none(), "the same again needs no event");
    let mut shown = 2;
    let refused = loop {
        match show(if shown % 2 == 0 { "de" } else { "en" }).await {
            Ok(_) => shown += 1,
            Err(error) => break error,
        }
        assert!(shown < 2_000, "it never ends");
    };
    assert_eq!(refused, ConsentError::TooMany);
    let digest = seal::sha256(b"de?\n");
    let give = Answer::Give { digest, days: None };
    world.vault.answer_consent(&own, world.tenant, record, give).await.expect("given");
    let list = world.vault.consents(&own, world.tenant, person).await.expect("a list");
    assert_eq!(list[0].events.len(), shown + 1);
    world.vault.export(&own, world.tenant, person).await.expect("exported");
    let withdraw = Answer::Withdraw;
    world.vault.answer_consent(&own, world.tenant, record, withdraw).await.expect("withdrawn");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn she_sees_who_listed_her_consents_and_who_got_a_key_in_her_name() {
    let world = World::new().await;
    let person = world.worker(1).await;
    let own = world.key(Role::Person, Some(person)).await;
    let another = world.key(Role::Person, Some(person)).await;
    revoke(&world, &another).await;
    world.vault.consents(&world.ctx(&world.app), world.tenant, person).await.expect("a list");
    let list = world.vault.accesses(&world.ctx(&own), world.tenant, person, 100).await.expect("a list");
    let of = |event| list.iter().filter(move |one| one.event == event).collect::<Vec<_>>();
    assert_eq!(of(Event::ConsentsListed)[0].role, Some(Role::App));
    let keys = of(Event::Keys);
    assert_eq!(keys.len(), 3, "two issued, one revoked");
    assert!(keys.iter().all(|one| one.role == Some(Role::Admin) && one.actor == "first admin"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_kept_of_a_request_cannot_be_guessed_and_goes_with_her() {
    let world = World::new().await;
    let app = world.ctx(&world.app);
    let principal = app.actor.principal.id;
    let body = b"{\"ref\":\"r\",\"fields\":{\"name\":\"Jana\"}}";
    let request = |body: &[u8]| {
        let idempotency = Some(Idempotency::new(principal, b"key-of-r", &[body]));
        vault::put::PutRequest { idempotency, ..put("r", &[("name", "Jana")]) }
    };
    let first = world.vault.put(&app, world.tenant, &request(body)).await.expect("stored");
    let again = world.vault.put(&app, world.tenant, &request(body)).await.expect("replayed");
    assert_eq!((first.person, &first.tokens), (again.person, &again.tokens));
    assert_eq!((first.logged.is_some(), again.logged.is_some()), (true, false));
    let other = world.vault.put(&app, world.tenant, &request(b"{}")).await.expect_err("another request");
    assert_eq!(other, PutError::IdempotencyMismatch);

    let everything = |world: &World| {
        world.store.checkpoint_truncate(std::time::Duration::from_secs(5)).expect("truncated");
        std::fs::read(world.folder.join("store").join("keys.db")).expect("read")
    };
    let contains = |bytes: &[u8], part: &[u8]| bytes.windows(part.len()).any(|window| window == part);
    let bytes = everything(&world);
    assert!(contains(&bytes, &first.person.0), "control: what is there is found");
    let digests: [&[&[u8]]; 3] = [&[body], &[&principal.0, b"key-of-r"], &[b"key-of-r"]];
    for digest in digests.map(seal::fingerprint) {
        assert!(!contains(&bytes, &digest) && !contains(&bytes, &digest[..16]));
    }
    assert!(!contains(&bytes, &seal::sha256(body)));

    world.vault.erase(&world.ctx(&world.officer), world.tenant, first.person).await.expect("erased");
    let gone = world.vault.put(&app, world.tenant, &request(body)).await.expect("stored as somebody new");
    assert_ne!(gone.person, first.person);
    // After two days a key may be used anew.
    world.clock.advance_days(3);
    assert_eq!(world.vault.prune_idempotency().await, Ok(false));
    let app = world.ctx(&world.app);
    let changed = world.vault.put(&app, world.tenant, &request(b"{}")).await.expect("another request");
    assert!(changed.logged.is_some());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_token_does_not_tell_whether_it_stands_for_somebody() {
    let world = World::new().await;
    let person = world.worker(1).await;
    let request = put("ref-1", &[("health_note", "n")]);
    let stored = world.vault.put(&world.ctx(&world.app), world.tenant, &request).await.expect("stored");
    assert_eq!(stored.tokens.keys().collect::<BTreeSet<_>>().len(), 1);
    let known = model::token::StorageToken::parse(&stored.tokens["health_note"]).expect("a token");
    let unknown =
        model::token::StorageToken::generate(model::catalogue::TokenFormat::Opaque, &seal::SystemEntropy);
    let ask = async |token| {
        let items = vec![Item::Token(token)];
        let request = RevealRequest { purpose: "bem".into(), recipient: None, items };
        let ctx = world.ctx(&world.manager);
        let mut answer = world.vault.reveal(&ctx, world.tenant, &request).await.expect("an answer");
        let one = answer.items.remove(0).remove(0);
        let outward = one.reason.map(|reason| reason.outward(Role::CaseManager));
        (one.field, one.decision, one.value, outward)
    };
    assert_eq!(ask(known).await, ask(unknown).await);
    world.consented(person).await;
    let (field, _, value, _) = ask(known).await;
    assert_eq!((field.as_deref(), value.as_deref().map(String::as_str)), (Some("health_note"), Some("n")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_key_has_the_role_of_the_house() {
    let world = World::new().await;
    let role = Role::System;
    let new = NewKey { name: "s".into(), role, subject: None, expires: None, zone: Vec::new() };
    let refused = world.vault.issue_key(&world.ctx(&world.admin), world.tenant, new).await;
    assert_eq!(refused.map(drop), Err(KeyError::Subject));
}
