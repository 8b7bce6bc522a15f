//! What rules mean, one construct at a time. `docs/seclang.md` says where the meaning comes from.

use crate::conformance::{context, run};
use crate::folder::Folder;
use shield::message::{Request, Response};
use shield::{Collections, Engine, Fault, Report, Transaction, Verdict};
use std::sync::Arc;

fn engine(rules: &str) -> Result<Arc<Engine>, Vec<Fault>> {
    let texts = vec![("rules.conf".to_owned(), rules.to_owned())];
    Engine::load(&Folder { texts }, &["rules.conf".to_owned()], 1).map(Arc::new)
}

struct Seen {
    report: Report,
    transaction: Transaction,
}

impl Seen {
    fn ids(&self) -> Vec<u64> {
        self.report.matched.iter().map(|matched| matched.rule).collect()
    }

    fn tx(&self, name: &str) -> Option<String> {
        self.transaction.variable(name).map(|value| String::from_utf8(value).expect("text"))
    }
}

fn inspect(rules: &str, request: &Request) -> Seen {
    let engine = engine(rules).unwrap_or_else(|faults| panic!("{}", faults[0]));
    let mut transaction = Transaction::new(&engine, &Arc::new(Collections::new(64)), context());
    run(&mut transaction, request);
    Seen { report: transaction.finish(), transaction }
}

fn get(uri: &str) -> Request {
    Request::new("GET", uri).with_header("Host", "app.example").with_header("User-Agent", "Test/1")
}

#[test]
fn a_setvar_runs_for_each_value_that_matches() {
    let rules = r#"SecRule ARGS "@rx x" "id:1,phase:2,pass,setvar:tx.n=+5""#;
    assert_eq!(inspect(rules, &get("/?a=x&b=y&c=x")).tx("n").as_deref(), Some("10"));
}

#[test]
fn a_chain_matches_as_a_whole_and_scores_in_its_last_part() {
    let rules = r#"
SecRule ARGS:a "@streq x" "id:1,phase:2,pass,setvar:tx.first=1,chain"
    SecRule ARGS:b "@streq y" "setvar:tx.last=1"
"#;
    let half = inspect(rules, &get("/?a=x&b=n"));
    assert_eq!((half.ids(), half.tx("first").as_deref(), half.tx("last")), (vec![], Some("1"), None));
    let whole = inspect(rules, &get("/?a=x&b=y"));
    assert_eq!((whole.ids(), whole.tx("last").as_deref()), (vec![1], Some("1")));
}

#[test]
fn a_chain_that_denies_denies_only_when_it_is_whole() {
    let rules = r#"
SecRule ARGS:a "@streq x" "id:1,phase:2,deny,status:418,chain"
    SecRule ARGS:b "@streq y" "t:none"
"#;
    assert_eq!(inspect(rules, &get("/?a=x&b=n")).report.verdict, None);
    assert_eq!(inspect(rules, &get("/?a=x&b=y")).report.verdict, Some(Verdict::Deny(418)));
}

#[test]
fn what_matched_is_there_for_the_next_part() {
    let rules = r#"
SecRule ARGS|REQUEST_HEADERS:User-Agent "@rx (Te)(st)" "id:1,phase:2,pass,capture,t:none,setvar:tx.name=%{MATCHED_VAR_NAME},chain"
    SecRule MATCHED_VARS "@rx ^Test" "chain"
        SecRule TX:2 "@streq st" "setvar:tx.group=%{tx.1}"
"#;
    let seen = inspect(rules, &get("/?q=Testing"));
    assert_eq!(seen.ids(), [1]);
    assert_eq!(seen.tx("name").as_deref(), Some("REQUEST_HEADERS:User-Agent"));
    assert_eq!(seen.tx("group").as_deref(), Some("Te"));
}

#[test]
fn matched_vars_hold_what_this_chain_matched_and_nothing_older() {
    let rules = r#"
SecRule ARGS:old "@rx ." "id:1,phase:2,pass"
SecRule ARGS:new "@rx ." "id:2,phase:2,pass,chain"
    SecRule MATCHED_VARS "@streq stale" "t:none"
"#;
    assert_eq!(inspect(rules, &get("/?old=stale&new=fresh")).ids(), [1]);
}

