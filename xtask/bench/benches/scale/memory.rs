//! The memory that a pair of provider and model takes, once calls to it have ended in several ways.

use std::{iter, sync::atomic::AtomicU64, time::Duration};

use allocation_counter::measure;
use brightstaff_metrics_core::{
    Clock, Metrics,
    labels::ErrorClass,
    meter::Usage,
    prometheus::{
        CounterVec, HistogramOpts, HistogramVec, IntGaugeVec, Opts, Registry, exponential_buckets,
    },
};

use crate::figure;

/// Pairs whose memory is divided by their number; those that stand beside them are not counted.
const PAIRS: usize = 1_000;
const BESIDE: usize = 100;

pub(crate) fn report() {
    figure("a pair/ours", of_each(ours));
    figure("a pair/with_label_values", of_each(library));
    figure("a pair/floor", of_each(floor));
}

/// The bytes that one pair adds.
fn of_each<T>(make: fn(usize) -> T) -> f64 {
    let held = |pairs| {
        let mut made = None;
        let held = measure(|| made = Some(make(pairs)));
        drop(made);
        held.bytes_current
    };
    (held(BESIDE + PAIRS) - held(BESIDE)) as f64 / PAIRS as f64
}

fn names(pairs: usize) -> impl Iterator<Item = (&'static str, String)> {
    iter::repeat("openai").zip((0..pairs).map(|pair| format!("gpt-{pair:05}")))
}

fn ours(pairs: usize) -> (Registry, Metrics) {
    let (registry, clock) = (Registry::new(), Clock::manual());
    let builder = Metrics::builder().process(false).clock(clock.clone());
    let metrics = builder.upstreams(names(pairs)).register(&registry).unwrap();
    for (provider, model) in names(pairs) {
        let upstream = metrics.upstream(provider, &model);
        upstream.start().fail(ErrorClass::Timeout);
        let mut call = upstream.start();
        call.response(200);
        clock.advance(Duration::from_millis(300));
        call.first_token();
        call.usage(Usage::new(100, 10));
        call.finish();
    }
    (registry, metrics)
}

/// The same families, as they are commonly written: by name, where they are needed.
struct Library {
    requests: CounterVec,
    tokens: CounterVec,
    in_flight: IntGaugeVec,
    duration: HistogramVec,
    times: [HistogramVec; 3],
    request_tokens: HistogramVec,
}

/// What each is counted by, at least: the contract's series of a pair.
const REQUESTS: [[&str; 2]; 8] = [
    ["2xx", "none"],
    ["2xx", "stream"],
    ["2xx", "cancelled"],
    ["4xx", "rate_limit"],
    ["4xx", "status"],
    ["5xx", "status"],
    ["error", "timeout"],
    ["error", "connect"],
];
const OUTCOMES: [&str; 2] = ["ok", "error"];
const KINDS: [&str; 2] = ["prompt", "completion"];

/// Buckets of the families, in the contract's order: duration, three times, tokens.
const BUCKETS: [usize; 5] = [13, 13, 13, 16, 11];

fn library(pairs: usize) -> Library {
    let opts = |name: &str| Opts::new(name, "help");
    let counters = |name, labels: &[&str]| CounterVec::new(opts(name), labels).unwrap();
    let histograms = |name: &str, buckets, labels: &[&str]| {
        let buckets = exponential_buckets(0.001, 2.0, buckets).unwrap();
        HistogramVec::new(HistogramOpts::new(name, "help").buckets(buckets), labels).unwrap()
    };
    let pair = ["provider", "model"];
    let kind = ["provider", "model", "kind"];
    let library = Library {
        requests: counters("requests", &["provider", "model", "status", "error"]),
        tokens: counters("tokens", &kind),
        in_flight: IntGaugeVec::new(opts("in_flight"), &["provider"]).unwrap(),
        duration: histograms("duration", BUCKETS[0], &["provider", "model", "outcome"]),
        times: [
            histograms("first_byte", BUCKETS[1], &pair),
            histograms("first_token", BUCKETS[2], &pair),
            histograms("per_token", BUCKETS[3], &pair),
        ],
        request_tokens: histograms("request_tokens", BUCKETS[4], &kind),
    };
    for (provider, model) in names(pairs) {
        let model = &*model;
        library.in_flight.with_label_values(&[provider]).inc();
        for [status, error] in REQUESTS {
            let labels = [provider, model, status, error];
            library.requests.with_label_values(&labels).inc();
        }
        for kind in KINDS {
            let labels = [provider, model, kind];
            library.tokens.with_label_values(&labels).inc();
            let tokens = library.request_tokens.with_label_values(&labels);
            tokens.observe(9.0);
        }
        for outcome in OUTCOMES {
            let duration = library
                .duration
                .with_label_values(&[provider, model, outcome]);
            duration.observe(0.3);
        }
        for times in &library.times {
            times.with_label_values(&[provider, model]).observe(0.3);
        }
    }
    library
}

/// A word for each series, and the names once: less cannot be held.
fn floor(pairs: usize) -> Vec<(String, Vec<AtomicU64>)> {
    // A histogram's are its buckets, that of infinity and the sum.
    let of = |buckets: usize| buckets + 2;
    let histograms = of(BUCKETS[0]) * OUTCOMES.len()
        + BUCKETS[1..4].iter().copied().map(of).sum::<usize>()
        + of(BUCKETS[4]) * KINDS.len();
    let words = REQUESTS.len() + KINDS.len() + histograms;
    let of_pair = |(_, model)| (model, (0..words).map(|_| AtomicU64::new(0)).collect());
    names(pairs).map(of_pair).collect()
}
