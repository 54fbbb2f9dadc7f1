//! Which framing a body has, whatever its headers promise.

use brightstaff_metrics_core::labels::UsageMissing;
use brightstaff_metrics_core::meter::{Api, End, Facts, Meter};

const CHUNK: &str = r#"{"object":"chat.completion.chunk","model":"m","choices":[{"delta":{"content":"a"},"finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":2}}"#;

fn read(content_type: Option<&str>, body: &str) -> Facts {
    let mut meter = Meter::new(content_type, None);
    meter.push(body.as_bytes());
    meter.finish();
    meter.facts().clone()
}

#[test]
fn content_has_the_last_word() {
    let types = [
        None,
        Some("text/event-stream"),
        Some("TEXT/Event-Stream; charset=\"utf-8\""),
        Some("application/json"),
        Some("text/plain"),
        Some("application/x-ndjson"),
    ];
    for content_type in types {
        for start in [
            "",
            "\n\r\n",
            "\u{feff}",
            ": comment\n",
            "event: x\n",
            "id: 1\n",
            "retry: 5\n",
        ] {
            let facts = read(content_type, &format!("{start}data: {CHUNK}\n\n"));
            assert_eq!(
                (facts.api, facts.streaming),
                (Some(Api::OpenAiChat), true),
                "{content_type:?} {start:?}"
            );
            assert_eq!(
                (facts.events, facts.usage.completion),
                (1, Some(2)),
                "{content_type:?} {start:?}"
            );
        }
        let facts = read(content_type, &format!(" \n{CHUNK}"));
        assert_eq!(facts.usage.completion, Some(2), "{content_type:?}");
        let facts = read(content_type, &format!("{CHUNK}\n{CHUNK}\n"));
        assert_eq!(
            (facts.streaming, facts.events),
            (true, 2),
            "{content_type:?}"
        );
    }
}

#[test]
fn text_is_no_stream() {
    for (content_type, body) in [
        (None, "internal error"),
        (Some("text/plain"), "down for maintenance"),
        (Some("text/html"), "<html>"),
        (Some("application/json"), "error"),
    ] {
        let facts = read(content_type, body);
        assert_eq!(
            (facts.streaming, facts.end()),
            (false, End::Complete),
            "{body}"
        );
        assert_eq!(
            facts.usage_missing(false),
            Some(UsageMissing::Unparsable),
            "{body}"
        );
    }
}

#[test]
fn an_empty_stream_is_truncated() {
    for content_type in [
        "text/event-stream",
        "application/x-ndjson",
        "application/vnd.amazon.eventstream",
    ] {
        let facts = read(Some(content_type), "");
        assert_eq!(facts.end(), End::Truncated, "{content_type}");
        assert_eq!(
            facts.usage_missing(false),
            Some(UsageMissing::Interrupted),
            "{content_type}"
        );
    }
    let facts = read(Some("application/json"), "");
    assert_eq!(
        (facts.end(), facts.usage_missing(false)),
        (End::Complete, Some(UsageMissing::NotReported))
    );
}

#[test]
fn reasoning_that_was_kept_back_is_not_streamed() {
    let usage = r#""usage":{"prompt_tokens":1,"completion_tokens":9,"completion_tokens_details":{"reasoning_tokens":5}}"#;
    let stream = |key: &str| {
        format!("data: {{\"choices\":[{{\"delta\":{{\"{key}\":\"a\"}}}}],{usage}}}\n\n")
    };
    assert_eq!(read(None, &stream("content")).streamed_tokens(), Some(4));
    assert_eq!(
        read(None, &stream("reasoning_content")).streamed_tokens(),
        Some(9)
    );
    assert_eq!(read(None, "").streamed_tokens(), None);
}
