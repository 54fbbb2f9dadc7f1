//! Whether what Prometheus returns is what happened.

use std::collections::BTreeMap;

use anyhow::{Result, ensure};
use brightstaff_metrics_core::catalogue::{Family, Kind};

use super::{
    expect::Expected,
    truth::{Labels, Table},
};

/// How far a value may be from the truth.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tolerance {
    /// Of the value.
    pub(super) share: f64,
    /// On top, in the value's own unit.
    pub(super) constant: f64,
    /// How many ranks a quantile's sample may be off: a histogram sees the window's ends, and the
    /// samples lie in the order of their ends.
    pub(super) ranks: f64,
}

/// What a query returned: the labels of each series, and its value.
pub(super) type Returned = Vec<(Labels, f64)>;

/// Compares them, and tells how many values were compared.
pub(super) fn compare(
    returned: &Returned,
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
                let (low, high) = around(*q, family, samples, tolerance.ranks);
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

/// The bounds of the buckets that hold the samples of these ranks: no histogram knows it closer.
fn around(q: f64, family: &Family, samples: &[f64], ranks: f64) -> (f64, f64) {
    let Kind::Histogram(set) = family.kind else {
        unreachable!("{} is a histogram", family.name)
    };
    let bounds = set.default_bounds();
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss
    )]
    let at = |rank: f64| samples[rank.clamp(0.0, (samples.len() - 1) as f64) as usize];
    #[expect(clippy::cast_precision_loss)]
    let rank = samples.len() as f64 * q;
    let low = at((rank - 1.0 - ranks).floor());
    let high = at((rank + ranks).ceil());
    let below = bounds.iter().rev().find(|bound| **bound < low);
    let above = bounds.iter().find(|bound| **bound >= high);
    let last = bounds.last().copied().unwrap_or_default();
    (
        below.copied().unwrap_or(0.0),
        above.copied().unwrap_or(last),
    )
}
