use std::net::SocketAddr;

use anyhow::{Context, Result};
use brightstaff_exporter::Exporter;
use brightstaff_metrics_core::Metrics;
use prometheus::Registry;
use tokio::{net::TcpListener, task::JoinSet};

use super::options::Demo;
use crate::{
    config::Config,
    gateway::{Gateway, upstream_pairs},
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
        let address: SocketAddr = bind
            .parse()
            .with_context(|| format!("--bind: {bind:?} is no IP:PORT to listen on"))?;
        let registry = Registry::new();
        let exporter = Exporter::new(registry.clone())
            .bind_to("--metrics-bind", &options.metrics_bind)?
            .bind()
            .await?;
        let metrics = Metrics::builder()
            .build_info(
                env!("CARGO_PKG_VERSION"),
                option_env!("GIT_SHA").unwrap_or("unknown"),
            )
            .upstreams(upstream_pairs(config))
            .register(&registry)?;
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
