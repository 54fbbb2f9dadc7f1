use std::{collections::BTreeMap, sync::Arc};

use prometheus::Registry;

use crate::{
    Error, Metrics,
    buckets::BucketSet,
    catalogue as c,
    clock::Clock,
    http::HttpSeries,
    labels::{OTHER, sanitize},
    metrics::{MetricsCollector, Series, Settings},
    process::ProcessCollector,
    routing::RoutingSeries,
    series::{Counters, gauge},
    upstream::{DEFAULT_OPEN_MODELS, Provider, UpstreamSeries},
};

/// Describes the metrics of a gateway, and registers them.
///
/// ```
/// use brightstaff_metrics_core::{BucketSet, Metrics};
///
/// let registry = prometheus::Registry::new();
/// let metrics = Metrics::builder()
///     .build_info(env!("CARGO_PKG_VERSION"), "abc123")
///     .upstreams([("openai", "gpt-4o"), ("anthropic", "claude-sonnet-4-5")])
///     .providers(["openrouter"])
///     .upstream_cap(100)
///     .buckets(BucketSet::FirstToken, [0.1, 0.5, 1.0, 5.0])
///     .register(&registry)?;
/// # let _ = metrics;
/// # Ok::<_, brightstaff_metrics_core::Error>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Builder {
    settings: Settings,
    upstreams: Vec<(String, String)>,
    /// The providers named without a model, and how many of their models are open.
    providers: Vec<(String, usize)>,
    upstream_cap: usize,
    handler_cap: usize,
    selected_model_cap: usize,
    version: String,
    git_sha: String,
    process: bool,
}

impl Default for Builder {
    fn default() -> Self {
        Self {
            settings: Settings::default(),
            upstreams: Vec::new(),
            providers: Vec::new(),
            upstream_cap: Self::DEFAULT_CAP,
            handler_cap: Self::DEFAULT_CAP,
            selected_model_cap: Self::DEFAULT_CAP,
            version: "unknown".to_owned(),
            git_sha: "unknown".to_owned(),
            process: true,
        }
    }
}

impl Builder {
    /// The highest cap that may be given: room for as many is made at once.
    pub const MAX_CAP: usize = 65_536;

    /// How many models of a provider may get series that were not declared, unless
    /// [`open_models`](Self::open_models) says otherwise.
    pub const DEFAULT_OPEN_MODELS: usize = DEFAULT_OPEN_MODELS;

    /// How many children each open label may have, unless its cap is given. Of pairs of provider and model these
    /// are the ones that were not declared.
    pub const DEFAULT_CAP: usize = 200;

    /// The version and the commit of the gateway, as `brightstaff_build_info` tells them. `unknown`
    /// where not given.
    pub fn build_info(mut self, version: &str, git_sha: &str) -> Self {
        version.clone_into(&mut self.version);
        git_sha.clone_into(&mut self.git_sha);
        self
    }

    /// The pairs of provider and model that the gateway is configured for. Their series exist from
    /// the registration on, and take no room from the cap. Their providers are named by that, too: see
    /// [`providers`](Self::providers).
    pub fn upstreams<P, M>(mut self, pairs: impl IntoIterator<Item = (P, M)>) -> Self
    where
        P: Into<String>,
        M: Into<String>,
    {
        let pairs = pairs.into_iter();
        self.upstreams
            .extend(pairs.map(|(provider, model)| (provider.into(), model.into())));
        self
    }

    /// The providers that the gateway is configured for, where it does not know their models.
    ///
    /// What becomes of a call to a provider that is named, here or by one of the
    /// [`upstreams`](Self::upstreams), is always told of it: of a model that has no series of its own it is
    /// recorded as the provider's `other`, and where an answer names no model, as its `unknown`. Neither
    /// takes a slot. Of a provider that nobody named it is recorded as `other`, `other`.
    ///
    /// Each named provider may have 50 models with series that were not declared, unless
    /// [`open_models`](Self::open_models) says how many.
    pub fn providers<P: Into<String>>(mut self, names: impl IntoIterator<Item = P>) -> Self {
        let names = names.into_iter();
        self.providers
            .extend(names.map(|name| (name.into(), DEFAULT_OPEN_MODELS)));
        self
    }

    /// Names a provider, as [`providers`](Self::providers) does, and says how many of its models may get series
    /// that were not declared, each at its first 2xx: 50 unless told otherwise, 0 for a provider whose models
    /// are all declared. What was said last counts.
    ///
    /// Names of models come from clients, and a provider may take any. So as many of the slots of the
    /// [`upstream_cap`](Self::upstream_cap) are set aside for this provider, and no other provider's models can
    /// take them; where those of all providers do not fit in there, it is first come, first served.
    pub fn open_models(mut self, provider: impl Into<String>, models: usize) -> Self {
        self.providers.push((provider.into(), models));
        self
    }

