use crate::{
    catalogue::{self as c, Family},
    clock::WallTime,
    series::{Children as _, Gauge, LabelSet, Visitor},
};

/// The family that names the build of the gateway.
pub(crate) struct BuildInfo(Gauge);

impl BuildInfo {
    pub(crate) fn new(version: &str, git_sha: &str, now: WallTime) -> Self {
        let labels = LabelSet::new(&c::BUILD_INFO, &[version, git_sha], now);
        let gauge = Gauge::new(labels);
        gauge.inc();
        Self(gauge)
    }

    pub(crate) const FAMILIES: [&'static Family; 1] = [&c::BUILD_INFO];

    pub(crate) fn walk(&self, visitor: &mut dyn Visitor) {
        let Self(gauge) = self;
        let [family] = Self::FAMILIES;
        visitor.family(family);
        gauge.visit(visitor);
    }
}
