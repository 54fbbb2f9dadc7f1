//! Calls that are told of by hand, held, given a time, or in flight.

#![allow(clippy::unwrap_used)] // Helpers of tests are tests.

mod by_hand;
mod held;

use std::time::Duration;

use brightstaff_metrics_core::{Clock, Head, Metrics, Upstream, UpstreamCall, labels::ErrorClass};
use http::Response;
use http_body_util::{BodyExt, Full};

struct Gateway {
    metrics: Metrics,
    clock: Clock,
    upstream: Upstream,
}

fn gateway() -> Gateway {
    let clock = Clock::manual();
    let registry = prometheus::Registry::new();
    let builder = Metrics::builder().process(false).clock(clock.clone());
    let declared = builder.upstreams([("openai", "gpt-4o")]);
    let metrics = declared.register(&registry).unwrap();
    Gateway {
        upstream: metrics.upstream("openai", "gpt-4o"),
        metrics,
        clock,
    }
}

impl Gateway {
    fn pass(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    /// The sum of the series of this family that have these labels among theirs.
    fn value(&self, family: &str, labels: &str) -> f64 {
        let text = self.metrics.render();
        let lines = text.lines().filter_map(|line| {
            let (name, rest) = line.split_once('{')?;
            let (labels_there, value) = rest.split_once("} ")?;
            let there = name == format!("brightstaff_{family}") && labels_there.contains(labels);
            there.then(|| value.parse::<f64>().unwrap())
        });
        lines.sum()
    }

    fn calls(&self, class: ErrorClass) -> f64 {
        self.value(
            "llm_upstream_requests_total",
            &format!("error_class=\"{class}\""),
        )
    }

    fn in_flight(&self, provider: &str) -> f64 {
        self.value(
            "llm_upstream_in_flight",
            &format!("provider=\"{provider}\""),
        )
    }
}

const ANSWER: &str = r#"{"object":"chat.completion","choices":[],"usage":{"prompt_tokens":9,"completion_tokens":12}}"#;

/// Reads a response to its end.
async fn read(call: UpstreamCall) {
    let response = Response::builder().header("content-type", "application/json");
    let response = response.body(Full::<bytes::Bytes>::from(ANSWER)).unwrap();
    let body = call.observe(response).into_body();
    body.collect().await.unwrap();
}

#[cfg(feature = "tokio-1")]
#[tokio::test]
async fn a_provider_that_takes_too_long_is_a_time_out() {
    let gateway = gateway();
    let mut call = gateway.upstream.start();
    let never = std::future::pending::<()>();
    let timed_out = call
        .within(Duration::from_millis(5), never)
        .await
        .unwrap_err();
    assert_eq!(timed_out.to_string(), "no response within 5ms");
    assert_eq!(gateway.calls(ErrorClass::Timeout), 1.0);
    // Whatever follows, it has ended.
    call.head(&Head::new(200));
    drop(call);

    let mut call = gateway.upstream.start();
    let long = Duration::from_secs(600);
    assert_eq!(call.within(long, async { 7 }).await, Ok(7));
    read(call).await;
    assert_eq!(gateway.calls(ErrorClass::None), 1.0);

    // Dropped meanwhile, as by a client that hangs up.
    let mut call = gateway.upstream.start();
    let never = std::future::pending::<()>();
    let hung_up = tokio::time::timeout(Duration::from_millis(5), call.within(long, never)).await;
    assert!(hung_up.is_err());
    drop(call);
    assert_eq!(gateway.calls(ErrorClass::Cancelled), 1.0);
    assert_eq!(gateway.value("llm_upstream_requests_total", ""), 3.0);
}

#[test]
fn calls_are_in_flight_under_names_that_are_known() {
    let gateway = gateway();
    let named = gateway.metrics.upstream("openai", "undeclared").start();
    let stranger = gateway.metrics.upstream("groq", "m");
    let first = stranger.start();
    let in_flight = || ["openai", "other", "groq"].map(|name| gateway.in_flight(name));
    assert_eq!(in_flight(), [1.0, 1.0, 0.0]);
    let mut earns = stranger.start();
    earns.head(&Head::new(200).content_length(0));
    // By now it is known; the first is still where it was.
    let second = stranger.start();
    assert_eq!(in_flight(), [1.0, 1.0, 1.0]);
    drop((named, first, second));
    assert_eq!(in_flight(), [0.0, 0.0, 0.0]);

    let implicit = gateway.metrics.provider("mistral");
    let call = implicit.start();
    assert_eq!(gateway.in_flight("mistral"), 1.0);
    drop(call);
    assert_eq!(gateway.in_flight("mistral"), 0.0);
}

#[test]
fn a_head_is_read_of_its_parts() {
    let gateway = gateway();
    let response = Response::builder()
        .header("content-type", "application/json")
        .header("content-length", ANSWER.len());
    let (parts, ()) = response.body(()).unwrap().into_parts();
    let mut call = gateway.upstream.start();
    call.head(&Head::from_parts(parts.status.as_u16(), &parts.headers));
    // The declared length tells the end.
    call.data(ANSWER.as_bytes());
    assert_eq!(gateway.calls(ErrorClass::None), 1.0);
    assert_eq!(gateway.value("llm_tokens_total", ""), 21.0);
}