#[test]
fn names_are_compared_without_case_and_left_out_by_name_or_pattern() {
    let rules = r#"
SecRule ARGS|!ARGS:Skip|!ARGS:/^utm_/ "@rx x" "id:1,phase:2,pass,setvar:tx.n=+1"
SecRule &ARGS:skip "@eq 2" "id:2,phase:2,pass"
SecRule &ARGS "@gt 3" "id:3,phase:2,pass"
"#;
    let seen = inspect(rules, &get("/?SKIP=x&skip=x&utm_source=x&b=x"));
    assert_eq!((seen.ids(), seen.tx("n").as_deref()), (vec![1, 2, 3], Some("1")));
}

#[test]
fn transformations_run_in_order_and_none_forgets() {
    let rules = r#"
SecRule ARGS "@streq abc" "id:1,phase:2,pass,t:urlDecode,t:none,t:lowercase"
SecRule ARGS "@streq 3" "id:2,phase:2,pass,t:lowercase,t:length"
SecRule ARGS "@rx ^[A-C]{3}$" "id:3,phase:2,pass,t:none"
"#;
    assert_eq!(inspect(rules, &get("/?a=ABC")).ids(), [1, 2, 3]);
}

#[test]
fn multi_match_asks_after_each_change() {
    let rules = r#"SecRule ARGS "@rx ^(?:A%41|AA|aa)$" "id:1,phase:2,pass,multiMatch,t:urlDecode,t:lowercase,setvar:tx.n=+1""#;
    // The value itself, decoded once, and lower case.
    assert_eq!(inspect(rules, &get("/?a=A%2541")).tx("n").as_deref(), Some("3"));
}

#[test]
fn a_negated_operator_matches_where_a_value_is_there_and_does_not_fit() {
    let rules = r#"
SecRule REQUEST_HEADERS:Missing "!@rx x" "id:1,phase:1,pass"
SecRule REQUEST_BASENAME "!@endsWith .pdf" "id:2,phase:1,pass"
SecRule ARGS "!@rx ^[a-z]+$" "id:3,phase:2,pass,setvar:tx.n=+1"
SecRule TX:unset "!@eq 5" "id:4,phase:2,pass"
"#;
    let seen = inspect(rules, &get("/?a=ok&b=1&c=2"));
    assert_eq!((seen.ids(), seen.tx("n").as_deref()), (vec![2, 3], Some("2")));
}

#[test]
fn markers_and_skips_jump() {
    let rules = r#"
SecAction "id:1,phase:1,pass,skipAfter:HERE"
SecAction "id:2,phase:1,pass"
SecMarker HERE
SecAction "id:3,phase:1,pass,skip:1"
SecAction "id:4,phase:1,pass"
SecAction "id:5,phase:1,pass"
SecAction "id:6,phase:2,pass"
"#;
    assert_eq!(inspect(rules, &get("/")).ids(), [1, 3, 5, 6]);
}

#[test]
fn block_is_what_the_default_says() {
    let rules = "SecDefaultAction \"phase:1,log,deny,status:406\"\nSecAction \"id:1,phase:1,block\"\n";
    assert_eq!(inspect(rules, &get("/")).report.verdict, Some(Verdict::Deny(406)));
    assert_eq!(inspect("SecAction \"id:1,phase:1,block\"", &get("/")).report.verdict, None);
}

#[test]
fn detection_decides_nothing_and_says_what_it_would_have() {
    let rules =
        "SecRuleEngine DetectionOnly\nSecAction \"id:1,phase:1,deny\"\nSecAction \"id:2,phase:1,pass\"\n";
    let seen = inspect(rules, &get("/"));
    assert_eq!((seen.ids(), seen.report.verdict, seen.report.by), (vec![1, 2], None, Some(1)));
}

#[test]
fn nothing_runs_after_a_verdict_but_phase_5() {
    let rules = r#"
SecAction "id:1,phase:1,deny"
SecAction "id:2,phase:1,pass"
SecAction "id:3,phase:2,pass"
SecAction "id:4,phase:5,pass"
"#;
    assert_eq!(inspect(rules, &get("/")).ids(), [1, 4]);
}

