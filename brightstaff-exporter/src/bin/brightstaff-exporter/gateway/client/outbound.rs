use std::{
    convert::Infallible,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll},
    time::Instant,
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

use super::traffic::since;

/// The body of a request, which notes when its connection began with the request.
///
/// On HTTP/1 a connection asks for the body before it writes the first byte of a head that fits into its
/// buffer, and does all of that in one task: so whatever was read before that instant belongs to earlier
/// requests, and whatever was read or written after it to this one. Where the head may not fit, the start
/// of the request stands for that instant: then what an earlier request read may be taken for a part of
/// this one's response, never the other way round.
#[derive(Debug)]
pub(super) struct Outbound {
    bytes: Option<Bytes>,
    /// Whether the head fits into the buffer of any connection.
    head_fits: bool,
    begun: Arc<Begun>,
    epoch: Instant,
}

/// When a request was started, and when a connection began with it, in nanoseconds from the client's
/// epoch.
#[derive(Debug)]
pub(super) struct Begun {
    pub(super) started: u64,
    taken: AtomicU64,
}

impl Outbound {
    pub(super) fn new(bytes: Bytes, head_fits: bool, epoch: Instant) -> (Self, Arc<Begun>) {
        let started = since(epoch);
        let begun = Arc::new(Begun {
            started,
            taken: AtomicU64::new(started),
        });
        let body = Self {
            bytes: (!bytes.is_empty()).then_some(bytes),
            head_fits,
            begun: Arc::clone(&begun),
            epoch,
        };
        (body, begun)
    }
}

impl Begun {
    /// The start of the request, where it has no body: a connection never asks for that.
    pub(super) fn taken(&self) -> u64 {
        self.taken.load(Ordering::Acquire)
    }
}

impl Body for Outbound {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let Some(bytes) = self.bytes.take() else {
            return Poll::Ready(None);
        };
        if self.head_fits {
            let now = since(self.epoch);
            self.begun.taken.store(now, Ordering::Release);
        }
        Poll::Ready(Some(Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        self.bytes.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.bytes.as_ref().map_or(0, |bytes| bytes.len() as u64))
    }
}
