use crate::{
    catalogue::{self as c, Family},
    series::{Children as _, Gauge, Visitor},
};

/// The family that names the build of the gateway.
pub(crate) struct BuildInfo(Gauge);

impl BuildInfo {
    pub(crate) fn new(version: &str, git_sha: &str) -> Self {
        let gauge = Gauge::new(&c::BUILD_INFO, &[version, git_sha]);
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
