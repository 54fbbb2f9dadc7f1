//! What series take of memory.

#![allow(clippy::unwrap_used)] // Helpers of tests are tests.

use brightstaff_metrics_core::{Builder, Metrics, labels::ErrorClass};
use prometheus::Registry;
#[cfg(feature = "otlp")]
use {
    brightstaff_metrics_core::{Clock, Head},
    std::time::Duration,
};

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

/// What the `gen_ai` view keeps is there once it was met, and is bounded by the kinds of operations and of ends.
#[cfg(feature = "otlp")]
#[test]
fn the_gen_ai_view_takes_what_was_met() {
    const STREAM: &[&str] = &[
        "data: {\"object\":\"chat.completion.chunk\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"a\"}}]}\n\n",
        "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"b\"},\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":9,\"completion_tokens\":20}}\n\n",
        "data: [DONE]\n\n",
    ];
    let plain = each("gpt-4o", |builder| builder);
    let before = each("gpt-4o", |builder| builder.gen_ai_view(true)) - plain;
    println!("{before} bytes a pair before its first call");
    assert!(before <= 128, "{before} bytes");

    let clock = Clock::manual();
    let builder = Metrics::builder().process(false).clock(clock.clone());
    let builder = builder.gen_ai_view(true).upstreams([("openai", "gpt-4o")]);
    let metrics = builder.register(&Registry::new()).unwrap();
    let upstream = metrics.upstream("openai", "gpt-4o");
    let stays = |call: &dyn Fn()| allocation_counter::measure(call).bytes_current;
    let stream = || {
        let mut call = upstream.start();
        call.head(&Head::new(200).content_type("text/event-stream"));
        for chunk in STREAM {
            clock.advance(Duration::from_millis(10));
            call.data(chunk.as_bytes());
        }
        call.finish();
    };
    let streamed = stays(&stream);
    println!("{streamed} bytes for streams that end well");
    assert!((10_000..16_384).contains(&streamed), "{streamed} bytes");
    let fail = || {
        let call = upstream.start();
        clock.advance(Duration::from_millis(10));
        call.fail(ErrorClass::Timeout);
    };
    let failed = stays(&fail);
    println!("{failed} bytes for a kind of failure");
    assert!((2_000..3_072).contains(&failed), "{failed} bytes");
    assert_eq!((stays(&stream), stays(&fail)), (0, 0));
}
