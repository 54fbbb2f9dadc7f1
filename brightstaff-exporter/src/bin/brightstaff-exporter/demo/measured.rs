use std::net::SocketAddr;

use anyhow::{Context, Result};
use prometheus::Registry;
use tokio::{net::TcpListener, task::JoinSet};

use super::options::Demo;
use crate::{
    config::Config,
    gateway::{Gateway, register},
    serve::{self, Limits},
};

/// The gateway and its metrics, as `serve` would run them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Measured {
    pub(super) gateway: SocketAddr,
    pub(super) metrics: SocketAddr,
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
        let metrics = register(config, &registry)?;
        let gateway = Gateway::new(config, metrics.clone())?;
        let listener = TcpListener::bind(address).await.with_context(|| {
            let from = &listen.gateway.from;
            format!("cannot listen on {address}: set {from} to another IP:PORT")
        })?;
        let started = Self {
            gateway: listener.local_addr()?,
            metrics: exporter.local_addr(),
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
