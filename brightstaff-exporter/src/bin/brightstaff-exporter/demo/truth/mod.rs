//! What the metrics have to say, computed from what the simulated providers and the clients know.
//!
//! Counts and sizes are exact. Of a duration neither of the two knows the gateway's own instants,
//! but they stand on both sides of it: what the gateway starts and ends lies between what the client
//! and what the provider saw, in the order in which one caused the other. So every duration has a
//! lower and an upper bound that hold whatever the scheduler does, and a mean has them, too.

mod http;
mod routing;
mod upstream;

use std::{collections::BTreeMap, time::Instant};

use serde::Serialize;

use super::{client::Seen, order::Order};
use crate::{exposition::Labels, sim::Call};

/// One request, and what its client saw.
#[derive(Clone, Debug)]
pub(crate) struct Made {
    pub(crate) order: Order,
    pub(crate) seen: Seen,
}

/// The truth, family by family.
#[derive(Clone, Debug, Default)]
pub(crate) struct Truth(BTreeMap<&'static str, BTreeMap<Labels, Value>>);

/// Tells the truth, request by request, in the order in which they were dealt.
#[derive(Clone, Debug, Default)]
pub(crate) struct Teller {
    pub(super) truth: Truth,
    pins: routing::Pins,
}

impl Teller {
    /// What one request, and its calls in their order, leave behind.
    pub(super) fn tell(&mut self, made: &Made, attempts: &[&Call]) {
        let Self { truth, pins } = self;
        http::add(truth, made, attempts);
        upstream::add(truth, made, attempts);
        routing::add(truth, pins, made, attempts);
        routing::add_offline(truth, made, attempts);
    }
}

/// The truth of one series.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub(crate) enum Value {
    /// A counter or a gauge.
    Count(u64),
    /// A histogram of whole numbers: how many, and their sum.
    Sizes { count: u64, sum: u64 },
    /// A histogram of seconds: how many, and between what their sum lies.
    Times { count: u64, least: f64, most: f64 },
}

impl Value {
    /// How many samples, or the count itself.
    pub(crate) fn count(self) -> u64 {
        match self {
            Self::Count(count) | Self::Sizes { count, .. } | Self::Times { count, .. } => count,
        }
    }

    fn add(&mut self, other: Self) {
        match (self, other) {
            (Self::Count(count), Self::Count(more)) => *count += more,
            (
                Self::Sizes { count, sum },
                Self::Sizes {
                    count: more,
                    sum: size,
                },
            ) => {
                *count += more;
                *sum += size;
            }
            (
                Self::Times { count, least, most },
                Self::Times {
                    count: more,
                    least: low,
                    most: high,
                },
            ) => {
                *count += more;
                *least += low;
                *most += high;
            }
            (this, other) => unreachable!("one family is of one kind: {this:?}, {other:?}"),
        }
    }
}

impl Truth {
    pub(crate) fn get(&self, family: &str, labels: &Labels) -> Option<Value> {
        self.0.get(family)?.get(labels).copied()
    }

    /// The series of one family; none where nothing happened.
    pub(crate) fn series(&self, family: &str) -> impl Iterator<Item = (&Labels, Value)> {
        let series = self.0.get(family).into_iter().flatten();
        series.map(|(labels, value)| (labels, *value))
    }

    fn count<const N: usize>(&mut self, family: &'static str, labels: [(&str, &str); N], by: u64) {
        self.add(family, labels, Value::Count(by));
    }

    fn size<const N: usize>(&mut self, family: &'static str, labels: [(&str, &str); N], size: u64) {
        self.add(
            family,
            labels,
            Value::Sizes {
                count: 1,
                sum: size,
            },
        );
    }

    fn time<const N: usize>(
        &mut self,
        family: &'static str,
        labels: [(&str, &str); N],
        took: Span,
    ) {
        let (count, least, most) = (1, took.least, took.most);
        self.add(family, labels, Value::Times { count, least, most });
    }

    pub(crate) fn add<const N: usize>(
        &mut self,
        family: &'static str,
        labels: [(&str, &str); N],
        value: Value,
    ) {
        let series = self.0.entry(family).or_default();
        series
            .entry(Labels::new(labels))
            .and_modify(|sum| sum.add(value))
            .or_insert(value);
    }
}

/// An instant that is only known to lie between two.
#[derive(Clone, Copy, Debug)]
struct Between {
    earliest: Instant,
    latest: Instant,
}

impl Between {
    fn new(earliest: Instant, latest: Instant) -> Self {
        Self {
            earliest,
            latest: latest.max(earliest),
        }
    }
}

/// Seconds that are only known to lie between two.
#[derive(Clone, Copy, Debug)]
struct Span {
    least: f64,
    most: f64,
}

impl Span {
    fn from(start: Between, end: Between) -> Self {
        let seconds = |from: Instant, to: Instant| to.saturating_duration_since(from).as_secs_f64();
        Self {
            least: seconds(start.latest, end.earliest),
            most: seconds(start.earliest, end.latest),
        }
    }

    fn divided(self, by: u64) -> Self {
        // Token counts are far below 2^52.
        #[expect(clippy::cast_precision_loss)]
        let by = by as f64;
        Self {
            least: self.least / by,
            most: self.most / by,
        }
    }
}

#[cfg(test)]
mod tests;
