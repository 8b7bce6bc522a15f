//! Known answers are those of libmodsecurity 3.0.9 unless a comment says otherwise.

use proptest::prelude::*;
use serde_json::Value;

use super::*;

fn read(body: &[u8]) -> (String, Option<BodyError>) {
    let mut parsed = Parsed::default();
    json(body, &Limits::default(), &mut parsed);
    (text(&parsed), parsed.error)
}

fn text(parsed: &Parsed) -> String {
    let pairs =
        parsed.args.iter().map(|(name, value)| format!("{}={}", name.escape_ascii(), value.escape_ascii()));
    pairs.collect::<Vec<_>>().join(" ")
}

#[test]
fn names_and_values() {
    for (body, expected) in [
        (r#"{"a":1}"#, "json.a=1"),
        (
            r#" {"a":{"b":"x","c":[1,2,{"d":null}]},"e":true,"f":1.50e3,"g":-0 } "#,
            "json.a.b=x json.a.c.array_0=1 json.a.c.array_1=2 json.a.c.array_2.d= json.e=true json.f=1.50e3 json.g=-0",
        ),
        ("[1,2]", "json.array_0=1 json.array_1=2"),
        ("[]", ""),
        ("{}", ""),
        ("", ""),
        (r#"[[1,[2]],{"a":[]}]"#, "json.array_0.array_0=1 json.array_0.array_1.array_0=2 json.array_1.a="),
        (r#"{"password":{"$ne":{}}}"#, "json.password.$ne="),
        (
            r#"{"a":{},"b":[],"":"x","":{"":1}}"#,
            "json.a= json.b= json.empty-key=x json.empty-key.empty-key=1",
        ),
        (r#""str""#, "json=str"),
        ("1", "json=1"),
        ("null", "json="),
        ("false", "json=false"),
        (r#"{"a":"x","a":"y"}"#, "json.a=x json.a=y"),
        (
            r#"{"a":1e400,"b":123456789012345678901234567890,"c":1E5,"d":1.0}"#,
            "json.a=1e400 json.b=123456789012345678901234567890 json.c=1E5 json.d=1.0",
        ),
        (
            r#"{"a\u0041.b":"z","c":[{"d":1},{"d":2},[3]]}"#,
            "json.aA.b=z json.c.array_0.d=1 json.c.array_1.d=2 json.c.array_2.array_0=3",
        ),
        (r#"{"a":"\/\b\f\n\r\t\"\\"}"#, r#"json.a=/\x08\x0c\n\r\t\"\\"#),
        (
            r#"{"a":[{"x":1,"y":2},5,{"z":3}],"q":6}"#,
            "json.a.array_0.x=1 json.a.array_0.y=2 json.a.array_1=5 json.a.array_2.z=3 json.q=6",
        ),
        (r#"{"a":{"b":{"c":1}},"d":2}"#, "json.a.b.c=1 json.d=2"),
        ("[[],{},0]", "json.array_0= json.array_1= json.array_2=0"),
        (r#"{"a":"\u0000x"}"#, r"json.a=\x00x"),
        (r#"{"a":"\ud83d\ude00"}"#, r"json.a=\xf0\x9f\x98\x80"),
        (r#"{"a":"\ud800"}"#, "json.a=?"),
    ] {
        assert_eq!(read(body.as_bytes()), (expected.into(), None), "{body}");
    }
}

/// The library takes whatever follows a first half for the second one, so that `\ud800\u003c` hides a `<` from it.
#[test]
fn half_pairs_swallow_nothing() {
    for (body, expected) in [
        (r#""\ud800\u003cscript""#, "json=?<script"),
        (r#""\ud800\ud83d\ude00""#, r"json=?\xf0\x9f\x98\x80"),
        (r#""\ud800\ud800x""#, "json=??x"),
        (r#""\udc00\ud800""#, "json=??"),
        (r#""\ud800\n""#, r"json=?\n"),
    ] {
        assert_eq!(read(body.as_bytes()), (expected.into(), None), "{body}");
    }
}

#[test]
fn errors_keep_what_was_read() {
    let cases: &[(&[u8], &str, BodyError)] = &[
        (b" ", "", BodyError::Json),
        (b"{\"a\":1}{\"b\":2}", "json.a=1", BodyError::AfterJson),
        (b"{\"a\":1} x", "json.a=1", BodyError::AfterJson),
        (b"{\"a\":1}\n{\"b\":2}\n", "json.a=1", BodyError::AfterJson),
        (b"{\"a\":1}\0", "json.a=1", BodyError::AfterJson),
        (b"{\"a\":1}]", "json.a=1", BodyError::AfterJson),
        (b"01", "json=0", BodyError::AfterJson),
        (b"\"x\" \"y\"", "json=x", BodyError::AfterJson),
        (b"{\"a\":\"\xff\"}", "", BodyError::InvalidEncoding),
        (b"{\"a\":1,\"b\":\"\xc0\xaf\"}", "json.a=1", BodyError::InvalidEncoding),
        (b"{\"a\":1}\xff", "json.a=1", BodyError::InvalidEncoding),
        (b"{\"a\":1", "json.a=1", BodyError::Json),
        (b"{\"a\":1,}", "json.a=1", BodyError::Json),
        (b"[1,]", "json.array_0=1", BodyError::Json),
        (b"[1 2]", "json.array_0=1", BodyError::Json),
        (b"{a:1}", "", BodyError::Json),
        (b"{'a':1}", "", BodyError::Json),
        (b"{\"a\" 1}", "", BodyError::Json),
        (b"{\"a\":01}", "json.a=0", BodyError::Json),
        (b"{\"a\":NaN}", "", BodyError::Json),
        (b"{\"a\":+1}", "", BodyError::Json),
        (b"{\"a\":1.}", "", BodyError::Json),
        (b"{\"a\":-}", "", BodyError::Json),
        (b"{\"a\":1e}", "", BodyError::Json),
        (b"{\"a\":\"\n\"}", "", BodyError::Json),
        (b"{\"a\":\"\0\"}", "", BodyError::Json),
        (b"/* c */ {\"a\":1}", "", BodyError::Json),
        (b"\xef\xbb\xbf{\"a\":1}", "", BodyError::Json),
        (b"{\"a\":\"\\x\"}", "", BodyError::Json),
        (b"{\"a\":\"\\u12\"}", "", BodyError::Json),
        (b"{\"a\":\"\\u12g4\"}", "", BodyError::Json),
        (b"{\"a\":\"x\\", "", BodyError::Json),
        (b"{\"a\":\"x", "", BodyError::Json),
        (b"{\"a\":tru}", "", BodyError::Json),
        (b"{\"a\":nullx}", "json.a=", BodyError::Json),
        (b"[", "", BodyError::Json),
        (b"[}", "", BodyError::Json),
        (b"{", "", BodyError::Json),
        (b"{]", "", BodyError::Json),
        (b"[1}", "json.array_0=1", BodyError::Json),
        (b"]", "", BodyError::Json),
        (b",", "", BodyError::Json),
    ];
    for (body, expected, error) in cases {
        assert_eq!(read(body), ((*expected).into(), Some(*error)), "{}", body.escape_ascii());
    }
}

#[test]
fn limits_end_it() {
    let with = |body: &str, limits: Limits| {
        let mut parsed = Parsed::default();
        json(body.as_bytes(), &limits, &mut parsed);
        (parsed.args.len(), parsed.error)
    };
    let few = Limits { arguments: 3, ..Limits::default() };
    assert_eq!(with("[1,2,3]", few), (3, None));
    assert_eq!(with("[1,2,3,4]", few), (3, Some(BodyError::TooManyArguments)));
    let flat = Limits { depth: 3, ..Limits::default() };
    assert_eq!(with("[[[1]]]", flat), (1, None));
    assert_eq!(with("[[[[]]]]", flat), (0, Some(BodyError::TooDeep)));
    assert_eq!(with(r#"{"a":{"a":{"a":{}}}}"#, flat), (0, Some(BodyError::TooDeep)));
    assert_eq!(with("[[[]],[[]],[[1]]]", flat), (3, None));
    let short = Limits { argument_bytes: 30, ..Limits::default() };
    assert_eq!(with(r#"["1234567890"]"#, short), (1, None));
    // A long key with many values below it would be copied over and over.
    let long = format!("{{\"{}\":[1,1,1,1]}}", "k".repeat(20));
    assert_eq!(with(&long, short), (0, Some(BodyError::TooManyBytes)));
    assert_eq!(with(&"[".repeat(100_000), Limits::default()), (0, Some(BodyError::TooDeep)));
}

/// Not read by the library, which stops after the first document.
#[test]
fn documents_one_after_another() {
    let read = |body: &[u8]| {
        let mut parsed = Parsed::default();
        json_lines(body, &Limits::default(), &mut parsed);
        (text(&parsed), parsed.error)
    };
    assert_eq!(read(b""), (String::new(), None));
    assert_eq!(read(b"\n\n"), (String::new(), None));
    let both = "json.array_0.a=1 json.array_1.b.array_0=2".to_owned();
    assert_eq!(read(b"{\"a\":1}\n{\"b\":[2]}\n"), (both.clone(), None));
    assert_eq!(read(b"{\"a\":1}\r\n\r\n{\"b\":[2]}"), (both.clone(), None));
    assert_eq!(read(b"\x1e{\"a\":1}\n\x1e{\"b\":[2]}\n"), (both.clone(), None));
    assert_eq!(read(b"{\"a\":1}{\"b\":[2]}"), (both, None));
    assert_eq!(read(b"{\"a\":1}\nx\n{\"b\":2}"), ("json.array_0.a=1".into(), Some(BodyError::Json)));
    assert_eq!(read(b"{\"a\":1}\n{\"b\":\n"), ("json.array_0.a=1".into(), Some(BodyError::Json)));
}

fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::from),
        ".{0,8}".prop_map(Value::String),
        "[a-z\"\\\\\n\0\u{1f600}]{0,8}".prop_map(Value::String),
    ];
    leaf.prop_recursive(5, 60, 8, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..8).prop_map(Value::Array),
            proptest::collection::vec((".{0,4}", inner), 0..8)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// The arguments that a tree stands for.
fn flatten(value: &Value, name: &str, into: &mut Vec<(String, String)>) {
    match value {
        Value::Null => into.push((name.into(), String::new())),
        Value::Bool(value) => into.push((name.into(), value.to_string())),
        Value::Number(value) => into.push((name.into(), value.to_string())),
        Value::String(value) => into.push((name.into(), value.clone())),
        // What holds nothing is there all the same, but for a document of nothing else.
        Value::Array(items) if items.is_empty() && name != "json" => into.push((name.into(), String::new())),
        Value::Object(members) if members.is_empty() && name != "json" => {
            into.push((name.into(), String::new()));
        }
        Value::Array(items) => {
            items
                .iter()
                .enumerate()
                .for_each(|(index, item)| flatten(item, &format!("{name}.array_{index}"), into));
        }
        Value::Object(members) => {
            for (key, member) in members {
                let key = if key.is_empty() { "empty-key" } else { key };
                flatten(member, &format!("{name}.{key}"), into);
            }
        }
    }
}

proptest! {
    #[test]
    fn what_is_written_is_read(value in values(), pretty in any::<bool>()) {
        let body = if pretty { serde_json::to_vec_pretty(&value) } else { serde_json::to_vec(&value) }.expect("a tree");
        let mut expected = Vec::new();
        flatten(&value, "json", &mut expected);
        let mut parsed = Parsed::default();
        json(&body, &Limits::default(), &mut parsed);
        prop_assert_eq!(parsed.error, None);
        let got: Vec<_> = parsed.args.iter().collect();
        let expected: Vec<_> = expected.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())).collect();
        prop_assert_eq!(got, expected);
    }

    /// What another strict reader refuses is refused; what it takes is taken, but for limits and surrogates.
    #[test]
    fn strict_as_another_reader(body in r#"([\[\]{},:" \\ua-f0-9.eE+-]|true|null|"a":|"x"|\\u[0-9a-c]{4}){0,12}"#) {
        let mut parsed = Parsed::default();
        json(body.as_bytes(), &Limits::default(), &mut parsed);
        match serde_json::from_str::<serde::de::IgnoredAny>(&body) {
            Ok(_) => prop_assert_eq!(parsed.error, None),
            Err(_) if body.is_empty() => prop_assert_eq!(parsed.error, None),
            Err(_) => prop_assert!(parsed.error.is_some(), "{}", body),
        }
    }

    #[test]
    fn any_bytes_end(body in proptest::collection::vec(any::<u8>(), 0..200)) {
        let mut parsed = Parsed::default();
        json(&body, &Limits::default(), &mut parsed);
        let mut parsed = Parsed::default();
        json_lines(&body, &Limits::default(), &mut parsed);
    }
}
