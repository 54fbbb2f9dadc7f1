//! How many instructions a call, a chunk of it and a line of a scrape take. Counts repeat where times do not, so that
//! `cargo xtask test instructions` holds them to committed figures.

#![allow(clippy::unwrap_used)] // Nothing here fails.
#![allow(missing_docs)] // The macros make what has none.

#[path = "../../../brightstaff-metrics-core/benches/meter/bodies.rs"]
mod bodies;

use std::{hint::black_box, time::Duration};

use bodies::Case;
use brightstaff_metrics_core::{
    Clock, Head, Metrics, Upstream, UpstreamCall,
    exposition::{Exposition, Format},
    labels::{Fallback, RouteKind},
    otlp::{Encoder, Resource},
    prometheus::Registry,
};
use gungraun::{
    Callgrind, LibraryBenchmarkConfig, library_benchmark, library_benchmark_group, main,
};

/// Chunks before those that are counted.
const UNDER_WAY: usize = 50;

/// A provider's response, whole.
const JSON: &[u8] = br#"{"object":"chat.completion","model":"gpt-t","choices":[{"message":{"content":"Lorem"},"finish_reason":"stop"}],"usage":{"prompt_tokens":9,"completion_tokens":20}}"#;

#[library_benchmark]
#[bench::start_to_end_per_100(upstream(&metrics(1), 0))]
fn call(upstream: Upstream) -> Upstream {
    for _ in 0..100 {
        upstream.start().finish();
    }
    upstream
}

// Calls by name: 1,000 of them to as many pairs as there are.
#[library_benchmark]
#[bench::pairs_1_per_1000(metrics(1), 1)]
#[bench::pairs_1000_per_1000(metrics(1_000), 1_000)]
fn named(metrics: Metrics, pairs: usize) -> Metrics {
    for at in 0..1_000 {
        respond(upstream(&metrics, at % pairs).start());
    }
    metrics
}

// Chunks of an event each, once the stream is under way.
#[library_benchmark]
#[bench::chat_per_100(stream("sse_chat_210B"))]
#[bench::chat_usage_null_per_100(stream("sse_chat_usage_null_210B"))]
#[bench::chat_16_bytes_per_100(stream("sse_chat_16B"))]
#[bench::messages_per_100(stream("sse_messages_210B"))]
#[bench::responses_per_100(stream("sse_responses_210B"))]
#[bench::gemini_per_100(stream("sse_gemini_210B"))]
fn chunk((mut call, case): (UpstreamCall, Case)) -> (UpstreamCall, Case) {
    for chunk in case.chunks().skip(UNDER_WAY).take(100) {
        call.data(black_box(chunk));
    }
    (call, case)
}

// Scrapes of 10,000 lines.
#[library_benchmark]
#[bench::counter_line_per_10000(lines(0), Format::Text)]
#[bench::histogram_line_per_10000(lines(60), Format::Text)]
#[bench::openmetrics_line_per_10000(lines(60), Format::OpenMetrics)]
fn scrape(registry: Registry, format: Format) -> Registry {
    let mut out = Vec::with_capacity(4 << 20);
    Exposition::of(&registry).write(format, &mut out).unwrap();
    black_box(&out);
    registry
}

// The same registries, pushed: not for the first time.
#[library_benchmark]
#[bench::counter_line_per_10000(pushed(0))]
#[bench::histogram_line_per_10000(pushed(60))]
fn push((registry, mut encoder): (Registry, Encoder)) -> (Registry, Encoder) {
    black_box(encoder.encode(&registry));
    (registry, encoder)
}

library_benchmark_group!(
    name = counts,
    benchmarks = [call, named, chunk, scrape, push]
);
main!(
    config = LibraryBenchmarkConfig::default().tool(Callgrind::with_args(["--cache-sim=no"])),
    library_benchmark_groups = [counts]
);

/// Metrics that have met a call to each of these pairs.
fn metrics(pairs: usize) -> Metrics {
    let metrics = register(pairs, &Registry::new());
    for at in 0..pairs {
        respond(upstream(&metrics, at).start());
    }
    metrics
}

/// On a clock that reads no counter: which one there is, and its price, is the kernel's.
fn register(pairs: usize, registry: &Registry) -> Metrics {
    Metrics::builder()
        .process(false)
        .clock(Clock::manual())
        .selected_model_cap(20_000)
        .upstreams((0..pairs).map(|at| (provider(at), model(at))))
        .register(registry)
        .unwrap()
}

fn upstream(metrics: &Metrics, at: usize) -> Upstream {
    metrics.upstream(&provider(at), &model(at))
}

fn provider(at: usize) -> String {
    format!("provider-{}", at % 10)
}

fn model(at: usize) -> String {
    format!("model-{at:04}")
}

fn respond(mut call: UpstreamCall) {
    call.head(&Head::new(200).content_type("application/json"));
    call.data(black_box(JSON));
    call.finish();
}

/// A call whose stream is under way.
fn stream(name: &str) -> (UpstreamCall, Case) {
    let mut cases = bodies::cases().into_iter();
    let case = cases.find(|case| case.name == name).unwrap();
    let mut call = upstream(&metrics(1), 0).start();
    call.head(&Head::new(200).content_type(case.content_type));
    for chunk in case.chunks().take(UNDER_WAY) {
        call.data(chunk);
    }
    (call, case)
}

/// A registry with the histograms of these pairs, and as many counters as it takes to 10,000 lines.
fn lines(pairs: usize) -> Registry {
    let registry = Registry::new();
    let metrics = register(pairs, &registry);
    let decide = |at: usize| {
        let model = format!("selected-model-{at:05}");
        let routing = metrics.routing();
        routing.decision(
            RouteKind::Llm,
            &model,
            Fallback::No,
            Duration::from_micros(20),
        );
    };
    let count = || {
        let mut text = Vec::new();
        Exposition::of(&registry)
            .write(Format::Text, &mut text)
            .unwrap();
        text.iter().filter(|byte| **byte == b'\n').count()
    };
    decide(0);
    (1..=10_000 - count()).for_each(decide);
    assert_eq!(count(), 10_000, "each decision is a line");
    registry
}

/// The same with an encoder that has encoded it once.
fn pushed(pairs: usize) -> (Registry, Encoder) {
    let registry = lines(pairs);
    let resource = Resource::new([("service.name", "gateway")]);
    let mut encoder = Encoder::new(resource).clock(Clock::manual());
    let export = encoder.encode(&registry);
    encoder.acknowledge(export);
    (registry, encoder)
}
