//! What is soaked.

use std::{
    env,
    ffi::OsStr,
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use clap::ValueEnum;
use xshell::{Shell, cmd};

use super::{
    ledger::Scrape,
    load::Load,
    rows::{HEADER_TIMEOUT, MAX_REQUEST_BYTES},
};
use crate::{
    http::free_port,
    lab::{Exporter, ready},
    process::Guarded,
};

/// How long a gateway may take to come to rest after the last client.
const REST: Duration = Duration::from_secs(60);

/// A gateway that rows are played to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Target {
    /// The sidecar, `brightstaff-exporter serve`
    Serve,
    /// The example on actix-web
    Actix,
}

impl Target {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Serve => "serve",
            Self::Actix => "the example on actix-web",
        }
    }

    /// The longest request body that it takes.
    pub(super) fn max_request_bytes(self) -> usize {
        match self {
            Self::Serve => MAX_REQUEST_BYTES,
            Self::Actix => 32 << 20,
        }
    }

    /// Builds it as the tests are, unless it is built; where it is then.
    pub(super) fn debug(self, sh: &Shell) -> Result<PathBuf> {
        let beside = |name: &str| Ok(env::current_exe()?.with_file_name(name));
        match self {
            Self::Serve => {
                if let Some(built) = env::var_os(Exporter::BUILT) {
                    return Ok(built.into());
                }
                Exporter::build(sh)?;
                beside("brightstaff-exporter")
            }
            Self::Actix => {
                // Where the exporter is built, so is everything else.
                if env::var_os(Exporter::BUILT).is_none() {
                    cmd!(
                        sh,
                        "cargo build --quiet --workspace --all-features --example {ACTIX}"
                    )
                    .run()?;
                }
                beside(&format!("examples/{ACTIX}"))
            }
        }
    }

    /// Builds it for speed; where it is then.
    pub(super) fn release(self, sh: &Shell) -> Result<PathBuf> {
        // Not quiet: the first time it builds for minutes, and says so.
        let build = cmd!(sh, "cargo build --release").quiet();
        let (build, built) = match self {
            Self::Serve => (
                build.args(["--package", "brightstaff-exporter"]),
                "target/release/brightstaff-exporter".to_owned(),
            ),
            Self::Actix => (
                build.args(["--package", "brightstaff-metrics-actix", "--example", ACTIX]),
                format!("target/release/examples/{ACTIX}"),
            ),
        };
        build.run()?;
        Ok(built.into())
    }
}

const ACTIX: &str = "actix-gateway";

/// The gateway that is soaked.
pub(super) struct Gateway {
    process: Guarded,
    pub(super) address: SocketAddr,
    pub(super) metrics: String,
}

impl Gateway {
    pub(super) fn start(target: Target, binary: &Path, provider: SocketAddr) -> Result<Self> {
        let dir = Path::new("target/soak");
        fs::create_dir_all(dir)?;
        let address = SocketAddr::from(([127, 0, 0, 1], free_port()?));
        let metrics = SocketAddr::from(([127, 0, 0, 1], free_port()?));
        let mut process = match target {
            Target::Serve => {
                let config = dir.join("gateway.toml");
                fs::write(&config, configuration(provider))?;
                let arguments = [
                    "serve".to_owned(),
                    format!("--config={}", config.display()),
                    format!("--bind={address}"),
                    format!("--metrics-bind={metrics}"),
                ];
                Guarded::start(binary, &arguments, &dir.join("gateway.log"))
            }
            Target::Actix => {
                let settings = [
                    format!("OPENAI_BASE_URL=http://{provider}/v1"),
                    format!("BIND_ADDRESS={address}"),
                    format!("METRICS_BIND_ADDRESS={metrics}"),
                ];
                let arguments = settings.iter().map(OsStr::new);
                let arguments: Vec<_> = arguments.chain([binary.as_os_str()]).collect();
                Guarded::start(Path::new("env"), &arguments, &dir.join("actix.log"))
            }
        }
        .with_context(|| format!("{} does not start", binary.display()))?;
        let metrics = format!("http://{metrics}/metrics");
        ready(&metrics, &mut process)?;
        Ok(Self {
            process,
            address,
            metrics,
        })
    }

    /// Waits until everything is counted and closed, and tells what is so then, or after a while.
    pub(super) fn rest(&mut self, load: &Load<'_>, start: &Scrape) -> Result<Scrape> {
        let begin = Instant::now();
        loop {
            // Connections that the gateway keeps for later are no leak.
            load.provider.hang_up();
            self.process.check()?;
            let scrape = Scrape::get(&self.metrics)?;
            let rests = load.ledger.differences(&scrape).is_empty();
            let late = begin.elapsed() > REST;
            if late || rests && scrape.open_fds <= start.open_fds {
                return Ok(scrape);
            }
            thread::sleep(Duration::from_millis(200));
        }
    }
}

fn configuration(provider: SocketAddr) -> String {
    format!(
        "response_header_timeout = \"{HEADER_TIMEOUT}\"\nmax_request_bytes = {MAX_REQUEST_BYTES}\n\
         [providers.openai]\nurl = \"http://{provider}\"\nmodels = [\"m\"]\n\
         [providers.gemini]\nurl = \"http://{provider}\"\nmodels = [\"m\"]\n\
         [providers.bedrock]\nurl = \"http://{provider}\"\nmodels = [\"m\"]\n\
         [providers.cohere]\nurl = \"http://{provider}\"\nmodels = [\"m\"]\n\
         [providers.ollama]\nurl = \"http://{provider}\"\nmodels = [\"m\"]\n\
         [providers.dead]\nurl = \"http://127.0.0.1:1\"\nmodels = [\"m\"]\n\
         [routes.rescued]\ncandidates = [\"dead/m\", \"openai/m\"]\n"
    )
}
