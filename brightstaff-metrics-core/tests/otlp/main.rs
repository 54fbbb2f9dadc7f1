//! What is pushed, read by a decoder that is not ours.

#![allow(clippy::unwrap_used, unreachable_pub)] // Helpers of tests are tests.

mod deltas;
#[path = "../formats/foreign.rs"]
mod foreign;
mod gen_ai;
mod histograms;
#[path = "../meter_support/mod.rs"]
mod meter_support;
mod model;
mod read;

use std::time::Duration;

use brightstaff_metrics_core::{
    Clock, Head, Metrics, adapter, catalogue,
    labels::{ErrorClass, RequestMethod},
    otlp::{Encoder, GenAi, HistogramAggregation, Resource, Temporality},
};
use prometheus::Registry;

use self::read::{Value, one, points, texts};

/// The clock on the wall of a manual clock begins there.
const EPOCH: u64 = 1_700_000_000_000_000_000;

/// Label values that a text format would have to escape, or that are long.
const HOSTILE: &[&str] = &[
    "gpt \"4o\" \\",
    "a\nb\\n\\",
    "\",model=\"x\",provider=\"y",
    "}{=\",\"=\\\"",
    "model=\"",
    "\u{1f980}\u{0}\u{7f}",
    "",
];

#[test]
fn a_request_is_of_one_resource_and_the_own_scope() {
    let registry = Registry::new();
    let _metrics = Metrics::builder().register(&registry).unwrap();
    let attributes = [("service.name", "gateway"), ("a \"b\"\n", "")];
    let resource = Resource::new(attributes).schema_url("https://a.b/1");
    let export = Encoder::new(resource).encode(&registry);
    let request = model::decode(export.body());
    let [of_resource] = &request.resource_metrics[..] else {
        panic!("{request:?}")
    };
    let resource = of_resource.resource.as_ref().unwrap();
    let attributes = attributes.map(|(key, value)| (key.to_owned(), value.to_owned()));
    assert_eq!(texts(&resource.attributes), attributes.into());
    assert_eq!(of_resource.schema_url, "https://a.b/1");
    let [scope] = &of_resource.scope_metrics[..] else {
        panic!("{of_resource:?}")
    };
    assert_eq!(scope.schema_url, "");
    let scope = scope.scope.as_ref().unwrap();
    assert_eq!(scope.name, "brightstaff");
    assert_eq!(scope.version, env!("CARGO_PKG_VERSION"));
}

/// A thread of low priority lets others in while it encodes, more often the more there is.
#[test]
fn encoding_gives_way() {
    use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
    static TIMES: AtomicUsize = AtomicUsize::new(0);
    let registry = Registry::new();
    let pairs: Vec<_> = (0..100)
        .map(|n| ("p".to_owned(), format!("m{n}")))
        .collect();
    let builder = Metrics::builder().process(false).upstreams(pairs);
    let _metrics = builder.register(&registry).unwrap();
    let encoder = Encoder::new(Resource::default());
    let mut encoder = encoder.giving_way(|| {
        TIMES.fetch_add(1, Relaxed);
    });
    let export = encoder.encode(&registry);
    assert_eq!(TIMES.load(Relaxed), export.points() / 64);
    assert!(export.points() > 1000, "{}", export.points());
}

/// Receivers that put a unit, or `_total`, at the end of names find it there: see the namers of Prometheus and others.
#[test]
fn names_are_those_of_a_scrape_and_units_those_that_they_end_in() {
    let registry = Registry::new();
    let builder = Metrics::builder().upstreams([("a", "b")]);
    let metrics = builder.register(&registry).unwrap();
    metrics.upstream("a", "b").start().finish();
    let export = Encoder::new(Resource::default()).encode(&registry);
    let request = model::decode(export.body());
    let metrics = &request.resource_metrics[0].scope_metrics[0].metrics;
    assert!(metrics.len() >= 20, "{}", metrics.len());
    for metric in metrics {
        let all = catalogue::ALL.iter();
        let mut family = all.filter(|family| family.name == metric.name);
        let family = family.next().unwrap_or_else(|| panic!("{}", metric.name));
        assert_eq!(metric.description, family.help);
        let stem = metric.name.strip_suffix("_total").unwrap_or(&metric.name);
        let unit = match stem.rsplit('_').next() {
            Some("seconds") => "s",
            Some("bytes") => "By",
            _ => "",
        };
        assert_eq!(metric.unit, unit, "{}", metric.name);
        let is_monotonic = match metric.data.as_ref().unwrap() {
            model::Data::Sum(sum) => sum.is_monotonic,
            _ => false,
        };
        assert_eq!(is_monotonic, metric.name.ends_with("_total"));
    }
}

