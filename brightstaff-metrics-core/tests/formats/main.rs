//! All formats of exposition say the same: the same registry in each, parsed by readers that are not ours, and every
//! sample compared.

#![allow(clippy::unwrap_used, unreachable_pub)] // Helpers of tests are tests.

mod foreign;
mod model;
mod otlp;
#[path = "../otlp/model.rs"]
mod otlp_model;
mod properties;
mod protobuf;
mod python;
mod samples;
mod types;

use brightstaff_metrics_core::{
    Builder, Head, Metrics, adapter,
    exposition::{Exposition, Format},
    labels::{ErrorClass, RequestMethod},
};
use prometheus::{Registry, proto::MetricType};

use self::{
    foreign::{Fixed, counter, family, labelled},
    samples::{Series, Told},
    types::{at, gauge, histogram, summary, untyped},
};

fn written(registry: &Registry, format: Format) -> Vec<u8> {
    let mut written = Vec::new();
    let exposition = Exposition::of(registry);
    exposition.write(format, &mut written).unwrap();
    written
}

/// What the registry says in each format.
fn told(registry: &Registry) -> [Told; 3] {
    let text = |format| String::from_utf8(written(registry, format)).unwrap();
    [
        Told::of_text(&text(Format::Text), false),
        Told::of_text(&text(Format::OpenMetrics), true),
        Told::of_protobuf(&written(registry, Format::Protobuf)),
    ]
}

/// Compares every sample, and what is said of each family; gives what the protobuf says.
#[track_caller]
fn assert_agree(registry: &Registry) -> Told {
    let [text, open, protobuf] = told(registry);
    assert_eq!(text.samples, open.samples);
    assert_eq!(text.samples, protobuf.samples);
    assert_eq!(text.families, protobuf.families);
    assert_eq!(open.exemplars, protobuf.exemplars);
    for (name, (help, kind)) in &text.families {
        // OpenMetrics names the family of a counter without the end of its samples' name, unless another has that
        // name.
        let stem = name.strip_suffix("_total").filter(|_| kind == "counter");
        let about = [Some(&**name), stem].into_iter().flatten();
        let about = about.filter_map(|name| open.families.get(name)).next();
        let (open_help, open_kind) = about.unwrap_or_else(|| panic!("{name} is missing"));
        assert_eq!(help, open_help);
        match &**kind {
            "untyped" => assert_eq!(open_kind, "unknown"),
            "counter" => assert!(["counter", "unknown"].contains(&&**open_kind)),
            kind => assert_eq!(kind, open_kind),
        }
    }
    assert_eq!(text.families.len(), open.families.len());
    assert_pushed(registry, &text, &open);
    assert!(text.exemplars.is_empty(), "they would break a scrape");
    protobuf
}

/// What is pushed is what is scraped. An untyped family is one of gauges there; a timestamp counts from the Unix epoch,
/// up to the year 2554.
#[track_caller]
fn assert_pushed(registry: &Registry, text: &Told, open: &Told) {
    let pushed = otlp::told(registry);
    let samples = text.samples.iter().map(|(series, value)| {
        const MOST_MILLIS: i64 = (u64::MAX / 1_000_000) as i64;
        let timestamp = series.timestamp_ms.filter(|millis| *millis > 0);
        let timestamp_ms = timestamp.map(|millis| millis.min(MOST_MILLIS));
        let series = Series {
            timestamp_ms,
            ..series.clone()
        };
        (series, *value)
    });
    assert_eq!(pushed.samples, samples.collect());
    assert_eq!(pushed.exemplars, open.exemplars);
    let families = text.families.iter().map(|(name, (help, kind))| {
        let kind = if kind == "untyped" { "gauge" } else { kind };
        (name.clone(), (help.clone(), kind.to_owned()))
    });
    assert_eq!(pushed.families, families.collect());
}

fn record(metrics: &Metrics) {
    let upstream = metrics.upstream("openai", "gpt \"4o\" \\");
    for _ in 0..3 {
        upstream.start().fail(ErrorClass::Connect);
    }
    let mut request = adapter::begin(metrics, "llm_chat", RequestMethod::Post);
    request.head(&Head::new(200).content_length(0));
}

fn register(registry: &Registry) -> Metrics {
    register_as(Metrics::builder(), registry)
}

fn register_as(builder: Builder, registry: &Registry) -> Metrics {
    let builder = builder.version("a\"b\\c\nd").process(false);
    let metrics = builder
        .upstreams([("openai", "gpt \"4o\" \\")])
        .register(registry)
        .unwrap();
    record(&metrics);
    metrics
}

