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

/// The choices of one call are generated side by side: their tokens over one's time are no pace.
#[test]
fn several_choices_have_no_pace() {
    let event = |index: u8| {
        let usage = r#""usage":{"prompt_tokens":1,"completion_tokens":9}"#;
        format!(
            "data: {{\"choices\":[{{\"index\":{index},\"delta\":{{\"content\":\"a\"}}}}],{usage}}}\n\n"
        )
    };
    let one = read(None, &event(0).repeat(3));
    assert_eq!((one.choices, one.streamed_tokens()), (1, Some(9)));
    let two = read(None, &(event(0) + &event(1)));
    assert_eq!((two.choices, two.streamed_tokens()), (2, None));
    assert_eq!(two.usage.completion, Some(9));
}

/// A choice that first shows behind events that are skimmed is seen all the same.
#[test]
fn a_late_choice_is_seen() {
    let event = |index: u8, finish: &str| {
        format!(
            "data: {{\"object\":\"chat.completion.chunk\",\"choices\":[{{\"index\":{index},\"delta\":{{\"content\":\"a\"}},\"finish_reason\":{finish}}}]}}\n\n"
        )
    };
    let mut body = event(0, "null").repeat(9) + &event(1, "null").repeat(9);
    body += &event(0, "\"stop\"");
    let facts = read(None, &body);
    assert_eq!((facts.choices, facts.end()), (2, End::Truncated));
    let facts = read(None, &(body + &event(1, "\"stop\"")));
    assert_eq!(facts.end(), End::Complete);
}

/// Bytes that start with a zero are an event stream only once a message has shown it; and media owe no
/// tokens.
#[test]
fn binary_bodies_are_no_stream() {
    let bodies: [&[u8]; 3] = [
        b"\0\0\0\x20ftypM4A \0\0\0\0M4A mp42isom\0\0\0\0",
        &[0; 4096],
        b"\0\0\0\0\x05hello",
    ];
    for body in bodies {
        for content_type in [None, Some("audio/mp4")] {
            let mut meter = Meter::new(content_type, None);
            meter.push(body);
            meter.finish();
            let facts = meter.facts();
            assert_eq!((facts.streaming, facts.end()), (false, End::Complete));
            let missing = content_type.is_none().then_some(UsageMissing::Unparsable);
            assert_eq!(facts.usage_missing(false), missing);
        }
    }
}

/// Of all arrays only Gemini's is a stream.
#[test]
fn arrays_are_no_streams() {
    for body in [
        "[[0.1,0.2],[0.3,0.4]]",
        r#"[{"embedding":[0.1]},{"embedding":[0.2]}]"#,
        r#"[{"a":1},{"b":2},{"c":3}]"#,
    ] {
        let facts = read(Some("application/json"), body);
        assert_eq!(
            (facts.streaming, facts.end()),
            (false, End::Complete),
            "{body}"
        );
    }
}

/// The counts of a stream that stopped are not the last word, in whichever framing it came.
#[test]
fn a_cut_array_is_interrupted() {
    let event = |tokens: u64| {
        format!(
            r#"{{"candidates":[{{"content":{{"parts":[{{"text":"a"}}]}}}}],"usageMetadata":{{"promptTokenCount":5,"candidatesTokenCount":{tokens}}}}}"#
        )
    };
    let array = format!("[{}\n,{}", event(1), event(2));
    let events = format!("data: {}\n\ndata: {}\n\n", event(1), event(2));
    for body in [array, events] {
        let facts = read(None, &body);
        assert_eq!((facts.streaming, facts.events), (true, 2), "{body}");
        assert_eq!(facts.end(), End::Truncated, "{body}");
        assert_eq!(facts.usage.completion, Some(2), "{body}");
        let missing = facts.usage_missing(false);
        assert_eq!(missing, Some(UsageMissing::Interrupted), "{body}");
    }
}

#[test]
fn codes_of_success_are_not_errors() {
    for (code, error) in [
        ("0", false),
        ("200", false),
        ("20000", false),
        ("\"0\"", false),
        ("\"ok\"", false),
        ("\"SUCCESS\"", false),
        ("1", true),
        ("199", true),
        ("300", true),
        ("500", true),
        ("\"E1\"", true),
    ] {
        let frame = format!("{{\"code\":{code},\"message\":\"what it says\"}}");
        assert_eq!(
            read(Some("application/json"), &frame).error,
            error,
            "{frame}"
        );
        let stream = format!(
            "data: {{\"choices\":[{{\"delta\":{{\"content\":\"a\"}}}}]}}\n\ndata: {frame}\n\ndata: [DONE]\n\n"
        );
        assert_eq!(
            read(Some("text/event-stream"), &stream).error,
            error,
            "{stream}"
        );
    }
}

/// Relays write 0 for what they do not know.
#[test]
fn a_report_of_zeros_replaces_none() {
    let usage = |prompt: u64, completion: u64| {
        format!(
            "data: {{\"choices\":[],\"usage\":{{\"prompt_tokens\":{prompt},\"completion_tokens\":{completion}}}}}\n\n"
        )
    };
    let text =
        "data: {\"choices\":[{\"delta\":{\"content\":\"a\"},\"finish_reason\":\"stop\"}]}\n\n";
    for (first, second, told) in [
        ((9, 12), (0, 0), (9, 12)),
        ((0, 0), (9, 12), (9, 12)),
        ((9, 12), (10, 13), (10, 13)),
        ((0, 0), (0, 0), (0, 0)),
    ] {
        let stream = [
            text,
            &usage(first.0, first.1),
            &usage(second.0, second.1),
            "data: [DONE]\n\n",
        ]
        .concat();
        let found = read(Some("text/event-stream"), &stream).usage;
        assert_eq!(
            (found.prompt, found.completion),
            (Some(told.0), Some(told.1)),
            "{stream}"
        );
    }
}

/// A key that is longer than any that is kept, or spelled with an escape.
#[test]
fn whatever_is_in_an_error_makes_it_one_in_any_pieces() {
    for key in [
        "k".repeat(129),
        "k".repeat(300),
        r"\u006b".repeat(2),
        r"\k".into(),
    ] {
        let body = format!(r#"{{"error":{{"{key}":"down"}}}}"#);
        for chunk in [1, 7, 150, body.len()] {
            let mut meter = Meter::new(Some("application/json"), None);
            body.as_bytes()
                .chunks(chunk)
                .for_each(|chunk| meter.push(chunk));
            meter.finish();
            assert_eq!(meter.facts().end(), End::Error, "{key} by {chunk}");
        }
    }
}
