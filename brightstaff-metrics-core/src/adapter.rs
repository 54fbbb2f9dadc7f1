//! For authors of adapters: what a layer, a middleware or a server of some framework is made of.
//!
//! An adapter implements [`IncomingRequest`] for its framework's requests, [begins](RequestMetrics::begin) each
//! that arrives, and moves a [`ResponseObserver`] from its service to the future to the body. It names no metric.
//!
//! ```
//! use brightstaff_metrics_core::{
//!     Head, Metrics,
//!     adapter::{LayerMarks, RequestMetrics, ResponseObserver},
//! };
//! # use brightstaff_metrics_core::{HandlerName, adapter::IncomingRequest, labels::RequestMethod};
//! # struct Request;
//! # impl IncomingRequest for Request {
//! #     fn method(&self) -> RequestMethod { RequestMethod::Get }
//! #     fn path(&self) -> &str { "/" }
//! #     fn template(&self) -> Option<&str> { None }
//! #     fn given_name(&self) -> Option<HandlerName> { None }
//! #     fn has_header(&self, _: &str) -> bool { false }
//! # }
//! # let request = Request;
//!
//! let requests = RequestMetrics::from(&Metrics::unregistered());
//! let begun = requests.begin(&request, &LayerMarks::default());
//! let mut observer = ResponseObserver::from(begun.request);
//! // The service was polled, and its response has this head.
//! observer.head(&Head::new(200), begun.call);
//! observer.data(b"hello");
//! observer.complete();
//! ```

pub use crate::{
    body::ResponseObserver,
    request::{
        Begun, Extensions, IncomingRequest, KnownTemplate, LayerMarks, NewMarks, PendingCall,
        RequestGuard, RequestMetrics,
    },
};
use crate::{labels::RequestMethod, metrics::Metrics};

/// Whether a [`HandlerName`](crate::HandlerName) was ever made in this process: where none was, no request has to be
/// looked through for one.
#[must_use]
#[inline]
pub fn handler_names_are_there() -> bool {
    crate::HandlerName::are_there()
}

/// A request arrived for a handler that its server names by itself: the clock runs, and it is in flight.
pub fn begin(metrics: &Metrics, handler: &str, method: RequestMethod) -> RequestGuard {
    metrics.begin(handler, method)
}

/// Reads of a response of the `http` crate what tells where the body ends, and leaves the rest: all that an
/// inbound request needs.
#[must_use]
pub fn head_without_media<B: http_body::Body>(response: &http::Response<B>) -> crate::Head<'_> {
    crate::Head::without_media(response)
}
