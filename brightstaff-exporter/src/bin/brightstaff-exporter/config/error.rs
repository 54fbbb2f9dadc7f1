use std::fmt;

use super::{place, shown};

/// What is wrong with a configuration: one line that names the key and how to put it right, and repeats
/// no value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ConfigError(String);

impl ConfigError {
    pub(crate) fn new(key: impl fmt::Display, fault: impl fmt::Display) -> Self {
        Self(format!("{key}: {fault}"))
    }

    /// From TOML that does not parse, or is not of the right shape: one line, with its place.
    pub(super) fn toml(text: &str, error: &toml::de::Error) -> Self {
        let fault = plain(error.message());
        let Some(span) = error.span() else {
            return Self(fault);
        };
        // A span may point past the end of a text that stops too early.
        let mut at = span.start.min(text.len());
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        let mut key = place::key(text, at).unwrap_or_default();
        key.retain(|key| !key.is_empty());
        let duplicate = fault == "duplicate key";
        if duplicate && let Some(twice) = text.get(span) {
            // Between braces only the table around it is known.
            let twice = twice.trim_matches(['"', '\'']);
            key.extend((key.last().is_none_or(|last| last != twice)).then(|| twice.to_owned()));
        }
        let shown = shown::path(&key);
        let fix = if duplicate {
            Some("remove or rename one of the two".to_owned())
        } else if shown.len() < key.len() && !fault.ends_with("expected a table") {
            // What is not ours has no example.
            fix(&fault, &[])
        } else {
            fix(&fault, &shown)
        };
        let mut line = format!("line {}: ", place::line(text, at));
        let key = shown.join(".");
        if !key.is_empty() {
            line += &format!("{key}: ");
        }
        line += &fault;
        if let Some(fix) = fix {
            line += &format!(": {fix}");
        }
        // What is quoted may hold anything, and an error is one line.
        Self(line.replace(char::is_control, " "))
    }
}

/// A parser's message in one line, without the names of Rust's types, and without what it repeats.
fn plain(message: &str) -> String {
    let message = without_values(message).replace('\n', ", ");
    let Some((fault, expected)) = message.rsplit_once(", expected ") else {
        return message;
    };
    let expected = match expected {
        "usize" | "u32" | "u64" => "a whole number",
        "a map" => "a table",
        "a sequence" => "a list",
        name if name.starts_with("struct ") => "a table",
        _ => return message,
    };
    format!("{fault}, expected {expected}")
}

/// The messages of `serde` that repeat what was read, without it. Those of the parser never do.
fn without_values(message: &str) -> String {
    for unknown in ["unknown field", "unknown variant"] {
        if message.starts_with(unknown) {
            // The last: what was read may hold the same words.
            let expected = message.rfind("`, expected ").map(|at| &message[at + 1..]);
            return format!("{unknown}{}", expected.unwrap_or_default());
        }
    }
    for invalid in ["invalid type: ", "invalid value: "] {
        if let Some(rest) = message.strip_prefix(invalid) {
            let kind = rest.split([' ', ',']).next().unwrap_or_default();
            let kind = kind.replace("floating", "floating point");
            let expected = rest.rfind(", expected ").map(|at| &rest[at..]);
            return format!("{invalid}{kind}{}", expected.unwrap_or_default());
        }
    }
    message.to_owned()
}

/// How to put it right, unless the fault says that itself.
fn fix(fault: &str, key: &[&str]) -> Option<String> {
    if fault.contains(": write ") || fault.starts_with("unknown field") {
        return None;
    }
    let missing = fault.strip_prefix("missing field `");
    let missing = missing.and_then(|rest| rest.strip_suffix('`'));
    let Some(name) = missing.or(key.last().copied()) else {
        return Some("write NAME = VALUE".to_owned());
    };
    let value = (!fault.ends_with("expected a table")).then(|| shown::example(name));
    let example = value.flatten().or_else(|| shown::table(key.first()?))?;
    Some(format!("write for example {example}"))
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ConfigError {}
