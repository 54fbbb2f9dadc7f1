//! What a registry holds.

use prometheus::{
    core::{Collector, Desc},
    proto::MetricFamily,
};

use super::{
    Metrics,
    exposition::{Ours, meet},
};
use crate::{
    catalogue::Family,
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
