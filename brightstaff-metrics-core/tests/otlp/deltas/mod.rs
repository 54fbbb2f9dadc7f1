//! Deltas: whatever is recorded, and whichever exports are lost, those that were taken add up to what a scrape would tell.

mod receiver;
mod sums;

use std::time::Duration;

use brightstaff_metrics_core::{
    Clock, Metrics,
    labels::ErrorClass,
    otlp::{Encoder, Resource, Temporality},
    prometheus::{IntCounter, Registry, proto::MetricType},
};

use crate::{
    EPOCH,
    foreign::{Fixed, counter, family, labelled},
    model::Temporality as Told,
    read::{Value, one, points},
};

fn one_pair(clock: &Clock) -> (Registry, Metrics) {
    let registry = Registry::new();
    let builder = Metrics::builder().clock(clock.clone()).process(false);
    let metrics = builder.upstreams([("a", "b")]).register(&registry).unwrap();
    (registry, metrics)
}

const DURATION: &str = "brightstaff_llm_upstream_duration_seconds";
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
