//! The pages of staff over a whole house: which role opens which page, what stands in them and what does not, in both
//! languages.

use crate::door::Door;
use crate::guest::{Guest, Page};
use crate::shielded::{EXCLUSION, REFERENCE};
use crate::world::NOTICE;
use http::StatusCode;
use model::PersonId;
use model::principal::Role;
use std::collections::{BTreeMap, BTreeSet};
use vault::keys::NewKey;

/// The roles that staff can have on pages, with their letters in the table.
const STAFF: [(char, Role); 6] = [
    ('o', Role::Operations),
    ('c', Role::CaseManager),
    ('p', Role::PrivacyOfficer),
    ('s', Role::Security),
    ('a', Role::Auditor),
    ('m', Role::Admin),
];

/// Every page of staff, and who may open it or send its form. A privacy officer can read this table.
const TABLE: [(&str, &str, &str); 31] = [
    ("get", "/console", "ocpsam"),
    ("get", "/console/people", "ocp"),
    ("post", "/console/people/find", "ocp"),
    ("get", "/console/people/{person}", "ocp"),
    ("post", "/console/people/{person}/reveal", "ocp"),
    ("get", "/console/people/{person}/accesses", "p"),
    ("get", "/console/people/{person}/consents", "p"),
    ("get", "/console/consents", "p"),
    ("get", "/console/purposes", "ocpsam"),
    ("get", "/console/purposes/{purpose}", "ocpsam"),
    ("get", "/console/notices/{notice}", "cpam"),
    ("get", "/console/gateway", "psam"),
    ("get", "/console/attacks", "sm"),
    ("get", "/console/attacks/events/{reference}", "sm"),
    ("get", "/console/attacks/exclude/{reference}/{rule}", "sm"),
    ("post", "/console/attacks/exclude/{reference}/{rule}", "sm"),
    ("get", "/console/attacks/report", "sm"),
    ("post", "/console/attacks/report", "sm"),
    ("get", "/console/attacks/exclusions", "sm"),
    ("get", "/console/attacks/exclusions/{exclusion}", "sm"),
    ("post", "/console/attacks/exclusions/{exclusion}", "sm"),
    ("get", "/console/ledger", "psam"),
    ("get", "/console/ledger/{index}", "psam"),
    ("get", "/console/ledger/{index}/proof", "psam"),
    ("get", "/console/settings", "psam"),
    ("get", "/console/settings/keys/new", "m"),
    ("post", "/console/settings/keys/new", "m"),
    ("get", "/console/settings/keys/{principal}", "m"),
    ("post", "/console/settings/keys/{principal}", "m"),
    ("get", "/console/settings/links/new", "m"),
    ("post", "/console/settings/links/new", "m"),
];

/// The pages of staff that the source routes.
fn routed() -> BTreeSet<(String, String)> {
    let source = include_str!("../../src/pages/mod.rs");
    let mut all = BTreeSet::new();
    for line in source.lines().filter_map(|line| line.trim().strip_prefix("(\"/console")) {
        let (path, methods) = line.split_once('"').expect("a path");
        for method in ["get", "post"] {
            if methods.contains(&format!("{method}(")) {
                all.insert((method.to_owned(), format!("/console{path}")));
            }
        }
    }
    all
}

#[test]
fn every_page_stands_in_the_table() {
    let listed: BTreeSet<_> =
        TABLE.iter().map(|(method, path, _)| ((*method).to_owned(), (*path).to_owned())).collect();
    assert_eq!(routed(), listed);
    assert_eq!(listed.len(), TABLE.len(), "each once");
}

/// A house with somebody of each role at the door.
struct Scene {
    door: Door,
    person: PersonId,
    key: String,
    guests: Vec<(char, Guest)>,
}

