//! The demo, as a process.

use std::{
    fs,
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};
use serde_json::Value;

use super::{HOLD, LOAD, RATE, SEED};
use crate::{http, process::Guarded};

/// A demo that runs.
pub(super) struct Demo {
    process: Guarded,
    pub(super) truth: PathBuf,
}

impl Demo {
    pub(super) fn start(directory: &Path, metrics: u16) -> Result<Self> {
        let truth = directory.join("truth.json");
        let arguments = [
            "demo".to_owned(),
            format!("--duration={}s", LOAD.as_secs()),
            format!("--rate={RATE}"),
            format!("--seed={SEED}"),
            format!("--bind=127.0.0.1:{}", http::free_port()?),
            format!("--metrics-bind=127.0.0.1:{metrics}"),
            format!("--truth-json={}", truth.display()),
            format!("--hold={}s", HOLD.as_secs()),
        ];
        let target = std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
        let target = target.unwrap_or_else(|| crate::root().join("target"));
        let program = target.join("debug/brightstaff-exporter");
        let process = Guarded::start(&program, &arguments, &directory.join("demo.log"))?;
        Ok(Self { process, truth })
    }

    /// Waits for the end of the load, and what the demo says then.
    pub(super) fn wait(&mut self) -> Result<()> {
        let start = Instant::now();
        // It is there at once, but is it whole?
        let told = |file: &Path| {
            let text = fs::read_to_string(file).unwrap_or_default();
            serde_json::from_str::<Value>(&text).is_ok()
        };
        while !told(&self.truth) {
            self.process.check()?;
            ensure!(
                start.elapsed() < LOAD + HOLD,
                "the demo does not come to its end"
            );
            thread::sleep(Duration::from_millis(200));
        }
        Ok(())
    }
}
