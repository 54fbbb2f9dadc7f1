use std::net::SocketAddr;

use anyhow::{Context, Result};
use brightstaff_exporter::otlp::{Push, Pushing};
use prometheus::Registry;
use tokio::{net::TcpListener, task::JoinSet};

use super::options::Demo;
use crate::{
    config::{self, Config},
    gateway::{Gateway, register},
    serve::{self, Limits},
};

/// The gateway and its metrics, as `serve` would run them.
#[derive(Debug)]
pub(super) struct Measured {
    pub(super) gateway: SocketAddr,
    pub(super) metrics: SocketAddr,
    /// What pushes them, where the environment says so, and where to.
    pub(super) pushing: Option<(Pushing, String)>,
}

impl Measured {
    pub(super) async fn start(
        options: &Demo,
        config: &Config,
        servers: &mut JoinSet<Result<()>>,
    ) -> Result<Self> {
        let listen = &options.listen;
        let address = listen.gateway()?;
        let registry = Registry::new();
        let exporter = listen.exporter(registry.clone())?.bind().await?;
        let pushed = config.otlp.settings()?;
        let metrics = register(config, &pushed, &registry)?;
        let push = config::push(pushed, &registry)?;
        let gateway = Gateway::new(config, metrics.clone())?;
        let listener = TcpListener::bind(address).await.with_context(|| {
            let from = &listen.gateway.from;
            format!("cannot listen on {address}: set {from} to another IP:PORT")
        })?;
        let started = Self {
            gateway: listener.local_addr()?,
            metrics: exporter.local_addr(),
            pushing: push.map(started).transpose()?,
        };
        let service = gateway.listening(started.gateway).service;
        servers.spawn(async { Ok(exporter.serve().await?) });
        servers.spawn(serve::serve(
            listener,
            service,
            Limits::of(config),
            metrics,
            std::future::pending(),
            std::time::Duration::ZERO,
        ));
        Ok(started)
    }
}

fn started(push: Push) -> Result<(Pushing, String)> {
    let to = format!(
        "metrics pushed to {} every {:?}",
        push.endpoint(),
        push.interval()
    );
    Ok((push.start()?, to))
}
