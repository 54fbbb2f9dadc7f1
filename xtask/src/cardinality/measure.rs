//! Twenty gateways, one Prometheus, and a `VictoriaMetrics` that it writes to.

mod answers;

use std::{fs, path::Path, thread, time::Duration};

use anyhow::{Context, Result, ensure};
use xshell::Shell;

use super::budget::{self, Gateway, Reading};
use crate::{
    api,
    http::{self, free_port},
    lab::{Exporter, Prometheus, VictoriaMetrics},
    process,
    stack::scrape_config,
    stage::Outcome,
};

const GATEWAYS: usize = 20;
/// Seconds between two scrapes.
const INTERVAL: u64 = 5;
/// Seconds of traffic before anything is asked.
const SECONDS: u64 = 75;

/// The number of series may differ from what is usual by this share.
const TOLERANCE: f64 = 0.25;

pub(crate) fn test(sh: &Shell) -> Result<Outcome> {
    if let Some(why) = Prometheus::missing().or_else(VictoriaMetrics::missing) {
        return Ok(Outcome::Skipped(why));
    }
    Exporter::build(sh)?;
    let dir = Path::new("target/cardinality");
    let storage = VictoriaMetrics::start(dir)?;
    let gateways: Vec<_> = (0..GATEWAYS)
        .map(|n| {
            let options = [
                format!("--duration={}s", SECONDS + 120),
                "--rate=2".to_owned(),
                format!("--seed={n}"),
            ];
            Exporter::demo(dir, free_port()?, free_port()?, &options)
        })
        .collect::<Result<_>>()?;
    let targets: Vec<_> = gateways
        .iter()
        .map(|gateway| format!("\"127.0.0.1:{}\"", gateway.metrics_port))
        .collect();
    let config = scrape_config(&[
        ("interval: 15s", &format!("interval: {INTERVAL}s")),
        ("timeout: 10s", &format!("timeout: {INTERVAL}s")),
        ("\"host.docker.internal:9092\"", &targets.join(", ")),
        ("host.docker.internal:9901", "127.0.0.1:9901"),
    ])?;
    let write = fs::read_to_string("config/prometheus/remote-write.yaml")?;
    let place = "http://victoria-metrics:8428";
    ensure!(
        write.contains(place),
        "remote-write.yaml does not name {place} any more"
    );
    let config = format!("{config}\n{}", write.replace(place, &storage.url));
    let prometheus = Prometheus::start(dir, &config)?;
    let empty = resident(prometheus.process.pid())?;
    println!("{GATEWAYS} gateways run for {SECONDS} s");
    thread::sleep(Duration::from_secs(SECONDS));

    budget_holds(&prometheus.url, &gateways)?;
    memory(&prometheus, empty)?;
    answers::agree(&prometheus.url, &storage.url)?;
    Ok(Outcome::Passed)
}

/// What Prometheus has of each gateway is what the catalogue makes one expect.
fn budget_holds(prometheus: &str, gateways: &[Exporter]) -> Result<()> {
    let count = |expr: &str| -> Result<f64> {
        let answer = api::query(prometheus, expr)?;
        answer
            .first()
            .map(|(_, value)| *value)
            .with_context(|| format!("{expr} is empty"))
    };
    let per_gateway = |inner: &str| count(&format!("avg(count by (instance) ({inner}))"));
    let handlers = per_gateway("count by (instance, handler) (brightstaff_http_requests_total)")?;
    let providers =
        per_gateway("count by (instance, provider) (brightstaff_llm_upstream_in_flight)")?;
    let pairs = per_gateway("count by (instance, provider, model) (brightstaff_llm_tokens_total)")?;
    let selected =
        per_gateway("count by (instance, selected_model) (brightstaff_router_decisions_total)")?;
    let series = count("avg(scrape_samples_scraped{job=\"brightstaff\"})")?;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "small counts"
    )]
    let gateway = Gateway {
        handlers: handlers.round() as u64,
        providers: providers.round() as u64,
        pairs: pairs.round() as u64,
        selected: selected.round() as u64,
    };
    let (usual, bytes) = budget::total(gateway, Reading::Usual);
    let (most, _) = budget::total(gateway, Reading::Most);
    let scrape = http::get(&format!(
        "http://127.0.0.1:{}/metrics",
        gateways[0].metrics_port
    ))?;
    println!(
        "a gateway has {handlers:.1} handlers, {providers:.1} providers, {pairs:.1} pairs, {selected:.1} selected models"
    );
    println!("series: {series:.0}; the budget says {usual}, and {most} at most");
    println!(
        "bytes of a scrape: {}; the budget says {bytes}",
        scrape.len()
    );
    for (what, is, said) in [
        ("series", series, usual),
        ("bytes", scrape.len() as f64, bytes),
    ] {
        let off = (is - said as f64) / is;
        ensure!(
            off.abs() <= TOLERANCE,
            "{what}: {is:.0}, and the budget said {said}"
        );
    }
    ensure!(series <= most as f64, "more series than there can be");
    Ok(())
}

/// Tells what a series costs Prometheus.
fn memory(prometheus: &Prometheus, empty: u64) -> Result<()> {
    let series = api::query(&prometheus.url, "sum(scrape_samples_scraped)")?;
    let series = series.first().map_or(1.0, |(_, value)| *value);
    let full = resident(prometheus.process.pid())?;
    println!(
        "Prometheus: {} MiB without series, {} MiB with {series:.0}: {:.1} KiB each",
        empty >> 20,
        full >> 20,
        (full - empty) as f64 / series / 1024.0
    );
    Ok(())
}

/// Bytes of memory of a process.
fn resident(pid: u32) -> Result<u64> {
    let kilobytes = process::ask_ps(pid, "rss=")?;
    let kilobytes: u64 = kilobytes.trim().parse().context("ps tells no rss")?;
    Ok(kilobytes << 10)
}
