use std::{
    sync::Arc,
    task::{Context, Poll},
};

use brightstaff_metrics_core::ObservedBody;
use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use tower_service::Service;

use crate::{future::ResponseFuture, settings::Settings};

/// A service whose requests are measured: what [`MetricsLayer`](crate::MetricsLayer) makes of a service.
#[derive(Clone, Debug)]
pub struct MetricsService<S> {
    inner: S,
    settings: Arc<Settings>,
}

impl<S> MetricsService<S> {
    pub(crate) fn new(inner: S, settings: Arc<Settings>) -> Self {
        settings.requests.serve();
        Self { inner, settings }
    }
}

impl<S, ReqBody, ResBody> Service<Request<ReqBody>> for MetricsService<S>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>>,
    ResBody: Body<Data = Bytes>,
{
    type Response = Response<ObservedBody<ResBody>>;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<ReqBody>) -> Self::Future {
        let (guard, call) = self.settings.begin(&mut request);
        // A panic in there drops what has begun as it passes.
        let inner = self.inner.call(request);
        ResponseFuture::new(inner, guard, call)
    }
}
