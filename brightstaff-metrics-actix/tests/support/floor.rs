//! The least that a middleware can be which measures requests to the ends of their bodies.

use std::{
    future::{Ready, ready},
    pin::Pin,
    sync::atomic::{AtomicU64, Ordering},
    task::{Context, Poll, ready},
    time::Instant,
};

use actix_web::{
    Error,
    body::{BodySize, MessageBody},
    dev::{Service, ServiceRequest, ServiceResponse, Transform},
    web::Bytes,
};
use pin_project::pin_project;

/// Reads the clock when a request arrives and when the body of its response is dropped, and adds to two numbers.
pub(crate) struct Floor;

static REQUESTS: AtomicU64 = AtomicU64::new(0);
static NANOS: AtomicU64 = AtomicU64::new(0);

impl<S, B> Transform<S, ServiceRequest> for Floor
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
    B: MessageBody,
{
    type Response = ServiceResponse<FloorBody<B>>;
    type Error = Error;
    type InitError = ();
    type Transform = FloorService<S>;
    type Future = Ready<Result<Self::Transform, ()>>;

    fn new_transform(&self, inner: S) -> Self::Future {
        ready(Ok(FloorService(inner)))
    }
}

pub(crate) struct FloorService<S>(S);

impl<S, B> Service<ServiceRequest> for FloorService<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
    B: MessageBody,
{
    type Response = ServiceResponse<FloorBody<B>>;
    type Error = Error;
    type Future = FloorFuture<S::Future>;

    fn poll_ready(&self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.0.poll_ready(cx)
    }

    fn call(&self, request: ServiceRequest) -> Self::Future {
        let start = Instant::now();
        FloorFuture(self.0.call(request), start)
    }
}

#[pin_project]
pub(crate) struct FloorFuture<F>(#[pin] F, Instant);

impl<F, B> Future for FloorFuture<F>
where
    F: Future<Output = Result<ServiceResponse<B>, Error>>,
    B: MessageBody,
{
    type Output = Result<ServiceResponse<FloorBody<B>>, Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let response = ready!(this.0.poll(cx))?;
        let guard = Guard(*this.1);
        Poll::Ready(Ok(response.map_body(|_, body| FloorBody(body, guard))))
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

impl<B: MessageBody> MessageBody for FloorBody<B> {
    type Error = B::Error;

    fn size(&self) -> BodySize {
        self.0.size()
    }

    fn poll_next(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, B::Error>>> {
        self.project().0.poll_next(cx)
    }
}
