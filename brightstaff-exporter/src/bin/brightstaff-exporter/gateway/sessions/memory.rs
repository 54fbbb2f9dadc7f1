use moka::{policy::EvictionPolicy, sync::Cache};

use super::Session;
use crate::config;

/// Sessions of this process alone.
#[derive(Debug)]
pub(super) struct Memory(Cache<Session, usize>);

impl Memory {
    pub(super) fn new(config: &config::Sessions) -> Self {
        let cache = Cache::builder()
            .max_capacity(config.capacity)
            .time_to_live(config.ttl)
            // The default policy may turn away what is new, and that would be no store.
            .eviction_policy(EvictionPolicy::lru())
            .build();
        Self(cache)
    }

    pub(super) fn get(&self, session: &Session) -> Option<usize> {
        self.0.get(session)
    }

    pub(super) fn put(&self, session: Session, place: usize) {
        self.0.insert(session, place);
    }
}
