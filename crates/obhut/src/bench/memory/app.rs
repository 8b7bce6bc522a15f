//! The app behind the gateway: answers of any length that are never in memory as a whole, and bodies that are counted and
//! let go.

use crate::system::Problem;
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::BodyExt;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::net::{TcpListener, TcpSocket, TcpStream};

/// Bytes of a piece.
const PIECE: usize = 64 << 10;
/// What the kernel may hold of an answer, in bytes.
const SENT: u32 = 128 << 10;
/// Connections that may wait to be accepted.
const WAITING: u32 = 4_096;
/// The header that says how many bytes of a body came.
pub(crate) const TAKEN: &str = "x-taken";

/// The app, and how many requests have come to it.
pub(crate) struct App {
    pub(crate) address: SocketAddr,
    asked: Arc<AtomicUsize>,
}

impl App {
    /// Serves for as long as the runtime does.
    pub(crate) async fn start() -> Result<Self, Problem> {
        let socket = TcpSocket::new_v4()?;
        // What its connections inherit: the kernel would hold 2.6 MB of an answer that nobody reads.
        socket.set_send_buffer_size(SENT)?;
        socket.bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?;
        let listener = socket.listen(WAITING)?;
        let (address, asked) = (listener.local_addr()?, Arc::<AtomicUsize>::default());
        tokio::spawn(accept(listener, asked.clone()));
        Ok(Self { address, asked })
    }

    pub(crate) fn asked(&self) -> usize {
        self.asked.load(Ordering::Relaxed)
    }
}

async fn accept(listener: TcpListener, asked: Arc<AtomicUsize>) {
    let piece = Bytes::from((0..PIECE).map(|at| b'a' + (at % 23) as u8).collect::<Vec<u8>>());
    loop {
        match listener.accept().await {
            Ok((stream, _)) => drop(tokio::spawn(serve(stream, piece.clone(), asked.clone()))),
            // Out of descriptors, most likely: the clients' side says so.
            Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
}

async fn serve(stream: TcpStream, piece: Bytes, asked: Arc<AtomicUsize>) {
    let service = service_fn(move |request| {
        asked.fetch_add(1, Ordering::Relaxed);
        let piece = piece.clone();
        async move { Ok::<_, Infallible>(answer(request, piece).await) }
    });
    // How a connection ends is the clients' matter.
    let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

async fn answer(request: Request<Incoming>, piece: Bytes) -> Response<Pieces> {
    let length = request.uri().path().strip_prefix("/bytes/").and_then(|digits| digits.parse().ok());
    let taken = taken(request.into_body()).await;
    let mut answer = Response::new(Pieces { piece, left: length.unwrap_or(0) });
    let headers = answer.headers_mut();
    headers.insert(http::header::CONTENT_TYPE, http::HeaderValue::from_static("application/octet-stream"));
    headers.insert(TAKEN, taken.into());
    answer
}

async fn taken(mut body: Incoming) -> u64 {
    let mut taken = 0;
    while let Some(Ok(frame)) = body.frame().await {
        taken += frame.data_ref().map_or(0, Bytes::len) as u64;
    }
    taken
}

/// A body that is made while it is sent.
struct Pieces {
    piece: Bytes,
    left: u64,
}

impl Body for Pieces {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let this = self.get_mut();
        let length = this.left.min(this.piece.len() as u64);
        this.left -= length;
        let piece = (length > 0).then(|| Ok(Frame::data(this.piece.slice(..length as usize))));
        Poll::Ready(piece)
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}
