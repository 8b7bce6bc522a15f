//! The listeners: TLS with HTTP/1.1 and HTTP/2, every timer set, every count bounded; and the clear-text one, which only
//! sends browsers to TLS.

use crate::body::full;
use crate::exchange::{Gateway, Peer};
use crate::patience::Patient;
use crate::places::OwnPlaces;
use crate::quiet::UnderWay;
use crate::shielding::Closed;
use crate::strict::{self, Strict, Upgraded};
use crate::upstream::BodyError;
use crate::waiting;
use bytes::Bytes;
use http::header::{self, HeaderValue};
use http::{Method, Request, Response, StatusCode};
use hyper::body::{self, Incoming};
use hyper::service::{HttpService, Service, service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use parking_lot::Mutex;
use std::collections::HashMap;
use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

/// Most connections at the same time.
const CONNECTIONS: usize = 10_000;
/// Most connections of one address, or of one /64 of IPv6. Declared proxies stand for many clients and have no such limit.
const OF_ONE: usize = 1_024;
/// Longest TLS handshake.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// Longest time for a head, also between two requests.
const HEAD: Duration = Duration::from_secs(30);
/// Longest time without a request on a connection of HTTP/2.
const IDLE: Duration = Duration::from_secs(60);
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
    let behind = gateway.clone();
    let one = move |stream, peer: SocketAddr, place, stop| {
        let acceptor = TlsAcceptor::from(tls.borrow().clone());
        let local = TcpStream::local_addr(&stream);
        let peer = Peer {
            address: peer.ip().to_canonical(),
            port: peer.port(),
            local: local.unwrap_or(SocketAddr::from(([0, 0, 0, 0], 0))),
            upgraded: Upgraded::default(),
            place,
            places: OwnPlaces::default(),
        };
        secured(stream, peer, acceptor, behind.clone(), stop)
    };
    accept(listener, gateway, stop, one).await;
}

/// Answers in clear text, and only to send `GET` and `HEAD` to the same name at `port`, over TLS.
pub async fn redirect(listener: TcpListener, port: u16, gateway: Gateway, stop: watch::Receiver<bool>) {
    let behind = gateway.clone();
    let one = move |stream, _, _, stop| redirected(stream, port, behind.clone(), stop);
    accept(listener, gateway, stop, one).await;
}

/// The places that are taken, and by whom.
#[derive(Clone)]
struct Room {
    all: Arc<Semaphore>,
    of_one: Arc<Mutex<HashMap<IpAddr, usize>>>,
}

/// One place, given back when it is dropped.
pub(crate) struct Place {
    who: IpAddr,
    of_one: Arc<Mutex<HashMap<IpAddr, usize>>>,
    _place: OwnedSemaphorePermit,
}

impl Room {
    fn new() -> Self {
        Self { all: Arc::new(Semaphore::new(CONNECTIONS)), of_one: Arc::default() }
    }

    /// A place for this address, if there is one left.
    fn take(&self, address: IpAddr, is_proxy: bool) -> Option<Place> {
        let who = client(address);
        let place = self.all.clone().try_acquire_owned().ok()?;
        let mut taken = self.of_one.lock();
        let count = taken.entry(who).or_default();
        if *count >= OF_ONE && !is_proxy {
            return None;
        }
        *count += 1;
        Some(Place { who, of_one: self.of_one.clone(), _place: place })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.of_one.lock();
        if let Some(count) = taken.get_mut(&self.who) {
            *count -= 1;
            if *count == 0 {
                taken.remove(&self.who);
            }
        }
    }
}

/// What counts as one client: an address, or the network that one line usually gets.
pub(crate) fn client(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => {
            let mut octets = v6.octets();
            octets[8..].fill(0);
            IpAddr::V6(octets.into())
        }
        v4 => v4,
    }
}

