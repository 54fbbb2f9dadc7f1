//! What the gateway's own histograms say, read and reckoned without Prometheus: the truth of what nobody else sees, or sees
//! at other instants.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, ensure};
use brightstaff_metrics_core::{
    catalogue::{Family, ROUTER_DECISION_DURATION},
    labels::RouteKind,
};

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

const LE: &str = "le";

/// The gateway's histograms, since Prometheus first saw them.
pub(super) struct Buckets<'a> {
    exposition: String,
    prometheus: &'a str,
    window: u64,
    now: f64,
}

impl<'a> Buckets<'a> {
    pub(super) fn read(
        prometheus: &'a str,
        metrics_port: u16,
        window: u64,
        now: f64,
    ) -> Result<Self> {
        Ok(Self {
            exposition: http::get(&format!("http://127.0.0.1:{metrics_port}/metrics"))?,
            prometheus,
            window,
            now,
        })
    }

    /// What is expected, with what is known of the router's decisions.
    pub(super) fn know(&self, expected: Expected) -> Result<(Expected, Tolerance)> {
        let name = ROUTER_DECISION_DURATION.name;
        Ok(match expected {
            Expected::Quantile(q, family, _) if family.name == name => {
                let samples = self.samples(family, RouteKind::NAME)?;
                (Expected::Quantile(q, family, samples), BY_BUCKET)
            }
            Expected::Mean(None, family, _) if family.name == name => {
                let means = self.means(family, &[RouteKind::NAME])?;
                (Expected::Values(means), BY_BUCKET)
            }
            other => (other, MEASURED),
        })
    }

    /// The mean of each that has samples.
    pub(super) fn means(&self, family: &Family, by: &[&str]) -> Result<Table> {
        let mut means = self.rises(family, "_sum", by)?;
        let counts = self.rises(family, "_count", by)?;
        ensure!(!counts.is_empty(), "{} has no samples", family.name);
        means.retain(|key, _| counts.get(key).is_some_and(|count| *count > 0.0));
        for (key, sum) in &mut means {
            *sum /= counts.get(key).copied().unwrap_or_default();
        }
        Ok(means)
    }

    /// How many samples there were up to each bound.
    pub(super) fn upto(&self, family: &Family) -> Result<Vec<(f64, f64)>> {
        let rises = self.rises(family, "_bucket", &[LE])?;
        rises
            .into_iter()
            .map(|(key, rise)| Ok((key[0].parse()?, rise)))
            .collect()
    }

    /// Its samples, each at the upper bound of its bucket.
    fn samples(&self, family: &Family, by: &'static str) -> Result<Samples> {
        let mut samples = Samples::new();
        let mut buckets = Vec::new();
        for (key, upto) in self.rises(family, "_bucket", &[by, LE])? {
            buckets.push((key[1].parse::<f64>()?, key[0].clone(), upto));
        }
        buckets.sort_by(|(a, ..), (b, ..)| a.total_cmp(b));
        let mut below = BTreeMap::new();
        for (bound, value, upto) in buckets {
            let before: f64 = below.insert(value.clone(), upto).unwrap_or_default();
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
            let own = (upto - before) as usize;
            let all = samples.entry(vec![value]).or_default();
            all.extend(std::iter::repeat_n(bound, own));
        }
        Ok(samples)
    }

    /// By how much its series with this suffix rose, added up by these labels.
    fn rises(&self, family: &Family, suffix: &str, by: &[&str]) -> Result<Table> {
        let name = format!("{}{suffix}", family.name);
        let labels = by.join(", ");
        let first = format!(
            "sum by ({labels}) (min_over_time({name}[{}s]))",
            self.window
        );
        let mut seen = Table::new();
        for (labels, value) in api::query_at(self.prometheus, &first, self.now)? {
            let key = by.iter().map(|label| text(label, &labels[*label]));
            seen.insert(key.collect(), value);
        }
        let start = format!("{name}{{");
        let mut rises = Table::new();
        for line in self.exposition.lines() {
            let Some(rest) = line.strip_prefix(&start) else {
                continue;
            };
            let (labels, value) = rest.split_once("} ").context("a sample has a value")?;
            let labels: BTreeMap<_, _> = labels
                .split("\",")
                .filter_map(|label| label.split_once("=\""))
                .collect();
            let key = by
                .iter()
                .map(|label| text(label, labels[*label].trim_end_matches('"')));
            *rises.entry(key.collect()).or_default() += value.parse::<f64>()?;
        }
        for (key, rise) in &mut rises {
            *rise -= seen.get(key).copied().unwrap_or_default();
        }
        Ok(rises)
    }
}

/// A value of a label, where bounds, which are written in more ways than one, are written in one.
fn text(label: &str, value: &str) -> String {
    match value.parse::<f64>() {
        Ok(bound) if label == LE => bound.to_string(),
        _ => value.to_owned(),
    }
}
