//! What must be counted, beside what is.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail};
use brightstaff_metrics_core::catalogue::{
    HTTP_CANCELLED, HTTP_IN_FLIGHT, HTTP_REQUEST_DURATION, HTTP_REQUESTS, PROCESS_OPEN_FDS,
    PROCESS_RESIDENT_MEMORY, TOKENS, UPSTREAM_DURATION, UPSTREAM_REQUESTS,
};

use super::rows::{Counted, Row};
use crate::http;

/// Counts by what is counted: the family, and the values of the labels that matter here.
pub(super) type Counts = BTreeMap<Vec<String>, u64>;

/// What must be counted, by what was sent.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    counts: Counts,
    pub(super) requests: u64,
}

impl Ledger {
    pub(super) fn add(&mut self, row: &Row) {
        self.requests += 1;
        match row.counted {
            Counted::As(handler, method, class) => self.request(handler, method, class),
            Counted::Cancelled(handler, class, phase) => {
                self.request(handler, row.method, class);
                self.count(&[HTTP_CANCELLED.name, handler, phase], 1);
            }
            Counted::Not => {}
        }
        for (provider, class, error) in row.calls {
            self.count(&[UPSTREAM_REQUESTS.name, provider, class, error], 1);
            self.count(&[UPSTREAM_DURATION.name, provider], 1);
        }
        let (prompt, completion) = row.tokens;
        if let (1.., Some((provider, ..))) = (prompt, row.calls.last()) {
            self.count(&[TOKENS.name, provider, "prompt"], prompt);
            self.count(&[TOKENS.name, provider, "completion"], completion);
        }
    }

    fn request(&mut self, handler: &str, method: &str, class: &str) {
        self.count(&[HTTP_REQUESTS.name, handler, method, class], 1);
        self.count(&[HTTP_REQUEST_DURATION.name, handler], 1);
    }

    fn count(&mut self, what: &[&str], count: u64) {
        let what = what.iter().map(|&part| part.to_owned()).collect();
        *self.counts.entry(what).or_default() += count;
    }

    /// Where the two differ: each line is one count.
    pub(super) fn differences(&self, scrape: &Scrape) -> Vec<String> {
        let expected = &self.counts;
        let mut whats: Vec<_> = expected.keys().chain(scrape.counts.keys()).collect();
        whats.sort_unstable();
        whats.dedup();
        let zero = &0;
        let differ = whats.into_iter().filter_map(|what| {
            let expected = expected.get(what).unwrap_or(zero);
            let counted = scrape.counts.get(what).unwrap_or(zero);
            let what = what.join(" ");
            (expected != counted).then(|| format!("{what}: {counted}, not {expected}"))
        });
        let mut differ: Vec<_> = differ.collect();
        if scrape.in_flight != 0.0 {
            differ.push(format!("{} requests in flight", scrape.in_flight));
        }
        differ
    }
}

/// What the gateway says.
#[derive(Debug, Default)]
pub(super) struct Scrape {
    /// Those that are not 0.
    counts: Counts,
    in_flight: f64,
    pub(super) resident_bytes: f64,
    pub(super) open_fds: f64,
}

impl Scrape {
    pub(super) fn get(url: &str) -> Result<Self> {
        Self::parse(&http::get(url)?)
    }

