//! Routing, before calls to agents.

use std::time::Duration;

use brightstaff_metrics_core::{
    catalogue::{
        ROUTER_DECISION_DURATION, ROUTER_DECISIONS, ROUTING_SERVICE_REQUESTS, SESSION_CACHE_EVENTS,
    },
    labels::{Fallback, RouteKind, RoutingOutcome, SessionCacheEvent},
};

use super::{Gateway, PAIRS};

impl Gateway {
    /// What comes before a call to an agent: a session, a decision, and the routing service.
    pub(super) fn route(&mut self, n: usize, failing: bool) {
        let fallback = Fallback::from(failing && n % 4 == 1);
        let model = PAIRS[n / 3 % 3].1;
        #[expect(clippy::cast_precision_loss)]
        let elapsed = 0.002 + (n % 10) as f64 * 0.004;
        let router = self.metrics.routing();
        router.decision(
            RouteKind::Agent,
            model,
            fallback,
            Duration::from_secs_f64(elapsed),
        );
        let labels = [
            ("route", "agent"),
            ("selected_model", model),
            ("fallback", fallback.as_str()),
        ];
        self.rise(&ROUTER_DECISIONS, &labels, 1.0);
        self.sample(&ROUTER_DECISION_DURATION, &[("route", "agent")], elapsed);
        let outcome = match n % 5 {
            0 if failing => RoutingOutcome::PolicyError,
            _ => RoutingOutcome::DecisionServed,
        };
        self.metrics.routing_service().request(outcome);
        self.rise(
            &ROUTING_SERVICE_REQUESTS,
            &[("outcome", outcome.as_str())],
            1.0,
        );
        let event = match n % 7 {
            0 if failing => SessionCacheEvent::Error,
            1 | 2 => SessionCacheEvent::Miss,
            _ => SessionCacheEvent::Hit,
        };
        self.metrics.session_cache().event(event);
        self.rise(&SESSION_CACHE_EVENTS, &[("outcome", event.as_str())], 1.0);
    }
}
