//! A body with which something is kept until its last byte has been written. The HTTP library takes a body's pieces before it
//! can write them, and lets go of the body long before the client has them; so each piece holds on as well.

use crate::upstream::{Body, BodyError};
use bytes::Bytes;
use hyper::body::{Frame, SizeHint};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

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

impl<T: Send + Sync + 'static> hyper::body::Body for Tied<T> {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let this = self.get_mut();
        let with = &this.with;
        let tie = |bytes| Bytes::from_owner(Piece { bytes, _with: with.clone() });
        Pin::new(&mut this.body).poll_frame(cx).map_ok(|frame| frame.map_data(tie))
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }
}
