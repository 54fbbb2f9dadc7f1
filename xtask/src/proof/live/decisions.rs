//! How long the router's decisions took, which nobody but the gateway sees: what its own buckets say, read and reckoned
//! without Prometheus.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, ensure};
use brightstaff_metrics_core::{catalogue::ROUTER_DECISION_DURATION, labels::RouteKind};

use super::MEASURED;
use crate::{
    api, http,
    proof::{
        compare::Tolerance,
        expect::{Expected, Samples},
        truth::Table,
    },
};

/// A quantile is in the bucket of its sample, or of the one beside it.
const BY_BUCKET: Tolerance = Tolerance {
    seconds: 0.0,
    ranks: Some(1.0),
    ..MEASURED
};

/// The decisions of each route since Prometheus first saw them.
pub(super) struct Decisions {
    /// Each at the upper bound of its bucket.
    samples: Samples,
    means: Table,
}

impl Decisions {
    /// Asks the gateway for its buckets, and Prometheus for what they were when it first saw them.
    pub(super) fn read(prometheus: &str, metrics_port: u16, window: u64, now: f64) -> Result<Self> {
        let text = http::get(&format!("http://127.0.0.1:{metrics_port}/metrics"))?;
        let rises = |suffix| rises(&text, suffix, prometheus, window, now);
        let counts = rises("_count")?;
        ensure!(!counts.is_empty(), "the demo's router decides nothing");
        let sums = rises("_sum")?;
        let means = counts.iter().map(|(key, count)| {
            let sum = sums.get(key).copied().unwrap_or_default();
            (key.clone(), sum / count)
        });
        let mut samples = Samples::new();
        let mut below = BTreeMap::new();
        // In the order of their bounds, as the exposition has them.
        let mut buckets: Vec<_> = rises("_bucket")?.into_iter().collect();
        buckets.sort_by(|(a, _), (b, _)| bound(a).total_cmp(&bound(b)));
        for (key, upto) in buckets {
            let route = vec![key[0].clone()];
            let below: &mut f64 = below.entry(route.clone()).or_default();
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
            let own = (upto - *below) as usize;
            *below = upto;
            let of_route = samples.entry(route).or_default();
            of_route.extend(std::iter::repeat_n(bound(&key), own));
        }
        Ok(Self {
            samples,
            means: means.collect(),
        })
    }

    /// What is expected, with what is known of decisions.
    pub(super) fn know(&self, expected: Expected) -> (Expected, Tolerance) {
        let name = ROUTER_DECISION_DURATION.name;
        match expected {
            Expected::Quantile(q, family, _) if family.name == name => {
                let samples = self.samples.clone();
                (Expected::Quantile(q, family, samples), BY_BUCKET)
            }
            Expected::Mean(None, family, _) if family.name == name => {
                (Expected::Values(self.means.clone()), BY_BUCKET)
            }
            other => (other, MEASURED),
        }
    }
}

/// The upper bound of a bucket.
fn bound(key: &[String]) -> f64 {
    key.get(1)
        .and_then(|bound| bound.parse().ok())
        .unwrap_or(f64::INFINITY)
}

/// By how much the family's series with this suffix rose, by route, and by bound where they have one.
fn rises(exposition: &str, suffix: &str, prometheus: &str, window: u64, now: f64) -> Result<Table> {
    let name = format!("{}{suffix}", ROUTER_DECISION_DURATION.name);
    let first = format!("min_over_time({name}[{window}s])");
    let first = api::query_at(prometheus, &first, now)?;
    let key = |label: &dyn Fn(&str) -> Option<String>| -> Vec<String> {
        let labels = [RouteKind::NAME, "le"];
        labels.iter().filter_map(|name| label(name)).collect()
    };
    // The two write bounds in ways of their own.
    let number = |(name, value): (&str, &str)| match value.parse::<f64>() {
        Ok(bound) if name == "le" => bound.to_string(),
        _ => value.to_owned(),
    };
    let seen: Table = first
        .iter()
        .map(|(labels, value)| {
            let of = |name: &str| labels.get(name).map(|value| number((name, value)));
            (key(&of), *value)
        })
        .collect();
    let start = format!("{name}{{");
    let mut rises = Table::new();
    for line in exposition.lines() {
        let Some(rest) = line.strip_prefix(&start) else {
            continue;
        };
        let (labels, value) = rest.split_once("} ").context("a sample has a value")?;
        let labels: BTreeMap<_, _> = labels
            .split(',')
            .filter_map(|label| label.split_once('='))
            .map(|(name, value)| (name, number((name, value.trim_matches('"')))))
            .collect();
        let key = key(&|name| labels.get(name).cloned());
        let value: f64 = value.parse()?;
        let seen = seen.get(&key).copied().unwrap_or_default();
        rises.insert(key, value - seen);
    }
    Ok(rises)
}
