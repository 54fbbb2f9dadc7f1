use std::task::{Context, Poll};

use actix_web::{
    Error,
    body::MessageBody,
    dev::{Service, ServiceRequest, ServiceResponse},
};

use crate::{MetricsMiddleware, ObservedBody, ResponseFuture};

/// A service whose requests are measured: what [`MetricsMiddleware`] makes of a service.
#[derive(Clone, Debug)]
pub struct MetricsService<S> {
    inner: S,
    middleware: MetricsMiddleware,
}

impl<S> MetricsService<S> {
    pub(crate) fn new(inner: S, middleware: MetricsMiddleware) -> Self {
        Self { inner, middleware }
    }
}

impl<S, B> Service<ServiceRequest> for MetricsService<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
    B: MessageBody,
{
    type Response = ServiceResponse<ObservedBody<B>>;
    type Error = Error;
    type Future = ResponseFuture<S::Future>;

    fn poll_ready(&self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&self, request: ServiceRequest) -> Self::Future {
        let (observer, implicit) = self.middleware.arrive(&request);
        // A panic in there drops the observer as it passes.
        let inner = self.inner.call(request);
        ResponseFuture::new(inner, observer, implicit)
    }
}
