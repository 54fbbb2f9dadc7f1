//! The numbers at the top.

use brightstaff_metrics_core::{
    catalogue::{HTTP_IN_FLIGHT, HTTP_REQUESTS, TIME_TO_FIRST_TOKEN, TOKENS},
    labels::TokenKind,
};
use serde_json::{Value, json};

use super::{Ask, ask, down, target};
use crate::{
    grafana::{panel::Unit, variables},
    promql::{Expr, JOB, PROBES, Source},
    rules::{
        alerts,
        recording::{http_error_share, upstream_error_share},
    },
};

/// The row of numbers at the top.
pub(super) fn all(now: Source, range: Source) -> Vec<Value> {
    let requests = || now.rate(&HTTP_REQUESTS).none_of(PROBES).by([]);
    let token = |kind| now.rate(&TOKENS).is(kind).by([]);
    let first = |q| now.buckets(&TIME_TO_FIRST_TOKEN).measured(q, []);
    let http = http_error_share(range).left_of(alerts::HTTP_BUDGET);
    let upstream = upstream_error_share(range)
        .left_of(alerts::UPSTREAM_BUDGET)
        .min();
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
        Stat { id: 1, title: "Requests per second", about: "Inbound requests, probes left out.", see: 1, unit: Unit::RequestsPerSecond, place: (0, 3), steps: none.clone(), asks: vec![ask(requests(), "requests")] }.render(),
        Stat { id: 2, title: "Success share", about: "Requests that got a whole response that is not a 5xx, as a share of all, probes left out. A client's own 4xx is no failure of the gateway.", see: 2, unit: Unit::Share, place: (3, 3), steps: good, asks: vec![ask(http_error_share(now).complement(), "success")] }.render(),
        Stat { id: 3, title: "Time to first token", about: "Over all streamed responses. Nothing where it falls into the first or the last bucket, since then it was not measured.", see: 8, unit: Unit::Seconds, place: (6, 4), steps: slow, asks: vec![ask(first(0.5), "p50"), ask(first(0.95), "p95")] }.render(),
        Stat { id: 4, title: "Tokens per second", about: "As the providers report them, when a call ends.", see: 9, unit: Unit::TokensPerSecond, place: (10, 4), steps: none.clone(), asks: vec![
                ask(token(TokenKind::Prompt), "in"),
                ask(token(TokenKind::Completion), "out"),
            ] }.render(),
        Stat { id: 5, title: "In flight", about: "Requests between their arrival and the end of their response body, at the last scrape.", see: 5, unit: Unit::Number, place: (14, 3), steps: none, asks: vec![ask(now.gauge(&HTTP_IN_FLIGHT).by([]), "requests")] }.render(),
        Stat { id: 6, title: "Error budget left", about: "Of what the objectives allow to fail in the time shown: of requests, and of the calls to the provider that is worst off. 0 is spent, however much more failed: the panel 5xx share tells how much of the requests did, and Upstream errors, by class, why.", see: 2, unit: Unit::Share, place: (17, 4), steps: left, asks: vec![ask(http, "requests"), ask(upstream, "calls")] }.render(),
        Stat { id: 7, title: "Alerts firing", about: "Needs the shipped rules.", see: 7, unit: Unit::Number, place: (21, 3), steps: some, asks: vec![ask(firing, "alerts")] }.render(),
    ]
}

/// One number, or two.
struct Stat {
    id: u32,
    title: &'static str,
    about: &'static str,
    /// The panel that tells more.
    see: u32,
    unit: Unit,
    /// Its column, and how many it takes.
    place: (u32, u32),
    /// From which values on it has which colour.
    steps: Value,
    asks: Vec<Ask>,
}

impl Stat {
    fn render(self) -> Value {
        let Self {
            id,
            title,
            about,
            see,
            unit,
            place: (x, w),
            steps,
            asks,
        } = self;
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
}
