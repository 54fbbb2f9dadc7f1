//! What one request costs: bare, through the middleware, and through `actix-web-prom`; in one run, so that
//! the figures compare.

#![allow(clippy::unwrap_used)] // No request of these fails.

#[path = "../tests/support/apps.rs"]
mod apps;

use std::{hint::black_box, time::Instant};

use actix_web_prom::PrometheusMetricsBuilder;
use apps::{Send, app, apps, send};
use criterion::Criterion;

const KNOWN: &str = "/v1/chat/completions";
const STATIC: &str = "/v1/files";
const TEMPLATED: &str = "/v1/files/17";

fn main() {
    let mut apps = apps();
    let incumbent = PrometheusMetricsBuilder::new("incumbent").build().unwrap();
    apps.push(("actix-web-prom", send(app().wrap(incumbent))));

    let mut criterion = Criterion::default().configure_from_args();
    let mut group = criterion.benchmark_group("request");
    for (name, send) in &mut apps {
        group.bench_function(*name, |b| b.iter(|| black_box(send(KNOWN))));
    }
    group.finish();
    criterion.final_summary();
    if !std::env::args().any(|arg| arg == "--test") {
        compare(&mut apps, KNOWN);
        compare(&mut apps, STATIC);
        compare(&mut apps, TEMPLATED);
    }
}

/// Measures all by turns, so that what disturbs one disturbs the others, and prints the medians.
fn compare(apps: &mut [(&str, Send)], path: &str) {
    const ROUNDS: usize = 2_001;
    const REQUESTS: u32 = 100;
    let mut times = vec![Vec::with_capacity(ROUNDS); apps.len()];
    for _ in 0..ROUNDS {
        for ((_, send), times) in apps.iter_mut().zip(&mut times) {
            let start = Instant::now();
            for _ in 0..REQUESTS {
                black_box(send(path));
            }
            times.push(start.elapsed().as_secs_f64() * 1e9 / f64::from(REQUESTS));
        }
    }
    let medians = times.into_iter().map(|mut times| {
        times.sort_by(f64::total_cmp);
        times[ROUNDS / 2]
    });
    let medians: Vec<_> = medians.collect();
    let bare = medians[0];
    println!("{path:<28} {:>9} {:>9} {:>6}", "median", "added", "ratio");
    for ((name, _), median) in apps.iter().zip(&medians) {
        println!(
            "{name:<28} {median:>6.0} ns {:>+6.0} ns {:>6.2}",
            median - bare,
            median / bare
        );
    }
}
