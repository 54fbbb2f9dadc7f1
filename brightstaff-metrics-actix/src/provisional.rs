//! The name that a request goes by until actix has routed it.

use std::rc::Rc;

use actix_web::{HttpRequest, dev::ServiceRequest};
use brightstaff_metrics_core::{
    HandlerName,
    adapter::{IncomingRequest, ResponseObserver},
    labels::RequestMethod,
};

use crate::{
    request_head::{Arriving, NameFn, RequestHead, template_of},
    routes::Route,
    settings::Worker,
};

/// What a request was named by at its arrival, to be made true at the head of its response.
#[derive(Debug)]
pub(crate) struct Provisional {
    worker: Rc<Worker>,
    like: Option<Rc<Route>>,
    /// What actix told at the arrival, if it was asked: guards aside, and before any rewriting of the path.
    told: Option<Option<String>>,
    /// The address and length of the path: the same, unless the request was rewritten.
    path: (usize, usize),
    /// So many bytes of the path were taken off by the scopes around the middleware.
    prefix: usize,
    /// What the application's closure said whatever the template is.
    chosen: Option<Option<HandlerName>>,
}

impl Provisional {
    /// `None` where the name is certain.
    #[inline]
    pub(crate) fn of(arriving: Arriving<'_>, worker: &Rc<Worker>) -> Option<Self> {
        arriving.is_provisional().then(|| Self {
            worker: Rc::clone(worker),
            path: address(arriving.path()),
            prefix: arriving.prefix_bytes(),
            chosen: arriving.chosen.into_inner(),
            told: arriving.head.template.into_inner(),
            like: arriving.like.into_inner().flatten(),
        })
    }

    /// The request was routed: its guard goes on under its true name.
    pub(crate) fn settle(self, observer: &mut ResponseObserver, request: &HttpRequest) {
        let matched = request.match_info();
        if self.like.is_some_and(|like| like.took(matched)) {
            return;
        }
        let routes = &self.worker.routes;
        let unmoved = self.path == address(request.path());
        let known = routes.of(matched);
        let asked;
        let template = match &known {
            Some(route) => Some(route.template().as_str()),
            // No route fits the path, whatever its guards say.
            None if unmoved && self.told == Some(None) => return,
            None => {
                asked = template_of(request);
                asked.as_deref()
            }
        };
        // Where the path has escapes, the template may be a guess, which is good for this request alone.
        if known.is_none()
            && let Some(template) = template
            && !request.path().contains('%')
        {
            routes.learn(template, matched);
        }
        if self
            .told
            .as_ref()
            .is_some_and(|told| told.as_deref() == template)
        {
            return;
        }
        let prefix = matched.as_str().get(..self.prefix);
        let settings = &self.worker.settings;
        let chosen = self.chosen.unwrap_or_else(|| {
            let name = settings.name.as_deref()?;
            // A panic of the closure is none of the client's.
            observer.watch(|| chosen(name, request, template))
        });
        let routed = Routed {
            request,
            template,
            prefix: prefix.filter(|prefix| unmoved && !prefix.is_empty()),
            chosen,
        };
        if let Some(guard) = observer.request_mut() {
            settings.requests.rename(guard, &routed);
        }
    }
}

/// What the application's closure says of a request that was routed.
fn chosen(name: &NameFn, request: &HttpRequest, template: Option<&str>) -> Option<HandlerName> {
    let request = ServiceRequest::from_request(request.clone());
    name(&RequestHead::routed(&request, template))
}

fn address(path: &str) -> (usize, usize) {
    (path.as_ptr().addr(), path.len())
}

/// A request that was routed, as the core asks for it.
struct Routed<'a> {
    request: &'a HttpRequest,
    template: Option<&'a str>,
    prefix: Option<&'a str>,
    chosen: Option<HandlerName>,
}

impl IncomingRequest for Routed<'_> {
    fn method(&self) -> RequestMethod {
        RequestMethod::from(self.request.method().as_str())
    }

    fn path(&self) -> &str {
        self.request.path()
    }

    fn template(&self) -> Option<&str> {
        self.template
    }

    fn prefix(&self) -> Option<&str> {
        self.prefix
    }

    /// Where there is one, it is certain at the arrival.
    fn given_name(&self) -> Option<HandlerName> {
        None
    }

    fn chosen_name(&self) -> Option<HandlerName> {
        self.chosen.clone()
    }

    fn has_header(&self, name: &str) -> bool {
        self.request.headers().contains_key(name)
    }
}
