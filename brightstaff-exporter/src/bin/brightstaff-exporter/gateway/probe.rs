//! `/healthz` and `/readyz`: for what starts the gateway, and for what sends requests to it.
//!
//! Probes ask by address, without a token, and may come from anywhere: they learn nothing but whether this process takes
//! requests, and no web page can read even that.

use axum::{
    body::Body,
    http::{
        HeaderValue, Method, Response, StatusCode,
        header::{CACHE_CONTROL, CONTENT_TYPE},
    },
};
use brightstaff_metrics_axum::RequestHead;

use super::access::is_preflight;

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Probe {
    /// Whether the process serves.
    Health,
    /// Whether it wants more requests.
    Ready,
}

impl Probe {
    #[inline]
    pub(super) fn at(path: &str) -> Option<Self> {
        match path {
            "/healthz" => Some(Self::Health),
            "/readyz" => Some(Self::Ready),
            _ => None,
        }
    }

    /// What stands in the label `handler` of its requests, preflights aside.
    pub(super) fn handler(self, request: &RequestHead<'_>) -> Option<&'static str> {
        let handler = match self {
            Self::Health => "healthz",
            Self::Ready => "readyz",
        };
        (!is_preflight(request.method(), request.headers())).then_some(handler)
    }

    pub(super) fn takes(method: &Method) -> bool {
        method == Method::GET || method == Method::HEAD
    }

    /// The response, of a gateway that is about to stop or not.
    pub(super) fn answer(self, is_stopping: bool) -> Response<Body> {
        let (status, text) = match self {
            Self::Ready if is_stopping => (StatusCode::SERVICE_UNAVAILABLE, "stopping\n"),
            Self::Ready | Self::Health => (StatusCode::OK, "ok\n"),
        };
        let mut response = Response::new(Body::from(text));
        *response.status_mut() = status;
        let plain = HeaderValue::from_static("text/plain; charset=utf-8");
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, plain);
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response
    }
}
