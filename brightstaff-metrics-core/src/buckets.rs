//! The bucket sets of the histograms, each replaceable at build time.

use crate::error::Error;

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
            Self::RequestTokens => "request tokens",
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

/// The bounds in force.
#[derive(Clone, Debug)]
pub(crate) struct Buckets([Vec<f64>; BucketSet::ALL.len()]);

impl Default for Buckets {
    fn default() -> Self {
        Self(std::array::from_fn(|set| {
            BucketSet::ALL[set].default_bounds().to_vec()
        }))
    }
}

impl Buckets {
    pub(crate) fn set(&mut self, set: BucketSet, bounds: Vec<f64>) {
        self.0[set as usize] = bounds;
    }

    pub(crate) fn get(&self, set: BucketSet) -> &[f64] {
        &self.0[set as usize]
    }

    /// Refuses what Prometheus cannot read as buckets.
    pub(crate) fn check(&self) -> Result<(), Error> {
        for &set in BucketSet::ALL {
            let bounds = self.get(set);
            let fault = if bounds.is_empty() {
                "there are none"
            } else if bounds.iter().any(|bound| !bound.is_finite()) {
                "one is not finite (+Inf is implied)"
            } else if bounds.windows(2).any(|pair| pair[0] >= pair[1]) {
                "they do not rise strictly"
            } else {
                continue;
            };
            return Err(Error::buckets(set, fault));
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
    fn unsound_sets_are_named() {
        for (bounds, fault) in [
            (vec![], "there are none"),
            (vec![1.0, 1.0], "rise"),
            (vec![2.0, 1.0], "rise"),
            (vec![1.0, f64::INFINITY], "finite"),
            (vec![f64::NAN], "finite"),
        ] {
            let mut buckets = Buckets::default();
            buckets.set(BucketSet::RouterDecision, bounds);
            let error = buckets.check().unwrap_err().to_string();
            assert!(error.contains("router decision"), "{error}");
            assert!(error.contains(fault), "{error}");
        }
    }
}
