//! HTTP/2, upgrades, streams, the clear-text port; reload and stop while requests run.

use crate::house::{House, SECRET, setup, token};
use bytes::Bytes;
use gateway::messages::Outcome;
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http2::{SendRequest, handshake};
use hyper_util::rt::{TokioExecutor, TokioIo};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, watch};

const SHOWN: &str = "Kanarina &lt;Vogelsang&gt;";
const LONG: Duration = Duration::from_secs(20);

pub(crate) async fn h2(house: &House) -> SendRequest<Full<Bytes>> {
    let stream = TokioIo::new(house.connect_as(b"h2").await);
    let (sender, connection) = handshake(TokioExecutor::new(), stream).await.expect("HTTP/2");
    tokio::spawn(connection);
    sender
}

async fn ask(
    sender: &SendRequest<Full<Bytes>>,
    method: Method,
    uri: &str,
    headers: &[(&str, &str)],
    body: &'static str,
) -> (StatusCode, http::HeaderMap, String) {
    let mut request = Request::builder().method(method).uri(uri);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(Full::new(Bytes::from(body))).expect("a request");
    let answer = sender.clone().send_request(request).await.expect("an answer");
    let (head, body) = answer.into_parts();
    let body = body.collect().await.expect("a body").to_bytes();
    (head.status, head.headers, String::from_utf8_lossy(&body).into_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn http_2_shows_keeps_and_refuses_like_http_1() {
    let house = House::new().await;
    let sender = h2(&house).await;
    house.page("text/html; charset=utf-8", format!("<p>{}</p>", token(1)));
    let (status, headers, body) = ask(&sender, Method::GET, "https://localhost/page", &[], "").await;
    assert_eq!((status, body.as_str()), (StatusCode::OK, &*format!("<p>{SHOWN}</p>")));
    assert!(headers.contains_key("strict-transport-security") && !headers.contains_key("x-user"));
    assert!(
        house.app_got().contains("GET /page HTTP/1.1\r\n"),
        "the app speaks HTTP/1.1: {}",
        house.app_got()
    );

    house.answers("303 See Other\r\nx-user: lead; role=lead\r\nlocation: /save/7", "");
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let (status, ..) =
        ask(&sender, Method::POST, "https://localhost/save/7", &form, "name=Kanarina&x=1").await;
    assert_eq!(status, StatusCode::SEE_OTHER);
    assert_eq!(*house.relay.settled.lock(), [Outcome::Accepted(None)]);
    assert!(!house.app_got().contains("Kanarina"));

    house.app.got.lock().clear();
    let whole = token(1);
    for (uri, headers, want) in [
        ("https://elsewhere.example/page", vec![], StatusCode::MISDIRECTED_REQUEST),
        ("https://localhost/page", vec![("host", "elsewhere.example")], StatusCode::BAD_REQUEST),
        ("https://user@localhost/page", vec![], StatusCode::BAD_REQUEST),
        ("https://localhost/a/../page", vec![], StatusCode::BAD_REQUEST),
        ("https://localhost/page", vec![("x-note", whole.as_str())], StatusCode::BAD_REQUEST),
        ("https://localhost/page", vec![("cookie", whole.as_str())], StatusCode::BAD_REQUEST),
        ("https://localhost/page", vec![("upgrade", "websocket")], StatusCode::BAD_REQUEST),
    ] {
        let (status, ..) = ask(&sender, Method::GET, uri, &headers, "").await;
        // Some of these the client's own library leaves out; then the app may answer, and must have got nothing odd.
        if status != want {
            assert!(
                headers.iter().any(|(name, _)| *name == "upgrade") || uri.contains('@'),
                "{uri} {headers:?}: {status}"
            );
        }
    }
    assert!(!house.app_got().contains("obh_") && !house.app_got().contains("elsewhere"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_head_of_http_2_that_is_too_large_gets_a_bare_answer() {
    let house = House::new().await;
    house.answers("200 OK", "ok");
    let sender = h2(&house).await;
    for (length, want) in [(20_000, StatusCode::OK), (40_000, StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE)] {
        let value = "x".repeat(length);
        let headers = [("x-one", value.as_str()), ("x-two", value.as_str())];
        let (status, _, body) = ask(&sender, Method::GET, "https://localhost/a", &headers, "").await;
        assert_eq!((status, body.is_empty()), (want, want != StatusCode::OK), "{length}: {body}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn many_streams_of_one_connection_do_not_mix() {
    let house = Arc::new(House::new().await);
    house.page("text/html; charset=utf-8", format!("<p>{}</p><p>{}</p>", token(1), token(2)));
    let sender = h2(&house).await;
    let want = format!("<p>{SHOWN}</p><p>[masked]</p>");
    let mut all = tokio::task::JoinSet::new();
    for number in 0..300 {
        let sender = sender.clone();
        all.spawn(async move {
            let path = if number % 2 == 0 { "page" } else { "elsewhere" };
            let (status, _, body) =
                ask(&sender, Method::GET, &format!("https://localhost/{path}"), &[], "").await;
            (number % 2 == 0, status, body)
        });
    }
    while let Some(done) = all.join_next().await {
        let (ruled, status, body) = done.expect("an answer");
        assert_eq!(status, StatusCode::OK);
        assert_eq!(body == want, ruled, "{body}");
        assert!(!body.contains(&token(1)[4..]));
    }
}

/// The head of a request.
async fn head(stream: &mut TcpStream) -> String {
    let mut all = Vec::new();
    while !all.ends_with(b"\r\n\r\n") {
        let Ok(byte) = stream.read_u8().await else { break };
        all.push(byte);
    }
    String::from_utf8_lossy(&all).into_owned()
}

/// An app that changes to WebSocket and says everything back.
async fn echoing() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let asked = head(&mut stream).await.to_lowercase();
                let fits = asked.contains("upgrade: websocket")
                    && asked.contains("sec-websocket-key: dghlihnhbxbszq==");
                let answer = if fits {
                    format!(
                        "HTTP/1.1 101 {0}\r\nconnection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-accept: x\r\n\
                         x-user: lead; role=lead\r\nx-note: {0}\r\n\r\n",
                        token(1)
                    )
                } else {
                    "HTTP/1.1 400 No\r\ncontent-length: 0\r\n\r\n".to_owned()
                };
                let _ = stream.write_all(answer.as_bytes()).await;
                let (mut from, mut to) = stream.split();
                let _ = tokio::io::copy(&mut from, &mut to).await;
            });
        }
    });
    address
}

const RULES: &str = r#"
[gateway]
listen = []
hosts = ["localhost"]
upstream = "http://UPSTREAM"
timeout = 5
[gateway.principal]
kind = "response"
header = "x-user"
roles = { lead = "operations" }
[[route]]
name = "live"
path = "/live"
pass = ["websocket"]
[[route]]
name = "ticker"
path = "/ticker"
pass = ["events"]
[[route]]
name = "page"
path = "/page"
[[relay]]
routes = ["page"]
out = { purpose = "p", fields = ["name"] }
"#;

#[tokio::test(flavor = "multi_thread")]
async fn a_websocket_opens_only_by_pass() {
    let house = House::with(RULES, echoing().await).await;
    let handshake = |path: &str| {
        format!(
            "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZQ==\r\n\r\n"
        )
    };
    for closed in ["/page", "/elsewhere"] {
        let all = String::from_utf8_lossy(
            &house
                .raw(handshake(closed).replace("Upgrade\r\nUpgrade", "close, Upgrade\r\nUpgrade").as_bytes())
                .await,
        )
        .into_owned();
        assert!(all.starts_with("HTTP/1.1 400") && all.contains("upgrade_refused"), "{closed}: {all}");
    }
    let mut stream = house.connect().await;
    let key = handshake("/live");
    stream.write_all(key.as_bytes()).await.expect("sent");
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.expect("a head"));
    }
    let head = String::from_utf8_lossy(&head).to_lowercase();
    assert!(head.starts_with("http/1.1 101") && head.contains("upgrade: websocket"), "{head}");
    assert!(head.contains("x-note: masked") && !head.contains("x-user") && !head.contains("obh_"), "{head}");
    // Bytes that are no HTTP at all, larger than any buffer.
    let sent: Vec<u8> = (0..200_000_u32).map(|number| (number % 251) as u8).collect();
    let (mut from, mut to) = tokio::io::split(stream);
    let sending = sent.clone();
    let writing = tokio::spawn(async move {
        to.write_all(&sending).await.expect("sent");
        to.flush().await.expect("sent");
        to
    });
    let mut back = vec![0; sent.len()];
    tokio::time::timeout(LONG, from.read_exact(&mut back)).await.expect("in time").expect("all came back");
    assert!(back == sent, "each byte as it was");
    let _ = writing.await;
}

