//! What series take of memory.

#![allow(clippy::unwrap_used)] // Helpers of tests are tests.

use brightstaff_metrics_core::{Builder, Metrics};
use prometheus::Registry;

/// The most that a pair of provider and model may take, in bytes, from its registration on.
const MOST_BYTES: u64 = 3 * 1024;

const PAIRS: usize = 1_000;

/// Bytes that stay allocated for so many declared pairs.
fn bytes(pairs: usize, build: fn(Builder) -> Builder) -> u64 {
    let pairs: Vec<_> = (0..pairs)
        .map(|n| ("openai".to_owned(), format!("gpt-4o-{n:07}")))
        .collect();
    let registry = Registry::new();
    let mut metrics = None;
    let measured = allocation_counter::measure(|| {
        let builder = build(Metrics::builder().process(false).upstream_cap(0));
        let pairs = pairs.iter().map(|(provider, model)| (provider, model));
        metrics = Some(builder.upstreams(pairs).register(&registry).unwrap());
    });
    measured.bytes_current.try_into().unwrap()
}

#[test]
fn a_pair_takes_three_kilobytes() {
    let each = |build| (bytes(PAIRS + 24, build) - bytes(24, build)) / PAIRS as u64;
    let plain = each(|builder| builder);
    println!("{plain} bytes a pair");
    assert!(plain <= MOST_BYTES, "{plain} bytes");
    // Native buckets are there from the first sample on.
    let native = each(|builder| builder.native_histograms(true));
    assert_eq!(native, plain);
}
