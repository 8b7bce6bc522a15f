//! What of an answer comes after its first window: gathered until there is a window of it, or until the app pauses; inspected; and
//! handed on. Beyond the limit it passes. Once a rule decides, the connection is broken: what was sent cannot be taken back, and
//! nobody must take it for the whole.

use super::inspection::{Inspection, Step};
use crate::body::longer;
use crate::events::Side;
use crate::line::FromApp;
use crate::upstream::BodyError;
use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::time::Sleep;

/// Most new bytes that are inspected at one time.
pub(crate) const WINDOW: usize = 64 << 10;
/// How far back a window begins: what stands across an edge is seen.
pub(crate) const OVERLAP: usize = 4 << 10;
/// How long what came waits for more.
const PAUSE: Duration = Duration::from_millis(100);

/// The rest of an answer was refused.
#[derive(Debug, thiserror::Error)]
#[error("the rest of the answer was refused")]
pub(crate) struct CutOff;

type Working = Pin<Box<dyn Future<Output = (Box<Inspection>, Step)> + Send>>;

enum State {
    /// What came, behind the end of the window before.
    Gathering(Box<Inspection>),
    Working(Working),
    /// Nothing is inspected any more.
    Passing,
    /// It was cut off.
    Over,
}

/// An answer's body under inspection.
pub(crate) struct Windows {
    inner: FromApp,
    state: State,
    gathered: Vec<u8>,
    /// So many of them were handed on already.
    tail: usize,
    /// So many more are inspected.
    left: usize,
    pause: Option<Pin<Box<Sleep>>>,
    /// What is inspected at present.
    window: Bytes,
    has_ended: bool,
}

impl Windows {
    pub(super) fn new(inspection: Box<Inspection>, tail: Bytes, left: usize, inner: FromApp) -> Self {
        Self {
            inner,
            state: State::Gathering(inspection),
            tail: tail.len(),
            gathered: tail.into(),
            left,
            pause: None,
            window: Bytes::new(),
            has_ended: false,
        }
    }

    fn fresh(&self) -> usize {
        self.gathered.len() - self.tail
    }

    /// Takes what comes until it is enough; whether it is.
    fn gather(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), hyper::Error>> {
        while self.fresh() < WINDOW.min(self.left) {
            match Pin::new(&mut self.inner).poll_frame(cx) {
                Poll::Ready(Some(Ok(frame))) => {
                    if let Ok(data) = frame.into_data() {
                        self.gathered.extend_from_slice(&data);
                    }
                }
                Poll::Ready(Some(Err(error))) => return Poll::Ready(Err(error)),
                Poll::Ready(None) => {
                    self.has_ended = true;
                    break;
                }
                Poll::Pending if self.fresh() == 0 => return Poll::Pending,
                Poll::Pending => {
                    let pause = self.pause.get_or_insert_with(|| Box::pin(tokio::time::sleep(PAUSE)));
                    ready!(pause.as_mut().poll(cx));
                    break;
                }
            }
        }
        self.pause = None;
        Poll::Ready(Ok(()))
    }

    fn work(&mut self, mut inspection: Box<Inspection>) -> Working {
        let fresh = self.fresh();
        let last = self.has_ended || fresh >= self.left;
        self.window = std::mem::take(&mut self.gathered).into();
        // The last piece may reach beyond the limit.
        let window = self.window.slice(..self.tail + fresh.min(self.left));
        self.left = self.left.saturating_sub(fresh);
        Box::pin(async move {
            let step = inspection
                .step(window.len(), move |transaction| transaction.response_window(&window, last))
                .await;
            (inspection, step)
        })
    }

    /// Hands on what was inspected, and keeps its end.
    fn hand_on(&mut self) -> Bytes {
        let window = std::mem::take(&mut self.window);
        let fresh = window.slice(self.tail..);
        self.gathered = window[window.len().saturating_sub(OVERLAP)..].to_vec();
        self.tail = self.gathered.len();
        fresh
    }
}

impl Body for Windows {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let this = self.get_mut();
        loop {
            match std::mem::replace(&mut this.state, State::Over) {
                State::Over => return Poll::Ready(None),
                State::Passing if this.has_ended => return Poll::Ready(None),
                State::Passing => {
                    this.state = State::Passing;
                    let polled = Pin::new(&mut this.inner).poll_frame(cx);
                    return polled.map_err(Into::into);
                }
                State::Gathering(inspection) => match this.gather(cx) {
                    Poll::Pending => {
                        this.state = State::Gathering(inspection);
                        return Poll::Pending;
                    }
                    Poll::Ready(Err(error)) => return Poll::Ready(Some(Err(error.into()))),
                    Poll::Ready(Ok(())) => this.state = State::Working(this.work(inspection)),
                },
                State::Working(mut working) => {
                    let Poll::Ready((mut inspection, step)) = working.as_mut().poll(cx) else {
                        this.state = State::Working(working);
                        return Poll::Pending;
                    };
                    if !matches!(step, Step::On) {
                        inspection.refused = Some(Side::Answer);
                        return Poll::Ready(Some(Err(Box::new(CutOff))));
                    }
                    let fresh = this.hand_on();
                    this.state = if this.has_ended || this.left == 0 {
                        State::Passing
                    } else {
                        State::Gathering(inspection)
                    };
                    if !fresh.is_empty() {
                        return Poll::Ready(Some(Ok(Frame::data(fresh))));
                    }
                }
            }
        }
    }

    fn size_hint(&self) -> SizeHint {
        let fresh = match &self.state {
            State::Passing | State::Over => 0,
            State::Gathering(_) => self.fresh(),
            State::Working(_) => self.window.len() - self.tail,
        };
        longer(&self.inner.size_hint(), fresh)
    }

    fn is_end_stream(&self) -> bool {
        match self.state {
            State::Over => true,
            State::Passing => self.has_ended || self.inner.is_end_stream(),
            State::Gathering(_) | State::Working(_) => false,
        }
    }
}
