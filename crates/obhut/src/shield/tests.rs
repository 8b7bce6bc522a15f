//! The verbs as they are called, against golden texts.

use super::*;
use clap::Parser;
use std::fs;

/// The Core Rule Set that lies beside the checkout; `None`, and loudly, where it does not.
#[expect(clippy::print_stderr, reason = "what is not run is said")]
pub(super) fn core_rules() -> Option<PathBuf> {
    #[expect(clippy::disallowed_methods, reason = "where the material for tests lies")]
    let Some(shared) = std::env::var_os("OBHUT_SHARED") else {
        eprintln!("\n!!! OBHUT_SHARED is not set: nothing is run against the Core Rule Set\n");
        return None;
    };
    Some(PathBuf::from(shared).join("crs"))
}

#[derive(Parser)]
struct Line {
    #[command(subcommand)]
    verb: Verb,
}

/// Runs a line of words; its exit code and what it said, with this folder's name as `DIR`, or the problem.
fn rules(dir: &Path, words: &[&str]) -> (u8, String) {
    let words = words.iter().map(|word| word.replace("DIR", &dir.display().to_string()));
    let line = Line::try_parse_from(std::iter::once("rules".to_owned()).chain(words)).expect("a line");
    let mut out = Vec::new();
    let code = match run(&line.verb, &mut out) {
        Ok(code) => u8::from(code != ExitCode::SUCCESS),
        Err(problem) => {
            let help = problem.help.unwrap_or_default();
            out = format!("obhut: {}\n       {help}\n", problem.what).into_bytes();
            2
        }
    };
    let said = String::from_utf8(out).expect("text").replace(&dir.display().to_string(), "DIR");
    (code, steady(&said))
}

/// What changes from run to run, taken out.
fn steady(text: &str) -> String {
    let lines = text.lines().map(|line| match line.split_once("loaded     in ") {
        Some((before, _)) => format!("{before}loaded     in …"),
        None => line.to_owned(),
    });
    lines.map(|line| line + "\n").collect()
}

const RULES: &str = r#"SecComponentSignature "mine/1.0"
SecRule REQUEST_URI "@contains admin" "id:1001,phase:1,deny,status:403,log,msg:'No admins here',severity:CRITICAL"
SecRule ARGS|ARGS_NAMES "@rx ^select\s+secret$" \
    "id:1002,phase:2,deny,status:403,log,msg:'A query',t:urlDecodeUni,t:lowercase,tag:'paranoia-level/2',tag:'attack-sqli'"
SecRule REQUEST_METHOD "@streq POST" "id:1003,phase:2,deny,status:405,log,msg:'Two signs',chain"
    SecRule ARGS:b "@contains evil" "t:none"
SecRule ARGS "@contains never" "id:1004,phase:2,deny,log,msg:'Never'"
SecRuleRemoveById 1004
"#;

fn folder() -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("folder");
    fs::create_dir(dir.path().join("rules.d")).expect("made");
    fs::write(dir.path().join("rules.d/own.conf"), RULES).expect("written");
    dir
}

#[test]
fn check_says_what_was_loaded() {
    let dir = folder();
    let (code, said) = rules(dir.path(), &["check", "DIR/rules.d", "--paranoia", "2", "--mode", "detect"]);
    let expected = "\
rules      rules of your own in DIR/rules.d (1 file)
mode       detect: what the rules refuse is reported and passes
levels     rules up to 2 count, rules up to 2 run; refused from a score of 5, answers from 4
loaded     in …

rules      no level   level 1   level 2   level 3   level 4       all
phase 1           2         0         0         0         0         2
phase 2           4         0         1         0         0         5
phase 3           0         0         0         0         0         0
phase 4           0         0         0         0         0         0
phase 5           0         0         0         0         0         0
all               6         0         1         0         0         7

1 rule does not run
  1004 of DIR/rules.d/own.conf:7, taken out by SecRuleRemoveById at DIR/rules.d/own.conf:8

1 directive asks nothing of this engine
  DIR/rules.d/own.conf:1 SecComponentSignature: a name of the rule set
";
    assert_eq!((code, &*said), (0, expected));
    let (code, said) = rules(dir.path(), &["check", "DIR/rules.d", "--json"]);
    let json: serde_json::Value = serde_json::from_str(&said).expect("JSON");
    assert_eq!((code, &json["disabled"][0]["rule"]), (0, &1004.into()));
    assert_eq!(json["levels"][1], serde_json::json!([4, 0, 1, 0, 0]));
    assert!(json["engine_bytes"].as_u64() > Some(0) && json["faults"] == serde_json::json!([]), "{json:#}");
}

