//! Reads the text exposition format.

use std::{collections::BTreeMap, fmt, net::SocketAddr};

use anyhow::{Context, Result};

use super::client;

/// The labels of a series, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Labels(BTreeMap<String, String>);

impl Labels {
    pub(crate) fn new<const N: usize>(labels: [(&str, &str); N]) -> Self {
        let labels = labels.map(|(name, value)| (name.to_owned(), value.to_owned()));
        Self(labels.into())
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

/// Every sample of a scrape, by name and labels.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Scrape(BTreeMap<String, BTreeMap<Labels, f64>>);

impl Scrape {
    /// Gets `/metrics` from there.
    pub(crate) async fn get(from: SocketAddr) -> Result<Self> {
        let text = client::get(from, "/metrics").await?;
        Self::parse(&text)
    }

    /// Reads an exposition in text format 0.0.4.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let mut scrape = Self::default();
        for line in text.lines().map(str::trim) {
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let (name, labels, value) =
                sample(line).with_context(|| format!("not a sample: {line}"))?;
            let series = scrape.0.entry(name.to_owned()).or_default();
            anyhow::ensure!(series.insert(labels, value).is_none(), "twice: {line}");
        }
        Ok(scrape)
    }

    /// The samples of this name.
    pub(crate) fn samples(&self, name: &str) -> impl Iterator<Item = (&Labels, f64)> {
        let samples = self.0.get(name).into_iter().flatten();
        samples.map(|(labels, value)| (labels, *value))
    }

    /// The value of one series; what is not there has counted nothing.
    pub(crate) fn value(&self, name: &str, labels: &Labels) -> f64 {
        let value = self.0.get(name).and_then(|series| series.get(labels));
        value.copied().unwrap_or(0.0)
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// The gateway's own samples, without those of the process, which move by themselves.
    pub(crate) fn without_process(mut self) -> Self {
        self.0.retain(|name, _| !name.starts_with("process_"));
        self
    }
}

fn sample(line: &str) -> Option<(&str, Labels, f64)> {
    let end = line.find(['{', ' '])?;
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
        let text = "# HELP a Help.\n# TYPE a counter\na 3\nb{x=\"1\",y=\"a \\\"q\\\" \\\\ \\n}\"} 2.5\n\
                    c_bucket{le=\"+Inf\"} +Inf 1700000000\n";
        let scrape = Scrape::parse(text).unwrap();
        assert_eq!(scrape.value("a", &Labels::default()), 3.0);
        let labels = Labels::new([("y", "a \"q\" \\ \n}"), ("x", "1")]);
        assert_eq!(scrape.value("b", &labels), 2.5);
        assert_eq!(scrape.samples("c_bucket").next().unwrap().1, f64::INFINITY);
        assert_eq!(scrape.value("c", &labels), 0.0);
        assert_eq!(scrape.names().count(), 3);
    }

    #[test]
    fn refuses_what_is_no_exposition() {
        for text in ["a", "a{x=\"1} 2", "a b", "a 1\na 2", "a{x} 1"] {
            assert!(Scrape::parse(text).is_err(), "{text}");
        }
    }
}
