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

/// A section that runbooks lead to, by its heading without backticks.
const OTHER: &str = "What other stands for";

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
        let book = alert.runbook;
        let _ = write!(
            out,
            "\n### {}\n\n**{}** Severity: {}.\n\n{}\n\nTo check:\n\n",
            alert.name,
            sentence(alert.summary),
            alert.severity,
            linked(book.means)
        );
        for (step, number) in book.check.iter().zip(1..) {
            let _ = writeln!(out, "{number}. {}", linked(step));
        }
        out.push_str("\nTo do:\n\n");
        for step in book.act {
            let _ = writeln!(out, "- {}", linked(step));
        }
        let (expr, holds) = (&alert.expr, alert.holds);
        let _ = write!(
            out,
            "\nIt fires where this holds for {holds}:\n\n```promql\n{expr}\n```\n"
        );
    }
    out.push('\n');
    out
}

fn sentence(summary: &str) -> String {
    let ended = summary.ends_with(['.', '?', '!']);
    format!("{summary}{}", if ended { "" } else { "." })
}

/// The text of a runbook, with links to the panels and to the other alerts that it names.
fn linked(text: &str) -> String {
    let link = |title: &str| format!("[{title}](#{})", crate::links::anchor(title));
    let mut text = text.to_owned();
    for panel in grafana::panels::rows(Source::Scraped)
        .iter()
        .flat_map(|row| &row.panels)
    {
        text = text.replace(&format!("'{}'", panel.title), &link(panel.title));
    }
    for alert in alerts::all() {
        text = text.replace(alert.name, &link(alert.name));
    }
    text.replace(&format!("'{OTHER}'"), &link(OTHER))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runbooks_lead_to_what_they_name() {
        assert_eq!(
            linked("Open '5xx share', or 'what it says'; see BrightstaffTargetDown."),
            "Open [5xx share](#5xx-share), or 'what it says'; see [BrightstaffTargetDown](#brightstafftargetdown)."
        );
        for alert in alerts::all() {
            let book = alert.runbook;
            let steps = book.check.iter().chain(book.act);
            for text in steps.chain([&book.means]) {
                // A panel that is called otherwise by now would still stand in quotes.
                assert!(!linked(text).contains(" '"), "{}: {text}", alert.name);
                assert!(text.ends_with(['.', '?']), "{}: {text}", alert.name);
            }
            assert!(!book.check.is_empty() && !book.act.is_empty());
        }
    }
}
