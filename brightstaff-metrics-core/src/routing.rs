//! Routing decisions, the routing service and the session cache.

use std::{fmt, time::Duration};

use crate::{
    clock::nanos,
    families::RoutingFamilies,
    labels::{
        FailoverOutcome, FailoverRoute, Fallback, Outcome, RouteKind, RoutingOutcome,
        SessionCacheEvent, SessionCacheOperation, SkipReason,
    },
};

/// Records routing decisions, and how the search for a candidate went that leads to one.
///
/// ```
/// use std::time::Duration;
/// use brightstaff_metrics_core::{Metrics, labels::{Fallback, RouteKind}};
///
/// let metrics = Metrics::unregistered();
/// metrics.routing().decision(RouteKind::Llm, "gpt-4o", Fallback::No, Duration::from_millis(3));
/// ```
///
/// A gateway that tries several candidates in turn: the first is not to be asked again yet, the second fails, and the
/// third is accepted. Each attempt is a [call](crate::Upstream::start) of its own.
///
/// ```
/// # use std::time::Duration;
/// # use brightstaff_metrics_core::{Metrics, labels::{ErrorClass, Fallback, RouteKind}};
/// use brightstaff_metrics_core::labels::{FailoverOutcome, FailoverRoute, SkipReason};
///
/// # let metrics = Metrics::unregistered();
/// let routing = metrics.routing();
/// routing.skip("gpt-4o", SkipReason::RetryAfter);
/// metrics.upstream("groq", "llama-3.3-70b").start().fail(ErrorClass::Timeout);
/// // claude-haiku-4-5 responds.
/// routing.decision(RouteKind::Llm, "claude-haiku-4-5", Fallback::Yes, Duration::from_micros(20));
/// routing.failover(FailoverRoute::Llm, FailoverOutcome::Recovered);
/// ```
#[derive(Clone, Copy)]
pub struct Routing<'a>(pub(crate) &'a RoutingFamilies);

impl Routing<'_> {
    /// One decision, to be recorded once a request, when a candidate is accepted: the model is the
    /// one that was dispatched, and `elapsed` the time of the decision logic alone, failed attempts
    /// excluded. Where nothing was decided, or every candidate failed, there is nothing to record.
    pub fn decision(self, route: RouteKind, model: &str, fallback: Fallback, elapsed: Duration) {
        self.0.selected(model).decisions(route, fallback).inc();
        self.0.decision_duration(route).observe(nanos(elapsed));
    }

    /// A candidate was passed over without a call: to be recorded once a request, where its turn had come. It was not
    /// tried, so that the one that is tried in its place may be the [first](Fallback::No).
    ///
    /// `model` has the cap of those that [decisions](Self::decision) select.
    pub fn skip(self, model: &str, reason: SkipReason) {
        self.0.selected(model).skips(reason).inc();
    }

    /// One request that named several candidates: to be recorded when its last attempt ends its search, be it that
    /// this candidate was accepted or that there is no other. Where the client goes away before, the search has no
    /// outcome.
    pub fn failover(self, route: FailoverRoute, outcome: FailoverOutcome) {
        self.0.failovers(route, outcome).inc();
    }
}

/// Records what the routing service answers.
///
/// ```
/// use brightstaff_metrics_core::{Metrics, labels::RoutingOutcome};
///
/// Metrics::unregistered().routing_service().request(RoutingOutcome::DecisionServed);
/// ```
#[derive(Clone, Copy)]
pub struct RoutingService<'a>(pub(crate) &'a RoutingFamilies);

impl RoutingService<'_> {
    /// One request for a routing decision.
    pub fn request(self, outcome: RoutingOutcome) {
        self.0.service(outcome).inc();
    }
}

/// Records what the session cache does.
///
/// ```
/// use brightstaff_metrics_core::{Metrics, labels::SessionCacheEvent};
///
/// Metrics::unregistered().session_cache().event(SessionCacheEvent::Hit);
/// ```
#[derive(Clone, Copy)]
pub struct SessionCache<'a>(pub(crate) &'a RoutingFamilies);

impl SessionCache<'_> {
    /// One lookup, or one store.
    pub fn event(self, event: SessionCacheEvent) {
        self.0.session_cache(event).inc();
    }

    /// One operation of a backend that is not memory; `elapsed` is from its start to its result, or to its time-out.
    pub fn operation(self, operation: SessionCacheOperation, outcome: Outcome, elapsed: Duration) {
        let operation = self.0.session_operation(operation, outcome);
        operation.observe(nanos(elapsed));
    }
}

/// The series are for the registry to tell.
macro_rules! opaque_debug {
    ($($name:ident)+) => {$(
        impl fmt::Debug for $name<'_> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($name)).finish_non_exhaustive()
            }
        }
    )+};
}

opaque_debug!(Routing RoutingService SessionCache);
