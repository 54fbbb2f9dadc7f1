//! The two as containers.

use std::{fs, process::Command};

use anyhow::{Context, Result, bail};

use super::{Urls, cli::Place, engine::Engine, files, shipped};
use crate::http::listens;

/// The services of the compose file, with their ports inside.
const PROMETHEUS: (&str, u16) = ("prometheus", 9090);
const GRAFANA: (&str, u16) = ("grafana", 3000);

/// The profile of what takes OTLP.
const OTLP: &str = "otlp";

pub(super) fn up(engine: &Engine, place: &Place, otlp: bool) -> Result<()> {
    println!("starting with {}", engine.name);
    let mut command = command(engine, &["up", "--detach"]);
    command
        .env("PROMETHEUS_PORT", place.prometheus_port.to_string())
        .env("GRAFANA_PORT", place.grafana_port.to_string());
    if engine.is_podman() {
        // Its version 4 writes `host-gateway` into the hosts file as it stands.
        let config = files::for_podman(&place.dir, otlp)?;
        command.env("PROMETHEUS_CONFIG", config);
    } else if otlp {
        command.env("PROMETHEUS_CONFIG", fs::canonicalize(files::scraped(otlp))?);
    }
    if otlp {
        command
            .env("COMPOSE_PROFILES", OTLP)
            .env("OTLP_PORT", place.otlp_port.to_string());
    }
    finish(engine, command, "up").with_context(|| {
        let busy: Vec<_> = [place.prometheus_port, place.grafana_port]
            .into_iter()
            .filter(|port| listens(*port))
            .map(|port| format!(":{port}"))
            .collect();
        if busy.is_empty() {
            format!("{} could not start the containers; its last lines tell why (an image that cannot be pulled: check the network, or `{0} pull`)", engine.name)
        } else {
            format!(
                "{} could not start the containers; {} in use already: stop what listens there, or move them with PROMETHEUS_PORT and GRAFANA_PORT (see {}/docker-compose.yaml)",
                engine.name,
                busy.join(" and "),
                shipped().display()
            )
        }
    })
}

pub(super) fn down(engine: &Engine, volumes: bool) -> Result<()> {
    let mut arguments = vec!["down"];
    if volumes {
        arguments.push("--volumes");
    }
    let mut command = command(engine, &arguments);
    // What runs of the profile stops, too.
    command.env("COMPOSE_PROFILES", OTLP);
    finish(engine, command, &arguments.join(" "))
        .with_context(|| format!("{} could not remove the containers", engine.name))
}

pub(super) fn logs(engine: &Engine, follow: bool) -> Result<()> {
    let mut arguments = vec!["logs", "--tail", "100"];
    if follow {
        arguments.push("--follow");
    }
    run(engine, &arguments)
}

/// Where the two answer: the ports that the engine published, else those of the compose file.
pub(super) fn urls(engine: &Engine) -> Urls {
    let url = |(service, inside): (&str, u16)| {
        let port = read(engine, &["port", service, &inside.to_string()])
            .ok()
            .and_then(|said| said.trim().rsplit(':').next()?.parse().ok())
            .unwrap_or(inside);
        format!("http://localhost:{port}")
    };
    Urls {
        prometheus: url(PROMETHEUS),
        grafana: Some(url(GRAFANA)),
    }
}

/// Fails where a container has given up.
pub(super) fn check(engine: &Engine) -> Result<()> {
    let Ok(said) = read(engine, &["ps", "--all"]) else {
        // Not every compose knows `--all`: the waiting then has its limit alone.
        return Ok(());
    };
    let gone = |line: &&str| line.contains("Exited (") || line.contains("Restarting (");
    if let Some(line) = said.lines().find(gone) {
        bail!("a container has ended: {}", line.trim());
    }
    Ok(())
}

pub(super) fn last_words(engine: &Engine) -> String {
    read(engine, &["logs", "--tail", "15"]).unwrap_or_default()
}

fn command(engine: &Engine, arguments: &[&str]) -> Command {
    let mut command = Command::new(engine.compose[0]);
    command
        .args(&engine.compose[1..])
        .arg("--file")
        .arg(shipped().join("docker-compose.yaml"))
        .args(arguments);
    command
}

fn run(engine: &Engine, arguments: &[&str]) -> Result<()> {
    finish(engine, command(engine, arguments), &arguments.join(" "))
}

fn finish(engine: &Engine, mut command: Command, what: &str) -> Result<()> {
    let status = command
        .status()
        .with_context(|| format!("cannot run {}", engine.name))?;
    if !status.success() {
        bail!("`{} {what}` failed ({status})", engine.name);
    }
    Ok(())
}

fn read(engine: &Engine, arguments: &[&str]) -> Result<String> {
    let output = command(engine, arguments).output()?;
    if !output.status.success() {
        bail!("{}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
