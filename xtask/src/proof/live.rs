//! The demo, scraped by a Prometheus with the shipped configuration: panels and rules against what
//! the demo's providers and clients know.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant, SystemTime},
};

use anyhow::{Context, Result, ensure};
use brightstaff_metrics_core::catalogue::{
    self, Family, HTTP_REQUEST_DURATION, Kind, TIME_TO_FIRST_TOKEN, UPSTREAM_DURATION,
};
use serde_json::Value;
use xshell::{Shell, cmd};

use super::{
    compare::{Tolerance, compare},
    expect::{self, Expected},
    fill::Variables,
    server::{Prometheus, directory},
    truth::{Labels, Truth},
};
use crate::{grafana::panels, http, process::Guarded, promql::Source};

const SEED: &str = "7";
const LOAD: Duration = Duration::from_secs(30);
const RATE: &str = "30";
/// How long the demo answers scrapes after its load.
const HOLD: Duration = Duration::from_secs(60);
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
    // The last scrapes, and the last evaluations of the rules.
    thread::sleep(STEP * 4);
    let now = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)?
        .as_secs_f64();
    let window = begun.elapsed().as_secs() + 5;
    let told: Value = serde_json::from_str(&fs::read_to_string(&demo.truth)?)?;
    ensure!(
        told["agrees"] == true,
        "the demo's own truth and metrics differ"
    );

    let panels = Checked::panels(&prometheus, &told, Source::Scraped, window, now)?;
    let fleet = Checked::panels(&prometheus, &told, Source::Fleet, 300, now)?;
    let rules = rules(&mut prometheus)?;
    Ok(format!(
        "demo: {} values of 19 panels, and {} of the fleet's, agree within {} %; {rules} rules are healthy",
        panels.values,
        fleet.values,
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

/// A demo that runs.
struct Demo {
    process: Guarded,
    truth: PathBuf,
}

impl Demo {
    fn start(directory: &Path, metrics: u16) -> Result<Self> {
        let truth = directory.join("truth.json");
        let arguments = [
            "demo".to_owned(),
            format!("--duration={}s", LOAD.as_secs()),
            format!("--rate={RATE}"),
            format!("--seed={SEED}"),
            format!("--bind=127.0.0.1:{}", http::free_port()?),
            format!("--metrics-bind=127.0.0.1:{metrics}"),
            format!("--truth-json={}", truth.display()),
            format!("--hold={}s", HOLD.as_secs()),
        ];
        let target = std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
        let target = target.unwrap_or_else(|| crate::root().join("target"));
        let program = target.join("debug/brightstaff-exporter");
        let process = Guarded::start(&program, &arguments, &directory.join("demo.log"))?;
        Ok(Self { process, truth })
    }

    /// Waits for the end of the load, and what the demo says then.
    fn wait(&mut self) -> Result<()> {
        let start = Instant::now();
        // It is there at once, but is it whole?
        let told = |file: &Path| {
            let text = fs::read_to_string(file).unwrap_or_default();
            serde_json::from_str::<Value>(&text).is_ok()
        };
        while !told(&self.truth) {
            self.process.check()?;
            ensure!(
                start.elapsed() < LOAD + HOLD,
                "the demo does not come to its end"
            );
            thread::sleep(Duration::from_millis(200));
        }
        Ok(())
    }
}

struct Checked {
    values: usize,
}

impl Checked {
    fn panels(
        prometheus: &Prometheus,
        told: &Value,
        source: Source,
        window: u64,
        now: f64,
    ) -> Result<Self> {
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
        Ok(Self { values })
    }
}

/// Of some quantiles nobody but the gateway knows the samples: then, that there are some.
fn known(expected: Expected) -> Expected {
    match expected {
        Expected::Quantile(_, _, samples) if samples.is_empty() => Expected::Something,
        known => known,
    }
}

/// What the demo's truth says, from the first scrape of each series on: Prometheus cannot know what
/// a series rose by before it first saw it.
fn truth(prometheus: &Prometheus, told: &Value, window: u64, now: f64) -> Result<Truth> {
    let mut truth = Truth::default();
    #[expect(clippy::cast_precision_loss)]
    let seconds = window as f64;
    truth.seconds = seconds;
    for family in catalogue::ALL.iter().copied() {
        let Some(lines) = told["families"][family.name].as_array() else {
            continue;
        };
        if family.kind == Kind::Gauge {
            continue;
        }
        let suffix = if family.kind == Kind::Counter {
            ""
        } else {
            "_count"
        };
        let first = format!("min_over_time({}{suffix}[{window}s])", family.name);
        let first = prometheus.query(&first, now)?;
        for line in lines {
            let labels = labels(&line["labels"]);
            let value = &line["truth"];
            let count = value
                .as_f64()
                .or(value["count"].as_f64())
                .unwrap_or_default();
            let seen = first.iter().find(|(series, _)| {
                labels
                    .iter()
                    .all(|(name, value)| series.get(name) == Some(value))
            });
            if let Some((_, seen)) = seen {
                truth.rise(family, labels, count - seen);
            }
        }
    }
    durations(&mut truth, told)?;
    Ok(truth)
}

/// The durations that clients and providers saw for themselves.
fn durations(truth: &mut Truth, told: &Value) -> Result<()> {
    let requests = told["requests"].as_array().context("no requests")?;
    for request in requests {
        let labels = [("handler", &request["handler"])];
        sample(
            truth,
            &HTTP_REQUEST_DURATION,
            &labels,
            &request["sent"],
            &request["ended"],
        );
    }
    let agent = Value::from("agent");
    let known = told["families"][catalogue::UPSTREAM_REQUESTS.name].as_array();
    let known = known.into_iter().flatten().map(|line| &line["labels"]);
    let agents: Vec<_> = known
        .filter(|labels| labels["model"] == agent)
        .map(|labels| &labels["provider"])
        .collect();
    let calls = told["calls"].as_array().context("no calls")?;
    for call in calls {
        // What an agent calls its model is no label.
        let is_agent = agents.contains(&&call["upstream"]);
        let model = if is_agent { &agent } else { &call["model"] };
        let pair = [("provider", &call["upstream"]), ("model", model)];
        sample(
            truth,
            &TIME_TO_FIRST_TOKEN,
            &pair,
            &call["arrived"],
            &call["first_token"],
        );
        if call["status"] == 200 && call["finish"] == "end" {
            let outcome = Value::from("ok");
            let labels = [pair[0], pair[1], ("outcome", &outcome)];
            sample(
                truth,
                &UPSTREAM_DURATION,
                &labels,
                &call["arrived"],
                &call["ended"],
            );
        }
    }
    Ok(())
}

fn sample(
    truth: &mut Truth,
    family: &'static Family,
    labels: &[(&str, &Value)],
    from: &Value,
    to: &Value,
) {
    if let (Some(from), Some(to)) = (from.as_f64(), to.as_f64()) {
        let labels = labels.iter().map(|(name, value)| {
            (
                (*name).to_owned(),
                value.as_str().unwrap_or_default().to_owned(),
            )
        });
        truth.sample(family, labels.collect(), to - from);
    }
}

fn labels(told: &Value) -> Labels {
    let labels = told.as_object().into_iter().flatten();
    labels
        .map(|(name, value)| (name.clone(), value.as_str().unwrap_or_default().to_owned()))
        .collect()
}

/// Every rule was evaluated without an error, and every recorded series is there; tells how many
/// rules there are.
fn rules(prometheus: &mut Prometheus) -> Result<usize> {
    let rules = prometheus.rules()?;
    let mut recorded = BTreeSet::new();
    for rule in &rules {
        let name = rule["name"].as_str().unwrap_or_default();
        ensure!(rule["health"] == "ok", "{name}: {}", rule["lastError"]);
        if rule["type"] == "recording" {
            recorded.insert(name.to_owned());
        }
    }
    let now = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)?
        .as_secs_f64();
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
