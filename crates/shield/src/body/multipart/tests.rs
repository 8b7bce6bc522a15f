//! Bodies as clients write them, and one test for each way in which two readers could find different fields.

use proptest::prelude::*;

use super::*;

const CONTENT_TYPE: &[u8] = b"multipart/form-data; boundary=B";

fn read(body: &[u8]) -> Parsed {
    let mut parsed = Parsed::default();
    multipart(body, CONTENT_TYPE, &Limits::default(), &mut parsed);
    parsed
}

/// Arguments, then files with name and content, then the error.
fn text(body: &[u8], parsed: &Parsed) -> String {
    let args =
        parsed.args.iter().map(|(name, value)| format!("{}={}", name.escape_ascii(), value.escape_ascii()));
    let files = parsed.files.iter().map(|file| {
        let content = body.get(file.content.clone()).expect("in the body");
        assert_eq!(file.size, content.len() as u64);
        format!("{}:{}={}", file.field.escape_ascii(), file.filename.escape_ascii(), content.escape_ascii())
    });
    let error = parsed.error.map(|error| format!("{error:?}"));
    args.chain(files).chain(error).collect::<Vec<_>>().join(" ")
}

fn as_text(body: &[u8]) -> String {
    text(body, &read(body))
}

const FIELD: &str = "Content-Disposition: form-data; name=\"a\"";
const FILE: &str = "Content-Disposition: form-data; name=\"f\"; filename=\"x.txt\"";

/// A body of parts, each of header lines and a content.
fn body(parts: &[(&[&str], &str)]) -> String {
    let mut text = String::new();
    for (headers, content) in parts {
        text.push_str(&format!("--B\r\n{}\r\n\r\n{content}\r\n", headers.join("\r\n")));
    }
    text + "--B--\r\n"
}

/// The flags that are set, but for the one that sums up.
fn flags(body: &str) -> Vec<&'static str> {
    let flags = read(body.as_bytes()).multipart;
    let all = [
        ("data_before", flags.data_before),
        ("data_after", flags.data_after),
        ("header_folding", flags.header_folding),
        ("lf_line", flags.lf_line),
        ("crlf_lf_lines", flags.crlf_lf_lines),
        ("invalid_quoting", flags.invalid_quoting),
        ("invalid_part", flags.invalid_part),
        ("invalid_header_folding", flags.invalid_header_folding),
        ("file_limit_exceeded", flags.file_limit_exceeded),
        ("unmatched_boundary", flags.unmatched_boundary),
        ("ambiguous", flags.ambiguous),
    ];
    let set: Vec<_> = all.into_iter().filter_map(|(name, set)| set.then_some(name)).collect();
    let strict = set.iter().any(|name| !["unmatched_boundary", "crlf_lf_lines"].contains(name));
    assert_eq!(flags.strict_error, strict || read(body.as_bytes()).error.is_some(), "{body}");
    set
}

#[test]
fn fields_and_files() {
    let form = body(&[(&[FIELD], "1"), (&[FILE, "Content-Type: text/plain"], "hello")]);
    assert_eq!(as_text(form.as_bytes()), "a=1 f:x.txt=hello");
    assert_eq!(flags(&form), [""; 0]);
    let parsed = read(form.as_bytes());
    let headers: Vec<_> =
        parsed.part_headers.iter().map(|(name, line)| [name, b" ", line].concat()).collect();
    let expected = [format!("a {FIELD}"), format!("f {FILE}"), "f Content-Type: text/plain".into()];
    assert_eq!(headers, expected.map(String::into_bytes));
    assert_eq!(parsed.files_size(), 5);
}

