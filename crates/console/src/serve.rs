//! The listener: TLS only, HTTP/1.1, every timer set, every count bounded.

use crate::Console;
use crate::caller::Peer;
use axum::body::Body;
use http::{HeaderValue, Request, Response, header};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use rustls::ServerConfig;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tower_service::Service;

/// Most connections at the same time.
const CONNECTIONS: usize = 4_096;
/// Longest TLS handshake.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// Longest time for the head of a request, also between two requests of a connection.
const HEAD: Duration = Duration::from_secs(30);
/// Most bytes of a head.
const HEAD_BYTES: usize = 64 << 10;
/// How long requests under way may take after the stop.
const GRACE: Duration = Duration::from_secs(10);

/// Serves until `stop` changes, then lets requests under way end.
pub async fn serve(
    listener: TcpListener,
    tls: Arc<ServerConfig>,
    console: Console,
    mut stop: watch::Receiver<bool>,
) {
    let acceptor = TlsAcceptor::from(tls);
    let router = console.router();
    let room = Arc::new(Semaphore::new(CONNECTIONS));
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
        let (acceptor, router, console, stop) =
            (acceptor.clone(), router.clone(), console.clone(), stop.clone());
        connections.spawn(async move {
            one(stream, peer, acceptor, router, console, stop).await;
            drop(place);
        });
    }
    drop(listener);
    let ended = async { while connections.join_next().await.is_some() {} };
    // Who has not ended by then is cut off; what was acknowledged is durable.
    let _ = tokio::time::timeout(GRACE, ended).await;
}

async fn one(
    stream: TcpStream,
    peer: SocketAddr,
    acceptor: TlsAcceptor,
    router: axum::Router,
    console: Console,
    mut stop: watch::Receiver<bool>,
) {
    if stream.set_nodelay(true).is_err() {
        return;
    }
    let Ok(Ok(stream)) = tokio::time::timeout(HANDSHAKE, acceptor.accept(stream)).await else { return };
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(Peer(peer.ip()));
        let (mut router, console) = (router.clone(), console.clone());
        async move {
            let Ok(response) = router.call(request.map(Body::new)).await;
            console.metrics().answered(response.status().as_u16());
            Ok::<_, Infallible>(harden(response))
        }
    });
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .max_buf_size(HEAD_BYTES)
        .serve_connection(TokioIo::new(stream), service);
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

/// Headers that every answer carries.
fn harden(mut response: Response<Body>) -> Response<Body> {
    let headers = response.headers_mut();
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=63072000"));
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}
