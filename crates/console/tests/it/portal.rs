//! The person's own pages: whose they are, what guards them, and what they do when the ledger cannot be written.

use crate::door::Door;
use crate::guest::{Guest, Page};
use crate::world::NOTICE;
use http::StatusCode;
use model::PersonId;
use model::principal::Role;
use vault::consent::AskRequest;

const PAGES: [&str; 8] = [
    "/my",
    "/my/asks/{ask}",
    "/my/reads",
    "/my/reads/{entry}/proof",
    "/my/data",
    "/my/consents",
    "/my/copy",
    "/my/erase",
];
/// What changes something or hands something out. The certificate needs no session, since there is none any more.
const FORMS: [&str; 4] = ["/my/asks/{ask}", "/my/consents/{ask}", "/my/copy", "/my/erase"];

struct Scene {
    door: Door,
    person: PersonId,
    ask: String,
    entry: u64,
}

impl Scene {
    async fn set() -> Self {
        let door = Door::open().await;
        let world = &door.world;
        let person = world.worker(1).await;
        world.value(&world.lead, "rostering", person, "name").await;
        let ask =
            AskRequest { person, purpose: "bem".into(), recipient: None, notice: NOTICE, days: Some(60) };
        let asked =
            world.vault.ask_consent(&world.ctx(&world.manager), world.tenant, &ask).await.expect("asked");
        let accesses = world.vault.accesses(&world.ctx(&world.officer), world.tenant, person, 10).await;
        let entry = accesses.expect("a list")[0].entry;
        let ledger = world.ledger.clone();
        let made = tokio::task::spawn_blocking(move || ledger.make_provable().expect("provable"));
        made.await.expect("no panic");
        Self { person, ask: asked.consent.to_string(), entry, door }
    }

    fn path(&self, path: &str) -> String {
        path.replace("{ask}", &self.ask).replace("{entry}", &self.entry.to_string())
    }

    async fn herself(&self) -> Guest {
        let mut guest = Guest::signed_in(&self.door, Role::Person, Some(self.person)).await;
        guest.get(&self.door, "/my/erase").await;
        guest
    }

