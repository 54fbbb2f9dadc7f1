//! Requests, errors and durations, as the gateway's own clients meet them.

use brightstaff_metrics_core::{
    catalogue::{
        HTTP_CANCELLED, HTTP_IN_FLIGHT, HTTP_REQUEST_DURATION, HTTP_REQUESTS, UPSTREAM_IN_FLIGHT,
    },
    labels::{CancelPhase, InterruptReason, StatusClass},
};

use crate::{
    grafana::panel::{
        Panel, Query,
        Threshold::{Act, Look},
        Unit,
    },
    promql::{HANDLER, PROVIDER, Source, interrupted, part, share, unanswered},
    rules::alerts,
};

pub(super) fn panels(from: Source) -> Vec<Panel> {
    let legend = format!("{{{{{HANDLER}}}}}");
    let requests = || from.rate(&HTTP_REQUESTS);
    let failed = || requests().is(StatusClass::ServerError);
    let cancelled = || from.rate(&HTTP_CANCELLED);
    let durations = || from.buckets(&HTTP_REQUEST_DURATION);
    let latency = |q| durations().measured(q, [HANDLER]);
    vec![
        Panel {
            id: 1,
            title: "Requests per second, by handler",
            about: "Inbound requests, each counted once: when its status is known, or when it ends without one. A streamed response counts when its headers are ready, not when its last byte is sent.",
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
            about: "Requests whose response was a 5xx, as a share of all requests; those that failed without any status (the handler panicked, or the service had an error); and those whose response was interrupted after its status (the body failed, had fewer bytes than declared, or its code panicked). 0 where there were requests and none failed; nothing is drawn while there are no requests.",
            reading: "What the gateway's clients see fail. It includes the errors of providers that the gateway passes on, so look at the upstream errors first: if they rise alike, the cause is behind the gateway. `interrupted, error` follows the class `stream` there: a provider's stream that breaks breaks the response. Requests that their clients gave up are not in here.",
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
                Query::new(
                    part(
                        &interrupted(from, [InterruptReason::NAME]),
                        &requests().by([]),
                    ),
                    format!(
                        "all handlers, interrupted, {{{{{}}}}}",
                        InterruptReason::NAME
                    ),
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
            about: "Requests whose client went away before the headers, or before the end of the body, as a share of all requests. A failure or a panic of the gateway is not a cancel.",
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
            about: "From a request's arrival at the middleware to the end of its response body: the last byte, an error, or the client's hang-up. Streaming is included. A quantile below the first bucket (0.5 ms) or beyond the last one (300 s) is not drawn, since it was not measured; where the median is not, the mean is, dashed.",
            reading: "For streamed responses this is how long people read along, and grows with the length of the responses; judge speed by the time to first token and per output token. For everything else it is the latency.",
            width: 12,
            unit: Unit::Seconds,
            queries: vec![
                Query::new(latency(0.5), format!("{legend} p50")).low(),
                Query::new(latency(0.95), format!("{legend} p95")).exemplars(),
                Query::new(latency(0.99), format!("{legend} p99")).high(),
                Query::mean_unless(durations(), 0.5, [HANDLER], format!("{legend} mean")),
            ],
            thresholds: &[],
            stacked: false,
            idle: "No request ended",
            see: &[6, 8],
            runbook: None,
        },
        Panel {
            id: 5,
            title: "Requests in flight, by handler",
            about: "Requests between their arrival at the middleware and the end of their response body, open streams included, at the instant of the scrape. Dashed: calls to each provider between their start and their end. A provider that nobody named is in `other` until one of its models has answered.",
            reading: "Falls back to 0 when the load does. If it climbs while the requests per second stand still, responses got slower or never end; the provider whose dashed line climbs with it is the slow one, long before its calls end and their durations show it. Requests without calls are the gateway's own work, and more calls than requests are retries, or calls that outlive their requests. It never leaks: whatever ends a request ends this, too.",
            width: 12,
            unit: Unit::Number,
            queries: vec![
                Query::new(from.gauge(&HTTP_IN_FLIGHT).by([HANDLER]), &legend),
                Query::new(
                    from.gauge(&UPSTREAM_IN_FLIGHT).by([PROVIDER]),
                    format!("calls to {{{{{PROVIDER}}}}}"),
                )
                .dashed(),
            ],
            thresholds: &[],
            stacked: false,
            idle: "No request was ever seen",
            see: &[1, 4, 6],
            runbook: None,
        },
    ]
}