impl Scene {
    async fn set() -> Self {
        let door = Door::open().await;
        let world = &door.world;
        let person = world.worker(1).await;
        world.consented(person).await;
        world.value(&world.lead, "rostering", person, "name").await;
        world.value(&world.lead, "rostering", person, "health_note").await;
        let new = NewKey {
            name: "<img src=x onerror=alert(1)>".into(),
            role: Role::Operations,
            subject: None,
            expires: None,
            zone: Vec::new(),
        };
        let hostile =
            world.vault.issue_key(&world.ctx(&world.admin), world.tenant, new).await.expect("a key");
        world.value(&hostile.secret, "rostering", person, "name").await;
        let mut guests = Vec::new();
        for (letter, role) in STAFF {
            let mut guest = Guest::signed_in(&door, role, None).await;
            guest.get(&door, "/console").await;
            guests.push((letter, guest));
        }
        let key = hostile.principal.to_string();
        tokio::task::spawn_blocking({
            let ledger = world.ledger.clone();
            move || ledger.make_provable().expect("provable")
        })
        .await
        .expect("no panic");
        Self { door, person, key, guests }
    }

    fn path(&self, path: &str) -> String {
        path.replace("{person}", &self.person.to_string())
            .replace("{purpose}", "rostering")
            .replace("{notice}", &NOTICE.to_string())
            .replace("{index}", "3")
            .replace("{principal}", &self.key)
            .replace("{reference}", REFERENCE)
            .replace("{rule}", "942100")
            .replace("{exclusion}", EXCLUSION)
    }

    fn guest(&self, letter: char) -> Guest {
        self.guests.iter().find(|(one, _)| *one == letter).expect("a guest").1.clone()
    }

