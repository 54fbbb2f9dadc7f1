use crate::{
    buckets::Buckets,
    catalogue as c,
    clock::Clock,
    labels::OverflowLabel,
    series::{Children as _, CounterSet, Labels, Visitor},
};

/// What the families of one registry share.
pub(crate) struct Context {
    pub(crate) clock: Clock,
    pub(crate) buckets: Buckets,
    /// Whether OpenMetrics tells when series began.
    pub(crate) created_samples: bool,
    /// Whether pairs keep what the `gen_ai` view tells.
    pub(crate) gen_ai: bool,
    overflow: CounterSet<OverflowLabel>,
}

impl Context {
    pub(crate) fn new(clock: Clock, buckets: Buckets) -> Self {
        let mut labels = Labels::new(clock.wall());
        Self {
            overflow: CounterSet::new(&c::LABEL_OVERFLOW, &[], &mut labels),
            clock,
            buckets,
            created_samples: false,
            gen_ai: false,
        }
    }

    pub(crate) fn created_samples(self, wanted: bool) -> Self {
        Self {
            created_samples: wanted,
            ..self
        }
    }

    #[cfg(feature = "otlp")]
    pub(crate) fn gen_ai(self, wanted: bool) -> Self {
        Self {
            gen_ai: wanted,
            ..self
        }
    }

    /// One record was folded into `other`.
    pub(crate) fn folded(&self, label: OverflowLabel) {
        self.overflow.get(label).inc();
    }

    #[cfg(test)]
    pub(crate) fn overflow(&self, label: OverflowLabel) -> u64 {
        self.overflow.get(label).get()
    }

    pub(crate) const FAMILIES: [&'static c::Family; 1] = [&c::LABEL_OVERFLOW];

    pub(crate) fn walk(&self, visitor: &mut dyn Visitor) {
        let Self {
            clock: _,
            buckets: _,
            created_samples: _,
            gen_ai: _,
            overflow,
        } = self;
        let [family] = Self::FAMILIES;
        visitor.family(family);
        overflow.visit(visitor);
    }
}
