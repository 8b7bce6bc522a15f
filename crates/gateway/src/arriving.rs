//! The body of a request as it arrives: what was read of it already, and the rest. The shield reads its beginning, a rule of
//! the relay all of it, and whoever comes last hands on both.

use crate::body::{Cut, WHOLE, Waiting, longer};
use crate::held::Holding;
use bytes::Bytes;
use hyper::body::{Body as _, Incoming, SizeHint};
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::time::Instant;

/// A request's body, of which nothing is lost when somebody looks into it.
pub(crate) struct Arriving {
    begun: Option<Begun>,
    /// What of that is being handed on.
    handed: Bytes,
    /// None once it has ended.
    rest: Option<Incoming>,
    is_decoded: bool,
}

/// Most bytes that are handed on at one time.
const PIECE: usize = 64 << 10;

/// What was read already. It is held until it has been written on.
struct Begun {
    bytes: Bytes,
    held: Holding,
}

impl AsRef<[u8]> for Begun {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

/// How long is waited for a client whose body is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pace {
    /// Until so much time is over, whatever came.
    Within(Duration),
    /// As long as it gets on, like a body that passes through.
    GettingOn,
}

impl Arriving {
    pub(crate) fn new(incoming: Incoming) -> Self {
        Self { begun: None, handed: Bytes::new(), rest: Some(incoming), is_decoded: false }
    }

    /// Reads on until more than `limit` bytes are there or the body ends.
    pub(crate) async fn read(&mut self, limit: usize, pace: Pace, held: Holding) -> Result<(), Cut> {
        let mut waiting = Waiting::new();
        let end = match pace {
            Pace::Within(limit) => Some(Instant::now() + limit),
            Pace::GettingOn => None,
        };
        let mut first: Option<Bytes> = None;
        let mut all: Vec<u8> = Vec::new();
        let mut count = 0;
        while count <= limit {
            let next = poll_fn(|cx| {
                let polled = self.poll_piece(cx);
                match polled.is_pending() && waiting.is_over(cx) {
                    true => Poll::Ready(Err(Cut::Slow)),
                    false => polled.map(|piece| piece.transpose().map_err(|_| Cut::Broken)),
                }
            });
            let next = match end {
                Some(end) => tokio::time::timeout_at(end, next).await.map_err(|_| Cut::Slow)?,
                None => next.await,
            };
            let Some(piece) = next? else { break };
            waiting.came(piece.len());
            if !held.take(piece.len()) {
                return Err(Cut::Full);
            }
            count += piece.len();
            match (&first, all.is_empty()) {
                (None, true) => first = Some(piece),
                _ => {
                    all.extend_from_slice(&first.take().unwrap_or_default());
                    all.extend_from_slice(&piece);
                }
            }
        }
        let bytes = first.unwrap_or_else(|| all.into());
        self.begun = (!bytes.is_empty()).then_some(Begun { bytes, held });
        Ok(())
    }

    /// All of it, at most `limit` bytes, for whom it is held from now on.
    pub(crate) async fn whole(mut self, limit: usize, held: &Holding) -> Result<Bytes, Cut> {
        if self.rest.is_some() {
            self.read(limit, Pace::Within(WHOLE), held.beside()).await?;
        }
        let Some(begun) = self.begun.take() else { return Ok(Bytes::new()) };
        if self.rest.is_some() || begun.bytes.len() > limit {
            return Err(Cut::Size);
        }
        held.absorb(&begun.held);
        Ok(begun.bytes)
    }

    /// What was read already.
    pub(crate) fn begun(&self) -> Bytes {
        self.begun.as_ref().map(|begun| begun.bytes.clone()).unwrap_or_default()
    }

    /// Goes on with these bytes in the place of what was read, which was all.
    pub(crate) fn become_decoded(&mut self, bytes: Bytes, held: Holding) {
        self.begun = (!bytes.is_empty()).then_some(Begun { bytes, held });
        self.is_decoded = true;
    }

    /// Whether its coding was taken off: then its head must not name one.
    pub(crate) fn is_decoded(&self) -> bool {
        self.is_decoded
    }

    /// Whether all of it was read.
    pub(crate) fn is_whole(&self) -> bool {
        self.rest.is_none()
    }

    /// Whether nothing more will come out of it.
    pub(crate) fn is_end_stream(&self) -> bool {
        self.begun.is_none()
            && self.handed.is_empty()
            && self.rest.as_ref().is_none_or(Incoming::is_end_stream)
    }

    pub(crate) fn size_hint(&self) -> SizeHint {
        let begun = self.begun.as_ref().map_or(0, |begun| begun.bytes.len()) + self.handed.len();
        let rest = self.rest.as_ref().map_or_else(|| SizeHint::with_exact(0), Incoming::size_hint);
        longer(&rest, begun)
    }

    /// The next piece. Trailers are left out: nobody looks into them, so nobody gets them.
    pub(crate) fn poll_piece(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, hyper::Error>>> {
        if let Some(begun) = self.begun.take() {
            self.handed = Bytes::from_owner(begun);
        }
        if !self.handed.is_empty() {
            return Poll::Ready(Some(Ok(self.handed.split_to(self.handed.len().min(PIECE)))));
        }
        while let Some(rest) = &mut self.rest {
            match ready!(Pin::new(rest).poll_frame(cx)) {
                Some(Ok(frame)) => {
                    if let Ok(data) = frame.into_data() {
                        return Poll::Ready(Some(Ok(data)));
                    }
                }
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                None => self.rest = None,
            }
        }
        Poll::Ready(None)
    }
}
