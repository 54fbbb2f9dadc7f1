use anyhow::Result;
use brightstaff_exporter::otlp::Otlp;
use brightstaff_metrics_core::{Metrics, labels::OTHER};
use prometheus::Registry;

use super::directory::pairs;
use crate::{config::Config, log};

/// How many pairs of provider and model that were not in the configuration at the start may be declared when it is read
/// again, open models included.
const LATER_UPSTREAMS: usize = 1000;

/// The metrics of a gateway: the pairs of provider and model that its configuration names are declared, and
/// each provider is named, with the room for its other models that the configuration leaves it. `pushed` may have more
/// counted than the configuration does.
pub(crate) fn register(config: &Config, pushed: &Otlp, registry: &Registry) -> Result<Metrics> {
    let native = config.metrics.native_histograms || pushed.wants_native_histograms();
    let mut builder = Metrics::builder()
        .version(env!("CARGO_PKG_VERSION"))
        .git_sha(env!("BRIGHTSTAFF_GIT_SHA"))
        .upstreams(pairs(config))
        .upstream_cap(config.upstream_cap())
        .later_upstreams(LATER_UPSTREAMS)
        .native_histograms(native)
        .gen_ai_view(pushed.wants_gen_ai_view())
        .classic(config.metrics.classic_histograms)
        .created_samples(config.metrics.created_samples);
    for (name, provider) in &config.providers {
        builder = builder.open_models(name, provider.open_models());
    }
    let metrics = builder.register(registry)?;
    registry.register(Box::new(log::dropped()))?;
    Ok(metrics)
}

/// Declares what a configuration names that takes the place of another one. What finds no room has no series before its
/// first success, if then.
pub(super) fn declare(config: &Config, metrics: &Metrics) {
    let providers = config.providers.iter();
    let named =
        providers.map(|(name, provider)| metrics.declare_provider(name, provider.open_models()));
    let pairs = pairs(config).into_iter();
    let declared = pairs.map(|(provider, model)| metrics.declare_upstream(&provider, &model));
    let refused = named.chain(declared).filter(Result::is_err).count();
    if refused > 0 {
        tracing::warn!(
            "no room is left for the series of {refused} of the providers and models that were added since the \
             start: their calls are recorded as those of model=\"{OTHER}\" until a restart"
        );
    }
}

/// Says of whose calls the first ones may not be recorded by their models, and what changes that: who looks
/// for them in vain in a dashboard should not have to guess.
pub(crate) fn warn_of_open_models(config: &Config) {
    let providers = config.providers.iter();
    for (name, provider) in providers.filter(|(_, provider)| provider.models.is_empty()) {
        let open = provider.open_models();
        tracing::warn!(
            "upstream {name} lists no models: until a model that the configuration does not name has answered \
             a call with success, and beyond {open} such models (open_models), its calls are recorded as \
             provider=\"{name}\", model=\"{OTHER}\"; \
             to name its models, write models = [...] below [providers.{name}] in the file of --config"
        );
    }
    let (cap, open) = (config.upstream_cap(), config.open_models());
    if cap < open {
        tracing::warn!(
            "upstream_cap = {cap} is less than the {open} that the providers' open_models add up to: the models \
             of one may leave no series to those of another; raise it, or lower open_models"
        );
    }
}
