//! A collector that is not ours, with families of every type.

use std::collections::HashMap;

use prometheus::{
    Registry,
    core::{Collector, Desc},
    proto::{
        Bucket, Counter, Gauge, Histogram, LabelPair, Metric, MetricFamily, MetricType, Quantile,
        Summary, Untyped,
    },
};

/// Gives what it was given.
#[derive(Clone)]
pub struct Fixed {
    families: Vec<MetricFamily>,
    descs: Vec<Desc>,
}

impl Fixed {
    /// Tells what to unregister.
    pub fn register(families: Vec<MetricFamily>, registry: &Registry) -> Box<dyn Collector> {
        let desc = |family: &MetricFamily| {
            // Not the truth: a registry would refuse a family that it has, and only asks here.
            let (name, help) = (format!("fixed_{}", family.name()), "Fixed.".to_owned());
            Desc::new(name, help, Vec::new(), HashMap::new()).unwrap()
        };
        let descs = families.iter().map(desc).collect();
        let fixed = Box::new(Self { families, descs });
        registry.register(fixed.clone()).unwrap();
        fixed
    }
}

impl Collector for Fixed {
    fn desc(&self) -> Vec<&Desc> {
        self.descs.iter().collect()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        self.families.clone()
    }
}

pub fn family(name: &str, kind: MetricType, metrics: Vec<Metric>) -> MetricFamily {
    let mut family = MetricFamily::default();
    family.set_name(name.to_owned());
    family.set_help(format!(
        "A {kind:?}, \"quoted\" \\ and\nbroken. # TYPE {name} gauge"
    ));
    family.set_field_type(kind);
    family.set_metric(metrics);
    family
}

pub fn labelled(labels: &[(&str, &str)]) -> Metric {
    let pair = |(name, value): &(&str, &str)| {
        let mut pair = LabelPair::default();
        pair.set_name((*name).to_owned());
        pair.set_value((*value).to_owned());
        pair
    };
    Metric::from_label(labels.iter().map(pair).collect())
}

pub fn counter(mut metric: Metric, value: f64) -> Metric {
    let mut counter = Counter::default();
    counter.set_value(value);
    metric.set_counter(counter);
    metric
}

pub fn gauge(mut metric: Metric, value: f64) -> Metric {
    let mut gauge = Gauge::default();
    gauge.set_value(value);
    metric.set_gauge(gauge);
    metric
}

/// Each bucket by its bound, with the samples up to it.
pub fn histogram(mut metric: Metric, buckets: &[(f64, u64)], count: u64, sum: f64) -> Metric {
    let bucket = |&(bound, count): &(f64, u64)| {
        let mut bucket = Bucket::default();
        bucket.set_upper_bound(bound);
        bucket.set_cumulative_count(count);
        bucket
    };
    let mut histogram = Histogram::default();
    histogram.set_bucket(buckets.iter().map(bucket).collect());
    histogram.set_sample_count(count);
    histogram.set_sample_sum(sum);
    metric.set_histogram(histogram);
    metric
}

pub fn summary(mut metric: Metric, quantiles: &[(f64, f64)], count: u64, sum: f64) -> Metric {
    let quantile = |&(quantile, value): &(f64, f64)| {
        let mut one = Quantile::default();
        one.set_quantile(quantile);
        one.set_value(value);
        one
    };
    let mut summary = Summary::default();
    summary.set_quantile(quantiles.iter().map(quantile).collect());
    summary.set_sample_count(count);
    summary.set_sample_sum(sum);
    metric.set_summary(summary);
    metric
}

/// Where the `prometheus` crate's types are generated, there is no method to set one, and the value is 0.
#[allow(deprecated)]
pub fn untyped(mut metric: Metric, value: f64) -> Metric {
    #[allow(dead_code)] // There is one where the types are plain.
    trait SetUntyped {
        fn set_untyped(&mut self, value: Untyped);
    }
    impl SetUntyped for Metric {
        fn set_untyped(&mut self, _: Untyped) {}
    }
    let mut untyped = Untyped::default();
    untyped.set_value(value);
    metric.set_untyped(untyped);
    metric
}

pub fn at(mut metric: Metric, timestamp_ms: i64) -> Metric {
    metric.set_timestamp_ms(timestamp_ms);
    metric
}
