//! The numbers at the top.

use brightstaff_metrics_core::{
    catalogue::{HTTP_IN_FLIGHT, HTTP_REQUESTS, TIME_TO_FIRST_TOKEN, TOKENS, UPSTREAM_REQUESTS},
    labels::{ErrorClass, StatusClass, TokenKind},
};
use serde_json::{Value, json};

use super::{Ask, ask, down, target};
use crate::{
    grafana::{panel::Unit, variables},
    promql::{Expr, JOB, PROBES, PROVIDER, Source, interrupted, ratio, share, unanswered},
    rules::alerts,
};

/// The row of numbers at the top.
pub(super) fn all(now: Source, range: Source) -> Vec<Value> {
    let requests = || now.rate(&HTTP_REQUESTS).none_of(PROBES).by([]);
    let token = |kind| now.rate(&TOKENS).is(kind).by([]);
    let first = |q| now.buckets(&TIME_TO_FIRST_TOKEN).measured(q, []);
    let calls = || {
        range
            .rate(&UPSTREAM_REQUESTS)
            .without(StatusClass::ClientError)
    };
    let all = calls().without(ErrorClass::Cancelled).by([PROVIDER]);
    let ours = [
        ErrorClass::None,
        ErrorClass::Cancelled,
        ErrorClass::RateLimit,
        ErrorClass::Other,
    ];
    let upstream = share(calls().none_of(ours).by([PROVIDER]), &all)
        .left_of(alerts::UPSTREAM_BUDGET)
        .min();
    let http = http_errors(range).left_of(alerts::HTTP_BUDGET);
    let firing = Expr::recorded(
        format!(
            "count(ALERTS{{alertname=~\"Brightstaff.*\",alertstate=\"firing\",{JOB}=~\"$job\"}}) or vector(0)"
        ),
        &[],
    );
    let good = json!([{ "color": "red", "value": null }, { "color": "orange", "value": 0.95 }, { "color": "green", "value": 0.99 }]);
    let left = json!([{ "color": "red", "value": null }, { "color": "orange", "value": 0.1 }, { "color": "green", "value": 0.5 }]);
    let slow = json!([{ "color": "green", "value": null }, { "color": "orange", "value": alerts::SLOW_FIRST_TOKEN_SECONDS }]);
    let some = json!([{ "color": "green", "value": null }, { "color": "red", "value": 1 }]);
    let none = json!([{ "color": "blue", "value": null }]);
    vec![
        stat(
            1,
            "Requests per second",
            "Inbound requests, probes left out.",
            1,
            Unit::RequestsPerSecond,
            (0, 3),
            none.clone(),
            vec![ask(requests(), "requests")],
        ),
        stat(
            2,
            "Success share",
            "Requests that got a whole response that is not a 5xx, as a share of all, probes left out. A client's own 4xx is no failure of the gateway.",
            2,
            Unit::Share,
            (3, 3),
            good,
            vec![ask(http_errors(now).complement(), "success")],
        ),
        stat(
            3,
            "Time to first token",
            "Over all streamed responses. Nothing where it falls into the first or the last bucket, since then it was not measured.",
            8,
            Unit::Seconds,
            (6, 4),
            slow,
            vec![ask(first(0.5), "p50"), ask(first(0.95), "p95")],
        ),
        stat(
            4,
            "Tokens per second",
            "As the providers report them, when a call ends.",
            9,
            Unit::TokensPerSecond,
            (10, 4),
            none.clone(),
            vec![
                ask(token(TokenKind::Prompt), "in"),
                ask(token(TokenKind::Completion), "out"),
            ],
        ),
        stat(
            5,
            "In flight",
            "Requests between their arrival and the end of their response body, at the last scrape.",
            5,
            Unit::Number,
            (14, 3),
            none,
            vec![ask(now.gauge(&HTTP_IN_FLIGHT).by([]), "requests")],
        ),
        stat(
            6,
            "Error budget left",
            "Of what the objectives allow to fail in the time shown: of requests, and of the calls to the provider that is worst off. Below 0 more failed than is allowed.",
            2,
            Unit::Share,
            (17, 4),
            left,
            vec![ask(http, "requests"), ask(upstream, "calls")],
        ),
        stat(
            7,
            "Alerts firing",
            "Needs the shipped rules.",
            7,
            Unit::Number,
            (21, 3),
            some,
            vec![ask(firing, "alerts")],
        ),
    ]
}

/// Requests that failed, as a share of all.
fn http_errors(from: Source) -> Expr {
    let requests = || from.rate(&HTTP_REQUESTS).none_of(PROBES);
    let all = requests().by([]);
    let failed = requests().is(StatusClass::ServerError).by([]);
    let failed = failed
        .plus(unanswered(from, []), &all)
        .plus(interrupted(from, []), &all);
    ratio(&failed, &all)
}

#[expect(clippy::too_many_arguments)]
fn stat(
    id: u32,
    title: &str,
    about: &str,
    see: u32,
    unit: Unit,
    (x, w): (u32, u32),
    steps: Value,
    asks: Vec<Ask>,
) -> Value {
    let targets = asks
        .into_iter()
        .zip('A'..)
        .map(|(ask, id)| target(ask, id, "time_series"));
    json!({
        "id": id, "type": "stat", "title": title, "description": about,
        "datasource": variables::datasource(),
        "gridPos": { "h": 4, "w": w, "x": x, "y": 0 },
        "links": [down("The panel", Some(see))],
        "targets": targets.collect::<Vec<_>>(),
        "fieldConfig": {
            "defaults": {
                "color": { "mode": "thresholds" }, "unit": unit.id(), "mappings": [], "noValue": "–",
                "thresholds": { "mode": "absolute", "steps": steps },
            },
            "overrides": [],
        },
        "options": {
            "colorMode": "value", "graphMode": "area", "justifyMode": "auto", "orientation": "vertical",
            "percentChangeColorMode": "standard", "showPercentChange": false, "textMode": "auto", "wideLayout": true,
            "reduceOptions": { "calcs": ["lastNotNull"], "fields": "", "values": false },
        },
    })
}
