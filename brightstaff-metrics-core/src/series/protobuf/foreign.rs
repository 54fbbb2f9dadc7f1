//! What collectors that are not ours give, as messages.

use prometheus::proto::{Metric, MetricFamily, MetricType};

use super::{
    super::{
        foreign::{counted, gauged, untyped},
        wire::Message,
    },
    COUNTER, GAUGE, HISTOGRAM, SAMPLE_COUNT, SAMPLE_SUM, SUMMARY, TIMESTAMP_MS, Type, UNTYPED,
    VALUE,
    histogram::bucket,
    label,
};

/// The same type, in protobuf.
pub(super) fn type_of(family: &MetricFamily) -> Type {
    match family.get_field_type() {
        MetricType::COUNTER => Type::Counter,
        MetricType::GAUGE => Type::Gauge,
        MetricType::SUMMARY => Type::Summary,
        MetricType::HISTOGRAM => Type::Histogram,
        MetricType::UNTYPED => Type::Untyped,
    }
}

/// Writes a child of this family.
pub(super) fn metric(message: &mut Message, family: &MetricFamily, metric: &Metric) {
    for pair in metric.get_label() {
        label(message, pair.name(), pair.value());
    }
    let value = |message: &mut Message, field, value| {
        message.message(field, |message| message.double(VALUE, value));
    };
    match family.get_field_type() {
        MetricType::COUNTER => value(message, COUNTER, counted(metric.get_counter())),
        MetricType::GAUGE => value(message, GAUGE, gauged(metric.get_gauge())),
        MetricType::UNTYPED => value(message, UNTYPED, untyped(metric)),
        MetricType::SUMMARY => summary(message, metric),
        MetricType::HISTOGRAM => {}
    }
    if metric.timestamp_ms() != 0 {
        message.signed(TIMESTAMP_MS, metric.timestamp_ms());
    }
    // Fields stand in the order of their numbers.
    if family.get_field_type() == MetricType::HISTOGRAM {
        histogram(message, metric);
    }
}

fn summary(message: &mut Message, metric: &Metric) {
    let summary = metric.get_summary();
    message.message(SUMMARY, |message| {
        message.unsigned(SAMPLE_COUNT, summary.sample_count());
        message.double(SAMPLE_SUM, summary.sample_sum());
        for quantile in summary.get_quantile() {
            message.message(3, |message| {
                message.double(1, quantile.quantile());
                message.double(2, quantile.value());
            });
        }
    });
}

fn histogram(message: &mut Message, metric: &Metric) {
    let histogram = metric.get_histogram();
    message.message(HISTOGRAM, |message| {
        message.unsigned(SAMPLE_COUNT, histogram.get_sample_count());
        message.double(SAMPLE_SUM, histogram.get_sample_sum());
        for one in histogram.get_bucket() {
            bucket(message, one.upper_bound(), one.cumulative_count(), None);
        }
    });
}
