//! What one request costs: bare, through a layer by hand, through ours, and through what others use; in one run,
//! so that the figures compare.
//!
//! `--count NAME REQUESTS` answers so many requests by the app of that name and does nothing else, for
//! `valgrind --tool=callgrind --toggle-collect=layer::counted`.

#![allow(clippy::unwrap_used)] // No request of these fails.

#[path = "../tests/support/apps.rs"]
mod apps;
#[path = "support/peers.rs"]
mod peers;
#[path = "support/streams.rs"]
mod streams;

use std::{hint::black_box, time::Instant};

use apps::{App, Apps, request};
use criterion::Criterion;

fn main() {
    // It spawns a task that tends its histograms.
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let _entered = runtime.enter();
    let (mut inside, around, mut calls) = (apps::inside(), apps::around(), apps::calls());
    inside.extend(peers::requests());
    calls.extend(peers::calls());
    let mut groups = [
        ("in the router", inside),
        ("around it", around),
        ("with a call", calls),
        ("100 events", streams::streams()),
    ];
    if let [_, count, name, requests, ..] = &*std::env::args().collect::<Vec<_>>()
        && count == "--count"
    {
        let mut apps = groups.into_iter().flat_map(|(_, apps)| apps);
        let (_, mut app) = apps.find(|(of, _)| of == name).unwrap();
        once(&mut app);
        return counted(&mut app, requests.parse().unwrap());
    }

    let mut criterion = Criterion::default().configure_from_args();
    for (name, apps) in &mut groups {
        let mut group = criterion.benchmark_group(*name);
        for (name, app) in apps {
            group.bench_function(*name, |b| b.iter(|| once(app)));
        }
        group.finish();
    }
    criterion.final_summary();
    // `cargo xtask bench` asks for the estimates alone.
    let asked = std::env::var_os("CRITERION_HOME").is_none();
    if asked && !std::env::args().any(|arg| arg == "--test") {
        for (name, apps) in &mut groups {
            compare(name, apps);
        }
    }
}

/// What is counted in instructions.
#[inline(never)]
fn counted(app: &mut App, requests: u32) {
    (0..requests).for_each(|_| once(app));
}

fn once(app: &mut App) {
    black_box(app(request()));
}

/// Measures all by turns, so that what disturbs one disturbs the others, and prints the medians.
fn compare(what: &str, apps: &mut Apps) {
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
    let floor = medians[1] - bare;
    println!(
        "{what:<36} {:>9} {:>9} {:>9}",
        "median", "over bare", "of floor"
    );
    for ((name, _), median) in apps.iter().zip(&medians) {
        let over = median - bare;
        let of_floor = over / floor;
        println!("{name:<36} {median:>6.0} ns {over:>+6.0} ns {of_floor:>9.2}");
    }
}
