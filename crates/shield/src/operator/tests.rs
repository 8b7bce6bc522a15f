use super::*;
use crate::ByteSet;
use crate::transform::Transformation;
use proptest::prelude::*;

fn text(field: &str) -> Vec<u8> {
    let mut out = Vec::new();
    if Transformation::UrlDecode.apply(field.as_bytes(), &mut out) { out } else { field.into() }
}

/// What an operator says of a value, as the file of known answers writes it.
fn answer(name: &str, argument: &[u8], value: &[u8]) -> bool {
    let list = || str::from_utf8(argument).unwrap();
    match name {
        "contains" | "strmatch" => contains(value, argument),
        "containsWord" => contains_word(value, argument),
        "beginsWith" => begins_with(value, argument),
        "endsWith" => ends_with(value, argument),
        "streq" => equal(value, argument),
        "within" => within(value, argument),
        "eq" => number(value) == number(argument),
        "ge" => number(value) >= number(argument),
        "gt" => number(value) > number(argument),
        "le" => number(value) <= number(argument),
        "lt" => number(value) < number(argument),
        "validateByteRange" => {
            let allowed = byte_range(list()).unwrap();
            value.iter().any(|&byte| !allowed.contains(byte))
        }
        "validateUrlEncoding" => has_wrong_escape(value),
        "validateUtf8Encoding" => is_not_utf8(value),
        "ipMatch" => in_addresses(value, &addresses(list()).unwrap()),
        _ => panic!("{name}"),
    }
}

/// Answers of ModSecurity 3.0.9, and ours where they differ (see the head of the file).
#[test]
fn known_answers() {
    let mut seen = std::collections::BTreeMap::<_, usize>::new();
    for (number, line) in include_str!("../../tests/operators.txt").lines().enumerate() {
        if line.starts_with('#') || line.is_empty() {
            continue;
        }
        let fields: Vec<&str> = line.split('\t').collect();
        let expected = *fields.last().unwrap();
        let value = text(fields[if fields[0].starts_with("detect") { 1 } else { 2 }]);
        let found = match fields[0] {
            "detectSQLi" => {
                detect_sqli(&value).map_or("-".to_owned(), |fingerprint| fingerprint.as_str().to_owned())
            }
            "detectXSS" => u8::from(detect_xss(&value)).to_string(),
            name => u8::from(answer(name, &text(fields[1]), &value)).to_string(),
        };
        assert_eq!(found, expected, "line {}: {line}", number + 1);
        *seen.entry(fields[0]).or_default() += 1;
    }
    assert_eq!(seen.len(), 18);
    assert!(seen["detectSQLi"] >= 300 && seen["detectXSS"] >= 200);
}

#[test]
fn fingerprints_are_short_texts() {
    let fingerprint = detect_sqli(b"1' or '1'='1").unwrap();
    assert_eq!(fingerprint.as_bytes(), b"s&sos");
    assert_eq!(format!("{fingerprint:?}"), "s&sos");
    assert_eq!(detect_sqli(b"1 /*! or */ 1").unwrap().as_str(), "X");
}

/// Names of HTML events that pages use and libinjection does not know.
#[test]
fn newer_events_run_script_too() {
    for event in [
        "toggle",
        "beforetoggle",
        "begin",
        "auxclick",
        "contentvisibilityautostatechange",
        "scrollsnapchange",
    ] {
        assert!(detect_xss(format!("<a on{event}=x>").as_bytes()), "{event}");
    }
    assert!(!detect_xss(b"<a only=x>"));
}

