//! The formats of exposition: all say the same, and the text format is the library's to the byte.

#![allow(clippy::unwrap_used)] // Helpers of tests are tests.

use brightstaff_metrics_core::{
    Head, Metrics, adapter,
    exposition::{Exposition, Format},
    labels::{ErrorClass, RequestMethod},
};
use prometheus::{Counter, Encoder as _, Gauge, Histogram, HistogramOpts, Registry, TextEncoder};

fn write(registry: &Registry, format: Format) -> String {
    let mut text = Vec::new();
    Exposition::of(registry).write(format, &mut text).unwrap();
    String::from_utf8(text).unwrap()
}

/// The library's text.
fn library(registry: &Registry) -> String {
    let mut text = Vec::new();
    let encoder = TextEncoder::new();
    encoder.encode(&registry.gather(), &mut text).unwrap();
    String::from_utf8(text).unwrap()
}

/// Families with their lines, in the order of their names, and the lines of each in the order of the text.
fn sorted(text: &str) -> Vec<String> {
    let mut lines: Vec<_> = text.lines().map(str::to_owned).collect();
    lines.sort();
    lines
}

fn register(registry: &Registry) -> Metrics {
    let builder = Metrics::builder().process(false).version("a\"b\\c\nd");
    let metrics = builder
        .upstreams([("openai", "gpt \"4o\" \\")])
        .register(registry);
    let metrics = metrics.unwrap();
    metrics
        .upstream("openai", "gpt \"4o\" \\")
        .start()
        .fail(ErrorClass::Connect);
    let mut request = adapter::begin(&metrics, "llm_chat", RequestMethod::Post);
    request.head(&Head::new(200).content_length(0));
    metrics
}

fn register_others(registry: &Registry) {
    let total = Counter::new("mine_total", "Mine, \"quoted\".").unwrap();
    total.inc_by(2.5);
    registry.register(Box::new(total)).unwrap();
    let odd = Counter::new("mine_odd", "No counter of OpenMetrics.").unwrap();
    registry.register(Box::new(odd)).unwrap();
    let gauge = Gauge::new("mine_seconds", "Seconds.").unwrap();
    gauge.set(-1.5);
    registry.register(Box::new(gauge)).unwrap();
    let histogram = HistogramOpts::new("mine_bytes", "Bytes.").buckets(vec![0.5, 10.0]);
    let histogram = Histogram::with_opts(histogram).unwrap();
    histogram.observe(7.0);
    registry.register(Box::new(histogram)).unwrap();
}

#[test]
fn the_text_is_the_librarys() {
    let registry = Registry::new();
    let _metrics = register(&registry);
    let ours = write(&registry, Format::Text);
    assert_eq!(sorted(&ours), sorted(&library(&registry)));
    // The lines of one histogram stand in the order that the library writes.
    let of_one = |text: &str| -> Vec<String> {
        let lines = text.lines().filter(|line| line.contains("first_token"));
        lines.map(str::to_owned).collect()
    };
    assert_eq!(of_one(&ours), of_one(&library(&registry)));
}

#[test]
fn others_are_joined_and_no_family_stands_twice() {
    let registry = Registry::new();
    let _metrics = register(&registry);
    register_others(&registry);
    let text = write(&registry, Format::Text);
    assert_eq!(sorted(&text), sorted(&library(&registry)));
    for format in [Format::Text, Format::OpenMetrics] {
        let text = write(&registry, format);
        let mut types: Vec<_> = text
            .lines()
            .filter(|line| line.starts_with("# TYPE"))
            .collect();
        let families = types.len();
        types.sort_unstable();
        types.dedup();
        assert_eq!(types.len(), families);
    }
}

#[test]
fn a_registry_that_renames_or_labels_is_obeyed() {
    for (prefix, label) in [
        (Some("mine"), None),
        (None, Some("cluster")),
        (Some("a"), Some("b")),
    ] {
        let labels = label.map(|name: &str| [(name.to_owned(), "x".to_owned())].into());
        let registry = Registry::new_custom(prefix.map(str::to_owned), labels).unwrap();
        let _metrics = register(&registry);
        let text = write(&registry, Format::Text);
        assert_eq!(text, library(&registry), "{prefix:?} {label:?}");
    }
}

#[test]
fn openmetrics_says_the_same_samples() {
    let registry = Registry::new();
    let _metrics = register(&registry);
    register_others(&registry);
    let samples = |text: &str| -> Vec<String> {
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        sorted(&lines.collect::<Vec<_>>().join("\n"))
    };
    let open = write(&registry, Format::OpenMetrics);
    assert_eq!(samples(&open), samples(&library(&registry)));
    assert!(open.ends_with("\n# EOF\n"));
    for line in [
        "# TYPE brightstaff_http_requests counter",
        "# TYPE brightstaff_http_request_duration_seconds histogram",
        "# UNIT brightstaff_http_request_duration_seconds seconds",
        "# TYPE mine counter",
        "# HELP mine Mine, \\\"quoted\\\".",
        "# TYPE mine_odd unknown",
        "# UNIT mine_seconds seconds",
    ] {
        assert!(open.lines().any(|found| found == line), "{line} in {open}");
    }
}

#[test]
fn an_output_that_fails_is_told() {
    struct Full;
    impl std::io::Write for Full {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            Err(std::io::ErrorKind::StorageFull.into())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let registry = Registry::new();
    let _metrics = register(&registry);
    let error = Exposition::of(&registry)
        .write(Format::Text, &mut Full)
        .unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::StorageFull);
}
