//! What keeps conversations with their model, and whether the numbers can be believed.

use brightstaff_metrics_core::{
    catalogue::{LABEL_OVERFLOW, SESSION_CACHE_EVENTS, UPSTREAM_REQUESTS, USAGE_MISSING},
    labels::{OverflowLabel, SessionCacheEvent, StatusClass, UsageMissing},
};

use super::{Alert, OVERFLOW, SESSION_STORE, TARGET_DOWN, USAGE_MISSING_ALERT};
use crate::promql::{Expr, INSTANCE, JOB, PROVIDER, Source, share};

pub(super) fn sessions() -> Vec<Alert> {
    let events = || Source::Recorded.rate(&SESSION_CACHE_EVENTS);
    let failed = events().any_of([SessionCacheEvent::Error, SessionCacheEvent::StoreError]);
    vec![Alert {
        name: SESSION_STORE,
        expr: share(failed.by([]), &events().by([])).above(0.05),
        holds: "5m",
        severity: "warning",
        summary: "The store of sessions fails",
        description: "{{ $value | humanizePercentage }} of what {{ $labels.job }} asked the store of its sessions failed. Requests are answered, but a session may change its model.".to_owned(),
        runbook: "The log of the gateway names the error, once in a while. Is the Redis of [sessions] url up, and reached from the gateway (`redis-cli -u URL ping`)? Do its password and its certificate still hold? brightstaff_session_cache_operation_seconds tells errors that come at once (refused) from those that come after the time-out (a network that drops, or a Redis that is busy). Without it every lookup is as if the session were new: nothing else is lost, and nothing has to be done in a hurry.",
    }]
}

pub(super) fn measurement() -> Vec<Alert> {
    let missing = Source::Recorded
        .rate(&USAGE_MISSING)
        .without(UsageMissing::Interrupted)
        .by([PROVIDER]);
    let successes = Source::Recorded
        .rate(&UPSTREAM_REQUESTS)
        .is(StatusClass::Success)
        .by([PROVIDER]);
    let up = Expr::recorded(
        format!("up{{{JOB}=~\"(.+/)?brightstaff\"}}"),
        &[JOB, INSTANCE],
    );
    vec![
        Alert {
            name: USAGE_MISSING_ALERT,
            expr: share(missing, &successes).above(0.05),
            holds: "30m",
            severity: "warning",
            summary: "Token counts are incomplete",
            description: "{{ $value | humanizePercentage }} of the successful calls to {{ $labels.provider }} ended without their token usage; responses that were interrupted are not in this.".to_owned(),
            runbook: "Open the panel 'Missing usage, label overflow' for the reason. not_reported: streams end without usage, and the log of the gateway says why, once of each provider: include_usage is off, clients wrote stream_options.include_usage = false, or the provider does not tell it. A gateway of your own asks for it by stream_options.include_usage. unparsable: the provider changed its responses, or a proxy rewrites them: keep one and report it. unsupported_encoding: send the provider an Accept-Encoding that is read here.",
        },
        Alert {
            name: OVERFLOW,
            expr: Source::Recorded
                .rate(&LABEL_OVERFLOW)
                .by([OverflowLabel::NAME])
                .above(0),
            holds: "15m",
            severity: "info",
            summary: "Series are folded into \"other\"",
            description: "{{ $labels.job }} folds records for the label {{ $labels.label }} into \"other\": breakdowns by it are not whole.".to_owned(),
            runbook: "upstream: calls fail for pairs of provider and model that the gateway did not declare, or the slots are used up: declare the pairs that are yours, look for a client that invents model names, or raise the caps where the metrics are registered (open_models of the provider, upstream_cap of all). selected_model, handler: raise theirs (selected_model_cap, handler_cap), or name the routes so that no path segment is in a handler's name. Totals stay right in the meantime.",
        },
        Alert {
            name: TARGET_DOWN,
            expr: up.equal(0),
            holds: "5m",
            severity: "critical",
            summary: "Prometheus cannot scrape the gateway",
            description: "{{ $labels.instance }} of {{ $labels.job }} has not answered a scrape for five minutes.".to_owned(),
            runbook: "Prometheus' page Status > Targets names the error. connection refused: the process is down, or listens elsewhere: see METRICS_BIND_ADDRESS, and that it is not bound to loopback while Prometheus runs in a container. timeout: the network, or a scrape that is too large: see brightstaff_metrics_label_overflow_total and the number of series. If the process is gone, its log says why; alerts on what it measures are silent until it is back.",
        },
    ]
}