    async fn ask(&self, guest: &mut Guest, method: &str, path: &str) -> Page {
        let place = self.path(path);
        if method == "get" {
            return guest.get(&self.door, &place).await;
        }
        let fields: &[(&str, &str)] = match path.rsplit('/').next().unwrap_or_default() {
            "find" => &[("field", "email"), ("value", "w1@example.org"), ("purpose", "rostering")],
            "reveal" => &[("purpose", "rostering"), ("field", "name")],
            "new" => &[("name", "x"), ("role", "auditor"), ("days", "1")],
            "{rule}" => &[("reach", "target"), ("because", "prose")],
            "report" => &[("line", "worker-save 942100 ARGS:note"), ("because", "needed")],
            _ => &[],
        };
        guest.post(&self.door, &place, fields).await
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_role_opens_what_the_table_says_and_nothing_else() {
    let scene = Scene::set().await;
    // Last, since it revokes a key that other rows look at.
    let (revoking, rest): (Vec<_>, Vec<_>) =
        TABLE.into_iter().partition(|(method, path, _)| *method == "post" && path.ends_with("{principal}"));
    for (method, path, who) in rest.into_iter().chain(revoking) {
        for (letter, role) in STAFF {
            let standing = scene.door.shield.exclusions.lock().clone();
            let page = scene.ask(&mut scene.guest(letter), method, path).await;
            // What one role changed, the next one can change again.
            *scene.door.shield.exclusions.lock() = standing;
            let denied = page.status == StatusCode::FORBIDDEN;
            assert_eq!(!denied, who.contains(letter), "{method} {path} as {role:?}: {}", page.status);
            if !denied {
                assert!(
                    page.status.is_success() || page.status.is_redirection(),
                    "{method} {path} as {role:?}: {}",
                    page.status
                );
            }
        }
        let mut nobody = Guest::new();
        let page = scene.ask(&mut nobody, method, path).await;
        assert_eq!(
            (page.status, page.to()),
            (StatusCode::SEE_OTHER, "/sign-in"),
            "{method} {path} as nobody"
        );
        let mut herself = Guest::signed_in(&scene.door, Role::Person, Some(scene.person)).await;
        herself.get(&scene.door, "/nothing").await;
        let page = scene.ask(&mut herself, method, path).await;
        assert_eq!(page.status, StatusCode::FORBIDDEN, "{method} {path} as the person");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_form_is_taken_from_elsewhere_or_without_its_token() {
    let scene = Scene::set().await;
    let source = include_str!("../../src/pages/mod.rs");
    let takes_forms = |line: &&str| line.contains("post(") && line.trim().starts_with("(\"/");
    let paths: Vec<&str> =
        source.lines().filter(takes_forms).filter_map(|line| line.split('"').nth(1)).collect();
    assert!(paths.len() >= 9, "the search through the source finds forms: {paths:?}");
    let before = scene.door.footprint();
    for path in paths {
        for letter in ['m', 'p'] {
            let mut guest = scene.guest(letter);
            let token = guest.token.clone().expect("a token");
            let place = scene.path(path);
            let ours = format!("https://{}", crate::guest::HOST);
            for (origin, token) in [
                (Some("https://evil.example"), Some(token.as_str())),
                (None, Some(token.as_str())),
                (Some(ours.as_str()), None),
            ] {
                // A link's secret stands in the place of a token.
                if path == "/sign-in" && token.is_none() {
                    continue;
                }
                let fields: Vec<(&str, &str)> =
                    token.map(|token| ("form-token", token)).into_iter().collect();
                let page = guest.post_from(&scene.door, &place, &fields, origin).await;
                assert_eq!(page.status, StatusCode::FORBIDDEN, "{path} from {origin:?}");
                assert!(page.text.contains("form_refused"), "{path} from {origin:?}");
            }
        }
    }
    assert_eq!(scene.door.footprint(), before, "and nothing was changed or recorded");
}

/// All addresses of our own that a page leads to.
fn links(page: &Page) -> BTreeSet<String> {
    page.text.split(" href=\"").skip(1).filter_map(|rest| rest.split('"').next()).map(str::to_owned).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_role_may_not_see_is_not_linked_and_what_is_linked_is_there() {
    let scene = Scene::set().await;
    for (letter, role) in STAFF {
        let mut guest = scene.guest(letter);
        let (mut seen, mut open) = (BTreeSet::new(), vec!["/console".to_owned()]);
        while let Some(path) = open.pop() {
            if !seen.insert(path.clone()) || seen.len() > 150 {
                continue;
            }
            let page = guest.get(&scene.door, &path).await;
            assert_eq!(page.status, StatusCode::OK, "{path} as {role:?}");
            let inside = links(&page).into_iter().filter(|link| link.starts_with("/console"));
            open.extend(inside.map(|link| link.replace("&amp;", "&")));
        }
        assert!(seen.len() > 4, "{role:?}: {seen:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_value_is_shown_on_the_answer_to_a_form_alone() {
    let scene = Scene::set().await;
    let (mut lead, door) = (scene.guest('o'), &scene.door);
    let path = scene.path("/console/people/{person}?purpose=rostering");
    let before = door.world.ledger.status().durable;
    let veiled = lead.get(door, &path).await;
    assert!(veiled.text.contains("class=\"veil\"") && !veiled.text.contains("Name 1"));
    assert_eq!(door.world.ledger.status().durable, before, "a veiled page looks nothing up");
    let reveal = scene.path("/console/people/{person}/reveal");
    let read = lead
        .post(door, &reveal, &[("purpose", "rostering"), ("field", "name"), ("field", "health_note")])
        .await;
    assert!(read.text.contains("<b>Name 1</b>"), "{}", read.text);
    assert!(!read.text.contains("note 1") && read.text.contains("no_permission"));
    assert_eq!(read.header("cache-control"), "private, no-store");
    assert_eq!(door.world.ledger.status().durable, before + 1, "and it is recorded");
    assert!(!lead.get(door, &path).await.text.contains("Name 1"), "veiled again");
    // The officer is told why, the case manager reads by the consent, and after its withdrawal nobody does.
    let mut manager = scene.guest('c');
    let ask = [("purpose", "bem"), ("field", "health_note")];
    assert!(manager.post(door, &reveal, &ask).await.text.contains("<b>note 1</b>"));
    let own = door.world.key(Role::Person, Some(scene.person)).await;
    let ctx = door.world.ctx(&own);
    let consents = door.world.vault.consents(&ctx, door.world.tenant, scene.person).await.expect("listed");
    let withdrawn = vault::consent::Answer::Withdraw;
    door.world
        .vault
        .answer_consent(&ctx, door.world.tenant, consents[0].id, withdrawn)
        .await
        .expect("withdrawn");
    let refused = manager.post(door, &reveal, &ask).await;
    assert!(!refused.text.contains("note 1") && refused.text.contains("no_permission"));
    let officer = scene.guest('p').post(door, &reveal, &ask).await;
    assert!(!officer.text.contains("note 1") && officer.text.contains("consent_withdrawn"));
    // A stranger's page is like hers.
    let stranger = PersonId([7; 16]);
    let other = lead.get(door, &format!("/console/people/{stranger}?purpose=rostering")).await;
    let (hers, theirs) = (scene.person.to_string(), stranger.to_string());
    assert_eq!(other.text.replace(&theirs, "X").len(), veiled.text.replace(&hers, "X").len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_is_found_by_equality_and_what_was_looked_for_stands_in_no_address() {
    let scene = Scene::set().await;
    let (mut lead, door) = (scene.guest('o'), &scene.door);
    let find = "/console/people/find";
    let found = lead
        .post(door, find, &[("field", "email"), ("value", " w1@example.org "), ("purpose", "rostering")])
        .await;
    assert_eq!(found.to(), scene.path("/console/people/{person}"));
    for (field, value) in [("email", "nobody@example.org"), ("shoe", "44"), ("ref", "ref-1")] {
        let nobody =
            lead.post(door, find, &[("field", field), ("value", value), ("purpose", "rostering")]).await;
        assert!(nobody.status == StatusCode::OK && nobody.text.contains("Nobody was found."), "{field}");
        assert!(!nobody.text.contains(value) || value == "44", "what was typed is not repeated");
    }
    let by_reference = scene.guest('p').post(door, find, &[("field", "ref"), ("value", "ref-1")]).await;
    assert_eq!(by_reference.to(), scene.path("/console/people/{person}"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn markup_in_names_and_values_is_text() {
    let scene = Scene::set().await;
    let door = &scene.door;
    let world = &door.world;
    let hostile = "</b><script>alert(1)</script>\"'&";
    let person = world
        .vault
        .put(&world.ctx(&world.app), world.tenant, &crate::world::put("hostile", &[("name", hostile)]))
        .await;
    let person = person.expect("stored").person;
    let reveal = format!("/console/people/{person}/reveal");
    let read = scene.guest('o').post(door, &reveal, &[("purpose", "rostering"), ("field", "name")]).await;
    assert!(
        read.text.contains("&lt;/b&gt;&lt;script&gt;alert(1)&lt;/script&gt;&quot;'&amp;"),
        "{}",
        read.text
    );
    assert!(!read.text.contains("<script>"));
    for (letter, path) in [
        ('p', "/console/people/{person}/accesses"),
        ('m', "/console/settings"),
        ('m', "/console/settings/keys/{principal}"),
    ] {
        let page = scene.guest(letter).get(door, &scene.path(path)).await;
        assert!(page.text.contains("&lt;img src=x onerror=alert(1)&gt;"), "{path}");
        assert!(!page.text.contains("<img"), "{path}");
    }
    let mut officer = scene.guest('p');
    for path in [
        "/console/ledger?event=%22%3E%3Cscript%3E&before=%3Cx%3E",
        "/console?done=%3Cscript%3E",
        "/console/purposes/%3Cscript%3E",
    ] {
        let page = officer.get(door, path).await;
        assert!(!page.text.contains("<script>") && !page.text.contains("<x>"), "{path}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_proof_is_a_file_that_the_ledger_stands_by() {
    let scene = Scene::set().await;
    let proof = scene.guest('a').get(&scene.door, "/console/ledger/3/proof").await;
    assert_eq!(proof.header("content-disposition"), "attachment; filename=\"entry-3.tlog-proof\"");
    let same = scene.door.world.ledger.tlog_proof(3).expect("readable").expect("provable");
    assert_eq!(proof.text.as_bytes(), same.as_slice());
    for path in ["/console/ledger/99999999/proof", "/console/ledger/99999999", "/console/ledger/x"] {
        assert_eq!(scene.guest('a').get(&scene.door, path).await.status, StatusCode::NOT_FOUND, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_filter_narrows_and_says_so_when_nothing_is_left() {
    let scene = Scene::set().await;
    let (mut auditor, door) = (scene.guest('a'), &scene.door);
    let entries = |page: &Page| page.text.matches("<tr>").count();
    let all = auditor.get(door, "/console/ledger").await;
    let refused = auditor.get(door, "/console/ledger?refused=1").await;
    assert!(
        entries(&refused) >= 2 && entries(&refused) < entries(&all),
        "{} of {}",
        entries(&refused),
        entries(&all)
    );
    let none = auditor.get(door, "/console/ledger?event=erase").await;
    assert!(none.text.contains("Nothing matches.") && none.text.contains("Clear the filter"));
    assert_eq!(auditor.get(door, "/console/ledger?index=2").await.to(), "/console/ledger/2");
    let older = links(&all).into_iter().find(|link| link.contains("before="));
    if let Some(older) = older {
        assert!(entries(&auditor.get(door, &older).await) >= 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_and_links_are_issued_shown_once_and_revoked() {
    let scene = Scene::set().await;
    let (mut admin, door) = (scene.guest('m'), &scene.door);
    let vault = &door.world.vault;
    let order = [("name", "payroll"), ("role", "app"), ("days", ""), ("zone", "10.0.0.0/8, 192.0.2.7")];
    let issued = admin.post(door, "/console/settings/keys/new", &order).await;
    let secret = issued.text.split("obk_").nth(1).and_then(|rest| rest.split('<').next()).expect("a key");
    let key = model::token::ApiKey::parse(&format!("obk_{secret}")).expect("a key");
    let principal =
        vault.authenticate(&key, |zone| zone == ["10.0.0.0/8", "192.0.2.7"]).expect("valid").principal.id;
    let list = admin.get(door, "/console/settings").await;
    assert!(list.text.contains("payroll") && !list.text.contains(secret), "the secret is shown once");
    for (find, is_there) in [("PAYR", true), ("nobody's", false), (&*principal.to_string(), true)] {
        let found = admin.get(door, &format!("/console/settings?find={find}")).await;
        assert_eq!(found.text.contains(&format!("keys/{principal}")), is_there, "{find}");
    }
    let older = admin.get(door, &format!("/console/settings?before={principal}")).await;
    assert!(!older.text.contains("payroll") && older.text.contains("Newest"), "what is older than it");
    let revoke = format!("/console/settings/keys/{principal}");
    assert!(admin.get(door, &revoke).await.text.contains("payroll"));
    assert!(vault.authenticate(&key, |_| true).is_ok(), "to ask changes nothing");
    let revoked = admin.post(door, &revoke, &[]).await;
    assert!(admin.get(door, revoked.to()).await.text.contains("Revoked. It is accepted nowhere any more."));
    assert!(vault.authenticate(&key, |_| true).is_err());
    // A link leads in, at the address under which the administrator knows the console.
    let link = admin
        .post(
            door,
            "/console/settings/links/new",
            &[("name", "M. Adeyemi"), ("role", "auditor"), ("days", "1")],
        )
        .await;
    let address =
        link.text.split("https://house.example/sign-in/").nth(1).and_then(|rest| rest.split('<').next());
    let entered = Guest::new().post(door, "/sign-in", &[("link", address.expect("a link"))]).await;
    assert_eq!(entered.to(), "/console");
    // What is wrong is said beside its field, and what was typed stays.
    for (fields, said) in [
        ([("name", ""), ("role", "auditor"), ("days", "1"), ("zone", "")], "name-e"),
        ([("name", "kept as typed"), ("role", "person"), ("days", "1"), ("zone", "")], "subject-e"),
        ([("name", "kept as typed"), ("role", "auditor"), ("days", "8"), ("zone", "")], "days-e"),
        ([("name", "kept as typed"), ("role", "auditor"), ("days", "x"), ("zone", "")], "days-e"),
        ([("name", "kept as typed"), ("role", "auditor"), ("days", "1"), ("zone", "nowhere")], "zone-e"),
        ([("name", "kept as typed"), ("role", "system"), ("days", "1"), ("zone", "")], "role-e"),
    ] {
        let wrong = admin.post(door, "/console/settings/links/new", &fields).await;
        assert!(wrong.text.contains(&format!("id=\"{said}\"")), "{fields:?}");
        assert!(fields[0].1.is_empty() || wrong.text.contains("value=\"kept as typed\""));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ledger_that_was_altered_is_the_first_thing_one_sees() {
    let scene = Scene::set().await;
    let door = &scene.door;
    let whole = scene.guest('p').get(door, "/console").await;
    assert!(whole.text.contains("Ledger in order") && !whole.text.contains("stamp broken"));
    let mut altered = 0;
    for file in std::fs::read_dir(door.world.folder.join("ledger/i0000")).expect("a ledger") {
        let path = file.expect("an entry").path();
        if path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("nodes-")) {
            let turned: Vec<u8> = std::fs::read(&path).expect("read").iter().map(|byte| byte ^ 1).collect();
            std::fs::write(&path, turned).expect("written");
            altered += 1;
        }
    }
    assert!(altered > 0);
    for path in ["/console", "/console/purposes"] {
        let page = scene.guest('p').get(door, path).await;
        assert!(page.text.contains("does not have the root that was signed"), "{path}");
        assert!(page.text.contains("stamp broken") && !page.text.contains("Ledger in order"), "{path}");
    }
}

/// How often something stands in a page.
fn count(page: &Page, what: &str) -> usize {
    page.text.matches(what).count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_page_is_whole_in_both_languages() {
    let scene = Scene::set().await;
    for (method, path, who) in TABLE {
        if method != "get" || path.ends_with("proof") {
            continue;
        }
        let mut titles = BTreeMap::new();
        for language in ["de", "en"] {
            let mut guest = Guest { language, ..scene.guest(who.chars().next().expect("somebody")) };
            let page = guest.get(&scene.door, &scene.path(path)).await;
            assert_eq!(page.status, StatusCode::OK, "{path}");
            assert!(page.text.contains(&format!("<html lang=\"{language}\">")), "{path}");
            assert_eq!((count(&page, "<h1>"), count(&page, "<main ")), (1, 1), "{path}");
            for broken in ["{ $", "{$", "style=\"", "<script>", " onclick", "-sentence<"] {
                assert!(!page.text.contains(broken), "{path} in {language}: {broken}");
            }
            let ids: Vec<&str> =
                page.text.split(" id=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
            assert_eq!(
                ids.len(),
                ids.iter().collect::<BTreeSet<_>>().len(),
                "{path}: an id is there twice: {ids:?}"
            );
            let policy = page.header("content-security-policy");
            assert!(policy.starts_with("default-src 'none';") && !policy.contains("unsafe"), "{path}");
            let h1 = page
                .text
                .split("<h1>")
                .nth(1)
                .and_then(|rest| rest.split("</h1>").next())
                .expect("a heading");
            titles.insert(language, h1.to_owned());
        }
        // What the tenant named is the same in both; what we say is not.
        let named = path.ends_with("{purpose}");
        assert_eq!(titles["de"] == titles["en"], named, "{path}: {titles:?}");
    }
}
