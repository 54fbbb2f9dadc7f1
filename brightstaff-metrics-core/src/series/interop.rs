//! The series as a `prometheus::Registry` takes them.

use std::collections::HashMap;

use prometheus::{
    core::Desc,
    proto::{self, LabelPair, Metric, MetricFamily, MetricType},
};

use super::{Counter, Gauge, Histogram, LabelSet, Visitor};
use crate::catalogue::{Family, Kind};

/// Collects what a walk tells in the model of the `prometheus` crate.
#[derive(Default)]
pub(crate) struct Gathered {
    families: Vec<MetricFamily>,
    children: Vec<Metric>,
}

impl Gathered {
    pub(crate) fn into_families(mut self) -> Vec<MetricFamily> {
        self.close();
        self.families
    }

    fn close(&mut self) {
        let children = std::mem::take(&mut self.children);
        if let Some(family) = self.families.last_mut() {
            family.set_metric(children);
        }
    }

    fn child(&mut self, labels: &LabelSet, set: impl FnOnce(&mut Metric)) {
        let mut metric = Metric::from_label(pairs(labels));
        set(&mut metric);
        self.children.push(metric);
    }
}

// Counts stay far below 2^52, above which a float skips some.
#[expect(clippy::cast_precision_loss)]
impl Visitor for Gathered {
    fn family(&mut self, family: &'static Family) {
        self.close();
        let mut gathered = MetricFamily::default();
        gathered.set_name(family.name.to_owned());
        gathered.set_help(family.help.to_owned());
        gathered.set_field_type(match family.kind {
            Kind::Counter => MetricType::COUNTER,
            Kind::Gauge => MetricType::GAUGE,
            Kind::Histogram(_) => MetricType::HISTOGRAM,
        });
        self.families.push(gathered);
    }

    fn counter(&mut self, counter: &Counter) {
        self.child(counter.labels(), |metric| {
            metric.set_counter(proto_counter(counter.get() as f64));
        });
    }

    fn gauge(&mut self, gauge: &Gauge) {
        self.child(gauge.labels(), |metric| {
            metric.set_gauge(proto_gauge(gauge.get() as f64));
        });
    }

    fn histogram(&mut self, histogram: &Histogram) {
        self.child(histogram.labels(), |metric| {
            let (buckets, count) = histogram.cumulated();
            let bucket = |(bound, count)| {
                let mut bucket = proto::Bucket::default();
                bucket.set_upper_bound(bound);
                bucket.set_cumulative_count(count);
                bucket
            };
            let mut gathered = proto::Histogram::default();
            gathered.set_bucket(buckets.map(bucket).collect());
            gathered.set_sample_count(count);
            gathered.set_sample_sum(histogram.sum());
            metric.set_histogram(gathered);
        });
    }

    fn reading(&mut self, value: f64) {
        let family = self.families.last();
        let kind = family.map_or(MetricType::GAUGE, MetricFamily::get_field_type);
        let mut metric = Metric::default();
        if kind == MetricType::COUNTER {
            metric.set_counter(proto_counter(value));
        } else {
            metric.set_gauge(proto_gauge(value));
        }
        self.children.push(metric);
    }
}

fn proto_counter(value: f64) -> proto::Counter {
    let mut counter = proto::Counter::default();
    counter.set_value(value);
    counter
}

fn proto_gauge(value: f64) -> proto::Gauge {
    let mut gauge = proto::Gauge::default();
    gauge.set_value(value);
    gauge
}

fn pairs(labels: &LabelSet) -> Vec<LabelPair> {
    let pair = |(name, value): (&str, std::borrow::Cow<'_, str>)| {
        let mut pair = LabelPair::default();
        pair.set_name(name.to_owned());
        pair.set_value(value.into_owned());
        pair
    };
    labels.iter().map(pair).collect()
}

/// How a registry knows a family before it has children.
pub(crate) fn desc(family: &Family) -> Desc {
    let labels = family.labels.iter().map(|label| label.name.to_owned());
    Desc::new(
        family.name.to_owned(),
        family.help.to_owned(),
        labels.collect(),
        HashMap::new(),
    )
    .expect("the catalogue holds valid names")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue;

    #[test]
    fn every_family_has_a_sound_description() {
        for family in catalogue::ALL {
            assert_eq!(desc(family).variable_labels.len(), family.labels.len());
        }
    }
}
