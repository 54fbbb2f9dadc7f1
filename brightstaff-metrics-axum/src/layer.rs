use std::sync::Arc;

use brightstaff_metrics_core::{HandlerName, Metrics};
use tower_layer::Layer;

use crate::{request_head::RequestHead, service::MetricsService, settings::Settings};

/// Measures every request that passes, and the bodies of the responses to their ends.
///
/// What it measures, how it names handlers and where it goes is said in the [crate docs](crate).
///
/// ```
/// use brightstaff_metrics_axum::{Metrics, MetricsLayer};
///
/// let layer = MetricsLayer::new(Metrics::unregistered())
///     .handler("/internal/reload", "reload")
///     .handler("/files/{*path}", "files")
///     .fallback("unmatched")
///     .skip("/healthz");
/// # let _: MetricsLayer = layer;
/// ```
#[derive(Clone, Debug)]
#[must_use = "a layer measures nothing until it is added to a service"]
pub struct MetricsLayer(Arc<Settings>);

impl MetricsLayer {
    /// A layer that records in these metrics.
    // The layer holds them: by value, as everything that goes into a stack of layers.
    #[expect(clippy::needless_pass_by_value)]
    pub fn new(metrics: Metrics) -> Self {
        Self(Arc::new(Settings::new(&metrics)))
    }

    /// Names the handler of a path: the path as the client sent it, or axum's route template.
    ///
    /// Where it ends in a wildcard (`/files/{*path}`), the name covers all that is under it; the
    /// longest such prefix wins.
    pub fn handler(mut self, path: &str, name: &str) -> Self {
        self.settings().requests.handler(path, name);
        self
    }

    /// Names handlers by a closure, where [`handler`](Self::handler) names none. `None` leaves it to
    /// what follows.
    ///
    /// ```
    /// use brightstaff_metrics_axum::{Metrics, MetricsLayer};
    ///
    /// let layer = MetricsLayer::new(Metrics::unregistered()).handler_fn(|request| {
    ///     request.headers().contains_key("x-batch").then_some("batch")
    /// });
    /// # let _ = layer;
    /// ```
    ///
    /// A name may be `'static`, made for the request, or kept in a table, best as a [`HandlerName`], which is
    /// cheap to clone:
    ///
    /// ```
    /// use std::collections::HashMap;
    /// use brightstaff_metrics_axum::{HandlerName, Metrics, MetricsLayer};
    ///
    /// let names: HashMap<String, HandlerName> = [("/a".to_owned(), "alpha".into())].into();
    /// let layer = MetricsLayer::new(Metrics::unregistered())
    ///     .handler_fn(move |request| names.get(request.path()).cloned());
    /// # let _ = layer;
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

    /// Names the handler of requests for which nothing else is known. Unless told otherwise they are
    /// `not_found`, and `unmatched` where the status is a 1xx, 2xx or 3xx.
    pub fn fallback(mut self, name: &str) -> Self {
        self.settings().requests.fallback(name);
        self
    }

    /// Does not measure a path: the path as the client sent it, or axum's route template. May end in
    /// a wildcard, as in [`handler`](Self::handler).
    pub fn skip(mut self, path: &str) -> Self {
        self.settings().requests.skip(path);
        self
    }

    /// Measures the responses of the well-known LLM endpoints as calls to this provider, for gateways
    /// whose handlers say nothing about the calls they make.
    ///
    /// Such a call is the gateway's own response, from the arrival of its request to the end of its
    /// body, and is recorded where the status is 2xx, 429 or 5xx. The model is the one that the response
    /// names, and `unknown` where it names none, as a 429 does. Where a handler passes on
    /// what `UpstreamCall::observe` gave it, or marks a response of its own with [`NoUpstream`](crate::NoUpstream),
    /// nothing is recorded here.
    ///
    /// Layers of the gateway's own that answer with 429 or 5xx belong outside of this one: see the
    /// [crate docs](crate#where-the-layer-goes).
    pub fn implicit(mut self, provider: &str) -> Self {
        self.settings().requests.implicit(provider);
        self
    }

    /// Measures the responses to POST requests for this path as calls to this provider: as
    /// [`implicit`](Self::implicit) does for the well-known endpoints, and before it. The path as the client
    /// sent it, or axum's route template; it may end in a wildcard.
    ///
    /// ```
    /// use brightstaff_metrics_axum::{Metrics, MetricsLayer};
    ///
    /// let layer = MetricsLayer::new(Metrics::unregistered())
    ///     .implicit("openai")
    ///     .llm_endpoint("/api/v1/chat/completions", "openai")
    ///     .llm_endpoint("/openai/deployments/{deployment}/chat/completions", "azure")
    ///     .llm_endpoint("/v1beta/models/{*call}", "gemini");
    /// # let _ = layer;
    /// ```
    pub fn llm_endpoint(mut self, path: &str, provider: &str) -> Self {
        self.settings().requests.llm_endpoint(path, provider);
        self
    }

    /// Says that no layer of the same [`Metrics`] is further in.
    ///
    /// A layer leaves a mark in the extensions of a request, so that one further in does not measure it again. Inside of
    /// a router that costs an allocation, since axum's own entries fill them; around one it costs nothing, where there
    /// is no other layer. With this, no mark is left: if there *is* one further in, such requests are counted twice.
    /// Marks that layers further out left are heeded.
    ///
    /// ```
    /// use axum::{Router, routing::post};
    /// use brightstaff_metrics_axum::{Metrics, MetricsLayer};
    ///
    /// let app: Router = Router::new()
    ///     .route("/v1/chat/completions", post(|| async { "a response" }))
    ///     .layer(MetricsLayer::new(Metrics::unregistered()).innermost());
    /// # let _ = app;
    /// ```
    pub fn innermost(mut self) -> Self {
        self.settings().requests.innermost();
        self
    }

    fn settings(&mut self) -> &mut Settings {
        Arc::make_mut(&mut self.0)
    }
}

impl<S> Layer<S> for MetricsLayer {
    type Service = MetricsService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        MetricsService::new(inner, Arc::clone(&self.0))
    }
}
