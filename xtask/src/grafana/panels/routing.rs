//! Which model was chosen, how fast, and how often not the first.

use brightstaff_metrics_core::{
    catalogue::{
        ROUTER_DECISION_DURATION, ROUTER_DECISIONS, ROUTING_SERVICE_REQUESTS, SESSION_CACHE_EVENTS,
    },
    labels::{Fallback, RouteKind, RoutingOutcome, SessionCacheEvent as Event},
};

use crate::{
    grafana::panel::{Panel, Query, Threshold::Look, Unit},
    promql::{SELECTED_MODEL, Source, part, share},
};

pub(super) fn panels(from: Source) -> Vec<Panel> {
    let route = format!("{{{{{}}}}}", RouteKind::NAME);
    let outcome = format!("{{{{{}}}}}", RoutingOutcome::NAME);
    let decisions = || from.rate(&ROUTER_DECISIONS);
    let cache = || from.rate(&SESSION_CACHE_EVENTS);
    let durations = || from.buckets(&ROUTER_DECISION_DURATION);
    let fallbacks = || decisions().is(Fallback::Yes);
    vec![
        Panel {
            id: 13,
            title: "Fallback rate",
            about: "Decisions whose accepted candidate was not the first, as a share of all decisions. A request counts once, when a candidate is accepted; where every candidate failed there is no decision.",
            reading: "How often the first choice failed and somebody else saved the request. It rises with the first choice's errors; clients notice nothing yet but the time.",
            width: 8,
            unit: Unit::Share,
            queries: vec![
                Query::new(
                    share(
                        fallbacks().by([RouteKind::NAME]),
                        &decisions().by([RouteKind::NAME]),
                    ),
                    &route,
                ),
                Query::new(share(fallbacks().by([]), &decisions().by([])), "all routes").dashed(),
            ],
            thresholds: &[Look(0.05)],
            stacked: false,
            idle: "No decisions",
            see: &[7, 14],
            runbook: None,
        },
        Panel {
            id: 14,
            title: "Model selection",
            about: "How the routing decisions fall on the models: each model's share of all decisions, counted when a candidate is accepted.",
            reading: "The bands fill the panel up to 100 %. A band that eats its neighbour is a policy change, or a first choice that is failing: the fallback rate tells which.",
            width: 8,
            unit: Unit::Share,
            queries: vec![Query::new(
                part(&decisions().by([SELECTED_MODEL]), &decisions().by([])),
                format!("{{{{{SELECTED_MODEL}}}}}"),
            )],
            thresholds: &[],
            stacked: true,
            idle: "No decisions",
            see: &[13],
            runbook: None,
        },
        Panel {
            id: 15,
            title: "Router decision p95",
            about: "The time of the decision logic alone; failed attempts at candidates are excluded. Dashed: the mean. A p95 below the first bucket (5 µs) or beyond the last one (5 s) is not drawn, since it was not measured.",
            reading: "It is paid by every routed request, before its call starts. Microseconds are a table that was looked up, and milliseconds are fine; tenths of a second are a router that asks somebody else.",
            width: 8,
            unit: Unit::Seconds,
            queries: vec![
                Query::new(
                    durations().measured(0.95, [RouteKind::NAME]),
                    format!("{route} p95"),
                ),
                Query::new(durations().mean([RouteKind::NAME]), format!("{route} mean")).dashed(),
            ],
            thresholds: &[Look(0.1)],
            stacked: false,
            idle: "No decisions",
            see: &[4],
            runbook: None,
        },
        Panel {
            id: 16,
            title: "Session-cache hit rate",
            about: "Lookups that found their session, as a share of all lookups, failed ones included. Dashed, on the right: lookups and stores that the cache's backend failed.",
            reading: "Low with many new sessions is natural. A fall with a steady load is a cache that is too small, or a TTL that is too short; errors are its backend.",
            width: 12,
            unit: Unit::Share,
            queries: vec![
                Query::new(
                    share(
                        cache().is(Event::Hit).by([]),
                        &cache()
                            .any_of([Event::Hit, Event::Miss, Event::Error])
                            .by([]),
                    ),
                    "hit rate",
                ),
                Query::new(
                    cache()
                        .any_of([Event::Error, Event::StoreError])
                        .by([Event::NAME]),
                    format!("{{{{{}}}}}", Event::NAME),
                )
                .right(Unit::PerSecond, "backend errors"),
            ],
            thresholds: &[],
            stacked: false,
            idle: "No lookups",
            see: &[15],
            runbook: None,
        },
        Panel {
            id: 17,
            title: "/routing outcomes",
            about: "Requests that asked for a routing decision itself, by what was answered: a model, that nothing matched, or that the policy or the request was bad.",
            reading: "`no_candidates` is a request that the policy forgot; `policy_error` a broken policy or a broken client.",
            width: 12,
            unit: Unit::RequestsPerSecond,
            queries: vec![Query::new(
                from.rate(&ROUTING_SERVICE_REQUESTS)
                    .by([RoutingOutcome::NAME]),
                &outcome,
            )],
            thresholds: &[],
            stacked: false,
            idle: "No gateway is scraped",
            see: &[14],
            runbook: None,
        },
    ]
}
