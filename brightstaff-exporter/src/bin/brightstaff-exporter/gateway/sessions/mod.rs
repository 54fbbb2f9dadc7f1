//! Sessions keep the candidate that an alias led them to.

mod memory;
#[cfg_attr(not(feature = "redis"), path = "absent.rs")]
mod redis;
mod session;

use brightstaff_metrics_core::{Metrics, labels::SessionCacheEvent};

use self::memory::Memory;
pub(super) use self::session::{Naming, Session};
use super::directory::Candidate;
use crate::config;

/// Which candidate of an alias each session was led to last.
///
/// Each request that names an alias and a session looks up once: a `hit`, a `miss`, or an `error` where the store did
/// not tell; then it is routed as if it were new. It stores when the candidate that was accepted is not the one that
/// was found: a `store`, or a `store_error`. Memory cannot fail, and has neither error.
#[derive(Debug)]
pub(crate) struct Sessions {
    store: Store,
    naming: Naming,
    metrics: Metrics,
}

#[derive(Clone, Debug)]
enum Store {
    Memory(Memory),
    Redis(redis::Redis),
}

impl Sessions {
    /// Reads what the configuration names from the environment, and connects to nothing.
    pub(super) fn new(config: &config::Sessions, metrics: Metrics) -> anyhow::Result<Self> {
        let store = match config.store {
            config::SessionStore::Memory => Store::Memory(Memory::new(config)),
            config::SessionStore::Redis => Store::Redis(redis::Redis::new(config, &metrics)?),
        };
        Ok(Self {
            store,
            naming: Naming::new(config),
            metrics,
        })
    }

    /// The same sessions, told by requests in another way.
    pub(super) fn named_by(&self, config: &config::Sessions) -> Self {
        Self {
            store: self.store.clone(),
            naming: Naming::new(config),
            metrics: self.metrics.clone(),
        }
    }

    /// How requests tell their session.
    pub(super) fn naming(&self) -> &Naming {
        &self.naming
    }

    /// The place among the candidates of the one that the session was led to.
    pub(super) async fn look_up(
        &self,
        session: &Session,
        candidates: &[Candidate],
    ) -> Option<usize> {
        let found = match &self.store {
            Store::Memory(memory) => Ok(memory.get(session, candidates)),
            Store::Redis(redis) => redis.get(session, candidates).await,
        };
        self.metrics.session_cache().event(match found {
            Ok(Some(_)) => SessionCacheEvent::Hit,
            Ok(None) => SessionCacheEvent::Miss,
            Err(Failed) => SessionCacheEvent::Error,
        });
        found.unwrap_or_default()
    }

    /// Remembers where a session was led; the request does not wait for it.
    pub(super) fn store(&self, session: Session, candidate: &Candidate) {
        match &self.store {
            Store::Memory(memory) => {
                memory.put(session, candidate);
                self.metrics.session_cache().event(SessionCacheEvent::Store);
            }
            Store::Redis(redis) => redis.put(&session, candidate),
        }
    }

    /// Starts what a store does by itself, on the runtime that the gateway runs on.
    pub(crate) fn start(&self) {
        if let Store::Redis(redis) = &self.store {
            redis.watch();
        }
    }

    /// Waits until everything that was to be remembered is, or has failed.
    pub(crate) async fn settle(&self) {
        if let Store::Redis(redis) = &self.store {
            redis.settle().await;
        }
    }
}

/// The store did not tell; its log says why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Failed;
