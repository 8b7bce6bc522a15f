//! Whatever comes in: never a fault of the house, always a code.

use crate::door::Door;
use crate::world::NOTICE;
use http::{Method, StatusCode};
use model::principal::Role;
use proptest::prelude::*;
use serde_json::{Value, json};

/// What each route takes, so that what is bent comes far enough in to do harm.
fn forms(person: &str, token: &str) -> Vec<(Method, &'static str, Role, Value)> {
    let field = json!({"name": "extra", "category": "other", "type": "text", "mask": "redact", "index": "none",
        "token": {"digits": 8}, "compartment": 2, "third_party": false, "max_bytes": 20});
    let purpose = json!({"name": "extra", "title": "T", "basis": "contract", "special_basis": "care",
        "fields": ["name"], "masked": ["email"], "recipients": ["payroll"], "roles": ["app"], "marketing": true});
    vec![
        (
            Method::POST,
            "persons",
            Role::App,
            json!({"ref": "r", "fields": {"name": "N", "email": "n@example.org", "health_note": "h"}}),
        ),
        (
            Method::POST,
            "reveal",
            Role::Operations,
            json!({"purpose": "rostering", "recipient": "payroll",
            "items": [{"token": token}, {"person": person, "fields": ["name", "email"]}]}),
        ),
        (
            Method::POST,
            "find",
            Role::App,
            json!({"field": "email", "value": "w1@example.org", "purpose": "rostering"}),
        ),
        (
            Method::POST,
            "consents",
            Role::CaseManager,
            json!({"person": person, "purpose": "bem", "notice": NOTICE, "days": 30, "recipient": "payroll"}),
        ),
        (
            Method::POST,
            "keys",
            Role::Admin,
            json!({"name": "k", "role": "person", "subject": person,
            "expires_ms": 4_000_000_000_000_i64, "zone": ["10.0.0.0/8", "::1"]}),
        ),
        (Method::PUT, "catalogue", Role::Admin, json!({"fields": [field]})),
        (
            Method::PUT,
            "purposes",
            Role::Admin,
            json!({"recipients": [{"name": "payroll", "title": "T"}], "purposes": [purpose]}),
        ),
        (
            Method::POST,
            "notices",
            Role::PrivacyOfficer,
            json!({"name": "extra", "texts": {"de": "x", "en": "y"}}),
        ),
        (Method::PATCH, "persons/{p}", Role::App, json!({"fields": {"name": "N", "email": "n@example.org"}})),
        (
            Method::POST,
            "persons/{p}/restriction",
            Role::PrivacyOfficer,
            json!({"fields": ["name"], "active": true}),
        ),
        (
            Method::POST,
            "persons/{p}/objection",
            Role::PrivacyOfficer,
            json!({"purpose": "survey", "active": true}),
        ),
        (Method::POST, "persons/{p}/hold", Role::PrivacyOfficer, json!({"active": true})),
    ]
}

/// A value of any kind, with those that break things over-represented.
fn odd() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(|number| json!(number)),
        prop_oneof![Just(0), Just(-1), Just(65_536), Just(i64::MAX)].prop_map(Value::from),
        ".{0,40}".prop_map(Value::from),
        prop_oneof![
            Just("".to_owned()),
            Just("\u{0}".to_owned()),
            Just("x".repeat(70_000)),
            Just("ref".to_owned())
        ]
        .prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::btree_map("[a-z_]{0,8}", inner, 0..4).prop_map(|all| json!(all)),
        ]
    })
}

/// How many values there are in a form.
fn count(value: &Value) -> usize {
    1 + match value {
        Value::Array(items) => items.iter().map(count).sum(),
        Value::Object(members) => members.values().map(count).sum(),
        _ => 0,
    }
}

/// Puts something else at the place of one value.
fn bend(value: &mut Value, place: &mut usize, other: &Value) {
    if *place == 0 {
        value.clone_from(other);
        *place = usize::MAX;
        return;
    }
    *place -= 1;
    let below: Vec<&mut Value> = match value {
        Value::Array(items) => items.iter_mut().collect(),
        Value::Object(members) => members.values_mut().collect(),
        _ => Vec::new(),
    };
    for one in below {
        if *place == usize::MAX {
            return;
        }
        bend(one, place, other);
    }
}

fn is_fine(status: StatusCode, answer: &Value) -> bool {
    status.is_success() || (status.is_client_error() && answer["code"].is_string())
}

#[test]
fn no_body_breaks_the_house() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.expect("a runtime");
    let door = runtime.block_on(Door::open());
    let person = runtime.block_on(door.world.worker(1)).to_string();
    let body = json!({"ref": "r", "fields": {"name": "N"}});
    let (_, stored) = runtime.block_on(door.post("/v1/tenants/{t}/persons", &door.world.app, body));
    let forms = forms(&person, stored["tokens"]["name"].as_str().expect("a token"));
    let key = |role: Role| match role {
        Role::App => &door.world.app,
        Role::Operations => &door.world.lead,
        Role::CaseManager => &door.world.manager,
        Role::PrivacyOfficer => &door.world.officer,
        _ => &door.world.admin,
    };
    let send = |which: usize, body: Vec<u8>| {
        let (method, path, role, _) = &forms[which];
        let path = format!("/v1/tenants/{{t}}/{path}").replace("{p}", &person);
        runtime.block_on(door.send(method.clone(), &path, Some(key(*role)), body))
    };
    // Each form is taken as it stands, or refused for what it asks; none for how it is written.
    for (which, (_, path, _, form)) in forms.iter().enumerate() {
        let (status, answer) = send(which, form.to_string().into_bytes());
        assert!(is_fine(status, &answer) && answer["code"] != "malformed_json", "{path}: {status} {answer}");
    }
    let cases = ProptestConfig::with_cases(400);
    proptest!(cases.clone(), |(which in 0..forms.len(), place: prop::sample::Index, other in odd())| {
        let mut form = forms[which].3.clone();
        let mut place = place.index(count(&form));
        bend(&mut form, &mut place, &other);
        let (status, answer) = send(which, form.to_string().into_bytes());
        prop_assert!(is_fine(status, &answer), "{status} {answer}");
    });
    proptest!(cases, |(which in 0..forms.len(), body in proptest::collection::vec(any::<u8>(), 0..200))| {
        let (status, answer) = send(which, body);
        prop_assert!(status.is_client_error() && answer["code"].is_string(), "{status} {answer}");
    });
}

#[test]
fn no_path_breaks_the_house() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.expect("a runtime");
    let door = runtime.block_on(Door::open());
    let segment = prop_oneof![
        "[a-z]{1,12}",
        "[!-~&&[^?#/]]{1,30}",
        "(ten|per|con|pri)_[0-9a-z]{20,30}",
        Just("{t}".to_owned())
    ];
    let paths = (proptest::collection::vec(segment, 0..6), "(\\?[!-~&&[^#]]{0,30})?", 0..4_usize);
    proptest!(ProptestConfig::with_cases(300), |((segments, query, start) in paths, put: bool)| {
        let start = ["", "/v1/tenants/{t}/persons", "/v1/tenants", "/ledger"][start];
        let path = format!("{start}/{}{query}", segments.join("/")).replace("{t}", &door.world.tenant.to_string());
        prop_assume!(path.parse::<http::Uri>().is_ok());
        let method = if put { Method::PUT } else { Method::GET };
        let (status, _) = runtime.block_on(door.send(method, &path, Some(&door.world.officer), Vec::new()));
        prop_assert!(!status.is_server_error(), "{path}: {status}");
    });
}
