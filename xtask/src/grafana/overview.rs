//! The first page: one screen that tells whether all is well, and where to look if it is not.

use brightstaff_metrics_core::{
    catalogue::{
        BUILD_INFO, HTTP_IN_FLIGHT, HTTP_REQUESTS, PROCESS_START_TIME, TIME_PER_OUTPUT_TOKEN,
        TIME_TO_FIRST_TOKEN, TOKENS, UPSTREAM_REQUESTS, USAGE_MISSING,
    },
    labels::{ErrorClass, StatusClass, TokenKind},
};
use serde_json::{Value, json};

use super::{dashboard, panel::Unit, variables};
use crate::{
    links,
    promql::{
        Expr, HANDLER, INSTANCE, JOB, MODEL, PROBES, PROVIDER, Source, interrupted, ratio, share,
        unanswered,
    },
    rules::alerts,
};

/// The file's uid, which its address shows.
pub(crate) const UID: &str = "brightstaff-overview";

const PAIR: [&str; 2] = [PROVIDER, MODEL];

/// What one query asks, and how its series are called.
struct Ask(Expr, String);

fn ask(expr: Expr, name: &str) -> Ask {
    Ask(expr, name.to_owned())
}

/// The whole file.
pub(crate) fn render() -> String {
    let (now, range) = (Source::Scraped, Source::Range);
    let mut panels = stats(now, range);
    panels.push(table(now));
    panels.push(heatmap(now));
    panels.push(lines(
        now,
        11,
        "Requests per second, by handler",
        1,
        Unit::RequestsPerSecond,
        (12, 13),
        ask(
            now.rate(&HTTP_REQUESTS).by([HANDLER]),
            &format!("{{{{{HANDLER}}}}}"),
        ),
    ));
    let class = format!("{{{{{}}}}}", ErrorClass::NAME);
    let failed = now.rate(&UPSTREAM_REQUESTS).without(ErrorClass::None);
    panels.push(lines(
        now,
        12,
        "Upstream errors, by class",
        7,
        Unit::PerSecond,
        (18, 13),
        ask(failed.by([ErrorClass::NAME]), &class),
    ));
    let head = dashboard::Head {
        uid: UID,
        title: "Brightstaff overview",
        about: "Whether all is well, on one screen; every panel leads to those of the dashboard Brightstaff. Generated: edit xtask/src/grafana/overview.rs, not this file.",
        annotations: annotations(),
        links: vec![
            down("All panels", None),
            dashboard::link(
                "Runbooks",
                &links::monitoring(""),
                "What every panel and alert means",
            ),
        ],
    };
    dashboard::file(&head, now, panels)
}

