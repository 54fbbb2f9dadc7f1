//! Calls that are told of by hand, held, given a time, or in flight.

#![allow(clippy::unwrap_used)] // Helpers of tests are tests.

use std::time::Duration;

use brightstaff_metrics_core::{
    Clock, Head, Metrics, Upstream, UpstreamCall,
    labels::{ErrorClass, UsageMissing},
    meter::Usage,
};
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

#[test]
fn a_typed_stream_is_told_by_hand() {
    let gateway = gateway();
    let mut call = gateway.upstream.start();
    gateway.pass(1);
    call.response(200);
    gateway.pass(1);
    call.first_token();
    gateway.pass(3);
    call.first_token();
    call.usage(Usage::new(9, 4).with_reasoning(1).with_cache_read(2));
    call.finish();

    assert_eq!(gateway.calls(ErrorClass::None), 1.0);
    let sum = |family: &str| gateway.value(&format!("{family}_seconds_sum"), "");
    assert_eq!(sum("llm_time_to_first_token"), 2.0);
    // Three intervals between four tokens.
    assert_eq!(sum("llm_time_per_output_token"), 1.0);
    assert_eq!(sum("llm_upstream_duration"), 5.0);
    // Nobody saw a byte.
    assert_eq!(
        gateway.value("llm_time_to_first_byte_seconds_count", ""),
        0.0
    );
    for (kind, tokens) in [("prompt", 9.0), ("completion", 4.0)] {
        let kind = format!("kind=\"{kind}\"");
        assert_eq!(gateway.value("llm_tokens_total", &kind), tokens);
        assert_eq!(gateway.value("llm_request_tokens_sum", &kind), tokens);
    }
    assert_eq!(gateway.value("llm_token_details_total", "reasoning"), 1.0);
    assert_eq!(gateway.value("llm_token_details_total", "cache_read"), 2.0);
    assert_eq!(gateway.value("llm_tokens_usage_missing_total", ""), 0.0);
}

/// Nothing tells how fast the tokens of one event were generated.
#[test]
fn a_typed_stream_of_one_event_has_no_pace() {
    let gateway = gateway();
    let mut call = gateway.upstream.start();
    call.response(200);
    gateway.pass(1);
    call.first_token();
    call.usage(Usage::new(9, 12));
    call.finish();
    let count = |family: &str| gateway.value(&format!("{family}_seconds_count"), "");
    assert_eq!(count("llm_time_to_first_token"), 1.0);
    assert_eq!(count("llm_time_per_output_token"), 0.0);
}

#[test]
fn a_typed_response_is_told_by_hand() {
    let gateway = gateway();
    let mut call = gateway.upstream.start();
    call.response(200);
    call.usage(Usage::new(9, 12));
    call.finish();
    assert_eq!(gateway.calls(ErrorClass::None), 1.0);
    // It was no stream.
    assert_eq!(
        gateway.value("llm_time_to_first_token_seconds_count", ""),
        0.0
    );
    assert_eq!(gateway.value("llm_tokens_total", ""), 21.0);
}

#[test]
fn what_is_told_by_hand_ends_as_any_call() {
    type End = fn(UpstreamCall);
    let ends: [(u16, End, ErrorClass); 6] = [
        (200, drop, ErrorClass::Cancelled),
        (200, |call| call.fail(ErrorClass::Parse), ErrorClass::Parse),
        (
            200,
            |call| call.fail(ErrorClass::Timeout),
            ErrorClass::Stream,
        ),
        (429, drop, ErrorClass::RateLimit),
        (429, UpstreamCall::finish, ErrorClass::RateLimit),
        (500, |call| call.fail(ErrorClass::Other), ErrorClass::Status),
    ];
    for (status, end, class) in ends {
        let gateway = gateway();
        let mut call = gateway.upstream.start();
        call.response(status);
        call.first_token();
        end(call);
        assert_eq!(gateway.calls(class), 1.0, "{status} {class}");
        assert_eq!(gateway.in_flight("openai"), 0.0);
    }
}

#[test]
fn what_is_told_too_early_or_twice_is_nothing() {
    let gateway = gateway();
    let mut call = gateway.upstream.start();
    call.first_token();
    call.usage(Usage::new(1, 1));
    call.finish();
    assert_eq!(gateway.calls(ErrorClass::Other), 1.0, "there was no status");

    let mut call = gateway.upstream.start();
    call.response(200);
    call.response(500);
    call.head(&Head::new(500));
    call.data(b"nobody reads this");
    call.finish();
    assert_eq!(
        gateway.calls(ErrorClass::None),
        1.0,
        "the first status counts"
    );
    let missing = gateway.value("llm_tokens_usage_missing_total", "not_reported");
    assert_eq!((missing, gateway.value("llm_tokens_total", "")), (1.0, 0.0));
}

