//! The points of a request.
//!
//! Whoever writes one gives totals, and when they began at 0. Where deltas are wanted, the point tells what was added
//! since the export before, and is left out where that is nothing.

use super::{
    super::{
        exemplars::Exemplar,
        native::{SCHEMA, ZERO_THRESHOLD},
        wire::Message,
    },
    attributes::{OF_EXPONENTIAL, OF_HISTOGRAM, renumber},
    request::{Data, Request, Temporality},
};
use crate::{buckets::Unit, clock::nanos};

/// A value at a moment.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Number {
    Int(i64),
    Double(f64),
}

/// The sum of a histogram's samples.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Sum {
    /// Of whole numbers, of which so many make one.
    Samples(u128, Unit),
    Float(f64),
}

/// The buckets of a histogram, each with the samples in it alone.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Buckets<'a> {
    /// By their upper bounds, that of the last aside, which is infinite.
    Explicit(&'a [u64], &'a [f64]),
    /// Of scale 3: that of 0, and behind it others, of which the first has this number in Prometheus.
    Exponential(&'a [u64], i32),
}

/// Of which totals a point tells what was added, and since when.
struct Since<'a> {
    temporality: Temporality,
    began: u64,
    before: Option<&'a [u64]>,
}

impl<'a> Request<'a> {
    /// A number that only rises, whole: it is told as such, since a float skips some above 2^53.
    pub(crate) fn counter(&mut self, attributes: &[u8], began: u64, total: u64) {
        let Some(since) = self.since(attributes, began, &[total], 1) else {
            return;
        };
        let delta = total - since.before.map_or(0, |before| before[0]);
        let kind = Data::Sum(since.temporality);
        self.number(kind, attributes, since.began, whole(delta));
    }

    /// A number that only rises.
    pub(crate) fn float_counter(&mut self, attributes: &[u8], began: u64, total: f64) {
        // Those of numbers that are not negative compare as these.
        let bits = total.to_bits();
        let Some(since) = self.since(attributes, began, &[bits], 1) else {
            return;
        };
        let before = since.before.map_or(0.0, |before| f64::from_bits(before[0]));
        let (kind, delta) = (Data::Sum(since.temporality), Number::Double(total - before));
        self.number(kind, attributes, since.began, delta);
    }

    /// A number that only rises, and is read at this moment: an asynchronous one, as OpenTelemetry has it.
    pub(crate) fn counter_reading(&mut self, began: u64, total: f64) {
        if self.settings.delta_readings {
            self.float_counter(&[], began, total);
        } else {
            let kind = Data::Sum(Temporality::Cumulative);
            self.number(kind, &[], began, Number::Double(total));
        }
    }

    /// A number that rises and falls.
    pub(crate) fn gauge(&mut self, attributes: &[u8], value: Number) {
        self.number(Data::Gauge, attributes, 0, value);
    }

    pub(crate) fn histogram(
        &mut self,
        attributes: &[u8],
        began: u64,
        buckets: Buckets<'_>,
        sum: Sum,
        exemplars: impl Iterator<Item = Exemplar>,
    ) {
        if self.deltas.is_none() {
            let since = Since {
                temporality: Temporality::Cumulative,
                began,
                before: None,
            };
            self.buckets(attributes, &since, buckets, sum.get(), exemplars);
            return;
        }
        let mut words = std::mem::take(&mut self.words);
        words.clear();
        let counts = buckets.counts().len();
        words.extend_from_slice(buckets.counts());
        words.extend_from_slice(&sum.words());
        if let Some(since) = self.since(attributes, began, &words, counts) {
            let before = since.before.unwrap_or_default();
            for (count, before) in words.iter_mut().zip(before).take(counts) {
                *count -= before;
            }
            let sum = sum.since(before.get(counts..).unwrap_or_default());
            let buckets = match buckets {
                Buckets::Explicit(_, bounds) => Buckets::Explicit(&words[..counts], bounds),
                Buckets::Exponential(_, first) => Buckets::Exponential(&words[..counts], first),
            };
            self.buckets(attributes, &since, buckets, sum, exemplars);
        }
        self.words = words;
    }

