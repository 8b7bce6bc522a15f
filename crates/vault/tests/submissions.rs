//! Submissions and views: what the app has not accepted changes nothing, what it has accepted changes all, and what a
//! page shows is decided for who looks at it.

mod world;

use model::PersonId;
use model::principal::Role;
use model::token::StorageToken;
use store::{JobState, PersonState};
use vault::change::Swept;
use vault::submit::{NewSubmission, Outcome, SubmitError, Submitted, WAIT_MS, Whose};
use vault::view::{ViewRequest, ViewRule, Viewed};
use vault::viewer::Identity;
use vault::{Actor, Context};
use world::World;
use zeroize::Zeroizing;

fn typed(whose: Whose, values: &[(&str, &str)]) -> NewSubmission {
    let values =
        values.iter().map(|(field, value)| ((*field).to_owned(), Zeroizing::new((*value).to_owned())));
    NewSubmission { rule: "save".into(), session: "s1".into(), whose, values: values.collect() }
}

fn known(reference: &str) -> Whose {
    Whose::Reference(reference.to_owned())
}

async fn submit(world: &World, whose: Whose, values: &[(&str, &str)]) -> Result<Submitted, SubmitError> {
    world.vault.submit(&world.ctx(&world.app), None, world.tenant, &typed(whose, values)).await
}

async fn settle(world: &World, id: Option<PersonId>, outcome: Outcome) -> Result<(), SubmitError> {
    let id = id.expect("a submission");
    world.vault.settle(&world.ctx(&world.app), world.tenant, id, outcome).await.map(drop)
}

async fn lead(world: &World) -> Actor {
    viewer(world, "lead-1", Role::Operations, None).await.expect("a viewer")
}

async fn viewer(world: &World, subject: &str, role: Role, person: Option<&str>) -> Option<Actor> {
    let identity = Identity { issuer: "app", subject, role, person };
    world.vault.viewer(world.tenant, identity).await.ok()
}

fn page(tokens: &[&str], fields: &[&str]) -> ViewRequest {
    let rule = ViewRule {
        purpose: "rostering".into(),
        recipient: None,
        fields: fields.iter().map(|field| (*field).to_owned()).collect(),
        person: None,
    };
    ViewRequest {
        rules: vec![rule],
        tokens: tokens.iter().map(|token| StorageToken::parse(token).expect("a token")).collect(),
        form: None,
        persons_per_answer: 100,
        persons_per_hour: 100,
    }
}

async fn view(world: &World, actor: Actor, request: &ViewRequest) -> Vec<Viewed> {
    let ctx = Context { actor, request: world.vault.new_request() };
    world.vault.view(&ctx, world.tenant, request).await.expect("viewed").viewed
}

fn clear(text: &str) -> Viewed {
    Viewed::Clear(Zeroizing::new(text.to_owned()))
}

fn provisional(world: &World) -> u64 {
    let snapshot = world.store.snapshot().expect("a snapshot");
    snapshot.count_persons(world.tenant, Some(PersonState::Provisional)).expect("counted")
}

