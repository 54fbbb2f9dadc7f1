//! The first page: one screen that tells whether all is well, and where to look if it is not.

mod stats;
mod table;

use brightstaff_metrics_core::{
    catalogue::{
        BUILD_INFO, HTTP_REQUESTS, PROCESS_START_TIME, TIME_TO_FIRST_TOKEN, UPSTREAM_REQUESTS,
    },
    labels::ErrorClass,
};
use serde_json::{Value, json};

use super::{dashboard, panel::Unit, variables};
use crate::{
    links,
    promql::{Expr, HANDLER, INSTANCE, JOB, Source},
    stack,
};

/// The file's uid.
pub(crate) const UID: &str = stack::FIRST_PAGE;

/// What the query is called that has an answer only where Prometheus keeps native histograms.
pub(crate) const NATIVE: &str = "native histogram";

/// What one query asks, and how its series are called.
struct Ask(Expr, String);

fn ask(expr: Expr, name: &str) -> Ask {
    Ask(expr, name.to_owned())
}

/// The whole file.
pub(crate) fn render() -> String {
    let (now, range) = (Source::Scraped, Source::Range);
    let mut panels = stats::all(now, range);
    panels.push(table::panel(now));
    panels.push(heatmap(now));
    panels.push(lines(
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
        about: "Whether all is well, on one screen; every panel leads to those of the dashboard Brightstaff. Generated: edit xtask/src/grafana/overview/, not this file.",
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
    dashboard::file(&head, now, &panels)
}

/// The time to first token in cells. Classic buckets are there by default; where native ones are, too, Grafana
/// draws those, since the frame of their cells goes before frames of rows.
fn heatmap(now: Source) -> Value {
    let buckets = now.buckets(&TIME_TO_FIRST_TOKEN).by_bound();
    let mut targets = [
        target(ask(buckets, "{{le}}"), 'A', "heatmap"),
        target(ask(native_heatmap(now), NATIVE), 'B', "heatmap"),
    ];
    for target in &mut targets {
        target["exemplar"] = json!(true);
    }
    json!({
        "id": 9, "type": "heatmap", "title": "Time to first token",
        "description": "How many streamed responses showed their first token after how long, each second: two bands are two kinds of requests, or of providers, which no quantile tells. With native histograms the bands are 9 % wide. Dots are traces, where requests have them.",
        "datasource": variables::datasource(),
        "gridPos": { "h": 9, "w": 12, "x": 0, "y": 13 },
        "links": [down("The panel", Some(8))],
        "targets": targets,
        "fieldConfig": { "defaults": { "noValue": "No streamed responses", "custom": {} }, "overrides": [] },
        "options": {
            "calculate": false, "cellGap": 1,
            "cellValues": { "unit": Unit::PerSecond.id() },
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

/// The same of native histograms.
pub(crate) fn native_heatmap(now: Source) -> Expr {
    now.native(&TIME_TO_FIRST_TOKEN).by([])
}

fn lines(id: u32, title: &str, see: u32, unit: Unit, (x, y): (u32, u32), ask: Ask) -> Value {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::grafana::panels;

    /// What a screen of 1080 lines shows below Grafana's head, in units of its grid.
    const SCREEN: u64 = 22;

    #[test]
    fn it_fits_one_screen_and_leads_to_panels_that_are_there() {
        let text = render();
        let dashboard: Value = serde_json::from_str(&text).unwrap();
        let mut ids = Vec::new();
        for panel in dashboard["panels"].as_array().unwrap() {
            let place = |name: &str| panel["gridPos"][name].as_u64().unwrap();
            assert!(place("x") + place("w") <= 24, "{}", panel["title"]);
            assert!(place("y") + place("h") <= SCREEN, "{}", panel["title"]);
            ids.push(panel["id"].as_u64().unwrap());
        }
        let all = ids.len();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), all);
        let rows = panels::rows(Source::Scraped);
        let known: Vec<_> = rows.iter().flat_map(|row| &row.panels).collect();
        let leads = text.split("viewPanel=panel-").skip(1);
        let leads: Vec<_> = leads.filter_map(|rest| rest.split('"').next()).collect();
        assert!(leads.len() >= all);
        for id in leads {
            assert!(known.iter().any(|panel| panel.id.to_string() == id), "{id}");
        }
    }
}
