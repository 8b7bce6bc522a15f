//! Where an end is set to what one request, one client or all of them may take.

use crate::house::{House, RULES, token};
use crate::protocols::h2;
use bytes::Bytes;
use gateway::messages::Outcome;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http2::SendRequest;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};

const FORM: &str = "Content-Type: application/x-www-form-urlencoded";
/// Longest wait for anything.
const LONG: Duration = Duration::from_secs(20);

/// An app that takes requests and answers each when it is let.
pub(crate) struct Slow {
    pub(crate) address: SocketAddr,
    came: watch::Receiver<usize>,
    pub(crate) go: Arc<Semaphore>,
}

/// Reads a request whose length its head tells.
async fn read_request(stream: &mut TcpStream) -> Option<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    let head = String::from_utf8_lossy(&head).to_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
    stream.read_exact(&mut vec![0; length.unwrap_or(0)]).await.ok().map(drop)
}

impl Slow {
    pub(crate) async fn answering(answer: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let (comes, came) = watch::channel(0);
        let (comes, go) = (Arc::new(comes), Arc::new(Semaphore::new(0)));
        let letting = go.clone();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let (comes, letting) = (comes.clone(), letting.clone());
                tokio::spawn(async move {
                    read_request(&mut stream).await?;
                    comes.send_modify(|count| *count += 1);
                    letting.acquire().await.ok()?.forget();
                    let answer =
                        format!("HTTP/1.1 {answer}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n");
                    stream.write_all(answer.as_bytes()).await.ok()
                });
            }
        });
        Self { address, came, go }
    }

    /// Waits until so many requests have come.
    pub(crate) async fn has(&self, count: usize) {
        let mut came = self.came.clone();
        let waited = tokio::time::timeout(LONG, came.wait_for(|came| *came >= count)).await;
        waited.expect("in time").expect("an app");
    }
}

fn form() -> Request<Full<Bytes>> {
    let request =
        Request::post("https://localhost/save/7").header("content-type", "application/x-www-form-urlencoded");
    request.body(Full::new(Bytes::from_static(b"name=Kanarina"))).expect("a request")
}

async fn asked(sender: &SendRequest<Full<Bytes>>, request: Request<Full<Bytes>>) -> Response<Incoming> {
    let answer = tokio::time::timeout(LONG, sender.clone().send_request(request)).await;
    answer.expect("in time").expect("an answer")
}

/// An answer that asks to come again later, with this code.
async fn is_later(answer: Response<Incoming>, code: &str) {
    let (head, body) = answer.into_parts();
    let body = body.collect().await.expect("a body").to_bytes();
    let body = String::from_utf8_lossy(&body);
    assert!(head.status == 503 && body.contains(&format!("\"{code}\"")), "{head:?} {body}");
    assert!(head.headers.contains_key("retry-after"), "{head:?}");
}

