//! Which handler a request belongs to.

use brightstaff_metrics_core::{
    HandlerName, Listener, TraceContext,
    adapter::{IncomingRequest, handler_names_are_there},
    labels::RequestMethod,
};
use http::{Extensions, HeaderMap, Request};

/// What [`MetricsLayer::handler_fn`](crate::MetricsLayer::handler_fn) names a handler by.
#[derive(Clone, Copy, Debug)]
pub struct RequestHead<'a> {
    method: &'a http::Method,
    path: &'a str,
    headers: &'a HeaderMap,
    extensions: &'a Extensions,
}

impl<'a> RequestHead<'a> {
    pub(crate) fn of<B>(request: &'a Request<B>) -> Self {
        Self {
            method: request.method(),
            path: original_path(request),
            headers: request.headers(),
            extensions: request.extensions(),
        }
    }

    /// The method.
    #[must_use]
    pub fn method(&self) -> &'a http::Method {
        self.method
    }

    /// The path as the client sent it, wherever the layer is nested: axum keeps the whole of it. Without
    /// the feature `matched-path`, it is what the request's own URI says.
    #[must_use]
    pub fn path(&self) -> &'a str {
        self.path
    }

    /// The template of axum's route (`/v1/files/{id}`), where there is one.
    #[must_use]
    pub fn template(&self) -> Option<&'a str> {
        template(self.extensions)
    }

    /// The headers.
    #[must_use]
    pub fn headers(&self) -> &'a HeaderMap {
        self.headers
    }

    /// The extensions.
    #[must_use]
    pub fn extensions(&self) -> &'a Extensions {
        self.extensions
    }
}

/// The application's closure that names handlers.
pub(crate) type NameFn = dyn Fn(&RequestHead<'_>) -> Option<HandlerName> + Send + Sync;

/// A request as the core asks for it: with the names that the application gives.
pub(crate) struct Arriving<'a> {
    pub(crate) head: RequestHead<'a>,
    pub(crate) name: Option<&'a NameFn>,
}

impl IncomingRequest for Arriving<'_> {
    fn method(&self) -> RequestMethod {
        RequestMethod::from(self.head.method.as_str())
    }

    fn path(&self) -> &str {
        self.head.path
    }

    fn template(&self) -> Option<&str> {
        template(self.head.extensions)
    }

    /// It is in the extensions. A path that was rewritten after it was first routed (axum keeps the
    /// original) has another beginning than its template.
    const TEMPLATE_IS_CHEAP: bool = true;

    fn prefix(&self) -> Option<&str> {
        nested_prefix(self.head.extensions)
    }

    fn given_name(&self) -> Option<HandlerName> {
        handler_names_are_there()
            .then(|| self.head.extensions.get().cloned())
            .flatten()
    }

    fn chosen_name(&self) -> Option<HandlerName> {
        self.name.and_then(|name| name(&self.head))
    }

    fn has_header(&self, name: &str) -> bool {
        self.head.headers.contains_key(name)
    }

    fn trace(&self) -> Option<TraceContext> {
        TraceContext::of(self.head.headers)
    }

    fn listener(&self) -> Option<Listener> {
        self.head.extensions.get().cloned()
    }

    fn is_connect(&self) -> bool {
        *self.head.method == http::Method::CONNECT
    }
}

/// Nesting strips prefixes from the path; axum keeps the whole of it.
#[cfg(feature = "matched-path")]
fn original_path<B>(request: &Request<B>) -> &str {
    let original = request.extensions().get::<axum::extract::OriginalUri>();
    original.map_or(request.uri(), |uri| &uri.0).path()
}

#[cfg(not(feature = "matched-path"))]
fn original_path<B>(request: &Request<B>) -> &str {
    request.uri().path()
}

#[cfg(feature = "matched-path")]
fn template(extensions: &Extensions) -> Option<&str> {
    let matched = extensions.get::<axum::extract::MatchedPath>();
    matched.map(axum::extract::MatchedPath::as_str)
}

#[cfg(not(feature = "matched-path"))]
fn template(_: &Extensions) -> Option<&str> {
    None
}

#[cfg(feature = "matched-path")]
fn nested_prefix(extensions: &Extensions) -> Option<&str> {
    let nested = extensions.get::<axum::extract::NestedPath>();
    nested.map(axum::extract::NestedPath::as_str)
}

#[cfg(not(feature = "matched-path"))]
fn nested_prefix(_: &Extensions) -> Option<&str> {
    None
}
