//! What a scrape takes of memory beyond what it writes.

#![allow(clippy::unwrap_used)] // Helpers of tests are tests.

use std::{
    io::{self, Write},
    time::Duration,
};

use brightstaff_metrics_core::{
    Metrics,
    exposition::{Exposition, Format},
    labels::{Fallback, RouteKind},
    otlp::{Encoder, Resource, Temporality},
};
use prometheus::Registry;

/// The most that a scrape may hold at a time, in bytes.
const MOST_BYTES: u64 = 256 * 1024;

/// Counts what is written, and keeps none of it.
#[derive(Default)]
struct Count {
    bytes: usize,
    lines: usize,
    longest: usize,
}

impl Write for Count {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        self.bytes += text.len();
        self.lines += text.iter().filter(|byte| **byte == b'\n').count();
        self.longest = self.longest.max(text.len());
        Ok(text.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// As many counters of one family, and the few that are always there.
fn counters(count: usize) -> (Registry, Metrics) {
    let registry = Registry::new();
    let models = count.div_ceil(6);
    let builder = Metrics::builder().process(false).selected_model_cap(models);
    let metrics = builder.register(&registry).unwrap();
    for n in 0..count {
        let route = [RouteKind::Agent, RouteKind::Routing, RouteKind::Llm][n % 3];
        let fallback = [Fallback::No, Fallback::Yes][n % 2];
        let model = format!("model-{:05}", n / 6);
        metrics
            .routing()
            .decision(route, &model, fallback, Duration::ZERO);
    }
    (registry, metrics)
}

#[test]
fn a_scrape_holds_little_however_much_it_writes() {
    let scrape = |lines, format| {
        let (registry, _metrics) = counters(lines);
        let mut count = Count::default();
        let memory = allocation_counter::measure(|| {
            let exposition = Exposition::of(&registry);
            exposition.write(format, &mut count).unwrap();
        });
        assert!(count.lines > lines, "{} lines", count.lines);
        assert!(count.bytes > lines * 80, "{} bytes", count.bytes);
        assert!(count.longest < 8 * 1024, "{} at a time", count.longest);
        let (times, most) = (memory.count_total, memory.bytes_max);
        println!("{format:?}: {lines} counters, {times} allocations, {most} bytes at a time");
        assert!(memory.bytes_max <= MOST_BYTES, "{most} bytes");
        times
    };
    for format in [Format::Text, Format::OpenMetrics] {
        assert_eq!(scrape(100_000, format), scrape(1_000, format), "{format:?}");
    }
}

/// An export is its body, in the memory of one that was acknowledged, and little beside it.
#[test]
fn an_export_allocates_the_same_however_many_series_there_are() {
    let export = |series, temporality| {
        let (registry, metrics) = counters(series);
        let mut encoder = Encoder::new(Resource::default()).temporality(temporality);
        let first = encoder.encode(&registry);
        let all = first.points();
        encoder.acknowledge(first);
        // Where deltas are told, this one alone.
        let (route, fallback) = (RouteKind::Agent, Fallback::No);
        metrics
            .routing()
            .decision(route, "model-00000", fallback, Duration::ZERO);
        let mut export = None;
        let memory = allocation_counter::measure(|| export = Some(encoder.encode(&registry)));
        let export = export.unwrap();
        let (times, most) = (memory.count_total, memory.bytes_max);
        let (points, bytes) = (export.points(), export.body().len());
        println!(
            "{temporality:?}: {points} of {all} points, {times} allocations, {most} bytes at a time"
        );
        assert!(all > series && points <= all && bytes > points * 40);
        match temporality {
            Temporality::Cumulative => assert!(most <= 16 * 1024, "{most} for {bytes} bytes"),
            // Of each series the last total, and where it is found.
            _ => assert!(most <= 200 * all as u64 + MOST_BYTES, "{most} bytes"),
        }
        times
    };
    for temporality in [Temporality::Cumulative, Temporality::Delta] {
        let [few, many] = [1_000, 50_000].map(|series| export(series, temporality));
        assert_eq!(few, many, "{temporality:?}");
    }
}
