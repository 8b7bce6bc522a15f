//! Sign-in links, sessions, and what staff see of the house without seeing a person.

mod world;

use model::principal::Role;
use model::token::{ApiKey, SessionKey, SignInLink};
use vault::Context;
use vault::keys::{AuthError, Credential, KeyError, NewKey};
use vault::sessions::{IssuedLink, MAX_LINK_MS, PERSON_SESSION_MS, SESSION_MS};
use vault::sight::{SightError, Wanted};
use vault::trail::Event;
use world::World;

const HOUR: i64 = 3_600_000;

async fn link(
    world: &World,
    role: Role,
    subject: Option<model::PersonId>,
    ms: i64,
) -> Result<IssuedLink, KeyError> {
    let expires = Some(model::Clock::now(&world.clock).plus_ms(ms));
    let new = NewKey { name: "M. Adeyemi".into(), role, subject, expires, zone: Vec::new() };
    world.vault.issue_link(&world.ctx(&world.admin), world.tenant, new).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_signs_in_once_and_is_nothing_else() {
    let world = World::new().await;
    let issued = link(&world, Role::PrivacyOfficer, None, HOUR).await.expect("a link");
    let text = issued.secret.reveal();
    assert!(text.starts_with("obl_") && ApiKey::parse(&text).is_none() && SessionKey::parse(&text).is_none());
    // The same bytes in another form lead nowhere: what is stored of them differs.
    let body = &text["obl_".len()..];
    let key = ApiKey::parse(&format!("obk_{body}")).expect("the form of a key");
    assert_eq!(world.vault.authenticate(&key, |_| true).err(), Some(AuthError::Refused));
    let session = SessionKey::parse(&format!("obs_{body}")).expect("the form of a session");
    assert_eq!(world.vault.session(&session, |_| true).err(), Some(AuthError::Refused));

    let twice = tokio::join!(
        world.vault.sign_in(&issued.secret, |_| true),
        world.vault.sign_in(&issued.secret, |_| true)
    );
    let (opened, refused) = match twice {
        (Ok(opened), Err(refused)) | (Err(refused), Ok(opened)) => (opened, refused),
        other => panic!("{other:?}"),
    };
    assert_eq!(refused, AuthError::Refused);
    assert_eq!(world.vault.sign_in(&issued.secret, |_| true).await.err(), Some(AuthError::Refused));
    let actor = world.vault.session(&opened.secret, |_| true).expect("open");
    assert_eq!((actor.principal.role, actor.principal.id), (Role::PrivacyOfficer, opened.principal));
    let as_key = opened.secret.reveal().replace("obs_", "obk_");
    let as_key = ApiKey::parse(&as_key).expect("the form of a key");
    assert_eq!(world.vault.authenticate(&as_key, |_| true).err(), Some(AuthError::Refused));

    let ctx = Context { actor, request: world.vault.new_request() };
    world.vault.sign_out(&ctx).await.expect("ended");
    assert_eq!(world.vault.session(&opened.secret, |_| true).err(), Some(AuthError::Refused));
}

#[tokio::test(flavor = "multi_thread")]
async fn links_and_sessions_end() {
    let world = World::new().await;
    assert_eq!(link(&world, Role::Auditor, None, MAX_LINK_MS + 1).await.err(), Some(KeyError::Expired));
    assert_eq!(link(&world, Role::Auditor, None, 0).await.err(), Some(KeyError::Expired));
    assert_eq!(link(&world, Role::App, None, HOUR).await.err(), Some(KeyError::Subject));
    assert_eq!(link(&world, Role::Person, None, HOUR).await.err(), Some(KeyError::Subject));
    let late = link(&world, Role::Auditor, None, HOUR).await.expect("a link");
    world.clock.advance_ms(HOUR);
    assert_eq!(world.vault.sign_in(&late.secret, |_| true).await.err(), Some(AuthError::Refused));

    let person = world.worker(1).await;
    for (role, subject, term) in
        [(Role::Auditor, None, SESSION_MS), (Role::Person, Some(person), PERSON_SESSION_MS)]
    {
        let issued = link(&world, role, subject, HOUR).await.expect("a link");
        let session = world.vault.sign_in(&issued.secret, |_| true).await.expect("in");
        world.clock.advance_ms(term - 1);
        assert!(world.vault.session(&session.secret, |_| true).is_ok());
        world.clock.advance_ms(1);
        assert_eq!(world.vault.session(&session.secret, |_| true).err(), Some(AuthError::Refused));
    }
    let hers = link(&world, Role::Person, Some(person), HOUR).await.expect("a link");
    world.vault.erase(&world.ctx(&world.officer), world.tenant, person).await.expect("erased");
    assert!(world.vault.sign_in(&hers.secret, |_| true).await.is_err(), "nobody is left to sign in");
    let unknown = SignInLink::generate(&seal::SystemEntropy);
    assert_eq!(world.vault.sign_in(&unknown, |_| true).await.err(), Some(AuthError::Refused));
}

#[tokio::test(flavor = "multi_thread")]
async fn staff_see_the_house_and_no_person() {
    let world = World::new().await;
    let person = world.worker(1).await;
    assert!(world.value(&world.lead, "rostering", person, "name").await.is_some());
    let officer = world.ctx(&world.officer);
    let (vault, tenant) = (&world.vault, world.tenant);
    let reads = Wanted { event: Some(Event::Read), refused: false };
    let page = vault.entries(&officer, tenant, None, 10, reads).expect("entries");
    assert_eq!(page.entries.len(), 1);
    let read = &page.entries[0];
    assert_eq!((read.event, read.persons, read.released), (Event::Read, 1, 1));
    assert_eq!(vault.entry(&officer, tenant, read.index).expect("readable").as_ref(), Some(read));
    let all = vault.entries(&officer, tenant, None, 2, Wanted::default()).expect("entries");
    assert_eq!(all.entries.len(), 2);
    let older = vault.entries(&officer, tenant, all.next, 200, Wanted::default()).expect("entries");
    assert!(older.entries.iter().all(|entry| entry.index < all.entries[1].index) && older.next.is_none());
    let tally = vault.tally(&officer, tenant, model::Timestamp(0)).expect("counted");
    assert_eq!((tally.reads, tally.refused, tally.days.values().sum::<u64>()), (1, 0, 1));
    assert_eq!((tally.events[&Event::Read], tally.events[&Event::Create]), (1, 1));
    // What was refused is counted as such, and not among what somebody got.
    assert!(world.value(&world.lead, "rostering", person, "health_note").await.is_none());
    let after = vault.tally(&officer, tenant, model::Timestamp(0)).expect("counted");
    assert_eq!((after.reads, after.refused, &after.flows), (2, 1, &tally.flows));
    let figures = vault.figures(&officer, tenant).expect("counted");
    assert_eq!((figures.live, figures.erased, figures.waiting), (1, 0, 0));
    assert!(!vault.epochs(&officer, tenant).expect("listed").is_empty());
    let keys = vault.keys(&world.ctx(&world.admin), tenant).expect("listed");
    assert!(keys.iter().all(|key| key.credential == Credential::Key && key.active && !key.name.is_empty()));
    // Whoever may not, does not.
    for refused in [
        vault.entries(&world.ctx(&world.lead), tenant, None, 10, reads).err(),
        vault.keys(&officer, tenant).err(),
        vault.tally(&world.ctx(&world.app), tenant, model::Timestamp(0)).err(),
        vault.entries(&officer, model::TenantId([9; 16]), None, 10, reads).err(),
    ] {
        assert!(matches!(refused, Some(SightError::Denied(_))), "{refused:?}");
    }
}
