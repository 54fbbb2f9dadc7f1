//! Which handler a request belongs to.

use std::{
    cell::{Cell, OnceCell},
    rc::Rc,
};

use actix_web::{
    HttpMessage, HttpRequest,
    dev::ServiceRequest,
    http::{self, header::HeaderMap},
};
use brightstaff_metrics_core::{
    HandlerName, Listener, TraceContext,
    adapter::{IncomingRequest, KnownTemplate, handler_names_are_there},
    labels::RequestMethod,
};

use crate::routes::{Route, Routes};

/// What [`MetricsMiddleware::handler_fn`](crate::MetricsMiddleware::handler_fn) names a handler by.
#[derive(Debug)]
pub struct RequestHead<'a> {
    request: &'a ServiceRequest,
    path: &'a str,
    /// Made when it is first asked for: actix matches the path anew, and puts it together.
    pub(crate) template: OnceCell<Option<String>>,
    /// Whether the application's closure asked for it.
    asked: Cell<bool>,
}

impl<'a> RequestHead<'a> {
    pub(crate) fn new(request: &'a ServiceRequest) -> Self {
        Self {
            request,
            path: request.path(),
            template: OnceCell::new(),
            asked: Cell::new(false),
        }
    }

    /// The request was routed, and this is its true template.
    pub(crate) fn routed(request: &'a ServiceRequest, template: Option<&str>) -> Self {
        Self {
            request,
            path: request.path(),
            template: template.map(str::to_owned).into(),
            asked: Cell::new(false),
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
        self.path
    }

    /// The template of actix's resource, its scopes included (`/v1/files/{id}`), where there is one: at the arrival
    /// the first that the path fits, since guards are asked only later. Whoever asked for it is asked again at
    /// the head of the response where another resource took the request, and then this is that one's.
    #[must_use]
    pub fn template(&self) -> Option<&str> {
        self.asked.set(true);
        self.fitting()
    }

    /// The template, for ourselves.
    fn fitting(&self) -> Option<&str> {
        let template = || template_of(self.request.parts().0);
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

/// The template of the resource that the request went to; until it is routed, or where none took it, of the first
/// that its path fits.
pub(crate) fn template_of(request: &HttpRequest) -> Option<String> {
    let matched = request.match_info();
    if !request.path().contains('%') {
        return request.match_pattern();
    }
    // Actix routes by the path with its escapes undone, but where no resource took the request, it looks the
    // template up by the one with them. A resource takes the whole path, and only it knows of guards.
    let taken = matched.unprocessed().is_empty();
    let told = taken.then(|| request.match_pattern()).flatten();
    told.or_else(|| request.resource_map().match_pattern(matched.as_str()))
}

/// The application's closure that names handlers.
pub(crate) type NameFn = dyn Fn(&RequestHead<'_>) -> Option<HandlerName> + Send + Sync;

/// A request as the core asks for it: with the names that the application gives.
pub(crate) struct Arriving<'a> {
    pub(crate) head: RequestHead<'a>,
    /// Whether the request brought a name along.
    given: Cell<bool>,
    pub(crate) name: Option<&'a NameFn>,
    pub(crate) routes: &'a Routes,
    pub(crate) like: OnceCell<Option<Rc<Route>>>,
    /// Whether a template had a part in its name.
    templated: Cell<bool>,
    /// What the closure said, if it was asked, and did not ask for the template.
    pub(crate) chosen: OnceCell<Option<HandlerName>>,
}

impl<'a> Arriving<'a> {
    pub(crate) fn new(
        request: &'a ServiceRequest,
        name: Option<&'a NameFn>,
        routes: &'a Routes,
    ) -> Self {
        Self {
            head: RequestHead::new(request),
            given: Cell::new(false),
            name,
            routes,
            like: OnceCell::new(),
            templated: Cell::new(false),
            chosen: OnceCell::new(),
        }
    }

    /// Whether actix may come to another name when it routes the request.
    #[inline]
    pub(crate) fn is_provisional(&self) -> bool {
        let templated = self.templated.get() || self.head.asked.get();
        templated && !self.given.get()
    }

    /// How much the scopes around the middleware took off the path, where no parameter is in it: then it is the
    /// same as their templates.
    pub(crate) fn prefix_bytes(&self) -> usize {
        let matched = self.head.request.match_info();
        if matched.is_empty() {
            return matched.as_str().len() - matched.unprocessed().len();
        }
        0
    }

    fn like(&self) -> Option<&Route> {
        let like = || self.routes.like(self.head.path());
        self.like.get_or_init(like).as_deref()
    }
}

impl IncomingRequest for Arriving<'_> {
    fn method(&self) -> RequestMethod {
        RequestMethod::from(self.head.method().as_str())
    }

    fn path(&self) -> &str {
        self.head.path()
    }

    fn template(&self) -> Option<&str> {
        self.templated.set(true);
        self.head.fitting()
    }

    fn likely_template(&self) -> Option<&str> {
        self.templated.set(true);
        self.head.fitting()
    }

    fn known_template(&self) -> Option<&KnownTemplate> {
        self.templated.set(true);
        if self.head.template.get().is_some() {
            return None;
        }
        self.like().map(Route::template)
    }

    fn prefix(&self) -> Option<&str> {
        let prefix = self
            .head
            .request
            .match_info()
            .as_str()
            .get(..self.prefix_bytes())?;
        (!prefix.is_empty()).then_some(prefix)
    }

    fn given_name(&self) -> Option<HandlerName> {
        if !handler_names_are_there() {
            return None;
        }
        let given = self.head.request.extensions().get().cloned();
        self.given.set(given.is_some());
        given
    }

    fn chosen_name(&self) -> Option<HandlerName> {
        let name = self.name?(&self.head);
        if self.head.asked.get() {
            return name;
        }
        self.chosen.get_or_init(|| name).clone()
    }

    fn has_header(&self, name: &str) -> bool {
        self.head.headers().contains_key(name)
    }

    fn trace(&self) -> Option<TraceContext> {
        crate::trace_context(self.head.headers())
    }

    fn listener(&self) -> Option<Listener> {
        self.head.request.extensions().get().cloned()
    }
}
