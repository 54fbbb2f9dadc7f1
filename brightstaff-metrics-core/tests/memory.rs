//! What series take of memory.

#![allow(clippy::unwrap_used)] // Helpers of tests are tests.

use brightstaff_metrics_core::{Builder, Metrics, labels::ErrorClass};
use prometheus::Registry;

/// The most that a pair of provider and model may take, in bytes, from its registration on.
const MOST_BYTES: u64 = 3 * 1024;

/// The most for each byte that the names are longer: they stand in the twelve texts that the labels of the first 17
/// series are made of, and once by themselves.
const MOST_BYTES_PER_BYTE: u64 = 13;

const PAIRS: usize = 1_000;

/// Bytes that stay allocated for so many declared pairs, whose models are called so.
fn bytes(pairs: usize, model: &str, build: fn(Builder) -> Builder) -> u64 {
    let pairs: Vec<_> = (0..pairs)
        .map(|n| ("openai".to_owned(), format!("{model}-{n:07}")))
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

/// Bytes of one pair: both tables are as full.
fn each(model: &str, build: fn(Builder) -> Builder) -> u64 {
    (bytes(PAIRS + 24, model, build) - bytes(24, model, build)) / PAIRS as u64
}

#[test]
fn a_pair_takes_three_kilobytes() {
    let plain = each("gpt-4o", |builder| builder);
    println!("{plain} bytes a pair");
    assert!(plain <= MOST_BYTES, "{plain} bytes");
    // Native buckets are there from the first sample on.
    let native = each("gpt-4o", |builder| builder.native_histograms(true));
    assert_eq!(native, plain);
    let longer = "meta-llama/Llama-3.3-70B-Instruct-Turbo";
    let more = each(longer, |builder| builder) - plain;
    let bytes = (longer.len() - "gpt-4o".len()) as u64;
    println!("{more} bytes more for names that are {bytes} bytes longer");
    assert!(more <= bytes * MOST_BYTES_PER_BYTE, "{more} bytes");
}

/// However many there are.
#[test]
fn a_call_allocates_the_same() {
    let allocations = [1, 1_000].map(|pairs| {
        let names = (0..pairs).map(|n| ("openai", format!("model-{n}")));
        let builder = Metrics::builder().process(false).upstreams(names);
        let metrics = builder.register(&Registry::new()).unwrap();
        let call = || {
            let upstream = metrics.upstream("openai", "model-0");
            upstream.start().fail(ErrorClass::Connect);
        };
        call();
        allocation_counter::measure(call).count_total
    });
    assert_eq!(allocations[0], allocations[1]);
}
