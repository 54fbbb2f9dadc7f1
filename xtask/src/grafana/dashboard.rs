//! Panels as the JSON of a Grafana dashboard.

use serde_json::{Map, Value, json};

use super::{
    colours, overview,
    panel::{Line, Panel, Query, Threshold, Unit},
    panels, variables,
};
use crate::{links, promql::Source};

/// The schema of dashboards that Grafana 12 and 13 read without migrating it.
const SCHEMA_VERSION: u32 = 42;
const HEIGHT: u32 = 9;
const WIDTH: u32 = 24;

/// What is said of a dashboard as a whole.
pub(super) struct Head {
    pub(super) uid: &'static str,
    pub(super) title: &'static str,
    pub(super) about: &'static str,
    pub(super) annotations: Vec<Value>,
    pub(super) links: Vec<Value>,
}

/// The whole file.
pub(crate) fn render(source: Source) -> String {
    let (uid, title, about) = match source {
        Source::Scraped => (
            "brightstaff",
            "Brightstaff",
            "Requests, calls to LLM providers, routing and process of the gateway. Generated: edit the table of panels, not this file.",
        ),
        _ => (
            "brightstaff-fleet",
            "Brightstaff fleet",
            "The same panels from the recording rules, which add up the replicas: it costs as much for a hundred as for one. Generated: edit the table of panels, not this file.",
        ),
    };
    let overview = format!("/d/{}?${{__url_time_range}}", overview::UID);
    let head = Head {
        uid,
        title,
        about,
        annotations: Vec::new(),
        links: vec![
            link("Overview", &overview, "All of it on one screen"),
            link(
                "Runbooks",
                &links::monitoring(""),
                "What every panel and alert means",
            ),
            link("Metrics", &links::metrics(), "Every family"),
        ],
    };
    file(&head, source, &panels(source, uid))
}

/// A file with these panels.
pub(super) fn file(head: &Head, source: Source, panels: &[Value]) -> String {
    let dashboard = json!({
        "uid": head.uid,
        "title": head.title,
        "description": head.about,
        "tags": ["brightstaff", "llm", "plano"],
        "schemaVersion": SCHEMA_VERSION,
        "version": 1,
        "id": null,
        "editable": true,
        "graphTooltip": 1,
        "fiscalYearStartMonth": 0,
        "liveNow": false,
        "preload": false,
        "refresh": "15s",
        "time": { "from": "now-1h", "to": "now" },
        "timepicker": {},
        "timezone": "browser",
        "weekStart": "",
        "annotations": { "list": head.annotations },
        "links": head.links,
        "templating": { "list": variables::all(source) },
        "panels": panels,
    });
    let mut text = serde_json::to_string_pretty(&sorted(dashboard)).expect("values are JSON");
    text.push('\n');
    text
}

/// Keys in order, whatever feature of `serde_json` some crate of the workspace switches on.
fn sorted(value: Value) -> Value {
    match value {
        Value::Object(map) => {
            let mut entries: Vec<_> = map.into_iter().collect();
            entries.sort_by(|(a, _), (b, _)| a.cmp(b));
            let entries = entries.into_iter().map(|(key, value)| (key, sorted(value)));
            Value::Object(entries.collect::<Map<_, _>>())
        }
        Value::Array(values) => values.into_iter().map(sorted).collect(),
        other => other,
    }
}

fn panels(source: Source, uid: &str) -> Vec<Value> {
    let mut rows = panels::rows(source);
    if source != Source::Scraped {
        // What Prometheus keeps beside a bucket is not in the rates that rules record.
        let panels = rows.iter_mut().flat_map(|row| &mut row.panels);
        for query in panels.flat_map(|panel| &mut panel.queries) {
            query.exemplars = false;
        }
    }
    let titles: Vec<_> = rows
        .iter()
        .flat_map(|row| &row.panels)
        .map(|panel| (panel.id, panel.title))
        .collect();
    let mut out = Vec::new();
    let mut y = 0;
    for (row, id) in rows.iter().zip(100..) {
        out.push(json!({
            "id": id,
            "type": "row",
            "title": row.title,
            "collapsed": false,
            "gridPos": { "h": 1, "w": WIDTH, "x": 0, "y": y },
            "panels": [],
        }));
        y += 1;
        let mut x = 0;
        for panel in &row.panels {
            let place = json!({ "h": HEIGHT, "w": panel.width, "x": x, "y": y });
            out.push(render_panel(panel, &place, uid, &titles));
            x += panel.width;
            if x >= WIDTH {
                (x, y) = (0, y + HEIGHT);
            }
        }
    }
    out
}

