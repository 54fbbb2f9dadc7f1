//! An `ExportMetricsServiceRequest`, point by point. The field numbers are those of
//! [opentelemetry-proto](https://github.com/open-telemetry/opentelemetry-proto/blob/v1.9.0/opentelemetry/proto/metrics/v1/metrics.proto).

use super::super::wire::{Message, Open};

/// Writes a request: of one resource, scope by scope, metric by metric, point by point.
///
/// A metric is written once its first point comes: one without points is left out.
#[derive(Debug)]
pub(crate) struct Request {
    out: Message,
    /// Nanoseconds since the Unix epoch, of all points that have no time of their own.
    time: u64,
    resource: Open,
    scope: Option<Open>,
    /// What stands before the points of the metric that was named last.
    head: Message,
    metric: Option<OpenMetric>,
    points: usize,
}

#[derive(Debug)]
struct OpenMetric {
    metric: Open,
    data: Open,
    kind: Data,
}

/// What the points of a metric are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Data {
    Gauge,
    /// Of numbers that only rise.
    Sum(Temporality),
    Histogram(Temporality),
}

/// `AggregationTemporality`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Temporality {
    Cumulative = 2,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Number {
    Int(i64),
    Double(f64),
}

impl Request {
    /// The fields of its resource are written already.
    pub(crate) fn new(resource: &[u8], time: u64, capacity: usize) -> Self {
        let mut out = Message::with_capacity(capacity);
        let open = out.begin(RESOURCE_METRICS);
        out.fields(resource);
        Self {
            out,
            time,
            resource: open,
            scope: None,
            head: Message::default(),
            metric: None,
            points: 0,
        }
    }

    /// What follows, up to [`end_scope`](Self::end_scope), is of this scope.
    pub(crate) fn begin_scope(&mut self, name: &str, version: &str) {
        self.scope = Some(self.out.begin(SCOPE_METRICS));
        self.out.message(SCOPE, |scope| {
            scope.string(1, name);
            scope.string(2, version);
        });
    }

    /// Which conventions the scope follows is told by a schema, if there is one.
    pub(crate) fn end_scope(&mut self, schema_url: Option<&str>) {
        self.end_metric();
        if let Some(scope) = self.scope.take() {
            if let Some(url) = schema_url {
                self.out.string(SCHEMA_URL, url);
            }
            self.out.end(scope);
        }
    }

    /// The whole request, and how many points are in it.
    pub(crate) fn finish(mut self, schema_url: Option<&str>) -> (Vec<u8>, usize) {
        if let Some(url) = schema_url {
            self.out.string(SCHEMA_URL, url);
        }
        self.out.end(self.resource);
        (self.out.into_bytes(), self.points)
    }

    /// What follows are the points of this metric.
    pub(crate) fn metric(&mut self, name: &str, help: &str, unit: &str) {
        self.end_metric();
        self.head.clear();
        for (field, text) in [(NAME, name), (DESCRIPTION, help), (UNIT, unit)] {
            if !text.is_empty() {
                self.head.string(field, text);
            }
        }
    }

    /// Attributes are written by [`Attributes`](super::Attributes). Where nobody knows when it began, that is 0.
    pub(crate) fn number(&mut self, kind: Data, attributes: &[u8], began: u64, value: Number) {
        let time = self.time;
        let out = self.point(kind);
        let point = out.begin(POINT);
        interval(out, began, time);
        match value {
            Number::Int(value) => out.fixed(AS_INT, value.cast_unsigned()),
            Number::Double(value) => out.double(AS_DOUBLE, value),
        }
        out.fields(attributes);
        out.end(point);
    }

    /// The samples in each bucket alone, by their bounds, of which there is one less; and the sum of all.
    pub(crate) fn histogram(
        &mut self,
        kind: Data,
        attributes: &[u8],
        began: u64,
        (counts, bounds): (&[u64], &[f64]),
        sum: f64,
    ) {
        let time = self.time;
        let out = self.point(kind);
        let point = out.begin(POINT);
        interval(out, began, time);
        let count = counts.iter().sum::<u64>();
        if count > 0 {
            out.fixed(COUNT, count);
        }
        out.double(SUM, sum);
        out.packed(
            BUCKET_COUNTS,
            counts.iter().map(|count| count.to_le_bytes()),
        );
        out.packed(
            EXPLICIT_BOUNDS,
            bounds.iter().map(|bound| bound.to_le_bytes()),
        );
        let start = out.as_bytes().len();
        out.fields(attributes);
        super::attributes::renumber(out.tail(start), OF_HISTOGRAM);
        out.end(point);
    }

    /// Where the next point is written.
    fn point(&mut self, kind: Data) -> &mut Message {
        if self
            .metric
            .as_ref()
            .is_none_or(|metric| metric.kind != kind)
        {
            self.end_metric();
            let metric = self.out.begin(METRICS);
            self.out.fields(self.head.as_bytes());
            let data = self.out.begin(kind.field());
            self.metric = Some(OpenMetric { metric, data, kind });
        }
        self.points += 1;
        &mut self.out
    }

    fn end_metric(&mut self) {
        let Some(OpenMetric { metric, data, kind }) = self.metric.take() else {
            return;
        };
        if let Some(temporality) = kind.temporality() {
            self.out.unsigned(TEMPORALITY, temporality as u64);
        }
        if matches!(kind, Data::Sum(_)) {
            self.out.unsigned(IS_MONOTONIC, 1);
        }
        self.out.end(data);
        self.out.end(metric);
    }
}

impl Data {
    const fn field(self) -> u32 {
        match self {
            Self::Gauge => 5,
            Self::Sum(_) => 7,
            Self::Histogram(_) => 9,
        }
    }

    const fn temporality(self) -> Option<Temporality> {
        match self {
            Self::Gauge => None,
            Self::Sum(temporality) | Self::Histogram(temporality) => Some(temporality),
        }
    }
}

fn interval(out: &mut Message, began: u64, time: u64) {
    if began > 0 {
        out.fixed(START_TIME, began);
    }
    // A wall that shows an earlier time than before.
    out.fixed(TIME, time.max(began));
}

/// Of the request.
const RESOURCE_METRICS: u32 = 1;

// Of `ResourceMetrics` and `ScopeMetrics`.
const SCOPE_METRICS: u32 = 2;
const SCOPE: u32 = 1;
const METRICS: u32 = 2;
const SCHEMA_URL: u32 = 3;

// Of a `Metric`.
const NAME: u32 = 1;
const DESCRIPTION: u32 = 2;
const UNIT: u32 = 3;

// Of the data of a metric.
const POINT: u32 = 1;
const TEMPORALITY: u32 = 2;
const IS_MONOTONIC: u32 = 3;

// Of a point.
const START_TIME: u32 = 2;
const TIME: u32 = 3;
const AS_DOUBLE: u32 = 4;
const AS_INT: u32 = 6;

// Of the point of a histogram.
const COUNT: u32 = 4;
const SUM: u32 = 5;
const BUCKET_COUNTS: u32 = 6;
const EXPLICIT_BOUNDS: u32 = 7;
const OF_HISTOGRAM: u32 = 9;