/// A megabyte of what takes the detectors longest. An algorithm that is not linear would take minutes for some of these.
#[test]
fn a_megabyte_of_anything_is_read_a_few_times() {
    let pieces = [
        "a",
        "a.",
        "a`",
        "1",
        "1,",
        "1.e",
        "'",
        "\"",
        "`",
        "\\",
        "\\'",
        "'\\",
        "''",
        "--",
        "-- \n",
        "#",
        "/*",
        "*/",
        "/**/",
        "/*/",
        "(",
        ")",
        "{`",
        "{",
        "}",
        "[",
        "]",
        ";",
        "@",
        "@@",
        "$",
        "$a$",
        "$$",
        "q'(",
        "nq'",
        "u&'",
        "x'0",
        "b'0",
        "e'",
        "n'",
        "0x",
        "=",
        "<=>",
        "::",
        "!",
        "!!",
        "not ",
        "or ",
        "and 1 ",
        "union ",
        "select ",
        "in ",
        "int ",
        "collate a ",
        "\0",
        "\u{a0}",
        "<",
        "<a ",
        "<a",
        "</",
        "</a ",
        "<!",
        "<!--",
        "-->",
        "<!---",
        "-\0",
        "<?",
        "<%",
        "%",
        "<![CDATA[",
        "]]",
        "a=",
        "a='",
        "on",
        "onclick ",
        "<a href=&#0",
        "&#0",
        "<a href=&#32;",
        "/",
        "<a/",
        "=>",
    ];
    for piece in pieces {
        let value: Vec<u8> = piece.bytes().cycle().take(1 << 20).collect();
        let _ = (detect_sqli(&value), detect_xss(&value));
        for start in ["<a ", "<a href=", "<!--", "<a x='", "' or ", "1 /*"] {
            let value: Vec<u8> = start.bytes().chain(piece.bytes().cycle().take(1 << 16)).collect();
            let _ = (detect_sqli(&value), detect_xss(&value));
        }
        let _ = (contains_word(&value, b"aa"), has_wrong_escape(&value), is_not_utf8(&value), number(&value));
        let _ = (is_card(&value), is_cpf(&value), is_ssn(&value), is_svnr(&value));
    }
}

fn nasty() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        4 => "( |'|\"|`|\\(|\\)|,|;|=|<|>|/|--|#|/\\*|\\*/|\\\\|\\.|@|\\$|\\[|\\{|\\}|!|:|\\||&|\\+|-|<!--|-->|<!|<\\?|%)".prop_map(String::into_bytes),
        4 => "(1|0x1|1\\.e|a|or|and|union|select|from|null|sleep|user|in|not|like|int|into outfile|q'|nq'|u&'|x'|script|onclick|href|style|java|data:|svg|xmlns|&#106;|\\$a\\$)"
            .prop_map(String::into_bytes),
        1 => proptest::collection::vec(any::<u8>(), 1..3),
    ];
    proptest::collection::vec(piece, 0..16).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn a_value_that_cannot_be_an_attack_is_none(value in nasty()) {
        let bytes = ByteSet::of(&value);
        prop_assert!(may_be_sqli(bytes) || detect_sqli(&value).is_none());
        prop_assert!(may_be_xss(bytes) || !detect_xss(&value));
    }

    #[test]
    fn words_and_numbers_are_no_attack(word in "[a-zA-Z_\u{c0}-\u{ff}]{0,40}", number in "[0-9]{0,40}") {
        prop_assert_eq!(detect_sqli(word.as_bytes()), None);
        prop_assert_eq!(detect_sqli(number.as_bytes()), None);
    }

    /// A tag that runs script does so wherever the page was left.
    #[test]
    fn a_script_is_found_behind_any_text(before in "[^<>]{0,12}", name in "(script|SCRIPT|iframe|svg|object)") {
        let value = format!("{before}<{name}>");
        prop_assert!(detect_xss(value.as_bytes()));
    }

    /// Letter case and more white space do not hide an attack.
    #[test]
    fn case_and_space_hide_nothing(space in "[ \t\n]{1,4}", upper: bool) {
        for attack in ["1 or 1=1", "1 union select 1", "1' or '1'='1", "1; drop table a"] {
            let attack = attack.replace(' ', &space);
            let attack = if upper { attack.to_uppercase() } else { attack };
            prop_assert!(detect_sqli(attack.as_bytes()).is_some(), "{}", attack);
        }
    }
}

/// The gates lie tight: some value of these bytes alone is an attack.
#[test]
fn gates_let_attacks_through() {
    for attack in ["1 or 1=1", "x' or 'x'='x", "1; drop table a", "1/*"] {
        assert!(may_be_sqli(ByteSet::of(attack.as_bytes())) && detect_sqli(attack.as_bytes()).is_some());
    }
    for attack in ["<script>", "onload=x"] {
        assert!(may_be_xss(ByteSet::of(attack.as_bytes())) && detect_xss(attack.as_bytes()));
    }
    assert!(
        !may_be_sqli(ByteSet::of(b"hello"))
            && !may_be_sqli(ByteSet::of(b"42"))
            && !may_be_sqli(ByteSet::EMPTY)
    );
    assert!(may_be_sqli(ByteSet::of(b"a1")) && may_be_sqli(ByteSet::of(b"a b")));
    assert!(!may_be_xss(ByteSet::of(b"x > 1")));
}
