//! The alerts, each with what it means and what to do about it.

use brightstaff_metrics_core::{
    catalogue::{
        FAILOVER_REQUESTS, HTTP_REQUESTS, LABEL_OVERFLOW, SESSION_CACHE_EVENTS,
        TIME_TO_FIRST_TOKEN, UPSTREAM_REQUESTS, USAGE_MISSING,
    },
    labels::{
        ErrorClass, FailoverOutcome, FailoverRoute, OverflowLabel, SessionCacheEvent, StatusClass,
        UsageMissing,
    },
};

use super::{
    Group, Rule,
    recording::{http_errors_name, upstream_errors_name},
};
use crate::{
    links,
    promql::{Expr, INSTANCE, JOB, MODEL, PROBES, PROVIDER, Source, share},
};

pub(crate) const HTTP_FAST_BURN: &str = "BrightstaffHttpErrorBudgetFastBurn";
pub(crate) const HTTP_SLOW_BURN: &str = "BrightstaffHttpErrorBudgetSlowBurn";
pub(crate) const UPSTREAM_FAST_BURN: &str = "BrightstaffUpstreamErrorBudgetFastBurn";
pub(crate) const UPSTREAM_SLOW_BURN: &str = "BrightstaffUpstreamErrorBudgetSlowBurn";
pub(crate) const SLOW_FIRST_TOKEN: &str = "BrightstaffSlowFirstToken";
pub(crate) const RATE_LIMITED: &str = "BrightstaffRateLimited";
pub(crate) const REFUSED: &str = "BrightstaffCallsRefused";
pub(crate) const ALL_REFUSED: &str = "BrightstaffProviderRefusesAll";
pub(crate) const SESSION_STORE: &str = "BrightstaffSessionStoreFailing";
pub(crate) const CANDIDATES_EXHAUSTED: &str = "BrightstaffCandidatesExhausted";
pub(crate) const USAGE_MISSING_ALERT: &str = "BrightstaffUsageMissing";
pub(crate) const OVERFLOW: &str = "BrightstaffLabelOverflow";
pub(crate) const TARGET_DOWN: &str = "BrightstaffTargetDown";

/// From where on the time to the first token is too long.
pub(crate) const SLOW_FIRST_TOKEN_SECONDS: f64 = 5.0;

/// The share of requests that may fail: 99.5 % of requests shall get a whole response that is not a 5xx.
pub(crate) const HTTP_BUDGET: f64 = 0.005;
/// The share of calls that may fail: 99 % of calls shall end well.
pub(crate) const UPSTREAM_BUDGET: f64 = 0.01;
/// How few requests a share says nothing about.
const ENOUGH: u32 = 30;
/// The share of a provider's calls that it refuses (4xx, but for 429) from where on somebody should look.
pub(crate) const REFUSED_SHARE: f64 = 0.1;
/// The share from where on it is no client, but what all calls have in common.
const ALL_REFUSED_SHARE: f64 = 0.9;
/// How few calls in five minutes a share of refusals says nothing about.
const ENOUGH_CALLS: u32 = 10;

/// One alert.
#[derive(Debug)]
pub(crate) struct Alert {
    pub(crate) name: &'static str,
    pub(crate) expr: Expr,
    pub(crate) holds: &'static str,
    pub(crate) severity: &'static str,
    pub(crate) summary: &'static str,
    pub(crate) description: String,
    /// What to do, step by step.
    pub(crate) runbook: &'static str,
}