#[test]
fn contents_stay_as_they_are() {
    for (content, expected) in [
        ("", "a="),
        ("l1\r\nl2\nl3\r", r"a=l1\r\nl2\nl3\r"),
        ("\r\n", r"a=\r\n"),
        ("\n", r"a=\n"),
        ("--C\r\nX", r"a=--C\r\nX"),
        ("--D--", "a=--D--"),
        ("1\0--", r"a=1\x00--"),
        ("-----END CERTIFICATE-----", "a=-----END CERTIFICATE-----"),
    ] {
        let form = body(&[(&[FIELD], content)]);
        assert_eq!(as_text(form.as_bytes()), expected);
        assert_eq!(flags(&form), [""; 0], "{content}");
    }
    let form = body(&[(&[FILE], "--\r\n\r\n--\r\n")]);
    assert_eq!(as_text(form.as_bytes()), r"f:x.txt=--\r\n\r\n--\r\n");
}

#[test]
fn names_may_come_twice() {
    assert_eq!(as_text(body(&[(&[FIELD], "1"), (&[FIELD], "2")]).as_bytes()), "a=1 a=2");
}

#[test]
fn a_body_without_parts() {
    assert_eq!(as_text(b""), "");
    assert_eq!(as_text(b"--B--\r\n"), "");
    assert_eq!(as_text(b"--B--"), "");
    assert_eq!(as_text(b"nothing"), "NoBoundary");
    assert_eq!(as_text(b"--BX--\r\n"), "Boundary");
}

#[test]
fn a_missing_final_boundary_is_an_error() {
    let form = body(&[(&[FIELD], "1")]);
    assert_eq!(as_text(form.trim_end().as_bytes()), "a=1");
    assert_eq!(as_text(form.replace("--B--\r\n", "").as_bytes()), r"a=1\r\n FinalBoundaryMissing");
    assert_eq!(as_text(form.replace("--B--\r\n", "--B\r\n").as_bytes()), "a=1 = PartHeader");
    assert_eq!(as_text(form.replace("--B--\r\n", "--B-").as_bytes()), "a=1 Boundary");
    assert_eq!(as_text(form.replace("--B--\r\n", "--B").as_bytes()), "a=1 Boundary");
}

/// PHP takes any line that begins with the boundary for the end of a part; others take white space after it.
#[test]
fn lines_that_begin_like_a_boundary_are_errors() {
    for line in [
        "--BX\r\n",
        "--B \r\n",
        "--B\t\r\n",
        "--B--x\r\n",
        "--B-- \r\n",
        "--B\r",
        "--B--\r",
        "--B---\r\n",
        "--B\0\r\n",
    ] {
        let form = format!("--B\r\n{FIELD}\r\n\r\n1\r\n{line}X\r\n--B--\r\n");
        assert_eq!(as_text(form.as_bytes()), "a=1 Boundary", "{line:?}");
    }
}

/// Werkzeug and Django end a part after a carriage return alone.
#[test]
fn a_boundary_after_a_carriage_return_is_an_error() {
    let form = format!("--B\r\n{FIELD}\r\n\r\n1\r--B\r\n{FILE}\r\n\r\n2\r\n--B--\r\n");
    assert_eq!(as_text(form.as_bytes()), "a=1\\r Boundary");
    let form = format!("--B\r\n{FIELD}\r\n\r\n1\r--B--\r\n");
    assert_eq!(as_text(form.as_bytes()), "a=1\\r Boundary");
}

/// Django ends a part at the boundary wherever it stands: a file could hide a field from us.
#[test]
fn a_boundary_amid_a_line_is_an_error() {
    let form = body(&[(&[FILE], "xx--B\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1")]);
    assert_eq!(as_text(form.as_bytes()), "f:x.txt=xx Boundary");
    assert_eq!(flags(&form), ["unmatched_boundary", "ambiguous"]);
}

