//! Catalogue, purposes and notices by name over the API.

use crate::door::Door;
use http::{Method, StatusCode};
use serde_json::{Value, json};

async fn put(door: &Door, what: &str, body: Value) -> (StatusCode, Value) {
    let path = format!("/v1/tenants/{{t}}/{what}");
    door.send(Method::PUT, &path, Some(&door.world.admin), body.to_string().into_bytes()).await
}

async fn get(door: &Door, what: &str) -> Value {
    door.get(&format!("/v1/tenants/{{t}}/{what}"), &door.world.admin).await.1
}

fn config(door: &Door) -> vault::TenantConfig {
    let ctx = door.world.ctx(&door.world.admin);
    let action = model::decision::Action::ReadCatalogue;
    vault::TenantConfig::clone(
        &door.world.vault.configuration(&ctx, door.world.tenant, action).expect("read"),
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_read_can_be_put_back() {
    let door = Door::open().await;
    let before = config(&door);
    for what in ["catalogue", "purposes"] {
        let read = get(&door, what).await;
        let (status, answer) = put(&door, what, read.clone()).await;
        assert_eq!(status, StatusCode::OK, "{answer}");
        assert_eq!(get(&door, what).await, read);
    }
    assert_eq!(config(&door), before, "names led to the same numbers");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_field_is_added_and_none_goes() {
    let door = Door::open().await;
    let mut catalogue = get(&door, "catalogue").await;
    let shoe =
        json!({"name": "shoe", "category": "other", "type": "digits", "mask": "redact", "max_bytes": 2});
    catalogue["fields"].as_array_mut().expect("fields").insert(0, shoe);
    assert_eq!(put(&door, "catalogue", catalogue.clone()).await.0, StatusCode::OK);
    assert_eq!(
        config(&door).field("shoe").map(|field| field.id.0),
        Some(5),
        "the next number, wherever it stands"
    );
    catalogue["fields"].as_array_mut().expect("fields").retain(|field| field["name"] != "email");
    let (status, answer) = put(&door, "catalogue", catalogue.clone()).await;
    assert_eq!(
        (status.as_u16(), answer["code"].as_str(), answer["field"].as_str()),
        (409, Some("field_fixed"), Some("email"))
    );
    let wrong =
        json!({"name": "Shoe!", "category": "other", "type": "digits", "mask": "redact", "max_bytes": 2});
    catalogue["fields"].as_array_mut().expect("fields").push(wrong);
    let (status, answer) = put(&door, "catalogue", catalogue).await;
    assert_eq!(
        (status.as_u16(), answer["code"].as_str(), answer["index"].as_u64()),
        (422, Some("bad_name"), Some(4))
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn purposes_name_what_is_declared() {
    let door = Door::open().await;
    let one = |fields: &[&str], recipients: &[&str]| {
        json!({"recipients": [{"name": "payroll", "title": "Payroll"}], "purposes": [
            {"name": "pay", "title": "Pay", "basis": "contract", "fields": fields, "recipients": recipients,
             "roles": ["operations"]}]})
    };
    for (body, code) in [
        (one(&["shoe"], &[]), "unknown_field"),
        (one(&["name"], &["nobody"]), "unknown_recipient"),
        (one(&["health_note"], &[]), "special_basis_missing"),
    ] {
        let (status, answer) = put(&door, "purposes", body).await;
        assert_eq!(
            (status.as_u16(), answer["code"].as_str(), answer["index"].as_u64()),
            (422, Some(code), Some(0))
        );
    }
    let (status, _) = put(&door, "purposes", one(&["name"], &["payroll"])).await;
    assert_eq!(status, StatusCode::OK);
    let read = get(&door, "purposes").await;
    let current: Vec<_> =
        read["purposes"].as_array().expect("purposes").iter().map(|one| &one["current"]).collect();
    assert_eq!(current, [true, false, false, false], "what was left out is withdrawn");
    assert_eq!(read["purposes"][0]["recipients"], json!(["payroll"]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_who_declare_at_once_do_not_share_a_number() {
    let door = Door::open().await;
    let notice = |number: u32| json!({"name": format!("notice-{number}"), "texts": {"en": "text"}});
    let admin = &door.world.admin;
    let path = "/v1/tenants/{t}/notices";
    let all = tokio::join!(
        door.post(path, admin, notice(1)),
        door.post(path, admin, notice(1)),
        door.post(path, admin, notice(2)),
        door.post(path, admin, notice(1)),
    );
    for (status, answer) in [&all.0, &all.1, &all.2, &all.3] {
        assert_eq!(*status, StatusCode::OK, "{answer}");
    }
    let read = get(&door, "notices").await;
    let versions = |name: &str| {
        let notices = read["notices"].as_array().expect("notices").iter();
        let named: Vec<_> = notices.filter(|one| one["name"] == name).collect();
        assert_eq!(named.len(), 1, "one notice of a name: {read}");
        named[0]["versions"].as_array().map(Vec::len)
    };
    assert_eq!((versions("notice-1"), versions("notice-2")), (Some(3), Some(1)));
    assert_eq!(read["notices"][0]["versions"][0]["texts"]["en"], crate::world::NOTICE_TEXT);
}