    async fn get(&self, guest: &mut Guest, path: &str) -> Page {
        guest.get(&self.door, &self.path(path)).await
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn they_are_the_persons_alone() {
    let scene = Scene::set().await;
    let (mut nobody, mut herself) = (Guest::new(), scene.herself().await);
    let mut officer = Guest::signed_in(&scene.door, Role::PrivacyOfficer, None).await;
    officer.get(&scene.door, "/console").await;
    let other = scene.door.world.worker(2).await;
    let mut other = Guest::signed_in(&scene.door, Role::Person, Some(other)).await;
    other.get(&scene.door, "/my/erase").await;
    for path in PAGES {
        let page = scene.get(&mut nobody, path).await;
        assert_eq!((page.status, page.to()), (StatusCode::SEE_OTHER, "/sign-in"), "{path}");
        assert_eq!(scene.get(&mut officer, path).await.status, StatusCode::NOT_FOUND, "{path}");
        let page = scene.get(&mut herself, path).await;
        assert_eq!(page.status, StatusCode::OK, "{path}: {}", page.text);
        assert_eq!(page.header("cache-control"), "private, no-store", "{path}");
        if path.contains('{') {
            assert_eq!(scene.get(&mut other, path).await.status, StatusCode::NOT_FOUND, "{path} of another");
        }
    }
    for path in FORMS {
        let place = scene.path(path);
        let page = nobody.post(&scene.door, &place, &[("answer", "no")]).await;
        assert_eq!((page.status, page.to()), (StatusCode::SEE_OTHER, "/sign-in"), "{path}");
        let page = officer.post(&scene.door, &place, &[("answer", "no")]).await;
        assert_eq!(page.status, StatusCode::NOT_FOUND, "{path}");
        if path.contains('{') {
            let page = other.post(&scene.door, &place, &[("answer", "no")]).await;
            assert!(page.status.is_client_error(), "{path} of another: {}", page.status);
        }
        // From elsewhere, or without the token of the session.
        let page =
            herself.post_from(&scene.door, &place, &[("answer", "no")], Some("https://evil.example")).await;
        assert_eq!(page.status, StatusCode::FORBIDDEN, "{path}");
        let origin = format!("https://{}", crate::guest::HOST);
        let page = herself.post_from(&scene.door, &place, &[("answer", "no")], Some(&origin)).await;
        assert_eq!(page.status, StatusCode::FORBIDDEN, "{path}");
    }
    let consents = scene.get(&mut herself, "/my/consents").await;
    assert!(consents.text.contains("asked"), "nothing of it changed anything: {}", consents.text);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_copy_holds_everything_but_what_is_about_others() {
    let scene = Scene::set().await;
    let mut herself = scene.herself().await;
    let copy = herself.post(&scene.door, "/my/copy", &[]).await;
    assert_eq!(copy.status, StatusCode::OK);
    assert!(copy.header("content-disposition").starts_with("attachment"));
    let read: serde_json::Value = serde_json::from_str(&copy.text).expect("JSON");
    assert_eq!(read["fields"]["name"], "Name 1");
    assert_eq!(read["reference"], "ref-1");
    assert_eq!(read["left_out"][0], "emergency_contact");
    assert_eq!(read["consents"][0]["purpose"], "bem");
    assert!(!copy.text.contains("Aunt Third"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_counts_to_what_was_shown_alone() {
    let scene = Scene::set().await;
    let mut herself = scene.herself().await;
    let place = scene.path("/my/asks/{ask}");
    for fields in [
        vec![("answer", "yes")],
        vec![("answer", "yes"), ("digest", "00")],
        vec![("answer", "yes"), ("digest", "x"), ("days", "1")],
        vec![("answer", "maybe")],
        vec![],
    ] {
        let page = herself.post(&scene.door, &place, &fields).await;
        assert_eq!(page.status, StatusCode::BAD_REQUEST, "{fields:?}");
    }
    let other = "00".repeat(32);
    let page =
        herself.post(&scene.door, &place, &[("answer", "yes"), ("digest", &other), ("days", "9")]).await;
    assert!(page.status.is_client_error(), "{}", page.status);
    let asked = herself.get(&scene.door, &place).await;
    assert!(asked.text.contains("value=\"60\" checked"), "a shorter one is not offered: {}", asked.text);
    let digest = asked.text.split_once("name=\"digest\" value=\"").expect("a digest").1;
    let digest = digest[..64].to_owned();
    let page =
        herself.post(&scene.door, &place, &[("answer", "yes"), ("digest", &digest), ("days", "60")]).await;
    assert_eq!((page.status, page.to()), (StatusCode::SEE_OTHER, "/my/consents?done=consent-given"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_ledger_nothing_is_shown_and_erasure_still_works() {
    let scene = Scene::set().await;
    let mut herself = scene.herself().await;
    scene.door.world.ledger.close();
    for path in ["/my", "/my/reads", "/my/data", "/my/consents"] {
        let page = scene.get(&mut herself, path).await;
        assert_eq!(page.status, StatusCode::SERVICE_UNAVAILABLE, "{path}");
        assert!(page.text.contains("ledger_unavailable") && !page.text.contains("Name 1"), "{}", page.text);
    }
    let done = herself.post(&scene.door, "/my/erase", &[]).await;
    assert_eq!(done.status, StatusCode::OK, "{}", done.text);
    assert!(
        done.text.contains("Your data are erased") && done.text.contains("not signed yet"),
        "{}",
        done.text
    );
    let again = herself.get(&scene.door, "/my").await;
    assert_eq!(again.to(), "/sign-in");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_certificate_comes_back_as_a_file_and_nothing_else_does() {
    let scene = Scene::set().await;
    let mut herself = scene.herself().await;
    let done = herself.post(&scene.door, "/my/erase", &[]).await;
    let envelope = done.text.split_once("name=\"certificate\" value=\"").expect("a certificate").1;
    let envelope = envelope.split('"').next().unwrap_or_default().replace("&quot;", "\"");
    let file = herself.post(&scene.door, "/my/certificate", &[("certificate", &envelope)]).await;
    assert_eq!((file.status, file.text.as_str()), (StatusCode::OK, envelope.as_str()));
    assert!(file.header("content-disposition").starts_with("attachment"));
    for other in [
        "",
        "{}",
        "<script>alert(1)</script>",
        "{\"payload\":\"e30=\",\"payloadType\":\"obhut\",\"signatures\":[1]}",
    ] {
        let page = herself.post(&scene.door, "/my/certificate", &[("certificate", other)]).await;
        assert_eq!(page.status, StatusCode::BAD_REQUEST, "{other}");
    }
}
