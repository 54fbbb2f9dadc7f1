//! Bodies of requests that pass as they come, without being held.

use std::{
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll, ready},
    time::Duration,
};

use axum::{BoxError, http::StatusCode};
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio::time::{Instant, Sleep};

use super::{
    error::Refusal,
    upload::{Cut, broken},
};
use crate::serve::RequestBody;

/// The body of a request on its way from its client to a provider.
///
/// It has no limit of its own: what passes is not held. A client that sends nothing for as long as a whole body may take
/// otherwise has given up, though.
pub(in crate::gateway) struct Passing {
    /// What was read of it already.
    first: Option<Bytes>,
    rest: RequestBody,
    limit: Duration,
    timer: Option<Pin<Box<Sleep>>>,
    upload: Upload,
}

/// How an upload fares, for whom waits for its response.
#[derive(Clone, Debug)]
pub(super) struct Upload(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    /// When something of it came last.
    last: Instant,
    cut: Option<Cut>,
}

impl Passing {
    pub(super) fn new(first: Bytes, rest: RequestBody, limit: Duration) -> (Self, Upload) {
        let upload = Upload(Arc::new(Mutex::new(State {
            last: Instant::now(),
            cut: None,
        })));
        let passing = Self {
            first: Some(first).filter(|first| !first.is_empty()),
            rest,
            limit,
            timer: None,
            upload: upload.clone(),
        };
        (passing, upload)
    }

    fn poll_rest(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Cut>>> {
        let Poll::Ready(frame) = Pin::new(&mut self.rest).poll_frame(cx) else {
            let limit = self.limit;
            let timer = self
                .timer
                .get_or_insert_with(|| Box::pin(tokio::time::sleep(limit)));
            ready!(timer.as_mut().poll(cx));
            return Poll::Ready(Some(Err(stalled(limit))));
        };
        self.timer = None;
        Poll::Ready(frame.map(|frame| frame.map_err(|error| broken(&error))))
    }
}

fn stalled(limit: Duration) -> Cut {
    let fault = format!("nothing more of the request body arrived for {limit:?}");
    let refusal = Refusal::request("request_timeout", fault);
    let refusal = refusal.with_status(StatusCode::REQUEST_TIMEOUT);
    Cut::Refused(refusal.closing())
}

impl Upload {
    /// When something of it came last.
    pub(super) fn last(&self) -> Instant {
        self.state(|state| state.last)
    }

    /// Why it ended before its end, if it did.
    pub(super) fn cut(&self) -> Option<Cut> {
        self.state(|state| state.cut.take())
    }

    /// Nobody waits while holding it, and nobody panics.
    fn state<T>(&self, look: impl FnOnce(&mut State) -> T) -> T {
        look(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Body for Passing {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        if let Some(first) = self.first.take() {
            return Poll::Ready(Some(Ok(Frame::data(first))));
        }
        let frame = ready!(self.poll_rest(cx));
        self.upload.state(|state| state.last = Instant::now());
        Poll::Ready(frame.map(|frame| {
            frame.map_err(|cut| {
                self.upload.state(|state| state.cut = Some(cut));
                BoxError::from("the client's request broke off")
            })
        }))
    }

    fn is_end_stream(&self) -> bool {
        self.first.is_none() && self.rest.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let first = self.first.as_ref().map_or(0, |first| first.len() as u64);
        let rest = self.rest.size_hint();
        let mut hint = SizeHint::new();
        hint.set_lower(first + rest.lower());
        if let Some(upper) = rest.upper() {
            hint.set_upper(first + upper);
        }
        hint
    }
}

impl std::fmt::Debug for Passing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Passing").finish_non_exhaustive()
    }
}
