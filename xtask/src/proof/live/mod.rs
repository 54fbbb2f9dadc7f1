//! The demo, scraped by a Prometheus with the shipped configuration: panels and rules against what
//! the demo's providers and clients know.

mod buckets;
mod overview;
mod told;

use std::{
    collections::BTreeSet,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};
use brightstaff_metrics_core::catalogue::{
    OTLP_EXPORTS, ROUTER_CANDIDATE_SKIPS, SESSION_CACHE_OPERATION,
};
use xshell::Shell;

use self::{buckets::Buckets, told::truth};
use super::{
    compare::{Tolerance, compare},
    expect::{self, Expected},
    fill::Variables,
    play::Play,
    truth::Truth,
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

/// How long the first series has been scraped when it is looked at. Prometheus guesses what happened before the first
/// scrape of a series and after its last one, half a scrape or a whole one: the longer there is nothing more to
/// count, the less that is of it.
const WATCHED: Duration = Duration::from_secs(130);

/// Instants are the gateway's, and the truth is its clients' and providers': a sample near a bucket's bound may be on
/// the other side of it.
const MEASURED: Tolerance = Tolerance {
    share: 0.02,
    constant: 1e-6,
    seconds: 0.02,
    ranks: Some(4.0),
};

/// The same while the first minute passes, in which what Prometheus guesses is more of the whole.
const EARLY: Tolerance = Tolerance {
    share: 0.06,
    ..MEASURED
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
    let url = prometheus.url.clone();
    let watched = |prometheus: &mut Prometheus| -> Result<_> {
        prometheus.catch_up("brightstaff")?;
        let now = api::epoch_seconds()?;
        let window = begun.elapsed().as_secs() + 5;
        let truth = truth(&url, &told, window, now)?;
        let buckets = Buckets::read(&url, metrics_port, window, now)?;
        Ok((truth, buckets, now))
    };
    // What is recorded is right within its first minutes: it is of the time for which there are scrapes.
    let since = |now: f64| Ok::<_, anyhow::Error>(now - first_scrape(&url, now)?);
    let (mut truth, buckets, now) = watched(&mut prometheus)?;
    truth.seconds = since(now)?;
    let early = truth.seconds;
    compare_panels(&truth, &buckets, Source::Fleet, EARLY)
        .with_context(|| format!("after {early:.0} s"))?;

    thread::sleep(WATCHED.saturating_sub(begun.elapsed()));
    let (mut truth, buckets, now) = watched(&mut prometheus)?;
    let scraped = compare_panels(&truth, &buckets, Source::Scraped, MEASURED)?;
    let overview = overview::prove(&truth, &buckets)?;
    truth.seconds = since(now)?;
    let fleet = compare_panels(&truth, &buckets, Source::Fleet, MEASURED)?;
    let rules = rules(&url)?;
    Ok(format!(
        "demo: {} values of 19 panels, and {} of the fleet's, agree within {} %, and within {} % after {early:.0} s; as do {overview} of the overview; {rules} rules are healthy",
        scraped,
        fleet,
        MEASURED.share * 100.0,
        EARLY.share * 100.0,
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

/// When the gateway was scraped for the first time.
fn first_scrape(prometheus: &str, now: f64) -> Result<f64> {
    let first = "min_over_time(timestamp(up{job=\"brightstaff\"} == 1)[10m:1s])";
    let first = api::query_at(prometheus, first, now)?;
    let (_, first) = first.first().context("the gateway was never scraped")?;
    Ok(*first)
}

/// Compares every panel; tells how many values there were.
fn compare_panels(
    truth: &Truth,
    buckets: &Buckets<'_>,
    source: Source,
    tolerance: Tolerance,
) -> Result<usize> {
    let window = truth.seconds;
    let variables = Variables {
        rate_interval: &format!("{window}s"),
        instance: ".*",
        provider: ".*",
        model: ".*",
    };
    let mut values = 0;
    for panel in panels::rows(source).iter().flat_map(|row| &row.panels) {
        for (query, expected) in panel.queries.iter().zip(expect::of(panel.id, truth)) {
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
            let returned = buckets.ask(&expression).with_context(about)?;
            let (expected, tolerance) = buckets.know(expected, tolerance)?;
            ensure!(
                expected.may_be_nothing() || !returned.is_empty(),
                "no data: {}",
                about()
            );
            let labels = query.expr.labels();
            values += compare(&returned, labels, &expected, tolerance).with_context(about)?;
        }
    }
    Ok(values)
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
        let silent = [
            SESSION_CACHE_OPERATION.name,
            ROUTER_CANDIDATE_SKIPS.name,
            OTLP_EXPORTS.name,
        ];
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
