//! The points of histograms, in explicit buckets or exponential ones, and their exemplars.

use super::{
    super::{
        exemplars::Exemplar,
        native::{SCHEMA, ZERO_THRESHOLD},
        wire::Message,
    },
    attributes::{OF_EXPONENTIAL, OF_HISTOGRAM, renumber},
    delta::{Before, Form},
    points::{COUNT, SUM, Since, nonzero},
    request::{Data, Request, Temporality},
};
use crate::{buckets::Unit, clock::nanos};

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

impl Request<'_> {
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
        if let Some(mut since) = self.since(attributes, began, &words, sum.form()) {
            // What fell began at 0 again.
            since.before = since.before.filter(|before| {
                let mut pairs = before.words.iter().zip(&words).take(counts);
                pairs.all(|(before, now)| before <= now)
            });
            let before = since.before.map_or(&[][..], |before| before.words);
            for (count, before) in words.iter_mut().zip(before).take(counts) {
                *count -= before;
            }
            let sum = sum.since(since.before, counts);
            let buckets = match buckets {
                Buckets::Explicit(_, bounds) => Buckets::Explicit(&words[..counts], bounds),
                Buckets::Exponential(_, first) => Buckets::Exponential(&words[..counts], first),
            };
            self.buckets(attributes, &since, buckets, sum, exemplars);
        }
        self.words = words;
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

    const fn form(self) -> Form {
        match self {
            Self::Samples(..) => Form::Whole,
            Self::Float(_) => Form::Float,
        }
    }

    /// The sum of whole numbers, and behind it in any case the float.
    #[expect(clippy::cast_possible_truncation, reason = "halves")]
    fn words(self) -> [u64; 3] {
        let float = self.get().to_bits();
        match self {
            Self::Samples(samples, _) => [samples as u64, (samples >> 64) as u64, float],
            Self::Float(_) => [0, 0, float],
        }
    }

    /// What was added since it stood behind so many counts, if it was there.
    fn since(self, before: Option<Before<'_>>, counts: usize) -> f64 {
        let Some(Before { words, form }) = before else {
            return self.get();
        };
        match (self, form, &words[counts..]) {
            (Self::Samples(samples, unit), Form::Whole, &[low, high, _]) => {
                let before = u128::from(high) << 64 | u128::from(low);
                unit.of(samples.saturating_sub(before))
            }
            (_, _, &[.., float]) => self.get() - f64::from_bits(float),
            (_, _, []) => self.get(),
        }
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
