//! OTLP, as a receiver makes series of it that keeps names as they are.

use brightstaff_metrics_core::otlp::{Encoder, Resource};
use prometheus::Registry;

use crate::{
    otlp_model::{
        Any, Data, Exemplar as OtlpExemplar, ExemplarValue, HistogramDataPoint, KeyValue, Metric,
        Number, NumberDataPoint, SummaryDataPoint, Temporality, decode,
    },
    samples::{Exemplar, Series, Told, Value},
};

pub fn told(registry: &Registry) -> Told {
    let mut encoder = Encoder::new(Resource::new([("service.name", "gateway")]));
    let export = encoder.encode(registry);
    let request = decode(export.body());
    let [of_resource] = &request.resource_metrics[..] else {
        panic!("{request:?}")
    };
    let [scope] = &of_resource.scope_metrics[..] else {
        panic!("{of_resource:?}")
    };
    let mut told = Reader {
        told: Told::default(),
        points: 0,
        time: None,
    };
    for metric in &scope.metrics {
        told.metric(metric);
    }
    assert_eq!(told.points, export.points());
    told.told
}

struct Reader {
    told: Told,
    points: usize,
    /// Of the export.
    time: Option<u64>,
}

impl Reader {
    fn metric(&mut self, metric: &Metric) {
        let before = self.points;
        let kind = match metric.data.as_ref().unwrap() {
            Data::Gauge(gauge) => {
                for point in &gauge.data_points {
                    assert_eq!(point.start_time_unix_nano, 0);
                    self.number(&metric.name, point);
                }
                "gauge"
            }
            Data::Sum(sum) => {
                assert!(sum.is_monotonic);
                assert_eq!(sum.aggregation_temporality(), Temporality::Cumulative);
                for point in &sum.data_points {
                    self.number(&metric.name, point);
                }
                "counter"
            }
            Data::Histogram(histogram) => {
                assert_eq!(histogram.aggregation_temporality(), Temporality::Cumulative);
                for point in &histogram.data_points {
                    self.histogram(&metric.name, point);
                }
                "histogram"
            }
            Data::Summary(summary) => {
                for point in &summary.data_points {
                    self.summary(&metric.name, point);
                }
                "summary"
            }
            Data::ExponentialHistogram(_) => panic!("nobody asked for one"),
        };
        assert!(self.points > before, "{} is empty", metric.name);
        let about = (metric.description.clone(), kind.to_owned());
        let before = self.told.families.insert(metric.name.clone(), about);
        assert!(before.is_none(), "{} stands twice", metric.name);
    }

    fn add(
        &mut self,
        name: String,
        attributes: &[KeyValue],
        more: Option<(&str, f64)>,
        (began, time, value): (u64, u64, f64),
        exemplar: Option<&OtlpExemplar>,
    ) {
        let more = more.map(|(name, value)| (name.to_owned(), value.to_string()));
        let labels = attributes.iter().map(|one| (one.key.clone(), text(one)));
        let mut labels: Vec<_> = labels.chain(more).collect();
        labels.sort();
        // Only those of other collectors have one of their own.
        // A clock that a test turned makes series that begin after the export.
        let of_export = *self.time.get_or_insert(time);
        #[expect(clippy::cast_possible_wrap)]
        let timestamp_ms =
            (time != of_export && time != began).then_some((time / 1_000_000) as i64);
        let series = Series {
            name,
            labels,
            timestamp_ms,
        };
        self.told.add(series, value, exemplar.map(exemplar_of));
    }

    fn number(&mut self, name: &str, point: &NumberDataPoint) {
        self.points += 1;
        let value = match point.value.unwrap() {
            Number::AsDouble(value) => value,
            #[expect(clippy::cast_precision_loss)]
            Number::AsInt(value) => value as f64,
        };
        let at = (point.start_time_unix_nano, point.time_unix_nano, value);
        self.add(name.to_owned(), &point.attributes, None, at, None);
    }

    fn histogram(&mut self, name: &str, point: &HistogramDataPoint) {
        self.points += 1;
        let (began, time) = (point.start_time_unix_nano, point.time_unix_nano);
        let bounds = point.explicit_bounds.iter().copied();
        let bounds = bounds.chain([f64::INFINITY]);
        assert_eq!(point.bucket_counts.len(), point.explicit_bounds.len() + 1);
        let (mut up_to, mut exemplars) = (0, 0);
        let mut below = f64::NEG_INFINITY;
        for (bound, count) in bounds.zip(&point.bucket_counts) {
            up_to += count;
            let value_of = |one: &OtlpExemplar| match one.value {
                Some(ExemplarValue::AsDouble(value)) => value,
                _ => panic!("{one:?}"),
            };
            let mut within = point.exemplars.iter();
            let within = within.find(|one| value_of(one) > below && value_of(one) <= bound);
            exemplars += usize::from(within.is_some());
            below = bound;
            let at = (began, time, float(up_to));
            let (name, le) = (format!("{name}_bucket"), Some(("le", bound)));
            self.add(name, &point.attributes, le, at, within);
        }
        assert_eq!(exemplars, point.exemplars.len());
        assert_eq!(up_to, point.count);
        let of_all = [("_sum", point.sum.unwrap()), ("_count", float(point.count))];
        for (suffix, value) in of_all {
            let (name, at) = (format!("{name}{suffix}"), (began, time, value));
            self.add(name, &point.attributes, None, at, None);
        }
    }

    fn summary(&mut self, name: &str, point: &SummaryDataPoint) {
        self.points += 1;
        let (began, time) = (point.start_time_unix_nano, point.time_unix_nano);
        for one in &point.quantile_values {
            let quantile = Some(("quantile", one.quantile()));
            let at = (began, time, one.value());
            self.add(name.to_owned(), &point.attributes, quantile, at, None);
        }
        for (suffix, value) in [("_sum", point.sum()), ("_count", float(point.count))] {
            let name = format!("{name}{suffix}");
            self.add(name, &point.attributes, None, (began, time, value), None);
        }
    }
}

fn text(pair: &KeyValue) -> String {
    match pair.value.as_ref().and_then(|any| any.value.as_ref()) {
        Some(Any::String(text)) => text.clone(),
        other => panic!("{other:?}"),
    }
}

fn exemplar_of(exemplar: &OtlpExemplar) -> Exemplar {
    let Some(ExemplarValue::AsDouble(value)) = exemplar.value else {
        panic!("{exemplar:?}")
    };
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    #[expect(clippy::cast_possible_wrap)]
    let timestamp = (exemplar.time_unix_nano / 1_000_000) as i64;
    Exemplar {
        labels: vec![
            ("trace_id".to_owned(), hex(&exemplar.trace_id)),
            ("span_id".to_owned(), hex(&exemplar.span_id)),
        ],
        value: Value::new(value),
        timestamp: Some(timestamp),
    }
}

#[expect(clippy::cast_precision_loss)]
fn float(count: u64) -> f64 {
    count as f64
}
