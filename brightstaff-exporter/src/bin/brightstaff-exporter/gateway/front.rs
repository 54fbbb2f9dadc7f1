//! What a request passes before it is measured: it gets its id, and its line of the access log.

use std::{
    sync::Arc,
    task::{Context, Poll},
};

use brightstaff_metrics_core::Listener;
use tower_service::Service;

use super::{Request, request_id::RequestId};
use crate::log::access;

/// A service whose requests have an id each, in `x-request-id`.
#[derive(Clone, Debug)]
pub(crate) struct Front<S>(S);

impl<S> Front<S> {
    pub(super) fn new(measured: S) -> Self {
        Self(measured)
    }
}

impl<S: Service<Request>> Service<Request> for Front<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request) -> S::Future {
        let id = RequestId::settle(request.headers_mut());
        if let Some(line) = access::line(Some((id.as_str(), request.uri().path()))) {
            let extensions = request.extensions_mut();
            extensions.insert(Listener::from(Arc::clone(&line)));
            extensions.insert(line);
        }
        self.0.call(request)
    }
}
