//! `docs/monitoring.md`: prose, with sections that are generated between marks.

use std::{fmt::Write as _, fs};

use anyhow::{Context, Result, bail};
use brightstaff_metrics_core::catalogue;

use crate::{
    grafana::{self, Panel},
    promql::Source,
    rules::{alerts, incidents},
    unplotted::UNPLOTTED,
    workspace,
};

/// Where it is.
pub(crate) const PATH: &str = "docs/monitoring.md";

const BEGIN: &str = "<!-- generated: ";
const END: &str = "<!-- end -->\n";

/// The whole file: what stands between marks is made anew, the rest is kept.
pub(crate) fn render() -> Result<String> {
    let there = fs::read_to_string(workspace::root().join(PATH)).context(PATH)?;
    let mut pieces = there.split(BEGIN);
    let mut out = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let (name, rest) = piece.split_once(" -->\n").context("a mark has an end")?;
        let (_, after) = rest
            .split_once(END)
            .with_context(|| format!("{PATH}: {name} has no end"))?;
        let _ = write!(out, "{BEGIN}{name} -->\n{}{END}{after}", section(name)?);
    }
    Ok(out)
}

fn section(name: &str) -> Result<String> {
    if let Some(file) = name.strip_prefix("file ") {
        let text = fs::read_to_string(workspace::root().join(file)).context(file.to_owned())?;
        return Ok(format!("```yaml\n{text}```\n"));
    }
    Ok(match name {
        "families" => families(),
        "panels" => panels(),
        "unplotted" => unplotted(),
        "alerts" => alert_table(),
        "incidents" => incident_table(),
        "runbooks" => runbooks(),
        other => bail!("{PATH}: nobody generates {other}"),
    })
}

fn families() -> String {
    let mut out = "| family | one sample is |\n| --- | --- |\n".to_owned();
    for family in catalogue::ALL {
        let _ = writeln!(out, "| `{}` | {} |", family.name, family.help);
    }
    out
}

fn panels() -> String {
    let mut out = String::new();
    for row in grafana::panels::rows(Source::Scraped) {
        let _ = write!(out, "\n### {}\n", row.title);
        for panel in &row.panels {
            let _ = write!(
                out,
                "\n#### {}\n{}\n\n{}\n",
                panel.title, panel.about, panel.reading
            );
            let _ = write!(out, "\nReads {}.\n", read_by(panel).join(", "));
        }
    }
    out.push('\n');
    out
}

/// The families on a panel, in the order of the catalogue.
fn read_by(panel: &Panel) -> Vec<String> {
    let expressions: Vec<_> = panel.queries.iter().map(|q| q.expr.to_string()).collect();
    let read = catalogue::ALL.iter().filter(|family| {
        expressions.iter().any(|text| {
            text.match_indices(family.name).any(|(at, name)| {
                let rest = &text[at + name.len()..];
                ["{", "_bucket{", "_count{", "_sum{"]
                    .iter()
                    .any(|end| rest.starts_with(end))
            })
        })
    });
    read.map(|family| format!("`{}`", family.name)).collect()
}

fn unplotted() -> String {
    let mut out = String::new();
    for (family, why) in UNPLOTTED {
        let _ = writeln!(out, "- `{}`: {why}", family.name);
    }
    out
}

fn alert_table() -> String {
    let mut out = "| alert | severity | after | says |\n| --- | --- | --- | --- |\n".to_owned();
    for alert in alerts::all() {
        let name = alert.name;
        let _ = writeln!(
            out,
            "| [{name}](#{}) | {} | {} | {} |",
            crate::links::anchor(name),
            alert.severity,
            alert.holds,
            alert.summary
        );
    }
    out
}

fn incident_table() -> String {
    let mut out = "| incident | what happens | what fires |\n| --- | --- | --- |\n".to_owned();
    for incident in incidents::ALL {
        let fires: Vec<_> = incident
            .fires
            .iter()
            .map(|name| format!("[{name}](#{})", crate::links::anchor(name)))
            .collect();
        let fires = if fires.is_empty() {
            "nothing".to_owned()
        } else {
            fires.join(", ")
        };
        let _ = writeln!(out, "| {} | {} | {fires} |", incident.name, incident.what);
    }
    out
}

fn runbooks() -> String {
    let mut out = String::new();
    for alert in alerts::all() {
        let _ = write!(
            out,
            "\n### {}\n{}.\n\n```promql\n{}\n```\n\n{}\n",
            alert.name, alert.summary, alert.expr, alert.runbook
        );
    }
    out.push('\n');
    out
}