/// Django, multiparty and python-multipart decode what is encoded, and busboy what is in another character set.
#[test]
fn encoded_contents_are_told() {
    for (header, doubtful) in [
        ("Content-Transfer-Encoding: base64", true),
        ("Content-Transfer-Encoding: quoted-printable", true),
        ("Content-Transfer-Encoding: 8bit", false),
        ("content-transfer-encoding: Binary ", false),
        ("Content-Type: text/plain; charset=utf-16le", true),
        ("Content-Type: text/plain; CHARSET = \"utf-7\"; x=y", true),
        ("Content-Type: text/plain; charset*=utf-8''utf-7", true),
        ("Content-Type: text/plain; charset", false),
        ("Content-Type: text/plain; charset=UTF-8", false),
        ("Content-Type: text/plain;charset=\"iso-8859-1\";x=y", false),
        ("Content-Type: text/plain", false),
    ] {
        let form = body(&[(&[FILE, header], "MQ==")]);
        assert_eq!(as_text(form.as_bytes()), if doubtful { "f=MQ== f:x.txt=MQ==" } else { "f:x.txt=MQ==" });
        assert_eq!(flags(&form).contains(&"ambiguous"), doubtful, "{header}");
    }
}

/// Go, busboy and multer want a carriage return before a boundary: for them, the first field goes on.
#[test]
fn line_feeds_alone_are_told() {
    let form = body(&[(&[FIELD], "1"), (&[FILE], "2")]).replace("\r\n", "\n");
    assert_eq!(as_text(form.as_bytes()), "a=1 f:x.txt=2");
    assert_eq!(flags(&form), ["lf_line"]);
    let mixed = format!("--B\r\n{FIELD}\r\n\r\n1\n--B\r\n{FILE}\r\n\r\n2\r\n--B--\r\n");
    assert_eq!(flags(&mixed), ["lf_line", "crlf_lf_lines"]);
    let mixed = format!("--B\r\n{FIELD}\n\r\n1\r\n--B--\r\n");
    assert_eq!(flags(&mixed), ["lf_line", "crlf_lf_lines"]);
}

#[test]
fn data_before_is_told() {
    let form = body(&[(&[FIELD], "1")]);
    for before in ["preamble\r\n", "\r\n"] {
        assert_eq!(as_text(format!("{before}{form}").as_bytes()), "a=1");
        assert_eq!(flags(&format!("{before}{form}")), ["data_before"]);
    }
}

#[test]
fn data_after_is_told() {
    let form = body(&[(&[FIELD], "1")]);
    for after in ["epilogue", "\r\n"] {
        assert_eq!(as_text(format!("{form}{after}").as_bytes()), "a=1");
        assert_eq!(flags(&format!("{form}{after}")), ["data_after"]);
    }
}

/// PHP and Django go on after the final boundary.
#[test]
fn a_part_after_the_final_boundary_is_an_error() {
    let form = body(&[(&[FIELD], "1")]);
    assert_eq!(as_text(format!("{form}{form}").as_bytes()), "a=1 Boundary");
    assert_eq!(as_text(format!("{form}x--B\r\n").as_bytes()), "a=1 Boundary");
}

/// A reader that takes the quotation marks for a part of the boundary.
#[test]
fn a_quoted_boundary_in_the_body_is_an_error() {
    let read = |body: &str| {
        let mut parsed = Parsed::default();
        multipart(body.as_bytes(), b"multipart/form-data; boundary=\"B\"", &Limits::default(), &mut parsed);
        (parsed.error, parsed.multipart.boundary_quoted)
    };
    let form = body(&[(&[FIELD], "1")]);
    assert_eq!(read(&form), (None, true));
    assert_eq!(read(&form.replace("\r\n1\r\n", "\r\n--\"B\"\r\n1\r\n")), (Some(BodyError::Boundary), true));
}

#[test]
fn the_content_type_must_name_the_boundary() {
    let mut parsed = Parsed::default();
    let form = body(&[(&[FIELD], "1")]);
    multipart(form.as_bytes(), b"multipart/form-data", &Limits::default(), &mut parsed);
    assert_eq!((parsed.error, parsed.multipart.strict_error), (Some(BodyError::BoundaryParameter), true));
    assert!(parsed.args.is_empty());
}

/// Some readers want a line end for the empty line and one for the boundary.
#[test]
fn a_missing_content_is_told() {
    let form = format!("--B\r\n{FIELD}\r\n\r\n--B--\r\n");
    assert_eq!(as_text(form.as_bytes()), "a=");
    assert_eq!(flags(&form), ["ambiguous"]);
}

