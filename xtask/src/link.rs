//! The link between Envoy and the gateway, with a real Envoy: what one sends is what the other counts.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};
use xshell::Shell;

use crate::{
    api,
    http::{self, PATIENCE},
    lab::{self, Envoy, Exporter, Prometheus},
    promql::{Source, envoy},
    proof::Variables,
    stack::scrape_config,
    stage::Outcome,
};

/// Requests a second.
const RATE: u32 = 10;

/// By how much the two rates may differ: the two are scraped at different instants.
const TOLERANCE: f64 = 0.05;

const VARIABLES: Variables<'_> = Variables {
    rate_interval: "15s",
    instance: ".*",
    provider: ".*",
    model: ".*",
};

pub(crate) fn test(sh: &Shell) -> Result<Outcome> {
    if let Some(why) = Prometheus::missing() {
        return Ok(Outcome::Skipped(why));
    }
    let program = match lab::find_envoy(sh) {
        Ok(program) => program,
        Err(error) => return Ok(Outcome::Skipped(format!("{error:#}"))),
    };
    Exporter::build(sh)?;
    let dir = Path::new("target/link");
    let providers = Exporter::simulate(dir)?;
    let gateway = Exporter::serve(dir, &format!("openai=http://127.0.0.1:{}", providers.port))?;
    let envoy = Envoy::start(&program, dir, gateway.port)?;
    let prometheus = Prometheus::start(
        dir,
        &scrape_config(&[
            ("interval: 15s", "interval: 1s"),
            ("timeout: 10s", "timeout: 1s"),
            (
                "host.docker.internal:9092",
                &format!("127.0.0.1:{}", gateway.metrics_port),
            ),
            (
                "host.docker.internal:9901",
                &format!("127.0.0.1:{}", envoy.admin_port),
            ),
        ])?,
    )?;

    let load = Load::start(format!(
        "http://127.0.0.1:{}/v1/chat/completions",
        envoy.port
    ));
    steady(&prometheus.url)?;
    let sent = load.stop();
    for expr in [
        "sum(envoy_cluster_upstream_rq_total{envoy_cluster_name=\"bright_staff\"})",
        "sum(brightstaff_http_requests_total)",
    ] {
        let counted = at_last(&prometheus.url, expr, f64::from(sent))?;
        println!("{expr}: {counted} of {sent}");
        ensure!(
            (counted - f64::from(sent)).abs() < 0.5,
            "{expr} is {counted}, and {sent} were made"
        );
    }
    Ok(Outcome::Passed)
}

/// What an expression reads once it reads `wanted`, or when there is no more to be scraped.
fn at_last(prometheus: &str, expr: &str, wanted: f64) -> Result<f64> {
    let start = Instant::now();
    loop {
        let answer = api::query(prometheus, expr)?;
        let value = answer.first().map_or(0.0, |(_, value)| *value);
        if value >= wanted || start.elapsed() > PATIENCE {
            return Ok(value);
        }
        thread::sleep(Duration::from_millis(200));
    }
}

/// Waits until the panel of the link reads what is sent: while the load lasts that is a matter of scrapes.
fn steady(prometheus: &str) -> Result<()> {
    let panel = crate::grafana::panels::rows(Source::Scraped)
        .into_iter()
        .flat_map(|row| row.panels)
        .find(|panel| {
            panel
                .queries
                .iter()
                .any(|query| query.expr.to_string().contains(envoy::REQUESTS.name))
        });
    let panel = panel.expect("a panel shows the link");
    let start = Instant::now();
    loop {
        thread::sleep(Duration::from_secs(1));
        let mut rates = Vec::new();
        for query in &panel.queries {
            let answer = api::query(prometheus, &VARIABLES.fill(&query.expr.to_string()))?;
            rates.extend(answer.first().map(|(_, rate)| *rate));
        }
        let read = if let [sent, received, failed, unconnected] = rates[..] {
            ensure!(
                failed == 0.0 && unconnected == 0.0,
                "Envoy saw failures on a sound link"
            );
            let wanted = f64::from(RATE);
            let close = |a: f64, b: f64| (a - b).abs() <= TOLERANCE * wanted;
            if close(sent, wanted) && close(received, wanted) && close(sent, received) {
                println!("Envoy sends {sent:.2}/s, the gateway receives {received:.2}/s");
                return Ok(());
            }
            format!(
                "Envoy sends {sent:.2}/s, the gateway receives {received:.2}/s, and {wanted} are made"
            )
        } else {
            format!("{} of the panel's 4 expressions have data", rates.len())
        };
        ensure!(start.elapsed() < PATIENCE, "{read}");
    }
}

/// Chat completions at a steady pace, every second one streamed.
struct Load {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<u32>,
}

impl Load {
    fn start(url: String) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = thread::spawn(move || {
            let start = Instant::now();
            let mut sent = 0;
            while !stopped.load(Ordering::Relaxed) {
                let due = Duration::from_secs(1) * sent / RATE;
                thread::sleep(due.saturating_sub(start.elapsed()));
                send(url.clone(), sent);
                sent += 1;
            }
            sent
        });
        Self { stop, thread }
    }

    /// Ends it, and tells how many there were.
    fn stop(self) -> u32 {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().expect("the load does not panic")
    }
}

/// Does not wait for the response, which may take longer than the pause to the next request.
fn send(url: String, n: u32) {
    let body = serde_json::json!({
        "model": "gpt-4o",
        "stream": n.is_multiple_of(2),
        "messages": [{ "role": "user", "content": format!("question {n}") }],
    });
    thread::spawn(move || {
        if let Err(error) = http::post(&url, &body) {
            eprintln!("{error:#}");
        }
    });
}
