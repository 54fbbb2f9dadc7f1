//! What the scripts say that must be counted.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result};
use brightstaff_metrics_core::catalogue::{
    HTTP_IN_FLIGHT, HTTP_REQUESTS, TOKEN_DETAILS, TOKENS, UPSTREAM_IN_FLIGHT, UPSTREAM_REQUESTS,
    USAGE_MISSING,
};
use serde_json::Value;

use super::scrape::Scrape;
use crate::api::Labels;

/// A name, and its labels.
pub(super) type Series = (String, Labels);

/// Everything that is compared: requests, calls, instants, tokens, what is missing of them, what is in flight.
pub(super) const COUNTED: [&str; 11] = [
    HTTP_REQUESTS.name,
    HTTP_DURATIONS,
    HTTP_IN_FLIGHT.name,
    UPSTREAM_REQUESTS.name,
    UPSTREAM_DURATIONS,
    UPSTREAM_IN_FLIGHT.name,
    FIRST_TOKENS,
    TOKENS.name,
    TOKEN_DETAILS.name,
    REQUEST_TOKENS,
    USAGE_MISSING.name,
];

const HTTP_DURATIONS: &str = "brightstaff_http_request_duration_seconds_count";
const UPSTREAM_DURATIONS: &str = "brightstaff_llm_upstream_duration_seconds_count";
const FIRST_TOKENS: &str = "brightstaff_llm_time_to_first_token_seconds_count";
const REQUEST_TOKENS: &str = "brightstaff_llm_request_tokens_count";

/// What a script says of one call of its SDK.
#[derive(Debug)]
pub(super) struct Said {
    pub(super) sdk: String,
    pub(super) version: String,
    pub(super) call: String,
    /// The requests that it made.
    pub(super) requests: Vec<Value>,
    error: Option<String>,
}

impl Said {
    pub(super) fn parse(line: &str) -> Result<Self> {
        let said: Value = serde_json::from_str(line).with_context(|| line.to_owned())?;
        let text = |name: &str| said[name].as_str().map(str::to_owned);
        Ok(Self {
            sdk: text("sdk").context("no sdk")?,
            version: text("version").context("no version")?,
            call: text("call").context("no call")?,
            requests: said["requests"].as_array().context("no requests")?.clone(),
            error: text("error"),
        })
    }

    /// Why it failed, if it did.
    pub(super) fn fault(&self) -> Option<String> {
        let error = self.error.as_ref()?;
        Some(format!("{} {}: {error}", self.sdk, self.call))
    }
}

/// The counts of all calls.
#[derive(Debug, Default)]
pub(super) struct Expected(BTreeMap<Series, f64>);

impl Expected {
    pub(super) fn add(&mut self, said: &Said) -> Result<()> {
        for request in &said.requests {
            self.request(request)
                .with_context(|| format!("{} {}", said.sdk, said.call))?;
        }
        Ok(())
    }

    pub(super) fn series(&self) -> usize {
        self.0.len()
    }

    fn request(&mut self, request: &Value) -> Result<()> {
        let text = |name: &str| request[name].as_str().with_context(|| format!("no {name}"));
        let (handler, method) = (text("handler")?, text("method")?);
        let labels = [
            ("handler", handler),
            ("method", method),
            ("status_class", text("status")?),
        ];
        self.count(HTTP_REQUESTS.name, &labels, 1.0);
        self.count(HTTP_DURATIONS, &[("handler", handler)], 1.0);
        let call = &request["call"];
        if call.is_null() {
            return Ok(());
        }
        let text = |name: &str| call[name].as_str().with_context(|| format!("no {name}"));
        let pair = [("provider", text("provider")?), ("model", text("model")?)];
        let with = |more: &[(&'static str, &'static str)]| [&pair[..], more].concat();
        let answered = with(&[("status_class", "2xx"), ("error_class", "none")]);
        self.count(UPSTREAM_REQUESTS.name, &answered, 1.0);
        self.count(UPSTREAM_DURATIONS, &with(&[("outcome", "ok")]), 1.0);
        if call["streamed"] == true {
            self.count(FIRST_TOKENS, &pair, 1.0);
        }
        for kind in ["prompt", "completion"] {
            if let Some(tokens) = call[kind].as_f64() {
                let labels = [&pair[..], &[("kind", kind)]].concat();
                self.count(TOKENS.name, &labels, tokens);
                self.count(REQUEST_TOKENS, &labels, 1.0);
            }
        }
        for (kind, tokens) in call["details"].as_object().into_iter().flatten() {
            let labels = [&pair[..], &[("kind", kind.as_str())]].concat();
            let tokens = tokens.as_f64().context("a detail is no number")?;
            self.count(TOKEN_DETAILS.name, &labels, tokens);
        }
        if let Some(reason) = call["missing"].as_str() {
            let labels = [&pair[..], &[("reason", reason)]].concat();
            self.count(USAGE_MISSING.name, &labels, 1.0);
        }
        Ok(())
    }

    fn count(&mut self, name: &str, labels: &[(&str, &str)], by: f64) {
        let labels = labels
            .iter()
            .map(|&(name, value)| (name.to_owned(), value.to_owned()));
        *self
            .0
            .entry((name.to_owned(), labels.collect()))
            .or_default() += by;
    }

    /// Where a scrape says something else: each line is one series.
    pub(super) fn differences(&self, scrape: &Scrape) -> Vec<String> {
        let series: BTreeSet<_> = self.0.keys().chain(scrape.0.keys()).collect();
        let differ = series.into_iter().filter_map(|series| {
            let expected = self.0.get(series).copied().unwrap_or_default();
            let counted = scrape.0.get(series).copied().unwrap_or_default();
            let (name, labels) = series;
            let labels: Vec<_> = labels
                .iter()
                .map(|(name, value)| format!("{name}={value}"))
                .collect();
            // Counts of whole things.
            let differs = (expected - counted).abs() > 0.5;
            differs.then(|| format!("{name} {}: {counted}, not {expected}", labels.join(" ")))
        });
        differ.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str = r#"{"sdk": "s", "version": "1", "call": "c", "ok": true, "error": null, "requests": [
        {"handler": "llm_chat", "method": "POST", "status": "2xx", "call": {"provider": "p", "model": "m",
        "streamed": true, "prompt": 25, "completion": 12, "details": {"reasoning": 3}, "missing": null}}]}"#;

    #[test]
    fn a_call_is_counted_in_every_family() {
        let said = Said::parse(&LINE.replace('\n', "")).unwrap();
        assert_eq!(said.fault(), None);
        let mut expected = Expected::default();
        expected.add(&said).unwrap();
        expected.add(&said).unwrap();
        let tokens: Vec<_> = expected
            .0
            .iter()
            .filter(|((name, _), _)| name == TOKENS.name)
            .map(|(_, tokens)| *tokens)
            .collect();
        assert_eq!(tokens, [24.0, 50.0]);
        assert_eq!(expected.series(), 10);
        // Each of them is missed.
        let nothing = Scrape::default();
        assert_eq!(expected.differences(&nothing).len(), 10);
        let all = Scrape(expected.0.clone());
        assert_eq!(expected.differences(&all), [""; 0]);
    }
}
