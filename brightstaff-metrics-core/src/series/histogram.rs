use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use super::{Children, LabelSet, Visitor};
use crate::{
    buckets::{Bounds, Buckets},
    catalogue::{Family, Kind},
};

/// Samples in buckets, and their sum. Samples are whole numbers: nanoseconds, or tokens.
///
/// The count is the sum of the buckets, so that `_count` and the bucket of `+Inf` are the same in every
/// scrape, whatever is recorded meanwhile.
#[derive(Debug)]
pub(crate) struct Histogram {
    labels: LabelSet,
    bounds: Arc<Bounds>,
    /// Samples in each bucket alone; the last is that of `+Inf`.
    buckets: Box<[AtomicU64]>,
    sum: Sum,
}

impl Histogram {
    pub(crate) fn new(family: &Family, values: &[&str], buckets: &Buckets) -> Self {
        let Kind::Histogram(set) = family.kind else {
            unreachable!("{} is no histogram", family.name)
        };
        let bounds = buckets.get(set);
        Self {
            labels: LabelSet::new(family, values),
            buckets: (0..=bounds.len()).map(|_| AtomicU64::new(0)).collect(),
            bounds: Arc::clone(bounds),
            sum: Sum::default(),
        }
    }

    /// One sample, in the unit of the bounds: nanoseconds, or tokens.
    #[inline]
    pub(crate) fn observe(&self, sample: u64) {
        self.buckets[self.bounds.bucket_of(sample)].fetch_add(1, Ordering::Relaxed);
        self.sum.add(sample);
    }

    /// The upper bounds, that of `+Inf` aside, each with the number of samples up to it; and the number of all.
    pub(crate) fn cumulated(&self) -> (impl Iterator<Item = (f64, u64)>, u64) {
        let mut counts = Vec::with_capacity(self.buckets.len());
        let all = self.each_bucket(|_, count| counts.push(count));
        (self.bounds.iter().zip(counts), all)
    }

    /// Gives each upper bound as text, `+Inf` the last, with the number of samples up to it. Tells the number
    /// of all.
    pub(crate) fn each_bucket(&self, mut each: impl FnMut(&str, u64)) -> u64 {
        let mut sum = 0;
        for (le, bucket) in self.bounds.rendered().zip(&self.buckets) {
            sum += bucket.load(Ordering::Relaxed);
            each(le, sum);
        }
        sum
    }

    /// The sum of all samples, in seconds or tokens.
    pub(crate) fn sum(&self) -> f64 {
        self.bounds.unit().of(self.sum.get())
    }

    pub(crate) fn labels(&self) -> &LabelSet {
        &self.labels
    }
}

impl Children for Histogram {
    fn visit(&self, visitor: &mut dyn Visitor) {
        visitor.histogram(self);
    }
}

/// A sum that does not wrap: ten thousand streams at once fill 64 bits of nanoseconds in three weeks.
///
/// Its two parts only rise, each by itself, and so does their sum, whatever is added while it is read.
#[derive(Debug, Default)]
struct Sum {
    /// Of the low bits of each sample: full after 2^44 samples.
    low: AtomicU64,
    /// Of the others, `LOW_BITS` lower.
    high: AtomicU64,
}

/// A millisecond in nanoseconds.
const LOW_BITS: u32 = 20;

impl Sum {
    #[inline]
    fn add(&self, sample: u64) {
        let high = sample >> LOW_BITS;
        self.low
            .fetch_add(sample & !(u64::MAX << LOW_BITS), Ordering::Relaxed);
        if high > 0 {
            self.high.fetch_add(high, Ordering::Relaxed);
        }
    }

    fn get(&self) -> u128 {
        let [low, high] =
            [&self.low, &self.high].map(|part| u128::from(part.load(Ordering::Relaxed)));
        (high << LOW_BITS) + low
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue as c;

    #[test]
    fn a_sample_at_a_bound_is_below_it() {
        let histogram = Histogram::new(&c::ROUTER_DECISION_DURATION, &["llm"], &Buckets::default());
        for nanos in [5_000, 5_001, 100_000_000, 100_000_001, 5_000_000_001] {
            histogram.observe(nanos);
        }
        let (buckets, all) = histogram.cumulated();
        let buckets: Vec<_> = buckets.collect();
        let up_to = |bound| buckets.iter().find(|(le, _)| *le == bound).unwrap().1;
        assert_eq!(up_to(0.000_005), 1);
        assert_eq!(up_to(0.000_01), 2);
        assert_eq!((up_to(0.05), up_to(0.1), up_to(0.5)), (2, 3, 4));
        assert_eq!((up_to(5.0), all), (4, 5));
        assert_eq!(histogram.sum(), 5.200_010_003);
    }

    #[test]
    fn a_sum_goes_past_64_bits() {
        let sum = Sum::default();
        let samples = [u64::MAX, 1, u64::MAX, (1 << 20) - 1, 1 << 20, 0, u64::MAX];
        let mut exact = 0;
        for sample in samples {
            sum.add(sample);
            exact += u128::from(sample);
            assert_eq!(sum.get(), exact);
        }
    }
}
