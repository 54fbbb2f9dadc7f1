//! A Prometheus of our own, with its data under `target/`.

use std::{
    fs,
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant, SystemTime},
};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::compare::Returned;
use crate::{http, process::Guarded};

/// Longer than the longest interval of a group of rules, and than a start on a busy machine.
const PATIENCE: Duration = Duration::from_secs(90);

/// The metric of Prometheus itself that tells when a group was last evaluated.
const LAST_EVALUATION: &str = "prometheus_rule_group_last_evaluation_timestamp_seconds{";

/// Seconds that an evaluation may begin after the instant that it is of.
const EVALUATION_DELAY: f64 = 1.0;

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
        this.wait("it is ready", |this| {
            Ok(http::get(&format!("{}/-/ready", this.url)).is_ok())
        })?;
        Ok(this)
    }

    /// Waits until it knows what is so now: it has scraped every target of this job, and has then
    /// evaluated every group of rules, at whatever interval the group has.
    pub(super) fn catch_up(&mut self, job: &str) -> Result<()> {
        let now = epoch_seconds()?;
        let scraped = format!("timestamp(up{{job=\"{job}\"}} == 1)");
        self.wait("it has scraped", |this| {
            let last = this.query(&scraped, epoch_seconds()?)?;
            Ok(!last.is_empty() && last.iter().all(|(_, at)| *at > now))
        })?;
        // An evaluation is of the instant that was planned for it, which is before it begins.
        let seen = epoch_seconds()? + EVALUATION_DELAY;
        self.wait("it has evaluated the rules", |this| {
            let last = this.evaluations()?;
            Ok(!last.is_empty() && last.iter().all(|at| *at > seen))
        })
    }

    /// When each group of rules was last evaluated, as its own metrics tell.
    fn evaluations(&self) -> Result<Vec<f64>> {
        http::get(&format!("{}/metrics", self.url))?
            .lines()
            .filter(|line| line.starts_with(LAST_EVALUATION))
            .filter_map(|line| line.rsplit_once(' '))
            .map(|(_, at)| Ok(at.parse()?))
            .collect()
    }

    /// Waits until something is so.
    fn wait(&mut self, what: &str, so: impl Fn(&Self) -> Result<bool>) -> Result<()> {
        let start = Instant::now();
        while !so(self)? {
            self.process.check()?;
            if start.elapsed() > PATIENCE {
                bail!("prometheus: {PATIENCE:?} passed before {what}");
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

/// The time, as Prometheus tells it.
pub(super) fn epoch_seconds() -> Result<f64> {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?;
    Ok(since.as_secs_f64())
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
