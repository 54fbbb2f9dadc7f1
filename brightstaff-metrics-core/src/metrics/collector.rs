//! What a registry holds.

use prometheus::{
    Registry,
    core::{Collector, Desc},
    proto::MetricFamily,
};

use super::{
    Metrics,
    exposition::{Ours, meet},
};
use crate::{
    catalogue::{self as c, Family},
    families::{
        BuildInfo, Context, HttpFamilies, ProcessFamily, Readings, RoutingFamilies,
        UpstreamFamilies,
    },
    series::{Gathered, desc},
};

/// What a registry holds of the metrics.
pub(crate) struct MetricsCollector {
    metrics: Metrics,
    descs: Vec<Desc>,
}

impl MetricsCollector {
    pub(crate) fn new(metrics: Metrics) -> Self {
        Self {
            metrics,
            descs: families().map(desc).collect(),
        }
    }
}

/// The families of [`Metrics`].
pub(super) fn families() -> impl Iterator<Item = &'static Family> {
    HttpFamilies::FAMILIES
        .into_iter()
        .chain(UpstreamFamilies::FAMILIES)
        .chain(RoutingFamilies::FAMILIES)
        .chain(BuildInfo::FAMILIES)
        .chain(Context::FAMILIES)
}

impl Collector for MetricsCollector {
    fn desc(&self) -> Vec<&Desc> {
        self.descs.iter().collect()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        let mut gathered = Gathered::default();
        if meet(|| Ours::Metrics(self.metrics.clone())) {
            self.metrics.0.build.walk(&mut gathered);
            return gathered.into_families();
        }
        self.metrics.walk(&mut gathered);
        gathered.into_families()
    }
}

/// What a registry holds of one family of the process.
pub(crate) struct ProcessCollector {
    process: ProcessFamily,
    desc: Desc,
}

impl ProcessCollector {
    pub(crate) fn new(process: ProcessFamily) -> Self {
        Self {
            desc: desc(process.family),
            process,
        }
    }
}

impl Collector for ProcessCollector {
    fn desc(&self) -> Vec<&Desc> {
        vec![&self.desc]
    }

    fn collect(&self) -> Vec<MetricFamily> {
        if meet(|| Ours::Process(self.process)) {
            return Vec::new();
        }
        let mut gathered = Gathered::default();
        self.process.walk(&Readings::default(), &mut gathered);
        gathered.into_families()
    }
}

/// A label that the registry gives every series, and our families have, too. Its labels show only in what
/// it gathers.
pub(super) fn clashing_label(registry: &Registry) -> Option<String> {
    let gathered = registry.gather();
    // The registry may put a prefix before it.
    let build_info = gathered
        .iter()
        .find(|family| family.name().ends_with(c::BUILD_INFO.name))?;
    let labels = build_info.get_metric().first()?.get_label();
    let ours = c::ALL.iter().flat_map(|family| family.labels);
    // Histograms have one more.
    let mut ours = ours.map(|label| label.name).chain(["le"]);
    let of_build_info = c::BUILD_INFO.labels;
    let is_given = |name: &str| {
        let all = labels.iter().filter(|pair| pair.name() == name).count();
        let own = of_build_info.iter().filter(|label| label.name == name);
        all > own.count()
    };
    ours.find(|name| is_given(name)).map(str::to_owned)
}
