//! A screen of so many columns and rows, as lines of styled text.

use std::iter::repeat_n;

use super::{
    format::{age, decimal, quantile, rate},
    table::{COLUMNS, Cells, Sort},
    text::{cut, shown, width},
    view::{Shown, Summary, Totals},
};

/// How a piece of text stands out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Style {
    #[default]
    Plain,
    Bold,
    Dim,
    Reverse,
    Warning,
    Critical,
}

/// A piece of a line, and at which column it begins, from 0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Piece {
    pub(super) column: usize,
    pub(super) text: String,
    pub(super) style: Style,
}

pub(super) type Line = Vec<Piece>;

/// A line in one style.
pub(super) fn line(text: &str, style: Style) -> Line {
    let text = text.to_owned();
    vec![Piece {
        column: 0,
        text,
        style,
    }]
}

/// What the keys chose.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Choice {
    pub(super) sort: Sort,
    /// The first row that is shown.
    pub(super) scroll: usize,
}

/// The size of a terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Size {
    pub(super) columns: usize,
    pub(super) rows: usize,
}

/// Names are not made narrower than this before columns go.
const MIN_NAME: usize = 14;

/// Columns that a whole screen has below what is said in its head: two rows of the table, and its own head.
const MIN_TABLE: usize = 3;

const GAP: usize = 2;

const KEYS: &str =
    "q quit   s sort   r reverse   arrows, PgUp, PgDn scroll   * of the whole provider";

/// What fits into the screen, and the last row that one can scroll to.
pub(super) fn frame(
    url: &str,
    summary: &Summary,
    choice: Choice,
    size: Size,
    keys: bool,
) -> (Vec<Line>, usize) {
    let Size { columns, rows } = size;
    let foot = usize::from(rows >= 8);
    let room = rows.saturating_sub(MIN_TABLE + foot).max(1);
    let mut lines = head(url, summary, columns, room);
    let left = rows.saturating_sub(lines.len() + foot);
    let mut last = 0;
    match &summary.shown {
        None => {
            let text = "rates need two scrapes: one moment";
            lines.extend((left > 0).then(|| line(text, Style::Dim)));
        }
        Some(shown) => {
            let cells = Cells::of(&shown.pairs);
            let body = left.saturating_sub(1);
            last = cells.rows.len().saturating_sub(body.max(1));
            lines.extend(table(
                &cells,
                choice.sort,
                columns,
                choice.scroll.min(last),
                left,
            ));
        }
    }
    lines.truncate(rows);
    if foot == 1 {
        lines.resize(rows - 1, Line::new());
        let text = if keys {
            KEYS
        } else {
            "Ctrl-C quits   * of the whole provider"
        };
        lines.push(line(&cut(text, columns), Style::Dim));
    }
    (lines, last)
}

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
        None => (format!("{url}   live"), Style::Bold),
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

/// The table from this row on, in so many lines.
fn table(cells: &Cells, sort: Sort, columns: usize, from: usize, room: usize) -> Vec<Line> {
    let widths = fitted(cells.widths, columns);
    let mut titles = COLUMNS.each_ref().map(|column| column.title.to_owned());
    titles[sort.column].push(if sort.falling { '↓' } else { '↑' });
    // One bar, the gaps included. The arrow stands in one of them.
    let mut bar = String::new();
    for Piece { column, text, .. } in row(&titles, &widths, 1) {
        bar.extend(repeat_n(' ', column.saturating_sub(width(&bar))));
        bar.push_str(&text);
    }
    let mut lines = vec![line(&cut(&bar, columns), Style::Reverse)];
    let rows = cells.rows.iter().skip(from);
    lines.extend(rows.map(|cells| row(cells, &widths, 0)));
    lines.truncate(room);
    lines
}

/// The cells where they belong; each may take so many columns more than its own.
fn row(cells: &[String; COLUMNS.len()], widths: &[usize; COLUMNS.len()], more: usize) -> Line {
    let mut at = 0;
    let mut pieces = Line::new();
    for ((cell, &wide), column) in cells.iter().zip(widths).zip(&COLUMNS) {
        if wide == 0 {
            continue;
        }
        let text = cut(cell, wide + more);
        let column = if column.is_text() {
            at
        } else {
            (at + wide).saturating_sub(width(&text))
        };
        let style = Style::Plain;
        pieces.push(Piece {
            column,
            text,
            style,
        });
        at += wide + GAP;
    }
    pieces
}

/// Widths that fit: names are cut first, then columns go, those that can be spared most first, then names are cut again.
fn fitted(mut widths: [usize; COLUMNS.len()], columns: usize) -> [usize; COLUMNS.len()] {
    let takes = |widths: &[usize]| {
        let there = widths.iter().filter(|wide| **wide > 0);
        there
            .map(|wide| wide + GAP)
            .sum::<usize>()
            .saturating_sub(GAP)
    };
    narrow(&mut widths, columns, MIN_NAME, takes);
    let mut by_spare: Vec<usize> = (0..COLUMNS.len()).collect();
    by_spare.sort_by_key(|&index| std::cmp::Reverse(COLUMNS[index].spare));
    for index in by_spare {
        if COLUMNS[index].spare > 0 && takes(&widths) > columns {
            widths[index] = 0;
        }
    }
    narrow(&mut widths, columns, 1, takes);
    widths
}

/// Takes columns from the wider of the names until all fits, or both are as narrow as this.
fn narrow(
    widths: &mut [usize; COLUMNS.len()],
    columns: usize,
    least: usize,
    takes: impl Fn(&[usize]) -> usize,
) {
    let mut over = takes(widths).saturating_sub(columns);
    while over > 0 {
        let wider = usize::from(widths[1] > widths[0]);
        if widths[wider] <= least {
            return;
        }
        widths[wider] -= 1;
        over -= 1;
    }
}
