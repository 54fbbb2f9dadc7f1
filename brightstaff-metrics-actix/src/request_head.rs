//! Which handler a request belongs to.

use std::cell::OnceCell;

use actix_web::{
    dev::ServiceRequest,
    http::{self, header::HeaderMap},
};
use brightstaff_metrics_core::{HandlerName, adapter::IncomingRequest, labels::RequestMethod};

/// What [`MetricsMiddleware::handler_fn`](crate::MetricsMiddleware::handler_fn) names a handler by.
#[derive(Debug)]
pub struct RequestHead<'a> {
    request: &'a ServiceRequest,
    /// Made when it is first asked for: actix puts it together anew each time.
    template: OnceCell<Option<String>>,
}

impl<'a> RequestHead<'a> {
    pub(crate) fn new(request: &'a ServiceRequest) -> Self {
        Self {
            request,
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

/// The application's closure that names handlers.
pub(crate) type NameFn = dyn Fn(&RequestHead<'_>) -> Option<HandlerName> + Send + Sync;

/// A request as the core asks for it: with the names that the application gives.
pub(crate) struct Arriving<'a> {
    pub(crate) head: RequestHead<'a>,
    pub(crate) given: Option<HandlerName>,
    pub(crate) name: Option<&'a NameFn>,
}

impl IncomingRequest for Arriving<'_> {
    fn method(&self) -> RequestMethod {
        RequestMethod::from(self.head.method().as_str())
    }

    fn path(&self) -> &str {
        self.head.path()
    }

    fn template(&self) -> Option<&str> {
        self.head.template()
    }

    /// What the scopes around the middleware took off the path, where no parameter is in it: then it
    /// is the same as their templates.
    fn prefix(&self) -> Option<&str> {
        let matched = self.head.request.match_info();
        let prefix = matched.as_str().strip_suffix(matched.unprocessed())?;
        (matched.is_empty() && !prefix.is_empty()).then_some(prefix)
    }

    fn given_name(&self) -> Option<HandlerName> {
        self.given.clone()
    }

    fn chosen_name(&self) -> Option<HandlerName> {
        self.name.and_then(|name| name(&self.head))
    }

    fn has_header(&self, name: &str) -> bool {
        self.head.headers().contains_key(name)
    }
}
