use super::*;
use crate::events::{Event, EventSink};
use crate::messages::{
    Answer, Ask, FieldInfo, Outcome, Relay, RelayError, Shown, Submission, Submitted, Viewer,
};
use crate::setup::Setup;
use crate::upstream::Body;
use http_body_util::{BodyExt, Empty};
use hyper::body::Frame;
use hyper::client::conn::http2;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::task::JoinHandle;
use tokio::time::Instant;
use zeroize::Zeroizing;

#[test]
fn one_address_does_not_take_all_places() {
    let room = Room::new();
    let one: IpAddr = "192.0.2.7".parse().expect("an address");
    let mut held: Vec<Place> = (0..OF_ONE).filter_map(|_| room.take(one, false)).collect();
    assert_eq!(held.len(), OF_ONE);
    assert!(room.take(one, false).is_none() && room.take(one, true).is_some());
    assert!(room.take("192.0.2.8".parse().expect("an address"), false).is_some());
    held.pop();
    assert!(room.take(one, false).is_some(), "a place that was given back");
    drop(held);
    assert!(room.of_one.lock().is_empty(), "nobody is remembered");
    let (a, b) = ("2001:db8::1:2", "2001:db8::ffff");
    assert_eq!(client(a.parse().expect("an address")), client(b.parse().expect("an address")));
}

/// A body that says nothing and does not end.
struct Endless;

impl body::Body for Endless {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        Poll::Pending
    }
}

/// What the library cannot put into its own buffers.
const LARGE: usize = 8 << 20;

/// The client's end of a connection of HTTP/2 whose answers are large or do not end, and when it was given up.
fn held_open() -> (DuplexStream, JoinHandle<Instant>) {
    let (client, server) = tokio::io::duplex(64 << 10);
    let under_way = UnderWay::none();
    let counting = under_way.clone();
    let service = service_fn(move |request: Request<Incoming>| {
        let is_large = request.uri().path() == "/large";
        let body = if is_large { full(vec![b'x'; LARGE]) } else { Endless.boxed_unsync() };
        let one = counting.one();
        async move { Ok::<_, Closed>(one.until_sent(Response::new(body))) }
    });
    let (keep, stop) = watch::channel(false);
    let serving = tokio::spawn(async move {
        let _keep = keep;
        h2(server, service, &under_way, stop).await;
        Instant::now()
    });
    (client, serving)
}

async fn speaking(client: DuplexStream) -> http2::SendRequest<Empty<Bytes>> {
    let opened = http2::handshake(TokioExecutor::new(), TokioIo::new(client)).await;
    let (sender, connection) = opened.expect("HTTP/2");
    tokio::spawn(connection);
    sender
}

fn is_about(took: Duration, wanted: Duration) -> bool {
    (wanted..wanted + Duration::from_secs(5)).contains(&took)
}

#[tokio::test(start_paused = true)]
async fn a_connection_of_http_2_ends_when_nobody_uses_it() {
    let began = Instant::now();
    let (client, serving) = held_open();
    let _sender = speaking(client).await;
    let took = serving.await.expect("an end") - began;
    assert!(is_about(took, IDLE), "{took:?}");

    let began = Instant::now();
    let (_client, serving) = held_open();
    let took = serving.await.expect("an end") - began;
    assert!(is_about(took, IDLE + HANDSHAKE), "who says nothing at all: {took:?}");
}

