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

impl Default for Samples {
    fn default() -> Self {
        Self {
            counts: NO_COUNTS,
            sum: 0,
            began: u64::MAX,
            exemplars: Vec::new(),
        }
    }
}

impl Samples {
    /// Puts those of these histograms in the place of what it held.
    // What `impl Trait` asks for cannot be elided yet.
    #[allow(single_use_lifetimes)]
    pub(super) fn take<'a>(&mut self, histograms: impl Iterator<Item = &'a NativeHistogram>) {
        self.counts.fill(0);
        self.exemplars.clear();
        (self.sum, self.began) = (0, u64::MAX);
        for histogram in histograms {
            // The sum is read first, so that it is of no more than is counted.
            self.sum += histogram.samples();
            histogram.add_to(&mut self.counts);
            self.began = self.began.min(histogram.began());
            self.exemplars.extend(histogram.exemplars());
        }
    }

    pub(super) fn is_none(&self) -> bool {
        self.counts.iter().all(|count| *count == 0)
    }
}
