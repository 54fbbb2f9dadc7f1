//! What a scrape costs, a line, beside other libraries that expose as many series with the same labels: each writes
//! text into memory that it has.
//!
//! What is pushed is beside its own text. Criterion's elements are lines, and what is pushed, children. `cargo bench --bench scrape -- counters_100k` runs one of the groups.

#![allow(clippy::unwrap_used)] // Nothing of these fails.

mod ours;
mod peers;

use std::{hint::black_box, time::Duration};

use criterion::{Criterion, Throughput};

/// Writes an exposition behind what stands there.
type Scrape = Box<dyn Fn(&mut Vec<u8>)>;

/// A name, and what makes the series and their scrape: of one case at a time, since they are large.
type Case = (&'static str, fn(usize) -> Scrape);

const COUNTERS: &[Case] = &[
    ("ours", ours::counters),
    ("ours, OpenMetrics", ours::counters_open),
    ("prometheus", peers::prometheus::counters),
    ("prometheus-client", peers::prometheus_client::counters),
    ("measured", peers::measured::counters),
    ("fastmetrics", peers::fastmetrics::counters),
    ("metrics-exporter-prometheus", peers::metrics::counters),
];

const HISTOGRAMS: &[Case] = &[
    ("ours", ours::histograms),
    ("ours, OpenMetrics", ours::histograms_open),
    ("prometheus", peers::prometheus::histograms),
    ("prometheus-client", peers::prometheus_client::histograms),
    ("measured", peers::measured::histograms),
    ("fastmetrics", peers::fastmetrics::histograms),
    ("metrics-exporter-prometheus", peers::metrics::histograms),
];

/// A registry that puts a label on every series has the library write them all.
const LABELLED: &[Case] = &[
    ("ours", ours::labelled),
    ("prometheus", ours::labelled_by_the_library),
];

const PUSHED_COUNTERS: &[Case] = &[("ours", ours::counters_pushed), ("text", ours::counters)];

const PUSHED_HISTOGRAMS: &[Case] = &[
    ("ours", ours::histograms_pushed),
    ("text", ours::histograms),
];

fn main() {
    let mut criterion = Criterion::default()
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(3))
        .sample_size(20)
        .configure_from_args();
    group(&mut criterion, "counters_10k", COUNTERS, 10_000);
    group(&mut criterion, "counters_100k", COUNTERS, 100_000);
    group(&mut criterion, "histograms_10k", HISTOGRAMS, 10_000);
    group(&mut criterion, "labelled_10k", LABELLED, 10_000);
    pushed(&mut criterion, "counters_10k", PUSHED_COUNTERS, 10_000);
    pushed(&mut criterion, "histograms_10k", PUSHED_HISTOGRAMS, 10_000);
    criterion.final_summary();
}

fn group(criterion: &mut Criterion, name: &str, cases: &[Case], children: usize) {
    measure(
        criterion,
        &format!("scrape/{name}"),
        cases,
        children,
        |text| text.iter().filter(|byte| **byte == b'\n').count(),
    );
}

fn pushed(criterion: &mut Criterion, name: &str, cases: &[Case], children: usize) {
    measure(criterion, &format!("push/{name}"), cases, children, |_| {
        children
    });
}

fn measure(
    criterion: &mut Criterion,
    name: &str,
    cases: &[Case],
    children: usize,
    elements: impl Fn(&[u8]) -> usize,
) {
    let mut group = criterion.benchmark_group(name);
    for &(who, make) in cases {
        let scrape = make(children);
        let mut written = Vec::new();
        scrape(&mut written);
        group.throughput(Throughput::Elements(elements(&written) as u64));
        group.bench_function(who, |b| {
            b.iter(|| {
                written.clear();
                scrape(&mut written);
                black_box(&written);
            });
        });
    }
    group.finish();
}