/// Waits until so many submissions are settled, and all as accepted.
async fn all_accepted(house: &House, count: usize) {
    let settled = async {
        while house.relay.settled.lock().len() < count {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(LONG, settled).await.expect("settled in time");
    let settled = house.relay.settled.lock();
    assert!(
        settled.len() == count && settled.iter().all(|one| *one == Outcome::Accepted(None)),
        "{settled:?}"
    );
}

const TAKEN: &str = "303 See Other\r\nx-user: lead; role=lead\r\nlocation: /save/7";

#[tokio::test(flavor = "multi_thread")]
async fn streams_that_are_reset_keep_their_places_until_the_app_has_answered() {
    let app = Slow::answering(TAKEN).await;
    let house = House::with(&RULES.replace("timeout = 2", "timeout = 60"), app.address).await;
    let sender = h2(&house).await;
    for number in 1..=100 {
        let mut sender = sender.clone();
        let asking = tokio::spawn(async move { sender.send_request(form()).await });
        app.has(number).await;
        asking.abort();
    }
    // Each stream was reset, so HTTP/2 itself counts none of them any more.
    is_later(asked(&sender, form()).await, "gateway_busy").await;
    assert_eq!(*app.came.borrow(), 100, "the app has not seen it");
    let other = h2(&house).await;
    let asking = tokio::spawn(async move { asked(&other, form()).await.status() });
    app.has(101).await;
    app.go.add_permits(101);
    assert_eq!(asking.await.expect("an answer"), 303, "another connection has its own places");
    all_accepted(&house, 101).await;
    app.go.add_permits(1);
    assert_eq!(asked(&sender, form()).await.status(), 303, "the places are free again");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_app_took_is_kept_though_the_client_is_gone() {
    let app = Slow::answering(TAKEN).await;
    let house = House::with(&RULES.replace("timeout = 2", "timeout = 60"), app.address).await;
    let mut stream = house.connect().await;
    let form = format!(
        "POST /save/7 HTTP/1.1\r\nHost: localhost\r\n{FORM}\r\nContent-Length: 13\r\n\r\nname=Kanarina"
    );
    stream.write_all(form.as_bytes()).await.expect("sent");
    app.has(1).await;
    drop(stream);
    assert!(house.relay.settled.lock().is_empty());
    app.go.add_permits(1);
    all_accepted(&house, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_has_no_more_connections_to_the_app_than_its_part() {
    let app = Slow::answering(TAKEN).await;
    let rules = RULES.replace("timeout = 2", "timeout = 60\nupstream_connections = 8");
    let house = Arc::new(House::with(&rules, app.address).await);
    let sender = h2(&house).await;
    let get = || Request::get("https://localhost/elsewhere").body(Full::default()).expect("a request");
    let mut waiting = Vec::new();
    for _ in 0..2 {
        let sender = sender.clone();
        waiting.push(tokio::spawn(async move { asked(&sender, get()).await.status() }));
    }
    app.has(2).await;
    is_later(asked(&sender, get()).await, "app_busy").await;
    is_later(asked(&sender, form()).await, "app_busy").await;
    assert_eq!(*app.came.borrow(), 2);
    assert_eq!(*house.relay.settled.lock(), [Outcome::Abandoned], "the app has seen nothing of the form");
    app.go.add_permits(4);
    for one in waiting {
        assert_eq!(one.await.expect("an answer"), 303);
    }
    for _ in 0..2 {
        assert_eq!(asked(&sender, get()).await.status(), 303, "the connections are free again");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_goes_on_as_it_came_or_nothing_is_taken_in() {
    let house = House::new().await;
    house.answers("200 OK\r\nx-user: lead; role=lead", "ok");
    // Written anew it would be three times as long, which no target holds.
    let slashes = "/".repeat(30_000);
    for query in ["a=~'(&&b=+%2f%2F&c", &format!("x={slashes}")] {
        house.app.got.lock().clear();
        let (head, _) = house.ask(&format!("POST /save/7?{query}"), &[FORM], "name=Kanarina").await;
        assert!(head.starts_with("HTTP/1.1 200"), "{head}");
        let got = house.app_got();
        assert!(got.starts_with(&format!("POST /save/7?{query} HTTP/1.1\r\n")), "{}", &got[..80]);
    }
    assert_eq!(*house.relay.settled.lock(), [Outcome::Accepted(None), Outcome::Accepted(None)]);

    // Where the rule reads the query, it is written anew.
    house.app.got.lock().clear();
    house.ask("POST /note/7?note=Kanarina&x=~", &[], "").await;
    let anew = format!("POST /note/7?note={}&x=%7E HTTP/1.1\r\n", token(100));
    assert!(house.app_got().starts_with(&anew), "{}", house.app_got());
    house.app.got.lock().clear();
    house.relay.submitted.lock().clear();
    house.relay.settled.lock().clear();
    let (head, body) = house.ask(&format!("POST /note/7?note=Kanarina&x={slashes}"), &[], "").await;
    assert!(head.starts_with("HTTP/1.1 414"), "{head}");
    assert!(String::from_utf8_lossy(&body).contains("\"target_too_long\""));
    assert!(house.relay.submitted.lock().is_empty() && house.relay.settled.lock().is_empty());
    assert_eq!(house.app_got(), "", "and no other place of the app has got it");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_streams_keeps_its_connection_until_its_end() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        let mut kept = Vec::new();
        while let Ok((mut stream, _)) = listener.accept().await {
            read_request(&mut stream).await;
            let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\ndata: 1\n\n";
            let _ = stream.write_all(head.as_bytes()).await;
            kept.push(stream);
        }
    });
    let rules = RULES.replace("timeout = 2", "timeout = 60\nupstream_connections = 1");
    let house = House::with(&rules, address).await;
    let sender = h2(&house).await;
    let get = || Request::get("https://localhost/elsewhere").body(Full::default()).expect("a request");
    let first = asked(&sender, get()).await;
    assert_eq!(first.status(), 200);
    is_later(asked(&sender, get()).await, "app_busy").await;
    drop(first);
    assert_eq!(asked(&sender, get()).await.status(), 200, "the client left, and so did its connection");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_that_gets_on_is_not_cut_by_the_time_for_an_answer() {
    let app = Slow::answering("200 OK").await;
    app.go.add_permits(1);
    let house = House::with(&RULES.replace("timeout = 2", "timeout = 1"), app.address).await;
    let mut stream = house.connect().await;
    let head = b"POST /upload HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 30\r\n\r\n";
    stream.write_all(head).await.expect("sent");
    for _ in 0..3 {
        // Each pause alone is longer than the app may take for its answer.
        tokio::time::sleep(Duration::from_millis(1_300)).await;
        stream.write_all(b"0123456789").await.expect("sent");
        stream.flush().await.expect("sent");
    }
    let mut all = Vec::new();
    let _ = tokio::time::timeout(LONG, stream.read_to_end(&mut all)).await.expect("an end");
    let all = String::from_utf8_lossy(&all);
    assert!(all.starts_with("HTTP/1.1 200"), "{all}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_that_takes_nothing_of_an_upload_has_so_much_time_and_no_more() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        let mut kept = Vec::new();
        while let Ok((stream, _)) = listener.accept().await {
            kept.push(stream);
        }
    });
    let house = House::with(&RULES.replace("timeout = 2", "timeout = 1"), address).await;
    let mut stream = house.connect().await;
    let head =
        b"POST /upload HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 100000000\r\n\r\n";
    stream.write_all(head).await.expect("sent");
    let (mut from, mut to) = tokio::io::split(stream);
    let sending = tokio::spawn(async move { while to.write_all(&[b'x'; 65_536]).await.is_ok() {} });
    let mut answer = [0; 12];
    tokio::time::timeout(LONG, from.read_exact(&mut answer)).await.expect("in time").expect("an answer");
    assert_eq!(&answer, b"HTTP/1.1 504");
    sending.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_needs_a_route_that_takes_some() {
    let house = House::new().await;
    house.answers("200 OK\r\nx-user: lead; role=lead", "ok");
    let kind = "Content-Type: multipart/form-data; boundary=b";
    let form = |content: &str| {
        format!(
            "--b\r\nContent-Disposition: form-data; name=\"name\"\r\n\r\nKanarina\r\n\
             --b\r\nContent-Disposition: form-data; name=\"f\"; filename=\"a.txt\"\r\n\r\n{content}\r\n--b--\r\n"
        )
    };
    let (head, body) = house.ask("POST /save/7", &[kind], form("text")).await;
    assert!(head.starts_with("HTTP/1.1 415"), "{head}");
    assert!(String::from_utf8_lossy(&body).contains("\"upload_refused\""));
    assert!(house.relay.submitted.lock().is_empty() && house.app_got().is_empty());
    let (head, _) = house.ask("POST /save/7", &[kind], form("")).await;
    assert!(head.starts_with("HTTP/1.1 200"), "a place for a file that nobody chose: {head}");
    assert_eq!(*house.relay.settled.lock(), [Outcome::Accepted(None)]);
}

/// Asks until the answer is the wanted one, and nothing but that or `503`; the last one.
async fn until(house: &House, wanted: &str, ask: &str, lines: &[&str], body: &str) -> (String, Vec<u8>) {
    let asking = async {
        loop {
            let (head, body) = house.ask(ask, lines, body).await;
            if head.starts_with(&format!("HTTP/1.1 {wanted}")) {
                return (head, body);
            }
            assert!(head.starts_with("HTTP/1.1 503") || wanted == "503", "{head}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(LONG, asking).await.expect("in time")
}

#[tokio::test(flavor = "multi_thread")]
async fn forms_that_are_held_do_not_take_all_the_memory() {
    let app = Slow::answering("200 OK\r\nx-user: lead; role=lead").await;
    app.go.add_permits(1_000);
    let rules = RULES.replace("max_body = 1048576", "max_body = 100000\nmax_held = 150000");
    let house = House::with(&rules, app.address).await;
    let small = format!("name=Kanarina&x={}", "x".repeat(80_000));
    let (head, _) = house.ask("POST /save/7", &[FORM], &small).await;
    assert!(head.starts_with("HTTP/1.1 200"), "the control: {head}");
    // One that sends most of its form and then takes its time.
    let mut slow = house.connect().await;
    let head = format!(
        "POST /save/8 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{FORM}\r\nContent-Length: 95002\r\n\r\nname=x&x="
    );
    slow.write_all(head.as_bytes()).await.expect("sent");
    slow.write_all("x".repeat(94_000).as_bytes()).await.expect("sent");
    let (head, body) = until(&house, "503", "POST /save/7", &[FORM], &small).await;
    let body = String::from_utf8_lossy(&body);
    assert!(
        body.contains("\"gateway_full\"") && head.to_lowercase().contains("retry-after"),
        "{head} {body}"
    );
    let (came, settled) = (*app.came.borrow(), house.relay.settled.lock().len());
    assert_eq!(came, settled, "what had no room reached neither the app nor the vault");
    slow.write_all("x".repeat(993).as_bytes()).await.expect("sent");
    let mut all = Vec::new();
    let _ = tokio::time::timeout(LONG, slow.read_to_end(&mut all)).await.expect("an end");
    assert!(all.starts_with(b"HTTP/1.1 200"), "who had room keeps it");
    until(&house, "200", "POST /save/7", &[FORM], &small).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_that_nobody_fetches_do_not_take_all_the_memory() {
    let size = 24 << 20;
    let house = House::new_with("max_body = 1048576", &format!("max_body = {size}\nmax_held = {size}")).await;
    house.page("text/html; charset=utf-8", format!("<p>{}</p>{}", token(1), "x".repeat(size - 100)));
    let mut idle = house.connect().await;
    idle.write_all(b"GET /page HTTP/1.1\r\nHost: localhost\r\n\r\n").await.expect("sent");
    let mut first = [0; 12];
    tokio::time::timeout(LONG, idle.read_exact(&mut first)).await.expect("in time").expect("a head");
    assert_eq!(&first, b"HTTP/1.1 200");
    let (head, body) = house.get("/page").await;
    assert!(head.starts_with("HTTP/1.1 503") && body.contains("\"answer_full\""), "{head}");
    assert!(head.to_lowercase().contains("retry-after"), "{head}");
    drop(idle);
    let (_, body) = until(&house, "200", "GET /page", &[], "").await;
    assert!(body.len() > size - 100, "there is room again");
}
