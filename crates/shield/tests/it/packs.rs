//! The packs of rules as such: their numbers, their sums, and the exclusions for applications.

use crate::conformance::{context, run};
use crate::decisions::{Row, core_with, pack_with, report, report_of, rows};
use crate::folder::{Folder, core_rules};
use shield::message::Request;
use shield::{Collections, Engine, Head, Texts, Transaction, Verdict};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

fn home() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

fn confs(folder: &str) -> Vec<(String, String)> {
    let mut files: Vec<_> = std::fs::read_dir(home().join(folder))
        .expect("a folder")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "conf"))
        .collect();
    files.sort();
    let name = |path: &Path| path.file_stem().expect("a name").to_string_lossy().into_owned();
    files.iter().map(|path| (name(path), std::fs::read_to_string(path).expect("text"))).collect()
}

/// The numbers behind `mark` in a text, up to the first sign that is no digit.
fn numbers(text: &str, mark: &str) -> Vec<u32> {
    let rules = text.lines().filter(|line| !line.trim_start().starts_with('#'));
    let found = rules.flat_map(|line| line.split(mark).skip(1));
    found.filter_map(|rest| rest.split(|sign: char| !sign.is_ascii_digit()).next()?.parse().ok()).collect()
}

#[test]
fn each_rule_has_a_number_of_its_own_in_its_range() {
    let ranges = [("rules", 10_000..17_000), ("profiles", 19_000..20_000), ("profiles/apps", 18_000..19_000)];
    let mut seen = BTreeMap::new();
    for (folder, range) in ranges {
        for (name, text) in confs(folder) {
            for id in numbers(&text, "\"id:") {
                assert!(range.contains(&id), "{folder}/{name}: {id}");
                assert_eq!(seen.insert(id, name.clone()), None, "{folder}/{name}: {id}");
            }
        }
    }
    assert!(seen.len() > 180, "{}", seen.len());
}

/// A sign that no sum asks for would be a rule without effect.
#[test]
fn each_weak_sign_is_summed_once() {
    let all: String = confs("rules").into_iter().map(|(_, text)| text).collect();
    let set: Vec<&str> =
        all.split("setvar:'tx.sign_").skip(1).filter_map(|rest| rest.split('=').next()).collect();
    assert!(set.len() > 15, "{}", set.len());
    for sign in set {
        assert_eq!(all.matches(&format!("=+%{{tx.sign_{sign}}}")).count(), 1, "{sign}");
    }
}

fn app_rows(name: &str) -> Vec<Row> {
    let file = home().join("tests/decisions/apps").join(format!("{name}.jsonl"));
    let text = std::fs::read_to_string(&file).expect("a corpus for each application");
    text.lines().map(|line| serde_json::from_str(line).expect("a row")).collect()
}

/// What an application's users send passes with its exclusions, an attack beside them is refused, and the exclusions are
/// needed: without them some of it does not pass.
#[test]
fn exclusions_let_applications_work_and_nothing_else() {
    let crs = core_rules();
    for (name, _) in confs("profiles/apps") {
        let file = home().join("profiles/apps").join(format!("{name}.conf")).display().to_string();
        let rows = app_rows(&name);
        assert!(rows.iter().any(Row::is_attack) && rows.len() > 2, "{name}");
        let mut engines = vec![(pack_with(1, &file), pack_with(1, ""))];
        if let Some(crs) = &crs {
            engines.push((core_with(crs, 1, &file), core_with(crs, 1, "")));
        }
        for (with, without) in engines {
            let mut needed = 0;
            for row in &rows {
                let seen = report(&with, row);
                let rules: Vec<_> = seen.matched.iter().map(|matched| matched.rule).collect();
                assert_eq!(
                    seen.verdict.is_some(),
                    row.is_attack(),
                    "{name}: {} {} {rules:?}",
                    row.id,
                    row.note
                );
                needed += usize::from(report(&without, row).verdict.is_some() != row.is_attack());
            }
            assert!(needed > 0, "{name}");
        }
    }
}

#[test]
fn every_verdict_of_the_oracle_belongs_to_a_row() {
    let text = std::fs::read_to_string(home().join("tests/decisions/verdicts.jsonl")).expect("verdicts");
    let mut ids = Vec::new();
    for line in text.lines() {
        let verdict: serde_json::Value = serde_json::from_str(line).expect("a verdict");
        assert_eq!(verdict["refused"].as_array().map(Vec::len), Some(4), "{line}");
        assert_eq!(verdict["score"].as_array().map(Vec::len), Some(4), "{line}");
        ids.push(verdict["id"].as_str().expect("an id").to_owned());
    }
    let folders = ["attacks", "benign", "holdout/attacks", "holdout/benign", "responses"];
    let known: Vec<_> = folders.into_iter().flat_map(rows).map(|row| row.id).collect();
    assert_eq!(ids, known);
}

