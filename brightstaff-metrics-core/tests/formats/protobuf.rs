//! What only protobuf says.

use std::{collections::BTreeMap, io, time::Duration};

use brightstaff_metrics_core::{
    Builder, Clock, Head, Metrics, TraceContext, adapter,
    exposition::{Exposition, Format},
    labels::{ErrorClass, RequestMethod},
};
use prometheus::Registry;

use super::{assert_agree, model, register, register_others, written};

fn families(registry: &Registry) -> Vec<model::MetricFamily> {
    model::decode(&written(registry, Format::Protobuf))
}

/// Prometheus refuses a scrape where a name does not end in its unit.
#[test]
fn units_are_told_where_names_end_in_them() {
    let registry = Registry::new();
    let _metrics = register(&registry);
    register_others(&registry);
    let families = families(&registry);
    for (name, unit) in [
        ("brightstaff_http_request_duration_seconds", Some("seconds")),
        ("brightstaff_llm_tokens_total", Some("tokens")),
        ("brightstaff_http_requests_total", None),
        ("mine_seconds_total", Some("seconds")),
        ("mine_gauge_seconds_total", None),
        ("mine_bytes", Some("bytes")),
    ] {
        let found = families.iter().find(|family| family.name() == name);
        assert_eq!(found.unwrap().unit.as_deref(), unit, "{name}");
    }
}

/// Ours stand in the order of the catalogue, before those of others.
#[test]
fn families_stand_in_their_order() {
    let registry = Registry::new();
    let _metrics = register(&registry);
    register_others(&registry);
    let families = families(&registry);
    let names: Vec<_> = families.iter().map(model::MetricFamily::name).collect();
    let ours = names.iter().position(|name| name.starts_with("mine_"));
    let all = brightstaff_metrics_core::catalogue::ALL.iter();
    let places: Vec<_> = names[..ours.unwrap()]
        .iter()
        .map(|name| all.clone().position(|family| family.name == *name))
        .collect();
    assert!(places.iter().all(Option::is_some) && places.is_sorted());
}

