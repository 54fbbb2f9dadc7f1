//! What somebody should look at: the conditions of the shipped alerts, over the minutes that are known.

use std::collections::BTreeSet;

use brightstaff_metrics_core::catalogue::{
    FAILOVER_REQUESTS as FAILOVER, HTTP_CANCELLED, HTTP_INTERRUPTED, HTTP_REQUESTS,
    LABEL_OVERFLOW as OVERFLOW,
};

use super::{
    format::{count, quantile, share},
    history::{History, Span},
    pairs::Pair,
};
use crate::exposition::Labels;

/// What is wrong, and by how much.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Warning {
    pub(super) title: String,
    pub(super) detail: String,
    pub(super) critical: bool,
}

/// A share of fewer says nothing.
const MIN_COUNT: f64 = 10.0;

/// The limits of the alerts, by what they are of.
const HTTP: f64 = 0.072;
const UPSTREAM: f64 = 0.144;
const RATE_LIMITED: f64 = 0.05;
const REFUSED: f64 = 0.1;
const EXHAUSTED: f64 = 0.02;
const MISSING: f64 = 0.05;
const FIRST_TOKEN_SECONDS: f64 = 5.0;

/// The classes of calls that failed by a fault of the provider or of the way to it.
const FAULTS: [&str; 6] = ["timeout", "connect", "parse", "status", "stream", "other"];

/// All of them, the most general first.
pub(super) fn warnings(history: &History, span: Span<'_>, pairs: &[Pair]) -> Vec<Warning> {
    let providers: BTreeSet<_> = pairs.iter().map(|pair| &pair.provider).collect();
    let mut found = Vec::new();
    found.extend(of_http(history, span));
    for provider in providers {
        let its = pairs.iter().filter(|pair| pair.provider == *provider);
        of_provider(provider, &its.collect::<Vec<_>>(), &mut found);
    }
    found.extend(pairs.iter().filter_map(slow));
    found.extend(exhausted(history, span));
    found.extend(overflow(history, span));
    found
}

/// Whether a handler serves those who only look whether the gateway is there.
pub(super) fn is_probe(labels: &Labels) -> bool {
    matches!(labels.get("handler"), "healthz" | "readyz")
}

fn of_http(history: &History, span: Span<'_>) -> Option<Warning> {
    let of = |name: &str, label: &str, value: &str| {
        history.sum(name, span, |labels| labels.get(label) == value)
    };
    let requests = history.sum(HTTP_REQUESTS.name, span, |labels| !is_probe(labels));
    let failed = history.sum(HTTP_REQUESTS.name, span, |labels| {
        labels.get("status_class") == "5xx" && !is_probe(labels)
    });
    // A client that leaves before the headers is counted as "error", too, and is no failure.
    let without = of(HTTP_REQUESTS.name, "status_class", "error")
        - of(HTTP_CANCELLED.name, "phase", "headers");
    let interrupted = history.sum(HTTP_INTERRUPTED.name, span, |_| true);
    let faults = failed + without.max(0.0) + interrupted;
    over(faults, requests, HTTP).then(|| Warning {
        title: "Requests fail".to_owned(),
        detail: format!(
            "{} got a 5xx, no response, or one that broke off",
            share(faults, requests)
        ),
        critical: true,
    })
}

fn of_provider(provider: &str, pairs: &[&Pair], found: &mut Vec<Warning>) {
    let sum = |value: &dyn Fn(&Pair) -> f64| pairs.iter().map(|pair| value(pair)).sum::<f64>();
    let calls = sum(&Pair::judged);
    let limited = sum(&|pair| pair.of("rate_limit"));
    let refused = sum(&|pair| pair.refused_4xx);
    let faults = calls - sum(&Pair::good) - limited - refused;
    let (good, missing) = (
        sum(&|pair| pair.succeeded_2xx),
        sum(&|pair| pair.usage_missing),
    );
    let mut add = |title: &str, detail: String, critical| {
        let title = format!("{provider}: {title}");
        found.push(Warning {
            title,
            detail,
            critical,
        });
    };
    if over(faults, calls, UPSTREAM) {
        let classes = FAULTS.map(|class| (class, sum(&|pair| pair.of(class))));
        let told = classes.iter().filter(|(_, value)| *value > 0.0);
        let told: Vec<_> = told
            .map(|(class, value)| format!("{class} {}", count(*value)))
            .collect();
        let (part, of, told) = (share(faults, calls), count(calls), told.join(", "));
        add("calls fail", format!("{part} of {of} ({told})"), true);
    }
    if over(limited, calls, RATE_LIMITED) {
        let detail = format!("{} got a 429", share(limited, calls));
        add("calls are refused for their rate", detail, false);
    }
    if over(refused, calls, REFUSED) {
        let part = share(refused, calls);
        let detail = format!("{part} got another 4xx: a key, a model or a request is wrong");
        add("calls are refused", detail, false);
    }
    if over(missing, good, MISSING) {
        let part = share(missing, good);
        let detail = format!("{part} of the 2xx calls ended without their usage");
        add("token counts are incomplete", detail, false);
    }
    let nameless = |pair: &&Pair| pair.calls == 0.0 || ["other", "unknown"].contains(&&*pair.model);
    if calls > 0.0 && pairs.iter().all(nameless) {
        let detail = "its calls name none, or none of them has succeeded yet".to_owned();
        add("no model is known", detail, false);
    }
}

fn slow(pair: &Pair) -> Option<Warning> {
    pair.p95.exceeds(FIRST_TOKEN_SECONDS).then(|| Warning {
        title: format!(
            "{} {}: the first token comes late",
            pair.provider, pair.model
        ),
        detail: format!("p95 {}", quantile(pair.p95)),
        critical: false,
    })
}

fn exhausted(history: &History, span: Span<'_>) -> Vec<Warning> {
    let series = history.of(FAILOVER.name);
    let routes: BTreeSet<_> = series.map(|series| series.labels.get("route")).collect();
    let of = |route: &str| {
        let all = history.sum(FAILOVER.name, span, |labels| labels.get("route") == route);
        let none = history.sum(FAILOVER.name, span, |labels| {
            labels.get("route") == route && labels.get("outcome") == "exhausted"
        });
        over(none, all, EXHAUSTED).then(|| Warning {
            title: format!("Route {route}: every candidate failed"),
            detail: format!("{} of {} requests", share(none, all), count(all)),
            critical: false,
        })
    };
    routes.into_iter().filter_map(of).collect()
}

fn overflow(history: &History, span: Span<'_>) -> Vec<Warning> {
    let of = |series| {
        let ever = history.latest(series).unwrap_or_default();
        let rise = history.rise(series, span);
        (ever > 0.0).then(|| Warning {
            title: format!(
                "Series are folded into \"other\" ({})",
                series.labels.get("label")
            ),
            detail: format!(
                "{} records since the start, {} within the time shown",
                count(ever),
                count(rise)
            ),
            critical: false,
        })
    };
    history.of(OVERFLOW.name).filter_map(of).collect()
}

fn over(part: f64, whole: f64, limit: f64) -> bool {
    whole >= MIN_COUNT && part / whole > limit
}
