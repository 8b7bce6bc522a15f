//! The shield: text of rules, bodies, transformations, whole transactions.

use ::shield::body::{Limits, Parsed, Processor};
use ::shield::message::Request;
use ::shield::transform::Transformation;
use ::shield::{Collections, Context, Engine, Files, Head, Transaction};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, OnceLock};

/// Text of rules, read; and compiled, if it is short.
#[must_use]
pub fn seclang(bytes: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(bytes) else { return false };
    let (statements, faults) = ::shield::seclang::parse("fuzz.conf", text);
    assert!(
        statements.len() + faults.len() <= text.lines().count(),
        "a line gives one statement or one fault"
    );
    if text.len() < 2_000 {
        let _ = Engine::load(&One(text.to_owned()), &["fuzz.conf".to_owned()], 1);
    }
    faults.is_empty() && !statements.is_empty()
}

/// Seeds of [`seclang`].
#[must_use]
pub fn seclang_seeds() -> Vec<Vec<u8>> {
    [
        "SecRule ARGS|!ARGS:x|&TX:a \"@rx ^a\\d+(?i:b)[[:alpha:]]\" \\\n  \"id:1,phase:2,deny,status:403,t:none,t:urlDecodeUni,capture,chain\"\nSecRule TX:1 \"@pm a b\" \"setvar:'tx.n=+%{tx.m}'\"\n",
        "SecMarker END\nSecAction \"id:2,phase:1,pass,ctl:ruleRemoveTargetById=1;ARGS:note,initcol:ip=%{REMOTE_ADDR}\"\n",
        "SecDefaultAction \"phase:1,log,pass\"\nSecRuleUpdateTargetById 1-9 \"!REQUEST_COOKIES:/^s/\"\nSecRuleEngine On\n",
    ]
    .map(|text| text.as_bytes().to_vec())
    .to_vec()
}

/// A file of rules, and no other.
struct One(String);

impl Files for One {
    fn read(&self, name: &str) -> Option<Vec<u8>> {
        (name == "fuzz.conf").then(|| self.0.clone().into_bytes())
    }

    fn data(&self, _: &str, _: &str) -> Option<Vec<u8>> {
        None
    }

    fn matching(&self, _: &str, _: &str) -> Vec<String> {
        Vec::new()
    }
}

const CONTENT_TYPE: &[u8] = b"multipart/form-data; boundary=B";

fn parsed(processor: Processor, bytes: &[u8]) -> Parsed {
    let limits = Limits::default();
    let parsed = processor.parse(bytes, CONTENT_TYPE, &limits);
    assert!(
        parsed.args.len() <= limits.arguments && parsed.args.size() <= limits.argument_bytes,
        "limits hold"
    );
    for file in &parsed.files {
        assert!(
            file.content.end <= bytes.len() && file.content.start <= file.content.end,
            "a file lies in the body"
        );
    }
    parsed
}

/// A body of each kind.
#[must_use]
pub fn bodies(bytes: &[u8]) -> bool {
    let all =
        [Processor::Urlencoded, Processor::Multipart, Processor::Json, Processor::JsonLines, Processor::Xml];
    all.map(|processor| parsed(processor, bytes).error.is_none()).contains(&true)
}

/// Seeds of [`bodies`].
#[must_use]
pub fn bodies_seeds() -> Vec<Vec<u8>> {
    [
        "a=1&b=%41+c&=x&%zz",
        "{\"a\":[{\"b\":1.5e3},null,\"\\u00e9\"]}",
        "1\n{\"a\":2}\n",
        "<?xml version='1.0'?><a b='c'>t&amp;<![CDATA[x]]></a>",
        "--B\r\nContent-Disposition: form-data; name=\"f\"; filename=\"a.txt\"\r\nContent-Type: text/plain\r\n\r\nhello\r\n--B--\r\n",
    ]
    .map(|text| text.as_bytes().to_vec())
    .to_vec()
}

/// Each transformation, over the same value.
#[must_use]
pub fn transformations(bytes: &[u8]) -> bool {
    let mut any = false;
    for transformation in Transformation::ALL {
        let mut out = b"before".to_vec();
        let changed = transformation.apply(bytes, &mut out);
        assert!(out.starts_with(b"before"), "{}: what stands there stays", transformation.name());
        assert!(
            changed || out.len() == 6,
            "{}: nothing is added where nothing changes",
            transformation.name()
        );
        assert!(out.len() <= 6 + 40 + bytes.len() * 8, "{}: the result is bounded", transformation.name());
        any |= changed;
    }
    any
}

