//! What some histograms hold together.

use std::{collections::BTreeMap, time::Duration};

use super::super::super::{Native, NativeHistogram};

/// The samples of some histograms.
#[derive(Debug)]
pub(super) struct Samples {
    pub(super) native: Native,
    /// In nanoseconds or tokens.
    pub(super) sum: u128,
    /// When the first of them began at 0, since the Unix epoch.
    pub(super) began: Duration,
}

impl Samples {
    pub(super) fn of<'a>(histograms: impl Iterator<Item = &'a NativeHistogram>) -> Self {
        let all = histograms.map(|histogram| Self {
            native: histogram.native(),
            sum: histogram.samples(),
            began: histogram.created(),
        });
        // Most are alone.
        all.reduce(Self::with).unwrap_or_else(|| Self {
            native: Native::NONE,
            sum: 0,
            began: Duration::ZERO,
        })
    }

    fn with(mut self, other: Self) -> Self {
        let mut buckets: BTreeMap<_, _> = self.native.buckets.into_iter().collect();
        for (number, count) in other.native.buckets {
            *buckets.entry(number).or_default() += count;
        }
        self.native.buckets = buckets.into_iter().collect();
        self.native.zero_count += other.native.zero_count;
        self.sum += other.sum;
        self.began = self.began.min(other.began);
        self
    }
}