#[tokio::test(start_paused = true)]
async fn a_request_under_way_keeps_its_connection() {
    let (client, serving) = held_open();
    let mut sender = speaking(client).await;
    let request = Request::get("https://localhost/").body(Empty::new()).expect("a request");
    let answer = sender.send_request(request).await.expect("a head");
    tokio::time::sleep(20 * IDLE).await;
    assert!(!serving.is_finished());
    drop(answer);
    let request = Request::get("https://localhost/large").body(Empty::new()).expect("a request");
    let answer = sender.send_request(request).await.expect("a head");
    tokio::time::sleep(10 * IDLE).await;
    assert!(!serving.is_finished(), "what was not fetched yet is still under way");
    let body = answer.into_body().collect().await.expect("a body").to_bytes();
    assert_eq!(body.len(), LARGE);
    let left = Instant::now();
    drop(body);
    let took = serving.await.expect("an end") - left;
    assert!(is_about(took, IDLE), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn a_client_that_takes_nothing_of_its_answer_is_given_up() {
    let (client, serving) = held_open();
    let mut sender = speaking(client).await;
    let request = Request::get("https://localhost/large").body(Empty::new()).expect("a request");
    let answer = sender.send_request(request).await.expect("a head");
    tokio::time::timeout(60 * IDLE, serving).await.expect("an end, though it is not fetched").expect("whole");
    drop(answer);
}

/// No vault and nobody who listens: what is tested here needs neither.
struct Nothing;

impl Relay for Nothing {
    fn fields(&self) -> Result<Vec<FieldInfo>, RelayError> {
        Ok(Vec::new())
    }

    fn show(&self, _: Ask) -> Answer<'_, Vec<Shown>> {
        Box::pin(async { Err(RelayError::Unavailable) })
    }

    fn submit(&self, _: Submission) -> Answer<'_, Submitted> {
        Box::pin(async { Err(RelayError::Unavailable) })
    }

    fn settle(&self, _: [u8; 16], _: Outcome, _: Option<Viewer>) -> Answer<'_, ()> {
        Box::pin(async { Err(RelayError::Unavailable) })
    }

    fn stable(&self, _: &str, _: &Zeroizing<String>) -> Result<String, RelayError> {
        Err(RelayError::Unavailable)
    }
}

impl EventSink for Nothing {
    fn emit(&self, _: Event) {}
}

/// Reads a head.
async fn head<S: AsyncRead + Unpin>(stream: &mut S) -> String {
    let mut all = Vec::new();
    while !all.ends_with(b"\r\n\r\n") {
        all.push(stream.read_u8().await.expect("a head"));
    }
    String::from_utf8_lossy(&all).into_owned()
}

/// A gateway before an app that changes to another protocol and says everything back.
async fn echoing() -> Gateway {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.expect("a connection");
        head(&mut stream).await;
        let answer = b"HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n";
        stream.write_all(answer).await.expect("sent");
        let (mut from, mut to) = stream.split();
        let _ = tokio::io::copy(&mut from, &mut to).await;
    });
    let tables = format!(
        "[shield]\nmode = \"off\"\n[gateway]\nlisten = []\nupstream = \"http://{address}\"\n\
         [[route]]\nname = \"live\"\npath = \"/live\"\npass = [\"websocket\"]\n"
    );
    let tables = toml::from_str(&tables).expect("tables");
    let setup = Setup::build(&tables, std::path::Path::new("."), None).expect("a setup");
    let (clock, entropy) = (Arc::new(testkit::TestClock::at(0)), Arc::new(testkit::SeededEntropy::new(1)));
    Gateway::new(setup, Arc::new(Nothing), Arc::new(Nothing), clock, entropy)
}

#[tokio::test]
async fn an_upgraded_connection_keeps_its_place() {
    let (gateway, room) = (echoing().await, Room::new());
    let address: IpAddr = "192.0.2.7".parse().expect("an address");
    let upgraded = Upgraded::default();
    let place = Arc::new(room.take(address, false).expect("a place"));
    let local = SocketAddr::from(([127, 0, 0, 1], 443));
    let (upgraded_too, places) = (upgraded.clone(), OwnPlaces::default());
    let peer = Peer { address, port: 40_000, local, upgraded: upgraded_too, place, places };
    let service = service_fn(move |request: Request<Incoming>| {
        let (gateway, peer) = (gateway.clone(), peer.clone());
        async move { Ok::<Response<Body>, Closed>(gateway.handle(peer, request).await) }
    });
    let (mut client, server) = tokio::io::duplex(64 << 10);
    let (_keep, stop) = watch::channel(false);
    let serving = tokio::spawn(h1(server, service, upgraded, stop));
    let asking = b"GET /live HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
    client.write_all(asking).await.expect("sent");
    let answer = head(&mut client).await;
    assert!(answer.starts_with("HTTP/1.1 101"), "{answer}");
    serving.await.expect("HTTP is over");
    client.write_all(b"still here").await.expect("sent");
    let mut back = [0; 10];
    client.read_exact(&mut back).await.expect("an echo");
    assert_eq!(room.of_one.lock().get(&address), Some(&1), "it counts as long as it is open");
    drop(client);
    let given_back = async {
        while !room.of_one.lock().is_empty() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), given_back).await.expect("its place is free again");
}
