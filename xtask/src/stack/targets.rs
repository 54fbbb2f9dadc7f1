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

/// What should listen there, and how.
fn advice(target: &Value, containers: bool) -> Vec<String> {
    let url = text(&target["scrapeUrl"]);
    let port = url
        .split('/')
        .nth(2)
        .and_then(|host| host.rsplit(':').next()?.parse().ok())
        .unwrap_or_default();
    match text(&target["labels"]["job"]) {
        "brightstaff" if http::listens(port) && containers => vec![
            format!("something listens on 127.0.0.1:{port}, where a container cannot reach it:"),
            format!(
                "bind it to all addresses: `brightstaff-exporter serve --metrics-bind 0.0.0.0:{port} …`,"
            ),
            format!(
                "or METRICS_BIND_ADDRESS=0.0.0.0:{port}; a firewall must let the containers in"
            ),
        ],
        "brightstaff" => {
            let host = if containers { "0.0.0.0" } else { "127.0.0.1" };
            vec![
                format!(
                    "nothing listens on :{port}: the gateway should, with its metrics. Start one of"
                ),
                format!(
                    "  brightstaff-exporter serve --metrics-bind {host}:{port} --upstream openai=https://api.openai.com"
                ),
                format!("  cargo xtask demo --metrics-bind {host}:{port}"),
            ]
        }
        "envoy" => vec![
            "without an Envoy in front this is as it should be, and the link panel shows one side."
                .to_owned(),
            format!(
                "With one, its admin listener belongs on :{port} (`admin:` in its configuration)"
            ),
        ],
        _ => Vec::new(),
    }
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
        drop(listener);
    }
}
