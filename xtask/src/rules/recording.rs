//! What is recorded: every family without its instances, and the shares that alerts burn on.

use brightstaff_metrics_core::{
    catalogue::{self, BUILD_INFO, Family, HTTP_REQUESTS, Kind, UPSTREAM_REQUESTS},
    labels::{ErrorClass, StatusClass},
};

use super::{Group, Rule};
use crate::{
    promql::{
        COVERED, Expr, JOB, PROBES, PROVIDER, Source, interrupted, ratio, recorded, unanswered,
    },
    unplotted::UNPLOTTED,
};

/// The windows of the burn rates, shortest first.
pub(crate) const WINDOWS: [&str; 4] = ["5m", "30m", "1h", "6h"];

/// Every group of recording rules.
pub(crate) fn groups() -> Vec<Group> {
    let families = catalogue::ALL
        .iter()
        .copied()
        .filter(|family| wanted(family));
    vec![
        Group {
            name: "brightstaff_without_instances",
            about: "Every family over all replicas: rates over five minutes, and the sums of gauges. As many series\nfor a hundred replicas as for one.",
            interval: None,
            rules: families.flat_map(family_rules).chain([covered()]).collect(),
        },
        Group {
            name: "brightstaff_error_shares",
            about: "The shares of requests and of calls that failed, over the windows of the burn-rate alerts. Absent\nwhere there were none to fail.",
            interval: Some("30s"),
            rules: WINDOWS
                .into_iter()
                .flat_map(|window| [http_errors(window), upstream_errors(window)])
                .map(|(name, expr)| Rule::Record { name, expr })
                .collect(),
        },
    ]
}

/// The process' limits and the like are of no use when they are added up.
fn wanted(family: &Family) -> bool {
    let unplotted = UNPLOTTED.iter().any(|(known, _)| known.name == family.name);
    !(unplotted && family.name.starts_with("process_"))
}

fn family_rules(family: &'static Family) -> Vec<Rule> {
    let from = Source::Window("5m");
    let selected = match family.kind {
        Kind::Counter => vec![("", false, from.rate(family))],
        Kind::Gauge => vec![("", true, from.gauge(family))],
        Kind::Histogram(_) => vec![
            ("_bucket", false, from.buckets(family)),
            ("_count", false, from.count(family)),
            ("_sum", false, from.sum(family)),
        ],
        _ => unreachable!("every kind is told"),
    };
    let rules = selected
        .into_iter()
        .map(|(suffix, gauge, selected)| Rule::Record {
            name: recorded(family.into(), suffix, gauge),
            expr: selected.by_all(),
        });
    rules.collect()
}

/// The rates of a window: those of five minutes are recorded as they are.
fn since(window: &'static str) -> Source {
    match window {
        "5m" => Source::Recorded,
        longer => Source::Since(longer),
    }
}

fn http_errors(window: &'static str) -> (String, Expr) {
    (http_errors_name(window), http_error_share(since(window)))
}

fn upstream_errors(window: &'static str) -> (String, Expr) {
    (
        upstream_errors_name(window),
        upstream_error_share(since(window)),
    )
}

/// Requests that got a 5xx, no response, or one that broke off; of those that are no probes.
pub(crate) fn http_error_share(from: Source) -> Expr {
    let requests = || from.rate(&HTTP_REQUESTS).none_of(PROBES);
    let all = requests().by([]);
    let failed = requests().is(StatusClass::ServerError).by([]);
    let failed = failed
        .plus(unanswered(from, []), &all)
        .plus(interrupted(from, []), &all);
    ratio(&failed, &all)
}

/// Calls that the provider, or the way to it, failed. A 4xx is not in it, neither as a failure nor as a call that
/// could have failed: a 429 has an alert of its own, as have the others, which are mostly the client's doing.
/// What has no status and no better class is a connection that broke; with a status it is our own panic.
pub(crate) fn upstream_error_share(from: Source) -> Expr {
    let calls = || {
        from.rate(&UPSTREAM_REQUESTS)
            .without(StatusClass::ClientError)
    };
    let all = calls().without(ErrorClass::Cancelled).by([PROVIDER]);
    let ours = [
        ErrorClass::None,
        ErrorClass::Cancelled,
        ErrorClass::RateLimit,
        ErrorClass::Other,
    ];
    let broken = from
        .rate(&UPSTREAM_REQUESTS)
        .is(StatusClass::Error)
        .is(ErrorClass::Other)
        .by([PROVIDER]);
    let failed = calls().none_of(ours).by([PROVIDER]).plus(broken, &all);
    ratio(&failed, &all)
}

/// For which share of the last five minutes a job has been scraped. `rate` over five minutes tells of a job that is
/// younger less than happened; divided by this it is right.
fn covered() -> Rule {
    let build = BUILD_INFO.name;
    let first = format!("min_over_time((min by ({JOB}) (timestamp({build})))[5m:1s])");
    Rule::Record {
        name: COVERED.to_owned(),
        expr: Expr::recorded(format!("clamp_max((time() - {first}) / 300, 1)"), &[JOB]),
    }
}

/// What the share of failed requests over a window is called.
pub(super) fn http_errors_name(window: &str) -> String {
    format!("job:brightstaff_http_errors:ratio_rate{window}")
}

/// What the share of failed calls over a window is called.
pub(super) fn upstream_errors_name(window: &str) -> String {
    format!("job_provider:brightstaff_llm_upstream_errors:ratio_rate{window}")
}
