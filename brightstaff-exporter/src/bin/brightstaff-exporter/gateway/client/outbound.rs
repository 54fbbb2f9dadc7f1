use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll},
    time::Instant,
};

use axum::BoxError;
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use pin_project::pin_project;

use super::{super::passing::Passing, traffic::since};

/// What of a request is sent behind its head.
#[derive(Debug)]
pub(in crate::gateway) enum Content {
    Whole(Bytes),
    /// What its client is still sending.
    Passing(Box<Passing>),
}

/// The body of a request, which notes when its connection began with the request.
///
/// On HTTP/1 a connection asks for the body before it writes the first byte of a head that fits into its
/// buffer, and does all of that in one task: so whatever was read before that instant belongs to earlier
/// requests, and whatever was read or written after it to this one. Where the head may not fit, the start
/// of the request stands for that instant: then what an earlier request read may be taken for a part of
/// this one's response, never the other way round.
#[derive(Debug)]
#[pin_project]
pub(super) struct Outbound {
    #[pin]
    content: Content,
    /// Whether the head fits into the buffer of any connection, and nothing was asked for yet.
    notes: bool,
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
    pub(super) fn new(content: Content, head_fits: bool, epoch: Instant) -> (Self, Arc<Begun>) {
        let started = since(epoch);
        let begun = Arc::new(Begun {
            started,
            taken: AtomicU64::new(started),
        });
        let body = Self {
            content,
            notes: head_fits,
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
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = self.project();
        if std::mem::take(this.notes) {
            let now = since(*this.epoch);
            this.begun.taken.store(now, Ordering::Release);
        }
        match this.content.get_mut() {
            Content::Whole(bytes) if bytes.is_empty() => Poll::Ready(None),
            Content::Whole(bytes) => Poll::Ready(Some(Ok(Frame::data(std::mem::take(bytes))))),
            Content::Passing(body) => Pin::new(&mut **body).poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.content {
            Content::Whole(bytes) => bytes.is_empty(),
            Content::Passing(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.content {
            Content::Whole(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Content::Passing(body) => body.size_hint(),
        }
    }
}