/// Readers that do not know folding, as Django, see no file here.
#[test]
fn folded_headers_are_told_and_inspected_both_ways() {
    let folded = "Content-Disposition: form-data; name=\"a\";\r\n filename=\"b\"";
    let form = body(&[(&[folded], "1")]);
    assert_eq!(as_text(form.as_bytes()), "a=1 a:b=1");
    assert_eq!(flags(&form), ["header_folding"]);
    let line = b"Content-Disposition: form-data; name=\"a\"; filename=\"b\"";
    assert_eq!(read(form.as_bytes()).part_headers.iter().next(), Some((&b"a"[..], &line[..])));
    let form = body(&[(&["Content-Disposition: form-data;\r\n\x0bname=\"a\""], "1")]);
    assert_eq!(as_text(form.as_bytes()), "a=1");
    assert_eq!(flags(&form), ["header_folding", "invalid_header_folding"]);
    let form = body(&[(&[" folded", FIELD], "1")]);
    assert_eq!(as_text(form.as_bytes()), "a=1 PartHeader");
}

#[test]
fn headers_that_are_none_are_errors() {
    for headers in [
        &[FIELD, "nocolon"][..],
        &[FIELD, ": novalue"],
        &[FIELD, "X: a\0b"],
        &[FIELD, "X: a\rContent-Type: b"],
        &[FIELD, "X Y: 1"],
        &[FIELD, "\u{e9}: 1"],
        &["\x0eContent-Disposition: form-data; name=\"f\"; filename=\"x\"", FIELD],
        &["Content- Disposition: form-data; name=\"f\"; filename=\"x\"", FIELD],
        &["Content\x7f-Disposition: form-data; name=\"f\"; filename=\"x\"", FIELD],
        // Which of two the application takes, nobody knows.
        &[FIELD, "Content-Disposition: form-data; name=\"b\""],
        &[FIELD, "Content-Type: text/plain", "content-type: text/html"],
    ] {
        let form = body(&[(headers, "1"), (&[FIELD], "2")]);
        assert_eq!(as_text(form.as_bytes()), "a=1 PartHeader", "{headers:?}");
        assert_eq!(read(form.as_bytes()).part_headers.len(), headers.len());
        assert!(flags(&form).contains(&"invalid_part"));
    }
    let form = body(&[(&["Content-Disposition : form-data; name=\"a\""], "1")]);
    assert_eq!(as_text(form.as_bytes()), "=1 PartHeader");
    for head in ["", "\r\n", "Content-Disposition: form-data; name=\"a\"\r\n"] {
        let form = format!("--B\r\n{head}--B--\r\n");
        let name = if head.len() > 2 { "a=" } else { "=" };
        let error = if head == "\r\n" { "Disposition" } else { "PartHeader" };
        assert_eq!(as_text(form.as_bytes()), format!("{name} {error}"), "{head}");
    }
}

#[test]
fn dispositions_that_cannot_be_understood_are_errors() {
    for (header, expected) in [
        ("Content-Type: text/plain", "=1"),
        ("Content-Disposition: attachment; name=\"a\"", "=1"),
        ("Content-Disposition: form-data; name=\"a\"; name=\"b\"", "a=1"),
        ("Content-Disposition: form-data; name=\"a\"; filename =\"b\"", "a=1"),
        ("Content-Disposition: form-data; name=\"a\"; filename=\"b\"; filename=\"c\"", "a=1 a:b=1"),
        ("Content-Disposition: form-data; filename=\"b\"", "=1 :b=1"),
    ] {
        let form = body(&[(&[header], "1"), (&[FIELD], "2")]);
        assert_eq!(as_text(form.as_bytes()), format!("{expected} Disposition"));
        assert!(flags(&form).contains(&"invalid_part"));
    }
}