#[test]
fn check_names_all_that_cannot_be_honoured() {
    let dir = folder();
    let wrong = "SecFoo On\nSecRule ARGS \"@rx a(?!b)\" \"id:7,phase:2,deny\"\n";
    fs::write(dir.path().join("rules.d/wrong.conf"), wrong).expect("written");
    let (code, said) = rules(dir.path(), &["check", "DIR/rules.d"]);
    let expected = "\
2 things cannot be honoured
  DIR/rules.d/wrong.conf:1: `SecFoo`: no such directive
  DIR/rules.d/wrong.conf:2: rule 7: `a(?!b)`: the pattern looks ahead or behind, which cannot be matched in linear time

Nothing of these rules is loaded: rules that run in part protect in part, and say nothing.
";
    assert_eq!((code, &*said), (1, expected));
    let (code, said) = rules(dir.path(), &["check", "DIR/rules.d", "--json"]);
    let json: serde_json::Value = serde_json::from_str(&said).expect("JSON");
    assert_eq!((code, json["faults"].as_array().map(Vec::len)), (1, Some(2)));
    let (code, said) = rules(dir.path(), &["check", "DIR/none"]);
    assert!(code == 2 && said.contains("No such file") && said.contains("`rules` under [shield]"), "{said}");
}

const CONFIG: &str = r#"
[gateway]
listen = ["127.0.0.1:8443"]
upstream = "http://127.0.0.1:8000"
[[route]]
name = "notes"
path = "/notes"
shield = "detect"
[shield]
rules = "rules.d"
[[shield.exclude]]
rules = "1002"
target = "ARGS:note"
routes = ["notes"]
[[shield.exclude]]
rules = "tag:attack-sqli"
routes = ["nowhere"]
[[shield.exclude]]
rules = "5000-5999"
"#;

#[test]
fn check_holds_the_exclusions_against_rules_and_routes() {
    let dir = folder();
    fs::write(dir.path().join("obhut.toml"), CONFIG).expect("written");
    let (code, said) = rules(dir.path(), &["check", "--config", "DIR/obhut.toml"]);
    let expected = "
3 exclusions by configuration and console
  rule 1002 at ARGS:note on route notes
  rules with the tag attack-sqli on route nowhere
  rules 5000 to 5999
";
    assert!(code == 1 && said.contains(expected), "{said}");
    let faults = "
2 things cannot be honoured
  [[shield.exclude]] rules with the tag attack-sqli on route nowhere: there is no route `nowhere`
  [[shield.exclude]] rules 5000 to 5999: no such rule
";
    assert!(said.ends_with(faults), "{said}");
    let console = "[[exclude]]\nrules = \"1001\"\n[[exclude]]\nrules = \"77\"\n";
    fs::write(dir.path().join("shield-exclusions.toml"), console).expect("written");
    let (code, said) = rules(dir.path(), &["check", "--config", "DIR/obhut.toml"]);
    assert!(code == 1 && said.contains("\n5 exclusions by configuration and console\n"), "{said}");
    assert!(said.ends_with("\n  shield-exclusions.toml rule 77: no such rule\n"), "{said}");
}

