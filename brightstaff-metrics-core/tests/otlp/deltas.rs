//! Deltas: whatever is recorded, and whichever exports are lost, those that were taken add up to what a scrape would tell.

use std::{collections::BTreeMap, time::Duration};

use brightstaff_metrics_core::{
    Clock, Head, Metrics, adapter,
    labels::{ErrorClass, RequestMethod},
    otlp::{Encoder, HistogramAggregation, Resource, Temporality},
    prometheus::{Counter, Histogram, HistogramOpts, IntCounter, Registry, proto::MetricType},
};
use proptest::{
    collection::vec,
    prelude::*,
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};

use crate::{
    EPOCH,
    foreign::{Fixed, counter, family, labelled},
    model::Temporality as Told,
    read::{Point, Series, Value, one, points},
};

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

/// What a receiver of deltas has of a series.
#[derive(Debug)]
struct Kept {
    value: Value,
    /// When the first one began.
    start: u64,
    end: u64,
}

#[derive(Debug, Default)]
struct Receiver {
    kept: BTreeMap<Series, Kept>,
    /// When the last export was made that came.
    last: u64,
}

impl Receiver {
    fn take(&mut self, points: &[Point]) {
        for point in points {
            if point.temporality != Some(Told::Delta) {
                continue;
            }
            let (start, end) = (point.start, point.time);
            assert!(start <= end, "{point:?}");
            match self.kept.entry(point.series()) {
                std::collections::btree_map::Entry::Vacant(entry) => {
                    assert!(start >= self.last || self.last == 0, "{point:?}");
                    let value = point.value.clone();
                    entry.insert(Kept { value, start, end });
                }
                std::collections::btree_map::Entry::Occupied(mut entry) => {
                    let kept = entry.get_mut();
                    assert_eq!(start, self.last, "{point:?}");
                    assert!(start >= kept.end, "an interval overlaps another");
                    add(&mut kept.value, &point.value);
                    kept.end = end;
                }
            }
        }
        self.last = points
            .iter()
            .map(|point| point.time)
            .max()
            .unwrap_or(self.last)
            .max(self.last);
    }
}

fn add(kept: &mut Value, delta: &Value) {
    match (kept, delta) {
        (Value::Int(kept), Value::Int(delta)) => {
            assert!(*delta > 0, "nothing was added");
            *kept += delta;
        }
        (Value::Double(kept), Value::Double(delta)) => {
            assert!(*delta > 0.0, "nothing was added");
            *kept += delta;
        }
        (
            Value::Explicit {
                counts,
                bounds,
                sum,
            },
            Value::Explicit {
                counts: more,
                bounds: same,
                sum: more_sum,
            },
        ) => {
            assert_eq!(bounds, same);
            assert!(more.iter().sum::<u64>() > 0, "nothing was added");
            counts
                .iter_mut()
                .zip(more)
                .for_each(|(kept, more)| *kept += more);
            *sum += more_sum;
        }
        (
            Value::Exponential { zero, counts, sum },
            Value::Exponential {
                zero: more_zero,
                counts: more,
                sum: more_sum,
            },
        ) => {
            assert!(
                more_zero + more.values().sum::<u64>() > 0,
                "nothing was added"
            );
            *zero += more_zero;
            for (bucket, more) in more {
                *counts.entry(*bucket).or_default() += more;
            }
            *sum += more_sum;
        }
        (kept, delta) => panic!("{kept:?} and {delta:?}"),
    }
}

/// Sums are floats, once they are told.
fn close(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-9 * a.abs().max(1.0)
}

fn same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Double(one), Value::Double(other)) => close(*one, *other),
        (
            Value::Explicit {
                counts,
                bounds,
                sum,
            },
            Value::Explicit {
                counts: others,
                bounds: other_bounds,
                sum: other,
            },
        ) => counts == others && bounds == other_bounds && close(*sum, *other),
        (
            Value::Exponential { zero, counts, sum },
            Value::Exponential {
                zero: other_zero,
                counts: others,
                sum: other,
            },
        ) => zero == other_zero && counts == others && close(*sum, *other),
        _ => one == other,
    }
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

fn one_pair(clock: &Clock) -> (Registry, Metrics) {
    let registry = Registry::new();
    let builder = Metrics::builder().clock(clock.clone()).process(false);
    let metrics = builder.upstreams([("a", "b")]).register(&registry).unwrap();
    (registry, metrics)
}

const REQUESTS: &str = "brightstaff_llm_upstream_requests_total";
const TIMEOUT: &[(&str, &str)] = &[("error_class", "timeout"), ("model", "b")];
const SECOND: u64 = 1_000_000_000;