const ANSWER: &str = r#"{"object":"chat.completion","choices":[],"usage":{"prompt_tokens":9,"completion_tokens":12}}"#;

/// Reads a response to its end.
async fn read(call: UpstreamCall) {
    let response = Response::builder().header("content-type", "application/json");
    let response = response.body(Full::<bytes::Bytes>::from(ANSWER)).unwrap();
    let body = call.observe(response).into_body();
    body.collect().await.unwrap();
}

#[tokio::test]
async fn a_held_call_waits_for_its_holder() {
    let gateway = gateway();
    let mut call = gateway.upstream.start();
    let held = call.hold();
    gateway.pass(2);
    read(call).await;
    // It is over, and not yet recorded.
    assert_eq!(
        (gateway.calls(ErrorClass::None), gateway.in_flight("openai")),
        (0.0, 0.0)
    );
    gateway.pass(2);
    held.fail(ErrorClass::Parse);
    assert_eq!(
        (
            gateway.calls(ErrorClass::Parse),
            gateway.in_flight("openai")
        ),
        (1.0, 0.0)
    );
    // It ended with its body.
    assert_eq!(gateway.value("llm_upstream_duration_seconds_sum", ""), 2.0);
    assert_eq!(
        gateway.value("llm_tokens_total", ""),
        21.0,
        "they were used"
    );
}

#[tokio::test]
async fn a_holder_is_told_why_usage_is_missing() {
    let gateway = gateway();
    let event = r#"data: {"object":"chat.completion.chunk","choices":[{"index":0,"delta":{"content":"a"},"finish_reason":"stop"}]}"#;
    let end = "data: [DONE]\n\n";
    let usage = r#"data: {"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":2}}"#;
    for (stream, missing) in [
        (format!("{event}\n\n{end}"), Some(UsageMissing::NotReported)),
        (format!("{event}\n\n{usage}\n\n{end}"), None),
    ] {
        let mut call = gateway.upstream.start();
        let held = call.hold();
        call.head(&Head::new(200).content_type("text/event-stream"));
        call.data(stream.as_bytes());
        assert_eq!(held.usage_missing(), None, "it has not ended");
        call.finish();
        assert_eq!(held.usage_missing(), missing, "{stream}");
    }
    // One that was dropped in the middle, and one without a body to read.
    let mut call = gateway.upstream.start();
    let held = call.hold();
    call.head(&Head::new(200).content_type("text/event-stream"));
    drop(call);
    assert_eq!(held.usage_missing(), Some(UsageMissing::Interrupted));
    let mut call = gateway.upstream.start();
    let held = call.hold();
    call.head(&Head::new(429));
    drop(call);
    assert_eq!(held.usage_missing(), None);
}

#[tokio::test]
async fn a_held_call_that_is_let_go_is_as_it_ended() {
    let gateway = gateway();
    for accept in [true, false] {
        let mut call = gateway.upstream.start();
        let held = call.hold();
        read(call).await;
        if accept { held.accept() } else { drop(held) }
    }
    assert_eq!(gateway.calls(ErrorClass::None), 2.0);
}

#[tokio::test]
async fn of_several_holders_the_last_lets_go() {
    let gateway = gateway();
    let mut call = gateway.upstream.start();
    let (first, second) = (call.hold(), call.hold());
    first.fail(ErrorClass::Parse);
    read(call).await;
    assert_eq!(gateway.calls(ErrorClass::Parse), 0.0);
    second.accept();
    assert_eq!(gateway.calls(ErrorClass::Parse), 1.0);

    // Nobody holds what has ended.
    let mut call = gateway.upstream.start();
    call.head(&Head::new(503).content_length(0));
    drop(call.hold());
    drop(call);
    assert_eq!(gateway.calls(ErrorClass::Status), 1.0);
}

#[tokio::test]
async fn a_holder_may_be_done_first() {
    let gateway = gateway();
    let mut call = gateway.upstream.start();
    drop(call.hold());
    read(call).await;
    assert_eq!(gateway.calls(ErrorClass::None), 1.0);

    let mut call = gateway.upstream.start();
    call.hold().fail(ErrorClass::Parse);
    assert_eq!(gateway.calls(ErrorClass::Parse), 0.0, "it is still open");
    read(call).await;
    assert_eq!(gateway.calls(ErrorClass::Parse), 1.0);
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
