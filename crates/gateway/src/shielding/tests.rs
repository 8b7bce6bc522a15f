//! Rules as texts, and exclusions of them.

use super::*;
use shield::{Collections, Context, Files, Transaction};
use std::net::{IpAddr, Ipv4Addr};

struct Text(String);

impl Files for Text {
    fn read(&self, _: &str) -> Option<Vec<u8>> {
        Some(self.0.clone().into_bytes())
    }

    fn data(&self, _: &str, _: &str) -> Option<Vec<u8>> {
        None
    }

    fn matching(&self, _: &str, _: &str) -> Vec<String> {
        Vec::new()
    }
}

fn engine(text: &str) -> Arc<Engine> {
    Arc::new(Engine::load(&Text(text.to_owned()), &["rules".to_owned()], 1).expect("rules"))
}

/// A transaction under these rules.
pub(super) fn transaction(text: &str) -> Transaction {
    let local = IpAddr::V4(Ipv4Addr::LOCALHOST);
    let context =
        Context { client: local, client_port: 1, server: local, server_port: 2, id: "test".into(), now: 0 };
    Transaction::new(&engine(text), &Arc::new(Collections::new(1)), context)
}

const RULES: &str = r#"
SecRule ARGS "@contains evil" "id:10,phase:2,deny,tag:attack,msg:'evil in %{MATCHED_VAR_NAME}'"
SecRule ARGS "@contains bad" "id:11,phase:2,deny,tag:attack"
"#;

fn row(rules: &str, routes: &[&str], target: Option<&str>) -> ExcludeTable {
    ExcludeTable {
        routes: routes.iter().map(|name| (*name).to_owned()).collect(),
        rules: rules.to_owned(),
        target: target.map(str::to_owned),
        ..ExcludeTable::default()
    }
}

fn routes() -> crate::rules::Routes {
    let tables: Vec<RouteTable> = ["a", "b"]
        .map(|name| RouteTable { name: name.to_owned(), path: format!("/{name}"), ..RouteTable::default() })
        .to_vec();
    crate::rules::Routes::build(&tables, &[], None).expect("routes")
}

#[test]
fn exclusions_are_read_and_what_means_nothing_is_said() {
    let exclusion = |rules: &str| row(rules, &[], None).exclusion().map(|one| one.rules);
    assert_eq!(exclusion("942100"), Ok(Excluded::Ids(942_100..=942_100)));
    assert_eq!(exclusion("1-2"), Ok(Excluded::Ids(1..=2)));
    assert_eq!(exclusion("tag:attack-sqli"), Ok(Excluded::Tag("attack-sqli".to_owned())));
    for odd in ["", "x", "tag:", "2-1", "1-", "-1", "1-2-3", "+1", " 1", "1,2", "99999999999999999999999"] {
        assert!(exclusion(odd).is_err(), "{odd}");
    }
    let routes = routes();
    let built = |row: ExcludeTable| Rules::build(engine(RULES), &[row], routes.iter()).err();
    assert_eq!(built(row("10-11", &["a"], Some("ARGS:note"))), None);
    for wrong in [
        row("12", &[], None),
        row("tag:none", &[], None),
        row("10", &["c"], None),
        row("10", &[], Some("NO_SUCH")),
        row("x", &[], None),
    ] {
        let named = wrong.rules.clone();
        let error = built(wrong).expect("an error");
        assert!(matches!(&error, SetupError::Exclusion(rules, why) if *rules == named && !why.is_empty()));
    }
}

#[test]
fn a_route_has_what_is_excluded_everywhere_and_its_own() {
    let routes = routes();
    let rows = [row("10", &["a"], None), row("11", &[], None)];
    let rules = Rules::build(engine(RULES), &rows, routes.iter()).expect("rules");
    let route = |name: &str| routes.iter().find(|route| *route.name == *name);
    let refuses = |route: Option<&Route>, text: &str| {
        let mut transaction = transaction(RULES).with_overlay(rules.overlay(route));
        let target = format!("/?q={text}");
        let head = shield::Head {
            method: b"GET",
            target: target.as_bytes(),
            protocol: b"HTTP/1.1",
            headers: &[(b"host", b"a")],
        };
        transaction.request_head(&head).or_else(|| transaction.request_body(b"", true)).is_some()
    };
    let seen: Vec<[bool; 2]> = [route("a"), route("b"), None]
        .into_iter()
        .map(|route| [refuses(route, "evil"), refuses(route, "bad")])
        .collect();
    assert_eq!(seen, [[false, false], [true, false], [true, false]]);
    let without = Rules::build(engine(RULES), &[], routes.iter()).expect("rules");
    assert!(without.overlay(route("a")).is_none(), "nothing is excluded");
}

#[test]
fn what_a_rule_says_of_itself_holds_nothing_of_a_request() {
    let rules = Rules::build(engine(RULES), &[], routes().iter()).expect("rules");
    let said = &rules.said[&10];
    assert_eq!((&*said.message, said.tags.len(), &*said.tags[0]), ("evil in …", 1, "attack"));
}
