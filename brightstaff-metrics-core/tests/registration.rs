//! What is registered, what exists before the first event, and which pairs own series.

#![allow(clippy::unwrap_used)] // Helpers of tests are tests.

use std::time::Duration;

use brightstaff_metrics_core::{
    BucketSet, Builder, Head, Metrics, ObservedBody, ObservedStream, Upstream, UpstreamCall,
    adapter, catalogue,
    labels::{
        ErrorClass, FailoverOutcome, FailoverRoute, Fallback, Outcome, RequestMethod, RouteKind,
        SessionCacheOperation, SkipReason,
    },
};
use prometheus::{Registry, TextEncoder};

const REQUESTS: &str = "brightstaff_llm_upstream_requests_total";
const OVERFLOW: &str = "brightstaff_metrics_label_overflow_total";

fn builder() -> Builder {
    Metrics::builder()
        .version("1.2.3")
        .git_sha("abc123")
        .process(false)
}

fn render(registry: &Registry) -> String {
    TextEncoder::new()
        .encode_to_string(&registry.gather())
        .unwrap()
}

/// The sum of the family's series that have all of these labels; `None` where there is none.
fn value(registry: &Registry, family: &str, labels: &[&str]) -> Option<f64> {
    let text = render(registry);
    let lines = text.lines().filter(|line| {
        let series = line.rsplit_once(' ').unwrap_or_default().0;
        series.split('{').next() == Some(family) && labels.iter().all(|label| line.contains(label))
    });
    let value = |line: &str| -> f64 { line.rsplit(' ').next().unwrap().parse().unwrap() };
    lines.map(value).reduce(|sum, value| sum + value)
}

fn answer(upstream: &Upstream, status: u16) {
    let mut call = upstream.start();
    call.head(&Head::new(status).content_length(0));
}

#[test]
fn before_the_first_event() {
    let registry = Registry::new();
    let metrics = builder()
        .upstreams([("openai", "gpt-4o")])
        .buckets(BucketSet::RequestTokens, [1.0])
        .register(&registry)
        .unwrap();
    drop(metrics);
    expect_test::expect_file!["golden/before_the_first_event.prom"].assert_eq(&render(&registry));
}

#[test]
fn twice_on_one_registry_is_an_error() {
    let registry = Registry::new();
    builder().register(&registry).unwrap();
    let error = builder().register(&registry).unwrap_err();
    assert!(error.is_already_registered());
    assert_eq!(
        error.to_string(),
        "the registry already holds the brightstaff families"
    );
    assert_eq!(format!("{error:?}"), error.to_string());
}

#[test]
fn two_registries_know_nothing_of_each_other() {
    let (one, two) = (Registry::new(), Registry::new());
    let metrics = builder().register(&one).unwrap();
    builder().register(&two).unwrap();
    answer(&metrics.upstream("openai", "gpt-4o"), 200);
    assert!(render(&one).contains("gpt-4o"));
    assert_eq!(value(&two, REQUESTS, &[]), None);
}

/// A collector of the standard family, as the `prometheus` crate has one behind a feature.
#[derive(Debug)]
struct Process(prometheus::Gauge);

impl prometheus::core::Collector for Process {
    fn desc(&self) -> Vec<&prometheus::core::Desc> {
        self.0.desc()
    }

    fn collect(&self) -> Vec<prometheus::proto::MetricFamily> {
        self.0.set(42.0);
        self.0.collect()
    }
}

#[test]
fn a_process_collector_that_is_there_already_stays() {
    let memory = "process_resident_memory_bytes";
    let registry = Registry::new();
    let gauge = prometheus::Gauge::new(memory, "Resident memory size in bytes.").unwrap();
    registry.register(Box::new(Process(gauge))).unwrap();
    Metrics::builder().register(&registry).unwrap();
    assert_eq!(value(&registry, memory, &[]), Some(42.0));

    let registry = Registry::new();
    Metrics::builder().register(&registry).unwrap();
    let ours = value(&registry, memory, &[]);
    assert_eq!(ours.is_some(), cfg!(target_os = "linux"));
}

#[test]
fn bad_settings_are_refused_by_name() {
    let registry = Registry::new();
    let buckets = builder().buckets(BucketSet::Http, [2.0, 1.0]);
    let error = buckets.register(&registry).unwrap_err().to_string();
    assert_eq!(error, "bad buckets for http: they do not rise strictly");

    let pair = builder().upstreams([("openai", "gpt\n4o")]);
    let error = pair.register(&registry).unwrap_err().to_string();
    assert!(error.starts_with("bad upstream pair \"openai\", \"gpt\\n4o\""));

    let provider = builder().providers(["open\nai"]);
    let error = provider.register(&registry).unwrap_err().to_string();
    assert!(error.starts_with("bad provider \"open\\nai\""), "{error}");

    for (builder, cap) in [
        (builder().open_models("p", 65_537), "open_models of 65537"),
        (builder().upstream_cap(65_537), "upstream_cap of 65537"),
        (
            builder().later_upstreams(65_537),
            "later_upstreams of 65537",
        ),
        (builder().handler_cap(65_537), "handler_cap of 65537"),
        (
            builder().selected_model_cap(65_537),
            "selected_model_cap of 65537",
        ),
    ] {
        let error = builder.register(&registry).unwrap_err().to_string();
        assert_eq!(error, format!("bad {cap}: it can be 65536 at most"));
    }

    assert_eq!(render(&registry), "", "nothing was registered");
}

