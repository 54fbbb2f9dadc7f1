use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use brightstaff_metrics_core::{
    Head, NoUpstream, ObservedBody, Observer, Upstream, UpstreamObserved,
};
use bytes::Bytes;
use http::Response;
use http_body::Body;
use pin_project::pin_project;

/// The future of a [`MetricsService`](crate::MetricsService): carries the measuring from the request
/// to the body of its answer.
#[derive(Debug)]
#[pin_project]
pub struct ResponseFuture<F> {
    #[pin]
    inner: F,
    observer: Observer,
    implicit: Option<Arc<Upstream>>,
}

impl<F> ResponseFuture<F> {
    pub(crate) fn new(inner: F, observer: Observer, implicit: Option<Arc<Upstream>>) -> Self {
        Self {
            inner,
            observer,
            implicit,
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
                let implicit = unmarked(response, this.implicit);
                let head = if implicit.is_some() {
                    Head::of(response)
                } else {
                    Head::framing(response)
                };
                this.observer.head(&head, implicit);
            }
            Poll::Ready(Err(_)) => this.observer.fail(),
        }
        polled.map_ok(|response| {
            let observer = std::mem::take(this.observer);
            response.map(|body| ObservedBody::new(body, observer))
        })
    }
}

/// The upstream that this answer is measured for, unless its handler spoke for itself.
fn unmarked<'a, B>(
    response: &Response<B>,
    implicit: &'a Option<Arc<Upstream>>,
) -> Option<&'a Upstream> {
    implicit.as_deref().filter(|_| {
        let extensions = response.extensions();
        extensions.get::<UpstreamObserved>().is_none() && extensions.get::<NoUpstream>().is_none()
    })
}
