//! What a typical scrape costs: what a gateway with 14 pairs of provider and model exposes, from the request to the
//! last byte of the response, beside the library's encoder alone.

#![allow(clippy::unwrap_used)] // Nothing of these fails.

use std::{
    hint::black_box,
    io::Write as _,
    pin::pin,
    time::{Duration, Instant},
};

use brightstaff_exporter::{Exporter, MetricsHandler};
use brightstaff_metrics_core::{
    Head, Metrics, adapter,
    labels::{ErrorClass, RequestMethod},
    meter::Usage,
};
use criterion::{Criterion, Throughput};
use flate2::{Compression, write::GzEncoder};
use futures_core::Stream as _;
use prometheus::{Registry, TextEncoder};
use tokio::runtime::{self, Runtime};

const PAIRS: usize = 14;

fn main() {
    let mut criterion = Criterion::default()
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(3))
        .configure_from_args();
    let registry = Registry::new();
    let _metrics = record(&registry);
    let runtime = runtime::Builder::new_current_thread().build().unwrap();
    let handler = Exporter::new(registry.clone()).metrics_handler();
    let lines = library(&registry).lines().count();

    let mut group = criterion.benchmark_group("scrape/typical");
    group.throughput(Throughput::Elements(lines as u64));
    for (name, accepted) in [("ours, gzip", "gzip"), ("ours", "identity")] {
        group.bench_function(name, |b| {
            b.iter_custom(|times| {
                let scrape = |_| scrape(&runtime, &handler, accepted);
                (0..times).map(scrape).sum()
            });
        });
    }
    group.bench_function("prometheus, gzip", |b| {
        b.iter(|| {
            let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
            gzip.write_all(library(&registry).as_bytes()).unwrap();
            black_box(gzip.finish().unwrap())
        });
    });
    group.bench_function("prometheus", |b| b.iter(|| black_box(library(&registry))));
    group.finish();
    criterion.final_summary();
}

/// How long a scrape takes. The exporter pauses behind each for as long: that is nobody's wait here.
fn scrape(runtime: &Runtime, handler: &MetricsHandler, accepted: &str) -> Duration {
    let begun = Instant::now();
    runtime.block_on(async {
        let headers = [("accept-encoding", accepted.as_bytes())];
        let mut body = pin!(handler.respond(headers).await.into_body());
        while let Some(piece) = std::future::poll_fn(|cx| body.as_mut().poll_next(cx)).await {
            black_box(piece.unwrap());
        }
    });
    let took = begun.elapsed();
    std::thread::sleep(took + Duration::from_millis(1));
    took
}

fn library(registry: &Registry) -> String {
    let encoder = TextEncoder::new();
    encoder.encode_to_string(&registry.gather()).unwrap()
}

/// Requests and calls of some minutes, as far as a scrape can tell.
fn record(registry: &Registry) -> Metrics {
    let models: Vec<_> = (0..PAIRS).map(|n| format!("llama-3.1-{n}b")).collect();
    let pairs = models.iter().map(|model| ("openai", model.as_str()));
    let metrics = Metrics::builder().upstreams(pairs).register(registry);
    let metrics = metrics.unwrap();
    for (at, model) in models.iter().enumerate() {
        let upstream = metrics.upstream("openai", model);
        for number in 0..100 * at as u64 {
            let mut request = adapter::begin(&metrics, "llm_chat", RequestMethod::Post);
            request.head(&Head::new(200));
            let mut call = upstream.start();
            if number % 16 == 15 {
                call.fail(ErrorClass::Timeout);
                continue;
            }
            call.response(200);
            call.first_token();
            call.usage(Usage::new(number * 10, number));
            call.finish();
            request.complete();
        }
    }
    metrics
}
