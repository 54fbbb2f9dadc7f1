//! The points of a request.
//!
//! Whoever writes one gives totals, and when they began at 0. Where deltas are wanted, the point tells what was added
//! since the export before, and is left out where that is nothing.

use super::{
    super::wire::Message,
    delta::{Before, Form},
    request::{Data, Request, Temporality},
};

/// A value at a moment.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Number {
    Int(i64),
    Double(f64),
}

/// Since when a point tells what was added, and to which totals.
pub(super) struct Since<'a> {
    pub(super) temporality: Temporality,
    pub(super) began: u64,
    pub(super) before: Option<Before<'a>>,
}

impl<'a> Request<'a> {
    /// A number that only rises, whole: it is told as such, since a float skips some above 2^53.
    pub(crate) fn counter(&mut self, attributes: &[u8], began: u64, total: u64) {
        let Some(since) = self.since(attributes, began, &[total], Form::Whole) else {
            return;
        };
        let before = since.before.map_or(0, |before| match before.form {
            Form::Whole => before.words[0],
            // Whole in fact.
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
            Form::Float => f64::from_bits(before.words[0]) as u64,
        });
        // What fell began at 0 again.
        let delta = total.checked_sub(before).unwrap_or(total);
        let kind = Data::Sum(since.temporality);
        self.number(kind, attributes, since.began, whole(delta));
    }

    /// A number that only rises.
    pub(crate) fn float_counter(&mut self, attributes: &[u8], began: u64, total: f64) {
        let Some(since) = self.since(attributes, began, &[total.to_bits()], Form::Float) else {
            return;
        };
        let before = since.before.map_or(0.0, |before| match before.form {
            #[expect(clippy::cast_precision_loss, reason = "as the total was made one")]
            Form::Whole => before.words[0] as f64,
            Form::Float => f64::from_bits(before.words[0]),
        });
        let delta = if total < before {
            total
        } else {
            total - before
        };
        let kind = Data::Sum(since.temporality);
        self.number(kind, attributes, since.began, Number::Double(delta));
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

    /// What a point is to tell of these totals; `None` where they are what they were.
    pub(super) fn since(
        &mut self,
        attributes: &[u8],
        began: u64,
        totals: &[u64],
        form: Form,
    ) -> Option<Since<'a>> {
        let Some(deltas) = &mut self.deltas else {
            return Some(Since {
                temporality: Temporality::Cumulative,
                began,
                before: None,
            });
        };
        let before = deltas.note(attributes, totals, form);
        let words = totals;
        if before == Some(Before { words, form }) {
            return None;
        }
        let since = deltas.since();
        Some(Since {
            temporality: Temporality::Delta,
            // What was not there before began after that.
            began: before.map_or(began.max(since), |_| since),
            before,
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

    pub(super) fn interval(&mut self, began: u64) {
        if began > 0 {
            self.out.fixed(START_TIME, began);
        }
        // What began while the request was being written, or is told by a wall that was set back.
        self.out.fixed(TIME, self.time.max(began));
    }
}

/// Nothing else can say what is above.
#[expect(clippy::cast_precision_loss)]
fn whole(count: u64) -> Number {
    i64::try_from(count).map_or(Number::Double(count as f64), Number::Int)
}

/// What is 0 where it is not told.
pub(super) fn nonzero(out: &mut Message, field: u32, bits: u64) {
    if bits != 0 {
        out.fixed(field, bits);
    }
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
pub(super) const COUNT: u32 = 4;
pub(super) const SUM: u32 = 5;

/// Of a summary.
const QUANTILES: u32 = 6;
