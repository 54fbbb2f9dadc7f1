//! Which handler a request belongs to.

use std::{borrow::Cow, collections::HashMap, fmt, sync::Arc};

use brightstaff_metrics_core::{
    handler::{CORS_PREFLIGHT, NOT_FOUND, well_known},
    labels::Method,
};
use http::{Extensions, HeaderMap, Request, header};

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

    /// The path as the client sent it, wherever the layer is nested.
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

    fn is_preflight(&self, method: Method) -> bool {
        method == Method::Options
            && self.headers.contains_key(header::ORIGIN)
            && self
                .headers
                .contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
    }
}

type NameFn = dyn for<'a> Fn(&RequestHead<'a>) -> Option<&'a str> + Send + Sync;

/// What the user named.
#[derive(Clone, Default)]
pub(crate) struct Names {
    pub(crate) map: PathMap<Box<str>>,
    pub(crate) closure: Option<Arc<NameFn>>,
    pub(crate) fallback: Option<Box<str>>,
}

impl Names {
    /// The name of a request's handler: the first that is known, in the order of the contract.
    pub(crate) fn resolve<'a>(&'a self, head: &RequestHead<'a>, method: Method) -> &'a str {
        let given = || head.extensions.get::<Handler>().map(|handler| &*handler.0);
        let mapped = || self.map.get(head).map(|name| &**name);
        let chosen = || self.closure.as_ref().and_then(|name| name(head));
        let preflight = || head.is_preflight(method).then_some(CORS_PREFLIGHT);
        let template = head.template();
        given()
            .or_else(mapped)
            .or_else(chosen)
            .or_else(|| well_known(method, head.path))
            .or_else(|| well_known(method, template?))
            .or_else(preflight)
            .or(template)
            .or_else(|| nested_prefix(head.extensions))
            .or(self.fallback.as_deref())
            .unwrap_or(NOT_FOUND)
    }
}

impl fmt::Debug for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Names")
            .field("map", &self.map)
            .field("closure", &self.closure.is_some())
            .field("fallback", &self.fallback)
            .finish()
    }
}

/// Something for each of some paths or templates.
#[derive(Clone, Debug)]
pub(crate) struct PathMap<T> {
    exact: HashMap<Box<str>, T>,
    /// For all that is under these prefixes, each of which ends in a slash.
    under: Vec<(Box<str>, T)>,
}

impl<T: Clone> PathMap<T> {
    pub(crate) fn insert(&mut self, path: &str, value: T) {
        if let Some(prefix) = path
            .strip_suffix('}')
            .and_then(|path| path.rsplit_once("{*"))
            .map(|(prefix, _)| prefix)
        {
            self.under.push((prefix.into(), value.clone()));
        }
        self.exact.insert(path.into(), value);
    }
}

impl<T> PathMap<T> {
    pub(crate) fn get(&self, head: &RequestHead<'_>) -> Option<&T> {
        if self.exact.is_empty() {
            return None;
        }
        self.exact
            .get(head.path)
            .or_else(|| self.exact.get(head.template()?))
            .or_else(|| self.longest_prefix(head.path))
    }

    fn longest_prefix(&self, path: &str) -> Option<&T> {
        self.under
            .iter()
            .filter(|(prefix, _)| path.starts_with(&**prefix))
            .max_by_key(|(prefix, _)| prefix.len())
            .map(|(_, value)| value)
    }
}

impl<T> Default for PathMap<T> {
    fn default() -> Self {
        Self {
            exact: HashMap::new(),
            under: Vec::new(),
        }
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