    /// The value of each quantile; of the samples so far, whatever is told in deltas.
    pub(crate) fn summary(
        &mut self,
        attributes: &[u8],
        began: u64,
        (count, sum): (u64, f64),
        quantiles: impl Iterator<Item = (f64, f64)>,
    ) {
        let point = self.begin_point(Data::Summary);
        self.interval(began);
        nonzero(&mut self.out, COUNT, count);
        nonzero(&mut self.out, SUM, sum.to_bits());
        for (quantile, value) in quantiles {
            self.out.message(QUANTILES, |message| {
                nonzero(message, 1, quantile.to_bits());
                nonzero(message, 2, value.to_bits());
            });
        }
        self.out.fields(attributes);
        self.out.end(point);
    }

    /// What a point is to tell of these totals, of which so many at the front cannot fall. `None` where they are what
    /// they were.
    fn since(
        &mut self,
        attributes: &[u8],
        began: u64,
        totals: &[u64],
        rising: usize,
    ) -> Option<Since<'a>> {
        let Some(deltas) = &mut self.deltas else {
            return Some(Since {
                temporality: Temporality::Cumulative,
                began,
                before: None,
            });
        };
        let before = deltas.note(attributes, totals);
        if before == Some(totals) {
            return None;
        }
        let since = deltas.since();
        let rose = |before: &&[u64]| {
            let mut pairs = before.iter().zip(totals).take(rising);
            pairs.all(|(before, now)| before <= now)
        };
        Some(Since {
            temporality: Temporality::Delta,
            // What was not there before began after that.
            began: before.map_or(began.max(since), |_| since),
            // What fell began at 0 again.
            before: before.filter(rose),
        })
    }

    fn number(&mut self, kind: Data, attributes: &[u8], began: u64, value: Number) {
        let interval = if began > 0 { 2 } else { 1 };
        self.sized_point(kind, FIXED_BYTES * (interval + 1) + attributes.len());
        self.interval(began);
        match value {
            Number::Int(value) => self.out.fixed(AS_INT, value.cast_unsigned()),
            Number::Double(value) => self.out.fixed(AS_DOUBLE, value.to_bits()),
        }
        self.out.fields(attributes);
    }

    fn buckets(
        &mut self,
        attributes: &[u8],
        since: &Since<'_>,
        buckets: Buckets<'_>,
        sum: f64,
        exemplars: impl Iterator<Item = Exemplar>,
    ) {
        // Those before were told with the export before.
        let is_new = |one: &Exemplar| {
            since.temporality == Temporality::Cumulative || nanos(one.at) > since.began
        };
        let wanted = self.settings.exemplars;
        let exemplars = exemplars.filter(|one| wanted && is_new(one));
        match buckets {
            Buckets::Explicit(counts, bounds) => {
                let point = self.begin_point(Data::Histogram(since.temporality));
                self.interval(since.began);
                nonzero(&mut self.out, COUNT, counts.iter().sum());
                self.out.fixed(SUM, sum.to_bits());
                self.out
                    .packed(BUCKET_COUNTS, counts.iter().map(|n| n.to_le_bytes()));
                self.out
                    .packed(EXPLICIT_BOUNDS, bounds.iter().map(|n| n.to_le_bytes()));
                exemplars.for_each(|one| exemplar(&mut self.out, EXEMPLARS, &one));
                self.attributes(OF_HISTOGRAM, attributes);
                self.out.end(point);
            }
            Buckets::Exponential(counts, first) => {
                let point = self.begin_point(Data::ExponentialHistogram(since.temporality));
                self.attributes(OF_EXPONENTIAL, attributes);
                self.interval(since.began);
                nonzero(&mut self.out, COUNT, counts.iter().sum());
                self.out.fixed(SUM, sum.to_bits());
                exponential(&mut self.out, counts, first);
                // As Prometheus wants those of one series.
                let mut exemplars: Vec<_> = exemplars.collect();
                exemplars.sort_by_key(|one| one.at);
                for one in &exemplars {
                    exemplar(&mut self.out, EXPONENTIAL_EXEMPLARS, one);
                }
                self.out.fixed(THRESHOLD, ZERO_THRESHOLD.to_bits());
                self.out.end(point);
            }
        }
    }

    fn interval(&mut self, began: u64) {
        if began > 0 {
            self.out.fixed(START_TIME, began);
        }
        // What began while the request was being written, or is told by a wall that was set back.
        self.out.fixed(TIME, self.time.max(began));
    }

    fn attributes(&mut self, field: u32, attributes: &[u8]) {
        let start = self.out.as_bytes().len();
        self.out.fields(attributes);
        renumber(self.out.tail(start), field);
    }
}

