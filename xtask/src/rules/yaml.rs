//! Rule files. Strings are JSON's, which YAML's are a superset of.

use std::fmt::Write as _;

use serde_json::Value;

use super::{Group, Rule};

const HEAD: &str = "# Generated from the catalogue by `cargo xtask generate`: edit xtask/src/rules/, not this file.\n";

const RESOURCE: &str = "\
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: brightstaff
  labels: { app.kubernetes.io/name: brightstaff }
spec:
";

pub(super) fn render(groups: &[Group]) -> String {
    HEAD.to_owned() + &render_groups(groups)
}

/// A resource of the Prometheus operator with these groups.
pub(super) fn render_resource(groups: &[Group]) -> String {
    let mut out = format!("{HEAD}{RESOURCE}");
    for line in render_groups(groups).lines() {
        let _ = writeln!(out, "  {line}");
    }
    out
}

fn render_groups(groups: &[Group]) -> String {
    let mut out = "groups:\n".to_owned();
    for group in groups {
        for line in group.about.lines() {
            let _ = writeln!(out, "  # {line}");
        }
        let _ = writeln!(out, "  - name: {}", group.name);
        if let Some(interval) = group.interval {
            let _ = writeln!(out, "    interval: {interval}");
        }
        out.push_str("    rules:\n");
        for rule in &group.rules {
            render_rule(&mut out, rule);
        }
    }
    out
}

fn render_rule(out: &mut String, rule: &Rule) {
    match rule {
        Rule::Record { name, expr } => {
            let _ = writeln!(out, "      - record: {name}");
            let _ = writeln!(out, "        expr: {}", quoted(&expr.to_string()));
        }
        Rule::Alert(alert) => {
            let _ = writeln!(out, "      - alert: {}", alert.name);
            let _ = writeln!(out, "        expr: {}", quoted(&alert.expr.to_string()));
            let _ = writeln!(out, "        for: {}", alert.holds);
            let _ = writeln!(
                out,
                "        labels:\n          severity: {}",
                alert.severity
            );
            out.push_str("        annotations:\n");
            for (name, text) in alert.annotations() {
                let _ = writeln!(out, "          {name}: {}", quoted(&text));
            }
        }
    }
}

/// Plain where that is sure to be read as it stands, which `histogram_quantile(…) > 5` is.
fn quoted(text: &str) -> String {
    let plain = text.starts_with(|c: char| c.is_alphabetic() || c == '(')
        && ![": ", " #", "\n", "{{"]
            .iter()
            .any(|odd| text.contains(odd));
    if plain {
        text.to_owned()
    } else {
        Value::from(text).to_string()
    }
}
