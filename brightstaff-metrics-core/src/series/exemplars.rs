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

/// The latest exemplar of each bucket.
#[derive(Debug)]
pub(super) struct Exemplars(Box<[SequenceLock<WORDS>]>);

/// The trace, two; the span; the sample; the time.
const WORDS: usize = 5;

impl Exemplars {
    pub(super) fn new(buckets: usize) -> Self {
        Self((0..buckets).map(|_| SequenceLock::new()).collect())
    }

    pub(super) fn put(&self, bucket: usize, sample: u64, trace: TraceContext, at: WallTime) {
        let ([high, low], span) = trace.words();
        self.0[bucket].write([high, low, span, sample, at.as_nanos()]);
    }

    /// The sample, the trace, and when.
    pub(super) fn get(&self, bucket: usize) -> Option<(u64, TraceContext, WallTime)> {
        let [high, low, span, sample, at] = self.0.get(bucket)?.read()?;
        let trace = TraceContext::of_words([high, low], span)?;
        Some((sample, trace, WallTime::from_nanos(at)))
    }
}
