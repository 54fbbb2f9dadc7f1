use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
    time::{Duration, Instant},
};

use anyhow::Context;
use brightstaff_exporter::{Bound, otlp::Push};
use clap::Args;
use prometheus::Registry;
use tokio::{net::TcpListener, sync::oneshot};

use super::{
    reload::reload,
    signals::{Hangups, Signals},
};
use crate::{
    address::{Listen, Scrapers, served},
    config::{self, Config, ConfigError, IncludeUsage, duration},
    gateway::{Gateway, Listening, Readiness, register, warn_of_open_gateway, warn_of_open_models},
    log::access::{self, Format},
    say::{say, say_aside},
    serve::{self, Limits},
    usage::UsageError,
};

#[derive(Args, Debug)]
#[command(after_help = HELP)]
pub(crate) struct Serve {
    #[command(flatten)]
    source: Source,

    #[command(flatten)]
    listen: Listen,

    #[command(flatten)]
    scrapers: Scrapers,

    /// How long responses in flight may go on after SIGTERM or Ctrl-C; a second signal ends them at once.
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = duration::parse)]
    drain: Duration,

    /// Whether providers that tell the usage of streams only where they are asked are asked, unless the client chose or
    /// their table in the configuration says.
    #[arg(long, value_enum, value_name = "HOW")]
    include_usage: Option<IncludeUsage>,

    /// One line a request on standard output, at its end; off by default, since a sidecar's numbers are its metrics.
    #[arg(long, value_enum, value_name = "FORMAT", default_value = "off")]
    access_log: Format,

    /// How long requests are still taken after SIGTERM or Ctrl-C, before the drain, while /readyz says 503 so that load
    /// balancers notice.
    #[arg(long, value_name = "TIME", default_value = "0s", value_parser = duration::parse)]
    drain_delay: Duration,

    /// Check the configuration, say where requests lead and which of the keys that it names are not there, and stop.
    #[arg(long)]
    check: bool,

    /// Check the configuration and the keys that it names, which have to be there, and stop.
    #[arg(long)]
    check_keys: bool,
}

/// What to forward to.
#[derive(Args, Debug)]
#[group(required = true, multiple = false)]
struct Source {
    /// The configuration: providers, their keys and models, agents, routes.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,

    /// A provider and its URL, as often as needed: openai=https://api.openai.com
    #[arg(long = "upstream", value_name = "NAME=URL")]
    upstreams: Vec<String>,
}

const HELP: &str = "\
Examples:
  brightstaff-exporter serve --upstream openai=https://api.openai.com
  brightstaff-exporter serve --config gateway.toml --check

SIGHUP has the file of --config read again.
With one --upstream every model goes there; with several, clients write provider/model.
Clients' own keys pass to the provider unless the configuration names one (api_key_env); then it should
say, too, which clients may use it (client_tokens_env, cors_origins, allowed_hosts).
OTEL_EXPORTER_OTLP_ENDPOINT has the metrics pushed over OTLP, too; OpenTelemetry's other variables, or [otlp], say how.
RUST_LOG sets what is logged (info, debug, brightstaff_exporter=debug, ...).";

/// How long a scrape in progress may go on after the last response.
const LAST_SCRAPE: Duration = Duration::from_secs(1);

/// `serve`: the gateway, until a signal ends it.
pub(crate) fn serve(options: &Serve) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("cannot start the runtime")?;
    let ran = runtime.block_on(run(options));
    // A file that is being read may lie where that takes its time.
    runtime.shutdown_background();
    ran
}

