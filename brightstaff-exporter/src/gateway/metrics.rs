use brightstaff_metrics_core::{Error, Metrics};
use prometheus::Registry;

use super::directory::pairs;
use crate::config::{Config, Provider};

/// The metrics of a gateway: the pairs of provider and model that its configuration names are declared,
/// so that only they own series.
///
/// A provider that lists no models leaves them open: those of its models that answer earn series, too,
/// up to the cap that is the builder's default.
pub(crate) fn register(config: &Config, registry: &Registry) -> Result<Metrics, Error> {
    let build = option_env!("GIT_SHA").unwrap_or("unknown");
    let mut builder = Metrics::builder()
        .build_info(env!("CARGO_PKG_VERSION"), build)
        .upstreams(pairs(config));
    let listed = |provider: &Provider| !provider.models.is_empty();
    if config.providers.values().all(listed) {
        builder = builder.upstream_cap(0);
    }
    builder.register(registry)
}
