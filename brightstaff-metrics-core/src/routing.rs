//! Routing decisions, the routing service and the session cache.

use std::{fmt, time::Duration};

use crate::{
    clock::nanos,
    families::RoutingFamilies,
    labels::{
        Fallback, Outcome, RouteKind, RoutingOutcome, SessionCacheEvent, SessionCacheOperation,
    },
};

/// Records routing decisions.
///
/// ```
/// use std::time::Duration;
/// use brightstaff_metrics_core::{Metrics, labels::{Fallback, RouteKind}};
///
/// let metrics = Metrics::unregistered();
/// metrics.routing().decision(RouteKind::Llm, "gpt-4o", Fallback::No, Duration::from_millis(3));
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