/// An app that answers each request as told, after it was let.
async fn waiting(answer: String, go: Arc<Notify>, came: Arc<Notify>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let (answer, go, came) = (answer.clone(), go.clone(), came.clone());
            tokio::spawn(async move {
                head(&mut stream).await;
                came.notify_one();
                go.notified().await;
                let _ = stream.write_all(answer.as_bytes()).await;
            });
        }
    });
    address
}

fn page_of_lead(body: &str) -> String {
    format!(
        "HTTP/1.1 200 OK\r\nx-user: lead; role=lead\r\ncontent-type: text/html; charset=utf-8\r\nconnection: close\r\n\
         content-length: {}\r\n\r\n{body}",
        body.len()
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_stream_comes_event_by_event_and_its_tokens_are_masked() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let upstream = listener.local_addr().expect("an address");
    let next = Arc::new(Notify::new());
    let told = next.clone();
    tokio::spawn(async move {
        let Ok((mut stream, _)) = listener.accept().await else { return };
        head(&mut stream).await;
        let start =
            "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";
        let _ = stream.write_all(start.as_bytes()).await;
        for number in 1..=3 {
            let event = format!("data: {number} {}\n\n", token(1));
            let _ = stream.write_all(format!("{:x}\r\n{event}\r\n", event.len()).as_bytes()).await;
            told.notified().await;
        }
        let _ = stream.write_all(b"0\r\n\r\n").await;
    });
    let house = House::with(RULES, upstream).await;
    let mut stream = house.connect().await;
    let asking = b"GET /ticker HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n";
    stream.write_all(asking).await.expect("sent");
    let mut all = String::new();
    for number in 1..=3 {
        let wanted = format!("data: {number} ");
        while !all.contains(&wanted) {
            let mut buffer = [0; 4_096];
            let read =
                tokio::time::timeout(LONG, stream.read(&mut buffer)).await.expect("in time").expect("more");
            assert!(read > 0, "{all}");
            all.push_str(&String::from_utf8_lossy(&buffer[..read]));
        }
        // The next one is sent only after this one was seen: nothing waits for the end.
        next.notify_one();
    }
    assert!(!all.contains(&token(1)[4..]) && all.contains("[masked]"), "{all}");
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_under_way_end_under_the_rules_they_began_with() {
    let (go, came) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let answer = page_of_lead(&format!("<p>{}</p>", token(1)));
    let upstream = waiting(answer, go.clone(), came.clone()).await;
    let house = Arc::new(House::with(RULES, upstream).await);
    let asking = house.clone();
    let under_way = tokio::spawn(async move { asking.get("/page").await });
    came.notified().await;
    let without = RULES.split("[[relay]]").next().expect("a part");
    house.gateway.reload(setup(without, upstream));
    go.notify_one();
    let (head, body) = under_way.await.expect("an answer");
    assert!(body.contains(SHOWN), "{head} {body}");
    go.notify_one();
    let (_, body) = house.get("/page").await;
    assert!(
        !body.contains("Kanarina") && !body.contains(&token(1)[4..]),
        "the next one has the new rules: {body}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_lets_requests_under_way_end_and_takes_no_more() {
    let (go, came) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let upstream = waiting(page_of_lead(&format!("<p>{}</p>", token(1))), go.clone(), came.clone()).await;
    let house = Arc::new(House::with(RULES, upstream).await);
    let asking = house.clone();
    let under_way = tokio::spawn(async move { asking.get("/page").await });
    came.notified().await;
    house.stop();
    let closed = async {
        while TcpStream::connect(house.address).await.is_ok() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(LONG, closed).await.expect("nobody is let in any more");
    go.notify_one();
    let (head, body) = under_way.await.expect("an answer");
    assert!(head.starts_with("HTTP/1.1 200") && body.contains(SHOWN), "{head} {body}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_clear_text_port_only_shows_the_way() {
    let house = House::new().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let (_stop, stopped) = watch::channel(false);
    tokio::spawn(gateway::serve::redirect(listener, 8443, house.gateway.clone(), stopped));
    house.answers("200 OK", SECRET);
    let ask = |first: &str, host: &str| {
        let request = format!("{first} HTTP/1.1\r\nHost: {host}\r\nContent-Length: 0\r\n\r\n");
        async move {
            let mut stream = TcpStream::connect(address).await.expect("connected");
            stream.write_all(request.as_bytes()).await.expect("sent");
            let mut all = Vec::new();
            let _ = tokio::time::timeout(LONG, stream.read_to_end(&mut all)).await.expect("an end");
            String::from_utf8_lossy(&all).to_lowercase()
        }
    };
    for method in ["GET", "HEAD"] {
        let answer = ask(&format!("{method} /page?x=1"), "localhost:80").await;
        let leads = answer.contains("location: https://localhost:8443/page?x=1");
        assert!(answer.starts_with("http/1.1 308") && leads, "{method}: {answer}");
    }
    for (first, host) in [
        ("POST /page", "localhost"),
        ("PUT /page", "localhost"),
        ("DELETE /page", "localhost"),
        ("OPTIONS /page", "localhost"),
        ("GET /page", "elsewhere.example"),
        ("GET /page", "refused.obhut.invalid"),
    ] {
        let answer = ask(first, host).await;
        assert!(
            answer.starts_with("http/1.1 400") && !answer.contains("location"),
            "{first} {host}: {answer}"
        );
    }
    assert_eq!(house.app_got(), "", "nothing in clear text reaches the app");
}
