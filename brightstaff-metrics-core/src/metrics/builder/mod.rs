//! What a gateway says of its metrics before they are registered.

mod exposition;

use std::sync::Arc;

use prometheus::Registry;

use super::{
    Families, Metrics,
    collector::{MetricsCollector, ProcessCollector, clashing_label},
};
use crate::{
    buckets::{Buckets, Told},
    clock::Clock,
    error::RegisterError,
    families::{
        BuildInfo, Context, DEFAULT_OPEN_MODELS, HttpFamilies, ProcessFamily, Provider,
        RoutingFamilies, UpstreamFamilies,
    },
    labels::sanitize,
};

/// Describes the metrics of a gateway, and registers them.
///
/// ```
/// use brightstaff_metrics_core::{BucketSet, Metrics};
///
/// let registry = prometheus::Registry::new();
/// let metrics = Metrics::builder()
///     .version(env!("CARGO_PKG_VERSION"))
///     .git_sha("abc123")
///     .upstreams([("openai", "gpt-4o"), ("anthropic", "claude-sonnet-4-5")])
///     .providers(["openrouter"])
///     .upstream_cap(100)
///     .buckets(BucketSet::FirstToken, [0.1, 0.5, 1.0, 5.0])
///     .register(&registry)?;
/// # let _ = metrics;
/// # Ok::<_, brightstaff_metrics_core::RegisterError>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Builder {
    clock: Clock,
    buckets: Buckets,
    native_histograms: bool,
    classic: bool,
    created_samples: bool,
    #[cfg(feature = "otlp")]
    gen_ai: bool,
    upstreams: Vec<(String, String)>,
    /// The providers named without a model, and how many of their models are open.
    providers: Vec<(String, usize)>,
    upstream_cap: usize,
    later_upstreams: usize,
    handler_cap: usize,
    selected_model_cap: usize,
    version: String,
    git_sha: String,
    process: bool,
}

impl Default for Builder {
    fn default() -> Self {
        Self {
            clock: Clock::default(),
            buckets: Buckets::default(),
            native_histograms: false,
            classic: true,
            created_samples: false,
            #[cfg(feature = "otlp")]
            gen_ai: false,
            upstreams: Vec::new(),
            providers: Vec::new(),
            upstream_cap: Self::DEFAULT_CAP,
            later_upstreams: 0,
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

    /// The version of the gateway, as `brightstaff_build_info` tells it: `unknown` where it is not given.
    pub fn version(mut self, version: impl Into<String>) -> Self {
        self.version = version.into();
        self
    }

    /// The commit of the gateway, as `brightstaff_build_info` tells it: `unknown` where it is not given.
    pub fn git_sha(mut self, git_sha: impl Into<String>) -> Self {
        self.git_sha = git_sha.into();
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
    /// A call to a provider that is named, here or by one of the [`upstreams`](Self::upstreams), always carries its name: for a model without series of its own it is
    /// recorded as the provider's `other`, and where a response names no model, as its `unknown`. Neither
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
    /// take them. It is first come, first served where those of all providers do not fit in there, or would leave
    /// nothing to a provider that is named by its [`upstreams`](Self::upstreams) alone.
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

    /// How many pairs may be declared after the registration ([`Metrics::declare_upstream`]), and open models of
    /// providers set aside ([`Metrics::declare_provider`]), beyond the [`upstream_cap`](Self::upstream_cap): none unless
    /// told otherwise, 65,536 at most. Each takes some 30 bytes before it is used.
    pub fn later_upstreams(mut self, pairs: usize) -> Self {
        self.later_upstreams = pairs;
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

    /// Whether `process_*` is read at each scrape; on unless told otherwise. Absent without
    /// `/proc`; each family that the registry has already stays as it is there.
    pub fn process(mut self, process: bool) -> Self {
        self.process = process;
        self
    }

    /// Takes instants from this clock, which a test turns by hand.
    #[cfg(feature = "testing")]
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// Registers every family, or none.
    ///
    /// Registries are independent of each other: two in one process work.
    ///
    /// # Errors
    ///
    /// A set of buckets is empty, does not rise strictly or is not finite; a declared pair or a provider has a
    /// name that no label may carry; a cap, or a number of open models, is higher than 65,536; the registry
    /// holds these families already, or gives all its series a label that is one of theirs.
    pub fn register(self, registry: &Registry) -> Result<Metrics, RegisterError> {
        self.check()?;
        let process = self.process;
        let metrics = self.unregistered();
        let collector = || Box::new(MetricsCollector::new(metrics.clone()));
        registry
            .register(collector())
            .map_err(RegisterError::registry)?;
        if let Some(label) = clashing_label(registry) {
            // It was registered a moment ago.
            let _ = registry.unregister(collector());
            return Err(RegisterError::label(&label));
        }
        if process {
            for family in ProcessFamily::readable() {
                // Refused where the registry has this family already, which is as good.
                let _ = registry.register(Box::new(ProcessCollector::new(family)));
            }
        }
        Ok(metrics)
    }

    fn check(&self) -> Result<(), RegisterError> {
        self.buckets.check()?;
        if let Some((provider, model)) = self
            .upstreams
            .iter()
            .find(|(provider, model)| sanitize(provider) != provider || sanitize(model) != model)
        {
            return Err(RegisterError::upstream(provider, model));
        }
        let mut providers = self.providers.iter();
        if let Some((name, _)) = providers.find(|(name, _)| sanitize(name) != name) {
            return Err(RegisterError::provider(name));
        }
        let open_models = self.providers.iter().map(|(_, models)| *models).max();
        for (what, cap) in [
            ("open_models", open_models.unwrap_or(0)),
            ("upstream_cap", self.upstream_cap),
            ("later_upstreams", self.later_upstreams),
            ("handler_cap", self.handler_cap),
            ("selected_model_cap", self.selected_model_cap),
        ] {
            if cap > Self::MAX_CAP {
                return Err(RegisterError::cap(what, cap, Self::MAX_CAP));
            }
        }
        Ok(())
    }

    /// Expects sound buckets, which the defaults are.
    pub(crate) fn unregistered(mut self) -> Metrics {
        self.buckets
            .tell(match (self.native_histograms, self.classic) {
                (false, _) => Told::Classic,
                (true, true) => Told::Both,
                (true, false) => Told::Native,
            });
        let context = Context::new(self.clock, self.buckets);
        let context = context.created_samples(self.created_samples);
        #[cfg(feature = "otlp")]
        let context = context.gen_ai(self.gen_ai);
        let context = Arc::new(context);
        let providers = Provider::named(&context, &self.upstreams, &self.providers);
        let http = HttpFamilies::new(Arc::clone(&context), self.handler_cap);
        let upstream = UpstreamFamilies::new(
            Arc::clone(&context),
            &self.upstreams,
            providers,
            self.upstream_cap,
            self.later_upstreams,
        );
        Metrics::new(Families {
            http: Arc::new(http),
            upstream: Arc::new(upstream),
            routing: RoutingFamilies::new(Arc::clone(&context), self.selected_model_cap),
            build: BuildInfo::new(&self.version, &self.git_sha, context.clock.wall()),
            context,
        })
    }
}
