use anyhow::Result;
use brightstaff_metrics_core::{Metrics, labels::OTHER};
use prometheus::Registry;

use super::directory::pairs;
use crate::{config::Config, log};

/// The metrics of a gateway: the pairs of provider and model that its configuration names are declared, and
/// each provider is named, with the room for its other models that the configuration leaves it.
pub(crate) fn register(config: &Config, registry: &Registry) -> Result<Metrics> {
    let mut builder = Metrics::builder()
        .version(env!("CARGO_PKG_VERSION"))
        .git_sha(env!("BRIGHTSTAFF_GIT_SHA"))
        .upstreams(pairs(config))
        .upstream_cap(config.upstream_cap())
        .native_histograms(config.metrics.native_histograms)
        .classic(config.metrics.classic_histograms)
        .created_samples(config.metrics.created_samples);
    for (name, provider) in &config.providers {
        builder = builder.open_models(name, provider.open_models());
    }
    let metrics = builder.register(registry)?;
    registry.register(Box::new(log::dropped()))?;
    Ok(metrics)
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
