//! Bodies on their way: counted, timed, and looked at, without being kept.

use crate::arriving::Arriving;
use crate::find::Masker;
use crate::fold::Scan;
use crate::line::FromApp;
use crate::shielding::Windows;
use crate::upstream::{Body, BodyError};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::{Body as _, Frame, SizeHint};
use parking_lot::Mutex;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::time::{Instant, Sleep};

/// Longest silence within a body.
pub(crate) const SILENCE: Duration = Duration::from_secs(30);

/// Longest time for a whole body that a rule looks into: it is kept in memory meanwhile.
pub(crate) const WHOLE: Duration = Duration::from_secs(120);

/// What a client must send for the time that it takes, in bytes a second: one byte now and then is no progress.
const RATE: u32 = 1_024;

/// Why a request's body was cut off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Cut {
    /// A storage token stands in it.
    #[error("a token from a client")]
    Token,
    /// More bytes than allowed.
    #[error("too large")]
    Size,
    /// Silence.
    #[error("too slow")]
    Slow,
    /// There is no room for it.
    #[error("no room")]
    Full,
    /// The client broke off, or sent a bad chunk.
    #[error("broken off")]
    Broken,
}

/// Looks at the first piece of a body.
pub(crate) type Look = Box<dyn FnOnce(&[u8]) + Send>;

/// Says afterwards why a body was cut off.
pub(crate) type Why = Arc<Mutex<Option<Cut>>>;

/// A whole body.
pub(crate) fn full(bytes: impl Into<Bytes>) -> Body {
    Full::new(bytes.into()).map_err(|never| match never {}).boxed_unsync()
}

/// The hint of a body that has so many bytes more.
pub(crate) fn longer(hint: &SizeHint, by: usize) -> SizeHint {
    let mut longer = SizeHint::new();
    longer.set_lower(hint.lower().saturating_add(by as u64));
    if let Some(upper) = hint.upper() {
        longer.set_upper(upper.saturating_add(by as u64));
    }
    longer
}

/// A timer that starts anew with each piece.
#[derive(Default)]
struct Patience(Option<Pin<Box<Sleep>>>);

impl Patience {
    /// Whether the silence has lasted too long.
    fn is_over(&mut self, cx: &mut Context<'_>) -> bool {
        let sleep = self.0.get_or_insert_with(|| Box::pin(tokio::time::sleep(SILENCE)));
        sleep.as_mut().poll(cx).is_ready()
    }
}

/// How long is waited for a client: for one piece, and for all of them together by how much came. While the app has to take
/// something, nobody waits for the client.
pub(crate) struct Waiting {
    sleep: Option<(Instant, Pin<Box<Sleep>>)>,
    left: Duration,
}

impl Waiting {
    pub(crate) fn new() -> Self {
        Self { sleep: None, left: WHOLE }
    }

    /// Whether it has lasted too long.
    pub(crate) fn is_over(&mut self, cx: &mut Context<'_>) -> bool {
        let limit = SILENCE.min(self.left);
        let start = || (Instant::now(), Box::pin(tokio::time::sleep(limit)));
        let (_, sleep) = self.sleep.get_or_insert_with(start);
        sleep.as_mut().poll(cx).is_ready()
    }

    pub(crate) fn came(&mut self, bytes: usize) {
        if let Some((since, _)) = self.sleep.take() {
            let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
            let earned = Duration::from_secs(1) * bytes / RATE;
            self.left = (self.left.saturating_sub(since.elapsed()) + earned).min(WHOLE);
        }
    }
}

/// A request's body that goes on to the app piece by piece.
pub(crate) struct Guarded {
    inner: Arriving,
    left: u64,
    scan: Option<Scan>,
    waiting: Waiting,
    why: Why,
    first: Option<Look>,
}

impl Guarded {
    /// At most `limit` bytes; `looked` says whether tokens are looked for.
    pub(crate) fn new(inner: Arriving, limit: u64, looked: bool, why: Why, first: Option<Look>) -> Self {
        let scan = looked.then(Scan::default);
        Self { inner, left: limit, scan, waiting: Waiting::new(), why, first }
    }

    fn cut(&self, cut: Cut) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        *self.why.lock() = Some(cut);
        Poll::Ready(Some(Err(Box::new(cut))))
    }
}

