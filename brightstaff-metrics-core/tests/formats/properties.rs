//! Whatever is recorded, and whatever other collectors give: all formats say the same, and what is decoded is what was
//! encoded.

use std::time::Duration;

use brightstaff_metrics_core::{Clock, Metrics, labels::ErrorClass};
use prometheus::{
    Registry,
    proto::{Metric, MetricFamily, MetricType},
};
use proptest::{
    collection::vec,
    num,
    prelude::*,
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};

use super::{
    assert_agree,
    foreign::{Fixed, counter, family, labelled},
    protobuf::{DURATION, histograms, native_buckets},
    types::{at, gauge, histogram, summary},
};

/// What a child of another collector is made of.
type Child = (String, f64, Vec<u64>, Option<i64>);

fn child() -> impl Strategy<Value = Child> {
    let counts = vec(0..1_u64 << 40, 0..6);
    // In milliseconds, as far as seconds are exact.
    let timestamp = prop::option::of(-1_000_000_000_000_000..1_000_000_000_000_000_i64);
    ("\\PC{0,12}", num::f64::ANY, counts, timestamp)
}

fn metric(kind: MetricType, number: usize, child: &Child) -> Metric {
    let (text, value, counts, timestamp) = child;
    let metric = labelled(&[("a", text), ("n", &number.to_string())]);
    let mut sum = 0;
    let mut up_to = |count: &u64| {
        sum += count;
        sum
    };
    let metric = match kind {
        MetricType::COUNTER => counter(metric, *value),
        MetricType::GAUGE => gauge(metric, *value),
        MetricType::SUMMARY => {
            let quantiles = (0..counts.len()).map(|n| (1.0 / (n as f64 + 3.0), *value / n as f64));
            summary(
                metric,
                &quantiles.collect::<Vec<_>>(),
                counts.iter().sum(),
                *value,
            )
        }
        _ => {
            let buckets = counts.iter().enumerate();
            let buckets = buckets.map(|(n, count)| (n as f64 * 0.1 - 0.3, up_to(count)));
            let buckets: Vec<_> = buckets.collect();
            histogram(metric, &buckets, sum, *value)
        }
    };
    timestamp.map_or(metric.clone(), |timestamp| at(metric, timestamp))
}

const KINDS: [MetricType; 4] = [
    MetricType::COUNTER,
    MetricType::GAUGE,
    MetricType::SUMMARY,
    MetricType::HISTOGRAM,
];

#[test]
fn what_is_encoded_is_what_is_decoded() {
    let others = vec((0..KINDS.len(), vec(child(), 0..5)), 0..6);
    let calls = vec(("\\PC{0,6}", "\\PC{0,6}", 0..u64::MAX / 4), 0..20);
    let config = Config {
        cases: 128,
        failure_persistence: None,
        ..Config::default()
    };
    let mut runner =
        TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    let run = runner.run(
        &(others, calls, any::<bool>()),
        |(others, calls, native)| {
            let registry = Registry::new();
            let clock = Clock::manual();
            let builder = Metrics::builder().clock(clock.clone()).process(false);
            let builder = builder.native_histograms(native);
            let metrics = builder.upstreams([("a", "b")]).register(&registry).unwrap();
            for (provider, model, nanos) in &calls {
                let call = metrics.upstream(provider, model).start();
                clock.advance(Duration::from_nanos(*nanos >> (nanos % 64)));
                call.fail(ErrorClass::Timeout);
            }
            let families = others.iter().enumerate();
            let families = families.map(|(number, (kind, children))| -> MetricFamily {
                let kind = KINDS[*kind];
                let children = children.iter().enumerate();
                let metrics = children.map(|(n, child)| metric(kind, n, child)).collect();
                family(&format!("mine_{number}"), kind, metrics)
            });
            Fixed::register(families.collect(), &registry);
            assert_agree(&registry);
            if native {
                for histogram in histograms(&registry, DURATION) {
                    let counts: i64 = native_buckets(&histogram).values().sum();
                    let all = histogram.zero_count() + counts.cast_unsigned();
                    prop_assert_eq!(all, histogram.sample_count());
                }
            }
            Ok(())
        },
    );
    run.unwrap();
}
