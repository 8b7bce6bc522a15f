//! A body with which something is kept until its last byte has been written. The HTTP library takes a body's pieces before it
//! can write them, and lets go of the body long before the client has them; so each piece holds on as well.

use crate::upstream::{Body, BodyError};
use bytes::Bytes;
use hyper::body::{Frame, SizeHint};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

/// What is kept with a body, and told what becomes of it.
pub(crate) trait Kept: Send + Sync + 'static {
    /// The body is asked for its next piece.
    fn asked(&self) {}
    /// A piece of so many bytes was handed on.
    fn handed(&self, _bytes: usize) {}
}

pub(crate) struct Tied<T> {
    body: Body,
    with: Arc<T>,
}

struct Piece<T> {
    bytes: Bytes,
    _with: Arc<T>,
}

impl<T> AsRef<[u8]> for Piece<T> {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl<T> Tied<T> {
    pub(crate) fn new(body: Body, with: T) -> Self {
        Self { body, with: Arc::new(with) }
    }
}

impl<T: Kept> hyper::body::Body for Tied<T> {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let this = self.get_mut();
        let with = &this.with;
        with.asked();
        let tie = |bytes: Bytes| {
            with.handed(bytes.len());
            Bytes::from_owner(Piece { bytes, _with: with.clone() })
        };
        Pin::new(&mut this.body).poll_frame(cx).map_ok(|frame| frame.map_data(tie))
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }
}