impl hyper::body::Body for Guarded {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let this = self.get_mut();
        let data = match this.inner.poll_piece(cx) {
            Poll::Pending if this.waiting.is_over(cx) => return this.cut(Cut::Slow),
            Poll::Pending => return Poll::Pending,
            Poll::Ready(None) => return Poll::Ready(None),
            Poll::Ready(Some(Err(_))) => return this.cut(Cut::Broken),
            Poll::Ready(Some(Ok(data))) => data,
        };
        this.waiting.came(data.len());
        let length = data.len() as u64;
        if length > this.left {
            return this.cut(Cut::Size);
        }
        this.left -= length;
        if this.scan.as_mut().is_some_and(|scan| scan.sees(&data)) {
            return this.cut(Cut::Token);
        }
        if let Some(look) = this.first.take() {
            look(&data);
        }
        Poll::Ready(Some(Ok(Frame::data(data))))
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }
}

/// What of an answer was read, and the rest if it was too much.
pub(crate) enum Read {
    Whole(Bytes),
    /// More than the limit: what was read so far, and the rest.
    More(Bytes, FromApp),
    /// There is no room for it.
    Full,
    Broken,
}

/// Reads an answer's body as far as `limit`. `room` takes so many bytes more, where they are to be had.
pub(crate) async fn read(
    mut body: FromApp,
    limit: usize,
    silence: Duration,
    room: impl Fn(usize) -> bool,
) -> Read {
    let mut all: Vec<u8> = Vec::new();
    loop {
        match tokio::time::timeout(silence, body.frame()).await {
            Ok(Some(Ok(frame))) => {
                if let Ok(data) = frame.into_data() {
                    if !room(data.len()) {
                        return Read::Full;
                    }
                    if all.is_empty() {
                        all.reserve(data.len() + body.size_hint().lower().min(limit as u64) as usize);
                    }
                    all.extend_from_slice(&data);
                    if all.len() > limit {
                        return Read::More(all.into(), body);
                    }
                }
            }
            Ok(None) => return Read::Whole(all.into()),
            Ok(Some(Err(_))) | Err(_) => return Read::Broken,
        }
    }
}

/// What came of an answer's beginning waits so long for more of it.
const FIRST: Duration = Duration::from_secs(1);

/// Reads the beginning of an answer, at most a piece beyond `most` bytes. An app that pauses is not waited for: what it has
/// said goes on.
pub(crate) async fn read_first(
    mut body: FromApp,
    most: usize,
    silence: Duration,
    room: impl Fn(usize) -> bool,
) -> Read {
    let mut all: Vec<u8> = Vec::new();
    let mut until = Instant::now() + silence;
    while all.len() < most {
        match tokio::time::timeout_at(until, body.frame()).await {
            Ok(Some(Ok(frame))) => {
                let Ok(data) = frame.into_data() else { continue };
                if !room(data.len()) {
                    return Read::Full;
                }
                if all.is_empty() {
                    until = Instant::now() + FIRST;
                    all.reserve(data.len() + body.size_hint().lower().min(most as u64) as usize);
                }
                all.extend_from_slice(&data);
            }
            Ok(None) => return Read::Whole(all.into()),
            Err(_) if !all.is_empty() => break,
            Ok(Some(Err(_))) | Err(_) => return Read::Broken,
        }
    }
    Read::More(all.into(), body)
}

/// Where the rest of an answer comes from.
pub(crate) enum Source {
    App(FromApp),
    /// What is still inspected.
    Watched(Box<Windows>),
}

impl hyper::body::Body for Source {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        match self.get_mut() {
            Self::App(body) => Pin::new(body).poll_frame(cx).map_err(Into::into),
            Self::Watched(body) => Pin::new(body.as_mut()).poll_frame(cx),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::App(body) => body.size_hint(),
            Self::Watched(body) => body.size_hint(),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::App(body) => body.is_end_stream(),
            Self::Watched(body) => body.is_end_stream(),
        }
    }
}

/// Told at the end of an answer how many tokens were masked in it.
pub(crate) type Told = Box<dyn FnOnce(u64) + Send>;

/// An answer's body in which every token is masked, with constant memory.
pub(crate) struct Masked {
    before: Option<Bytes>,
    inner: Option<Source>,
    masker: Masker,
    patience: Patience,
    told: Option<Told>,
    first: Option<Look>,
}

impl Masked {
    pub(crate) fn new(before: Option<Bytes>, inner: Option<Source>, told: Told, first: Option<Look>) -> Self {
        let (masker, patience) = (Masker::default(), Patience::default());
        Self { before, inner, masker, patience, told: Some(told), first }
    }

    /// What the masker has kept back, at the end.
    fn end(&mut self) -> Option<Result<Frame<Bytes>, BodyError>> {
        self.inner = None;
        let told = self.told.take()?;
        let rest = self.masker.end();
        told(self.masker.masked);
        (!rest.is_empty()).then(|| Ok(Frame::data(rest)))
    }
}

