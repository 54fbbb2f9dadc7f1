//! Prometheus with a configuration of the shipped kind.

use std::{
    fs,
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};

use super::ready;
use crate::{
    api,
    http::{self, free_port},
    process::Guarded,
};

/// Longer than the longest interval of a group of rules.
const PATIENCE: Duration = Duration::from_secs(90);

/// The metric of Prometheus itself that tells when a group was last evaluated.
const LAST_EVALUATION: &str = "prometheus_rule_group_last_evaluation_timestamp_seconds{";

/// Seconds that an evaluation may begin after the instant that it is of.
const EVALUATION_DELAY: f64 = 1.0;

/// A running Prometheus.
pub(crate) struct Prometheus {
    pub(crate) url: String,
    pub(crate) process: Guarded,
    log: PathBuf,
}

impl Prometheus {
    /// Why it cannot be had, if so.
    pub(crate) fn missing() -> Option<String> {
        which::which("prometheus")
            .is_err()
            .then(|| "prometheus is not on the path: apt install prometheus".to_owned())
    }

    /// Starts one that knows nothing yet; its data and its log are in this directory.
    pub(crate) fn start(dir: &Path, config: &str) -> Result<Self> {
        let data = dir.join("prometheus-data");
        // There is nothing to remove the first time.
        let _ = fs::remove_dir_all(&data);
        Self::start_on(dir, &data, config)
    }

    /// Starts one on data that are there.
    pub(crate) fn start_on(dir: &Path, data: &Path, config: &str) -> Result<Self> {
        let program = which::which("prometheus").context("no prometheus on the path")?;
        Self::run(&program, dir, data, config, &[])
    }

    /// Starts this program with these features that are off unless asked for; it knows nothing yet.
    pub(crate) fn start_with(
        program: &Path,
        features: &[&str],
        dir: &Path,
        config: &str,
    ) -> Result<Self> {
        let data = dir.join("prometheus-data");
        // There is nothing to remove the first time.
        let _ = fs::remove_dir_all(&data);
        let features = format!("--enable-feature={}", features.join(","));
        Self::run(program, dir, &data, config, &[&features])
    }

    /// The same, and it takes what is written to it.
    pub(crate) fn start_receiving(
        program: &Path,
        features: &[&str],
        dir: &Path,
        config: &str,
    ) -> Result<Self> {
        let data = dir.join("prometheus-data");
        // There is nothing to remove the first time.
        let _ = fs::remove_dir_all(&data);
        let features = format!("--enable-feature={}", features.join(","));
        let further = [&*features, "--web.enable-remote-write-receiver"];
        Self::run(program, dir, &data, config, &further)
    }

    fn run(
        program: &Path,
        dir: &Path,
        data: &Path,
        config: &str,
        further: &[&str],
    ) -> Result<Self> {
        fs::create_dir_all(dir)?;
        let path = dir.join("prometheus.yaml");
        fs::write(&path, config)?;
        let port = free_port()?;
        let mut arguments = vec![
            format!("--config.file={}", path.display()),
            format!("--storage.tsdb.path={}", data.display()),
            format!("--web.listen-address=127.0.0.1:{port}"),
        ];
        arguments.extend(further.iter().map(ToString::to_string));
        let url = format!("http://127.0.0.1:{port}");
        let log = dir.join("prometheus.log");
        let mut process = Guarded::start(program, &arguments, &log)?;
        ready(&format!("{url}/-/ready"), &mut process)?;
        Ok(Self { url, process, log })
    }

    /// Waits until it knows what is so now: it has scraped every target of this job, and has then
    /// evaluated every group of rules, at whatever interval the group has.
    pub(crate) fn catch_up(&mut self, job: &str) -> Result<()> {
        self.scrape(job)?;
        // An evaluation is of the instant that was planned for it, which is before it begins.
        let seen = api::epoch_seconds()? + EVALUATION_DELAY;
        self.wait("it has evaluated the rules", |this| {
            let last = this.evaluations()?;
            Ok(!last.is_empty() && last.iter().all(|at| *at > seen))
        })
    }

    /// Waits until it has scraped every target of this job.
    pub(crate) fn scrape(&mut self, job: &str) -> Result<()> {
        let now = api::epoch_seconds()?;
        // Of anything but a series, `timestamp` is that of the query.
        let up = format!("up{{job=\"{job}\"}}");
        let scraped = format!("timestamp({up}) and {up} == 1");
        self.wait("it has scraped", |this| {
            let last = api::query(&this.url, &scraped)?;
            Ok(!last.is_empty() && last.iter().all(|(_, at)| *at > now))
        })
    }

    /// What it said that is no mere information.
    pub(crate) fn warnings(&self) -> Result<Vec<String>> {
        let log = fs::read_to_string(&self.log)?;
        let level = |line: &str| line.to_ascii_lowercase().contains("level=info");
        Ok(log
            .lines()
            .filter(|line| !level(line))
            .map(str::to_owned)
            .collect())
    }

    /// When each group of rules was last evaluated.
    fn evaluations(&self) -> Result<Vec<f64>> {
        http::get(&format!("{}/metrics", self.url))?
            .lines()
            .filter(|line| line.starts_with(LAST_EVALUATION))
            .filter_map(|line| line.rsplit_once(' '))
            .map(|(_, at)| Ok(at.parse()?))
            .collect()
    }

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
}