#[test]
fn allow_goes_as_far_as_it_says() {
    let with = |allow: &str| {
        let rules = format!(
            "SecAction \"id:1,phase:1,{allow}\"\nSecAction \"id:2,phase:1,pass\"\nSecAction \"id:3,phase:2,pass\"\n\
             SecAction \"id:4,phase:3,pass\"\nSecAction \"id:5,phase:5,pass\"\n"
        );
        let mut request = get("/");
        request.response = Some(Response {
            status: 200,
            protocol: b"HTTP/1.1".to_vec(),
            headers: Vec::new(),
            body: Vec::new(),
        });
        inspect(&rules, &request).ids()
    };
    assert_eq!(with("allow"), [1, 5]);
    assert_eq!(with("allow:phase"), [1, 3, 4, 5]);
    assert_eq!(with("allow:request"), [1, 4, 5]);
}

#[test]
fn controls_take_out_rules_and_targets() {
    let rules = r#"
SecAction "id:1,phase:1,pass,ctl:ruleRemoveById=10-11,ctl:ruleRemoveByTag=noise,ctl:ruleRemoveTargetById=12;ARGS:note,ctl:ruleRemoveTargetByTag=text;ARGS"
SecAction "id:10,phase:2,pass"
SecAction "id:11,phase:2,pass,tag:'other'"
SecRule ARGS "@rx x" "id:12,phase:2,pass,setvar:tx.n=+1"
SecAction "id:13,phase:2,pass,tag:'noise'"
SecRule ARGS|REQUEST_METHOD "@rx x|GET" "id:14,phase:2,pass,tag:'text',setvar:tx.m=+1"
"#;
    let seen = inspect(rules, &get("/?note=x&more=x"));
    assert_eq!(seen.ids(), [1, 12, 14]);
    assert_eq!((seen.tx("n").as_deref(), seen.tx("m").as_deref()), (Some("1"), Some("1")));
}

#[test]
fn updates_and_removals_hold_for_rules_before_and_after() {
    let rules = r#"
SecRuleRemoveById 3
SecRule ARGS "@rx x" "id:1,phase:2,pass"
SecRule ARGS "@rx x" "id:2,phase:2,pass,tag:'a'"
SecAction "id:3,phase:2,pass"
SecAction "id:4,phase:2,pass,tag:'gone'"
SecRuleUpdateTargetById 1 "!ARGS:q"
SecRuleUpdateTargetByTag a "REQUEST_METHOD"
SecRuleUpdateActionById 2 "setvar:tx.more=1"
SecRuleRemoveByTag gone
"#;
    let seen = inspect(rules, &get("/?q=x"));
    assert_eq!((seen.ids(), seen.tx("more").as_deref()), (vec![2], Some("1")));
}

#[test]
fn numbers_are_added_and_names_put_together() {
    let rules = r#"
SecAction "id:1,phase:1,pass,setvar:tx.base=3,setvar:tx.sum=%{tx.base},setvar:tx.sum=+%{tx.base},setvar:tx.sum=-1"
SecAction "id:2,phase:1,pass,setvar:tx.part_%{tx.base}=v,setvar:tx.empty=%{tx.nothing},setvar:tx.bare,setvar:!tx.base"
SecRule TX:/^part_/ "@streq v" "id:3,phase:1,pass"
SecRule &TX:base "@eq 0" "id:4,phase:1,pass"
SecRule &TX:empty "@eq 1" "id:5,phase:1,pass"
SecRule TX:part_3 "@within uvw" "id:6,phase:1,pass"
"#;
    let seen = inspect(rules, &get("/"));
    assert_eq!(seen.ids(), [1, 2, 3, 4, 5, 6]);
    assert_eq!((seen.tx("sum").as_deref(), seen.tx("bare").as_deref()), (Some("5"), Some("1")));
}

#[test]
fn collections_outlive_a_transaction() {
    let rules = r#"
SecAction "id:1,phase:1,pass,initcol:ip=%{REMOTE_ADDR},setvar:ip.hits=+1,expirevar:ip.hits=60"
SecRule IP:hits "@gt 2" "id:2,phase:1,deny,status:429"
"#;
    let (engine, collections) = (engine(rules).expect("rules"), Arc::new(Collections::new(64)));
    let verdict = |now: u64| {
        let mut at = context();
        at.now = now;
        let mut transaction = Transaction::new(&engine, &collections, at);
        run(&mut transaction, &get("/"));
        transaction.finish().verdict
    };
    assert_eq!([1, 2].map(verdict), [None, None]);
    assert_eq!(verdict(3), Some(Verdict::Deny(429)));
    assert_eq!(verdict(500), None, "the count has ended");
}