async fn run(options: &Serve) -> anyhow::Result<()> {
    let config = config(options)?;
    let listen = &options.listen;
    let address = listen.gateway()?;
    let registry = Registry::new();
    let exporter = listen.exporter(registry.clone())?;
    let exporter = options.scrapers.limit(exporter)?;
    let mut present = config.clone();
    let absent = if options.check && !options.check_keys {
        present.take_out_absent()
    } else {
        Vec::new()
    };
    let pushed = present.otlp.settings()?;
    let metrics = register(&config, &pushed, &registry)?;
    let push = config::push(pushed, &registry)?;
    let gateway = Gateway::new(&present, metrics.clone())?;
    warn_of_open_gateway(&config, address);
    if options.check || options.check_keys {
        tell(&gateway, push.as_ref(), &absent);
        return Ok(());
    }

    access::start(options.access_log).context("cannot start the access log")?;
    let signals = Signals::listen().context("cannot listen for signals")?;
    let hangups = Hangups::listen().context("cannot listen for signals")?;
    let exporter = exporter.bind().await?;
    let listener = bind(listen, address).await?;
    warn_of_open_models(&config);
    // Read by scripts: both ports take requests from here on.
    let mut said = format!(
        "gateway listening on http://{}\n{}",
        listener.local_addr()?,
        served(
            exporter.scheme(),
            exporter.local_addr(),
            options.scrapers.has_page()
        )
    );
    if let Some(push) = &push {
        said += &format!("\n{}", pushed_to(push));
    }
    say_aside(said);
    let pushing = push.map(Push::start).transpose()?;

    let sessions = gateway.sessions();
    sessions.start();
    let (last, ended) = oneshot::channel::<()>();
    let scrapes = tokio::spawn(scrapes(exporter, ended));
    let Listening {
        service,
        reloader,
        readiness,
    } = gateway.listening(listener.local_addr()?);
    let path = options.source.config.clone();
    let include_usage = options.include_usage;
    let read = move |path: &Path| read_config(path, include_usage);
    let reloads = tokio::spawn(reload(hangups, reloader, path, read));
    let drain = Drain::new(options.drain);
    let stop = stop(signals, readiness, options.drain_delay, drain.clone());
    serve::serve(
        listener,
        service,
        Limits::of(&config),
        metrics,
        stop,
        options.drain,
    )
    .await?;
    reloads.abort();
    sessions.settle().await;
    if let Some(pushing) = pushing {
        pushing.shutdown(drain.left()).await;
    }
    drop(last);
    let _ = tokio::time::timeout(LAST_SCRAPE, scrapes).await;
    Ok(())
}

/// What `--check` has to say of a configuration without a fault.
fn tell(gateway: &Gateway, push: Option<&Push>, absent: &[ConfigError]) {
    say!("the configuration is sound");
    for line in gateway.leads() {
        say!("{line}");
    }
    if let Some(push) = push {
        say!("{}", pushed_to(push));
    }
    for absent in absent {
        say!("note: {absent}");
    }
}

async fn bind(listen: &Listen, address: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).await.with_context(|| {
        let from = &listen.gateway.from;
        format!("cannot listen on {address}: set {from} to another IP:PORT")
    })
}

/// Ready when no more requests are to be taken.
async fn stop(signals: Signals, readiness: Readiness, delay: Duration, drain: Drain) {
    signals.first().await;
    readiness.end();
    tokio::time::sleep(delay).await;
    drain.begin();
}

/// Where metrics are pushed to, for people.
fn pushed_to(push: &Push) -> String {
    format!(
        "metrics pushed to {} every {:?}",
        push.endpoint(),
        push.interval()
    )
}

/// How long responses in flight, and then the last numbers, may still take.
#[derive(Clone, Debug)]
struct Drain {
    within: Duration,
    since: Arc<OnceLock<Instant>>,
}

/// How long the last numbers may take to be pushed: at least, where responses took the whole drain, and at most, since
/// what takes longer waits for a backend that is not there.
const LAST_PUSH: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(10));

impl Drain {
    fn new(within: Duration) -> Self {
        let since = Arc::default();
        Self { within, since }
    }

    fn begin(&self) {
        let _ = self.since.set(Instant::now());
    }

    /// What is left of it for the last numbers.
    fn left(&self) -> Duration {
        let begun = self.since.get().map(Instant::elapsed);
        let left = self.within.saturating_sub(begun.unwrap_or_default());
        left.clamp(LAST_PUSH.0, LAST_PUSH.1)
    }
}

/// Serves the metrics until the sender of `ended` is gone, which outlives the gateway's last response.
async fn scrapes(exporter: Bound, ended: oneshot::Receiver<()>) -> std::io::Result<()> {
    let signal = async {
        let _ = ended.await;
    };
    exporter.serve_with_graceful_shutdown(signal).await
}

fn config(options: &Serve) -> anyhow::Result<Config> {
    let source = &options.source;
    match &source.config {
        Some(path) => read_config(path, options.include_usage),
        None => {
            let config = Config::from_upstreams(&source.upstreams)?;
            Ok(config.including_usage(options.include_usage))
        }
    }
}

/// The configuration that a file holds, if it is sound, but for what the command line says.
fn read_config(path: &Path, include_usage: Option<IncludeUsage>) -> anyhow::Result<Config> {
    let text = fs::read_to_string(path)
        // The path is not repeated: it may be what belongs after --upstream, with its key.
        .map_err(|error| {
            UsageError::new(format_args!("--config: the file cannot be read: {error}"))
        })?;
    let config =
        Config::from_toml(&text).map_err(|error| ConfigError::new(path.display(), error))?;
    Ok(config.including_usage(include_usage))
}