impl Alert {
    /// Its annotations, in order.
    pub(super) fn annotations(&self) -> [(&'static str, String); 4] {
        [
            ("summary", self.summary.to_owned()),
            ("description", self.description.clone()),
            ("runbook", self.runbook.to_owned()),
            ("runbook_url", links::monitoring(&links::anchor(self.name))),
        ]
    }
}

/// Every group of alerts.
pub(crate) fn groups() -> Vec<Group> {
    let group = |name, about, alerts: Vec<Alert>| Group {
        name,
        about,
        interval: None,
        rules: alerts.into_iter().map(Rule::Alert).collect(),
    };
    vec![
        group(
            "brightstaff_error_budgets",
            "Each burns on two windows at once: the long one says that it matters, the short one that it is\nstill going on. A share of fewer than 30 requests says nothing, and wakes nobody.",
            budgets(),
        ),
        group(
            "brightstaff_providers",
            "What providers do to the gateway's clients.",
            providers(),
        ),
        group(
            "brightstaff_sessions",
            "What keeps conversations with their model.",
            sessions(),
        ),
        group(
            "brightstaff_measurement",
            "Whether the numbers can be believed.",
            measurement(),
        ),
    ]
}

/// Every alert.
pub(crate) fn all() -> Vec<Alert> {
    [budgets(), providers(), sessions(), measurement()]
        .into_iter()
        .flatten()
        .collect()
}

/// How fast a budget burns, and over which windows that is looked at.
struct Burn {
    factor: f64,
    long: &'static str,
    hours: u32,
    short: &'static str,
    holds: &'static str,
    severity: &'static str,
}

/// 2 % of a month's budget within an hour.
const FAST: Burn = Burn {
    factor: 14.4,
    long: "1h",
    hours: 1,
    short: "5m",
    holds: "2m",
    severity: "critical",
};

/// 5 % of a month's budget within six hours.
const SLOW: Burn = Burn {
    factor: 6.0,
    long: "6h",
    hours: 6,
    short: "30m",
    holds: "15m",
    severity: "warning",
};

impl Burn {
    fn expr(
        &self,
        name: fn(&str) -> String,
        labels: &[&'static str],
        budget: f64,
        all: Expr,
    ) -> Expr {
        let bound = (self.factor * budget * 10_000.0).round() / 10_000.0;
        let above = |window| Expr::recorded(name(window), labels).above(bound);
        let enough = all.times(self.hours * 3600).at_least(ENOUGH);
        above(self.long).and(&above(self.short)).and(&enough)
    }

    fn http(&self) -> Expr {
        let requests = Source::Window(self.long).rate(&HTTP_REQUESTS);
        let all = requests.none_of(PROBES).by([]);
        self.expr(http_errors_name, &[JOB], HTTP_BUDGET, all)
    }

    fn upstream(&self) -> Expr {
        let calls = Source::Window(self.long).rate(&UPSTREAM_REQUESTS);
        let all = calls
            .without(StatusClass::ClientError)
            .without(ErrorClass::Cancelled)
            .by([PROVIDER]);
        self.expr(upstream_errors_name, &[JOB, PROVIDER], UPSTREAM_BUDGET, all)
    }
}

fn budgets() -> Vec<Alert> {
    let http = |name, burn: &Burn, summary| Alert {
        name,
        expr: burn.http(),
        holds: burn.holds,
        severity: burn.severity,
        summary,
        description: format!(
            "{{{{ $value | humanizePercentage }}}} of the requests to {{{{ $labels.job }}}} got a 5xx, no response, or one that broke off, over the last {}; the objective allows {}.",
            burn.long, "0.5%"
        ),
        runbook: "Open the panel '5xx share': which handler? 'failed without a status' is a handler that panics, or an error of which its framework made no response: the log has it. 'interrupted, error' is a response that broke off after its status, mostly because its provider's stream did; 'interrupted, panic' is code of the gateway that panicked while it made the body. If 'Upstream errors, by class' rises alike, the cause is the provider: go on with the runbook of the upstream budget. Otherwise it is the gateway: look at its log, at what was rolled out last (brightstaff_build_info), and at its memory. Roll back first, search afterwards.",
    };
    let upstream = |name, burn: &Burn, summary| Alert {
        name,
        expr: burn.upstream(),
        holds: burn.holds,
        severity: burn.severity,
        summary,
        description: format!(
            "{{{{ $value | humanizePercentage }}}} of the calls to {{{{ $labels.provider }}}} failed over the last {}; the objective allows {}. Calls that our own side gave up are not in this, nor are 4xx.",
            burn.long, "1%"
        ),
        runbook: "Open the panel 'Upstream errors, by class' for this provider; the provider 'other' stands for those that the gateway does not declare and that never had a success, whose names its log has. status: 5xx (a 4xx does not burn this budget): read the provider's status page; a 3xx is a base URL that has moved. timeout, connect: resolve and reach the host from the gateway. stream: the provider cuts its responses off, or a proxy between does after a fixed time. parse: what answers there is no such API. The class other is a connection that broke before there was a response: a proxy or a firewall on the way. Meanwhile, put another candidate first in the routes that name this provider.",
    };
    vec![
        http(
            HTTP_FAST_BURN,
            &FAST,
            "The gateway's failures eat the month's error budget in two days",
        ),
        http(
            HTTP_SLOW_BURN,
            &SLOW,
            "The gateway's failures eat the month's error budget in five days",
        ),
        upstream(
            UPSTREAM_FAST_BURN,
            &FAST,
            "Failed calls to a provider eat the month's error budget in two days",
        ),
        upstream(
            UPSTREAM_SLOW_BURN,
            &SLOW,
            "Failed calls to a provider eat the month's error budget in five days",
        ),
    ]
}

fn providers() -> Vec<Alert> {
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

fn sessions() -> Vec<Alert> {
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

fn measurement() -> Vec<Alert> {
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
