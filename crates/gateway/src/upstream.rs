//! The app: over loopback, a Unix socket, or verified TLS, with a pool of kept connections.

use crate::line::{self, FromApp, Line, Lost, Pool};
use crate::sending;
use crate::shares::Shares;
use bytes::Bytes;
use http::header::HeaderMap;
use http::{Method, Request, Response, StatusCode, Uri};
use http_body_util::{BodyExt, Empty, Limited, combinators::UnsyncBoxBody};
use rustls_pki_types::ServerName;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, UnixStream};

/// Any error of a body on its way.
pub(crate) type BodyError = Box<dyn std::error::Error + Send + Sync>;
/// A body on its way.
pub(crate) type Body = UnsyncBoxBody<Bytes, BodyError>;

/// Longest time to reach the app.
const CONNECT: Duration = Duration::from_secs(5);

/// Why the upstream of a configuration is not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UpstreamError {
    /// Not of a known form.
    #[error("`upstream` is not like http://127.0.0.1:8000, unix:/run/app.sock or https://app.internal")]
    Form,
    /// Clear text to another machine.
    #[error(
        "`upstream` would be reached in clear text off this machine; use https, or say `insecure_because`"
    )]
    Clear,
    /// The authority's file.
    #[error("`upstream_ca` cannot be read, or holds no certificate")]
    Authority,
}

/// Where the app listens.
#[derive(Clone, Debug)]
enum Place {
    Tcp(SocketAddr),
    Name(String, u16),
    Unix(PathBuf),
    Tls(ServerName<'static>, String, u16, Arc<rustls::ClientConfig>),
}

/// A pool of connections to the app.
pub(crate) struct Upstream {
    place: Place,
    pool: Arc<Pool>,
    /// How many connections may still be in use. Since those that nobody uses are taken first, so many are open.
    shares: Shares,
    timeout: Duration,
}

/// What could not be had from the app.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Missed {
    /// It was never reached: it has seen nothing of the request.
    Unreachable,
    /// All connections are in use: it has seen nothing of the request.
    Busy,
    /// It broke off, or its answer is no HTTP.
    Broken,
    /// It took too long.
    Timeout,
}

impl Missed {
    /// Whether the app has seen nothing of the request.
    pub(crate) fn is_unseen(self) -> bool {
        matches!(self, Self::Unreachable | Self::Busy)
    }
}

impl Upstream {
    pub(crate) fn build(
        text: &str,
        authority: Option<&[u8]>,
        insecure: bool,
        timeout: Duration,
        connections: usize,
    ) -> Result<Self, UpstreamError> {
        let place = place_of(text, authority, insecure)?;
        Ok(Self { place, pool: Arc::default(), shares: Shares::new(connections), timeout })
    }

    /// Sends a request of a client; its URI needs path and query alone. Without a client it is one of a proxy, or our own.
    pub(crate) async fn send(
        &self,
        request: Request<Body>,
        client: Option<IpAddr>,
    ) -> Result<Response<FromApp>, Missed> {
        let share = self.shares.take(client).await.ok_or(Missed::Busy)?;
        let (request, sent) = sending::watched(request);
        let answering = sending::in_time(&sent, self.timeout, self.exchange(request));
        let mut answer = answering.await.ok_or(Missed::Timeout)??;
        // Its words are the app's, and nobody would look for a token in them.
        answer.extensions_mut().remove::<hyper::ext::ReasonPhrase>();
        answer.body_mut().keep(share);
        Ok(answer)
    }

    async fn exchange(&self, mut request: Request<Body>) -> Result<Response<FromApp>, Missed> {
        // A kept connection may end in the moment it is taken; what was not written is sent over another.
        while let Some(line) = self.pool.take().await {
            match line::exchange(line, &self.pool, request).await {
                Ok(answer) => return Ok(answer),
                Err(Lost::Unsent(unsent)) => request = *unsent,
                Err(Lost::Broken) => return Err(Missed::Broken),
            }
        }
        let connecting = tokio::time::timeout(CONNECT, connect(&self.place)).await;
        let stream = connecting.map_err(|_| Missed::Unreachable)?.map_err(|_| Missed::Unreachable)?;
        let line = Line::over(stream).await.map_err(|_| Missed::Unreachable)?;
        line::exchange(line, &self.pool, request).await.map_err(|_| Missed::Broken)
    }

    /// Asks for a small thing of our own.
    pub(crate) async fn ask(
        &self,
        path: &str,
        headers: HeaderMap,
        limit: usize,
        client: Option<IpAddr>,
    ) -> Result<(StatusCode, Bytes), Missed> {
        let body = Empty::new().map_err(|never| match never {}).boxed_unsync();
        let mut request = Request::new(body);
        *request.method_mut() = Method::GET;
        *request.uri_mut() = path.parse().map_err(|_| Missed::Unreachable)?;
        *request.headers_mut() = headers;
        let answer = self.send(request, client).await?;
        let status = answer.status();
        let reading = Limited::new(answer.into_body(), limit).collect();
        let body = tokio::time::timeout(self.timeout, reading).await.map_err(|_| Missed::Timeout)?;
        Ok((status, body.map_err(|_| Missed::Broken)?.to_bytes()))
    }
}