    fn parse(text: &str) -> Result<Self> {
        let mut scrape = Self::default();
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let (series, value) = line.rsplit_once(' ').context("no sample")?;
            let value: f64 = value.parse()?;
            let (name, labels) = series.split_once('{').unwrap_or((series, ""));
            let label = |wanted: &str| {
                let mut labels = labels.trim_end_matches('}').split(',');
                let value = labels.find_map(|label| {
                    let (name, value) = label.split_once('=')?;
                    (name == wanted).then(|| value.trim_matches('"').to_owned())
                });
                value.with_context(|| format!("{series} has no label {wanted}"))
            };
            let wanted: &[&str] = match name.strip_suffix("_count").unwrap_or(name) {
                name if name == HTTP_REQUESTS.name => &["handler", "method", "status_class"],
                name if name == HTTP_CANCELLED.name => &["handler", "phase"],
                name if name == HTTP_REQUEST_DURATION.name => &["handler"],
                name if name == UPSTREAM_REQUESTS.name => {
                    &["provider", "status_class", "error_class"]
                }
                name if name == UPSTREAM_DURATION.name => &["provider"],
                name if name == TOKENS.name => &["provider", "kind"],
                name if name == HTTP_IN_FLIGHT.name => {
                    scrape.in_flight += value;
                    continue;
                }
                name if name == PROCESS_RESIDENT_MEMORY.name => {
                    scrape.resident_bytes = value;
                    continue;
                }
                name if name == PROCESS_OPEN_FDS.name => {
                    scrape.open_fds = value;
                    continue;
                }
                _ => continue,
            };
            let mut what = vec![name.strip_suffix("_count").unwrap_or(name).to_owned()];
            for name in wanted {
                what.push(label(name)?);
            }
            if value != 0.0 {
                *scrape.counts.entry(what).or_default() += whole(value)?;
            }
        }
        Ok(scrape)
    }
}

fn whole(count: f64) -> Result<u64> {
    match count.to_string().parse() {
        Ok(count) => Ok(count),
        Err(_) => bail!("{count} is no count"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::soak::table::rows;

    const TEXT: &str = "\
# HELP brightstaff_http_requests_total Help.
brightstaff_http_requests_total{handler=\"llm_chat\",method=\"POST\",status_class=\"2xx\"} 1
brightstaff_http_requests_total{handler=\"llm_chat\",method=\"POST\",status_class=\"5xx\"} 0
brightstaff_http_request_duration_seconds_bucket{handler=\"llm_chat\",le=\"1\"} 1
brightstaff_http_request_duration_seconds_sum{handler=\"llm_chat\"} 0.5
brightstaff_http_request_duration_seconds_count{handler=\"llm_chat\"} 1
brightstaff_http_in_flight_requests{handler=\"llm_chat\"} 0
brightstaff_llm_upstream_requests_total{error_class=\"none\",model=\"m\",provider=\"openai\",status_class=\"2xx\"} 1
brightstaff_llm_upstream_duration_seconds_count{model=\"m\",outcome=\"ok\",provider=\"openai\"} 1
brightstaff_llm_tokens_total{kind=\"prompt\",model=\"m\",provider=\"openai\"} 7
brightstaff_llm_tokens_total{kind=\"completion\",model=\"m\",provider=\"openai\"} 5
process_open_fds 17
process_resident_memory_bytes 1e+07
";

    fn differences(text: &str) -> Vec<String> {
        let mut ledger = Ledger::default();
        ledger.add(rows().next().unwrap());
        ledger.differences(&Scrape::parse(text).unwrap())
    }

    #[test]
    fn what_is_counted_right_does_not_differ() {
        assert_eq!(differences(TEXT), [""; 0]);
        let scrape = Scrape::parse(TEXT).unwrap();
        assert_eq!((scrape.open_fds, scrape.resident_bytes), (17.0, 1e7));
    }

    #[test]
    fn what_is_counted_wrong_differs() {
        for (right, wrong, count) in [
            (
                "\"2xx\"} 1\nbrightstaff_http",
                "\"2xx\"} 2\nbrightstaff_http",
                1,
            ),
            ("\"5xx\"} 0", "\"5xx\"} 1", 1),
            (
                "count{handler=\"llm_chat\"} 1",
                "count{handler=\"llm_chat\"} 2",
                1,
            ),
            (
                "requests{handler=\"llm_chat\"} 0",
                "requests{handler=\"llm_chat\"} 1",
                1,
            ),
            ("error_class=\"none\"", "error_class=\"stream\"", 2),
            ("\"openai\"} 7", "\"openai\"} 8", 1),
            ("\"openai\"} 5", "\"openai\"} 0", 1),
        ] {
            assert!(TEXT.contains(right), "{right}");
            let differences = differences(&TEXT.replace(right, wrong));
            assert_eq!(differences.len(), count, "{wrong}: {differences:?}");
        }
    }
}
