//! What providers do to the gateway's clients.

use brightstaff_metrics_core::{
    catalogue::{FAILOVER_REQUESTS, TIME_TO_FIRST_TOKEN, UPSTREAM_REQUESTS},
    labels::{ErrorClass, FailoverOutcome, FailoverRoute, StatusClass},
};

use super::{ALL_REFUSED, Alert, CANDIDATES_EXHAUSTED, RATE_LIMITED, REFUSED, SLOW_FIRST_TOKEN};
use crate::{
    promql::{MODEL, PROVIDER, Source, share},
    rules::runbooks,
};

/// From where on the time to the first token is too long.
pub(crate) const SLOW_FIRST_TOKEN_SECONDS: f64 = 5.0;
/// The share of a provider's calls that it refuses (4xx, but for 429) from where on somebody should look.
const REFUSED_SHARE: f64 = 0.1;
/// The share from where on it is no client, but what all calls have in common.
const ALL_REFUSED_SHARE: f64 = 0.9;
/// How few calls in five minutes a share of refusals says nothing about.
const ENOUGH_CALLS: u32 = 10;

pub(super) fn alerts() -> Vec<Alert> {
    let calls = || Source::Recorded.rate(&UPSTREAM_REQUESTS);
    let limited = share(
        calls().is(ErrorClass::RateLimit).by([PROVIDER]),
        &calls().by([PROVIDER]),
    );
    let refused = || {
        share(
            calls()
                .is(StatusClass::ClientError)
                .is(ErrorClass::Status)
                .by([PROVIDER]),
            &calls().by([PROVIDER]),
        )
    };
    let enough = calls().by([PROVIDER]).times(300).at_least(ENOUGH_CALLS);
    let searches = || Source::Recorded.rate(&FAILOVER_REQUESTS);
    let exhausted = share(
        searches()
            .is(FailoverOutcome::Exhausted)
            .by([FailoverRoute::NAME]),
        &searches().by([FailoverRoute::NAME]),
    );
    let first_token = Source::Recorded.buckets(&TIME_TO_FIRST_TOKEN);
    vec![
        Alert {
            name: SLOW_FIRST_TOKEN,
            expr: first_token
                .quantile(0.95, [PROVIDER, MODEL])
                .above(SLOW_FIRST_TOKEN_SECONDS),
            holds: "10m",
            severity: "warning",
            summary: "The first token of streamed responses comes late",
            description: "For {{ $labels.provider }} {{ $labels.model }}, one streamed response in twenty shows its first token only after {{ $value | humanizeDuration }} or more.".to_owned(),
            runbook: &runbooks::SLOW_FIRST_TOKEN,
        },
        Alert {
            name: RATE_LIMITED,
            expr: limited.above(0.05),
            holds: "10m",
            severity: "warning",
            summary: "A provider refuses calls for their rate",
            description: "{{ $value | humanizePercentage }} of the calls to {{ $labels.provider }} were answered with 429.".to_owned(),
            runbook: &runbooks::RATE_LIMITED,
        },
        Alert {
            name: REFUSED,
            expr: refused()
                .above(REFUSED_SHARE)
                .at_most(ALL_REFUSED_SHARE)
                .and(&enough),
            holds: "10m",
            severity: "warning",
            summary: "A provider refuses a part of the calls with a 4xx",
            description: "{{ $value | humanizePercentage }} of the calls to {{ $labels.provider }} were answered with a 4xx that is not 429: mostly requests that a client made wrong.".to_owned(),
            runbook: &runbooks::REFUSED,
        },
        Alert {
            name: ALL_REFUSED,
            expr: refused().above(ALL_REFUSED_SHARE).and(&enough),
            holds: "5m",
            severity: "warning",
            summary: "A provider refuses nearly all calls with a 4xx: is the key right?",
            description: "{{ $value | humanizePercentage }} of the calls to {{ $labels.provider }} were answered with a 4xx that is not 429. So many have in common what the operator configured: the key, above all.".to_owned(),
            runbook: &runbooks::ALL_REFUSED,
        },
        Alert {
            name: CANDIDATES_EXHAUSTED,
            expr: exhausted.above(0.02),
            holds: "10m",
            severity: "warning",
            summary: "Requests with several candidates are failed by all of them",
            description: "{{ $value | humanizePercentage }} of the requests that named several candidates (route {{ $labels.route }}) were accepted by none.".to_owned(),
            runbook: &runbooks::CANDIDATES_EXHAUSTED,
        },
    ]
}
