//! The link between Envoy and the gateway, with a real Envoy: what one sends is what the other counts.

use std::{
    path::Path,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};
use xshell::Shell;

use crate::{
    api, http,
    lab::{self, Envoy, Exporter, Prometheus},
    promql::{Source, envoy},
    proof::Variables,
    stack::scrape_config,
    stage::Outcome,
};

/// Requests a second, and for how many seconds.
const RATE: u32 = 10;
const SECONDS: u32 = 25;

/// By then the last answers are complete and scraped.
const LAST_SCRAPES: Duration = Duration::from_secs(20);

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

    let sent = load(&format!(
        "http://127.0.0.1:{}/v1/chat/completions",
        envoy.port
    ))?;
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
    let mut rates = Vec::new();
    for query in &panel.queries {
        let expr = VARIABLES.fill(&query.expr.to_string());
        let answer = api::query(&prometheus.url, &expr)?;
        ensure!(
            answer.len() == 1,
            "{}: {} series of {expr}",
            query.legend,
            answer.len()
        );
        println!("{:<24} {:.2}/s", query.legend, answer[0].1);
        rates.push(answer[0].1);
    }
    let [envoy_sent, received, failed, unconnected] = rates[..] else {
        unreachable!("the panel has four expressions")
    };
    let wanted = f64::from(RATE);
    for (who, rate) in [
        ("Envoy sent", envoy_sent),
        ("the gateway received", received),
    ] {
        ensure!(
            (rate - wanted).abs() <= TOLERANCE * wanted,
            "{who} {rate:.2} requests a second, and {wanted} were made"
        );
    }
    ensure!(
        (envoy_sent - received).abs() <= TOLERANCE * wanted,
        "Envoy sent {envoy_sent:.2}/s and the gateway received {received:.2}/s"
    );
    ensure!(
        failed == 0.0 && unconnected == 0.0,
        "Envoy saw failures on a sound link"
    );

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
        if value >= wanted || start.elapsed() > LAST_SCRAPES {
            return Ok(value);
        }
        thread::sleep(Duration::from_millis(200));
    }
}

/// Sends chat completions, every second one streamed, at a steady pace; tells how many.
fn load(url: &str) -> Result<u32> {
    let start = Instant::now();
    let total = RATE * SECONDS;
    for n in 0..total {
        let due = Duration::from_secs(1) * n / RATE;
        thread::sleep(due.saturating_sub(start.elapsed()));
        let stream = n % 2 == 0;
        let body = serde_json::json!({
            "model": "gpt-4o",
            "stream": stream,
            "messages": [{ "role": "user", "content": format!("question {n}") }],
        });
        let url = url.to_owned();
        // An answer may take longer than the pause to the next question.
        thread::spawn(move || {
            if let Err(error) = http::post(&url, &body) {
                eprintln!("{error:#}");
            }
        });
    }
    Ok(total)
}
