//! How many instructions one request takes, bare, through a middleware by hand, and measured, by the kind of its route. Counts repeat where times do
//! not, so that `cargo xtask test instructions` holds them to committed figures.

#![allow(clippy::unwrap_used)] // No request of these fails.
#![allow(missing_docs)] // The macros make what has none.

#[path = "../../../brightstaff-metrics-actix/tests/support/app.rs"]
mod app;

use std::hint::black_box;

use app::{Floor, PATHS, Send, app, send};
use brightstaff_metrics_actix::{
    Metrics, MetricsMiddleware, brightstaff_metrics_core::Clock, prometheus::Registry,
};
use gungraun::{
    Callgrind, LibraryBenchmarkConfig, library_benchmark, library_benchmark_group, main,
};

const KNOWN: &str = PATHS[0];
const STATIC: &str = PATHS[1];
const TEMPLATED: &str = PATHS[2];

#[library_benchmark]
#[bench::bare_known_per_100(met(send(app()), KNOWN), KNOWN)]
#[bench::bare_static_per_100(met(send(app()), STATIC), STATIC)]
#[bench::bare_templated_per_100(met(send(app()), TEMPLATED), TEMPLATED)]
#[bench::floor_known_per_100(met(send(app().wrap(Floor)), KNOWN), KNOWN)]
#[bench::floor_static_per_100(met(send(app().wrap(Floor)), STATIC), STATIC)]
#[bench::floor_templated_per_100(met(send(app().wrap(Floor)), TEMPLATED), TEMPLATED)]
#[bench::known_per_100(met(send(app().wrap(middleware())), KNOWN), KNOWN)]
#[bench::static_per_100(met(send(app().wrap(middleware())), STATIC), STATIC)]
#[bench::templated_per_100(met(send(app().wrap(middleware())), TEMPLATED), TEMPLATED)]
#[bench::implicit_per_100(met(send(app().wrap(middleware().implicit("openai"))), KNOWN), KNOWN)]
fn request(mut send: Send, path: &'static str) -> Send {
    for _ in 0..100 {
        black_box(send(path));
    }
    send
}

library_benchmark_group!(name = counts, benchmarks = [request]);
main!(
    config = LibraryBenchmarkConfig::default().tool(Callgrind::with_args(["--cache-sim=no"])),
    library_benchmark_groups = [counts]
);

/// One that has met such a request before.
fn met(mut send: Send, path: &str) -> Send {
    for _ in 0..10 {
        send(path);
    }
    send
}

/// On a clock that reads no counter: which one there is, and its price, is the kernel's.
fn middleware() -> MetricsMiddleware {
    let metrics = Metrics::builder()
        .process(false)
        .clock(Clock::manual())
        .register(&Registry::new())
        .unwrap();
    MetricsMiddleware::new(metrics)
}
