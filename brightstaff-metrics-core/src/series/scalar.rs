use std::{
    sync::atomic::{AtomicI64, AtomicU64, Ordering},
    time::Duration,
};

use super::{Children, LabelSet, Visitor};

/// A number that only rises.
#[derive(Debug)]
pub(crate) struct Counter {
    labels: LabelSet,
    value: AtomicU64,
}

impl Counter {
    pub(crate) fn new(labels: LabelSet) -> Self {
        Self {
            labels,
            value: AtomicU64::new(0),
        }
    }

    #[inline]
    pub(crate) fn inc(&self) {
        self.add(1);
    }

    #[inline]
    pub(crate) fn add(&self, count: u64) {
        self.value.fetch_add(count, Ordering::Relaxed);
    }

    pub(crate) fn get(&self) -> u64 {
        self.value.load(Ordering::Relaxed)
    }

    /// When it began at 0, since the Unix epoch.
    pub(crate) fn created(&self) -> Duration {
        self.labels.created()
    }

    pub(crate) fn labels(&self) -> &LabelSet {
        &self.labels
    }
}

impl Children for Counter {
    fn visit(&self, visitor: &mut dyn Visitor) {
        visitor.counter(self);
    }
}

/// A number that rises and falls.
#[derive(Debug)]
pub(crate) struct Gauge {
    labels: LabelSet,
    value: AtomicI64,
}

impl Gauge {
    pub(crate) fn new(labels: LabelSet) -> Self {
        Self {
            labels,
            value: AtomicI64::new(0),
        }
    }

    #[inline]
    pub(crate) fn inc(&self) {
        self.value.fetch_add(1, Ordering::Relaxed);
    }

    #[inline]
    pub(crate) fn dec(&self) {
        self.value.fetch_sub(1, Ordering::Relaxed);
    }

    pub(crate) fn get(&self) -> i64 {
        self.value.load(Ordering::Relaxed)
    }

    pub(crate) fn labels(&self) -> &LabelSet {
        &self.labels
    }
}

impl Children for Gauge {
    fn visit(&self, visitor: &mut dyn Visitor) {
        visitor.gauge(self);
    }
}
