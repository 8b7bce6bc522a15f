//! Known answers. Those on matches were given by PCRE2 10.42 with `DOTALL` and `MULTILINE`.

use super::super::{Captures, Pattern, PatternError, translate};

/// The place of the first match.
fn find(pattern: &[u8], value: &[u8]) -> Option<(usize, usize)> {
    let pattern =
        Pattern::compile(pattern).unwrap_or_else(|error| panic!("{}: {error}", pattern.escape_ascii()));
    let mut captures = Captures::default();
    let found = pattern.captures(value, &mut captures);
    assert_eq!(found, pattern.is_match(value), "both ways of asking agree");
    assert_eq!(found, captures.get(0).is_some());
    captures.get(0).map(|group| (group.start, group.end))
}

/// Pattern, value, and where it matches.
type Matched<'a> = (&'a [u8], &'a [u8], Option<(usize, usize)>);

#[track_caller]
fn check(cases: &[Matched<'_>]) {
    for (pattern, value, expected) in cases {
        let found = find(pattern, value);
        assert_eq!(found, *expected, "{} on {}", pattern.escape_ascii(), value.escape_ascii());
    }
}

#[test]
fn escapes_of_letters() {
    check(&[
        (br"\<a\>", b"x<a>", Some((1, 4))),
        (br"\<a", b" a", None),
        (br"\v", b"v\x85", Some((1, 2))),
        (br"\v", b"a\x0b", Some((1, 2))),
        (br"\V", b"\n\r\x0b\x0c\x85", None),
        (br"\h", b"h\xa0", Some((1, 2))),
        (br"\h+", b"\n\t ", Some((1, 3))),
        (br"\H", b"\t \xa0", None),
        (br"\s", b"\x0b", Some((0, 1))),
        (br"\s", b"\x85", None),
        (br"\w", b"\xe4_", Some((1, 2))),
        (br"\d", b"\xb2\xb3", None),
        (br"\e\a\f\cA\c[\c?\c{", b"\x1b\x07\x0c\x01\x1b\x7f;", Some((0, 7))),
        (br"\N", b"\n", None),
        (br"(?s)\N", b"\na", Some((1, 2))),
        (br"\N{2}", b"a\nbc", Some((2, 4))),
        (br"\C", b"\n", Some((0, 1))),
        (br"\_\-\/\%", b"_-/%", Some((0, 4))),
        (b"\\\xe4", b"\xe4", Some((0, 1))),
        (br"\Qa.c\E.", b"abcd a.c!", Some((5, 9))),
        (br"\Qa*\E+", b"a**", Some((0, 3))),
        (br"a\Q\E+\Q(", b"aa(", Some((0, 3))),
        (br"a\E+", b"aa", Some((0, 2))),
    ]);
}

#[test]
fn numbers_in_escapes() {
    check(&[
        (br"\x41\x{42}\x{0043}\xe4", b"ABC\xe4", Some((0, 4))),
        (br"\x4", b"\x04", Some((0, 1))),
        (br"\xg", b"\0g", Some((0, 2))),
        (br"\x", b"\0", Some((0, 1))),
        (br"\0\08\0007", b"\0\x008\x007", Some((0, 5))),
        (br"\101\377", b"A\xff", Some((0, 2))),
        (br"\18", b"\x018", Some((0, 2))),
        (br"\o{101}", b"A", Some((0, 1))),
        (br"[\1\0]", b"\x01", Some((0, 1))),
        (br"[\18]", b"8", Some((0, 1))),
        (br"[\8]", b"8", Some((0, 1))),
        (br"[\8]", b"\\", None),
        (br"(?i)\x41", b"a", Some((0, 1))),
    ]);
}

#[test]
fn classes() {
    check(&[
        (b"[[]", b"[", Some((0, 1))),
        (b"[a[b]", b"[", Some((0, 1))),
        (b"[a&&b]", b"&", Some((0, 1))),
        (b"[a&&b]", b"b", Some((0, 1))),
        (b"[!--b]", b"a", None),
        (b"[a~~b]", b"~", Some((0, 1))),
        (b"[]a]", b"]", Some((0, 1))),
        (b"[^]a]", b"]a", None),
        (br"[a\]-]", b"-", Some((0, 1))),
        (b"[a-]", b"-", Some((0, 1))),
        (b"[-a]", b"-", Some((0, 1))),
        (b"[a-c-e]", b"d", None),
        (b"[a-c-e]", b"-", Some((0, 1))),
        (b"[+--]", b",", Some((0, 1))),
        (br"[\x41-\x43]+", b"@ABCD", Some((1, 4))),
        (br"[\w-]", b"-", Some((0, 1))),
        (br"[\b]", b"\x08", Some((0, 1))),
        (br"[\e\a\f\cA]{4}", b"\x1b\x07\x0c\x01", Some((0, 4))),
        (br"[\Qa-z\E]", b"b-", Some((1, 2))),
        (br"[a-\Qz\E]", b"b", Some((0, 1))),
        (br"[\Q]\E]", b"]", Some((0, 1))),
        (br"[\E]a]", b"]", Some((0, 1))),
        (b"(?xx)[a b]", b" ", None),
        (b"(?x)[a b]", b" ", Some((0, 1))),
        (b"[\xe2\x80\x99]", b"\x80", Some((0, 1))),
        ("[´]".as_bytes(), b"\xc2", Some((0, 1))),
        ("´".as_bytes(), "´".as_bytes(), Some((0, 2))),
        (br"[^\x00-\xff]", b"a", None),
        (br"[^\W\d]", b"1_", Some((1, 2))),
        (br"(?i)[^k]", b"Kk", None),
        (br"(?i)[j-l]", b"K", Some((0, 1))),
        (b"(?i)\xe4", b"\xc4", None),
        (b"[.*+(){}$|?]", b"}", Some((0, 1))),
    ]);
}

#[test]
fn posix_classes() {
    check(&[
        (b"[[:alpha:]_-]+", b"1a_-", Some((1, 4))),
        (b"[[:^alpha:]]", b"a1", Some((1, 2))),
        (b"[^[:alpha:]]", b"a1", Some((1, 2))),
        (b"(?i)[[:upper:]]", b"a", Some((0, 1))),
        (b"(?i)[[:^upper:]]", b"aA1", Some((2, 3))),
        (b"[[:lower:]]", b"A", None),
        (b"[[:punct:]]", b"a_", Some((1, 2))),
        (b"[[:graph:]]", b" \xff~", Some((2, 3))),
        (b"[[:print:]]", b"\x7f ", Some((1, 2))),
        (b"[[:cntrl:]]", b" \x7f", Some((1, 2))),
        (b"[[:space:]]", b"\x0b", Some((0, 1))),
        (b"[[:blank:]]", b"\n\t", Some((1, 2))),
        (b"[[:xdigit:]]+", b"gF0", Some((1, 3))),
        (b"[[:alnum:][:digit:]]", b"_9", Some((1, 2))),
        (b"[[:ascii:]]", b"\x80\0", Some((1, 2))),
        (b"[[:word:]]", b"-_", Some((1, 2))),
        (b"[a[:b]", b":", Some((0, 1))),
        (b"[[:<:]]ab[[:>:]]", b"xab ab", Some((4, 6))),
    ]);
}

#[test]
fn quantifiers() {
    check(&[
        (b"a{,2}", b"aa a{,2}", Some((3, 8))),
        (b"a{", b"a{", Some((0, 2))),
        (b"a{2", b"a{2", Some((0, 3))),
        (b"a{2,x}", b"a{2,x}", Some((0, 6))),
        (b"a{ 2}", b"a{ 2}", Some((0, 5))),
        (b"}{", b"}{", Some((0, 2))),
        (b"${a", b"a\n{a", None),
        (br"\${a", b"${a", Some((0, 3))),
        (b"a{2}?", b"aaa", Some((0, 2))),
        (b"a{2,}", b"aaa", Some((0, 3))),
        (b"a+?", b"aa", Some((0, 1))),
        (b"a{0}", b"a", Some((0, 0))),
        (b"(?U)a+", b"aa", Some((0, 1))),
        (b"(?U)a+?", b"aa", Some((0, 2))),
        (b"(?:^)*a", b"a", Some((0, 1))),
        (b"()*", b"", Some((0, 0))),
        (b"(?:a|)+b", b"aab", Some((0, 3))),
        (b"a||b", b"b", Some((0, 0))),
    ]);
}

#[test]
fn flags_and_groups() {
    check(&[
        (b"a.c", b"a\nc", Some((0, 3))),
        (b"(?-s)a.c", b"a\nc", None),
        (b"^b$", b"a\nb\nc", Some((2, 3))),
        (b"(?-m)^b", b"a\nb", None),
        (b"(?^)A.", b"ab", None),
        (b"(?^i)A.", b"ab", Some((0, 2))),
        (b"a(?i)b|c", b"C", Some((0, 1))),
        (b"(?:a(?i)b)c", b"aBC", None),
        (b"(?i:a)b", b"Ab", Some((0, 2))),
        (b"(?i-s:.)", b"\n", None),
        (b"(?x) a b #c\n d # end", b"abd", Some((0, 3))),
        (b"(?x)a + b", b"aab", Some((0, 3))),
        (b"(?x)a+ ? b", b"aab", Some((0, 3))),
        (b"(?x)a {2}", b"aa", Some((0, 2))),
        (b"(?x: a b )c d", b"abc d", Some((0, 5))),
        (b"(?x)a(?-x) b", b"a b", Some((0, 3))),
        (b"(?xxx)a b", b"ab", Some((0, 2))),
        (b"a(?#x)+b", b"aab", Some((0, 3))),
        (b"a#b c", b"a#b c", Some((0, 5))),
        (b"(?<n>a)(?P<m>b)(?'o'c)", b"abc", Some((0, 3))),
        (b"(?)a(?-)b", b"ab", Some((0, 2))),
    ]);
}

#[test]
fn places() {
    check(&[
        (br"\Aa", b"\na", None),
        (br"\Ga", b"ba", None),
        (br"a\z", b"a\n", None),
        (b"a$", b"a\n", Some((0, 1))),
        (b"a$", b"a\nb", Some((0, 1))),
        (b"a$", b"a\r\n", None),
        (br"a\Z", b"a\nb", None),
        (br"a\Z", b"a", Some((0, 1))),
        (br"\bb", b"ab b", Some((3, 4))),
        (br"\b", b"\xe4", None),
        (br"\B-", b"a-", None),
        // Not behind the last line end.
        (b"^$", b"abc\n", None),
        (b"^$", b"\n", Some((0, 0))),
        (b"^$", b"a\n\nb", Some((2, 2))),
        (br"^|\z", b"", Some((0, 0))),
        (br"x|^$|\z", b"a\n", Some((2, 2))),
        (b"^(?:yes|no)?$", b"other\n", None),
    ]);
    // Here and there it may also be followed by a line end, which is part of the match only here.
    assert_eq!(find(br"a\Z", b"a\n"), Some((0, 2)));
    assert_eq!(find(b"(?-m)a$", b"a\n\n"), None);
    assert_eq!(find(b"(?-m)a$", b"a\n"), Some((0, 2)));
}

#[test]
fn groups_are_numbered_as_they_open() {
    let mut captures = Captures::default();
    let pattern = Pattern::compile("(?:x)((a)|(?<n>b))(c){0}(?n:(d))(e)?(?#()(f)").unwrap();
    assert!(pattern.captures(b"-xbdf", &mut captures));
    let groups: Vec<_> = (0..8).map(|group| captures.get(group)).collect();
    assert_eq!(groups, [Some(1..5), Some(2..3), None, Some(2..3), None, None, Some(4..5), None]);
    assert!(!pattern.captures(b"-", &mut captures));
    assert_eq!(captures.get(0), None);
    assert_eq!(captures.get(usize::MAX), None);
}

#[test]
fn more_groups_than_are_kept() {
    let mut captures = Captures::default();
    let text = "(.)".repeat(12);
    assert!(Pattern::compile(text).unwrap().captures(b"0123456789ab", &mut captures));
    assert_eq!(captures.get(9), Some(8..9));
    assert_eq!(captures.get(10), None);
}

#[test]
fn what_is_never_given_back_is_plain_where_that_changes_nothing() {
    check(&[
        (br"\d++a", b"12a", Some((0, 3))),
        (br"a*+b", b"aab", Some((0, 3))),
        (br"[^;]*+;", b"ab;", Some((0, 3))),
        (br"(?:\s*+=\s*+)?x", b" = x", Some((0, 4))),
        (br"(?>a|ab)", b"ab", Some((0, 1))),
        (br"(?>\s*)x", b"  x", Some((0, 3))),
        (br"[ab]++\s*?a*?c", b"aac", Some((0, 3))),
        (br"a{1,2}+b", b"aaab", Some((1, 4))),
        (br"a*+$", b"ba\n", Some((1, 2))),
        (br"(?:a*+)*", b"aa", Some((0, 2))),
        (br"x\R", b"x\r\n", Some((0, 3))),
        (br"\R+a", b"\r\n\r\na", Some((0, 5))),
        (br"a+ +b", b"a  b", Some((0, 4))),
        (b"a+(?#)+b", b"aab", Some((0, 3))),
    ]);
}

#[test]
fn what_is_never_given_back_is_an_error_elsewhere() {
    use PatternError::{Atomic, Possessive};
    for (pattern, expected) in [
        ("a*+a", Possessive { at: 1 }),
        ("(a*+)[ab]", Possessive { at: 2 }),
        ("(?:ab)*+a", Possessive { at: 6 }),
        (r"\w++\b", Possessive { at: 2 }),
        ("(?:^|a)*+$", Possessive { at: 7 }),
        (r"a{1,2}+a*?b", Possessive { at: 1 }),
        (r"a*+\ba*c", Possessive { at: 1 }),
        ("(?x)a+ +a", Possessive { at: 5 }),
        (r"(?>a|ab)\z", Atomic { at: 0 }),
        ("(?>a|ab)c", Atomic { at: 0 }),
        ("(?>a*?)b", Atomic { at: 0 }),
        (r"\R\n", Atomic { at: 0 }),
        (r"\R{2}", Atomic { at: 0 }),
        (r"\R+?", Atomic { at: 0 }),
    ] {
        assert_eq!(translate(pattern), Err(expected), "{pattern}");
    }
}

#[test]
fn what_cannot_be_honoured_is_named() {
    use PatternError::*;
    for (pattern, expected) in [
        ("a(?=b)", LookAround { at: 1 }),
        ("(?!b)", LookAround { at: 0 }),
        ("(?<=b)", LookAround { at: 0 }),
        ("(?<!b)", LookAround { at: 0 }),
        (r"(a)\1", BackReference { at: 3 }),
        (r"\7", BackReference { at: 0 }),
        (r"\81", BackReference { at: 0 }),
        (r"(a)(a)(a)(a)(a)(a)(a)(a)(a)(a)\10", BackReference { at: 30 }),
        (r"(?<n>a)\k<n>", BackReference { at: 7 }),
        (r"\g{1}", BackReference { at: 0 }),
        ("(?P=n)", BackReference { at: 0 }),
        ("(?(1)a|b)", Conditional { at: 0 }),
        ("(?R)", Recursion { at: 0 }),
        ("a(?1)", Recursion { at: 1 }),
        ("(?-1)", Recursion { at: 0 }),
        ("(?&n)", Recursion { at: 0 }),
        ("(?P>n)", Recursion { at: 0 }),
        (r"\g<1>", Recursion { at: 0 }),
        (r"a\K", Unsupported { at: 1 }),
        (r"\X", Unsupported { at: 0 }),
        (r"\p{L}", Unsupported { at: 0 }),
        ("(?|a|b)", Unsupported { at: 0 }),
        ("(*UTF)a", Unsupported { at: 0 }),
        ("(?C1)", Unsupported { at: 0 }),
        (r"a\Zb", Unsupported { at: 1 }),
        (r"a\Z\z", Unsupported { at: 1 }),
        ("(?-m)$a", Unsupported { at: 5 }),
        (r"\N{U+41}", Unsupported { at: 0 }),
        (r"\u0041", Unsupported { at: 0 }),
    ] {
        assert_eq!(translate(pattern), Err(expected), "{pattern}");
        assert!(expected.to_string().contains("(at byte "), "{expected}");
    }
    // Without so many groups before it, it is a number in base 8.
    assert_eq!(find(br"(a)\10", b"a\x08"), Some((0, 2)));
}

#[test]
fn invalid_patterns() {
    for pattern in [
        "a**",
        "a{2}{3}",
        "^*",
        r"\b+",
        "$?",
        "(?i)*",
        "{2}",
        "*",
        "a|*",
        "(*",
        r"\Q\E*",
        "x*?+",
        r"\400",
        r"[\400]",
        r"\x{}",
        r"\x{ 41}",
        r"\x{41",
        r"\x{100}",
        r"\o101",
        r"\y",
        r"\i",
        r"\c",
        "\\c\u{e4}",
        "[[:alpha:",
        "[:alpha:]",
        "[[:foo:]]",
        "[[.a.]]",
        "[[=a=]]",
        "[]",
        "[a",
        "[z-a]",
        r"[\R]",
        r"[\N]",
        r"[\B]",
        r"[\X]",
        r"[\A]",
        "a{3,2}",
        "a{65536}",
        "(?P<n-x>a)",
        "(?<1n>a)",
        "(?<",
        "(?<>a)",
        "(?#a",
        "a)",
        "(a",
        r"a\",
        "(?z)a",
        "(?--i)a",
        "(?^-i)a",
        "(?i",
        "(?",
        "(?P",
        r"(\Qa)",
    ] {
        assert!(
            matches!(translate(pattern), Err(PatternError::Syntax { .. })),
            "{pattern}: {:?}",
            translate(pattern)
        );
    }
}

#[test]
fn limits() {
    assert_eq!(translate("a".repeat((1 << 16) + 1)), Err(PatternError::TooLarge));
    assert_eq!(translate(format!("{}{}", "(".repeat(101), ")".repeat(101))), Err(PatternError::TooLarge));
    assert!(Pattern::compile(format!("{}a{}", "(?:(".repeat(50), ")+)+".repeat(50))).is_ok());
    assert_eq!(Pattern::compile("(?:[a-z]{1000}){1000}").err(), Some(PatternError::TooLarge));
    assert_eq!(Pattern::compile("(?:(?:(?:a?){65535}){65535}){65535}").err(), Some(PatternError::TooLarge));
}

#[test]
fn groups_that_are_not_kept_change_no_match() {
    let pattern = Pattern::compile_without_captures("(a)(b)").unwrap();
    let mut captures = Captures::default();
    assert!(pattern.is_match(b"xab"));
    assert!(pattern.captures(b"xab", &mut captures));
    assert_eq!((captures.get(0), captures.get(1)), (Some(1..3), None));
    assert!(pattern.memory() < Pattern::compile("(a)(b)").unwrap().memory());
}