/// Families of every type.
fn register_others(registry: &Registry) {
    let one = || labelled(&[("a", "1"), ("b", "x\"y\\z\n")]);
    let two = || labelled(&[("a", "2"), ("b", "} # {le=\"7\"} 1 2")]);
    let families = vec![
        family(
            "mine_total",
            MetricType::COUNTER,
            vec![counter(one(), 2.5), counter(two(), 1e300)],
        ),
        family(
            "mine_seconds_total",
            MetricType::COUNTER,
            vec![counter(one(), 7.0)],
        ),
        family(
            "mine_odd",
            MetricType::COUNTER,
            vec![counter(labelled(&[]), 3.0)],
        ),
        family(
            "mine_bytes",
            MetricType::GAUGE,
            vec![
                gauge(one(), -0.1),
                at(gauge(two(), f64::NEG_INFINITY), 1_700_000_000_123),
            ],
        ),
        family(
            "mine_seconds",
            MetricType::GAUGE,
            vec![gauge(labelled(&[]), f64::NAN)],
        ),
        family(
            "mine_size_bytes",
            MetricType::HISTOGRAM,
            vec![
                histogram(one(), &[(0.5, 0), (10.0, 4), (1e7, 4)], 6, 1e9),
                at(
                    histogram(two(), &[(0.5, 1), (f64::INFINITY, 2)], 2, 0.25),
                    5,
                ),
                histogram(labelled(&[("a", "3"), ("b", "")]), &[], 0, 0.0),
            ],
        ),
        family(
            "mine_summary",
            MetricType::SUMMARY,
            vec![
                summary(one(), &[(0.5, 0.25), (0.99, f64::NAN)], 3, 1.5),
                at(summary(two(), &[], 0, 0.0), 1),
            ],
        ),
        family(
            "mine_untyped",
            MetricType::UNTYPED,
            vec![untyped(one(), 2.5), at(untyped(two(), -1.0), 1_000)],
        ),
        // Without a unit that its name ends in.
        family(
            "mine_gauge_seconds_total",
            MetricType::GAUGE,
            vec![gauge(one(), 1.0)],
        ),
    ];
    Fixed::register(families, registry);
}

#[test]
fn all_formats_say_the_same() {
    let registry = Registry::new();
    let _metrics = register(&registry);
    register_others(&registry);
    let told = assert_agree(&registry);
    let names = told.families.keys();
    assert_eq!(names.filter(|name| name.starts_with("mine_")).count(), 9);
    assert!(told.samples.len() > 150, "{}", told.samples.len());
}

#[test]
fn all_formats_obey_a_registry_that_renames_or_labels() {
    let labels = [("cluster".to_owned(), "x".to_owned())].into();
    let registry = Registry::new_custom(Some("mine".to_owned()), Some(labels)).unwrap();
    let _metrics = register(&registry);
    register_others(&registry);
    let told = assert_agree(&registry);
    let renamed = |name: &String| name.starts_with("mine_");
    assert!(told.families.keys().all(renamed), "{:?}", told.families);
    let labelled = |(name, value): &(String, String)| (&**name, &**value) == ("cluster", "x");
    let mut series = told.samples.keys();
    assert!(series.all(|series| series.labels.iter().any(labelled)));
}

/// A registry lets two collectors use one name, where the values of their constant labels differ.
#[test]
fn a_family_that_another_collector_adds_to_stands_once() {
    for (name, labels) in [
        (
            "brightstaff_http_requests_total",
            &[
                ("handler", "mine"),
                ("method", "GET"),
                ("status_class", "2xx"),
            ][..],
        ),
        (
            "brightstaff_build_info",
            &[("git_sha", "x"), ("version", "mine")],
        ),
    ] {
        let registry = Registry::new();
        let _metrics = register(&registry);
        let kind = match name.strip_suffix("_total") {
            Some(_) => MetricType::COUNTER,
            None => MetricType::GAUGE,
        };
        let metric = match kind {
            MetricType::COUNTER => counter(labelled(labels), 7.0),
            _ => gauge(labelled(labels), 7.0),
        };
        let mut added = family(name, kind, vec![metric]);
        added.set_help("Mine.".to_owned());
        Fixed::register(
            vec![family("mine_gauge", MetricType::GAUGE, vec![]), added],
            &registry,
        );
        let told = assert_agree(&registry);
        let own = |series: &&samples::Series| series.name == name;
        assert!(told.samples.keys().filter(own).count() > 1, "{name}");
    }
}
