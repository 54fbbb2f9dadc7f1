//! What collectors that are not ours give, in the model of the `prometheus` crate, which has two forms: plain types, and
//! with its feature `protobuf`, which any crate may switch on for all, generated ones. This compiles with either.

use std::borrow::Cow;

use prometheus::proto::{self, Metric, MetricFamily, MetricType};

/// A family as the library's own encoder of text takes it: it panics where it meets an untyped one, which becomes one of
/// gauges here; and calls `inf` a bound that it calls `+Inf` where it adds the bucket by itself.
pub(crate) fn for_library(family: &MetricFamily) -> Cow<'_, MetricFamily> {
    let mut family = Cow::Borrowed(family);
    match family.get_field_type() {
        MetricType::UNTYPED => {
            let family = family.to_mut();
            family.set_field_type(MetricType::GAUGE);
            for metric in family.mut_metric() {
                let mut gauge = proto::Gauge::default();
                gauge.set_value(untyped(metric));
                metric.set_gauge(gauge);
            }
        }
        MetricType::HISTOGRAM if family.get_metric().iter().any(is_bounded_by_infinity) => {
            for metric in family.to_mut().mut_metric() {
                let mut histogram = proto::Histogram::clone(metric.get_histogram());
                let buckets = histogram.get_bucket().iter();
                let finite = buckets.filter(|bucket| bucket.upper_bound() != f64::INFINITY);
                histogram.set_bucket(finite.cloned().collect());
                metric.set_histogram(histogram);
            }
        }
        _ => {}
    }
    family
}

fn is_bounded_by_infinity(metric: &Metric) -> bool {
    let mut buckets = metric.get_histogram().get_bucket().iter();
    buckets.any(|bucket| bucket.upper_bound() == f64::INFINITY)
}

/// The value of an untyped metric, which only one of the two forms has a public way to read.
pub(super) fn untyped(metric: &Metric) -> f64 {
    untyped_in(&format!("{metric:?}"))
}

/// The same, of what both forms print. What stands behind the labels cannot be mistaken for one.
fn untyped_in(printed: &str) -> f64 {
    let value = printed
        .rsplit_once("Untyped { value: ")
        .map_or("", |(_, value)| value);
    let value = value.strip_prefix("Some(").unwrap_or(value);
    let end = value.find([' ', ')', ',']).unwrap_or(value.len());
    value[..end].parse().unwrap_or(0.0)
}

pub(super) fn counted(counter: &proto::Counter) -> f64 {
    Value::get_value(counter)
}

pub(super) fn gauged(gauge: &proto::Gauge) -> f64 {
    Value::value(gauge)
}

/// Reads a value in the one form as in the other: each type has one of the two methods of its own, which is the one that
/// is called in the end, whichever is asked for.
trait Value {
    fn get_value(&self) -> f64;
    fn value(&self) -> f64;
}

macro_rules! value {
    ($($type:ident),+) => {$(
        impl Value for proto::$type {
            fn get_value(&self) -> f64 {
                self.value()
            }

            fn value(&self) -> f64 {
                self.get_value()
            }
        }
    )+};
}

value!(Counter, Gauge);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_untyped_value_is_read_in_both_forms() {
        for (printed, value) in [
            (
                "Metric { label: [LabelPair { name: \"a\", value: \"Untyped { value: 7.0 }\" }], \
                 untyped: Untyped { value: -2.5 }, timestamp_ms: 0 }",
                -2.5,
            ),
            ("untyped: Untyped { value: 1e300 }", 1e300),
            ("untyped: Untyped { value: inf }", f64::INFINITY),
            (
                "untyped: MessageField(Some(Untyped { value: Some(0.1), special_fields: SpecialFields {} })), \
                 histogram: MessageField(None)",
                0.1,
            ),
            (
                "untyped: MessageField(Some(Untyped { value: None, x: 1 }))",
                0.0,
            ),
            ("untyped: MessageField(None)", 0.0),
        ] {
            assert_eq!(untyped_in(printed), value, "{printed}");
        }
        assert!(untyped_in("Untyped { value: NaN }").is_nan());
    }

    #[test]
    fn values_are_read_in_the_form_that_is_there() {
        let mut counter = proto::Counter::default();
        counter.set_value(2.5);
        assert_eq!(counted(&counter), 2.5);
        let mut gauge = proto::Gauge::default();
        gauge.set_value(-2.5);
        assert_eq!(gauged(&gauge), -2.5);
    }
}
