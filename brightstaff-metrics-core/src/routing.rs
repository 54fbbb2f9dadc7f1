//! Routing decisions, the routing service and the session cache.

use std::time::Duration;

use prometheus::{Histogram, IntCounter, proto::MetricFamily};

use crate::{
    Metrics, catalogue as c,
    labels::{
        Fallback, MAX_LABEL_BYTES, OverflowLabel, Route, RoutingOutcome, SessionCacheEvent, fit,
    },
    series::{Counters, Lazy, collect, counter, histogram},
    table::{Keyed, Table},
};

/// Records routing decisions.
///
/// ```
/// use std::time::Duration;
/// use brightstaff_metrics_core::{Metrics, labels::{Fallback, Route}};
///
/// let metrics = Metrics::unregistered();
/// metrics.router().decision(Route::Llm, "gpt-4o", Fallback::No, Duration::from_millis(3));
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Router<'a>(pub(crate) &'a Metrics);

impl Router<'_> {
    /// One decision, to be recorded once a request, when a candidate is accepted: the model is the
    /// one that was dispatched, and `elapsed` the time of the decision logic alone, failed attempts
    /// excluded. Where nothing was decided, or every candidate failed, there is nothing to record.
    pub fn decision(self, route: Route, model: &str, fallback: Fallback, elapsed: Duration) {
        let series = self.0.series();
        let routing = &series.routing;
        routing
            .selected(model, &series.overflow)
            .decisions(route, fallback)
            .inc();
        routing
            .decision_duration
            .get_or_init(route, || {
                let buckets = &self.0.settings().buckets;
                histogram(&c::ROUTER_DECISION_DURATION, &[route.as_str()], buckets)
            })
            .observe(elapsed.as_secs_f64());
    }
}

/// Records what the routing service answers.
///
/// ```
/// use brightstaff_metrics_core::{Metrics, labels::RoutingOutcome};
///
/// Metrics::unregistered().routing_service().request(RoutingOutcome::DecisionServed);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct RoutingService<'a>(pub(crate) &'a Metrics);

impl RoutingService<'_> {
    /// One request for a routing decision.
    pub fn request(self, outcome: RoutingOutcome) {
        self.0.series().routing.service.get(outcome).inc();
    }
}

/// Records what the session cache does.
///
/// ```
/// use brightstaff_metrics_core::{Metrics, labels::SessionCacheEvent};
///
/// Metrics::unregistered().session_cache().event(SessionCacheEvent::Hit);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct SessionCache<'a>(pub(crate) &'a Metrics);

impl SessionCache<'_> {
    /// One lookup, or one store.
    pub fn event(self, event: SessionCacheEvent) {
        self.0.series().routing.session_cache.get(event).inc();
    }
}

pub(crate) struct RoutingSeries {
    selected: Table<Selected, 1>,
    decision_duration: Lazy<Histogram, Route>,
    service: Counters<RoutingOutcome>,
    session_cache: Counters<SessionCacheEvent>,
}

/// The children of one selected model.
struct Selected {
    model: Box<str>,
    decisions: Lazy<IntCounter, (Route, Fallback)>,
}

impl RoutingSeries {
    pub(crate) fn new(cap: usize) -> Self {
        Self {
            selected: Table::new(Vec::new(), cap),
            decision_duration: Lazy::new(),
            service: Counters::new(&c::ROUTING_SERVICE_REQUESTS, &[]),
            session_cache: Counters::new(&c::SESSION_CACHE_EVENTS, &[]),
        }
    }

    fn selected(&self, model: &str, overflow: &Counters<OverflowLabel>) -> &Selected {
        let overflow = overflow.get(OverflowLabel::SelectedModel);
        let make = |[model]: [&str; 1]| Selected::new(model);
        match fit(model, MAX_LABEL_BYTES) {
            Some(model) => self.selected.get_or_insert([model], overflow, make),
            None => {
                overflow.inc();
                self.selected.other(make)
            }
        }
    }

    pub(crate) fn collect(&self, out: &mut Vec<MetricFamily>) {
        let decisions = self.selected.iter().flat_map(|s| s.decisions.iter());
        out.extend([
            collect(&c::ROUTER_DECISIONS, decisions),
            collect(&c::ROUTER_DECISION_DURATION, self.decision_duration.iter()),
            collect(&c::ROUTING_SERVICE_REQUESTS, self.service.iter()),
            collect(&c::SESSION_CACHE_EVENTS, self.session_cache.iter()),
        ]);
    }
}

impl Selected {
    fn new(model: &str) -> Self {
        Self {
            model: model.into(),
            decisions: Lazy::new(),
        }
    }

    fn decisions(&self, route: Route, fallback: Fallback) -> &IntCounter {
        self.decisions.get_or_init((route, fallback), || {
            let labels = [route.as_str(), &self.model, fallback.as_str()];
            counter(&c::ROUTER_DECISIONS, &labels)
        })
    }
}

impl Keyed<1> for Selected {
    fn key(&self) -> [&str; 1] {
        [&self.model]
    }
}
