//! The shipped rules, played faster: every duration divided by the same factor, and nothing else touched.

use anyhow::{Context, Result};

/// The windows of rules, in seconds, where an expression multiplies a rate by one, or divides by it.
const WINDOWS: [&str; 3] = ["300", "3600", "21600"];

/// A file of rules whose durations are divided by this factor.
pub(super) fn rules(file: &str, factor: u32) -> Result<String> {
    let lines = file.lines().map(|line| {
        let (key, value) = line.split_once(": ").unwrap_or((line, ""));
        Ok(match key.trim_start() {
            "for" | "interval" => format!("{key}: {}\n", duration(value, factor)?),
            "expr" => format!("{key}: {}\n", expression(value, factor)?),
            _ => format!("{line}\n"),
        })
    });
    lines.collect()
}

/// As Prometheus writes it.
fn duration(text: &str, factor: u32) -> Result<String> {
    Ok(format!("{}ms", milliseconds(text)? / u64::from(factor)))
}

/// A duration of one unit.
pub(super) fn milliseconds(text: &str) -> Result<u64> {
    let (number, unit) = text.split_at(text.len().saturating_sub(1));
    let unit = match unit {
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        _ => anyhow::bail!("{text} is no duration of one unit"),
    };
    let number: u64 = number
        .parse()
        .with_context(|| format!("{text} is no duration"))?;
    Ok(number * unit)
}

/// The ranges in brackets, and the seconds of a window that stand for one.
fn expression(text: &str, factor: u32) -> Result<String> {
    let mut out = String::new();
    let mut pieces = text.split('[');
    out += &seconds(pieces.next().unwrap_or_default(), factor)?;
    for piece in pieces {
        let (range, rest) = piece.split_once(']').context("a range has an end")?;
        // The step of a subquery says how finely it looks, and not how far.
        let (range, step) = match range.split_once(':') {
            Some((range, step)) => (range, format!(":{step}")),
            None => (range, String::new()),
        };
        let range = duration(range, factor)?;
        out += &format!("[{range}{step}]{}", seconds(rest, factor)?);
    }
    Ok(out)
}

fn seconds(text: &str, factor: u32) -> Result<String> {
    let mut words = Vec::new();
    let mut operator = false;
    for word in text.split(' ') {
        let digits = word.trim_end_matches(|c: char| !c.is_ascii_digit());
        if operator && WINDOWS.contains(&digits) {
            let faster = digits.parse::<f64>()? / f64::from(factor);
            words.push(format!("{faster}{}", &word[digits.len()..]));
        } else {
            words.push(word.to_owned());
        }
        operator = matches!(word, "*" | "/");
    }
    Ok(words.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules;

    #[test]
    fn every_duration_is_divided_and_nothing_else() {
        let group = "  - name: a\n    interval: 30s\n    rules:\n      - alert: A\n        expr: (a:rate1h > 0.05) and (rate(b{c=\"1h\"}[1h]) * 3600) >= 30\n        for: 2m\n        description: over 1h\n";
        let faster = "  - name: a\n    interval: 1000ms\n    rules:\n      - alert: A\n        expr: (a:rate1h > 0.05) and (rate(b{c=\"1h\"}[120000ms]) * 120) >= 30\n        for: 4000ms\n        description: over 1h\n";
        assert_eq!(rules(group, 30).unwrap(), faster);
        let subquery = "        expr: (time() - min_over_time(a[5m:1s])) / 300, 1)\n";
        let faster = "        expr: (time() - min_over_time(a[7500ms:1s])) / 7.5, 1)\n";
        assert_eq!(rules(subquery, 40).unwrap(), faster);
    }

    #[test]
    fn no_window_of_the_shipped_rules_stays() {
        let yaml = |text: &str| text.starts_with("# Generated from the catalogue");
        for (path, file) in rules::files() {
            if !yaml(&file) || path.starts_with("config/kubernetes") {
                continue;
            }
            let faster = rules(&file, 30).unwrap();
            let (mut ranges, mut changed) = (0, 0);
            for (before, after) in file.lines().zip(faster.lines()) {
                ranges += before.matches('[').count();
                changed += usize::from(before != after);
                for window in ["m]", "h]", "[5m:", "* 3600", "* 21600", "* 300", "/ 300"] {
                    assert!(!after.contains(window), "{window} in {after}");
                }
            }
            assert!(changed > 12 && ranges > 1, "{}", path.display());
        }
    }
}
