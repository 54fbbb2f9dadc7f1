//! Prometheus' protobuf format: messages `io.prometheus.client.MetricFamily`, each behind its length. The field
//! numbers are those of [client_model](https://github.com/prometheus/client_model/blob/v0.6.2/io/prometheus/client/metrics.proto).

mod foreign;
mod histogram;

use std::{
    io::{self, Write},
    time::Duration,
};

use prometheus::proto::MetricFamily;

use super::{Counter, Gauge, Histogram, LabelSet, Visitor, text, wire::Message};
use crate::catalogue::{Family, Kind};

/// Writes series as messages, family by family: the length of a message stands before it, so that a family is held
/// until its last child is known.
pub(crate) struct ProtobufWriter<'a> {
    out: &'a mut dyn Write,
    family: Option<&'static Family>,
    /// The children of this family so far.
    metrics: Message,
    /// The first error of the output, after which nothing is written.
    failed: Option<io::Error>,
}

/// `MetricType`.
#[derive(Clone, Copy)]
enum Type {
    Counter = 0,
    Gauge = 1,
    Summary = 2,
    Untyped = 3,
    Histogram = 4,
}

impl<'a> ProtobufWriter<'a> {
    pub(crate) fn new(out: &'a mut dyn Write) -> Self {
        Self {
            out,
            family: None,
            metrics: Message::default(),
            failed: None,
        }
    }

    /// A family of a collector that is not ours.
    pub(crate) fn foreign(&mut self, family: &MetricFamily) {
        self.close();
        for metric in family.get_metric() {
            self.metrics
                .message(METRIC, |message| foreign::metric(message, family, metric));
        }
        self.deliver(family.name(), family.help(), foreign::type_of(family));
    }

    /// Nothing follows.
    pub(crate) fn finish(mut self) -> io::Result<()> {
        self.close();
        self.failed.map_or(Ok(()), Err)
    }

    /// Delivers the family that was begun, if it has children.
    fn close(&mut self) {
        if let Some(family) = self.family.take() {
            let kind = match family.kind {
                Kind::Counter => Type::Counter,
                Kind::Gauge => Type::Gauge,
                Kind::Histogram(_) => Type::Histogram,
            };
            self.deliver(family.name, family.help, kind);
        }
    }

    fn deliver(&mut self, name: &str, help: &str, kind: Type) {
        let mut head = Message::default();
        head.string(NAME, name);
        head.string(HELP, help);
        head.unsigned(TYPE, kind as u64);
        // Prometheus refuses a unit that the name does not end in; a counter's `_total` may stand behind it.
        let stem = match kind {
            Type::Counter => name.strip_suffix("_total").unwrap_or(name),
            _ => name,
        };
        let mut tail = Message::default();
        if let Some(unit) = text::unit(stem) {
            tail.string(UNIT, unit);
        }
        let parts = [&head, &self.metrics, &tail].map(Message::as_bytes);
        if !parts[1].is_empty() && self.failed.is_none() {
            let mut len = Message::default();
            len.varint(parts.iter().map(|part| part.len() as u64).sum());
            let mut parts = [len.as_bytes()].into_iter().chain(parts);
            self.failed = parts.find_map(|part| self.out.write_all(part).err());
        }
        self.metrics.clear();
    }

    fn child(&mut self, labels: &LabelSet, write: impl FnOnce(&mut Message)) {
        self.metrics.message(METRIC, |metric| {
            for (name, value) in labels.iter() {
                label(metric, name, &value);
            }
            write(metric);
        });
    }
}

// Counts stay far below 2^52, above which a float skips some.
#[expect(clippy::cast_precision_loss)]
impl Visitor for ProtobufWriter<'_> {
    fn family(&mut self, family: &'static Family) {
        self.close();
        self.family = Some(family);
    }

    fn counter(&mut self, counter: &Counter) {
        let value = counter.get() as f64;
        self.child(counter.labels(), |metric| {
            metric.message(COUNTER, |message| {
                message.double(VALUE, value);
                timestamp(message, CREATED, counter.created());
            });
        });
    }

    fn gauge(&mut self, gauge: &Gauge) {
        let value = gauge.get() as f64;
        self.child(gauge.labels(), |metric| {
            metric.message(GAUGE, |message| message.double(VALUE, value));
        });
    }

    fn histogram(&mut self, histogram: &Histogram) {
        self.child(histogram.labels(), |metric| {
            metric.message(HISTOGRAM, |message| {
                histogram::histogram(message, histogram);
            });
        });
    }

    fn reading(&mut self, value: f64) {
        let family = self.family.expect("readings come after their family");
        let kind = match family.kind {
            Kind::Counter => COUNTER,
            _ => GAUGE,
        };
        self.metrics.message(METRIC, |metric| {
            metric.message(kind, |message| message.double(VALUE, value));
        });
    }
}

fn label(metric: &mut Message, name: &str, value: &str) {
    metric.message(LABEL, |pair| {
        pair.string(1, name);
        pair.string(2, value);
    });
}

/// A `google.protobuf.Timestamp`, of what has passed since the Unix epoch.
fn timestamp(message: &mut Message, field: u32, since_epoch: Duration) {
    message.message(field, |message| {
        message.unsigned(1, since_epoch.as_secs());
        message.unsigned(2, since_epoch.subsec_nanos().into());
    });
}

// Of a `MetricFamily`.
const NAME: u32 = 1;
const HELP: u32 = 2;
const TYPE: u32 = 3;
const METRIC: u32 = 4;
const UNIT: u32 = 5;

// Of a `Metric`.
const LABEL: u32 = 1;
const GAUGE: u32 = 2;
const COUNTER: u32 = 3;
const SUMMARY: u32 = 4;
const UNTYPED: u32 = 5;
const TIMESTAMP_MS: u32 = 6;
const HISTOGRAM: u32 = 7;

/// Of a `Counter`, a `Gauge` and an `Untyped`.
const VALUE: u32 = 1;

/// Of a `Counter`.
const CREATED: u32 = 3;

// Of a `Histogram` and a `Summary`.
const SAMPLE_COUNT: u32 = 1;
const SAMPLE_SUM: u32 = 2;
