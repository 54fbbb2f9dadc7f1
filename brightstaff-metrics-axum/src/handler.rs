//! Which handler a request belongs to.

use std::borrow::Cow;

use brightstaff_metrics_core::{Arrival, labels::Method};
use http::{Extensions, HeaderMap, Request};

/// Names the handler of a request, from its extensions: for services that route by other means than
/// axum's, and know the route before the layer does.
///
/// It goes before every other name.
///
/// ```
/// use brightstaff_metrics_axum::Handler;
///
/// let mut request = http::Request::new(());
/// request.extensions_mut().insert(Handler::new("batch"));
/// ```
#[derive(Clone, Debug)]
pub struct Handler(Cow<'static, str>);

impl Handler {
    /// A handler of this name.
    pub fn new(name: impl Into<Cow<'static, str>>) -> Self {
        Self(name.into())
    }
}

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

impl Arrival for RequestHead<'_> {
    fn method(&self) -> Method {
        Method::from(self.method.as_str())
    }

    fn path(&self) -> &str {
        self.path
    }

    fn template(&self) -> Option<&str> {
        template(self.extensions)
    }

    /// It is in the extensions. A path that was rewritten after it was first routed (axum keeps the
    /// original) has another beginning than its template.
    const TEMPLATE_IS_CHEAP: bool = true;

    fn prefix(&self) -> Option<&str> {
        nested_prefix(self.extensions)
    }

    fn given(&self) -> Option<&str> {
        let given = self.extensions.get::<Handler>();
        given.map(|handler| &*handler.0)
    }

    fn has_header(&self, name: &str) -> bool {
        self.headers.contains_key(name)
    }

    fn is_connect(&self) -> bool {
        *self.method == http::Method::CONNECT
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
