//! A gateway with its clients, its provider and what else it needs: one for each incident, so that all of them are played
//! at once before one Prometheus.

use std::{
    env,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};

use super::{
    load::Load,
    provider::{Fault, KEY, MODELS, Provider},
    scenes::{Gateway, Happens, Scene},
};
use crate::{
    http::free_port,
    lab::{Exporter, Redis, ready},
    process::Guarded,
};

/// The example on axum whose handler panics.
pub(super) const PANICS: &str = "axum-panics";

/// One incident, set up.
pub(super) struct Stage {
    pub(super) scene: &'static Scene,
    pub(super) metrics_port: u16,
    pub(super) load: Load,
    gateway: Option<Guarded>,
    provider: Provider,
    /// The provider itself, where it is to end: else all share one.
    simulator: Option<Exporter>,
    redis: Option<Redis>,
}

impl Stage {
    /// Starts everything, with sound traffic.
    pub(super) fn set(dir: &Path, scene: &'static Scene, simulator: u16) -> Result<Self> {
        let dir = dir.join(job(scene.name).replace('/', "-"));
        std::fs::create_dir_all(&dir)?;
        let own = scene.happens == Happens::ProviderEnds;
        let own = own.then(|| Exporter::simulate(&dir)).transpose()?;
        let provider = Provider::start(own.as_ref().map_or(simulator, |own| own.port))?;
        // A provider that is to end is called directly: whatever stood before it would still take connections.
        let upstream = match &own {
            Some(own) => format!("http://127.0.0.1:{}/v1", own.port),
            None => format!("http://{}/v1", provider.address),
        };
        let sessions = scene.gateway == Gateway::Sessions;
        let redis = sessions.then(|| Redis::start(&dir)).transpose()?;
        let (gateway, port, metrics_port) = match scene.gateway {
            Gateway::Panics => panics(&dir, &upstream)?,
            kind => {
                let toml = configuration(kind, &upstream, redis.as_ref());
                let gateway = Exporter::configured(&dir, &toml, &[("INCIDENT_KEY", KEY)])?;
                (gateway.process, gateway.port, gateway.metrics_port)
            }
        };
        Ok(Self {
            scene,
            metrics_port,
            load: Load::start(port, scene.sends),
            gateway: Some(gateway),
            provider,
            simulator: own,
            redis,
        })
    }

    /// The incident begins.
    pub(super) fn begin(&mut self) -> Result<()> {
        match self.scene.happens {
            Happens::Nothing => {}
            Happens::Fails(fault) => self.provider.fails(fault),
            Happens::ProviderEnds => drop(self.simulator.take()),
            Happens::GatewayEnds => drop(self.gateway.take()),
            Happens::RedisStalls => {
                let redis = self.redis.as_ref();
                redis.context("an incident of a Redis has one")?.stall()?;
            }
        }
        self.load.begin();
        Ok(())
    }

    /// The incident is over; false where what is gone stays so.
    pub(super) fn end(&mut self) -> Result<bool> {
        match self.scene.happens {
            Happens::Nothing => {}
            Happens::Fails(_) => self.provider.fails(Fault::None),
            Happens::RedisStalls => {
                let redis = self.redis.as_ref();
                redis.context("an incident of a Redis has one")?.resume()?;
            }
            Happens::ProviderEnds | Happens::GatewayEnds => return Ok(false),
        }
        self.load.end();
        Ok(true)
    }

    /// Whether its gateway is to be there.
    pub(super) fn runs(&self) -> bool {
        self.gateway.is_some()
    }

    /// Fails where the gateway has ended by itself.
    pub(super) fn check(&mut self) -> Result<()> {
        let gateway = self.gateway.as_mut().map(Guarded::check);
        gateway.transpose().map(drop).context(self.scene.name)
    }
}

/// The name that Prometheus has for a gateway: `namespace/name`, as the operator of Kubernetes makes them.
pub(super) fn job(incident: &str) -> String {
    let name = incident.to_lowercase().replace(' ', "-");
    format!("{name}/brightstaff")
}

fn configuration(kind: Gateway, upstream: &str, redis: Option<&Redis>) -> String {
    let usage = if kind == Gateway::Unasked {
        "off"
    } else {
        "hidden"
    };
    let mut toml = format!(
        "[providers.openai]\nurl = \"{upstream}\"\napi_key_env = \"INCIDENT_KEY\"\nmodels = {MODELS:?}\n\
         open_models = 5\ninclude_usage = \"{usage}\"\n"
    );
    if matches!(kind, Gateway::Routes | Gateway::Sessions) {
        let [first, second] = MODELS;
        toml += &format!("[routes.fast]\ncandidates = [\"openai/{first}\", \"openai/{second}\"]\n");
    }
    if let Some(redis) = redis {
        toml += &format!("[sessions]\nstore = \"redis\"\nurl = \"{}\"\n", redis.url());
    }
    toml
}

/// The gateway on axum, where it takes requests, and where it serves its metrics.
fn panics(dir: &Path, upstream: &str) -> Result<(Guarded, u16, u16)> {
    let (port, metrics_port) = (free_port()?, free_port()?);
    let program = panicking()?.display().to_string();
    let arguments = [
        format!("OPENAI_BASE_URL={upstream}"),
        format!("BIND_ADDRESS=127.0.0.1:{port}"),
        format!("METRICS_BIND_ADDRESS=127.0.0.1:{metrics_port}"),
        program,
    ];
    let log = dir.join("gateway.log");
    let mut process = Guarded::start(Path::new("env"), &arguments, &log)?;
    let metrics = format!("http://127.0.0.1:{metrics_port}/metrics");
    ready(&metrics, &mut process)?;
    Ok((process, port, metrics_port))
}

/// Where cargo leaves the example: this task was built beside it.
fn panicking() -> Result<PathBuf> {
    let here = env::current_exe()?;
    Ok(here.with_file_name("examples").join(PANICS))
}
