//! Recording while a scrape goes on: it shares no lock with any of it.

#![allow(clippy::unwrap_used)] // Helpers of tests are tests.

use std::{
    io::{self, Write},
    sync::{
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    thread,
    time::Duration,
};

use brightstaff_metrics_core::{
    Head, Metrics, adapter,
    exposition::{Exposition, Format},
    labels::{ErrorClass, Fallback, RequestMethod, RouteKind},
    meter::Usage,
};
use prometheus::Registry;

/// Far longer than anything here takes: only a deadlock comes to it.
const PATIENCE: Duration = Duration::from_secs(120);

fn register(pairs: usize) -> (Registry, Metrics) {
    let registry = Registry::new();
    let names = (0..pairs).map(|n| ("openai", format!("model-{n}")));
    let builder = Metrics::builder().process(false).native_histograms(true);
    let metrics = builder.upstreams(names).register(&registry).unwrap();
    (registry, metrics)
}

/// A call that ends well.
fn call(metrics: &Metrics, model: &str) {
    let mut call = metrics.upstream("openai", model).start();
    call.response(200);
    call.first_token();
    call.usage(Usage::new(9, 12));
    call.finish();
}

/// Records into series that are there, and makes new ones of every kind that can be made.
fn record(metrics: &Metrics, name: &str) {
    call(metrics, "model-0");
    call(metrics, name);
    metrics
        .upstream("openai", name)
        .start()
        .fail(ErrorClass::Parse);
    let mut request = adapter::begin(metrics, name, RequestMethod::Post);
    request.head(&Head::new(200).content_length(0));
    let decided = Duration::from_micros(5);
    metrics
        .routing()
        .decision(RouteKind::Llm, name, Fallback::No, decided);
    drop(metrics.provider(name).start());
}

/// How often: fewer than there may be providers and models that nobody declared.
const MOST_NEW: usize = 40;

/// An output that, in the middle of a scrape, waits until another thread has recorded.
struct Output<'a> {
    metrics: &'a Metrics,
    recorded: usize,
    text: Vec<u8>,
}

impl Write for Output<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.text.extend_from_slice(bytes);
        if self.recorded == MOST_NEW {
            return Ok(bytes.len());
        }
        self.recorded += 1;
        let name = format!("new-{}", self.recorded);
        let (metrics, (done, is_done)) = (self.metrics.clone(), mpsc::channel());
        // Not scoped: one that hangs is left behind, and the test fails.
        thread::spawn(move || {
            record(&metrics, &name);
            done.send(()).unwrap();
        });
        let waited = is_done.recv_timeout(PATIENCE);
        waited.expect("what is recorded waits for no scrape");
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn nothing_that_is_recorded_waits_for_a_scrape() {
    for format in [Format::Text, Format::OpenMetrics] {
        let (registry, metrics) = register(100);
        let mut output = Output {
            metrics: &metrics,
            recorded: 0,
            text: Vec::new(),
        };
        let exposition = Exposition::of(&registry);
        exposition.write(format, &mut output).unwrap();
        assert!(output.recorded > 10, "it was written in few pieces");
        // One that began behind it has all of it.
        let mut text = Vec::new();
        Exposition::of(&registry).write(format, &mut text).unwrap();
        let text = String::from_utf8(text).unwrap();
        for n in 1..=output.recorded {
            for label in ["model", "handler", "selected_model", "provider"] {
                let label = format!(r#"{label}="new-{n}""#);
                assert!(text.contains(&label), "{label} is nowhere");
            }
        }
    }
}

/// The value of a series.
fn value(text: &str, series: &str) -> u64 {
    let line = text.lines().find_map(|line| line.strip_prefix(series));
    let value = line.unwrap_or_else(|| panic!("no {series}"));
    value.trim().parse().unwrap()
}

const CALLS: u64 = 20_000;

#[test]
fn what_is_recorded_during_scrapes_is_counted_once() {
    let (registry, metrics) = register(10);
    let over = AtomicBool::new(false);
    let ok = r#"brightstaff_llm_upstream_requests_total{error_class="none",model="model-0",provider="openai",status_class="2xx"}"#;
    let labels = r#"{model="model-0",outcome="ok",provider="openai""#;
    let bucket = format!(r#"brightstaff_llm_upstream_duration_seconds_bucket{labels},le="+Inf"}}"#);
    let count = format!("brightstaff_llm_upstream_duration_seconds_count{labels}}}");
    let scrape = || {
        let mut text = Vec::new();
        let exposition = Exposition::of(&registry);
        exposition.write(Format::Text, &mut text).unwrap();
        String::from_utf8(text).unwrap()
    };
    thread::scope(|scope| {
        let recording = [0, 1].map(|_| {
            let upstream = metrics.upstream("openai", "model-0");
            scope.spawn(move || {
                for _ in 0..CALLS {
                    let mut call = upstream.start();
                    call.response(200);
                    call.finish();
                }
            })
        });
        let scraping = scope.spawn(|| {
            let (mut scrapes, mut before) = (0, [0; 2]);
            while !over.load(Ordering::Relaxed) {
                let text = scrape();
                let now = [value(&text, ok), value(&text, &count)];
                assert_eq!(value(&text, &bucket), now[1]);
                assert!(
                    before[0] <= now[0] && before[1] <= now[1],
                    "{before:?} {now:?}"
                );
                (scrapes, before) = (scrapes + 1, now);
            }
            scrapes
        });
        for thread in recording {
            thread.join().unwrap();
        }
        over.store(true, Ordering::Relaxed);
        assert!(scraping.join().unwrap() > 0);
    });
    let text = scrape();
    assert_eq!(value(&text, ok), 2 * CALLS);
    assert_eq!(value(&text, &count), 2 * CALLS);
    assert_eq!(
        value(
            &text,
            "brightstaff_llm_upstream_in_flight{provider=\"openai\"}"
        ),
        0
    );
}
