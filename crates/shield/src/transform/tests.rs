use super::*;
use proptest::prelude::*;

/// The value after a transformation; checks what `apply` promises about `out`.
fn apply(transformation: Transformation, value: &[u8]) -> Vec<u8> {
    let mut out = b"before".to_vec();
    let changed = transformation.apply(value, &mut out);
    let name = transformation.name();
    assert!(out.starts_with(b"before"), "{name} {value:x?}");
    let after = &out[6..];
    if changed {
        assert_ne!(after, value, "{name} says that it changed {value:x?}");
        after.to_vec()
    } else {
        assert!(after.is_empty(), "{name} wrote something for {value:x?} and says no");
        value.to_vec()
    }
}

/// What is not among the triggers stays, and each trigger is one: some short value with it changes.
#[test]
fn triggers_are_those_bytes_that_can_change() {
    for &transformation in Transformation::ALL {
        let triggers = transformation.triggers();
        let quiet: Vec<u8> = (0..=255).filter(|&byte| !triggers.contains(byte)).collect();
        for &first in &quiet {
            assert_eq!(apply(transformation, &[first]), [first]);
            for &second in &quiet {
                assert_eq!(apply(transformation, &[first, second]), [first, second]);
            }
        }
        let around: [&[u8]; 16] = [
            b"",
            b" ",
            b"/",
            b"/*",
            b"*/",
            b"0",
            b"0x41",
            b"1",
            b"41",
            b"%41",
            b"-",
            b"lt;",
            b"#65;",
            b"u0041",
            b"../",
            b"\x80\x80\x80",
        ];
        for byte in (0..=255_u8).filter(|&byte| triggers.contains(byte)) {
            let mut tries =
                around.iter().flat_map(|&before| around.iter().map(move |&after| (before, after)));
            let changes = tries.any(|(before, after)| {
                let value = [before, &[byte][..], after].concat();
                let rest = [before, after].concat();
                let others = ByteSet::of(&rest).meets(triggers) && apply(transformation, &rest) != rest;
                !others && apply(transformation, &value) != value
            });
            assert!(changes, "{} has no use for trigger {byte:#x}", transformation.name());
        }
    }
}

#[test]
fn the_empty_value_has_a_length_and_a_digest_and_no_more() {
    for &transformation in Transformation::ALL {
        let changes = !apply(transformation, b"").is_empty();
        let digest =
            matches!(transformation, Transformation::Length | Transformation::Md5 | Transformation::Sha1);
        assert_eq!(changes, digest, "{}", transformation.name());
        assert!(!changes || transformation.triggers() == ByteSet::ALL);
    }
}

#[test]
fn names_are_read_in_any_case_and_written_as_documented() {
    for (&transformation, name) in Transformation::ALL.iter().zip(NAMES) {
        assert_eq!(transformation.name(), name);
        assert_eq!(Transformation::parse(&name.to_uppercase()), Some(transformation));
    }
    assert_eq!(Transformation::parse("normalisePath"), Some(Transformation::NormalizePath));
    assert_eq!(Transformation::parse("NORMALISEPATHWIN"), Some(Transformation::NormalizePathWin));
    assert_eq!(Transformation::parse("none"), None);
    assert_eq!(Transformation::parse(""), None);
    assert!(Transformation::ALL.is_sorted());
}

/// Answers of ModSecurity 3.0.9, and ours where they differ (see the head of the file).
#[test]
fn known_answers() {
    let mut seen = std::collections::BTreeMap::<_, usize>::new();
    for (number, line) in include_str!("../../tests/transformations.txt").lines().enumerate() {
        if line.starts_with('#') || line.is_empty() {
            continue;
        }
        let fields: Vec<&str> = line.split('\t').collect();
        let ([name, value, answer] | [name, value, _, answer]) = fields[..] else {
            panic!("line {}", number + 1)
        };
        let transformation = Transformation::parse(name).unwrap();
        let text = |field| apply(Transformation::UrlDecode, str::as_bytes(field));
        let after = apply(transformation, &text(value));
        assert_eq!(
            after.escape_ascii().to_string(),
            text(answer).escape_ascii().to_string(),
            "line {}: {line}",
            number + 1
        );
        *seen.entry(transformation).or_default() += 1;
    }
    for transformation in Transformation::ALL {
        assert!(seen.get(transformation).is_some_and(|&count| count >= 20), "{}", transformation.name());
    }
}

/// A megabyte of what each decoder has to look at longest. An algorithm that is not linear would take minutes for some of these.
#[test]
fn a_megabyte_of_anything_is_read_once() {
    let pieces = [
        "a",
        " ",
        "  a",
        "/",
        "../",
        "a/../",
        "a/",
        "/.",
        "..",
        "\\",
        "\\\\",
        "\\u",
        "\\0",
        "\\x4",
        "%",
        "%u",
        "%41",
        "%%",
        "+",
        "&",
        "&#",
        "&#0",
        "&#x",
        "&lt",
        "&a",
        "<",
        "<!-",
        "<!--",
        "-->",
        "-",
        "--",
        "#",
        "/*",
        "*/",
        "/*/",
        "*",
        "0x",
        "0x4",
        "0x41",
        "x",
        "=",
        "A=",
        "QUJD",
        "\r\n",
        "\n",
        "\0",
        "\u{e4}",
        "\u{20ac}",
        "\u{10348}",
        "^",
        "'",
        ",;",
        "(",
        " (",
        "A",
        "\u{a0}",
    ];
    for piece in pieces {
        let value: Vec<u8> = piece.bytes().cycle().take(1 << 20).collect();
        for &transformation in Transformation::ALL {
            let mut out = Vec::new();
            let changed = transformation.apply(&value, &mut out);
            // `utf8toUnicode` makes six bytes of two, `urlEncode` three of one.
            assert!(out.len() <= value.len() * 3, "{} of {piece:?}", transformation.name());
            assert!(changed || out.is_empty());
        }
    }
    // Every way into a comment that does not end, and every name that goes on.
    for start in ["/*", "<!--", "&#", "&#x", "&", "0x", "%u", "\\"] {
        for piece in ["a", "*", "-", "/", "0", "9", "f"] {
            let value: Vec<u8> = start.bytes().chain(piece.bytes().cycle().take(1 << 18)).collect();
            for &transformation in Transformation::ALL {
                apply(transformation, &value);
            }
        }
    }
}

