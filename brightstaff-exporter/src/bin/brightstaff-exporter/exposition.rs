//! Reads lines of the text exposition format, version 0.0.4.

use std::{collections::BTreeMap, fmt};

/// The labels of a series, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Labels(BTreeMap<String, String>);

impl Labels {
    pub(crate) fn new<const N: usize>(labels: [(&str, &str); N]) -> Self {
        let labels = labels.map(|(name, value)| (name.to_owned(), value.to_owned()));
        Self(labels.into())
    }

    /// The value of the label of this name; none is the same as an empty one.
    pub(crate) fn get(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (&**name, &**value))
    }
}

impl fmt::Display for Labels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let labels = self
            .0
            .iter()
            .map(|(name, value)| format!("{name}={value:?}"));
        write!(f, "{{{}}}", labels.collect::<Vec<_>>().join(","))
    }
}

/// Reads a line that holds a sample: its name, its labels and its value.
pub(crate) fn sample(line: &str) -> Option<(&str, Labels, f64)> {
    let end = line.find(['{', ' ', '\t'])?;
    let (name, rest) = line.split_at(end);
    let (labels, rest) = match rest.strip_prefix('{') {
        Some(rest) => labels(rest)?,
        None => (Labels::default(), rest),
    };
    let value = rest.split_whitespace().next()?;
    Some((name, labels, value.parse().ok()?))
}

/// Reads `name="value",…}`, and gives back what follows.
fn labels(mut rest: &str) -> Option<(Labels, &str)> {
    let mut labels = BTreeMap::new();
    loop {
        rest = rest.trim_start_matches([',', ' ']);
        if let Some(rest) = rest.strip_prefix('}') {
            return Some((Labels(labels), rest));
        }
        let (name, after) = rest.split_once("=\"")?;
        let (value, after) = quoted(after)?;
        labels.insert(name.to_owned(), value);
        rest = after;
    }
}

/// Reads up to the closing quote, and takes the escapes away.
fn quoted(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Some((value, &text[at + 1..])),
            '\\' => value.push(match chars.next()?.1 {
                'n' => '\n',
                escaped => escaped,
            }),
            c => value.push(c),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_samples_of_every_form() {
        let (name, labels, value) = sample("a 3").unwrap();
        assert_eq!((name, labels, value), ("a", Labels::default(), 3.0));
        let (name, labels, value) = sample("b{x=\"1\",y=\"a \\\"q\\\" \\\\ \\n}\"} 2.5").unwrap();
        assert_eq!((name, value), ("b", 2.5));
        assert_eq!((labels.get("x"), labels.get("y")), ("1", "a \"q\" \\ \n}"));
        assert_eq!(labels.get("z"), "");
        let (_, labels, value) = sample("c_bucket{le=\"+Inf\"} +Inf 1700000000").unwrap();
        assert_eq!((labels.get("le"), value), ("+Inf", f64::INFINITY));
    }

    #[test]
    fn refuses_what_is_no_sample() {
        for line in ["a", "a{x=\"1} 2", "a b", "a{x} 1"] {
            assert!(sample(line).is_none(), "{line}");
        }
    }
}
