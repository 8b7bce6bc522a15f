use super::*;
use http_body_util::{BodyExt, Empty};
use hyper::body::Frame;
use hyper::client::conn::http2;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::io::DuplexStream;
use tokio::task::JoinHandle;
use tokio::time::Instant;

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
        async move { Ok::<_, Infallible>(one.until_sent(Response::new(body))) }
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
    tokio::time::sleep(20 * IDLE).await;
    assert!(!serving.is_finished(), "what was not fetched yet is still under way");
    let body = answer.into_body().collect().await.expect("a body").to_bytes();
    assert_eq!(body.len(), LARGE);
    let left = Instant::now();
    drop(body);
    let took = serving.await.expect("an end") - left;
    assert!(is_about(took, IDLE), "{took:?}");
}
