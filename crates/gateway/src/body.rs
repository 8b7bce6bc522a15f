//! Bodies on their way: counted, timed, and looked at, without being kept.

use crate::find::Masker;
use crate::fold::Scan;
use crate::line::FromApp;
use crate::upstream::{Body, BodyError};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::{Body as _, Frame, Incoming, SizeHint};
use parking_lot::Mutex;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::time::Sleep;

/// Longest silence within a body.
pub(crate) const SILENCE: Duration = Duration::from_secs(30);

/// Longest time for a whole body that a rule looks into: it is kept in memory meanwhile.
const WHOLE: Duration = Duration::from_secs(120);

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

/// A request's body that goes on to the app piece by piece.
pub(crate) struct Guarded {
    inner: Incoming,
    left: u64,
    scan: Option<Scan>,
    patience: Patience,
    why: Why,
    first: Option<Look>,
}

impl Guarded {
    /// At most `limit` bytes; `looked` says whether tokens are looked for.
    pub(crate) fn new(inner: Incoming, limit: u64, looked: bool, why: Why, first: Option<Look>) -> Self {
        let scan = looked.then(Scan::default);
        Self { inner, left: limit, scan, patience: Patience::default(), why, first }
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
        loop {
            let polled = Pin::new(&mut this.inner).poll_frame(cx);
            let frame = match polled {
                Poll::Pending if this.patience.is_over(cx) => return this.cut(Cut::Slow),
                Poll::Pending => return Poll::Pending,
                Poll::Ready(None) => return Poll::Ready(None),
                Poll::Ready(Some(Err(_))) => return this.cut(Cut::Broken),
                Poll::Ready(Some(Ok(frame))) => frame,
            };
            this.patience = Patience::default();
            // Trailers have no use here, and two programs may take them differently.
            let Ok(data) = frame.into_data() else { continue };
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
            return Poll::Ready(Some(Ok(Frame::data(data))));
        }
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }
}

/// Reads a whole body, at most `limit` bytes.
pub(crate) async fn collect(mut body: Incoming, limit: usize) -> Result<Bytes, Cut> {
    let mut all: Vec<u8> = Vec::new();
    let mut first: Option<Bytes> = None;
    let end = tokio::time::Instant::now() + WHOLE;
    loop {
        let until = end.min(tokio::time::Instant::now() + SILENCE);
        let next = tokio::time::timeout_at(until, body.frame()).await.map_err(|_| Cut::Slow)?;
        let Some(frame) = next else { break };
        let Ok(data) = frame.map_err(|_| Cut::Broken)?.into_data() else { continue };
        if first.as_ref().map_or(0, Bytes::len) + all.len() + data.len() > limit {
            return Err(Cut::Size);
        }
        match (&first, all.is_empty()) {
            (None, true) => first = Some(data),
            _ => {
                all.extend_from_slice(&first.take().unwrap_or_default());
                all.extend_from_slice(&data);
            }
        }
    }
    Ok(first.unwrap_or_else(|| all.into()))
}

/// What of an answer was read, and the rest if it was too much.
pub(crate) enum Read {
    Whole(Bytes),
    /// More than the limit: what was read so far, and the rest.
    More(Bytes, FromApp),
    Broken,
}

/// Reads an answer's body as far as `limit`.
pub(crate) async fn read(mut body: FromApp, limit: usize, silence: Duration) -> Read {
    let mut all: Vec<u8> = Vec::with_capacity(body.size_hint().lower().min(limit as u64) as usize);
    loop {
        match tokio::time::timeout(silence, body.frame()).await {
            Ok(Some(Ok(frame))) => {
                if let Ok(data) = frame.into_data() {
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

/// Told at the end of an answer how many tokens were masked in it.
pub(crate) type Told = Box<dyn FnOnce(u64) + Send>;

/// An answer's body in which every token is masked, with constant memory.
pub(crate) struct Masked {
    before: Option<Bytes>,
    inner: Option<FromApp>,
    masker: Masker,
    patience: Patience,
    told: Option<Told>,
    first: Option<Look>,
}

impl Masked {
    pub(crate) fn new(before: Option<Bytes>, inner: FromApp, told: Told, first: Option<Look>) -> Self {
        let (masker, patience) = (Masker::default(), Patience::default());
        Self { before, inner: Some(inner), masker, patience, told: Some(told), first }
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
                    let Some(inner) = &mut this.inner else { return Poll::Ready(None) };
                    let polled = Pin::new(inner).poll_frame(cx);
                    if polled.is_pending() && this.patience.is_over(cx) {
                        return Poll::Ready(Some(Err(Box::new(Cut::Slow))));
                    }
                    match ready!(polled) {
                        None => {
                            this.inner = None;
                            let rest = this.masker.end();
                            if let Some(told) = this.told.take() {
                                told(this.masker.masked);
                            }
                            return Poll::Ready((!rest.is_empty()).then(|| Ok(Frame::data(rest))));
                        }
                        Some(Err(error)) => return Poll::Ready(Some(Err(Box::new(error)))),
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
            (None, None) => SizeHint::with_exact(0),
            _ => SizeHint::default(),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.before.is_none() && self.inner.is_none()
    }
}
