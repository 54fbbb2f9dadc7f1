//! What keeps conversations with their model, and whether the numbers can be believed.

use brightstaff_metrics_core::{
    catalogue::{LABEL_OVERFLOW, SESSION_CACHE_EVENTS, UPSTREAM_REQUESTS, USAGE_MISSING},
    labels::{OverflowLabel, SessionCacheEvent, StatusClass, UsageMissing},
};

use super::{Alert, OVERFLOW, SESSION_STORE, TARGET_DOWN, USAGE_MISSING_ALERT};
use crate::{
    promql::{Expr, INSTANCE, JOB, PROVIDER, Source, share},
    rules::runbooks,
};

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
        runbook: &runbooks::SESSION_STORE,
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
            runbook: &runbooks::USAGE_MISSING,
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
            runbook: &runbooks::OVERFLOW,
        },
        Alert {
            name: TARGET_DOWN,
            expr: up.equal(0),
            holds: "5m",
            severity: "critical",
            summary: "Prometheus cannot scrape the gateway",
            description: "{{ $labels.instance }} of {{ $labels.job }} has not answered a scrape for five minutes.".to_owned(),
            runbook: &runbooks::TARGET_DOWN,
        },
    ]
}
