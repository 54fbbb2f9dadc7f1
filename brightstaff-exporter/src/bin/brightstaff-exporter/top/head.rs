//! What is said above the table.

use super::{
    format::{age, decimal, quantile, rate},
    line::{Line, Style, line},
    text::{cut, shown, width},
    view::{Shown, Summary, Totals},
};

/// The lines above the table, in this many at most.
pub(super) fn head(url: &str, summary: &Summary, columns: usize, room: usize) -> Vec<Line> {
    let mut lines = vec![state(url, summary, columns)];
    let flow = |items: Vec<String>, style| {
        let texts = flowed(&items, columns);
        texts
            .into_iter()
            .map(|text| line(&text, style))
            .collect::<Vec<_>>()
    };
    let facts = flow(facts(summary), Style::Plain);
    let mut warned = Vec::new();
    let (mut totals, mut failed, mut caption) = (Vec::new(), Vec::new(), Vec::new());
    if let Some(shown) = &summary.shown {
        totals = flow(total(&shown.totals), Style::Plain);
        failed = flow(failures(&shown.totals), Style::Plain);
        warned = warnings(shown, columns, (room / 3).max(1));
        caption = flow(vec![counted(shown)], Style::Dim);
    }
    let notes = flow(summary.notes.clone(), Style::Dim);
    // The most important first, but shown in the order of the page.
    let mut left = room.saturating_sub(1);
    let mut parts = [facts, totals, failed, notes, warned, caption];
    for index in [4, 1, 2, 0, 5, 3] {
        parts[index].truncate(left);
        left -= parts[index].len();
    }
    lines.extend(parts.into_iter().flatten());
    lines
}

fn state(url: &str, summary: &Summary, columns: usize) -> Line {
    let (text, style) = match &summary.lost {
        None if summary.answered => (format!("{url}   live"), Style::Bold),
        None => (format!("{url}   waiting for the first scrape"), Style::Bold),
        Some((why, seconds)) => {
            let before = if summary.shown.is_some() {
                "; the numbers are from before"
            } else {
                ""
            };
            let seconds = age(*seconds);
            let why = shown(why);
            (
                format!("{url}   not answering for {seconds} ({why}){before}"),
                Style::Critical,
            )
        }
    };
    line(&cut(&text, columns), style)
}

/// What runs.
pub(super) fn facts(summary: &Summary) -> Vec<String> {
    let mut facts = Vec::new();
    let mut say = |what: &str, value: Option<String>| {
        facts.extend(value.map(|value| format!("{what} {value}")));
    };
    say("version", summary.version.as_deref().map(shown));
    say("commit", summary.commit.as_deref().map(shown));
    say("up", summary.up_seconds.map(age));
    let mebibytes = summary.memory_bytes.map(|bytes| bytes / f64::from(1 << 20));
    say(
        "memory",
        mebibytes.map(|value| format!("{} MiB", decimal(value))),
    );
    facts
}

pub(super) fn total(totals: &Totals) -> Vec<String> {
    vec![
        format!("requests {}", rate(totals.requests_per_second)),
        format!("calls {}", rate(totals.calls_per_second)),
        format!(
            "in flight {} requests, {} calls",
            decimal(totals.requests_in_flight),
            decimal(totals.calls_in_flight)
        ),
        format!(
            "TTFT p50 {} p95 {}",
            quantile(totals.p50),
            quantile(totals.p95)
        ),
        format!(
            "tokens {} in {} out",
            rate(totals.tokens_in_per_second),
            rate(totals.tokens_out_per_second)
        ),
    ]
}

pub(super) fn failures(totals: &Totals) -> Vec<String> {
    let failed = totals.failed_per_second.iter();
    let mut failed: Vec<_> = failed
        .map(|(class, value)| format!("{class} {}", rate(*value)))
        .collect();
    match failed.first_mut() {
        Some(first) => *first = format!("failed calls: {first}"),
        None => failed.push("failed calls: none".to_owned()),
    }
    failed
}

pub(super) fn counted(shown: &Shown) -> String {
    let pairs = match shown.pairs.len() {
        1 => "1 provider and model".to_owned(),
        pairs => format!("{pairs} pairs of provider and model"),
    };
    format!("{pairs}, over {}", shown.window())
}

/// The warnings in this many lines; the last one says how many more there are.
fn warnings(of: &Shown, columns: usize, room: usize) -> Vec<Line> {
    let mut lines: Vec<_> = of
        .warnings
        .iter()
        .map(|warning| {
            let style = if warning.critical {
                Style::Critical
            } else {
                Style::Warning
            };
            let text = format!("! {}: {}", shown(&warning.title), shown(&warning.detail));
            line(&cut(&text, columns), style)
        })
        .collect();
    let more = lines.len().saturating_sub(room);
    if more > 0 {
        // The last line is theirs.
        lines.truncate(room - 1);
        let text = format!("! {} more warnings: a taller window shows them", more + 1);
        lines.push(line(&cut(&text, columns), Style::Warning));
    }
    lines
}

/// Items side by side, as many as fit into each line.
fn flowed(items: &[String], columns: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for item in items {
        match lines.last_mut() {
            Some(last) if width(last) + 3 + width(item) <= columns => {
                last.push_str("   ");
                last.push_str(item);
            }
            _ => lines.push(cut(item, columns)),
        }
    }
    lines
}
