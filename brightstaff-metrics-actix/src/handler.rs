//! Which handler a request belongs to.

use std::{borrow::Cow, cell::OnceCell};

use actix_web::{
    dev::ServiceRequest,
    http::{self, header::HeaderMap},
};
use brightstaff_metrics_core::{Arrival, labels::Method};

/// Names the handler of a request, from its extensions: for middleware outside of this one that knows
/// more of it than the route tells.
///
/// It goes before every other name.
///
/// ```
/// use actix_web::{HttpMessage, test::TestRequest};
/// use brightstaff_metrics_actix::Handler;
///
/// let request = TestRequest::default().to_srv_request();
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

/// What [`MetricsMiddleware::handler_fn`](crate::MetricsMiddleware::handler_fn) names a handler by.
#[derive(Debug)]
pub struct RequestHead<'a> {
    request: &'a ServiceRequest,
    given: Option<Handler>,
    /// Made when it is first asked for: actix puts it together anew each time.
    template: OnceCell<Option<String>>,
}

impl<'a> RequestHead<'a> {
    pub(crate) fn new(request: &'a ServiceRequest, given: Option<Handler>) -> Self {
        Self {
            request,
            given,
            template: OnceCell::new(),
        }
    }

    /// The method.
    #[must_use]
    pub fn method(&self) -> &'a http::Method {
        self.request.method()
    }

    /// The path as the client sent it, wherever the middleware is nested.
    #[must_use]
    pub fn path(&self) -> &'a str {
        self.request.path()
    }

    /// The template of actix's resource, its scopes included (`/v1/files/{id}`), where there is one.
    #[must_use]
    pub fn template(&self) -> Option<&str> {
        let template = || {
            let request = self.request;
            if request.path().contains('%') {
                // Actix routes by the path with its escapes undone, but looks the template up by the
                // one with them.
                let routed = request.match_info().as_str();
                return request.resource_map().match_pattern(routed);
            }
            request.match_pattern()
        };
        self.template.get_or_init(template).as_deref()
    }

    /// The headers.
    #[must_use]
    pub fn headers(&self) -> &'a HeaderMap {
        self.request.headers()
    }

    /// The whole request. Do not keep a clone of it: actix takes requests to be unshared while it
    /// routes them.
    #[must_use]
    pub fn request(&self) -> &'a ServiceRequest {
        self.request
    }
}

impl Arrival for RequestHead<'_> {
    fn method(&self) -> Method {
        Method::from(self.request.method().as_str())
    }

    fn path(&self) -> &str {
        self.request.path()
    }

    fn template(&self) -> Option<&str> {
        Self::template(self)
    }

    /// What the scopes around the middleware took off the path, where no parameter is in it: then it
    /// is the same as their templates.
    fn prefix(&self) -> Option<&str> {
        let matched = self.request.match_info();
        let prefix = matched.as_str().strip_suffix(matched.unprocessed())?;
        (matched.is_empty() && !prefix.is_empty()).then_some(prefix)
    }

    fn given(&self) -> Option<&str> {
        self.given.as_ref().map(|handler| &*handler.0)
    }

    fn has_header(&self, name: &str) -> bool {
        self.request.headers().contains_key(name)
    }
}
