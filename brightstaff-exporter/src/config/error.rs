use std::fmt;

use super::place;

/// Shows every key, and is checked by a test: what it says of a key is an example of a right value.
const EXAMPLE: &str = include_str!("../../gateway.toml");

/// What is wrong with a configuration: one line that names the key and how to put it right.
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
        let fix = if fault == "duplicate key" {
            let twice = text.get(span).map(|twice| twice.trim_matches(['"', '\'']));
            // Between braces only the table around it is known.
            key.extend(
                twice
                    .filter(|twice| key.last().is_none_or(|last| last != twice))
                    .map(str::to_owned),
            );
            Some("remove or rename one of the two".to_owned())
        } else {
            fix(&fault, &key)
        };
        let mut line = format!("line {}: ", place::line(text, at));
        let key = key.join(".");
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

/// A parser's message in one line, and without the names of Rust's types.
fn plain(message: &str) -> String {
    let message = message.replace('\n', ", ");
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
    let fault = fault.trim_end_matches(" as i128");
    format!("{fault}, expected {expected}")
}

/// How to put it right, unless the fault says that itself.
fn fix(fault: &str, key: &[String]) -> Option<String> {
    if fault.contains(": write ") || fault.starts_with("unknown field") {
        return None;
    }
    let missing = fault.strip_prefix("missing field `");
    let missing = missing.and_then(|rest| rest.strip_suffix('`'));
    let Some(name) = missing.or(key.last().map(String::as_str)) else {
        return Some("write NAME = VALUE".to_owned());
    };
    let value = (!fault.ends_with("expected a table")).then(|| example(name, &[" = "]));
    let table = || example(&format!("[{}", key.first()?), &[".", "]"]);
    let example = value.flatten().or_else(table)?;
    Some(format!("write for example {example}"))
}

/// The line of the example that starts with this, and goes on with one of those.
fn example(start: &str, ends: &[&str]) -> Option<&'static str> {
    let ended = |rest: &str| ends.iter().any(|end| rest.starts_with(end));
    EXAMPLE
        .lines()
        .find(|line| line.strip_prefix(start).is_some_and(ended))
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ConfigError {}
