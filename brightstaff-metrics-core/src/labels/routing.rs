//! Labels of routing.

use super::closed::{Index, Label, label};

label! {
    /// Which way a request was routed.
    RouteKind = "route" {
        /// `/agents/…`.
        Agent => "agent",
        /// `/routing/…`: the decision itself was asked for.
        Routing => "routing",
        /// An LLM endpoint.
        Llm => "llm",
    }
}

label! {
    /// Whether the candidate that was accepted was not the first that was tried.
    Fallback = "fallback" {
        /// The first candidate that was tried was accepted.
        No => "false",
        /// An earlier candidate failed.
        Yes => "true",
    }
}

impl From<bool> for Fallback {
    fn from(fallback: bool) -> Self {
        if fallback { Self::Yes } else { Self::No }
    }
}

label! {
    /// What became of a request to the routing service.
    RoutingOutcome = "outcome" {
        /// A model was answered.
        DecisionServed => "decision_served",
        /// Nothing matched.
        NoCandidates => "no_candidates",
        /// The policy or the request was bad.
        PolicyError => "policy_error",
    }
}

label! {
    /// One lookup in the session cache, or one store to it.
    SessionCacheEvent = "outcome" {
        /// A lookup that found its session.
        Hit => "hit",
        /// A lookup that did not.
        Miss => "miss",
        /// A store.
        Store => "store",
        /// A lookup that the backend failed.
        Error => "error",
        /// A store that the backend failed.
        StoreError => "store_error",
    }
}

label! {
    /// One operation of a session cache that is not in memory.
    SessionCacheOperation = "operation" {
        /// A lookup.
        Get => "get",
        /// A store.
        Put => "put",
        /// A removal.
        Remove => "remove",
    }
}

label! {
    /// Why a candidate was passed over without a call.
    SkipReason = "reason" {
        /// It asked by `Retry-After` to be left alone until later.
        RetryAfter => "retry_after",
        /// It failed too often in a row, and has not been tried again since.
        CoolingDown => "cooling_down",
    }
}

label! {
    /// Which way a request went that named several candidates.
    FailoverRoute = "route" {
        /// `/agents/…`.
        Agent => "agent",
        /// An LLM endpoint.
        Llm => "llm",
    }
}

label! {
    /// What became of a request that named several candidates.
    FailoverOutcome = "outcome" {
        /// The first candidate that was tried was accepted.
        FirstTry => "first_try",
        /// A later one was accepted, after the ones before it failed.
        Recovered => "recovered",
        /// Every candidate that was tried failed.
        Exhausted => "exhausted",
    }
}