#[test]
fn a_pair_earns_its_series_by_a_success() {
    let registry = Registry::new();
    let metrics = builder().upstream_cap(1).register(&registry).unwrap();
    let upstream = metrics.upstream("openai", "gpt-4o");
    let other = "model=\"other\",provider=\"other\"";

    answer(&upstream, 404);
    upstream.start().fail(ErrorClass::Connect);
    assert!(!render(&registry).contains("gpt-4o"));
    let status = [other, "status_class=\"4xx\""];
    assert_eq!(value(&registry, REQUESTS, &status), Some(1.0));
    assert_eq!(value(&registry, OVERFLOW, &["upstream"]), Some(2.0));

    // From its first success on it has a series, whichever handle the call started from.
    answer(&upstream, 200);
    answer(&upstream, 404);
    let status = ["model=\"gpt-4o\"", "status_class=\"4xx\""];
    assert_eq!(value(&registry, REQUESTS, &status), Some(1.0));
    assert_eq!(value(&registry, OVERFLOW, &["upstream"]), Some(2.0));

    // The cap is one pair.
    answer(&metrics.upstream("openai", "gpt-4o-mini"), 200);
    assert!(!render(&registry).contains("gpt-4o-mini"));
    assert_eq!(value(&registry, OVERFLOW, &["upstream"]), Some(3.0));
}

#[test]
fn what_is_folded_may_be_declared() {
    let registry = Registry::new();
    let pairs = builder().upstreams([("other", "other")]);
    let metrics = pairs.register(&registry).unwrap();
    metrics.upstream("x", "y").start().fail(ErrorClass::Connect);
    let other = ["model=\"other\",provider=\"other\"", "connect"];
    assert_eq!(value(&registry, REQUESTS, &other), Some(1.0));
}

#[test]
fn handles_tell_whose_they_are_and_no_more() {
    let metrics = builder().register(&Registry::new()).unwrap();
    let mut call = metrics.upstream("openai", "gpt-4o").start();
    call.head(&Head::new(200).content_type("text/event-stream"));
    call.data(b"data: {\"secret\":");
    let exchange = adapter::begin(&metrics, "llm_chat", RequestMethod::Post);
    for (handle, whose) in [
        (format!("{metrics:?}"), "Metrics"),
        (format!("{call:?}"), "gpt-4o"),
        (format!("{exchange:?}"), "llm_chat"),
    ] {
        assert!(handle.contains(whose), "{handle}");
        assert!(handle.len() < 1000, "{handle}");
    }
}

#[test]
fn pairs_that_run_together_stay_apart() {
    let registry = Registry::new();
    let metrics = builder().register(&registry).unwrap();
    answer(&metrics.upstream("open", "ai-gpt"), 404);
    answer(&metrics.upstream("open", "ai-gpt"), 200);
    answer(&metrics.upstream("openai", "-gpt"), 200);
    answer(&metrics.upstream("openai", "-gpt"), 404);
    let client_error = "status_class=\"4xx\"";
    let apart = ["model=\"-gpt\",provider=\"openai\"", client_error];
    assert_eq!(value(&registry, REQUESTS, &apart), Some(1.0));
    let apart = ["model=\"ai-gpt\",provider=\"open\"", client_error];
    assert_eq!(value(&registry, REQUESTS, &apart), Some(0.0));
}

#[test]
fn names_that_no_label_may_carry_are_folded() {
    let registry = Registry::new();
    let metrics = builder().register(&registry).unwrap();
    answer(&metrics.upstream("openai", &"m".repeat(129)), 200);
    answer(&metrics.upstream("", ""), 200);
    for pair in [
        "model=\"other\",provider=\"openai\"",
        "model=\"unknown\",provider=\"unknown\"",
    ] {
        let text = render(&registry);
        assert!(text.contains(&format!("{REQUESTS}{{error_class=\"none\",{pair}")));
    }
}

