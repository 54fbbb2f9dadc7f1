//! An hour of scrapes, written in a second: the panels against a truth that is known to the sample.
//!
//! A quiet gateway (0.2 requests a second) and a busier one, both idle at first, then without a
//! fault, then with faults. `promtool` makes a database of their scrapes, and a real Prometheus
//! answers the panels' queries about it.

mod traffic;

use std::{fmt::Write as _, fs, time::SystemTime};

use anyhow::{Context, Result, ensure};
use prometheus::TextEncoder;
use xshell::{Shell, cmd};

use self::traffic::Gateway;
use super::{
    compare::{Tolerance, compare},
    expect::{self, Expected},
    fill::Variables,
    truth::Truth,
};
use crate::{api, grafana::panels, lab::Prometheus, promql::Source, workspace};

/// Seconds between two scrapes, as shipped.
const STEP: u64 = 15;
/// Scrapes before the first request, before the first fault, and in all.
const IDLE: u64 = 24;
const SOUND: u64 = 96;
const SCRAPES: u64 = 240;

/// A gateway's name and its requests in hundred scrapes.
const GATEWAYS: [(&str, u64); 2] = [("quiet:9092", 300), ("busy:9092", 3000)];

/// The windows are as long as whole scrapes, and evaluated half-way between two of them, so that the
/// rise between the first and the last scrape in them is known. What is left is floating point.
const EXACT: Tolerance = Tolerance {
    share: 0.001,
    constant: 1e-9,
    seconds: 1e-9,
    ranks: None,
};

/// Events by the scrape that sees them first.
type Ledger = Vec<(u64, traffic::Event)>;

/// Runs it; tells what was compared.
pub(super) fn prove(sh: &Shell) -> Result<String> {
    let directory = workspace::root().join("target/prometheus/history");
    let data = directory.join("data");
    // There is nothing to remove the first time.
    let _ = fs::remove_dir_all(&data);
    fs::create_dir_all(&directory)?;
    let now = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)?
        .as_secs();
    let start = now - now % STEP - SCRAPES * STEP;
    let mut text = String::new();
    let mut ledgers = Vec::new();
    for (instance, rate) in GATEWAYS {
        ledgers.push(scrapes(&mut text, instance, rate, start)?);
    }
    text.push_str("# EOF\n");
    let scraped = directory.join("scrapes.txt");
    fs::write(&scraped, text)?;
    cmd!(
        sh,
        "promtool tsdb create-blocks-from openmetrics {scraped} {data}"
    )
    .quiet()
    .ignore_stdout()
    .run()?;
    let prometheus = Prometheus::start_on(&directory, &data, "scrape_configs: []\n")?;

    let mut compared = 0;
    for (gateway, (instance, _)) in GATEWAYS.into_iter().enumerate() {
        for (last, scrapes, provider) in [
            (IDLE - 2, 4, ".*"),
            (SOUND - 1, 20, ".*"),
            (SCRAPES - 1, 4, ".*"),
            (SCRAPES - 1, 100, ".*"),
            (SCRAPES - 1, 100, "openai"),
        ] {
            let moment = Moment {
                start,
                last,
                scrapes,
                provider,
            };
            let truth = moment.truth(&ledgers[gateway]);
            let at = format!("{instance}, {provider}, scrape {last}, window of {scrapes} scrapes");
            compared += panels_at(&prometheus, instance, &moment, &truth).context(at)?;
        }
    }
    Ok(format!(
        "history: {compared} values of 19 panels at 0.2/s and 2/s agree within {} %",
        EXACT.share * 100.0
    ))
}

/// Plays a gateway's hour, and appends its scrapes.
fn scrapes(text: &mut String, instance: &str, rate: u64, start: u64) -> Result<Ledger> {
    let mut gateway = Gateway::new()?;
    let mut ledger = Ledger::new();
    for scrape in 0..SCRAPES {
        if scrape >= IDLE {
            let due = |scrape: u64| scrape * rate / 100;
            for _ in due(scrape)..due(scrape + 1) {
                gateway.play(scrape >= SOUND);
            }
        }
        ledger.extend(gateway.events.drain(..).map(|event| (scrape, event)));
        let time = start + scrape * STEP;
        let body = TextEncoder::new().encode_to_string(&gateway.registry.gather())?;
        for line in body.lines().filter(|line| !line.starts_with('#')) {
            let (series, value) = line.rsplit_once(' ').context("a sample")?;
            let place = format!("instance=\"{instance}\",job=\"brightstaff\"");
            let series = match series.strip_suffix('}') {
                Some(open) => format!("{open},{place}}}"),
                None => format!("{series}{{{place}}}"),
            };
            let _ = writeln!(text, "{series} {value} {time}");
        }
        envoy(text, instance, time, scrape);
    }
    Ok(ledger)
}