fn explain(dir: &Path, request: &str, more: &[&str]) -> (u8, String) {
    fs::write(dir.join("request.http"), request).expect("written");
    rules(dir, &[&["check", "--explain", "DIR/request.http"], more].concat())
}

#[test]
fn explain_shows_what_matched_after_what() {
    let dir = folder();
    let request = "POST /notes?a=SELECT%20secret HTTP/1.1\nHost: app.example\n\
        Content-Type: application/x-www-form-urlencoded\n\nb=an+evil+word%00&c=1\n";
    let (code, said) = explain(dir.path(), request, &["DIR/rules.d", "--mode", "detect"]);
    let expected = "\
request    POST /notes?a=SELECT%20secret HTTP/1.1
           3 fields, 21 bytes of body; Content-Length was added
rules      rules of your own
mode       detect: what the rules refuse is reported and passes

1002       A query (phase 2, level 2)
           ARGS:a
             SELECT secret
             → select secret
             after urlDecodeUni, lowercase

1003       Two signs (phase 2)
           REQUEST_METHOD
             POST
           ARGS:b, part 2 of the rule
             an evil word\\u{0}

1 more rules matched that only prepare something; --all shows them

score      0; refused from 5
verdict    passes, since nothing is refused here; would be refused by rule 1002
";
    assert_eq!((code, &*said), (0, expected));
    let (code, said) = explain(dir.path(), request, &["DIR/rules.d", "--json"]);
    let json: serde_json::Value = serde_json::from_str(&said).expect("JSON");
    assert_eq!((code, &json["by"], &json["refused"]), (1, &1002.into(), &true.into()));
    assert_eq!(json["rules"][0]["matches"][0]["after"], "select secret");
}

#[test]
fn explain_follows_the_route() {
    let dir = folder();
    let config =
        CONFIG.replace("[[shield.exclude]]\nrules = \"5000-5999\"\n", "").replace("\"nowhere\"", "\"notes\"");
    fs::write(dir.path().join("obhut.toml"), &config).expect("written");
    let admin = "GET /admin HTTP/1.1\nHost: app.example\n\n";
    let config = ["--config", "DIR/obhut.toml"];
    let on = |request: &str, more: &[&str]| explain(dir.path(), request, &[&config, more].concat());
    let (code, said) = on(admin, &[]);
    assert!(code == 1 && said.ends_with("verdict    refused with 403 by rule 1001\n"), "{said}");
    let (code, said) = on(admin, &["--route", "notes"]);
    assert!(code == 0 && said.contains("would be refused by rule 1001"), "{said}");
    let query = "GET /notes?q=select%20secret HTTP/1.1\nHost: app.example\n\n";
    assert!(on(query, &[]).1.contains("by rule 1002"));
    let (code, said) = on(query, &["--route", "notes", "--mode", "block"]);
    assert!(code == 0 && said.ends_with("verdict    passes\n"), "{said}");
    let (code, said) = on(query, &["--route", "none"]);
    assert!(code == 2 && said.contains("there are: notes"), "{said}");
    let (_, said) = on(admin, &["--mode", "off"]);
    assert!(
        said.ends_with("verdict    passes, since the shield is off; would be refused by rule 1001\n"),
        "{said}"
    );
}

const CORPUS: &str = r#"
meta:
  author: "us"
rule_id: 1002
tests:
  - test_id: 1
    stages:
      - input: { uri: "/?a=select%20secret", headers: { Host: x } }
        output: { log: { expect_ids: [1002] } }
  - test_id: 2
    stages:
      - input: { uri: "/?a=harmless", headers: { Host: x } }
        output: { log: { expect_ids: [1002] } }
  - test_id: 3
    stages:
      - input: { uri: "/", headers: { Host: x } }
        output: { status: 400 }
"#;