impl hyper::body::Body for Masked {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let this = self.get_mut();
        loop {
            let piece = match this.before.take() {
                Some(before) => before,
                None => {
                    let Some(inner) = &mut this.inner else { return Poll::Ready(this.end()) };
                    let polled = Pin::new(inner).poll_frame(cx);
                    if polled.is_pending() && this.patience.is_over(cx) {
                        return Poll::Ready(Some(Err(Box::new(Cut::Slow))));
                    }
                    match ready!(polled) {
                        None => return Poll::Ready(this.end()),
                        Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                        Some(Ok(frame)) => match frame.into_data() {
                            Ok(data) => data,
                            Err(_) => continue,
                        },
                    }
                }
            };
            this.patience = Patience::default();
            if let Some(look) = this.first.take() {
                look(&piece);
            }
            let piece = this.masker.push(piece);
            if !piece.is_empty() {
                return Poll::Ready(Some(Ok(Frame::data(piece))));
            }
        }
    }

    fn size_hint(&self) -> SizeHint {
        match (&self.before, &self.inner) {
            // Masks have the length of what they cover.
            (None, Some(inner)) if self.told.is_some() => inner.size_hint(),
            (Some(before), None) => SizeHint::with_exact(before.len() as u64),
            (Some(before), Some(inner)) => longer(&inner.size_hint(), before.len()),
            // What the masker keeps back is still to come.
            (None, None) if self.told.is_none() => SizeHint::with_exact(0),
            _ => SizeHint::default(),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.before.is_none() && self.inner.is_none() && self.told.is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::held::{Budget, Holding};
    use http::{Request, Response};
    use hyper::body::Incoming;
    use hyper_util::rt::TokioIo;
    use std::convert::Infallible;
    use tokio::io::{AsyncWriteExt, DuplexStream};

    /// The body of a request whose client sends a piece from time to time.
    async fn sent(piece: usize, every: Duration) -> Incoming {
        let (client, server) = tokio::io::duplex(64 << 10);
        let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
        let service = hyper::service::service_fn(move |request: Request<Incoming>| {
            let _ = tell.send(request.into_body());
            std::future::pending::<Result<Response<Full<Bytes>>, Infallible>>()
        });
        tokio::spawn(async move {
            let _ = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(server), service)
                .await;
        });
        tokio::spawn(send(client, piece, every));
        told.recv().await.expect("a request")
    }

    async fn send(mut client: DuplexStream, piece: usize, every: Duration) -> std::io::Result<()> {
        let head = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000000\r\n\r\n";
        client.write_all(head).await?;
        loop {
            tokio::time::sleep(every).await;
            client.write_all(&vec![b'x'; piece]).await?;
        }
    }

    /// How long a body goes on that passes through, at most an hour, and why it ended.
    async fn passes(body: Incoming) -> (Duration, Option<Cut>) {
        let why: Why = Arc::default();
        let mut body = Guarded::new(Arriving::new(body), u64::MAX, true, why.clone(), None);
        let began = Instant::now();
        let hour = Duration::from_secs(3_600);
        let reading = async { while let Some(Ok(_)) = body.frame().await {} };
        let _ = tokio::time::timeout(hour, reading).await;
        (began.elapsed(), *why.lock())
    }

    fn about(took: Duration, seconds: u64) -> bool {
        (seconds..seconds + 15).contains(&took.as_secs())
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_is_kept_has_an_end_though_each_piece_comes_in_time() {
        for (every, end) in [(10, 120), (31, 30)] {
            let body = sent(1, Duration::from_secs(every)).await;
            let began = Instant::now();
            let held = Holding::none(&Budget::new(usize::MAX, 0), None);
            assert_eq!(Arriving::new(body).whole(1 << 20, &held).await, Err(Cut::Slow));
            assert!(about(began.elapsed(), end), "{every}: {:?}", began.elapsed());
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_upload_goes_on_while_it_gets_on() {
        let (took, why) = passes(sent(40 << 10, Duration::from_secs(20)).await).await;
        assert!(about(took, 3_600) && why.is_none(), "{took:?} {why:?}");
        let (took, why) = passes(sent(1, Duration::from_secs(31)).await).await;
        assert!(about(took, 30) && why == Some(Cut::Slow), "silence: {took:?} {why:?}");
        let (took, why) = passes(sent(1, Duration::from_secs(10)).await).await;
        assert!(about(took, 120) && why == Some(Cut::Slow), "a byte now and then: {took:?} {why:?}");
    }
}
