//! Calls whose response no code here reads: a typed client tells what it had.

use brightstaff_metrics_core::{Head, UpstreamCall, labels::ErrorClass, meter::Usage};

use crate::gateway;

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