#[test]
fn an_answer_in_windows_matches_once() {
    let rules = r#"
SecRule RESPONSE_BODY "@rx leak" "id:1,phase:4,pass,setvar:tx.n=+3"
SecRule TX:n "@ge 4" "id:2,phase:4,deny"
SecRule TX:n "@ge 3" "id:3,phase:4,pass"
"#;
    let engine = engine(rules).expect("rules");
    let mut transaction = Transaction::new(&engine, &Arc::new(Collections::new(1)), context());
    let request = get("/");
    run(&mut transaction, &request);
    assert_eq!(
        transaction.response_head(200, b"HTTP/1.1", &[(b"Content-Type", b"text/html; charset=utf-8")]),
        None
    );
    assert!(transaction.wants_answer());
    for window in ["a leak here", "another leak", "end"] {
        assert_eq!(transaction.response_window(window.as_bytes(), window == "end"), None);
    }
    assert_eq!(transaction.variable("n"), Some(b"3".to_vec()));
}

#[test]
fn nothing_is_silently_dead() {
    let faults = |rules: &str| -> Vec<String> {
        engine(rules)
            .expect_err("faults")
            .iter()
            .map(|fault| format!("{:?} {:?}", fault.rule, fault.reason))
            .collect()
    };
    assert_eq!(faults("SecRule ARGS \"@rx (?=a)b\" \"id:1,pass\""), ["Some(1) LookAround"]);
    assert_eq!(faults("SecRule ARGS \"@rx (a)\\1\" \"id:1,pass\""), ["Some(1) BackReference"]);
    assert_eq!(faults("SecRule ARGS \"@pmFromFile none.data\" \"id:1,pass\""), ["Some(1) MissingFile"]);
    assert_eq!(faults("SecAction \"id:1,pass,skipAfter:NOWHERE\""), ["Some(1) NoMarker"]);
    assert_eq!(faults("SecRule ARGS \"x\" \"id:1,pass,chain\""), ["Some(1) OpenChain"]);
    assert_eq!(faults("SecAction \"pass\""), ["None NoId"]);
    assert_eq!(faults("SecAction \"id:1,pass\"\nSecAction \"id:1,pass\""), ["Some(1) DuplicateId"]);
    assert_eq!(faults("Include missing.conf"), ["None MissingFile"]);
    assert_eq!(
        faults("SecRule ARGS \"x\" \"id:1,phase:1,pass,chain\"\nSecRule ARGS \"x\" \"phase:2\""),
        ["Some(1) ChainPhase"]
    );
}

#[test]
fn limits_refuse_before_rules_run() {
    let rules = "SecArgumentsLimit 3\nSecRequestBodyLimit 10\nSecAction \"id:1,phase:2,pass\"\n";
    let refused = inspect(rules, &get("/?a&b&c&d"));
    assert_eq!((refused.ids(), refused.report.verdict), (vec![], Some(Verdict::Deny(400))));
    let engine = engine(rules).expect("rules");
    let mut transaction = Transaction::new(&engine, &Arc::new(Collections::new(1)), context());
    assert_eq!(transaction.wanted_of_body(), 10);
    assert_eq!(transaction.request_body(b"0123456789", false), Some(Verdict::Deny(413)));
}

#[test]
fn groups_are_there_for_whoever_reads_them() {
    let own = r#"
SecRule ARGS:a "@rx (x)(y)" "id:1,phase:2,pass,capture,setvar:tx.one=%{TX.1},setvar:tx.two=%{TX.2}"
SecRule ARGS:a "@rx x(y)" "id:2,phase:2,pass,capture,logdata:'%{TX.0}',setvar:tx.whole=%{TX.0}"
"#;
    let seen = inspect(own, &get("/?a=xy"));
    assert_eq!(
        ["one", "two", "whole"].map(|name| seen.tx(name)),
        ["x", "y", "xy"].map(|text| Some(text.to_owned()))
    );
    // A rule that reads what an earlier one captured.
    let travels = r#"
SecRule ARGS:a "@rx (x)(y)" "id:1,phase:2,pass,capture"
SecRule TX:2 "@streq y" "id:2,phase:2,pass"
"#;
    assert_eq!(inspect(travels, &get("/?a=xy")).ids(), [1, 2]);
}

