//! What is compared with: a published layer, and what gateways write by themselves.

use std::time::Instant;

use axum::{
    body::{Body, to_bytes},
    extract::{MatchedPath, Request, State},
    middleware::{Next, from_fn, from_fn_with_state},
    response::Response,
};
use axum_prometheus::{
    PrometheusMetricLayer,
    metrics::{counter, gauge, histogram},
};
use prometheus::{CounterVec, GaugeVec, HistogramVec, histogram_opts, opts};

use crate::apps::{Apps, relay, routed, router};

pub(crate) fn requests() -> Apps {
    // Installs the recorder that the macros tell, too.
    let incumbent = PrometheusMetricLayer::pair().0;
    vec![
        ("axum-prometheus", routed(router().layer(incumbent))),
        ("macros of metrics", routed(router().layer(from_fn(macros)))),
    ]
}

pub(crate) fn calls() -> Apps {
    let vecs = Vecs::new();
    let buffering = relay().layer(from_fn_with_state(vecs, buffered));
    vec![("with_label_values, serde_json", routed(buffering))]
}

/// As the macros of the crate `metrics` are commonly used.
async fn macros(request: Request, next: Next) -> Response {
    let start = Instant::now();
    let method = request.method().clone();
    let path = request.extensions().get::<MatchedPath>();
    let path = path.map_or_else(
        || request.uri().path().to_owned(),
        |path| path.as_str().to_owned(),
    );
    gauge!("requests_in_flight", "path" => path.clone()).increment(1.0);
    let response = next.run(request).await;
    let status = response.status().as_u16().to_string();
    let labels = [
        ("method", method.to_string()),
        ("path", path.clone()),
        ("status", status),
    ];
    counter!("requests_total", &labels).increment(1);
    histogram!("request_duration_seconds", &labels).record(start.elapsed());
    gauge!("requests_in_flight", "path" => path).decrement(1.0);
    response
}

#[derive(Clone)]
struct Vecs {
    requests: CounterVec,
    duration: HistogramVec,
    in_flight: GaugeVec,
    calls: CounterVec,
    calls_duration: HistogramVec,
    tokens: CounterVec,
}

impl Vecs {
    fn new() -> Self {
        let opts = |name| opts!(name, "help");
        let histogram = |name, labels: &[&str]| {
            HistogramVec::new(histogram_opts!(name, "help"), labels).unwrap()
        };
        Self {
            requests: CounterVec::new(opts("requests_total"), &["handler", "method", "status"])
                .unwrap(),
            duration: histogram("request_seconds", &["handler"]),
            in_flight: GaugeVec::new(opts("in_flight"), &["handler"]).unwrap(),
            calls: CounterVec::new(
                opts("calls_total"),
                &["provider", "model", "status", "error"],
            )
            .unwrap(),
            calls_duration: histogram("call_seconds", &["provider", "model", "outcome"]),
            tokens: CounterVec::new(opts("tokens_total"), &["provider", "model", "kind"]).unwrap(),
        }
    }
}

/// Children looked up where they are needed, the response kept whole and parsed.
async fn buffered(State(vecs): State<Vecs>, request: Request, next: Next) -> Response {
    let start = Instant::now();
    let method = request.method().clone();
    let handler = "llm_chat";
    vecs.in_flight.with_label_values(&[handler]).inc();
    let response = next.run(request).await;
    let status = response.status().as_str().to_owned();
    let (parts, body) = response.into_parts();
    let whole = to_bytes(body, usize::MAX).await.unwrap_or_default();
    let json: serde_json::Value = serde_json::from_slice(&whole).unwrap_or_default();
    let model = json["model"].as_str().unwrap_or("unknown");
    let pair = ["openai", model];
    let usage = &json["usage"];
    for (kind, tokens) in [
        ("prompt", &usage["prompt_tokens"]),
        ("completion", &usage["completion_tokens"]),
        ("cached", &usage["prompt_tokens_details"]["cached_tokens"]),
        (
            "reasoning",
            &usage["completion_tokens_details"]["reasoning_tokens"],
        ),
    ] {
        let labels = [pair[0], pair[1], kind];
        vecs.tokens
            .with_label_values(&labels)
            .inc_by(tokens.as_f64().unwrap_or(0.0));
    }
    let elapsed = start.elapsed().as_secs_f64();
    vecs.calls
        .with_label_values(&[pair[0], pair[1], &status, "none"])
        .inc();
    vecs.calls_duration
        .with_label_values(&[pair[0], pair[1], "ok"])
        .observe(elapsed);
    vecs.requests
        .with_label_values(&[handler, method.as_str(), &status])
        .inc();
    vecs.duration.with_label_values(&[handler]).observe(elapsed);
    vecs.in_flight.with_label_values(&[handler]).dec();
    Response::from_parts(parts, Body::from(whole))
}
