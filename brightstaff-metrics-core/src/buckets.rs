//! The bucket sets of the histograms, each replaceable at build time.

use std::sync::Arc;

use crate::error::RegisterError;

/// One set of buckets, shared by the histograms that measure the same kind of thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum BucketSet {
    /// Inbound requests, seconds: duration and time to headers.
    Http,
    /// Calls to providers, seconds: duration.
    UpstreamDuration,
    /// Calls to providers, seconds: time to first byte and to first token.
    FirstToken,
    /// Calls to providers, seconds for one output token.
    TimePerOutputToken,
    /// Routing decisions, seconds.
    RouterDecision,
    /// Operations of a session cache that is not in memory, seconds.
    SessionOperation,
    /// Tokens of one call.
    RequestTokens,
}

impl BucketSet {
    /// Every set.
    pub const ALL: &'static [Self] = &[
        Self::Http,
        Self::UpstreamDuration,
        Self::FirstToken,
        Self::TimePerOutputToken,
        Self::RouterDecision,
        Self::SessionOperation,
        Self::RequestTokens,
    ];

    /// The name of the set, as errors give it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::UpstreamDuration => "llm duration",
            Self::FirstToken => "first token",
            Self::TimePerOutputToken => "per output token",
            Self::RouterDecision => "router decision",
            Self::SessionOperation => "session operation",
            Self::RequestTokens => "request tokens",
        }
    }

    pub(crate) const fn unit(self) -> Unit {
        match self {
            Self::RequestTokens => Unit::Tokens,
            _ => Unit::Seconds,
        }
    }

    /// The upper bounds that stand where no others are given; `+Inf` is implied.
    #[must_use]
    pub const fn default_bounds(self) -> &'static [f64] {
        match self {
            Self::Http => &[
                0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0,
                10.0, 30.0, 60.0, 120.0, 300.0,
            ],
            Self::UpstreamDuration => &[
                0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0,
            ],
            Self::FirstToken => &[
                0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0,
            ],
            Self::TimePerOutputToken => &[
                0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5,
                0.75, 1.0, 2.5,
            ],
            Self::RouterDecision => &[
                0.000_005, 0.000_01, 0.000_025, 0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001,
                0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1.0, 5.0,
            ],
            Self::SessionOperation => &[
                0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25,
            ],
            Self::RequestTokens => &[
                1.0,
                4.0,
                16.0,
                64.0,
                256.0,
                1024.0,
                4096.0,
                16384.0,
                65536.0,
                262_144.0,
                1_048_576.0,
            ],
        }
    }
}

/// What a histogram's samples are counted in: whole numbers, so that their sum is exact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    /// Samples are nanoseconds, and told as seconds.
    Seconds,
    /// Samples are tokens.
    Tokens,
}

impl Unit {
    const fn per_one(self) -> f64 {
        match self {
            Self::Seconds => 1e9,
            Self::Tokens => 1.0,
        }
    }

    /// A sum of samples, as an exposition tells it.
    pub(crate) fn of(self, samples: u128) -> f64 {
        // What is lost past 2^53 is less than one in 10^15.
        #[expect(clippy::cast_precision_loss)]
        let samples = samples as f64;
        samples / self.per_one()
    }
}

/// Which kinds of buckets a message tells that may hold both: classic ones, native ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Told {
    Classic,
    Both,
    Native,
}

/// The upper bounds of a histogram's buckets, without `+Inf`.
#[derive(Clone, Debug)]
pub(crate) struct Bounds {
    unit: Unit,
    told: Told,
    /// As they were given.
    upper: Box<[f64]>,
    /// The same as text, and `+Inf`.
    rendered: Box<[Le]>,
    /// The largest sample of each bucket.
    samples: Box<[u64]>,
    /// The first bucket that samples with so many bits may belong to. Most such ranges hold a bound or two.
    first: [usize; u64::BITS as usize + 2],
}

/// An upper bound in the text formats: how the line of its bucket ends, behind the labels, where the bucket holds
/// nothing.
#[derive(Clone, Debug)]
pub(crate) struct Le(Box<str>);

impl Le {
    fn new(bound: &str) -> Self {
        Self(format!("le=\"{bound}\"}} {ZERO}").into())
    }

    /// Up to the end of the line, where there are no samples up to the bound.
    pub(crate) fn zero_line(&self) -> &[u8] {
        self.0.as_bytes()
    }

    /// Up to the number of samples.
    pub(crate) fn line_head(&self) -> &[u8] {
        &self.0.as_bytes()[..self.0.len() - ZERO.len()]
    }
}

const ZERO: &str = "0\n";

