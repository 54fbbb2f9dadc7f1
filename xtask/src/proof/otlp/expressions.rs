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

/// By how much an expression of an instant may differ: memory and CPU go on.
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

/// Compares what all return; tells how many expressions were compared, and how many values.
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
                ask(
                    server,
                    &without_thresholds(&variables.fill(&expression)),
                    now,
                )
            };
            let [scraped, pushed] = [of(jobs[0])?, of(jobs[1])?];
            values += close(&expression, &scraped, &pushed).with_context(|| expression.clone())?;
            expressions += 1;
        }
    }
    for expression in rule_expressions(server)? {
        let all = api::query_at(server, &without_thresholds(&expression), now)?;
        let of = |job: &str| {
            let ours = all.iter().filter(|(labels, _)| labels["job"] == job);
            ours.map(|(labels, value)| (anonymous(labels), *value))
                .collect()
        };
        // An expression whose values belong to no job adds up both.
        if all.iter().all(|(labels, _)| labels.contains_key("job")) {
            values += close(&expression, &of(jobs[0]), &of(jobs[1]))
                .with_context(|| expression.clone())?;
            expressions += 1;
        }
    }
    ensure!(values > 0, "no expression finds anything");
    Ok((expressions, values))
}

type Returned = BTreeMap<Labels, f64>;

fn ask(server: &str, expression: &str, now: f64) -> Result<Returned> {
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
///
/// Of an expression over a range only the series are compared: their values depend on the instants of the samples, and a
/// push and a scrape are up to an interval apart. That the samples are the same is proven beside this.
fn close(expression: &str, scraped: &Returned, pushed: &Returned) -> Result<usize> {
    let is_of_a_range = expression.contains('[') || expression.contains(":rate");
    for (labels, value) in scraped {
        let other = pushed.get(labels);
        let other = other.with_context(|| format!("nothing is pushed of {labels:?}"))?;
        let is_close = is_of_a_range
            || (value.is_nan() && other.is_nan())
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

/// The expression without the numbers that its values are held against: what is near one may be above it as it is pushed
/// and below it as it is scraped.
fn without_thresholds(expression: &str) -> String {
    let mut kept = Vec::new();
    let mut words = expression.split_whitespace().peekable();
    while let Some(word) = words.next() {
        let is_held = matches!(word, ">" | "<" | ">=" | "<=");
        let number = words.next_if(|next| {
            is_held && next.starts_with(|first: char| first.is_ascii_digit() || first == '-')
        });
        match number {
            // What it closes stays closed.
            Some(number) => kept.push(")".repeat(number.matches(')').count())),
            None => kept.push(word.to_owned()),
        }
    }
    kept.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thresholds_are_left_out_and_what_they_close_stays_closed() {
        for (expression, without) in [
            ("a > 0.0005 < 300", "a  "),
            ("(a > 1) and b", "(a ) and b"),
            ("((a / b) >= -30)) > c", "((a / b) )) > c"),
            ("rate(a{le=\"1\"}[5m]) == 0", "rate(a{le=\"1\"}[5m]) == 0"),
        ] {
            assert_eq!(without_thresholds(expression), without);
        }
    }

    #[test]
    fn another_series_is_seen_and_so_is_another_value_of_an_instant() {
        let returned = |name: &str, value| {
            Returned::from([([("a".to_owned(), name.to_owned())].into(), value)])
        };
        let (one, other) = (returned("1", 1.0), returned("2", 1.0));
        assert!(close("rate(a[5m])", &one, &other).is_err());
        assert!(close("a", &one, &returned("1", 2.0)).is_err());
        assert!(close("a", &one, &returned("1", 1.05)).is_ok());
        assert!(close("rate(a[5m])", &one, &returned("1", 2.0)).is_ok());
        assert!(close("a", &Returned::new(), &one).is_err());
    }
}
