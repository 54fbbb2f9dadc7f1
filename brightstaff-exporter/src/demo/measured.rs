use std::net::SocketAddr;

use anyhow::{Context, Result};
use brightstaff_exporter::Exporter;
use prometheus::Registry;
use tokio::{net::TcpListener, task::JoinSet};

use super::options::Demo;
use crate::{
    commands::UsageError,
    config::Config,
    gateway::{Gateway, register},
    serve,
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
        let bind = &options.bind;
        let address: SocketAddr = bind.parse().map_err(|_| {
            UsageError::new(format_args!(
                "--bind: {bind:?} is no address to listen on: write IP:PORT"
            ))
        })?;
        let registry = Registry::new();
        let exporter = Exporter::new(registry.clone())
            .bind_to("--metrics-bind", &options.metrics_bind)
            .map_err(UsageError::new)?
            .bind()
            .await?;
        let metrics = register(config, &registry)?;
        let router = Gateway::new(config, metrics)?.router();
        let listener = TcpListener::bind(address).await.with_context(|| {
            format!("cannot listen on {address}: set --bind to another IP:PORT")
        })?;
        let started = Self {
            gateway: listener.local_addr()?,
            metrics: exporter.local_addr(),
        };
        servers.spawn(async { Ok(exporter.serve().await?) });
        servers.spawn(serve::serve(
            listener,
            router,
            std::future::pending(),
            std::time::Duration::ZERO,
        ));
        Ok(started)
    }
}
