//! Native histograms: buckets at the powers of the eighth root of 2, which nobody has to choose.
//!
//! [Prometheus](https://prometheus.io/docs/specs/native_histograms/) numbers them: bucket `i` of schema 3 holds what
//! is more than 2^((i-1)/8) and at most 2^(i/8). That is 9 % from one bound to the next, so that a quantile is
//! off by no more than its bucket is wide, 9 %, and mostly by less than half of that.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::buckets::Unit;

/// Buckets a factor of 2: 2 to the power of this.
pub(super) const SCHEMA: i32 = 3;

/// What is not more than this counts as 0: 2^-128, as Prometheus' own library has it. No sample lies between.
pub(super) const ZERO_THRESHOLD: f64 = 2.938_735_877_055_719e-39;

/// Every histogram has as many: 32 octaves. What lies past either end goes to the cell there.
pub(super) const CELLS: usize = 256;

/// The native buckets of a histogram at one moment.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Native {
    pub(crate) schema: i32,
    pub(crate) zero_threshold: f64,
    pub(crate) zero_count: u64,
    /// Those with samples in them, by the number that Prometheus gives each, with the samples in it alone.
    pub(crate) buckets: Vec<(i32, u64)>,
}

impl Native {
    /// The number of all samples.
    pub(crate) fn count(&self) -> u64 {
        let counts = self.buckets.iter().map(|(_, count)| count);
        self.zero_count + counts.sum::<u64>()
    }
}

/// The counts of the samples, all there from the first one on.
#[derive(Debug)]
pub(super) struct Cells {
    zero: AtomicU64,
    counts: [AtomicU64; CELLS],
}

impl Default for Cells {
    fn default() -> Self {
        Self {
            zero: AtomicU64::new(0),
            counts: [const { AtomicU64::new(0) }; CELLS],
        }
    }
}

impl Cells {
    #[inline]
    pub(super) fn observe(&self, unit: Unit, sample: u64) {
        let cell = match sample {
            0 => &self.zero,
            _ => &self.counts[cell_of(unit, sample)],
        };
        cell.fetch_add(1, Ordering::Relaxed);
    }

    #[cfg(feature = "otlp")]
    pub(super) fn add(&self, cell: usize, count: u64) {
        self.counts[cell].fetch_add(count, Ordering::Relaxed);
    }

    /// Adds what they hold now to as many counts.
    #[cfg(feature = "otlp")]
    pub(super) fn add_to(&self, counts: &mut [u64]) {
        for (count, cell) in counts.iter_mut().zip(&self.counts) {
            *count += cell.load(Ordering::Relaxed);
        }
    }

    /// What they hold now, one behind the other, that of 0 the first; tells which number Prometheus gives the second.
    #[cfg(feature = "otlp")]
    pub(super) fn counts(cells: Option<&Self>, unit: Unit, out: &mut Vec<u64>) -> i32 {
        let load = |cell: &AtomicU64| cell.load(Ordering::Relaxed);
        match cells {
            Some(cells) => {
                out.push(load(&cells.zero));
                out.extend(cells.counts.iter().map(load));
            }
            None => out.resize(out.len() + 1 + CELLS, 0),
        }
        Scale::of(unit).first
    }

    /// What they hold now; nothing where there are none yet.
    pub(super) fn read(cells: Option<&Self>, unit: Unit) -> Native {
        let first = Scale::of(unit).first;
        let counts = cells.map_or(&[][..], |cells| &cells.counts);
        let load = |cell: &AtomicU64| cell.load(Ordering::Relaxed);
        Native {
            schema: SCHEMA,
            zero_threshold: ZERO_THRESHOLD,
            zero_count: cells.map_or(0, |cells| load(&cells.zero)),
            buckets: (first..)
                .zip(counts.iter().map(load))
                .filter(|(_, count)| *count > 0)
                .collect(),
        }
    }
}

/// The number that Prometheus gives the first cell.
#[cfg(feature = "otlp")]
pub(super) fn first(unit: Unit) -> i32 {
    Scale::of(unit).first
}

/// The cell of a sample that is not 0.
#[inline]
pub(super) fn cell_of(unit: Unit, sample: u64) -> usize {
    Scale::of(unit).cell_of(sample)
}

/// Where the cells lie.
struct Scale {
    /// The number that Prometheus gives the first of them.
    first: i32,
    /// The largest sample of each cell, exactly.
    largest: [u64; CELLS],
    /// How many of these are less than 2^n: a sample of n bits or one more is searched from there.
    from: [u16; 65],
}

/// Samples are nanoseconds, bounds seconds: 2^-20 (0.95 µs) to 2^12 (4,096 s).
static SECONDS: Scale = Scale::new(-159, 1_000_000_000);

/// 1 to 2^32.
static TOKENS: Scale = Scale::new(0, 1);

/// 2^(r/8), times 2^64, without what is behind the point. Multiplied by 2^12 seconds of nanoseconds, what is missing
/// is less than a millionth of a nanosecond, and no bound is so close below a whole one (a test tells).
const ROOTS: [u128; 8] = [
    0x1_0000_0000_0000_0000,
    0x1_172b_83c7_d517_adcd,
    0x1_306f_e0a3_1b71_52de,
    0x1_4bfd_ad53_62a2_71d4,
    0x1_6a09_e667_f3bc_c908,
    0x1_8ace_5422_aa0d_b5ba,
    0x1_ae89_f995_ad3a_d5e8,
    0x1_d581_8dcf_ba48_725d,
];