fn stats(now: Source, range: Source) -> Vec<Value> {
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

fn table(now: Source) -> Value {
    let calls = || now.rate(&UPSTREAM_REQUESTS);
    let ended = || calls().without(ErrorClass::Cancelled);
    let missing = now.rate(&USAGE_MISSING).by(PAIR);
    let pace = &TIME_PER_OUTPUT_TOKEN;
    let columns = [
        ("Calls/s", Unit::PerSecond, calls().by(PAIR)),
        (
            "Success",
            Unit::Share,
            share(ended().is(ErrorClass::None).by(PAIR), &ended().by(PAIR)),
        ),
        (
            "First token p95",
            Unit::Seconds,
            now.buckets(&TIME_TO_FIRST_TOKEN).measured(0.95, PAIR),
        ),
        (
            "Tokens/s per stream",
            Unit::Number,
            ratio(&now.count(pace).by(PAIR), &now.sum(pace).by(PAIR)),
        ),
        (
            "Tokens in/s",
            Unit::Number,
            now.rate(&TOKENS).is(TokenKind::Prompt).by(PAIR),
        ),
        (
            "Tokens out/s",
            Unit::Number,
            now.rate(&TOKENS).is(TokenKind::Completion).by(PAIR),
        ),
        (
            "Usage missing",
            Unit::Share,
            share(missing, &calls().is(StatusClass::Success).by(PAIR)),
        ),
    ];
    let names = columns
        .iter()
        .zip('A'..)
        .map(|((name, ..), id)| (format!("Value #{id}"), json!(name)));
    let names: serde_json::Map<_, _> = names.collect();
    let overrides = columns.iter().map(|(name, unit, _)| {
        json!({
            "matcher": { "id": "byName", "options": name },
            "properties": [{ "id": "unit", "value": unit.id() }, { "id": "decimals", "value": 2 }],
        })
    });
    let overrides: Vec<_> = overrides.collect();
    let targets = columns.into_iter().zip('A'..);
    let targets = targets.map(|((name, _, expr), id)| target(ask(expr, name), id, "table"));
    json!({
        "id": 8, "type": "table", "title": "Providers and models",
        "description": "Every pair that was called, now. Tokens/s per stream is the inverse of the mean time per output token: the pace that a reader sees.",
        "datasource": variables::datasource(),
        "gridPos": { "h": 9, "w": 24, "x": 0, "y": 4 },
        "links": [down("Their durations", Some(6)), down("Their errors", Some(7))],
        "targets": targets.collect::<Vec<_>>(),
        "transformations": [
            { "id": "merge", "options": {} },
            { "id": "organize", "options": { "excludeByName": { "Time": true }, "indexByName": {}, "renameByName": names } },
        ],
        "fieldConfig": {
            "defaults": { "mappings": [], "noValue": "–", "thresholds": { "mode": "absolute", "steps": [{ "color": "green", "value": null }] }, "custom": { "align": "auto", "inspect": false } },
            "overrides": overrides,
        },
        "options": { "showHeader": true, "cellHeight": "sm", "sortBy": [{ "displayName": "Calls/s", "desc": true }] },
    })
}

fn heatmap(now: Source) -> Value {
    let buckets = now.buckets(&TIME_TO_FIRST_TOKEN).by_bound();
    json!({
        "id": 9, "type": "heatmap", "title": "Time to first token",
        "description": "How many streamed responses showed their first token after how long, each second: two bands are two kinds of requests, or of providers, which no quantile tells.",
        "datasource": variables::datasource(),
        "gridPos": { "h": 9, "w": 12, "x": 0, "y": 13 },
        "links": [down("The panel", Some(8))],
        "targets": [target(ask(buckets, "{{le}}"), 'A', "heatmap")],
        "fieldConfig": { "defaults": { "noValue": "No streamed responses", "custom": {} }, "overrides": [] },
        "options": {
            "calculate": false, "cellGap": 1,
            "cellValues": { "unit": "suffix: /s" },
            "color": { "mode": "scheme", "scheme": "Turbo", "fill": "dark-orange", "exponent": 0.5, "steps": 64, "reverse": false },
            "exemplars": { "color": "rgba(255,0,255,0.7)" },
            "filterValues": { "le": 1e-9 },
            "legend": { "show": true },
            "rowsFrame": { "layout": "auto" },
            "tooltip": { "mode": "single", "yHistogram": true },
            "yAxis": { "axisPlacement": "left", "unit": "s", "reverse": false },
        },
    })
}

fn lines(
    _now: Source,
    id: u32,
    title: &str,
    see: u32,
    unit: Unit,
    (x, y): (u32, u32),
    ask: Ask,
) -> Value {
    let overrides = dashboard::named(&ask.1);
    json!({
        "id": id, "type": "timeseries", "title": title,
        "description": "The same as on the dashboard Brightstaff, small.",
        "datasource": variables::datasource(),
        "gridPos": { "h": 9, "w": 6, "x": x, "y": y },
        "links": [down("The panel", Some(see))],
        "targets": [target(ask, 'A', "time_series")],
        "fieldConfig": { "defaults": dashboard::lines(unit, "Nothing yet"), "overrides": overrides },
        "options": {
            "legend": { "displayMode": "list", "placement": "bottom", "showLegend": true, "calcs": [] },
            "tooltip": { "mode": "multi", "sort": "desc" },
        },
    })
}

fn target(Ask(expr, legend): Ask, id: char, format: &str) -> Value {
    let instant = format == "table";
    json!({
        "refId": id.to_string(),
        "datasource": variables::datasource(),
        "editorMode": "code",
        "expr": expr.to_string(),
        "legendFormat": legend,
        "format": format,
        "range": !instant,
        "instant": instant,
        "exemplar": false,
    })
}

/// A link down into the nineteen: to one of them, or to all.
fn down(title: &str, panel: Option<u32>) -> Value {
    let panel = panel.map(|id| format!("&viewPanel=panel-{id}"));
    let url = format!(
        "/d/brightstaff?${{__url_time_range}}&${{__all_variables}}{}",
        panel.unwrap_or_default()
    );
    dashboard::link(title, &url, "")
}

/// When processes started, and when a version was seen for the first time.
fn annotations() -> Vec<Value> {
    let narrowed = format!("{{{JOB}=~\"$job\",{INSTANCE}=~\"$instance\"}}");
    let build = format!("{}{narrowed}", BUILD_INFO.name);
    let starts = format!(
        "{} * 1000 and on ({JOB}, {INSTANCE}) {build}",
        PROCESS_START_TIME.name
    );
    let versions = format!(
        "count by (version, git_sha) ({build}) unless count by (version, git_sha) ({build} offset 2m)"
    );
    let one = |name: &str, expr: String, title: &str, colour: &str, at_value: bool| {
        json!({
            "name": name, "enable": true, "hide": false, "iconColor": colour,
            "datasource": variables::datasource(),
            "expr": expr, "step": "60s", "titleFormat": title, "textFormat": "", "tagKeys": "",
            "useValueForTime": at_value,
        })
    };
    vec![
        one("Restarts", starts, "{{instance}} started", "orange", true),
        one(
            "Versions",
            versions,
            "version {{version}} ({{git_sha}})",
            "blue",
            false,
        ),
    ]
}
