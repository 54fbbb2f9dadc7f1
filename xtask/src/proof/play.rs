//! The demo, while it is watched.

use std::{
    fs,
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};
use serde_json::Value;

use crate::{http::free_port, lab::Exporter};

/// How long the demo answers scrapes after its load: longer than it takes to look at them.
const HOLD: Duration = Duration::from_secs(300);

/// The demo with its load, which has begun.
pub(super) struct Play {
    demo: Exporter,
    load: Duration,
    truth: PathBuf,
}

impl Play {
    /// Begins; the metrics are served on this port. Its log and its truth are in this directory.
    pub(super) fn start(
        dir: &Path,
        metrics_port: u16,
        load: Duration,
        options: &[&str],
    ) -> Result<Self> {
        Self::start_in(dir, metrics_port, load, options, &[])
    }

    /// The same with these environment variables on top.
    pub(super) fn start_in(
        dir: &Path,
        metrics_port: u16,
        load: Duration,
        options: &[&str],
        environment: &[(&str, &str)],
    ) -> Result<Self> {
        let truth = dir.join("truth.json");
        // There is nothing to remove the first time.
        let _ = fs::remove_file(&truth);
        let mut all = vec![
            format!("--duration={}s", load.as_secs()),
            format!("--truth-json={}", truth.display()),
            format!("--hold={}s", HOLD.as_secs()),
        ];
        all.extend(options.iter().map(ToString::to_string));
        let demo = Exporter::demo_in(dir, free_port()?, metrics_port, &all, environment)?;
        Ok(Self { demo, load, truth })
    }

    /// What it tells at the end of its load; it goes on to answer scrapes.
    pub(super) fn told(&mut self) -> Result<Value> {
        let start = Instant::now();
        loop {
            // It is there at once, but is it whole?
            let text = fs::read_to_string(&self.truth).unwrap_or_default();
            if let Ok(told) = serde_json::from_str::<Value>(&text) {
                let agrees = &told["agrees"] == true;
                ensure!(agrees, "the demo's own truth and metrics differ");
                return Ok(told);
            }
            self.demo.process.check()?;
            ensure!(
                start.elapsed() < self.load + HOLD,
                "the demo does not come to its end"
            );
            thread::sleep(Duration::from_millis(200));
        }
    }
}
