//! What the gateway counted.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use brightstaff_metrics_core::catalogue::{HTTP_IN_FLIGHT, UPSTREAM_IN_FLIGHT};

use super::expected::{COUNTED, Series};
use crate::http;

/// The counts of a scrape that are not 0.
#[derive(Debug, Default)]
pub(super) struct Scrape(pub(super) BTreeMap<Series, f64>);

impl Scrape {
    pub(super) fn get(url: &str) -> Result<Self> {
        Self::parse(&http::get(url)?)
    }

    /// Whether nothing is in flight.
    pub(super) fn rests(&self) -> bool {
        let in_flight = [HTTP_IN_FLIGHT.name, UPSTREAM_IN_FLIGHT.name];
        !self.0.keys().any(|(name, _)| in_flight.contains(&&**name))
    }

    fn parse(text: &str) -> Result<Self> {
        let mut counts = BTreeMap::new();
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let (series, value) = line.rsplit_once(' ').context("no sample")?;
            let (name, labels) = series.split_once('{').unwrap_or((series, ""));
            let value: f64 = value.parse()?;
            if value != 0.0 && COUNTED.contains(&name) {
                let labels = labels.trim_end_matches('}').split(',');
                let pairs = labels.filter_map(|label| label.split_once('='));
                let labels = pairs
                    .map(|(name, value)| (name.to_owned(), value.trim_matches('"').to_owned()));
                counts.insert((name.to_owned(), labels.collect()), value);
            }
        }
        Ok(Self(counts))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_counted_is_read() {
        let text = "# HELP brightstaff_http_requests_total Help.\n\
            brightstaff_http_requests_total{handler=\"llm_chat\",method=\"POST\",status_class=\"2xx\"} 3\n\
            brightstaff_http_requests_total{handler=\"llm_chat\",method=\"POST\",status_class=\"5xx\"} 0\n\
            brightstaff_http_in_flight_requests{handler=\"llm_chat\"} 1\n\
            process_open_fds 17\n";
        let scrape = Scrape::parse(text).unwrap();
        assert_eq!(scrape.0.len(), 2);
        assert!(!scrape.rests());
        let ((_, labels), count) = scrape.0.last_key_value().unwrap();
        assert_eq!((labels["handler"].as_str(), *count), ("llm_chat", 3.0));
    }
}
