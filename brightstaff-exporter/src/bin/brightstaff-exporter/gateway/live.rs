//! What requests are answered from, and how another configuration takes its place.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
};

use arc_swap::ArcSwap;
use brightstaff_metrics_axum::RequestHead;

use super::{Inside, endpoint::handler, probe::Probe, warn_of_open_gateway};
use crate::config::Config;

/// What requests are answered from now. Each asks once, and keeps what it got to its end.
#[derive(Debug)]
pub(super) struct Live {
    now: ArcSwap<Inside>,
    stopping: AtomicBool,
}

/// Gives a gateway that runs another configuration.
#[derive(Debug)]
pub(crate) struct Reloader {
    live: Arc<Live>,
    /// Where the gateway listens.
    address: SocketAddr,
    /// What it was started with, and the providers that were added since.
    started: Config,
    last: Config,
}

/// Tells what looks after the gateway that it is about to stop.
#[derive(Debug)]
pub(crate) struct Readiness(Arc<Live>);

impl Live {
    pub(super) fn new(inside: Inside) -> Arc<Self> {
        Arc::new(Self {
            now: ArcSwap::from_pointee(inside),
            stopping: AtomicBool::new(false),
        })
    }

    pub(super) fn now(&self) -> Arc<Inside> {
        self.now.load_full()
    }

    /// What stands in the label `handler` of a request, where that is not as anywhere else.
    pub(super) fn handler(&self, request: &RequestHead<'_>) -> Option<&'static str> {
        match Probe::at(request.path()) {
            Some(probe) => probe.handler(request),
            None => handler(self.now.load().shared.directory.named(), request),
        }
    }

    pub(super) fn is_stopping(&self) -> bool {
        self.stopping.load(Relaxed)
    }
}

impl Readiness {
    pub(super) fn new(live: &Arc<Live>) -> Self {
        Self(Arc::clone(live))
    }

    /// From now on `/readyz` says no.
    pub(crate) fn end(&self) {
        self.0.stopping.store(true, Relaxed);
    }
}

impl Reloader {
    pub(super) fn new(live: &Arc<Live>, address: SocketAddr, started: Config) -> Self {
        Self {
            live: Arc::clone(live),
            address,
            last: started.clone(),
            started,
        }
    }

    /// Answers the requests that come from now on by this configuration, or by the one from before where something is
    /// wrong with it. Logs what changed, and what does not before the next start.
    pub(crate) fn reload(&mut self, config: Config) -> anyhow::Result<()> {
        let before = self.live.now();
        let inside = Inside::new(&config, before.shared.metrics.clone(), Some(&before))?;
        self.live.now.store(Arc::new(inside.bound_to(self.address)));
        let changes = config.changes_since(&self.last);
        tracing::info!("the configuration was read again: {changes}");
        let restart = config.wants_restart(&self.started);
        if !restart.is_empty() {
            let keys = restart.join(", ");
            tracing::warn!("only a restart changes these keys, which keep their values: {keys}");
        }
        warn_of_open_gateway(&config, self.address);
        for (name, provider) in &config.providers {
            let known = self.started.providers.entry(name.clone());
            known.or_insert_with(|| provider.clone());
        }
        self.last = config;
        Ok(())
    }
}