fn render_panel(panel: &Panel, place: &Value, uid: &str, titles: &[(u32, &str)]) -> Value {
    let see = panel.see.iter().map(|id| {
        let title = titles.iter().find(|(known, _)| known == id);
        let (_, title) = title.expect("links lead to panels");
        let url =
            format!("/d/{uid}?${{__url_time_range}}&${{__all_variables}}&viewPanel=panel-{id}");
        link(title, &url, "")
    });
    let runbook = panel.runbook.map(|alert| {
        let title = format!("Runbook: {alert}");
        link(
            &title,
            &links::monitoring(&alert.to_lowercase()),
            "What to do about it",
        )
    });
    let reading = link(
        "How to read it",
        &links::monitoring(&links::anchor(panel.title)),
        "",
    );
    let targets = panel.queries.iter().zip('A'..).map(|(query, id)| {
        json!({
            "refId": id.to_string(),
            "datasource": variables::datasource(),
            "editorMode": "code",
            "expr": query.expr.to_string(),
            "legendFormat": query.legend,
            "range": true,
            "instant": false,
            "exemplar": query.exemplars,
        })
    });
    json!({
        "id": panel.id,
        "type": "timeseries",
        "title": panel.title,
        "description": panel.about,
        "datasource": variables::datasource(),
        "gridPos": place,
        "links": see.chain(runbook).chain([reading]).collect::<Vec<_>>(),
        "targets": targets.collect::<Vec<_>>(),
        "fieldConfig": {
            "defaults": defaults(panel),
            "overrides": overrides_of(panel),
        },
        "options": {
            "legend": {
                "displayMode": "table",
                "placement": "bottom",
                "showLegend": true,
                "calcs": calcs(panel),
                "sortBy": "Last *",
                "sortDesc": true,
            },
            "tooltip": { "mode": "multi", "sort": "desc" },
        },
    })
}

/// What the legend tells beside a name: a narrow panel has room for little more than the name.
fn calcs(panel: &Panel) -> &'static [&'static str] {
    if panel.width <= 6 {
        &["lastNotNull"]
    } else {
        &["mean", "max", "lastNotNull"]
    }
}

fn defaults(panel: &Panel) -> Value {
    let mut steps = vec![json!({ "color": "green", "value": null })];
    steps.extend(panel.thresholds.iter().map(|threshold| match threshold {
        Threshold::Look(value) => json!({ "color": "orange", "value": value }),
        Threshold::Act(value) => json!({ "color": "red", "value": value }),
    }));
    let marked = if panel.thresholds.is_empty() {
        "off"
    } else {
        "dashed"
    };
    let stacking = if panel.stacked { "normal" } else { "none" };
    let mut defaults = lines(panel.unit, panel.idle);
    defaults["thresholds"]["steps"] = json!(steps);
    let custom = &mut defaults["custom"];
    custom["fillOpacity"] = json!(if panel.stacked { 40 } else { 0 });
    custom["stacking"]["mode"] = json!(stacking);
    custom["thresholdsStyle"]["mode"] = json!(marked);
    if panel.stacked && panel.unit == Unit::Share {
        defaults["max"] = json!(1);
    }
    defaults
}

/// Lines in this unit, without thresholds, and what stands there where there are none.
pub(super) fn lines(unit: Unit, idle: &str) -> Value {
    json!({
        "color": { "mode": "palette-classic" },
        "unit": unit.id(),
        "min": 0,
        "noValue": idle,
        "mappings": [],
        "thresholds": { "mode": "absolute", "steps": [{ "color": "green", "value": null }] },
        "custom": {
            "drawStyle": "line",
            "lineInterpolation": "linear",
            "lineWidth": 2,
            // What lies behind a dozen lines would be brown.
            "fillOpacity": 0,
            "gradientMode": "none",
            "showPoints": "auto",
            "pointSize": 4,
            "spanNulls": false,
            "insertNulls": false,
            "axisPlacement": "auto",
            "axisLabel": "",
            "scaleDistribution": { "type": "linear" },
            "stacking": { "group": "A", "mode": "none" },
            "thresholdsStyle": { "mode": "off" },
            "hideFrom": { "legend": false, "tooltip": false, "viz": false },
        },
    })
}

