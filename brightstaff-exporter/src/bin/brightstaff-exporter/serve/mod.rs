//! Serving a program within limits, and stopping without cutting anyone off too early.

mod connection;
mod lane;
mod limits;
mod linger;
mod pulse;
mod service;
mod socket;
mod streams;
mod takeover;
mod version;

use std::time::{Duration, Instant};

use brightstaff_exporter::socket::is_exhaustion;
use brightstaff_metrics_core::Metrics;
use tokio::{net::TcpListener, sync::watch, task::JoinSet, time::sleep};

use self::connection::Connections;
pub(crate) use self::{
    lane::Client,
    limits::Limits,
    service::{Answering, RequestBody},
    takeover::Takeover,
};

/// How long the log is silent about clients that wait before it says so again.
const FULL_AGAIN: Duration = Duration::from_secs(60);

/// How long nobody is accepted once something that it takes is exhausted.
const ACCEPT_AGAIN: Duration = Duration::from_secs(1);

/// Serves until `shutdown`, then lets responses in flight come to their end, for as long as `drain`. What
/// is left then is cut off, and is gone when this returns.
///
/// Where as many connections are open as may be, no more are accepted: the next clients wait in the
/// listener's queue. Accepting them to refuse them would take what there is too little of, and a client
/// that waits is served by the first connection that ends, where one that is refused has to try again.
pub(crate) async fn serve<P: Answering>(
    listener: TcpListener,
    program: P,
    limits: Limits,
    metrics: Metrics,
    shutdown: impl Future<Output = ()> + Send + 'static,
    drain: Duration,
) -> anyhow::Result<()> {
    let max = limits.max_connections;
    let (stop, stopped) = watch::channel(());
    let served = Connections::new(program, limits, metrics, stopped);
    let mut connections = JoinSet::new();
    let mut full = Full::default();
    let mut shutdown = std::pin::pin!(shutdown);
    loop {
        tokio::select! {
            accepted = listener.accept(), if connections.len() < max => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(served.clone().serve(stream));
                    if connections.len() == max {
                        full.warn(max);
                    }
                }
                Err(error) if is_exhaustion(&error) => {
                    tracing::error!(%error, "cannot accept a connection");
                    sleep(ACCEPT_AGAIN).await;
                }
                Err(_) => {}
            },
            Some(_) = connections.join_next() => {}
            () = &mut shutdown => break,
        }
    }
    drop((listener, stop, served));
    let drained = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(drain, drained).await.is_err() {
        let count = connections.len();
        tracing::warn!(connections = count, "cut off what was left after {drain:?}");
        connections.shutdown().await;
    }
    Ok(())
}

/// Says that clients wait, now and then.
#[derive(Debug, Default)]
struct Full(Option<Instant>);

impl Full {
    fn warn(&mut self, max: usize) {
        let now = Instant::now();
        if self.0.is_none_or(|last| now - last >= FULL_AGAIN) {
            self.0 = Some(now);
            tracing::warn!("max_connections: {max} are open, the next clients wait for one to end");
        }
    }
}
