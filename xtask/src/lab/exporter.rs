//! The exporter's binary: a gateway, its providers, the demo.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use xshell::{Shell, cmd};

use super::ready;
use crate::{http::free_port, process::Guarded};

/// One running command of the binary.
pub(crate) struct Exporter {
    pub(crate) process: Guarded,
    /// Where it takes requests.
    pub(crate) port: u16,
    /// Where it serves its metrics, if it does.
    pub(crate) metrics_port: u16,
}

impl Exporter {
    /// The environment variable that names a binary which is built already.
    pub(crate) const BUILT: &str = "XTASK_EXPORTER";

    /// Builds the binary, once for all that are started, unless one is named.
    pub(crate) fn build(sh: &Shell) -> Result<()> {
        if env::var_os(Self::BUILT).is_some() {
            return Ok(());
        }
        cmd!(sh, "cargo build --quiet --package brightstaff-exporter")
            .quiet()
            .run()
            .context("the exporter does not build")
    }

    /// The binary.
    pub(crate) fn program() -> Result<PathBuf> {
        env::var_os(Self::BUILT).map_or_else(beside_this_task, |named| Ok(named.into()))
    }

    /// Keeps the binary that was built last where no later build replaces it.
    pub(crate) fn keep() -> Result<PathBuf> {
        let kept = Path::new("target/lab/brightstaff-exporter");
        fs::create_dir_all("target/lab")?;
        // One that still runs cannot be written to.
        let _ = fs::remove_file(kept);
        fs::copy(beside_this_task()?, kept).context("no brightstaff-exporter was built")?;
        Ok(fs::canonicalize(kept)?)
    }

    /// The demo: a gateway on these ports between simulated providers and a load.
    pub(crate) fn demo(
        dir: &Path,
        port: u16,
        metrics_port: u16,
        options: &[String],
    ) -> Result<Self> {
        Self::demo_in(dir, port, metrics_port, options, &[])
    }

    /// The same with these environment variables on top.
    pub(crate) fn demo_in(
        dir: &Path,
        port: u16,
        metrics_port: u16,
        options: &[String],
        environment: &[(&str, &str)],
    ) -> Result<Self> {
        let mut arguments = vec!["demo".to_owned()];
        arguments.extend(binds(port, metrics_port));
        arguments.extend_from_slice(options);
        let name = format!("demo-{port}");
        Self::start(dir, &name, &arguments, environment, port, metrics_port)
    }

    /// The gateway alone, before one provider.
    pub(crate) fn serve(dir: &Path, upstream: &str) -> Result<Self> {
        let (port, metrics_port) = (free_port()?, free_port()?);
        let mut arguments = vec![
            "serve".to_owned(),
            "--upstream".to_owned(),
            upstream.to_owned(),
        ];
        arguments.extend(binds(port, metrics_port));
        Self::start(dir, "gateway", &arguments, &[], port, metrics_port)
    }

    /// The gateway alone, with this configuration and these variables of its environment.
    pub(crate) fn configured(
        dir: &Path,
        configuration: &str,
        environment: &[(&str, &str)],
    ) -> Result<Self> {
        let (port, metrics_port) = (free_port()?, free_port()?);
        fs::create_dir_all(dir)?;
        let file = dir.join("gateway.toml");
        fs::write(&file, configuration)?;
        let mut arguments = vec!["serve".to_owned(), format!("--config={}", file.display())];
        arguments.extend(binds(port, metrics_port));
        Self::start(dir, "gateway", &arguments, environment, port, metrics_port)
    }

    /// Every simulated provider under its name, at `port`.
    pub(crate) fn simulate_each(dir: &Path) -> Result<Self> {
        let port = free_port()?;
        let arguments = [
            "simulate".to_owned(),
            "--openai-bind=127.0.0.1:0".to_owned(),
            "--anthropic-bind=127.0.0.1:0".to_owned(),
            format!("--each-bind=127.0.0.1:{port}"),
        ];
        let mut process = run(dir, "providers", &arguments, &[])?;
        ready(
            &format!("http://127.0.0.1:{port}/ollama/api/version"),
            &mut process,
        )?;
        Ok(Self {
            process,
            port,
            metrics_port: port,
        })
    }

    /// Simulated providers; `port` is that of OpenAI.
    pub(crate) fn simulate(dir: &Path) -> Result<Self> {
        let (port, other) = (free_port()?, free_port()?);
        let arguments = [
            "simulate".to_owned(),
            format!("--openai-bind=127.0.0.1:{port}"),
            format!("--anthropic-bind=127.0.0.1:{other}"),
        ];
        let process = run(dir, "providers", &arguments, &[])?;
        Ok(Self {
            process,
            port,
            metrics_port: other,
        })
    }

    fn start(
        dir: &Path,
        name: &str,
        arguments: &[String],
        environment: &[(&str, &str)],
        port: u16,
        metrics_port: u16,
    ) -> Result<Self> {
        let mut process = run(dir, name, arguments, environment)?;
        ready(
            &format!("http://127.0.0.1:{metrics_port}/metrics"),
            &mut process,
        )?;
        Ok(Self {
            process,
            port,
            metrics_port,
        })
    }
}

fn run(
    dir: &Path,
    name: &str,
    arguments: &[String],
    environment: &[(&str, &str)],
) -> Result<Guarded> {
    fs::create_dir_all(dir)?;
    Guarded::start_in(
        &Exporter::program()?,
        arguments,
        environment,
        &dir.join(format!("{name}.log")),
    )
}

/// Where cargo leaves the binary: this task was built there, too.
fn beside_this_task() -> Result<PathBuf> {
    let here = env::current_exe()?;
    Ok(here.with_file_name("brightstaff-exporter"))
}

fn binds(port: u16, metrics_port: u16) -> [String; 2] {
    [
        format!("--bind=127.0.0.1:{port}"),
        format!("--metrics-bind=127.0.0.1:{metrics_port}"),
    ]
}
