//! The end of patience with a response that falls silent.

use std::{
    fmt,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use axum::BoxError;
use http_body::{Body, Frame, SizeHint};
use tokio::time::{Instant, Sleep};

use super::{client::chain, request_id::RequestId};

/// The body of an upstream's response: an error where it is silent for too long.
///
/// The clock runs from a poll that finds no frame to the next that finds one, so never while the client
/// reads nothing: nobody polls then.
pub(crate) struct Patient<B> {
    inner: B,
    upstream: Arc<str>,
    /// Of the request that it responds to.
    request_id: Option<RequestId>,
    limit: Duration,
    /// Since when a frame is waited for.
    since: Option<Instant>,
    /// Made at the first wait, and set anew only when it fires: not at each frame, which would take the
    /// timer's lock.
    timer: Option<Pin<Box<Sleep>>>,
}

impl<B> Patient<B> {
    pub(super) fn new(
        inner: B,
        upstream: Arc<str>,
        request_id: Option<RequestId>,
        limit: Duration,
    ) -> Self {
        Self {
            inner,
            upstream,
            request_id,
            limit,
            since: None,
            timer: None,
        }
    }

    /// Ready when the limit has passed since the wait began.
    fn poll_limit(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let deadline = *self.since.get_or_insert_with(Instant::now) + self.limit;
        let timer = self
            .timer
            .get_or_insert_with(|| Box::pin(tokio::time::sleep_until(deadline)));
        loop {
            ready!(timer.as_mut().poll(cx));
            if timer.deadline() >= deadline {
                return Poll::Ready(());
            }
            timer.as_mut().reset(deadline);
        }
    }

    fn broke_off(&self, cause: &dyn fmt::Display) {
        let request_id = self.request_id.as_ref().map(RequestId::as_str);
        tracing::warn!(upstream = %self.upstream, %cause, request_id, "the response broke off");
    }
}

impl<B> Body for Patient<B>
where
    B: Body + Unpin,
    B::Error: Into<BoxError>,
{
    type Data = B::Data;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, BoxError>>> {
        let Poll::Ready(frame) = Pin::new(&mut self.inner).poll_frame(cx) else {
            ready!(self.poll_limit(cx));
            let silent = format!("silent for {:?}", self.limit);
            self.broke_off(&silent);
            return Poll::Ready(Some(Err(silent.into())));
        };
        self.since = None;
        Poll::Ready(frame.map(|frame| {
            frame.map_err(|error| {
                let error = error.into();
                self.broke_off(&chain(&*error));
                error
            })
        }))
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

impl<B> fmt::Debug for Patient<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Patient");
        shown.field("upstream", &self.upstream);
        shown.field("limit", &self.limit).finish_non_exhaustive()
    }
}
