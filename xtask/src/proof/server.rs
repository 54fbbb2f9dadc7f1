//! A Prometheus of our own, with its data under `target/`.

use std::{
    fs,
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::compare::Returned;
use crate::{http, process::Guarded};

/// Runs as long as this lives.
pub(super) struct Prometheus {
    process: Guarded,
    url: String,
}

/// A new, empty directory.
pub(super) fn directory(name: &str) -> Result<PathBuf> {
    let directory = crate::root().join("target/prometheus").join(name);
    if directory.exists() {
        fs::remove_dir_all(&directory)?;
    }
    fs::create_dir_all(&directory)?;
    Ok(directory)
}

impl Prometheus {
    /// Starts it with this configuration, on the data in `data`.
    pub(super) fn start(config: &Path, data: &Path, log: &Path) -> Result<Self> {
        let port = http::free_port()?;
        let arguments = [
            format!("--config.file={}", config.display()),
            format!("--storage.tsdb.path={}", data.display()),
            format!("--web.listen-address=127.0.0.1:{port}"),
            "--storage.tsdb.retention.time=30d".to_owned(),
            "--log.level=warn".to_owned(),
        ];
        let program = which::which("prometheus").context("prometheus")?;
        let mut this = Self {
            process: Guarded::start(&program, &arguments, log)?,
            url: format!("http://127.0.0.1:{port}"),
        };
        this.wait(Duration::from_secs(60), |url| {
            http::get(&format!("{url}/-/ready")).is_ok()
        })?;
        Ok(this)
    }

    /// Waits until something is so.
    pub(super) fn wait(&mut self, limit: Duration, so: impl Fn(&str) -> bool) -> Result<()> {
        let start = Instant::now();
        while !so(&self.url) {
            self.process.check()?;
            if start.elapsed() > limit {
                bail!("prometheus: not within {limit:?}");
            }
            thread::sleep(Duration::from_millis(200));
        }
        Ok(())
    }

    /// The series that an expression returns at one instant, NaN included.
    pub(super) fn query(&self, expression: &str, at: f64) -> Result<Returned> {
        let at = at.to_string();
        let parameters = [("query", expression), ("time", at.as_str())];
        let data = http::api(&self.url, "query", &parameters)?;
        let series = data["result"].as_array().context("no result")?;
        series.iter().map(sample).collect()
    }

    /// What the rules are like: the health of each, by name.
    pub(super) fn rules(&self) -> Result<Vec<Value>> {
        let data = http::api(&self.url, "rules", &[])?;
        let groups = data["groups"].as_array().context("no groups")?;
        let rules = groups.iter().filter_map(|group| group["rules"].as_array());
        Ok(rules.flatten().cloned().collect())
    }
}

fn sample(series: &Value) -> Result<(super::truth::Labels, f64)> {
    let labels = series["metric"].as_object().context("no labels")?;
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let labels = labels
        .iter()
        .map(|(name, value)| (name.clone(), text(value)));
    let value = series["value"][1].as_str().context("no value")?;
    Ok((labels.collect(), value.parse()?))
}