#[test]
fn what_a_review_found_stays_found() {
    let passes = |rules: &str, uri: &str| inspect(rules, &get(uri)).ids();
    // A repetition of something that may be nothing.
    assert_eq!(passes("SecRule ARGS \"@rx x(?:(?:ab)?)+y\" \"id:1,phase:2,pass\"", "/?a=xababy"), [1]);
    assert_eq!(passes("SecRule ARGS \"@rx x(?:a?){2}y\" \"id:1,phase:2,pass\"", "/?a=xaay"), [1]);
    // The answer's phases run after the request was allowed.
    let rules = "SecAction \"id:1,phase:1,allow:request\"\nSecAction \"id:3,phase:3,pass\"\nSecAction \"id:4,phase:3,pass\"\n";
    let mut request = get("/");
    request.response =
        Some(Response { status: 200, protocol: b"HTTP/1.1".to_vec(), headers: Vec::new(), body: Vec::new() });
    assert_eq!(inspect(rules, &request).ids(), [1, 3, 4]);
    // A variable of the transaction can be left out.
    let rules = "SecAction \"id:1,phase:1,pass,setvar:tx.a=1,setvar:tx.b=1,ctl:ruleRemoveTargetById=2;TX:a\"\n\
                 SecRule TX:a \"@eq 1\" \"id:2,phase:1,pass\"\nSecRule TX:/^[ab]$/|!TX:a \"@eq 1\" \"id:3,phase:1,pass,setvar:tx.n=+1\"\n";
    let seen = inspect(rules, &get("/"));
    assert_eq!((seen.ids(), seen.tx("n").as_deref()), (vec![1, 3], Some("1")));
    // Words that a chain's head alone may say, macros in patterns, quotes that never close.
    let why = |rules: &str| engine(rules).expect_err("a fault")[0].reason;
    use shield::seclang::Reason;
    let chain = "SecRule ARGS \"x\" \"id:1,phase:2,pass,chain\"\nSecRule ARGS \"y\" \"deny\"\n";
    assert_eq!(why(chain), Reason::OfHeadAlone);
    assert_eq!(why("SecRule ARGS \"@rx ^%{tx.bad}$\" \"id:1,pass\""), Reason::MacroInPattern);
    assert_eq!(why("SecAction \"id:1,msg:don't,deny\""), Reason::Syntax);
    assert_eq!(why("SecArgumentSeparator ;"), Reason::BadArgument);
}

fn post(kind: &str, body: &str) -> Request {
    get("/").with_header("Content-Type", kind).with_body(body.to_owned())
}

#[test]
fn what_nobody_can_read_is_refused_and_not_passed_on() {
    let rules = "SecAction \"id:1,phase:1,pass,nolog\"";
    let verdict = |request: &Request| inspect(rules, request).report.verdict;
    assert_eq!(verdict(&post("application/json", "{\"a\":1}")), None);
    assert_eq!(verdict(&post("application/json", "/**/{\"a\":1}")), Some(Verdict::Deny(400)));
    assert_eq!(verdict(&post("text/xml", "<a><b></a>")), Some(Verdict::Deny(400)));
    assert_eq!(
        verdict(&post("multipart/form-data; boundary=B", "--B\r\n\r\n\r\nx")),
        Some(Verdict::Deny(400))
    );
    let part = "--B\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n--B--\r\n";
    assert_eq!(verdict(&post("multipart/form-data; boundary=B", part)), None);
    assert_eq!(
        verdict(&post("multipart/form-data; boundary=\"B\"", part)),
        None,
        "quoted is unusual and no more"
    );
    let encoded = post("application/json", "{\"a\":1}").with_header("Content-Encoding", "gzip");
    assert_eq!(verdict(&encoded), Some(Verdict::Deny(415)));
    let open = engine(rules).expect("rules");
    let mut undone = Transaction::new(&open, &Arc::new(Collections::new(1)), context());
    undone.body_is_decoded();
    run(&mut undone, &encoded);
    assert_eq!(undone.finish().verdict, None, "whoever has undone the coding says so");
    let two = post("application/json", "{\"a\":1}").with_header("Content-Type", "text/plain");
    assert_eq!(verdict(&two), Some(Verdict::Deny(400)));
    let detects = inspect("SecRuleEngine DetectionOnly\nSecAction \"id:1,phase:1,pass\"", &encoded);
    assert_eq!((detects.report.verdict, detects.report.refusal), (None, Some(shield::Refusal::Encoded)));
}

