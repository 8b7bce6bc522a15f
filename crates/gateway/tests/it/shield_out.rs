//! The shield on the way out: what must not leave the app, and what streams as before.

use crate::house::{House, SECRET, token};
use crate::shield_in::{BASE, blocking, rules, told, told_once};
use gateway::config::ShieldMode;
use gateway::events::{Event, Side};
use std::io::Write;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::Notify;

const LEAK: &str = "You have an error in your SQL syntax";
const LEAKS: &str = r#"
SecRule RESPONSE_BODY "@contains You have an error in your SQL syntax" "id:200,phase:4,deny,status:403,log,severity:ERROR,tag:leak"
SecRule RESPONSE_HEADERS:x-debug "@contains stack" "id:201,phase:3,deny,log"
"#;
/// Longest wait for anything.
const LONG: Duration = Duration::from_secs(20);

async fn leaking(more: &str) -> House {
    House::shielded(more, &format!("{}{LEAKS}", rules())).await
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).expect("written");
    encoder.finish().expect("finished")
}

fn page(filler: usize) -> String {
    format!("<p>{}</p><p>{LEAK}</p>", "x".repeat(filler))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leak_is_held_back_on_all_kinds_of_routes_and_in_all_codings() {
    let chunked = |body: &str| {
        let (one, two) = body.split_at(body.len() - 10);
        format!("{:x}\r\n{one}\r\n{:x}\r\n{two}\r\n0\r\n\r\n", one.len(), two.len())
    };
    for path in ["/elsewhere", "/page"] {
        for (head, body) in [
            ("content-type: text/html", page(10).into_bytes()),
            ("content-type: text/plain; charset=utf-8", page(10).into_bytes()),
            ("content-type: application/json", format!("{{\"error\":\"{LEAK}\"}}").into_bytes()),
            ("content-type: text/html\r\ncontent-encoding: gzip", gzip(page(10).as_bytes())),
            ("content-type: text/html\r\ntransfer-encoding: chunked", chunked(&page(10)).into_bytes()),
            // Just within the first window.
            ("content-type: text/html", page(60_000).into_bytes()),
            ("content-type: text/css\r\nx-debug: stack trace", b"a{}".to_vec()),
        ] {
            let house = leaking(blocking()).await;
            house.answers(&format!("200 OK\r\nx-user: lead; role=lead\r\n{head}"), &body);
            let (answer, text) = house.get(path).await;
            assert!(answer.starts_with("HTTP/1.1 502"), "{path} {head}: {answer}");
            assert!(text.contains("answer_refused") && !text.contains("SQL"), "{path} {head}: {text}");
            assert!(!answer.contains("x-debug"), "{answer}");
            let event = told_once(&house).await;
            assert!(text.contains(&event.reference), "{text}");
            assert_eq!((event.side, event.status, event.refused), (Side::Answer, 502, true));
            assert!(matches!(event.by, Some(200 | 201)), "{event:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trial_run_and_other_types_and_answers_without_bodies_pass() {
    let trial = leaking("[shield]\nmode = \"detect\"\n").await;
    trial.answers("500 Oh\r\ncontent-type: text/html", page(10));
    let (head, body) = trial.get("/elsewhere").await;
    assert!(head.starts_with("HTTP/1.1 500") && body == page(10), "{head}");
    let event = told_once(&trial).await;
    assert_eq!(
        (event.mode, event.refused, event.status, event.side),
        (ShieldMode::Detect, true, 500, Side::Answer)
    );
    let house = leaking(blocking()).await;
    house.answers("200 OK\r\ncontent-type: image/png", page(10));
    assert_eq!(house.get("/elsewhere").await.1, page(10), "no type that is looked into");
    for status in ["204 No Content", "304 Not Modified"] {
        *house.app.answer.lock() =
            format!("HTTP/1.1 {status}\r\ncontent-type: text/html\r\nconnection: close\r\n\r\n").into_bytes();
        let (head, body) = house.get("/elsewhere").await;
        assert!(head.starts_with(&format!("HTTP/1.1 {}", &status[..3])) && body.is_empty(), "{head}{body}");
    }
    *house.app.answer.lock() =
        b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 77\r\nconnection: close\r\n\r\n"
            .to_vec();
    let (head, body) = house.ask("HEAD /elsewhere", &[], "").await;
    assert!(
        head.starts_with("HTTP/1.1 200") && head.contains("content-length: 77") && body.is_empty(),
        "{head}"
    );
    house.answers("200 OK\r\ncontent-type: text/html", "");
    assert_eq!(house.get("/elsewhere").await.1, "", "nothing in it");
    assert_eq!(told(&house), []);
    let off = leaking("[shield]\nresponse = false\n").await;
    off.answers("200 OK\r\ncontent-type: text/html\r\nx-debug: stack", page(10));
    assert_eq!(off.get("/elsewhere").await.1, page(10));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_follows_the_first_window_is_cut_off_before_the_leak_and_has_no_end() {
    // Within the second window, across the edge of two, and across the edge of the first one.
    for filler in [80_000, (128 << 10) - 20, (64 << 10) - 20, (64 << 10) - 4] {
        let body = format!("{}{LEAK}{}", "x".repeat(filler), "Y".repeat(100_000));
        for chunked in [false, true] {
            let house = leaking(blocking()).await;
            let head = "200 OK\r\ncontent-type: text/plain";
            match chunked {
                true => house.answers(
                    &format!("{head}\r\ntransfer-encoding: chunked"),
                    format!("{:x}\r\n{body}\r\n0\r\n\r\n", body.len()),
                ),
                false => house.answers(head, &body),
            }
            let (head, got) = house.get("/elsewhere").await;
            assert!(!got.contains("SQL syntax") && !got.contains("YY"), "{filler} {chunked}");
            // What was still to be sent when the connection was broken is not sent.
            if head.starts_with("HTTP/1.1 200") || head.is_empty() {
                assert!(!got.ends_with("0\r\n\r\n") && got.len() < body.len(), "{filler}: it looks whole");
                let event = told_once(&house).await;
                assert_eq!((event.side, event.status, event.refused), (Side::Answer, 200, true));
            } else {
                assert!(head.starts_with("HTTP/1.1 502") && filler < 64 << 10, "{filler}: {head}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn beyond_the_limit_an_answer_passes_and_before_it_arrives_whole() {
    let more = "[shield]\nresponse_limit = 150000\n";
    let house = leaking(more).await;
    for path in ["/elsewhere", "/page"] {
        for filler in [150_000, 300_000] {
            let body = page(filler);
            house.answers("200 OK\r\nx-user: lead; role=lead\r\ncontent-type: text/plain", &body);
            let (head, got) = house.get(path).await;
            // Where values may be shown the gateway frames the answer anew.
            let is_whole =
                got.matches('x').count() == body.matches('x').count() && got.contains("SQL syntax");
            assert!(head.starts_with("HTTP/1.1 200") && is_whole, "{path} {filler}: {} bytes", got.len());
        }
    }
    for size in [1, 65_535, 65_536, 65_537, 131_072, 149_999, 150_001, 400_000] {
        let body = "z".repeat(size);
        house.answers("200 OK\r\ncontent-type: text/plain", &body);
        assert_eq!(house.get("/elsewhere").await.1, body, "{size}");
    }
    assert_eq!(told(&house), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_are_masked_and_told_as_without_a_shield() {
    let house = leaking(blocking()).await;
    for filler in [10, 100_000] {
        house.told.0.lock().clear();
        let body = format!("{}{}", "x".repeat(filler), token(1));
        house.answers("200 OK\r\ncontent-type: text/plain", &body);
        let got = house.get("/elsewhere").await.1;
        assert!(got.contains("[masked]") && got.len() == body.len(), "{} bytes", got.len());
        assert!(house.noticed(|event| matches!(event, Event::Unruled { count: 1, .. })));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_rules_see_tokens_and_not_the_values_that_are_shown() {
    let values = r#"SecRule RESPONSE_BODY "@contains Kanarina" "id:202,phase:4,deny,log"
SecRule RESPONSE_BODY "@contains obh_" "id:203,phase:4,pass,log""#;
    let house = House::shielded(blocking(), &format!("{BASE}{values}")).await;
    house.page("text/html; charset=utf-8", format!("<p>{}</p>", token(1)));
    let (head, body) = house.get("/page").await;
    assert!(head.starts_with("HTTP/1.1 200") && body.contains("Kanarina"), "{head}{body}");
    assert_eq!(told_once(&house).await.rules[0].id, 203);
    assert!(!format!("{:?}", told(&house)).contains(SECRET));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_that_the_app_took_is_kept_though_its_answer_is_held_back() {
    let house = leaking(blocking()).await;
    house.answers("200 OK\r\nx-user: lead; role=lead\r\ncontent-type: text/html", page(10));
    let form = ["Content-Type: application/x-www-form-urlencoded"];
    let (head, body) = house.ask("POST /save/1", &form, "name=Kanarina").await;
    assert!(head.starts_with("HTTP/1.1 502"), "{head}");
    assert!(String::from_utf8_lossy(&body).contains("answer_refused"));
    assert_eq!(*house.relay.settled.lock(), [gateway::messages::Outcome::Accepted(None)]);
}

/// An app that sends a head and then pieces, as many as it is let, and counts what it could send.
struct Sending {
    address: SocketAddr,
    sent: Arc<AtomicUsize>,
    go: Arc<Notify>,
}

impl Sending {
    /// After `at` bytes it waits to be told to go on.
    async fn new(kind: &'static str, piece: &'static [u8], total: usize, at: usize) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let (sent, go) = (Arc::<AtomicUsize>::default(), Arc::<Notify>::default());
        let (counting, waiting) = (sent.clone(), go.clone());
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.expect("a connection");
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                head.push(stream.read_u8().await.expect("a head"));
            }
            let head = format!("HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\ncontent-length: {total}\r\n\r\n");
            stream.write_all(head.as_bytes()).await.expect("sent");
            let mut left = total;
            while left > 0 {
                let piece = &piece[..piece.len().min(left)];
                if stream.write_all(piece).await.is_err() {
                    return;
                }
                left -= piece.len();
                let sent = counting.fetch_add(piece.len(), Ordering::Relaxed) + piece.len();
                if sent >= at && sent - piece.len() < at {
                    waiting.notified().await;
                }
            }
            let _ = stream.shutdown().await;
        });
        Self { address, sent, go }
    }

    async fn house(&self) -> House {
        let route = "[gateway]\nlisten = []\nupstream = \"http://UPSTREAM\"\ntimeout = 60\n[shield]\n";
        House::shielding(route, &format!("{}{LEAKS}", rules()), self.address).await
    }
}

const PIECE: &[u8] = &[b'x'; 16 << 10];

#[tokio::test(flavor = "multi_thread")]
async fn a_large_download_waits_for_its_client_and_arrives_whole() {
    const TOTAL: usize = 200 << 20;
    for kind in ["text/plain", "application/octet-stream"] {
        let app = Sending::new(kind, PIECE, TOTAL, usize::MAX).await;
        let house = app.house().await;
        let mut stream = house.connect().await;
        stream
            .write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            .await
            .expect("sent");
        // Nobody reads: what the app can get rid of lies in buffers, most of them the system's.
        let mut before = usize::MAX;
        while app.sent.load(Ordering::Relaxed) != before {
            before = app.sent.load(Ordering::Relaxed);
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
        assert!((64 << 10..24 << 20).contains(&before), "{kind}: {before} bytes are held");
        let (mut taken, mut buffer) = (0, vec![0; 256 << 10]);
        loop {
            let read = stream.read(&mut buffer).await;
            match read {
                Ok(0) | Err(_) => break,
                Ok(count) => taken += buffer[..count].iter().filter(|byte| **byte == b'x').count(),
            }
        }
        // The head has some of its own.
        assert!((TOTAL..TOTAL + 20).contains(&taken), "{kind}: {taken}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_app_says_before_a_pause_is_not_held_back() {
    for (kind, at) in [("text/plain", 16 << 10), ("text/plain", 96 << 10), ("text/event-stream", 16 << 10)] {
        let app = Sending::new(kind, PIECE, 1 << 20, at).await;
        let house = app.house().await;
        let mut stream = house.connect().await;
        stream
            .write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            .await
            .expect("sent");
        let (mut taken, mut buffer) = (0, vec![0; 64 << 10]);
        let reading = async {
            while taken < at {
                let count = stream.read(&mut buffer).await.expect("open");
                assert_ne!(count, 0);
                taken += buffer[..count].iter().filter(|byte| **byte == b'x').count();
            }
        };
        tokio::time::timeout(LONG, reading).await.unwrap_or_else(|_| panic!("{kind} {at}: held back"));
        app.go.notify_one();
        let mut rest = Vec::new();
        let _ = tokio::time::timeout(LONG, stream.read_to_end(&mut rest)).await.expect("an end");
        assert!(taken + rest.len() >= 1 << 20, "{kind}: {}", taken + rest.len());
    }
}
