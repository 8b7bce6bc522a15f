//! Which key opens which route: every route against every role, a stranger, another tenant, and another person. The
//! list of routes comes from the description, so a route that nobody thought about is found here.

use crate::door::Door;
use crate::openapi::described;
use crate::world::NOTICE;
use axum::body::Body;
use console::Peer;
use http::{Method, StatusCode};
use model::PersonId;
use model::decision::{Action, table};
use model::principal::Role;
use model::token::ApiKey;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// What a route asks for.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Needs {
    /// Nothing.
    Nothing,
    /// A key whose role may do this.
    Key(Action),
    /// A place in the ledger's zone, or a key whose role may do this.
    Zone(Action),
}
use Needs::{Key, Nothing, Zone};

/// Every route.
const TABLE: [(&str, &str, Needs); 38] = [
    ("post", "/v1/tenants/{tenant}/persons", Key(Action::Create)),
    ("patch", "/v1/tenants/{tenant}/persons/{person}", Key(Action::Rectify)),
    ("post", "/v1/tenants/{tenant}/reveal", Key(Action::Read)),
    ("post", "/v1/tenants/{tenant}/find", Key(Action::Find)),
    ("get", "/v1/tenants/{tenant}/persons/{person}/export", Key(Action::Export)),
    ("get", "/v1/tenants/{tenant}/persons/{person}/accesses", Key(Action::Accesses)),
    ("get", "/v1/tenants/{tenant}/persons/{person}/consents", Key(Action::ListConsents)),
    ("post", "/v1/tenants/{tenant}/persons/{person}/erasure", Key(Action::Erase)),
    ("get", "/v1/tenants/{tenant}/persons/{person}/erasure", Key(Action::Erase)),
    ("post", "/v1/tenants/{tenant}/persons/{person}/restriction", Key(Action::Restrict)),
    ("post", "/v1/tenants/{tenant}/persons/{person}/objection", Key(Action::Object)),
    ("post", "/v1/tenants/{tenant}/persons/{person}/hold", Key(Action::Hold)),
    ("get", "/v1/tenants/{tenant}/catalogue", Key(Action::ReadCatalogue)),
    ("put", "/v1/tenants/{tenant}/catalogue", Key(Action::WriteCatalogue)),
    ("get", "/v1/tenants/{tenant}/purposes", Key(Action::ReadPurposes)),
    ("put", "/v1/tenants/{tenant}/purposes", Key(Action::WritePurposes)),
    ("get", "/v1/tenants/{tenant}/notices", Key(Action::ReadNotices)),
    ("post", "/v1/tenants/{tenant}/notices", Key(Action::WriteNotices)),
    ("post", "/v1/tenants/{tenant}/consents", Key(Action::AskConsent)),
    ("post", "/v1/tenants/{tenant}/consents/{consent}/show", Key(Action::ShowConsent)),
    ("post", "/v1/tenants/{tenant}/consents/{consent}/give", Key(Action::AnswerConsent)),
    ("post", "/v1/tenants/{tenant}/consents/{consent}/refuse", Key(Action::AnswerConsent)),
    ("post", "/v1/tenants/{tenant}/consents/{consent}/withdraw", Key(Action::Withdraw)),
    ("post", "/v1/tenants/{tenant}/keys", Key(Action::ManageKeys)),
    ("delete", "/v1/tenants/{tenant}/keys/{principal}", Key(Action::ManageKeys)),
    ("post", "/v1/tenants/{tenant}/links", Key(Action::ManageKeys)),
    ("get", "/v1/tenants/{tenant}/shield", Key(Action::ReadAttacks)),
    ("get", "/v1/tenants/{tenant}/shield/attacks", Key(Action::ReadAttacks)),
    ("get", "/v1/tenants/{tenant}/shield/attacks/{reference}", Key(Action::ReadAttacks)),
    ("get", "/v1/tenants/{tenant}/shield/exclusions", Key(Action::ReadAttacks)),
    ("post", "/v1/tenants/{tenant}/shield/exclusions", Key(Action::ExcludeRules)),
    ("delete", "/v1/tenants/{tenant}/shield/exclusions/{exclusion}", Key(Action::ExcludeRules)),
    ("get", "/v1/openapi.json", Nothing),
    ("get", "/healthz", Nothing),
    ("get", "/readyz", Nothing),
    ("get", "/metrics", Nothing),
    ("get", "/.well-known/obhut/keys", Nothing),
    ("get", "/ledger/{path}", Zone(Action::ReadLedger)),
];

/// The roles that a key can have.
const ROLES: [Role; 8] = [
    Role::App,
    Role::Operations,
    Role::CaseManager,
    Role::PrivacyOfficer,
    Role::Security,
    Role::Auditor,
    Role::Admin,
    Role::Person,
];

