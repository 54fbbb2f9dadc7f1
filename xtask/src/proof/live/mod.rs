//! The demo, scraped by a Prometheus with the shipped configuration: panels and rules against what
//! the demo's providers and clients know.

mod demo;
mod told;

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;
use xshell::{Shell, cmd};

use self::{demo::Demo, told::truth};
use super::{
    compare::{Tolerance, compare},
    expect::{self, Expected},
    fill::Variables,
    server::{Prometheus, directory, epoch_seconds},
};
use crate::{grafana::panels, http, promql::Source};

const SEED: &str = "7";
const LOAD: Duration = Duration::from_secs(30);
const RATE: &str = "30";
/// How long the demo answers scrapes after its load: longer than it takes to look at them.
const HOLD: Duration = Duration::from_secs(180);
/// Between two scrapes and two evaluations, instead of the shipped 15 s.
const STEP: Duration = Duration::from_secs(1);

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
    cmd!(sh, "cargo build --quiet --package brightstaff-exporter")
        .quiet()
        .run()?;
    let directory = directory("live")?;
    let metrics = http::free_port()?;
    let mut prometheus = Prometheus::start(
        &configuration(&directory, metrics)?,
        &directory.join("data"),
        &directory.join("prometheus.log"),
    )?;
    let begun = Instant::now();
    let mut demo = Demo::start(&directory, metrics)?;
    demo.wait()?;
    prometheus.catch_up("brightstaff")?;
    let now = epoch_seconds()?;
    let window = begun.elapsed().as_secs() + 5;
    let told: Value = serde_json::from_str(&fs::read_to_string(&demo.truth)?)?;
    ensure!(
        told["agrees"] == true,
        "the demo's own truth and metrics differ"
    );

    let scraped = compare_panels(&prometheus, &told, Source::Scraped, window, now)?;
    let fleet = compare_panels(&prometheus, &told, Source::Fleet, 300, now)?;
    let rules = rules(&prometheus)?;
    Ok(format!(
        "demo: {} values of 19 panels, and {} of the fleet's, agree within {} %; {rules} rules are healthy",
        scraped,
        fleet,
        MEASURED.share * 100.0
    ))
}

/// The shipped configuration and rules, with the demo's port, and faster.
fn configuration(directory: &Path, metrics: u16) -> Result<PathBuf> {
    let root = crate::root();
    let shipped = fs::read_to_string(root.join("config/grafana/prometheus_scrape.yaml"))?;
    let rules = root.join("config/prometheus/rules");
    let step = format!("{}s", STEP.as_secs());
    let mut text = shipped.clone();
    for (old, new) in [
        ("host.docker.internal:9092", format!("127.0.0.1:{metrics}")),
        ("../prometheus/rules", rules.display().to_string()),
        ("scrape_interval: 15s", format!("scrape_interval: {step}")),
        ("scrape_timeout: 10s", format!("scrape_timeout: {step}")),
        (
            "evaluation_interval: 15s",
            format!("evaluation_interval: {step}"),
        ),
    ] {
        ensure!(text.contains(old), "the shipped configuration has no {old}");
        text = text.replace(old, &new);
    }
    let file = directory.join("prometheus.yaml");
    fs::write(&file, text)?;
    Ok(file)
}

/// Compares every panel; tells how many values there were.
fn compare_panels(
    prometheus: &Prometheus,
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
            let returned = prometheus.query(&expression, now).with_context(about)?;
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
fn rules(prometheus: &Prometheus) -> Result<usize> {
    let rules = prometheus.rules()?;
    let mut recorded = BTreeSet::new();
    for rule in &rules {
        let name = rule["name"].as_str().unwrap_or_default();
        ensure!(rule["health"] == "ok", "{name}: {}", rule["lastError"]);
        if rule["type"] == "recording" {
            recorded.insert(name.to_owned());
        }
    }
    let now = epoch_seconds()?;
    for name in recorded {
        let series = prometheus.query(&name, now)?;
        ensure!(!series.is_empty(), "{name}: no data");
        let instances = series
            .iter()
            .filter(|(labels, _)| labels.contains_key("instance"));
        ensure!(instances.count() == 0, "{name} still has instances");
    }
    Ok(rules.len())
}
