//! Prometheus with a configuration of the shipped kind.

use std::{fs, path::Path};

use anyhow::{Context, Result};

use super::ready;
use crate::{http::free_port, process::Guarded};

/// A running Prometheus; its data goes with it.
pub(crate) struct Prometheus {
    pub(crate) url: String,
    pub(crate) process: Guarded,
}

impl Prometheus {
    /// Why it cannot be had, if so.
    pub(crate) fn missing() -> Option<String> {
        which::which("prometheus")
            .is_err()
            .then(|| "prometheus is not on the path: apt install prometheus".to_owned())
    }

    /// Starts one in an empty directory.
    pub(crate) fn start(dir: &Path, config: &str) -> Result<Self> {
        let program = which::which("prometheus").context("no prometheus on the path")?;
        let data = dir.join("prometheus-data");
        // There is nothing to remove the first time.
        let _ = fs::remove_dir_all(&data);
        fs::create_dir_all(dir)?;
        let path = dir.join("prometheus.yaml");
        fs::write(&path, config)?;
        let port = free_port()?;
        let arguments = [
            format!("--config.file={}", path.display()),
            format!("--storage.tsdb.path={}", data.display()),
            format!("--web.listen-address=127.0.0.1:{port}"),
        ];
        let url = format!("http://127.0.0.1:{port}");
        let mut process = Guarded::start(&program, &arguments, &dir.join("prometheus.log"))?;
        ready(&format!("{url}/-/ready"), &mut process)?;
        Ok(Self { url, process })
    }
}