#[test]
fn a_corpus_is_run_and_counted() {
    let dir = folder();
    fs::create_dir(dir.path().join("corpus")).expect("made");
    fs::write(dir.path().join("corpus/1002.yaml"), CORPUS).expect("written");
    fs::write(dir.path().join("corpus/own-overrides.yaml"), "no: [").expect("written");
    let line = ["test", "DIR/corpus", "--rules", "DIR/rules.d"];
    let (code, said) = rules(dir.path(), &line);
    let failed = "FAILED 1002-2: 1002 did not match  (DIR/corpus/1002.yaml)\n";
    let skipped = "skipped 1: expects the status of a server and nothing else\n";
    assert!(code == 1 && said.starts_with(&format!("{failed}{skipped}rules of your own")), "{said}");
    assert!(said.ends_with("passed 1 failed 1 skipped 1\n"), "{said}");
    let (code, said) = rules(dir.path(), &[line.as_slice(), &["--json"]].concat());
    let json: serde_json::Value = serde_json::from_str(&said).expect("JSON");
    assert_eq!((code, &json["passed"], &json["failed"][0]["case"]), (1, &1.into(), &"1002-2".into()));
    let overrides = "version: v0\nmeta: {engine: us}\ntest_overrides:\n  - rule_id: 1002\n    test_ids: [2]\n    \
        reason: known\n    output: { log: { no_expect_ids: [1002] } }\n";
    fs::write(dir.path().join("o.yaml"), overrides).expect("written");
    let (code, said) = rules(dir.path(), &[line.as_slice(), &["--overrides", "DIR/o.yaml"]].concat());
    assert!(
        code == 0 && said.contains("overridden 1\n") && said.ends_with("passed 2 failed 0 skipped 1\n"),
        "{said}"
    );
    fs::write(dir.path().join("corpus/broken.yaml"), "tests: [").expect("written");
    let (code, said) = rules(dir.path(), &line);
    assert!(code == 1 && said.contains("FAILED broken.yaml: "), "{said}");
    let (code, said) = rules(dir.path(), &["test", "DIR/rules.d", "--rules", "DIR/rules.d"]);
    assert!(code == 2 && said.contains("holds no tests"), "{said}");
}

/// The rows of the table of a document: the first cell, and the second.
fn table_rows(text: &str) -> Vec<(String, String)> {
    let rows = text.lines().filter_map(|line| line.strip_prefix("| "));
    let cells = rows.filter_map(|row| {
        let mut cells = row.split(" | ").map(|cell| cell.trim_end_matches(" |").trim_matches('`').to_owned());
        Some((cells.next()?, cells.next()?))
    });
    cells.filter(|(first, _)| first.contains(|char: char| char.is_ascii_digit())).collect()
}

/// docs/conformance.md lists the very cases of the corpus that fail, each with a reason.
#[test]
fn the_page_on_conformance_lists_what_fails() {
    let Some(crs) = core_rules() else { return };
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/conformance.md");
    let page = fs::read_to_string(page).expect("docs/conformance.md");
    // What follows compares with libmodsecurity, and has tables of its own.
    let (page, _) = page.split_once("\n## Every request").expect("its first part");
    let outcome = corpus::outcome(&crs.join("regression"), &crs, 4, &Default::default()).expect("it runs");
    let rows = table_rows(page);
    assert!(rows.iter().all(|(_, reason)| reason.len() > 20), "each row says why: {rows:?}");
    let mut listed: Vec<&str> = rows.iter().map(|(case, _)| case.as_str()).collect();
    let mut failed: Vec<&str> = outcome.failed.iter().map(|failed| failed.case.as_str()).collect();
    listed.sort_unstable();
    failed.sort_unstable();
    assert_eq!(failed, listed, "{:#?}", outcome.failed);
    let counts = format!(
        "passed {} failed {} skipped {}",
        outcome.passed,
        outcome.failed.len(),
        outcome.skipped.len()
    );
    assert!(page.contains(&counts), "docs/conformance.md does not say {counts:?}");
    assert!(
        outcome.skipped.iter().all(|skipped| skipped.why.starts_with("expects status")),
        "{:?}",
        outcome.skipped
    );
}
