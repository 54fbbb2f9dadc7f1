use std::{fs, time::Duration};

use anyhow::Context;
use brightstaff_exporter::Bound;
use prometheus::Registry;
use tokio::{net::TcpListener, sync::oneshot};

use super::{UsageError, signals::Signals};
use crate::{
    cli::{Serve, Source},
    config::{Config, ConfigError},
    gateway::{Gateway, register, warn_of_open_gateway, warn_of_open_models},
    say::{say, say_aside},
    serve::{self, Limits},
};

/// How long a scrape in progress may go on after the last answer.
const LAST_SCRAPE: Duration = Duration::from_secs(1);

/// `serve`: the gateway, until a signal ends it.
pub(crate) fn serve(options: &Serve) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("cannot start the runtime")?;
    runtime.block_on(run(options))
}

async fn run(options: &Serve) -> anyhow::Result<()> {
    let config = config(&options.source)?;
    let listen = &options.listen;
    let address = listen.gateway()?;
    let registry = Registry::new();
    let exporter = listen.exporter(registry.clone())?;
    let exporter = options.scrapers.limit(exporter)?;
    let metrics = register(&config, &registry)?;
    let gateway = Gateway::new(&config, metrics.clone())?;
    warn_of_open_gateway(&config, address);
    if options.check {
        say!("the configuration is sound");
        return Ok(());
    }

    let signals = Signals::listen().context("cannot listen for signals")?;
    let exporter = exporter.bind().await?;
    let listener = TcpListener::bind(address).await.with_context(|| {
        let from = &listen.gateway.from;
        format!("cannot listen on {address}: set {from} to another IP:PORT")
    })?;
    warn_of_open_models(&config);
    // Read by scripts: both ports take requests from here on.
    say_aside(format!(
        "gateway listening on http://{}\nmetrics listening on {}://{}/metrics",
        listener.local_addr()?,
        exporter.scheme(),
        exporter.local_addr()
    ));

    let (last, ended) = oneshot::channel::<()>();
    let scrapes = tokio::spawn(scrapes(exporter, ended));
    let router = gateway.router(listener.local_addr()?);
    serve::serve(
        listener,
        router,
        Limits::of(&config),
        metrics,
        signals.first(),
        options.drain,
    )
    .await?;
    drop(last);
    let _ = tokio::time::timeout(LAST_SCRAPE, scrapes).await;
    Ok(())
}

/// Serves the metrics until the sender of `ended` is gone, which outlives the gateway's last answer.
async fn scrapes(exporter: Bound, ended: oneshot::Receiver<()>) -> std::io::Result<()> {
    let signal = async {
        let _ = ended.await;
    };
    exporter.serve_with_graceful_shutdown(signal).await
}

fn config(source: &Source) -> anyhow::Result<Config> {
    let Some(path) = &source.config else {
        return Ok(Config::from_upstreams(&source.upstreams)?);
    };
    let text = fs::read_to_string(path)
        // The path is not repeated: it may be what belongs after --upstream, with its key.
        .map_err(|error| UsageError(format!("--config: the file cannot be read: {error}")))?;
    let config =
        Config::from_toml(&text).map_err(|error| ConfigError::new(path.display(), error))?;
    Ok(config)
}
