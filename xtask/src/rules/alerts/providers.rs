//! What providers do to the gateway's clients.

use brightstaff_metrics_core::{
    catalogue::{FAILOVER_REQUESTS, TIME_TO_FIRST_TOKEN, UPSTREAM_REQUESTS},
    labels::{ErrorClass, FailoverOutcome, FailoverRoute, StatusClass},
};

use super::{ALL_REFUSED, Alert, CANDIDATES_EXHAUSTED, RATE_LIMITED, REFUSED, SLOW_FIRST_TOKEN};
use crate::promql::{MODEL, PROVIDER, Source, share};

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
            runbook: "Compare the panels 'Time to first token p95' and its dashed line, the first byte. Both late: the provider queues, or the connection is slow: read its status page, and prefer another candidate. Only the token late: the model reasons, or the prompts grew (see 'Tokens per request p50'). One model alone: move it down the route. All providers at once: the gateway itself, or its network.",
        },
        Alert {
            name: RATE_LIMITED,
            expr: limited.above(0.05),
            holds: "10m",
            severity: "warning",
            summary: "A provider refuses calls for their rate",
            description: "{{ $value | humanizePercentage }} of the calls to {{ $labels.provider }} were answered with 429.".to_owned(),
            runbook: "Look at 'Token throughput, by kind': did the load rise, or the length of the requests? Ask the provider for a higher limit, spread the load over another key or provider, or put another candidate into the route. Retrying faster makes it worse.",
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
            runbook: "Nobody has to get up: the provider works, and refuses what it is sent. Open the panel 'Upstream errors, by class', and narrow it to this provider, then to one model after the other. One model: it is gone, or the key has no right to it (404, 403). All of them: a client sends what the API does not take (400, 422), or a key of its own that is not valid; the log of the gateway has the status of each refusal and the id of its request, 'Requests per second, by handler' tells which API. Its share of the calls is in no error budget.",
        },
        Alert {
            name: ALL_REFUSED,
            expr: refused().above(ALL_REFUSED_SHARE).and(&enough),
            holds: "5m",
            severity: "warning",
            summary: "A provider refuses nearly all calls with a 4xx: is the key right?",
            description: "{{ $value | humanizePercentage }} of the calls to {{ $labels.provider }} were answered with a 4xx that is not 429. So many have in common what the operator configured: the key, above all.".to_owned(),
            runbook: "Read one refusal in the log of the gateway. 401, 403: the key is wrong, has expired, or was revoked: look at api_key_env of the provider and at the variable that it names; `brightstaff-exporter serve --check-keys` asks every provider whether it takes its key. 404: the base URL is wrong (it is what the provider's own SDK takes), or the model is gone. 400, 422 of nearly everything: a client was rolled out that speaks another API, and is alone there. The metrics know the class of a status, and not the status.",
        },
        Alert {
            name: CANDIDATES_EXHAUSTED,
            expr: exhausted.above(0.02),
            holds: "10m",
            severity: "warning",
            summary: "Requests with several candidates are failed by all of them",
            description: "{{ $value | humanizePercentage }} of the requests that named several candidates (route {{ $labels.route }}) were accepted by none.".to_owned(),
            runbook: "Open the panel 'Upstream errors, by class': do the candidates fail alike? They may share what is broken: one provider behind all of them, one key, one network; add a candidate that shares none of it. status 4xx that retry_on names: the requests may be at fault, or keys and models of all candidates. One alone fails, and the others are passed over: see brightstaff_router_candidate_skips_total for who is left alone and why, and shorten cool_down or max_retry_after if they are well.",
        },
    ]
}