fn entries(world: &World) -> u64 {
    world.ledger.status().durable
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_new_is_there_once_the_app_has_named_her() {
    let world = World::new().await;
    let before = entries(&world);
    let taken =
        submit(&world, Whose::New, &[("name", "Kanarina"), ("health_note", "Knie")]).await.expect("taken");
    let viewer = lead(&world).await;
    let request = page(&[&taken.texts[0]], &["name"]);
    assert_eq!(
        view(&world, viewer.clone(), &request).await,
        [Viewed::Masked(None)],
        "not before the app accepts"
    );
    assert_eq!((entries(&world), provisional(&world)), (before, 1));
    settle(&world, taken.id, Outcome::accepted(Some("17"))).await.expect("committed");
    assert_eq!(provisional(&world), 0);
    assert_eq!(view(&world, viewer, &request).await, [clear("Kanarina")]);
    let person = taken.id.expect("a person");
    assert_eq!(world.value(&world.lead, "rostering", person, "name").await.as_deref(), Some("Kanarina"));
    // Found by the reference afterwards: the next submission is hers.
    let again = submit(&world, known("17"), &[("name", "Kanarina V.")]).await.expect("taken");
    settle(&world, again.id, Outcome::accepted(None)).await.expect("committed");
    assert_eq!(world.value(&world.lead, "rostering", person, "name").await.as_deref(), Some("Kanarina V."));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sweep_waits_for_somebody_who_is_about_to_become_real() {
    let world = World::new().await;
    let waiting = submit(&world, Whose::New, &[("name", "Kanarina")]).await.expect("taken").id.expect("new");
    let real = submit(&world, Whose::New, &[("name", "Fuchs")]).await.expect("taken").id;
    settle(&world, real, Outcome::accepted(Some("17"))).await.expect("committed");
    let jobs = world.store.snapshot().expect("read").jobs(JobState::Queued, None, 9).expect("read");
    let job = jobs.iter().find(|job| job.kind == vault::put::VERSIONS_JOB).expect("queued");
    let real = real.expect("a person").0;
    let at = job.payload.windows(16).position(|bytes| bytes == real).expect("it names her");
    // The job as it would stand if the other one were between her records and her key.
    let mut payload = job.payload.clone();
    payload[at..at + 16].copy_from_slice(&waiting.0);
    assert_eq!(world.vault.sweep_versions(&payload).await, Ok(Swept::NotYet));
    assert_eq!(world.vault.sweep_versions(&job.payload).await, Ok(Swept::Done));
    settle(&world, Some(waiting), Outcome::Abandoned).await.expect("abandoned");
    assert_eq!(world.vault.sweep_versions(&payload).await, Ok(Swept::Done), "nobody is waited for");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_app_refuses_changes_nothing_and_leaves_nothing() {
    let world = World::new().await;
    let person = world.worker(1).await;
    let keys = || std::fs::read(world.folder.join("store/keys.db")).expect("read").len();
    let _ = keys();
    for outcome in [Outcome::Abandoned, Outcome::Unknown] {
        let taken =
            submit(&world, known("ref-1"), &[("name", "Mallory"), ("email", "")]).await.expect("taken");
        settle(&world, taken.id, outcome.clone()).await.expect("settled");
        assert_eq!(world.value(&world.lead, "rostering", person, "name").await.as_deref(), Some("Name 1"));
        assert_eq!(
            world.value(&world.lead, "rostering", person, "email").await.as_deref(),
            Some("w1@example.org")
        );
        let left = u64::from(matches!(outcome, Outcome::Unknown));
        assert_eq!(provisional(&world), left);
    }
    // What nobody says anything about goes when its term ends, with all that lies beside it.
    assert_eq!(world.vault.expire_submissions().await, Ok(0));
    world.clock.advance_ms(WAIT_MS + 1);
    assert_eq!(world.vault.expire_submissions().await, Ok(1));
    assert_eq!(provisional(&world), 0);
    let snapshot = world.store.snapshot().expect("a snapshot");
    let records = snapshot.persons_with_records(world.tenant, None, 10).expect("listed");
    assert_eq!(records, [person]);
    assert!(snapshot.documents(world.tenant, 6, None, 10).expect("listed").is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn accepted_values_take_the_place_of_old_ones_and_old_tokens_still_lead_there() {
    let world = World::new().await;
    let person = world.worker(1).await;
    let old = world.store.snapshot().expect("a snapshot").tokens_of(world.tenant, person).expect("tokens");
    let values = [("name", "Neuer Name"), ("emergency_contact", ""), ("health_note", "neu")];
    let taken = submit(&world, known("ref-1"), &values).await.expect("taken");
    assert_eq!(taken.texts[1], "");
    settle(&world, taken.id, Outcome::accepted(None)).await.expect("committed");
    let name = old.iter().find(|row| row.field.0 == 1).expect("a token of the name");
    let old_name = StorageToken::from_bytes(name.token).format(model::catalogue::TokenFormat::Opaque);
    let viewer = lead(&world).await;
    let shown = view(&world, viewer, &page(&[&old_name, &taken.texts[0]], &["name"])).await;
    assert_eq!(shown, [clear("Neuer Name"), clear("Neuer Name")]);
    let own = world.key(Role::Person, Some(person)).await;
    let export = world.vault.export(&world.ctx(&own), world.tenant, person).await.expect("exported");
    let held = |text: &str| export.values.iter().any(|one| one.1.as_str() == text);
    assert!(held("neu") && !held("Aunt Third"));
    assert_eq!(provisional(&world), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_submission_outlives_a_restart_and_is_committed_when_the_app_shows_it() {
    let world = World::new().await;
    let person = world.worker(1).await;
    let taken = submit(&world, known("ref-1"), &[("name", "Nach dem Absturz")]).await.expect("taken");
    let token = StorageToken::parse(&taken.texts[0]).expect("a token");
    let app = world.ctx(&world.app);
    assert_eq!(
        world.vault.promote(&app, world.tenant, &[token]).await,
        Ok(0),
        "its request is still under way"
    );
    let world = world.reopen().await;
    let app = world.ctx(&world.app);
    assert_eq!(world.value(&world.lead, "rostering", person, "name").await.as_deref(), Some("Name 1"));
    assert_eq!(world.vault.promote(&app, world.tenant, &[token]).await, Ok(1));
    assert_eq!(
        world.value(&world.lead, "rostering", person, "name").await.as_deref(),
        Some("Nach dem Absturz")
    );
    assert_eq!((world.vault.promote(&app, world.tenant, &[token]).await, provisional(&world)), (Ok(0), 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_typed_before_she_was_here_goes_with_her_erasure() {
    let world = World::new().await;
    let early = Whose::Create("ref-1".into());
    // Nobody knows whether the app took them; one more is still under way.
    let lost = submit(&world, early.clone(), &[("name", "Verirrt")]).await.expect("taken");
    let other = submit(&world, Whose::Create("ref-2".into()), &[("name", "Bleibt")]).await.expect("taken");
    for one in [&lost, &other] {
        settle(&world, one.id, Outcome::Unknown).await.expect("settled");
    }
    let under_way = submit(&world, early, &[("name", "Unterwegs")]).await.expect("taken");
    let person = world.worker(1).await;
    world.vault.erase(&world.ctx(&world.officer), world.tenant, person).await.expect("erased");
    assert_eq!(provisional(&world), 1, "somebody else's stays");
    let accepted = settle(&world, under_way.id, Outcome::accepted(None)).await;
    assert_eq!(accepted, Err(SubmitError::Person));
    let app = world.ctx(&world.app);
    let promote = async |one: &Submitted| {
        let token = StorageToken::parse(&one.texts[0]).expect("a token");
        world.vault.promote(&app, world.tenant, &[token]).await
    };
    assert_eq!((promote(&lost).await, promote(&other).await), (Ok(0), Ok(1)));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_newer_in_another_compartment_does_not_outdate_a_submission() {
    let world = World::new().await;
    let person = world.worker(1).await;
    let lost = submit(&world, known("ref-1"), &[("name", "Vorher")]).await.expect("taken");
    let note = submit(&world, known("ref-1"), &[("health_note", "Vorher")]).await.expect("taken");
    for one in [&lost, &note] {
        settle(&world, one.id, Outcome::Unknown).await.expect("settled");
    }
    let newer = submit(&world, known("ref-1"), &[("health_note", "Knie")]).await.expect("taken");
    settle(&world, newer.id, Outcome::accepted(None)).await.expect("committed");
    let app = world.ctx(&world.app);
    let promote = async |one: &Submitted| {
        let token = StorageToken::parse(&one.texts[0]).expect("a token");
        world.vault.promote(&app, world.tenant, &[token]).await
    };
    assert_eq!((promote(&lost).await, promote(&note).await), (Ok(1), Ok(0)));
    assert_eq!(world.value(&world.lead, "rostering", person, "name").await.as_deref(), Some("Vorher"));
    assert_eq!(provisional(&world), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_erased_person_takes_what_waits_for_her_along() {
    let world = World::new().await;
    let person = world.worker(1).await;
    let taken = submit(&world, known("ref-1"), &[("name", "Zu spät")]).await.expect("taken");
    world.vault.erase(&world.ctx(&world.officer), world.tenant, person).await.expect("erased");
    assert_eq!(provisional(&world), 0);
    let late = settle(&world, taken.id, Outcome::accepted(None)).await;
    assert_eq!(late, Err(SubmitError::Person), "there is nothing any more");
    let shown = view(&world, lead(&world).await, &page(&[&taken.texts[0]], &["name"])).await;
    assert_eq!(shown, [Viewed::Erased]);
    let again = submit(&world, Whose::Create("ref-1".into()), &[("name", "Neu")]).await;
    assert!(again.is_ok(), "the reference is free again");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_person_cannot_be_told_to_be_somebody_who_is_here() {
    let world = World::new().await;
    let person = world.worker(1).await;
    let taken = submit(&world, Whose::New, &[("name", "Mallory")]).await.expect("taken");
    let told = settle(&world, taken.id, Outcome::accepted(Some("ref-1"))).await;
    assert_eq!((told, provisional(&world)), (Err(SubmitError::Person), 0));
    assert_eq!(world.value(&world.lead, "rostering", person, "name").await.as_deref(), Some("Name 1"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_masked_field_that_comes_back_changes_nothing() {
    let world = World::new().await;
    let person = world.worker(1).await;
    world.worker(2).await;
    let snapshot = world.store.snapshot().expect("a snapshot");
    let token_of = |person: PersonId, field: u16| {
        let rows = snapshot.tokens_of(world.tenant, person).expect("tokens");
        let row = rows.into_iter().find(|row| row.field.0 == field).expect("one");
        StorageToken::from_bytes(row.token).format(model::catalogue::TokenFormat::Opaque)
    };
    let health = token_of(person, 3);
    let mut request = page(&[&health], &["name"]);
    request.form = Some(("s1".into(), "save".into()));
    let actor = lead(&world).await;
    let shown = view(&world, actor.clone(), &request).await;
    let [Viewed::Masked(Some(view_token))] = shown.as_slice() else { panic!("{shown:?}") };
    assert!(view_token.starts_with("obv_") && !view_token.contains(&health[4..]));
    let taken = submit(&world, known("ref-1"), &[("health_note", view_token)]).await.expect("taken");
    assert_eq!((taken.id, taken.texts), (None, vec![health.clone()]));
    // Of another person, field, session or rule, or too old, it is worth nothing.
    for (whose, field) in
        [(known("ref-2"), "health_note"), (known("ref-1"), "name"), (Whose::New, "health_note")]
    {
        assert_eq!(submit(&world, whose, &[(field, view_token)]).await.err(), Some(SubmitError::Stale));
    }
    for change in [0, 1] {
        let mut other = typed(known("ref-1"), &[("health_note", view_token)]);
        if change == 0 {
            other.session = "s2".into()
        } else {
            other.rule = "other".into()
        }
        let app = world.ctx(&world.app);
        assert_eq!(
            world.vault.submit(&app, None, world.tenant, &other).await.err(),
            Some(SubmitError::Stale)
        );
    }
    world.clock.advance_ms(12 * 3_600_000);
    let late = submit(&world, known("ref-1"), &[("health_note", view_token)]).await;
    assert_eq!(late.err(), Some(SubmitError::Stale));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_shows_what_its_rule_names_and_its_viewer_may_see() {
    let world = World::new().await;
    let (one, two) = (world.worker(1).await, world.worker(2).await);
    let snapshot = world.store.snapshot().expect("a snapshot");
    let token = |person, field: u16| {
        let rows = snapshot.tokens_of(world.tenant, person).expect("tokens");
        let row = rows.into_iter().find(|row| row.field.0 == field).expect("one");
        StorageToken::from_bytes(row.token).format(model::catalogue::TokenFormat::Opaque)
    };
    let tokens = [token(one, 1), token(one, 2), token(one, 3), token(two, 1)];
    let tokens: Vec<&str> = tokens.iter().map(String::as_str).collect();
    let actor = lead(&world).await;
    let masked = || Viewed::Masked(None);
    let shown = view(&world, actor.clone(), &page(&tokens, &["name", "health_note"])).await;
    assert_eq!(
        shown,
        [clear("Name 1"), masked(), masked(), clear("Name 2")],
        "the purpose has no health note"
    );
    let mut request = page(&tokens, &["name", "email"]);
    request.rules[0].person = Some("ref-1".into());
    let shown = view(&world, actor.clone(), &request).await;
    assert_eq!(shown, [clear("Name 1"), clear("w1@example.org"), masked(), masked()]);
    request.rules[0].person = Some("nobody".into());
    assert_eq!(view(&world, actor.clone(), &request).await, [masked(), masked(), masked(), masked()]);
    let mut request = page(&tokens, &["name"]);
    request.persons_per_answer = 1;
    assert_eq!(view(&world, actor.clone(), &request).await[3], masked());
    // The person herself, by her own right, and nobody else by it.
    let own = viewer(&world, "w1", Role::Person, Some("ref-1")).await.expect("a viewer");
    let shown = view(&world, own, &page(&tokens, &["name", "email", "health_note"])).await;
    assert_eq!(shown, [clear("Name 1"), clear("w1@example.org"), clear("note 1"), masked()]);
    assert!(viewer(&world, "w9", Role::Person, Some("ref-9")).await.is_none());
    assert!(viewer(&world, "x", Role::System, None).await.is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_viewer_is_one_principal_over_restarts_and_can_be_revoked() {
    let world = World::new().await;
    let first = lead(&world).await.principal.id;
    assert_eq!(lead(&world).await.principal.id, first);
    let other = viewer(&world, "lead-1", Role::CaseManager, None).await.expect("a viewer");
    assert_ne!(other.principal.id, first, "another role is another principal");
    let world = world.reopen().await;
    assert_eq!(lead(&world).await.principal.id, first);
    world.vault.revoke_key(&world.ctx(&world.admin), world.tenant, first).await.expect("revoked");
    assert!(viewer(&world, "lead-1", Role::Operations, None).await.is_none());
    let raw = std::fs::read(world.folder.join("store/keys.db")).expect("read");
    assert!(memchr::memmem::find(&raw, b"lead-1").is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn stable_tokens_are_equal_for_equal_values_and_follow_them() {
    let world = World::new().await;
    let mut fields = world::catalogue();
    fields[1].stable = true;
    let admin = world.ctx(&world.admin);
    world.vault.put_catalogue(&admin, world.tenant, fields).await.expect("a catalogue");
    let stable = |value: &str| world.vault.stable_token(world.tenant, "email", value);
    let token = stable("Jana@Example.ORG").expect("a token");
    assert_eq!(stable("jana@example.org").expect("a token"), token);
    assert!(world.vault.stable_token(world.tenant, "name", "x").is_err());
    let first = submit(&world, Whose::New, &[("email", "jana@example.org")]).await.expect("taken");
    assert_eq!(first.texts, [token.as_str()]);
    settle(&world, first.id, Outcome::accepted(Some("1"))).await.expect("committed");
    // The app sees the same token and says that there is one already; if it does not, the token stays the first one's.
    let second =
        submit(&world, Whose::New, &[("email", "jana@example.org"), ("name", "Zwei")]).await.expect("taken");
    assert_eq!(second.texts[0], token);
    settle(&world, second.id, Outcome::accepted(Some("2"))).await.expect("committed");
    let owner = |token: &str| {
        let token = StorageToken::parse(token).expect("a token");
        let snapshot = world.store.snapshot().expect("a snapshot");
        snapshot.token(world.tenant, token.as_bytes()).expect("read").map(|row| row.person)
    };
    assert_eq!(owner(&token), first.id);
    // A new address has a new token, and the old one stands for the other who has it.
    let changed = submit(&world, known("1"), &[("email", "neu@example.org")]).await.expect("taken");
    settle(&world, changed.id, Outcome::accepted(None)).await.expect("committed");
    assert_eq!((owner(&token), owner(&changed.texts[0])), (second.id, first.id));
}

/// A world whose e-mail addresses have stable tokens, and a look at whom one stands for.
async fn with_stable() -> World {
    let world = World::new().await;
    let mut fields = world::catalogue();
    fields[1].stable = true;
    let admin = world.ctx(&world.admin);
    world.vault.put_catalogue(&admin, world.tenant, fields).await.expect("a catalogue");
    world
}

fn owner(world: &World, token: &str) -> Option<PersonId> {
    let token = StorageToken::parse(token).expect("a token");
    let snapshot = world.store.snapshot().expect("a snapshot");
    snapshot.token(world.tenant, token.as_bytes()).expect("read").map(|row| row.person)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stable_token_proves_nothing_and_old_submissions_do_not_come_back() {
    let world = with_stable().await;
    let first =
        submit(&world, Whose::New, &[("name", "Eins"), ("email", "a@example.org")]).await.expect("taken");
    settle(&world, first.id, Outcome::accepted(Some("7"))).await.expect("committed");
    let person = first.id.expect("a person");
    // The app did not answer, and had not taken it.
    let lost =
        submit(&world, known("7"), &[("name", "Verirrt"), ("email", "x@example.org")]).await.expect("taken");
    settle(&world, lost.id, Outcome::Unknown).await.expect("settled");
    assert_eq!(owner(&world, &lost.texts[1]), None, "nobody provisional has a stable token");
    let taken =
        submit(&world, known("7"), &[("name", "Zwei"), ("email", "x@example.org")]).await.expect("taken");
    settle(&world, taken.id, Outcome::accepted(None)).await.expect("committed");
    assert_eq!(owner(&world, &taken.texts[1]), Some(person));
    let app = world.ctx(&world.app);
    let stable = StorageToken::parse(&lost.texts[1]).expect("a token");
    assert_eq!(world.vault.promote(&app, world.tenant, &[stable]).await, Ok(0));
    // Even its own token, on a page of old versions, does not bring the older values back.
    let own = StorageToken::parse(&lost.texts[0]).expect("a token");
    assert_eq!(world.vault.promote(&app, world.tenant, &[own]).await, Ok(0));
    assert_eq!(world.value(&world.lead, "rostering", person, "name").await.as_deref(), Some("Zwei"));
    assert_eq!(provisional(&world), 0, "it is over");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stable_token_stands_for_somebody_as_long_as_anybody_has_the_value() {
    let world = with_stable().await;
    let mail = [("name", "Eins"), ("email", "same@example.org")];
    let (one, two) = (submit(&world, Whose::New, &mail).await, submit(&world, Whose::New, &mail).await);
    let (one, two) = (one.expect("taken"), two.expect("taken"));
    // The app takes the second and refuses the first.
    settle(&world, two.id, Outcome::accepted(Some("2"))).await.expect("committed");
    settle(&world, one.id, Outcome::Abandoned).await.expect("abandoned");
    let token = two.texts[1].clone();
    assert_eq!(owner(&world, &token), two.id);
    // Another with the same address; the owner changes hers, or goes.
    let three = submit(&world, Whose::New, &mail).await.expect("taken");
    settle(&world, three.id, Outcome::accepted(Some("3"))).await.expect("committed");
    let four = submit(&world, Whose::New, &mail).await.expect("taken");
    settle(&world, four.id, Outcome::accepted(Some("4"))).await.expect("committed");
    assert_eq!(owner(&world, &token), two.id);
    let same = submit(&world, known("2"), &mail).await.expect("taken");
    settle(&world, same.id, Outcome::accepted(None)).await.expect("the same value again");
    assert_eq!(owner(&world, &token), two.id);
    let changed = submit(&world, known("2"), &[("email", "new@example.org")]).await.expect("taken");
    settle(&world, changed.id, Outcome::accepted(None)).await.expect("committed");
    let heir = owner(&world, &token).expect("somebody");
    assert!(Some(heir) == three.id || Some(heir) == four.id);
    world.vault.erase(&world.ctx(&world.officer), world.tenant, heir).await.expect("erased");
    let last = owner(&world, &token).expect("somebody");
    assert!(last != heir && (Some(last) == three.id || Some(last) == four.id));
    world.vault.erase(&world.ctx(&world.officer), world.tenant, last).await.expect("erased");
    assert_eq!(owner(&world, &token), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reference_that_is_not_here_makes_nobody_unless_the_rule_says_so() {
    let world = World::new().await;
    world.worker(1).await;
    let name = [("name", "Doppelt")];
    assert_eq!(submit(&world, known("ref-001"), &name).await.err(), Some(SubmitError::Person));
    for odd in ["007", "+7", "-7", " 7", "00"] {
        let made = submit(&world, Whose::Create(odd.into()), &name).await;
        assert_eq!(made.err(), Some(SubmitError::Reference), "{odd}");
    }
    for plain in ["7", "0", "ref-9", "a07"] {
        assert!(submit(&world, Whose::Create(plain.into()), &name).await.is_ok(), "{plain}");
    }
    // What stood there in place of a value is no value.
    for mask in ["[masked]", "[erased]"] {
        let sent = submit(&world, known("ref-1"), &[("name", mask)]).await;
        assert_eq!(sent.err(), Some(SubmitError::Stale), "{mask}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_user_cannot_take_all_places() {
    let world = World::new().await;
    world.worker(1).await;
    let actor = lead(&world).await;
    let app = world.ctx(&world.app);
    let form = typed(known("ref-1"), &[("name", "n")]);
    let mut refused = None;
    for _ in 0..=200 {
        refused = world.vault.submit(&app, Some(actor.clone()), world.tenant, &form).await.err();
    }
    assert_eq!(refused, Some(SubmitError::Quota));
    let other = viewer(&world, "lead-2", Role::Operations, None).await.expect("a viewer");
    assert!(world.vault.submit(&app, Some(other), world.tenant, &form).await.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_values_say_which() {
    let world = World::new().await;
    let wrong = submit(&world, Whose::New, &[("name", "a"), ("email", "no address")]).await;
    assert!(matches!(wrong, Err(SubmitError::Value(1, _))));
    let unknown = submit(&world, Whose::New, &[("shoe_size", "44")]).await;
    assert_eq!(unknown.err(), Some(SubmitError::UnknownField(0)));
    assert_eq!(submit(&world, known(""), &[("name", "a")]).await.err(), Some(SubmitError::Reference));
    assert_eq!(provisional(&world), 0);
}

fn present_token(world: &World, person: PersonId, field: u16) -> String {
    let snapshot = world.store.snapshot().expect("a snapshot");
    let rows = snapshot.tokens_of(world.tenant, person).expect("tokens");
    let row = rows.into_iter().find(|row| row.field.0 == field).expect("one");
    StorageToken::from_bytes(row.token).format(model::catalogue::TokenFormat::Opaque)
}

async fn submit_by(world: &World, by: &Actor, values: &[(&str, &str)]) -> Result<Submitted, SubmitError> {
    let new = typed(known("ref-1"), values);
    world.vault.submit(&world.ctx(&world.app), Some(by.clone()), world.tenant, &new).await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_revoked_user_typed_is_committed_by_nobody() {
    let world = World::new().await;
    let person = world.worker(1).await;
    let (by, other) = (lead(&world).await, viewer(&world, "lead-2", Role::Operations, None).await);
    let other = other.expect("a viewer");
    let under_way = submit_by(&world, &by, &[("name", "Revoked")]).await.expect("taken");
    let lost = submit_by(&world, &by, &[("name", "Revoked")]).await.expect("taken");
    let kept = submit_by(&world, &other, &[("email", "x@example.org")]).await.expect("taken");
    for one in [&lost, &kept] {
        settle(&world, one.id, Outcome::Unknown).await.expect("settled");
    }
    let admin = world.ctx(&world.admin);
    world.vault.revoke_key(&admin, world.tenant, by.principal.id).await.expect("revoked");
    let late = settle(&world, under_way.id, Outcome::accepted(None)).await;
    assert_eq!(late, Err(SubmitError::Fault(vault::Fault::Revoked)));
    // The app shows the tokens of all of them afterwards.
    let app = world.ctx(&world.app);
    let mut promoted = 0;
    for one in [&under_way, &lost, &kept] {
        let token = StorageToken::parse(&one.texts[0]).expect("a token");
        promoted += world.vault.promote(&app, world.tenant, &[token]).await.expect("looked at");
    }
    assert_eq!((promoted, provisional(&world)), (1, 0), "the other user's alone");
    assert_eq!(world.value(&world.lead, "rostering", person, "name").await.as_deref(), Some("Name 1"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_of_the_app_does_not_change_what_is_restricted() {
    let world = World::new().await;
    let person = world.worker(1).await;
    let under_way = submit(&world, known("ref-1"), &[("email", "x@example.org")]).await.expect("taken");
    let limit = vault::restrict::Limit::Restriction(vec!["email".to_owned()]);
    let officer = world.ctx(&world.officer);
    world.vault.limit(&officer, world.tenant, person, &limit, true).await.expect("limited");
    let restricted = Some(SubmitError::Denied(model::decision::Reason::Restricted));
    for value in ["y@example.org", ""] {
        assert_eq!(submit(&world, known("ref-1"), &[("email", value)]).await.err(), restricted);
    }
    assert_eq!(settle(&world, under_way.id, Outcome::accepted(None)).await.err(), restricted);
    assert_eq!(provisional(&world), 0);
    let free = submit(&world, known("ref-1"), &[("name", "Frei")]).await.expect("another field");
    settle(&world, free.id, Outcome::accepted(None)).await.expect("committed");
    // She herself may correct her data.
    let own = viewer(&world, "w1", Role::Person, Some("ref-1")).await.expect("a viewer");
    let hers = submit_by(&world, &own, &[("email", "own@example.org")]).await.expect("taken");
    settle(&world, hers.id, Outcome::accepted(None)).await.expect("committed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_masked_field_comes_back_as_the_token_that_stands_there_now() {
    let world = with_stable().await;
    let person = world.worker(1).await;
    let old = present_token(&world, person, 2);
    let mut request = page(&[&old], &["name"]);
    request.form = Some(("s1".into(), "save".into()));
    let shown = view(&world, lead(&world).await, &request).await;
    let [Viewed::Masked(Some(hidden))] = shown.as_slice() else { panic!("{shown:?}") };
    let changed = submit(&world, known("ref-1"), &[("email", "new@example.org")]).await.expect("taken");
    settle(&world, changed.id, Outcome::accepted(None)).await.expect("committed");
    let now = present_token(&world, person, 2);
    assert_ne!(now, old);
    let back = submit(&world, known("ref-1"), &[("email", hidden)]).await.expect("nothing new");
    let of = |text: &str| StorageToken::parse(text).map(|token| *token.as_bytes());
    assert_eq!((back.id, of(&back.texts[0])), (None, of(&now)));
    let gone = submit(&world, known("ref-1"), &[("email", "")]).await.expect("taken");
    settle(&world, gone.id, Outcome::accepted(None)).await.expect("committed");
    let back = submit(&world, known("ref-1"), &[("email", hidden)]).await.expect("nothing new");
    assert_eq!((back.id, back.texts), (None, vec![String::new()]));
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_new_is_made_under_another_spelling() {
    let world = World::new().await;
    let make = async |reference: &str| {
        let taken = submit(&world, Whose::Create(reference.into()), &[("name", "x")]).await;
        taken.map(drop)
    };
    for good in ["0", "7", "9007199254740991", "ada", "w-1.2_x", "0191d1a4-7c3e-7b1f-8a55-0123456789ab"] {
        assert_eq!(make(good).await, Ok(()), "{good}");
    }
    for bad in [
        "007",
        "+7",
        "-7",
        "1_7",
        "17-x",
        "7 ",
        " 7",
        "1e3",
        "0x11",
        "\u{667}",
        "Ä",
        "ada ",
        "a/b",
        "a b",
        "0191D1A4-7C3E-7B1F-8A55-0123456789AB",
        "0191d1a47c3e7b1f8a550123456789ab",
    ] {
        assert_eq!(make(bad).await, Err(SubmitError::Reference), "{bad}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_that_the_app_kept_lead_to_what_stands_there_instead() {
    let world = World::new().await;
    let person = world.worker(1).await;
    let (by, lead) =
        (viewer(&world, "lead-2", Role::Operations, None).await.expect("a viewer"), lead(&world).await);
    let revoked = submit_by(&world, &by, &[("name", "Revoked")]).await.expect("taken");
    let restricted = submit(&world, known("ref-1"), &[("email", "x@example.org")]).await.expect("taken");
    for one in [&revoked, &restricted] {
        settle(&world, one.id, Outcome::Unknown).await.expect("settled");
    }
    let admin = world.ctx(&world.admin);
    world.vault.revoke_key(&admin, world.tenant, by.principal.id).await.expect("revoked");
    let limit = vault::restrict::Limit::Restriction(vec!["email".to_owned()]);
    let officer = world.ctx(&world.officer);
    world.vault.limit(&officer, world.tenant, person, &limit, true).await.expect("limited");
    let app = world.ctx(&world.app);
    for one in [&revoked, &restricted] {
        let token = StorageToken::parse(&one.texts[0]).expect("a token");
        assert_eq!(world.vault.promote(&app, world.tenant, &[token]).await, Ok(0));
    }
    world.vault.limit(&officer, world.tenant, person, &limit, false).await.expect("lifted");
    let tokens = page(&[&revoked.texts[0], &restricted.texts[0]], &["name", "email"]);
    assert_eq!(view(&world, lead, &tokens).await, [clear("Name 1"), clear("w1@example.org")]);
    assert_eq!(provisional(&world), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_field_changes_nothing_where_there_is_nothing() {
    let world = World::new().await;
    let person = world.worker(1).await;
    let gone = submit(&world, known("ref-1"), &[("email", "")]).await.expect("taken");
    settle(&world, gone.id, Outcome::accepted(None)).await.expect("committed");
    let before = entries(&world);
    let again = submit(&world, known("ref-1"), &[("email", "")]).await.expect("nothing");
    assert_eq!((again.id, again.texts, entries(&world)), (None, vec![String::new()], before));
    // So a form whose restricted fields are empty is saved.
    let limit = vault::restrict::Limit::Restriction(vec!["email".to_owned()]);
    let officer = world.ctx(&world.officer);
    world.vault.limit(&officer, world.tenant, person, &limit, true).await.expect("limited");
    let form = submit(&world, known("ref-1"), &[("name", "Neu"), ("email", "")]).await.expect("taken");
    settle(&world, form.id, Outcome::accepted(None)).await.expect("committed");
    assert_eq!(world.value(&world.lead, "rostering", person, "name").await.as_deref(), Some("Neu"));
}
