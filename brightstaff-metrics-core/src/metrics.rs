use std::{fmt, sync::Arc};

use prometheus::{
    IntGauge,
    core::{Collector, Desc},
    proto::MetricFamily,
};

use crate::{
    Builder, Exchange, Upstream,
    buckets::Buckets,
    catalogue as c,
    clock::{Clock, Tick},
    http::{Handler, HttpSeries},
    labels::{MAX_LABEL_BYTES, MAX_TEMPLATE_BYTES, Method, OverflowLabel},
    process,
    routing::{Router, RoutingSeries, RoutingService, SessionCache},
    series::{Counters, collect, desc},
    upstream::{Called, Pair, UpstreamSeries},
};

/// The metrics of one gateway: a cheap handle, to clone wherever something is to be recorded.
///
/// ```
/// use brightstaff_metrics_core::Metrics;
///
/// let registry = prometheus::Registry::new();
/// let metrics = Metrics::builder()
///     .build_info("1.4.0", "abc123")
///     .upstreams([("openai", "gpt-4o")])
///     .register(&registry)?;
/// # let _ = metrics;
/// # Ok::<_, brightstaff_metrics_core::Error>(())
/// ```
#[derive(Clone)]
pub struct Metrics(Arc<Inner>);

struct Inner {
    settings: Arc<Settings>,
    series: Series,
}

/// What every record rests on.
#[derive(Clone, Debug, Default)]
pub(crate) struct Settings {
    pub(crate) clock: Clock,
    pub(crate) buckets: Buckets,
}

/// The children of every family, but those of the process.
pub(crate) struct Series {
    pub(crate) http: HttpSeries,
    pub(crate) upstream: UpstreamSeries,
    pub(crate) routing: RoutingSeries,
    pub(crate) overflow: Counters<OverflowLabel>,
    pub(crate) build_info: IntGauge,
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

    pub(crate) fn new(settings: Arc<Settings>, series: Series) -> Self {
        Self(Arc::new(Inner { settings, series }))
    }

    /// An inbound request arrived, for this handler: the clock runs, and it is in flight.
    ///
    /// For authors of adapters.
    pub fn exchange(&self, handler: &str, method: Method) -> Exchange {
        let start = self.now();
        Exchange::start(self.handler(handler), method, start)
    }

    #[inline]
    pub(crate) fn handler(&self, name: &str) -> &Arc<Handler> {
        let series = self.series();
        series.http.handler(name, MAX_LABEL_BYTES, &series.overflow)
    }

    /// The same for a handler that is named by the template of its route.
    #[inline]
    pub(crate) fn handler_of_route(&self, template: &str) -> &Arc<Handler> {
        let series = self.series();
        series
            .http
            .handler(template, MAX_TEMPLATE_BYTES, &series.overflow)
    }

    #[inline]
    pub(crate) fn now(&self) -> Tick {
        self.settings().clock.now()
    }

    /// A provider and one of its models, to start calls from.
    ///
    /// The labels are these, whatever model the answer names. See [`Builder::upstreams`] for which
    /// pairs own series, and [`Builder::providers`] for what becomes of the calls of others.
    #[must_use]
    pub fn upstream(&self, provider: &str, model: &str) -> Upstream {
        Upstream::named(self, provider, model)
    }

    /// A provider whose answers name the model. For adapters that measure implicitly, when they are set up.
    ///
    /// The provider is named from then on, as by [`Builder::providers`], and its calls that no model
    /// answered (429 and 5xx above all) are recorded with the model `unknown`. Of providers that were not
    /// named at registration, 64 may be named so.
    #[must_use]
    pub fn answering(&self, provider: &str) -> Upstream {
        Upstream::answering(self, provider)
    }

    /// Records routing decisions.
    #[must_use]
    pub fn router(&self) -> Router<'_> {
        Router(self)
    }

    /// Records what the routing service answers.
    #[must_use]
    pub fn routing_service(&self) -> RoutingService<'_> {
        RoutingService(self)
    }

    /// Records what the session cache does.
    #[must_use]
    pub fn session_cache(&self) -> SessionCache<'_> {
        SessionCache(self)
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.0.settings
    }

    pub(crate) fn series(&self) -> &Series {
        &self.0.series
    }

    pub(crate) fn name_provider(&self, provider: &str) {
        let buckets = &self.settings().buckets;
        self.series().upstream.name(provider, buckets);
    }

    pub(crate) fn admit(&self, call: Called<'_>) -> &Arc<Pair> {
        let series = self.series();
        let buckets = &self.settings().buckets;
        let overflow = series.overflow.get(OverflowLabel::Upstream);
        series.upstream.admit(call, buckets, overflow)
    }
}

/// Every guard and every handle holds the metrics: the series are for the registry to tell.
impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}

/// What a registry holds of the metrics.
pub(crate) struct MetricsCollector {
    metrics: Metrics,
    descs: Vec<Desc>,
}

impl MetricsCollector {
    pub(crate) fn new(metrics: Metrics) -> Self {
        let others = process::FAMILIES.iter().chain(c::OF_THE_BINARY);
        let ours = c::ALL
            .iter()
            .filter(|family| !others.clone().any(|other| other.name == family.name));
        Self {
            metrics,
            descs: ours.map(|family| desc(family)).collect(),
        }
    }
}

impl Collector for MetricsCollector {
    fn desc(&self) -> Vec<&Desc> {
        self.descs.iter().collect()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        let series = self.metrics.series();
        let mut out = Vec::with_capacity(self.descs.len());
        series.http.collect(&mut out);
        series.upstream.collect(&mut out);
        series.routing.collect(&mut out);
        out.push(collect(&c::LABEL_OVERFLOW, series.overflow.iter()));
        out.push(collect(&c::BUILD_INFO, [&series.build_info]));
        out
    }
}
