use anyhow::Result;
use brightstaff_metrics_core::{Metrics, labels::OTHER};
use prometheus::Registry;

use super::directory::pairs;
use crate::{
    config::{Config, Provider},
    log,
};

/// The metrics of a gateway: the pairs of provider and model that its configuration names are declared,
/// so that only they own series.
///
/// A provider that lists no models leaves them open: those of its models that answer earn series, too,
/// up to the cap that is the builder's default.
pub(crate) fn register(config: &Config, registry: &Registry) -> Result<Metrics> {
    let build = option_env!("GIT_SHA").unwrap_or("unknown");
    let mut builder = Metrics::builder()
        .build_info(env!("CARGO_PKG_VERSION"), build)
        .upstreams(pairs(config));
    if config.providers.values().all(lists_models) {
        builder = builder.upstream_cap(0);
    }
    let metrics = builder.register(registry)?;
    registry.register(Box::new(log::dropped()))?;
    Ok(metrics)
}

/// Says of whose calls the first ones may not be recorded by their names, and what changes that: who looks
/// for them in vain in a dashboard should not have to guess.
pub(crate) fn warn_of_open_models(config: &Config) {
    let providers = config.providers.iter();
    for (name, _) in providers.filter(|(_, provider)| !lists_models(provider)) {
        tracing::warn!(
            "upstream {name} lists no models: until a model that the configuration does not name has answered \
             a call with success, its calls are recorded as provider=\"{OTHER}\", model=\"{OTHER}\"; \
             to name its models, write models = [...] below [providers.{name}] in the file of --config"
        );
    }
}

fn lists_models(provider: &Provider) -> bool {
    !provider.models.is_empty()
}
