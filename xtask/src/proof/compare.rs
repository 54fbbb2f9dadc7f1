//! Whether what Prometheus returns is what happened.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, ensure};
use brightstaff_metrics_core::catalogue::{Family, Kind};

use super::{
    expect::{self, Expected},
    truth::Table,
};
use crate::api::Samples;

/// How far a value may be from the truth.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tolerance {
    /// Of the value.
    pub(super) share: f64,
    /// On top, in the value's own unit.
    pub(super) constant: f64,
    /// On top of a time, where the instants are those that somebody else saw.
    pub(super) seconds: f64,
    /// How many ranks a quantile's sample may be off, where the samples are those that somebody else
    /// saw: then a quantile is right within its bucket. Else it has to be what the histogram's buckets
    /// make of the samples.
    pub(super) ranks: Option<f64>,
}

/// Compares them, and tells how many values were compared.
pub(super) fn compare(
    returned: &Samples,
    labels: &[&str],
    expected: &Expected,
    tolerance: Tolerance,
) -> Result<usize> {
    for (series, _) in returned {
        for label in labels {
            let value = series.get(*label).map_or("", String::as_str);
            ensure!(
                !value.is_empty(),
                "the legend wants {label}, and {series:?} has none"
            );
        }
    }
    let returned: BTreeMap<Vec<String>, f64> = returned
        .iter()
        .map(|(series, value)| (labels.iter().map(|l| series[*l].clone()).collect(), *value))
        .collect();
    match expected {
        Expected::Values(table) => values(&returned, table, tolerance),
        Expected::Quantile(q, family, samples) => {
            quantiles(&returned, *q, family, samples, tolerance)
        }
        Expected::Mean(q, family, samples) => means(&returned, *q, family, samples, tolerance),
        Expected::Buckets(truths) => buckets(&returned, truths, tolerance),
        Expected::Rest => {
            let busy = returned.iter().find(|(_, value)| **value != 0.0);
            ensure!(busy.is_none(), "not at rest: {busy:?}");
            Ok(returned.len())
        }
        Expected::Something => {
            ensure!(!returned.is_empty(), "no data");
            let odd = returned
                .iter()
                .find(|(_, value)| value.is_nan() || **value < 0.0);
            ensure!(odd.is_none(), "{odd:?}");
            Ok(returned.len())
        }
        // Whoever asks knows it.
        Expected::Firing | Expected::Foreign(_) => Ok(0),
    }
}

fn quantiles(
    returned: &BTreeMap<Vec<String>, f64>,
    q: f64,
    family: &Family,
    samples: &expect::Samples,
    tolerance: Tolerance,
) -> Result<usize> {
    for (key, samples) in samples {
        let range = Range::of(q, bounds(family), samples, tolerance);
        range
            .check(returned.get(key))
            .with_context(|| format!("{key:?}: quantile {q}"))?;
    }
    no_strangers(returned, samples)?;
    Ok(samples.len())
}

/// Means of all, or where their quantile was not measured.
fn means(
    returned: &BTreeMap<Vec<String>, f64>,
    q: Option<f64>,
    family: &Family,
    samples: &expect::Samples,
    tolerance: Tolerance,
) -> Result<usize> {
    for (key, samples) in samples {
        let range = q.map(|q| Range::of(q, bounds(family), samples, tolerance));
        let (must, may) = match range {
            None => (true, true),
            Some(range) => (!range.may_be_measured(), !range.is_measured()),
        };
        let value = returned.get(key);
        ensure!(
            value.is_some() || !must,
            "{key:?}: no mean, and no quantile"
        );
        ensure!(
            value.is_none() || may,
            "{key:?}: a mean beside its quantile"
        );
        let mean = mean(samples);
        let most = mean * tolerance.share + tolerance.seconds;
        let off = value.map_or(0.0, |value| (value - mean).abs());
        ensure!(off <= most, "{key:?}: a mean of {value:?} is {mean}");
    }
    no_strangers(returned, samples)?;
    Ok(returned.len())
}

fn buckets(
    returned: &BTreeMap<Vec<String>, f64>,
    truths: &[(f64, f64)],
    tolerance: Tolerance,
) -> Result<usize> {
    ensure!(
        returned.len() == truths.len(),
        "{} buckets, and there are {}",
        returned.len(),
        truths.len()
    );
    for (bound, truth) in truths {
        // Bounds are written in more ways than one.
        let own = returned
            .iter()
            .find(|(key, _)| key[0].parse() == Ok(*bound));
        let (_, value) = own.with_context(|| format!("no bucket up to {bound}"))?;
        let most = truth * tolerance.share + tolerance.constant;
        let off = (value - truth).abs();
        ensure!(off <= most, "up to {bound}: {value}, and it is {truth}");
    }
    Ok(truths.len())
}