fn place_of(text: &str, authority: Option<&[u8]>, insecure: bool) -> Result<Place, UpstreamError> {
    if let Some(path) = text.strip_prefix("unix:") {
        return if path.starts_with('/') { Ok(Place::Unix(path.into())) } else { Err(UpstreamError::Form) };
    }
    let uri: Uri = text.parse().map_err(|_| UpstreamError::Form)?;
    let (Some(scheme), Some(host)) = (uri.scheme_str(), uri.host()) else { return Err(UpstreamError::Form) };
    if !matches!(uri.path(), "" | "/") || uri.query().is_some() {
        return Err(UpstreamError::Form);
    }
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    match scheme {
        "http" => {
            let port = uri.port_u16().unwrap_or(80);
            match bare.parse::<IpAddr>() {
                Ok(ip) if ip.is_loopback() || insecure => Ok(Place::Tcp(SocketAddr::new(ip, port))),
                Ok(_) => Err(UpstreamError::Clear),
                Err(_) if bare.eq_ignore_ascii_case("localhost") => {
                    Ok(Place::Tcp(SocketAddr::new(IpAddr::from([127, 0, 0, 1]), port)))
                }
                Err(_) if insecure => Ok(Place::Name(bare.to_owned(), port)),
                Err(_) => Err(UpstreamError::Clear),
            }
        }
        "https" => {
            let name = ServerName::try_from(bare.to_owned()).map_err(|_| UpstreamError::Form)?;
            let tls = Arc::new(trusting(authority)?);
            Ok(Place::Tls(name, bare.to_owned(), uri.port_u16().unwrap_or(443), tls))
        }
        _ => Err(UpstreamError::Form),
    }
}

/// Trusts the named authority alone: an app's certificate comes from the operator's own.
fn trusting(authority: Option<&[u8]>) -> Result<rustls::ClientConfig, UpstreamError> {
    use rustls_pki_types::pem::PemObject;
    let pem = authority.ok_or(UpstreamError::Authority)?;
    let mut roots = rustls::RootCertStore::empty();
    for certificate in rustls_pki_types::CertificateDer::pem_slice_iter(pem) {
        let certificate = certificate.map_err(|_| UpstreamError::Authority)?;
        roots.add(certificate).map_err(|_| UpstreamError::Authority)?;
    }
    if roots.is_empty() {
        return Err(UpstreamError::Authority);
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    Ok(config.map_err(|_| UpstreamError::Authority)?.with_root_certificates(roots).with_no_client_auth())
}

async fn connect(place: &Place) -> io::Result<Stream> {
    let tcp = |stream: TcpStream| stream.set_nodelay(true).map(|()| stream);
    Ok(match place {
        Place::Tcp(address) => Stream::Tcp(tcp(TcpStream::connect(address).await?)?),
        Place::Name(name, port) => Stream::Tcp(tcp(TcpStream::connect((name.as_str(), *port)).await?)?),
        Place::Unix(path) => Stream::Unix(UnixStream::connect(path).await?),
        Place::Tls(name, host, port, config) => {
            let stream = tcp(TcpStream::connect((host.as_str(), *port)).await?)?;
            let connector = tokio_rustls::TlsConnector::from(config.clone());
            Stream::Tls(Box::new(connector.connect(name.clone(), stream).await?))
        }
    })
}

/// A connection to the app.
pub(crate) enum Stream {
    Tcp(TcpStream),
    Unix(UnixStream),
    Tls(Box<tokio_rustls::client::TlsStream<TcpStream>>),
}

macro_rules! each {
    ($self:ident, $stream:ident => $call:expr) => {
        match $self.get_mut() {
            Stream::Tcp($stream) => $call,
            Stream::Unix($stream) => $call,
            Stream::Tls($stream) => $call,
        }
    };
}

impl AsyncRead for Stream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        each!(self, stream => Pin::new(stream).poll_read(cx, into))
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, from: &[u8]) -> Poll<io::Result<usize>> {
        each!(self, stream => Pin::new(stream).poll_write(cx, from))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        from: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        each!(self, stream => Pin::new(stream).poll_write_vectored(cx, from))
    }

    fn is_write_vectored(&self) -> bool {
        !matches!(self, Self::Tls(_))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        each!(self, stream => Pin::new(stream).poll_flush(cx))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        each!(self, stream => Pin::new(stream).poll_shutdown(cx))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clear_text_stays_on_this_machine() {
        let fails = |text, insecure| place_of(text, None, insecure).err();
        for text in ["http://127.0.0.1:8000", "http://[::1]:8000/", "http://localhost", "unix:/run/app.sock"]
        {
            assert_eq!(fails(text, false), None, "{text}");
        }
        for text in ["http://192.0.2.1", "http://app.internal:8000", "http://127.0.0.1.example"] {
            assert_eq!(fails(text, false), Some(UpstreamError::Clear), "{text}");
            assert_eq!(fails(text, true), None, "{text}");
        }
        for text in ["127.0.0.1:8000", "ftp://127.0.0.1", "http://127.0.0.1/app", "unix:app.sock", ""] {
            assert_eq!(fails(text, true), Some(UpstreamError::Form), "{text}");
        }
        assert_eq!(fails("https://app.internal", true), Some(UpstreamError::Authority));
    }
}