/// The strings of some length in a JSON document.
fn texts_of(value: &serde_json::Value, into: &mut Vec<String>) {
    match value {
        serde_json::Value::String(text) if text.len() > 30 => into.push(text.clone()),
        serde_json::Value::Array(all) => all.iter().for_each(|one| texts_of(one, into)),
        serde_json::Value::Object(all) => all.values().for_each(|one| texts_of(one, into)),
        _ => {}
    }
}

/// What people write about code passes in a field of a meaningless name too, once the host says that it holds text; attacks
/// that run where they are shown are refused there as before.
#[test]
fn a_field_declared_as_text_is_read_like_one_that_is_named_so() {
    let mut texts = Vec::new();
    for row in rows("benign").iter().filter(|row| row.is_technical()) {
        if let Ok(body) = serde_json::from_slice(&row.request().body) {
            texts_of(&body, &mut texts);
        }
    }
    assert!(texts.len() > 50, "{}", texts.len());
    let mut declared = Texts::default();
    declared.json("/zq9");
    let declared = Some(Arc::new(declared));
    let ask = |engine: &Arc<Engine>, text: &str, told: &Option<Arc<Texts>>| {
        let body = serde_json::json!({ "zq9": text }).to_string().into_bytes();
        let request = Request::new("POST", "/x")
            .with_header("Host", "app.example.test")
            .with_header("User-Agent", "Mozilla/5.0")
            .with_header("Accept", "*/*")
            .with_header("Content-Type", "application/json")
            .with_body(body);
        report_of(engine, &request, told.clone()).verdict.is_some()
    };
    let mut engines = vec![pack_with(1, "")];
    engines.extend(core_rules().map(|crs| core_with(&crs, 1, "")));
    for engine in engines {
        let refused =
            |told: &Option<Arc<Texts>>| texts.iter().filter(|text| ask(&engine, text, told)).count();
        let (with, without) = (refused(&declared), refused(&None));
        println!(
            "technical texts in a field of no name: {without} of {} refused, declared: {with}",
            texts.len()
        );
        assert!(with * 10 <= texts.len() && with < without, "{with} {without} of {}", texts.len());
        for attack in ["<script>alert(1)</script>", "<img src=x onerror=alert(1)>"] {
            assert!(ask(&engine, attack, &declared), "{attack}");
        }
    }
}

fn asked(content_type: &str, body: &[u8]) -> Request {
    Request::new("POST", "/x")
        .with_header("Host", "app.example.test")
        .with_header("User-Agent", "Mozilla/5.0")
        .with_header("Accept", "*/*")
        .with_header("Content-Type", content_type)
        .with_body(body.to_vec())
}

/// Both sets as they run in the gateway.
fn sets() -> Vec<(&'static str, Arc<Engine>)> {
    let mut engines = vec![("pack", pack_with(1, ""))];
    engines.extend(core_rules().map(|crs| ("CRS", core_with(&crs, 1, ""))));
    engines
}

fn part(disposition: &str, content: &str) -> String {
    format!("--B\r\n{disposition}\r\n\r\n{content}\r\n--B--\r\n")
}

