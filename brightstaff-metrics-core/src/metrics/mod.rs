mod builder;
mod collector;
pub mod exposition;
#[cfg(feature = "otlp")]
pub mod otlp;

use std::{fmt, sync::Arc};

pub use self::builder::Builder;
#[cfg(feature = "otlp")]
use crate::series::GenAiOperations;
use crate::{
    error::RegisterError,
    families::{BuildInfo, Context, HttpFamilies, RoutingFamilies, UpstreamFamilies},
    labels::{MAX_LABEL_BYTES, RequestMethod, sanitize},
    request::{RequestGuard, RequestMetrics},
    routing::{Routing, RoutingService, SessionCache},
    series::Visitor,
    upstream::Upstream,
};
#[cfg(feature = "testing")]
use prometheus::Encoder as _;

/// The metrics of one gateway: a cheap handle, to clone wherever something is to be recorded.
///
/// ```
/// use brightstaff_metrics_core::Metrics;
///
/// let registry = prometheus::Registry::new();
/// let metrics = Metrics::builder()
///     .version("1.4.0")
///     .git_sha("abc123")
///     .upstreams([("openai", "gpt-4o")])
///     .register(&registry)?;
/// # let _ = metrics;
/// # Ok::<_, brightstaff_metrics_core::RegisterError>(())
/// ```
#[derive(Clone)]
pub struct Metrics(Arc<Families>);

/// All families, but those of the process.
pub(crate) struct Families {
    pub(crate) context: Arc<Context>,
    pub(crate) http: Arc<HttpFamilies>,
    pub(crate) upstream: Arc<UpstreamFamilies>,
    pub(crate) routing: RoutingFamilies,
    pub(crate) build: BuildInfo,
}

impl Metrics {
    /// Starts to describe the metrics of a gateway.
    ///
    /// The first time in a process, this calibrates the clock: in less than 1 ms most often, and in 200 ms
    /// at most.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// Metrics that no registry knows: for the tests of a gateway, and for switching metrics off.
    #[must_use]
    pub fn unregistered() -> Self {
        Builder::default().unregistered()
    }

    pub(crate) fn new(families: Families) -> Self {
        Self(Arc::new(families))
    }

    pub(crate) fn begin(&self, handler: &str, method: RequestMethod) -> RequestGuard {
        let Families { context, http, .. } = &*self.0;
        let start = context.clock.now();
        RequestGuard::start(http.handler(handler, MAX_LABEL_BYTES), method, start)
    }

    /// A provider and one of its models, to start calls from.
    ///
    /// The labels are these, whatever model the response names. See [`Builder::upstreams`] for which
    /// pairs own series, and [`Builder::providers`] for where the calls of others are recorded.
    #[must_use]
    pub fn upstream(&self, provider: &str, model: &str) -> Upstream {
        Upstream::new(&self.0.upstream, provider, model)
    }

    /// A provider whose responses name the models, to start calls from: for gateways that pass on requests without
    /// reading them.
    ///
    /// It is named from then on, as by [`Builder::providers`], and its calls that no model answered (429 and 5xx above all)
    /// are recorded with the model `unknown`. Of providers that were not named at registration, 64 may be named so.
    ///
    /// ```
    /// use brightstaff_metrics_core::{Metrics, labels::ErrorClass};
    ///
    /// let metrics = Metrics::unregistered();
    /// metrics.provider("openai").start().fail(ErrorClass::Timeout);
    /// let failed = r#"error_class="timeout",model="unknown",provider="openai""#;
    /// assert!(metrics.render().contains(failed));
    /// ```
    #[must_use]
    pub fn provider(&self, name: &str) -> Upstream {
        Upstream::implicit(&self.0.upstream, name)
    }

