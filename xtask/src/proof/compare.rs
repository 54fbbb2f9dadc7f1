//! Whether what Prometheus returns is what happened.

use std::collections::BTreeMap;

use anyhow::{Result, ensure};
use brightstaff_metrics_core::catalogue::{Family, Kind};

use super::{expect::Expected, truth::Table};
use crate::api::Samples;

/// How far a value may be from the truth.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tolerance {
    /// Of the value.
    pub(super) share: f64,
    /// On top, in the value's own unit.
    pub(super) constant: f64,
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
            for (key, samples) in samples {
                let Some(value) = returned.get(key) else {
                    anyhow::bail!("no quantile for {key:?}, of {} samples", samples.len());
                };
                let bounds = bounds(family);
                let (low, high) = match tolerance.ranks {
                    Some(ranks) => around(*q, bounds, samples, ranks, tolerance.constant),
                    None => {
                        let quantile = interpolated(*q, bounds, samples);
                        let off = quantile * tolerance.share;
                        (quantile - off, quantile + off)
                    }
                };
                ensure!(
                    (low..=high).contains(value),
                    "{key:?}: quantile {q} reads {value}, and is between {low} and {high}"
                );
            }
            let strangers = returned.keys().find(|key| !samples.contains_key(*key));
            ensure!(
                strangers.is_none(),
                "a quantile for {strangers:?}, which had no samples"
            );
            Ok(samples.len())
        }
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
        Expected::Foreign(_) => Ok(0),
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
            constant: 0.2,
            ..near_by_rank
        };
        let near = |value| compare(&returned(&[("a", value)]), &["handler"], &expected, near);
        assert!(near(0.3).is_ok());
        assert!(near(2.6).is_err());
    }
}
