//! An answer that knows until when it is being written: what it holds is let go of with its last byte.
//!
//! A body is handed over long before it is on the wire, so that its end says nothing; the buffer itself is what
//! remains until then.

use super::seats::Busy;
use hyper::body::{Body, Bytes, Frame, SizeHint};
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::sync::OwnedSemaphorePermit;

/// A body that holds something until it is written.
#[derive(Debug)]
pub struct Sent<B> {
    body: B,
    held: Option<Held>,
}

/// What is held: the seat is busy, and the bytes are counted if they are many.
pub type Held = (Busy, Option<OwnedSemaphorePermit>);

impl<B> Sent<B> {
    /// This body, holding that.
    pub fn new(body: B, held: Held) -> Self {
        Sent { body, held: Some(held) }
    }
}

/// Bytes with what they hold.
#[derive(Debug)]
struct Owner {
    bytes: Bytes,
    _held: Option<Held>,
}

impl AsRef<[u8]> for Owner {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl<B: Body<Data = Bytes> + Unpin> Body for Sent<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(cx);
        let held = &mut self.held;
        polled.map(|frame| {
            let hold = |bytes| Bytes::from_owner(Owner { bytes, _held: held.take() });
            frame.map(|frame| frame.map(|frame| frame.map_data(hold)))
        })
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