impl<'a> Buckets<'a> {
    const fn counts(&self) -> &'a [u64] {
        match self {
            Self::Explicit(counts, _) | Self::Exponential(counts, _) => counts,
        }
    }
}

impl Sum {
    fn get(self) -> f64 {
        match self {
            Self::Samples(samples, unit) => unit.of(samples),
            Self::Float(sum) => sum,
        }
    }

    #[expect(clippy::cast_possible_truncation, reason = "halves")]
    fn words(self) -> [u64; 2] {
        match self {
            Self::Samples(samples, _) => [samples as u64, (samples >> 64) as u64],
            Self::Float(sum) => [sum.to_bits(), 0],
        }
    }

    /// What was added since it was these words, if it was there.
    fn since(self, before: &[u64]) -> f64 {
        let &[low, high] = before else {
            return self.get();
        };
        match self {
            Self::Samples(samples, unit) => {
                let before = u128::from(high) << 64 | u128::from(low);
                unit.of(samples.saturating_sub(before))
            }
            Self::Float(sum) => sum - f64::from_bits(low),
        }
    }
}

/// Nothing else can say what is above.
#[expect(clippy::cast_precision_loss)]
fn whole(count: u64) -> Number {
    i64::try_from(count).map_or(Number::Double(count as f64), Number::Int)
}

/// What is 0 where it is not told.
fn nonzero(out: &mut Message, field: u32, bits: u64) {
    if bits != 0 {
        out.fixed(field, bits);
    }
}

/// The scale, and the counts from the first that is not 0 to the last.
fn exponential(out: &mut Message, counts: &[u64], first: i32) {
    out.zigzag(SCALE, SCHEMA.into());
    let (zero, counts) = counts
        .split_first()
        .map_or((0, counts), |(zero, rest)| (*zero, rest));
    nonzero(out, ZERO_COUNT, zero);
    let Some(from) = counts.iter().position(|count| *count > 0) else {
        return;
    };
    let to = counts.iter().rposition(|count| *count > 0).unwrap_or(from);
    // In Prometheus a bucket has the number of its upper bound, here that of its lower one: "the offset" is one less.
    let offset = i64::from(first) + from as i64 - 1;
    out.message(POSITIVE, |buckets| {
        if offset != 0 {
            buckets.zigzag(1, offset);
        }
        buckets.message(2, |packed| {
            counts[from..=to]
                .iter()
                .for_each(|count| packed.varint(*count));
        });
    });
}

fn exemplar(out: &mut Message, field: u32, exemplar: &Exemplar) {
    let ([high, low], span) = exemplar.trace.words();
    out.message(field, |out| {
        nonzero(out, 2, nanos(exemplar.at));
        out.fixed(3, exemplar.value.to_bits());
        out.bytes(4, &span.to_be_bytes());
        let trace = u128::from(high) << 64 | u128::from(low);
        out.bytes(5, &trace.to_be_bytes());
    });
}

/// A field of 64 bits, with its key.
const FIXED_BYTES: usize = 9;

// Of every point.
const START_TIME: u32 = 2;
const TIME: u32 = 3;

// Of a number.
const AS_DOUBLE: u32 = 4;
const AS_INT: u32 = 6;

// Of histograms and summaries.
const COUNT: u32 = 4;
const SUM: u32 = 5;

// Of a histogram.
const BUCKET_COUNTS: u32 = 6;
const EXPLICIT_BOUNDS: u32 = 7;
const EXEMPLARS: u32 = 8;

// Of an exponential histogram.
const SCALE: u32 = 6;
const ZERO_COUNT: u32 = 7;
const POSITIVE: u32 = 8;
const EXPONENTIAL_EXEMPLARS: u32 = 11;
const THRESHOLD: u32 = 14;

/// Of a summary.
const QUANTILES: u32 = 6;
