//! The listener: TLS only, HTTP/1.1, every timer set, every count bounded.

use crate::Console;
use crate::caller::Peer;
use crate::patience::Patient;
use axum::body::Body;
use http::Request;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use rustls::ServerConfig;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tower_service::Service;

/// Most bytes of a head; hyper looks after each read, so that one read more can be taken.
const HEAD_BYTES: usize = 64 << 10;

/// How long and how many.
#[derive(Clone, Copy)]
struct Limits {
    /// Most connections at the same time.
    connections: usize,
    /// Longest TLS handshake.
    handshake: Duration,
    /// Longest time for the head of a request, also between two requests of a connection.
    head: Duration,
    /// Longest time that a peer may take nothing of an answer.
    write: Duration,
    /// How long requests under way may take after the stop.
    grace: Duration,
}

const LIMITS: Limits = Limits {
    connections: 4_096,
    handshake: Duration::from_secs(10),
    head: Duration::from_secs(30),
    write: Duration::from_secs(30),
    grace: Duration::from_secs(10),
};

/// Serves until `stop` changes, then lets requests under way end.
pub async fn serve(
    listener: TcpListener,
    tls: Arc<ServerConfig>,
    console: Console,
    stop: watch::Receiver<bool>,
) {
    serve_within(LIMITS, listener, tls, console, stop).await;
}

async fn serve_within(
    limits: Limits,
    listener: TcpListener,
    tls: Arc<ServerConfig>,
    console: Console,
    mut stop: watch::Receiver<bool>,
) {
    let acceptor = TlsAcceptor::from(tls);
    let router = console.router();
    let room = Arc::new(Semaphore::new(limits.connections));
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            _ = stop.changed() => break,
            accepted = listener.accept() => accepted,
        };
        while connections.try_join_next().is_some() {}
        let Ok((stream, peer)) = accepted else {
            // Out of descriptors, most likely: give those that are open time to end.
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let Ok(place) = room.clone().try_acquire_owned() else { continue };
        let (acceptor, router, stop) = (acceptor.clone(), router.clone(), stop.clone());
        connections.spawn(async move {
            one(limits, stream, peer, acceptor, router, stop).await;
            drop(place);
        });
    }
    drop(listener);
    let ended = async { while connections.join_next().await.is_some() {} };
    // Who has not ended by then is cut off; what was acknowledged is durable.
    let _ = tokio::time::timeout(limits.grace, ended).await;
}

/// One connection, from its first byte to its last.
async fn one(
    limits: Limits,
    stream: TcpStream,
    peer: SocketAddr,
    acceptor: TlsAcceptor,
    router: axum::Router,
    stop: watch::Receiver<bool>,
) {
    if stream.set_nodelay(true).is_err() {
        return;
    }
    let Ok(Ok(stream)) = tokio::time::timeout(limits.handshake, acceptor.accept(stream)).await else {
        return;
    };
    converse(limits, stream, peer, router, stop).await;
}

