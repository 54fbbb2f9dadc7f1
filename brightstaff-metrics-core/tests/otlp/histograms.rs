//! Exponential histograms, and exemplars.

use std::{collections::BTreeMap, time::Duration};

use brightstaff_metrics_core::{
    Clock, Metrics, TraceContext,
    labels::ErrorClass,
    otlp::{Encoder, HistogramAggregation, Resource, Temporality},
};
use prometheus::{Histogram, HistogramOpts, Registry};

use crate::{
    EPOCH,
    model::{Exemplar, ExemplarValue},
    read::{Point, Value, one, points},
};

const DURATION: &str = "brightstaff_llm_upstream_duration_seconds";
const FAILED: &[(&str, &str)] = &[("outcome", "error")];

struct Played {
    registry: Registry,
    metrics: Metrics,
    clock: Clock,
}

impl Played {
    fn new(native: bool) -> Self {
        let (registry, clock) = (Registry::new(), Clock::manual());
        let builder = Metrics::builder().clock(clock.clone()).process(false);
        let builder = builder.native_histograms(native).upstreams([("a", "b")]);
        let metrics = builder.register(&registry).unwrap();
        Self {
            registry,
            metrics,
            clock,
        }
    }

    fn call(&self, millis: u64, trace: u8) {
        let mut call = self.metrics.upstream("a", "b").start();
        if let Some(trace) = TraceContext::new([trace; 16], [0xb7; 8]) {
            call = call.in_trace(trace);
        }
        self.clock.advance(Duration::from_millis(millis));
        call.fail(ErrorClass::Timeout);
    }

    fn encoder(&self) -> Encoder {
        let encoder = Encoder::new(Resource::default()).clock(self.clock.clone());
        encoder.histograms(HistogramAggregation::Base2Exponential)
    }
}

/// Bucket `i` of scale 3 is from above 2^(i/8) to 2^((i+1)/8): one less than Prometheus numbers it. 0.25 s is 2^(-16/8),
/// 1 s 2^0, and 5,000 s are past the end, which is 2^(96/8).
#[test]
fn exponential_buckets_are_those_that_are_counted_natively() {
    let played = Played::new(true);
    let counter = Histogram::with_opts(HistogramOpts::new("mine_seconds", "Mine.")).unwrap();
    played.registry.register(Box::new(counter)).unwrap();
    let empty = points(&played.encoder().encode(&played.registry));
    let none = Value::Exponential {
        zero: 0,
        counts: BTreeMap::new(),
        sum: 0.0,
    };
    assert_eq!(one(&empty, DURATION, FAILED).value, none);
    for millis in [0, 250, 251, 1_000, 1_000, 1_001, 5_000_000] {
        played.call(millis, 0);
    }
    let told = points(&played.encoder().encode(&played.registry));
    let expected = Value::Exponential {
        zero: 1,
        counts: [(-17, 1), (-16, 1), (-1, 2), (0, 1), (95, 1)].into(),
        sum: 5_003.502,
    };
    assert_eq!(one(&told, DURATION, FAILED).value, expected);
    // Who counts in no others is told in the ones that it has.
    let mine = one(&told, "mine_seconds", &[]);
    assert!(matches!(mine.value, Value::Explicit { .. }));
}

#[test]
fn histograms_without_native_buckets_stay_explicit() {
    let played = Played::new(false);
    played.call(250, 0);
    let told = points(&played.encoder().encode(&played.registry));
    let Value::Explicit {
        counts,
        bounds,
        sum,
    } = &one(&told, DURATION, FAILED).value
    else {
        panic!("{told:?}")
    };
    assert_eq!(bounds[..4], [0.05, 0.1, 0.25, 0.5]);
    assert_eq!((counts[..4].to_vec(), *sum), (vec![0, 0, 1, 0], 0.25));
    // And where there are both, explicit ones are what is told unless otherwise asked.
    let played = Played::new(true);
    let encoder = played.encoder().histograms(HistogramAggregation::default());
    let told = points(&{ encoder }.encode(&played.registry));
    assert!(matches!(
        one(&told, DURATION, FAILED).value,
        Value::Explicit { .. }
    ));
}

fn exemplar(trace: u8, value: f64, millis: u64) -> Exemplar {
    Exemplar {
        filtered_attributes: Vec::new(),
        time_unix_nano: EPOCH + millis * 1_000_000,
        value: Some(ExemplarValue::AsDouble(value)),
        span_id: vec![0xb7; 8],
        trace_id: vec![trace; 16],
    }
}

/// The last of each bucket; of an exponential histogram the newest last, as Prometheus wants those of a series.
#[test]
fn exemplars_name_their_traces() {
    for native in [false, true] {
        let played = Played::new(native);
        for (millis, trace) in [(300, 1), (400, 2), (450, 0), (10, 3), (700_000, 4)] {
            played.call(millis, trace);
        }
        let told = |encoder: Encoder| {
            let mut encoder = encoder;
            let told = points(&encoder.encode(&played.registry));
            one(&told, DURATION, FAILED).exemplars.clone()
        };
        let newest_last = [
            exemplar(2, 0.4, 700),
            exemplar(3, 0.01, 1_160),
            exemplar(4, 700.0, 701_160),
        ];
        let mut by_bucket = newest_last.clone();
        by_bucket.swap(0, 1);
        let expected = if native { newest_last } else { by_bucket };
        assert_eq!(told(played.encoder()), expected);
        assert_eq!(told(played.encoder().exemplars(false)), []);
    }
}

/// An exemplar is of the interval that the point tells of.
#[test]
fn a_delta_has_only_exemplars_of_its_own() {
    let played = Played::new(false);
    let mut encoder = played.encoder().temporality(Temporality::Delta);
    let mut told = || {
        played.clock.advance(Duration::from_secs(1));
        let export = encoder.encode(&played.registry);
        let failed = |point: &Point| point.is(DURATION, FAILED);
        let point = points(&export).into_iter().find(failed);
        encoder.acknowledge(export);
        point.map(|point| point.exemplars)
    };
    played.call(300, 1);
    assert_eq!(told(), Some(vec![exemplar(1, 0.3, 300)]));
    played.call(3_000, 2);
    assert_eq!(told(), Some(vec![exemplar(2, 3.0, 4_300)]));
    assert_eq!(told(), None);
}
