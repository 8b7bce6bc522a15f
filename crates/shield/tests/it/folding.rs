//! Rules above the paranoia level are not compiled; whether one runs is decided as if they were.

use crate::conformance::{context, run};
use crate::folder::{Folder, core_rules, load, prelude};
use shield::message::Request;
use shield::{Collections, Engine, Excluded, Exclusion, Overlay, Transaction};
use std::sync::Arc;

fn engine(level: &str, rules: &str) -> Engine {
    let texts = vec![("rules.conf".to_owned(), format!("{level}\n{rules}"))];
    Engine::load(&Folder { texts }, &["rules.conf".to_owned()], 1)
        .unwrap_or_else(|faults| panic!("{}", faults[0]))
}

const SET: &str = "SecAction \"id:1,phase:1,pass,nolog,setvar:tx.level=1\"";
const GATED: &str = r#"
SecRule &TX:level "@eq 0" "id:2,phase:1,pass,nolog,setvar:tx.level=4"
SecRule TX:level "@lt 2" "id:3,phase:2,pass,nolog,skipAfter:END"
SecRule ARGS "@rx secret" "id:4,phase:2,pass"
SecMarker END
SecRule ARGS "@rx public" "id:5,phase:2,pass"
"#;

fn ids(engine: Engine, uri: &str) -> Vec<u64> {
    let mut transaction = Transaction::new(&Arc::new(engine), &Arc::new(Collections::new(1)), context());
    run(&mut transaction, &Request::new("GET", uri));
    transaction.finish().matched.iter().map(|matched| matched.rule).collect()
}

#[test]
fn a_gate_that_is_decided_at_load_leaves_its_rules_out() {
    let gated = engine(SET, GATED);
    assert_eq!((gated.summary().above_level, gated.summary().patterns), (1, 2));
    assert_eq!(ids(gated, "/?a=secret&b=public"), [5]);
}

#[test]
fn what_may_change_while_a_request_runs_is_not_decided() {
    let open = |level: &str, more: &str| {
        let engine = engine(level, &format!("{more}\n{GATED}"));
        assert_eq!(engine.summary().above_level, 0, "{more}");
        ids(engine, "/?a=secret&b=public")
    };
    // Nobody sets it: the rule that asks does.
    assert_eq!(open("", ""), [4, 5]);
    assert_eq!(open(SET, "SecRule ARGS:a \"@rx s\" \"id:9,phase:1,pass,nolog,setvar:tx.level=3\""), [4, 5]);
    assert_eq!(open(SET, "SecRule ARGS:a \"@rx s\" \"id:9,phase:1,pass,nolog,setvar:tx.level=+3\""), [4, 5]);
    assert_eq!(open(SET, "SecRule ARGS:a \"@rx s\" \"id:9,phase:1,pass,nolog,setvar:tx.%{ARGS.a}=3\""), [5]);
    assert_eq!(open(SET, "SecAction \"id:9,phase:1,pass,nolog,ctl:ruleRemoveById=3\""), [4, 5]);
    let blind = "SecAction \"id:9,phase:1,pass,nolog,ctl:ruleRemoveTargetById=3;TX:level\"";
    assert_eq!(open(SET, blind), [4, 5], "the gate no longer sees what it asks");
    // A jump that skips the gate alone; an assignment of another phase; a way out before the level is set.
    assert_eq!(open(SET, "SecAction \"id:9,phase:2,pass,nolog,skip:1\""), [4, 5]);
    assert_eq!(
        open(
            "SecAction \"id:9,phase:2,pass,nolog,setvar:tx.level=4\"\nSecAction \"id:1,phase:1,pass,nolog,setvar:tx.level=1\"",
            ""
        ),
        [4, 5]
    );
    assert_eq!(open("SecRule ARGS:a \"@rx s\" \"id:8,phase:1,allow:phase,nolog\"\nSecAction \"id:1,phase:1,pass,nolog,setvar:tx.level=1\"", "").last(), Some(&5));
    assert_eq!(open("SecRule ARGS:b \"@rx no\" \"id:1,phase:1,pass,nolog,setvar:tx.level=1\"", ""), [4, 5]);
    assert_eq!(
        open(
            "SecAction \"id:8,phase:1,pass,nolog,skip:1\"\nSecAction \"id:1,phase:1,pass,nolog,setvar:tx.level=1\"",
            ""
        ),
        [4, 5]
    );
}

