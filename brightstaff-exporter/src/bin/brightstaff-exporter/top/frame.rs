//! A screen of so many columns and rows, as lines of styled text.

use std::iter::repeat_n;

use super::{
    head::head,
    line::{Line, Piece, Style, line},
    table::{COLUMNS, Cells, Sort},
    text::{cut, width},
    view::Summary,
};

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
        None if summary.answered && left > 0 => {
            lines.push(line("rates need two scrapes: one moment", Style::Dim));
        }
        None => {}
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