#[test]
fn an_output_that_fails_is_told() {
    /// Takes so many bytes.
    struct Short(usize);
    impl io::Write for Short {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            if self.0 == 0 {
                return Err(io::ErrorKind::StorageFull.into());
            }
            let taken = bytes.len().min(self.0);
            self.0 -= taken;
            Ok(taken)
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let registry = Registry::new();
    let _metrics = register(&registry);
    for bytes in [0, 1, 3, 1000] {
        let mut out = Short(bytes);
        let told = Exposition::of(&registry).write(Format::Protobuf, &mut out);
        assert_eq!(told.unwrap_err().kind(), io::ErrorKind::StorageFull);
        assert_eq!(out.0, 0);
    }
}

/// A family's histograms.
fn histograms(registry: &Registry, name: &str) -> Vec<model::Histogram> {
    let families = families(registry);
    let family = families.into_iter().find(|family| family.name() == name);
    let metrics = family.unwrap().metric.into_iter();
    metrics.map(|metric| metric.histogram.unwrap()).collect()
}

/// The samples of each native bucket, by the number that Prometheus gives it.
fn native_buckets(histogram: &model::Histogram) -> BTreeMap<i32, i64> {
    let mut deltas = histogram.positive_delta.iter();
    let (mut number, mut count) = (0, 0);
    let mut buckets = BTreeMap::new();
    for span in &histogram.positive_span {
        number += span.offset();
        for _ in 0..span.length() {
            count += deltas.next().unwrap();
            buckets.insert(number, count);
            number += 1;
        }
    }
    assert_eq!(deltas.next(), None);
    buckets.retain(|_, count| *count > 0);
    buckets
}

const DURATION: &str = "brightstaff_llm_upstream_duration_seconds";

/// One call of each of these durations, in milliseconds.
fn play(builder: Builder, millis: &[u64]) -> Registry {
    let (registry, clock) = (Registry::new(), Clock::manual());
    let builder = builder.clock(clock.clone()).process(false);
    let metrics = builder
        .upstreams([("openai", "gpt-4o")])
        .register(&registry)
        .unwrap();
    for &millis in millis {
        let call = metrics.upstream("openai", "gpt-4o").start();
        clock.advance(Duration::from_millis(millis));
        call.fail(ErrorClass::Timeout);
    }
    registry
}

/// Of those calls that failed: of those that went well there is a histogram without samples.
fn failed(registry: &Registry) -> (model::Histogram, model::Histogram) {
    let mut all = histograms(registry, DURATION).into_iter();
    let (one, other) = (all.next().unwrap(), all.next().unwrap());
    if one.sample_count() > 0 {
        (one, other)
    } else {
        (other, one)
    }
}

#[test]
fn classic_histograms_have_no_trace_of_native_ones() {
    let registry = play(Metrics::builder(), &[260, 1_000]);
    for histogram in histograms(&registry, DURATION) {
        assert_eq!(histogram.bucket.len(), 13);
        assert_eq!(histogram.schema, None);
        assert_eq!(histogram.zero_threshold, None);
        assert!(histogram.positive_span.is_empty() && histogram.positive_delta.is_empty());
    }
}

#[test]
fn native_histograms_stand_beside_the_classic_ones_or_in_their_place() {
    for (classic, buckets) in [(true, 13), (false, 0)] {
        let builder = Metrics::builder().native_histograms(true).classic(classic);
        // 0.25 s is 2^(-16/8), 1 s 2^(0/8), and 5,000 s are past the end, which is 2^(96/8).
        let registry = play(builder, &[0, 250, 251, 1_000, 1_000, 1_001, 5_000_000]);
        let (histogram, empty) = failed(&registry);
        assert_eq!(histogram.schema, Some(3));
        assert_eq!(histogram.sample_count, Some(7));
        assert_eq!(histogram.sample_sum, Some(5_003.502));
        assert_eq!(histogram.zero_count, Some(1));
        assert!(histogram.zero_threshold() > 0.0 && histogram.zero_threshold() < 1e-9);
        let expected = [(-16, 1), (-15, 1), (0, 2), (1, 1), (96, 1)];
        assert_eq!(native_buckets(&histogram), expected.into());
        assert_eq!(histogram.bucket.len(), buckets);
        if let Some(last) = histogram.bucket.last() {
            assert_eq!((last.upper_bound(), last.cumulative_count()), (600.0, 6));
        }
        // Without a span it would be a classic one.
        assert_eq!(empty.sample_count, Some(0));
        let no_op = model::BucketSpan {
            offset: Some(0),
            length: Some(0),
        };
        assert_eq!((empty.schema, empty.positive_span), (Some(3), vec![no_op]));
        assert!(empty.positive_delta.is_empty());
        assert_eq!(empty.bucket.len(), buckets);
        // The text formats know the classic ones alone.
        let mut text = Vec::new();
        Exposition::of(&registry)
            .write(Format::Text, &mut text)
            .unwrap();
        let text = String::from_utf8(text).unwrap();
        assert!(text.contains(&format!("{DURATION}_bucket{{model=\"gpt-4o\",")));
    }
}

/// In all formats the same, where the classic buckets stand in protobuf, too.
#[test]
fn native_buckets_change_no_other_sample() {
    let builder = Metrics::builder().native_histograms(true);
    assert_agree(&play(builder, &[0, 1, 1_000, 1 << 40]));
}

/// The clock on the wall of a manual clock begins at 1,700,000,000 s.
#[test]
fn counters_and_histograms_tell_when_they_began() {
    let (registry, clock) = (Registry::new(), Clock::manual());
    let metrics = Metrics::builder().clock(clock.clone()).process(false);
    let metrics = metrics
        .upstreams([("openai", "gpt-4o")])
        .register(&registry)
        .unwrap();
    clock.advance(Duration::from_millis(2_500));
    // A handler of which there was nothing before.
    adapter::begin(&metrics, "llm_chat", RequestMethod::Post)
        .head(&Head::new(200).content_length(0));
    let families = families(&registry);
    let began = |name: &str| {
        let family = families
            .iter()
            .find(|family| family.name() == name)
            .unwrap();
        let metric = &family.metric[0];
        let of_counter = metric
            .counter
            .as_ref()
            .map(|counter| counter.created_timestamp);
        let of_histogram = metric
            .histogram
            .as_ref()
            .map(|histogram| histogram.created_timestamp);
        let at = of_counter.or(of_histogram).unwrap().unwrap();
        (at.seconds(), at.nanos())
    };
    assert_eq!(began("brightstaff_llm_tokens_total"), (1_700_000_000, 0));
    assert_eq!(began(DURATION), (1_700_000_000, 0));
    let later = (1_700_000_002, 500_000_000);
    assert_eq!(began("brightstaff_http_requests_total"), later);
    assert_eq!(began("brightstaff_http_request_duration_seconds"), later);
}

/// The last of each bucket, that past the last bound included; in native histograms by themselves, too, and all with
/// the time at which they were recorded.
#[test]
fn exemplars_stand_in_their_buckets_and_in_native_histograms() {
    for (native, classic) in [(false, true), (true, true), (true, false)] {
        let (registry, clock) = (Registry::new(), Clock::manual());
        let builder = Metrics::builder().clock(clock.clone()).process(false);
        let metrics = builder
            .native_histograms(native)
            .classic(classic)
            .upstreams([("openai", "gpt-4o")])
            .register(&registry)
            .unwrap();
        for (millis, trace) in [(300, 1), (400, 2), (450, 0), (10, 3), (700_000, 4)] {
            let mut call = metrics.upstream("openai", "gpt-4o").start();
            if let Some(trace) = TraceContext::new([trace; 16], [0xb7; 8]) {
                call = call.in_trace(trace);
            }
            clock.advance(Duration::from_millis(millis));
            call.fail(ErrorClass::Timeout);
        }
        let (histogram, _) = failed(&registry);
        let of_buckets: Vec<_> = histogram
            .bucket
            .iter()
            .filter_map(|bucket| Some((bucket.upper_bound(), bucket.exemplar.clone()?)))
            .collect();
        let exemplar = |trace: &str, value, (seconds, nanos): (i64, _)| {
            let label = |name: &str, value: String| model::LabelPair {
                name: Some(name.to_owned()),
                value: Some(value),
            };
            model::Exemplar {
                label: vec![
                    label("trace_id", trace.repeat(16)),
                    label("span_id", "b7".repeat(8)),
                ],
                value: Some(value),
                timestamp: Some(model::Timestamp {
                    seconds: Some(1_700_000_000 + seconds),
                    nanos: Some(nanos),
                }),
            }
        };
        let expected = [
            (0.05, exemplar("03", 0.01, (1, 160_000_000))),
            (0.5, exemplar("02", 0.4, (0, 700_000_000))),
            (f64::INFINITY, exemplar("04", 700.0, (701, 160_000_000))),
        ];
        assert_eq!(of_buckets, if classic { &expected[..] } else { &[] });
        // The newest last: Prometheus warns in each scrape where it reads others without it.
        let mut all: Vec<_> = expected.into_iter().map(|(_, exemplar)| exemplar).collect();
        all.swap(0, 1);
        assert_eq!(histogram.exemplars, if native { all } else { Vec::new() });
        if classic {
            assert_eq!(assert_agree(&registry).exemplars.len(), 3);
        }
    }
}
