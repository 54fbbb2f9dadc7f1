//! The least that a layer can be which measures requests to the ends of their bodies.

use std::{
    pin::Pin,
    sync::atomic::{AtomicU64, Ordering},
    task::{Context, Poll, ready},
    time::Instant,
};

use axum::body::Body;
use bytes::Bytes;
use http::{Request, Response};
use http_body::{Frame, SizeHint};
use pin_project::pin_project;
use tower::{Layer, Service};

/// Reads the clock when a request arrives and when the body of its response is dropped, and adds to two numbers.
#[derive(Clone)]
pub(crate) struct Floor;

static REQUESTS: AtomicU64 = AtomicU64::new(0);
static NANOS: AtomicU64 = AtomicU64::new(0);

impl<S> Layer<S> for Floor {
    type Service = FloorService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        FloorService(inner)
    }
}

#[derive(Clone)]
pub(crate) struct FloorService<S>(S);

impl<S, B> Service<Request<Body>> for FloorService<S>
where
    S: Service<Request<Body>, Response = Response<B>>,
{
    type Response = Response<FloorBody<B>>;
    type Error = S::Error;
    type Future = FloorFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let start = Instant::now();
        FloorFuture(self.0.call(request), start)
    }
}

#[pin_project]
pub(crate) struct FloorFuture<F>(#[pin] F, Instant);

impl<F, B, E> Future for FloorFuture<F>
where
    F: Future<Output = Result<Response<B>, E>>,
{
    type Output = Result<Response<FloorBody<B>>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let response = ready!(this.0.poll(cx))?;
        Poll::Ready(Ok(response.map(|body| FloorBody(body, Guard(*this.1)))))
    }
}

#[pin_project]
pub(crate) struct FloorBody<B>(#[pin] B, Guard);

struct Guard(Instant);

impl Drop for Guard {
    fn drop(&mut self) {
        let nanos = u64::try_from(self.0.elapsed().as_nanos()).unwrap_or(u64::MAX);
        REQUESTS.fetch_add(1, Ordering::Relaxed);
        NANOS.fetch_add(nanos, Ordering::Relaxed);
    }
}

impl<B: http_body::Body<Data = Bytes>> http_body::Body for FloorBody<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        self.project().0.poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.0.size_hint()
    }
}
