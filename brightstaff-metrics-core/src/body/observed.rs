use std::{
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use pin_project::pin_project;

use super::ResponseObserver;
use crate::upstream::Opening;

/// A body that is observed as it passes: frames, trailers, errors and size are those of the inner
/// body, each handed on in the poll that brought it.
///
/// The default is an empty body that nobody observes, for layers that answer by themselves.
#[derive(Debug, Default)]
#[pin_project]
pub struct ObservedBody<B> {
    #[pin]
    inner: B,
    observer: ResponseObserver,
}

impl<B> ObservedBody<B> {
    /// Wraps a body whose head the observer has seen. For authors of adapters.
    pub fn new(inner: B, observer: ResponseObserver) -> Self {
        Self { inner, observer }
    }

    /// What the frames that passed so far say of the response, where it is that of a [call](crate::UpstreamCall::observe):
    /// for gateways that poll it before they decide whether to pass it on. Any other is sound.
    ///
    /// ```
    /// use brightstaff_metrics_core::{Metrics, Opening};
    /// use http_body_util::{BodyExt, Full};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let overloaded = "data: {\"error\":{\"message\":\"overloaded\"}}\n\n";
    /// let response = http::Response::builder()
    ///     .header("content-type", "text/event-stream")
    ///     .body(Full::<bytes::Bytes>::from(overloaded))?;
    /// let call = Metrics::unregistered().upstream("openai", "gpt-4o").start();
    /// let mut body = call.observe(response).into_body();
    /// assert_eq!(body.opening(), Opening::Pending);
    /// let held_back = body.frame().await;
    /// assert_eq!(body.opening(), Opening::Failed); // held_back is of no use, and somebody else may be asked
    /// # drop(held_back);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn opening(&self) -> Opening {
        self.observer.opening()
    }
}

impl<B> Body for ObservedBody<B>
where
    B: Body<Data = Bytes>,
{
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let mut this = self.project();
        let polled = this
            .observer
            .watch_body(|| this.inner.as_mut().poll_frame(cx));
        match &polled {
            Poll::Pending => {}
            Poll::Ready(Some(Ok(frame))) => {
                if let Some(data) = frame.data_ref() {
                    this.observer.data(data);
                }
                if frame.is_trailers() || this.inner.is_end_stream() {
                    this.observer.complete();
                }
            }
            Poll::Ready(Some(Err(_))) => this.observer.fail(),
            Poll::Ready(None) => this.observer.complete(),
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
