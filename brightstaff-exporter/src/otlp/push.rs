//! The thread that pushes.

use std::{
    fmt, thread,
    time::{Duration, Instant},
};

use brightstaff_metrics_core::{labels::ExportOutcome, otlp::Encoder};
use prometheus::Registry;
use tokio::{
    runtime,
    sync::{oneshot, watch},
};

use super::{client::Client, error::OtlpError, outcomes::Outcomes, work::Work};
use crate::priority;

/// What pushes a registry, once it is started.
#[derive(Debug)]
#[must_use = "nothing is pushed before `start`"]
pub struct Push {
    pub(super) interval: Duration,
    pub(super) export_timeout: Duration,
    pub(super) gzip: bool,
    pub(super) encoder: Encoder,
    pub(super) client: Client,
    pub(super) outcomes: Outcomes,
    pub(super) registry: Registry,
}

/// Metrics that are being pushed, until this is dropped or [shut down](Self::shutdown).
#[must_use = "nothing is pushed any more once this is dropped"]
pub struct Pushing {
    stop: watch::Sender<Option<Instant>>,
    ended: oneshot::Receiver<ExportOutcome>,
}

/// How much longer than it was given the last export is waited for: a collector that is not ours may take its time.
const GRACE: Duration = Duration::from_millis(500);

impl Push {
    /// Pushes from now on, the first time after one interval.
    ///
    /// On a thread of its own, which needs no runtime, and on Linux has a lower priority: what a backend does costs the
    /// caller's threads nothing.
    ///
    /// # Errors
    ///
    /// The system has no thread left.
    pub fn start(self) -> Result<Pushing, OtlpError> {
        let (stop, stopped) = watch::channel(None);
        let (end, ended) = oneshot::channel();
        let runtime = runtime::Builder::new_current_thread()
            .enable_all()
            .thread_name("otlp-blocking")
            .build()
            .map_err(OtlpError::Thread)?;
        let work = Work::new(self);
        let thread = thread::Builder::new().name("otlp".to_owned());
        let run = move || {
            priority::lower();
            if let Some(last) = runtime.block_on(work.run(stopped)) {
                // Nobody listens where the caller has gone.
                let _ = end.send(last);
            }
            // A name may be in the middle of its resolution.
            runtime.shutdown_background();
        };
        thread.spawn(run).map_err(OtlpError::Thread)?;
        Ok(Pushing { stop, ended })
    }

    /// Where it is pushed to, without a query, which may hold a key.
    #[must_use]
    pub fn endpoint(&self) -> String {
        self.client.endpoint().to_string()
    }

    /// From the start of one export to that of the next.
    #[must_use]
    pub fn interval(&self) -> Duration {
        self.interval
    }
}

impl Pushing {
    /// Pushes one last time, so that the backend has the last numbers, and tells what became of it. Call it when what is
    /// measured is over, and let it have as long as the program may still take: where the backend does not take the
    /// export within that time, it has [failed](ExportOutcome::Failed).
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime.
    pub async fn shutdown(self, within: Duration) -> ExportOutcome {
        self.stop.send_replace(Some(Instant::now() + within));
        let ended = tokio::time::timeout(within + GRACE, self.ended).await;
        ended
            .ok()
            .and_then(Result::ok)
            .unwrap_or(ExportOutcome::Failed)
    }
}

impl fmt::Debug for Pushing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pushing").finish_non_exhaustive()
    }
}