async fn accept<F, T>(listener: TcpListener, gateway: Gateway, mut stop: watch::Receiver<bool>, one: F)
where
    F: Fn(TcpStream, SocketAddr, Arc<Place>, watch::Receiver<bool>) -> T,
    T: Future<Output = ()> + Send + 'static,
{
    let room = Room::new();
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
        let address = peer.ip().to_canonical();
        let is_proxy = gateway.inner.setup.load().proxies.iter().any(|net| net.contains(&address));
        let Some(place) = room.take(address, is_proxy) else { continue };
        let place = Arc::new(place);
        let conversation = one(stream, peer, place.clone(), stop.clone());
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
    peer: Peer,
    acceptor: TlsAcceptor,
    gateway: Gateway,
    stop: watch::Receiver<bool>,
) {
    if stream.set_nodelay(true).is_err() {
        return;
    }
    let Ok(Ok(mut stream)) = tokio::time::timeout(HANDSHAKE, acceptor.accept(stream)).await else { return };
    waiting::limit_records(&mut stream);
    let is_h2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
    let upgraded = peer.upgraded.clone();
    let service = service_fn(move |request: Request<Incoming>| {
        let (gateway, peer) = (gateway.clone(), peer.clone());
        async move {
            let answer = gateway.handle(peer, request).await;
            // An error of the service ends the connection, or with HTTP/2 the stream, without a word.
            if answer.extensions().get::<Closed>().is_some() { Err(Closed) } else { Ok(answer) }
        }
    });
    if is_h2 {
        let under_way = UnderWay::none();
        let counting = under_way.clone();
        let service = service_fn(move |request| {
            let (answer, one) = (service.call(request), counting.one());
            async move { Ok::<_, Closed>(one.until_sent(answer.await?)) }
        });
        h2(stream, service, &under_way, stop).await;
    } else {
        h1(stream, service, upgraded, stop).await;
    }
}

/// A connection of HTTP/2, until it ends, the gateway stops, or nobody uses it.
async fn h2<S, H, B>(stream: S, service: H, under_way: &UnderWay, mut stop: watch::Receiver<bool>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    H: HttpService<Incoming, ResBody = B, Error = Closed>,
    H::Future: Send + 'static,
    B: body::Body<Data = Bytes, Error = BodyError> + Send + 'static,
{
    let connection = hyper::server::conn::http2::Builder::new(TokioExecutor::new())
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS)
        .max_header_list_size(u32::try_from(strict::HEAD_BYTES).unwrap_or(u32::MAX))
        .max_pending_accept_reset_streams(20)
        .max_send_buf_size(waiting::OF_STREAM)
        .keep_alive_interval(HEAD)
        .keep_alive_timeout(HANDSHAKE)
        .serve_connection(TokioIo::new(Patient::new(stream, WRITE)), service);
    tokio::pin!(connection);
    tokio::select! {
        _ = connection.as_mut() => return,
        _ = stop.changed() => {}
        () = under_way.is_quiet(IDLE) => {}
        () = under_way.is_stalled() => return,
    }
    connection.as_mut().graceful_shutdown();
    // Who has not even begun to speak is not there to be told.
    tokio::select! {
        _ = connection => {}
        () = under_way.is_quiet(HANDSHAKE) => {}
        () = under_way.is_stalled() => {}
    }
}

/// A connection of HTTP/1.1, until it ends or the gateway stops. Its timer for heads also ends one that nobody uses.
async fn h1<S, H, B>(stream: S, service: H, upgraded: Upgraded, mut stop: watch::Receiver<bool>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    H: HttpService<Incoming, ResBody = B, Error = Closed>,
    B: body::Body<Data = Bytes, Error = BodyError> + Send + 'static,
{
    let stream = Strict::new(Patient::new(stream, WRITE), upgraded);
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .max_buf_size(strict::HEAD_BYTES + (16 << 10))
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    tokio::pin!(connection);
    tokio::select! {
        _ = connection.as_mut() => return,
        _ = stop.changed() => {}
    }
    connection.as_mut().graceful_shutdown();
    let _ = connection.await;
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

#[cfg(test)]
mod tests;
