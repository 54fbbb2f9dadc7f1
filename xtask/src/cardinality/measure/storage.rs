//! `VictoriaMetrics`, a store for more than one Prometheus.

use std::{fs, path::Path, thread, time::Duration};

use anyhow::{Context, Result};

use crate::{
    http::{self, free_port},
    process::Guarded,
};

/// Debian's name of the program, and the project's own.
const NAMES: [&str; 2] = ["victoria-metrics", "victoria-metrics-prod"];

/// A running one; its data goes with it.
pub(super) struct VictoriaMetrics {
    pub(super) url: String,
    _process: Guarded,
}

impl VictoriaMetrics {
    /// Why it cannot be had, if so.
    pub(super) fn missing() -> Option<String> {
        let found = NAMES.iter().any(|name| which::which(name).is_ok());
        (!found)
            .then(|| "victoria-metrics is not on the path: apt install victoria-metrics".to_owned())
    }

    pub(super) fn start(dir: &Path) -> Result<Self> {
        let program = NAMES.iter().find_map(|name| which::which(name).ok());
        let program = program.context("no victoria-metrics on the path")?;
        let data = dir.join("victoria-data");
        // There is nothing to remove the first time.
        let _ = fs::remove_dir_all(&data);
        fs::create_dir_all(dir)?;
        let url = format!("http://127.0.0.1:{}", free_port()?);
        let arguments = [
            format!("-httpListenAddr={}", url.trim_start_matches("http://")),
            format!("-storageDataPath={}", data.display()),
            "-retentionPeriod=1d".to_owned(),
        ];
        let mut process = Guarded::start(&program, &arguments, &dir.join("victoria.log"))?;
        while http::get(&format!("{url}/health")).is_err() {
            process.check()?;
            thread::sleep(Duration::from_millis(100));
        }
        Ok(Self {
            url,
            _process: process,
        })
    }
}
