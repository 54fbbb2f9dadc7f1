//! All that a scrape says.

use std::{collections::BTreeMap, net::SocketAddr};

use anyhow::{Context, Result};

use super::client;
use crate::exposition::{Labels, sample};

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