fn nasty() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        3 => "[a-zA-Z0-9]{0,3}".prop_map(String::into_bytes),
        3 => "(%|%u|\\\\|\\\\u|\\\\x|&|&#|&#x|0x|/\\*|\\*/|<!--|-->|--|/|\\.|\\.\\.|=|\\+|;| |\t|\n|\r|'|\"|\\^|,|\\()".prop_map(String::into_bytes),
        1 => any::<char>().prop_map(|char| char.to_string().into_bytes()),
        2 => proptest::collection::vec(any::<u8>(), 1..3),
    ];
    proptest::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn nothing_fails_and_nothing_without_a_trigger_changes(value in nasty()) {
        for &transformation in Transformation::ALL {
            let after = apply(transformation, &value);
            let may = transformation.triggers().meets(ByteSet::of(&value)) || transformation.triggers() == ByteSet::ALL;
            prop_assert!(may || after == value, "{}", transformation.name());
        }
    }

    #[test]
    fn what_was_encoded_comes_back(value: Vec<u8>) {
        use Transformation::{
            Base64Decode, Base64DecodeExt, Base64Encode, HexDecode, HexEncode, SqlHexDecode, UrlDecode, UrlDecodeUni, UrlEncode,
        };
        prop_assert_eq!(&apply(HexDecode, &apply(HexEncode, &value)), &value);
        prop_assert_eq!(&apply(Base64Decode, &apply(Base64Encode, &value)), &value);
        prop_assert_eq!(&apply(Base64DecodeExt, &apply(Base64Encode, &value)), &value);
        prop_assert_eq!(&apply(UrlDecode, &apply(UrlEncode, &value)), &value);
        prop_assert_eq!(&apply(UrlDecodeUni, &apply(UrlEncode, &value)), &value);
        let literal = [b"0x".to_vec(), apply(HexEncode, &value)].concat();
        prop_assert!(value.is_empty() || apply(SqlHexDecode, &literal) == value);
    }

    #[test]
    fn escapes_of_every_byte_are_read(byte: u8) {
        let hex = format!("{byte:02x}");
        for (transformation, escaped) in [
            (Transformation::UrlDecode, format!("%{hex}")),
            (Transformation::UrlDecodeUni, format!("%{hex}")),
            (Transformation::UrlDecodeUni, format!("%u43{hex}")),
            (Transformation::JsDecode, format!("\\x{hex}")),
            (Transformation::JsDecode, format!("\\u00{hex}")),
            (Transformation::JsDecode, format!("\\{byte:03o}")),
            (Transformation::EscapeSeqDecode, format!("\\X{hex}")),
            (Transformation::EscapeSeqDecode, format!("\\{byte:03o}")),
            (Transformation::CssDecode, format!("\\{hex}")),
            (Transformation::CssDecode, format!("\\0000{hex} ")),
            (Transformation::HtmlEntityDecode, format!("&#{byte};")),
            (Transformation::HtmlEntityDecode, format!("&#x{hex}")),
            (Transformation::SqlHexDecode, format!("0X{hex}")),
        ] {
            prop_assert_eq!(apply(transformation, escaped.as_bytes()), [byte], "{} {}", transformation.name(), escaped);
        }
    }

    #[test]
    fn what_is_resolved_once_stays(value in nasty()) {
        for transformation in [
            Transformation::CompressWhitespace,
            Transformation::Lowercase,
            Transformation::ParityZero7bit,
            Transformation::RemoveNulls,
            Transformation::RemoveWhitespace,
            Transformation::ReplaceComments,
            Transformation::ReplaceNulls,
            Transformation::Trim,
            Transformation::TrimLeft,
            Transformation::TrimRight,
            Transformation::Uppercase,
        ] {
            let once = apply(transformation, &value);
            // Comments may be put together by what stood around one.
            prop_assert!(apply(transformation, &once) == once || transformation == Transformation::ReplaceComments);
        }
    }

    /// With a root a path never leads above it, and no segment is empty or a reference.
    #[test]
    fn a_normalized_path_has_no_references(segments in proptest::collection::vec("(\\.|\\.\\.|[a-c]{1,2}|)", 0..12)) {
        let path = format!("/{}", segments.join("/"));
        let after = apply(Transformation::NormalizePath, path.as_bytes());
        let mut expected: Vec<&str> = Vec::new();
        for segment in &segments {
            match segment.as_str() {
                "" | "." => {}
                ".." => drop(expected.pop()),
                name => expected.push(name),
            }
        }
        let after = String::from_utf8(after).unwrap();
        prop_assert_eq!(after.split('/').filter(|segment| !segment.is_empty()).collect::<Vec<_>>(), expected);
        // A root with nothing but references behind it may go too.
        prop_assert!((after.starts_with('/') || after.is_empty()) && !after.contains("//"));
        let windows = apply(Transformation::NormalizePathWin, path.replace('/', "\\").as_bytes());
        prop_assert_eq!(String::from_utf8(windows).unwrap(), after);
    }
}