/// Where a reader could see a field instead of a file, or a file of another name, both are inspected.
#[test]
fn doubtful_files_are_inspected_both_ways() {
    for (parameters, expected) in [
        ("name=\"a\"; filename*=utf-8''x.php", "a=1 a:x.php=1"),
        ("name=\"a\"; FILENAME=\"x.php\"", "a=1 a:x.php=1"),
        ("name=\"a\"; filename='x.php'", "a=1 a:x.php=1"),
        ("name=\"a\"; filename=\"f\\\"x.php\"", "a=1 a:f\\\"x.php=1"),
        ("name=\"a\"; filename=\"x.p\\hp\"", "a=1 a:x.p\\\\hp=1 a:x.php=1"),
        ("name=\"a; filename=x.php\"", "a; filename=x.php=1"),
        ("name=\"a\"; filename=\"f.txt\"; filename*=utf-8''x.php", "a:f.txt=1 a:x.php=1"),
        ("name=\"a\"; filename=\"\"", "a=1"),
    ] {
        let form = body(&[(&[&format!("Content-Disposition: form-data; {parameters}")], "1")]);
        assert_eq!(as_text(form.as_bytes()), expected, "{parameters}");
    }
    assert_eq!(
        flags(&body(&[(&["Content-Disposition: form-data; name='a'"], "1")])),
        ["invalid_quoting", "ambiguous"]
    );
}

#[test]
fn limits_end_it() {
    let limits =
        Limits { parts: 2, part_headers: 2, part_header_bytes: 60, argument_bytes: 200, ..Limits::default() };
    let read = |form: &str| {
        let mut parsed = Parsed::default();
        multipart(form.as_bytes(), CONTENT_TYPE, &limits, &mut parsed);
        (parsed.args.len(), parsed.error)
    };
    let part = (&[FIELD][..], "1");
    assert_eq!(read(&body(&[part, part])), (2, None));
    assert_eq!(read(&body(&[part, part, part])), (2, Some(BodyError::TooManyParts)));
    assert_eq!(read(&body(&[(&[FIELD, "X: 1"], "1")])), (1, None));
    assert_eq!(read(&body(&[(&[FIELD, "X: 1", "Y: 2"], "1")])), (1, Some(BodyError::TooManyPartHeaders)));
    let long = format!("X: {}", "y".repeat(57));
    assert_eq!(read(&body(&[(&[FIELD, &long], "1")])), (1, None));
    assert_eq!(read(&body(&[(&[FIELD, &format!("{long}y")], "1")])), (1, Some(BodyError::PartHeaderTooLong)));
    assert_eq!(
        read(&body(&[(&[FIELD, &format!("{long}\r\n y")], "1")])),
        (1, Some(BodyError::PartHeaderTooLong))
    );
    assert_eq!(read(&body(&[(&[FIELD], &"1".repeat(200))])), (0, Some(BodyError::TooManyBytes)));
    assert_eq!(read(&body(&[(&[FILE], &"1".repeat(2000))])), (0, None));
    let few = Limits { arguments: 1, ..Limits::default() };
    let mut parsed = Parsed::default();
    multipart(body(&[part, part]).as_bytes(), CONTENT_TYPE, &few, &mut parsed);
    assert_eq!((parsed.args.len(), parsed.error), (1, Some(BodyError::TooManyArguments)));
}

/// A part named `m` with a file of this name and type.
fn blob(filename: &str, kind: &str, content: &str) -> String {
    let disposition = format!("Content-Disposition: form-data; name=\"m\"; filename=\"{filename}\"");
    let kind = format!("Content-Type: {kind}");
    let headers: &[&str] = if kind.ends_with(' ') { &[&disposition] } else { &[&disposition, &kind] };
    body(&[(headers, content)])
}

