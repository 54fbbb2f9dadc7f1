//! The first page, panel by panel, against the truth.

use anyhow::{Context as _, Result, ensure};
use brightstaff_metrics_core::catalogue::{
    HTTP_CANCELLED, HTTP_INTERRUPTED, HTTP_REQUESTS, MODEL, PROVIDER, TIME_PER_OUTPUT_TOKEN,
    TIME_TO_FIRST_TOKEN, TOKENS, UPSTREAM_REQUESTS, USAGE_MISSING,
};
use serde_json::Value;

use super::{MEASURED, buckets::Buckets};
use crate::{
    grafana,
    proof::{
        compare::compare,
        expect::Expected,
        fill::Variables,
        truth::{Only, Table, Truth, share, total},
    },
    rules::alerts,
};

const PAIR: [&str; 2] = [PROVIDER.name, MODEL.name];
const PROBES: [&str; 2] = ["healthz", "readyz"];
const CLIENTS_FAULT: &str = "4xx";
const NOT_INTERRUPTED: [&str; 3] = ["not_reported", "unparsable", "unsupported_encoding"];

/// Compares every query of the page; tells how many values there were.
pub(super) fn prove(truth: &Truth, buckets: &Buckets<'_>) -> Result<usize> {
    let page: Value = serde_json::from_str(&grafana::overview::render())?;
    let panels = page["panels"].as_array().context("no panels")?;
    let window = format!("{}s", truth.seconds);
    let variables = Variables {
        rate_interval: &window,
        instance: ".*",
        provider: ".*",
        model: ".*",
    };
    let mut values = 0;
    for panel in panels {
        let id = panel["id"].as_u64().context("a panel has a number")?;
        let targets = panel["targets"].as_array().context("no queries")?.iter();
        // This Prometheus keeps no native histograms; that of stage `formats` does.
        let targets = targets.filter(|target| target["legendFormat"] != grafana::overview::NATIVE);
        let targets: Vec<_> = targets.collect();
        let expected = of(id, truth, buckets)?;
        ensure!(
            targets.len() == expected.len(),
            "the overview's {}: {} queries, and {} are known",
            panel["title"],
            targets.len(),
            expected.len()
        );
        for (target, (labels, expected)) in targets.into_iter().zip(expected) {
            let expression = target["expr"].as_str().context("no expression")?;
            let expression = variables.fill(expression);
            let about = || format!("the overview's {}: {expression}", panel["title"]);
            let (expected, returned) = match expected {
                Expected::Firing => {
                    let (firing, returned) = buckets.firing(&expression)?;
                    (Expected::Values(one(firing)), returned)
                }
                other => (other, buckets.ask(&expression).with_context(about)?),
            };
            ensure!(
                expected.may_be_nothing() || !returned.is_empty(),
                "no data: {}",
                about()
            );
            values += compare(&returned, labels, &expected, MEASURED).with_context(about)?;
        }
    }
    Ok(values)
}

type Queries = Vec<(&'static [&'static str], Expected)>;

