//! The table of providers and models: its columns, and in which order its rows stand.

use std::cmp::Ordering;

use super::{
    format::{NOTHING, count, decimal, quantile, share},
    pairs::Pair,
    text::{shown, width},
};

/// A column.
#[derive(Debug)]
pub(super) struct Column {
    pub(super) title: &'static str,
    text: fn(&Pair) -> String,
    /// What is sorted by, where it is no text.
    value: Option<fn(&Pair) -> f64>,
    /// How early it goes where there is too little room; 0 stays.
    pub(super) spare: u8,
}

impl Column {
    pub(super) fn is_text(&self) -> bool {
        self.value.is_none()
    }
}

pub(super) const COLUMNS: [Column; 12] = [
    name("PROVIDER", |pair| shown(&pair.provider)),
    name("MODEL", |pair| shown(&pair.model)),
    number("CALLS", 6, |pair| count(pair.calls), |pair| pair.calls),
    number(
        "CALLS/S",
        1,
        |pair| decimal(pair.per_second(pair.calls)),
        |pair| pair.calls,
    ),
    number(
        "SUCCESS",
        2,
        |pair| share(pair.good(), pair.judged()),
        |pair| ratio(pair.good(), pair.judged()),
    ),
    number(
        "TTFT P50",
        7,
        |pair| quantile(pair.p50),
        |pair| pair.p50.value(),
    ),
    number(
        "TTFT P95",
        3,
        |pair| quantile(pair.p95),
        |pair| pair.p95.value(),
    ),
    number(
        "TOK/S IN",
        8,
        |pair| decimal(pair.per_second(pair.tokens_in)),
        |pair| pair.tokens_in,
    ),
    number(
        "TOK/S OUT",
        4,
        |pair| decimal(pair.per_second(pair.tokens_out)),
        |pair| pair.tokens_out,
    ),
    number("PER STREAM", 5, |pair| finite(pair.speed()), Pair::speed),
    number(
        "NO USAGE",
        9,
        |pair| share(pair.usage_missing, pair.succeeded_2xx),
        |pair| ratio(pair.usage_missing, pair.succeeded_2xx),
    ),
    number(
        "IN FLIGHT*",
        10,
        |pair| count(pair.in_flight),
        |pair| pair.in_flight,
    ),
];

/// The column that is sorted by at first.
const CALLS: usize = 2;

/// In which order rows stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sort {
    pub(super) column: usize,
    pub(super) falling: bool,
}

impl Default for Sort {
    fn default() -> Self {
        Self::by(CALLS)
    }
}

impl Sort {
    /// By this column: numbers with the largest first.
    fn by(column: usize) -> Self {
        let falling = !COLUMNS[column].is_text();
        Self { column, falling }
    }

    /// By a column so many to the right.
    pub(super) fn moved(self, by: usize) -> Self {
        Self::by((self.column + by) % COLUMNS.len())
    }

    pub(super) fn reversed(self) -> Self {
        let falling = !self.falling;
        Self { falling, ..self }
    }

    /// What was not measured stands last, whichever way.
    pub(super) fn apply(self, pairs: &mut [Pair]) {
        let Column { text, value, .. } = &COLUMNS[self.column];
        let turned = |order: Ordering| if self.falling { order.reverse() } else { order };
        let names = |pair: &Pair| (pair.provider.clone(), pair.model.clone());
        pairs.sort_by(|a, b| {
            let order = match value {
                None => turned(text(a).cmp(&text(b))),
                Some(value) => match (value(a), value(b)) {
                    (a, b) if a.is_nan() || b.is_nan() => a.is_nan().cmp(&b.is_nan()),
                    (a, b) => turned(a.total_cmp(&b)),
                },
            };
            order.then_with(|| names(a).cmp(&names(b)))
        });
    }
}

/// The cells of all rows, and how wide each column has to be.
#[derive(Debug)]
pub(super) struct Cells {
    pub(super) rows: Vec<[String; COLUMNS.len()]>,
    pub(super) widths: [usize; COLUMNS.len()],
}

impl Cells {
    pub(super) fn of(pairs: &[Pair]) -> Self {
        let rows: Vec<_> = pairs
            .iter()
            .map(|pair| COLUMNS.each_ref().map(|column| (column.text)(pair)))
            .collect();
        let mut widths = COLUMNS.each_ref().map(|column| width(column.title));
        for row in &rows {
            for (cell, known) in row.iter().zip(&mut widths) {
                *known = (*known).max(width(cell));
            }
        }
        Self { rows, widths }
    }
}

const fn name(title: &'static str, text: fn(&Pair) -> String) -> Column {
    Column {
        title,
        text,
        value: None,
        spare: 0,
    }
}

const fn number(
    title: &'static str,
    spare: u8,
    text: fn(&Pair) -> String,
    value: fn(&Pair) -> f64,
) -> Column {
    Column {
        title,
        text,
        value: Some(value),
        spare,
    }
}

fn ratio(part: f64, whole: f64) -> f64 {
    if whole > 0.0 { part / whole } else { f64::NAN }
}

fn finite(value: f64) -> String {
    if value.is_nan() {
        NOTHING.to_owned()
    } else {
        decimal(value)
    }
}
