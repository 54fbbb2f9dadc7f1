//! Metrics, and the registry to read them from.

#![allow(dead_code)] // No test uses all of it.

use brightstaff_metrics_actix::{Metrics, MetricsMiddleware, brightstaff_metrics_core::Builder};
use prometheus::{Registry, TextEncoder};

pub(crate) struct Recorded {
    registry: Registry,
    pub(crate) metrics: Metrics,
}

impl Recorded {
    pub(crate) fn new() -> Self {
        Self::with(|builder| builder)
    }

    pub(crate) fn with(told: impl FnOnce(Builder) -> Builder) -> Self {
        let registry = Registry::new();
        let builder = told(Metrics::builder().process(false));
        let metrics = builder.register(&registry).unwrap();
        Self { registry, metrics }
    }

    pub(crate) fn middleware(&self) -> MetricsMiddleware {
        MetricsMiddleware::new(self.metrics.clone())
    }

    /// The samples of one family that are not 0.
    pub(crate) fn samples(&self, family: &str) -> Vec<String> {
        let text = TextEncoder::new().encode_to_string(&self.registry.gather());
        let prefix = format!("brightstaff_{family}");
        text.unwrap()
            .lines()
            .filter_map(|line| line.strip_prefix(&*prefix))
            .filter(|line| !line.starts_with("_bucket") && !line.starts_with("_sum"))
            .filter(|line| !line.ends_with(" 0"))
            .map(str::to_owned)
            .collect()
    }

    /// The requests counted so far, as `handler method class count`.
    pub(crate) fn requests(&self) -> Vec<String> {
        let samples = self.samples("http_requests_total");
        let parts = samples.iter().map(|line| line.split('"').collect());
        parts
            .map(|parts: Vec<_>| {
                format!("{} {} {}{}", parts[1], parts[3], parts[5], &parts[6][1..])
            })
            .collect()
    }

    /// What became of requests, all handlers together: how many were measured to an end, are in flight,
    /// were cancelled before the headers, and in the body.
    pub(crate) fn ends(&self) -> [usize; 4] {
        let count = |family, with: &str| {
            let samples = self.samples(family);
            let samples = samples.iter().filter(|line| line.contains(with));
            let values = samples.map(|line| line.rsplit(' ').next()?.parse::<usize>().ok());
            values.flatten().sum()
        };
        [
            count("http_request_duration_seconds_count", ""),
            count("http_in_flight_requests", ""),
            count("http_requests_cancelled_total", "headers"),
            count("http_requests_cancelled_total", "body"),
        ]
    }
}