#[test]
fn half_a_document_is_not_taken_for_a_whole_one() {
    let rules = "SecRequestBodyLimit 20\nSecRequestBodyLimitAction ProcessPartial\nSecRule ARGS \"@rx evil\" \"id:1,phase:2,deny\"\n";
    let verdict = |kind: &str, body: &str| {
        let engine = engine(rules).expect("rules");
        let mut transaction = Transaction::new(&engine, &Arc::new(Collections::new(1)), context());
        let headers: [(&[u8], &[u8]); 1] = [(b"Content-Type", kind.as_bytes())];
        let head = shield::Head { method: b"POST", target: b"/", protocol: b"HTTP/1.1", headers: &headers };
        assert_eq!(transaction.request_head(&head), None);
        transaction.request_body(body.as_bytes(), false)
    };
    assert_eq!(verdict("application/x-www-form-urlencoded", "a=good&b=goo"), None);
    assert_eq!(verdict("application/x-www-form-urlencoded", "a=evil&b=goo"), Some(Verdict::Deny(403)));
    assert_eq!(verdict("application/json", "{/**/\"a\":\"evil\",\"b\":\"x"), Some(Verdict::Deny(413)));
    assert_eq!(verdict("text/xml", "<a><b>good"), Some(Verdict::Deny(413)));
}

#[test]
fn the_text_of_each_element_is_a_value() {
    let rules = "SecRule XML:/* \"@rx ^wget \" \"id:1,phase:2,pass,setvar:tx.n=+1\"";
    let seen = inspect(rules, &post("text/xml", "<r><a>a</a><q>wget http</q><q><![CDATA[wget ]]>x</q></r>"));
    assert_eq!((seen.ids(), seen.tx("n").as_deref()), (vec![1], Some("2")));
}

#[test]
fn many_phrases_hide_none() {
    let words: String = (0..80_000_u32)
        .map(|number| format!("w{:x}q{number} ", number.wrapping_mul(2_654_435_761)))
        .collect();
    let rules = format!(
        "SecRule ARGS \"@pm {words}\" \"id:1,phase:2,pass\"\nSecRule ARGS \"@rx union select|information_schema\" \"id:2,phase:2,pass\"\n"
    );
    let last = words.split_whitespace().last().expect("a word");
    assert_eq!(inspect(&rules, &get(&format!("/?a={last}&b=union%20select"))).ids(), [1, 2]);
}

#[test]
fn a_character_set_is_no_way_around_the_rules() {
    let rules = "SecRequestBodyAccess On\nSecRule ARGS \"@rx evil\" \"id:1,phase:2,deny\"";
    let verdict = |request: &Request| inspect(rules, request).report.verdict;
    let form = "application/x-www-form-urlencoded";
    let part = |field: &str, more: &str, value: &str| {
        format!("--B\r\nContent-Disposition: form-data; name=\"{field}\"\r\n{more}\r\n{value}\r\n--B--\r\n")
    };
    let multipart = "multipart/form-data; boundary=B";
    for plain in [
        post(&format!("{form}; charset=UTF-8"), "a=1"),
        post("text/plain; charset=iso-8859-1", "a"),
        post(form, "_charset_=utf-8&a=1"),
        post(form, "_charset_=&a=1"),
        post(multipart, &part("_charset_", "", "windows-1252")),
        get("/?_charset_=UTF-8"),
        get("/").with_header("Content-Type", "text/plain; charset=utf-16"),
    ] {
        assert_eq!(verdict(&plain), None, "{plain:?}");
    }
    for foreign in ["utf-7", "UTF-16", "utf-32le", "ibm037", "ebcdic-us", "iso-2022-kr", "unheard-of"] {
        for request in [
            post(&format!("{form}; charset={foreign}"), "a=1"),
            post(&format!("application/json;charset=\"{foreign}\""), "{}"),
            post(&format!("text/plain; charset={foreign}"), "+ADw-script+AD4-"),
            post(&format!("{multipart}; charset={foreign}"), &part("a", "", "1")),
            post(form, &format!("a=1&_charset_={foreign}")),
            post(form, &format!("_CHARSET_={foreign}")),
            post(multipart, &part("_charset_", "", foreign)),
            get(&format!("/?_charset_={foreign}&a=1")),
        ] {
            assert_eq!(verdict(&request), Some(Verdict::Deny(415)), "{foreign}: {request:?}");
        }
        let part =
            post(multipart, &part("a", &format!("Content-Type: text/plain; charset={foreign}\r\n"), "1"));
        assert_eq!(verdict(&part), Some(Verdict::Deny(400)), "{foreign}: readers differ");
    }
    // Rules have their say first, and a trial refuses nothing.
    assert_eq!(verdict(&post(form, "a=evil&_charset_=utf-7")), Some(Verdict::Deny(403)));
    let trial = inspect(
        "SecRuleEngine DetectionOnly\nSecAction \"id:1,phase:1,pass\"",
        &post(form, "_charset_=utf-7"),
    );
    assert_eq!((trial.report.verdict, trial.report.refusal), (None, Some(shield::Refusal::Encoded)));
}

