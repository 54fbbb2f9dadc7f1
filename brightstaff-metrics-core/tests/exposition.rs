//! The formats of exposition: all say the same, and each family of the text format is the library's to the byte.

#![allow(clippy::unwrap_used)] // Helpers of tests are tests.

use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};

use brightstaff_metrics_core::{
    Clock, Head, Metrics, adapter,
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

/// A family's lines: what describes it, and the samples of each child in their order.
#[derive(Debug, Default, PartialEq)]
struct Family {
    about: Vec<String>,
    children: BTreeMap<String, Vec<String>>,
}

/// The families of a text. Which of them comes first, and which of their children, is left to the writer.
fn families(text: &str) -> BTreeMap<String, Family> {
    let mut families = BTreeMap::<_, Family>::new();
    let mut family = String::new();
    for line in text.lines().filter(|line| *line != "# EOF") {
        let described = line
            .strip_prefix("# HELP ")
            .or(line.strip_prefix("# TYPE "));
        if let Some(described) = described.or(line.strip_prefix("# UNIT ")) {
            family = described.split(' ').next().unwrap().to_owned();
        }
        let Family { about, children } = families.entry(family.clone()).or_default();
        if line.starts_with('#') {
            assert!(children.is_empty(), "{line} comes behind samples");
            about.push(line.to_owned());
            continue;
        }
        assert!(line.starts_with(&family), "{line} stands below {family}");
        children
            .entry(child(line))
            .or_default()
            .push(line.to_owned());
    }
    families
}

/// The labels of a sample, but for `le`.
fn child(line: &str) -> String {
    let labels = line.split_once('{').map_or("", |(_, labels)| labels);
    let labels = labels.rsplit_once('}').map_or("", |(labels, _)| labels);
    let all = labels.split("le=\"").next().unwrap();
    all.trim_end_matches(',').to_owned()
}

/// All samples, in any order.
fn samples(text: &str) -> Vec<&str> {
    let mut samples: Vec<_> = text.lines().filter(|line| !line.starts_with('#')).collect();
    samples.sort_unstable();
    samples
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
    register_others(&registry);
    let text = write(&registry, Format::Text);
    assert_eq!(families(&text), families(&library(&registry)));
    assert_eq!(text.len(), library(&registry).len());
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
        register_others(&registry);
        let text = write(&registry, Format::Text);
        assert_eq!(text, library(&registry), "{prefix:?} {label:?}");
        let open = write(&registry, Format::OpenMetrics);
        assert_eq!(samples(&open), samples(&text), "{prefix:?} {label:?}");
        assert!(open.ends_with("\n# EOF\n"));
    }
}

#[test]
fn openmetrics_says_the_same_samples() {
    let registry = Registry::new();
    let _metrics = register(&registry);
    register_others(&registry);
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
fn openmetrics_says_when_series_began_if_it_is_to() {
    let expose = |wanted| {
        let (registry, clock) = (Registry::new(), Clock::manual());
        let builder = Metrics::builder().process(false).clock(clock.clone());
        let pair = [("openai", "gpt-4o")];
        let builder = builder.upstreams(pair).created_samples(wanted);
        let metrics = builder.register(&registry).unwrap();
        clock.advance(Duration::from_millis(1_250));
        metrics.upstream("openai", "late").start().finish();
        let mut call = metrics.upstream("openai", "late").start();
        call.head(&Head::new(200).content_length(0));
        let request = adapter::begin(&metrics, "llm_chat", RequestMethod::Post);
        clock.advance(Duration::from_secs(1));
        drop(request);
        [Format::OpenMetrics, Format::Text].map(|format| write(&registry, format))
    };
    let [open, text] = expose(true);
    for line in [
        r#"brightstaff_llm_tokens_created{kind="prompt",model="gpt-4o",provider="openai"} 1700000000.000"#,
        r#"brightstaff_llm_time_to_first_token_seconds_created{model="gpt-4o",provider="openai"} 1700000000.000"#,
        // What is born late starts late.
        r#"brightstaff_llm_tokens_created{kind="prompt",model="late",provider="openai"} 1700000001.250"#,
        r#"brightstaff_http_requests_created{handler="llm_chat",method="POST",status_class="2xx"} 1700000001.250"#,
        r#"brightstaff_http_request_duration_seconds_created{handler="llm_chat"} 1700000002.250"#,
    ] {
        assert!(open.lines().any(|found| found == line), "{line} in {open}");
    }
    let (created, others): (Vec<_>, Vec<_>) = samples(&open)
        .into_iter()
        .partition(|line| line.contains("_created"));
    assert!(!created.is_empty() && created.iter().all(|line| !line.contains("in_flight")));
    assert_eq!(others, samples(&text));
    let [open, _] = expose(false);
    assert!(!open.contains("_created"));
}

#[test]
fn no_name_of_openmetrics_stands_twice() {
    let registry = Registry::new();
    let _metrics = register(&registry);
    for name in ["jobs", "brightstaff_http_requests"] {
        let gauge = Gauge::new(name, "A gauge.").unwrap();
        registry.register(Box::new(gauge)).unwrap();
    }
    let jobs = Counter::new("jobs_total", "A counter.").unwrap();
    registry.register(Box::new(jobs)).unwrap();
    let open = write(&registry, Format::OpenMetrics);
    let mut types: Vec<_> = open
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE "))
        .collect();
    assert!(types.contains(&"jobs gauge") && types.contains(&"jobs_total unknown"));
    assert!(types.contains(&"brightstaff_http_requests counter"));
    let mut names: Vec<_> = types.drain(..).map(|line| line.split(' ').next()).collect();
    let all = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), all, "{open}");
}

/// A collector that exposes a registry of its own while it is collected.
struct Nested(Registry, prometheus::core::Desc);

impl prometheus::core::Collector for Nested {
    fn desc(&self) -> Vec<&prometheus::core::Desc> {
        vec![&self.1]
    }

    fn collect(&self) -> Vec<prometheus::proto::MetricFamily> {
        assert!(write(&self.0, Format::Text).contains("brightstaff_build_info"));
        Vec::new()
    }
}

#[test]
fn an_exposition_inside_of_another_takes_nothing_from_it() {
    // A registry asks its collectors in an order of its own.
    for n in 0..16 {
        let (outer, inner) = (Registry::new(), Registry::new());
        let (_ours, _others) = (register(&outer), register(&inner));
        let name = format!("nested_{n}");
        let desc = prometheus::core::Desc::new(name, "Nested.".into(), vec![], HashMap::new());
        let nested = Nested(inner, desc.unwrap());
        outer.register(Box::new(nested)).unwrap();
        let text = write(&outer, Format::Text);
        assert_eq!(families(&text), families(&library(&outer)));
        assert!(text.contains("brightstaff_http_requests_total"));
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
