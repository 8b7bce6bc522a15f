//! Kept connections to the app. Each is driven by the task that uses it: no task of its own has to be woken for a head and
//! again for each piece of a body, which for small answers costs more than the answer.

use crate::shares::Share;
use crate::upstream::{Body, Stream};
use bytes::Bytes;
use http::{Request, Response, StatusCode};
use hyper::body::{Body as _, Frame, Incoming, SizeHint};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use parking_lot::Mutex;
use std::collections::VecDeque;
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};
use tokio::time::Instant;

/// How long a connection is kept that nobody uses.
const KEPT: Duration = Duration::from_secs(60);
/// Most bytes that are read ahead of an answer, its head included.
const BUFFER: usize = 80 << 10;
/// Most bytes of one piece of an answer. A piece that fills the library's buffer makes it double that, up to [`BUFFER`],
/// and whoever holds a piece holds its whole buffer: one byte less than a power of two wastes nothing.
const PIECE: usize = (16 << 10) - 1;
/// Most connections that are kept.
const MOST: usize = 256;

type Driver = Pin<Box<dyn Future<Output = hyper::Result<()>> + Send>>;

/// One connection, and what drives it.
pub(crate) struct Line {
    sender: SendRequest<Body>,
    /// None once it has ended.
    driver: Option<Driver>,
}

impl Line {
    pub(crate) async fn over(stream: Stream) -> io::Result<Self> {
        // What a slow client has not taken yet waits here; the library's own limit is five times as much.
        let builder = &mut http1::Builder::new();
        let opened = builder.max_buf_size(BUFFER).handshake(TokioIo::new(Pieces(stream))).await;
        let (sender, driver) = opened.map_err(io::Error::other)?;
        Ok(Self { sender, driver: Some(Box::pin(driver.with_upgrades())) })
    }

    /// Lets the connection do what it can; whether it has ended.
    fn drive(&mut self, cx: &mut Context<'_>) -> bool {
        let ended = self.driver.as_mut().is_none_or(|driver| driver.as_mut().poll(cx).is_ready());
        if ended {
            self.driver = None;
        }
        ended
    }

    /// Whether it is still open and has nothing to do.
    fn is_free(&mut self, cx: &mut Context<'_>) -> bool {
        !self.drive(cx) && self.sender.is_ready()
    }
}

/// A connection that is read in small pieces.
struct Pieces(Stream);

impl AsyncRead for Pieces {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let mut piece = (&mut self.get_mut().0).take(PIECE as u64);
        Pin::new(&mut piece).poll_read(cx, into)
    }
}

impl AsyncWrite for Pieces {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, from: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().0).poll_write(cx, from)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        from: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().0).poll_write_vectored(cx, from)
    }

    fn is_write_vectored(&self) -> bool {
        self.0.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().0).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().0).poll_shutdown(cx)
    }
}

/// Why no answer came.
pub(crate) enum Lost {
    /// The connection ended before anything of the request was written; the request itself.
    Unsent(Box<Request<Body>>),
    /// It broke off.
    Broken,
}

/// The connections that nobody uses right now, the latest last.
#[derive(Default)]
pub(crate) struct Pool(Mutex<VecDeque<(Instant, Line)>>);

impl Pool {
    /// A connection that the app has not closed.
    pub(crate) async fn take(&self) -> Option<Line> {
        loop {
            let (since, mut line) = self.0.lock().pop_back()?;
            let free =
                since.elapsed() < KEPT && std::future::poll_fn(|cx| Poll::Ready(line.is_free(cx))).await;
            if free {
                return Some(line);
            }
        }
    }

    fn put(&self, line: Line) {
        let now = Instant::now();
        let mut kept = self.0.lock();
        while kept.len() >= MOST || kept.front().is_some_and(|(since, _)| now - *since >= KEPT) {
            kept.pop_front();
        }
        kept.push_back((now, line));
    }
}

