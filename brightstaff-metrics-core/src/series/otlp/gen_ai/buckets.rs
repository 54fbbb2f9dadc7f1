//! The buckets of the conventions, summed of native cells.

use super::super::super::{native::first, native_histogram::Counts};
use crate::buckets::Unit;

/// Which cells make up each bucket of an instrument.
///
/// A bound stands for that edge of a cell which is nearest to it: no cell is divided, and what counts as up to a bound is
/// what was up to 4.4 % less or more, half a cell. Bounds that are edges are exact: those of tokens are, being powers of 4.
#[derive(Debug)]
pub(super) struct Edges {
    upper: &'static [f64],
    /// How many cells there are up to each bound.
    cells: Vec<usize>,
}

impl Edges {
    pub(super) fn new(unit: Unit, upper: &'static [f64]) -> Self {
        let cells = upper.iter().map(|bound| {
            let up_to = edge(*bound) - first(unit) + 1;
            usize::try_from(up_to).unwrap_or(0)
        });
        Self {
            upper,
            cells: cells.collect(),
        }
    }

    /// The upper bounds.
    pub(super) fn upper(&self) -> &'static [f64] {
        self.upper
    }

    /// Puts in how many samples each bucket has, that of what is above all bounds the last.
    pub(super) fn bucket_counts(&self, counts: &Counts, out: &mut Vec<u64>) {
        let [zeros, cells @ ..] = counts;
        out.clear();
        let mut from = 0;
        for to in self.cells.iter().copied().chain([cells.len()]) {
            let to = to.min(cells.len());
            out.push(cells[from..to].iter().sum());
            from = to;
        }
        out[0] += zeros;
    }
}

/// The cell that ends nearest to this bound. It holds what is up to 2^(n/8).
#[expect(
    clippy::cast_possible_truncation,
    reason = "bounds of seconds and tokens have small logarithms"
)]
fn edge(bound: f64) -> i32 {
    (bound.log2() * 8.0).round() as i32
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{
        clock::WallTime,
        conventions::{Conventions, Kind},
        series::{NativeHistogram, native_histogram::NO_COUNTS},
    };

    fn counts(unit: Unit, samples: &[u64], upper: &'static [f64]) -> Vec<u64> {
        let histogram = NativeHistogram::new(unit, WallTime::default());
        samples.iter().for_each(|&sample| histogram.observe(sample));
        let (mut counts, mut out) = (NO_COUNTS, vec![7]);
        histogram.add_to(&mut counts);
        Edges::new(unit, upper).bucket_counts(&counts, &mut out);
        out
    }

    #[test]
    fn tokens_are_exact() {
        let upper = &[1.0, 4.0, 16.0];
        let samples = [0, 1, 2, 4, 5, 16, 17, 1_000_000];
        assert_eq!(counts(Unit::Tokens, &samples, upper), [2, 2, 2, 2]);
        assert_eq!(counts(Unit::Tokens, &[], upper), [0; 4]);
    }

    #[test]
    fn seconds_go_with_the_nearest_edge() {
        // 0.01 stands for 2^(-53/8), which is 0.010131: 1.3 % more.
        let samples = [9_900_000, 10_000_000, 10_130_000, 10_140_000];
        assert_eq!(counts(Unit::Seconds, &samples, &[0.01, 1.0]), [3, 1, 0]);
    }

    proptest! {
        /// Whatever the samples: what is up to a bound is what was up to half a cell less or more.
        #[test]
        fn no_bound_is_off_by_more_than_half_a_cell(
            samples in prop::collection::vec(prop_oneof![0..200_000_000_000_u64, 0..3_000_000_u64], 0..60),
        ) {
            let half = 2_f64.powf(1.0 / 16.0) * (1.0 + 1e-9);
            let all = [Conventions::LATEST, Conventions::V1_41];
            for instrument in all.iter().flat_map(|version| version.instruments) {
                let Kind::Histogram(unit, upper) = instrument.kind else { continue };
                let counts = counts(unit, &samples, upper);
                prop_assert_eq!(counts.iter().sum::<u64>(), samples.len() as u64);
                let mut up_to = 0;
                for (&bound, count) in upper.iter().zip(&counts) {
                    up_to += count;
                    let below = |bound: f64| {
                        let samples = samples.iter().map(|&sample| unit.of(sample.into()));
                        samples.filter(|sample| *sample <= bound).count() as u64
                    };
                    prop_assert!(below(bound / half) <= up_to && up_to <= below(bound * half));
                    if unit == Unit::Tokens {
                        prop_assert_eq!(up_to, below(bound));
                    }
                }
            }
        }
    }
}
