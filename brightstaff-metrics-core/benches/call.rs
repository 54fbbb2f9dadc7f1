//! What one call to a provider costs, its handles resolved: beside the least that could be recorded of it, and
//! beside the twelve `with_label_values` that a gateway writes by hand. First Criterion's own report, then a
//! table of medians of one run, by turns, with the allocations of each.

#![allow(clippy::unwrap_used)] // No call of these fails.

use std::hint::black_box;
use std::time::Instant;

use brightstaff_metrics_core::{Head, Metrics, Upstream, labels::ErrorClass};
use bytes::Bytes;
use criterion::Criterion;
use futures_util::FutureExt;
use http_body_util::{BodyExt, Full};
use prometheus::{
    Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts,
};

/// A call, by what it is named in the reports.
type Way = (&'static str, Box<dyn Fn()>);

fn main() {
    let ways = ways();
    let mut criterion = Criterion::default().configure_from_args();
    let mut group = criterion.benchmark_group("call");
    for (name, call) in &ways {
        group.bench_function(*name, |bench| bench.iter(call));
    }
    group.finish();
    criterion.final_summary();
    // `cargo xtask bench` asks for the estimates alone.
    let asked = std::env::var_os("CRITERION_HOME").is_none();
    if asked && !std::env::args().any(|arg| arg == "--test") {
        compare(&ways);
    }
}

fn ways() -> Vec<Way> {
    let metrics = Metrics::builder()
        .process(false)
        .upstreams([("openai", "gpt-4o")]);
    let metrics = metrics.register(&prometheus::Registry::new()).unwrap();
    let upstream = || metrics.upstream("openai", "gpt-4o");
    let way = |name, call: fn(&Upstream)| -> Way {
        let upstream = upstream();
        (name, Box::new(move || call(&upstream)))
    };
    vec![
        ("floor", floor()),
        way("start_to_end", start_to_end),
        way("fails_to_connect", |upstream| {
            upstream.start().fail(ErrorClass::Connect);
        }),
        way("rate_limited", rate_limited),
        way("json_1KiB", json),
        way("json_1KiB_observed", json_observed),
        way("json_1KiB_in_two", json_in_two),
        ("twelve_with_label_values", twelve_with_label_values()),
    ]
}

/// A call that is answered by a 2xx without bytes.
fn start_to_end(upstream: &Upstream) {
    let mut call = upstream.start();
    call.head(&Head::new(200).content_type(black_box("application/json")));
    call.finish();
}

fn rate_limited(upstream: &Upstream) {
    let mut call = upstream.start();
    call.head(&Head::new(429).content_type(black_box("application/json")));
    call.finish();
}

/// By hand, in one piece.
fn json(upstream: &Upstream) {
    let mut call = upstream.start();
    call.head(
        &Head::new(200)
            .content_type("application/json")
            .content_length(BODY.len() as u64),
    );
    call.data(black_box(BODY));
}

fn json_in_two(upstream: &Upstream) {
    let mut call = upstream.start();
    call.head(
        &Head::new(200)
            .content_type("application/json")
            .content_length(BODY.len() as u64),
    );
    call.data(black_box(&BODY[..700]));
    call.data(black_box(&BODY[700..]));
}

/// A response of an HTTP client, wrapped and read to its end.
fn json_observed(upstream: &Upstream) {
    let call = upstream.start();
    let mut response = http::Response::new(Full::new(Bytes::from_static(BODY)));
    let json = http::HeaderValue::from_static("application/json");
    response
        .headers_mut()
        .insert(http::header::CONTENT_TYPE, json);
    let body = call.observe(response).into_body();
    black_box(body.collect().now_or_never().unwrap().unwrap());
}

/// The least: two instants, a gauge, a counter, a histogram, all resolved.
fn floor() -> Box<dyn Fn()> {
    let in_flight = IntGauge::new("in_flight", "help").unwrap();
    let requests = IntCounter::new("requests_total", "help").unwrap();
    let sums = IntCounter::new("nanoseconds_total", "help").unwrap();
    let clock = quanta::Clock::new();
    Box::new(move || {
        let start = clock.raw();
        in_flight.inc();
        requests.inc();
        sums.inc_by(clock.delta_as_nanos(start, clock.raw()));
        in_flight.dec();
    })
}

/// As handlers have it who record by hand.
fn twelve_with_label_values() -> Box<dyn Fn()> {
    let counter =
        |name, labels: &[&str]| IntCounterVec::new(Opts::new(name, "help"), labels).unwrap();
    let histogram = |name, labels: &[&str]| {
        HistogramVec::new(HistogramOpts::new(name, "help"), labels).unwrap()
    };
    let requests = counter(
        "requests_total",
        &["provider", "model", "status_class", "error_class"],
    );
    let tokens = counter("tokens_total", &["provider", "model", "kind"]);
    let details = counter("details_total", &["provider", "model", "kind"]);
    let in_flight = IntGaugeVec::new(Opts::new("in_flight", "help"), &["provider"]).unwrap();
    let duration = histogram("duration_seconds", &["provider", "model", "outcome"]);
    let [first_byte, first_token, per_token] = [
        "first_byte_seconds",
        "first_token_seconds",
        "per_token_seconds",
    ]
    .map(|name| histogram(name, &["provider", "model"]));
    let request_tokens = histogram("request_tokens", &["provider", "model", "kind"]);
    Box::new(move || {
        let [provider, model] = black_box(["openai", "gpt-4o"]);
        let start = Instant::now();
        in_flight.with_label_values(&[provider]).inc();
        requests
            .with_label_values(&[provider, model, "2xx", "none"])
            .inc();
        let seconds = start.elapsed().as_secs_f64();
        let observe = |histogram: Histogram| histogram.observe(seconds);
        observe(duration.with_label_values(&[provider, model, "ok"]));
        for histogram in [&first_byte, &first_token, &per_token] {
            observe(histogram.with_label_values(&[provider, model]));
        }
        for kind in ["prompt", "completion"] {
            tokens.with_label_values(&[provider, model, kind]).inc_by(9);
            request_tokens
                .with_label_values(&[provider, model, kind])
                .observe(9.0);
        }
        details
            .with_label_values(&[provider, model, "cache_read"])
            .inc_by(4);
        in_flight.with_label_values(&[provider]).dec();
    })
}

/// Measures all by turns, so that what disturbs one disturbs the others, and prints the medians.
fn compare(ways: &[Way]) {
    const ROUNDS: usize = 2_001;
    const CALLS: u32 = 100;
    let mut times = vec![Vec::with_capacity(ROUNDS); ways.len()];
    for _ in 0..ROUNDS {
        for ((_, call), times) in ways.iter().zip(&mut times) {
            let start = Instant::now();
            (0..CALLS).for_each(|_| call());
            times.push(start.elapsed().as_secs_f64() * 1e9 / f64::from(CALLS));
        }
    }
    println!(
        "{:<28} {:>9} {:>12}",
        "ns a call, by turns", "median", "allocations"
    );
    for ((name, call), mut times) in ways.iter().zip(times) {
        times.sort_by(f64::total_cmp);
        let allocations = allocation_counter::measure(call).count_total;
        println!("{name:<28} {:>9.0} {allocations:>12}", times[ROUNDS / 2]);
    }
}

/// A chat completion of 1 KiB, as OpenAI sends it.
const BODY: &[u8] = br#"{"id":"chatcmpl-BXT9gV2ClbFhzxmEJRbQhy7MFnAQe","object":"chat.completion","created":1790000000,"model":"gpt-4o-2024-08-06","choices":[{"index":0,"message":{"role":"assistant","content":"Lorem ipsum dolor sit amet, \"consectetur\" adipiscing elit,\nsed do eiusmod tempor incididunt ut labore et dolore magna aliqua. Lorem ipsum dolor sit amet, \"consectetur\" adipiscing elit,\nsed do eiusmod tempor incididunt ut labore et dolore magna aliqua. Lorem ipsum dolor sit amet, \"consectetur\" adipiscing elit,\nsed do eiusmod tempor incididunt ut labore et dolore magna aliqua. Lorem ipsum dolor sit amet, \"consectetur\" adipisc","refusal":null,"annotations":[]},"logprobs":null,"finish_reason":"stop"}],"usage":{"prompt_tokens":19,"completion_tokens":97,"total_tokens":116,"prompt_tokens_details":{"cached_tokens":0,"audio_tokens":0},"completion_tokens_details":{"reasoning_tokens":0,"audio_tokens":0,"accepted_prediction_tokens":0,"rejected_prediction_tokens":0}},"service_tier":"default","system_fingerprint":"fp_07871e2ad8"}"#;
