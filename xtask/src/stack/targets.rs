//! What Prometheus sees of its targets, and what to do about those that it does not.

use std::{
    thread,
    time::{Duration, Instant},
};

use anyhow::Result;
use serde_json::Value;

use crate::{api, http};

/// A scrape interval and a bit: after that every target has been tried.
const PATIENCE: Duration = Duration::from_secs(25);

/// Prints the state of every target, and advice for those that are down.
pub(super) fn report(prometheus: &str, containers: bool, wait: bool) -> Result<()> {
    let start = Instant::now();
    let targets = loop {
        let data = api::get(prometheus, "targets", &[("state", "active")])?;
        let targets = data["activeTargets"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        let tried =
            !targets.is_empty() && targets.iter().all(|target| target["health"] != "unknown");
        if tried || !wait || start.elapsed() > PATIENCE {
            break targets;
        }
        thread::sleep(Duration::from_millis(500));
    };
    println!("\ntargets");
    for target in &targets {
        println!(
            "  {:<8} {:<12} {}",
            text(&target["health"]),
            text(&target["labels"]["job"]),
            text(&target["scrapeUrl"])
        );
        if target["health"] == "down" {
            println!("           {}", text(&target["lastError"]));
            for line in advice(target, containers) {
                println!("           {line}");
            }
        }
    }
    Ok(())
}

/// What is wrong, as the error tells it, and what to do.
fn advice(target: &Value, containers: bool) -> Vec<String> {
    let url = text(&target["scrapeUrl"]);
    let error = text(&target["lastError"]);
    let host = url.split('/').nth(2).unwrap_or_default();
    let port = host.rsplit(':').next().and_then(|port| port.parse().ok());
    let port: u16 = port.unwrap_or_default();
    let says = |words: &[&str]| words.iter().any(|word| error.contains(word));
    if says(&["no such host", "lookup ", "server misbehaving"]) {
        return vec![
            format!(
                "the container does not know the name of {host}: Docker before 20.10 and podman 4 do not"
            ),
            "resolve `host-gateway`. Write the address of this machine into prometheus_scrape.yaml"
                .to_owned(),
        ];
    }
    if says(&["HTTP status 401", "HTTP status 403"]) {
        return vec![
            "it wants to know who asks: give the job the same `basic_auth`, `authorization` or `tls_config`"
                .to_owned(),
            "as the gateway's --web-config-file asks for".to_owned(),
        ];
    }
    if says(&[
        "HTTP status",
        "unsupported Content-Type",
        "expected a valid",
        "text format parsing",
    ]) {
        return vec![format!(
            "something else than expected listens on :{port}: look at {url} in a browser"
        )];
    }
    match text(&target["labels"]["job"]) {
        "brightstaff" if http::listens(port) && containers => unreached(port, error),
        "brightstaff" => nothing(port, containers),
        "envoy" => vec![
            "without an Envoy in front this is as it should be, and the link panel shows one side."
                .to_owned(),
            format!(
                "With one, its admin listener belongs on :{port} (`admin:` in its configuration)"
            ),
        ],
        "otel-collector" => vec![
            "the collector is not there yet, or has ended: `cargo xtask grafana logs` tells why"
                .to_owned(),
        ],
        _ => Vec::new(),
    }
}

/// It listens, and the container does not get there.
fn unreached(port: u16, error: &str) -> Vec<String> {
    if error.contains("deadline exceeded") || error.contains("no route to host") {
        return vec![format!(
            "something listens on :{port}, and a firewall keeps the containers from it: let their network in"
        )];
    }
    vec![
        format!("something listens on 127.0.0.1:{port}, where a container cannot reach it:"),
        format!(
            "bind it to all addresses: `brightstaff-exporter serve --metrics-bind 0.0.0.0:{port} …`,"
        ),
        format!("or METRICS_BIND_ADDRESS=0.0.0.0:{port}; a firewall must let the containers in"),
    ]
}

/// Nothing listens there.
fn nothing(port: u16, containers: bool) -> Vec<String> {
    let host = if containers { "0.0.0.0" } else { "127.0.0.1" };
    vec![
        format!("nothing listens on :{port}: the gateway should, with its metrics. Start one of"),
        format!(
            "  brightstaff-exporter serve --metrics-bind {host}:{port} --upstream openai=https://api.openai.com"
        ),
        format!("  cargo xtask demo --metrics-bind {host}:{port}"),
    ]
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or("?")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn advice_names_the_process_and_the_address() {
        let port = http::free_port().expect("a free port");
        let target = serde_json::json!({
            "labels": { "job": "brightstaff" },
            "scrapeUrl": format!("http://host.docker.internal:{port}/metrics"),
        });
        let said = advice(&target, true).join("\n");
        assert!(said.contains("nothing listens on"), "{said}");
        assert!(
            said.contains(&format!("--metrics-bind 0.0.0.0:{port}")),
            "{said}"
        );

        let listener = std::net::TcpListener::bind(("127.0.0.1", port)).expect("the port is free");
        let said = advice(&target, true).join("\n");
        assert!(said.contains("where a container cannot reach it"), "{said}");
        for (error, expected) in [
            (
                "dial tcp: lookup host.docker.internal: no such host",
                "does not know the name",
            ),
            (
                "context deadline exceeded",
                "a firewall keeps the containers",
            ),
            ("server returned HTTP status 401 Unauthorized", "who asks"),
            (
                "server returned HTTP status 404 Not Found",
                "something else",
            ),
        ] {
            let mut target = target.clone();
            target["lastError"] = error.into();
            let said = advice(&target, true).join("\n");
            assert!(said.contains(expected), "{error}: {said}");
        }
        drop(listener);
    }
}
