//! What one request costs: bare, through axum's boxing alone, through the layer, and through
//! `axum-prometheus`; in one run, so that the figures compare.

#![allow(clippy::unwrap_used)] // No request of these fails.

#[path = "../tests/support/apps.rs"]
mod apps;

use std::{hint::black_box, time::Instant};

use apps::{App, apps, request, send};
use criterion::Criterion;

fn main() {
    let mut apps = apps();
    // It spawns a task that tends its histograms.
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let incumbent = runtime.block_on(async { axum_prometheus::PrometheusMetricLayer::pair().0 });
    apps.push((
        "axum-prometheus, in the router",
        apps::router().layer(incumbent).into(),
    ));

    let mut criterion = Criterion::default().configure_from_args();
    let mut group = criterion.benchmark_group("request");
    for (name, app) in &mut apps {
        group.bench_function(*name, |b| b.iter(|| once(app)));
    }
    group.finish();
    criterion.final_summary();
    if !std::env::args().any(|arg| arg == "--test") {
        compare(&mut apps);
    }
}

fn once(app: &mut App) {
    black_box(send(app, request()));
}

/// Measures all by turns, so that what disturbs one disturbs the others, and prints the medians.
fn compare(apps: &mut [(&str, App)]) {
    const ROUNDS: usize = 2_001;
    const REQUESTS: u32 = 100;
    let mut times = vec![Vec::with_capacity(ROUNDS); apps.len()];
    for _ in 0..ROUNDS {
        for ((_, app), times) in apps.iter_mut().zip(&mut times) {
            let start = Instant::now();
            (0..REQUESTS).for_each(|_| once(app));
            times.push(start.elapsed().as_secs_f64() * 1e9 / f64::from(REQUESTS));
        }
    }
    let medians = times.into_iter().map(|mut times| {
        times.sort_by(f64::total_cmp);
        times[ROUNDS / 2]
    });
    let medians: Vec<_> = medians.collect();
    let bare = medians[0];
    println!(
        "{:<36} {:>9} {:>9} {:>6}",
        "one request, by turns", "median", "added", "ratio"
    );
    for ((name, _), median) in apps.iter().zip(&medians) {
        println!(
            "{name:<36} {median:>6.0} ns {:>+6.0} ns {:>6.2}",
            median - bare,
            median / bare
        );
    }
}
