//! What a collector that is not ours may tell beside counters.

use prometheus::proto::{Bucket, Gauge, Histogram, Metric, Quantile, Summary, Untyped};

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
    trait SetUntyped {
        fn set_untyped(&mut self, value: Untyped);
    }
    impl SetUntyped for Metric {
        fn set_untyped(&mut self, _: Untyped) {}
    }
    // Named, since where the types are plain they have a method of their own, and this one is not called.
    let _: fn(&mut Metric, Untyped) = SetUntyped::set_untyped;
    let mut untyped = Untyped::default();
    untyped.set_value(value);
    metric.set_untyped(untyped);
    metric
}

pub fn at(mut metric: Metric, timestamp_ms: i64) -> Metric {
    metric.set_timestamp_ms(timestamp_ms);
    metric
}