fn no_strangers(returned: &BTreeMap<Vec<String>, f64>, samples: &expect::Samples) -> Result<()> {
    let stranger = returned.keys().find(|key| !samples.contains_key(*key));
    ensure!(stranger.is_none(), "{stranger:?} had no samples");
    Ok(())
}

#[expect(clippy::cast_precision_loss)]
fn mean(samples: &[f64]) -> f64 {
    samples.iter().sum::<f64>() / samples.len() as f64
}

/// Between what a quantile has to read.
#[derive(Clone, Copy, Debug)]
struct Range {
    low: f64,
    high: f64,
    /// And how far beside them.
    share: f64,
    /// Between what there is something to read.
    first: f64,
    last: f64,
}

impl Range {
    fn of(q: f64, bounds: &[f64], samples: &[f64], tolerance: Tolerance) -> Self {
        let (low, high) = match tolerance.ranks {
            Some(ranks) => around(q, bounds, samples, ranks, tolerance.seconds),
            None => {
                let quantile = interpolated(q, bounds, samples);
                (quantile, quantile)
            }
        };
        Self {
            low,
            high,
            share: tolerance.share,
            first: bounds[0],
            last: bounds[bounds.len() - 1],
        }
    }

    /// Whether it is between the first and the last bucket, wherever in its range it is.
    fn is_measured(self) -> bool {
        self.low > self.first && self.high < self.last
    }

    /// Whether some of its range is.
    fn may_be_measured(self) -> bool {
        self.high > self.first && self.low < self.last
    }

    fn check(self, value: Option<&f64>) -> Result<()> {
        let (low, high) = (
            self.low * (1.0 - self.share),
            self.high * (1.0 + self.share),
        );
        match value {
            None => ensure!(!self.is_measured(), "none, and is between {low} and {high}"),
            Some(value) => {
                ensure!(
                    self.may_be_measured(),
                    "reads {value}, and was not measured"
                );
                ensure!(
                    (low..=high).contains(value),
                    "reads {value}, and is between {low} and {high}"
                );
            }
        }
        Ok(())
    }
}

fn values(
    returned: &BTreeMap<Vec<String>, f64>,
    table: &Table,
    tolerance: Tolerance,
) -> Result<usize> {
    for (key, truth) in table {
        // 0 has to be there as 0.
        let Some(value) = returned.get(key).copied() else {
            anyhow::bail!("no data for {key:?}, which is {truth}");
        };
        let most = truth.abs() * tolerance.share + tolerance.constant;
        ensure!(
            (value - truth).abs() <= most,
            "{key:?} reads {value}, and is {truth}, more than {most} away"
        );
    }
    for (key, value) in returned {
        ensure!(
            table.contains_key(key) || value.abs() <= tolerance.constant,
            "{key:?} reads {value}, and nothing happened there"
        );
    }
    Ok(table.len())
}

fn bounds(family: &Family) -> &'static [f64] {
    let Kind::Histogram(set) = family.kind else {
        unreachable!("{} is a histogram", family.name)
    };
    set.default_bounds()
}

/// What a histogram says of a quantile: the samples of a bucket lie evenly in it, and what is beyond
/// the last bound is on it.
#[expect(clippy::cast_precision_loss)]
fn interpolated(q: f64, bounds: &[f64], samples: &[f64]) -> f64 {
    let rank = samples.len() as f64 * q;
    let mut low = (0.0, 0.0);
    for bound in bounds {
        let upto = samples.iter().filter(|sample| *sample <= bound).count() as f64;
        if upto >= rank {
            return low.0 + (bound - low.0) * (rank - low.1) / (upto - low.1);
        }
        low = (*bound, upto);
    }
    low.0
}

/// The bounds of the buckets that hold the samples of these ranks, each of which somebody else may have seen
/// this much earlier or later.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss
)]
fn around(q: f64, bounds: &[f64], samples: &[f64], ranks: f64, off: f64) -> (f64, f64) {
    let at = |rank: f64| samples[rank.clamp(0.0, (samples.len() - 1) as f64) as usize];
    let rank = samples.len() as f64 * q;
    let low = at((rank - 1.0 - ranks).floor()) - off;
    let high = at((rank + ranks).ceil()) + off;
    let below = bounds.iter().rev().find(|bound| **bound < low);
    let above = bounds.iter().find(|bound| **bound >= high);
    let last = bounds.last().copied().unwrap_or_default();
    (
        below.copied().unwrap_or(0.0),
        above.copied().unwrap_or(last),
    )
}

