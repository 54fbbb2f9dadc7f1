//! Calls that wait for their holders before they are recorded.

use brightstaff_metrics_core::{
    Head,
    labels::{ErrorClass, UsageMissing},
};

use crate::{gateway, read};

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