#[test]
fn a_document_among_the_files_is_looked_at() {
    const JSON: &str = r#"{"a":"\u003cb\u003e","c":[1]}"#;
    let args = |filename: &str, kind: &str, content: &str| {
        let found = read(blob(filename, kind, content).as_bytes());
        assert_eq!(
            (found.error, found.files.len(), found.multipart.ambiguous),
            (None, 1, false),
            "{filename} {kind}"
        );
        let args = found
            .args
            .iter()
            .map(|(name, value)| format!("{}={}", name.escape_ascii(), value.escape_ascii()));
        let xml = found.xml.iter().map(|xml| format!("xml:{}", xml.text.escape_ascii()));
        args.chain(xml).collect::<Vec<_>>().join(" ")
    };
    for (filename, kind) in [
        ("blob", "application/json"),
        ("data.json", "application/json; charset=utf-8"),
        ("x", "application/vnd.a+json"),
        ("blob", "application/octet-stream"),
        ("blob", "text/plain"),
        ("BLOB", ""),
        ("blob", "image/png"),
    ] {
        assert_eq!(args(filename, kind, JSON), "m.a=<b> m.c.array_0=1", "{filename} {kind}");
    }
    assert_eq!(args("blob", "application/json", &format!("\u{feff}{JSON}")), "m.a=<b> m.c.array_0=1");
    assert_eq!(args("x", "application/json", "\"q\""), "m=q");
    assert_eq!(args("x", "application/x-ndjson", "1\n2"), "m.array_0=1 m.array_1=2");
    assert_eq!(args("x.xml", "text/xml", "<a>b<c>d</c></a>"), "xml:bd");
    // What is none is a text, and what was found before stays.
    assert_eq!(args("x", "application/json", "{\"a\":1,}"), "m=a m.a=1 m={\"a\":1,}".replace('"', "\\\""));
    assert_eq!(args("blob", "", "{a:1}"), "m={a:1}");
    assert_eq!(args("blob", "application/octet-stream", "{a:1}"), "m={a:1}");
    assert_eq!(args("blob", "text/csv", "a;b"), "m=a;b");
    assert_eq!(args("x", "text/xml", "<a"), "m=<a xml:");
    // Files are none.
    assert_eq!(args("x.txt", "text/plain", JSON), "");
    assert_eq!(args("blob", "application/octet-stream", "a;b"), "");
    assert_eq!(args("blob", "image/png", "\u{1}{}"), "");
    assert_eq!(args("x.svg", "image/svg+xml", "<svg/>"), "");
    assert_eq!(args("x.gpx", "application/gpx+xml", "<gpx>b</gpx>"), "");
    assert_eq!(args("blob", "application/soap+xml", "<a>b</a>"), "xml:b");
}