/// Seeds of [`transformations`].
#[must_use]
pub fn transformations_seeds() -> Vec<Vec<u8>> {
    [
        "%u0041%41+A",
        "&lt;&#x41;",
        "\\x41\\u0041\\101",
        "YWJj",
        "/a/../b\\c",
        "a /* b */ -- c",
        "\u{ff1c}",
        "c^md\" /c",
    ]
    .map(|text| text.as_bytes().to_vec())
    .to_vec()
}

const RULES: &str = r#"
SecRule ARGS|ARGS_NAMES|REQUEST_COOKIES|REQUEST_HEADERS|XML:/*|REQUEST_BODY "@rx (?i)union\s+(all\s+)?select" "id:1,phase:2,pass,capture,t:none,t:urlDecodeUni,t:htmlEntityDecode,setvar:tx.n=+1"
SecRule ARGS|REQUEST_URI "@pm ../ <script /etc/passwd" "id:2,phase:2,pass,multiMatch,t:none,t:urlDecode,t:jsDecode,t:normalizePath,chain"
  SecRule MATCHED_VARS "!@rx ^$" "setvar:tx.%{MATCHED_VAR_NAME}=%{MATCHED_VAR}"
SecRule ARGS|REQUEST_COOKIES "@detectSQLi" "id:3,phase:2,pass,t:none,t:utf8toUnicode,t:urlDecodeUni"
SecRule ARGS|REQUEST_HEADERS "@detectXSS" "id:4,phase:2,pass,t:none,t:cssDecode"
SecRule REQUEST_HEADERS|ARGS "@validateByteRange 32-126" "id:5,phase:2,pass"
SecRule FILES|MULTIPART_PART_HEADERS "@rx \.(php|jsp)" "id:6,phase:2,pass,t:lowercase"
SecRule RESPONSE_BODY "@rx (?i)sql syntax" "id:7,phase:4,pass"
SecRule &ARGS "@gt 5" "id:8,phase:2,pass"
SecRule ARGS:/^a/ "@validateUtf8Encoding" "id:9,phase:2,pass,t:base64Decode"
SecRule TX:n "@ge 3" "id:10,phase:2,deny"
"#;

fn engine() -> &'static Arc<Engine> {
    static ENGINE: OnceLock<Arc<Engine>> = OnceLock::new();
    ENGINE.get_or_init(|| {
        let loaded = Engine::load(&One(RULES.to_owned()), &["fuzz.conf".to_owned()], 1);
        Arc::new(loaded.unwrap_or_else(|faults| panic!("{}", faults[0])))
    })
}

fn inspect(request: &Request, sift: bool) -> ::shield::Report {
    let local = IpAddr::V4(Ipv4Addr::LOCALHOST);
    let context = Context {
        client: local,
        client_port: 1,
        server: local,
        server_port: 443,
        id: "fuzz".into(),
        now: 1_790_000_000,
    };
    let mut transaction = Transaction::new(engine(), &Arc::new(Collections::new(4)), context);
    if !sift {
        transaction = transaction.without_sifting();
    }
    let headers: Vec<(&[u8], &[u8])> =
        request.headers.iter().map(|(name, value)| (&**name, &**value)).collect();
    let head = Head {
        method: &request.method,
        target: &request.uri,
        protocol: &request.protocol,
        headers: &headers,
    };
    if transaction.request_head(&head).is_none() && transaction.request_body(&request.body, true).is_none() {
        let _ = transaction.response_head(200, b"HTTP/1.1", &[(b"Content-Type", b"text/html")]);
        let _ = transaction.response_window(&request.body, true);
    }
    transaction.finish()
}

/// A whole request, and the same without sifting.
#[must_use]
pub fn transaction(bytes: &[u8]) -> bool {
    let Ok(request) = ::shield::ftw::wire::parse(bytes) else { return false };
    let sifted = inspect(&request, true);
    assert_eq!(sifted, inspect(&request, false), "sifting loses nothing");
    true
}

/// Seeds of [`transaction`].
#[must_use]
pub fn transaction_seeds() -> Vec<Vec<u8>> {
    [
        "GET /a/../b?a=1&b=union%20select HTTP/1.1\r\nHost: x\r\nCookie: s=1; t=<script>\r\n\r\n",
        "POST /x HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 23\r\n\r\na=1'+or+1=1--&b=%3Cscri",
        "POST /x HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 23\r\n\r\n{\"a\":[\"UNION SELECT\",1]}",
        "POST /x HTTP/1.1\r\nHost: x\r\nContent-Type: text/xml\r\nContent-Length: 16\r\n\r\n<a b='c'>sql</a>",
    ]
    .map(|text| text.as_bytes().to_vec())
    .to_vec()
}