/// What an app may read, whatever the type says.
#[test]
fn a_type_does_not_hide_what_an_app_may_read() {
    let json = r#"{"id":"1' UNION SELECT password FROM users-- "}"#.as_bytes();
    let escaped = br#"{"id":"1\u0027 UNION SELECT password FROM users-- "}"#;
    let form = "Content-Disposition: form-data; name=\"id\"";
    let mut attacks: Vec<(&str, Vec<u8>)> = Vec::new();
    for kind in [
        "image/png",
        "application/octet-stream",
        "video/mp4",
        "font/woff",
        "application/pdf",
        "application/zip",
    ] {
        attacks.push((kind, json.to_vec()));
        attacks.push((kind, b"1' UNION SELECT password FROM users-- ".to_vec()));
    }
    for kind in ["text/plain", "application/x-www-form-urlencoded", "image/png", "text/csv"] {
        attacks.push((kind, escaped.to_vec()));
        attacks.push((kind, [b"\xef\xbb\xbf \n", &escaped[..]].concat()));
    }
    for kind in ["related", "mixed", "alternative", "x-own"] {
        let kind = match kind {
            "related" => "multipart/related; boundary=B",
            "mixed" => "multipart/mixed; boundary=B",
            "alternative" => "Multipart/Alternative; boundary=\"B\"",
            _ => "multipart/x-own; boundary=B",
        };
        for attack in ["x' or '1'='1", "admin'-- ", "1 UNION SELECT 1,2 FROM users"] {
            attacks.push((kind, part(form, attack).into_bytes()));
        }
    }
    for body in [r#"{"username":"admin","password":{"$nin":[]}}"#, r#"{"password":{"$ne":{}}}"#] {
        attacks.push(("application/json", body.as_bytes().to_vec()));
    }
    // What lenient readers take, and a strict one gives up at.
    let hidden = r#""id":"\u0031\u0027 \u006f\u0072 \u0027\u0031\u0027\u003d\u0027\u0031"}"#;
    for kind in ["application/x-www-form-urlencoded", "text/plain", "application/octet-stream", "image/png"] {
        for begin in [&br#"{"x":NaN,"#[..], b"{\"x\":\"\xff\",", b"/* one */ {", b"1 {", b"[[[{"] {
            attacks.push((kind, [begin, hidden.as_bytes()].concat()));
        }
    }
    let id = part(form, "x' or '1'='1");
    for before in [
        "--B\r\nContent-Type: text/plain\r\n\r\nno name\r\n",
        "--B\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nx--B y\r\n",
        "--B\r\nContent-Disposition: form-data; name=a name=b\r\n\r\nx\r\n",
        "--B--\r\n",
    ] {
        attacks.push(("multipart/mixed; boundary=B", [before, &id].concat().into_bytes()));
    }
    let blob = "Content-Disposition: form-data; name=\"d\"; filename=\"blob\"\r\nContent-Type:";
    for kind in ["application/json", "application/octet-stream", "text/plain"] {
        let head = format!("{blob} {kind}");
        attacks.push((
            "multipart/form-data; boundary=B",
            part(&head, &format!("{{\"x\":NaN,{hidden}")).into_bytes(),
        ));
    }
    let utf7 = "id=1%2BACc-+or+%2BACc-1%2BACc-%3D%2BACc-1";
    attacks.push(("application/x-www-form-urlencoded; charset*=utf-8''utf-7", utf7.as_bytes().to_vec()));
    let marked: Vec<u8> = format!("\u{feff} {}", String::from_utf8_lossy(json))
        .encode_utf16()
        .flat_map(u16::to_be_bytes)
        .collect();
    attacks.push(("application/octet-stream", marked));
    let utf16: Vec<u8> = String::from_utf8_lossy(json).encode_utf16().flat_map(u16::to_le_bytes).collect();
    attacks.push(("image/png", utf16));
    for (set, engine) in sets() {
        for (kind, body) in &attacks {
            let seen = report_of(&engine, &asked(kind, body), None);
            assert!(seen.verdict.is_some(), "{set}: {kind}: {}", body.escape_ascii());
        }
        let cookie = asked("text/plain", b"x")
            .with_header("Cookie", r#"a="1\047 \125NION \123ELECT password FROM users-- -""#);
        assert!(report_of(&engine, &cookie, None).verdict.is_some(), "{set}: a cookie in quotation marks");
    }
}

#[test]
fn what_is_of_its_type_passes() {
    let picture = [b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR' or 1=1 --", &[0; 64][..]].concat();
    let related = "--B\r\nContent-Type: application/json; charset=UTF-8\r\n\r\n{\"name\":\"plan.pdf\"}\r\n\
        --B\r\nContent-Type: application/pdf\r\n\r\n%PDF-1.7 (O'Brien) obj << >>\0\x01\r\n--B--\r\n";
    let dicom = [b"--B\r\nContent-Type: application/dicom\r\n\r\n", &picture[..], b"\r\n--B--\r\n"].concat();
    let upload =
        "Content-Disposition: form-data; name=\"file\"; filename=\"a.txt\"\r\nContent-Type: text/plain";
    let fine: Vec<(&str, Vec<u8>)> = vec![
        ("image/png", picture),
        ("application/octet-stream", b"one two three".to_vec()),
        ("text/markdown", b"[Plan](https://example.org/plan) and {braces}\n\nMore.".to_vec()),
        ("text/plain", b"\"Quoted\", she said, and left.".to_vec()),
        ("text/csv", b"\"name\",\"town\"\n\"O'Brien\",\"Cork\"\n".to_vec()),
        ("multipart/related; boundary=B", related.as_bytes().to_vec()),
        ("multipart/related; type=\"application/dicom\"; boundary=B", dicom),
        ("text/plain", format!("[{}1]", "1,".repeat(1_500)).into_bytes()),
        ("application/octet-stream", format!("{{\"a\":[{}\"x\"]}}", "\"word\",".repeat(1_500)).into_bytes()),
        ("multipart/form-data; boundary=\"B\"", part(upload, "some text").into_bytes()),
        ("application/json", br#"{"filter":{},"tags":[],"name":"Vogelsang"}"#.to_vec()),
    ];
    for (set, engine) in sets() {
        for (kind, body) in &fine {
            let seen = report_of(&engine, &asked(kind, body), None);
            let rules: Vec<_> = seen.matched.iter().filter(|one| one.logged).map(|one| one.rule).collect();
            assert!(seen.verdict.is_none(), "{set}: {kind}: {rules:?}: {}", body.escape_ascii());
        }
    }
}

/// Reading closely refuses no more of what people and apps send.
#[test]
fn reading_closely_refuses_nothing_more_of_the_benign_corpus() {
    let benign = rows("benign");
    for (set, engine) in sets() {
        let refused = |closely: bool| -> Vec<&str> {
            let is_refused = |row: &&Row| match closely {
                true => report_of(&engine, &row.request(), None).verdict.is_some(),
                false => report(&engine, row).verdict.is_some(),
            };
            benign.iter().filter(is_refused).map(|row| &*row.id).collect()
        };
        let (plain, closely) = (refused(false), refused(true));
        let more: Vec<_> = closely.iter().filter(|id| !plain.contains(id)).collect();
        assert!(more.len() <= 2, "{set}: {more:?}");
    }
}

const CUT: &str = r#"SecRuleEngine On
SecRequestBodyAccess On
SecRequestBodyLimitAction ProcessPartial
SecRule MULTIPART_STRICT_ERROR "!@eq 0" "id:1,phase:2,deny"
SecRule ARGS "@contains UNION" "id:2,phase:2,deny"
"#;

/// A long upload of which the beginning is looked at has no end there, and is not refused for that.
#[test]
fn a_form_that_was_cut_is_looked_at_and_no_more() {
    let texts = vec![("cut.conf".to_owned(), CUT.to_owned())];
    let engine = Arc::new(Engine::load(&Folder { texts }, &["cut.conf".to_owned()], 1).expect("rules"));
    let form = "--B\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n";
    for (text, closely, by) in
        [("long", true, None), ("long", false, Some(1)), ("1 UNION SELECT 1", true, Some(2))]
    {
        let body = format!("{form}{text}\r\n{form}{}", "some more words ".repeat(100));
        let request = asked("multipart/form-data; boundary=B", body.as_bytes());
        let headers: Vec<(&[u8], &[u8])> =
            request.headers.iter().map(|(name, value)| (&name[..], &value[..])).collect();
        let mut transaction = Transaction::new(&engine, &Arc::new(Collections::new(4)), context());
        if closely {
            transaction = transaction.reading_closely();
        }
        let head = Head { method: b"POST", target: b"/x", protocol: b"HTTP/1.1", headers: &headers };
        transaction.request_head(&head);
        transaction.request_body(body.as_bytes(), false);
        assert_eq!(transaction.report().by, by, "{text}, {closely}");
    }
}

/// The score and the verdict of an answer that comes in these windows.
fn answered(engine: &Arc<Engine>, windows: &[&str]) -> (i64, Option<Verdict>) {
    let mut transaction = Transaction::new(engine, &Arc::new(Collections::new(1)), context());
    run(
        &mut transaction,
        &Request::new("GET", "/").with_header("Host", "app.example").with_header("User-Agent", "Test/1"),
    );
    let headers: [(&[u8], &[u8]); 2] = [(b"Content-Type", b"text/html"), (b"X-Powered-By", b"PHP/8.1")];
    let mut verdict = transaction.response_head(200, b"HTTP/1.1", &headers);
    for (at, window) in windows.iter().enumerate() {
        if verdict.is_none() {
            verdict = transaction.response_window(window.as_bytes(), at + 1 == windows.len());
        }
    }
    (transaction.finish().outbound_score, verdict)
}

/// A sign that is too weak to hold an answer back is no stronger in a long answer than in a short one.
#[test]
fn an_answer_has_one_score_whatever_its_windows() {
    const KEY: &str = "-----BEGIN PRIVATE KEY-----";
    let mut engines = vec![pack_with(2, "")];
    engines.extend(core_rules().map(|crs| core_with(&crs, 2, "")));
    for (at, engine) in engines.iter().enumerate() {
        let (weak, held) = answered(engine, &["a page"]);
        assert_eq!(held, None);
        assert_eq!(answered(engine, &["a", "long", "page", "in", "pieces"]), (weak, None), "{at}");
        if at == 0 {
            assert!(weak > 0, "there is a weak sign");
            let (strong, held) = answered(engine, &[KEY]);
            assert!(strong > weak && held.is_some(), "{strong} {held:?}");
            assert_eq!(
                answered(engine, &["a page", "with", KEY, KEY]),
                (strong, held),
                "the key counts once, in whatever window"
            );
        }
    }
}
