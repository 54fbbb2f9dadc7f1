use std::{
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use super::{
    Children, LabelSet, Visitor,
    exemplars::{Exemplar, Exemplars, Traced},
    native::{Cells, Native},
};
use crate::{
    buckets::{Bounds, Buckets, Le, Unit},
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
    /// Most have none of it.
    extra: OnceLock<Box<Extra>>,
}

/// What a histogram keeps only where it is wanted.
#[derive(Debug, Default)]
struct Extra {
    /// Where native histograms are switched on, from the first sample on.
    native: OnceLock<Box<Cells>>,
    /// From the first sample of a trace on.
    exemplars: OnceLock<Exemplars>,
}

/// What one message tells of a histogram: all of the same samples.
#[derive(Clone, Debug)]
pub(crate) struct Snapshot {
    /// The upper bounds, that of `+Inf` aside, each with the number of samples up to it. There are none where only
    /// native buckets are wanted.
    pub(crate) classic: Vec<(f64, u64)>,
    /// Where native histograms are switched on.
    pub(crate) native: Option<Native>,
    /// Of all samples: `+Inf`.
    pub(crate) count: u64,
}

impl Histogram {
    pub(crate) fn new(family: &Family, labels: LabelSet, buckets: &Buckets) -> Self {
        let Kind::Histogram(set) = family.kind else {
            unreachable!("{} is no histogram", family.name)
        };
        let bounds = buckets.get(set);
        Self {
            labels,
            buckets: (0..=bounds.len()).map(|_| AtomicU64::new(0)).collect(),
            bounds: Arc::clone(bounds),
            sum: Sum::default(),
            extra: OnceLock::new(),
        }
    }

    /// One sample, in the unit of the bounds: nanoseconds, or tokens.
    #[inline]
    pub(crate) fn observe(&self, sample: u64) {
        self.count(sample);
    }

    /// The same for a sample that, if it came from a trace, is the exemplar of its bucket from now on.
    #[inline]
    pub(crate) fn observe_traced(&self, sample: u64, traced: Option<&Traced>) {
        let bucket = self.count(sample);
        if let Some(traced) = traced {
            self.show(bucket, sample, traced);
        }
    }

    /// Counts a sample, and tells in which bucket.
    #[inline]
    fn count(&self, sample: u64) -> usize {
        // First in the native buckets, and last read there: see `snapshot`.
        if self.bounds.has_native() {
            self.count_natively(sample);
        }
        let bucket = self.bounds.bucket_of(sample);
        self.buckets[bucket].fetch_add(1, Ordering::Release);
        self.sum.add(sample);
        bucket
    }

    #[inline(never)]
    fn count_natively(&self, sample: u64) {
        let cells = self.extra().native.get_or_init(Box::default);
        cells.observe(self.bounds.unit(), sample);
    }

    #[inline(never)]
    fn show(&self, bucket: usize, sample: u64, traced: &Traced) {
        let exemplars = || Exemplars::new(self.buckets.len());
        let exemplars = self.extra().exemplars.get_or_init(exemplars);
        exemplars.put(bucket, sample, *traced);
    }

    fn extra(&self) -> &Extra {
        self.extra.get_or_init(Box::default)
    }

    /// The upper bounds, that of `+Inf` aside, each with the number of samples up to it; and the number of all.
    pub(crate) fn cumulated(&self) -> (impl Iterator<Item = (f64, u64)>, u64) {
        let mut counts = Vec::with_capacity(self.buckets.len());
        let all = self.each_bucket(|_, count| counts.push(count));
        (self.bounds.iter().zip(counts), all)
    }

    /// Gives each upper bound as text, `+Inf` the last, with the number of samples up to it. Tells the number
    /// of all.
    pub(crate) fn each_bucket(&self, mut each: impl FnMut(&Le, u64)) -> u64 {
        let mut sum = 0;
        for (le, bucket) in self.bounds.rendered().zip(&self.buckets) {
            sum += bucket.load(Ordering::Acquire);
            each(le, sum);
        }
        sum
    }

    /// The samples in each bucket alone, that of `+Inf` the last.
    #[cfg(feature = "otlp")]
    pub(crate) fn counts(&self) -> impl Iterator<Item = u64> {
        self.buckets
            .iter()
            .map(|bucket| bucket.load(Ordering::Acquire))
    }

    /// The upper bounds, that of `+Inf` aside.
    #[cfg(feature = "otlp")]
    pub(crate) fn bounds(&self) -> &[f64] {
        self.bounds.upper()
    }

    /// What a message tells that may hold both kinds of buckets.
    ///
    /// A sample is counted in its native bucket first, and these are read last: whatever the classic buckets say, the
    /// native ones hold it. Where there are any, the count is theirs, so that what was counted in between is in the
    /// bucket of `+Inf`, one scrape early.
    pub(crate) fn snapshot(&self) -> Snapshot {
        let (classic, count) = self.cumulated();
        let classic = classic.collect();
        let Some(native) = self.native() else {
            return Snapshot {
                classic,
                native: None,
                count,
            };
        };
        Snapshot {
            classic: if self.bounds.has_classic() {
                classic
            } else {
                Vec::new()
            },
            count: native.count(),
            native: Some(native),
        }
    }

    /// The samples in each native bucket, where these are switched on: that of 0 the first, and then all that there
    /// can be, of which the first has this number in Prometheus.
    #[cfg(feature = "otlp")]
    pub(crate) fn native_counts(&self, out: &mut Vec<u64>) -> Option<i32> {
        let cells = self.extra.get().and_then(|extra| extra.native.get());
        let cells = cells.map(AsRef::as_ref);
        let unit = self.bounds.unit();
        self.bounds
            .has_native()
            .then(|| Cells::counts(cells, unit, out))
    }

    /// The native buckets, where they are switched on.
    pub(crate) fn native(&self) -> Option<Native> {
        let cells = self.extra.get().and_then(|extra| extra.native.get());
        let cells = cells.map(AsRef::as_ref);
        let unit = self.bounds.unit();
        self.bounds.has_native().then(|| Cells::read(cells, unit))
    }

    /// The latest exemplar of each bucket that has one, by the number of the bucket, that of `+Inf` the last.
    pub(crate) fn exemplars(&self) -> impl Iterator<Item = (usize, Exemplar)> {
        let slots = self.extra.get().and_then(|extra| extra.exemplars.get());
        slots.into_iter().flat_map(|slots| {
            let each = |bucket| Some((bucket, self.exemplar_of(slots, bucket)?));
            (0..self.buckets.len()).filter_map(each)
        })
    }

    fn exemplar_of(&self, slots: &Exemplars, bucket: usize) -> Option<Exemplar> {
        let (sample, traced) = slots.get(bucket)?;
        Some(Exemplar {
            value: self.bounds.unit().of(u128::from(sample)),
            trace: traced.trace,
            at: traced.at.since_epoch(),
        })
    }

    /// The sum of all samples, in seconds or tokens.
    pub(crate) fn sum(&self) -> f64 {
        self.unit().of(self.samples())
    }

    /// The sum of all samples, in nanoseconds or tokens.
    pub(crate) fn samples(&self) -> u128 {
        self.sum.get()
    }

    /// What samples are counted in.
    pub(crate) fn unit(&self) -> Unit {
        self.bounds.unit()
    }

    /// When it began at 0, since the Unix epoch.
    pub(crate) fn created(&self) -> Duration {
        self.labels.created()
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
pub(super) struct Sum {
    /// Of the low bits of each sample: full after 2^44 samples.
    low: AtomicU64,
    /// Of the others, `LOW_BITS` lower.
    high: AtomicU64,
}

/// A millisecond in nanoseconds.
const LOW_BITS: u32 = 20;

impl Sum {
    #[inline]
    pub(super) fn add(&self, sample: u64) {
        let high = sample >> LOW_BITS;
        self.low
            .fetch_add(sample & !(u64::MAX << LOW_BITS), Ordering::Relaxed);
        if high > 0 {
            self.high.fetch_add(high, Ordering::Relaxed);
        }
    }

    pub(super) fn get(&self) -> u128 {
        let [low, high] =
            [&self.low, &self.high].map(|part| u128::from(part.load(Ordering::Relaxed)));
        (high << LOW_BITS) + low
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{buckets::Told, catalogue as c, clock::WallTime, trace::TraceContext};

    fn histogram(told: Told) -> Histogram {
        let family = &c::TIME_TO_FIRST_TOKEN;
        let mut buckets = Buckets::default();
        buckets.tell(told);
        let labels = LabelSet::new(family, &["openai", "gpt-4o"], WallTime::default());
        Histogram::new(family, labels, &buckets)
    }

    fn trace(number: u8) -> TraceContext {
        TraceContext::new([number; 16], [number; 8]).unwrap()
    }

    #[test]
    fn a_sample_at_a_bound_is_below_it() {
        let family = &c::ROUTER_DECISION_DURATION;
        let labels = LabelSet::new(family, &["llm"], WallTime::default());
        let histogram = Histogram::new(family, labels, &Buckets::default());
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
    fn native_buckets_are_counted_where_they_are_wanted() {
        for (told, classic, native) in [
            (Told::Classic, 13, None),
            (Told::Both, 13, Some(vec![(-15, 1), (0, 2), (96, 1)])),
            (Told::Native, 0, Some(vec![(-15, 1), (0, 2), (96, 1)])),
        ] {
            let histogram = histogram(told);
            let empty = histogram.snapshot();
            assert_eq!(
                empty.native.map(|native| native.count()),
                native.as_ref().map(|_| 0)
            );
            for nanos in [0, 260_000_000, 1_000_000_000, 999_999_999, u64::MAX] {
                histogram.observe(nanos);
            }
            let snapshot = histogram.snapshot();
            assert_eq!(snapshot.count, 5);
            assert_eq!(snapshot.classic.len(), classic);
            assert_eq!(snapshot.native.map(|native| native.buckets), native);
            assert_eq!(histogram.cumulated().1, 5);
        }
    }

    /// Whatever is recorded meanwhile.
    #[test]
    fn both_kinds_of_buckets_tell_of_the_same_samples() {
        let histogram = histogram(Told::Both);
        let done = std::sync::atomic::AtomicBool::new(false);
        std::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    while !done.load(Ordering::Relaxed) {
                        histogram.observe(1_000_000);
                    }
                });
            }
            let mut before = 0;
            for _ in 0..2_000 {
                let snapshot = histogram.snapshot();
                let up_to_last = snapshot.classic.last().unwrap().1;
                assert!(before <= up_to_last && up_to_last <= snapshot.count);
                before = up_to_last;
            }
            done.store(true, Ordering::Relaxed);
        });
        let snapshot = histogram.snapshot();
        assert_eq!(snapshot.classic.last().unwrap().1, snapshot.count);
    }

    #[test]
    fn each_bucket_shows_the_latest_sample_that_has_a_trace() {
        let histogram = histogram(Told::Classic);
        let traced = |number, second: u64| Traced {
            trace: trace(number),
            at: WallTime::from_nanos(second * 1_000_000_000),
        };
        histogram.observe_traced(300_000_000, None);
        assert!(histogram.extra.get().is_none(), "nothing is paid");
        assert_eq!(histogram.exemplars().count(), 0);
        histogram.observe_traced(300_000_000, Some(&traced(1, 10)));
        histogram.observe_traced(400_000_000, Some(&traced(2, 20)));
        histogram.observe(450_000_000);
        histogram.observe_traced(500_000_000_000, Some(&traced(3, 40)));
        let exemplars: Vec<_> = histogram.exemplars().collect();
        let exemplar = |value, number, second| Exemplar {
            value,
            trace: trace(number),
            at: Duration::from_secs(second),
        };
        assert_eq!(
            exemplars,
            [(5, exemplar(0.4, 2, 20)), (13, exemplar(500.0, 3, 40))]
        );
        let (buckets, all) = histogram.cumulated();
        assert_eq!((buckets.last().unwrap().1, all), (4, 5));
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
