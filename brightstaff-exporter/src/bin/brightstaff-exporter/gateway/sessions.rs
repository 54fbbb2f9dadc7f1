//! Sessions keep the candidate that an alias led them to.

use std::sync::Arc;

use axum::http::HeaderMap;
use brightstaff_metrics_core::{Metrics, labels::SessionCacheEvent};
use moka::{policy::EvictionPolicy, sync::Cache};

use super::error::Refusal;
use crate::config;

const HEADER: &str = "x-session-id";

/// The longest id, in bytes, so that the cache is bounded in bytes, too.
const MAX_ID: usize = 256;

/// A session, as one alias knows it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Session {
    alias: Arc<str>,
    id: Box<str>,
}

impl Session {
    /// The session that a request belongs to, if it says so.
    pub(super) fn of(alias: &Arc<str>, headers: &HeaderMap) -> Result<Option<Self>, Refusal> {
        let Some(id) = headers.get(HEADER) else {
            return Ok(None);
        };
        match id.to_str() {
            Ok(id) if (1..=MAX_ID).contains(&id.len()) => Ok(Some(Self {
                alias: Arc::clone(alias),
                id: id.into(),
            })),
            _ => {
                let fault = format!("`{HEADER}` must be 1 to {MAX_ID} visible ASCII characters");
                Err(Refusal::request("invalid_session", fault))
            }
        }
    }
}

/// Which candidate, by its place in the alias, each session was led to last.
///
/// Recorded are one `hit` or `miss` a lookup, and one `store` a store: each request that names an
/// alias and a session looks up once, and stores when the candidate that was accepted is not the one
/// that was found. The cache is in memory and cannot fail, so neither `error` nor `store_error` is.
#[derive(Debug)]
pub(super) struct Sessions {
    cache: Cache<Session, usize>,
    metrics: Metrics,
}

impl Sessions {
    pub(super) fn new(config: &config::Sessions, metrics: Metrics) -> Self {
        let cache = Cache::builder()
            .max_capacity(config.capacity)
            .time_to_live(config.ttl)
            // The default policy may turn away what is new, and that would be no store.
            .eviction_policy(EvictionPolicy::lru())
            .build();
        Self { cache, metrics }
    }

    pub(super) fn look_up(&self, session: &Session) -> Option<usize> {
        let found = self.cache.get(session);
        let event = match found {
            Some(_) => SessionCacheEvent::Hit,
            None => SessionCacheEvent::Miss,
        };
        self.metrics.session_cache().event(event);
        found
    }

    pub(super) fn store(&self, session: Session, candidate: usize) {
        self.cache.insert(session, candidate);
        self.metrics.session_cache().event(SessionCacheEvent::Store);
    }
}
