//! What collectors that are not ours give, as points.

use prometheus::proto::{Metric, MetricFamily, MetricType};

use super::{
    super::foreign::{counted, gauged, untyped},
    attributes::Attributes,
    histograms::{Buckets, Sum},
    points::Number,
    request::Request,
    unit,
};

/// Writes a family. An untyped metric is a gauge.
pub(super) fn family(request: &mut Request<'_>, family: &MetricFamily) {
    let kind = family.get_field_type();
    let unit = unit(family.name(), kind == MetricType::COUNTER);
    request.metric(family.name(), family.help(), unit);
    let mut attributes = Attributes::default();
    for metric in family.get_metric() {
        attributes.clear();
        for pair in metric.get_label() {
            attributes.add(pair.name(), pair.value());
        }
        let at = u64::try_from(metric.timestamp_ms()).unwrap_or(0);
        let at = at.saturating_mul(NANOS_PER_MILLI);
        let known_since = request.settings.known_since;
        // Where it tells of a time before, nothing is known of when it began.
        let (time, began) = match at {
            0 => (request.settings.time, known_since),
            at => (at, if at < known_since { 0 } else { known_since }),
        };
        request.time = time;
        point(request, kind, attributes.as_bytes(), began, metric);
    }
    request.time = request.settings.time;
}

fn point(
    request: &mut Request<'_>,
    kind: MetricType,
    attributes: &[u8],
    began: u64,
    metric: &Metric,
) {
    match kind {
        MetricType::COUNTER => {
            let total = counted(metric.get_counter());
            request.float_counter(attributes, began, total);
        }
        MetricType::GAUGE => {
            let value = Number::Double(gauged(metric.get_gauge()));
            request.gauge(attributes, value);
        }
        MetricType::UNTYPED => request.gauge(attributes, Number::Double(untyped(metric))),
        MetricType::SUMMARY => {
            let summary = metric.get_summary();
            let of_all = (summary.sample_count(), summary.sample_sum());
            let quantiles = summary.get_quantile().iter();
            let quantiles = quantiles.map(|one| (one.quantile(), one.value()));
            request.summary(attributes, began, of_all, quantiles);
        }
        MetricType::HISTOGRAM => {
            let (counts, bounds) = buckets(metric);
            let buckets = Buckets::Explicit(&counts, &bounds);
            let sum = Sum::Float(metric.get_histogram().get_sample_sum());
            request.histogram(attributes, began, buckets, sum, std::iter::empty());
        }
    }
}

/// The samples in each bucket alone, that of `+Inf` the last; and the bounds of the others.
fn buckets(metric: &Metric) -> (Vec<u64>, Vec<f64>) {
    let histogram = metric.get_histogram();
    let finite = histogram.get_bucket().iter();
    let finite = finite.filter(|bucket| bucket.upper_bound() != f64::INFINITY);
    let (mut counts, mut bounds, mut before) = (Vec::new(), Vec::new(), 0);
    for bucket in finite {
        bounds.push(bucket.upper_bound());
        counts.push(bucket.cumulative_count().saturating_sub(before));
        before = before.max(bucket.cumulative_count());
    }
    counts.push(histogram.get_sample_count().saturating_sub(before));
    (counts, bounds)
}

const NANOS_PER_MILLI: u64 = 1_000_000;
