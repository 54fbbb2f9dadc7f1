//! Real programs for a task or a test, on free ports of the loopback address, for as long as it lasts.

mod debian;
mod envoy;
mod exporter;
mod newer;
mod prometheus;
mod python;
mod receiver;
mod redis;
mod victoria;

use std::{
    thread,
    time::{Duration, Instant},
};

use anyhow::{Result, bail};

use crate::{http, process::Guarded};

pub(crate) use self::{
    envoy::{Envoy, find as find_envoy},
    exporter::Exporter,
    newer::find as find_newer_prometheus,
    prometheus::Prometheus,
    python::python,
    receiver::Receiver,
    redis::Redis,
    victoria::VictoriaMetrics,
};

/// Waits until an address answers, for as long as its process runs.
pub(crate) fn ready(url: &str, guard: &mut Guarded) -> Result<()> {
    let start = Instant::now();
    while http::get(url).is_err() {
        guard.check()?;
        if start.elapsed() > http::PATIENCE {
            bail!("{url} does not answer after {:?}", http::PATIENCE);
        }
        thread::sleep(Duration::from_millis(100));
    }
    Ok(())
}