impl Bounds {
    fn new(set: BucketSet, upper: &[f64]) -> Self {
        let unit = set.unit();
        let samples: Box<[u64]> = upper
            .iter()
            .map(|bound| largest(bound * unit.per_one()))
            .collect();
        // The smallest number with so many bits.
        let least = |bits| (1_u128 << bits) >> 1;
        let below = |least| samples.partition_point(|&bound| u128::from(bound) < least);
        Self {
            unit,
            first: std::array::from_fn(|bits| below(least(bits))),
            upper: upper.into(),
            told: Told::Classic,
            rendered: upper
                .iter()
                .map(|bound| Le::new(&bound.to_string()))
                .chain([Le::new("+Inf")])
                .collect(),
            samples,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.upper.len()
    }

    pub(crate) fn unit(&self) -> Unit {
        self.unit
    }

    /// Whether samples are counted in native buckets, too.
    #[inline]
    pub(crate) fn has_native(&self) -> bool {
        self.told != Told::Classic
    }

    /// Whether the classic buckets are told beside native ones.
    pub(crate) fn has_classic(&self) -> bool {
        self.told != Told::Native
    }

    /// As they were given, in seconds or tokens.
    #[cfg(feature = "otlp")]
    pub(crate) fn upper(&self) -> &[f64] {
        &self.upper
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = f64> {
        self.upper.iter().copied()
    }

    pub(crate) fn rendered(&self) -> impl Iterator<Item = &Le> {
        self.rendered.iter()
    }

    /// Which bucket a sample belongs to; past the last bound, that of `+Inf`.
    #[inline]
    pub(crate) fn bucket_of(&self, sample: u64) -> usize {
        let bits = (u64::BITS - sample.leading_zeros()) as usize;
        let (first, end) = (self.first[bits], self.first[bits + 1]);
        first + self.samples[first..end].partition_point(|&bound| bound < sample)
    }
}

/// The largest whole number up to a bound, which is one itself where only rounding keeps it from it.
// Saturates, as it should: samples below 0 or past 2^64 there are none.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn largest(bound: f64) -> u64 {
    let rounded = bound.round();
    if (bound - rounded).abs() <= rounded.abs() * 1e-12 {
        rounded as u64
    } else {
        bound.floor() as u64
    }
}

/// The bounds in force.
#[derive(Clone, Debug)]
pub(crate) struct Buckets([Arc<Bounds>; BucketSet::ALL.len()]);

impl Default for Buckets {
    fn default() -> Self {
        Self(std::array::from_fn(|index| {
            let set = BucketSet::ALL[index];
            Arc::new(Bounds::new(set, set.default_bounds()))
        }))
    }
}

impl Buckets {
    pub(crate) fn set(&mut self, set: BucketSet, bounds: &[f64]) {
        self.0[set as usize] = Arc::new(Bounds::new(set, bounds));
    }

    /// Which kinds of buckets are told.
    pub(crate) fn tell(&mut self, told: Told) {
        for bounds in &mut self.0 {
            Arc::make_mut(bounds).told = told;
        }
    }

    pub(crate) fn get(&self, set: BucketSet) -> &Arc<Bounds> {
        &self.0[set as usize]
    }

    /// Refuses what Prometheus cannot read as buckets.
    pub(crate) fn check(&self) -> Result<(), RegisterError> {
        for &set in BucketSet::ALL {
            let bounds = &self.get(set).upper;
            let fault = if bounds.is_empty() {
                "there are none"
            } else if bounds.iter().any(|bound| !bound.is_finite()) {
                "one is not finite (+Inf is implied)"
            } else if bounds.windows(2).any(|pair| pair[0] >= pair[1]) {
                "they do not rise strictly"
            } else {
                continue;
            };
            return Err(RegisterError::buckets(set.name(), fault));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_sound() {
        Buckets::default().check().unwrap();
    }

    #[test]
    fn a_sample_belongs_to_the_first_bucket_that_holds_it() {
        let sets = BucketSet::ALL
            .iter()
            .map(|&set| (set, set.default_bounds().to_vec()));
        let odd = [-1.0, 0.0, 1e-9, 2e-9, 3e-9, 1.0, 18_446_744_073.0, 1e300].to_vec();
        for (set, upper) in sets.chain([(BucketSet::Http, odd)]) {
            let bounds = Bounds::new(set, &upper);
            let near = bounds
                .samples
                .iter()
                .flat_map(|&bound| [bound.saturating_sub(1), bound, bound.saturating_add(1)]);
            let powers = (0..64).flat_map(|bits| [(1 << bits) - 1, 1 << bits]);
            for sample in near.chain(powers).chain([u64::MAX - 1, u64::MAX]) {
                let first = bounds.samples.iter().position(|&bound| sample <= bound);
                assert_eq!(
                    bounds.bucket_of(sample),
                    first.unwrap_or(upper.len()),
                    "{sample}"
                );
            }
        }
    }

    #[test]
    fn unsound_sets_are_named() {
        for (bounds, fault) in [
            (vec![], "there are none"),
            (vec![1.0, 1.0], "rise"),
            (vec![2.0, 1.0], "rise"),
            (vec![1.0, f64::INFINITY], "finite"),
            (vec![f64::NAN], "finite"),
        ] {
            let mut buckets = Buckets::default();
            buckets.set(BucketSet::RouterDecision, &bounds);
            let error = buckets.check().unwrap_err().to_string();
            assert!(error.contains("router decision"), "{error}");
            assert!(error.contains(fault), "{error}");
        }
    }
}