#[test]
fn what_does_not_change_has_no_point_and_what_is_lost_is_told_again() {
    let clock = Clock::manual();
    let (registry, metrics) = one_pair(&clock);
    let encoder = Encoder::new(Resource::default()).clock(clock.clone());
    let mut encoder = encoder.temporality(Temporality::Delta);
    let second = || clock.advance(Duration::from_secs(1));
    let fail = || metrics.upstream("a", "b").start().fail(ErrorClass::Timeout);
    second();
    let first = encoder.encode(&registry);
    let point = one(&points(&first), REQUESTS, TIMEOUT).clone();
    assert_eq!((point.value, point.start), (Value::Int(0), EPOCH));
    encoder.acknowledge(first);
    // Nothing happened: gauges alone.
    second();
    let quiet = encoder.encode(&registry);
    let told = points(&quiet);
    assert!(!told.is_empty() && told.iter().all(|point| point.temporality.is_none()));
    encoder.acknowledge(quiet);
    fail();
    second();
    let lost = encoder.encode(&registry);
    let point = one(&points(&lost), REQUESTS, TIMEOUT).clone();
    assert_eq!(
        (point.value, point.start),
        (Value::Int(1), EPOCH + 2 * SECOND)
    );
    drop(lost);
    fail();
    second();
    let again = encoder.encode(&registry);
    let point = one(&points(&again), REQUESTS, TIMEOUT).clone();
    assert_eq!(point.value, Value::Int(2));
    assert_eq!(
        (point.start, point.time),
        (EPOCH + 2 * SECOND, EPOCH + 4 * SECOND)
    );
    let later = encoder.encode(&registry);
    encoder.acknowledge(again);
    fail();
    second();
    let third = encoder.encode(&registry);
    encoder.acknowledge(third);
    // Older than what was acknowledged.
    encoder.acknowledge(later);
    fail();
    second();
    let point = one(&points(&encoder.encode(&registry)), REQUESTS, TIMEOUT).clone();
    assert_eq!(
        (point.value, point.start),
        (Value::Int(1), EPOCH + 5 * SECOND)
    );
}

/// OpenTelemetry's `lowmemory` is delta for synchronous counters and histograms, and cumulative for asynchronous
/// counters, which somebody else counts: those would have to be remembered.
#[cfg(target_os = "linux")]
#[test]
fn what_is_read_when_it_is_told_is_cumulative_where_memory_is_low() {
    const CPU: &str = "process_cpu_seconds_total";
    for (temporality, of_cpu, of_requests) in [
        (Temporality::Cumulative, Told::Cumulative, Told::Cumulative),
        (Temporality::Delta, Told::Delta, Told::Delta),
        (Temporality::LowMemory, Told::Cumulative, Told::Delta),
    ] {
        let registry = Registry::new();
        let _metrics = Metrics::builder()
            .upstreams([("a", "b")])
            .register(&registry);
        let mut encoder = Encoder::new(Resource::default()).temporality(temporality);
        let points = points(&encoder.encode(&registry));
        let cpu = one(&points, CPU, &[]);
        assert_eq!(cpu.temporality, Some(of_cpu));
        assert_eq!(
            one(&points, REQUESTS, TIMEOUT).temporality,
            Some(of_requests)
        );
        // Since the process was started, by the system's clock.
        let start = one(&points, "process_start_time_seconds", &[]);
        assert!(
            matches!(start.value, Value::Double(at) if (at * 1e9 - cpu.start as f64).abs() < 1e6)
        );
        assert!(cpu.start > 0 && cpu.start < cpu.time);
    }
}

/// A counter of others may begin at 0 again.
#[test]
fn what_falls_began_again() {
    let (registry, clock) = (Registry::new(), Clock::manual());
    let counter = IntCounter::new("mine_total", "Mine.").unwrap();
    registry.register(Box::new(counter.clone())).unwrap();
    let encoder = Encoder::new(Resource::default()).clock(clock.clone());
    let mut encoder = encoder.temporality(Temporality::Delta);
    let mut told = |count| {
        counter.inc_by(count);
        clock.advance(Duration::from_secs(1));
        let export = encoder.encode(&registry);
        let told = points(&export).first().map(|point| point.value.clone());
        encoder.acknowledge(export);
        told
    };
    assert_eq!(told(5), Some(Value::Double(5.0)));
    assert_eq!(told(2), Some(Value::Double(2.0)));
    counter.reset();
    assert_eq!(told(3), Some(Value::Double(3.0)));
    assert_eq!(told(0), None);
}

/// Where another collector comes to add to one of our families, the registry has the say over all, and gives floats.
#[test]
fn what_a_registry_comes_to_join_is_not_told_twice() {
    let clock = Clock::manual();
    let (registry, metrics) = one_pair(&clock);
    let encoder = Encoder::new(Resource::default()).clock(clock.clone());
    let mut encoder = encoder.temporality(Temporality::Delta);
    let mut told = |failures| {
        for _ in 0..failures {
            let call = metrics.upstream("a", "b").start();
            clock.advance(Duration::from_millis(250));
            call.fail(ErrorClass::Timeout);
        }
        let export = encoder.encode(&registry);
        let told = points(&export);
        encoder.acknowledge(export);
        let duration = one(&told, DURATION, &[("outcome", "error"), ("model", "b")]);
        let Value::Explicit { counts, sum, .. } = &duration.value else {
            panic!("{duration:?}")
        };
        let requests = one(&told, REQUESTS, TIMEOUT).value.clone();
        (requests, counts.iter().sum::<u64>(), *sum)
    };
    assert_eq!(told(3), (Value::Int(3), 3, 0.75));
    let labels = [
        ("handler", "mine"),
        ("method", "GET"),
        ("status_class", "2xx"),
    ];
    let metric = counter(labelled(&labels), 7.0);
    let added = family(
        "brightstaff_http_requests_total",
        MetricType::COUNTER,
        vec![metric],
    );
    let collector = Fixed::register(vec![added], &registry);
    assert_eq!(told(2), (Value::Double(2.0), 2, 0.5));
    registry.unregister(collector).unwrap();
    assert_eq!(told(1), (Value::Int(1), 1, 0.25));
    assert_eq!(told(2), (Value::Int(2), 2, 0.5));
}

const DURATION: &str = "brightstaff_llm_upstream_duration_seconds";
