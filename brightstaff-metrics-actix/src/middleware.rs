use std::{
    fmt,
    future::{Ready, ready},
    sync::Arc,
};

use actix_web::{
    Error, HttpMessage,
    body::MessageBody,
    dev::{Service, ServiceRequest, ServiceResponse, Transform},
};
use brightstaff_metrics_core::{Arrivals, Metrics, Observer, Upstream};

use crate::{Handler, MetricsService, ObservedBody, RequestHead};

/// Measures every request that passes, and the bodies of the answers to their ends.
///
/// What it measures, how it names handlers and where it goes is said in the [crate docs](crate).
///
/// ```
/// use brightstaff_metrics_actix::{Metrics, MetricsMiddleware};
///
/// let middleware = MetricsMiddleware::new(Metrics::unregistered())
///     .handler("/internal/reload", "reload")
///     .handler("/files/{path:.*}", "files")
///     .fallback("unmatched")
///     .skip("/healthz");
/// # let _: MetricsMiddleware = middleware;
/// ```
#[derive(Clone, Debug)]
#[must_use = "a middleware measures nothing until it wraps an app"]
pub struct MetricsMiddleware(Arc<Settings>);

#[derive(Clone)]
struct Settings {
    arrivals: Arrivals,
    name: Option<Arc<NameFn>>,
}

type NameFn = dyn for<'a> Fn(&'a RequestHead<'a>) -> Option<&'a str> + Send + Sync;

/// In the extensions of a request that a middleware saw already.
struct Seen;

impl MetricsMiddleware {
    /// A middleware that records in these metrics.
    pub fn new(metrics: Metrics) -> Self {
        Self(Arc::new(Settings {
            arrivals: Arrivals::new(metrics),
            name: None,
        }))
    }

    /// Names the handler of a path: the path as the client sent it, or actix's template.
    ///
    /// Where it ends in a wildcard (`/files/{path:.*}`, `/files/{path}*` or `/files/{*path}`), the
    /// name covers all that is under it; the longest such prefix wins.
    pub fn handler(mut self, path: &str, name: &str) -> Self {
        self.settings().arrivals.handler(path, name);
        self
    }

    /// Names handlers by a closure, where [`handler`](Self::handler) names none. `None` leaves it to
    /// what follows.
    ///
    /// ```
    /// use brightstaff_metrics_actix::{Metrics, MetricsMiddleware};
    ///
    /// let middleware = MetricsMiddleware::new(Metrics::unregistered()).handler_fn(|request| {
    ///     request.headers().contains_key("x-batch").then_some("batch")
    /// });
    /// # let _ = middleware;
    /// ```
    ///
    /// A name taken from the path is one that clients choose. The number of handlers is capped
    /// (`Builder::handler_cap`), so they cannot flood the registry, but they can push out others.
    pub fn handler_fn<F>(mut self, name: F) -> Self
    where
        F: for<'a> Fn(&'a RequestHead<'a>) -> Option<&'a str> + Send + Sync + 'static,
    {
        self.settings().name = Some(Arc::new(name));
        self
    }

    /// Names the handler of requests for which nothing else is known: `not_found` unless told
    /// otherwise.
    pub fn fallback(mut self, name: &str) -> Self {
        self.settings().arrivals.fallback(name);
        self
    }

    /// Does not measure a path: the path as the client sent it, or actix's template. May end in a
    /// wildcard, as in [`handler`](Self::handler).
    pub fn skip(mut self, path: &str) -> Self {
        self.settings().arrivals.skip(path);
        self
    }

    /// Measures the answers of the well-known LLM endpoints as calls to this provider, for gateways
    /// whose handlers say nothing about the calls they make.
    ///
    /// Such a call is the gateway's own answer, from the arrival of its request to the end of its
    /// body, and is recorded where the status is 2xx, 429 or 5xx. The model is the one that the answer
    /// names, and `unknown` where it names none, as a 429 does. Where a handler passes on what `UpstreamCall::observe` gave it, or marks an answer of its
    /// own with [`NoUpstream`](crate::NoUpstream), nothing is recorded here.
    pub fn implicit(mut self, provider: &str) -> Self {
        self.settings().arrivals.implicit(provider);
        self
    }

    fn settings(&mut self) -> &mut Settings {
        Arc::make_mut(&mut self.0)
    }

    /// A request arrived: who observes its answer, and as whose call it is measured implicitly.
    pub(crate) fn arrive(&self, request: &ServiceRequest) -> (Observer, Option<Arc<Upstream>>) {
        let mut extensions = request.extensions_mut();
        let given = extensions.get::<Handler>().cloned();
        let seen = extensions.insert(Seen).is_some();
        // The user's closure may want them.
        drop(extensions);
        if seen {
            return (Observer::default(), None);
        }
        let chosen = |head| self.0.name.as_ref().and_then(|name| name(head));
        self.0
            .arrivals
            .arrive(&RequestHead::new(request, given), chosen)
    }
}

impl<S, B> Transform<S, ServiceRequest> for MetricsMiddleware
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
    B: MessageBody,
{
    type Response = ServiceResponse<ObservedBody<B>>;
    type Error = Error;
    type InitError = ();
    type Transform = MetricsService<S>;
    type Future = Ready<Result<Self::Transform, ()>>;

    fn new_transform(&self, inner: S) -> Self::Future {
        ready(Ok(MetricsService::new(inner, self.clone())))
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("arrivals", &self.arrivals)
            .field("name", &self.name.is_some())
            .finish()
    }
}
