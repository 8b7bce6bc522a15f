//! Known answers are those of libmodsecurity 3.0.9 unless a comment says otherwise.

use proptest::prelude::*;

use super::*;

fn with(body: &[u8], limits: &Limits) -> (String, Option<BodyError>) {
    let mut parsed = Parsed::default();
    xml(body, limits, &mut parsed);
    let found = parsed.xml.unwrap_or_default();
    let values = found.attributes.iter().map(|(_, value)| format!("|{}", value.escape_ascii()));
    (format!("{}{}", found.text.escape_ascii(), values.collect::<String>()), parsed.error)
}

fn read(body: &[u8]) -> (String, Option<BodyError>) {
    with(body, &Limits::default())
}

fn utf16(text: &str, unit: fn(u16) -> [u8; 2]) -> Vec<u8> {
    text.encode_utf16().flat_map(unit).collect()
}

#[test]
fn text_and_attributes() {
    for (body, expected) in [
        (
            r#"<?xml version="1.0"?><xml><element attribute_name="attribute_value">java</element></xml>"#,
            "java|attribute_value",
        ),
        (r#"<a x="1" y="2"><b z="3">t1</b> mid <c>t2</c></a>"#, "t1 mid t2|1|2|3"),
        ("<a><![CDATA[<x>]]>&lt;&amp;&#65;&#x42;</a>", "<x><&AB"),
        ("<a><!-- comment --><?pi data?>t</a>", "t"),
        ("<a>\n <b>x</b>\r\n</a>", r"\n x\n"),
        ("<a>\r</a>", r"\n"),
        ("<a x=\"a\nb\tc&#10;d&lt;\"/>", r"|a b c\nd<"),
        (r#"<a xmlns="urn:x" xmlns:p="urn:y" p:q="1"><p:b/></a>"#, "|1"),
        (" <a/>", ""),
        ("<p:a/>", ""),
        ("\u{feff}<a>x</a>", "x"),
        ("<a>x</a><!-- c -->\n", "x"),
        ("<!-- c --><a/>", ""),
        (r#"<a><b/><c d="">x</c></a>"#, "x|"),
        (r#"<a x="&quot;&apos;&gt;"/>"#, r#"|\"\'>"#),
        ("<a>&#x1F600;</a>", r"\xf0\x9f\x98\x80"),
        (r#"<?xml version="1.1"?><a/>"#, ""),
        ("<a b = '1'\n c='2'>x</a >", "x|1|2"),
        ("<a x=\"]]>\">t</a>", "t|]]>"),
        (r#"<soap:Envelope xmlns:soap="u"><soap:Body>hi</soap:Body></soap:Envelope>"#, "hi"),
        // No error either; the library reports one for a body of no bytes.
        ("", ""),
        // The library refuses this; what is read is the same.
        (r#"<a b="1"c="2"/>"#, "|1|2"),
    ] {
        assert_eq!(read(body.as_bytes()), (expected.into(), None), "{body}");
    }
}

#[test]
fn encodings() {
    let document = r#"<?xml version="1.0" encoding="UTF-16"?><a x="v">é</a>"#;
    let both = (r"\xc3\xa9|v".to_owned(), None);
    for body in [
        [&[0xff, 0xfe][..], &utf16(document, u16::to_le_bytes)].concat(),
        [&[0xfe, 0xff][..], &utf16(document, u16::to_be_bytes)].concat(),
        [&[0xff, 0xfe][..], &utf16("<a x='v'>é</a>", u16::to_le_bytes)].concat(),
        b"<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><a x='v'>\xe9</a>".to_vec(),
        b"<?xml version='1.0' encoding='windows-1252' standalone='yes'?><a x='v'>\xe9</a>".to_vec(),
        "<?xml version='1.0' encoding='utf-8'?><a x='v'>é</a>".into(),
    ] {
        assert_eq!(read(&body), both, "{}", body.escape_ascii());
    }
    assert_eq!(read(b"<?xml version='1.0' encoding='cp1252'?><a>\x80\x9f</a>").0, r"\xe2\x82\xac\xc5\xb8");
    for (body, error) in [
        (&b"<?xml version=\"1.0\" encoding=\"UTF-7\"?><a>+ADw-</a>"[..], BodyError::UnsupportedEncoding),
        (b"<?xml version='1.0' encoding='ibm037'?><a/>", BodyError::UnsupportedEncoding),
        (b"<?xml version='1.0' encoding='utf-16'?><a/>", BodyError::UnsupportedEncoding),
        (b"\xef\xbb\xbf<?xml version='1.0' encoding='utf-16'?><a/>", BodyError::UnsupportedEncoding),
        (b"\xff\xfe<\0a\0/\0>\0x", BodyError::InvalidEncoding),
        (b"\xff\xfe<\0\0\xd8", BodyError::InvalidEncoding),
        (b"<\0a\0/\0>\0", BodyError::Xml),
        (b"\xff\xfe\0\0<\0\0\0a\0\0\0/\0\0\0>\0\0\0", BodyError::Xml),
        (b"<a>\xff</a>", BodyError::InvalidEncoding),
        (b"<?xml encoding='utf-8'?><a/>", BodyError::Xml),
        (b"<?xml version='1.0' encoding='utf-8", BodyError::Xml),
    ] {
        assert_eq!(read(body).1, Some(error), "{}", body.escape_ascii());
    }
    let utf8 =
        [&[0xff, 0xfe][..], &utf16("<?xml version='1.0' encoding='utf-8'?><a/>", u16::to_le_bytes)].concat();
    assert_eq!(read(&utf8).1, Some(BodyError::UnsupportedEncoding));
}

#[test]
fn errors_keep_what_was_read() {
    for (body, expected, error) in [
        ("<a>x<b y='1'>z", "xz|1", BodyError::Xml),
        ("<a>", "", BodyError::Xml),
        ("<a>x</b>", "x", BodyError::Xml),
        ("<a/><b/>", "", BodyError::Xml),
        ("<a/>trailing", "", BodyError::Xml),
        ("<a/>&lt;", "", BodyError::Xml),
        ("<a/><![CDATA[x]]>", "", BodyError::Xml),
        ("text", "", BodyError::Xml),
        (" ", "", BodyError::Xml),
        ("</a>", "", BodyError::Xml),
        ("\n<?xml version=\"1.0\"?><a/>", "", BodyError::Xml),
        ("<a>x<?xml version=\"1.0\"?></a>", "x", BodyError::Xml),
        ("<a>x&undef;</a>", "x", BodyError::UnknownEntity),
        ("<a x='&undef;'/>", "", BodyError::UnknownEntity),
        ("<a x=1/>", "", BodyError::Xml),
        ("<a x/>", "", BodyError::Xml),
        ("<a x='1' x='2'/>", "|1", BodyError::Xml),
        ("<a x='<'/>", "", BodyError::Xml),
        ("<a>]]></a>", "", BodyError::Xml),
        ("<a>\u{1}</a>", "", BodyError::Xml),
        ("<a>x\0y</a>", "", BodyError::Xml),
        ("<a>\u{fffe}</a>", "", BodyError::Xml),
        ("<a>&#0;</a>", "", BodyError::Xml),
        ("<a>&#1;</a>", "", BodyError::Xml),
        ("<a>&#xd800;</a>", "", BodyError::Xml),
        ("<a>&#xffff;</a>", "", BodyError::Xml),
        ("<a x='&#1;'/>", "", BodyError::Xml),
        ("<1a/>", "", BodyError::Xml),
        ("<a><b\"/></a>", "", BodyError::Xml),
        ("<a 1b='x'/>", "", BodyError::Xml),
        ("<a>&lt</a>", "", BodyError::Xml),
        ("<a>a & b</a>", "a ", BodyError::Xml),
        ("<a><!-- a -- b --></a>", "", BodyError::Xml),
        ("<a><!-- a", "", BodyError::Xml),
        ("<a><![CDATA[x</a>", "", BodyError::Xml),
    ] {
        assert_eq!(read(body.as_bytes()), (expected.into(), Some(error)), "{body}");
    }
}

/// The library takes declarations and expands entities that stand in the document itself.
#[test]
fn a_document_type_is_refused() {
    let laughs =
        "<!DOCTYPE a [<!ENTITY x 'ha'><!ENTITY y '&x;&x;&x;&x;'><!ENTITY z '&y;&y;&y;&y;'>]><a>&z;</a>";
    for body in [
        laughs,
        "<!DOCTYPE a [<!ENTITY e SYSTEM \"file:///etc/passwd\">]><a>&e;</a>",
        "<!DOCTYPE a SYSTEM \"http://h.example/x.dtd\"><a>x</a>",
        "<!DOCTYPE html><a>x</a>",
        "<!doctype a><a>x</a>",
        "<a><!DOCTYPE a></a>",
    ] {
        assert_eq!(read(body.as_bytes()), (String::new(), Some(BodyError::DocumentType)), "{body}");
    }
}

#[test]
fn limits_end_it() {
    let limits = Limits { depth: 3, arguments: 2, argument_bytes: 6, ..Limits::default() };
    assert_eq!(with(b"<a><a><a/></a></a>", &limits).1, None);
    assert_eq!(with(b"<a><a><a><a/></a></a></a>", &limits).1, Some(BodyError::TooDeep));
    assert_eq!(with(b"<a x='1' y='2'/>", &limits).1, None);
    assert_eq!(
        with(b"<a x='1' y='2'><b z='3'/></a>", &limits),
        ("|1|2".into(), Some(BodyError::TooManyArguments))
    );
    assert_eq!(with(b"<a>123456</a>", &limits).1, None);
    assert_eq!(with(b"<a>123<b/>4567</a>", &limits), ("123".into(), Some(BodyError::TooManyBytes)));
    assert_eq!(with(b"<a x='123456'/>", &limits), (String::new(), Some(BodyError::TooManyBytes)));
    assert_eq!(read("<a>".repeat(100_000).as_bytes()).1, Some(BodyError::TooDeep));
}

/// An element as it is written, and its text and attribute values.
#[derive(Clone, Debug, Default)]
struct Written {
    body: String,
    text: String,
    values: Vec<String>,
}

fn escape(text: &str, numbers: bool) -> String {
    let one = |char: char| match char {
        '<' | '&' | '"' | '\'' | '>' if numbers => format!("&#{};", u32::from(char)),
        '<' => "&lt;".into(),
        '>' => "&gt;".into(),
        '&' => "&amp;".into(),
        '"' => "&quot;".into(),
        '\'' => "&apos;".into(),
        _ if numbers => format!("&#x{:x};", u32::from(char)),
        _ => char.into(),
    };
    text.chars().map(one).collect()
}

fn elements() -> impl Strategy<Value = Written> {
    let texts = ("[a-zA-Z <>&\"'é]{0,12}", any::<bool>()).prop_map(|(text, numbers)| Written {
        body: escape(&text, numbers),
        text,
        ..Written::default()
    });
    let others = prop_oneof![
        "[a-z <>&]{0,9}".prop_map(|text| Written {
            body: format!("<![CDATA[{text}]]>"),
            text,
            ..Written::default()
        }),
        "[a-z <>&]{0,9}".prop_map(|text| Written { body: format!("<!--{text}-->"), ..Written::default() }),
        "[a-z <>&]{0,9}".prop_map(|text| Written { body: format!("<?pi {text}?>"), ..Written::default() }),
    ];
    prop_oneof![texts, others].prop_recursive(4, 40, 5, |inner| {
        let attributes = proptest::collection::btree_map("[a-z]{1,4}", "[a-z <>&\"']{0,8}", 0..4);
        ("[a-zA-Z][a-zA-Z0-9.:_-]{0,5}", attributes, proptest::collection::vec(inner, 0..5)).prop_map(
            |(name, attributes, children)| {
                let written: String = attributes
                    .iter()
                    .map(|(key, value)| format!(" {key}=\"{}\"", escape(value, false)))
                    .collect();
                let inner: String = children.iter().map(|child| child.body.as_str()).collect();
                Written {
                    body: format!("<{name}{written}>{inner}</{name}>"),
                    text: children.iter().map(|child| child.text.as_str()).collect(),
                    values: attributes
                        .into_values()
                        .chain(children.into_iter().flat_map(|child| child.values))
                        .collect(),
                }
            },
        )
    })
}

proptest! {
    #[test]
    fn what_is_written_is_read(written in elements()) {
        let mut parsed = Parsed::default();
        xml(format!("<root>{}</root>", written.body).as_bytes(), &Limits::default(), &mut parsed);
        prop_assert_eq!(parsed.error, None, "{}", written.body);
        let found = parsed.xml.expect("a document");
        prop_assert_eq!(String::from_utf8_lossy(&found.text), written.text);
        let values: Vec<_> = found.attributes.iter().map(|(_, value)| String::from_utf8_lossy(value).into_owned()).collect();
        prop_assert_eq!(values, written.values);
    }

    #[test]
    fn any_text_ends(body in r#"(<|>|/|&|;|#|"|'|=|!|\?|-|\[|\]|<!--|-->|<!\[CDATA\[|\]\]>|<a>|</a>|<\?xml |a|x| |\n){0,24}"#) {
        let mut parsed = Parsed::default();
        xml(body.as_bytes(), &Limits::default(), &mut parsed);
        prop_assert!(parsed.xml.is_none_or(|found| found.text.len() <= body.len()));
    }

    #[test]
    fn any_bytes_end(body in proptest::collection::vec(any::<u8>(), 0..200)) {
        let mut parsed = Parsed::default();
        xml(&body, &Limits::default(), &mut parsed);
    }
}
