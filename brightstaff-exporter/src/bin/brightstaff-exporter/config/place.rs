//! Where in a TOML document a fault lies.

use std::ops::Range;

use toml::de::{DeTable, DeValue};

/// The line of this byte, from 1 on.
pub(super) fn line(text: &str, at: usize) -> usize {
    1 + text[..at].matches('\n').count()
}

/// The key at fault, below its tables. A document that does not parse has one, too, wherever it can be told.
pub(super) fn key(text: &str, at: usize) -> Option<Vec<String>> {
    // What was read before, around and behind the fault; what is wrong with it is known already.
    let (document, _) = DeTable::parse_recoverable(text);
    let found = find(document.get_ref(), at);
    let path: Option<Vec<_>> = found.map(|path| path.into_iter().map(str::to_owned).collect());
    path.or_else(|| written(text, at))
}

/// The key of whose text, or whose value's text, this byte is a part.
fn find<'t>(table: &'t DeTable<'_>, at: usize) -> Option<Vec<&'t str>> {
    // The end counts, too: there stands what is missing.
    let holds = |span: Range<usize>| (span.start..=span.end).contains(&at);
    table.iter().find_map(|(key, value)| {
        let (below, here) = match value.get_ref() {
            // Of a table only the header is its own text, unless it stands between braces.
            DeValue::Table(table) => (find(table, at), holds(key.span()) || holds(value.span())),
            _ => {
                let start = key.span().start.min(value.span().start);
                (None, holds(start..value.span().end))
            }
        };
        let mut path = below.or_else(|| here.then(Vec::new))?;
        path.insert(0, key.get_ref());
        Some(path)
    })
}

/// The key that starts the line of this byte, where no value was read for it.
fn written(text: &str, at: usize) -> Option<Vec<String>> {
    let start = text[..at].rfind('\n').map_or(0, |newline| newline + 1);
    let line = text[start..].lines().next()?.trim();
    if line.starts_with('[') {
        return header(line);
    }
    let tables = text[..start].lines().rev().map(str::trim);
    let tables = tables.filter(|line| line.starts_with('[')).find_map(header);
    let mut path = tables.unwrap_or_default();
    path.push(word(line)?);
    Some(path)
}

fn header(line: &str) -> Option<Vec<String>> {
    let tables = word(line.trim_start_matches('['))?;
    Some(tables.split('.').map(str::to_owned).collect())
}

/// What stands before a value, if it looks like a key: never anything that could be a value.
fn word(line: &str) -> Option<String> {
    let word = line
        .split(['=', ']', '#'])
        .next()?
        .split_whitespace()
        .next()?;
    let fits = |c: char| c.is_ascii_alphanumeric() || "-_.\"'".contains(c);
    (word.len() <= 64 && word.chars().all(fits)).then(|| word.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn named(text: &str, expected: &str) {
        let marked = text.find('^').expect("a mark");
        let key = key(&text.replacen('^', "", 1), marked);
        assert_eq!(key.unwrap_or_default().join("."), expected, "{text:?}");
    }

    #[test]
    fn keys_are_named_below_their_tables() {
        named("a = 1\nb = ^1", "b");
        named("a.b = ^1", "a.b");
        named("[a.b]\nc = 1\nd = [\n  1,\n  ^2\n]", "a.b.d");
        named("^[a.b]\nc = 1", "a.b");
        named("^[[a]]\nb = 1", "a");
        named("a = { b = { c = ^1 } }", "a.b.c");
        named("a = { b = 1, ^b = 2 }", "a");
    }

    #[test]
    fn keys_without_a_value_are_named_as_they_are_written() {
        named("a^", "a");
        named("[a.b] # here\nc = 1\n  d ^'x'", "a.b.d");
        named("[a.b^\nc = 1", "a.b");
        named("[a]\nb = 1\n^b = 2", "a.b");
        named("a = ^", "a");
        named("^{\"a\": 1}", "");
        named("^= 2", "");
        named("^", "");
    }
}
