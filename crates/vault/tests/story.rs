//! The vault as a whole: the promises that a reader of the design would try first.

mod world;

use model::decision::Reason;
use model::principal::Role;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use vault::consent::Answer;
use vault::erase::EraseError;
use vault::find::FindRequest;
use vault::put::PutError;
use vault::restrict::Limit;
use vault::trail::Outcome;
use world::{World, put};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn consent_opens_and_withdrawal_closes() {
    let world = World::new().await;
    let person = world.worker(1).await;
    assert_eq!(world.value(&world.lead, "rostering", person, "name").await.as_deref(), Some("Name 1"));
    assert_eq!(world.value(&world.lead, "rostering", person, "health_note").await, None);
    assert_eq!(world.value(&world.manager, "bem", person, "health_note").await, None);
    let (consent, own) = world.consented(person).await;
    assert_eq!(world.value(&world.manager, "bem", person, "health_note").await.as_deref(), Some("note 1"));
    assert_eq!(world.value(&world.lead, "rostering", person, "health_note").await, None);
    let ctx = world.ctx(&own);
    world.vault.answer_consent(&ctx, world.tenant, consent, Answer::Withdraw).await.expect("withdrawn");
    let after = world.reveal(&world.manager, "bem", person, &["health_note"]).await.expect("an answer");
    let refused = &after.items[0][0];
    assert!(refused.value.is_none());
    assert_eq!(refused.reason, Some(Reason::ConsentWithdrawn));
    assert_eq!(refused.reason.map(|reason| reason.outward(Role::CaseManager)), Some("no_permission"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_term_ends_by_itself() {
    let world = World::new().await;
    let person = world.worker(1).await;
    world.consented(person).await;
    world.clock.advance_days(29);
    assert!(world.value(&world.manager, "bem", person, "health_note").await.is_some());
    world.clock.advance_days(1);
    assert!(world.value(&world.manager, "bem", person, "health_note").await.is_none());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mask_shows_initials_and_an_undeclared_field_nothing() {
    let world = World::new().await;
    let person = world.worker(1).await;
    let answer = world.reveal(&world.lead, "survey", person, &["name", "health_note", "nonsense"]).await;
    let fields = &answer.expect("an answer").items[0];
    assert_eq!(fields[0].value.as_deref().map(String::as_str), Some("N."));
    assert_eq!(fields[0].decision, Outcome::Partial);
    assert_eq!((fields[1].decision, fields[1].value.is_none()), (Outcome::Redact, true));
    assert_eq!((fields[2].decision, fields[2].value.is_none()), (Outcome::Deny, true));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_an_acknowledged_withdrawal_no_read_releases() {
    let world = Arc::new(World::new().await);
    for round in 0..5 {
        let person = world.worker(round).await;
        let (consent, own) = world.consented(person).await;
        let withdrawn = Arc::new(AtomicBool::new(false));
        let (before, late) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicU32::new(0)));
        let readers: Vec<_> = (0..8)
            .map(|_| {
                let (world, withdrawn) = (world.clone(), withdrawn.clone());
                let (before, late) = (before.clone(), late.clone());
                tokio::spawn(async move {
                    for _ in 0..40 {
                        let known = withdrawn.load(Ordering::SeqCst);
                        let read = world.reveal(&world.manager, "bem", person, &["health_note"]).await;
                        let Ok(read) = read else { continue };
                        if read.items[0][0].value.is_some() {
                            before.fetch_add(1, Ordering::SeqCst);
                            late.fetch_add(u32::from(known), Ordering::SeqCst);
                        }
                    }
                })
            })
            .collect();
        while before.load(Ordering::SeqCst) == 0 {
            tokio::task::yield_now().await;
        }
        let ctx = world.ctx(&own);
        world.vault.answer_consent(&ctx, world.tenant, consent, Answer::Withdraw).await.expect("withdrawn");
        withdrawn.store(true, Ordering::SeqCst);
        for reader in readers {
            reader.await.expect("no panic");
        }
        assert_eq!(late.load(Ordering::SeqCst), 0, "round {round}");
        assert!(before.load(Ordering::SeqCst) > 0, "the readers did read before");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_person_sees_who_read_what_and_others_see_nothing() {
    let world = World::new().await;
    let (person, other) = (world.worker(1).await, world.worker(2).await);
    world.value(&world.lead, "rostering", person, "name").await;
    world.value(&world.lead, "rostering", other, "name").await;
    let own = world.key(Role::Person, Some(person)).await;
    let list = world.vault.accesses(&world.ctx(&own), world.tenant, person, 100).await.expect("a list");
    let reads: Vec<_> = list.iter().filter(|one| one.event == vault::trail::Event::Read).collect();
    assert_eq!(reads.len(), 1);
    assert_eq!(reads[0].purpose, "Rosters");
    assert_eq!(reads[0].actor, "Operations");
    assert_eq!(reads[0].fields, [("name".to_owned(), Outcome::Permit)]);
    assert!(world.vault.accesses(&world.ctx(&own), world.tenant, other, 100).await.is_err());
    assert!(world.vault.accesses(&world.ctx(&world.lead), world.tenant, person, 100).await.is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn put_again_changes_and_keeps_the_tokens() {
    let world = World::new().await;
    let app = world.ctx(&world.app);
    let first =
        world.vault.put(&app, world.tenant, &put("r", &[("name", "Old"), ("email", "a@b.org")])).await;
    let first = first.expect("stored");
    let second = world.vault.put(&app, world.tenant, &put("r", &[("name", "New")])).await.expect("changed");
    assert_eq!((first.person, &first.tokens["name"]), (second.person, &second.tokens["name"]));
    assert_eq!(second.tokens.len(), 1, "what else she has is not told");
    assert_eq!(world.value(&world.lead, "rostering", first.person, "name").await.as_deref(), Some("New"));
    assert_eq!(
        world.value(&world.lead, "rostering", first.person, "email").await.as_deref(),
        Some("a@b.org")
    );
    let wrong = world.vault.put(&app, world.tenant, &put("r", &[("shoe_size", "44")])).await;
    assert!(matches!(wrong, Err(PutError::UnknownField(0))));
    let wrong = world.vault.put(&app, world.tenant, &put("r", &[("email", "nobody")])).await;
    assert!(matches!(wrong, Err(PutError::Value(0, _))));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn simultaneous_changes_of_one_person_lose_nothing() {
    let world = Arc::new(World::new().await);
    let names = ["name", "email"];
    let person = world.worker(1).await;
    let writers: Vec<_> = (0..2)
        .map(|which| {
            let world = world.clone();
            tokio::spawn(async move {
                for number in 0..10 {
                    let value =
                        if which == 0 { format!("N{number}") } else { format!("e{number}@example.org") };
                    loop {
                        let request = put("ref-1", &[(names[which], &value)]);
                        match world.vault.put(&world.ctx(&world.app), world.tenant, &request).await {
                            Ok(_) => break,
                            Err(PutError::Fault(vault::Fault::Busy)) => {}
                            Err(error) => panic!("{error}"),
                        }
                    }
                }
            })
        })
        .collect();
    for writer in writers {
        writer.await.expect("no panic");
    }
    assert_eq!(world.value(&world.lead, "rostering", person, "name").await.as_deref(), Some("N9"));
    assert_eq!(
        world.value(&world.lead, "rostering", person, "email").await.as_deref(),
        Some("e9@example.org")
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn find_answers_alike_for_nobody_and_for_no_permission() {
    let world = World::new().await;
    let person = world.worker(7).await;
    let find = |value: &str, purpose: &str| FindRequest {
        field: "email".into(),
        value: zeroize::Zeroizing::new(value.to_owned()),
        purpose: Some(purpose.to_owned()),
        recipient: None,
    };
    let ctx = world.ctx(&world.app);
    let found = world.vault.find(&ctx, world.tenant, &find("W7@Example.org", "rostering")).await;
    assert_eq!(found.expect("an answer"), [person]);
    for (value, purpose) in
        [("w8@example.org", "rostering"), ("w7@example.org", "bem"), ("w7@example.org", "no")]
    {
        let found = world.vault.find(&ctx, world.tenant, &find(value, purpose)).await;
        assert_eq!(found.expect("an answer"), [], "{value} {purpose}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn restriction_objection_and_hold() {
    let world = World::new().await;
    let person = world.worker(1).await;
    let ctx = world.ctx(&world.officer);
    let restrict = Limit::Restriction(vec!["name".into()]);
    world.vault.limit(&ctx, world.tenant, person, &restrict, true).await.expect("restricted");
    assert_eq!(world.value(&world.lead, "rostering", person, "name").await, None);
    assert!(world.value(&world.lead, "rostering", person, "email").await.is_some());
    world.vault.limit(&ctx, world.tenant, person, &restrict, false).await.expect("lifted");
    assert!(world.value(&world.lead, "rostering", person, "name").await.is_some());
    let object = Limit::Objection("survey".into());
    world.vault.limit(&ctx, world.tenant, person, &object, true).await.expect("objected");
    assert_eq!(world.value(&world.lead, "survey", person, "email").await, None);
    world.vault.limit(&ctx, world.tenant, person, &Limit::Hold, true).await.expect("held");
    assert!(matches!(world.vault.erase(&ctx, world.tenant, person).await, Err(EraseError::Held)));
    assert!(world.value(&world.lead, "rostering", person, "name").await.is_some(), "a hold stops no reading");
    world.vault.limit(&ctx, world.tenant, person, &Limit::Hold, false).await.expect("lifted");
    world.vault.erase(&ctx, world.tenant, person).await.expect("erased");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn erased_is_erased_also_after_a_restart_and_the_certificate_says_so() {
    let world = World::new().await;
    let person = world.worker(1).await;
    let ctx = world.ctx(&world.officer);
    let erased = world.vault.erase(&ctx, world.tenant, person).await.expect("erased");
    assert!(world.vault.erase(&ctx, world.tenant, person).await.is_err());
    assert_eq!(world.value(&world.lead, "rostering", person, "name").await, None);
    let envelope = world.vault.certificate(&ctx, world.tenant, person).await.expect("a certificate");
    let again = world.vault.certificate(&ctx, world.tenant, person).await.expect("a certificate");
    assert_eq!(envelope.to_json(), again.to_json());
    let kind = vault::certificate::PAYLOAD_TYPE;
    let payload = seal::dsse::verify(&envelope, kind, &world::signing_public()).expect("signed");
    let certificate: vault::certificate::Certificate =
        serde_json::from_slice(&payload).expect("of this form");
    assert_eq!((certificate.certificate, certificate.person), (erased.certificate, person));
    let world = world.reopen().await;
    assert_eq!(world.value(&world.lead, "rostering", person, "name").await, None);
    let second = world.worker(1).await;
    assert_ne!(second, person, "the same reference is a new person");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_of_other_tenants_roles_and_times_are_refused() {
    let world = World::new().await;
    let person = world.worker(1).await;
    let other = world.vault.create_tenant("Other").await.expect("a tenant");
    let foreign = world.ctx(&other.admin);
    assert!(world.vault.export(&foreign, world.tenant, person).await.is_err());
    assert!(world.vault.erase(&foreign, world.tenant, person).await.is_err());
    let new = vault::keys::NewKey {
        name: "short".into(),
        role: Role::Operations,
        subject: None,
        expires: Some(model::Timestamp(world::NOON + 1_000)),
        zone: vec!["10.0.0.0/8".into()],
    };
    let issued = world.vault.issue_key(&world.ctx(&world.admin), world.tenant, new).await.expect("issued");
    assert!(world.vault.authenticate(&issued.secret, |_| true).is_ok());
    assert!(world.vault.authenticate(&issued.secret, |_| false).is_err(), "outside its zone");
    world.clock.advance_ms(1_000);
    assert!(world.vault.authenticate(&issued.secret, |_| true).is_err(), "expired");
    let lead = world.ctx(&world.lead).actor.principal.id;
    world.vault.revoke_key(&world.ctx(&world.admin), world.tenant, lead).await.expect("revoked");
    assert!(world.vault.authenticate(&world.lead, |_| true).is_err(), "revoked");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn epochs_carry_the_living_over_and_complete_the_erasure() {
    let world = World::new().await;
    let (living, erased) = (world.worker(1).await, world.worker(2).await);
    let ctx = world.ctx(&world.officer);
    let copy = world.folder.join("copy");
    std::fs::create_dir(&copy).expect("made");
    world.store.checkpoint_truncate(std::time::Duration::from_secs(5)).expect("truncated");
    std::fs::copy(world.folder.join("store/keys.db"), copy.join("keys.db")).expect("copied");
    assert_eq!(
        indexes_that_open(&world, &copy),
        (2, 2),
        "control: with the epoch of its time the copy opens"
    );
    world.vault.erase(&ctx, world.tenant, erased).await.expect("erased");
    let mut destroyed = 0;
    for _ in 0..5 {
        world.clock.advance_days(7);
        let run = world.vault.run_epochs(world.tenant).await.expect("a run");
        destroyed += run.destroyed;
        assert_eq!(run.overdue, 0);
        assert!(world.value(&world.lead, "rostering", living, "name").await.is_some());
    }
    assert!(destroyed >= 2, "{destroyed}");
    assert_eq!(indexes_that_open(&world, &copy), (0, 2), "nobody tries values against the copy");
    let found = async |world: &World| {
        let value = zeroize::Zeroizing::new("w1@example.org".to_owned());
        let (field, purpose) = ("email".to_owned(), Some("rostering".to_owned()));
        let request = FindRequest { field, value, purpose, recipient: None };
        world.vault.find(&world.ctx(&world.lead), world.tenant, &request).await.expect("an answer")
    };
    assert_eq!(found(&world).await, [living]);
    let envelope =
        world.vault.certificate(&world.ctx(&world.officer), world.tenant, erased).await.expect("made");
    let payload = envelope.unverified_payload().expect("a payload");
    let certificate: vault::certificate::Certificate =
        serde_json::from_slice(&payload).expect("of this form");
    assert_eq!(certificate.stage, vault::certificate::Stage::Complete);
    let world = world.reopen().await;
    assert_eq!(found(&world).await, [living], "also after a start");
}

/// How many index keys of a copy of the key store open, with root and today's shred store, and how many there are.
fn indexes_that_open(world: &World, copy: &std::path::Path) -> (usize, usize) {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::copy(world.folder.join("store/data.db"), folder.path().join("data.db")).expect("copied");
    std::fs::copy(copy.join("keys.db"), folder.path().join("keys.db")).expect("copied");
    let store = store::Store::open(folder.path(), &store::Options::default()).expect("opens");
    let snapshot = store.snapshot().expect("read");
    let tenant_key = &snapshot.tenant_keys(world.tenant).expect("read")[0];
    let tenant =
        seal::TenantKey::unwrap(&world::root(), world.tenant, tenant_key.key_version, &tenant_key.wrapped.0);
    let tenant = tenant.expect("the root opens it");
    let shred = world::shred_store(world);
    let rows = snapshot.sub_keys(world.tenant).expect("read");
    let indexes: Vec<_> = rows.iter().filter(|row| row.kind == store::SubKeyKind::Index).collect();
    let opens = |row: &&&store::SubKeyRow| {
        let index = seal::IndexId(u16::try_from(row.number).expect("small"));
        assert!(tenant.open_index(index, &row.wrapped.0).is_err(), "the tenant key alone does not open it");
        let held = shred.key(u32::from(row.generation)).map(|epoch| epoch.held_index(index, &row.wrapped.0));
        held.is_some_and(|wrap| tenant.open_index(index, &wrap.expect("held")).is_ok())
    };
    let opened = indexes.iter().filter(opens).count();
    drop(snapshot);
    store.close();
    (opened, indexes.len())
}