#[test]
fn a_pair_that_is_born_late_starts_late() {
    let (registry, clock) = (Registry::new(), Clock::manual());
    let builder = Metrics::builder().clock(clock.clone()).process(false);
    let metrics = builder.upstreams([("a", "b")]).register(&registry).unwrap();
    let mut encoder = Encoder::new(Resource::default()).clock(clock.clone());
    clock.advance(Duration::from_secs(5));
    let mut call = metrics.upstream("a", "late").start();
    call.head(&Head::new(200).content_length(0));
    call.finish();
    clock.advance(Duration::from_secs(2));
    let told = points(&encoder.encode(&registry));
    for (model, start) in [("b", EPOCH), ("late", EPOCH + 5_000_000_000)] {
        let of_pair = [("provider", "a"), ("model", model)];
        let of_pair: Vec<_> = told
            .iter()
            .filter(|point| point.temporality.is_some())
            .filter(|point| {
                of_pair
                    .iter()
                    .all(|(k, v)| point.attributes.get(*k).is_some_and(|is| is == v))
            })
            .collect();
        assert!(of_pair.len() >= 10, "{model}: {}", of_pair.len());
        for point in of_pair {
            assert_eq!(
                (point.start, point.time),
                (start, EPOCH + 7_000_000_000),
                "{point:?}"
            );
        }
    }
    // Gauges have no beginning.
    let build = one(&told, "brightstaff_build_info", &[]);
    assert_eq!((build.start, &build.value), (0, &Value::Int(1)));
}

/// On every sheet, whatever stands beside them there.
#[test]
fn label_values_are_told_as_they_were_given() {
    let long = "x".repeat(20_000);
    let registry = Registry::new();
    let pairs = HOSTILE
        .iter()
        .flat_map(|a| HOSTILE.iter().map(move |b| (*a, *b)));
    // Those that no label may carry are refused.
    let fits = |name: &str| !name.is_empty() && !name.chars().any(char::is_control);
    let fits = |(a, b): &(&str, &str)| fits(a) && fits(b);
    let pairs: Vec<_> = pairs.filter(fits).collect();
    let metrics = Metrics::builder()
        .version(&long)
        .upstreams(pairs.clone())
        .register(&registry)
        .unwrap();
    for handler in HOSTILE {
        adapter::begin(&metrics, handler, RequestMethod::Post)
            .head(&Head::new(200).content_length(0));
    }
    for (at, (provider, model)) in pairs.iter().enumerate() {
        for _ in 0..=at {
            metrics
                .upstream(provider, model)
                .start()
                .fail(ErrorClass::Timeout);
        }
    }
    let told = points(&Encoder::new(Resource::default()).encode(&registry));
    let counted = told
        .iter()
        .filter(|point| point.name == "brightstaff_llm_upstream_requests_total");
    assert!(counted.count() >= 8 * pairs.len());
    for (at, (provider, model)) in pairs.iter().enumerate() {
        let labels = [
            ("provider", *provider),
            ("model", *model),
            ("error_class", "timeout"),
        ];
        let point = one(&told, "brightstaff_llm_upstream_requests_total", &labels);
        assert_eq!(point.value, Value::Int(at as i64 + 1));
        let keys: Vec<_> = point.attributes.keys().collect();
        assert_eq!(keys, ["error_class", "model", "provider", "status_class"]);
        let labels = [
            ("provider", *provider),
            ("model", *model),
            ("outcome", "error"),
        ];
        let point = one(&told, "brightstaff_llm_upstream_duration_seconds", &labels);
        assert!(
            matches!(&point.value, Value::Explicit { counts, .. } if counts.iter().sum::<u64>() == at as u64 + 1)
        );
    }
    one(&told, "brightstaff_build_info", &[("version", &long)]);
}

/// Where a float would not: receivers that keep integers have it exactly.
#[test]
fn whole_numbers_are_exact() {
    let registry = Registry::new();
    let metrics = Metrics::builder()
        .upstreams([("a", "b")])
        .register(&registry)
        .unwrap();
    let most = (1_u64 << 60) + 1;
    let mut call = metrics.upstream("a", "b").start();
    call.response(200);
    call.usage(brightstaff_metrics_core::meter::Usage::new(most, 3));
    call.finish();
    let told = points(&Encoder::new(Resource::default()).encode(&registry));
    let prompt = one(&told, "brightstaff_llm_tokens_total", &[("kind", "prompt")]);
    assert_eq!(prompt.value, Value::Int(1_152_921_504_606_846_977));
}

/// An export is made on one thread, and sent on another.
#[test]
fn encoders_and_exports_move_between_threads() {
    fn assert_moves<T: Send + Sync + 'static>() {}
    assert_moves::<Encoder>();
    assert_moves::<brightstaff_metrics_core::otlp::Export>();
}

#[test]
fn settings_are_read_in_any_case_and_what_is_unknown_is_named() {
    assert_eq!("LowMemory".parse(), Ok(Temporality::LowMemory));
    assert_eq!("delta".parse(), Ok(Temporality::Delta));
    assert_eq!("CUMULATIVE".parse(), Ok(Temporality::Cumulative));
    let exponential = HistogramAggregation::Base2Exponential;
    assert_eq!(
        "base2_exponential_bucket_histogram".parse(),
        Ok(exponential)
    );
    let explicit = HistogramAggregation::ExplicitBucket;
    assert_eq!("Explicit_Bucket_Histogram".parse(), Ok(explicit));
    assert_eq!("1.41".parse(), Ok(GenAi::V1_41));
    assert_eq!("latest".parse(), Ok(GenAi::Latest));
    assert_eq!("off".parse(), Ok(GenAi::Off));
    let error = "deltas".parse::<Temporality>().unwrap_err();
    assert_eq!(
        error.to_string(),
        "\"deltas\" is none of cumulative, delta, lowmemory"
    );
}
