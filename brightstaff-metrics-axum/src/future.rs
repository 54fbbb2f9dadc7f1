use std::{
    pin::Pin,
    task::{Context, Poll},
};

use brightstaff_metrics_core::{
    Head, NoUpstream, ObservedBody, UpgradeMark, UpstreamObserved,
    adapter::{PendingCall, RequestGuard, ResponseObserver, head_without_media},
};
use bytes::Bytes;
use http::Response;
use http_body::Body;
use pin_project::pin_project;

/// The future of a [`MetricsService`](crate::MetricsService): carries the measuring from the request
/// to the body of its response.
#[derive(Debug)]
#[pin_project]
pub struct ResponseFuture<F> {
    #[pin]
    inner: F,
    observer: ResponseObserver,
    /// The response as a call to a provider, unless its handler speaks for itself.
    call: Option<PendingCall>,
}

impl<F> ResponseFuture<F> {
    #[inline]
    pub(crate) fn new(inner: F, request: Option<RequestGuard>, call: Option<PendingCall>) -> Self {
        Self {
            inner,
            observer: request.into(),
            call,
        }
    }
}

impl<F, B, E> Future for ResponseFuture<F>
where
    F: Future<Output = Result<Response<B>, E>>,
    B: Body<Data = Bytes>,
{
    type Output = Result<Response<ObservedBody<B>>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let polled = this.observer.watch(|| this.inner.poll(cx));
        match &polled {
            Poll::Pending => {}
            Poll::Ready(Ok(response)) => {
                let call = this.call.take();
                let call = call.and_then(|call| unless_marked(call, response));
                let head = if call.is_some() {
                    Head::of(response)
                } else {
                    head_without_media(response)
                };
                let mark = this.observer.switches(response.status().as_u16());
                let mark = mark.then(|| response.extensions().get::<UpgradeMark>());
                match mark.flatten() {
                    Some(mark) => this.observer.upgraded(&head, mark),
                    None => this.observer.head(&head, call),
                }
            }
            Poll::Ready(Err(_)) => this.observer.fail(),
        }
        polled.map_ok(|response| {
            let observer = std::mem::take(this.observer);
            response.map(|body| ObservedBody::new(body, observer))
        })
    }
}

fn unless_marked<B>(call: PendingCall, response: &Response<B>) -> Option<PendingCall> {
    let extensions = response.extensions();
    let no_upstream = extensions.get::<NoUpstream>().is_some();
    call.unless_marked(extensions.get::<UpstreamObserved>(), no_upstream)
}