/// An Envoy before the gateway, which sends three requests between two scrapes, one of which fails,
/// and one more for which there is no connection.
fn envoy(text: &mut String, instance: &str, time: u64, scrape: u64) {
    let place =
        format!("envoy_cluster_name=\"bright_staff\",instance=\"envoy-{instance}\",job=\"envoy\"");
    for (name, more, value) in [
        ("envoy_cluster_upstream_rq_total", "", 3 * scrape),
        (
            "envoy_cluster_upstream_rq_xx",
            ",envoy_response_code_class=\"2\"",
            2 * scrape,
        ),
        (
            "envoy_cluster_upstream_rq_xx",
            ",envoy_response_code_class=\"5\"",
            scrape,
        ),
        ("envoy_cluster_upstream_cx_connect_fail", "", scrape),
    ] {
        let _ = writeln!(text, "{name}{{{place}{more}}} {value} {time}");
    }
}

/// A window, and when it is looked at.
struct Moment {
    start: u64,
    /// The last scrape in the window.
    last: u64,
    /// How many scrapes long the window is.
    scrapes: u64,
    /// Whose calls are looked at: one provider's, or all.
    provider: &'static str,
}

impl Moment {
    /// What happened between the first and the last scrape in the window.
    fn truth(&self, ledger: &Ledger) -> Truth {
        #[expect(clippy::cast_precision_loss)]
        let seconds = ((self.scrapes - 1) * STEP) as f64;
        let mut truth = Truth::default();
        truth.seconds = seconds;
        let first = self.last + 1 - self.scrapes;
        for (scrape, event) in ledger {
            let provider = event
                .labels
                .get("provider")
                .map_or(self.provider, String::as_str);
            let looked_at = self.provider == ".*" || self.provider == provider;
            if looked_at && (first + 1..=self.last).contains(scrape) {
                truth.rise(event.family, event.labels.clone(), event.rise);
                if let Some(value) = event.sample {
                    truth.sample(event.family, event.labels.clone(), value);
                }
            }
        }
        truth
    }
}

fn panels_at(
    prometheus: &Prometheus,
    instance: &str,
    moment: &Moment,
    truth: &Truth,
) -> Result<usize> {
    #[expect(clippy::cast_precision_loss)]
    let at = (moment.start + moment.last * STEP) as f64 + STEP as f64 / 2.0;
    let variables = Variables {
        rate_interval: &format!("{}s", moment.scrapes * STEP),
        instance,
        provider: moment.provider,
        model: ".*",
    };
    let mut compared = 0;
    for panel in panels::rows(Source::Scraped)
        .iter()
        .flat_map(|row| &row.panels)
    {
        let expected = expect::of(panel.id, truth);
        ensure!(
            expected.len() == panel.queries.len(),
            "{}: a query without a truth",
            panel.title
        );
        for (query, expected) in panel.queries.iter().zip(&expected) {
            let expression = variables.fill(&query.expr.to_string());
            let returned = api::query_at(&prometheus.url, &expression, at)?;
            if let Expected::Foreign(which) = expected {
                // Two Envoys, each of which sends three requests every 15 seconds.
                let rate = returned.first().map(|(_, value)| *value);
                let truth = if *which == "sent" { 0.4 } else { 2.0 / 15.0 };
                ensure!(
                    rate.is_some_and(|rate| (rate - truth).abs() < 1e-9),
                    "{}: {which} reads {rate:?}",
                    panel.title
                );
            }
            // In a long window everything happens.
            ensure!(
                moment.scrapes < 50 || expected.may_be_nothing() || !returned.is_empty(),
                "{}, {}: no data",
                panel.title,
                query.legend
            );
            let labels = query.expr.labels();
            compared += compare(&returned, labels, expected, EXACT)
                .with_context(|| format!("{}, {}: {expression}", panel.title, query.legend))?;
        }
    }
    Ok(compared)
}
