use std::fmt;

use super::report::Report;

const HEAD: [&str; 12] = [
    "ANSWER",
    "API",
    "MODEL",
    "END",
    "EVENTS",
    "FIRST TOKEN",
    "PROMPT",
    "COMPLETION",
    "CACHE READ",
    "CACHE WRITE",
    "REASONING",
    "USAGE MISSING",
];

/// From here on columns are numbers, to the one before the last.
const NUMBERS: std::ops::Range<usize> = 4..11;

/// Reports, for people.
#[derive(Debug)]
pub(super) struct Table {
    rows: Vec<[String; HEAD.len()]>,
}

impl Table {
    pub(super) fn new() -> Self {
        Self {
            rows: vec![HEAD.map(str::to_owned)],
        }
    }

    pub(super) fn push(&mut self, report: &Report) {
        let text = |text: Option<&str>| text.unwrap_or("-").to_owned();
        let number = |number: Option<u64>| number.map_or("-".to_owned(), |n| n.to_string());
        self.rows.push([
            text(report.id.as_deref().or(report.file.as_deref())),
            text(report.api),
            text(report.model.as_deref()),
            report.end.to_owned(),
            number(report.streaming.then_some(report.events)),
            number(report.first_token_event),
            number(report.prompt_tokens),
            number(report.completion_tokens),
            number(report.cache_read_tokens),
            number(report.cache_write_tokens),
            number(report.reasoning_tokens),
            text(report.usage_missing_reason),
        ]);
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = |column: usize| {
            let cells = self.rows.iter().map(|row| row[column].chars().count());
            cells.max().unwrap_or(0)
        };
        let widths: Vec<_> = (0..HEAD.len()).map(width).collect();
        for row in &self.rows {
            let mut line = String::new();
            for (column, (cell, &width)) in row.iter().zip(&widths).enumerate() {
                line += &if NUMBERS.contains(&column) {
                    format!("{cell:>width$}  ")
                } else {
                    format!("{cell:<width$}  ")
                };
            }
            writeln!(f, "{}", line.trim_end())?;
        }
        Ok(())
    }
}
