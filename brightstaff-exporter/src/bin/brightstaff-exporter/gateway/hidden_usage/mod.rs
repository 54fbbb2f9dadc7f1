//! Usage that the gateway asks for, and that clients do not see.
//!
//! A provider that tells the usage of streams only where it is asked adds an event to each, and `"usage": null` to those
//! before it. The meter reads both; what the client gets is, byte for byte, the stream that it had asked for.

mod event;
mod filter;
mod finish;
mod lines;
mod member;
mod scan;
mod warned;

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use axum::{
    BoxError,
    http::{
        HeaderMap, Response, StatusCode,
        header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE},
    },
};
use brightstaff_metrics_core::{HeldCall, UpstreamCall};
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use pin_project::pin_project;

use self::filter::Filter;
pub(super) use self::warned::Warned;
use super::failover::Peeked;

/// Who asks for the usage of a stream of completions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asking {
    /// The client.
    Client,
    /// Nobody: the client said so.
    Declined,
    /// Nobody: the client left it open, and so does the gateway.
    Nobody,
    /// The gateway, which shows what comes of it.
    Shown,
    /// The gateway, which hides that.
    Hidden,
}

impl Asking {
    pub(super) fn is_by_gateway(self) -> bool {
        matches!(self, Self::Shown | Self::Hidden)
    }
}

/// The body of a response, less what is only there since the gateway asked for usage.
#[derive(Debug)]
#[pin_project]
pub(crate) struct UsageBody<B> {
    #[pin]
    inner: Peeked<B>,
    /// What is done with it, unless it passes as it comes. Dropped behind the body, so that the call has ended.
    work: Option<Box<Work>>,
}

#[derive(Debug)]
struct Work {
    filter: Option<Filter>,
    /// What comes behind the bytes that were held to the end.
    last: Option<Last>,
    watch: Option<Watch>,
}

/// The end of a body: trailers, an error, or nothing.
#[derive(Debug)]
struct Last {
    end: Option<Result<Frame<Bytes>, BoxError>>,
    /// Whether what came before it has to be written first: a connection whose body fails drops what waits for that.
    waits: bool,
}

/// Looks for why usage is not told, to warn of it.
#[derive(Debug)]
struct Watch {
    asking: Asking,
    warned: Arc<Warned>,
    /// The call, if it is a stream that owes its usage; else it may be the refusal of the question.
    call: Option<HeldCall>,
}

/// Observes the response to a call for whose usage somebody asked, or nobody, and hides what is to be hidden. With
/// nothing for `asking` the response is observed alone.
pub(super) fn observe<B: Body<Data = Bytes>>(
    mut call: UpstreamCall,
    response: Response<B>,
    asking: Option<(Asking, &Arc<Warned>)>,
) -> Response<UsageBody<B>> {
    let stream = is_stream(&response);
    let refused = matches!(
        response.status(),
        StatusCode::BAD_REQUEST | StatusCode::UNPROCESSABLE_ENTITY
    );
    let asking = asking.filter(|(asking, _)| stream || refused && asking.is_by_gateway());
    let work = asking.map(|(asking, warned)| {
        let hides = stream && asking == Asking::Hidden && !is_encoded(response.headers());
        Box::new(Work {
            filter: hides.then(Filter::default),
            last: None,
            watch: Some(Watch {
                asking,
                warned: Arc::clone(warned),
                call: stream.then(|| call.hold()),
            }),
        })
    });
    let mut response = call.observe(response);
    if work.as_ref().is_some_and(|work| work.filter.is_some()) {
        response.headers_mut().remove(CONTENT_LENGTH);
    }
    response.map(|inner| UsageBody {
        inner: inner.into(),
        work,
    })
}

/// Whether this is what a streamed completion is: server-sent events, and no failure.
fn is_stream<B>(response: &Response<B>) -> bool {
    let media = response.headers().get(CONTENT_TYPE);
    let media = media.and_then(|media| media.to_str().ok());
    let media = media.and_then(|media| media.split(';').next());
    response.status().is_success()
        && media.is_some_and(|media| media.trim().eq_ignore_ascii_case("text/event-stream"))
}

/// Whether its bytes are not those of the events.
fn is_encoded(headers: &HeaderMap) -> bool {
    let mut encodings = headers.get_all(CONTENT_ENCODING).iter();
    encodings.any(|encoding| !encoding.as_bytes().eq_ignore_ascii_case(b"identity"))
}

impl Work {
    /// What of this chunk passes.
    fn data(&mut self, chunk: Bytes) -> Bytes {
        if let Some(watch) = &self.watch
            && watch.call.is_none()
        {
            watch.warned.look_for_refusal(&chunk);
        }
        match &mut self.filter {
            Some(filter) => filter.push(&chunk),
            None => chunk,
        }
    }

    /// The body came to its end, of whatever kind: what was held passes first.
    fn end(
        &mut self,
        end: Option<Result<Frame<Bytes>, BoxError>>,
    ) -> Option<Result<Frame<Bytes>, BoxError>> {
        self.watch = None;
        let held = self.filter.take().map(|mut filter| filter.finish());
        match held {
            Some(held) if !held.is_empty() => {
                let waits = matches!(end, Some(Err(_)));
                self.last = Some(Last { end, waits });
                Some(Ok(Frame::data(held)))
            }
            _ => end,
        }
    }
}

impl<B> UsageBody<B> {
    /// The response before anything is taken out of it.
    pub(super) fn peeked(&mut self) -> &mut Peeked<B> {
        &mut self.inner
    }
}

impl<B> Body for UsageBody<B>
where
    B: Body<Data = Bytes, Error = BoxError>,
{
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let mut this = self.project();
        let Some(work) = this.work else {
            return this.inner.poll_frame(cx);
        };
        if let Some(last) = &mut work.last
            && std::mem::take(&mut last.waits)
        {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        if let Some(last) = work.last.take() {
            return Poll::Ready(last.end);
        }
        loop {
            let frame = match ready!(this.inner.as_mut().poll_frame(cx)) {
                Some(Ok(frame)) => frame,
                end => return Poll::Ready(work.end(end)),
            };
            let passed = match frame.into_data() {
                Ok(chunk) => work.data(chunk),
                Err(trailers) => return Poll::Ready(work.end(Some(Ok(trailers)))),
            };
            if this.inner.is_end_stream() && work.filter.as_ref().is_none_or(|f| !f.holds()) {
                // Nobody may poll again.
                work.watch = None;
            }
            if !passed.is_empty() {
                return Poll::Ready(Some(Ok(Frame::data(passed))));
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        let waits = self.work.as_ref().is_some_and(|work| {
            let holds = work.filter.as_ref().is_some_and(Filter::holds);
            holds || work.last.is_some()
        });
        !waits && self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        match &self.work {
            // What is taken out is not known beforehand.
            Some(work) if work.filter.is_some() || work.last.is_some() => SizeHint::default(),
            _ => self.inner.size_hint(),
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        if let Some(call) = &self.call {
            self.warned.look_for_usage(call, self.asking);
        }
    }
}

#[cfg(test)]
mod tests;
