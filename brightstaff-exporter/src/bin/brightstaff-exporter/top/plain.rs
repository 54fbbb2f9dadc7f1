//! The table as plain lines, for files, pipes and terminals that can do nothing.

use super::{
    format::age,
    head::{counted, facts, failures, total},
    table::{COLUMNS, Cells, Sort},
    text::{shown, width},
    view::{Shown, Summary},
};

/// All that there is to say, whatever its width.
pub(super) fn plain(url: &str, mut summary: Summary) -> String {
    let mut lines = vec![url.to_owned(), facts(&summary).join("   ")];
    if let Some((why, seconds)) = &summary.lost {
        lines.push(format!(
            "not answering for {} ({})",
            age(*seconds),
            shown(why)
        ));
    }
    lines.append(&mut summary.notes);
    if let Some(mut of) = summary.shown {
        Sort::default().apply(&mut of.pairs);
        lines.push(total(&of.totals).join("   "));
        lines.push(failures(&of.totals).join("   "));
        let told = of.warnings.iter();
        lines.extend(
            told.map(|warning| format!("! {}: {}", shown(&warning.title), shown(&warning.detail))),
        );
        lines.push(counted(&of));
        lines.extend(if of.pairs.is_empty() {
            Vec::new()
        } else {
            table(&of)
        });
    }
    lines.retain(|line| !line.is_empty());
    lines.join("\n")
}

fn table(of: &Shown) -> Vec<String> {
    let Cells { rows, widths } = Cells::of(&of.pairs);
    let titles = COLUMNS.each_ref().map(|column| column.title.to_owned());
    let mut lines: Vec<_> = std::iter::once(&titles)
        .chain(&rows)
        .map(|cells| {
            let mut text = String::new();
            for ((cell, wide), column) in cells.iter().zip(&widths).zip(&COLUMNS) {
                let pad = " ".repeat(wide - width(cell));
                let [first, second] = if column.is_text() {
                    [cell, &pad]
                } else {
                    [&pad, cell]
                };
                text.push_str(first);
                text.push_str(second);
                text.push_str("  ");
            }
            text.trim_end().to_owned()
        })
        .collect();
    lines.push("* of the whole provider".to_owned());
    lines
}
