//! An `ExportMetricsServiceRequest`: what stands around the points. The field numbers are those of
//! [opentelemetry-proto](https://github.com/open-telemetry/opentelemetry-proto/blob/v1.9.0/opentelemetry/proto/metrics/v1/metrics.proto).

use super::{
    super::wire::{Lengths, Message, Open, OpenLong},
    delta::{Deltas, Totals},
};

/// Writes a request: of one resource, scope by scope, metric by metric, point by point.
///
/// A metric is written once its first point comes: one without points is left out.
#[derive(Debug)]
pub(crate) struct Request<'a> {
    pub(super) out: Message,
    pub(super) settings: Settings,
    /// When what is told now was so.
    pub(super) time: u64,
    pub(super) deltas: Option<Deltas<'a>>,
    /// The counts of a histogram.
    pub(super) words: Vec<u64>,
    /// Of all messages around the points.
    lengths: Lengths,
    resource: OpenLong,
    scope: Option<OpenLong>,
    /// What stands before the points of the metric that was named last.
    head: Message,
    metric: Option<OpenMetric>,
    points: usize,
}

/// What holds for all points of a request. Times are nanoseconds since the Unix epoch.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Settings {
    /// When the request is made.
    pub(crate) time: u64,
    /// From when on counts of others are known.
    pub(crate) known_since: u64,
    /// When the process was started.
    pub(crate) process_began: u64,
    /// Whether counters that are read at this moment are told in deltas, where others are.
    pub(crate) delta_readings: bool,
    /// Whether histograms are told in exponential buckets, where they count in such.
    pub(crate) exponential: bool,
    pub(crate) exemplars: bool,
    /// Lets other threads in, every [`TURN_POINTS`].
    pub(crate) give_way: Option<fn()>,
}

/// How many points are written before others are let in: some 10 µs of work.
const TURN_POINTS: usize = 64;

/// A request that is written.
#[derive(Debug)]
pub(crate) struct Written {
    pub(crate) body: Vec<u8>,
    pub(crate) points: usize,
    /// What later deltas are taken from, where there are to be any.
    pub(crate) totals: Option<Totals>,
}

#[derive(Debug)]
struct OpenMetric {
    metric: OpenLong,
    data: OpenLong,
    kind: Data,
}

/// What the points of a metric are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Data {
    Gauge,
    /// Of numbers that only rise.
    Sum(Temporality),
    Histogram(Temporality),
    ExponentialHistogram(Temporality),
    Summary,
}

/// `AggregationTemporality`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Temporality {
    Delta = 1,
    Cumulative = 2,
}

impl<'a> Request<'a> {
    /// Written into this memory, which is empty; the fields of its resource are written already. Where there are totals
    /// of an export before, deltas are told from there on.
    pub(crate) fn new(
        memory: Vec<u8>,
        resource: &[u8],
        settings: Settings,
        before: Option<&'a Totals>,
    ) -> Self {
        let mut out = Message::in_memory(memory);
        let lengths = Lengths::default();
        let open = lengths.begin(&mut out, RESOURCE_METRICS);
        out.fields(resource);
        Self {
            out,
            settings,
            time: settings.time,
            deltas: before.map(|before| Deltas::new(before, settings.time)),
            words: Vec::new(),
            lengths,
            resource: open,
            scope: None,
            head: Message::default(),
            metric: None,
            points: 0,
        }
    }

    /// What follows, up to [`end_scope`](Self::end_scope), is of this scope.
    pub(crate) fn begin_scope(&mut self, name: &str, version: &str) {
        self.scope = Some(self.lengths.begin(&mut self.out, SCOPE_METRICS));
        self.out.message(SCOPE, |scope| {
            scope.string(1, name);
            scope.string(2, version);
        });
    }

    /// Which conventions the scope follows is told by a schema, if there is one.
    pub(crate) fn end_scope(&mut self, schema_url: Option<&str>) {
        self.end_metric();
        if let Some(scope) = self.scope.take() {
            self.schema(schema_url);
            self.lengths.end(&self.out, scope);
        }
    }

    /// The whole request; the schema is that of the resource.
    pub(crate) fn finish(mut self, schema_url: Option<&str>) -> Written {
        self.schema(schema_url);
        self.lengths.end(&self.out, self.resource);
        self.lengths.insert(&mut self.out);
        Written {
            body: self.out.into_bytes(),
            points: self.points,
            totals: self.deltas.map(Deltas::into_totals),
        }
    }

    fn schema(&mut self, url: Option<&str>) {
        if let Some(url) = url.filter(|url| !url.is_empty()) {
            self.out.string(SCHEMA_URL, url);
        }
    }

    /// What follows are the points of this metric. Its name stands in one scope alone: receivers make one metric of two.
    pub(crate) fn metric(&mut self, name: &str, help: &str, unit: &str) {
        self.end_metric();
        self.head.clear();
        for (field, text) in [(NAME, name), (DESCRIPTION, help), (UNIT, unit)] {
            if !text.is_empty() {
                self.head.string(field, text);
            }
        }
        if let Some(deltas) = &mut self.deltas {
            deltas.metric(name);
        }
    }

    /// Begins a point of the metric that was named last.
    pub(super) fn begin_point(&mut self, kind: Data) -> Open {
        self.begin_data(kind);
        self.out.begin(POINT)
    }

    /// The same for a point that is so long.
    pub(super) fn sized_point(&mut self, kind: Data, bytes: usize) {
        self.begin_data(kind);
        self.out.sized(POINT, bytes);
    }

    fn begin_data(&mut self, kind: Data) {
        self.points += 1;
        if self.points.is_multiple_of(TURN_POINTS)
            && let Some(give_way) = self.settings.give_way
        {
            give_way();
        }
        if self.metric.as_ref().is_none_or(|open| open.kind != kind) {
            self.end_metric();
            let metric = self.lengths.begin(&mut self.out, METRICS);
            self.out.fields(self.head.as_bytes());
            let data = self.lengths.begin(&mut self.out, kind.field());
            self.metric = Some(OpenMetric { metric, data, kind });
        }
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
        self.lengths.end(&self.out, data);
        self.lengths.end(&self.out, metric);
    }
}

impl Data {
    const fn field(self) -> u32 {
        match self {
            Self::Gauge => 5,
            Self::Sum(_) => 7,
            Self::Histogram(_) => 9,
            Self::ExponentialHistogram(_) => 10,
            Self::Summary => 11,
        }
    }

    const fn temporality(self) -> Option<Temporality> {
        match self {
            Self::Gauge | Self::Summary => None,
            Self::Sum(temporality)
            | Self::Histogram(temporality)
            | Self::ExponentialHistogram(temporality) => Some(temporality),
        }
    }
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