/// Sends a request over a connection, and waits for the head of its answer.
pub(crate) async fn exchange(
    mut line: Line,
    pool: &Arc<Pool>,
    request: Request<Body>,
) -> Result<Response<FromApp>, Lost> {
    let mut answer = pin!(line.sender.try_send_request(request));
    let answer = std::future::poll_fn(|cx| {
        // What ends the connection also ends the waiting.
        line.drive(cx);
        answer.as_mut().poll(cx)
    });
    match answer.await {
        Ok(answer) => {
            let is_switched = answer.status() == StatusCode::SWITCHING_PROTOCOLS;
            let (head, body) = answer.into_parts();
            let mut body = FromApp { body, line: Some(line), pool: pool.clone(), place: None };
            if !is_switched {
                std::future::poll_fn(|cx| {
                    body.release(cx);
                    Poll::Ready(())
                })
                .await;
            }
            Ok(Response::from_parts(head, body))
        }
        Err(mut error) => Err(match error.take_message() {
            Some(request) => Lost::Unsent(Box::new(request)),
            None => Lost::Broken,
        }),
    }
}

/// The body of an answer. Reading it drives the connection, which goes back to the pool at its end.
pub(crate) struct FromApp {
    body: Incoming,
    line: Option<Line>,
    pool: Arc<Pool>,
    place: Option<Share>,
}

impl FromApp {
    /// Keeps its place among the connections in use for as long as it uses one.
    pub(crate) fn keep(&mut self, place: Share) {
        self.place = Some(place).filter(|_| self.line.is_some());
    }

    /// Gives the connection back where the body is at its end; one that has more to say is closed.
    fn release(&mut self, cx: &mut Context<'_>) {
        if self.body.is_end_stream()
            && let Some(mut line) = self.line.take()
        {
            if line.is_free(cx) {
                self.pool.put(line);
            }
            self.place = None;
        }
    }

    /// Drives the connection to its end on its own: it speaks another protocol now.
    pub(crate) fn detach(mut self) {
        let place = self.place.take();
        if let Some(driver) = self.line.take().and_then(|line| line.driver) {
            tokio::spawn(async move {
                let _place = place;
                driver.await
            });
        }
    }
}

impl Drop for FromApp {
    fn drop(&mut self) {
        self.release(&mut Context::from_waker(Waker::noop()));
    }
}

impl hyper::body::Body for FromApp {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let this = self.get_mut();
        // Asking for a piece lets the connection read one, so it is asked first, then driven, then asked again.
        let mut polled = Pin::new(&mut this.body).poll_frame(cx);
        if polled.is_pending()
            && let Some(line) = &mut this.line
        {
            line.drive(cx);
            polled = Pin::new(&mut this.body).poll_frame(cx);
        }
        if polled.is_ready() {
            this.release(cx);
        }
        polled
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::body::full;
    use http_body_util::BodyExt;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::UnixStream;

    /// Whoever takes its time holds so many pieces: what the app has sent must not make them large.
    #[tokio::test]
    async fn an_answer_is_read_in_small_pieces_and_a_large_head_as_a_whole() {
        const LENGTH: usize = 1 << 20;
        let (ours, mut app) = UnixStream::pair().expect("a pair");
        let answering = tokio::spawn(async move {
            let mut asked = Vec::new();
            while !asked.ends_with(b"\r\n\r\n") {
                assert_ne!(app.read_buf(&mut asked).await.expect("a request"), 0);
            }
            let note = "n".repeat(60 << 10);
            let head = format!("HTTP/1.1 200 OK\r\nx-note: {note}\r\ncontent-length: {LENGTH}\r\n\r\n");
            app.write_all(head.as_bytes()).await.expect("sent");
            app.write_all(&vec![b'x'; LENGTH]).await.expect("sent");
            app
        });
        let line = Line::over(Stream::Unix(ours)).await.expect("a line");
        let request = Request::get("/").header("host", "app").body(full("")).expect("a request");
        let Ok(answer) = exchange(line, &Arc::default(), request).await else { panic!("no answer") };
        assert_eq!(answer.headers()["x-note"].len(), 60 << 10);
        let (mut body, mut taken) = (answer.into_body(), 0);
        while let Some(frame) = body.frame().await {
            let piece = frame.expect("whole").into_data().expect("data");
            // A library that reads as much as it likes hands on 80 KiB at a time.
            assert!(taken == 0 || piece.len() <= PIECE, "a piece of {} bytes", piece.len());
            taken += piece.len();
        }
        assert_eq!(taken, LENGTH);
        drop(answering.await);
    }
}
