use std::sync::Arc;

use moka::{policy::EvictionPolicy, sync::Cache};

use super::Session;
use crate::{config, gateway::directory::Candidate};

/// Sessions of this process alone: the name of the candidate, which stays what it is where the alias changes.
#[derive(Clone, Debug)]
pub(super) struct Memory(Cache<Session, Arc<str>>);

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

    /// The place of the candidate that a session was led to, if it is still one.
    pub(super) fn get(&self, session: &Session, candidates: &[Candidate]) -> Option<usize> {
        let name = self.0.get(session)?;
        candidates.iter().position(|candidate| candidate.is(&name))
    }

    pub(super) fn put(&self, session: Session, candidate: &Candidate) {
        self.0.insert(session, candidate.full_name().into());
    }
}