#[test]
fn handlers_and_selected_models_are_capped() {
    let registry = Registry::new();
    let metrics = builder()
        .handler_cap(1)
        .selected_model_cap(1)
        .register(&registry)
        .unwrap();
    for handler in ["a", "b", "c", "a"] {
        let mut exchange = adapter::begin(&metrics, handler, RequestMethod::Get);
        exchange.head(&Head::new(200).content_length(0));
    }
    for model in ["m", "n"] {
        let router = metrics.routing();
        router.decision(RouteKind::Llm, model, Fallback::No, Duration::ZERO);
    }
    let requests = "brightstaff_http_requests_total";
    assert_eq!(value(&registry, requests, &["handler=\"a\""]), Some(2.0));
    assert_eq!(value(&registry, requests, &["\"other\""]), Some(2.0));
    assert_eq!(value(&registry, OVERFLOW, &["handler"]), Some(2.0));
    assert_eq!(value(&registry, OVERFLOW, &["selected_model"]), Some(1.0));
    let decisions = "brightstaff_router_decisions_total";
    assert_eq!(value(&registry, decisions, &["\"other\""]), Some(1.0));
    // Skips have the slots of the decisions.
    let skips = "brightstaff_router_candidate_skips_total";
    for (model, own) in [("m", "\"m\""), ("n", "\"other\"")] {
        metrics.routing().skip(model, SkipReason::RetryAfter);
        assert_eq!(value(&registry, skips, &[own]), Some(1.0), "{model}");
    }
    assert_eq!(value(&registry, OVERFLOW, &["selected_model"]), Some(2.0));
}

#[test]
fn handles_go_where_gateways_take_them() {
    fn shared<T: Clone + Send + Sync + 'static>() {}
    fn sent<T: Send + Sync + 'static>() {}
    shared::<Metrics>();
    shared::<Upstream>();
    // Across an await, behind a reference, and in `http_body_util`'s `BoxBody`.
    sent::<UpstreamCall>();
    sent::<ObservedBody<http_body_util::Full<bytes::Bytes>>>();
    sent::<ObservedStream<futures_util::stream::Empty<()>>>();
}

#[test]
fn a_label_that_clashes_is_refused() {
    let labels = [("model".to_owned(), "x".to_owned())].into();
    let registry = Registry::new_custom(Some("mine".to_owned()), Some(labels)).unwrap();
    let error = builder().register(&registry).unwrap_err();
    assert!(error.to_string().contains("a label \"model\""), "{error}");
    assert!(!error.is_already_registered());
    assert!(registry.gather().is_empty(), "nothing is left of it");

    for label in ["version", "le"] {
        let labels = [(label.to_owned(), "x".to_owned())].into();
        let registry = Registry::new_custom(None, Some(labels)).unwrap();
        let error = builder().register(&registry).unwrap_err();
        assert!(error.to_string().contains(&format!("{label:?}")), "{error}");
    }

    let labels = [("cluster".to_owned(), "x".to_owned())].into();
    let registry = Registry::new_custom(Some("mine".to_owned()), Some(labels)).unwrap();
    builder().register(&registry).unwrap();
}

#[cfg(target_os = "linux")]
#[test]
fn a_family_of_the_process_that_is_there_takes_no_other_with_it() {
    let registry = Registry::new();
    let threads = prometheus::IntGauge::new("process_threads", "the user's").unwrap();
    threads.set(7);
    registry.register(Box::new(threads)).unwrap();
    Metrics::builder().register(&registry).unwrap();
    let text = render(&registry);
    let samples = text.lines().filter(|line| line.starts_with("process_"));
    assert_eq!(samples.count(), 8, "{text}");
    assert!(text.contains("process_threads 7"));
}

/// What the catalogue declares is what there is: a family that nobody walks would be missing here.
#[test]
fn every_family_is_walked() {
    let gathered = Registry::new();
    let metrics = Metrics::builder().upstreams([("p", "m")]);
    let metrics = metrics.register(&gathered).unwrap();
    let mut call = metrics.upstream("p", "m").start();
    call.response(200);
    call.usage(brightstaff_metrics_core::meter::Usage::new(1, 1).with_reasoning(1));
    call.finish();
    let mut untold = metrics.upstream("p", "m").start();
    untold.response(200);
    untold.finish();
    let mut request = adapter::begin(&metrics, "h", RequestMethod::Get);
    request.head(&Head::new(200).content_length(0));
    let routing = metrics.routing();
    routing.decision(RouteKind::Llm, "m", Fallback::No, Duration::ZERO);
    routing.skip("m", SkipReason::CoolingDown);
    routing.failover(FailoverRoute::Llm, FailoverOutcome::FirstTry);
    let cache = metrics.session_cache();
    cache.operation(SessionCacheOperation::Get, Outcome::Ok, Duration::ZERO);
    let names = gathered.gather();
    let names: Vec<_> = names
        .iter()
        .map(prometheus::proto::MetricFamily::name)
        .collect();
    let exporter = catalogue::OF_THE_EXPORTER;
    for family in catalogue::ALL {
        let elsewhere = exporter.iter().any(|other| other.name == family.name);
        assert!(elsewhere || names.contains(&family.name), "{}", family.name);
    }
}
