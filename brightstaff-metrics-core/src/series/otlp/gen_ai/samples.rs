//! What some histograms hold together.

use super::super::super::{
    Exemplar, NativeHistogram,
    native_histogram::{Counts, NO_COUNTS},
};

/// The samples of some histograms.
#[derive(Debug)]
pub(super) struct Samples {
    pub(super) counts: Counts,
    /// In nanoseconds or tokens.
    pub(super) sum: u128,
    /// When the first of them began at 0: nanoseconds since the Unix epoch.
    pub(super) began: u64,
    pub(super) exemplars: Vec<Exemplar>,
}

impl Samples {
    // What `impl Trait` asks for cannot be elided yet.
    #[allow(single_use_lifetimes)]
    pub(super) fn of<'a>(histograms: impl Iterator<Item = &'a NativeHistogram>) -> Self {
        let mut all = Self {
            counts: NO_COUNTS,
            sum: 0,
            began: u64::MAX,
            exemplars: Vec::new(),
        };
        for histogram in histograms {
            // The sum is read first, so that it is of no more than is counted.
            all.sum += histogram.samples();
            histogram.add_to(&mut all.counts);
            all.began = all.began.min(histogram.began());
            all.exemplars.extend(histogram.exemplars());
        }
        all
    }

    pub(super) fn is_none(&self) -> bool {
        self.counts.iter().all(|count| *count == 0)
    }
}
