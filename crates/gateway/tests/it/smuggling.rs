//! Requests that two programs could read in two ways: none of their bytes reaches the app.

use crate::house::House;

const AMBIGUOUS: [(&str, &str); 38] = [
    (
        "both lengths",
        "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nX",
    ),
    (
        "both, turned",
        "POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\nContent-Length: 6\r\n\r\n0\r\n\r\nX",
    ),
    (
        "two lengths",
        "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
    ),
    (
        "the same twice",
        "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello",
    ),
    ("a list", "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5, 5\r\n\r\nhello"),
    ("a sign", "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: +5\r\n\r\nhello"),
    ("negative", "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: -5\r\n\r\nhello"),
    ("hexadecimal", "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0x5\r\n\r\nhello"),
    ("space within", "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1 0\r\n\r\nhello"),
    ("empty length", "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: \r\n\r\nhello"),
    (
        "coding and identity",
        "POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n",
    ),
    (
        "chunked not last",
        "POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n",
    ),
    (
        "a word like chunked",
        "POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    ),
    (
        "quoted chunked",
        "POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: \"chunked\"\r\n\r\n0\r\n\r\n",
    ),
    (
        "space before colon",
        "POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
    ),
    ("tab before colon", "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length\t: 5\r\n\r\nhello"),
    (
        "a vertical tab",
        "POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n",
    ),
    ("folded", "POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n"),
    ("folded by tab", "GET / HTTP/1.1\r\nHost: localhost\r\nX: a\r\n\tContent-Length: 5\r\n\r\nhello"),
    ("first header folded", "GET / HTTP/1.1\r\n X: a\r\nHost: localhost\r\n\r\n"),
    ("LF alone in a header", "GET / HTTP/1.1\r\nHost: localhost\r\nX: a\nContent-Length: 5\r\n\r\nhello"),
    ("LF alone throughout", "GET / HTTP/1.1\nHost: localhost\n\n"),
    ("CR alone", "GET / HTTP/1.1\r\nHost: localhost\r\nX: a\rContent-Length: 5\r\n\r\nhello"),
    ("NUL", "GET / HTTP/1.1\r\nHost: localhost\r\nX: a\0b\r\n\r\n"),
    ("no colon", "GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length 5\r\n\r\nhello"),
    ("two hosts", "GET / HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n"),
    ("no host", "GET / HTTP/1.1\r\nX: y\r\n\r\n"),
    ("another host in the target", "GET http://evil.example/ HTTP/1.1\r\nHost: localhost\r\n\r\n"),
    ("a user in the target", "GET http://localhost@evil.example/ HTTP/1.1\r\nHost: localhost\r\n\r\n"),
    ("a host with a path", "GET / HTTP/1.1\r\nHost: localhost/evil\r\n\r\n"),
    ("two spaces", "GET  / HTTP/1.1\r\nHost: localhost\r\n\r\n"),
    ("HTTP/0.9", "GET /\r\n\r\n"),
    ("HTTP/3.0", "GET / HTTP/3.0\r\nHost: localhost\r\n\r\n"),
    ("lower case version", "GET / http/1.1\r\nHost: localhost\r\n\r\n"),
    ("CONNECT", "CONNECT evil.example:443 HTTP/1.1\r\nHost: localhost\r\n\r\n"),
    (
        "chunked in HTTP/1.0",
        "POST / HTTP/1.0\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ),
    ("a fragment", "GET /#a HTTP/1.1\r\nHost: localhost\r\n\r\n"),
    ("an empty line first", "\r\nGET / HTTP/1.1\r\nHost: localhost\r\n\r\n"),
];

const BAD_CHUNKS: [&str; 9] = [
    "5;ext=\"x\"\r\nhello\r\n0\r\n\r\n",
    "5 \r\nhello\r\n0\r\n\r\n",
    "5\nhello\n0\n\n",
    "0x5\r\nhello\r\n0\r\n\r\n",
    "5\r\nhelloGET / HTTP/1.1\r\n",
    "5\r\nhello\n0\r\n\r\n",
    "ffffffffffffffff1\r\nhello\r\n0\r\n\r\n",
    "-5\r\nhello\r\n0\r\n\r\n",
    "0\r\nX-Trailer: y\r\n\r\n",
];

#[tokio::test(flavor = "multi_thread")]
async fn no_byte_of_an_ambiguous_request_reaches_the_app() {
    let house = House::new().await;
    house.answers("200 OK", "ok");
    let (head, _) = house.get("/").await;
    assert!(head.starts_with("HTTP/1.1 200"), "the control: {head}");
    assert!(house.app_got().starts_with("GET / HTTP/1.1"));
    house.app.got.lock().clear();
    for (what, request) in AMBIGUOUS {
        // A second request behind it, which must not be answered either.
        let both = [request, "GET /second HTTP/1.1\r\nHost: localhost\r\n\r\n"].concat();
        let answer = String::from_utf8_lossy(&house.raw(both.as_bytes()).await).into_owned();
        assert!(answer.starts_with("HTTP/1.1 400"), "{what}: {answer}");
        assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "{what}: one answer and the end");
        assert_eq!(house.app_got(), "", "{what}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_has_a_document_and_what_is_no_uri_has_none() {
    let house = House::new().await;
    let ask = async |target: &str, line: &str| {
        let request = format!("GET {target} HTTP/1.1\r\nHost: localhost\r\n{line}Connection: close\r\n\r\n");
        String::from_utf8_lossy(&house.raw(request.as_bytes()).await).into_owned()
    };
    let refused = ask("/", "X : y\r\n").await;
    assert!(
        refused.contains("application/problem+json") && refused.contains("\"bad_header_line\""),
        "{refused}"
    );
    for target in ["/<", "/a`b", "http://localhost/<"] {
        let bare = ask(target, "").await;
        assert!(bare.starts_with("HTTP/1.1 400 ") && bare.ends_with("\r\n\r\n"), "{target}: {bare}");
    }
    assert_eq!(house.app_got(), "");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_chunk_ends_the_request() {
    let house = House::new().await;
    house.answers("200 OK", "ok");
    let head = "POST /a HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n";
    for chunks in BAD_CHUNKS {
        let both = [head, chunks, "GET /second HTTP/1.1\r\nHost: localhost\r\n\r\n"].concat();
        let answer = String::from_utf8_lossy(&house.raw(both.as_bytes()).await).into_owned();
        assert_eq!(answer, "", "{chunks:?}: the connection ends without a word");
        // What reaches the app is one request that never ends.
        let got = house.app_got();
        assert!(!got.contains("second") && !got.ends_with("0\r\n\r\n"), "{chunks:?}: {got}");
        house.app.got.lock().clear();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn several_requests_on_one_connection_stay_apart() {
    let house = House::new().await;
    house.answers("200 OK", "ok");
    let one =
        "POST /a HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n";
    let two = "POST /b HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nhello";
    let three = "GET /c HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    let answer =
        String::from_utf8_lossy(&house.raw([one, two, three].concat().as_bytes()).await).into_owned();
    assert_eq!(answer.matches("HTTP/1.1 200").count(), 3, "{answer}");
    let got = house.app_got();
    for line in ["POST /a", "POST /b", "GET /c"] {
        assert!(got.contains(line), "{got}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_belongs_to_one_connection_stays_there() {
    let house = House::new().await;
    house.answers("200 OK\r\nkeep-alive: timeout=5\r\nserver: secret/1.0\r\nx-user: lead; role=lead", "ok");
    let lines = [
        "Connection: close, X-Drop",
        "X-Drop: 1",
        "X-Forwarded-For: 10.0.0.1",
        "X_Forwarded_For: 10.0.0.1",
        "Forwarded: for=10.0.0.1",
        "X-User: admin; role=lead",
        "TE: trailers",
        "Proxy-Authorization: x",
    ];
    let (head, _) = house.ask("GET /", &lines, "").await;
    let got = house.app_got().to_lowercase();
    for gone in ["x-drop", "10.0.0.1", "x-user", "te: ", "proxy-authorization", "x_forwarded"] {
        assert!(!got.contains(gone), "{gone}: {got}");
    }
    assert!(got.contains("x-forwarded-for: 127.0.0.1") && got.contains("x-forwarded-proto: https"));
    let head = head.to_lowercase();
    for gone in ["keep-alive", "server:", "x-user"] {
        assert!(!head.contains(gone), "{gone}: {head}");
    }
    assert!(head.contains("strict-transport-security") && head.contains("nosniff"), "{head}");
    let (head, _) = house.get("/a/../b").await;
    assert!(head.starts_with("HTTP/1.1 400"), "{head}");
    let refused = house.raw(b"GET / HTTP/1.1\r\nHost: other.example\r\nConnection: close\r\n\r\n").await;
    assert!(refused.starts_with(b"HTTP/1.1 421"));
}
