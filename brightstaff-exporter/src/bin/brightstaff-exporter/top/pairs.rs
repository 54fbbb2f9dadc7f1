//! Providers and models.

use std::collections::BTreeMap;

use brightstaff_metrics_core::catalogue::{
    TIME_PER_OUTPUT_TOKEN as PER_TOKEN, TIME_TO_FIRST_TOKEN as FIRST_TOKEN, TOKENS,
    UPSTREAM_IN_FLIGHT as IN_FLIGHT, UPSTREAM_REQUESTS as CALLS, USAGE_MISSING,
};

use super::{
    history::{History, Span},
    quantile::Quantile,
};
use crate::exposition::Labels;

/// What one pair did within the window.
#[derive(Clone, Debug, Default)]
pub(super) struct Pair {
    pub(super) provider: String,
    pub(super) model: String,
    pub(super) seconds: f64,
    /// All that ended, those that the gateway gave up included.
    pub(super) calls: f64,
    by_class: BTreeMap<String, f64>,
    pub(super) succeeded_2xx: f64,
    pub(super) refused_4xx: f64,
    pub(super) tokens_in: f64,
    pub(super) tokens_out: f64,
    pub(super) usage_missing: f64,
    per_token_sum: f64,
    per_token_count: f64,
    first_token: Vec<(f64, f64)>,
    pub(super) p50: Quantile,
    pub(super) p95: Quantile,
    /// Calls of the whole provider, right now: they are counted without their model.
    pub(super) in_flight: f64,
}

impl Pair {
    /// Calls that ended with this class.
    pub(super) fn of(&self, class: &str) -> f64 {
        self.by_class.get(class).copied().unwrap_or_default()
    }

    /// Calls of which the gateway waited for the end.
    pub(super) fn judged(&self) -> f64 {
        self.calls - self.of("cancelled")
    }

    /// Calls that ended well.
    pub(super) fn good(&self) -> f64 {
        self.of("none")
    }

    /// Output tokens a second of one stream, after the first; `NaN` where none was seen.
    pub(super) fn speed(&self) -> f64 {
        if self.per_token_sum > 0.0 {
            self.per_token_count / self.per_token_sum
        } else {
            f64::NAN
        }
    }

    /// This many a second.
    pub(super) fn per_second(&self, count: f64) -> f64 {
        count / self.seconds
    }
}

/// All pairs that have series, by name.
pub(super) fn pairs(history: &History, span: Span<'_>) -> Vec<Pair> {
    let mut found = Found {
        history,
        span,
        pairs: BTreeMap::new(),
    };
    found.each(CALLS.name, |pair, labels, rise| {
        let (status, class) = (labels.get("status_class"), labels.get("error_class"));
        *pair.by_class.entry(class.to_owned()).or_default() += rise;
        pair.calls += rise;
        if status == "2xx" {
            pair.succeeded_2xx += rise;
        }
        if status == "4xx" && class == "status" {
            pair.refused_4xx += rise;
        }
    });
    found.each(TOKENS.name, |pair, labels, rise| match labels.get("kind") {
        "prompt" => pair.tokens_in += rise,
        _ => pair.tokens_out += rise,
    });
    found.each(USAGE_MISSING.name, |pair, labels, rise| {
        if labels.get("reason") != "interrupted" {
            pair.usage_missing += rise;
        }
    });
    let per_token = |part| format!("{}_{part}", PER_TOKEN.name);
    found.each(&per_token("sum"), |pair, _, rise| {
        pair.per_token_sum += rise;
    });
    found.each(&per_token("count"), |pair, _, rise| {
        pair.per_token_count += rise;
    });
    found.each(
        &format!("{}_bucket", FIRST_TOKEN.name),
        |pair, labels, rise| {
            pair.first_token.push((bound(labels), rise));
        },
    );
    for pair in found.pairs.values_mut() {
        let buckets = added(std::mem::take(&mut pair.first_token));
        pair.p50 = Quantile::of(0.5, &buckets);
        pair.p95 = Quantile::of(0.95, &buckets);
    }
    for series in history.of(IN_FLIGHT.name) {
        let provider = series.labels.get("provider");
        for pair in found
            .pairs
            .values_mut()
            .filter(|pair| pair.provider == provider)
        {
            pair.in_flight += history.gauge(series);
        }
    }
    found.pairs.into_values().collect()
}

/// The time to the first token of all pairs together.
pub(super) fn first_token(history: &History, span: Span<'_>) -> Vec<(f64, f64)> {
    let name = format!("{}_bucket", FIRST_TOKEN.name);
    let series = history.of(&name);
    added(
        series
            .map(|series| (bound(&series.labels), history.rise(series, span)))
            .collect(),
    )
}

struct Found<'a> {
    history: &'a History,
    span: Span<'a>,
    pairs: BTreeMap<(String, String), Pair>,
}

impl Found<'_> {
    /// Has every series of this name counted with its pair.
    fn each(&mut self, name: &str, mut take: impl FnMut(&mut Pair, &Labels, f64)) {
        for series in self.history.of(name) {
            let [provider, model] =
                ["provider", "model"].map(|name| series.labels.get(name).to_owned());
            let pair =
                self.pairs
                    .entry((provider, model))
                    .or_insert_with_key(|(provider, model)| Pair {
                        provider: provider.clone(),
                        model: model.clone(),
                        seconds: self.span.seconds(),
                        ..Pair::default()
                    });
            take(pair, &series.labels, self.history.rise(series, self.span));
        }
    }
}

fn bound(labels: &Labels) -> f64 {
    labels.get("le").parse().unwrap_or(f64::NAN)
}

/// Histograms added up by their bounds.
fn added(mut counts: Vec<(f64, f64)>) -> Vec<(f64, f64)> {
    counts.retain(|(bound, _)| !bound.is_nan());
    counts.sort_by(|(a, _), (b, _)| a.total_cmp(b));
    counts.dedup_by(|(bound, count), (before, sum)| {
        let same = bound == before;
        if same {
            *sum += *count;
        }
        same
    });
    counts
}
