//! The shipped files, rewritten for programs that run on this machine itself.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, ensure};

use super::shipped;

/// How the shipped scrape configurations call this machine.
const HOST: &str = "host.docker.internal:";

/// How the one for OTLP calls the collector.
const COLLECTOR: &str = "otel-collector:8889";

/// The scrape configuration, or the one where gateways push.
pub(super) fn scraped(otlp: bool) -> PathBuf {
    if otlp {
        Path::new("config/otel/prometheus_scrape.yaml").to_owned()
    } else {
        shipped().join("prometheus_scrape.yaml")
    }
}

/// The scrape configuration with these replacements; each must find its place.
pub(crate) fn scrape_config(replacements: &[(&str, &str)]) -> Result<String> {
    here(&scraped(false), replacements)
}

/// A scrape configuration with the rules where they lie, and with these replacements.
fn here(path: &Path, replacements: &[(&str, &str)]) -> Result<String> {
    let rules = std::env::current_dir()?.join("config/prometheus/rules");
    let rules = format!("{}/", rules.display());
    let mut all = vec![("../prometheus/rules/", rules.as_str())];
    all.extend(replacements);
    rewrite(path, &all)
}

/// Writes the scrape configuration for a Prometheus beside its targets.
pub(super) fn prometheus(dir: &Path, otlp: bool) -> Result<PathBuf> {
    let path = dir.join("prometheus_scrape.yaml");
    let mut replacements = vec![(HOST, "localhost:")];
    if otlp {
        replacements.push((COLLECTOR, "localhost:8889"));
    }
    let text = here(&scraped(otlp), &replacements)?;
    write(&path, &text)?;
    Ok(path)
}

/// Writes the scrape configuration for containers that podman runs, which calls this machine by a name of its own.
pub(super) fn for_podman(dir: &Path, otlp: bool) -> Result<PathBuf> {
    let path = dir.join("prometheus_scrape_podman.yaml");
    write(
        &path,
        &rewrite(&scraped(otlp), &[(HOST, "host.containers.internal:")])?,
    )?;
    fs::canonicalize(path).context("the configuration was written")
}

/// Writes Grafana's provisioning with this Prometheus and the dashboard where it lies.
pub(super) fn provisioning(dir: &Path, prometheus: &str) -> Result<PathBuf> {
    let dir = dir.join("provisioning");
    let from = shipped().join("provisioning");
    let dashboards = fs::canonicalize(shipped())?;
    for (name, place, here) in [
        (
            "datasources/prometheus.yaml",
            "http://prometheus:9090",
            prometheus.to_owned(),
        ),
        (
            "dashboards/brightstaff.yaml",
            "/var/lib/grafana/dashboards",
            dashboards.display().to_string(),
        ),
    ] {
        let text = rewrite(&from.join(name), &[(place, &here)])?;
        write(&dir.join(name), &text)?;
    }
    fs::canonicalize(dir).context("the provisioning was written")
}

fn rewrite(path: &Path, replacements: &[(&str, &str)]) -> Result<String> {
    let mut text =
        fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    for (from, to) in replacements {
        ensure!(
            text.contains(from),
            "{} does not say {from} any more, which would be rewritten to {to}",
            path.display()
        );
        text = text.replace(from, to);
    }
    Ok(text)
}

fn write(path: &Path, text: &str) -> Result<()> {
    let parent = path.parent().context("a file lies in a directory")?;
    fs::create_dir_all(parent).with_context(|| format!("cannot make {}", parent.display()))?;
    fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}
