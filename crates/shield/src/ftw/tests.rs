//! Whole files of cases, from text to verdict.

use super::*;
use crate::message::Fields;

const FILE: &str = r#"---
meta:
  author: "somebody"
rule_id: 942100
tests:
  - test_id: 1
    desc: "A form whose author wrote it plainly"
    stages:
      - input:
          dest_addr: "127.0.0.1"
          port: 80
          method: "POST"
          uri: "/post?x=1"
          headers:
            User-Agent: "tester"
            Host: "localhost"
          data: "a=1' or '1&b"
          version: "HTTP/1.0"
        output:
          log:
            expect_ids: [942100]
  - test_id: 7
    stages:
      - input:
          headers:
            Host: localhost
            X-Number: 17
        output:
          log:
            no_expect_ids: [942100]
      - input:
          uri: "/second"
        output:
          log:
            match_regex: 'ARGS:a'
"#;

fn one(yaml: &str) -> Case {
    let mut cases = read(yaml).expect("a file of cases");
    assert_eq!(cases.len(), 1);
    cases.remove(0)
}

/// A file of one case with the given `input` and `output`, each a mapping in flow style.
fn case(input: &str, output: &str) -> Case {
    one(&format!("rule_id: 1\ntests: [{{stages: [{{input: {input}, output: {output}}}]}}]"))
}

fn request(input: &str) -> Request {
    case(input, "{}").stages[0].request().expect("a request")
}

fn names(headers: &Fields) -> Vec<&str> {
    headers.iter().map(|(name, _)| std::str::from_utf8(name).expect("text")).collect()
}

fn found(ids: &[u64], log: Option<&str>) -> Observed {
    Observed { ids: ids.iter().copied().collect(), log: log.map(str::to_owned) }
}

#[test]
fn a_file_is_read_with_its_defaults() {
    let cases = read(FILE).expect("a file of cases");
    assert_eq!(cases.iter().map(ToString::to_string).collect::<Vec<_>>(), ["942100-1", "942100-7"]);
    assert_eq!(cases[0].description, "A form whose author wrote it plainly");
    let [first, second] = cases[1].stages.as_slice() else { panic!("two stages") };
    assert_eq!(
        (first.input.method.as_str(), first.input.uri.as_str(), first.input.version.as_str()),
        ("GET", "/", "HTTP/1.1")
    );
    assert_eq!(first.input.headers, [("Host".into(), "localhost".into()), ("X-Number".into(), "17".into())]);
    assert_eq!(second.expectation.match_regex.as_deref(), Some("ARGS:a"));
}

#[test]
fn comments_alone_are_no_case_and_a_case_needs_a_rule() {
    assert_eq!(read("# nothing\n"), Ok(Vec::new()));
    assert_eq!(read(""), Ok(Vec::new()));
    assert_eq!(read("tests: [{stages: []}]"), Err(ReadError::NoRule));
    assert!(matches!(read("rule_id: [1"), Err(ReadError::Yaml(_))));
    assert!(matches!(read("rule_id: x\ntests: [{stages: []}]"), Err(ReadError::Yaml(_))));
}

#[test]
fn tests_without_a_number_count_from_one() {
    let cases = read("rule_id: 5\ntests: [{stages: []}, {stages: []}]").expect("cases");
    assert_eq!(cases.iter().map(|case| case.test_id).collect::<Vec<_>>(), [1, 2]);
}

#[test]
fn a_form_is_encoded_and_its_fields_are_added() {
    let request = read(FILE).expect("cases")[0].stages[0].request().expect("a request");
    assert_eq!(request.body, b"a=1%27+or+%271&b");
    assert_eq!(
        names(&request.headers),
        ["Host", "User-Agent", "Content-Type", "Connection", "Content-Length"]
    );
    assert_eq!(request.header(b"content-type"), Some(b"application/x-www-form-urlencoded".as_slice()));
    assert_eq!(request.header(b"content-length"), Some(b"16".as_slice()));
    assert_eq!((&*request.uri, &*request.protocol), (&b"/post?x=1"[..], &b"HTTP/1.0"[..]));
    assert_eq!(request.response.map(|response| response.status), Some(200));
}

#[test]
fn fields_that_are_there_stay() {
    let request = request(
        r#"{method: POST, headers: {connection: keep-alive, Content-length: 2, Content-Type: text/plain}, data: "a b"}"#,
    );
    assert_eq!(names(&request.headers), ["Content-Type", "Content-length", "connection"]);
    assert_eq!(request.body, b"a ");
}

