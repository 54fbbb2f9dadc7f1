//! Two threads record, alone and beside one that scrapes all the time.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

use brightstaff_metrics_core::{
    Metrics, Upstream,
    exposition::{Exposition, Format},
    prometheus::Registry,
};

use crate::{figure, median, stall::Scheduled};

const ROUNDS: usize = 7;
const ROUND: Duration = Duration::from_millis(200);

/// Calls of two threads for each second of processor time that they had: what the scraper takes from them by running
/// is the machine's matter, what it slows them by is ours.
pub(crate) fn report() {
    let registry = Registry::new();
    let metrics = Metrics::builder().process(false);
    let metrics = metrics.upstreams((0..1_000).map(|at| ("openai", format!("gpt-{at}"))));
    let metrics = metrics.register(&registry).unwrap();
    let upstreams = [0, 1].map(|at| metrics.upstream("openai", &format!("gpt-{at}")));
    let ratios = (0..ROUNDS).map(|_| {
        let alone = rate(&upstreams, None);
        rate(&upstreams, Some(&registry)) / alone
    });
    figure("two threads beside a scrape", median(ratios.collect()));
}

fn rate(upstreams: &[Upstream], scraped: Option<&Registry>) -> f64 {
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        if let Some(registry) = scraped {
            scope.spawn(|| {
                let mut text = Vec::new();
                while !done.load(Ordering::Relaxed) {
                    text.clear();
                    Exposition::of(registry)
                        .write(Format::Text, &mut text)
                        .unwrap();
                }
            });
        }
        let recording = upstreams.iter().map(|one| scope.spawn(|| record(one)));
        let recording: Vec<_> = recording.collect();
        let rates: f64 = recording.into_iter().map(|one| one.join().unwrap()).sum();
        done.store(true, Ordering::Relaxed);
        rates
    })
}

fn record(upstream: &Upstream) -> f64 {
    let (start, before) = (Instant::now(), Scheduled::now());
    let mut calls = 0_u32;
    while start.elapsed() < ROUND {
        for _ in 0..1_000 {
            upstream.start().finish();
        }
        calls += 1_000;
    }
    f64::from(calls) / before.until_now().ran.as_secs_f64()
}
