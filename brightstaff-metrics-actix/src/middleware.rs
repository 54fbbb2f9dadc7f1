use std::{
    future::{Ready, ready},
    sync::Arc,
};

use actix_web::{
    Error,
    body::MessageBody,
    dev::{Service, ServiceRequest, ServiceResponse, Transform},
};
use brightstaff_metrics_core::{HandlerName, Metrics};

use crate::{
    body::ObservedBody, request_head::RequestHead, service::MetricsService, settings::Settings,
};

/// Measures every request that passes, and the bodies of the responses to their ends.
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

impl MetricsMiddleware {
    /// A middleware that records in these metrics.
    // The middleware holds them: by value, as everything that goes into an app.
    #[expect(clippy::needless_pass_by_value)]
    pub fn new(metrics: Metrics) -> Self {
        Self(Arc::new(Settings::new(&metrics)))
    }

    /// Names the handler of a path: the path as the client sent it, or actix's template.
    ///
    /// Where it ends in a wildcard (`/files/{path:.*}`, `/files/{path}*` or `/files/{*path}`), the
    /// name covers all that is under it; the longest such prefix wins.
    pub fn handler(mut self, path: &str, name: &str) -> Self {
        self.settings().requests.handler(path, name);
        self
    }

    /// Names handlers by a closure, where [`handler`](Self::handler) names none. `None` leaves it to
    /// what follows.
    ///
    /// It is asked when a request arrives, before it is routed. If it then asks for [`RequestHead::template`], it is
    /// asked again at the head of the response where another resource took the request, and its new answer counts.
    /// By then the request is as the middleware inside left it, and has no payload.
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
    /// A name may be `'static`, made for the request, or kept in a table, best as a [`HandlerName`], which is
    /// cheap to clone:
    ///
    /// ```
    /// use std::collections::HashMap;
    /// use brightstaff_metrics_actix::{HandlerName, Metrics, MetricsMiddleware};
    ///
    /// let names: HashMap<String, HandlerName> = [("/a".to_owned(), "alpha".into())].into();
    /// let middleware = MetricsMiddleware::new(Metrics::unregistered())
    ///     .handler_fn(move |request| names.get(request.path()).cloned());
    /// # let _ = middleware;
    /// ```
    ///
    /// A name taken from the path is one that clients choose. The number of handlers is capped
    /// (`Builder::handler_cap`), so they cannot flood the registry, but they can push out others.
    pub fn handler_fn<F, N>(mut self, name: F) -> Self
    where
        F: Fn(&RequestHead<'_>) -> Option<N> + Send + Sync + 'static,
        N: Into<HandlerName>,
    {
        let name = move |request: &RequestHead<'_>| name(request).map(N::into);
        self.settings().name = Some(Arc::new(name));
        self
    }

    /// Names the handler of requests for which nothing else is known: unless told otherwise `not_found`, and
    /// `unmatched` once they are answered with less than 400.
    pub fn fallback(mut self, name: &str) -> Self {
        self.settings().requests.fallback(name);
        self
    }

    /// Does not measure a path: the path as the client sent it, or actix's template. May end in a
    /// wildcard, as in [`handler`](Self::handler).
    pub fn skip(mut self, path: &str) -> Self {
        self.settings().requests.skip(path);
        self
    }

    /// Measures the responses of the well-known LLM endpoints as calls to this provider, for gateways
    /// whose handlers say nothing about the calls they make.
    ///
    /// Such a call is the gateway's own response, from the arrival of its request to the end of its
    /// body, and is recorded where the status is 2xx, 429 or 5xx. The model is the one that the response
    /// names, and `unknown` where it names none, as a 429 does. Where a handler passes on what `UpstreamCall::observe` gave it, or marks a response of its
    /// own with [`NoUpstream`](crate::NoUpstream), nothing is recorded here.
    pub fn implicit(mut self, provider: &str) -> Self {
        self.settings().requests.implicit(provider);
        self
    }

    /// Measures the responses to POST requests for this path as calls to this provider: as
    /// [`implicit`](Self::implicit) does for the well-known endpoints, and before it. The path as the client
    /// sent it, or actix's template; it may end in a wildcard.
    ///
    /// ```
    /// use brightstaff_metrics_actix::{Metrics, MetricsMiddleware};
    ///
    /// let middleware = MetricsMiddleware::new(Metrics::unregistered())
    ///     .implicit("openai")
    ///     .llm_endpoint("/api/v1/chat/completions", "openai")
    ///     .llm_endpoint("/openai/deployments/{deployment}/chat/completions", "azure")
    ///     .llm_endpoint("/v1beta/models/{call:.*}", "gemini");
    /// # let _ = middleware;
    /// ```
    pub fn llm_endpoint(mut self, path: &str, provider: &str) -> Self {
        self.settings().requests.llm_endpoint(path, provider);
        self
    }

    /// Says that no middleware of the same [`Metrics`] is further in.
    ///
    /// A middleware leaves a mark in the extensions of a request, so that one further in does not measure it again.
    /// With this it leaves none: if there *is* one further in, such requests are counted twice. Marks that those
    /// further out left are heeded.
    pub fn innermost(mut self) -> Self {
        self.settings().requests.innermost();
        self
    }

    fn settings(&mut self) -> &mut Settings {
        Arc::make_mut(&mut self.0)
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
        ready(Ok(MetricsService::new(inner, Arc::clone(&self.0))))
    }
}