/// What the queries of a panel have to return, with these labels.
fn of(panel: u64, truth: &Truth, buckets: &Buckets<'_>) -> Result<Queries> {
    use Expected::{Quantile, Rest, Values};
    let all = &[][..];
    let first_token = |q, by: &[&str]| {
        let samples = truth.samples(&TIME_TO_FIRST_TOKEN, &[], by);
        Quantile(q, &TIME_TO_FIRST_TOKEN, samples)
    };
    let tokens = |kind, by: &[&str]| Values(truth.rate(&TOKENS, &[("kind", &[kind])], by));
    Ok(match panel {
        1 => vec![(all, Values(requests(truth)))],
        2 => vec![(all, Values(each(http_failed(truth), |share| 1.0 - share)))],
        3 => vec![(all, first_token(0.5, &[])), (all, first_token(0.95, &[]))],
        4 => vec![
            (all, tokens("prompt", &[])),
            (all, tokens("completion", &[])),
        ],
        5 => vec![(all, Rest)],
        6 => {
            let left = |share, allowed: f64| f64::max(1.0 - share / allowed, 0.0);
            let http = each(http_failed(truth), |share| left(share, alerts::HTTP_BUDGET));
            let calls = each(upstream_failed(truth), |share| {
                left(share, alerts::UPSTREAM_BUDGET)
            });
            let worst = calls.into_values().fold(1.0, f64::min);
            vec![(all, Values(http)), (all, Values(one(worst)))]
        }
        7 => vec![(all, Expected::Firing)],
        8 => {
            let calls = |only: &[Only<'_>]| truth.rate(&UPSTREAM_REQUESTS, only, &PAIR);
            let ended = less(calls(&[]), &calls(&[("error_class", &["cancelled"])]));
            let well = calls(&[("error_class", &["none"])]);
            let missing = truth.rate(&USAGE_MISSING, &[("reason", &NOT_INTERRUPTED)], &PAIR);
            let columns = [
                Values(calls(&[])),
                Values(share(&well, &ended)),
                first_token(0.95, &PAIR),
                Values(each(
                    buckets.means(&TIME_PER_OUTPUT_TOKEN, &PAIR)?,
                    f64::recip,
                )),
                tokens("prompt", &PAIR),
                tokens("completion", &PAIR),
                Values(share(&missing, &calls(&[("status_class", &["2xx"])]))),
            ];
            columns.map(|column| (&PAIR[..], column)).into()
        }
        9 => {
            let mut upto = buckets.upto(&TIME_TO_FIRST_TOKEN)?;
            for (_, count) in &mut upto {
                *count /= truth.seconds;
            }
            vec![(&["le"], Expected::Buckets(upto))]
        }
        11 => vec![(
            &["handler"],
            Values(truth.rate(&HTTP_REQUESTS, &[], &["handler"])),
        )],
        12 => {
            let mut classes = truth.rate(&UPSTREAM_REQUESTS, &[], &["error_class"]);
            classes.remove(&vec!["none".to_owned()]);
            vec![(&["error_class"], Values(classes))]
        }
        other => unreachable!("panel {other} of the overview is new: say what it has to show"),
    })
}

/// Requests that are no probes.
fn requests(truth: &Truth) -> Table {
    let all = truth.rate(&HTTP_REQUESTS, &[], &[]);
    less(
        all,
        &truth.rate(&HTTP_REQUESTS, &[("handler", &PROBES)], &[]),
    )
}

/// The share of them that failed.
fn http_failed(truth: &Truth) -> Table {
    let rate = |only: &[Only<'_>]| total(&truth.rate(&HTTP_REQUESTS, only, &[]));
    let abandoned = total(&truth.rate(&HTTP_CANCELLED, &[("phase", &["headers"])], &[]));
    let interrupted = total(&truth.rate(&HTTP_INTERRUPTED, &[], &[]));
    let statusless = rate(&[("status_class", &["error"])]) - abandoned;
    let failed = rate(&[("status_class", &["5xx"])]) + statusless + interrupted;
    share(&one(failed), &requests(truth))
}

/// The share of each provider's calls that it failed.
fn upstream_failed(truth: &Truth) -> Table {
    let by = [PROVIDER.name];
    let calls = |only: &[Only<'_>]| truth.rate(&UPSTREAM_REQUESTS, only, &by);
    let refused = calls(&[("status_class", &[CLIENTS_FAULT])]);
    let cancelled = calls(&[("error_class", &["cancelled"])]);
    let all = less(less(calls(&[]), &refused), &cancelled);
    let well = calls(&[("error_class", &["none"])]);
    let own = calls(&[
        ("error_class", &["other"]),
        ("status_class", &["2xx", "3xx", "5xx"]),
    ]);
    share(&less(less(all.clone(), &well), &own), &all)
}

fn one(value: f64) -> Table {
    [(Vec::new(), value)].into()
}

fn each(mut table: Table, what: impl Fn(f64) -> f64) -> Table {
    for value in table.values_mut() {
        *value = what(*value);
    }
    table
}

fn less(mut table: Table, other: &Table) -> Table {
    for (key, value) in &mut table {
        *value -= other.get(key).copied().unwrap_or_default();
    }
    table
}