/// A body of the form that a route takes.
fn form(method: &str, path: &str, person: PersonId) -> Value {
    let last = path.rsplit('/').next().unwrap_or_default();
    match (method, last) {
        ("get" | "delete", _) => Value::Null,
        (_, "persons") => json!({"ref": "somebody", "fields": {"name": "N"}}),
        ("patch", _) => json!({"fields": {"name": "M"}}),
        (_, "reveal") => json!({"purpose": "rostering", "items": [{"person": person, "fields": ["name"]}]}),
        (_, "find") => json!({"field": "email", "value": "w1@example.org", "purpose": "rostering"}),
        (_, "restriction") => json!({"active": true}),
        (_, "objection") => json!({"purpose": "survey", "active": true}),
        (_, "hold") => json!({"active": false}),
        (_, "catalogue") => json!({"fields": []}),
        (_, "purposes") => {
            json!({"purposes": [{"name": "P!", "title": "", "basis": "contract", "fields": [], "roles": []}]})
        }
        (_, "notices") => json!({"name": "N!", "texts": {}}),
        (_, "consents") => json!({"person": person, "purpose": "bem", "notice": NOTICE, "days": 30}),
        (_, "show") => json!({"language": "en"}),
        (_, "give") => json!({"digest": "00".repeat(32)}),
        (_, "exclusions") => json!({"rules": "942100", "because": "b"}),
        (_, "keys" | "links") => json!({"name": "k", "role": "person"}),
        _ => json!({}),
    }
}

/// A house with somebody in each role, a worker, and a consent that she was asked for.
struct Cast {
    door: Door,
    person: PersonId,
    consent: String,
    keys: Vec<(Role, ApiKey)>,
}

impl Cast {
    async fn gather() -> Self {
        let door = Door::open().await;
        let person = door.world.worker(1).await;
        let mut keys = Vec::new();
        for role in ROLES {
            keys.push((role, door.world.key(role, (role == Role::Person).then_some(person)).await));
        }
        let ask = json!({"person": person, "purpose": "bem", "notice": NOTICE, "days": 30});
        let (_, asked) = door.post("/v1/tenants/{t}/consents", &door.world.manager, ask).await;
        let consent = asked["consent"].as_str().expect("a consent").to_owned();
        Self { door, person, consent, keys }
    }

    fn key(&self, wanted: Role) -> &ApiKey {
        &self.keys.iter().find(|(role, _)| *role == wanted).expect("a key").1
    }

    async fn ask(
        &self,
        (method, path): (&str, &str),
        tenant: &str,
        person: PersonId,
        key: Option<&ApiKey>,
    ) -> (StatusCode, Value) {
        let body = form(method, path, person);
        let place = path
            .replace("{tenant}", tenant)
            .replace("{person}", &person.to_string())
            .replace("{consent}", &self.consent)
            .replace("{principal}", "pri_00000000000000000000000000")
            .replace("{path}", "checkpoint")
            .replace("{reference}", crate::shielded::REFERENCE)
            .replace("{exclusion}", "0000000000000000");
        let method = method.to_uppercase().parse().expect("a method");
        let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
        self.door.send(method, &place, key, body).await
    }

    /// Whether the answer is what the table says, for a route and a role. In words where it is not.
    async fn judge(&self, row: (&str, &str, Needs), role: Role) -> Option<String> {
        let (method, path, needs) = row;
        let (Key(action) | Zone(action)) = needs else { return None };
        let may = table::may(role, action);
        // An erasure takes the worker away; each gets one of her own, who is no longer needed afterwards.
        let (person, key) = if may && (method, path.ends_with("/erasure")) == ("post", true) {
            let person = self.door.world.worker(100 + role as u32).await;
            let subject = (role == Role::Person).then_some(person);
            (person, self.door.world.key(role, subject).await)
        } else {
            (self.person, self.key(role).clone())
        };
        let (status, answer) = self.ask((method, path), "{t}", person, Some(&key)).await;
        let refused = matches!(status.as_u16(), 401 | 403) || answer["code"] == "not_found";
        let right = if may { !refused } else { status == StatusCode::FORBIDDEN };
        (!right).then(|| format!("{method} {path} as {role:?}: {status} {answer}"))
    }
}

