//! Quantiles of histograms, without a claim that their buckets cannot bear.

/// Where a quantile is.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) enum Quantile {
    /// Nothing was observed.
    #[default]
    None,
    At(f64),
    /// Somewhere below the first bound.
    Below(f64),
    /// Somewhere above the last bound.
    Above(f64),
}

impl Quantile {
    /// By linear interpolation inside a bucket, as `histogram_quantile` does it. The buckets are cumulative counts by
    /// upper bound, in rising order, the infinite one last.
    pub(super) fn of(q: f64, buckets: &[(f64, f64)]) -> Self {
        let total = buckets.last().map_or(0.0, |(_, count)| *count);
        if total.is_nan() || total <= 0.0 {
            return Self::None;
        }
        let rank = q * total;
        let Some(index) = buckets.iter().position(|(_, count)| *count >= rank) else {
            return Self::None;
        };
        let (bound, count) = buckets[index];
        let before = index.checked_sub(1).map(|index| buckets[index]);
        match before {
            None if bound == f64::INFINITY => Self::None,
            None => Self::Below(bound),
            Some((last, _)) if bound == f64::INFINITY => Self::Above(last),
            Some((from, below)) => {
                let share = (rank - below) / (count - below);
                Self::At(from + (bound - from) * share)
            }
        }
    }

    /// What it is sorted by; `NaN` where nothing was observed.
    pub(super) fn value(self) -> f64 {
        match self {
            Self::None => f64::NAN,
            Self::At(value) | Self::Below(value) | Self::Above(value) => value,
        }
    }

    /// Whether it is known to be larger.
    pub(super) fn exceeds(self, limit: f64) -> bool {
        matches!(self, Self::At(value) | Self::Above(value) if value > limit)
    }
}