#[test]
fn a_pattern_that_cannot_be_honoured_is_a_fault_even_where_it_cannot_run() {
    let texts = vec![("rules.conf".to_owned(), format!("{SET}\n{}", GATED.replace("secret", "(?=x)secret")))];
    let faults = Engine::load(&Folder { texts }, &["rules.conf".to_owned()], 1).expect_err("a fault");
    assert_eq!(faults[0].rule, Some(4));
}

#[test]
fn the_core_rules_at_level_1_are_the_smaller_set() {
    let Some(crs) = core_rules() else { return };
    let load = |level: u8| load(&crs, &prelude("On", level, ""), "").expect("rules");
    let (one, four) = (load(1), load(4));
    assert_eq!(four.summary().above_level, 0);
    assert!(one.summary().above_level > 150, "{}", one.summary().above_level);
    assert!(one.summary().memory < four.summary().memory);
}

/// What a route excludes has the effect that it would have if nothing had been decided at load.
#[test]
fn a_gate_that_a_route_takes_out_lets_its_rules_run() {
    let more = r#"
SecRule ARGS "@pm hidden words" "id:6,phase:2,pass"
SecRule TX:level "@lt 2" "id:7,phase:4,pass,nolog,skipAfter:END4"
SecRule RESPONSE_BODY "@rx sec[r]et" "id:8,phase:4,pass"
SecMarker END4
"#;
    let gated = GATED.replace("SecMarker END\n", "SecRule ARGS|REQUEST_URI \"@rx pub[a-z]+c\" \"id:10,phase:2,pass,chain\"\n    SecRule MATCHED_VARS \"@rx c$\" \"t:none\"\nSecRule ARGS \"!@rx ^s\" \"id:11,phase:2,pass\"\nSecMarker END\n");
    let engine = Arc::new(engine(SET, &format!("{gated}{more}")));
    assert_eq!(engine.summary().above_level, 4);
    let ids = |excluded: &[(u64, Option<&str>)]| {
        let exclusions: Vec<_> = excluded
            .iter()
            .map(|(id, target)| Exclusion {
                rules: Excluded::Ids(*id..=*id),
                target: target.map(str::to_owned),
            })
            .collect();
        let seen = [true, false].map(|sift| {
            let transaction = Transaction::new(&engine, &Arc::new(Collections::new(1)), context());
            let mut transaction = transaction.with_overlay(
                (!excluded.is_empty())
                    .then(|| Arc::new(Overlay::new(&engine, &exclusions).expect("exclusions"))),
            );
            if !sift {
                transaction = transaction.without_sifting();
            }
            run(&mut transaction, &Request::new("GET", "/?a=secret&b=public&c=hidden"));
            transaction.response_head(200, b"HTTP/1.1", &[(b"Content-Type", b"text/html")]);
            transaction.response_window(b"a secret", true);
            transaction.finish().matched.iter().map(|matched| matched.rule).collect::<Vec<_>>()
        });
        assert_eq!(seen[0], seen[1], "{excluded:?}");
        seen[0].clone()
    };
    assert_eq!(ids(&[]), [5, 6]);
    assert_eq!(ids(&[(5, None)]), [6]);
    assert_eq!(ids(&[(3, None)]), [4, 10, 11, 5, 6]);
    assert_eq!(ids(&[(3, Some("TX:level"))]), [4, 10, 11, 5, 6]);
    assert_eq!(ids(&[(3, Some("ARGS:a"))]), [5, 6], "the gate stands");
    assert_eq!(ids(&[(7, None)]), [5, 6, 8]);
    assert_eq!(ids(&[(3, None), (4, None)]), [10, 11, 5, 6]);
    // Without the number that was known, the gate finds nothing to ask.
    assert_eq!(ids(&[(1, None), (2, None)]), [4, 10, 11, 5, 6, 8]);
    // With the rule that sets it where it is missing, the level is the other one.
    assert_eq!(ids(&[(1, None)]), [4, 10, 11, 5, 6, 8]);
}
