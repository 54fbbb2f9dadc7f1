use std::{
    rc::Rc,
    sync::Arc,
    task::{Context, Poll},
};

use actix_web::{
    Error,
    body::MessageBody,
    dev::{Service, ServiceRequest, ServiceResponse},
};

use crate::{
    body::ObservedBody,
    future::ResponseFuture,
    provisional::Provisional,
    routes::Routes,
    settings::{Settings, Worker},
};

/// A service whose requests are measured: what [`MetricsMiddleware`](crate::MetricsMiddleware) makes of a service.
#[derive(Clone, Debug)]
pub struct MetricsService<S> {
    inner: S,
    worker: Rc<Worker>,
}

impl<S> MetricsService<S> {
    pub(crate) fn new(inner: S, settings: Arc<Settings>) -> Self {
        settings.requests.serve();
        let routes = Routes::default();
        Self {
            inner,
            worker: Rc::new(Worker { settings, routes }),
        }
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
        let Worker { settings, routes } = &*self.worker;
        let arriving = settings.arriving(&request, routes);
        let begun = settings.begin(&arriving);
        let provisional = if begun.request.is_some() {
            Provisional::of(arriving, &self.worker)
        } else {
            None
        };
        // A panic in there drops what has begun as it passes.
        let inner = self.inner.call(request);
        ResponseFuture::new(inner, begun, provisional)
    }
}
