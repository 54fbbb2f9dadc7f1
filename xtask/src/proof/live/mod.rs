//! The demo, scraped by a Prometheus with the shipped configuration: panels and rules against what
//! the demo's providers and clients know.

mod told;

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};
use brightstaff_metrics_core::catalogue::{ROUTER_CANDIDATE_SKIPS, SESSION_CACHE_OPERATION};
use serde_json::Value;
use xshell::Shell;

use self::told::truth;
use super::{
    compare::{Tolerance, compare},
    expect::{self, Expected},
    fill::Variables,
    play::Play,
};
use crate::{
    api,
    grafana::panels,
    http::free_port,
    lab::{Exporter, Prometheus},
    promql::Source,
    stack::scrape_config,
    workspace,
};

const SEED: &str = "7";
const LOAD: Duration = Duration::from_secs(30);
const RATE: &str = "30";
/// Seconds between two scrapes and two evaluations, instead of the shipped 15.
const STEP: u64 = 1;

/// The window ends between scrapes and starts before the first one, so that Prometheus has to guess
/// half a scrape on each side of the 30 seconds. Instants are the gateway's, and the truth is its
/// clients' and providers': a sample near a bucket's bound may be on the other side of it.
const MEASURED: Tolerance = Tolerance {
    share: 0.08,
    constant: 0.005,
    ranks: Some(4.0),
};

/// Runs it; tells what was compared.
pub(super) fn prove(sh: &Shell) -> Result<String> {
    Exporter::build(sh)?;
    let dir = workspace::root().join("target/prometheus/live");
    let metrics_port = free_port()?;
    let mut prometheus = Prometheus::start(&dir, &configuration(metrics_port)?)?;
    let begun = Instant::now();
    let options = [&*format!("--rate={RATE}"), &format!("--seed={SEED}")];
    let mut demo = Play::start(&dir, metrics_port, LOAD, &options)?;
    let told = demo.told()?;
    prometheus.catch_up("brightstaff")?;
    let now = api::epoch_seconds()?;
    let window = begun.elapsed().as_secs() + 5;

    let url = &prometheus.url;
    let scraped = compare_panels(url, &told, Source::Scraped, window, now)?;
    let fleet = compare_panels(url, &told, Source::Fleet, 300, now)?;
    let rules = rules(url)?;
    Ok(format!(
        "demo: {} values of 20 panels, and {} of the fleet's, agree within {} %; {rules} rules are healthy",
        scraped,
        fleet,
        MEASURED.share * 100.0
    ))
}

/// The shipped configuration and rules, with the demo's port, and faster.
fn configuration(metrics_port: u16) -> Result<String> {
    scrape_config(&[
        ("interval: 15s", &format!("interval: {STEP}s")),
        ("timeout: 10s", &format!("timeout: {STEP}s")),
        (
            "host.docker.internal:9092",
            &format!("127.0.0.1:{metrics_port}"),
        ),
    ])
}

/// Compares every panel; tells how many values there were.
fn compare_panels(
    prometheus: &str,
    told: &Value,
    source: Source,
    window: u64,
    now: f64,
) -> Result<usize> {
    let truth = truth(prometheus, told, window, now)?;
    let variables = Variables {
        rate_interval: &format!("{window}s"),
        instance: ".*",
        provider: ".*",
        model: ".*",
    };
    let mut values = 0;
    for panel in panels::rows(source).iter().flat_map(|row| &row.panels) {
        for (query, expected) in panel.queries.iter().zip(expect::of(panel.id, &truth)) {
            if let Expected::Foreign(_) = expected {
                continue;
            }
            let expression = variables.fill(&query.expr.to_string());
            let about = || {
                format!(
                    "{source:?}: {}, {}: {expression}",
                    panel.title, query.legend
                )
            };
            let returned = api::query_at(prometheus, &expression, now).with_context(about)?;
            ensure!(!returned.is_empty(), "no data: {}", about());
            let expected = known(expected);
            let labels = query.expr.labels();
            values += compare(&returned, labels, &expected, MEASURED).with_context(about)?;
        }
    }
    Ok(values)
}

/// Of some quantiles nobody but the gateway knows the samples: then, that there are some.
fn known(expected: Expected) -> Expected {
    match expected {
        Expected::Quantile(_, _, samples) if samples.is_empty() => Expected::Something,
        known => known,
    }
}

/// Every rule was evaluated without an error, and every recorded series is there; tells how many
/// rules there are.
fn rules(prometheus: &str) -> Result<usize> {
    let told = api::get(prometheus, "rules", &[])?;
    let groups = told["groups"].as_array().context("no groups")?;
    let rules = groups.iter().filter_map(|group| group["rules"].as_array());
    let rules: Vec<_> = rules.flatten().collect();
    let mut recorded = BTreeSet::new();
    for rule in &rules {
        let name = rule["name"].as_str().unwrap_or_default();
        ensure!(rule["health"] == "ok", "{name}: {}", rule["lastError"]);
        if rule["type"] == "recording" {
            recorded.insert(name.to_owned());
        }
    }
    for name in recorded {
        let series = api::query(prometheus, &name)?;
        // The demo's sessions are in memory, and its routes leave nobody alone.
        let silent = [SESSION_CACHE_OPERATION.name, ROUTER_CANDIDATE_SKIPS.name];
        let absent = silent.iter().any(|family| name.contains(family));
        ensure!(
            absent == series.is_empty(),
            "{name}: data where there is none, or the other way round"
        );
        let instances = series
            .iter()
            .filter(|(labels, _)| labels.contains_key("instance"));
        ensure!(instances.count() == 0, "{name} still has instances");
    }
    Ok(rules.len())
}