fn overrides_of(panel: &Panel) -> Vec<Value> {
    let queries = panel.queries.iter().zip('A'..).filter_map(overrides);
    let colours = panel.queries.iter().flat_map(|query| named(&query.legend));
    queries.chain(colours).collect()
}

/// The colours of the series with this legend.
pub(super) fn named(legend: &str) -> Vec<Value> {
    let colours = colours::of(legend).into_iter().map(|(name, colour)| {
        json!({
            "matcher": { "id": "byName", "options": name },
            "properties": [{ "id": "color", "value": { "mode": "fixed", "fixedColor": colour } }],
        })
    });
    colours.collect()
}

/// What sets the series of one query apart.
fn overrides((query, id): (&Query, char)) -> Option<Value> {
    let mut properties = Vec::new();
    let pattern: Option<&[u32]> = match query.line {
        Line::Plain => None,
        Line::Thin => {
            properties.push(json!({ "id": "custom.lineWidth", "value": 1 }));
            None
        }
        Line::Dotted => Some(&[2, 5]),
        Line::Dashed => Some(&[8, 6]),
    };
    if let Some(pattern) = pattern {
        properties.push(json!({
            "id": "custom.lineStyle",
            "value": { "fill": "dash", "dash": pattern },
        }));
        properties.push(json!({ "id": "custom.lineWidth", "value": 1 }));
    }
    if let Some((unit, name)) = query.right {
        properties.push(json!({ "id": "unit", "value": unit.id() }));
        properties.push(json!({ "id": "custom.axisPlacement", "value": "right" }));
        properties.push(json!({ "id": "custom.axisLabel", "value": name }));
        // Those of the panel are on the other scale.
        properties.push(json!({ "id": "custom.thresholdsStyle", "value": { "mode": "off" } }));
        if unit == Unit::PerSecond {
            // A scale for what is mostly 0.
            properties.push(json!({ "id": "custom.axisSoftMax", "value": 1 }));
        }
    }
    (!properties.is_empty()).then(|| {
        json!({
            "matcher": { "id": "byFrameRefID", "options": id.to_string() },
            "properties": properties,
        })
    })
}

pub(super) fn link(title: &str, url: &str, tooltip: &str) -> Value {
    json!({
        "type": "link",
        "title": title,
        "url": url,
        "tooltip": tooltip,
        "icon": "external link",
        "tags": [],
        "asDropdown": false,
        "includeVars": false,
        "keepTime": false,
        "targetBlank": !url.starts_with('/'),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nineteen_panels_in_four_rows_that_fill_the_width() {
        for source in [Source::Scraped, Source::Fleet] {
            let rows = panels::rows(source);
            assert_eq!(rows.len(), 4);
            assert_eq!(rows.iter().map(|row| row.panels.len()).sum::<usize>(), 19);
            let mut ids: Vec<_> = rows
                .iter()
                .flat_map(|row| &row.panels)
                .map(|p| p.id)
                .collect();
            ids.sort_unstable();
            ids.dedup();
            assert_eq!(ids.len(), 19);
            for row in &rows {
                let mut x = 0;
                for panel in &row.panels {
                    x += panel.width;
                    assert!(x <= WIDTH, "{}", panel.title);
                    x %= WIDTH;
                }
                assert_eq!(x, 0, "{}", row.title);
            }
        }
    }

    #[test]
    fn legends_use_labels_that_the_expressions_return() {
        for source in [Source::Scraped, Source::Fleet] {
            for panel in panels::rows(source).iter().flat_map(|row| &row.panels) {
                for query in &panel.queries {
                    let used: Vec<_> = query
                        .legend
                        .split("{{")
                        .skip(1)
                        .filter_map(|rest| rest.split("}}").next())
                        .collect();
                    let returned = query.expr.labels();
                    assert_eq!(used, returned, "{}: {}", panel.title, query.legend);
                }
            }
        }
    }

    #[test]
    fn windows_follow_the_zoom() {
        let text = render(Source::Scraped);
        let windows =
            text.matches('[').count() - text.matches("[\n").count() - text.matches("[]").count();
        assert_eq!(text.matches("[$__rate_interval]").count(), windows);
        assert!(!text.contains("clamp_min"));
    }
}
