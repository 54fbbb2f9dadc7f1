//! What the gateway's own histograms say, read and reckoned without Prometheus: the truth of what nobody else sees, or sees
//! at other instants.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, ensure};
use brightstaff_metrics_core::{
    catalogue::{Family, ROUTER_DECISION_DURATION},
    labels::RouteKind,
};

use crate::{
    api::{self, Samples},
    http,
    proof::{
        compare::Tolerance,
        expect::{self, Expected},
        truth::Table,
    },
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

    /// What Prometheus returns to a query at the instant of this.
    pub(super) fn ask(&self, expression: &str) -> Result<Samples> {
        api::query_at(self.prometheus, expression, self.now)
    }

    /// How many alerts fire, and what this expression makes of that.
    #[expect(clippy::cast_precision_loss)]
    pub(super) fn firing(&self, expression: &str) -> Result<(f64, Samples)> {
        let firing = || -> Result<_> {
            let told = api::get(self.prometheus, "alerts", &[])?;
            let alerts = told["alerts"].as_array().context("no alerts")?;
            let firing = alerts.iter().filter(|alert| alert["state"] == "firing");
            Ok(firing.count())
        };
        loop {
            let before = firing()?;
            let returned = api::query(self.prometheus, expression)?;
            // Another may begin in between.
            if firing()? == before {
                return Ok((before as f64, returned));
            }
        }
    }

    /// What is expected, and how nearly, with what is known of the router's decisions: a quantile of them is in the bucket of
    /// its sample, or of the one beside it.
    pub(super) fn know(
        &self,
        expected: Expected,
        tolerance: Tolerance,
    ) -> Result<(Expected, Tolerance)> {
        let exact = Tolerance {
            seconds: 0.0,
            ranks: Some(1.0),
            ..tolerance
        };
        let name = ROUTER_DECISION_DURATION.name;
        Ok(match expected {
            Expected::Quantile(q, family, _) if family.name == name => {
                let samples = self.samples(family, RouteKind::NAME)?;
                (Expected::Quantile(q, family, samples), exact)
            }
            Expected::Mean(None, family, _) if family.name == name => {
                let means = self.means(family, &[RouteKind::NAME])?;
                (Expected::Values(means), exact)
            }
            other => (other, tolerance),
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
    fn samples(&self, family: &Family, by: &'static str) -> Result<expect::Samples> {
        let mut samples = expect::Samples::new();
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
        for (labels, value) in self.ask(&first)? {
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