#[cfg(test)]
mod tests {
    use brightstaff_metrics_core::catalogue::HTTP_REQUEST_DURATION;

    use super::*;

    const EXACT: Tolerance = Tolerance {
        share: 0.01,
        constant: 0.0,
        seconds: 0.0,
        ranks: None,
    };

    fn returned(series: &[(&str, f64)]) -> Samples {
        series
            .iter()
            .map(|(handler, value)| {
                (
                    [("handler".to_owned(), (*handler).to_owned())].into(),
                    *value,
                )
            })
            .collect()
    }

    fn agrees(series: &[(&str, f64)], expected: &Expected) -> bool {
        compare(&returned(series), &["handler"], expected, EXACT).is_ok()
    }

    #[test]
    fn what_is_0_has_to_be_there_and_what_is_not_has_not() {
        let expected = Expected::Values([(vec!["a".to_owned()], 0.0)].into());
        assert!(agrees(&[("a", 0.0)], &expected));
        assert!(!agrees(&[], &expected));
        assert!(!agrees(&[("a", f64::NAN)], &expected));
        assert!(!agrees(&[("a", 0.0), ("b", 1.0)], &expected));
        assert!(!agrees(&[("", 0.0)], &expected));
    }

    #[test]
    fn a_value_may_be_as_far_off_as_stated() {
        let expected = Expected::Values([(vec!["a".to_owned()], 2.0)].into());
        assert!(agrees(&[("a", 2.01)], &expected));
        assert!(!agrees(&[("a", 2.03)], &expected));
    }

    #[test]
    fn what_no_bucket_measured_must_not_be_read() {
        // Below the first bound, and beyond the last one.
        for sample in [0.00003, 400.0] {
            let samples = || [(vec!["a".to_owned()], vec![sample; 4])].into();
            let quantile = Expected::Quantile(0.5, &HTTP_REQUEST_DURATION, samples());
            assert!(agrees(&[], &quantile));
            assert!(!agrees(&[("a", 0.000_25)], &quantile));
            assert!(!agrees(&[("a", 300.0)], &quantile));
            let mean = Expected::Mean(Some(0.5), &HTTP_REQUEST_DURATION, samples());
            assert!(agrees(&[("a", sample)], &mean));
            assert!(!agrees(&[("a", sample * 1.1)], &mean));
            assert!(!agrees(&[], &mean));
        }
        let samples = [(vec!["a".to_owned()], vec![0.6; 4])].into();
        let mean = Expected::Mean(Some(0.5), &HTTP_REQUEST_DURATION, samples);
        assert!(agrees(&[], &mean));
        assert!(!agrees(&[("a", 0.6)], &mean));
    }

    #[test]
    fn every_bucket_has_to_be_there_however_its_bound_is_written() {
        let expected = Expected::Buckets(vec![(1.0, 3.0), (f64::INFINITY, 4.0)]);
        assert!(agrees(&[("1.0", 3.01), ("+Inf", 4.0)], &expected));
        assert!(!agrees(&[("1.0", 3.1), ("+Inf", 4.0)], &expected));
        assert!(!agrees(&[("+Inf", 4.0)], &expected));
        assert!(!agrees(&[("1", 3.0), ("2", 4.0), ("+Inf", 4.0)], &expected));
    }

    #[test]
    fn a_quantile_is_what_the_buckets_make_of_it() {
        // Four samples between 0.5 and 1: the median is half-way.
        let samples = [(vec!["a".to_owned()], vec![0.6, 0.7, 0.8, 0.9])];
        let expected = Expected::Quantile(0.5, &HTTP_REQUEST_DURATION, samples.into());
        assert!(agrees(&[("a", 0.75)], &expected));
        assert!(!agrees(&[("a", 0.7)], &expected));
        assert!(!agrees(&[], &expected));
        let near_by_rank = Tolerance {
            ranks: Some(0.0),
            ..EXACT
        };
        let near = |value| {
            compare(
                &returned(&[("a", value)]),
                &["handler"],
                &expected,
                near_by_rank,
            )
        };
        assert!(near(0.55).is_ok());
        assert!(near(1.1).is_err());
        let near = Tolerance {
            seconds: 0.2,
            ..near_by_rank
        };
        let near = |value| compare(&returned(&[("a", value)]), &["handler"], &expected, near);
        assert!(near(0.3).is_ok());
        assert!(near(2.6).is_err());
    }
}
