//! What a scrape of a usual gateway costs from the request to the last byte of the response, beside the library's
//! encoder over the same registry.

#![allow(clippy::unwrap_used)] // Nothing here fails.

use std::{hint::black_box, io::Write as _};

use brightstaff_exporter::Exporter;
use brightstaff_metrics_core::{Metrics, meter::Usage};
use criterion::Criterion;
use flate2::{Compression, write::GzEncoder};
use futures_util::StreamExt as _;
use prometheus::{Registry, TextEncoder};

/// Pairs of provider and model: with the rest, some 1,770 lines.
const PAIRS: usize = 13;

fn main() {
    let registry = registry();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .build()
        .unwrap();
    let handler = Exporter::new(registry.clone()).metrics_handler();
    let ours = |headers: &[(&'static str, &'static [u8])]| {
        runtime.block_on(async {
            let response = handler.respond(headers.iter().copied()).await;
            let mut body = response.into_body();
            let mut bytes = 0;
            while let Some(Ok(piece)) = body.next().await {
                bytes += piece.len();
            }
            bytes
        })
    };
    let library = || {
        TextEncoder::new()
            .encode_to_string(&registry.gather())
            .unwrap()
    };
    let mut criterion = Criterion::default().configure_from_args();
    let mut group = criterion.benchmark_group("usual");
    group.bench_function("ours, gzip", |b| {
        b.iter(|| ours(&[("accept-encoding", b"gzip")]))
    });
    group.bench_function("ours, plain", |b| b.iter(|| ours(&[])));
    group.bench_function("prometheus, plain", |b| b.iter(|| black_box(library())));
    group.bench_function("prometheus, gzip", |b| {
        b.iter(|| {
            let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
            gzip.write_all(library().as_bytes()).unwrap();
            black_box(gzip.finish().unwrap())
        });
    });
    group.finish();
    criterion.final_summary();
}

fn registry() -> Registry {
    let registry = Registry::new();
    let names: Vec<_> = (0..PAIRS).map(|pair| format!("gpt-{pair}")).collect();
    let metrics = Metrics::builder()
        .upstreams(names.iter().map(|model| ("openai", model.as_str())))
        .register(&registry)
        .unwrap();
    for (at, model) in (1..).zip(&names) {
        for call in 0..at * 10 {
            let mut open = metrics.upstream("openai", model).start();
            open.response(200);
            open.first_token();
            open.usage(Usage::new(call * 100, call * 7));
            open.finish();
        }
    }
    registry
}
