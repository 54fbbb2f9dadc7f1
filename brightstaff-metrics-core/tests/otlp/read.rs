//! The points of a request, one by one.

use std::collections::BTreeMap;

use brightstaff_metrics_core::otlp::Export;

use crate::model::{
    self, Any, Data, Exemplar, ExponentialHistogramDataPoint, HistogramDataPoint, KeyValue, Metric,
    Number, NumberDataPoint, SummaryDataPoint, Temporality,
};

#[derive(Clone, Debug, PartialEq)]
pub struct Point {
    pub name: String,
    pub attributes: BTreeMap<String, String>,
    pub start: u64,
    pub time: u64,
    pub temporality: Option<Temporality>,
    pub value: Value,
    pub exemplars: Vec<Exemplar>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    Int(i64),
    Double(f64),
    Explicit {
        counts: Vec<u64>,
        bounds: Vec<f64>,
        sum: f64,
    },
    /// Those buckets that hold something, by the number that OpenTelemetry gives each.
    Exponential {
        zero: u64,
        counts: BTreeMap<i32, u64>,
        sum: f64,
    },
    Summary,
}

/// By what the series of a point is told from others.
pub type Series = (String, BTreeMap<String, String>);

impl Point {
    pub fn series(&self) -> Series {
        (self.name.clone(), self.attributes.clone())
    }

    pub fn is(&self, name: &str, attributes: &[(&str, &str)]) -> bool {
        let has =
            |(key, value): &(&str, &str)| self.attributes.get(*key).is_some_and(|is| is == value);
        self.name == name && attributes.iter().all(has)
    }
}

/// All points, and whether the export counts them right.
pub fn points(export: &Export) -> Vec<Point> {
    let request = model::decode(export.body());
    let resources = request.resource_metrics.iter();
    let scopes = resources.flat_map(|resource| &resource.scope_metrics);
    let points: Vec<_> = scopes
        .flat_map(|scope| &scope.metrics)
        .flat_map(of_metric)
        .collect();
    assert_eq!(points.len(), export.points());
    points
}

/// The one point that is so.
#[track_caller]
pub fn one<'a>(points: &'a [Point], name: &str, attributes: &[(&str, &str)]) -> &'a Point {
    let mut found = points.iter().filter(|point| point.is(name, attributes));
    let first = found.next();
    assert!(
        found.next().is_none(),
        "{name} {attributes:?} is there twice"
    );
    first.unwrap_or_else(|| panic!("no {name} {attributes:?}"))
}

fn of_metric(metric: &Metric) -> Vec<Point> {
    let data = metric.data.as_ref().unwrap();
    let temporality = match data {
        Data::Sum(data) => Some(data.aggregation_temporality()),
        Data::Histogram(data) => Some(data.aggregation_temporality()),
        Data::ExponentialHistogram(data) => Some(data.aggregation_temporality()),
        Data::Gauge(_) | Data::Summary(_) => None,
    };
    let point = |attributes: &[KeyValue], (start, time), value, exemplars: &[Exemplar]| Point {
        name: metric.name.clone(),
        attributes: texts(attributes),
        start,
        time,
        temporality,
        value,
        exemplars: exemplars.to_vec(),
    };
    let number = |of: &NumberDataPoint| {
        let value = match of.value.unwrap() {
            Number::AsInt(value) => Value::Int(value),
            Number::AsDouble(value) => Value::Double(value),
        };
        let times = (of.start_time_unix_nano, of.time_unix_nano);
        point(&of.attributes, times, value, &of.exemplars)
    };
    let histogram = |of: &HistogramDataPoint| {
        let times = (of.start_time_unix_nano, of.time_unix_nano);
        point(&of.attributes, times, explicit(of), &of.exemplars)
    };
    let exponential = |of: &ExponentialHistogramDataPoint| {
        let times = (of.start_time_unix_nano, of.time_unix_nano);
        point(&of.attributes, times, exponential(of), &of.exemplars)
    };
    let summary = |of: &SummaryDataPoint| {
        let times = (of.start_time_unix_nano, of.time_unix_nano);
        point(&of.attributes, times, Value::Summary, &[])
    };
    match data {
        Data::Sum(data) => data.data_points.iter().map(number).collect(),
        Data::Gauge(data) => data.data_points.iter().map(number).collect(),
        Data::Histogram(data) => data.data_points.iter().map(histogram).collect(),
        Data::ExponentialHistogram(data) => data.data_points.iter().map(exponential).collect(),
        Data::Summary(data) => data.data_points.iter().map(summary).collect(),
    }
}

fn explicit(point: &HistogramDataPoint) -> Value {
    assert_eq!(point.count, point.bucket_counts.iter().sum::<u64>());
    assert_eq!(point.bucket_counts.len(), point.explicit_bounds.len() + 1);
    Value::Explicit {
        counts: point.bucket_counts.clone(),
        bounds: point.explicit_bounds.clone(),
        sum: point.sum.unwrap(),
    }
}

fn exponential(point: &ExponentialHistogramDataPoint) -> Value {
    assert_eq!(point.scale, 3);
    assert!(point.negative.is_none() && point.zero_threshold < 1e-9);
    let mut counts = BTreeMap::new();
    if let Some(positive) = &point.positive {
        let numbers = positive.offset..;
        counts.extend(numbers.zip(positive.bucket_counts.iter().copied()));
        // No more of them than there need be.
        assert!(positive.bucket_counts[0] > 0 && *positive.bucket_counts.last().unwrap() > 0);
    }
    counts.retain(|_, count| *count > 0);
    assert_eq!(point.count, point.zero_count + counts.values().sum::<u64>());
    Value::Exponential {
        zero: point.zero_count,
        counts,
        sum: point.sum.unwrap(),
    }
}

pub fn texts(attributes: &[KeyValue]) -> BTreeMap<String, String> {
    let text = |pair: &KeyValue| match pair.value.as_ref().and_then(|any| any.value.as_ref()) {
        Some(Any::String(text)) => (pair.key.clone(), text.clone()),
        other => panic!("{other:?}"),
    };
    let texts: BTreeMap<_, _> = attributes.iter().map(text).collect();
    assert_eq!(texts.len(), attributes.len(), "a key stands twice");
    texts
}