/// Requests and answers over a stream that is safe already.
async fn converse(
    limits: Limits,
    stream: impl AsyncRead + AsyncWrite + Unpin + Send,
    peer: SocketAddr,
    router: axum::Router,
    mut stop: watch::Receiver<bool>,
) {
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(Peer(peer.ip()));
        router.clone().call(request.map(Body::new))
    });
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head)
        .max_buf_size(HEAD_BYTES)
        .serve_connection(TokioIo::new(Patient::new(stream, limits.write)), service);
    tokio::pin!(connection);
    let stopped = tokio::select! {
        _ = connection.as_mut() => false,
        _ = stop.changed() => true,
    };
    if stopped {
        connection.as_mut().graceful_shutdown();
        // A connection that fails at its end has nothing left to say.
        let _ = connection.await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Settings;
    use rustls::server::{ClientHello, ResolvesServerCert};
    use rustls::sign::CertifiedKey;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
    use tokio::time::timeout;

    const SHORT: Limits = Limits {
        connections: 2,
        handshake: Duration::from_millis(100),
        head: Duration::from_millis(200),
        write: Duration::from_millis(200),
        grace: Duration::from_secs(5),
    };
    const LONG: Duration = Duration::from_secs(5);

    /// A server without a certificate: nobody gets through a handshake.
    #[derive(Debug)]
    struct Nobody;

    impl ResolvesServerCert for Nobody {
        fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
            None
        }
    }

    struct Listening {
        address: SocketAddr,
        stop: watch::Sender<bool>,
        served: tokio::task::JoinHandle<()>,
    }

    async fn listen() -> Listening {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let tls = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let tls = tls.expect("versions").with_no_client_auth().with_cert_resolver(Arc::new(Nobody));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let (stop, stopped) = watch::channel(false);
        let console = Console::sealed(Settings::default());
        let served = tokio::spawn(serve_within(SHORT, listener, Arc::new(tls), console, stopped));
        Listening { address, stop, served }
    }

    async fn rest(stream: &mut TcpStream) -> Vec<u8> {
        let mut rest = Vec::new();
        // A reset is an end as well.
        let _ = timeout(LONG, stream.read_to_end(&mut rest)).await.expect("it ends");
        rest
    }

    #[tokio::test]
    async fn nothing_is_said_in_clear_and_silence_ends() {
        let listening = listen().await;
        let mut clear = TcpStream::connect(listening.address).await.expect("connected");
        clear.write_all(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n").await.expect("sent");
        let answer = rest(&mut clear).await;
        assert!(!answer.starts_with(b"HTTP"), "an alert at most: {answer:?}");
        let mut silent = TcpStream::connect(listening.address).await.expect("connected");
        assert_eq!(rest(&mut silent).await, b"");
    }

    #[tokio::test]
    async fn who_is_one_too_many_is_turned_away() {
        let listening = listen().await;
        let mut held = Vec::new();
        for _ in 0..SHORT.connections {
            held.push(TcpStream::connect(listening.address).await.expect("connected"));
        }
        let mut third = TcpStream::connect(listening.address).await.expect("connected");
        assert_eq!(rest(&mut third).await, b"");
        // When the others are gone there is room again.
        drop(held);
        tokio::time::sleep(SHORT.handshake).await;
        let mut next = TcpStream::connect(listening.address).await.expect("connected");
        next.write_all(b"GET / HTTP/1.1\r\n\r\n").await.expect("sent");
        assert!(!rest(&mut next).await.is_empty(), "the alert of a handshake that was begun");
    }

    #[tokio::test]
    async fn a_stop_ends_the_listener() {
        let listening = listen().await;
        listening.stop.send(true).expect("heard");
        timeout(LONG, listening.served).await.expect("it ends").expect("without panic");
        assert!(TcpStream::connect(listening.address).await.is_err());
    }

    /// The client's end of a conversation whose pipe holds `pipe` bytes.
    fn talk(pipe: usize) -> (DuplexStream, watch::Sender<bool>) {
        let (client, server) = tokio::io::duplex(pipe);
        let (stop, stopped) = watch::channel(false);
        let router = Console::sealed(Settings::default()).router();
        let peer = SocketAddr::from(([127, 0, 0, 1], 1));
        tokio::spawn(converse(SHORT, server, peer, router, stopped));
        (client, stop)
    }

    async fn ask(client: &mut DuplexStream, path: &str) {
        let head = format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n");
        client.write_all(head.as_bytes()).await.expect("sent");
    }

    async fn until_end(client: &mut DuplexStream) -> String {
        let mut all = Vec::new();
        timeout(LONG, client.read_to_end(&mut all)).await.expect("it ends").expect("read");
        String::from_utf8(all).expect("text")
    }

    #[tokio::test]
    async fn a_connection_is_kept_but_not_for_ever() {
        let (mut client, _stop) = talk(1 << 20);
        ask(&mut client, "/healthz").await;
        tokio::time::sleep(SHORT.head / 4).await;
        ask(&mut client, "/healthz").await;
        let all = until_end(&mut client).await;
        assert_eq!(all.matches("HTTP/1.1 200").count(), 2, "two answers, then the end: {all}");
        let (mut slow, _stop) = talk(1 << 20);
        slow.write_all(b"GET /healthz HTT").await.expect("sent");
        assert!(!until_end(&mut slow).await.contains(" 200 "));
    }

    #[tokio::test]
    async fn who_reads_gets_all_and_who_does_not_is_left() {
        let (mut client, stop) = talk(1_024);
        ask(&mut client, "/v1/openapi.json").await;
        let all = until_end(&mut client).await;
        assert!(all.trim_end().ends_with('}') && all.len() > 10_000);
        drop(stop);
        let (mut client, _stop) = talk(1_024);
        ask(&mut client, "/v1/openapi.json").await;
        tokio::time::sleep(SHORT.write * 3).await;
        let some = until_end(&mut client).await;
        assert!(some.len() <= 2_048, "what lay in the pipe and no more: {}", some.len());
    }

    #[tokio::test]
    async fn a_head_has_a_largest_size() {
        let (mut client, _stop) = talk(1 << 20);
        let head = format!("GET /healthz HTTP/1.1\r\nHost: a\r\nx: {}\r\n\r\n", "y".repeat(4 * HEAD_BYTES));
        client.write_all(head.as_bytes()).await.expect("sent");
        let answer = until_end(&mut client).await;
        assert!(answer.starts_with("HTTP/1.1 431"), "{answer:?}");
    }

    #[tokio::test]
    async fn a_stop_ends_a_kept_connection() {
        let (mut client, stop) = talk(1 << 20);
        ask(&mut client, "/healthz").await;
        let mut first = [0; 12];
        client.read_exact(&mut first).await.expect("an answer");
        stop.send(true).expect("heard");
        until_end(&mut client).await;
    }
}
