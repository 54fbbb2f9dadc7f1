//! Children of the families: made by name, kept as resolved handles, collected at a scrape.

use std::{collections::HashMap, marker::PhantomData, sync::OnceLock};

use prometheus::{
    Histogram, HistogramOpts, IntCounter, IntGauge, Opts,
    core::Metric,
    proto::{MetricFamily, MetricType},
};

use crate::{
    buckets::Buckets,
    catalogue::{Family, Kind},
    labels::{Index, Label},
};

/// What the construction of a child rests on; a test builds a child of every family.
const SOUND: &str = "the catalogue holds valid names, and buckets are checked at registration";

fn labels(family: &Family, values: &[&str]) -> HashMap<String, String> {
    debug_assert_eq!(family.labels.len(), values.len(), "{}", family.name);
    family
        .labels
        .iter()
        .zip(values)
        .map(|(label, value)| (label.name.to_owned(), (*value).to_owned()))
        .collect()
}

fn opts(family: &Family, values: &[&str]) -> Opts {
    Opts::new(family.name, family.help).const_labels(labels(family, values))
}

pub(crate) fn counter(family: &Family, values: &[&str]) -> IntCounter {
    IntCounter::with_opts(opts(family, values)).expect(SOUND)
}

pub(crate) fn gauge(family: &Family, values: &[&str]) -> IntGauge {
    IntGauge::with_opts(opts(family, values)).expect(SOUND)
}

pub(crate) fn histogram(family: &Family, values: &[&str], buckets: &Buckets) -> Histogram {
    let Kind::Histogram(set) = family.kind else {
        unreachable!("{} is no histogram", family.name)
    };
    let opts = HistogramOpts::from(opts(family, values)).buckets(buckets.get(set).to_vec());
    Histogram::with_opts(opts).expect(SOUND)
}

/// One counter for each value of a closed label, all there from the start.
pub(crate) struct Counters<L>(Box<[IntCounter]>, PhantomData<L>);

impl<L: Label> Counters<L> {
    /// `open` stands before the closed label.
    pub(crate) fn new(family: &Family, open: &[&str]) -> Self {
        let child = |label: &L| counter(family, &[open, &[label.as_str()]].concat());
        Self(L::ALL.iter().map(child).collect(), PhantomData)
    }

    pub(crate) fn get(&self, label: L) -> &IntCounter {
        &self.0[label.index()]
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &IntCounter> + Clone {
        self.0.iter()
    }
}

/// One child for each value of a closed label, or of a pair of them, each made at its first use.
pub(crate) struct Lazy<T, L>(Box<[OnceLock<T>]>, PhantomData<L>);

impl<T, L: Index> Lazy<T, L> {
    pub(crate) fn new() -> Self {
        Self(
            (0..L::COUNT).map(|_| OnceLock::new()).collect(),
            PhantomData,
        )
    }

    pub(crate) fn get(&self, label: L) -> Option<&T> {
        self.0[label.index()].get()
    }

    pub(crate) fn get_or_init(&self, label: L, make: impl FnOnce() -> T) -> &T {
        self.0[label.index()].get_or_init(make)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> + Clone {
        self.0.iter().filter_map(OnceLock::get)
    }
}

/// A family with these children, for the registry.
pub(crate) fn collect<'a, M: Metric + 'a>(
    family: &Family,
    children: impl IntoIterator<Item = &'a M>,
) -> MetricFamily {
    let mut collected = MetricFamily::default();
    collected.set_name(family.name.to_owned());
    collected.set_help(family.help.to_owned());
    collected.set_field_type(match family.kind {
        Kind::Counter => MetricType::COUNTER,
        Kind::Gauge => MetricType::GAUGE,
        Kind::Histogram(_) => MetricType::HISTOGRAM,
    });
    collected.set_metric(children.into_iter().map(Metric::metric).collect());
    collected
}

/// The same for a family of one child without labels, whose value was read just now.
#[cfg(target_os = "linux")]
pub(crate) fn reading(family: &Family, value: f64) -> MetricFamily {
    use prometheus::core::Collector;

    let collected = if family.kind == Kind::Counter {
        let counter = prometheus::Counter::with_opts(opts(family, &[])).expect(SOUND);
        counter.inc_by(value);
        counter.collect()
    } else {
        let gauge = prometheus::Gauge::with_opts(opts(family, &[])).expect(SOUND);
        gauge.set(value);
        gauge.collect()
    };
    collected
        .into_iter()
        .next()
        .expect("a metric is one family")
}

/// How the registry knows a family before it has children.
pub(crate) fn desc(family: &Family) -> prometheus::core::Desc {
    let labels = family.labels.iter().map(|label| label.name.to_owned());
    prometheus::core::Desc::new(
        family.name.to_owned(),
        family.help.to_owned(),
        labels.collect(),
        HashMap::new(),
    )
    .expect(SOUND)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue;

    #[test]
    fn every_family_has_sound_children() {
        for family in catalogue::ALL {
            let values = vec!["a \"quoted\"\\ name"; family.labels.len()];
            match family.kind {
                Kind::Counter => drop(counter(family, &values)),
                Kind::Gauge => drop(gauge(family, &values)),
                Kind::Histogram(_) => drop(histogram(family, &values, &Buckets::default())),
            }
            assert_eq!(desc(family).variable_labels.len(), family.labels.len());
        }
    }
}
