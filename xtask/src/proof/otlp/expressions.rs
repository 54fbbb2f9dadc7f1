//! Every expression of the dashboards and the rules, asked of what is pushed and of what is scraped.

use std::{collections::BTreeMap, fs, path::Path};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use crate::{
    api::{self, Labels},
    grafana::DASHBOARDS,
    proof::fill::Variables,
    rules, workspace,
};

/// The instants of pushes and of scrapes differ, and so what Prometheus guesses before the first and after the last
/// one. That the samples are the same is proven beside this.
const CLOSE: f64 = 0.1;

/// What tells the two apart.
const SOURCE: [&str; 2] = ["job", "instance"];

/// The shipped rules in a directory of their own, each group evaluated every second.
pub(super) fn quick_rules(dir: &Path) -> Result<()> {
    fs::create_dir_all(dir)?;
    let shipped = workspace::root().join(rules::DIRECTORY);
    for file in fs::read_dir(shipped)? {
        let path = file?.path();
        if path.extension().is_none_or(|extension| extension != "yaml") {
            continue;
        }
        let text = fs::read_to_string(&path)?;
        let lines = text.lines().map(|line| {
            let is_interval = line.starts_with("    interval: ");
            if is_interval {
                "    interval: 1s"
            } else {
                line
            }
        });
        let quick = lines.collect::<Vec<_>>().join("\n");
        let name = path.file_name().context("a file has a name")?;
        fs::write(dir.join(name), quick)?;
    }
    Ok(())
}

/// Compares the answers of all; tells how many expressions there are, and how many values.
pub(super) fn same(server: &str, jobs: [&str; 2], window: u64) -> Result<(usize, usize)> {
    let now = api::epoch_seconds()?;
    let (mut expressions, mut values) = (0, 0);
    for (dashboard, render) in DASHBOARDS {
        let dashboard: Value =
            serde_json::from_str(&render()).with_context(|| dashboard.to_owned())?;
        for expression in dashboard_expressions(&dashboard) {
            let of = |job: &str| {
                let expression = expression.replace("$job", job);
                let variables = Variables {
                    rate_interval: &format!("{window}s"),
                    instance: ".*",
                    provider: ".*",
                    model: ".*",
                };
                answer(server, &variables.fill(&expression), now)
            };
            let [scraped, pushed] = [of(jobs[0])?, of(jobs[1])?];
            values += close(&scraped, &pushed).with_context(|| expression.clone())?;
            expressions += 1;
        }
    }
    for expression in rule_expressions(server)? {
        let all = api::query_at(server, &expression, now)?;
        let of = |job: &str| {
            let ours = all.iter().filter(|(labels, _)| labels["job"] == job);
            ours.map(|(labels, value)| (anonymous(labels), *value))
                .collect()
        };
        // An expression whose answers belong to no job adds up both.
        if all.iter().all(|(labels, _)| labels.contains_key("job")) {
            values += close(&of(jobs[0]), &of(jobs[1])).with_context(|| expression.clone())?;
        }
        expressions += 1;
    }
    Ok((expressions, values))
}

type Answer = BTreeMap<Labels, f64>;

fn answer(server: &str, expression: &str, now: f64) -> Result<Answer> {
    let returned = api::query_at(server, expression, now).with_context(|| expression.to_owned())?;
    Ok(returned
        .iter()
        .map(|(labels, value)| (anonymous(labels), *value))
        .collect())
}

fn anonymous(labels: &Labels) -> Labels {
    let mut labels = labels.clone();
    labels.retain(|name, _| !SOURCE.contains(&&**name));
    if let Some(le) = labels.get_mut("le")
        && let Ok(bound) = le.parse::<f64>()
    {
        *le = bound.to_string();
    }
    labels
}

/// The same series, with values that are close.
fn close(scraped: &Answer, pushed: &Answer) -> Result<usize> {
    for (labels, value) in scraped {
        let other = pushed.get(labels);
        let other = other.with_context(|| format!("nothing is pushed of {labels:?}"))?;
        let is_close = (value.is_nan() && other.is_nan())
            || value == other
            || (value - other).abs() <= CLOSE * value.abs().max(other.abs());
        ensure!(is_close, "{labels:?}: {other} pushed, and {value} scraped");
    }
    let stranger = pushed.keys().find(|labels| !scraped.contains_key(*labels));
    ensure!(stranger.is_none(), "only pushed: {stranger:?}");
    Ok(scraped.len())
}

fn dashboard_expressions(dashboard: &Value) -> Vec<String> {
    let mut found = Vec::new();
    let panels = dashboard["panels"].as_array().into_iter().flatten();
    for panel in panels {
        let targets = panel["targets"].as_array().into_iter().flatten();
        let expressions = targets.filter_map(|target| target["expr"].as_str());
        found.extend(expressions.map(str::to_owned));
        found.extend(dashboard_expressions(panel));
    }
    found
}

/// Those of the rules that the server evaluates, none of which may fail.
fn rule_expressions(server: &str) -> Result<Vec<String>> {
    let told = api::get(server, "rules", &[])?;
    let groups = told["groups"].as_array().context("no groups")?;
    let rules = groups.iter().filter_map(|group| group["rules"].as_array());
    let mut found = Vec::new();
    for rule in rules.flatten() {
        let name = rule["name"].as_str().unwrap_or_default();
        ensure!(rule["health"] == "ok", "{name}: {}", rule["lastError"]);
        found.push(rule["query"].as_str().context("no query")?.to_owned());
    }
    ensure!(!found.is_empty(), "no rules");
    Ok(found)
}
