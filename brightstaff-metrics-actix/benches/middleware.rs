//! What one request costs: bare, through a middleware by hand, through ours, and through `actix-web-prom`; in one
//! run, so that the figures compare.
//!
//! `--count NAME PATH REQUESTS` answers so many requests by the app of that name and does nothing else, for
//! `valgrind --tool=callgrind --toggle-collect=middleware::counted`.

#![allow(clippy::unwrap_used)] // No request of these fails.

#[path = "../tests/support/apps.rs"]
mod apps;

use std::{hint::black_box, time::Instant};

use actix_web_prom::PrometheusMetricsBuilder;
use apps::{PATHS, Send, app, apps, send};
use criterion::Criterion;

fn main() {
    let mut apps = apps();
    let incumbent = PrometheusMetricsBuilder::new("incumbent").build().unwrap();
    apps.push(("actix-web-prom", send(app().wrap(incumbent))));

    if let [_, count, name, path, requests, ..] = &*std::env::args().collect::<Vec<_>>()
        && count == "--count"
    {
        let (_, mut send) = apps.into_iter().find(|(of, _)| of == name).unwrap();
        (0..2).for_each(|_| once(&mut send, path));
        return counted(&mut send, path, requests.parse().unwrap());
    }

    let mut criterion = Criterion::default().configure_from_args();
    for (route, path) in ["known", "static", "templated"].into_iter().zip(PATHS) {
        let mut group = criterion.benchmark_group(route);
        for (name, send) in &mut apps {
            group.bench_function(*name, |b| b.iter(|| once(send, path)));
        }
        group.finish();
    }
    criterion.final_summary();
    // `cargo xtask bench` asks for the estimates alone.
    let asked = std::env::var_os("CRITERION_HOME").is_none();
    if asked && !std::env::args().any(|arg| arg == "--test") {
        PATHS.iter().for_each(|path| compare(&mut apps, path));
    }
}

/// What is counted in instructions.
#[inline(never)]
fn counted(send: &mut Send, path: &str, requests: u32) {
    (0..requests).for_each(|_| once(send, path));
}

fn once(send: &mut Send, path: &str) {
    black_box(send(path));
}

/// Measures all by turns, so that what disturbs one disturbs the others, and prints the medians.
fn compare(apps: &mut [(&str, Send)], path: &str) {
    const ROUNDS: usize = 2_001;
    const REQUESTS: u32 = 100;
    let mut times = vec![Vec::with_capacity(ROUNDS); apps.len()];
    for _ in 0..ROUNDS {
        for ((_, send), times) in apps.iter_mut().zip(&mut times) {
            let start = Instant::now();
            (0..REQUESTS).for_each(|_| once(send, path));
            times.push(start.elapsed().as_secs_f64() * 1e9 / f64::from(REQUESTS));
        }
    }
    let medians = times.into_iter().map(|mut times| {
        times.sort_by(f64::total_cmp);
        times[ROUNDS / 2]
    });
    let medians: Vec<_> = medians.collect();
    let bare = medians[0];
    let floor = medians[1] - bare;
    println!(
        "{path:<28} {:>9} {:>9} {:>9}",
        "median", "over bare", "of floor"
    );
    for ((name, _), median) in apps.iter().zip(&medians) {
        let over = median - bare;
        let of_floor = over / floor;
        println!("{name:<28} {median:>6.0} ns {over:>+6.0} ns {of_floor:>9.2}");
    }
}