#[test]
fn a_field_that_is_a_document_is_also_read() {
    let text = body(&[(&[FIELD, "Content-Type: application/json"], r#"{"b":"\u0027"}"#)]);
    assert_eq!(as_text(text.as_bytes()), r#"a={\"b\":\"\\u0027\"} a.b=\'"#);
}

#[test]
fn documents_of_several_parts_share_the_limits_of_one_body() {
    let part = |content: &str| blob("blob", "application/json", content).replace("--B--\r\n", "");
    let many = format!("[{}]", vec!["1"; 600].join(","));
    assert_eq!(read(format!("{}--B--\r\n", part(&many)).as_bytes()).error, None);
    let two = format!("{0}{0}--B--\r\n", part(&many));
    assert_eq!(read(two.as_bytes()).error, Some(BodyError::TooManyArguments));
    let long = blob("blob", "text/plain", &"x".repeat((1 << 20) + 1));
    assert_eq!(read(long.as_bytes()).error, Some(BodyError::TooManyBytes));
    let xml = blob("x", "text/xml", &format!("<a>{}</a>", "x".repeat(600_000))).replace("--B--\r\n", "");
    assert_eq!(read(format!("{xml}--B--\r\n").as_bytes()).error, None);
    assert_eq!(read(format!("{xml}{xml}--B--\r\n").as_bytes()).error, Some(BodyError::TooManyBytes));
    // Files do not count.
    assert_eq!(read(blob("x.bin", "application/octet-stream", &"x".repeat(2 << 20)).as_bytes()).error, None);
}

#[test]
fn json_in_another_encoding_is_in_doubt() {
    let doubtful = |kind: &str, content: &[u8]| {
        let text = blob("blob", kind, "CONTENT").into_bytes();
        let at = memmem::find(&text, b"CONTENT").expect("it stands there");
        read(&[&text[..at], content, &text[at + 7..]].concat()).multipart.ambiguous
    };
    for kind in ["application/json", "application/octet-stream", ""] {
        for content in [&b"{\0}\0"[..], b"\0{\0}", b"\xff\xfe{\0", b"\xfe\xff\0[", b"{\0\0\0", b"\0\0\0{"] {
            assert!(doubtful(kind, content), "{kind} {content:?}");
        }
    }
    assert!(doubtful("application/json", b"{\"a\":\"\xe4\"}"));
    assert!(!doubtful("image/png", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"));
    assert!(!doubtful("application/octet-stream", b"\0\0\0\x18ftypmp42"));
}

proptest! {
    #[test]
    fn what_is_written_is_read(
        parts in proptest::collection::vec(
            ("[b-zB-Z0-9.;=_-]{1,10}", proptest::option::of("[b-z.;=]{1,10}"), proptest::collection::vec(any::<u8>(), 0..60)),
            0..10,
        ),
    ) {
        let mut form = Vec::new();
        let (mut args, mut files) = (Vec::new(), Vec::new());
        for (name, filename, content) in &parts {
            let filename = filename.as_ref().map(|filename| format!("; filename=\"{filename}\""));
            let filename = filename.unwrap_or_default();
            form.extend_from_slice(format!("--B\r\nContent-Disposition: form-data; name=\"{name}\"{filename}\r\n\r\n").as_bytes());
            form.extend_from_slice(content);
            form.extend_from_slice(b"\r\n");
            let one = (name.clone().into_bytes(), content.clone());
            if filename.is_empty() { args.push(one) } else { files.push(one) }
        }
        form.extend_from_slice(b"--B--\r\n");
        prop_assume!(parts.iter().all(|(name, _, content)| !name.contains("--B") && memmem::find(content, b"--B").is_none()));
        let parsed = read(&form);
        prop_assert_eq!(parsed.error, None);
        prop_assert!(!parsed.multipart.strict_error);
        let got: Vec<_> = parsed.args.iter().map(|(name, value)| (name.to_vec(), value.to_vec())).collect();
        prop_assert_eq!(got, args);
        let got: Vec<_> =
            parsed.files.iter().map(|file| (file.field.clone(), form.get(file.content.clone()).unwrap_or_default().to_vec())).collect();
        prop_assert_eq!(got, files);
    }

    #[test]
    fn any_body_ends(form in r#"(--B|--|\r\n|\n|\r|Content-Disposition:|form-data;|name="a"|filename=|x| |:|\x00){0,40}"#) {
        let parsed = read(form.as_bytes());
        for file in &parsed.files {
            prop_assert!(form.as_bytes().get(file.content.clone()).is_some());
        }
        prop_assert!(!parsed.multipart.invalid_part || parsed.error.is_some());
    }

    /// What a reader that knows nothing of ours finds in a body without flags and errors is what we find.
    #[test]
    fn bodies_without_flags_are_read_alike(form in r#"--B\r\n(Content-Disposition: form-data; name="[ab]"(; filename="x")?\r\n\r\n|--B\r\n|--B--\r\n|\r\n|\n|1|x--B){0,12}--B--\r\n"#) {
        let parsed = read(form.as_bytes());
        if parsed.error.is_none() && !parsed.multipart.strict_error {
            let plain: Vec<String> = form
                .split("\r\n--B")
                .map(|piece| piece.strip_prefix("--B").unwrap_or(piece))
                .filter_map(|piece| piece.strip_prefix("\r\n")?.split_once("\r\n\r\n"))
                .map(|(_, content)| content.into())
                .collect();
            let args = parsed.args.iter().map(|(_, value)| value.len()).sum::<usize>();
            let files: usize = parsed.files.iter().map(|file| file.content.len()).sum();
            prop_assert_eq!(plain.iter().map(String::len).sum::<usize>(), args + files, "{:?}", form);
            prop_assert_eq!(plain.len(), parsed.args.len() + parsed.files.len());
        }
    }
}
