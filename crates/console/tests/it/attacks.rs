//! Attacks: what pages and API show of them, and how rules are excluded and taken back: decided on, entered, then done.

use crate::door::Door;
use crate::guest::{Guest, Page};
use crate::shielded::{EXCLUSION, NOWHERE, REFERENCE, WOULD};
use console::{ExclusionError, ShieldDoes};
use http::{Method, StatusCode};
use model::Timestamp;
use model::decision::Action;
use model::principal::Role;
use serde_json::{Value, json};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;
use vault::sight::{Entry, Wanted};
use vault::trail::{Event, Verdict};

async fn security(door: &Door) -> Guest {
    let mut guest = Guest::signed_in(door, Role::Security, None).await;
    guest.get(door, "/console").await;
    guest
}

/// The entries of changes of the shield, newest first.
fn entries(door: &Door) -> Vec<Entry> {
    let world = &door.world;
    let wanted = Wanted { event: Some(Event::Shield), refused: false };
    let page = world.vault.entries(&world.ctx(&world.admin), world.tenant, None, 50, wanted);
    page.expect("readable").entries
}

fn links(page: &Page, begin: &str) -> Vec<String> {
    let all = page.text.split(" href=\"").skip(1).filter_map(|rest| rest.split('"').next());
    all.filter(|link| link.starts_with(begin)).map(|link| link.replace("&amp;", "&")).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_overview_counts_by_outcome_rule_and_route() {
    let door = Door::open().await;
    let mut guest = security(&door).await;
    let page = guest.get(&door, "/console/attacks").await;
    assert!(page.text.contains("The shield has refused 2 requests today."), "{}", page.text);
    assert!(page.text.contains("731 rules run: OWASP CRS 4.29.0."));
    for there in
        ["SQL Injection Attack Detected via libinjection", "attacks-chart-t", "no route", "worker-save"]
    {
        assert!(page.text.contains(there), "{there}");
    }
    assert!(
        page.text.contains("The body was longer than is inspected"),
        "a refusal of the shield's own, in words"
    );
    let narrowed = guest.get(&door, "/console/attacks?outcome=would&route=worker-save").await;
    assert!(narrowed.text.contains(WOULD) && !narrowed.text.contains(REFERENCE));
    let nothing = guest.get(&door, "/console/attacks?rule=1").await;
    assert!(nothing.text.contains("Nothing matches.") && nothing.text.contains("Clear the filter"));
    for span in ["hour", "week", "month"] {
        let page = guest.get(&door, &format!("/console/attacks?span={span}")).await;
        assert!(page.text.contains(REFERENCE) && page.text.contains("attacks-chart-t"), "{span}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_of_events_lead_to_the_first() {
    let door = Door::open().await;
    door.shield.flood(60);
    let mut guest = security(&door).await;
    let (mut path, mut seen) = ("/console/attacks?rule=942100".to_owned(), std::collections::BTreeSet::new());
    for _ in 0..10 {
        let page = guest.get(&door, &path).await;
        seen.extend(links(&page, "/console/attacks/events/"));
        let Some(older) = links(&page, "/console/attacks?").into_iter().find(|link| link.contains("before="))
        else {
            break;
        };
        path = older;
    }
    assert_eq!(seen.len(), 66, "{seen:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reference_that_is_read_out_leads_to_its_event() {
    let door = Door::open().await;
    let mut guest = security(&door).await;
    for said in [REFERENCE, "7k2m4q9xwd", "7K2M4-Q9XWD", "%207k2m4%20q9xwd"] {
        let found = guest.get(&door, &format!("/console/attacks?reference={said}")).await;
        assert_eq!(found.to(), format!("/console/attacks/events/{REFERENCE}"), "{said}");
    }
    let missed = guest.get(&door, "/console/attacks?reference=NOSUCH").await;
    assert!(missed.status == StatusCode::OK && missed.text.contains("id=\"reference-e\""));
    let event = guest.get(&door, &format!("/console/attacks/events/{REFERENCE}")).await;
    for there in
        ["A request was refused, ", "ARGS:note", "critical", "attack-sqli", "403", "942100", "949110"]
    {
        assert!(event.text.contains(there), "{there}");
    }
    // One that only decides is not excluded, on no way.
    assert!(!event.text.contains(&format!("/console/attacks/exclude/{REFERENCE}/949110")));
    let deciding = guest.get(&door, &format!("/console/attacks/exclude/{REFERENCE}/949110")).await;
    assert!(deciding.text.contains("deciding_rule"));
    for path in ["/console/attacks/events/NOSUCH", "/console/attacks/exclude/NOSUCH/942100"] {
        let page = guest.get(&door, path).await;
        assert!(page.status == StatusCode::NOT_FOUND && page.text.contains("unknown_attack"), "{path}");
    }
    let no_rule = guest.get(&door, &format!("/console/attacks/exclude/{REFERENCE}/1")).await;
    assert_eq!(no_rule.status, StatusCode::NOT_FOUND);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rule_is_excluded_here_with_a_reason_and_taken_back() {
    let door = Door::open().await;
    let mut guest = security(&door).await;
    let path = format!("/console/attacks/exclude/{REFERENCE}/942100");
    let question = guest.get(&door, &path).await;
    for there in
        ["[[exclude]]", "routes = [&quot;workers&quot;]", "target = &quot;ARGS:note&quot;", "by = &quot;pri_"]
    {
        assert!(question.text.contains(there), "what is written is shown before: {there}");
    }
    assert_eq!((entries(&door).len(), door.shield.exclusions.lock().len()), (0, 2), "to ask changes nothing");
    // Without a reason nothing happens, and what was chosen stays.
    for because in ["", "   ", "a\u{7}b"] {
        let wrong = guest.post(&door, &path, &[("reach", "route"), ("because", because)]).await;
        assert!(wrong.text.contains("id=\"because-e\"") && wrong.text.contains("bad_reason"), "{because:?}");
        assert!(wrong.text.contains("value=\"route\" checked"));
    }
    assert_eq!((entries(&door).len(), door.shield.exclusions.lock().len()), (0, 2));
    let unknown = guest.post(&door, &path, &[("reach", "elsewhere"), ("because", "b")]).await;
    assert!(unknown.text.contains("bad_request"));
    let done =
        guest.post(&door, &path, &[("reach", "target"), ("because", "nurses write prose there")]).await;
    assert_eq!(done.to(), "/console/attacks/exclusions?done=rules-excluded");
    let made = door.shield.exclusions.lock().last().cloned().expect("an exclusion");
    assert_eq!(
        (made.routes, made.rules, made.target.as_deref()),
        (vec!["workers".to_owned()], "942100".into(), Some("ARGS:note"))
    );
    assert_eq!(made.because.as_deref(), Some("nurses write prose there"));
    let entry = entries(&door).remove(0);
    assert_eq!(
        (entry.released, entry.refused, entry.verdict),
        (1, 0, Verdict::Permit),
        "it is in the ledger"
    );
    let list = guest.get(&door, done.to()).await;
    assert!(list.text.contains("Excluded, and in force.") && list.text.contains("nurses write prose there"));
    assert!(list.text.contains("Security"), "by whom, by name");
    // The very same again says so; the others can still be chosen.
    let again = guest.post(&door, &path, &[("reach", "target"), ("because", "b")]).await;
    assert!(again.text.contains("already_excluded") && again.text.contains("value=\"route\""));
    let question = guest.get(&door, &path).await;
    assert!(!question.text.contains("value=\"target\""), "what stands already is no choice");
    let lift = format!("/console/attacks/exclusions/{}", made.id);
    assert!(guest.get(&door, &lift).await.text.contains("Let rule 942100 run there again?"));
    let lifted = guest.post(&door, &lift, &[]).await;
    assert_eq!(lifted.to(), "/console/attacks/exclusions?done=exclusion-lifted");
    let entry = entries(&door).remove(0);
    assert_eq!((entry.released, entry.refused, entry.verdict), (0, 1, Verdict::Permit));
    assert_eq!(door.shield.exclusions.lock().len(), 2);
    assert!(guest.post(&door, &lift, &[]).await.text.contains("unknown_exclusion"));
    let configured = guest.post(&door, "/console/attacks/exclusions/00000000000000c1", &[]).await;
    assert!(configured.text.contains("unknown_exclusion"), "the configuration's is taken back there");
    assert_eq!(entries(&door).len(), 2, "what changed nothing is no entry");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn other_requests_go_on_while_exclusions_are_held_against_the_rules() {
    let door = Door::open().await;
    let mut guest = security(&door).await;
    let (ask, mut asked) = tokio::sync::mpsc::unbounded_channel::<mpsc::Sender<()>>();
    // Another task answers, if there is a thread left to run it.
    tokio::spawn(async move {
        while let Some(answer) = asked.recv().await {
            let _ = answer.send(());
        }
    });
    let alone = Arc::new(AtomicBool::new(false));
    let found = alone.clone();
    *door.shield.listing.lock() = Some(Box::new(move || {
        let (answer, answered) = mpsc::channel();
        let is_answered = ask.send(answer).is_ok() && answered.recv_timeout(Duration::from_secs(10)).is_ok();
        found.fetch_or(!is_answered, Ordering::SeqCst);
    }));
    let lifted = guest.post(&door, &format!("/console/attacks/exclusions/{EXCLUSION}"), &[]).await;
    assert_eq!(lifted.to(), "/console/attacks/exclusions?done=exclusion-lifted");
    assert!(!alone.load(Ordering::SeqCst), "it ran on the thread that requests are answered on");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_could_not_be_done_is_said_in_the_ledger_too() {
    let door = Door::open().await;
    let mut guest = security(&door).await;
    let path = format!("/console/attacks/exclude/{REFERENCE}/942100");
    *door.shield.fails.lock() = Some(ExclusionError::NotWritten);
    let failed = guest.post(&door, &path, &[("reach", "route"), ("because", "b")]).await;
    assert!(failed.text.contains("exclusions_not_written") && failed.text.contains("nothing was changed"));
    *door.shield.fails.lock() = Some(ExclusionError::NotLoaded);
    let failed = guest.post(&door, &format!("/console/attacks/exclusions/{EXCLUSION}"), &[]).await;
    assert!(failed.text.contains("rules_not_loaded"));
    let all: Vec<_> = entries(&door).iter().map(|one| (one.released, one.refused, one.verdict)).collect();
    assert_eq!(
        all,
        [(0, 1, Verdict::Deny), (0, 1, Verdict::Permit), (1, 0, Verdict::Deny), (1, 0, Verdict::Permit)]
    );
    assert_eq!(door.shield.exclusions.lock().len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_report_turns_into_exclusions_with_one_press() {
    let door = Door::open().await;
    let mut guest = security(&door).await;
    let report = guest.get(&door, "/console/attacks/report").await;
    assert!(report.text.contains("2 rules would have refused requests on 2 routes."), "{}", report.text);
    assert!(report.text.contains("value=\"worker-save 942100 ARGS:note\""));
    assert!(
        !report.text.contains("value=\"worker-save 942190"),
        "a hidden name would exclude the whole rule: not with one press"
    );
    assert!(report.text.contains(&format!("/console/attacks/exclude/{WOULD}/942190")), "but from its event");
    assert!(report.text.contains("Exclude the field that is shown"), "{}", report.text);
    assert!(report.text.contains("switches the rule off on the whole route"), "and it is said why");
    assert!(!report.text.contains("949110"), "one that decides is not in it");
    assert!(report.text.contains(NOWHERE) && report.text.contains("Lines where no route fits are left out"));
    let (because, line) = (("because", "needed"), ("line", "worker-save 942100 ARGS:note"));
    let without = guest.post(&door, "/console/attacks/report", &[line, ("because", "")]).await;
    assert!(without.text.contains("id=\"because-e\""));
    let only = [line, because, ("only", "workers 942100 ARGS:note")];
    assert!(guest.post(&door, "/console/attacks/report", &only).await.to().contains("done=rules-excluded"));
    let last = door.shield.exclusions.lock().last().map(|one| one.routes.clone());
    assert_eq!(last, Some(vec!["workers".to_owned()]), "what was pressed alone");
    assert!(guest.post(&door, "/console/attacks/report", &[line, because]).await.to().contains("done="));
    assert_eq!(door.shield.exclusions.lock().len(), 4);
    let rest = guest.get(&door, "/console/attacks/report").await;
    assert!(!rest.text.contains("name=\"line\"") && rest.text.contains("942190"), "{}", rest.text);
    // Of all that were shown, what stands by now is passed over.
    let both = [line, ("line", "workers 942190 ARGS:note"), because];
    assert!(guest.post(&door, "/console/attacks/report", &both).await.to().contains("done="));
    assert_eq!(door.shield.exclusions.lock().len(), 5);
    for (name, whole) in [("line", "workers 942200"), ("only", "workers 942200"), ("only", "workers 942200 ")]
    {
        let wrong = [line, (name, whole), because];
        let wrong = guest.post(&door, "/console/attacks/report", &wrong).await;
        assert!(wrong.text.contains("bad_request"), "{name}={whole}: no whole rule, whatever the form says");
    }
    for odd in ["", "worker-save", "worker-save 942100x", "workers 942100", "nowhere 942100 ARGS:note"] {
        let wrong = guest.post(&door, "/console/attacks/report", &[("line", odd), ("because", "b")]).await;
        assert!(
            wrong.text.contains("bad_request") || wrong.text.contains("unknown_route"),
            "{odd}: {}",
            wrong.status
        );
    }
    assert_eq!((entries(&door).len(), door.shield.exclusions.lock().len()), (3, 5));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_shield_that_does_not_refuse_is_the_first_thing_one_sees() {
    let door = Door::open().await;
    let mut guest = security(&door).await;
    let mut officer = Guest::signed_in(&door, Role::PrivacyOfficer, None).await;
    let whole = guest.get(&door, "/console").await;
    assert!(whole.text.contains("Shield: refuses attacks") && whole.text.contains("requests refused today"));
    for said in ["The shield is off.", "The shield only detects.", "Older rules run"] {
        assert!(!whole.text.contains(said), "{said}");
    }
    let veiled = officer.get(&door, "/console").await;
    assert!(!veiled.text.contains("requests refused today") && !veiled.text.contains("/console/attacks"));
    for (does, said) in
        [(ShieldDoes::Off, "The shield is off."), (ShieldDoes::Detect, "The shield only detects.")]
    {
        door.shield.state.lock().does = does;
        for path in ["/console", "/console/attacks"] {
            let page = guest.get(&door, path).await;
            let (hint, facts) = (page.text.find(said), page.text.find("<dl class=\"facts\">"));
            assert!(hint.is_some() && hint < facts, "{path}: {said}");
        }
        assert!(officer.get(&door, "/console").await.text.contains(said), "whoever sees how things stand");
    }
    door.shield.state.lock().does = ShieldDoes::Block;
    door.shield.state.lock().stale = Some(Timestamp(0));
    door.shield.state.lock().routes = vec![("workers".to_owned(), ShieldDoes::Off)];
    for path in ["/console", "/console/attacks"] {
        let page = guest.get(&door, path).await;
        assert!(
            page.text.contains("Older rules run")
                && page.text.contains("On one route the shield does not refuse."),
            "{path}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_tenants_staff_learn_nothing_of_this_app() {
    let door = Door::open().await;
    let other = door.world.vault.create_tenant("Other").await.expect("a tenant");
    for path in ["shield", "shield/attacks", "shield/exclusions"] {
        let path = format!("/v1/tenants/{}/{path}", other.tenant);
        let (status, answer) = door.get(&path, &other.admin).await;
        assert_eq!((status, &answer["code"]), (StatusCode::NOT_FOUND, &json!("no_shield")), "{path}");
    }
    let exclude = json!({"rules": "942100", "because": "b"});
    let (status, _) =
        door.post(&format!("/v1/tenants/{}/shield/exclusions", other.tenant), &other.admin, exclude).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    assert_eq!(door.shield.exclusions.lock().len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_api_shows_and_does_the_same() {
    let door = Door::open().await;
    let key = door.world.key(Role::Security, None).await;
    let (status, shield) = door.get("/v1/tenants/{t}/shield?hours=2", &key).await;
    assert_eq!(status, StatusCode::OK, "{shield}");
    assert_eq!((&shield["mode"], &shield["running"]), (&json!("block"), &json!(731)));
    assert_eq!(shield["hours"][1]["counts"], json!({"refused": 2, "would_refuse": 4, "passed": 1}));
    assert_eq!(shield["by_rule"][0]["rule"], json!(942_100));
    let (_, all) = door.get("/v1/tenants/{t}/shield/attacks", &key).await;
    assert_eq!(all["events"].as_array().map(Vec::len), Some(7));
    let (_, some) =
        door.get("/v1/tenants/{t}/shield/attacks?outcome=would_refuse&route=&limit=1", &key).await;
    assert_eq!(some["events"][0]["reference"], json!(NOWHERE));
    let (_, first) = door.get("/v1/tenants/{t}/shield/attacks?limit=4", &key).await;
    let (_, rest) =
        door.get(&format!("/v1/tenants/{{t}}/shield/attacks?before={}", first["next"]), &key).await;
    assert_eq!((rest["events"].as_array().map(Vec::len), &rest["next"]), (Some(3), &Value::Null));
    let (_, one) = door.get(&format!("/v1/tenants/{{t}}/shield/attacks/{REFERENCE}"), &key).await;
    assert_eq!(one["rules"][0]["target"], json!("ARGS:note"));
    let (status, _) = door.get("/v1/tenants/{t}/shield/attacks?since=1", &key).await;
    assert_eq!(status, StatusCode::BAD_REQUEST, "what is not known is not passed over");
    let exclude = json!({"routes": ["workers"], "rules": "942100-942199", "because": "prose"});
    let (status, made) = door.post("/v1/tenants/{t}/shield/exclusions", &key, exclude.clone()).await;
    assert_eq!((status, &made["ledger"]), (StatusCode::CREATED, &json!("durable")));
    let (status, twice) = door.post("/v1/tenants/{t}/shield/exclusions", &key, exclude).await;
    assert_eq!((status, &twice["code"]), (StatusCode::CONFLICT, &json!("already_excluded")));
    let (_, list) = door.get("/v1/tenants/{t}/shield/exclusions", &key).await;
    assert_eq!(list["exclusions"][2]["exclusion"], made["exclusion"]);
    let path = format!("/v1/tenants/{{t}}/shield/exclusions/{}", made["exclusion"].as_str().expect("an id"));
    let (status, _) = door.send(Method::DELETE, &path, Some(&key), Vec::new()).await;
    assert_eq!(status, StatusCode::OK);
    let (status, again) = door.send(Method::DELETE, &path, Some(&key), Vec::new()).await;
    assert_eq!((status, &again["code"]), (StatusCode::NOT_FOUND, &json!("unknown_exclusion")));
    assert_eq!(entries(&door).len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn how_many_rules_would_be_switched_off_is_said() {
    let door = Door::open().await;
    let key = door.world.key(Role::Security, None).await;
    *door.shield.fails.lock() = Some(ExclusionError::TooWide(1_073));
    let exclude = json!({"rules": "900000-999999", "because": "b"});
    let (status, wide) = door.post("/v1/tenants/{t}/shield/exclusions", &key, exclude).await;
    assert_eq!((status, &wide["code"]), (StatusCode::UNPROCESSABLE_ENTITY, &json!("exclusion_too_wide")));
    assert_eq!(wide["count"], json!(1_073));
    let mut guest = security(&door).await;
    *door.shield.fails.lock() = Some(ExclusionError::TooWide(73));
    let path = format!("/console/attacks/exclude/{REFERENCE}/942100");
    let said = guest.post(&door, &path, &[("reach", "route"), ("because", "b")]).await;
    assert!(said.text.contains("73") && said.text.contains("narrower range or tag"), "{}", said.text);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_lost_the_right_meanwhile_changes_nothing() {
    let door = Door::open().await;
    let world = &door.world;
    let key = world.key(Role::Security, None).await;
    let ctx = world.ctx(&key);
    assert!(world.vault.may_shield(&ctx, world.tenant, Action::ExcludeRules).is_ok());
    let principal = ctx.actor.principal.id;
    world.vault.revoke_key(&world.ctx(&world.admin), world.tenant, principal).await.expect("revoked");
    let change = vault::shield::ShieldChange { set: 1, lifted: 0, takes: true };
    assert!(world.vault.enter_shield_change(&ctx, world.tenant, change).await.is_err());
    assert!(entries(&door).is_empty());
}
