use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use actix_web::{
    body::{BodySize, MessageBody},
    web::Bytes,
};
use brightstaff_metrics_core::adapter::ResponseObserver;
use pin_project::pin_project;

/// A body that is observed as it passes: chunks, errors and size are those of the inner body, each
/// chunk handed on in the poll that brought it.
#[derive(Debug)]
#[pin_project]
pub struct ObservedBody<B> {
    #[pin]
    inner: B,
    observer: ResponseObserver,
}

impl<B> ObservedBody<B> {
    pub(crate) fn new(inner: B, observer: ResponseObserver) -> Self {
        Self { inner, observer }
    }
}

/// `try_into_bytes` stays what it is by default: bytes that are taken out of the body would pass
/// unobserved.
impl<B: MessageBody> MessageBody for ObservedBody<B> {
    type Error = B::Error;

    fn size(&self) -> BodySize {
        self.inner.size()
    }

    fn poll_next(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, B::Error>>> {
        let this = self.project();
        let chunk = ready!(this.observer.watch_body(|| this.inner.poll_next(cx)));
        match &chunk {
            Some(Ok(data)) => this.observer.data(data),
            Some(Err(_)) => this.observer.fail(),
            None => this.observer.complete(),
        }
        Poll::Ready(chunk)
    }
}
