//! Histograms that have native cells and no other buckets: what the `gen_ai` view keeps.

use std::sync::{
    OnceLock,
    atomic::{AtomicU64, Ordering},
};

use super::{
    exemplars::{Exemplar, Exemplars, Traced},
    histogram::Sum,
    native::{CELLS, Cells, cell_of},
};
use crate::{buckets::Unit, clock::WallTime};

/// How many samples are 0, and how many are in each cell.
pub(crate) type Counts = [u64; 1 + CELLS];

pub(crate) const NO_COUNTS: Counts = [0; 1 + CELLS];

/// Samples in native cells, and their sum. Samples are whole numbers: nanoseconds, or tokens.
///
/// Many hold nothing, and those of failed calls nothing but zeros: the cells are there from the first other sample on.
#[derive(Debug)]
pub(crate) struct NativeHistogram {
    unit: Unit,
    created: WallTime,
    zeros: AtomicU64,
    cells: OnceLock<Box<Cells>>,
    sum: Sum,
    /// From the first sample of a trace on.
    exemplars: OnceLock<Exemplars>,
}

impl NativeHistogram {
    pub(crate) fn new(unit: Unit, created: WallTime) -> Self {
        Self {
            unit,
            created,
            zeros: AtomicU64::new(0),
            cells: OnceLock::new(),
            sum: Sum::default(),
            exemplars: OnceLock::new(),
        }
    }

    /// One sample: nanoseconds, or tokens.
    pub(crate) fn observe(&self, sample: u64) {
        if sample == 0 {
            self.zeros.fetch_add(1, Ordering::Relaxed);
            return;
        }
        self.sum.add(sample);
        self.cells().observe(self.unit, sample);
    }

    /// The same for a sample that, if it came from a trace, is the exemplar of its two octaves from now on.
    pub(crate) fn observe_traced(&self, sample: u64, traced: Option<&Traced>) {
        self.observe(sample);
        if let Some(traced) = traced {
            let slots = self.exemplars.get_or_init(|| Exemplars::new(SLOTS));
            slots.put(slot_of(self.unit, sample), sample, *traced);
        }
    }

    /// All samples that were kept aside.
    pub(crate) fn absorb(&self, samples: &LocalSamples) {
        self.zeros
            .fetch_add(samples.zeros.into(), Ordering::Relaxed);
        self.sum.add(samples.sum);
        for (cell, &count) in samples.cells.iter().enumerate() {
            if count > 0 {
                self.cells().add(cell, count.into());
            }
        }
    }

    fn cells(&self) -> &Cells {
        self.cells.get_or_init(Box::default)
    }

    /// Adds its counts to as many: those of zeros first, and then of each cell.
    pub(crate) fn add_to(&self, counts: &mut Counts) {
        let (zeros, cells) = counts
            .split_first_mut()
            .expect("there is one more than cells");
        *zeros += self.zeros.load(Ordering::Relaxed);
        if let Some(held) = self.cells.get() {
            held.add_to(cells);
        }
    }

    /// The sum of all samples, in nanoseconds or tokens.
    pub(crate) fn samples(&self) -> u128 {
        self.sum.get()
    }

    /// When it began at 0: nanoseconds since the Unix epoch.
    pub(crate) fn began(&self) -> u64 {
        self.created.as_nanos()
    }

    /// The latest exemplar of each two octaves that have one, in rising order.
    pub(crate) fn exemplars(&self) -> impl Iterator<Item = Exemplar> {
        let slots = self.exemplars.get().into_iter();
        slots.flat_map(|slots| {
            let latest = (0..SLOTS).filter_map(|slot| slots.get(slot));
            latest.map(|(sample, traced)| Exemplar {
                value: self.unit.of(u128::from(sample)),
                trace: traced.trace,
                at: traced.at.since_epoch(),
            })
        })
    }
}

/// Exemplars of a histogram: one for each two octaves of cells.
const SLOTS: usize = CELLS / CELLS_A_SLOT;
const CELLS_A_SLOT: usize = 16;

fn slot_of(unit: Unit, sample: u64) -> usize {
    match sample {
        0 => 0,
        _ => cell_of(unit, sample) / CELLS_A_SLOT,
    }
}

/// Samples that one call keeps by itself until it is known what they are samples of: no atomics, and half the size. Full
/// after 2^32 samples in one cell.
#[derive(Debug)]
pub(crate) struct LocalSamples {
    zeros: u32,
    cells: Box<[u32; CELLS]>,
    sum: u64,
}

impl Default for LocalSamples {
    fn default() -> Self {
        Self {
            zeros: 0,
            cells: Box::new([0; CELLS]),
            sum: 0,
        }
    }
}

impl LocalSamples {
    pub(crate) fn observe(&mut self, unit: Unit, sample: u64) {
        let cell = match sample {
            0 => &mut self.zeros,
            _ => &mut self.cells[cell_of(unit, sample)],
        };
        *cell = cell.saturating_add(1);
        self.sum = self.sum.saturating_add(sample);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::TraceContext;

    fn histogram(unit: Unit) -> NativeHistogram {
        NativeHistogram::new(unit, WallTime::from_nanos(7))
    }

    fn counts(histogram: &NativeHistogram) -> Counts {
        let mut counts = NO_COUNTS;
        histogram.add_to(&mut counts);
        counts
    }

    #[test]
    fn zeros_take_no_cells() {
        let histogram = histogram(Unit::Tokens);
        assert_eq!(counts(&histogram), NO_COUNTS);
        histogram.observe(0);
        histogram.observe(0);
        assert!(histogram.cells.get().is_none());
        assert_eq!(
            (counts(&histogram)[0], counts(&histogram)[1..].iter().sum()),
            (2, 0_u64)
        );
        histogram.observe(1);
        assert_eq!(counts(&histogram)[..3], [2, 1, 0]);
        assert_eq!((histogram.samples(), histogram.began()), (1, 7));
    }

    #[test]
    fn what_was_kept_aside_is_what_was_observed() {
        let (direct, absorbed) = (histogram(Unit::Seconds), histogram(Unit::Seconds));
        let mut aside = LocalSamples::default();
        for sample in [0, 1, 900, 1_000_000, 1_000_000, 2_500_000_000, u64::MAX / 4] {
            direct.observe(sample);
            aside.observe(Unit::Seconds, sample);
        }
        absorbed.absorb(&aside);
        absorbed.absorb(&LocalSamples::default());
        assert_eq!(counts(&absorbed), counts(&direct));
        assert_eq!(counts(&direct).iter().sum::<u64>(), 7);
        assert_eq!(absorbed.samples(), direct.samples());
    }

    #[test]
    fn each_two_octaves_show_the_latest_trace() {
        let histogram = histogram(Unit::Seconds);
        let traced = |number: u8| Traced {
            trace: TraceContext::new([number; 16], [number; 8]).unwrap(),
            at: WallTime::from_nanos(number.into()),
        };
        histogram.observe_traced(5, None);
        assert!(histogram.exemplars.get().is_none(), "nothing is paid");
        for (sample, number) in [(0, 1), (1_000_000_000, 2), (990_000_000, 3), (u64::MAX, 4)] {
            histogram.observe_traced(sample, Some(&traced(number)));
        }
        let shown = histogram.exemplars().map(|one| one.at.as_nanos());
        assert_eq!(shown.collect::<Vec<_>>(), [1, 3, 4]);
        assert_eq!(counts(&histogram).iter().sum::<u64>(), 5);
    }
}
