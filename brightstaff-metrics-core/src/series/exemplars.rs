use std::time::Duration;

use super::sequence_lock::SequenceLock;
use crate::{clock::WallTime, trace::TraceContext};

/// A sample that fell into a bucket, and the trace that it came from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Exemplar {
    /// In seconds or tokens.
    pub(crate) value: f64,
    pub(crate) trace: TraceContext,
    /// When it was recorded, since the Unix epoch.
    pub(crate) at: Duration,
}

/// Where and when a sample comes from that is to be an exemplar.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Traced {
    pub(crate) trace: TraceContext,
    pub(crate) at: WallTime,
}

/// The latest exemplar of each bucket.
#[derive(Debug)]
pub(super) struct Exemplars(Box<[SequenceLock<WORDS>]>);

/// The trace, two; the span; the sample; the time.
const WORDS: usize = 5;

impl Exemplars {
    pub(super) fn new(buckets: usize) -> Self {
        Self((0..buckets).map(|_| SequenceLock::new()).collect())
    }

    pub(super) fn put(&self, bucket: usize, sample: u64, traced: Traced) {
        let ([high, low], span) = traced.trace.words();
        self.0[bucket].write([high, low, span, sample, traced.at.as_nanos()]);
    }

    /// The sample, and where it came from.
    pub(super) fn get(&self, bucket: usize) -> Option<(u64, Traced)> {
        let [high, low, span, sample, at] = self.0.get(bucket)?.read()?;
        let trace = TraceContext::of_words([high, low], span)?;
        let at = WallTime::from_nanos(at);
        Some((sample, Traced { trace, at }))
    }
}