#[test]
fn every_described_route_is_in_the_table() {
    let table: BTreeSet<(String, String)> =
        TABLE.iter().map(|(method, path, _)| ((*method).to_owned(), (*path).to_owned())).collect();
    assert_eq!(table, described());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_route_asks_for_what_the_table_says() {
    let cast = Cast::gather().await;
    let mut wrong = Vec::new();
    for row in TABLE {
        for role in ROLES {
            wrong.extend(cast.judge(row, role).await);
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
    // The check can fail: a route said to need something else is noticed, on both sides.
    let reveal = ("post", "/v1/tenants/{tenant}/reveal", Key(Action::Export));
    assert!(cast.judge(reveal, Role::App).await.is_some(), "may, though the table says not");
    assert!(cast.judge(reveal, Role::Person).await.is_some(), "may not, though the table says so");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn strangers_and_other_tenants_learn_nothing() {
    let cast = Cast::gather().await;
    let other = cast.door.world.vault.create_tenant("Other").await.expect("a tenant");
    let unknown = "ten_00000000000000000000000000";
    let foreign = ApiKey::generate(&seal::SystemEntropy);
    for (method, path, needs) in TABLE {
        let route = (method, path);
        if needs == Nothing {
            let (status, _) = cast.ask(route, "{t}", cast.person, None).await;
            assert_eq!(status, StatusCode::OK, "{route:?}");
            continue;
        }
        let nobody = cast.ask(route, "{t}", cast.person, None).await;
        assert_eq!(nobody.0, StatusCode::UNAUTHORIZED, "{route:?}");
        assert_eq!(cast.ask(route, "{t}", cast.person, Some(&foreign)).await, nobody, "{route:?}");
        assert_eq!(cast.ask(route, unknown, cast.person, None).await, nobody, "{route:?}");
        if let Key(_) = needs {
            let own = Some(cast.key(Role::PrivacyOfficer));
            let there = cast.ask(route, &other.tenant.to_string(), cast.person, own).await;
            assert_eq!(
                (there.0, &there.1["code"]),
                (StatusCode::NOT_FOUND, &json!("not_found")),
                "{route:?}"
            );
            assert_eq!(cast.ask(route, unknown, cast.person, own).await, there, "{route:?}");
            let here = cast.ask(route, "{t}", cast.person, Some(&other.admin)).await;
            assert_eq!(here, there, "{route:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_person_acts_on_herself_alone() {
    let cast = Cast::gather().await;
    let another = cast.door.world.worker(2).await;
    let key = cast.door.world.key(Role::Person, Some(another)).await;
    for (method, path, _) in
        TABLE.iter().filter(|row| row.1.contains("{person}") || row.1.contains("{consent}"))
    {
        let (status, answer) = cast.ask((method, path), "{t}", cast.person, Some(&key)).await;
        // Of a record that is not hers she does not learn whether it is there.
        let hidden = path.contains("{consent}");
        let expected = if hidden { StatusCode::NOT_FOUND } else { StatusCode::FORBIDDEN };
        assert_eq!(status, expected, "{method} {path} {answer}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_may_set_a_limit_may_not_lift_it_by_that() {
    let cast = Cast::gather().await;
    for (name, form) in [("restriction", json!({})), ("objection", json!({"purpose": "survey"}))] {
        let path = format!("/v1/tenants/{{t}}/persons/{}/{name}", cast.person);
        for role in ROLES {
            for (active, action) in [(true, Action::Restrict), (false, Action::Lift)] {
                let mut body = form.clone();
                body["active"] = json!(active);
                let (status, answer) = cast.door.post(&path, cast.key(role), body).await;
                let expected = if table::may(role, action) { 200 } else { 403 };
                assert_eq!(status.as_u16(), expected, "{name} {active} as {role:?}: {answer}");
            }
        }
    }
    assert!(table::may(Role::App, Action::Restrict) && !table::may(Role::App, Action::Lift));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_zone_counts_from_where_the_connection_comes() {
    let cast = Cast::gather().await;
    let door = &cast.door;
    let from = async |address: &str, headers: &[(&str, &str)], key: Option<&ApiKey>, path: &str| {
        let mut request = door.request(&Method::GET, path, key);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut request = request.body(Body::empty()).expect("a request");
        request.extensions_mut().insert(Peer(address.parse().expect("an address")));
        door.answer(request).await.status()
    };
    let checkpoint = "/ledger/checkpoint";
    assert_eq!(from("192.0.2.7", &[], None, checkpoint).await, StatusCode::OK, "in the ledger's zone");
    assert_eq!(from("192.0.3.7", &[], None, checkpoint).await, StatusCode::UNAUTHORIZED);
    let claims =
        [("x-forwarded-for", "192.0.2.7"), ("forwarded", "for=192.0.2.7"), ("x-real-ip", "192.0.2.7")];
    assert_eq!(from("192.0.3.7", &claims, None, checkpoint).await, StatusCode::UNAUTHORIZED, "only claimed");
    let order = json!({"name": "k", "role": "privacy_officer", "zone": ["198.51.100.0/24"]});
    let (_, issued) = door.post("/v1/tenants/{t}/keys", &door.world.admin, order).await;
    let zoned = ApiKey::parse(issued["secret"].as_str().expect("a key")).expect("a key");
    let purposes = "/v1/tenants/{t}/purposes";
    assert_eq!(from("198.51.100.1", &[], Some(&zoned), purposes).await, StatusCode::OK);
    assert_eq!(from("198.51.101.1", &[], Some(&zoned), purposes).await, StatusCode::UNAUTHORIZED);
    let claims = [("x-forwarded-for", "198.51.100.1")];
    assert_eq!(from("198.51.101.1", &claims, Some(&zoned), purposes).await, StatusCode::UNAUTHORIZED);
    let (status, _) = door.get(purposes, &zoned).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED, "from nowhere");
}