#[test]
fn documents_among_the_files_are_asked_by_rules() {
    let rules = r#"
SecRequestBodyAccess On
SecRule ARGS:meta.note "@rx <script" "id:1,phase:2,deny,status:418"
SecRule XML:/* "@rx <script" "id:2,phase:2,deny,status:419"
SecRule ARGS:meta "@rx <script" "id:3,phase:2,deny,status:420"
"#;
    let verdict = |head: &str, content: &str| {
        let body = format!(
            "--B\r\nContent-Disposition: form-data; name=\"meta\"{head}\r\n\r\n{content}\r\n--B--\r\n"
        );
        inspect(rules, &post("multipart/form-data; boundary=B", &body)).report.verdict
    };
    let json = r#"{"note":"\u003cscript>"}"#;
    for head in [
        "; filename=\"blob\"\r\nContent-Type: application/json",
        "; filename=\"blob\"\r\nContent-Type: application/octet-stream",
        "; filename=\"a.json\"\r\nContent-Type: application/problem+json",
        "\r\nContent-Type: application/json",
    ] {
        assert_eq!(verdict(head, json), Some(Verdict::Deny(418)), "{head}");
    }
    let xml = "; filename=\"a.xml\"\r\nContent-Type: application/xml";
    assert_eq!(verdict(xml, "<a>&lt;script></a>"), Some(Verdict::Deny(419)));
    assert_eq!(verdict("; filename=\"blob\"", "a <script"), Some(Verdict::Deny(420)));
    assert_eq!(
        verdict("; filename=\"a.txt\"\r\nContent-Type: text/plain", "a <script"),
        None,
        "a file is a file"
    );
    assert_eq!(verdict("; filename=\"blob\"\r\nContent-Type: image/png", "\u{1}<script"), None);
}

/// The sums of rules that add up what others found.
fn windows(rules: &str, windows: &[&str]) -> (Vec<Option<Vec<u8>>>, Vec<Verdict>) {
    let engine = engine(rules).unwrap_or_else(|faults| panic!("{}", faults[0]));
    let collections = Arc::new(Collections::new(64));
    let mut transaction = Transaction::new(&engine, &collections, context());
    run(&mut transaction, &get("/"));
    assert_eq!(transaction.response_head(200, b"HTTP/1.1", &[(b"Content-Type", b"text/html")]), None);
    let mut verdicts = Vec::new();
    for (at, window) in windows.iter().enumerate() {
        verdicts.extend(transaction.response_window(window.as_bytes(), at + 1 == windows.len()));
    }
    transaction.finish();
    (["total", "total_1", "kept", "all"].map(|name| transaction.variable(name)).to_vec(), verdicts)
}

#[test]
fn what_is_summed_over_an_answer_counts_once_in_all_its_windows() {
    let rules = r#"
SecResponseBodyMimeType text/html
SecAction "id:1,phase:1,pass,nolog,initcol:ip=%{REMOTE_ADDR},setvar:tx.level=1"
SecRule RESPONSE_STATUS "@eq 200" "id:2,phase:3,pass,nolog,setvar:tx.found=+1"
SecRule RESPONSE_BODY "@rx one" "id:3,phase:4,pass,nolog,setvar:tx.found=+2"
SecRule RESPONSE_BODY "@rx two" "id:4,phase:4,pass,nolog,setvar:tx.found=+3"
SecRule TX:level "@ge 1" "id:5,phase:4,pass,nolog,setvar:tx.total=+%{tx.found},setvar:tx.total_%{tx.level}=+%{tx.found},setvar:ip.answers=+1,setvar:tx.all=+1"
SecRule RESPONSE_BODY "@rx two" "id:6,phase:4,pass,nolog,setvar:tx.all=+10"
SecRule TX:total "@ge 7" "id:7,phase:4,deny"
SecAction "id:8,phase:5,pass,nolog,setvar:tx.kept=%{ip.answers}"
"#;
    let texts = |all: &[&str]| -> Vec<Option<Vec<u8>>> {
        all.iter().map(|text| Some(text.as_bytes().to_vec())).collect()
    };
    for split in [
        &["one and two, to the end"][..],
        &["one and", "and two,", ", to the end"],
        &["one and two", "one and two, to", "the end"],
        &["", "", "", "", "one and two, to the end"],
        &["two", "two and", "one"],
    ] {
        assert_eq!(windows(rules, split), (texts(&["6", "6", "1", "11"]), vec![]), "{split:?}");
    }
    assert_eq!(windows(rules, &["nothing", "of", "it"]).0, texts(&["1", "1", "1", "1"]));
}

#[test]
fn what_finds_no_place_is_not_left_out_in_silence() {
    let query = |count: usize| (0..count).map(|at| format!("a{at}={at}")).collect::<Vec<_>>().join("&");
    let seen = |rules: &str, request: &Request| {
        let report = inspect(rules, request).report;
        (report.verdict, report.refusal)
    };
    let refused = (Some(Verdict::Deny(413)), Some(shield::Refusal::TooLargeInside));
    let many = "SecArgumentsLimit 10000\nSecRule ARGS \"@rx .\" \"id:1,phase:2,pass,nolog,setvar:tx.x_%{MATCHED_VAR}=1\"";
    assert_eq!(seen(many, &get(&format!("/?{}", query(4_096)))), (None, None));
    assert_eq!(seen(many, &get(&format!("/?{}", query(4_097)))), refused);
    // A trial ends there too, refuses nothing, and says why.
    let trial = format!("SecRuleEngine DetectionOnly\n{many}\nSecAction \"id:9,phase:2,pass,log\"");
    for (count, ended) in [(4_096, false), (4_097, true)] {
        let report = inspect(&trial, &get(&format!("/?{}", query(count)))).report;
        assert_eq!((report.verdict, report.refusal.is_some()), (None, ended));
        assert_eq!(report.matched.iter().any(|matched| matched.rule == 9), !ended);
    }
    let set = |count: usize| -> String {
        (1..=count).map(|id| format!("SecAction \"id:{id},phase:1,pass,nolog,setenv:e{id}=1\"\n")).collect()
    };
    assert_eq!(seen(&set(64), &get("/")), (None, None));
    assert_eq!(seen(&set(65), &get("/")), refused);
    // A card number behind thousands of numbers that are none.
    let cards = r#"SecRule ARGS "@verifyCC \d{13,16}" "id:1,phase:2,deny""#;
    let none = "1234567890123455 ".repeat(5_000);
    let form = |text: &str| post("application/x-www-form-urlencoded", &format!("a={text}"));
    assert_eq!(seen(cards, &form(&none)), (None, None));
    assert_eq!(seen(cards, &form(&format!("{none}4111111111111111"))).0, Some(Verdict::Deny(403)));
}

#[test]
fn every_header_of_an_answer_is_looked_at() {
    let engine = engine("SecRule RESPONSE_HEADERS:X-Last \"@rx leak\" \"id:1,phase:3,deny\"").expect("rules");
    let mut transaction = Transaction::new(&engine, &Arc::new(Collections::new(1)), context());
    run(&mut transaction, &get("/"));
    let mut headers: Vec<(&[u8], &[u8])> = vec![(b"X-Other", b"1"); 500];
    headers.push((b"X-Last", b"leak"));
    assert_eq!(transaction.response_head(200, b"HTTP/1.1", &headers), Some(Verdict::Deny(403)));
}
