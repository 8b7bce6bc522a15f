//! A connection whose reads can be slowed down: what the peer sends then piles up where it comes from.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Interval, MissedTickBehavior, interval};

/// How long a slow client waits between two pieces.
pub(crate) const PACE: Duration = Duration::from_millis(250);
/// Most bytes that a slow reader takes at a time.
const PIECE: usize = 1 << 10;

/// Slows a connection down that is in somebody else's hands already.
#[derive(Clone, Default)]
pub(crate) struct Brake(Arc<AtomicBool>);

impl Brake {
    pub(crate) fn pull(&self) {
        self.0.store(true, Ordering::Release);
    }
}

/// A connection with a brake.
pub(crate) struct Braked {
    inner: TcpStream,
    brake: Brake,
    ticks: Interval,
}

impl Braked {
    pub(crate) fn new(inner: TcpStream) -> Self {
        let mut ticks = interval(PACE);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self { inner, brake: Brake::default(), ticks }
    }

    pub(crate) fn brake(&self) -> Brake {
        self.brake.clone()
    }
}

impl AsyncRead for Braked {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if !this.brake.0.load(Ordering::Acquire) {
            return Pin::new(&mut this.inner).poll_read(cx, into);
        }
        ready!(this.ticks.poll_tick(cx));
        let mut piece = [0; PIECE];
        let mut piece = ReadBuf::new(&mut piece[..PIECE.min(into.remaining())]);
        ready!(Pin::new(&mut this.inner).poll_read(cx, &mut piece))?;
        into.put_slice(piece.filled());
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Braked {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, from: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().inner).poll_write(cx, from)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_shutdown(cx)
    }
}
