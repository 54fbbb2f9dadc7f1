use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use futures_core::Stream;
use pin_project::pin_project;

use super::ResponseObserver;

/// A stream of chunks that is observed as it passes, like an [`ObservedBody`](super::ObservedBody).
#[derive(Debug)]
#[pin_project]
pub struct ObservedStream<S> {
    #[pin]
    inner: S,
    observer: ResponseObserver,
}

impl<S> ObservedStream<S> {
    pub(crate) fn new(inner: S, observer: ResponseObserver) -> Self {
        Self { inner, observer }
    }
}

impl<S, E> Stream for ObservedStream<S>
where
    S: Stream<Item = Result<Bytes, E>>,
{
    type Item = Result<Bytes, E>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.project();
        let chunk = ready!(this.observer.watch_body(|| this.inner.poll_next(cx)));
        match &chunk {
            Some(Ok(data)) => this.observer.data(data),
            Some(Err(_)) => this.observer.fail(),
            None => this.observer.complete(),
        }
        Poll::Ready(chunk)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.inner.size_hint()
    }
}
