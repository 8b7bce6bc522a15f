//! How far the body of a request has come on its way to the app. An upload may take its time while it gets on; the app's time
//! to answer begins when the last piece has gone.

use crate::upstream::{Body, BodyError};
use bytes::Bytes;
use http::Request;
use http_body_util::BodyExt;
use hyper::body::{Body as _, Frame, SizeHint};
use parking_lot::Mutex;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::Instant;

/// When something moved last, and whether the next piece is the client's to send.
#[derive(Clone)]
pub(crate) struct Sent(Arc<Mutex<(Instant, bool)>>);

impl Sent {
    /// Until when the app may take its time. For the client's there are other timers, in [`crate::body`].
    fn until(&self, timeout: Duration) -> Instant {
        let (moved, is_clients) = *self.0.lock();
        if is_clients { Instant::now() + timeout } else { moved + timeout }
    }
}

/// A body that notes how it gets on.
struct Watched {
    inner: Body,
    sent: Sent,
}

impl hyper::body::Body for Watched {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let this = self.get_mut();
        let polled = Pin::new(&mut this.inner).poll_frame(cx);
        *this.sent.0.lock() = (Instant::now(), polled.is_pending());
        polled
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }
}

/// The same request, and how far it has come.
pub(crate) fn watched(request: Request<Body>) -> (Request<Body>, Sent) {
    let sent = Sent(Arc::new(Mutex::new((Instant::now(), false))));
    if request.body().is_end_stream() {
        return (request, sent);
    }
    let watched = request.map(|inner| Watched { inner, sent: sent.clone() }.boxed_unsync());
    (watched, sent)
}

/// Waits for an answer, until the app has taken nothing of the request, and then said nothing, for so long.
pub(crate) async fn in_time<T>(
    sent: &Sent,
    timeout: Duration,
    answering: impl Future<Output = T>,
) -> Option<T> {
    let mut answering = pin!(answering);
    loop {
        let until = sent.until(timeout);
        match tokio::time::timeout_at(until, answering.as_mut()).await {
            Ok(answer) => return Some(answer),
            Err(_) if sent.until(timeout) <= Instant::now() => return None,
            Err(_) => {}
        }
    }
}