#[test]
fn a_length_is_added_to_methods_with_a_body() {
    for (method, added) in [("POST", true), ("PUT", true), ("PATCH", true), ("DELETE", true), ("GET", false)]
    {
        let request = request(&format!("{{method: {method}}}"));
        assert_eq!(request.header(b"content-length").is_some(), added, "{method}");
    }
}

#[test]
fn nothing_is_added_where_the_case_says_so() {
    for input in ["{autocomplete_headers: false, data: 'a b'}", "{stop_magic: true, data: 'a b'}"] {
        let case = case(input, "{}");
        assert_eq!(case.stages[0].input.bytes().expect("bytes"), b"GET / HTTP/1.1\r\n\r\na b");
    }
    // The newer name counts.
    assert!(case("{autocomplete_headers: true, stop_magic: true}", "{}").stages[0].input.autocomplete);
}

#[test]
fn lines_of_a_multipart_body_end_in_crlf() {
    let request =
        request(r#"{headers: {Content-Type: "Multipart/form-data; boundary=x"}, data: "--x\n\n--x--\n"}"#);
    assert_eq!(request.body, b"--x\r\n\r\n--x--\r\n");
}

#[test]
fn an_order_of_fields_is_kept() {
    let request =
        request("{ordered_headers: [{name: B, value: 1}, {name: A, value: 2}, {name: B, value: 3}]}");
    assert_eq!(names(&request.headers), ["B", "A", "B", "Connection"]);
}

#[test]
fn an_encoded_request_stands_for_all() {
    let request = request("{method: POST, uri: /x, encoded_request: R0VUIC95IEhUVFAvMS4xDQpBOiBiDQoNCg==}");
    assert_eq!((&*request.method, &*request.uri), (&b"GET"[..], &b"/y"[..]));
    assert_eq!(names(&request.headers), ["A"]);
}

#[test]
fn what_cannot_be_built_is_skipped() {
    let broken = case("{data: '{{ env }}'}", "{log: {expect_ids: [1]}}");
    let verdict = broken.run(|_| panic!("nothing to inspect"));
    assert_eq!(verdict, Verdict::Skipped(Skip::Unbuildable(Unbuildable::Template)));
}

#[test]
fn ids_are_judged() {
    let case = case("{}", "{status: 200, log: {expect_ids: [1, 2], no_expect_ids: [3]}}");
    assert!(case.is_judged_by_ids());
    assert_eq!(case.run(|_| Ok(found(&[1, 2, 4], None))), Verdict::Passed);
    assert_eq!(
        case.run(|_| Ok(found(&[2, 3], None))),
        Verdict::Failed(vec![Cause::Missing(1), Cause::Unexpected(3)])
    );
    assert_eq!(case.run(|_| Err("no".to_owned())), Verdict::Failed(vec![Cause::Engine("no".to_owned())]));
}

#[test]
fn a_rule_may_have_to_match_alone() {
    let case = case("{}", "{isolated: true, log: {expect_ids: [1]}}");
    assert_eq!(case.run(|_| Ok(found(&[1], None))), Verdict::Passed);
    assert_eq!(case.run(|_| Ok(found(&[1, 9], None))), Verdict::Failed(vec![Cause::NotAlone(vec![9])]));
}

#[test]
fn patterns_are_held_against_single_lines() {
    let wanted = case("{}", r#"{log: {match_regex: 'id "1".*found within ARGS:\w+'}}"#);
    assert!(!wanted.is_judged_by_ids());
    let line = "[id \"1\"] [data \"found within ARGS:a\"]";
    assert_eq!(wanted.run(|_| Ok(found(&[], Some(line)))), Verdict::Passed);
    let parted = "[id \"1\"]\n[data \"found within ARGS:a\"]";
    assert!(matches!(wanted.run(|_| Ok(found(&[], Some(parted)))), Verdict::Failed(_)));
    assert_eq!(wanted.run(|_| Ok(found(&[], None))), Verdict::Skipped(Skip::NoLog));
    let unwanted = case("{}", "{log: {no_match_regex: 'ARGS'}}");
    assert_eq!(unwanted.run(|_| Ok(found(&[], Some("x\ny")))), Verdict::Passed);
    assert_eq!(
        unwanted.run(|_| Ok(found(&[], Some("x\nARGS")))),
        Verdict::Failed(vec![Cause::Line("ARGS".into())])
    );
    let broken = case("{}", "{log: {match_regex: '('}}");
    assert_eq!(broken.run(|_| Ok(found(&[], Some("")))), Verdict::Skipped(Skip::Pattern("(".into())));
}

#[test]
fn older_names_ask_for_ids_and_lines() {
    let case = case("{}", r#"{log_contains: 'id "5"', no_log_contains: 'within'}"#);
    let expectation = &case.stages[0].expectation;
    assert_eq!(expectation.expect_ids, [5]);
    assert_eq!(expectation.no_match_regex.as_deref(), Some("within"));
}

#[test]
fn what_only_a_server_can_answer_is_skipped() {
    assert_eq!(
        case("{}", "{status: 400}").run(|_| Ok(found(&[], None))),
        Verdict::Skipped(Skip::StatusOnly(400))
    );
    assert_eq!(
        case("{}", "{expect_error: true}").run(|_| Ok(found(&[], None))),
        Verdict::Skipped(Skip::ErrorOnly)
    );
    assert_eq!(case("{}", "{}").run(|_| Ok(found(&[], None))), Verdict::Skipped(Skip::Nothing));
    let ids = case("{version: ''}", "{expect_error: true, log: {expect_ids: [1]}}");
    assert_eq!(ids.run(|_| Ok(found(&[1], None))), Verdict::Passed);
}

#[test]
fn one_stage_that_fails_is_enough() {
    let cases = read(FILE).expect("cases");
    let log = Some("ARGS:a");
    assert_eq!(cases[1].run(|_| Ok(found(&[], log))), Verdict::Passed);
    let second_fails =
        cases[1].run(|request| Ok(found(&[], log.filter(|_| request.uri == b"/").or(Some("")))));
    assert!(matches!(second_fails, Verdict::Failed(_)), "{second_fails:?}");
    assert_eq!(cases[1].run(|_| Ok(found(&[], None))), Verdict::Skipped(Skip::NoLog));
}

#[test]
fn overrides_replace_expectations_or_set_aside() {
    let overrides = overrides::Overrides::read(
        "meta: {engine: x}\ntest_overrides:\n  - {rule_id: 1, test_ids: [1], reason: a, output: {log: {no_expect_ids: [1]}}}\n  \
         - {rule_id: 2, test_ids: [3], reason: broken}\n  - {rule_id: 4, output: {status: 400}}\n",
    )
    .expect("overrides");
    assert_eq!(overrides.len(), 3);
    let mut changed = case("{}", "{log: {expect_ids: [1]}}");
    assert!(overrides.apply(&mut changed));
    assert_eq!(changed.run(|_| Ok(found(&[], None))), Verdict::Passed);
    let mut aside = Case { rule_id: 2, test_id: 3, ..changed.clone() };
    assert!(overrides.apply(&mut aside));
    assert_eq!(aside.run(|_| panic!("not to be run")), Verdict::Skipped(Skip::SetAside("broken".into())));
    let mut untouched = Case { rule_id: 2, test_id: 4, ..changed.clone() };
    assert!(!overrides.apply(&mut untouched));
    let mut every = Case { rule_id: 4, test_id: 99, ..changed };
    assert!(overrides.apply(&mut every));
    assert_eq!(every.run(|_| Ok(found(&[], None))), Verdict::Skipped(Skip::StatusOnly(400)));
    assert!(overrides::Overrides::read("# nothing").expect("no overrides").is_empty());
}

#[test]
fn many_expansions_of_one_anchor_are_refused() {
    let mut text = String::from("rule_id: 1\nmeta: [&a [x, x, x, x, x, x, x, x]");
    for level in 0..12 {
        let (now, before) = (char::from(b'b' + level), char::from(b'a' + level));
        text.push_str(&format!(
            ", &{now} [*{before}, *{before}, *{before}, *{before}, *{before}, *{before}, *{before}]"
        ));
    }
    text.push_str("]\ntests: [{stages: []}]");
    assert!(matches!(read(&text), Err(ReadError::Yaml(_))));
}

proptest::proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in "[ -~\n]{0,200}") {
        let _ = read(&text);
        let _ = overrides::Overrides::read(&text);
    }

    #[test]
    fn any_pattern_and_line_are_judged(pattern in "[ -~]{0,30}", line in "[ -~\n]{0,60}") {
        let expectation = Expectation { match_regex: Some(pattern.clone()), ..Expectation::default() };
        let verdict = judge::judge(&expectation, &found(&[], Some(&line)));
        let is_pattern_fault = verdict == Verdict::Skipped(Skip::Pattern(pattern.clone()));
        let is_judged = matches!(&verdict, Verdict::Passed) || verdict == Verdict::Failed(vec![Cause::NoLine(pattern)]);
        proptest::prop_assert!(is_pattern_fault || is_judged, "{verdict:?}");
    }
}
