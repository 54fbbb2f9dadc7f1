//! `VictoriaMetrics`, a store for more than one Prometheus, which takes OTLP as well.

use std::{
    fs,
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

use anyhow::{Context, Result};
use xshell::Shell;

use super::debian::Archived;
use crate::{
    http::{self, free_port},
    process::Guarded,
};

/// Debian's name of the program, and the project's own.
const NAMES: [&str; 2] = ["victoria-metrics", "victoria-metrics-prod"];

/// One that takes OTLP, as Debian's testing and unstable releases had it on 2026-11-28.
const NEWER: Archived = Archived {
    name: "victoria-metrics_1.145.0+ds1-2_amd64.deb",
    pool: "v/victoriametrics",
    snapshot: "20261128T000000Z",
    sha256: "c858b5c15b1c3a3872ec7520cddb2bb51fc48d4b61b6b88f05ac7304edb44557",
    named_in: "xtask/src/lab/victoria.rs",
};

/// A running one; its data goes with it.
pub(crate) struct VictoriaMetrics {
    pub(crate) url: String,
    process: Guarded,
}

impl VictoriaMetrics {
    /// Why it cannot be had, if so.
    pub(crate) fn missing() -> Option<String> {
        let found = NAMES.iter().any(|name| which::which(name).is_ok());
        (!found)
            .then(|| "victoria-metrics is not on the path: apt install victoria-metrics".to_owned())
    }

    /// A newer one than that of Debian's stable release, which does not take OTLP.
    pub(crate) fn newer(sh: &Shell) -> Result<PathBuf> {
        let dir = Path::new("target/victoria-metrics").join(NEWER.name.trim_end_matches(".deb"));
        let program = dir.join("usr/bin/victoria-metrics");
        if !program.exists() {
            NEWER.unpack(sh, &dir).context("no newer VictoriaMetrics")?;
        }
        Ok(program)
    }

    /// Starts the one on the path.
    pub(crate) fn start(dir: &Path) -> Result<Self> {
        let program = NAMES.iter().find_map(|name| which::which(name).ok());
        let program = program.context("no victoria-metrics on the path")?;
        Self::start_with(&program, dir, &[])
    }

    /// Starts this program with further arguments.
    pub(crate) fn start_with(program: &Path, dir: &Path, arguments: &[String]) -> Result<Self> {
        let data = dir.join("victoria-data");
        // There is nothing to remove the first time.
        let _ = fs::remove_dir_all(&data);
        fs::create_dir_all(dir)?;
        let url = format!("http://127.0.0.1:{}", free_port()?);
        let mut all = vec![
            format!("-httpListenAddr={}", url.trim_start_matches("http://")),
            format!("-storageDataPath={}", data.display()),
            "-retentionPeriod=1d".to_owned(),
        ];
        all.extend_from_slice(arguments);
        let mut process = Guarded::start(program, &all, &dir.join("victoria.log"))?;
        while http::get(&format!("{url}/health")).is_err() {
            process.check()?;
            thread::sleep(Duration::from_millis(100));
        }
        Ok(Self { url, process })
    }

    /// Makes everything that was taken visible to queries.
    pub(crate) fn flush(&mut self) -> Result<()> {
        self.process.check()?;
        http::get(&format!("{}/internal/force_flush", self.url))?;
        Ok(())
    }
}
