use super::*;

const RULES: &str = r#"SecRuleEngine DetectionOnly
SecRequestBodyAccess On
SecRule REQUEST_HEADERS:Content-Type "@beginsWith text/xml" "id:1,phase:1,pass,log,ctl:requestBodyProcessor=XML"
SecRule ARGS|REQUEST_BODY "@contains name=" "id:2,phase:2,pass,log,t:none"
SecRule ARGS "@rx ^a.b$" "id:3,phase:2,pass,log,t:none"
SecRule ARGS "@streq '" "id:4,phase:2,pass,log,t:none,t:urlDecodeUni"
SecRule XML:/* "@streq b" "id:5,phase:2,pass,log,t:none"
SecRule ARGS "@pmFromFile list.data" "id:6,phase:2,pass,log,t:none"
SecRule ARGS "@detectSQLi" "id:942100,phase:2,pass,log,t:none"
SecRule REQUEST_FILENAME "@contains ://" "id:8,phase:1,pass,log,t:none"
SecRule REQUEST_FILENAME "@endsWith c" "id:12,phase:1,pass,log,t:none"
SecRule ARGS "@streq content" "id:9,phase:2,pass,log,t:none"
SecRule ARGS "@detectXSS" "id:941100,phase:2,pass,log,t:none"
SecRule ARGS "@contains b-c!" "id:11,phase:2,pass,log,t:none,t:base64Decode,t:lowercase"
SecRule REQUEST_COOKIES "@streq hidden" "id:10,phase:2,pass,log,t:none"
SecRule REQUEST_METHOD "@streq POST" "id:949110,phase:5,pass,log,t:none"
"#;

/// The reasons for whatever the two do not agree on; an empty list when they agree.
fn reasons(request: &Request) -> Option<Vec<&'static str>> {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("list.data"), "config.ini\n/sys/\nvar/cpanel\n").expect("written");
    let name = folder.path().join("t.conf").display().to_string();
    let texts = [RuleText { name, text: RULES.to_owned() }];
    let mut judge = Judge::load(&texts, true).expect("rules");
    let found = judge.plain.run(request, true).expect("found");
    let oracle: BTreeSet<u64> = found.oracle.difference(&found.engine).copied().collect();
    let engine: BTreeSet<u64> = found.engine.difference(&found.oracle).copied().collect();
    if oracle.is_empty() && engine.is_empty() {
        return Some(Vec::new());
    }
    let reasons = judge.reasons(request, &oracle, &engine).expect("reasons");
    reasons.map(|reasons| reasons.into_iter().collect())
}

fn get(target: &str) -> Request {
    Request::new("GET", target).with_header("Host", "app.example")
}

fn multipart(disposition: &str, content: &str) -> Request {
    let body = format!("--B\r\nContent-Disposition: form-data; {disposition}\r\n\r\n{content}\r\n--B--\r\n");
    let kind = "multipart/form-data; boundary=B";
    Request::new("POST", "/?x=1").with_header("Content-Type", kind).with_body(body)
}

#[test]
fn each_reason_proves_itself_on_its_own_kind() {
    let xml = Request::new("POST", "/?x=1").with_header("Content-Type", "text/xml");
    let xml = xml.with_body("<r><a>a</a><a>b</a></r>");
    for (request, expected) in [
        (multipart("name=\"a\"", "x"), "request-body"),
        (get("/?a=%25u2019"), "map"),
        (xml, "xml-pieces"),
        (get("/?a=var/config.ini"), "phrases"),
        (get("http://app.example/a?x=1"), "absolute-target"),
        (get("/a%3Fc?x=1"), "escaped-mark"),
        (get("/?a=%20onabc=%20x"), "event-names"),
        (get("/?a=b-c!"), "base64"),
        (get("/?a=1.e(ascii%201.e(substring(1.e(select%20x%20from%20y)))=70%20or'1'='2"), "exponent"),
    ] {
        assert_eq!(reasons(&request), Some(vec![expected]), "{request:?}");
    }
}

#[test]
fn a_request_may_have_several_reasons() {
    let lines = multipart("name=\"a\"", "a\nb");
    assert_eq!(reasons(&lines), Some(vec!["line-ends", "request-body"]));
    let doubtful = multipart("name=\"a\"; filename=\"a\\\"b\"", "content");
    assert_eq!(reasons(&doubtful), Some(vec!["doubtful-part", "request-body"]));
}

#[test]
fn what_no_reason_proves_stays_unexplained() {
    // The oracle leaves out a cookie without a name; that is in no row of the table.
    assert_eq!(reasons(&get("/").with_header("Cookie", "=hidden")), None);
    assert_eq!(reasons(&get("/").with_header("Cookie", "a=hidden")), Some(Vec::new()));
}

#[test]
fn scores_alone_explain_nothing() {
    let texts = [RuleText { name: "t.conf".into(), text: "SecRuleEngine On\n".into() }];
    let mut judge = Judge::load(&texts, true).expect("rules");
    let found = judge.reasons(&get("/"), &BTreeSet::from([949_110]), &BTreeSet::new());
    assert_eq!(found, Ok(None));
}
