//! OTLP: the series as the points of a request, in the terms of OpenTelemetry.
//!
//! Whoever has points of its own for another scope writes them into the same [`Request`].

mod attributes;
mod delta;
mod foreign;
mod gen_ai;
mod histograms;
mod points;
mod request;

use prometheus::proto::MetricFamily;

pub(super) use self::attributes::Rendered;
pub(crate) use self::{
    delta::Totals,
    gen_ai::View as GenAiView,
    request::{Request, Settings},
};
use self::{
    histograms::{Buckets, Sum},
    points::Number,
};
use super::{Counter, Gauge, Histogram, Visitor, text, wire::Message};
use crate::catalogue::{Family, Kind};

/// Writes series as points, under the names by which they are scraped.
#[derive(Debug)]
pub(crate) struct OtlpWriter<'a, 'b> {
    request: &'a mut Request<'b>,
    family: Option<&'static Family>,
    /// The samples in each bucket of a histogram alone.
    counts: Vec<u64>,
}

impl<'a, 'b> OtlpWriter<'a, 'b> {
    pub(crate) fn new(request: &'a mut Request<'b>) -> Self {
        Self {
            request,
            family: None,
            counts: Vec::new(),
        }
    }

    /// A family of a collector that is not ours.
    pub(crate) fn foreign(&mut self, family: &MetricFamily) {
        foreign::family(self.request, family);
    }
}

impl Visitor for OtlpWriter<'_, '_> {
    fn family(&mut self, family: &'static Family) {
        self.family = Some(family);
        let unit = unit(family.name, family.kind == Kind::Counter);
        self.request.metric(family.name, family.help, unit);
    }

    fn counter(&mut self, counter: &Counter) {
        let labels = counter.labels();
        self.request
            .counter(labels.attributes(), labels.began(), counter.get());
    }

    fn gauge(&mut self, gauge: &Gauge) {
        let value = Number::Int(gauge.get());
        self.request.gauge(gauge.labels().attributes(), value);
    }

    fn histogram(&mut self, histogram: &Histogram) {
        self.counts.clear();
        let first = if self.request.settings.exponential {
            histogram.native_counts(&mut self.counts)
        } else {
            None
        };
        let buckets = if let Some(first) = first {
            Buckets::Exponential(&self.counts, first)
        } else {
            self.counts.extend(histogram.counts());
            Buckets::Explicit(&self.counts, histogram.bounds())
        };
        self.request.histogram(
            histogram.labels().attributes(),
            histogram.labels().began(),
            buckets,
            Sum::Samples(histogram.samples(), histogram.unit()),
            histogram.exemplars().map(|(_, exemplar)| exemplar),
        );
    }

    fn reading(&mut self, value: f64) {
        let family = self.family.expect("readings come after their family");
        if family.kind == Kind::Counter {
            let began = self.request.settings.process_began;
            self.request.counter_reading(began, value);
        } else {
            self.request.gauge(&[], Number::Double(value));
        }
    }
}

/// The fields of a `ResourceMetrics` that say whose they are.
pub(crate) fn resource<'a>(attributes: impl Iterator<Item = (&'a str, &'a str)>) -> Vec<u8> {
    let mut out = Message::default();
    out.message(1, |resource| {
        for (name, value) in attributes {
            attributes::attribute(resource, 1, name, value);
        }
    });
    out.into_bytes()
}

/// The unit in the terms of UCUM, by what the name ends in: receivers that add it to the name find it there. They do not
/// know what others stand for, and would add those.
fn unit(name: &str, is_counter: bool) -> &'static str {
    let stem = if is_counter {
        name.strip_suffix("_total").unwrap_or(name)
    } else {
        name
    };
    match text::unit(stem) {
        Some("seconds") => "s",
        Some("bytes") => "By",
        _ => "",
    }
}