    /// Declares a pair after the registration, as [`Builder::upstreams`] does before it: for a gateway whose
    /// configuration is read again while it runs. What was declared, or has its series, stays as it is.
    ///
    /// ```
    /// use brightstaff_metrics_core::Metrics;
    ///
    /// let registry = prometheus::Registry::new();
    /// let metrics = Metrics::builder().later_upstreams(1).register(&registry)?;
    /// metrics.declare_upstream("openai", "gpt-4o")?;
    /// assert!(metrics.declare_upstream("openai", "gpt-4o-mini").is_err());
    /// # Ok::<_, brightstaff_metrics_core::RegisterError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// A name is one that no label may carry; no room is left of [`Builder::later_upstreams`], or 64 providers were
    /// named after the registration. The pair is then recorded as any other that nobody declared.
    pub fn declare_upstream(&self, provider: &str, model: &str) -> Result<(), RegisterError> {
        if sanitize(provider) != provider || sanitize(model) != model {
            return Err(RegisterError::upstream(provider, model));
        }
        if self.0.upstream.declare_pair(provider, model) {
            return Ok(());
        }
        Err(RegisterError::no_room(provider, Some(model)))
    }

    /// Names a provider after the registration, as [`Builder::open_models`] does before it. One that was named
    /// already keeps what was said of it.
    ///
    /// As many slots are set aside for its models where [`Builder::later_upstreams`] has room for all of them; else
    /// they take those of the [`Builder::upstream_cap`] that are set aside for nobody.
    ///
    /// # Errors
    ///
    /// The name is one that no label may carry, the number is higher than 65,536, or 64 providers were named after the
    /// registration: then its calls are recorded as those of a provider that nobody named.
    pub fn declare_provider(&self, name: &str, open_models: usize) -> Result<(), RegisterError> {
        if sanitize(name) != name {
            return Err(RegisterError::provider(name));
        }
        if open_models > Builder::MAX_CAP {
            let most = Builder::MAX_CAP;
            return Err(RegisterError::cap("open_models", open_models, most));
        }
        if self.0.upstream.declare_provider(name, open_models) {
            return Ok(());
        }
        Err(RegisterError::no_room(name, None))
    }

    /// Records routing decisions.
    #[must_use]
    pub fn routing(&self) -> Routing<'_> {
        Routing(&self.0.routing)
    }

    /// Records the responses of the routing service.
    #[must_use]
    pub fn routing_service(&self) -> RoutingService<'_> {
        RoutingService(&self.0.routing)
    }

    /// Records what the session cache does.
    #[must_use]
    pub fn session_cache(&self) -> SessionCache<'_> {
        SessionCache(&self.0.routing)
    }

    /// The series of these metrics as text (format 0.0.4), without those of the process: for tests, and
    /// whether a registry holds them or not.
    ///
    /// ```
    /// use brightstaff_metrics_core::{Metrics, labels::ErrorClass};
    ///
    /// let metrics = Metrics::unregistered();
    /// metrics.upstream("openai", "gpt-4o").start().fail(ErrorClass::Connect);
    /// assert!(metrics.render().contains(r#"error_class="connect""#));
    /// ```
    ///
    /// # Panics
    ///
    /// Never: what is rendered is sound, and goes to memory.
    #[cfg(feature = "testing")]
    #[must_use]
    pub fn render(&self) -> String {
        let registry = prometheus::Registry::new();
        let collector = collector::MetricsCollector::new(self.clone());
        registry
            .register(Box::new(collector))
            .expect("an empty registry takes them");
        let mut text = Vec::new();
        prometheus::TextEncoder::new()
            .encode(&registry.gather(), &mut text)
            .expect("memory takes them");
        String::from_utf8(text).expect("the text format is UTF-8")
    }

    /// What the `gen_ai` view tells, by provider and model: nothing where it is off.
    #[cfg(feature = "otlp")]
    fn gen_ai(&self) -> impl Iterator<Item = ([&str; 2], &GenAiOperations)> {
        self.0.upstream.gen_ai()
    }

    /// Tells every series, family by family, in the order of the catalogue.
    fn walk(&self, visitor: &mut dyn Visitor) {
        let Families {
            context,
            http,
            upstream,
            routing,
            build,
        } = &*self.0;
        visitor.created_samples(context.created_samples);
        http.walk(visitor);
        upstream.walk(visitor);
        routing.walk(visitor);
        build.walk(visitor);
        context.walk(visitor);
    }
}

impl From<&Metrics> for RequestMetrics {
    fn from(metrics: &Metrics) -> Self {
        Self::new(&metrics.0.http, &metrics.0.upstream)
    }
}

/// Every guard and every handle holds the metrics: the series are for the registry to tell.
impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}
