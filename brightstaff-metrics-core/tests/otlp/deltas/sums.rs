//! Whatever is recorded, and whichever exports are lost.

use std::time::Duration;

use brightstaff_metrics_core::{
    Clock, Head, Metrics, adapter,
    labels::{ErrorClass, RequestMethod},
    otlp::{Encoder, HistogramAggregation, Resource, Temporality},
    prometheus::{Counter, Histogram, HistogramOpts, IntCounter, Registry},
};
use proptest::{
    collection::vec,
    prelude::*,
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};

use super::receiver::{Receiver, same};
use crate::{EPOCH, model::Temporality as Told, read::points};

#[derive(Clone, Debug)]
enum Step {
    /// A call to one of some pairs, of which most are not there before; it takes so many microseconds.
    Call(u8, u64),
    Request(u8),
    /// Of another collector.
    Count(u8),
    Observe(u8),
    /// So many milliseconds pass.
    Wait(u16),
    /// Whether it is taken.
    Export(bool),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (0..4_u8, 0..20_000_000_u64).prop_map(|(pair, micros)| Step::Call(pair, micros)),
        (0..3_u8).prop_map(Step::Request),
        any::<u8>().prop_map(Step::Count),
        any::<u8>().prop_map(Step::Observe),
        (0..5_000_u16).prop_map(Step::Wait),
        any::<bool>().prop_map(Step::Export),
        any::<bool>().prop_map(Step::Export),
    ]
}

fn run(steps: &[Step], exponential: bool, temporality: Temporality) {
    let (registry, clock) = (Registry::new(), Clock::manual());
    let metrics = Metrics::builder()
        .clock(clock.clone())
        .process(false)
        .native_histograms(exponential)
        .upstreams([("a", "0")])
        .register(&registry)
        .unwrap();
    let counter = Counter::new("mine_total", "Mine.").unwrap();
    let whole = IntCounter::new("mine_whole_total", "Mine.").unwrap();
    let histogram = Histogram::with_opts(HistogramOpts::new("mine_seconds", "Mine.")).unwrap();
    registry.register(Box::new(counter.clone())).unwrap();
    registry.register(Box::new(whole.clone())).unwrap();
    registry.register(Box::new(histogram.clone())).unwrap();
    let encoder = |temporality| {
        let aggregation = if exponential {
            HistogramAggregation::Base2Exponential
        } else {
            HistogramAggregation::ExplicitBucket
        };
        let encoder = Encoder::new(Resource::default()).temporality(temporality);
        encoder.histograms(aggregation).clock(clock.clone())
    };
    let mut deltas = encoder(temporality);
    let mut totals = encoder(Temporality::Cumulative);
    let mut receiver = Receiver::default();
    for step in steps.iter().chain([&Step::Export(true)]) {
        match step {
            Step::Call(pair, micros) => {
                // Those that were not declared come when a call of theirs goes well.
                let mut call = metrics.upstream("a", &pair.to_string()).start();
                clock.advance(Duration::from_micros(*micros));
                call.head(&Head::new(200).content_length(0));
                if micros % 2 == 0 {
                    call.finish();
                } else {
                    call.fail(ErrorClass::Timeout);
                }
            }
            Step::Request(handler) => {
                let handler = format!("handler \"{handler}\"\n");
                adapter::begin(&metrics, &handler, RequestMethod::Post)
                    .head(&Head::new(200).content_length(0));
            }
            Step::Count(count) => {
                counter.inc_by(f64::from(*count) / 7.0);
                whole.inc_by((*count).into());
            }
            Step::Observe(value) => histogram.observe(f64::from(*value) / 20.0),
            Step::Wait(millis) => clock.advance(Duration::from_millis((*millis).into())),
            Step::Export(is_taken) => {
                // Two exports of one instant would have no interval.
                clock.advance(Duration::from_nanos(1));
                let export = deltas.encode(&registry);
                if *is_taken {
                    receiver.take(&points(&export));
                    // An export that told nothing happened, too.
                    receiver.last = EPOCH.max(now(&mut totals, &registry));
                    deltas.acknowledge(export);
                }
            }
        }
    }
    let mut seen = 0;
    for point in points(&totals.encode(&registry)) {
        if point.temporality != Some(Told::Cumulative) {
            continue;
        }
        seen += 1;
        let kept = receiver.kept.get(&point.series());
        let kept = kept.unwrap_or_else(|| panic!("{point:?} was never told"));
        assert!(same(&kept.value, &point.value), "{kept:?} {point:?}");
        // Of others it is not known when they began.
        if !point.name.starts_with("mine_") {
            assert_eq!(kept.start, point.start, "{point:?}");
        }
    }
    assert_eq!(seen, receiver.kept.len());
}

fn now(encoder: &mut Encoder, registry: &Registry) -> u64 {
    let points = points(&encoder.encode(registry));
    points.iter().map(|point| point.time).min().unwrap()
}

#[test]
fn those_that_were_taken_add_up_to_the_totals() {
    let config = Config {
        cases: 128,
        failure_persistence: None,
        ..Config::default()
    };
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let mut runner = TestRunner::new_with_rng(config, rng);
    let steps = (vec(step(), 0..40), any::<bool>(), any::<bool>());
    let ran = runner.run(&steps, |(steps, exponential, low_memory)| {
        let temporality = if low_memory {
            Temporality::LowMemory
        } else {
            Temporality::Delta
        };
        run(&steps, exponential, temporality);
        Ok(())
    });
    ran.unwrap();
}
