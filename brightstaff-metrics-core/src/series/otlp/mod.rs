//! OTLP: the series as data points of OpenTelemetry.

mod attributes;
mod gen_ai;
mod request;

use std::time::Duration;

use self::{
    attributes::Attributes,
    request::{Data, Number, Temporality},
};
pub(crate) use self::{gen_ai::View as GenAiView, request::Request};
use super::{Counter, Gauge, Histogram, LabelSet, Visitor, text, wire::Message};
use crate::catalogue::{Family, Kind};

/// Writes series as the points of a scope.
#[derive(Debug)]
pub(crate) struct OtlpWriter<'a> {
    request: &'a mut Request,
    family: Option<&'static Family>,
    attributes: Attributes,
    /// The samples in each bucket alone.
    counts: Vec<u64>,
}

impl<'a> OtlpWriter<'a> {
    pub(crate) fn new(request: &'a mut Request) -> Self {
        Self {
            request,
            family: None,
            attributes: Attributes::default(),
            counts: Vec::new(),
        }
    }

    fn label(&mut self, labels: &LabelSet) {
        self.attributes.clear();
        for (name, value) in labels.iter() {
            self.attributes.add(name, &value);
        }
    }
}

impl Visitor for OtlpWriter<'_> {
    fn family(&mut self, family: &'static Family) {
        self.family = Some(family);
        let unit = unit(family.name, family.kind == Kind::Counter);
        self.request.metric(family.name, family.help, unit);
    }

    fn counter(&mut self, counter: &Counter) {
        self.label(counter.labels());
        let (began, value) = (nanos(counter.created()), whole(counter.get()));
        let kind = Data::Sum(Temporality::Cumulative);
        let attributes = self.attributes.as_bytes();
        self.request.number(kind, attributes, began, value);
    }

    fn gauge(&mut self, gauge: &Gauge) {
        self.label(gauge.labels());
        let (value, attributes) = (Number::Int(gauge.get()), self.attributes.as_bytes());
        self.request.number(Data::Gauge, attributes, 0, value);
    }

    fn histogram(&mut self, histogram: &Histogram) {
        self.label(histogram.labels());
        self.counts.clear();
        self.counts.extend(histogram.counts());
        self.request.histogram(
            Data::Histogram(Temporality::Cumulative),
            self.attributes.as_bytes(),
            nanos(histogram.created()),
            (&self.counts, histogram.bounds()),
            histogram.sum(),
        );
    }

    fn reading(&mut self, value: f64) {
        let is_counter = self
            .family
            .is_some_and(|family| family.kind == Kind::Counter);
        let kind = if is_counter {
            Data::Sum(Temporality::Cumulative)
        } else {
            Data::Gauge
        };
        self.request.number(kind, &[], 0, Number::Double(value));
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

/// The unit in the terms of UCUM, by what the name ends in.
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

/// Whole numbers are told as such: a float skips some above 2^53.
#[expect(clippy::cast_precision_loss)]
fn whole(count: u64) -> Number {
    i64::try_from(count).map_or(Number::Double(count as f64), Number::Int)
}

fn nanos(since_epoch: Duration) -> u64 {
    u64::try_from(since_epoch.as_nanos()).unwrap_or(u64::MAX)
}