impl Scale {
    fn of(unit: Unit) -> &'static Self {
        match unit {
            Unit::Seconds => &SECONDS,
            Unit::Tokens => &TOKENS,
        }
    }

    const fn new(first: i32, samples_per_one: u64) -> Self {
        let mut largest = [0; CELLS];
        let mut cell = 0;
        while cell < CELLS {
            #[expect(clippy::cast_possible_truncation, reason = "up to 255")]
            let index = first + cell as i32;
            largest[cell] = bound(index, samples_per_one);
            cell += 1;
        }
        let mut from = [0; 65];
        let (mut bits, mut less) = (0, 0);
        while bits < 65 {
            while less < CELLS && (largest[less] as u128) < 1 << bits {
                less += 1;
            }
            #[expect(clippy::cast_possible_truncation, reason = "up to 256")]
            let count = less as u16;
            from[bits] = count;
            bits += 1;
        }
        Self {
            first,
            largest,
            from,
        }
    }

    /// The cell of a sample that is not 0.
    #[inline]
    fn cell_of(&self, sample: u64) -> usize {
        let octave = sample.ilog2() as usize;
        let [from, to] = [octave, octave + 1].map(|bits| usize::from(self.from[bits]));
        let within = self.largest[from..to].partition_point(|&largest| largest < sample);
        (from + within).min(CELLS - 1)
    }
}

/// The largest whole number of samples up to 2^(index/8).
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "it is 2^42 at most, the remainder 7, and the shift 84"
)]
const fn bound(index: i32, samples_per_one: u64) -> u64 {
    let scaled = samples_per_one as u128 * ROOTS[index.rem_euclid(8) as usize];
    (scaled >> (64 - index.div_euclid(8)) as u32) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A whole number in limbs of 32 bits, the least first.
    fn times(number: &[u64], by: u64) -> Vec<u64> {
        let mut product = Vec::new();
        let mut carry = 0_u128;
        for &limb in number {
            carry += u128::from(limb) * u128::from(by);
            product.push((carry & 0xffff_ffff) as u64);
            carry >>= 32;
        }
        while carry > 0 {
            product.push((carry & 0xffff_ffff) as u64);
            carry >>= 32;
        }
        product
    }

    fn at_most(number: &[u64], limit: &[u64]) -> bool {
        let key = |limbs: &[u64]| (limbs.len(), limbs.iter().rev().copied().collect::<Vec<_>>());
        key(number) <= key(limit)
    }

    /// `n <= per_one * 2^(i/8)` is `n^8 * 2^-i <= per_one^8`, in whole numbers.
    #[test]
    fn every_bound_is_exact() {
        let power = |number, power| (0..power).fold(vec![1], |product, _| times(&product, number));
        let doubled =
            |number: Vec<u64>, often| (0..often).fold(number, |number, _| times(&number, 2));
        for (scale, per_one) in [(&SECONDS, 1_000_000_000), (&TOKENS, 1)] {
            for (index, &largest) in (scale.first..).zip(&scale.largest) {
                let limit = doubled(power(per_one, 8), index);
                let eighth = |number| doubled(power(number, 8), -index);
                assert!(at_most(&eighth(largest), &limit), "{index}: {largest}");
                assert!(!at_most(&eighth(largest + 1), &limit), "{index}: {largest}");
            }
        }
    }

    #[test]
    fn the_ranges_are_what_is_promised() {
        assert_eq!((SECONDS.first, SECONDS.largest[0]), (-159, 1_039));
        assert_eq!(SECONDS.largest[CELLS - 1], 4_096_000_000_000);
        assert_eq!((TOKENS.first, TOKENS.largest[0]), (0, 1));
        assert_eq!(TOKENS.largest[CELLS - 1], 3_938_502_375);
    }

    fn read(unit: Unit, samples: &[u64]) -> Native {
        let cells = Cells::default();
        for &sample in samples {
            cells.observe(unit, sample);
        }
        Cells::read(Some(&cells), unit)
    }

    #[test]
    fn a_bound_belongs_to_the_bucket_below_it() {
        for (unit, scale) in [(Unit::Seconds, &SECONDS), (Unit::Tokens, &TOKENS)] {
            let search = |sample| scale.largest.partition_point(|&largest| largest < sample);
            for &largest in &scale.largest {
                for sample in [largest - 1, largest, largest + 1] {
                    if sample > 0 {
                        let cell = i32::try_from(search(sample).min(CELLS - 1)).unwrap();
                        let index = scale.first + cell;
                        assert_eq!(read(unit, &[sample]).buckets, [(index, 1)], "{sample}");
                    }
                }
            }
        }
        // 1 s is 2^0; a nanosecond more is in the next bucket.
        let second = 1_000_000_000;
        let around = read(Unit::Seconds, &[second - 1, second, second + 1]);
        assert_eq!(around.buckets, [(0, 2), (1, 1)]);
        assert_eq!(
            read(Unit::Tokens, &[1, 2, 3, 4]).buckets,
            [(0, 1), (8, 1), (13, 1), (16, 1)]
        );
    }

    #[test]
    fn what_lies_past_the_ends_is_counted_there_and_zero_apart() {
        let native = read(Unit::Seconds, &[0, 0, 1, 900, u64::MAX, 5_000_000_000_000]);
        assert_eq!(native.zero_count, 2);
        assert_eq!(native.buckets, [(-159, 2), (96, 2)]);
        assert_eq!(native.count(), 6);
        let native = read(Unit::Tokens, &[0, u64::MAX]);
        assert_eq!((native.zero_count, native.buckets), (1, vec![(255, 1)]));
        let none = Cells::read(None, Unit::Tokens);
        assert_eq!((none.count(), none.schema), (0, 3));
    }
}
