use std::sync::Arc;

use super::Context;
use crate::{
    catalogue::{self as c, Family},
    labels::{
        FailoverOutcome, FailoverRoute, Fallback, MAX_LABEL_BYTES, Outcome, OverflowLabel,
        RouteKind, RoutingOutcome, SessionCacheEvent, SessionCacheOperation, SkipReason, fit,
    },
    series::{
        Children, Counter, CounterSet, Group, Histogram, Keyed, LabelSet, Labels, LazySet, Table,
        Visitor, walk_groups,
    },
};

/// The families of routing.
pub(crate) struct RoutingFamilies {
    context: Arc<Context>,
    selected: Table<SelectedModel, 1>,
    decision_duration: LazySet<Histogram, RouteKind>,
    service: CounterSet<RoutingOutcome>,
    session_cache: CounterSet<SessionCacheEvent>,
    session_operations: LazySet<Histogram, (SessionCacheOperation, Outcome)>,
    failovers: LazySet<Counter, (FailoverRoute, FailoverOutcome)>,
}

/// The children of one selected model.
pub(crate) struct SelectedModel {
    context: Arc<Context>,
    model: Box<str>,
    decisions: LazySet<Counter, (RouteKind, Fallback)>,
    skips: LazySet<Counter, SkipReason>,
}

impl RoutingFamilies {
    pub(crate) fn new(context: Arc<Context>, cap: usize) -> Self {
        let mut labels = Labels::new(context.clock.wall());
        Self {
            context,
            selected: Table::new(Vec::new(), cap),
            decision_duration: LazySet::new(),
            service: CounterSet::new(&c::ROUTING_SERVICE_REQUESTS, &[], &mut labels),
            session_cache: CounterSet::new(&c::SESSION_CACHE_EVENTS, &[], &mut labels),
            session_operations: LazySet::new(),
            failovers: LazySet::new(),
        }
    }

    /// The children of a selected model; those of `other`, and one overflow counted, where it cannot be a
    /// label value, or comes past the cap.
    pub(crate) fn selected(&self, model: &str) -> &SelectedModel {
        let folded = || self.context.folded(OverflowLabel::SelectedModel);
        let make = |[model]: [&str; 1]| SelectedModel::new(&self.context, model);
        match fit(model, MAX_LABEL_BYTES) {
            Some(model) => self.selected.get_or_insert([model], folded, make),
            None => {
                folded();
                self.selected.other(make)
            }
        }
    }

    pub(crate) fn decision_duration(&self, route: RouteKind) -> &Histogram {
        let make = || self.histogram(&c::ROUTER_DECISION_DURATION, &[route.as_str()]);
        self.decision_duration.get_or_init(route, make)
    }

    pub(crate) fn service(&self, outcome: RoutingOutcome) -> &Counter {
        self.service.get(outcome)
    }

    pub(crate) fn session_cache(&self, event: SessionCacheEvent) -> &Counter {
        self.session_cache.get(event)
    }

    pub(crate) fn session_operation(
        &self,
        operation: SessionCacheOperation,
        outcome: Outcome,
    ) -> &Histogram {
        let labels = [operation.as_str(), outcome.as_str()];
        let make = || self.histogram(&c::SESSION_CACHE_OPERATION, &labels);
        self.session_operations
            .get_or_init((operation, outcome), make)
    }

    pub(crate) fn failovers(&self, route: FailoverRoute, outcome: FailoverOutcome) -> &Counter {
        self.failovers.get_or_init((route, outcome), || {
            let labels = [route.as_str(), outcome.as_str()];
            let now = self.context.clock.wall();
            Counter::new(LabelSet::new(&c::FAILOVER_REQUESTS, &labels, now))
        })
    }

    fn histogram(&self, family: &'static Family, labels: &[&str]) -> Histogram {
        let Context { clock, buckets, .. } = &*self.context;
        let labels = LabelSet::new(family, labels, clock.wall());
        Histogram::new(family, labels, buckets)
    }

    pub(crate) const FAMILIES: [&'static Family; 7] = [
        &c::ROUTER_DECISIONS,
        &c::ROUTER_CANDIDATE_SKIPS,
        &c::ROUTER_DECISION_DURATION,
        &c::ROUTING_SERVICE_REQUESTS,
        &c::SESSION_CACHE_EVENTS,
        &c::SESSION_CACHE_OPERATION,
        &c::FAILOVER_REQUESTS,
    ];

    pub(crate) fn walk(&self, visitor: &mut dyn Visitor) {
        let Self {
            context: _,
            selected,
            decision_duration,
            service,
            session_cache,
            session_operations,
            failovers,
        } = self;
        walk_groups(|| selected.iter(), visitor);
        let [_, _, families @ ..] = Self::FAMILIES;
        let children: [&dyn Children; 5] = [
            decision_duration,
            service,
            session_cache,
            session_operations,
            failovers,
        ];
        for (family, children) in families.into_iter().zip(children) {
            visitor.family(family);
            children.visit(visitor);
        }
    }
}

impl SelectedModel {
    fn new(context: &Arc<Context>, model: &str) -> Self {
        Self {
            context: Arc::clone(context),
            model: model.into(),
            decisions: LazySet::new(),
            skips: LazySet::new(),
        }
    }

    pub(crate) fn decisions(&self, route: RouteKind, fallback: Fallback) -> &Counter {
        self.decisions.get_or_init((route, fallback), || {
            let values = [route.as_str(), &self.model, fallback.as_str()];
            let now = self.context.clock.wall();
            Counter::new(LabelSet::new(&c::ROUTER_DECISIONS, &values, now))
        })
    }

    pub(crate) fn skips(&self, reason: SkipReason) -> &Counter {
        self.skips.get_or_init(reason, || {
            let values = [&*self.model, reason.as_str()];
            let now = self.context.clock.wall();
            Counter::new(LabelSet::new(&c::ROUTER_CANDIDATE_SKIPS, &values, now))
        })
    }
}

impl Group<2> for SelectedModel {
    const FAMILIES: [&'static Family; 2] = [&c::ROUTER_DECISIONS, &c::ROUTER_CANDIDATE_SKIPS];

    fn children(&self) -> [&dyn Children; 2] {
        let Self {
            context: _,
            model: _,
            decisions,
            skips,
        } = self;
        [decisions, skips]
    }
}

impl Keyed<1> for SelectedModel {
    fn key(&self) -> [&str; 1] {
        [&self.model]
    }
}
