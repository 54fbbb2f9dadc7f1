//! Requests, errors and durations, as the gateway's own clients meet them.

use brightstaff_metrics_core::{
    catalogue::{HTTP_CANCELLED, HTTP_IN_FLIGHT, HTTP_REQUEST_DURATION, HTTP_REQUESTS},
    labels::{CancelPhase, StatusClass},
};

use crate::{
    grafana::panel::{
        Panel, Query,
        Threshold::{Act, Look},
        Unit,
    },
    promql::{HANDLER, Source, share, unanswered},
    rules::alerts,
};

pub(super) fn panels(from: Source) -> Vec<Panel> {
    let legend = format!("{{{{{HANDLER}}}}}");
    let requests = || from.rate(&HTTP_REQUESTS);
    let failed = || requests().is(StatusClass::ServerError);
    let cancelled = || from.rate(&HTTP_CANCELLED);
    let latency = |q| from.buckets(&HTTP_REQUEST_DURATION).quantile(q, [HANDLER]);
    vec![
        Panel {
            id: 1,
            title: "Requests per second, by handler",
            about: "Inbound requests, each counted once: when its status is known, or when it ends without one. A streamed answer counts when its headers are ready, not when its last byte is sent.",
            reading: "The load, and its mix. A handler that falls while the others stand is a client that went away or a route that broke; one that nobody knows, `not_found` above all, is a client with the wrong URL.",
            width: 8,
            unit: Unit::RequestsPerSecond,
            queries: vec![Query::new(requests().by([HANDLER]), &legend)],
            thresholds: &[],
            stacked: false,
            idle: "No request was ever seen",
            see: &[2, 4],
            runbook: None,
        },
        Panel {
            id: 2,
            title: "5xx share",
            about: "Requests answered with a 5xx, as a share of all requests; and those that failed without any status: the handler panicked, or the service had an error. 0 where there were requests and none failed; nothing is drawn while there are no requests.",
            reading: "What the gateway's clients see fail. It includes the errors of providers that the gateway passes on, so look at the upstream errors first: if they rise alike, the cause is behind the gateway. Requests that their clients gave up are not in here.",
            width: 8,
            unit: Unit::Share,
            queries: vec![
                Query::new(
                    share(failed().by([HANDLER]), &requests().by([HANDLER])),
                    &legend,
                ),
                Query::new(share(failed().by([]), &requests().by([])), "all handlers").dashed(),
                Query::new(
                    share(unanswered(from, []), &requests().by([])),
                    "all handlers, failed without a status",
                )
                .dashed(),
            ],
            thresholds: &[Look(0.01), Act(0.05)],
            stacked: false,
            idle: "No requests",
            see: &[7],
            runbook: Some(alerts::HTTP_FAST_BURN),
        },
        Panel {
            id: 3,
            title: "Cancelled share",
            about: "Requests whose client went away before the headers, or before the end of the body, as a share of all requests. A failure or a panic of the gateway is no cancel.",
            reading: "Some is normal: people close tabs. A rise of `before the headers` is impatience, so compare it with the durations and the time to first token; a rise of `in the body` with steady latency is a client with too short a time-out.",
            width: 8,
            unit: Unit::Share,
            queries: vec![
                Query::new(
                    share(cancelled().by([HANDLER]), &requests().by([HANDLER])),
                    &legend,
                ),
                Query::new(
                    share(
                        cancelled().is(CancelPhase::Headers).by([]),
                        &requests().by([]),
                    ),
                    "all handlers, before the headers",
                )
                .dashed(),
                Query::new(
                    share(cancelled().is(CancelPhase::Body).by([]), &requests().by([])),
                    "all handlers, in the body",
                )
                .dashed(),
            ],
            thresholds: &[Look(0.1)],
            stacked: false,
            idle: "No requests",
            see: &[4, 8],
            runbook: None,
        },
        Panel {
            id: 4,
            title: "Duration p50, p95, p99, by handler",
            about: "From a request's arrival at the middleware to the end of its response body: the last byte, an error, or the client's hang-up. Streaming is included. What is beyond the last bucket reads as its bound (300 s).",
            reading: "For streamed answers this is how long people read along, and grows with the length of the answers; judge speed by the time to first token and per output token. For everything else it is the latency.",
            width: 16,
            unit: Unit::Seconds,
            queries: vec![
                Query::new(latency(0.5), format!("{legend} p50")),
                Query::new(latency(0.95), format!("{legend} p95")),
                Query::new(latency(0.99), format!("{legend} p99")),
            ],
            thresholds: &[],
            stacked: false,
            idle: "No request ended",
            see: &[6, 8],
            runbook: None,
        },
        Panel {
            id: 5,
            title: "In flight, by handler",
            about: "Requests between their arrival at the middleware and the end of their response body, open streams included, at the instant of the scrape.",
            reading: "Falls back to 0 when the load does. If it climbs while the requests per second stand still, answers got slower or never end. It never leaks: whatever ends a request ends this, too.",
            width: 8,
            unit: Unit::Number,
            queries: vec![Query::new(
                from.gauge(&HTTP_IN_FLIGHT).by([HANDLER]),
                &legend,
            )],
            thresholds: &[],
            stacked: false,
            idle: "No request was ever seen",
            see: &[1, 4],
            runbook: None,
        },
    ]
}