    /// How many pairs that were not declared may get series of their own, each at its first 2xx: 200 unless
    /// told otherwise, 65,536 at most. What finds no room is folded: see [`providers`](Self::providers).
    pub fn upstream_cap(mut self, pairs: usize) -> Self {
        self.upstream_cap = pairs;
        self
    }

    /// How many handlers may get series of their own: 200 unless told otherwise, 65,536 at most. What
    /// finds no room is recorded as `other`.
    pub fn handler_cap(mut self, handlers: usize) -> Self {
        self.handler_cap = handlers;
        self
    }

    /// How many selected models may get series of their own: 200 unless told otherwise, 65,536 at
    /// most. What finds no room is recorded as `other`.
    pub fn selected_model_cap(mut self, models: usize) -> Self {
        self.selected_model_cap = models;
        self
    }

    /// Replaces a set of buckets by these upper bounds; `+Inf` is implied.
    pub fn buckets(mut self, set: BucketSet, bounds: impl Into<Vec<f64>>) -> Self {
        self.settings.buckets.set(set, bounds.into());
        self
    }

    /// Whether `process_*` is read at each scrape; on unless told otherwise. Absent without
    /// `/proc`, and where the registry has a process collector already, that one stays.
    pub fn process(mut self, process: bool) -> Self {
        self.process = process;
        self
    }

    #[doc(hidden)]
    pub fn clock(mut self, clock: Clock) -> Self {
        self.settings.clock = clock;
        self
    }

    /// Registers every family, or none.
    ///
    /// Registries are independent of each other: two in one process work.
    ///
    /// # Errors
    ///
    /// A set of buckets is empty, does not rise strictly or is not finite; a declared pair or a provider has a
    /// name that no label may carry; a cap, or a number of open models, is higher than 65,536; or the registry
    /// holds these families already.
    pub fn register(self, registry: &Registry) -> Result<Metrics, Error> {
        self.settings.buckets.check()?;
        if let Some((provider, model)) = self
            .upstreams
            .iter()
            .find(|(provider, model)| sanitize(provider) != provider || sanitize(model) != model)
        {
            return Err(Error::upstream(provider, model));
        }
        if let Some((name, _)) = self
            .providers
            .iter()
            .find(|(name, _)| sanitize(name) != name)
        {
            return Err(Error::provider(name));
        }
        let open_models = self.providers.iter().map(|(_, models)| *models).max();
        for (what, cap) in [
            ("open_models", open_models.unwrap_or(0)),
            ("upstream_cap", self.upstream_cap),
            ("handler_cap", self.handler_cap),
            ("selected_model_cap", self.selected_model_cap),
        ] {
            if cap > Self::MAX_CAP {
                return Err(Error::cap(what, cap));
            }
        }
        let process = self.process;
        let metrics = self.unregistered();
        registry
            .register(Box::new(MetricsCollector::new(metrics.clone())))
            .map_err(Error::registry)?;
        if process && let Some(collector) = ProcessCollector::new() {
            // Refused where the registry has a process collector already, which is as good.
            let _ = registry.register(Box::new(collector));
        }
        Ok(metrics)
    }

    /// Expects sound buckets, which the defaults are.
    pub(crate) fn unregistered(self) -> Metrics {
        let settings = Arc::new(self.settings);
        let buckets = &settings.buckets;
        let build_info = gauge(&c::BUILD_INFO, &[&self.version, &self.git_sha]);
        build_info.set(1);
        let series = Series {
            http: HttpSeries::new(self.handler_cap, Arc::clone(&settings)),
            upstream: UpstreamSeries::new(
                &self.upstreams,
                named_providers(&self.upstreams, &self.providers),
                self.upstream_cap,
                buckets,
            ),
            routing: RoutingSeries::new(self.selected_model_cap),
            overflow: Counters::new(&c::LABEL_OVERFLOW, &[]),
            build_info,
        };
        Metrics::new(settings, series)
    }
}

/// Every provider that is named, with what was said of it last.
fn named_providers(upstreams: &[(String, String)], providers: &[(String, usize)]) -> Vec<Provider> {
    let declared = upstreams.iter().map(|(provider, _)| (provider, None));
    let told = providers.iter().map(|(name, models)| (name, Some(*models)));
    let mut named: BTreeMap<&str, Option<usize>> = BTreeMap::new();
    for (name, open_models) in declared.chain(told) {
        // What nobody named is called so.
        if name != OTHER {
            named.insert(name, open_models);
        }
    }
    named
        .into_iter()
        .map(|(name, open_models)| {
            let models = open_models.unwrap_or(DEFAULT_OPEN_MODELS);
            Provider::new(name, models, open_models.is_some())
        })
        .collect()
}
