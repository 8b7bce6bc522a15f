//! The listeners: TLS with HTTP/1.1 and HTTP/2, every timer set, every count bounded; and the clear-text one, which only
//! sends browsers to TLS.

use crate::body::full;
use crate::exchange::{Gateway, Peer};
use crate::patience::Patient;
use crate::strict::{self, Strict, Upgraded};
use bytes::Bytes;
use http::header::{self, HeaderValue};
use http::{Method, Request, Response, StatusCode};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

/// Most connections at the same time.
const CONNECTIONS: usize = 10_000;
/// Longest TLS handshake.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// Longest time for a head, also between two requests.
const HEAD: Duration = Duration::from_secs(30);
/// Longest time that a client may take nothing of an answer.
const WRITE: Duration = Duration::from_secs(30);
/// How long requests under way may take after the stop.
const GRACE: Duration = Duration::from_secs(20);
/// Requests of one HTTP/2 connection at the same time.
const STREAMS: u32 = 100;

/// Serves until `stop` changes, then lets requests under way end. The certificate can be replaced while it runs: each
/// connection takes the one of its moment.
pub async fn serve(
    listener: TcpListener,
    tls: watch::Receiver<Arc<rustls::ServerConfig>>,
    gateway: Gateway,
    stop: watch::Receiver<bool>,
) {
    let one = move |stream, peer, stop| {
        let acceptor = TlsAcceptor::from(tls.borrow().clone());
        secured(stream, peer, acceptor, gateway.clone(), stop)
    };
    accept(listener, stop, one).await;
}

/// Answers in clear text, and only to send `GET` and `HEAD` to the same name at `port`, over TLS.
pub async fn redirect(listener: TcpListener, port: u16, gateway: Gateway, stop: watch::Receiver<bool>) {
    accept(listener, stop, move |stream, _, stop| redirected(stream, port, gateway.clone(), stop)).await;
}

async fn accept<F, T>(listener: TcpListener, mut stop: watch::Receiver<bool>, one: F)
where
    F: Fn(TcpStream, SocketAddr, watch::Receiver<bool>) -> T,
    T: Future<Output = ()> + Send + 'static,
{
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
        let conversation = one(stream, peer, stop.clone());
        connections.spawn(async move {
            conversation.await;
            drop(place);
        });
    }
    drop(listener);
    let ended = async { while connections.join_next().await.is_some() {} };
    let _ = tokio::time::timeout(GRACE, ended).await;
}

/// One connection over TLS.
async fn secured(
    stream: TcpStream,
    peer: SocketAddr,
    acceptor: TlsAcceptor,
    gateway: Gateway,
    mut stop: watch::Receiver<bool>,
) {
    if stream.set_nodelay(true).is_err() {
        return;
    }
    let Ok(Ok(stream)) = tokio::time::timeout(HANDSHAKE, acceptor.accept(stream)).await else { return };
    let is_h2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
    let upgraded = Upgraded::default();
    let peer = Peer { address: peer.ip().to_canonical(), upgraded: upgraded.clone() };
    let service = service_fn(move |request: Request<Incoming>| {
        let (gateway, peer) = (gateway.clone(), peer.clone());
        async move { Ok::<_, Infallible>(gateway.handle(peer, request).await) }
    });
    if is_h2 {
        let connection = hyper::server::conn::http2::Builder::new(TokioExecutor::new())
            .timer(TokioTimer::new())
            .max_concurrent_streams(STREAMS)
            .max_header_list_size(u32::try_from(strict::HEAD_BYTES).unwrap_or(u32::MAX))
            .max_pending_accept_reset_streams(20)
            .max_send_buf_size(256 << 10)
            .keep_alive_interval(HEAD)
            .keep_alive_timeout(HANDSHAKE)
            .serve_connection(TokioIo::new(Patient::new(stream, WRITE)), service);
        tokio::pin!(connection);
        let stopped = tokio::select! {
            _ = connection.as_mut() => false,
            _ = stop.changed() => true,
        };
        if stopped {
            connection.as_mut().graceful_shutdown();
            let _ = connection.await;
        }
        return;
    }
    let stream = Strict::new(Patient::new(stream, WRITE), upgraded);
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .max_buf_size(strict::HEAD_BYTES + (16 << 10))
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    tokio::pin!(connection);
    let stopped = tokio::select! {
        _ = connection.as_mut() => false,
        _ = stop.changed() => true,
    };
    if stopped {
        connection.as_mut().graceful_shutdown();
        let _ = connection.await;
    }
}

async fn redirected(stream: TcpStream, port: u16, gateway: Gateway, mut stop: watch::Receiver<bool>) {
    let service = service_fn(move |request: Request<Incoming>| {
        let answer = towards_tls(&request, port, &gateway);
        async move { Ok::<_, Infallible>(answer) }
    });
    let stream = Strict::new(Patient::new(stream, WRITE), Upgraded::default());
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HANDSHAKE)
        .keep_alive(false)
        .serve_connection(TokioIo::new(stream), service);
    tokio::pin!(connection);
    tokio::select! {
        _ = connection.as_mut() => {}
        _ = stop.changed() => connection.as_mut().graceful_shutdown(),
    }
}

fn towards_tls(request: &Request<Incoming>, port: u16, gateway: &Gateway) -> Response<crate::upstream::Body> {
    let mut answer = Response::new(full(Bytes::new()));
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let known = host != strict::REFUSED_HOST && gateway.inner.setup.load().knows(host);
    let bare = match host.rsplit_once(':') {
        Some((bare, digits)) if digits.bytes().all(|byte| byte.is_ascii_digit()) => bare,
        _ => host,
    };
    let port = if port == 443 { String::new() } else { format!(":{port}") };
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
    let location = HeaderValue::from_str(&format!("https://{bare}{port}{path}"));
    let readable = matches!(*request.method(), Method::GET | Method::HEAD);
    match location {
        Ok(location) if known && readable => {
            *answer.status_mut() = StatusCode::PERMANENT_REDIRECT;
            answer.headers_mut().insert(header::LOCATION, location);
        }
        // Whatever was sent was sent in clear; nothing is gained by answering more.
        _ => *answer.status_mut() = StatusCode::BAD_REQUEST,
    }
    answer
}
